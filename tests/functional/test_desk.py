"""The back office's lists, forms and doors, page by page (QUE-1, EXP-1, REF-1, TEA-1, AUD-1, BIL-1, PPL-2, SEC-1)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import event, func, select
from werkzeug.routing.converters import NumberConverter

from app import clock, jobs
from app.extensions import db
from app.models import (
    AuditEntry,
    CertificateRequest,
    CguVersion,
    Invoice,
    OutboxMail,
    Payment,
    PaymentMethod,
    PostOffice,
    Reason,
    ReasonKind,
    StaffRoleChange,
    Tariff,
    UsageDomain,
    User,
)
from app.permissions import Role
from app.services import job_runs
from app.states import PaymentState, RequestState
from tests import factories
from tests.pages import CheckingClient
from tests.support import pki

pytestmark = pytest.mark.slow

LISTS = ("demandes", "organisations", "paiements", "factures", "avoirs", "certificats")
TABLES = ("types", "tarifs", "frais", "domaines", "postes", "motifs", "conditions")
ROOMS = (*TABLES, "reglages", "courriels", "taches")
TAKEN_CHARGE = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST

SignIn = Callable[[Role], CheckingClient]


@pytest.fixture
def sign_in(new_client: Callable[[], CheckingClient]) -> SignIn:
    def enter(role: Role) -> CheckingClient:
        client = new_client()
        client.login(factories.staff(role).email, factories.PASSWORD)
        return client

    return enter


# ---- doors


@pytest.mark.spec("SEC-1", "PPL-2")
@pytest.mark.parametrize(
    ("role", "opens"),
    [
        (Role.AGENT, (*LISTS, "motifs")),
        (Role.SUPERVISEUR, (*LISTS, "motifs", "equipe")),
        (Role.RESPONSABLE, (*LISTS, "journal")),
        (Role.ADMINISTRATEUR, (*ROOMS, "equipe", "journal")),
        (Role.DEMANDEUR, ()),
    ],
)
def test_each_role_opens_its_rooms_and_no_other(sign_in: SignIn, role: Role, opens: tuple[str, ...]) -> None:
    client = sign_in(role)
    for room in (*LISTS, *ROOMS, "equipe", "journal"):
        client.get(f"/admin/{room}/", expect=200 if room in opens else 403)
    client.get("/admin/", expect=403 if role is Role.DEMANDEUR else 200)


@pytest.mark.spec("SEC-1")
def test_a_visitor_is_sent_to_the_login_page_and_comes_back(client: CheckingClient) -> None:
    for room in ("", *(f"{each}/" for each in (*LISTS, *ROOMS, "equipe", "journal"))):
        page = client.get(f"/admin/{room}", follow=False, expect=302)
        assert page.location is not None
        assert page.location.startswith("/?next=/admin/") or "next=%2Fadmin%2F" in page.location
    client.get("/")
    client.post("/admin/domaines/nouveau", {"code": "X", "label": "X"}, follow=False, expect=302)
    assert db.session.scalar(select(UsageDomain).where(UsageDomain.code == "X")) is None


@pytest.mark.spec("SEC-1")
def test_of_flask_admins_own_routes_none_is_left_open(app: Flask, sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    client.get("/admin/domaines/")
    for room in ("demandes", "organisations", "paiements", "domaines", "equipe", "journal"):
        for path in ("edit/?id=1", "details/?id=1", "ajax/lookup/?name=x", "export/json/", "action/", "ajax/update/"):
            client.get(f"/admin/{room}/{path}", expect=404)
        for path in ("action/", "ajax/update/", "delete/", "edit/?id=1", "new/"):
            client.post(f"/admin/{room}/{path}", {"id": "1", "pk": "1", "rowid": "1"}, expect=404)
    assert not [rule for rule in app.url_map.iter_rules() if rule.endpoint == "admin.static"]


def _posts(app: Flask) -> list[str]:
    """An address of each POST route of the back office."""
    values = {"key": "review.days", "job_name": "send_mails", "kind": "csv"}
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin") and "POST" in (rule.methods or ()):
            numbers = {name for name, kind in rule._converters.items() if isinstance(kind, NumberConverter)}
            given = {name: 1 if name in numbers else values.get(name, "DEM-2026-000001") for name in rule.arguments}
            found.append(app.url_map.bind("").build(rule.endpoint, given, method="POST"))
    return found


@pytest.mark.spec("PPL-2", "SEC-1")
def test_a_manager_reads_and_exports_and_every_post_is_refused(app: Flask, sign_in: SignIn) -> None:
    factories.certificate_request(state=TAKEN_CHARGE)
    client = sign_in(Role.RESPONSABLE)
    for room in LISTS:
        page = client.get(f"/admin/{room}/?onglet=toutes")
        assert "Exporter" in page
        posts = [form for form in page.soup.select("main form") if str(form.get("method")).lower() == "post"]
        own = "/admin/listes/"  # their own filters, saved by name
        assert {form["action"] for form in posts if not form["action"].startswith(own)} <= {"/langue", "/deconnexion"}
    addresses = [address for address in _posts(app) if not address.startswith("/admin/listes/")]
    assert len(addresses) > 20
    token = client.get("/admin/").csrf_token
    for address in addresses:
        client.post(address, {"csrf_token": token}, expect=403)


@pytest.mark.spec("SEC-1")
def test_an_agent_touches_no_reference_data_and_an_administrator_no_file(app: Flask, sign_in: SignIn) -> None:
    request = factories.certificate_request(state=TAKEN_CHARGE)
    administrator, agent = sign_in(Role.ADMINISTRATEUR), sign_in(Role.AGENT)
    tokens = {client: client.get("/admin/").csrf_token for client in (administrator, agent)}
    for address in _posts(app):
        if address.startswith(("/admin/motifs/", "/admin/reponses/")) and not address.endswith("/supprimer"):
            continue  # the reasons and replies they give are agents' to extend (REV-2, REV-8)
        files = (
            "dossiers",
            "demandes",
            "paiements",
            "factures",
            "avoirs",
            "rapprochement",
            "releves",
            "certificats",
            "revocations",
            "conversations",
            "suivi",
            "listes",
            "lots",
            "absences",
        )
        stranger = administrator if address.split("/")[2] in files else agent
        stranger.post(address, {"csrf_token": tokens[stranger]}, expect=403)
    administrator.get(f"/admin/dossiers/{request.reference}", expect=403)
    administrator.get("/admin/demandes/export/csv", expect=403)


@pytest.mark.spec("PPL-2")
def test_a_disabled_person_is_out_at_the_next_click(sign_in: SignIn) -> None:
    client = sign_in(Role.AGENT)
    client.get("/admin/demandes/")
    user = db.session.scalars(select(User)).one()
    user.disabled_at = clock.now()
    assert client.get("/admin/demandes/").path == "/"


@pytest.mark.spec("SEC-2")
def test_a_post_without_its_token_does_nothing(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    client.get("/admin/domaines/nouveau")
    client.post("/admin/domaines/nouveau", {"code": "X", "label": "X"}, csrf=False, expect=400)
    assert db.session.scalar(select(UsageDomain).where(UsageDomain.code == "X")) is None


# ---- lists


@pytest.mark.spec("QUE-1")
def test_the_list_is_a_queue_oldest_complete_file_first(sign_in: SignIn) -> None:
    organisation, now = factories.organisation(), clock.now()
    young = factories.certificate_request(organisation, TAKEN_CHARGE, complete_since=now)
    old = factories.certificate_request(organisation, TAKEN_CHARGE, complete_since=now - timedelta(days=9))
    client = sign_in(Role.AGENT)
    page = client.get("/admin/demandes/")
    rows = page.table(0)
    assert [row["Référence"] for row in rows] == [old.reference, young.reference]
    assert rows[0]["Attente"].startswith("9 j")
    assert "en retard" in page.text
    assert rows[0]["Où ça en est"] == "Contrat non signé"
    assert rows[0]["Pièce d'identité"] == old.identity_number
    assert organisation.legal_name in rows[0]["Organisation"]
    page = page.press("Prendre")
    assert db.session.get_one(CertificateRequest, old.id).assigned_to_id is not None
    assert len(client.get("/admin/demandes/?onglet=les-miennes").table(0)) == 1


@pytest.mark.spec("QUE-2")
def test_search_and_filters_stay_in_the_address_and_are_told_in_words(sign_in: SignIn) -> None:
    organisation = factories.organisation()
    wanted = factories.certificate_request(organisation, TAKEN_CHARGE)
    factories.certificate_request(organisation, TAKEN_CHARGE)
    client = sign_in(Role.AGENT)
    page = client.get("/admin/demandes/?onglet=toutes")
    page = page.form("search").fill(search=wanted.identity_number, etat=TAKEN_CHARGE.value).submit()
    assert page.form("search")["onglet"] == "toutes"
    assert [row["Référence"] for row in page.table(0)] == [wanted.reference]
    chips = [chip.get_text(" ", strip=True) for chip in page.soup.select(".chip")]
    assert chips == [f"Recherche : « {wanted.identity_number} »", "État : Prise en charge par TunTrust"]
    without = str(page.soup.select(".chip a")[0]["href"])
    assert "search=" not in without
    assert "etat=PRISE_EN_CHARGE_PAR_TUNTRUST" in without
    assert len(client.get(without).table(0)) == 2


@pytest.mark.spec("QUE-2")
@pytest.mark.parametrize(
    "query",
    [
        "search=%25_%5C'\"",
        "search=" + "a" * 5000,
        "etat=PAYEE&agent=abc&depuis=hier&jusqu=2026-13-45&gouvernorat=99999999999999999999",
        "onglet=rien&tri=mot&apres=%F0%9F%92%A9&avant=W10",
        "tri=-reference&apres=WyJERU0iLDFd",
        "search=DEM-2026-999999&depuis=31/12/9999",
        "jusqu=9999-12-31&depuis=0001-01-01",
    ],
)
def test_a_strange_address_is_a_list_all_the_same(sign_in: SignIn, query: str) -> None:
    factories.certificate_request(state=TAKEN_CHARGE)
    client = sign_in(Role.AGENT)
    for room in LISTS:
        client.get(f"/admin/{room}/?{query}")
        client.get(f"/admin/{room}/export/csv?{query}")
    administrator = sign_in(Role.ADMINISTRATEUR)
    for room in ("journal", "courriels", "equipe", "postes"):
        administrator.get(f"/admin/{room}/?{query}&objet=users&numero=x&personne=x")


@pytest.mark.spec("SPD-1")
def test_pages_go_by_key_there_and_back(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    codes: list[str] = []
    page = client.get("/admin/postes/?onglet=tous")
    while True:
        codes += [row["Code"] for row in page.table(0)]
        following = page.soup.select_one("a[rel=next]")
        if following is None:
            break
        page = client.get(str(following["href"]))
    everyone = db.session.scalars(select(PostOffice.code)).all()
    assert sorted(codes) == sorted(everyone)
    page = client.get(str(page.soup.select_one("a[rel=prev]")["href"]))  # type: ignore[index]  # there is one
    assert [row["Code"] for row in page.table(0)] == codes[-50 - len(codes) % 50 : -(len(codes) % 50)]
    assert "967 lignes" in page or f"{len(codes)} lignes" in page


@pytest.mark.spec("SPD-1")
@pytest.mark.parametrize("room", LISTS)
def test_a_list_takes_the_same_statements_for_one_row_and_for_many(sign_in: SignIn, room: str) -> None:
    client = sign_in(Role.AGENT)

    def cost() -> int:
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        db.session.commit()
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            client.get(f"/admin/{room}/?onglet=toutes")
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len([each for each in seen if each.startswith("SELECT")])

    _fill(1)
    one = cost()
    _fill(11)
    assert cost() == one
    assert one < 18  # of which the menu's counts: queues, money, messages


def _fill(count: int) -> None:
    """So many requests of one organisation each, paid and with a certificate."""
    from tests.services.test_desk_lists import certificate

    for n in range(count):
        request = factories.certificate_request(state=TAKEN_CHARGE)
        certificate(request, f"0a{request.id:010x}")
        payment = paid(request)
        invoice(payment, n)


def paid(request: CertificateRequest, **values: Any) -> Payment:
    moment = clock.now()
    row = Payment(
        **{
            "reference": f"PAYTEST{request.id:06d}",
            "return_token": f"t{request.id}",
            "organisation_id": request.organisation_id,
            "created_by_id": request.created_by_id,
            "method": PaymentMethod.CARTE,
            "state": PaymentState.PAYE,
            "amount": 424_500,
            "stamp_duty": 1000,
            "created_at": moment,
            "expires_at": moment,
            **values,
        }
    )
    db.session.add(row)
    db.session.commit()
    return row


def invoice(payment: Payment, _n: int) -> Invoice:
    sequence = payment.id
    row = Invoice(
        number=f"FAC-2026-{sequence:06d}",
        year=2026,
        sequence=sequence,
        organisation_id=payment.organisation_id,
        payment_id=payment.id,
        issued_at=clock.now(),
        total_ht=350_000,
        total_vat=66_500,
        total_delivery=7000,
        stamp_duty=1000,
        total_ttc=424_500,
        snapshot={},
        verification_code=f"code{sequence}",
    )
    db.session.add(row)
    db.session.commit()
    return row


@pytest.mark.spec("BIL-1")
def test_payments_and_invoices_lead_to_each_other(sign_in: SignIn) -> None:
    payment = paid(factories.certificate_request(state=TAKEN_CHARGE))
    bill = invoice(payment, 0)
    client = sign_in(Role.AGENT)
    page = client.get(f"/admin/factures/?search={bill.number}")
    (row,) = page.table(0)
    assert row["Total TTC"] == "424,500 DT"
    page = page.click(payment.reference)
    (row,) = page.table(0)
    assert (row["État"], row["Facture"]) == ("Payé", bill.number)


@pytest.mark.spec("BIL-1", "PAY-3")
def test_asking_the_gateway_while_it_is_down_says_so_and_changes_nothing(sign_in: SignIn) -> None:
    request = factories.certificate_request(state=RequestState.EN_ATTENTE_DE_PAIEMENT)
    payment = paid(request, state=PaymentState.EN_COURS, gateway_order_id="x-1")
    client = sign_in(Role.AGENT)
    page = client.get("/admin/paiements/?onglet=en-cours").press("Interroger la passerelle")
    assert page.flashes
    assert db.session.get_one(Payment, payment.id).state is PaymentState.EN_COURS
    client.post("/admin/paiements/999999/interroger", {}, expect=404)


# ---- exports


@pytest.mark.spec("EXP-1", "EXP-3")
def test_an_export_holds_what_the_list_shows_in_its_order(sign_in: SignIn) -> None:
    organisation = factories.organisation(legal_name="=HYPERLINK(A1)")
    first = factories.certificate_request(
        organisation, TAKEN_CHARGE, complete_since=clock.now() - timedelta(days=2), identity_number="00123456"
    )
    second = factories.certificate_request(organisation, TAKEN_CHARGE)
    factories.certificate_request(organisation, RequestState.ANNULEE)
    client = sign_in(Role.RESPONSABLE)
    page = client.get("/admin/demandes/?tri=-attente")
    links = {text: href for text, href in _links(page).items() if "export" in href}
    answer = client.open("GET", links["CSV"], fragment=True)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert [row["Référence"] for row in rows] == [second.reference, first.reference]
    assert rows[1]["Pièce d'identité"] == "00123456"
    assert rows[1]["Mobile"].startswith("+216 20 ")
    assert rows[1]["Organisation"] == "'=HYPERLINK(A1)"
    assert rows[1]["اللقب"] == first.last_name_ar
    answer = client.open("GET", links["Excel (XLSX)"], fragment=True)
    sheet = load_workbook(io.BytesIO(answer.data)).active
    header = [cell.value for cell in sheet[1]]
    line = dict(zip(header, sheet[3], strict=True))
    assert line["Référence"].value == first.reference
    assert line["Pièce d'identité"].value == "00123456"
    assert (line["Organisation"].value, line["Organisation"].data_type) == ("=HYPERLINK(A1)", "s")
    assert line["Créée le"].data_type == "d"
    assert (line["Prix HT (DT)"].value, line["Prix HT (DT)"].data_type) == (350, "n")
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export")).all()
    assert [(e.subject_id, e.after) for e in entries] == [
        ("demandes", {"format": kind, "rows": 2, "asked": {"tab": "a-prendre", "sort": "-attente"}})
        for kind in ("csv", "xlsx")
    ]


def _links(page: Any) -> dict[str, str]:
    return {a.get_text(" ", strip=True): str(a["href"]) for a in page.soup.select("main a[href]")}


@pytest.mark.spec("EXP-1")
def test_formats_that_do_not_exist_yet_are_not_found(sign_in: SignIn) -> None:
    client = sign_in(Role.AGENT)
    for kind in ("ods", "json", "html", "CSV", "../csv"):
        client.get(f"/admin/demandes/export/{kind}", expect=404)


# ---- reference data


@pytest.mark.spec("REF-1")
def test_every_table_opens_creates_and_deletes_by_its_pages(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    for room in TABLES:
        client.get(f"/admin/{room}/nouveau")
        client.get(f"/admin/{room}/1")
        client.get(f"/admin/{room}/1/supprimer")
        client.get(f"/admin/{room}/999999", expect=404)
        client.get(f"/admin/{room}/99999999999999999999", expect=404)
    page = client.get("/admin/domaines/").click("Ajouter un domaine")
    page = page.form("Code").fill({"Code": "ECHANGE", "Libellé": "Échange <b>sûr</b>", "Ordre": "9"}).submit()
    assert page.flashes == ["C'est enregistré."]
    assert "Échange <b>sûr</b>" in page.text
    page = page.click("ECHANGE").click("Supprimer…")
    assert page.h1 == "Supprimer « ECHANGE » ?"
    page = page.press("Supprimer")
    assert db.session.scalar(select(UsageDomain).where(UsageDomain.code == "ECHANGE")) is None


@pytest.mark.spec("REF-1")
def test_a_wrong_form_keeps_what_was_typed_and_says_what_to_do(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/tarifs/nouveau")
    typed = {"price_ht": "beaucoup", "vat_rate_bp": "190", "validity_years": "2", "valid_from": "2099-02-30"}
    page = page.form("Prix HT").fill(**typed).submit(expect=200)
    assert page.error_for("price_ht") == "Écrivez un montant en dinars, par exemple 350,000."
    assert page.error_for("vat_rate_bp") is not None
    assert page.error_for("certificate_type") == "Choisissez."
    assert page.error_for("valid_from") is not None
    form = page.form("Prix HT")
    assert (form["price_ht"], form["vat_rate_bp"]) == ("beaucoup", "190")
    page = form.fill(
        price_ht="360,500", vat_rate_bp="19,5", certificate_type="1", validity_years="3", valid_from="2099-02-28"
    ).submit()
    tariff = db.session.scalars(select(Tariff).where(Tariff.validity_years == 3)).one()
    assert (tariff.price_ht, tariff.vat_rate_bp) == (360_500, 1950)
    form = client.get(f"/admin/tarifs/{tariff.id}").form("Prix HT")
    assert (form["price_ht"], form["vat_rate_bp"], form["valid_from"]) == ("360,500", "19,5", "2099-02-28")


@pytest.mark.spec("REF-1")
def test_a_duplicate_is_told_beside_its_field_in_words(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/domaines/nouveau")
    page = page.form("Code").fill({"Code": "TTN", "Libellé": "x", "Ordre": "1"}).submit(expect=200)
    assert page.error_for("code") == "Une autre fiche porte déjà cette valeur."
    assert "UNIQUE" not in page.text


@pytest.mark.spec("REF-1")
def test_the_present_choice_of_an_enum_is_chosen_and_saving_keeps_it(sign_in: SignIn) -> None:
    reason = db.session.scalars(select(Reason).where(Reason.kind == ReasonKind.REJECTION).limit(1)).one()
    client = sign_in(Role.ADMINISTRATEUR)
    form = client.get(f"/admin/motifs/{reason.id}").form("En français")
    assert form["kind"] == "REJECTION"
    form.fill({"En français": "Autre texte"}).submit()
    again = db.session.get_one(Reason, reason.id)
    assert (again.kind, again.text_fr) == (ReasonKind.REJECTION, "Autre texte")


@pytest.mark.spec("REF-1", "SEC-1")
def test_forged_fields_and_codes_are_ignored(sign_in: SignIn) -> None:
    domain = db.session.scalars(select(UsageDomain).where(UsageDomain.code == "TTN")).one()
    client = sign_in(Role.ADMINISTRATEUR)
    form = client.get(f"/admin/domaines/{domain.id}").form("Libellé")
    form.fill({"Libellé": "Nouveau"}).force(code="PIRATE", id="77", state="PAYE").submit()
    again = db.session.get_one(UsageDomain, domain.id)
    assert (again.code, again.label) == ("TTN", "Nouveau")
    published = db.session.scalars(select(CguVersion)).one()
    page = client.get(f"/admin/conditions/{published.id}")
    assert "ne change plus" in page
    client.post(f"/admin/conditions/{published.id}", {"number": "9", "text_fr": "x", "seen": ""}, expect=200)
    assert db.session.get_one(CguVersion, published.id).number == published.number != "9"


@pytest.mark.spec("REF-1")
def test_a_deletion_asks_first(sign_in: SignIn) -> None:
    domain_id = db.session.scalars(select(UsageDomain.id).where(UsageDomain.code == "CNSS")).one()
    client = sign_in(Role.ADMINISTRATEUR)
    client.get(f"/admin/domaines/{domain_id}")
    client.post(f"/admin/domaines/{domain_id}/supprimer", {})
    assert db.session.get(UsageDomain, domain_id) is not None
    client.get(f"/admin/domaines/{domain_id}/supprimer").press("Supprimer")
    assert db.session.get(UsageDomain, domain_id) is None


@pytest.mark.spec("REF-1")
def test_two_tabs_on_one_row_lose_nothing(sign_in: SignIn) -> None:
    domain = db.session.scalars(select(UsageDomain).where(UsageDomain.code == "TTN")).one()
    one, two = sign_in(Role.ADMINISTRATEUR), sign_in(Role.ADMINISTRATEUR)
    first = one.get(f"/admin/domaines/{domain.id}").form("Libellé").fill({"Libellé": "Premier"})
    second = two.get(f"/admin/domaines/{domain.id}").form("Libellé").fill({"Libellé": "Second"})
    first.submit()
    page = second.submit(expect=200)
    assert any("a modifié cette fiche" in each for each in page.summary)
    assert page.form("Libellé")["Libellé"] == "Second"
    assert db.session.get_one(UsageDomain, domain.id).label == "Premier"


@pytest.mark.spec("REF-1", "APP-2")
def test_a_version_of_the_conditions_is_drafted_then_published(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/conditions/nouveau")
    page.form("Version").fill({"Version": "2.0", "Texte français": "# CGU\n\nTexte."}).submit()
    page = client.get("/admin/conditions/").click("2.0").press("Publier")
    assert page.flashes == ["La version 2.0 est en vigueur."]
    assert "Texte." in client.get("/conditions-generales")


@pytest.mark.spec("REF-1")
def test_the_official_list_of_post_offices_is_imported(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/postes/").click("Importer un fichier CSV")
    bad = ("postes.csv", b"code;nom_fr;gouvernorat;code_postal\nRP-X;Nouveau;Mars;1000\n")
    page = page.form("Fichier CSV").fill({"Fichier CSV": bad}).submit(expect=200)
    assert "Mars" in (page.error_for("file") or "")
    good = ("postes.csv", "code;nom_fr;gouvernorat;code_postal\nRP-X;Nouveau;Béja;9000\n".encode())
    page = page.form("Fichier CSV").fill({"Fichier CSV": good}).submit()
    assert page.flashes == ["Import terminé : 1 ajoutés, 0 modifiés, 0 inchangés, 0 désactivés."]
    assert "Nouveau" in client.get("/admin/postes/?search=RP-X")


@pytest.mark.spec("REF-1", "AUD-1")
def test_a_setting_is_explained_checked_and_noted(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/reglages/review.days")
    for wrong in ("", "sept", "0", "91", "-1", "7,5"):
        page = page.form("Délai de traitement").fill(value=wrong).submit(expect=200)
        assert page.error_for("value"), wrong
    page = page.form("Délai de traitement").fill(value="9").submit()
    assert "« Délai de traitement (jours) » est enregistré." in page.flashes
    client.get("/admin/reglages/inconnu", expect=404)
    page = client.get("/admin/journal/?action=change_setting")
    assert len(page.table(0)) == 1
    page = page.click(page.table(0)[0]["Date"])
    assert page.table(0) == [{"Donnée": "value", "Avant": "7", "Après": "9"}]


@pytest.mark.spec("REF-1", "REV-3", "AUD-1")
def test_trusted_authorities_are_pasted_and_read_back_by_name(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/reglages/signatures.roots")
    page = page.form("Contrats signés").fill(value="pas un certificat").submit(expect=200)
    assert "format PEM" in (page.error_for("value") or "")
    pasted = pki.make_ca("Autorité des contrats").pem
    page = page.form("Contrats signés").fill(value=pasted).submit()
    assert "Autorité des contrats, jusqu'au 01/01/2040" in page
    assert "BEGIN CERTIFICATE" not in page
    page = client.get("/admin/journal/?action=change_setting")
    page = page.click(page.table(0)[0]["Date"])
    assert "Autorité des contrats" in page.text
    assert "BEGIN CERTIFICATE" not in page.text


# ---- team, mail, jobs, journal


@pytest.mark.spec("TEA-1", "PPL-3")
def test_an_invitation_needs_a_second_person_page_by_page(sign_in: SignIn) -> None:
    administrator, supervisor = sign_in(Role.ADMINISTRATEUR), sign_in(Role.SUPERVISEUR)
    page = administrator.get("/admin/equipe/").click("Inviter")
    page = page.form("Prénom").fill({"Prénom": "Nadia", "Nom": "Khelifi"}).submit(expect=200)
    assert page.error_for("email") == "Écrivez l'adresse e-mail."
    values = {"E-mail professionnel": "nadia@exemple.tn", "Rôle": "Agent d'enregistrement"}
    page = page.form("Prénom").fill(values).submit()
    assert page.flashes == ["L'invitation partira dès qu'une seconde personne aura approuvé le rôle."]
    assert "Approuver" not in [button.get_text(strip=True) for button in page.soup.select("main button")]
    change = db.session.scalars(select(StaffRoleChange)).one()
    page = administrator.post(f"/admin/equipe/roles/{change.id}", {"decision": "approuver"})
    assert "seconde personne" in page.flashes[0]
    supervisor.get("/admin/equipe/inviter", expect=403)
    page = supervisor.get("/admin/equipe/").press("Approuver")
    assert page.flashes == ["Le rôle est approuvé."]
    mail = db.session.scalars(select(OutboxMail)).one()
    assert mail.recipient == "nadia@exemple.tn"
    assert "Khelifi" in administrator.get("/admin/equipe/")


@pytest.mark.spec("TEA-1")
def test_an_account_is_closed_and_opened_again(sign_in: SignIn) -> None:
    agent = sign_in(Role.AGENT)
    agent.get("/admin/demandes/")
    person = db.session.scalars(select(User).where(User.email.startswith("agent"))).one()
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get(f"/admin/equipe/{person.id}").press("Désactiver le compte")
    assert "sessions sont fermées" in page.flashes[0]
    assert agent.get("/admin/demandes/").path == "/"
    page = page.press("Réactiver le compte")
    assert page.flashes == ["Le compte est réactivé."]
    stranger = factories.applicant()
    client.get(f"/admin/equipe/{stranger.id}", expect=404)
    client.get("/admin/equipe/")
    client.post(f"/admin/equipe/{stranger.id}/desactiver", {}, expect=404)


@pytest.mark.spec("MAI-1", "SEC-6")
def test_dead_letters_are_sent_again_and_no_body_is_ever_shown(sign_in: SignIn) -> None:
    moment = clock.now()
    mail = OutboxMail(
        message_id="<a@b>",
        kind="staff_invited",
        recipient="x@exemple.tn",
        subject="Votre accès",
        text="mot de passe : abcd-secret",
        html="abcd-secret",
        secret=True,
        created_at=moment,
        due_at=moment,
        attempts=11,
        dead_at=moment,
        last_error="550 no such user",
    )
    db.session.add(mail)
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/courriels/?onglet=non-remis")
    assert "550 no such user" in page
    assert b"abcd-secret" not in page.data
    page = page.press("Renvoyer")
    assert page.flashes == ["Le courriel à x@exemple.tn repart dans quelques secondes."]
    again = db.session.get_one(OutboxMail, mail.id)
    assert (again.dead_at, again.attempts) == (None, 0)
    client.post("/admin/courriels/999/renvoyer", {}, expect=404)


@pytest.mark.spec("MAI-1")
def test_all_dead_letters_of_the_list_as_it_is_searched_are_sent_again_at_once(sign_in: SignIn) -> None:
    moment = clock.now()
    for number, dead in enumerate((True, True, True, False)):
        db.session.add(
            OutboxMail(
                message_id=f"<{number}@b>",
                kind="password_changed",
                recipient=f"{'rim' if number < 2 else 'ali'}{number}@exemple.tn",
                subject="Votre mot de passe",
                text="x",
                html="x",
                created_at=moment,
                due_at=moment,
                attempts=11,
                dead_at=moment if dead else None,
                sent_at=None if dead else moment,
            )
        )
    client = sign_in(Role.ADMINISTRATEUR)
    assert "Renvoyer tous" not in client.get("/admin/courriels/")
    page = client.get("/admin/courriels/?onglet=non-remis&search=rim").press(
        "Renvoyer tous les courriels de cette liste"
    )
    assert page.flashes == ["2 courriels repartent dans quelques secondes."]
    assert page.path == "/admin/courriels/"
    left = db.session.scalars(select(OutboxMail.recipient).where(OutboxMail.dead_at.is_not(None))).all()
    assert left == ["ali2@exemple.tn"]
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "resend_mails")).one()
    assert len((entry.after or {})["mails"]) == 2


@pytest.mark.spec("JOB-2")
def test_jobs_are_shown_and_run_by_hand(sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/taches/")
    assert {row["Résultat"] for row in page.table(0)} == {"Jamais lancée"}
    page = client.post("/admin/taches/trim_runs/lancer", {})
    client.post("/admin/taches/trim_runs/lancer", {})  # a double click asks once
    assert [row["Résultat"] for row in page.table(0)] == ["Demandée"]
    assert client.get("/admin/taches/trim_runs").table(0)[0]["Durée"] == ""
    ((run_id, name),) = job_runs.claim_asked()
    jobs.run_asked(run_id, name)
    row = next(row for row in client.get("/admin/taches/").table(0) if "Raccourcir" in row["Tâche"])
    assert row["Résultat"].startswith("Réussie")
    assert row["Dernier passage"]
    assert row["Prochain passage"]
    client.get("/admin/taches/trim_runs")
    client.get("/admin/taches/rien", expect=404)
    client.get("/admin/taches/")
    client.post("/admin/taches/rien/lancer", {}, expect=404)
    assert db.session.scalar(select(func.count()).where(AuditEntry.action == "run_job")) == 2


@pytest.mark.spec("JOB-2")
def test_a_failure_says_why_in_red_and_a_silent_scheduler_is_told(sign_in: SignIn, travel: Any) -> None:
    failed = job_runs.start_run("send_mails", "2026-11-17T10:00:00Z")
    assert failed is not None
    job_runs.finish_run(failed, error="OSError: disque plein")
    client = sign_in(Role.ADMINISTRATEUR)
    page = client.get("/admin/taches/")
    assert "1 tâche en échec ou interrompue" in page
    assert [tag.get_text() for tag in page.select("td .badge.bad, td .fault-text")] == [
        "Échec",
        "OSError: disque plein",
    ]
    assert "L'ordonnanceur ne tourne pas" not in page
    travel(minutes=3)
    assert "L'ordonnanceur ne tourne pas" in client.get("/admin/taches/")


@pytest.mark.spec("AUD-1")
def test_the_journal_is_found_by_person_object_and_day_and_never_changed(app: Flask, sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATEUR)
    domain = db.session.scalars(select(UsageDomain).where(UsageDomain.code == "TTN")).one()
    client.get(f"/admin/domaines/{domain.id}").form("Libellé").fill({"Libellé": "TradeNet"}).submit()
    manager = sign_in(Role.RESPONSABLE)
    today = clock.today().isoformat()
    page = manager.get(f"/admin/journal/?objet=usage_domains&numero={domain.id}&depuis={today}&jusqu={today}")
    (row,) = page.table(0)
    assert row["Depuis"] == "127.0.0.1"
    page = page.click(row["Date"])
    assert page.table(0) == [{"Donnée": "label", "Avant": "TTN", "Après": "TradeNet"}]
    assert manager.get("/admin/journal/?jusqu=2020-01-01").soup.select("main table") == []
    writers = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("journal.") and "POST" in (rule.methods or ())
    ]
    assert writers == []


@pytest.mark.spec("QUE-1")
def test_the_first_page_counts_what_waits_and_links_to_it(sign_in: SignIn) -> None:
    organisation = factories.organisation()
    for _n in range(3):
        factories.certificate_request(organisation, TAKEN_CHARGE)
    client = sign_in(Role.AGENT)
    page = client.get("/admin/")
    assert "3 À prendre" in page
    page = page.click("3 À prendre")
    assert len(page.table(0)) == 3
    menu = [a.get_text(" ", strip=True).rstrip("0123456789 ") for a in page.soup.select("nav.side a")]
    assert "Motifs" in menu
    assert not {"Tarifs", "Réglages"} & set(menu)
    assert {"Bureau", "Demandes", "Organisations", "Certificats", "Paiements", "Factures"} <= set(menu)
    page = page.form("/langue").submit("Français") if page.soup.select_one("form[action='/langue']") else page
    assert page.press("Se déconnecter").path == "/"
