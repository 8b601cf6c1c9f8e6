"""The checking page client: a browser without JavaScript that reads pages as a person does.

Every HTML page it meets is checked (``tests/support/html.py``): no 5xx, valid HTML, one h1, labels, lang and
dir, nothing inline, every link and form leading somewhere. Forms are sent as they stand on the page.
"""

from __future__ import annotations

import contextvars
import io
import json
import mimetypes
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Flask, has_app_context
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.support.html import BASE, label_of, parse, problems, text_of

# endpoint → the (method, status) pairs seen, over the whole session
VISITED: dict[str, set[tuple[str, int]]] = defaultdict(set)
# Pages found without fault, as they stood but for what is drawn by lot: hundreds of tests meet the same login page.
SOUND: set[int] = set()

Upload: TypeAlias = "Path | tuple[str, bytes] | tuple[str, bytes, str]"

ERRORS = ".err, .field-error, .invalid-feedback, [data-error]"
FLASHES = "[data-flash], .flash, .flashes > *, .alert, .note[role]"
NONCE = re.compile(r"'nonce-([^']+)'")
TOKEN = re.compile(r'<input[^>]*\bname="csrf_token"[^>]*\bvalue="([^"]+)"')
UNSEEN = ".vh, .visually-hidden, .sr-only"
SUBMITS = {"submit", "image"}


class PageError(AssertionError):
    """A page broke a rule that holds for all pages."""


class CheckingClient:
    """A browser. ``get``, ``post`` and the forms' ``submit`` return the ``Page`` where one lands."""

    def __init__(self, app: Flask, *, headers: dict[str, str] | None = None, address: str = "127.0.0.1") -> None:
        self.app = app
        self.headers = headers or {}
        self.address = address
        self.page: Page | None = None
        self._browser = app.test_client()

    # -- requests

    def get(self, url: str, *, follow: bool = True, expect: int | Iterable[int] | None = None, **options: Any) -> Page:
        """Visit ``url``. ``expect`` names the status or statuses it must answer with (default: below 400)."""
        return self.open("GET", url, follow=follow, expect=expect, **options)

    def post(
        self,
        url: str,
        data: dict[str, Any] | None = None,
        *,
        csrf: bool = True,
        follow: bool = True,
        expect: int | Iterable[int] | None = None,
        **options: Any,
    ) -> Page:
        """A raw POST, for forged requests; people's own go through ``page.form().submit()``.

        With ``csrf`` the token of the last page is sent along.
        """
        values = dict(data or {})
        if csrf and self.page is not None and (token := self.page.csrf_token):
            values.setdefault("csrf_token", token)
        return self.open("POST", url, data=values, follow=follow, expect=expect, **options)

    def open(
        self,
        method: str,
        url: str,
        *,
        follow: bool = True,
        expect: int | Iterable[int] | None = None,
        fragment: bool = False,
        headers: dict[str, str] | None = None,
        check: bool = True,
        **options: Any,
    ) -> Page:
        """Any request. ``fragment``: the answer is part of a page. Raises ``PageError``."""
        trail: list[str] = []
        for _ in range(12):
            page = self._once(method, url, fragment=fragment, headers=headers, trail=trail, check=check, **options)
            if page.status >= 500 and page.status not in _statuses(expect):
                raise PageError(f"{method} {page.url} answered {page.status}\n{page.html[:2000]}")
            if not follow or page.location is None:
                break
            trail = [*trail, page.url]
            if page.status not in (307, 308):
                method, options = "GET", {}
            url = page.location
            if urlsplit(url).netloc and urlsplit(url).netloc not in self._own():
                break  # another site, the gateway's page for one: `page.location` says which
        else:
            raise PageError(f"redirects without end: {' → '.join(trail)}")
        self._expect(page, expect)
        return page

    def _own(self) -> set[str]:
        return {urlsplit(BASE).netloc, urlsplit(str(self.app.config.get("PUBLIC_URL") or BASE)).netloc}

    def _once(
        self,
        method: str,
        url: str,
        *,
        fragment: bool,
        headers: dict[str, str] | None,
        trail: list[str],
        check: bool = True,
        **options: Any,
    ) -> Page:
        self._end_transaction()
        parts = urlsplit(urljoin(BASE + (self.page.url if self.page else "/"), url))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = Headers({**self.headers, **(headers or {})})
        base = {"REMOTE_ADDR": self.address, **options.pop("environ_base", {})}
        # A context of its own: the test's must not lend its `g`, and so the logged-in person, to requests.
        response: TestResponse = contextvars.Context().run(
            self._browser.open, path, base_url=BASE, method=method, headers=sent, environ_base=base, **options
        )
        page = Page(self, method, path, response, fragment=fragment, trail=trail)
        self._note(page)
        if page.is_html and page.location is None:
            if check:
                self._check(page)
            if not fragment:
                self.page = page
        return page

    def _check(self, page: Page) -> None:
        known = hash((id(self.app), page.likeness, page.url, page.fragment, self.app.config.get("PUBLIC_URL")))
        if known in SOUND:
            return
        found = problems(page, self.app)
        if found:
            raise PageError(f"{page.method} {page.url} ({page.status}):\n  " + "\n  ".join(found))
        SOUND.add(known)

    def _end_transaction(self) -> None:
        """Commit what the test prepared before a request, and read anew after it."""
        if has_app_context():
            from app.extensions import db

            db.session.commit()
            db.session.expire_all()

    def _note(self, page: Page) -> None:
        try:
            endpoint, _ = self.app.url_map.bind("localhost").match(urlsplit(page.url).path, method=page.method)
        except HTTPException:
            return
        VISITED[str(endpoint)].add((page.method, page.status))

    @staticmethod
    def _expect(page: Page, expect: int | Iterable[int] | None) -> None:
        if expect is None:
            assert page.status < 400, f"{page.method} {page.url} answered {page.status}: {page.text[:600]}"
        else:
            wanted = _statuses(expect)
            assert page.status in wanted, (
                f"{page.method} {page.url} answered {page.status}, not {wanted}: {page.text[:600]}"
            )

    # -- people

    def login(self, email: str, password: str) -> Page:
        """Through the login page; returns where one lands, be it the login page with its refusal.

        Where one lands is not checked: each home is a page that tests visit for itself.
        """
        self.get("/")
        return self.post("/", {"email": email, "password": password}, expect=(200, 401, 429), check=False)

    def cookie(self, name: str) -> str | None:
        kept = self._browser.get_cookie(name)
        return kept.value if kept else None

    def forget_cookies(self) -> None:
        """Close the browser: session lost, pages kept in the test's hands."""
        self._browser = self.app.test_client()


