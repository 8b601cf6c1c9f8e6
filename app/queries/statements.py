"""The lines of the gateway's statements, and the statements themselves (GAT-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from app import clock
from app.extensions import db
from app.models import (
    AGREEING,
    Invoice,
    Operation,
    Organisation,
    Payment,
    StatementImport,
    StatementLine,
    StatementMatch,
    User,
)
from app.money import format_millimes, format_number
from app.permissions import Actor, Permission
from app.queries.desk_billing import search_payments
from app.queries.lists import Filter, Sort, Source, Tab, since, until
from app.state_labels import choices_of

DINAR = "788"
CODES = {"978": "EUR", "840": "USD", "826": "GBP"}
"""Currencies that people know by their letters."""
FILES_PAGE = 30
_M = StatementMatch


def differing() -> ColumnElement[bool]:
    """Differs from our books, and nobody filed it."""
    return and_(StatementLine.match.not_in(AGREEING), StatementLine.resolved_at.is_(None))


def _of(*matches: StatementMatch) -> ColumnElement[bool]:
    return and_(StatementLine.match.in_(matches), StatementLine.resolved_at.is_(None))


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            StatementLine.id,
            StatementLine.operation,
            StatementLine.order_number,
            StatementLine.gateway_order_id,
            StatementLine.amount,
            StatementLine.currency,
            StatementLine.approval_code,
            StatementLine.at,
            StatementLine.match,
            StatementLine.difference,
            StatementLine.resolved_at,
            StatementLine.resolution,
            StatementImport.original_name.label("statement"),
            Payment.reference.label("payment_reference"),
            Organisation.legal_name.label("organisation"),
            Invoice.number.label("invoice_number"),
            func.coalesce(User.first_name + " " + User.last_name, "").label("resolved_by"),
        )
        .join(StatementImport, StatementImport.id == StatementLine.statement_id)
        .outerjoin(Payment, Payment.id == StatementLine.payment_id)
        .outerjoin(Organisation, Organisation.id == Payment.organisation_id)
        .outerjoin(Invoice, Invoice.payment_id == Payment.id)
        .outerjoin(User, User.id == StatementLine.resolved_by_id)
    )


def _search(text: str) -> ColumnElement[bool]:
    """The number or the gateway's identifier as the file writes it; else as the list of payments."""
    exact = or_(StatementLine.order_number == text.upper(), StatementLine.gateway_order_id == text.lower())
    if db.session.scalar(select(exists(select(StatementLine.id).where(exact)))):
        return exact
    return StatementLine.payment_id.in_(select(Payment.id).where(search_payments(text)))


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_BILLING) else StatementLine.id.is_(None)


def _statements() -> list[tuple[str, str]]:
    latest = db.session.execute(
        select(StatementImport.id, StatementImport.original_name).order_by(StatementImport.id.desc()).limit(100)
    )
    return [(str(row.id), f"{row.original_name} ({row.id})") for row in latest]


def _statement_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


SOURCE = Source(
    model=StatementLine,
    rows=_rows,
    tabs=(
        Tab("a-traiter", _l("À traiter"), lambda _actor: differing(), "ligne"),
        Tab("non-payes", _l("Non payés ici"), lambda _actor: _of(_M.NON_PAYE), "ligne"),
        Tab(
            "montants",
            _l("Montants, devises"),
            lambda _actor: _of(_M.MONTANT, _M.MONTANT_REMBOURSE, _M.DEVISE),
            "ligne",
        ),
        Tab("doubles", _l("Comptés deux fois"), lambda _actor: _of(_M.EN_DOUBLE), "ligne"),
        Tab("sans-avoir", _l("Remboursés sans avoir"), lambda _actor: _of(_M.SANS_AVOIR), "ligne"),
        Tab("inconnus", _l("Inconnus"), lambda _actor: _of(_M.INCONNU, _M.IDENTITE), "ligne"),
        Tab("absents", _l("Absents du relevé"), lambda _actor: _of(_M.ABSENT), "ligne"),
        Tab("classes", _l("Classés"), lambda _actor: StatementLine.resolved_at.is_not(None), "ligne", descending=True),
        Tab("conformes", _l("Conformes"), lambda _actor: StatementLine.match.in_(AGREEING), "ligne", descending=True),
        Tab("toutes", _l("Toutes"), lambda _actor: None, "ligne", descending=True),
    ),
    filters=(
        Filter(
            "releve",
            _l("Relevé"),
            "choice",
            lambda value: StatementLine.statement_id == value,
            choices=_statements,
            parse=_statement_id,
        ),
        Filter(
            "operation",
            _l("Opération"),
            "choice",
            lambda value: StatementLine.operation == value,
            choices=lambda: choices_of(Operation),
        ),
        Filter("depuis", _l("Depuis le"), "day_from", since(StatementLine.at)),
        Filter("jusqu", _l("Jusqu'au"), "day_to", until(StatementLine.at)),
    ),
    sorts={"ligne": Sort(StatementLine.id), "montant": Sort(StatementLine.amount), "date": Sort(StatementLine.at)},
    search=_search,
    scope=_scope,
)


