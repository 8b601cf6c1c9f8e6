"""What a page of ours must be, whatever it shows: checked on every page a test visits.

``problems(page)`` lists what is wrong; it reads the page as the HTML standard says, not as browsers forgive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import html5lib
from bs4 import BeautifulSoup, Tag
from bs4.builder import HTML5TreeBuilder
from flask import Flask
from html5lib.constants import E as PARSE_ERRORS
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

BASE = "http://localhost"
NO_LABEL_NEEDED = {"hidden", "submit", "button", "reset", "image"}
REFERENCES = (
    "aria-describedby",
    "aria-labelledby",
    "aria-controls",
    "aria-errormessage",
    "aria-details",
    "form",
    "list",
)
ADDRESSES = (
    ("a", "href", "GET"), ("area", "href", "GET"), ("link", "href", "GET"), ("script", "src", "GET"),
    ("img", "src", "GET"), ("audio", "src", "GET"), ("source", "src", "GET"), ("iframe", "src", "GET"),
    ("*", "hx-get", "GET"), ("*", "hx-post", "POST"), ("*", "hx-delete", "DELETE"),
)  # fmt: skip
# Loaded with the page: these may only come from our own origin.
LOADED = {"link", "script", "img", "audio", "source", "iframe"}
LEAKED = re.compile(r"\{\{|\}\}|\{%|<Lazy|lazy_gettext|<built-in|object at 0x|%\(\w+\)[sd]")


class Visited(Protocol):
    """What the checks need to know of a page."""

    url: str
    html: str
    soup: BeautifulSoup
    parse_errors: list[str]
    headers: Any
    fragment: bool


class _StrictBuilder(HTML5TreeBuilder):
    """Beautiful Soup's html5lib builder, keeping the parse errors that it drops."""

    def feed(self, markup: Any) -> None:
        parser = html5lib.HTMLParser(tree=self.create_treebuilder)
        self.underlying_builder.parser = parser
        parser.parse(markup)
        self.html_errors = [
            f"line {line}: {PARSE_ERRORS.get(code, code) % values} ({code})"
            for (line, _column), code, values in parser.errors
        ]
        self.underlying_builder.parser = None


def parse(html: str, *, fragment: bool = False) -> tuple[BeautifulSoup, list[str]]:
    """The page as a tree, and every deviation from the HTML standard with its line."""
    if fragment:
        html = f"<!doctype html><html lang='fr' dir='ltr'><title>-</title><body>{html}"
    builder = _StrictBuilder()
    soup = BeautifulSoup(html, builder=builder)
    return soup, builder.html_errors


class Elements:
    """A page's elements by name and by attribute, gathered in one walk: the checks ask for them a dozen times."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self.all: list[Tag] = []
        self._named: dict[str, list[Tag]] = {}
        self._having: dict[str, list[Tag]] = {}
        for node in soup.descendants:
            if isinstance(node, Tag):
                self.all.append(node)
                self._named.setdefault(node.name, []).append(node)
                for attribute in node.attrs:
                    self._having.setdefault(attribute, []).append(node)

    def named(self, *names: str) -> list[Tag]:
        """Elements of these names; of several names, name by name."""
        return [tag for name in names for tag in self._named.get(name, [])]

    def having(self, attribute: str) -> list[Tag]:
        """Elements that carry the attribute, in the page's order."""
        return self._having.get(attribute, [])

    @cached_property
    def labels(self) -> dict[str, str]:
        """What each ``label for`` says."""
        return {str(tag["for"]): text_of(tag) for tag in reversed(self.named("label")) if tag.get("for")}


def elements(soup: BeautifulSoup) -> Elements:
    """The index of a page, made once."""
    known = soup.__dict__.get("ecert_elements")
    if known is None:
        known = soup.__dict__["ecert_elements"] = Elements(soup)
    return known


def text_of(tag: Tag | BeautifulSoup | None) -> str:
    return " ".join(tag.get_text(" ").split()) if tag is not None else ""