def _statuses(expect: int | Iterable[int] | None) -> set[int]:
    return {expect} if isinstance(expect, int) else set(expect or ())


class Page:
    """One answer. HTML is parsed once, strictly, when somebody looks at it."""

    def __init__(
        self,
        client: CheckingClient,
        method: str,
        url: str,
        response: TestResponse,
        *,
        fragment: bool,
        trail: list[str],
    ) -> None:
        self.client = client
        self.method = method
        self.url = url  # path and query
        self.status = response.status_code
        self.headers = response.headers
        self.data: bytes = response.get_data()
        self.redirects = trail
        self.location: str | None = response.headers.get("Location") if 300 <= self.status < 400 else None
        self.is_html = response.mimetype == "text/html"
        self.fragment = fragment
        self.html = self.data.decode("utf-8") if response.mimetype.startswith("text/") else ""
        response.close()

    @cached_property
    def _parsed(self) -> tuple[BeautifulSoup, list[str]]:
        return parse(self.html, fragment=self.fragment) if self.is_html else parse("")

    @property
    def soup(self) -> BeautifulSoup:
        return self._parsed[0]

    @property
    def parse_errors(self) -> list[str]:
        return self._parsed[1]

    @property
    def likeness(self) -> tuple[str, str]:
        """Page and policy without this answer's nonce and token: equal for pages that only these tell apart."""
        policy = self.headers.get("Content-Security-Policy", "")
        html = self.html
        for drawn in (*NONCE.findall(policy), self.csrf_token):
            if drawn:
                html, policy = html.replace(drawn, "*"), policy.replace(drawn, "*")
        return html, policy

    def __repr__(self) -> str:
        return f"<Page {self.method} {self.url} {self.status} {self.h1!r}>"

    # -- reading

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def h1(self) -> str:
        return text_of(self.soup.h1)

    @property
    def title(self) -> str:
        return text_of(self.soup.title)

    @property
    def main(self) -> Tag:
        return self.soup.find("main") or self.soup.body or self.soup

    @property
    def text(self) -> str:
        """What stands in the page's main part, spaces collapsed."""
        return text_of(self.main)

    @property
    def whole_text(self) -> str:
        return text_of(self.soup.body)

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def errors(self) -> list[str]:
        """The sentences beside fields."""
        return [text for tag in self.soup.select(ERRORS) if (text := _seen(tag))]

    @property
    def summary(self) -> list[str]:
        """The lines of the error summary above the form."""
        return [text_of(tag) for tag in self.soup.select("[data-summary] li, .summary li")]

    @property
    def flashes(self) -> list[str]:
        return [text for tag in self.soup.select(FLASHES) if (text := _seen(tag))]

    def error_for(self, name: str) -> str:
        """The sentence beside the field of that name or label; empty when there is none."""
        control = next((tag for form in self.forms for tag in form.controls(name)), None)
        assert control is not None, f"no field {name!r} on {self!r}"
        ids = f"{control.get('aria-errormessage', '')} {control.get('aria-describedby', '')}".split()
        near = [tag for each in ids if (tag := self.soup.find(id=each)) is not None]
        group = control.find_parent(class_=["field", "form-group"])
        near += group.select(ERRORS) if group else []
        errors = self.soup.select(ERRORS)
        return next((_seen(tag) for tag in near if any(tag is each for each in errors)), "")

    @property
    def csrf_token(self) -> str | None:
        found = TOKEN.search(self.html)
        return found[1] if found else None

    def __contains__(self, text: str) -> bool:
        """``"Payé" in page``: whether the page shows it, however its spaces are written."""
        return " ".join(text.split()) in self.whole_text

    def select(self, css: str) -> list[Tag]:
        return list(self.soup.select(css))

    def table(self, which: int | str = 0) -> list[dict[str, str]]:
        """Rows of a table (by position, id or caption) as heading → text."""
        tables = self.main.find_all("table")
        if isinstance(which, str):
            tables = [t for t in tables if t.get("id") == which or text_of(t.caption) == which]
            which = 0
        assert which < len(tables), f"{len(tables)} tables on {self!r}"
        headings = [text_of(cell) for cell in tables[which].select("thead th, thead td")]
        rows = tables[which].select("tbody tr")
        return [
            dict(zip(headings, (text_of(c) for c in row.find_all(["td", "th"])), strict=False))
            if headings
            else {text_of(row.th): text_of(row.td)}
            for row in rows
        ]

    @property
    def links(self) -> dict[str, str]:
        """Name → address of every link."""
        return {
            text_of(tag) or label_of(tag, self.soup): str(tag["href"]) for tag in self.soup.find_all("a", href=True)
        }

    # -- acting

    def click(self, text: str, **options: Any) -> Page:
        """Follow the link of that name (whole name, else a part of it)."""
        address = self.links.get(text) or next((href for name, href in self.links.items() if text in name), None)
        assert address is not None, f"no link {text!r} on {self!r}; there are {sorted(self.links)}"
        return self.client.get(urljoin(self.url, address), **options)

    def press(self, text: str, **options: Any) -> Page:
        """Press the button of that name, in whichever form it stands."""
        for form in self.forms:
            if any(text in form.name_of(button) for button in form.buttons):
                return form.submit(text, **options)
        raise AssertionError(f"no button {text!r} on {self!r}")

    @property
    def forms(self) -> list[Form]:
        """The forms of the main part first, then those around it (logout, language)."""
        tags = list(self.main.find_all("form"))
        tags += [tag for tag in self.soup.find_all("form") if not any(tag is each for each in tags)]
        return [Form(self, tag) for tag in tags]

    def form(self, which: int | str = 0) -> Form:
        """A form by position in the page's main part, by id, name, action, or by a field or button it has."""
        forms = self.forms
        if isinstance(which, int):
            assert which < len(forms), f"{len(forms)} forms on {self!r}"
            return forms[which]
        for form in forms:
            action = urlsplit(form.action).path
            if which in {form.tag.get("id"), form.tag.get("name"), form.action, action}:
                return form
        for form in forms:
            if form.controls(which) or any(which in form.name_of(button) for button in form.buttons):
                return form
        seen = [form.describe() for form in forms]
        raise AssertionError(f"no form {which!r} on {self!r}; there are {seen}")


