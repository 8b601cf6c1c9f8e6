"""What every request shares: locale, who is there, security headers, errors, template filters."""

from __future__ import annotations

import secrets
import uuid
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    has_request_context,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import get_locale, get_translations
from flask_login import AnonymousUserMixin, current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from app import clock
from app.bilingual import amount_for_reader, for_reader
from app.errors import DomainError, Forbidden, NotFound, TooManyAttempts
from app.extensions import db, login
from app.identifiers import format_phone
from app.models import UserSession
from app.money import format_millimes
from app.permissions import Actor, visitor
from app.queries.reference import reason_for_reader
from app.services import accounts, second_factor
from app.services.electronic_invoices import NOT_MADE
from app.state_labels import action_label, state_label, state_tone, tone_for_applicant
from app.typography import french_spaces

log = structlog.get_logger()
RIGHT_TO_LEFT = {"ar"}


class RowNumber(IntegerConverter):
    """A number in an address, at most what a database's key can hold: a larger one is an address we do not have."""

    def __init__(self, map: Any, max: int = 2**63 - 1, **options: Any) -> None:  # noqa: A002 - werkzeug's names
        super().__init__(map, max=max, **options)


class LoggedIn:
    """What Flask-Login calls the user: the person and the session they came by."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, session: UserSession, token: str) -> None:
        self.user = session.user
        self.token = token
        self.session = session

    def get_id(self) -> str:
        """The session's token: Flask-Login keeps it in the cookie."""
        return self.token

    @property
    def email(self) -> str:
        """The account's address, as the header shows it."""
        return self.user.email

    @property
    def display_name(self) -> str:
        """The person's name."""
        return self.user.display_name

    @property
    def must_choose_password(self) -> bool:
        """Came in with a temporary password (ACT-2)."""
        return self.user.password_hash is None

    @property
    def must_enrol(self) -> bool:
        """Owes a second factor before anything else (LOG-4)."""
        return second_factor.must_enrol(self.session)


def prepare_storage(app: Flask) -> None:
    """Make the directories that the embedded defaults write to."""
    for url in (app.config["SQLALCHEMY_DATABASE_URI"], app.config.get("STORAGE_URL")):
        parts = urlsplit(url or "")
        if parts.scheme == "sqlite" and parts.path.strip("/"):
            Path(parts.path[1:]).parent.mkdir(parents=True, exist_ok=True)
        elif parts.scheme == "file":
            Path(parts.path).mkdir(parents=True, exist_ok=True)


def select_locale() -> str:
    """The person's choice, else the cookie's, else French (I18-1); jobs and commands speak French."""
    if not has_request_context():
        return "fr"
    languages = current_app.config["LANGUAGES"]
    chosen = current_user.user.locale if current_user and current_user.is_authenticated else session.get("lang")
    return str(chosen) if chosen in languages else "fr"


@login.user_loader
def load_user(token: str) -> LoggedIn | None:
    """The person behind a session, rights read afresh (PPL-2)."""
    row = accounts.session_of(token)
    if row is None:
        return None
    loaded = LoggedIn(row, token)
    if clock.now() - row.last_seen_at >= accounts.TOUCH_EVERY:
        accounts.touch_session(row.id)
    return loaded


def current_actor() -> Actor:
    """The actor of this request."""
    if "actor" not in g:
        locale = str(get_locale() or "fr")[:2]
        if current_user.is_authenticated:
            g.actor = accounts.actor_for(current_user.user, ip=request.remote_addr, locale=locale)
        else:
            g.actor = visitor(request.remote_addr, locale)
    actor: Actor = g.actor
    return actor