def money_text(amount: int, currency: str = DINAR) -> str:
    """An amount of a statement with its currency's code when it is not ours."""
    return format_millimes(amount) if currency == DINAR else f"{format_number(amount)} {CODES.get(currency, currency)}"


def day_text(line: Any) -> str:
    """The moment of an operation; its day alone when the statement says no hour."""
    local = clock.local(line.at)
    return local.strftime("%d/%m/%Y" if (local.hour, local.minute) == (0, 0) else "%d/%m/%Y %H:%M")


def period_text(first: datetime | None, end: datetime | None) -> str:
    """« du 01/11/2026 au 30/11/2026 »; with the hour when the last day was not over."""
    if first is None or end is None:
        return ""
    local = clock.local(end)
    whole = (local.hour, local.minute, local.second) == (0, 0, 0)
    last = (local - timedelta(days=1)).strftime("%d/%m/%Y") if whole else local.strftime("%d/%m/%Y %H:%M")
    return _("du %(first)s au %(last)s", first=clock.local(first).strftime("%d/%m/%Y"), last=last)


# ------------------------------------------------------------------------------------------------ statements


@dataclass(frozen=True, slots=True)
class Total:
    """The lines of one statement that compare in one way."""

    match: StatementMatch
    count: int
    waiting: int
    amount: int  # millimes, of our currency


@dataclass(frozen=True, slots=True)
class StatementFile:
    """An imported statement in figures; millimes."""

    statement: StatementImport
    totals: list[Total]
    paid: int
    given_back: int

    @property
    def waiting(self) -> int:
        """The lines that call for somebody."""
        return sum(each.waiting for each in self.totals)


def latest_statements(before: int | None = None) -> tuple[list[tuple[StatementImport, int]], int | None]:
    """Imported statements, newest first, with the number of their lines that wait; and the key of the next page."""
    wanted = select(StatementImport).options(joinedload(StatementImport.imported_by))
    if before is not None:
        wanted = wanted.where(StatementImport.id < before)
    found = list(db.session.scalars(wanted.order_by(StatementImport.id.desc()).limit(FILES_PAGE + 1)))
    page = found[:FILES_PAGE]
    waiting = db.session.execute(
        select(StatementLine.statement_id, func.count())
        .where(differing(), StatementLine.statement_id.in_([each.id for each in page]))
        .group_by(StatementLine.statement_id)
    )
    counts = {row[0]: int(row[1]) for row in waiting}
    return [(each, counts.get(each.id, 0)) for each in page], page[-1].id if len(found) > FILES_PAGE else None


def statement_file(statement_id: int) -> StatementFile | None:
    """A statement with its totals."""
    statement = db.session.get(StatementImport, statement_id)
    if statement is None:
        return None
    rows = db.session.execute(
        select(
            StatementLine.match,
            StatementLine.operation,
            StatementLine.currency,
            func.count().label("lines"),
            func.sum(StatementLine.amount).label("amount"),
            func.count().filter(StatementLine.resolved_at.is_(None)).label("unfiled"),
        )
        .where(StatementLine.statement_id == statement_id)
        .group_by(StatementLine.match, StatementLine.operation, StatementLine.currency)
    ).all()
    totals = []
    for match in StatementMatch:
        of = [row for row in rows if row.match == match]
        if of:
            waiting = 0 if match in AGREEING else sum(row.unfiled for row in of)
            ours = sum(int(row.amount) for row in of if row.currency == DINAR)
            totals.append(Total(match, sum(row.lines for row in of), waiting, ours))
    told = [row for row in rows if row.match != StatementMatch.ABSENT and row.currency == DINAR]
    return StatementFile(
        statement,
        totals,
        sum(int(row.amount) for row in told if row.operation == Operation.PAIEMENT),
        sum(int(row.amount) for row in told if row.operation == Operation.REMBOURSEMENT),
    )


def statements_with_differences(limit: int = 20) -> list[int]:
    """The statements that have a line waiting, oldest first."""
    return list(
        db.session.scalars(
            select(StatementLine.statement_id)
            .where(differing())
            .group_by(StatementLine.statement_id)
            .order_by(StatementLine.statement_id)
            .limit(limit)
        )
    )


