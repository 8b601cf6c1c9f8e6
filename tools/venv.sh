#!/bin/sh
# venv.sh DIRECTORY LOCK...: a virtual environment of Python 3.11 or newer holding exactly what the locks name.
# Called by the Makefile when a lock is newer than its stamp; safe to repeat.
set -eu

directory=$1
shift

# A shim may stand on PATH and still refuse to run: each candidate is asked, not only looked up.
recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if ! recent "$directory/bin/python"; then
    found=
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
        if recent "$candidate"; then
            found=$candidate
            break
        fi
    done
    if [ -z "$found" ]; then
        echo "Python 3.11 or newer is needed and none was found. Install it, or name it: make PYTHON=/path/to/python3" >&2
        exit 1
    fi
    echo "Preparing $directory with $("$found" --version) ..."
    rm -rf "$directory"
    if ! "$found" -m venv "$directory"; then
        rm -rf "$directory"
        echo "'$found -m venv' failed. On Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    fi
fi

requirements=
for lock in "$@"; do
    requirements="$requirements -r $lock"
done
echo "Installing $* ..."
# shellcheck disable=SC2086 # one word per option on purpose
PIP_DISABLE_PIP_VERSION_CHECK=1 "$directory/bin/python" -m pip install --quiet --require-hashes \
    --root-user-action=ignore $requirements
