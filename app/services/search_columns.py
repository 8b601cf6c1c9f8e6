"""What the lists search in: folded words, and names as they sound (QUE-2).

``search_text`` holds names and identifiers folded, ``search_keys`` one key a word of each name, equal for the
spellings that people take for one name, in either script. Whoever writes a name calls one of these; ``refill`` does
it for rows that are there already (``flask search refill``, and ``flask prepare`` for rows without keys).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.extensions import db
from app.identifiers import fold
from app.models import CertificateRequest, LegalRepresentative, Organisation, RoleGrant, User
from app.names import sound_keys
from app.permissions import Role
from app.services.unit_of_work import use_case

BATCH = 1_000


def keys_of(*names: str | None) -> str:
    """The keys of all these names, each once; a name of several words also as if written in one.

    « Jean-Pierre » is found as « Jeanpierre » too.
    """
    found: dict[str, None] = {}
    for name in names:
        if not name:
            continue
        found.update(dict.fromkeys(sound_keys(name)))
        words = fold(name).split()
        if len(words) > 1:
            for pair in pairwise(words):
                found.update(dict.fromkeys(sound_keys("".join(pair))))
    return " ".join(found)


def fill_request(request: CertificateRequest, organisation: Organisation) -> None:
    """Both columns of a request. Called wherever its person is written."""
    request.search_text = request_text(request, organisation)
    request.search_keys = keys_of(
        request.first_name,
        request.last_name,
        request.first_name_ar,
        request.last_name_ar,
        organisation.legal_name,
        organisation.legal_name_ar,
        organisation.trade_name,
    )


def request_text(request: CertificateRequest, organisation: Organisation) -> str:
    """What a search finds a request by, folded."""
    return fold(
        " ".join(
            (
                request.reference,
                request.first_name,
                request.last_name,
                request.first_name_ar,
                request.last_name_ar,
                request.identity_number,
                request.email.replace("@", " "),
                request.mobile,
                organisation.legal_name,
                organisation.tax_id or organisation.register_number or "",
            )
        )
    )


def fill_organisation(organisation: Organisation, administrators: Iterable[User] = ()) -> None:
    """Both columns of an organisation: its names and numbers, its representative, its administrators."""
    person = organisation.representative
    names = [organisation.legal_name, organisation.legal_name_ar, organisation.trade_name]
    parts = [organisation.reference, organisation.tax_id or "", organisation.register_number or "", *names]
    people: tuple[LegalRepresentative | User, ...] = (person, *administrators)
    for one in people:
        own = [one.last_name, one.first_name, one.last_name_ar, one.first_name_ar]
        parts += [*own, one.email or ""]
        names += own
    organisation.search_text = " ".join(dict.fromkeys(fold(" ".join(filter(None, parts))).split()))
    organisation.search_keys = keys_of(*names)


def refill_organisation(organisation: Organisation) -> None:
    """The same, its administrators read from the database. Inside a use case."""
    fill_organisation(organisation, _administrators([organisation.id]).get(organisation.id, []))


def refill_requests_of(organisation: Organisation) -> None:
    """Its requests are found by its new name. Inside the use case that holds the organisation."""
    last = 0
    while True:
        rows = db.session.scalars(
            select(CertificateRequest)
            .where(CertificateRequest.organisation_id == organisation.id, CertificateRequest.id > last)
            .order_by(CertificateRequest.id)
            .limit(BATCH)
            .with_for_update(of=CertificateRequest)
        ).all()
        for row in rows:
            fill_request(row, organisation)
        if len(rows) < BATCH:
            return
        last = rows[-1].id
        db.session.flush()


def refill(*, every: bool = False, say: Callable[[str], None] = lambda _line: None) -> int:
    """Fill the columns of rows without keys (``every``: of all rows), a thousand a transaction; how many rows."""
    done = 0
    for batch in (_refill_organisations, _refill_requests):
        last = 0
        while True:
            count, last = batch(last, every)
            done += count
            if not last:
                break
            if done % 50_000 < BATCH:
                say(f"{done} rows")
    return done


@use_case
def _refill_organisations(last: int, every: bool) -> tuple[int, int]:
    statement = select(Organisation).where(Organisation.id > last).options(selectinload(Organisation.representative))
    if not every:
        statement = statement.where(Organisation.search_keys == "")
    rows = db.session.scalars(statement.order_by(Organisation.id).limit(BATCH).with_for_update(of=Organisation)).all()
    people = _administrators([row.id for row in rows])
    for row in rows:
        fill_organisation(row, people.get(row.id, []))
    return len(rows), rows[-1].id if len(rows) == BATCH else 0


@use_case
def _refill_requests(last: int, every: bool) -> tuple[int, int]:
    statement = select(CertificateRequest).where(CertificateRequest.id > last)
    if not every:
        statement = statement.where(CertificateRequest.search_keys == "")
    statement = statement.options(selectinload(CertificateRequest.organisation)).order_by(CertificateRequest.id)
    rows = db.session.scalars(statement.limit(BATCH).with_for_update(of=CertificateRequest)).all()
    for row in rows:
        fill_request(row, row.organisation)
    return len(rows), rows[-1].id if len(rows) == BATCH else 0


def _administrators(ids: list[int]) -> dict[int, list[User]]:
    found: dict[int, list[User]] = {}
    for organisation_id, user in db.session.execute(
        select(RoleGrant.organisation_id, User)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.organisation_id.in_(ids),
            RoleGrant.role == Role.ADMIN_ORGANISATION,
            RoleGrant.revoked_at.is_(None),
        )
        .order_by(RoleGrant.id)
    ):
        found.setdefault(organisation_id or 0, []).append(user)
    return found