def label_of(control: Tag, soup: BeautifulSoup | Tag) -> str:
    """The name a screen reader would give the control; empty when it has none."""
    if label := control.get("aria-label"):
        return str(label).strip()
    if ids := control.get("aria-labelledby"):
        return " ".join(text_of(soup.find(id=each)) for each in str(ids).split()).strip()
    if own := control.get("id"):
        said = elements(soup).labels.get(str(own)) if isinstance(soup, BeautifulSoup) else None
        if said is not None:
            return said
    if tag := control.find_parent("label"):
        return text_of(tag)
    return str(control.get("title") or "").strip()


def _structure(page: Visited) -> Iterator[str]:
    soup = page.soup
    yield from (f"HTML: {error}" for error in page.parse_errors)
    ids = Counter(str(tag["id"]) for tag in elements(soup).having("id"))
    yield from (f"id {name!r} stands {times} times" for name, times in ids.items() if times > 1)
    if page.fragment:
        return
    headings = elements(soup).named("h1")
    if len(headings) != 1:
        yield f"{len(headings)} h1: {[text_of(tag) for tag in headings]}"
    elif not text_of(headings[0]):
        yield "the h1 is empty"
    root = soup.html
    if root is None or not root.get("lang"):
        yield "html has no lang"
    if root is None or root.get("dir") not in {"ltr", "rtl"}:
        yield "html has no dir"
    if soup.title is None or not text_of(soup.title):
        yield "no title"
    if not elements(soup).named("main"):
        yield "no main"


def _names(page: Visited) -> Iterator[str]:
    soup = page.soup
    for control in elements(soup).named("input", "select", "textarea"):
        if control.get("type") not in NO_LABEL_NEEDED and not label_of(control, soup):
            yield f"no label: {str(control)[:160]}"
    for button in elements(soup).named("button", "a"):
        if button.name == "a" and not button.get("href"):
            continue
        pictures = " ".join(str(image.get("alt") or "") for image in button.find_all("img")).strip()
        drawn = " ".join(text_of(title) for title in button.select("svg title"))
        if not (text_of(button) or label_of(button, soup) or pictures or drawn):
            yield f"no name: {str(button)[:160]}"
    for image in elements(soup).named("img"):
        if image.get("alt") is None:
            yield f"img without alt: {str(image)[:160]}"
    known = {str(tag["id"]) for tag in elements(soup).having("id")}
    for name in (*REFERENCES, "for"):
        for tag in elements(soup).having(name):
            missing = [each for each in str(tag[name]).split() if each not in known]
            if missing and not (page.fragment and name in {"form", "list"}):
                yield f"{name} names no element of the page: {', '.join(missing)}"


def _inline(page: Visited) -> Iterator[str]:
    """Nothing that the content security policy would block or that would need it loosened."""
    policy = page.headers.get("Content-Security-Policy", "")
    if "unsafe-inline" in policy:
        yield "the policy allows unsafe-inline"
    for tag in elements(page.soup).all:
        handlers = [name for name in tag.attrs if name.startswith("on")]
        if handlers:
            yield f"inline handler {handlers[0]}: {str(tag)[:120]}"
        if tag.has_attr("style"):
            yield f"inline style: {str(tag)[:120]}"
        if tag.name == "style" or (
            tag.name == "script" and not tag.get("src") and tag.get("type") in (None, "", "module", "text/javascript")
        ):
            nonce = str(tag.get("nonce") or "")
            if not nonce:
                yield f"{tag.name} without nonce: {str(tag)[:120]}"
            elif policy and f"'nonce-{nonce}'" not in policy:
                yield f"{tag.name}: its nonce is not the policy's"


def _leaks(page: Visited) -> Iterator[str]:
    for text in page.soup.find_all(string=True):
        if text.parent is not None and text.parent.name in {"script", "style", "pre", "code", "textarea"}:
            continue
        shown = text.strip()
        if shown in {"None", "undefined", "NaN", "null"} or LEAKED.search(shown):
            yield f"leaks from the program: {shown[:100]!r}"