def line_named(actor: Actor, line_id: int) -> StatementLine | None:
    """A line with all that its page shows."""
    if not actor.can(Permission.READ_BILLING):
        return None
    return db.session.scalar(
        select(StatementLine)
        .where(StatementLine.id == line_id)
        .options(
            joinedload(StatementLine.statement),
            joinedload(StatementLine.resolved_by),
            joinedload(StatementLine.payment).joinedload(Payment.organisation),
            joinedload(StatementLine.payment).joinedload(Payment.invoice),
        )
    )


def same_attempt(line: StatementLine) -> Sequence[StatementLine]:
    """The other lines of the same attempt, or of the same number, in any statement."""
    condition = (
        StatementLine.payment_id == line.payment_id
        if line.payment_id is not None
        else and_(StatementLine.order_number == line.order_number, StatementLine.order_number != "")
    )
    return db.session.scalars(
        select(StatementLine)
        .where(condition, StatementLine.id != line.id)
        .options(joinedload(StatementLine.statement))
        .order_by(StatementLine.id)
        .limit(20)
    ).all()


# ----------------------------------------------------------------------------------------------------- words


def explanation(line: StatementLine) -> tuple[str, str]:
    """What differs, and what to do about it, in plain words."""
    verdict, payment = line.verdict, line.payment
    amount = money_text(line.amount, line.currency)
    gap = format_millimes(abs(line.difference))
    more = line.difference > 0
    if verdict is _M.ABSENT:
        happened = (
            _("Nos livres ont encaissé %(amount)s ce jour-là, et aucun relevé ne le contient.", amount=amount)
            if line.what is Operation.PAIEMENT
            else _("Nos livres ont fait rendre %(amount)s ce jour-là, et aucun relevé ne le contient.", amount=amount)
        )
        return happened, _(
            "Interrogez la passerelle depuis la page du paiement. Importez le relevé suivant si l'opération y est, "
            "puis comparez de nouveau ; sinon, réclamez-la à SMT."
        )
    expected = format_millimes(payment.amount) if payment is not None else ""
    words: dict[StatementMatch, tuple[str, str]] = {
        _M.CONFORME: (_("L'opération est dans nos livres, au millime près."), ""),
        _M.DEJA_RELEVE: (
            _("La même opération est déjà dans un relevé importé avant celui-ci, dont la période se recouvre."),
            "",
        ),
        _M.INCONNU: (
            _("Aucune tentative de paiement ne porte ce numéro : %(amount)s n'ont pas de commande.", amount=amount),
            _("Vérifiez le numéro auprès de SMT : l'opération peut être celle d'un autre commerçant. Puis classez."),
        ),
        _M.IDENTITE: (
            _("Le numéro de commande et l'identifiant de la passerelle sont de deux tentatives différentes."),
            _("Demandez à SMT laquelle a été payée, puis classez sous sa réponse."),
        ),
        _M.MONTANT: (
            _("La passerelle a réglé %(amount)s pour %(expected)s attendus : %(gap)s de %(sense)s.", amount=amount,
              expected=expected, gap=gap, sense=_("trop") if more else _("moins")),
            _("Interrogez la passerelle depuis la page du paiement : elle dit ce qu'elle a pris. Si elle confirme, "
              "rendez la somme ; si le relevé se trompe, classez sous la réponse de SMT."),
        ),
        _M.DEVISE: (
            _("L'opération est dans une autre devise que le dinar : %(amount)s.", amount=amount),
            _("Interrogez la passerelle depuis la page du paiement, puis rendez la somme ou classez."),
        ),
        _M.NON_PAYE: (
            _("La passerelle a réglé %(amount)s, et nos livres n'ont pas ce paiement comme payé.", amount=amount),
            _("Interrogez la passerelle depuis la page du paiement : si tout concorde, la facture est émise aussitôt ; "
              "sinon, le cas y est expliqué. Puis comparez de nouveau."),
        ),
        _M.EN_DOUBLE: (
            _("La passerelle a réglé deux fois la même commande : %(amount)s de trop.", amount=amount),
            _("Demandez à SMT d'annuler la seconde opération, puis classez sous la référence de sa réponse."),
        ),
        _M.SANS_AVOIR: (
            _("La passerelle a rendu %(amount)s sans avoir ni règlement dans nos livres.", amount=amount),
            _("Interrogez la passerelle depuis la page du paiement. Pour un paiement facturé, préparez l'avoir ; pour "
              "un paiement sans facture, constatez le remboursement. Puis comparez de nouveau."),
        ),
        _M.MONTANT_REMBOURSE: (
            _("La passerelle a rendu %(amount)s : %(gap)s de %(sense)s que dans nos livres.", amount=amount, gap=gap,
              sense=_("plus") if more else _("moins")),
            _("Interrogez la passerelle depuis la page du paiement, puis complétez par un avoir ou réclamez la "
              "différence à SMT."),
        ),
    }  # fmt: skip
    return words[verdict]
