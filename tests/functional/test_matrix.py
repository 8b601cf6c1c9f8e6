"""Every route, method and identity answers as the declared matrix says (SEC-1, PPL-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, url_for

from app import clock
from app.demo.papers import tax_card
from app.extensions import db
from app.models import (
    AuditEntry,
    BillingRate,
    BulkRun,
    CannedReply,
    CertificateRequest,
    CertificateType,
    CguVersion,
    CreditOutcome,
    CreditProposal,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    FileNote,
    Message,
    MessageThread,
    OrderDraftLine,
    Organisation,
    OutboxMail,
    Passkey,
    PostOffice,
    Reason,
    Revocation,
    RevocationReason,
    StaffAbsence,
    StaffRoleChange,
    StatementImport,
    StatementLine,
    StatementMatch,
    Tariff,
    UsageDomain,
    User,
    UserSession,
)
from app.permissions import Role
from app.services import files
from app.services.certificate_batches import File, prepare_batch
from app.services.credits.amounts import Wanted, left_of
from app.services.electronic_invoices import teif_of_credit_note, teif_of_invoice
from app.services.order_files import drafting as order_files
from app.services.payments import settle
from app.states import CertificateState, RequestState, RevocationState
from tests import factories
from tests.pages import CheckingClient
from tests.support import matrix, reviewing
from tests.support.crediting import Desk
from tests.support.matrix import IDENTITIES, MATRIX, Row
from tests.support.order_files import csv_of
from tests.support.order_files import row as people_row
from tests.support.paying import Shop, attempt, invoices, pay
from tests.support.servers import HttpServer

pytestmark = pytest.mark.slow

ANYTHING = range(200, 600)
GO_HOME = {
    "pages.home", "preferences.set_language", "signup.abandon",
    "second_step.code", "second_step.passkey", "second_step.recovery", "second_step.give_up",
}  # fmt: skip
"""Their answer is the entrance."""


def declared() -> list[tuple[str, str]]:
    return [(endpoint, method) for endpoint, row in MATRIX.items() for method in row.methods.split()]


@pytest.mark.spec("SEC-1")
def test_every_route_is_declared_and_every_declaration_is_a_route(app: Flask) -> None:
    routes = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.endswith(".static")
    }
    assert routes == set(declared())


class World:
    """Organisation A with one of everything, organisation B, and somebody of each identity."""

    def __init__(self, gateway: HttpServer) -> None:
        shop = Shop()
        opening = shop.start()
        pay(gateway, opening.payment_id)
        settle(opening.payment_id)
        self.organisation = db.session.get_one(Organisation, shop.organisation_id)
        other = factories.organisation()
        admin = shop.administrator
        second = factories.administrator(self.organisation, activated=False)
        applicant = factories.applicant()
        self.people: dict[str, User | None] = {
            matrix.VISITOR: None,
            matrix.DISABLED: factories.administrator(self.organisation),
            matrix.APPLICANT: applicant,
            matrix.OTHER_APPLICANT: factories.applicant(),
            matrix.ADMIN: admin,
            matrix.OTHER_ADMIN: factories.administrator(other),
            matrix.AGENT: factories.staff(Role.AGENT),
            matrix.SUPERVISOR: factories.staff(Role.SUPERVISEUR),
            matrix.MANAGER: factories.staff(Role.RESPONSABLE),
            matrix.TECHNICIAN: factories.staff(Role.ADMINISTRATEUR),
        }
        self.admin, self.applicant, self.second = admin, applicant, second
        self.values: dict[str, Any] = {
            "<organisation>": self.organisation.reference,
            "<second>": second.id,
            "<staff>": factories.staff(Role.AGENT).id,
            "<invoice>": invoices()[0].number,
            "<invoice id>": invoices()[0].id,
            "<code>": invoices()[0].verification_code,
            "<payment>": opening.payment_id,
        }
        self._credits(shop)
        self._statement(opening.payment_id)
        self._reference_data()
        self._file()
        self._talk()
        self._bulk()
        self._certificates()
        self._operation()

    def _statement(self, payment_id: int) -> None:
        """An attempt, and a line of a statement about none."""
        statement = StatementImport(
            original_name="releve.csv", sha256="0" * 64, imported_at=clock.now(), first_at=clock.now(),
            last_at=clock.now(), row_count=1, total=1_000,
        )  # fmt: skip
        line = StatementLine(
            position=1, operation="PAIEMENT", order_number="PAYINCONNU", amount=1_000, at=clock.now(),
            match=StatementMatch.INCONNU, difference=1_000,
        )  # fmt: skip
        statement.lines = [line]
        db.session.add(statement)
        db.session.commit()
        self.values |= {
            "<attempt>": attempt(payment_id).reference,
            "<statement>": statement.id,
            "<statement line>": line.id,
        }

    def _credits(self, shop: Shop) -> None:
        """A credit note to pay back by hand, and a proposal that waits."""
        desk, bill = Desk(), invoices()[0]
        line = left_of(bill).lines[0].line.id
        part = [Wanted(line, 1_000, 0)]
        note = desk.issue(bill, wanted=part, stamp_duty=0, outcome=CreditOutcome.REMBOURSEMENT_MANUEL)
        proposal = desk.prepare(bill, wanted=part, stamp_duty=0)
        teif_of_invoice(bill.id)
        teif_of_credit_note(note.id)
        self.values |= {
            "<credit note>": note.number,
            "<proposal>": db.session.get_one(CreditProposal, proposal).reference,
            "<paid>": shop.references[0],
        }

    def _reference_data(self) -> None:
        for name, model in (
            ("types", CertificateType), ("tarifs", Tariff), ("frais", BillingRate), ("domaines", UsageDomain),
            ("postes", PostOffice), ("motifs", Reason),
            ("reponses", CannedReply),
        ):  # fmt: skip
            self.values[f"<{name}>"] = db.session.query(model).first().id
        draft = CguVersion(number="2.0", text_fr="Texte", published_at=None)
        db.session.add(draft)
        db.session.commit()
        self.values["<conditions>"] = draft.id

    def _file(self) -> None:
        make: Callable[..., Any] = factories.certificate_request
        request = make(self.organisation, RequestState.NON_FINALISEE, applicant=self.applicant, by=self.admin)
        asked = make(
            self.organisation, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS, applicant=self.applicant, by=self.admin
        )
        contract = factories.contract(self.organisation, signed=None)
        document = factories.document(organisation_id=self.organisation.id)
        for key in (document.storage_key, contract.storage_key):
            files.storage().put(key, tax_card({"legal_name": "SOCIETE EXEMPLE", "tax_id": "1000001A"}))
        ask = DocumentAsk(request_id=asked.id, asked_at=clock.now())
        ask.items = [DocumentAskItem(position=1, document_kind=DocumentKind.APPLICANT_IDENTITY, reason="Illisible")]
        of_organisation = DocumentAsk(organisation_id=self.organisation.id, asked_at=clock.now())
        of_organisation.items = [
            DocumentAskItem(position=1, document_kind=DocumentKind.RNE_EXTRACT, reason="Trop ancien")
        ]
        line = OrderDraftLine(
            organisation_id=self.organisation.id, user_id=self.admin.id, created_at=clock.now(),
            updated_at=clock.now(), data=draft_data(),
        )  # fmt: skip
        db.session.add_all([ask, of_organisation, line])
        db.session.commit()
        self.values |= {
            "<request>": request.reference,
            "<asked>": asked.reference,
            "<item>": ask.items[0].id,
            "<organisation item>": of_organisation.items[0].id,
            "<line>": line.id,
            "<import>": self._people(),
            "<document>": document.public_id,
        }

    def _people(self) -> str:
        data = csv_of([people_row(), people_row(email="faux")])
        kind = db.session.query(CertificateType).first().id
        actor = factories.actor(self.admin)
        return order_files.receive(actor, self.organisation.id, kind, data, "equipe.csv")

    def _talk(self) -> None:
        request = db.session.query(CertificateRequest).filter_by(reference=self.values["<request>"]).one()
        agent = self.people[matrix.AGENT]
        assert agent is not None
        thread = MessageThread(
            organisation_id=self.organisation.id, request_id=request.id, created_at=clock.now(),
            last_message_at=clock.now(),
        )  # fmt: skip
        db.session.add(thread)
        db.session.flush()
        message, answer = (
            Message(
                thread_id=thread.id, author_id=who.id, author_label="x", by_staff=who is agent, text="Bonjour",
                created_at=clock.now(),
            )
            for who in (self.admin, agent)
        )  # fmt: skip
        note = FileNote(request_id=request.id, author_id=agent.id, text="Rappeler", created_at=clock.now())
        db.session.add_all([message, answer, note])
        db.session.commit()
        self.values |= {"<message>": message.id, "<answer>": answer.id, "<note>": note.id}

    def _operation(self) -> None:
        prepared = StaffRoleChange(
            user_id=self.values["<staff>"], role=Role.SUPERVISEUR, prepared_at=clock.now(),
            prepared_by_id=factories.staff(Role.ADMINISTRATEUR).id,
        )  # fmt: skip
        mail = OutboxMail(
            message_id="<x@exemple.tn>", kind="password_changed", recipient="x@exemple.tn", subject="Sujet",
            text="Texte", html="<p>Texte</p>", created_at=clock.now(), due_at=clock.now(), dead_at=clock.now(),
        )  # fmt: skip
        entry = AuditEntry(
            at=clock.now(), actor_label="x", action="x", subject_type="users", subject_id="1", previous_hash="0",
            hash="1",
        )  # fmt: skip
        db.session.add_all([prepared, mail, entry])
        db.session.commit()
        session = UserSession(
            user_id=self.admin.id, token_hash="x", created_at=clock.now(), last_seen_at=clock.now()
        )  # fmt: skip
        key = Passkey(
            user_id=self.admin.id, credential_id="x", public_key=b"x", sign_count=0, name="Clé", created_at=clock.now()
        )
        db.session.add_all([session, key])
        db.session.commit()
        self.values |= {"<session>": session.id, "<passkey>": key.id}
        self.values |= {"<change>": prepared.id, "<mail>": mail.id, "<entry>": entry.id}

    def _bulk(self) -> None:
        agent = self.people[matrix.AGENT]
        assert agent is not None
        run = BulkRun(public_id="x" * 24, user_id=agent.id, action="take", data={}, created_at=clock.now())
        absence = StaffAbsence(
            user_id=self.values["<staff>"], from_on=clock.today(), until_on=clock.today(), recorded_at=clock.now()
        )
        db.session.add_all([run, absence])
        db.session.commit()
        self.values |= {"<run>": run.public_id, "<absence>": absence.id}

    def _certificates(self) -> None:
        """A certificate on its way, and files of certificates that the agent has read."""
        agent = self.people[matrix.AGENT]
        assert agent is not None
        sent = factories.certificate_request(
            self.organisation, RequestState.EXPEDIEE, applicant=self.applicant, by=self.admin, approved_at=clock.now()
        )
        row = reviewing.certificate(
            sent, state=CertificateState.EXPEDIE, tracking_number="RP123456789TN", dispatched_at=clock.now()
        )
        revocation = Revocation(
            reference="REV-2026-900001", certificate_id=row.id, state=RevocationState.A_APPROUVER,
            reason=RevocationReason.CLE_COMPROMISE, reason_text="Token perdu.", by_staff=True,
            prepared_by_id=self.values["<staff>"], prepared_at=clock.now(),
        )  # fmt: skip
        db.session.add(revocation)
        db.session.commit()
        batch = prepare_batch([File("x.pem", reviewing.pem_for(sent))], actor=factories.actor(agent))
        self.values |= {"<sent>": sent.reference, "<batch>": batch, "<revocation>": revocation.reference}

    def fill(self, given: dict[str, Any]) -> dict[str, Any]:
        return {key: self.values.get(value, value) if isinstance(value, str) else value for key, value in given.items()}


def draft_data() -> dict[str, Any]:
    person = factories.person()
    return {
        **person, "birth_date": person["birth_date"].isoformat(), "certificate_type_id": 1, "validity_years": 2,
        "domain_ids": [1], "for_self": False,
    }  # fmt: skip


def entered(client: CheckingClient, world: World, who: str) -> CheckingClient:
    """A browser in which that identity came in; a disabled person came in before."""
    user = world.people[who]
    page = client.get("/") if user is None else client.login(user.email, factories.PASSWORD)
    client.token = page.csrf_token  # type: ignore[attr-defined]  # kept here, as pages without a form have none
    if who == matrix.DISABLED and user is not None:
        user.disabled_at = clock.now()
        db.session.commit()
    return client


def verdict(row: Row, method: str, endpoint: str, who: str, status: int, location: str) -> str | None:
    """None when the answer is the matrix's, else what is wrong."""
    to_login = status in (302, 303) and (location.split("?")[0] in ("/", "http://localhost/"))
    if status >= 500:
        return f"{status}"
    if who in row.passing(method):
        if endpoint in matrix.MISSING_IS_FINE or endpoint in GO_HOME:
            return None
        if status in (401, 403, 404, 405) or (to_login and who not in (matrix.VISITOR, matrix.DISABLED)):
            return f"should pass, got {status} {location}"
        return None
    if who in (matrix.VISITOR, matrix.DISABLED):
        return None if to_login or (row.own and status == 404) else f"should be sent to the login page, got {status}"
    if status not in (403, 404):
        return f"should be refused, got {status}"
    return None