def _resolves(app: Flask, address: str, method: str) -> str | None:
    """Why the address leads nowhere in the application, or None."""
    parts = urlsplit(address)
    try:
        endpoint, arguments = app.url_map.bind("localhost").match(parts.path, method=method)
    except RequestRedirect:
        return None
    except MethodNotAllowed:
        return f"the route takes no {method}"
    except NotFound:
        return "no such route"
    except HTTPException as error:
        return str(error)
    if endpoint == "static" or endpoint.endswith(".static"):
        holder = app if endpoint == "static" else app.blueprints[endpoint.removesuffix(".static")]
        name = arguments.get("filename", "")
        if holder.static_folder is None or not (_static(holder.static_folder, name)):
            return "no such static file"
    return None


def _static(folder: str, name: str) -> bool:
    from pathlib import Path

    return (Path(folder) / name).is_file()


def _addresses(page: Visited, app: Flask) -> Iterator[str]:
    own = {urlsplit(BASE).netloc, urlsplit(str(app.config.get("PUBLIC_URL") or BASE)).netloc}
    ids = {str(tag["id"]) for tag in elements(page.soup).having("id")} | {"", "top"}
    wanted: list[tuple[Tag, str, str]] = []
    for name, attribute, method in ADDRESSES:
        wanted += [
            (tag, str(tag[attribute]), method)
            for tag in elements(page.soup).having(attribute)
            if name in ("*", tag.name)
        ]
    for form in elements(page.soup).named("form"):
        wanted.append((form, str(form.get("action") or page.url), str(form.get("method") or "get").upper()))
    for button in elements(page.soup).having("formaction"):
        parent = button.find_parent("form")
        method = str(button.get("formmethod") or (parent.get("method") if parent else None) or "get").upper()
        wanted.append((button, str(button["formaction"]), method))
    for tag, address, method in wanted:
        if address.startswith("#"):
            if address[1:] not in ids and not page.fragment:
                yield f"{address} names no element of the page"
            continue
        parts = urlsplit(urljoin(BASE + page.url, address))
        if parts.scheme in {"mailto", "tel"} and tag.name == "a":
            continue
        if parts.scheme == "data" and tag.name == "img":
            continue
        if parts.scheme not in {"http", "https"}:
            yield f"{tag.name} leads to {address[:80]}"
        elif parts.netloc not in own:
            if tag.name in LOADED:
                yield f"{tag.name} is loaded from outside: {address[:80]}"
        elif why := _resolves(app, parts.geturl(), method):
            yield f"{tag.name} {method} {address[:80]}: {why}"


def _forms(page: Visited, app: Flask) -> Iterator[str]:
    protected = "csrf" in app.extensions and app.config.get("WTF_CSRF_ENABLED", True)
    field = str(app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"))
    for form in elements(page.soup).named("form"):
        if form.find_parent("form"):
            yield "a form within a form"
        where = form.get("action") or page.url
        if str(form.get("method") or "get").lower() == "post":
            if protected and not form.find("input", attrs={"name": field}) and not _outside(form, field, page):
                yield f"form {where}: no CSRF token"
            if form.find("input", attrs={"type": "file"}) and form.get("enctype") != "multipart/form-data":
                yield f"form {where}: has a file field and is not multipart"
        elif form.find("input", attrs={"type": "password"}):
            yield f"form {where}: a password in a GET form"


def _outside(form: Tag, field: str, page: Visited) -> bool:
    own = form.get("id")
    return bool(own and page.soup.find("input", attrs={"name": field, "form": own}))


def problems(page: Visited, app: Flask) -> list[str]:
    """Everything wrong with the page, empty when nothing is."""
    found = [
        *_structure(page),
        *_names(page),
        *_inline(page),
        *_leaks(page),
        *_addresses(page, app),
        *_forms(page, app),
    ]
    return list(dict.fromkeys(found))
