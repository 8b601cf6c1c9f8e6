"""« Mon organisation » as its administrators use it (CON-1, CON-2)."""

from __future__ import annotations

import io
from datetime import timedelta

import pypdfium2
import pytest
from PIL import Image
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import (
    CertificateRequest,
    Contract,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    HistoryEntry,
    Organisation,
    OutboxMail,
    User,
)
from app.permissions import visitor
from app.services import contracts, files
from app.services.unit_of_work import use_case
from app.states import OrganisationState, RequestState, Verdict
from tests import factories
from tests.support.sold import payments_under_way

pytestmark = pytest.mark.slow


def picture(colour="white"):
    out = io.BytesIO()
    Image.new("RGB", (400, 300), colour).save(out, "PNG")
    return out.getvalue()


@use_case
def issue(organisation_id):
    contracts.issue_contract(db.session.get_one(Organisation, organisation_id), actor=visitor("127.0.0.1"))


def store(row):
    files.storage().put(row.storage_key, picture())
    row.media_type = "image/png"
    db.session.commit()
    return row


@pytest.fixture
def home(app, client):
    """A verified organisation with an extract and a contract, its administrator logged in."""
    of = factories.organisation(OrganisationState.A_VERIFIER, legal_name="Société des Oliviers")
    who = factories.administrator(of)
    paper = store(factories.document(organisation_id=of.id, issued_on=clock.today()))
    issue(of.id)
    client.login(who.email, factories.PASSWORD)
    return of, who, paper


def ask(of, *items):
    row = DocumentAsk(organisation_id=of.id, asked_at=clock.now(), message="Merci de compléter.")
    row.items = [DocumentAskItem(position=place, **item) for place, item in enumerate(items)]
    db.session.add(row)
    of.state = OrganisationState.PIECES_DEMANDEES
    db.session.commit()
    return row


@pytest.mark.spec("CON-2")
def test_the_page_shows_data_documents_people_contract_and_history(home, client):
    of, who, _paper = home
    page = client.get("/organisation")
    assert page.h1 == "Mon organisation"
    for word in (of.legal_name, of.tax_id, who.email, "Extrait du registre national", "CTR-", "Représentant légal"):
        assert word in page, word
    assert "+216 71 000 000" in page


@pytest.mark.spec("CON-2")
@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(days=0), "est valable jusqu'au"),
        (timedelta(days=83), "Votre RNE expire dans"),
        (timedelta(days=100), "Votre RNE a expiré le"),
    ],
)
def test_the_extract_s_freshness_is_told(home, client, age, said):
    _of, _who, paper = home
    paper.issued_on = clock.today() - age
    db.session.commit()
    assert said in client.get("/organisation")


@pytest.mark.spec("CON-2")
def test_nine_days_before_its_end_the_page_says_so(home, client, travel):
    from datetime import UTC, date, datetime

    _of, _who, paper = home
    paper.issued_on = date(2026, 3, 15)
    db.session.commit()
    travel.to(datetime(2026, 6, 6, 10, tzinfo=UTC))
    assert "Votre RNE expire dans 9 jours" in client.get("/organisation")


@pytest.mark.spec("CON-1", "CON-2")
def test_changing_data_issues_a_version_and_shows_the_difference(home, client):
    of, _who, _paper = home
    page = client.get("/organisation/modifier")
    page = page.form().fill(legal_name="Société du Jasmin", city="La Marsa").submit("Enregistrer")
    assert page.path == "/organisation"
    assert "nouvelle version du contrat" in page
    row = db.session.get_one(Organisation, of.id)
    assert (row.legal_name, row.city) == ("Société du Jasmin", "La Marsa")
    assert "societe du jasmin" in row.search_text
    versions = db.session.scalars(select(Contract).order_by(Contract.version_number)).all()
    assert [one.version_number for one in versions] == [1, 2]
    assert versions[0].number == versions[1].number
    assert versions[0].superseded_at is not None
    difference = page.table(0)
    assert {"Donnée": "Organisation : Raison sociale", "Avant": of_name(1), "Maintenant": of_name(2)} in difference
    assert any(line["Donnée"] == "Organisation : Ville" for line in difference)


