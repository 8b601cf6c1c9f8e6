"""Bulk actions and absences from the desk (QUE-3, QUE-4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import AuditEntry, BulkRun, CertificateRequest, OutboxMail, StaffAbsence, User
from app.permissions import Role
from app.services import bulk
from app.states import OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.pages import CheckingClient
from tests.support import reviewing as r

pytestmark = pytest.mark.spec("QUE-4")


@pytest.fixture
def agent(client: CheckingClient) -> User:
    user = f.staff(first_name="Hatem", last_name="Zouari")
    client.login(user.email, f.PASSWORD)
    return user


def runs() -> int:
    return db.session.scalar(select(func.count(BulkRun.id))) or 0


def chosen(page: Any, action: str, *requests: CertificateRequest, choix: str = "") -> Any:
    keys = [f"{each.id}.{each.version}.{each.assigned_to_id or 0}" for each in requests]
    return page.form("bulk").force(row=keys, action=action, choix=choix).submit()


def test_nothing_is_done_before_confirm_and_a_double_click_makes_one_run(client: CheckingClient, agent: User) -> None:
    good = r.request_file(approved=False)
    bad = r.request_file(of=r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER))
    page = chosen(client.get("/admin/demandes/"), "approve", good, bad)
    assert page.h1 == "Approuver : à confirmer"
    assert "l'organisation n'est pas vérifiée" in page
    assert "3 courriels" in page
    assert runs() == 0
    assert db.session.get_one(CertificateRequest, good.id).approved_at is None

    confirm = page.form("Confirmer")
    result, again = confirm.submit(), confirm.submit()

    assert runs() == 1
    assert result.path == again.path
    assert db.session.get_one(CertificateRequest, good.id).approved_at is not None
    rows = result.table(0)
    assert [row["Résultat"] for row in rows] == ["Faite", "Refusée"]
    only = client.get(f"{result.path}?lignes=refusees")
    assert [row["Référence"] for row in only.table(0)] == [bad.reference]
    answer = client.get(f"{result.path}/resultat.csv", fragment=True)
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert bad.reference in answer.data.decode()
    noted = db.session.query(AuditEntry).filter_by(action="export", subject_id="lots").one()
    assert noted.after is not None
    assert noted.after["rows"] == 2  # a file of people's requests left: EXP-3, AUD-1


def test_a_run_is_its_authors_and_the_supervisors(
    client: CheckingClient, agent: User, new_client: Callable[[], CheckingClient]
) -> None:
    request = r.request_file()
    path = chosen(client.get("/admin/demandes/"), "take", request).form("Confirmer").submit().path
    assert "Prendre" in client.get("/admin/lots/")
    other, supervisor = new_client(), new_client()
    other.login(f.staff().email, f.PASSWORD)
    supervisor.login(f.staff(Role.SUPERVISEUR).email, f.PASSWORD)
    other.get(path, expect=404)
    other.get(f"{path}/resultat.csv", expect=404)
    assert "Prendre" not in other.get("/admin/lots/?onglet=tous").text.split("Actions en masse")[-1]
    assert supervisor.get(path).status == 200
    assert supervisor.get("/admin/lots/?onglet=tous").table(0)[0]["Par"] == "Hatem Zouari"


def test_a_large_run_shows_how_far_it_got(client: CheckingClient, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    requests = [r.request_file() for _n in range(2)]
    page = chosen(client.get("/admin/demandes/"), "take", *requests).form("Confirmer").submit()
    assert "Avancement : 0 sur 2" in page
    bulk.work_open_runs()
    page = client.get(page.path)
    assert "Avancement" not in page
    assert [row["Résultat"] for row in page.table(0)] == ["Faite", "Faite"]


def test_all_rows_of_the_filter_and_of_the_page_can_be_chosen(client: CheckingClient, agent: User) -> None:
    organisation = r.organisation_file()
    requests = [r.request_file(of=organisation) for _n in range(3)]
    other = r.request_file(RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    page = client.get("/admin/demandes/").form("bulk").force(action="take", choix="page").submit()
    assert all(each.reference in page for each in requests)
    page = client.get("/admin/demandes/").form("bulk").force(action="take", choix="filtre").submit()
    assert all(each.reference in page for each in requests)
    assert other.reference not in page
    one = client.get(f"/admin/demandes/?search={requests[0].reference}")
    page = one.form("bulk").force(action="take", choix="filtre").submit()
    assert requests[0].reference in page
    assert requests[1].reference not in page


@pytest.mark.parametrize(
    "sent", [{}, {"action": "take"}, {"action": "reject", "row": "1.1.0"}, {"row": "x.y.z", "action": "take"}]
)
def test_nothing_chosen_leads_back_with_a_sentence(client: CheckingClient, agent: User, sent: dict[str, str]) -> None:
    r.request_file()
    page = client.get("/admin/demandes/?onglet=toutes").form("bulk").force(**sent).submit()
    assert page.path == "/admin/demandes/"
    assert page.flashes
    assert runs() == 0


def test_a_plan_forged_or_of_somebody_else_confirms_nothing(client: CheckingClient, agent: User) -> None:
    r.request_file()
    page = client.post("/admin/lots/confirmer", {"plan": "forged"}, csrf=True)
    assert "plus valable" in page
    assert runs() == 0


def test_files_go_to_a_colleague_with_a_note(client: CheckingClient, agent: User) -> None:
    colleague = f.staff(first_name="Olfa", last_name="Karray")
    away = f.staff(first_name="Sami", last_name="Jaziri")
    db.session.add(
        StaffAbsence(user_id=away.id, from_on=clock.today(), until_on=clock.today(), recorded_at=clock.now())
    )
    request = r.request_file(assigned_to_id=agent.id)
    page = chosen(client.get("/admin/demandes/?onglet=les-miennes"), "hand_over", request)
    assert "Sami Jaziri (absent jusqu'au" in page
    assert page.form("Continuer").submit().error_for("to_user_id")
    absent = page.form("Continuer").fill(to_user_id=str(away.id)).submit().form("Confirmer").submit()
    assert "Sami Jaziri est absent" in absent
    page = page.form("Continuer").fill(to_user_id=str(colleague.id), note="Voir le contrat").submit()
    assert "Olfa Karray" in page
    page.form("Confirmer").submit()
    assert db.session.get_one(CertificateRequest, request.id).assigned_to_id == colleague.id
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == colleague.email)).one()
    assert request.reference in mail.text
    assert request.last_name not in mail.text


def test_the_same_document_is_asked_with_its_reason_in_both_languages(client: CheckingClient, agent: User) -> None:
    request = r.request_file()
    page = chosen(client.get("/admin/demandes/"), "ask_for_documents", request)
    refused = page.form("Continuer").fill(kind="OTHER").submit()
    assert refused.error_for("reason")
    page = page.form("Continuer").fill(kind="OTHER", reason="Joignez le mandat.", reason_ar="أرفقوا التفويض.").submit()
    assert "Joignez le mandat." in page
    page.form("Confirmer").submit()
    state = db.session.get_one(CertificateRequest, request.id).state
    assert state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS


def test_tokens_are_dispatched_from_a_file(client: CheckingClient, agent: User) -> None:
    ready = r.request_file(generated=True)
    page = client.get("/admin/lots/expedier")
    assert (
        page.form("Lire le fichier").fill(file=("vide.csv", b"")).submit().error_for("file") == "Ce fichier est vide."
    )
    text = f"reference;tracking_number\n{ready.reference};EE123456789TN\nDEM-2099-000001;EE123456780TN\n"
    page = page.form("Lire le fichier").fill(file=("suivi.csv", text.encode())).submit()
    assert "Aucune demande n'a cette référence." in page
    assert db.session.get_one(CertificateRequest, ready.id).state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
    page = page.form("Confirmer").submit()
    assert db.session.get_one(CertificateRequest, ready.id).state is RequestState.EXPEDIEE
    assert {row["Résultat"] for row in page.table(0)} == {"Faite", "Refusée"}


def test_the_selection_is_exported_with_the_lists_columns(client: CheckingClient, agent: User) -> None:
    one, other = r.request_file(), r.request_file()
    form = client.get("/admin/demandes/").form("bulk")
    values = {"liste": "", "kind": "csv", "row": f"{one.id}.1.0"}
    answer = client.post("/admin/demandes/selection", values, csrf=True, fragment=True)
    text = answer.data.decode("utf-8-sig")
    assert one.reference in text
    assert other.reference not in text
    assert text.splitlines()[0].startswith('"Référence";"Commande"')
    assert form is not None


@pytest.mark.spec("QUE-3")
def test_an_agent_says_when_they_are_away_and_takes_it_back(client: CheckingClient, agent: User) -> None:
    today = clock.today()
    page = client.get("/admin/absences/")
    assert page.h1 == "Mes absences"
    wrong = (
        page.form("Noter l’absence")
        .fill(from_on=today.isoformat(), until_on=(today - timedelta(days=1)).isoformat())
        .submit()
    )
    assert wrong.error_for("until_on") == "Le dernier jour vient avant le premier."
    page = (
        page.form("Noter l’absence")
        .fill(from_on=today.isoformat(), until_on=(today + timedelta(days=3)).isoformat())
        .submit()
    )
    assert page.table(0)[0]["Personne"] == "Hatem Zouari"
    other = f.staff()
    forged = page.form("Noter l’absence").force(
        user_id=str(other.id), from_on=today.isoformat(), until_on=today.isoformat()
    )
    forged.submit()
    assert db.session.scalar(select(func.count(StaffAbsence.id)).where(StaffAbsence.user_id == other.id)) == 0
    page = page.press("Retirer")
    assert "Aucune absence notée" in page


@pytest.mark.spec("QUE-3")
def test_a_supervisor_shares_out_the_files_of_somebody_absent(client: CheckingClient) -> None:
    supervisor = f.staff(Role.SUPERVISEUR, first_name="Hajer", last_name="Belhadj")
    away = f.staff(first_name="Sami", last_name="Jaziri")
    present = f.staff(first_name="Olfa", last_name="Karray")
    today = clock.today()
    db.session.add(StaffAbsence(user_id=away.id, from_on=today, until_on=today, recorded_at=clock.now()))
    requests = [r.request_file(assigned_to_id=away.id) for _n in range(4)]
    client.login(supervisor.email, f.PASSWORD)
    home = client.get("/admin/")
    assert f"4 dossiers chez Sami Jaziri, absent jusqu’au {today.strftime('%d/%m/%Y')}." in home.text.replace(
        "\u00a0", " "
    )
    page = home.click("Répartir ces dossiers")
    assert "4 demandes" in page
    page = page.form("Continuer").fill(how="shared").submit()
    assert page.h1 == "Confier à un collègue : à confirmer"
    page.form("Confirmer").submit()
    holders = [db.session.get_one(CertificateRequest, each.id).assigned_to_id for each in requests]
    assert sorted(holders) == sorted([supervisor.id, present.id] * 2)
    assert "chez Sami Jaziri" not in client.get("/admin/")
