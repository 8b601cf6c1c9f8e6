"""Fixtures every test may ask for; ``tests/README.md`` tells how to use them.

One application a worker and kind of database serves all tests, each on a fresh copy of a migrated database
and with its configuration, files, clock and servers put back afterwards. Everything outside is real and on
loopback: SMTP, the gateway's and the identity service's sandboxes. Nothing may reach another machine.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.support import network
from tests.support.databases import PostgresDatabase, SqliteDatabase
from tests.support.servers import HttpServer, MailServer, Port
from tests.support.spec import clauses

pytest.register_assert_rewrite("tests.pages")

if TYPE_CHECKING:
    from flask import Flask

    from tests.pages import CheckingClient

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / "artefacts"

# What a developer's shell exports for `make run` must not reach the tests.
for _name in (
    "DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "TRUSTED_HOSTS", "PROXY_HOPS", "STORAGE_URL", "CLAMAV_SOCKET",
    "ECERT_ENV", "ECERT_CLOCK_SHIFT", "MFA_REQUIRED", "MAIL_USE_TLS", "MAIL_USERNAME", "MAIL_PASSWORD",
    "WEB_CONCURRENCY",
):  # fmt: skip
    os.environ.pop(_name, None)

hypothesis.settings.register_profile("default", deadline=None)
# The same examples at each run: a merge never hangs on luck. Locally, new ones are looked for.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


# ---- which tests run, and on which database


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ecert")
    group.addoption("--fast", action="store_true", help="without browser, PostgreSQL and the slow ones")
    group.addoption("--database", choices=("sqlite", "postgres"), help="only the tests on this database")


def pytest_configure(config: pytest.Config) -> None:
    network.guard()


def _backends(metafunc: pytest.Metafunc) -> list[str]:
    """Where a test that asks for ``database`` runs (through ``app``, ``client``, ...)."""
    folder = metafunc.definition.path.relative_to(ROOT / "tests").parts[0]
    marker = metafunc.definition.get_closest_marker("postgres")
    raced = folder == "concurrency" or metafunc.definition.get_closest_marker("concurrency") is not None
    if raced or (marker is not None and marker.kwargs.get("only")):
        return ["postgres"]
    if folder == "services" or marker is not None:
        return ["sqlite", "postgres"]
    return ["sqlite"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", _backends(metafunc), indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    known = clauses()
    kept, dropped = [], []
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in ("browser", "concurrency"):
            item.add_marker(folder)
        backend = (
            item.callspec.params.get("database")
            if isinstance(item, pytest.Function) and hasattr(item, "callspec")
            else None
        )
        if backend == "postgres":
            item.add_marker("postgres")
        unknown = [each for marker in item.iter_markers("spec") for each in marker.args if each not in known]
        if unknown:
            raise pytest.UsageError(f"{item.nodeid} names clauses the specification does not have: {unknown}")
        fast, only = config.getoption("--fast"), config.getoption("--database")
        slow = (
            backend == "postgres"
            or (backend is None and item.get_closest_marker("postgres"))
            or item.get_closest_marker("browser")
            or item.get_closest_marker("slow")
        )
        (dropped if (fast and slow) or (only and backend != only) else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


# ---- nothing leaves the machine


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    network.attempts.clear()
    yield
    tried, network.attempts[:] = list(network.attempts), []
    assert not tried, f"tried to reach other machines: {tried}"


@pytest.fixture(autouse=True)
def _no_loop_of_a_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright leaves its event loop marked as running in this thread; ``asyncio.run`` (pyHanko's) refuses there."""
    left = None if request.node.get_closest_marker("browser") else asyncio._get_running_loop()
    if left is not None:
        asyncio._set_running_loop(None)
    yield
    if left is not None:
        asyncio._set_running_loop(left)


# ---- databases and the application