@pytest.mark.spec("CON-1")
def test_the_difference_is_told_against_the_last_signed_version_and_each_version_keeps_its_own(home, client):
    _of, _who, _paper = home
    client.get("/organisation/contrat/1/signe").form().fill(file=("signe.png", picture())).submit("Déposer")
    for city in ("La Marsa", "Carthage"):
        client.get("/organisation/modifier").form().fill(city=city).submit("Enregistrer")
    page = client.get("/organisation")
    assert "Ce qui change par rapport à la version 1, la dernière signée" in page
    assert {"Donnée": "Organisation : Ville", "Avant": "Tunis", "Maintenant": "Carthage"} in page.table(0)
    assert "2 versions précédentes" in page
    assert {"Donnée": "Organisation : Ville", "Avant": "Tunis", "Maintenant": "La Marsa"} in page.table(1)
    assert page.text.count("jamais signée") == 1
    copy = db.session.scalars(select(Document).where(Document.kind == DocumentKind.SIGNED_CONTRACT)).one()
    copy.verdict = Verdict.REFUSE
    db.session.commit()
    page = client.get("/organisation")
    assert "Ce qui change par rapport à la version 2" in page  # what was refused is signed by nobody


@pytest.mark.spec("CON-2")
def test_the_history_of_payments_tells_their_outcomes_only(home, client):
    of, who, _paper = home
    for action in ("start_payment", "register", "refuse"):
        payment_history(of, who, action)
    page = client.get("/organisation")
    assert "Un paiement a été refusé." in page
    assert "Un paiement a été commencé." not in page
    assert "La page de paiement a été ouverte." not in page


def payment_history(of, who, action):
    [payment_id] = payments_under_way(1, administrator=who)
    db.session.add(
        HistoryEntry(
            organisation_id=of.id, payment_id=payment_id, at=clock.now(), action=action, actor_label=who.display_name
        )
    )
    db.session.commit()


def of_name(version):
    return ["Société des Oliviers", "Société du Jasmin"][version - 1]


@pytest.mark.spec("CON-1")
def test_changing_verified_data_sends_the_organisation_back_and_voids_approvals(home, client):
    of, _who, _paper = home
    of.state = OrganisationState.VERIFIEE
    request = factories.certificate_request(of, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, approved_at=clock.now())
    db.session.commit()
    client.get("/organisation/modifier").form().fill(address="3 avenue de Carthage").submit("Enregistrer")
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.A_VERIFIER
    assert db.session.get_one(CertificateRequest, request.id).approved_at is None


def test_saving_without_a_change_changes_nothing(home, client):
    of, _who, _paper = home
    before = db.session.get_one(Organisation, of.id).version
    page = client.get("/organisation/modifier").form().submit("Enregistrer")
    assert "Rien n'a changé" in page
    assert db.session.get_one(Organisation, of.id).version == before
    assert len(db.session.scalars(select(Contract)).all()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("legal_name", ""), ("legal_name", "A & B"), ("postal_code", "12"), ("phone", "abc"), ("address", "  ")],
)
def test_a_wrong_value_is_told_beside_its_field_and_nothing_typed_is_lost(home, client, field, value):
    page = client.get("/organisation/modifier").form().fill(**{field: value, "city": "Sousse"}).submit("Enregistrer")
    assert page.error_for(field)
    assert page.form()["city"] == "Sousse"
    assert len(db.session.scalars(select(Contract)).all()) == 1


@pytest.mark.spec("STA-2")
def test_a_stale_page_is_told_and_keeps_what_was_typed(home, client):
    of, who, _paper = home
    page = client.get("/organisation/modifier")
    of = db.session.get_one(Organisation, of.id)
    of.version += 1
    db.session.commit()
    page = page.form().fill(city="Sousse").submit("Enregistrer")
    assert "a changé depuis" in page or who.last_name in page
    assert page.form()["city"] == "Sousse"
    assert page.form().submit("Enregistrer").path == "/organisation"
    assert db.session.get_one(Organisation, of.id).city == "Sousse"


