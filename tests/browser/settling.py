"""Knowing that a page is the answer to the form just sent."""

from __future__ import annotations

from playwright.sync_api import Page

LEAVING = """addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "dialog") return;
  window.leavingThisPage = true;
  setTimeout(() => { window.leavingThisPage = false; }, 5000);  // a download leaves the page where it is
});"""
"""What lets ``settled`` know that a form was sent and its answer is not here yet."""


def settled(page: Page) -> None:
    """Wait until the answer to a form just sent is the page: what is typed before it goes nowhere."""
    page.wait_for_function("() => !window.leavingThisPage")
