"""Validating, reporting, correcting, withdrawing, reopening, supplying: the rules, on both databases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, NotFound, StaleObject, ValidationFailed
from app.extensions import db
from app.models import (
    CertificateRequest,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    HistoryEntry,
    IdentityAnswer,
    IdentityKind,
    OutboxMail,
    Payment,
    PaymentLine,
    PaymentMethod,
    User,
)
from app.permissions import Actor, Role
from app.queries import reference
from app.queries.asks import waiting_for
from app.queries.documents import identity_copy_of
from app.queries.history import (
    ORGANISATION_SENTENCES,
    PAYMENT_SENTENCES,
    REQUEST_SENTENCES,
    history_of_organisation,
    history_of_request,
)
from app.queries.offices import offices_near
from app.services import history, ordering, supplying, validation, withdrawing
from app.services.supplying import FieldAnswer
from app.services.validation import Choice
from app.states import (
    CERTIFICATE_MOVES,
    ORGANISATION_MOVES,
    PAYMENT_MOVES,
    REQUEST_MOVES,
    PaymentState,
    RequestState,
    Verdict,
)
from tests import factories
from tests.functional.test_request_journey import picture

R = RequestState


class Case:
    """A request with its people."""

    def __init__(self, state: RequestState = R.NON_FINALISEE, *, activated: bool = True, **values: object) -> None:
        self.organisation = factories.organisation()
        self.admin_user = factories.administrator(self.organisation)
        self.person = factories.user(Role.DEMANDEUR, activated=activated)
        self.row = factories.certificate_request(
            self.organisation, state, applicant=self.person, by=self.admin_user, **values
        )
        self.admin = factories.actor(self.admin_user)
        self.applicant = factories.actor(self.person, ip="192.0.2.7")

    @property
    def choice(self) -> Choice:
        return Choice(
            mobile="+21622333444",
            post_office_id=factories.post_office().id,
            cgu_version_id=reference.current_cgu().id,
            accepted=True,
        )

    def pay(self, state: PaymentState = PaymentState.EN_COURS) -> Payment:
        """A payment holding the request."""
        made = Payment(
            reference=f"PAY{self.row.id}",
            return_token=f"t{self.row.id}",
            organisation_id=self.organisation.id,
            created_by_id=self.admin_user.id,
            method=PaymentMethod.CARTE,
            state=state,
            amount=424_500,
            stamp_duty=1000,
            created_at=clock.now(),
            expires_at=clock.now(),
        )
        made.lines = [
            PaymentLine(
                request_id=self.row.id, position=1, price_ht=350_000, vat_rate_bp=1900, vat=66_500, delivery=7000
            )
        ]
        db.session.add(made)
        db.session.commit()
        return made

    def ask(self, *items: DocumentAskItem) -> DocumentAsk:
        made = DocumentAsk(request_id=self.row.id, asked_at=clock.now())
        made.items = list(items)
        for place, item in enumerate(items, start=1):
            item.position = place
        db.session.add(made)
        db.session.commit()
        return made


def person_of(row: CertificateRequest, **values: object) -> dict[str, object]:
    names = ("last_name", "first_name", "last_name_ar", "first_name_ar", "birth_date", "nationality")
    names += ("identity_kind", "identity_number", "mobile", "email")
    return {**{name: getattr(row, name) for name in names}, **values}


def actions(row: CertificateRequest) -> list[str]:
    return list(
        db.session.scalars(
            select(HistoryEntry.action).where(HistoryEntry.request_id == row.id).order_by(HistoryEntry.id)
        )
    )


def mails(kind: str) -> list[OutboxMail]:
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind)))


# ------------------------------------------------------------------------------------------------ validation


@pytest.mark.spec("APP-2", "APP-3", "STA-2")
def test_validating_keeps_version_time_and_address_and_writes_one_line(app: Flask) -> None:
    case = Case()
    second = factories.administrator(case.organisation)
    factories.administrator(case.organisation, activated=False)
    validation.validate(case.applicant, case.row.id, case.choice, expected_version=case.row.version)
    row = case.row
    assert row.state is R.EN_ATTENTE_DE_PAIEMENT
    assert (row.cgu_version_id, row.cgu_accepted_ip) == (reference.current_cgu().id, "192.0.2.7")
    assert row.validated_at == row.cgu_accepted_at is not None
    assert actions(row) == ["validate"]
    assert {mail.recipient for mail in mails("request_validated")} == {case.admin_user.email, second.email}
    assert case.person.mobile == "+21622333444"


@pytest.mark.spec("APP-2")
@pytest.mark.parametrize(
    ("field", "value"),
    [("post_office_id", None), ("post_office_id", 999_999), ("cgu_version_id", 999), ("accepted", False)],
)
def test_what_is_missing_is_said_beside_its_field_and_nothing_changes(app: Flask, field: str, value: object) -> None:
    case = Case()
    given = {name: getattr(case.choice, name) for name in ("mobile", "post_office_id", "cgu_version_id", "accepted")}
    with pytest.raises(ValidationFailed) as failed:
        validation.validate(case.applicant, case.row.id, Choice(**{**given, field: value}))
    assert set(failed.value.errors) == {"post_office" if field == "post_office_id" else "accept"}
    assert case.row.state is R.NON_FINALISEE
    assert actions(case.row) == []
    assert mails("request_validated") == []


@pytest.mark.spec("PPL-2", "STA-1")
def test_only_the_applicant_validates(app: Flask) -> None:
    case = Case()
    with pytest.raises(Forbidden):
        validation.validate(case.admin, case.row.id, case.choice)
    with pytest.raises(NotFound):
        validation.validate(factories.actor(factories.applicant()), case.row.id, case.choice)


@pytest.mark.spec("STA-1", "STA-2")
def test_a_second_validation_and_a_stale_page_are_refused(app: Flask) -> None:
    case = Case()
    with pytest.raises(StaleObject):
        validation.validate(case.applicant, case.row.id, case.choice, expected_version=case.row.version + 1)
    validation.validate(case.applicant, case.row.id, case.choice)
    with pytest.raises(IllegalTransition):
        validation.validate(case.applicant, case.row.id, case.choice)


@pytest.mark.spec("APP-2")
def test_a_reported_error_stops_validation_until_it_is_corrected(app: Flask) -> None:
    case = Case()
    validation.report_error(case.applicant, case.row.id, "Mon nom est mal écrit.")
    validation.report_error(case.applicant, case.row.id, "Mon nom est mal écrit.")  # a double click
    assert actions(case.row) == ["correction_asked"]
    with pytest.raises(DomainError, match="signalé une erreur"):
        validation.validate(case.applicant, case.row.id, case.choice)
    assert [row.id for row in waiting_for(case.admin).to_correct] == [case.row.id]
    assert not waiting_for(case.applicant)
    withdrawing.correct(case.admin, case.row.id, person_of(case.row, last_name="Nouveau"))
    assert [row.id for row in waiting_for(case.applicant).to_validate] == [case.row.id]
    validation.validate(case.applicant, case.row.id, case.choice)
    assert case.person.last_name == "Nouveau"


@pytest.mark.spec("APP-2", "SEC-3")
def test_a_second_identity_copy_takes_the_place_of_the_first(app: Flask) -> None:
    case = Case(identity_kind=IdentityKind.PASSEPORT, identity_number="AB12345", nationality="FR")
    first = validation.receive_identity_copy(case.applicant, case.row.id, picture(), "a.jpg")
    again = validation.receive_identity_copy(case.applicant, case.row.id, picture(), "a.jpg")
    assert first.id == again.id
    second = validation.receive_identity_copy(case.applicant, case.row.id, picture(90), "b.jpg")
    assert identity_copy_of(case.row.id).id == second.id  # type: ignore[union-attr]  # there is one
    assert (second.replaces_id, second.user_id) == (first.id, case.person.id)
    with pytest.raises(NotFound):
        validation.receive_identity_copy(case.admin, case.row.id, picture(), "c.jpg")
    with pytest.raises(DomainError):
        validation.receive_identity_copy(case.applicant, case.row.id, b"", "vide.pdf")


# ------------------------------------------------------------------------------------- withdrawing, correcting


@pytest.mark.parametrize("state", [R.NON_FINALISEE, R.EN_ATTENTE_DE_PAIEMENT])
def test_withdrawing_ends_the_request_and_empties_its_place_in_the_basket(app: Flask, state: RequestState) -> None:
    case = Case(state, basket_added_at=clock.now())
    withdrawing.withdraw(case.admin, case.row.id, reason="Départ.")
    assert (case.row.state, case.row.closing_reason, case.row.basket_added_at) == (R.ANNULEE, "Départ.", None)
    assert [mail.recipient for mail in mails("request_withdrawn")] == [case.person.email]
    with pytest.raises(IllegalTransition):
        withdrawing.withdraw(case.admin, case.row.id)


@pytest.mark.parametrize("state", [PaymentState.INITIE, PaymentState.EN_COURS])
def test_a_live_payment_holds_its_request(app: Flask, state: PaymentState) -> None:
    case = Case(R.EN_ATTENTE_DE_PAIEMENT)
    case.pay(state)
    with pytest.raises(DomainError, match="paiement"):
        withdrawing.withdraw(case.admin, case.row.id)
    with pytest.raises(DomainError, match="paiement"):
        withdrawing.reopen(case.admin, case.row.id, person_of(case.row), reason="Une faute.")
    assert case.row.state is R.EN_ATTENTE_DE_PAIEMENT


@pytest.mark.spec("STA-1")
@pytest.mark.parametrize("state", [R.PRISE_EN_CHARGE_PAR_TUNTRUST, R.EN_ATTENTE_DE_JUSTIFICATIFS, R.EXPEDIEE])
def test_what_is_paid_is_neither_withdrawn_nor_reopened_nor_corrected(app: Flask, state: RequestState) -> None:
    case = Case(state)
    for act in (
        lambda: withdrawing.withdraw(case.admin, case.row.id),
        lambda: withdrawing.reopen(case.admin, case.row.id, person_of(case.row), reason="Une faute."),
        lambda: withdrawing.correct(case.admin, case.row.id, person_of(case.row)),
    ):
        with pytest.raises(IllegalTransition):
            act()


@pytest.mark.spec("PPL-2")
def test_another_organisation_finds_no_such_request(app: Flask) -> None:
    case = Case()
    stranger = factories.actor(factories.administrator(factories.organisation()))
    for act in (
        lambda: withdrawing.withdraw(stranger, case.row.id),
        lambda: withdrawing.correct(stranger, case.row.id, person_of(case.row)),
        lambda: ordering.resend_invitation(stranger, case.row.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_reopening_needs_a_reason_and_voids_the_acceptance(app: Flask) -> None:
    case = Case(R.EN_ATTENTE_DE_PAIEMENT, identity_answer=IdentityAnswer.CONCORDANT, identity_checked_at=clock.now())
    with pytest.raises(DomainError) as refused:
        withdrawing.reopen(case.admin, case.row.id, person_of(case.row), reason=" ")
    assert refused.value.field == "reason"
    done = withdrawing.reopen(
        case.admin, case.row.id, person_of(case.row, identity_number="09876543"), reason="Numéro faux."
    )
    row = case.row
    assert done.changed == ("identity_number",)
    assert (row.state, row.validated_at, row.cgu_accepted_at, row.identity_answer) == (
        R.NON_FINALISEE,
        None,
        None,
        None,
    )
    assert "09876543" in row.search_text
    assert actions(row) == ["reopen", "correct"]
    assert case.person.identity_number != "09876543"  # the person confirms it by validating
    validation.validate(case.applicant, row.id, case.choice)
    assert case.person.identity_number == "09876543"


@pytest.mark.spec("ORD-7")
def test_a_wrong_address_moves_the_invitation_and_its_useless_account_goes(app: Flask) -> None:
    case = Case(activated=False)
    wrong_id = case.person.id
    done = withdrawing.correct(case.admin, case.row.id, person_of(case.row, email="juste@exemple.tn"))
    assert done.invited
    assert case.row.applicant.email == "juste@exemple.tn"
    assert case.row.applicant.temporary_password_hash
    assert db.session.get(User, wrong_id) is None
    invitation = mails("request_created")[0]
    assert (invitation.recipient, invitation.secret) == ("juste@exemple.tn", True)


@pytest.mark.spec("ORD-7")
def test_an_account_that_serves_another_request_stays(app: Flask) -> None:
    case = Case(activated=False)
    other = factories.certificate_request(applicant=case.person)
    withdrawing.correct(case.admin, case.row.id, person_of(case.row, email="juste@exemple.tn"))
    assert other.applicant_id == case.person.id
    assert case.row.applicant_id != case.person.id
    assert case.person.email != "juste@exemple.tn"


@pytest.mark.spec("ORD-7", "ORD-3")
def test_an_activated_account_keeps_its_address_and_anothers_cannot_be_taken(app: Flask) -> None:
    active = Case()
    with pytest.raises(ValidationFailed) as refused:
        withdrawing.correct(active.admin, active.row.id, person_of(active.row, email="autre@exemple.tn"))
    assert set(refused.value.errors) == {"email"}
    waiting = Case(activated=False)
    taken = factories.applicant()
    for email in (taken.email, waiting.admin_user.email):
        with pytest.raises(ValidationFailed):
            withdrawing.correct(waiting.admin, waiting.row.id, person_of(waiting.row, email=email))
    assert waiting.row.applicant_id == waiting.person.id


@pytest.mark.spec("ORD-7")
def test_the_address_of_the_same_persons_active_account_is_joined_without_a_password(app: Flask) -> None:
    case = Case(activated=False)
    known = factories.applicant(
        identity_kind=case.row.identity_kind, identity_number=case.row.identity_number, email="connu@exemple.tn"
    )
    before = known.password_hash
    withdrawing.correct(case.admin, case.row.id, person_of(case.row, email=known.email))
    assert case.row.applicant_id == known.id
    assert (known.password_hash, known.temporary_password_hash) == (before, None)
    assert not mails("request_created")[0].secret


def test_a_correction_of_an_account_nobody_uses_yet_reaches_the_account(app: Flask) -> None:
    case = Case(activated=False)
    withdrawing.correct(case.admin, case.row.id, person_of(case.row, first_name="Salma", mobile="+21698000000"))
    assert (case.person.first_name, case.person.mobile) == ("Salma", "+21698000000")
    assert case.row.common_name.startswith("Salma ")
    nothing = withdrawing.correct(case.admin, case.row.id, person_of(case.row))
    assert nothing.changed == ()
    assert actions(case.row) == ["correct"]


# ------------------------------------------------------------------------------------------------- supplying


def paper(**values: object) -> DocumentAskItem:
    return DocumentAskItem(**{"document_kind": DocumentKind.APPLICANT_IDENTITY, "reason": "Floue.", **values})


def field(name: str = "last_name") -> DocumentAskItem:
    return DocumentAskItem(field=name, reason="Diffère de la CIN.")


@pytest.mark.spec("REV-5")
@pytest.mark.parametrize("who", ["admin", "applicant"])
def test_supplying_waits_for_every_answer_and_cancels_an_approval(app: Flask, who: str) -> None:
    case = Case(R.EN_ATTENTE_DE_JUSTIFICATIFS, approved_at=clock.now())
    made = case.ask(paper(), field())
    actor: Actor = getattr(case, who)
    supplying.answer_with_document(actor, case.row.id, made.items[0].id, picture(), "cin.jpg")
    with pytest.raises(DomainError, match="nom"):
        supplying.supply(actor, case.row.id)
    assert case.row.state is R.EN_ATTENTE_DE_JUSTIFICATIFS
    supplying.answer_in_words(actor, case.row.id, made.items[1].id, FieldAnswer("C'est mon nom de jeune fille."))
    supplying.supply(actor, case.row.id, ask_id=made.id)
    assert (case.row.state, case.row.approved_at) == (R.PRISE_EN_CHARGE_PAR_TUNTRUST, None)
    assert made.outcome == "supplied"
    assert actions(case.row)[-2:] == ["supply", "approval_cancelled"]
    with pytest.raises(IllegalTransition):
        supplying.supply(actor, case.row.id, ask_id=made.id)


@pytest.mark.spec("REV-5")
def test_a_corrected_value_goes_into_the_file_and_words_are_needed_otherwise(app: Flask) -> None:
    case = Case(R.EN_ATTENTE_DE_JUSTIFICATIFS)
    made = case.ask(field())
    before = case.row.last_name
    with pytest.raises(DomainError) as refused:
        supplying.answer_in_words(case.applicant, case.row.id, made.items[0].id, FieldAnswer("", case.row.last_name))
    assert refused.value.field == "text"
    supplying.answer_in_words(case.applicant, case.row.id, made.items[0].id, FieldAnswer("", "Ben Ali"))
    assert case.row.common_name.endswith("Ben Ali")
    assert f"« {before} » devient « Ben Ali »" in made.items[0].answer_text


@pytest.mark.spec("REV-5")
def test_a_refused_file_leaves_the_point_open(app: Flask) -> None:
    case = Case(R.EN_ATTENTE_DE_JUSTIFICATIFS)
    old = factories.document(DocumentKind.APPLICANT_IDENTITY, request_id=case.row.id, verdict=Verdict.REFUSE)
    made = case.ask(paper(document_id=old.id))
    with pytest.raises(DomainError):
        supplying.answer_with_document(case.applicant, case.row.id, made.items[0].id, b"rien", "cin.pdf")
    assert made.items[0].answered_at is None
    assert old.superseded_at is None
    assert len(db.session.scalars(select(Document)).all()) == 1


@pytest.mark.spec("REV-5", "PPL-2")
def test_points_of_others_do_not_exist(app: Flask) -> None:
    case, other = Case(R.EN_ATTENTE_DE_JUSTIFICATIFS), Case(R.EN_ATTENTE_DE_JUSTIFICATIFS)
    made = case.ask(paper(), DocumentAskItem(document_kind=DocumentKind.OTHER, reason="Attestation."))
    for actor, request, item in (
        (other.applicant, case.row, made.items[0]),
        (other.applicant, other.row, made.items[0]),
        (case.applicant, case.row, made.items[1]),
    ):
        with pytest.raises(NotFound):
            supplying.answer_with_document(actor, request.id, item.id, picture(), "a.jpg")


# --------------------------------------------------------------------------------------------------- history


@pytest.mark.spec("ORD-8")
def test_every_move_has_a_sentence_of_its_own(app: Flask) -> None:
    assert {move.action for move in REQUEST_MOVES} <= set(REQUEST_SENTENCES)
    assert {f"certificate_{move.action}" for move in CERTIFICATE_MOVES} <= set(REQUEST_SENTENCES)
    assert {move.action for move in ORGANISATION_MOVES} <= set(ORGANISATION_SENTENCES)
    assert {move.action for move in PAYMENT_MOVES} <= set(PAYMENT_SENTENCES)


@pytest.mark.spec("ORD-8")
def test_every_other_action_the_services_write_has_one_too() -> None:
    known = set(REQUEST_SENTENCES) | set(ORGANISATION_SENTENCES) | set(PAYMENT_SENTENCES)
    services = Path(history.__file__).parent
    written = {
        found
        for path in services.rglob("*.py")
        for found in re.findall(r'history\.write\(\s*\w+,\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert {"invitation_resent", "record_certificate"} <= written
    assert written <= known


@pytest.mark.spec("ORD-8", "CON-2")
def test_clients_read_tuntrust_where_an_officer_acted_and_staff_read_the_name(app: Flask, travel) -> None:
    case = Case()
    agent = factories.actor(factories.staff())
    history.write(case.admin, "create", request_id=case.row.id, organisation_id=case.organisation.id)
    history.write(agent, "reject", request_id=case.row.id, organisation_id=case.organisation.id, reason="Faux.")
    history.write(agent, "verify", organisation_id=case.organisation.id)
    db.session.commit()
    [(_day, (last, first))] = history_of_request(case.row.id)
    assert (last.who, last.why, first.who) == ("TunTrust", "Faux.", case.admin_user.display_name)
    [(_day, (staff_line, _other))] = history_of_request(case.row.id, for_staff=True)
    assert staff_line.who == agent.label
    [(_day, lines)] = history_of_organisation(case.organisation.id)
    assert [line.text for line in lines] == ["TunTrust a vérifié l'organisation."]


# --------------------------------------------------------------------------------------------------- offices


@pytest.mark.spec("APP-2")
def test_offices_are_found_by_gouvernorat_delegation_and_postal_code(app: Flask) -> None:
    sfax = next(each for each in reference.governorates() if each.name_fr == "Sfax")
    tunis = next(each for each in reference.governorates() if each.name_fr == "Tunis")
    everywhere = offices_near(sfax.id, "").rows
    assert everywhere
    assert {office.governorate_id for office in everywhere} == {sfax.id}
    delegation = everywhere[0].delegation
    assert everywhere[0] in offices_near(sfax.id, delegation.upper()).rows
    elsewhere = offices_near(tunis.id, "3000")
    assert elsewhere.elsewhere
    assert all(office.postal_code == "3000" for office in elsewhere.rows)
    assert set(offices_near(tunis.id, "Tunis").rows) == set(offices_near(tunis.id, "").rows)
    assert offices_near(tunis.id, "sfax").elsewhere
    assert offices_near(None, "").rows == []
    assert offices_near(sfax.id, "xyzxyz").rows == []


@pytest.mark.spec("APP-2")
def test_the_office_of_that_very_name_comes_first(app: Flask) -> None:
    assert offices_near(None, "hammam sousse").rows[0].name_fr == "Hammam Sousse"