def csp_nonce() -> str:
    """This response's nonce for script elements."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def init_app(app: Flask) -> None:
    """Attach hooks, filters and error pages."""
    if app.config["PROXY_HOPS"]:
        hops = app.config["PROXY_HOPS"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's documented way
    app.url_map.converters["int"] = RowNumber
    login.anonymous_user = AnonymousUserMixin
    login.session_protection = None  # the server's own session row decides
    app.before_request(_start)
    app.after_request(_secure)
    app.context_processor(_template_context)
    app.jinja_env.filters.update(
        french_spaces=french_spaces,
        millimes=format_millimes,
        day=_day,
        moment=_moment,
        phone=_phone,
        clock_time=_clock_time,
        dinars=amount_for_reader,
        reason=reason_for_reader,
    )
    app.jinja_env.globals.update(
        csp_nonce=csp_nonce,
        for_reader=for_reader,
        state_label=state_label,
        state_tone=state_tone,
        tone_for_applicant=tone_for_applicant,
        action_label=action_label,
    )
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.install_gettext_callables(_sentence, _counted_sentence, newstyle=True)  # type: ignore[attr-defined]  # jinja2.ext.i18n adds it
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SecurityError, _untrusted_host)
    app.register_error_handler(CSRFError, _session_over)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(Forbidden, _forbidden)
    app.register_error_handler(TooManyAttempts, _too_many)
    app.register_error_handler(DomainError, _domain_error)
    for fault in NOT_MADE:
        app.register_error_handler(fault, _paper_missing)
    app.register_error_handler(ObjectDeletedError, _gone)
    app.register_error_handler(Exception, _crash)


def _sentence(text: str) -> str:
    """A template's sentence in the reader's language, with French spaces in French."""
    found = get_translations().ugettext(text)
    return french_spaces(found) if str(get_locale() or "fr").startswith("fr") else found


def _counted_sentence(one: str, many: str, count: int) -> str:
    found = get_translations().ungettext(one, many, count)
    return french_spaces(found) if str(get_locale() or "fr").startswith("fr") else found


def _start() -> None:
    g.request_id = uuid.uuid4().hex[:12]
    trusted = current_app.config.get("TRUSTED_HOSTS")
    if trusted:
        request.trusted_hosts = trusted
        _host = request.host  # raises 400 for an untrusted one
    if request.method == "POST" and request.is_json:
        abort(415)  # our pages send forms; Flask-WTF would take numbers and lists for what was typed
    if "\x00" in request.path or b"%00" in request.query_string:
        abort(404)  # nothing is called so, and PostgreSQL refuses to look for it


def _secure(response: Response) -> Response:
    gateway = urlsplit(current_app.config.get("CLICTOPAY_BASE_URL") or "")
    form_targets = f"'self' {gateway.scheme}://{gateway.netloc}" if gateway.netloc else "'self'"
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'nonce-{csp_nonce()}'; style-src 'self'; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self'; media-src 'self'; form-action {form_targets}; "
        "base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if current_app.config["ENVIRONMENT"] == "production":
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def _template_context() -> dict[str, Any]:
    locale = get_locale()
    lang = str(locale or "fr")[:2]
    shared = {"locale": locale, "lang": lang, "dir": "rtl" if lang in RIGHT_TO_LEFT else "ltr"}
    if not has_request_context():  # a job renders a mail: there is nobody and no page
        return shared
    return {
        **shared,
        "actor": current_actor(),
        "languages": current_app.config["LANGUAGES"],
        "request_id": g.get("request_id", ""),
        "dev_pages": current_app.config["DEV_PAGES"],
    }


def _day(value: date | datetime | None) -> str:
    """17/11/2026, the day in Tunis."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = clock.local(value).date()
    return value.strftime("%d/%m/%Y")


def _clock_time(value: datetime | None) -> str:
    return clock.local(value).strftime("%H:%M") if value else ""


def _moment(value: datetime | None) -> str:
    """17/11/2026 à 10:42, on Tunis's clock."""
    from flask_babel import gettext as _

    if value is None:
        return ""
    return _("%(day)s à %(time)s", day=_day(value), time=_clock_time(value))


def _phone(value: str | None) -> str:
    return format_phone(value) if value else ""


ERROR_PAGES = {400, 403, 404, 405, 413, 429, 500, 503}


def _error_page(code: int, **context: Any) -> tuple[str, int]:
    page = code if code in ERROR_PAGES else (400 if code < 500 else 500)
    return render_template(f"errors/{page}.html", **context), code


def _http_error(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400:
        return error
    if code == 405 and request.method in ("GET", "HEAD"):
        return _error_page(405, way_back=_page_above(request.path))
    return _error_page(code)


def _session_over(_error: CSRFError) -> tuple[str, int]:
    """The form's token is not this session's: it ended, or another one began in another tab."""
    return render_template("errors/session.html"), 400


def _page_above(path: str) -> str:
    """The nearest page above an address that only takes forms: a phone that wakes an old tab asks for the latter."""
    routes = current_app.create_url_adapter(request)
    while routes is not None and path.count("/") > 1:
        path = path.rsplit("/", 1)[0]
        for wanted in (path, f"{path}/"):
            if routes.test(wanted, "GET"):
                return wanted
    return "/"


def _untrusted_host(_error: SecurityError) -> Response:
    """A Host that is not ours: no page, for no address could be built on it."""
    return Response("Bad host\n", 400, mimetype="text/plain")


def _not_found(_error: NotFound) -> tuple[str, int]:
    return _error_page(404)


def _forbidden(_error: Forbidden) -> tuple[str, int]:
    return _error_page(403)


def _too_many(error: TooManyAttempts) -> Any:
    body, code = _error_page(429, message=str(error), retry_after=error.retry_after)
    return body, code, {"Retry-After": str(error.retry_after)}


def _domain_error(error: DomainError) -> tuple[str, int]:
    """A refusal that no view placed beside a field: still a sentence, never a 500."""
    return _error_page(400, message=str(error))


def _paper_missing(error: Exception) -> tuple[str, int]:
    """A paper that is lost, damaged or cannot be signed: the reader can do nothing about it, the operator can."""
    log.error("paper_missing", exc_info=error, request_id=g.get("request_id"), path=request.path)
    return _error_page(503, paper=True)


def _gone(_error: ObjectDeletedError) -> Any:
    """A row vanished between its reading and its showing: the reader's own account, purged meanwhile (ACT-3)."""
    db.session.rollback()
    g.pop("actor", None)
    session.clear()
    return redirect(url_for("auth.login"))


def _crash(error: Exception) -> tuple[str, int]:
    if current_app.testing:
        raise error
    db.session.rollback()
    log.error("unhandled", exc_info=error, request_id=g.get("request_id"), path=request.path)
    return _error_page(500)