@pytest.mark.spec("CON-1")
def test_the_contract_is_downloaded_signed_and_its_verdict_shown(home, client):
    of, _who, _paper = home
    answer = client.get("/organisation/contrat/1")
    assert answer.headers["Content-Type"] == "application/pdf"
    with pypdfium2.PdfDocument(answer.data) as pdf:
        text = "".join(page.get_textpage().get_text_range() for page in pdf)
    assert of.tax_id in text
    assert "Déposez le contrat signé par" in client.get("/organisation")
    page = client.get("/organisation/contrat/1/signe").form().fill(file=("signe.png", picture())).submit("Déposer")
    assert page.path == "/organisation"
    assert "Signé : à vérifier" in page
    assert "Déposez le contrat signé par" not in page
    copy = db.session.scalars(select(Document).where(Document.kind == DocumentKind.SIGNED_CONTRACT)).one()
    copy.verdict, copy.verdict_reason = Verdict.REFUSE, "Il manque la signature de l'administrateur."
    db.session.commit()
    page = client.get("/organisation")
    assert "Il manque la signature de l'administrateur." in page
    page = client.get("/organisation/contrat/1/signe").form().fill(file=("b.png", picture("red"))).submit("Déposer")
    assert db.session.get_one(Document, copy.id).superseded_at is not None
    newest = db.session.scalars(select(Contract)).one().signed_document
    newest.verdict = Verdict.ACCEPTE
    db.session.commit()
    assert "Signé : accepté" in client.get("/organisation")
    again = client.get("/organisation/contrat/1/signe").form().fill(file=("c.png", picture("blue"))).submit("Déposer")
    assert "déjà acceptée" in again


