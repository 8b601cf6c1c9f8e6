"""Certificates' pages of the back office: batches, slips, collection, the list (CRT-1, CRT-2, QUE-2)."""

from __future__ import annotations

import io
from datetime import timedelta

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import AuditEntry, Certificate, CertificateRequest, User
from app.permissions import Role
from app.states import CertificateState, RequestState
from tests import factories as f
from tests.pages import CheckingClient
from tests.support import reviewing as r

pytestmark = pytest.mark.spec("CRT-2")


@pytest.fixture
def agent(client: CheckingClient) -> User:
    user = f.staff()
    client.login(user.email, f.PASSWORD)
    return user


def sent(number: str = "RP123456789TN") -> CertificateRequest:
    request = r.request_file(RequestState.EXPEDIEE, approved=True)
    r.certificate(request, state=CertificateState.EXPEDIE, tracking_number=number, dispatched_at=clock.now())
    return request


def count() -> int:
    return db.session.scalar(select(func.count(Certificate.id))) or 0


@pytest.mark.spec("CRT-1", "QUE-4")
def test_files_are_read_shown_and_recorded_once(client: CheckingClient, agent: User) -> None:
    one, other = r.request_file(approved=True), r.request_file(approved=True)
    page = client.get("/admin/demandes/?onglet=pretes").click("Enregistrer des certificats")
    assert "Aucune autorité émettrice n'est réglée" in page
    assert page.form("Lire les fichiers").submit().error_for("files") == "Choisissez au moins un fichier."
    files = [
        ("a.pem", r.pem_for(one, serial=0xAA, org=one.organisation.legal_name)),
        ("b.crt", r.pem_for(other, serial=0xBB, org="Autre")),
        ("<i>c.pem", b"rien"),
    ]
    page = page.form("Lire les fichiers").fill(files=files).submit()
    assert page.h1 == "Enregistrer les certificats : à confirmer"
    shown = {row["Fichier"]: row["Ce qui sera fait"] for row in page.table(0)}
    assert shown["a.pem"] == "Enregistré"
    assert "Son organisation est « Autre »" in shown["b.crt"]
    assert "n'est pas un certificat" in shown["<i>c.pem"]
    assert count() == 0

    confirm = page.form("Confirmer")
    result, again = confirm.submit(), confirm.submit()
    assert result.path == again.path == client.get(page.path).path
    assert count() == 2
    assert sum(row["Résultat"] == "Faite" for row in result.table(0)) == 2
    assert "b.crt" in result
    csv = client.get(f"{result.path}/resultat.csv", fragment=True).data.decode()
    assert "b.crt" in csv
    assert client.get("/admin/certificats/lots/inconnu", expect=404).status == 404


def test_the_bar_of_the_list_leads_to_the_files(client: CheckingClient, agent: User) -> None:
    request = r.request_file(approved=True)
    page = client.get("/admin/demandes/?onglet=pretes")
    for action, path in (("record_certificate", "/admin/certificats/lots/"), ("collect", "/admin/lots/retraits")):
        key = f"{request.id}.{request.version}.0"
        assert page.form("bulk").force(row=[key], action=action).submit().path == path


def test_parcels_handed_over_are_recorded_from_a_file(client: CheckingClient, agent: User) -> None:
    request = sent()
    page = client.get("/admin/certificats/?onglet=expedies").click("Retraits depuis un CSV")
    wrong = page.form("Lire le fichier").fill(file=("x.csv", b"a;b\n1;2\n")).submit()
    assert "Il faut une colonne" in str(wrong.error_for("file"))
    page = page.form("Lire le fichier").fill(file=("x.csv", b"RP123456789TN\nRP000000000TN\n")).submit()
    assert "Aucun certificat n'a été expédié sous ce numéro" in page
    page.form("Confirmer").submit()
    kept = db.session.scalars(select(Certificate).where(Certificate.request_id == request.id)).one()
    assert kept.state is CertificateState.RETIRE


