"""Collection: the holder confirms it, an agent records it, a file says it of many (CRT-2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, NotFound
from app.extensions import db
from app.models import Certificate, CertificateRequest, HistoryEntry, OutboxMail
from app.services import bulk, collecting
from app.services.bulk_files import lines_of_collection
from app.services.bulk_preview import Plan, forecast, new_token
from app.services.collection_file import read_collection_file
from app.states import CertificateState, RequestState
from tests import factories as f
from tests.support import reviewing as r

pytestmark = pytest.mark.spec("CRT-2")


def sent(
    number: str = "RP123456789TN", *, days: int = 3, state: CertificateState = CertificateState.EXPEDIE
) -> CertificateRequest:
    request = r.request_file(RequestState.EXPEDIEE, approved=True)
    then = clock.now() - timedelta(days=days)
    r.certificate(request, state=state, tracking_number=number, dispatched_at=then)
    return request


def certificate_of(request: CertificateRequest) -> Certificate:
    found = db.session.scalars(select(Certificate).where(Certificate.request_id == request.id)).one()
    db.session.refresh(found)
    return found


def mails() -> list[OutboxMail]:
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "certificate_collected")))


def test_the_holder_confirms_and_nobody_is_mailed(app: Flask) -> None:
    request = sent()
    collecting.confirm_collection(request.id, actor=f.actor(request.applicant), expected_version=1)
    kept = certificate_of(request)
    assert kept.state is CertificateState.RETIRE
    assert kept.collected_at is not None
    assert abs(kept.collected_at - clock.now()) < timedelta(minutes=1)
    assert mails() == []
    assert db.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "certificate_collect")).one()


@pytest.mark.spec("MAI-1")
def test_an_agent_records_a_day_and_the_holder_is_told(app: Flask) -> None:
    request = sent()
    yesterday = clock.today() - timedelta(days=1)
    collecting.confirm_collection(request.id, actor=r.agent(), collected_on=yesterday)
    kept = certificate_of(request)
    assert kept.collected_at is not None
    assert clock.local(kept.collected_at).date() == yesterday
    (mail,) = mails()
    assert mail.recipient == request.applicant.email
    assert yesterday.strftime("%d/%m/%Y") in mail.text
    assert request.identity_number not in mail.text


def test_the_day_of_dispatch_is_never_before_the_dispatch_itself(app: Flask) -> None:
    request = sent(days=1)
    day = clock.local(clock.now() - timedelta(days=1)).date()
    kept = collecting.confirm_collection(request.id, actor=r.agent(), collected_on=day)
    assert kept.collected_at is not None
    assert kept.dispatched_at is not None
    assert kept.collected_at >= kept.dispatched_at


def test_wrong_days_states_and_hands_change_nothing(app: Flask) -> None:
    request, agent = sent(), r.agent()
    before = r.traces(request)
    for day, why in ((1, "pas encore venu"), (-4, "n'a été expédié que le")):
        with pytest.raises(DomainError, match=why) as refusal:
            collecting.confirm_collection(request.id, actor=agent, collected_on=clock.today() + timedelta(days=day))
        assert refusal.value.field == "collected_on"
    with pytest.raises(Forbidden):
        collecting.confirm_collection(request.id, actor=f.actor(f.administrator(request.organisation)))
    with pytest.raises(NotFound):
        collecting.confirm_collection(request.id, actor=f.actor(f.applicant()))
    assert r.traces(request) == before
    generated = r.request_file(generated=True)
    with pytest.raises(IllegalTransition):
        collecting.confirm_collection(generated.id, actor=agent)
    with pytest.raises(NotFound):
        collecting.confirm_collection(r.request_file(approved=True).id, actor=agent)
    collecting.confirm_collection(request.id, actor=agent)
    with pytest.raises(IllegalTransition, match="déjà noté, le"):
        collecting.confirm_collection(request.id, actor=f.actor(request.applicant))
    revoked = sent(state=CertificateState.REVOQUE)
    with pytest.raises(IllegalTransition, match="Révoqué"):
        collecting.confirm_collection(revoked.id, actor=agent)


@pytest.mark.spec("QUE-4")
def test_a_file_of_parcels_is_recorded_line_by_line(app: Flask) -> None:
    agent = r.agent()
    one, two, three = (sent(f"RP00000000{n}TN") for n in (1, 2, 5))
    shared = [sent("RP000000003TN"), sent("RP000000003TN")]
    done = sent("RP000000004TN", state=CertificateState.RETIRE)
    unsent = r.request_file(generated=True)
    today, soon = clock.today().strftime("%d/%m/%Y"), (clock.today() + timedelta(days=2)).isoformat()
    text = (
        "N° de suivi;Référence;Retiré le\n"
        f"RP000000001TN;;{today}\n"
        f";{two.reference};{soon}\n"
        "RP000000003TN;;\n"
        f"RP000000002TN;{three.reference};\n"
        f";{done.reference};\n"
        f";{unsent.reference};\n"
        "RP999999999TN;;\n"
        ";DEM-2099-000001;\n"
        ";;29/11/2026\n"
        f";{shared[0].reference};hier\n"
        f"rp 000 000 003 tn;{shared[1].reference};\n"
    )
    lines = lines_of_collection(read_collection_file(text.encode("cp1252")), agent)
    plan = Plan("collect", lines, token=new_token())
    shown = forecast(plan, agent)
    said = [row.refused for row in shown.rows]
    for refused, wanted in zip(
        said,
        ["", "pas encore venu", "plusieurs demandes", f"pas de {three.reference}", "déjà noté", "pas encore expédié",
         "Aucun certificat", "Aucune demande", "la référence manque", "« hier » n'est pas une date", ""],
        strict=True,
    ):  # fmt: skip
        assert wanted in refused
        assert bool(wanted) is bool(refused)
    assert (shown.mails, shown.people) == (2, 2)
    token = bulk.start_run("collect", lines, token=plan.token, actor=agent, data={})
    bulk.work_run(token)
    collected = [each for each in (one, two, three, *shared) if certificate_of(each).state is CertificateState.RETIRE]
    assert collected == [one, shared[1]]
    assert len(mails()) == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "vide"),
        (b"\xef\xbb\xbf \r\n", "vide"),
        (b"reference;date\n", "aucun colis"),
        (b"nom;prenom\nBen Salah;Sonia\n", "Il faut une colonne"),
        (b"PK\x03\x04", "classeur"),
        (b"reference\nDEM-2026-\x00001\n", "CSV lisible"),
        (b"reference\n" + b"DEM-2026-000001\n" * 501, "500 au plus"),
        (b"x" * (1024 * 1024 + 1), "trop grand"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(app: Flask, data: bytes, why: str) -> None:
    with pytest.raises(DomainError, match=why) as refusal:
        read_collection_file(data)
    assert refusal.value.field == "file"


def test_files_of_one_column_mixed_separators_and_repeated_lines(app: Flask) -> None:
    (line,) = read_collection_file(b"RP123456789TN\n")
    assert (line.tracking_number, line.refused) == ("RP123456789TN", "")
    (line,) = read_collection_file(b"DEM-2026-000001\r\n")
    assert line.reference == "DEM-2026-000001"
    lines = read_collection_file(
        b"date,tracking_number\n29-11-2026 10:42,RP123456789TN\n2026-11-29;RP123456780TN\n"
        b"31/02/2026,RP123456781TN\n,RP123456789TN\n,=1+1\n"
    )
    assert lines[0].collected_on is not None
    assert [bool(each.refused) for each in lines] == [False, True, True, True, True]
    assert "même séparateur" in lines[1].refused
    assert "n'est pas une date" in lines[2].refused
    assert "ligne 2" in lines[3].refused
