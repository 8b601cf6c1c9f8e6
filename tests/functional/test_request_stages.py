"""One request's page: where it stands, what is awaited of whom and by when, the collection (CRT-2, ORD-8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import Certificate, CertificateRequest, DocumentAsk, DocumentAskItem, DocumentKind
from app.money import format_millimes
from app.permissions import Role
from app.services.payments import settle
from app.states import CertificateState, OrganisationState, RequestState
from tests import factories as f
from tests.pages import CheckingClient
from tests.support import reviewing as r
from tests.support.crediting import Desk
from tests.support.paying import Shop, invoices, pay
from tests.support.servers import HttpServer

pytestmark = pytest.mark.spec("CRT-2", "ORD-8")
S = RequestState


def stages(client: CheckingClient, request: CertificateRequest) -> str:
    """The card of stages, its words on one line."""
    text = client.get(f"/demandes/{request.reference}").text
    return text.split("Où en est la demande")[1].split("Le demandeur")[0]


def sent(**values: object) -> CertificateRequest:
    request = r.request_file(S.EXPEDIEE, approved=True)
    r.certificate(
        request,
        **{
            "state": CertificateState.EXPEDIE,
            "tracking_number": "RP123456789TN",
            "dispatched_at": clock.now(),
            **values,
        },
    )
    return request


def test_each_stage_names_who_is_awaited_and_by_when(
    client: CheckingClient, new_client: Callable[[], CheckingClient]
) -> None:
    organisation = f.organisation()
    person = f.applicant(first_name="Rim", last_name="Trabelsi")
    administrator = f.administrator(organisation)
    client.login(person.email, f.PASSWORD)
    other = new_client()
    other.login(administrator.email, f.PASSWORD)

    def made(state: RequestState, **values: object) -> CertificateRequest:
        return f.certificate_request(organisation, state, applicant=person, by=administrator, **values)

    request = made(S.NON_FINALISEE)
    assert "Attendu de vous." in stages(client, request)
    assert "Attendu de Rim Trabelsi." in stages(other, request)
    request = made(S.EN_ATTENTE_DE_PAIEMENT)
    assert "Attendu de votre organisation, qui règle le panier." in stages(client, request)
    assert "Attendu de vous." in stages(other, request)
    request = made(S.PRISE_EN_CHARGE_PAR_TUNTRUST)
    due = (clock.today() + timedelta(days=7)).strftime("%d/%m/%Y")
    assert f"Attendu de TunTrust, au plus tard le {due}." in stages(client, request)
    request.complete_since = clock.now() - timedelta(days=20)
    db.session.commit()
    assert "ce délai est dépassé" in stages(client, request)
    organisation.state = OrganisationState.PIECES_DEMANDEES
    db.session.commit()
    assert "Attendu de votre organisation : des pièces" in stages(client, request)
    gone = made(S.ANNULEE)
    assert "Demande annulée" in stages(client, gone)
    assert "Retiré par le titulaire" not in stages(client, gone)


def test_what_is_asked_stands_on_the_page_with_its_date(client: CheckingClient) -> None:
    request = f.certificate_request(state=S.EN_ATTENTE_DE_JUSTIFICATIFS)
    ask = DocumentAsk(request_id=request.id, asked_at=clock.now(), due_on=clock.today() + timedelta(days=5))
    ask.items = [
        DocumentAskItem(position=1, document_kind=DocumentKind.APPLICANT_IDENTITY, reason="Copie illisible."),
        DocumentAskItem(position=2, document_kind=DocumentKind.RNE_EXTRACT, reason="Extrait trop ancien."),
    ]
    db.session.add(ask)
    db.session.commit()
    client.login(request.applicant.email, f.PASSWORD)
    page = client.get(f"/demandes/{request.reference}")
    assert f"Attendu de vous, avant le {ask.due_on.strftime('%d/%m/%Y') if ask.due_on else ''}." in page
    assert "Copie illisible." in page
    assert "Extrait trop ancien." not in page  # the administrator's to answer
    assert "à l'administrateur de votre organisation" in page.text.replace("’", "'")


def test_the_holder_confirms_the_collection_once(client: CheckingClient) -> None:
    request = sent()
    client.login(request.applicant.email, f.PASSWORD)
    page = client.get("/demandes")
    assert "Votre certificat vous attend au bureau de poste" in page
    page = page.click("Suivre la livraison")
    until = (clock.today() + timedelta(days=90)).strftime("%d/%m/%Y")
    office = request.post_office
    assert office is not None
    for words in ("RP123456789TN", office.name_fr, office.postal_code, f"Attendu de vous, avant le {until}."):
        assert words in page
    form = page.form("J'ai retiré mon certificat")
    done = form.submit()
    assert "Merci : le retrait de votre certificat est noté." in done
    assert "Le certificat est retiré" in done
    assert "Attendu de" not in done
    assert "déjà noté" in form.submit()
    kept = db.session.scalars(select(Certificate)).one()
    assert kept.state is CertificateState.RETIRE
    assert "vous attend au bureau" not in client.get("/demandes")


def test_the_administrator_follows_but_does_not_confirm(client: CheckingClient) -> None:
    request = sent()
    administrator = f.administrator(request.organisation)
    client.login(administrator.email, f.PASSWORD)
    page = client.get(f"/demandes/{request.reference}")
    assert "J'ai retiré mon certificat" not in page
    assert f"Attendu de {request.first_name} {request.last_name}, avant le" in page
    assert "RP123456789TN" in page
    client.post(f"/demandes/{request.reference}/retrait", csrf=True, expect=(403, 404))
    own = sent()
    db.session.get_one(CertificateRequest, own.id).applicant_id = administrator.id
    administrator.grants.append(f.RoleGrant(role=Role.DEMANDEUR, granted_at=clock.now()))
    db.session.commit()
    assert "Votre certificat vous attend au bureau de poste" in client.get("/commandes")


def test_a_revoked_or_expired_certificate_ends_the_way(client: CheckingClient) -> None:
    for state, words in (
        (CertificateState.REVOQUE, "Certificat révoqué"),
        (CertificateState.EXPIRE, "Certificat expiré"),
    ):
        request = sent(state=state)
        client.login(request.applicant.email, f.PASSWORD)
        assert words in stages(client, request)
        assert "Attendu de" not in client.get(f"/demandes/{request.reference}")
        client.post("/deconnexion", csrf=True)


@pytest.mark.spec("ORD-8", "AVO-2")
def test_an_administrator_reads_the_requests_part_of_its_invoice_and_its_credit_note(
    client: CheckingClient, gateway: HttpServer
) -> None:
    shop = Shop(2)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    (bill,) = invoices()
    note = Desk().issue(bill, request_ids=[shop.request_ids[0]])
    client.login(shop.administrator.email, f.PASSWORD)
    credited, other = (client.get(f"/demandes/{reference}") for reference in shop.references)
    for page in (credited, other):
        assert bill.number in page
        assert "Part de cette demande, TTC" in page
        assert format_millimes(bill.total_ttc).replace("\xa0", " ") in page.text
    assert note.number in credited
    assert note.number not in other
    client.post("/deconnexion", csrf=True)
    client.login(shop.requests[0].applicant.email, f.PASSWORD)
    assert bill.number not in client.get(f"/demandes/{shop.references[0]}")  # the money is the organisation's business
