#!/bin/sh
# Chromium for the browser tests: the one of the machine, or Debian's package when this may install it.
set -eu

for candidate in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
        exit 0
    fi
done
if command -v chromium >/dev/null 2>&1; then
    exit 0
fi

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Debian's chromium ..."
    log=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive apt-get update -qq >"$log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
fi

cat >&2 <<'MESSAGE'
The browser tests need Chromium and none was found.
Install it (Debian, Ubuntu: sudo apt-get install chromium), or name yours: CHROMIUM=/path/to/chrome make test
Without it: make test-fast runs the tests that need neither browser nor PostgreSQL.
MESSAGE
exit 1