@pytest.mark.spec("SEC-1", "PPL-2")
@pytest.mark.parametrize("who", IDENTITIES)
def test_each_identity_passes_where_the_matrix_says_and_nowhere_else(
    app: Flask, new_client: Callable[[], CheckingClient], gateway: HttpServer, who: str
) -> None:
    world = World(gateway)
    client = entered(new_client(), world, who)
    wrong = []
    for endpoint, method in declared():
        if endpoint in ("auth.logout", "account.end_every_session"):
            continue  # the last thing one does
        row = MATRIX[endpoint]
        with app.test_request_context():
            address = url_for(endpoint, **world.fill(row.address))
        if method == "GET":
            page = client.get(
                address,
                follow=False,
                expect=ANYTHING,
                fragment=row.fragment and who in row.who,
                check=endpoint not in matrix.NO_PAGE,
            )
        else:
            sent = world.fill(row.form) | {"csrf_token": client.token}
            part = row.fragment and who in row.passing(method)
            page = client.open("POST", address, data=sent, follow=False, expect=ANYTHING, fragment=part)
        found = verdict(row, method, endpoint, who, page.status, page.location or "")
        if found:
            wrong.append(f"{method} {endpoint}: {found}")
    assert client.post("/deconnexion", {"csrf_token": client.token}, follow=False).status in (302, 303)
    assert not wrong, "\n".join(wrong)


@pytest.mark.spec("SEC-2")
def test_no_post_passes_without_its_token(
    app: Flask, new_client: Callable[[], CheckingClient], gateway: HttpServer
) -> None:
    world = World(gateway)
    client = entered(new_client(), world, matrix.ADMIN)
    for endpoint, method in declared():
        if method != "POST":
            continue
        with app.test_request_context():
            address = url_for(endpoint, **world.fill(MATRIX[endpoint].address))
        page = client.post(address, {}, follow=False, csrf=False, expect=ANYTHING)
        assert page.status == 400, endpoint
