"""``load()``: a large realistic data set through bulk insert, for load tests (8-interfaces.md, SPD-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.demo.load_parts import Batch, Catalogue, Firm, Price, tax_id_of
from app.demo.load_rows import Maker
from app.demo.load_sink import hold_still, last_key, push_sequence, refresh_statistics, write_rows
from app.demo.seed import refuse_in_production
from app.errors import DomainError
from app.extensions import Base, db
from app.models import (
    CertificateType,
    CguVersion,
    Counter,
    Locality,
    Organisation,
    PostOffice,
    RoleGrant,
    UsageDomain,
)
from app.money import vat_half_up
from app.permissions import SYSTEM, Role
from app.queries import reference
from app.services import audit, settings
from app.services.links import public_url
from app.services.unit_of_work import use_case

# Parents before children.
TABLES = (
    "organisations", "legal_representatives", "users", "role_grants", "orders", "certificate_requests",
    "request_domains", "payments", "payment_lines", "invoices", "certificates", "history_entries",
)  # fmt: skip
KEYED = tuple(name for name in TABLES if name != "request_domains")
BATCH = 5_000
"""Requests (or organisations) a transaction: about 60 MB of rows."""
PERIOD = timedelta(days=730)
FIRST_TAX_NUMBER = 2_000_000
ORDER_SIZES = (1, 1, 1, 1, 2, 2, 3, 4, 6, 12)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of each table were written."""

    rows: dict[str, int]


def is_empty() -> bool:
    """Does the database hold no organisation yet?"""
    return db.session.scalar(select(Organisation.id).limit(1)) is None


def load(requests: int, organisations: int, say: Say = lambda _line: None) -> Loaded:
    """Write that many requests over that many organisations, with their people, orders, payments and invoices.

    Each batch is a transaction that keeps other writers away while it hands out keys, references and invoice
    numbers, which continue the counters without a gap. Raises DomainError in production.
    """
    refuse_in_production()
    if requests < 1 or organisations < 1:
        raise DomainError("Il faut au moins une demande et une organisation.")
    # Another seed at each run on the same database: tokens and serial numbers never come twice.
    latest = db.session.scalar(select(func.max(Organisation.id))) or 0
    maker = Maker(_catalogue(), seed=f"{latest} {requests} {organisations}")
    start = maker.catalogue.present - PERIOD
    written: dict[str, int] = dict.fromkeys(TABLES, 0)
    firms: list[Firm] = []
    while len(firms) < organisations:
        count = min(BATCH, organisations - len(firms))
        firms += _write_firms(maker, count, len(firms) / organisations, start, written)
        say(f"{len(firms)} organisations")
    done, step = 0, PERIOD / requests
    while done < requests:
        done += _write_orders(maker, firms, min(BATCH, requests - done), start + step * done, step, written)
        say(f"{done} requests")
    _finish(written)
    return Loaded(written)


@use_case
def _write_firms(maker: Maker, count: int, share: float, start: datetime, written: dict[str, int]) -> list[Firm]:
    connection = _held()
    batch = _batch(connection)
    # They registered during the months before the first order.
    moment = start - timedelta(days=90) + timedelta(days=89) * share
    numbers = _free_numbers(count)
    firms = [maker.firm(batch, next(numbers), moment + timedelta(seconds=place)) for place in range(count)]
    _write(connection, batch, written)
    return firms


@use_case
def _write_orders(
    maker: Maker, firms: list[Firm], count: int, start: datetime, step: timedelta, written: dict[str, int]
) -> int:
    connection = _held()
    batch = _batch(connection)
    done = 0
    while done < count:
        size = min(maker.chance.choice(ORDER_SIZES), count - done)
        maker.order(batch, maker.chance.choice(firms), size, start + step * done)
        done += size
    _write(connection, batch, written)
    return done


@use_case
def _finish(written: dict[str, int]) -> None:
    refresh_statistics(db.session.connection())
    audit.record(SYSTEM, "demo_load", ("demo", "load"), after=written)


def _held() -> Connection:
    connection = db.session.connection()
    hold_still(connection, (Base.metadata.tables[name] for name in TABLES))
    return connection


def _batch(connection: Connection) -> Batch:
    """Start from the keys and counters as they stand now; the counters' rows stay locked."""
    counters = connection.execute(select(Counter.series, Counter.last).with_for_update()).all()
    return Batch(
        keys={name: last_key(connection, Base.metadata.tables[name]) for name in KEYED},
        numbers={row.series: row.last for row in counters},
    )


def _write(connection: Connection, batch: Batch, written: dict[str, int]) -> None:
    for name in TABLES:
        rows = batch.rows[name]
        write_rows(connection, Base.metadata.tables[name], rows)
        written[name] += len(rows)
        if rows and name in KEYED:
            push_sequence(connection, Base.metadata.tables[name], batch.keys[name])
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for series, last in batch.numbers.items():
        connection.execute(insert(Counter).values(series=series, last=0).on_conflict_do_nothing())
        connection.execute(update(Counter).where(Counter.series == series).values(last=last))


def _free_numbers(count: int) -> Iterator[int]:
    """Numbers of tax ids nobody has."""
    taken = set(db.session.scalars(select(Organisation.tax_id).where(Organisation.tax_id.is_not(None))))
    number = FIRST_TAX_NUMBER
    for _one in range(count):
        while tax_id_of(number) in taken:
            number += 1
        yield number
        number += 1


def _catalogue() -> Catalogue:
    product = db.session.scalars(select(CertificateType).where(CertificateType.code == "ID_TRUST")).one()
    tariff, rate = reference.current_tariff(product.id, 2), reference.current_billing_rate()
    agents = select(RoleGrant.user_id).where(RoleGrant.role == Role.AGENT, RoleGrant.revoked_at.is_(None))
    localities = select(Locality.name, Locality.postal_code, Locality.governorate_id).order_by(Locality.id)
    return Catalogue(
        certificate_type_id=product.id,
        designation=f"{product.name}, 2 ans",
        price=Price(
            ht=tariff.price_ht,
            vat=vat_half_up(tariff.price_ht, tariff.vat_rate_bp),
            vat_rate_bp=tariff.vat_rate_bp,
            delivery=rate.delivery_ttc,
            delivery_vat_bp=rate.delivery_vat_bp,
            stamp_duty=rate.stamp_duty,
        ),
        domain_ids=tuple(db.session.scalars(select(UsageDomain.id))),
        office_ids=tuple(db.session.scalars(select(PostOffice.id))),
        localities=tuple((name, code, governorate) for name, code, governorate in db.session.execute(localities)),
        cgu_version_id=db.session.scalars(select(CguVersion.id).order_by(CguVersion.id)).first() or 0,
        agent_ids=tuple(db.session.scalars(agents)),
        verification_base=public_url("invoices.verify", code="_").removesuffix("_"),
        seller=_seller(),
        present=clock.now(),
    )


def _seller() -> dict[str, object]:
    from app.papers import Party

    party = Party(
        name=str(settings.get("seller.name")),
        address=(str(settings.get("seller.address")),),
        tax_id=str(settings.get("seller.tax_id")),
        phone=str(settings.get("seller.phone")),
        email=str(settings.get("seller.email")),
    )
    return {**asdict(party), "address": list(party.address)}