def test_an_agent_records_a_collection_at_the_desk(client: CheckingClient, agent: User) -> None:
    request = sent()
    page = client.get(f"/admin/dossiers/{request.reference}").click("Confirmer le retrait")
    soon = (clock.today() + timedelta(days=1)).isoformat()
    wrong = page.form("Confirmer le retrait").fill(collected_on=soon).submit()
    assert wrong.error_for("collected_on") == "Ce jour n'est pas encore venu."
    assert page.form("Confirmer le retrait").fill(collected_on="32/13/2026").submit().error_for("collected_on")
    page = wrong.form("Confirmer le retrait").fill(collected_on=clock.today().isoformat()).submit()
    assert "Le retrait est noté" in page
    assert "Certificat : Retiré" in page
    again = client.get(f"/admin/dossiers/{request.reference}/retrait")
    assert "déjà noté" in again
    client.get(f"/admin/dossiers/{r.request_file().reference}/retrait", expect=404)


def test_slips_of_a_parcel_and_of_a_day(client: CheckingClient, agent: User) -> None:
    one, other = sent("RP000000001TN"), sent("RP000000002TN")
    page = client.get(f"/admin/dossiers/{one.reference}")
    answer = client.get(page.links["Bordereau (PDF)"], fragment=True)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert read_codes(answer.data) == ["RP000000001TN"]
    words = text_of(answer.data)
    assert one.first_name in words
    assert one.organisation.legal_name in words
    assert one.identity_number not in words

    client.get("/admin/certificats/").click("Bordereaux")
    today = clock.today().isoformat()
    day = client.get(f"/admin/bordereaux/jour.pdf?jour={today}", fragment=True)
    assert sorted(read_codes(day.data)) == ["RP000000001TN", "RP000000002TN"]
    assert "Total : 2 colis" in text_of(day.data)
    labels = client.get(f"/admin/bordereaux/jour.pdf?jour={today}&forme=colis", fragment=True)
    assert len(pypdfium2.PdfDocument(labels.data)) == 2
    assert other.common_name.split()[0] in text_of(labels.data)
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "print_slip")).all()
    assert len(noted) == 3

    empty = client.get("/admin/bordereaux/jour.pdf?jour=2020-01-01")
    assert empty.error_for("jour") == "Aucun colis n'a été expédié le 01/01/2020."
    assert client.get("/admin/bordereaux/jour.pdf?jour=demain").error_for("jour")
    client.get(f"/admin/bordereaux/{r.request_file().reference}.pdf", expect=404)


@pytest.mark.spec("QUE-2", "EXP-1")
def test_the_list_has_a_tab_a_state_and_filters(client: CheckingClient) -> None:
    client.login(f.staff(Role.RESPONSABLE).email, f.PASSWORD)
    rows = {
        state: r.certificate(
            r.request_file(RequestState.EXPEDIEE, approved=True), state=state, not_after=clock.now() + timedelta(days=n)
        )
        for n, state in enumerate(CertificateState, start=-2)
    }
    tabs = {"generes": "GENERE", "expedies": "EXPEDIE", "retires": "RETIRE", "revoques": "REVOQUE", "expires": "EXPIRE"}
    for tab, state in tabs.items():
        page = client.get(f"/admin/certificats/?onglet={tab}")
        shown = [row["N° de série"] for row in page.table(0)]
        assert rows[CertificateState(state)].serial_number in shown
        assert rows[CertificateState.REVOQUE].serial_number not in shown or tab == "revoques"
        assert tab == "expires" or len(shown) == 1  # those past their end may stand among the expired too
        assert "Enregistrer des certificats" not in page  # a manager changes nothing
    assert "Rien ici" in client.get("/admin/certificats/?onglet=valides")  # a date decides, not only the state
    rows[CertificateState.RETIRE].not_after = clock.now() + timedelta(days=9)
    db.session.commit()
    assert len(client.get("/admin/certificats/?onglet=valides").table(0)) == 1
    assert "Rien ici" in client.get("/admin/certificats/?onglet=tous&envoi-depuis=2020-01-01")
    governorate = rows[CertificateState.GENERE].request.post_office.governorate_id
    assert len(client.get(f"/admin/certificats/?onglet=tous&gouvernorat={governorate}").table(0)) == 5
    csv = client.get("/admin/certificats/export/csv?onglet=valides", fragment=True).data.decode("utf-8-sig")
    assert len(csv.strip().splitlines()) == 2


def read_codes(pdf: bytes) -> list[str]:
    image = pypdfium2.PdfDocument(io.BytesIO(pdf))[0].render(scale=4).to_pil().convert("L")
    return [each.text for each in zxingcpp.read_barcodes(image)]


def text_of(pdf: bytes) -> str:
    return " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