@pytest.fixture(scope="session")
def worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker: str) -> Path:
    """A folder all workers of the run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base if worker == "main" else base.parent


@pytest.fixture(scope="session")
def ports() -> Iterator[dict[str, Port]]:
    """Loopback ports the application is configured with, whether or not anything listens there yet."""
    held = {name: Port() for name in ("smtp", "gateway", "identity", "live")}
    yield held
    for port in held.values():
        port.close()


@pytest.fixture(scope="session")
def settings(ports: dict[str, Port], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every application of the tests is configured with, its database apart."""
    files = tmp_path_factory.mktemp("files")
    return {
        "SECRET_KEY": "for-the-tests-only-0123456789abcdef0123456789",
        "STORAGE_URL": files.as_uri(),
        "VAR_DIRECTORY": str(tmp_path_factory.mktemp("var")),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": ports["smtp"].number,
        "MAIL_SUPPRESS_SEND": False,  # Flask-Mail's default while testing is to send nothing
        "MAIL_DEFAULT_SENDER": "TunTrust ECERT <ne-pas-repondre@demo.tuntrust.tn>",
        "CLICTOPAY_BASE_URL": f"http://127.0.0.1:{ports['gateway'].number}/payment/rest/",
        "CLICTOPAY_USERNAME": "sandbox",
        "CLICTOPAY_PASSWORD": "sandbox",
        "IDENTITY_SERVICE_URL": f"http://127.0.0.1:{ports['identity'].number}/",
        "IDENTITY_SERVICE_TOKEN": "sandbox",
        "SCHEDULER_IN_PROCESS": False,
    }


@pytest.fixture(scope="session")
def create(settings: dict[str, Any]) -> Callable[..., Flask]:
    """``create(database_url, **overrides)``: another application, configured in its own way."""

    def make(url: str, **overrides: Any) -> Flask:
        from app import create_app

        return create_app("testing", {**settings, "SQLALCHEMY_DATABASE_URI": url, **overrides})

    return make


def _prepare(create: Callable[..., Flask], url: str) -> None:
    """Migrations and reference data, once a session and kind of database."""
    import flask_migrate

    from app.extensions import db
    from app.services.reference_data import load_reference_data

    application = create(url)
    with application.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        load_reference_data()
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def _databases() -> Iterator[dict[str, Any]]:
    """The kinds of database this worker has opened, each kept to the end of the session."""
    opened: dict[str, Any] = {}
    yield opened
    for kept in opened.values():
        kept["database"].close()


@pytest.fixture(scope="session")
def database(
    request: pytest.FixtureRequest,
    shared_folder: Path,
    worker: str,
    create: Callable[..., Flask],
    _databases: dict[str, Any],
) -> dict[str, Any]:
    """The kind of database a test runs on; most tests ask for ``app`` or ``database_url`` instead."""
    kind = request.param
    if kind not in _databases:
        of_kind = {"sqlite": SqliteDatabase, "postgres": PostgresDatabase}[kind]
        opened = of_kind(shared_folder, worker, lambda url: _prepare(create, url))
        _databases[kind] = {"kind": kind, "database": opened, "app": None}
    kept: dict[str, Any] = _databases[kind]
    return kept


@pytest.fixture
def database_url(database: dict[str, Any]) -> str:
    """The address of a fresh database with reference data, for tests that start processes."""
    if database["app"] is None:
        database["database"].reset()
    else:
        _fresh(database)
    url: str = database["database"].url
    return url


def _fresh(database: dict[str, Any]) -> None:
    from app.extensions import db

    with database["app"].app_context():
        db.session.remove()
        db.engine.dispose()
        database["database"].reset()


@pytest.fixture
def app(database: dict[str, Any], create: Callable[..., Flask], database_url: str) -> Iterator[Flask]:
    """The application on a fresh database, in an application context; ``app.config`` may be changed."""
    from app.extensions import db

    if database["app"] is None:
        database["app"] = create(database_url)
    application: Flask = database["app"]
    before = {
        key: copy.copy(value) if isinstance(value, (dict, list, set)) else value
        for key, value in application.config.items()
    }
    _forget_limits(application)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()
    application.config.clear()
    application.config.update(before)
    files = Path(str(before["STORAGE_URL"]).removeprefix("file://"))
    for left in files.iterdir() if files.is_dir() else ():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _forget_limits(application: Flask) -> None:
    """Empty flask-limiter's windows, should the application count requests in memory."""
    for limiter in application.extensions.get("limiter", ()):
        limiter.reset()


