"""Credit notes: prepared by one, issued by another, never above the invoice (AVO-1, AVO-2)."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, StaleObject
from app.extensions import db
from app.models import (
    CreditNote,
    CreditOutcome,
    CreditProposal,
    CreditReason,
    LedgerEntry,
    OutboxMail,
    PaymentLine,
    Refund,
)
from app.papers.teif import check_teif, read_amounts
from app.permissions import Role
from app.services.credit_note_archives import credit_note_pdf_bytes
from app.services.credits import issuing, ledger, proposing
from app.services.credits.amounts import Wanted, left_of, proposal_for
from app.services.electronic_invoices import teif_of_credit_note
from app.states import CreditProposalState, RefundState
from tests import factories
from tests.services.test_invoices import sell
from tests.support.crediting import Desk, assert_books_add_up
from tests.support.servers import HttpServer


@pytest.mark.spec("AVO-1")
def test_not_collected_proposes_everything_so_that_the_new_order_costs_nothing(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    wanted, stamp = proposal_for(left_of(invoice), CreditReason.NON_RETRAIT_90_JOURS)
    assert [(each.price_ht, each.delivery) for each in wanted] == [(350_000, 7_000)]
    assert stamp == 1_000
    note = Desk().issue(invoice)
    assert note.total_ttc == 424_500 == ledger.available_to(invoice.organisation_id)


@pytest.mark.spec("AVO-1")
@pytest.mark.parametrize(
    ("reason", "stamp"),
    [
        (CreditReason.REJET_APRES_PAIEMENT, 0),
        (CreditReason.RETRAIT_DEMANDE, 0),
        (CreditReason.NON_RETRAIT_90_JOURS, 1_000),
        (CreditReason.ERREUR_TUNTRUST, 1_000),
        (CreditReason.PAIEMENT_EN_DOUBLE, 1_000),
    ],
)
def test_the_defaults_follow_the_reason(gateway: HttpServer, app: Flask, reason: CreditReason, stamp: int) -> None:
    shop, invoice = sell(gateway, 3)
    wanted, proposed = proposal_for(left_of(invoice), reason, shop.request_ids[:1])
    assert [(each.price_ht, each.delivery) for each in wanted] == [(350_000, 7_000)]
    assert proposed == stamp
    _everything, whole = proposal_for(left_of(invoice), reason)
    assert whole == 1_000  # nothing is left of the invoice: its stamp goes back too


@pytest.mark.spec("AVO-2", "INV-3")
def test_it_is_numbered_printed_negative_mailed_and_written_as_teif(gateway: HttpServer, app: Flask) -> None:
    shop, invoice = sell(gateway, 2)
    note = Desk().issue(invoice, request_ids=shop.request_ids[1:], reason=CreditReason.ERREUR_TUNTRUST)
    assert note.number == f"AV-{clock.today().year}-000001"
    assert (note.total_ht, note.total_vat, note.total_delivery, note.stamp_duty) == (350_000, 66_500, 7_000, 1_000)
    assert note.total_ttc == 424_500
    name, pdf = credit_note_pdf_bytes(note.id)
    assert credit_note_pdf_bytes(note.id) == (name, pdf)
    said = " ".join(
        "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
        .replace("\u202f", " ")
        .replace("\xa0", " ")
        .split()
    )
    assert f"Facture d'avoir {note.number}" in said.replace("’", "'")
    assert invoice.number in said
    assert "−424,500 DT" in said
    assert "quatre cent vingt-quatre dinars et cinq cents millimes" in said
    xml = teif_of_credit_note(note.id)[1]
    assert check_teif(xml) == []
    assert read_amounts(xml)["I-180"] == -424_500
    assert f'refID="I-89">{invoice.number}<'.encode() in xml
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert document.attachments[f"{note.number}.xml"].get_file().read_bytes() == xml
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "credit_note_issued")).all()
    assert sorted(mail.recipient for mail in mails) == shop.emails
    assert note.number in mails[0].subject


@pytest.mark.spec("AVO-2", "PPL-3")
def test_nobody_issues_what_they_prepared_or_edited(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    desk = Desk()
    another = factories.actor(factories.staff(Role.SUPERVISEUR))
    proposal_id = desk.prepare(invoice, by=desk.supervisor)
    with pytest.raises(Forbidden):
        issuing.issue(proposal_id, actor=desk.supervisor)
    wanted, stamp = proposal_for(left_of(invoice), CreditReason.ERREUR_TUNTRUST)
    for editor in (another, desk.agent):  # the latest editor hides no earlier one
        proposing.edit(
            proposal_id,
            wanted,
            stamp_duty=stamp,
            reason=CreditReason.ERREUR_TUNTRUST,
            reason_text="Relu.",
            outcome=CreditOutcome.CREDIT,
            actor=editor,
        )
    for barred in (desk.supervisor, another):
        with pytest.raises(Forbidden):
            issuing.issue(proposal_id, actor=barred)
    with pytest.raises(Forbidden):
        issuing.issue(proposal_id, actor=desk.agent)
    third = factories.actor(factories.staff(Role.SUPERVISEUR))
    assert issuing.issue(proposal_id, actor=third).total_ttc == 424_500


@pytest.mark.spec("AVO-2")
def test_the_sum_never_exceeds_the_invoice(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    desk = Desk()
    first, second = desk.prepare(invoice), desk.prepare(invoice)
    issuing.issue(first, actor=desk.supervisor)
    with pytest.raises(DomainError):
        issuing.issue(second, actor=desk.supervisor)
    assert db.session.get_one(CreditProposal, second).state is CreditProposalState.A_APPROUVER
    with pytest.raises(DomainError):
        desk.prepare(invoice, wanted=[Wanted(left_of(invoice).lines[0].line.id, 1, 0)], stamp_duty=0)
    assert_books_add_up(invoice.organisation_id)


@pytest.mark.spec("AVO-2")
def test_the_database_refuses_what_the_code_should_have(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    note = Desk().issue(invoice)
    db.session.commit()
    above = (
        "INSERT INTO credit_notes (number, year, sequence, proposal_id, invoice_id, organisation_id, outcome, "
        "issued_at, total_ht, total_vat, total_delivery, stamp_duty, total_ttc, snapshot, verification_code) "
        "SELECT 'AV-X', year, 99, proposal_id + 1, invoice_id, organisation_id, outcome, issued_at, "
        "1, 0, 0, 0, 1, snapshot, 'X' FROM credit_notes"
    )
    overdrawn = (
        "INSERT INTO ledger_entries (organisation_id, kind, amount, credit_note_id, payment_id, at) "
        f"SELECT organisation_id, 'UTILISATION', -424501, {note.id}, payment_id, issued_at FROM invoices"
    )
    for statement in (
        "UPDATE credit_notes SET total_ttc = 1",
        "DELETE FROM credit_notes",
        "UPDATE ledger_entries SET amount = 1",
        "DELETE FROM ledger_entries",
        above,
        overdrawn,
    ):
        with pytest.raises(DBAPIError):
            db.session.execute(text(statement))
        db.session.rollback()


@pytest.mark.spec("AVO-1")
def test_a_part_takes_the_vat_of_the_part_and_the_last_part_what_is_left(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    desk = Desk()
    line = db.session.scalars(select(PaymentLine)).one()
    note = desk.issue(invoice, wanted=[Wanted(line.id, 100_003, 0)], stamp_duty=0)
    assert (note.total_ht, note.total_vat) == (100_003, 19_001)
    rest = desk.issue(invoice, wanted=[Wanted(line.id, 249_997, 7_000)], stamp_duty=1_000)
    assert note.total_ttc + rest.total_ttc == invoice.total_ttc
    assert (rest.total_vat, left_of(invoice).total) == (66_500 - 19_001, 0)


@pytest.mark.spec("AVO-1", "AVO-4")
@pytest.mark.parametrize("outcome", [CreditOutcome.REMBOURSEMENT_PASSERELLE, CreditOutcome.REMBOURSEMENT_MANUEL])
def test_a_refund_is_to_be_made_and_gives_no_credit(gateway: HttpServer, app: Flask, outcome: CreditOutcome) -> None:
    _shop, invoice = sell(gateway)
    note = Desk().issue(invoice, outcome=outcome)
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.amount, refund.state, refund.credit_note_id) == (424_500, RefundState.A_REMBOURSER, note.id)
    assert db.session.scalars(select(LedgerEntry)).all() == []


@pytest.mark.spec("AVO-1")
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wanted": "over"}, "line-"),
        ({"wanted": "negative"}, "line-"),
        ({"wanted": "foreign"}, "line-"),
        ({"wanted": []}, None),
        ({"stamp_duty": 1_001}, "stamp_duty"),
        ({"stamp_duty": -1}, "stamp_duty"),
    ],
)
def test_wrong_amounts_are_refused_at_their_field(
    gateway: HttpServer, app: Flask, changed: dict[str, object], field: str | None
) -> None:
    _shop, invoice = sell(gateway)
    line_id = left_of(invoice).lines[0].line.id
    odd = {
        "over": [Wanted(line_id, 350_001, 0)],
        "negative": [Wanted(line_id, -1, 0)],
        "foreign": [Wanted(line_id + 1_000, 1, 0)],
    }
    given = {key: odd.get(value, value) if isinstance(value, str) else value for key, value in changed.items()}
    with pytest.raises(DomainError) as refusal:
        Desk().prepare(invoice, **given)  # type: ignore[arg-type]  # a table of odd inputs
    assert (refusal.value.field or "").startswith(field or "")
    assert db.session.scalars(select(CreditProposal)).all() == []


@pytest.mark.spec("AVO-2", "STA-1")
def test_a_decided_or_stale_proposal_moves_no_more(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    desk = Desk()
    proposal_id = desk.prepare(invoice)
    with pytest.raises(StaleObject):
        issuing.issue(proposal_id, actor=desk.supervisor, expected_version=99)
    with pytest.raises(DomainError):
        proposing.refuse(proposal_id, reason=" ", actor=desk.supervisor)
    proposing.refuse(proposal_id, reason="Le jeton a été retiré.", actor=desk.supervisor)
    with pytest.raises(IllegalTransition):
        issuing.issue(proposal_id, actor=desk.supervisor)
    assert db.session.scalars(select(CreditNote)).all() == []
    other = desk.prepare(invoice)
    assert proposing.withdraw(other, actor=desk.agent).state is CreditProposalState.RETIRE