@pytest.mark.parametrize(
    ("name", "data"), [("vide.pdf", b""), ("a.exe", b"MZ" + bytes(100)), ("x.pdf", b"%PDF-1.7 broken")]
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(home, client, name, data):
    page = client.get("/organisation/contrat/1/signe").form().fill(file=(name, data)).submit("Déposer")
    assert page.error_for("file")
    assert not db.session.scalars(select(Document).where(Document.kind == DocumentKind.SIGNED_CONTRACT)).all()


def test_sending_no_file_is_told(home, client):
    page = client.get("/organisation/contrat/1/signe").form().submit("Déposer")
    assert page.error_for("file") == "Choisissez un fichier."


@pytest.mark.spec("CON-2")
def test_a_replaced_document_supersedes_and_is_verified_anew(home, client):
    of, _who, paper = home
    of.state = OrganisationState.VERIFIEE
    paper.verdict = Verdict.ACCEPTE
    db.session.commit()
    page = client.get("/organisation").click("Remplacer : Extrait du registre national des entreprises (RNE)")
    page = page.form().fill(issued_on=clock.today().isoformat(), file=("neuf.png", picture("red"))).submit("Remplacer")
    assert "Le document est reçu" in page
    live = db.session.scalars(select(Document).where(Document.superseded_at.is_(None))).one()
    assert (live.original_name, live.verdict, live.replaces_id) == ("neuf.png", Verdict.A_VERIFIER, paper.id)
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.A_VERIFIER


@pytest.mark.spec("ORG-4")
@pytest.mark.parametrize(("days", "said"), [(200, "plus de 3 mois"), (-2, "avenir"), (None, "Écrivez la date")])
def test_an_extract_s_date_is_checked(home, client, days, said):
    _of, _who, paper = home
    date = (clock.today() - timedelta(days=days)).isoformat() if days is not None else ""
    page = client.get(f"/organisation/documents/{paper.public_id}/remplacer").form()
    page = page.fill(issued_on=date, file=("neuf.png", picture("red"))).submit("Remplacer")
    assert said in page.error_for("issued_on")
    assert db.session.get_one(Document, paper.id).superseded_at is None


@pytest.mark.spec("CON-2", "STA-1")
def test_asked_points_are_answered_one_by_one_and_then_confirmed(home, client):
    of, _who, paper = home
    ask(
        of,
        {"document_kind": DocumentKind.RNE_EXTRACT, "document_id": paper.id, "reason": "L'extrait est illisible."},
        {"field": "legal_name", "reason": "Le nom diffère du registre."},
    )
    page = client.get("/organisation")
    assert "L'extrait est illisible." in page
    assert "TunTrust attend votre réponse sur 2 points" in page
    page = page.press("J'ai apporté les corrections demandées")
    assert "Il reste 2 points sans réponse" in page
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.PIECES_DEMANDEES
    page = client.get("/organisation").click("Répondre : Extrait du registre national des entreprises (RNE)")
    form = page.form().fill(issued_on=clock.today().isoformat(), file=("lisible.png", picture("red")))
    form.submit("Enregistrer la réponse")
    assert db.session.get_one(Document, paper.id).superseded_at is not None
    page = client.get("/organisation").click("Répondre : Raison sociale")
    assert page.form().submit("Enregistrer la réponse").error_for("text")
    page = page.form().fill(text="C'est le nom du registre.").submit("Enregistrer la réponse")
    page = page.press("J'ai apporté les corrections demandées")
    assert "reprend la vérification" in page
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.A_VERIFIER
    done = db.session.scalars(select(DocumentAsk)).one()
    assert done.outcome == "supplied"
    assert done.closed_at is not None


def new_person(**values):
    return {
        "birth_date": "1985-04-03",
        "nationality": "TN",
        "identity_kind": "CIN",
        "identity_number": "07654321",
        "last_name": "Mejri",
        "first_name": "Leila",
        "last_name_ar": "الماجري",
        "first_name_ar": "ليلى",
        "mobile": "+216 20 123 456",
        "email": "leila.mejri@exemple.tn",
        "email_confirmation": "leila.mejri@exemple.tn",
        **values,
    }


@pytest.mark.spec("CON-2")
def test_a_second_administrator_is_invited_and_the_contract_names_them(home, client, new_client):
    of, who, _paper = home
    page = client.get("/organisation").click("Ajouter un deuxième administrateur")
    page = page.form().fill(**new_person()).submit("Enregistrer et inviter")
    assert page.path == "/organisation"
    assert "Pas encore activé" in page
    assert "Ajouter un deuxième administrateur" not in page
    contract = contracts.current_contract(of.id)
    assert contract.version_number == 2
    assert [one["email"] for one in contract.data["administrators"]] == [who.email, "leila.mejri@exemple.tn"]
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "administrator_invited")).one()
    assert mail.recipient == "leila.mejri@exemple.tn"
    assert mail.attachments
    temporary = mail.text.split("Mot de passe temporaire :")[1].split()[0]
    theirs = new_client().login("leila.mejri@exemple.tn", temporary)
    assert theirs.path == "/mot-de-passe"
    again = client.get("/organisation/administrateurs/nouveau").form()
    third = again.fill(
        **new_person(email="x@exemple.tn", email_confirmation="x@exemple.tn", identity_number="01234567")
    )
    assert "déjà deux administrateurs" in third.submit("Enregistrer et inviter")


@pytest.mark.spec("CON-2")
def test_the_second_administrator_differs_from_the_first(home, client):
    _of, who, _paper = home
    form = client.get("/organisation/administrateurs/nouveau").form()
    page = form.fill(**new_person(email=who.email, email_confirmation=who.email)).submit("Enregistrer et inviter")
    assert page.error_for("email")
    page = page.form().fill(**new_person(identity_number=who.identity_number)).submit("Enregistrer et inviter")
    assert page.error_for("identity_number")


