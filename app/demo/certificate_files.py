"""Files as the authority would give them back, to try « Enregistrer des certificats » with (CRT-1, OPS-1)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path

from app import clock
from app.demo.papers_certificates import demo_authority_certificate, self_signed_certificate
from app.demo.seed import refuse_in_production
from app.extensions import db
from app.inspection.roots import read_roots
from app.models import Setting
from app.queries.awaiting import Person, awaiting_certificate
from app.services.unit_of_work import use_case

ISSUERS = "certificates.issuers"


def write_certificate_files(folder: Path) -> list[tuple[Path, str]]:
    """A bundle for every request that waits for its certificate, and files that must be refused; what each is.

    Their authority is added to those of the settings: made now, its key is gone when this process ends.
    Raises DomainError in production.
    """
    refuse_in_production()
    folder.mkdir(parents=True, exist_ok=True)
    waiting = awaiting_certificate()
    moment = clock.now()
    old = moment - timedelta(days=800)
    stranger = "Personne Inconnue"
    files = {
        "lot.pem": (b"".join(_issued(person) for person in waiting), f"{len(waiting)} awaited certificates"),
        "expire.pem": (_of(stranger, "09999999", old, 730), "expired"),
        "inconnu.pem": (_of(stranger, "09999999", moment, 730), "for nobody who waits"),
        "rien.pem": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged"),
    }
    _trust_issuer()
    written = []
    for name, (data, what) in files.items():
        if data:
            (folder / name).write_bytes(data)
            written.append((folder / name, what))
    return written


def _issued(person: Person) -> bytes:
    return _of(
        person.common_name, person.identity_number, clock.now(), 365 * person.validity_years, person.organisation
    )


def _of(name: str, number: str, start: datetime, days: int, organisation: str = "Exemple") -> bytes:
    return self_signed_certificate(
        name, number, organisation, secrets.randbits(120) | 1 << 119, start, start + timedelta(days=days)
    )


@use_case
def _trust_issuer() -> None:
    row = db.session.get(Setting, ISSUERS)
    if row is None:
        row = Setting(key=ISSUERS, value="")
        db.session.add(row)
    text = str(row.value) + demo_authority_certificate(clock.now() - timedelta(days=900)).decode()
    row.value, row.updated_at = "".join(root.pem for root in read_roots(text)), clock.now()
