"""Bulk runs: each row by its own service, none lost, none done twice (QUE-4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import (
    BulkOutcome,
    BulkRow,
    BulkRun,
    CertificateRequest,
    HistoryEntry,
    Organisation,
    OutboxMail,
    User,
)
from app.permissions import Actor, Role
from app.queries.readiness import approval_obstacles_of
from app.queries.readiness_many import approval_obstacles_of_many, requests_whole
from app.services import assigning, bulk, bulk_actions, bulk_files, bulk_preview, deciding
from app.services.bulk import Line
from app.services.bulk_preview import Plan
from app.services.tracking_file import read_tracking_file
from app.states import CERTIFICATE_MOVES, REQUEST_MOVES, OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.support import reviewing as r
from tests.support.statements import counted

pytestmark = pytest.mark.spec("QUE-4")


def lines(*requests: CertificateRequest, **data: Any) -> list[Line]:
    return [Line(each.reference, each.id, each.version, dict(data)) for each in requests]


def started(action: str, rows: list[Line], actor: Actor, **data: Any) -> str:
    return bulk.start_run(action, rows, token=bulk_preview.new_token(), actor=actor, data=data)


def outcomes(token: str) -> list[tuple[str, BulkOutcome, str]]:
    db.session.rollback()
    db.session.expire_all()
    run = db.session.scalars(select(BulkRun).where(BulkRun.public_id == token)).one()
    return [(row.reference, row.outcome, row.message) for row in run.rows]


def finished(token: str) -> bool:
    db.session.rollback()
    return db.session.scalar(select(BulkRun.finished_at).where(BulkRun.public_id == token)) is not None


def many_requests(count: int, of: Organisation, applicant: User) -> list[CertificateRequest]:
    """Rows alike, written at once."""
    one = f.certificate_request(of, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, applicant=applicant)
    columns = [c.key for c in CertificateRequest.__table__.columns if c.key not in ("id", "reference")]
    values = {key: getattr(one, key) for key in columns}
    rows = [CertificateRequest(**values, reference=f"DEM-2025-{n:06d}") for n in range(1, count)]
    db.session.add_all(rows)
    db.session.commit()
    return [one, *rows]


def test_the_moves_offered_are_those_the_table_marks(app: Flask) -> None:
    marked = {move.action for move in REQUEST_MOVES if move.bulk}
    marked |= {move.action for move in CERTIFICATE_MOVES if move.bulk}
    assert marked == set(bulk_actions.ACTIONS) - {"take", "release", "hand_over", "resend", "record_certificate"}


def test_a_refusal_stops_no_other_row_and_each_keeps_its_sentence(app: Flask) -> None:
    agent = r.agent()
    good, again = r.request_file(), r.request_file(approved=True)
    unverified = r.request_file(of=r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER))
    withdrawn = r.request_file(RequestState.ANNULEE)
    moved = r.request_file()
    rows = lines(good, again, unverified, withdrawn, moved)
    colleague = f.actor(f.staff(first_name="Leïla", last_name="Ferchichi"))
    deciding.approve(moved.id, actor=colleague)

    token = started("approve", rows, agent)
    assert [each[1] for each in outcomes(token)] == [BulkOutcome.A_FAIRE] * 5
    assert bulk.work_run(token) == 5

    found = outcomes(token)
    assert [each[1] == BulkOutcome.FAIT for each in found] == [True, False, False, False, False]
    assert found[0][2] == "Approuvée."
    assert "déjà approuvée" in found[1][2]
    assert "n'est pas vérifiée" in found[2][2]
    assert "ANNULEE" in found[3][2] or "Annulée" in found[3][2]
    assert "Leïla Ferchichi a modifié ce dossier le" in found[4][2]
    assert finished(token)
    assert db.session.get_one(CertificateRequest, good.id).approved_by_id == agent.user_id
    assert db.session.get_one(CertificateRequest, unverified.id).approved_at is None


@pytest.mark.parametrize("count", [30, pytest.param(120, marks=pytest.mark.slow)])
def test_many_rows_with_refusals_among_them_lose_none(app: Flask, count: int) -> None:
    holder = f.staff(first_name="Leïla", last_name="Ferchichi")
    requests = many_requests(count, r.organisation_file(), f.applicant())
    for n, each in enumerate(requests):
        if n % 5 == 0:
            each.assigned_to_id = holder.id
    db.session.commit()
    agent = r.agent()
    token = started("take", lines(*reversed(requests)), agent)
    references = [each.reference for each in sorted(requests, key=lambda one: one.id)]

    assert bulk.work_run(token) == count

    found = outcomes(token)
    assert [each[0] for each in found] == references
    assert [each[1] for each in found].count(BulkOutcome.FAIT) == count * 4 // 5
    refused = [each for each in found if each[1] is BulkOutcome.REFUSE]
    assert len(refused) == count // 5
    assert {each[2] for each in refused} == {"Leïla Ferchichi a déjà pris ce dossier."}
    taken = select(func.count(HistoryEntry.id)).where(HistoryEntry.action == "take")
    assert db.session.scalar(taken) == count * 4 // 5


def test_501_rows_or_none_are_refused_before_anything_is_kept(app: Flask) -> None:
    agent = r.agent()
    request = r.request_file()
    for rows in ([], lines(request) * 501):
        with pytest.raises(DomainError):
            started("take", rows, agent)
    assert db.session.scalar(select(func.count(BulkRun.id))) == 0


def test_a_crash_between_two_rows_leaves_the_rest_to_the_job(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [r.request_file() for _n in range(4)]
    token = started("approve", lines(*requests), r.agent())
    real, calls = deciding.approve, []

    def crash(request_id: int, **values: Any) -> Any:
        calls.append(request_id)
        if len(calls) == 3:
            raise KeyboardInterrupt  # the process dies in the middle of the third row
        return real(request_id, **values)

    with monkeypatch.context() as patched:
        patched.setattr(deciding, "approve", crash)
        with pytest.raises(KeyboardInterrupt):
            bulk.work_run(token)
    assert [each[1] for each in outcomes(token)].count(BulkOutcome.A_FAIRE) == 2
    assert not finished(token)

    bulk.work_open_runs()

    assert {each[1] for each in outcomes(token)} == {BulkOutcome.FAIT}
    assert finished(token)
    for each in requests:
        entries = select(func.count(HistoryEntry.id)).where(HistoryEntry.request_id == each.id)
        assert db.session.scalar(entries.where(HistoryEntry.action == "approve")) == 1
    assert bulk.work_run(token) == 0


def test_a_row_that_fails_for_a_technical_reason_is_tried_again_then_given_up(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = r.request_file(), r.request_file()
    token = started("approve", lines(broken, good), r.agent())
    real = deciding.approve

    def fail(request_id: int, **values: Any) -> Any:
        if request_id == broken.id:
            raise RuntimeError("a secret of the machine")
        return real(request_id, **values)

    monkeypatch.setattr(deciding, "approve", fail)
    broken_id = broken.id
    for _try in range(bulk.TRIES):
        bulk.work_open_runs()
    found = outcomes(token)
    assert [each[1] for each in found] == [BulkOutcome.REFUSE, BulkOutcome.FAIT]
    assert "panne" in found[0][2]
    assert "secret" not in found[0][2]
    assert db.session.get_one(CertificateRequest, broken_id).approved_at is None
    assert finished(token)


def test_confirming_twice_makes_one_run_and_somebody_elses_token_does_not_exist(app: Flask) -> None:
    agent, request = r.agent(), r.request_file()
    token = bulk_preview.new_token()
    for _click in range(2):
        bulk.start_run("take", lines(request), token=token, actor=agent, data={})
    assert db.session.scalar(select(func.count(BulkRow.id))) == 1
    with pytest.raises(NotFound):
        bulk.start_run("take", lines(request), token=token, actor=r.agent(), data={})


def test_two_runs_over_the_same_rows_do_each_row_once(app: Flask) -> None:
    requests = [r.request_file() for _n in range(3)]
    first, second = r.agent(), f.actor(f.staff(Role.SUPERVISEUR, first_name="Hajer", last_name="Zouari"))
    rows = lines(*requests, holder=bulk_actions.NOBODY)
    one, two = started("take", rows, first), started("take", rows, second)
    bulk.work_run(two)
    bulk.work_run(one)
    assert {each[1] for each in outcomes(two)} == {BulkOutcome.FAIT}
    assert {each[1] for each in outcomes(one)} == {BulkOutcome.REFUSE}
    assert all("Hajer Zouari a modifié ce dossier" in each[2] for each in outcomes(one))


@pytest.mark.parametrize("loss", ["disabled", "role"])
def test_rights_lost_midway_stop_the_run_with_a_sentence(app: Flask, loss: str) -> None:
    author = f.staff(first_name="Nizar", last_name="Ayadi")
    requests = [r.request_file() for _n in range(3)]
    token = started("take", lines(*requests), f.actor(author))
    bulk.work_run(token, rows=1)
    author = db.session.get_one(User, author.id)
    if loss == "disabled":
        author.disabled_at = clock.now()
    else:
        author.grants[0].revoked_at = clock.now()
    db.session.commit()
    bulk.work_open_runs()
    found = outcomes(token)
    assert [each[1] for each in found] == [BulkOutcome.FAIT, BulkOutcome.REFUSE, BulkOutcome.REFUSE]
    assert all("Nizar Ayadi" in each[2] and each[2].startswith("Non traité") for each in found[1:])
    assert finished(token)


def test_only_who_reviews_may_start_a_run(app: Flask) -> None:
    request = r.request_file()
    for role in (Role.RESPONSABLE, Role.ADMINISTRATEUR):
        with pytest.raises(Forbidden):
            started("approve", lines(request), r.agent(role))
    for actor in (f.actor(f.applicant()), f.actor(f.administrator(f.organisation()))):
        with pytest.raises(NotFound):
            started("approve", lines(request), actor)
    with pytest.raises(NotFound):
        started("reject", lines(request), r.agent())


@pytest.mark.spec("QUE-3")
def test_files_handed_over_together_are_told_in_one_mail_without_identity_data(app: Flask) -> None:
    agent = f.actor(f.staff(first_name="Hatem", last_name="Zouari"))
    colleague = f.staff(first_name="Olfa", last_name="Karray")
    requests = [r.request_file(assigned_to_id=agent.user_id) for _n in range(3)]
    requests.append(r.request_file())
    token = started("hand_over", lines(*requests), agent, to=colleague.id, note="Je pars ce soir")
    bulk.work_run(token)
    bulk.work_open_runs()
    assert [each[1] for each in outcomes(token)].count(BulkOutcome.FAIT) == 3
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == colleague.email)).one()
    assert "3 dossiers" in mail.subject
    for each in requests[:3]:
        assert each.reference in mail.text
        assert each.last_name not in mail.text
        assert each.identity_number not in mail.text
    assert requests[3].reference not in mail.text


def test_the_same_document_is_asked_of_each_file(app: Flask) -> None:
    requests = [r.request_file(), r.request_file(), r.request_file(generated=True)]
    token = started("ask_for_documents", lines(*requests), r.agent(), kind="OTHER", reason="Joignez le mandat.")
    bulk.work_run(token)
    assert [each[1] for each in outcomes(token)] == [BulkOutcome.FAIT, BulkOutcome.FAIT, BulkOutcome.REFUSE]
    states = {db.session.get_one(CertificateRequest, each.id).state for each in requests[:2]}
    assert states == {RequestState.EN_ATTENTE_DE_JUSTIFICATIFS}


def test_a_mail_is_sent_again_to_a_person_once_an_hour(app: Flask, travel: Any) -> None:
    invited = r.request_file(RequestState.NON_FINALISEE)
    asked = r.request_file(RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    done = r.request_file(RequestState.EXPEDIEE)
    agent = r.agent()

    def resent() -> list[BulkOutcome]:
        token = started("resend", lines(invited, asked, done), agent)
        bulk.work_run(token)
        return [each[1] for each in outcomes(token)]

    assert resent() == [BulkOutcome.FAIT, BulkOutcome.FAIT, BulkOutcome.REFUSE]
    kinds = set(db.session.scalars(select(OutboxMail.kind)))
    assert kinds == {"request_created", "documents_missing"}
    before = db.session.scalar(select(func.count(OutboxMail.id)))
    assert resent() == [BulkOutcome.REFUSE] * 3
    assert db.session.scalar(select(func.count(OutboxMail.id))) == before
    travel(minutes=61)
    assert resent() == [BulkOutcome.FAIT, BulkOutcome.FAIT, BulkOutcome.REFUSE]


def test_tokens_leave_under_the_numbers_of_a_file(app: Flask) -> None:
    ready, other, gone = r.request_file(generated=True), r.request_file(generated=True), r.request_file(generated=True)
    unready = r.request_file()
    agent = r.agent()
    deciding.dispatch(gone.id, "RR111111111TN", actor=agent)
    text = (
        "Référence;N° de suivi\r\n"
        f"{ready.reference};EE 123 456 789 TN\r\n{ready.reference};EE999999999TN\r\n"
        f"{other.reference.lower()};EE123456789TN\r\nDEM-2099-000001;EE222222222TN\r\n"
        f"{gone.reference};EE333333333TN\r\n{unready.reference};EE444444444TN\r\n;EE555555555TN\r\n"
        f"DEM-2099-000002;abc\r\n"
    )
    given = read_tracking_file(b"\xef\xbb\xbf" + text.encode())
    planned = bulk_files.lines_of_tracking(given, agent)
    shown = bulk_preview.forecast(Plan("dispatch", planned), agent)
    assert [row.reference for row in shown.accepted] == [ready.reference]
    assert shown.mails == 3  # the applicant and two administrators

    token = started("dispatch", list(planned), agent)
    bulk.work_run(token)

    found = outcomes(token)
    assert len(found) == 8
    said = {(reference, outcome): message for reference, outcome, message in found}
    assert said[ready.reference, BulkOutcome.FAIT] == "Expédiée sous le n° EE123456789TN."
    assert said[ready.reference, BulkOutcome.REFUSE] == "Déjà donnée à la ligne 2 du fichier."
    assert said[other.reference, BulkOutcome.REFUSE] == "Ce numéro de suivi est déjà à la ligne 2 du fichier."
    assert said["DEM-2099-000001", BulkOutcome.REFUSE] == "Aucune demande n'a cette référence."
    assert (gone.reference, BulkOutcome.REFUSE) in said
    assert (unready.reference, BulkOutcome.REFUSE) in said
    assert sum(outcome is BulkOutcome.FAIT for _r, outcome, _m in found) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"reference;tracking_number\nDEM-2026-000001;EE123456789TN\n",
        b"tracking_number,reference\r\nEE123456789TN,DEM-2026-000001\r\n",
        "\ufeffDEM-2026-000001\tEE123456789TN".encode(),
        "Demande;Numéro d'envoi\nDEM-2026-000001;ee 123-456-789 tn\n\n;;\n".encode("cp1252"),
        "\ufeffréférence;numéro de suivi\nDEM-2026-000001;EE123456789TN".encode("utf-16"),
        b'"reference";"tracking_number";"remarque"\n"DEM-2026-000001";"EE123456789TN";"lot 3"\n',
    ],
)
def test_a_file_of_numbers_is_read_whatever_wrote_it(app: Flask, data: bytes) -> None:
    (line,) = read_tracking_file(data)
    assert (line.reference, line.tracking_number, line.refused) == ("DEM-2026-000001", "EE123456789TN", "")


@pytest.mark.spec("CRT-2")
def test_a_line_with_another_separator_and_a_number_in_use_are_refused_alone(app: Flask) -> None:
    agent, ready, gone = r.agent(), r.request_file(generated=True), r.request_file(RequestState.EXPEDIEE)
    r.certificate(gone, tracking_number="EE123456789TN")
    text = f"reference;tracking_number\n{ready.reference};EE123456789TN\nDEM-2026-000001,EE123456780TN\n"
    planned = bulk_files.lines_of_tracking(read_tracking_file(text.encode()), agent)
    used, mixed = bulk_preview.forecast(Plan("dispatch", planned), agent).rows
    assert f"déjà celui de {gone.reference}" in used.refused
    assert "depuis la page" in used.refused
    assert "même séparateur" in mixed.refused


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "vide"),
        (b"\xef\xbb\xbf\r\n \r\n", "vide"),
        ("\u2003\n\u00a0\n".encode(), "vide"),
        (b"reference;tracking_number\n", "aucun numéro"),
        (b"nom;prenom\nx;y\n", "deux colonnes"),
        (b"DEM-2026-000001\n", "deux colonnes"),
        (b"PK\x03\x04classeur", "classeur"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "CSV"),
        (b"reference;tracking_number\n" + b"x" * (10 * 1024 * 1024), "trop grand"),
        (b"reference;tracking_number\n" + b"DEM-2026-000001;EE123456789TN\n" * 501, "500 au plus"),
    ],
)
def test_what_is_no_file_of_numbers_says_so_in_one_sentence(app: Flask, data: bytes, sentence: str) -> None:
    with pytest.raises(DomainError, match=sentence):
        read_tracking_file(data)


def test_the_forecast_says_what_the_services_will_in_a_fixed_number_of_statements(app: Flask) -> None:
    agent = r.agent()

    def file(n: int) -> CertificateRequest:
        if n % 3 == 1:
            organisation = r.organisation_file(verdict=Verdict.A_VERIFIER)
            request = r.request_file(of=organisation)
            f.document(request_id=request.id, verdict=Verdict.REFUSE)
            return request
        return r.request_file(approved=n % 3 == 2)

    many = [file(n) for n in range(12)]
    plan = Plan("approve", tuple(lines(*many)))
    db.session.expunge_all()
    with counted() as for_few:
        bulk_preview.forecast(Plan("approve", plan.lines[:3]), agent)
    db.session.expunge_all()
    with counted() as for_many:
        shown = bulk_preview.forecast(plan, agent)
    assert len(for_many) == len(for_few)
    whole = requests_whole([line.request_id or 0 for line in plan.lines])
    told = approval_obstacles_of_many(list(whole.values()))
    assert told == {each.id: approval_obstacles_of(each) for each in whole.values()}
    assert len(shown.refused) == 8
    assert len(shown.accepted) == 4

    token = started("approve", list(plan.lines), agent)
    before = db.session.scalar(select(func.count(OutboxMail.id)))
    bulk.work_run(token)
    refused = {reference for reference, outcome, _m in outcomes(token) if outcome is BulkOutcome.REFUSE}
    assert refused == {row.reference for row in shown.refused}
    assert db.session.scalar(select(func.count(OutboxMail.id))) - before == shown.mails


def test_a_plan_is_one_persons_and_does_not_last(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = r.agent()
    plan = Plan("take", tuple(lines(r.request_file())), {}, "x" * 24)
    sealed = bulk_preview.seal(plan, agent)
    assert bulk_preview.unseal(sealed, agent) == plan
    for text, actor in ((sealed, r.agent()), (sealed[:-2], agent), ("", agent), ("x" * 500, agent)):
        with pytest.raises(DomainError, match="plus valable"):
            bulk_preview.unseal(text, actor)
    monkeypatch.setattr(bulk_preview, "PLAN_LIFE", timedelta(seconds=-1))
    with pytest.raises(DomainError, match="plus valable"):
        bulk_preview.unseal(sealed, agent)


@pytest.mark.spec("QUE-3")
def test_organisations_travel_with_the_requests_of_somebody_absent(app: Flask) -> None:
    supervisor, away, present = r.agent(Role.SUPERVISEUR), f.staff(), f.staff()
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    assigning.take_organisation(organisation.id, actor=f.actor(away))
    request = r.request_file(assigned_to_id=away.id)
    db.session.expire_all()
    planned = bulk_preview.lines_of_files([request], [db.session.get_one(Organisation, organisation.id)])
    token = started("hand_over", list(planned), supervisor, to=present.id)
    bulk.work_run(token)
    assert {each[1] for each in outcomes(token)} == {BulkOutcome.FAIT}
    assert db.session.get_one(Organisation, organisation.id).assigned_to_id == present.id
    assert db.session.get_one(CertificateRequest, request.id).assigned_to_id == present.id


@pytest.mark.spec("QUE-4")
def test_a_reference_of_the_tracking_file_is_cut_to_what_a_line_keeps(app: Flask) -> None:
    with app.test_request_context():
        (line,) = read_tracking_file(b"reference;tracking_number\n" + b"D" * 5000 + b";EE123456789TN\n")
    assert line.reference == "D" * 40
