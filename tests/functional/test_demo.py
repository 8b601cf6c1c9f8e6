"""The demonstration data and the large data sets: complete, coherent, written once (OPS-1, 8-interfaces.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app import clock
from app.demo import load as loading
from app.demo import seed as seeding
from app.demo.companies import COMPANIES
from app.errors import DomainError
from app.extensions import db
from app.models import (
    AuditEntry,
    Certificate,
    CertificateRequest,
    Counter,
    Document,
    DocumentAskItem,
    HistoryEntry,
    Invoice,
    Organisation,
    OutboxMail,
    Payment,
    PaymentLine,
    User,
)
from app.papers import InvoiceData, check_amounts
from app.permissions import Role
from app.services import accounts, audit, documents, files, invoicing, numbering, search_columns
from app.services.pricing import quote_requests
from app.services.unit_of_work import use_case
from app.states import CertificateState, OrganisationState, PaymentState, RequestState
from tests import factories
from tests.pages import CheckingClient

pytestmark = pytest.mark.slow

both_databases = pytest.mark.postgres()


def _tally(column: Any) -> dict[Any, int]:
    return dict(db.session.execute(select(column, func.count()).group_by(column)).tuples().all())


def _counts() -> dict[str, int]:
    tables = (Organisation, User, CertificateRequest, Document, Payment, Invoice, HistoryEntry, AuditEntry, OutboxMail)
    return {table.__tablename__: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def _assert_gapless_invoices() -> None:
    rows = db.session.execute(select(Invoice.year, Invoice.sequence, Invoice.issued_at).order_by(Invoice.id)).all()
    given: dict[int, int] = {}
    for before, row in zip([None, *rows], rows, strict=False):
        assert row.sequence == given.get(row.year, 0) + 1
        assert before is None or before.issued_at <= row.issued_at, "numbers follow the calendar"
        given[row.year] = row.sequence
    counters = dict(db.session.execute(select(Counter.series, Counter.last)).tuples().all())
    assert {year: counters[f"FAC-{year}"] for year in given} == given


@both_databases
@pytest.mark.spec("OPS-1")
def test_seeding_fills_every_state_with_files_that_open_and_a_second_run_changes_nothing(
    app: Any, new_client: Any
) -> None:
    before = clock.now()
    first = seeding.seed()
    assert first.created
    assert clock.now() - before < timedelta(minutes=5), "the clock is put back"
    counts = _counts()
    assert seeding.seed() == seeding.Summary(created=False, counts=first.counts)
    assert _counts() == counts

    assert set(_tally(CertificateRequest.state)) == set(RequestState)
    assert set(_tally(Organisation.state)) == set(OrganisationState)
    assert {PaymentState.PAYE, PaymentState.REFUSE, PaymentState.EXPIRE, PaymentState.A_REGULARISER} <= set(
        _tally(Payment.state)
    )
    assert {CertificateState.GENERE, CertificateState.EXPEDIE, CertificateState.RETIRE} <= set(
        _tally(Certificate.state)
    )
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) >= 60
    answered = _tally(DocumentAskItem.answered_at.is_not(None))
    assert answered.keys() == {True, False}, "asks half answered"

    rows = db.session.scalars(select(Document)).all()
    assert {row.media_type for row in rows} >= {"application/pdf", "image/jpeg"}
    for row in rows:
        assert documents.content(row)
        assert documents.picture(row, row.pages - 1, 480)[:2] == b"\xff\xd8", row.original_name

    _assert_gapless_invoices()
    invoice = db.session.scalars(select(Invoice).order_by(Invoice.id)).first()
    assert invoice is not None
    assert invoicing.invoice_pdf_bytes(invoice.id)[1].startswith(b"%PDF")
    assert audit.first_broken_entry() is None
    future = db.session.scalar(select(func.count()).select_from(HistoryEntry).where(HistoryEntry.at > clock.now()))
    assert future == 0
    waiting = db.session.scalar(select(func.count()).select_from(OutboxMail).where(OutboxMail.sent_at.is_(None)))
    assert 0 < (waiting or 0) <= 10

    demo = db.session.scalars(select(Organisation).where(Organisation.tax_id == COMPANIES[0].tax_id)).one()
    payable = db.session.scalars(
        select(CertificateRequest).where(
            CertificateRequest.organisation_id == demo.id,
            CertificateRequest.state == RequestState.EN_ATTENTE_DE_PAIEMENT,
        )
    ).all()
    assert quote_requests(payable).quote.total == 1_271_500

    roles = {role for email in seeding.ACCOUNTS for role in _roles_after_login(email, new_client())}
    assert roles == set(Role)
    numbering_goes_on = use_case(lambda: numbering.next_reference("DEM"))()
    assert db.session.scalar(
        select(CertificateRequest.id).where(CertificateRequest.reference == numbering_goes_on)
    ) is None  # fmt: skip


def _roles_after_login(email: str, client: CheckingClient) -> set[Role]:
    page = client.login(email, "Demo-Ecert-2026")
    assert page.status == 200
    assert page.path not in ("/", "/mot-de-passe"), f"{email} stays on {page.path}"
    user = db.session.scalars(select(User).where(User.email == email)).one()
    return set(accounts.actor_for(user, ip=None, locale="fr").roles)


@pytest.mark.spec("OPS-1")
def test_an_interrupted_seeding_leaves_neither_rows_nor_files(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(client: Any, staff: Any, at: Any) -> list[Any]:
        def story() -> Any:
            yield at.ago(20)
            client("atlas").sign_up()
            yield at.ago(19)
            raise KeyboardInterrupt

        return [story()]

    counts, present = _counts(), clock.now()
    with monkeypatch.context() as patched:
        patched.setattr(seeding, "everybody", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seeding.seed()
    assert _counts() == counts
    assert list(files.storage().keys("")) == []
    assert clock.now() - present < timedelta(minutes=5)


@pytest.mark.spec("SEC-5")
def test_invented_data_is_refused_in_production(app: Any) -> None:
    app.config["ENVIRONMENT"] = "production"
    run = app.test_cli_runner().invoke
    for arguments in (["seed"], ["load", "--requests", "5", "--organisations", "2", "--yes"]):
        result = run(args=["demo", *arguments])
        assert result.exit_code == 1
        assert "production" in result.output
    assert loading.is_empty()


def test_seeding_stops_when_somebody_has_one_of_its_addresses(app: Any) -> None:
    factories.user(email="agent@demo.tuntrust.tn")
    with pytest.raises(DomainError, match="agent@demo"):
        seeding.seed()
    assert loading.is_empty()


@both_databases
@pytest.mark.spec("SPD-1", "INV-1")
def test_a_large_data_set_keeps_every_constraint_and_continues_the_numbers(app: Any) -> None:
    year = clock.today().year
    use_case(lambda: numbering.take_numbers(f"DEM-{year}", 7))()
    loaded = loading.load(2_000, 40).rows
    loading.load(300, 5)

    assert loaded["certificate_requests"] == 2_000
    assert loaded["organisations"] == 40
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 2_300
    assert set(_tally(CertificateRequest.state)) == set(RequestState)
    assert db.session.scalar(select(func.min(CertificateRequest.created_at))) < clock.now() - timedelta(days=700)
    first = db.session.scalar(
        select(CertificateRequest.reference)
        .where(CertificateRequest.reference.startswith(f"DEM-{year}"))
        .order_by(CertificateRequest.id)
        .limit(1)
    )
    assert first == f"DEM-{year}-000008"
    if db.engine.dialect.name == "sqlite":
        assert db.session.execute(text("PRAGMA foreign_key_check")).all() == []
        assert db.session.scalar(text("PRAGMA integrity_check")) == "ok"
    _assert_coherent_money()
    for request in db.session.scalars(select(CertificateRequest).order_by(CertificateRequest.id).limit(50)):
        kept = (request.search_text, request.search_keys)
        search_columns.fill_request(request, request.organisation)
        assert kept == (request.search_text, request.search_keys)
        assert request.created_at <= request.state_changed_at <= clock.now()
    # The database gives keys after those of the bulk insert.
    factories.certificate_request(factories.organisation(reference="ORG-2020-000001", tax_id="0000000A"))


def _assert_coherent_money() -> None:
    given: dict[int, list[int]] = {}
    for year, sequence in db.session.execute(select(Invoice.year, Invoice.sequence)):
        given.setdefault(year, []).append(sequence)
    counters = dict(db.session.execute(select(Counter.series, Counter.last)).tuples().all())
    for year, numbers in given.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert counters[f"FAC-{year}"] == len(numbers)
    paid = select(CertificateRequest.id).where(CertificateRequest.paid_at.is_not(None))
    assert set(db.session.scalars(paid)) == set(db.session.scalars(select(PaymentLine.request_id)))
    for invoice in db.session.scalars(select(Invoice).order_by(Invoice.id).limit(20)):
        data = InvoiceData.from_snapshot(invoice.snapshot)
        check_amounts(data)
        assert data.amounts.total_ttc == invoice.total_ttc == invoice.payment.amount
        assert len(data.lines) == len(invoice.payment.lines)


@pytest.mark.spec("OPS-1")
def test_filling_a_database_that_holds_organisations_needs_to_be_confirmed(app: Any) -> None:
    run = app.test_cli_runner().invoke
    arguments = ["demo", "load", "--requests", "20", "--organisations", "2"]
    assert run(args=arguments).exit_code == 0
    refused = run(args=arguments)
    assert refused.exit_code == 1
    assert "--yes" in refused.output
    assert run(args=[*arguments, "--yes"]).exit_code == 0
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 40


@pytest.mark.spec("OPS-1")
def test_the_commands_need_the_migrations_and_nothing_else(create: Any, tmp_path: Any) -> None:
    import flask_migrate

    fresh = create(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    with fresh.app_context():
        flask_migrate.upgrade(directory="migrations")
        loaded = fresh.test_cli_runner().invoke(args=["demo", "load", "--requests", "3", "--organisations", "2"])
        assert loaded.exit_code == 0, loaded.output
        assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 3
        db.session.remove()
        db.engine.dispose()
