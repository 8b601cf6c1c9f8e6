"""Chromium for the browser tests: real pages, axe on each one visited, pictures kept among the artefacts."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from tests.browser.settling import LEAVING, settled
from tests.conftest import ARTEFACTS
from tests.support.servers import HttpServer

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 640}
WAIT = 15_000
"""Milliseconds anything may take to appear: a slow machine is no fault."""
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")

expect.set_options(timeout=WAIT)


def chromium() -> str:
    """The browser's path: CHROMIUM, else the machine's own."""
    candidates = (os.environ.get("CHROMIUM"), *BROWSERS, shutil.which("chromium"), shutil.which("chrome"))
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise pytest.UsageError("Chromium is needed: apt-get install chromium, or CHROMIUM=/path/to/it, or make test-fast")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {
        "executable_path": chromium(),
        "headless": True,
        "args": [
            "--no-sandbox",  # CI runs as root
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-features=Translate,MediaRouter,OptimizationHints,PasswordManagerOnboarding",
            # Nothing but loopback, whatever a page asks for.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        ],
    }


@pytest.fixture
def browser_context_args(live_server: HttpServer) -> dict[str, Any]:
    return {
        "base_url": live_server.url,
        "viewport": DESKTOP,
        "locale": "fr-TN",
        "timezone_id": "Africa/Tunis",
        "reduced_motion": "reduce",
        "accept_downloads": True,
    }


class Journey:
    """One person at one browser tab. ``visit`` goes somewhere; ``check`` inspects where one is."""

    def __init__(self, page: Page, base: str, folder: Path, *, pictures: bool) -> None:
        self.page = page
        self.pictures = pictures
        self.base = base
        self.folder = folder
        self.troubles: list[str] = []
        self.forgiven: list[re.Pattern[str]] = []
        self._shots = 0
        self._axe = Axe()
        page.set_default_timeout(WAIT)
        page.add_init_script(LEAVING)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        page.on("requestfailed", self._on_failure)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_failure(self, request: Request) -> None:
        # A page left while its pictures load, or a download: the browser's own doing.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.troubles.append(f"request failed: {request.url}: {request.failure}")

    def forgive(self, pattern: str) -> None:
        """This trouble is meant (the console names a page that rightly answered 404, for one)."""
        self.forgiven.append(re.compile(pattern))

    def visit(self, path: str, name: str | None = None, *, phone: bool = True) -> Page:
        """Go to ``path``, then ``check``."""
        commit()
        self.page.goto(path)
        self.check(name or urlsplit(path).path.strip("/").replace("/", "-") or "accueil", phone=phone)
        return self.page

    def check(self, name: str, *, phone: bool = True, axe: bool = True) -> None:
        """Inspect the page one is on: axe, pictures at both widths, nothing wider than the phone."""
        commit()
        settled(self.page)
        self.page.wait_for_load_state("load")
        self._shots += 1
        stem = f"{self._shots:02d}-{_slug(name)}"
        self.shot(stem)
        if axe:
            self.axe(name)
        if phone:
            self.phone(stem)

    def axe(self, name: str) -> None:
        """No violation of any rule of axe on the page as it is now."""
        results = self._axe.run(self.page, options={"resultTypes": ["violations"]})
        violations = results.response["violations"]
        assert not violations, f"axe on {name} ({self.page.url}):\n" + "\n".join(
            f"  {each['id']} ({each['impact']}): {each['help']}\n"
            + "\n".join(
                f"    {node['target']}  {node['html'][:160]}  {node.get('failureSummary', '')[:300]}"
                for node in each["nodes"][:6]
            )
            for each in violations
        )

    def shot(self, stem: str) -> None:
        """A picture of the whole page at its present width, where pictures are kept."""
        if self.pictures:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.folder / f"{stem}.png", full_page=True, animations="disabled")

    def phone(self, stem: str | None = None) -> None:
        """At 320 px: nothing to scroll sideways to, and a picture; then back to the desk."""
        self.page.set_viewport_size(PHONE)
        try:
            wide = self.page.evaluate(
                """() => {
                  const width = document.documentElement.clientWidth;
                  if (document.documentElement.scrollWidth <= width) return [];
                  const clipped = (e) => {
                    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
                    if (getComputedStyle(p).overflowX !== 'visible') return true; } return false; };
                  return ['page: ' + document.documentElement.scrollWidth + ' px'].concat(
                    [...document.body.querySelectorAll('*')]
                      .filter(e => { const r = e.getBoundingClientRect();
                        return r.width > 0 && (r.right > width + 1 || r.left < -1) && !clipped(e); })
                      .slice(0, 8).map(e => e.outerHTML.slice(0, 140)));
                }"""
            )
            if stem:
                self.shot(f"{stem}-320")
            assert not wide, f"{self.page.url} is wider than 320 px:\n  " + "\n  ".join(wide)
        finally:
            self.page.set_viewport_size(DESKTOP)

    def end(self) -> None:
        left = [each for each in self.troubles if not any(pattern.search(each) for pattern in self.forgiven)]
        assert not left, "the browser complained:\n  " + "\n  ".join(left)


def commit() -> None:
    """What the test prepared becomes visible to the server's threads, and its own view is refreshed."""
    from app.extensions import db

    db.session.commit()
    db.session.expire_all()


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-").lower()[:60] or "page"


def _pictures(request: pytest.FixtureRequest) -> bool:
    """Are this test's pictures kept? The manual's always, they are an artefact; all of them with PICTURES=all."""
    return os.environ.get("PICTURES") == "all" or request.path.name == "test_manual.py"


@pytest.fixture
def screens(request: pytest.FixtureRequest) -> Path:
    """The folder of this test's pictures, emptied first."""
    folder = ARTEFACTS / "screens" / _slug(re.sub(r"\W?(sqlite|postgres|chromium)\b", "", request.node.name))
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@pytest.fixture
def journey(page: Page, live_server: HttpServer, screens: Path, request: pytest.FixtureRequest) -> Iterator[Journey]:
    """A person at Chromium; what the browser complained of fails the test at its end."""
    journey = Journey(page, live_server.url, screens, pictures=_pictures(request))
    yield journey
    journey.end()


@pytest.fixture
def people(
    new_context: Callable[..., BrowserContext], live_server: HttpServer, screens: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Journey]]:
    """``people("rim")``: one more person at a browser of their own; its options are the context's."""
    met: list[Journey] = []

    def come(name: str, **options: Any) -> Journey:
        page = new_context(**options).new_page()
        met.append(Journey(page, live_server.url, screens / _slug(name), pictures=_pictures(request)))
        return met[-1]

    yield come
    for each in met:
        each.end()


@pytest.fixture
def visit(journey: Journey) -> Any:
    """``visit("/inscription")``: short for ``journey.visit``."""
    return journey.visit