@pytest.fixture
def travel() -> Iterator[Travel]:
    """``travel(hours=25)`` moves the clock on, ``travel.to(moment)`` stops it at an aware moment."""
    from app import clock

    clock.reset()
    yield Travel()
    clock.reset()


class Travel:
    def __call__(self, **by: float) -> datetime:
        """Move the clock on by a timedelta's arguments (``days=2``, ``minutes=-5``); the new present."""
        from app import clock

        clock.shift(timedelta(**by))
        return clock.now()

    def to(self, moment: datetime) -> datetime:
        """Stop the clock at ``moment`` (aware, else taken as UTC)."""
        from app import clock

        clock.freeze(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        return clock.now()


# ---- the outside, on loopback


@pytest.fixture(scope="session")
def _mail_server(ports: dict[str, Port]) -> Iterator[MailServer]:
    server = MailServer(ports["smtp"])
    yield server
    server.stop()


@pytest.fixture
def smtp(_mail_server: MailServer) -> MailServer:
    """A real mail server, empty and well-behaved at the start of each test."""
    _mail_server.behave()
    _mail_server.clear()
    _mail_server.start()
    return _mail_server


@pytest.fixture(scope="session")
def _http_servers(ports: dict[str, Port]) -> Iterator[dict[str, HttpServer]]:
    servers = {name: HttpServer(ports[name]) for name in ("gateway", "identity", "live")}
    yield servers
    for server in servers.values():
        server.stop()


def _serve(server: HttpServer, wsgi: Any) -> HttpServer:
    server.requests.clear()
    server.wsgi = wsgi
    server.start(wsgi)
    return server


@pytest.fixture
def gateway(_http_servers: dict[str, HttpServer], tmp_path: Path) -> Iterator[HttpServer]:
    """The gateway's sandbox over real HTTP, without orders; down in tests that do not ask for it."""
    from app.sandbox.gateway import create_gateway

    yield _serve(_http_servers["gateway"], create_gateway(tmp_path / "gateway.sqlite"))
    _http_servers["gateway"].stop()


@pytest.fixture
def identity(_http_servers: dict[str, HttpServer]) -> Iterator[HttpServer]:
    """The identity service's sandbox over real HTTP; down in tests that do not ask for it."""
    from app.sandbox.identity import create_identity

    yield _serve(_http_servers["identity"], create_identity())
    _http_servers["identity"].stop()


@pytest.fixture
def live_server(app: Flask, _http_servers: dict[str, HttpServer]) -> Iterator[HttpServer]:
    """The application served for real by threads at ``live_server.url``, which is its PUBLIC_URL too."""
    server = _http_servers["live"]
    app.config["PUBLIC_URL"] = server.url
    yield _serve(server, app)
    server.stop()


# ---- pages


@pytest.fixture
def new_client(app: Flask) -> Callable[..., CheckingClient]:
    """``new_client()``: one more browser, with cookies of its own."""
    from tests.pages import CheckingClient

    return lambda **options: CheckingClient(app, **options)


@pytest.fixture
def client(new_client: Callable[..., CheckingClient]) -> CheckingClient:
    """A browser without JavaScript that checks every page it visits."""
    return new_client()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the list of visited endpoints among the artefacts: which pages no test has looked at."""
    from tests.pages import VISITED

    if VISITED:
        folder = ARTEFACTS / "visited"
        folder.mkdir(parents=True, exist_ok=True)
        name = os.environ.get("PYTEST_XDIST_WORKER", "main")
        content = {endpoint: sorted(map(list, seen)) for endpoint, seen in sorted(VISITED.items())}
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