class Form:
    """A form as it stands on the page: hidden fields and what is already filled in included."""

    def __init__(self, page: Page, tag: Tag) -> None:
        self.page = page
        self.tag = tag
        self.method = str(tag.get("method") or "get").upper()
        self.action = urljoin(page.url, str(tag.get("action") or page.url))
        self.values: MultiDict[str, str] = MultiDict()
        self.files: dict[str, list[tuple[str, bytes, str]]] = {}
        for control in self._controls:
            for value in self._initial(control):
                self.values.add(str(control["name"]), value)

    # -- reading

    @cached_property
    def _controls(self) -> list[Tag]:
        inside = [
            tag
            for tag in self.tag.find_all(["input", "select", "textarea"])
            if tag.get("form") in (None, self.tag.get("id"))
        ]
        own = self.tag.get("id")
        outside = self.page.soup.find_all(["input", "select", "textarea"], attrs={"form": own}) if own else []
        inside += [tag for tag in outside if not any(tag is each for each in inside)]
        return [
            tag
            for tag in inside
            if tag.get("name") and not self._disabled(tag) and tag.get("type") not in {*SUBMITS, "button", "reset"}
        ]

    @staticmethod
    def _disabled(tag: Tag) -> bool:
        return tag.has_attr("disabled") or tag.find_parent("fieldset", attrs={"disabled": True}) is not None

    @staticmethod
    def _initial(control: Tag) -> list[str]:
        kind = str(control.get("type") or "text").lower()
        if control.name == "textarea":
            return [control.get_text().removeprefix("\n")]
        if control.name == "select":
            options = [o for o in control.find_all("option") if not o.has_attr("disabled") or o.has_attr("selected")]
            chosen = [o for o in options if o.has_attr("selected")]
            if not chosen and not control.has_attr("multiple"):
                chosen = options[:1]
            return [_option_value(o) for o in chosen]
        if kind in {"checkbox", "radio"}:
            return [str(control.get("value", "on"))] if control.has_attr("checked") else []
        if kind == "file":
            return []
        return [str(control.get("value") or "")]

    def controls(self, name: str) -> list[Tag]:
        """The fields of that name, id or label; a group of radios or boxes also by its legend."""
        found = [tag for tag in self._controls if name in {tag.get("name"), tag.get("id")}]
        if not found:
            labelled = [
                (tag, _bare(label_of(tag, self.page.soup))) for tag in self._controls if tag.get("type") != "hidden"
            ]
            found = [tag for tag, label in labelled if label == _bare(name)]
            if not found:
                found = [tag for tag, label in labelled if label.startswith(name)]
        if not found:
            for legend in self.tag.find_all("legend"):
                if _bare(text_of(legend)).startswith(_bare(name)):
                    names = {t.get("name") for t in legend.find_parent("fieldset").find_all("input")}
                    if len(names) == 1:
                        found = [tag for tag in self._controls if tag.get("name") in names]
        return found

    @property
    def fields(self) -> list[str]:
        return list(dict.fromkeys(str(tag["name"]) for tag in self._controls if tag.get("type") != "hidden"))

    @property
    def buttons(self) -> list[Tag]:
        own = self.tag.get("id")
        inside = [
            b
            for b in self.tag.find_all("button")
            if b.get("type", "submit") == "submit" and b.get("form") in (None, own)
        ]
        inside += [i for i in self.tag.find_all("input") if i.get("type") in SUBMITS]
        if own:
            inside += [
                b
                for b in self.page.soup.find_all("button", attrs={"form": own})
                if not any(b is each for each in inside)
            ]
        return inside

    def name_of(self, button: Tag) -> str:
        return text_of(button) or str(button.get("value") or "") or label_of(button, self.page.soup)

    def describe(self) -> str:
        return f"{self.method} {self.action} {self.fields} {[self.name_of(b) for b in self.buttons]}"

    def __getitem__(self, name: str) -> str:
        """What the field holds now; ``form["email"]`` or ``form["E-mail"]``."""
        return self.values.get(self._one_name(name), "")

    def options(self, name: str) -> dict[str, str]:
        """Value → label of a select's, radio group's or boxes' choices."""
        controls = self.controls(name)
        if controls and controls[0].name == "select":
            return {_option_value(o): text_of(o) for o in controls[0].find_all("option")}
        return {str(c.get("value", "on")): label_of(c, self.page.soup) for c in controls}

    # -- filling

    def _one_name(self, name: str) -> str:
        names = {str(tag["name"]) for tag in self.controls(name)}
        assert len(names) == 1, f"{len(names)} fields {name!r} in {self.describe()}"
        return names.pop()

    def fill(self, by_label: dict[str, Any] | None = None, /, **by_name: Any) -> Form:
        """Fill fields by name, id or label.

        Choices by value or label, boxes by bool or list, files by path or ``(name, bytes[, type])``.
        """
        for name, value in {**(by_label or {}), **by_name}.items():
            self._fill(name, value)
        return self

    def _fill(self, name: str, value: Any) -> None:
        controls = self.controls(name)
        assert controls, f"no field {name!r} in {self.describe()}"
        own = self._one_name(name)
        kind = str(controls[0].get("type") or "").lower()
        if kind == "file":
            given = value if isinstance(value, list) else [value]
            self.files[own] = [_upload(each) for each in given]
        elif kind == "checkbox" and isinstance(value, bool):
            assert len(controls) == 1, f"{name!r} is a group of boxes: give the list of those to tick"
            self.values.setlist(own, [str(controls[0].get("value", "on"))] if value else [])
        elif kind in {"checkbox", "radio"} or controls[0].name == "select":
            many = isinstance(value, (list, tuple, set))
            self.values.setlist(own, [self._choice(own, controls, each) for each in (value if many else [value])])
        else:
            assert not controls[0].has_attr("readonly"), f"{name!r} is read-only"
            self.values[own] = "" if value is None else str(value)

    def _choice(self, name: str, controls: list[Tag], value: Any) -> str:
        offered = self.options(name)
        wanted = str(value)
        if wanted in offered:
            return wanted
        for each, label in offered.items():
            if label == wanted:
                return each
        raise AssertionError(f"{name} offers no {wanted!r}; it offers {offered}")

    def force(self, **values: Any) -> Form:
        """Send what the page does not offer: forged hidden fields, other choices, extra names."""
        for name, value in values.items():
            if value is None:
                self.values.poplist(name)
            else:
                self.values.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
        return self

    # -- sending

    def submit(self, button: str | None = None, **options: Any) -> Page:
        """Send the form by its first button, or by the one of that name."""
        pressed = self._pressed(button)
        values = MultiDict(self.values)
        method, action = self.method, self.action
        if pressed is not None:
            if pressed.get("name"):
                values.add(str(pressed["name"]), str(pressed.get("value") or ""))
            method = str(pressed.get("formmethod") or method).upper()
            action = urljoin(self.page.url, str(pressed["formaction"])) if pressed.get("formaction") else action
        client = self.page.client
        if method == "GET":
            return client.open("GET", urlsplit(action).path, query_string=values, **options)
        if self.tag.get("enctype") != "multipart/form-data":
            return client.open("POST", action, data=values, **options)
        data: MultiDict[str, Any] = MultiDict(values)
        for control in self._controls:
            if str(control.get("type")).lower() == "file":
                name = str(control["name"])
                # A browser sends an empty part for a file field left alone.
                for filename, content, kind in self.files.get(name, [("", b"", "application/octet-stream")]):
                    data.add(name, (io.BytesIO(content), filename, kind))
        return client.open("POST", action, data=data, content_type="multipart/form-data", **options)

    def _pressed(self, button: str | None) -> Tag | None:
        if button is None:
            return self.buttons[0] if self.buttons else None
        for match in (lambda name: name == button, lambda name: button in name):
            for tag in self.buttons:
                if match(self.name_of(tag)) or (match is not None and button in {tag.get("id"), tag.get("value")}):
                    assert not self._disabled(tag), f"the button {button!r} is disabled"
                    return tag
        raise AssertionError(f"no button {button!r} in {self.describe()}")


def _seen(tag: Tag) -> str:
    """The text without what only a screen reader says (« Erreur : »)."""
    unseen = {id(text) for part in tag.select(UNSEEN) for text in part.find_all(string=True)}
    return " ".join("".join(text for text in tag.find_all(string=True) if id(text) not in unseen).split())


def _bare(label: str) -> str:
    """The label without its marks of a compulsory field."""
    return re.sub(r"[\s*:?]*(\(obligatoire\))?[\s*:?]*$", "", label)


def _option_value(option: Tag) -> str:
    return str(option["value"]) if option.has_attr("value") else text_of(option)


def _upload(given: Upload) -> tuple[str, bytes, str]:
    if isinstance(given, Path):
        return (
            given.name,
            given.read_bytes(),
            mimetypes.guess_type(given.name)[0] or "application/octet-stream",
        )
    name, content = given[0], given[1]
    kind = given[2] if len(given) == 3 else mimetypes.guess_type(name)[0]
    return name, content, kind or "application/octet-stream"