def test_a_foreigner_s_document_needs_its_copy(home, client):
    form = client.get("/organisation/administrateurs/nouveau").form()
    person = new_person(nationality="FR", identity_kind="PASSEPORT", identity_number="20AB12345")
    page = form.fill(**person).submit("Enregistrer et inviter")
    assert page.error_for("identity_copy")
    page = page.form().fill(identity_copy=("passeport.png", picture())).submit("Enregistrer et inviter")
    assert page.path == "/organisation"
    kept = db.session.scalars(select(Document).where(Document.kind == DocumentKind.ADMINISTRATOR_IDENTITY)).one()
    assert db.session.get_one(User, kept.user_id).email == "leila.mejri@exemple.tn"


@pytest.mark.spec("ACT-3", "CON-2")
def test_an_invitation_is_sent_again_at_most_once_an_hour(home, client, travel):
    _of, who, _paper = home
    client.get("/organisation/administrateurs/nouveau").form().fill(**new_person()).submit("Enregistrer et inviter")
    page = client.get("/organisation").press("Renvoyer l'invitation")
    assert "renvoyée" in page
    page = client.get("/organisation").press("Renvoyer l'invitation")
    assert "Réessayez dans" in page
    travel(minutes=61)
    client.login(who.email, factories.PASSWORD)
    assert "renvoyée" in client.get("/organisation").press("Renvoyer l'invitation")
    assert len(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "administrator_invited")).all()) == 3


@pytest.mark.spec("CON-2", "PPL-2")
def test_a_replaced_administrator_loses_the_organisation_at_the_next_click(home, client, new_client):
    of, _who, _paper = home
    second = factories.administrator(of)
    other = new_client()
    other.login(second.email, factories.PASSWORD)
    other.get("/organisation")
    page = client.get(f"/organisation/administrateurs/{second.id}/remplacer")
    page.form().fill(**new_person()).submit("Enregistrer et inviter")
    names = [user.email for user in contracts.administrators_of(of.id)]
    assert second.email not in names
    assert "leila.mejri@exemple.tn" in names
    other.get("/organisation", expect=(403, 404))
    told = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "administrator_replaced")).one()
    assert told.recipient == second.email
    assert of.legal_name in told.text


def test_nobody_replaces_themselves(home, client):
    _of, who, _paper = home
    client.get(f"/organisation/administrateurs/{who.id}/remplacer", expect=404)


@pytest.mark.spec("PPL-2")
def test_another_organisation_s_things_do_not_exist(home, client):
    other = factories.organisation(OrganisationState.A_VERIFIER)
    theirs = factories.administrator(other)
    paper = store(factories.document(organisation_id=other.id))
    asked = ask(other, {"field": "city", "reason": "?"})
    for path in (
        f"/organisation/documents/{paper.public_id}/remplacer",
        f"/organisation/corrections/{asked.items[0].id}",
        f"/organisation/administrateurs/{theirs.id}/remplacer",
        "/organisation/contrat/7",
        f"/documents/{paper.public_id}",
    ):
        client.get(path, expect=404)
    client.get("/organisation")
    client.post(f"/organisation/administrateurs/{theirs.id}/inviter", {}, csrf=True, expect=404)


@pytest.mark.parametrize("state", [OrganisationState.REJETEE, OrganisationState.SUSPENDUE])
def test_a_rejected_or_suspended_organisation_is_shown_but_not_changed(home, client, state):
    of, _who, _paper = home
    form = client.get("/organisation/modifier").form().fill(city="Sousse")
    of = db.session.get_one(Organisation, of.id)
    of.state = state
    db.session.commit()
    page = client.get("/organisation")
    assert "Modifier" not in page.links
    assert "ne permet pas" in form.submit("Enregistrer")
    assert db.session.get_one(Organisation, of.id).city == "Tunis"


@pytest.mark.spec("PPL-2")
def test_an_applicant_and_a_visitor_have_no_organisation_page(app, client, new_client):
    who = factories.applicant()
    client.login(who.email, factories.PASSWORD)
    client.get("/organisation", expect=403)
    assert new_client().get("/organisation").path == "/"
