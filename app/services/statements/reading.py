"""A CSV of the gateway's settled operations: what it says line by line, or what is wrong with it (GAT-4).

What is wrong with the file as a whole is refused in one sentence; then every wrong cell is named by its line and
column. Nothing is guessed that could be read in two ways: amounts without a decimal mark need their unit.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import islice

from flask_babel import gettext as _

from app import clock
from app.errors import DomainError
from app.identifiers import fold
from app.models import Operation
from app.money import InvalidAmount, parse_millimes

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
SHOWN_PROBLEMS = 200
MAX_COLUMNS = 200
HEADER_WITHIN = 15
"""Bank files begin with a few lines about themselves: the titles stand among the first so many."""
DINAR = "788"

_NAMES: dict[str, tuple[str, ...]] = {
    "at": (
        "date operation", "date de l operation", "operation date", "date transaction", "date de transaction",
        "transaction date", "date paiement", "date de paiement", "date du paiement", "payment date", "date heure",
        "date et heure", "date time", "datetime", "date", "deposited date", "depositeddate", "settlement date",
        "date reglement", "date de reglement",
    ),
    "order_number": (
        "ordernumber", "order number", "merchant order number", "order no", "numero de commande", "n de commande",
        "no de commande", "num commande", "numero commande", "n commande", "reference de la commande",
        "reference commande", "commande", "reference",
    ),
    "gateway_order_id": (
        "mdorder", "md order", "orderid", "order id", "identifiant passerelle", "identifiant smt",
        "identifiant de la commande", "id commande", "identifiant",
    ),
    "operation": (
        "operation", "type operation", "type d operation", "type de l operation", "operation type",
        "transaction type", "type", "nature",
    ),
    "amount": (
        "montant millimes", "montant en millimes", "amount millimes", "amount in millimes", "montant dt",
        "montant tnd", "montant dinars", "montant en dinars", "amount tnd", "amount dt", "amount dinars",
        "montant operation", "montant de l operation", "montant transaction", "transaction amount", "montant",
        "amount",
    ),
    "currency": ("code devise", "currency code", "devise", "currency", "monnaie"),
    "approval_code": (
        "approval code", "approvalcode", "numero d autorisation", "n d autorisation", "no d autorisation",
        "code d autorisation", "code autorisation", "autorisation", "auth code", "authcode", "authorization code",
        "authorisation", "authorization",
    ),
}  # fmt: skip
"""What each column may be called, the more precise first."""
_COLUMN = {name: column for column, names in _NAMES.items() for name in names}
_PAYMENTS = frozenset(
    {"paiement", "payment", "purchase", "achat", "vente", "sale", "deposit", "deposited", "charge", "paye", "paid"}
)
_REFUNDS = frozenset(
    {
        "remboursement", "refund", "refunded", "rembourse", "reversal", "reverse", "reversed", "annulation", "annule",
        "restitution",
    }
)  # fmt: skip
_CURRENCIES = {"": DINAR, "TND": DINAR, "DT": DINAR, "DINAR": DINAR, "DINARS": DINAR, "788": DINAR, "EUR": "978",
               "USD": "840", "GBP": "826"}  # fmt: skip
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_DATE = re.compile(
    r"(?:(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4}|\d{2})|(?P<Y>\d{4})[/-](?P<M>\d{1,2})[/-](?P<D>\d{1,2}))"
    r"(?:[T ]+(?P<h>\d{1,2})[:h](?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_EPOCH_MS = re.compile(r"1\d{12}")
_INTEGER = re.compile(r"[-−+]?\s*\d[\d \u00a0\u202f]{0,30}")


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One settled operation, as the file says it. ``amount`` in millimes, positive; ``line`` of the file, from 1."""

    line: int
    operation: Operation
    order_number: str
    gateway_order_id: str
    amount: int
    currency: str
    approval_code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WrongCell:
    """What is wrong, where: the line of the file, the title of its column, what stands there."""

    line: int
    column: str
    value: str
    sentence: str


@dataclass(slots=True)
class Reading:
    """What a file holds. With ``problems``, nothing of it may be kept."""

    rows: list[StatementRow] = field(default_factory=list)
    problems: list[WrongCell] = field(default_factory=list)
    problem_count: int = 0
    unit: str = ""

    def note(self, line: int, column: str, value: str, sentence: str) -> None:
        """One more wrong cell; those past the first two hundred are only counted."""
        self.problem_count += 1
        if len(self.problems) < SHOWN_PROBLEMS:
            self.problems.append(WrongCell(line, column, value[:60], sentence))


Line = tuple[int, list[str]]


def read_statement(data: bytes, *, unit: str = "auto") -> Reading:
    """Every operation of the file (« ; », « , » or tab; UTF-8 or Windows-1252; titles in French or English).

    ``unit``: auto, dinars or millimes. Raises DomainError on ``file`` for what is no such file, on ``unit`` when the
    amounts can be read in two ways.
    """
    lines = _lines(data)
    titles, columns, body = _with_titles(lines)
    if not body:
        raise DomainError(_("Ce relevé ne contient aucune opération sous ses titres."), field="file")
    reading = Reading(
        unit=_unit(unit, titles[columns["amount"]], [_cell(cells, columns, "amount") for _n, cells in body])
    )
    for number, cells in body:
        row = _row(number, cells, columns, titles, reading)
        if row is not None:
            reading.rows.append(row)
    return reading


# ---------------------------------------------------------------------------------------------- the whole file


def _lines(data: bytes) -> list[str]:
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise DomainError(_("Ce fichier est vide."), field="file")
    if len(data) > MAX_BYTES:
        raise DomainError(_("Ce fichier est trop grand : 10 Mo au plus."), field="file")
    if data.startswith(_WORKBOOKS):
        raise DomainError(
            _("Ce fichier est un classeur : enregistrez-le au format CSV, puis recommencez."), field="file"
        )
    text = _text(data)
    if any(ord(char) < 32 and char not in "\t\r\n" for char in text) or "\ufffd" in text:
        raise DomainError(_("Ce fichier n'est pas un CSV lisible."), field="file")
    return text.splitlines(keepends=True)


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _with_titles(lines: Sequence[str]) -> tuple[list[str], dict[str, int], list[Line]]:
    """The titles, where each column stands, and the lines under them. Raises DomainError on ``file``."""
    best: dict[str, int] = {}
    for mark in (";", ",", "\t", "|"):
        for start, line in enumerate(lines[:HEADER_WITHIN]):
            titles = _split([line], mark)
            columns = _columns(titles)
            if _missing(columns):
                best = columns if len(columns) > len(best) else best
                continue
            return titles, columns, _counted(_body(lines, start, mark))
    raise DomainError(
        _("Il manque des colonnes : %(names)s. La première ligne nomme les colonnes.", names=", ".join(_missing(best))),
        field="file",
    )


def _counted(body: Iterator[Line]) -> list[Line]:
    """The lines, no more of them in memory than may be kept. Raises DomainError on ``file``."""
    kept = list(islice(body, MAX_ROWS))
    more = sum(1 for _line in body)
    if more:
        raise DomainError(
            _("Ce relevé a %(count)s opérations : %(limit)s au plus à la fois.", count=MAX_ROWS + more, limit=MAX_ROWS),
            field="file",
        )
    return kept


def _split(lines: list[str], mark: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader(lines, delimiter=mark))[:MAX_COLUMNS]]
    except (csv.Error, StopIteration):
        return []


def _columns(titles: Sequence[str]) -> dict[str, int]:
    """Where each column stands; of two titles for one column, the more precise. Raises DomainError on a title twice."""
    found: dict[str, int] = {}
    plain = [_plain(title) for title in titles]
    for at, name in enumerate(plain):
        column = _COLUMN.get(name)
        if column is None:
            continue
        if name in plain[:at]:
            raise DomainError(_("La colonne « %(name)s » y est deux fois.", name=titles[at][:40]), field="file")
        ranks = _NAMES[column]
        if column not in found or ranks.index(name) < ranks.index(plain[found[column]]):
            found[column] = at
    return found


def _plain(title: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", fold(title)).split())


def _missing(columns: Mapping[str, int]) -> list[str]:
    wanted = []
    if "at" not in columns:
        wanted.append(_("date"))
    if "order_number" not in columns and "gateway_order_id" not in columns:
        wanted.append(_("numéro de commande"))
    if "amount" not in columns:
        wanted.append(_("montant"))
    return wanted


def _body(lines: Sequence[str], start: int, mark: str) -> Iterator[Line]:
    """The lines under the titles that hold something, with their numbers; a line of totals is left out."""
    reader = csv.reader(io.StringIO("".join(lines[start + 1 :]), newline=""), delimiter=mark)
    try:
        for cells in reader:
            first = next((cell.strip() for cell in cells if cell.strip()), "")
            if first and not _plain(first).startswith("total"):
                yield start + 1 + reader.line_num, cells
    except csv.Error:
        raise DomainError(_("Ce fichier n'est pas un CSV lisible."), field="file") from None


def _unit(asked: str, title: str, amounts: Sequence[str]) -> str:
    """Dinars or millimes: as asked, as the title says, or as a decimal mark shows. Raises DomainError on ``unit``."""
    words = set(_plain(title).split())
    if asked in ("dinars", "millimes"):
        return asked
    if "millimes" in words:
        return "millimes"
    if words & {"dt", "tnd", "dinars"} or any(not _INTEGER.fullmatch(text) for text in amounts if text):
        return "dinars"
    raise DomainError(
        _("Les montants de ce fichier n'ont ni virgule ni point : dites s'ils sont en dinars ou en millimes."),
        field="unit",
    )


# -------------------------------------------------------------------------------------------------- one line


def _cell(cells: Sequence[str], columns: Mapping[str, int], column: str) -> str:
    at = columns.get(column)
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _row(
    line: int, cells: Sequence[str], columns: Mapping[str, int], titles: Sequence[str], reading: Reading
) -> StatementRow | None:
    def title(column: str) -> str:
        return titles[columns[column]] if column in columns else ""

    before = reading.problem_count
    told = {column: _cell(cells, columns, column) for column in _NAMES}
    amount = _amount(told["amount"], reading.unit)
    if isinstance(amount, str):
        reading.note(line, title("amount"), told["amount"], amount)
        amount = 0
    at = _moment(told["at"])
    if isinstance(at, str):
        reading.note(line, title("at"), told["at"], at)
    operation = _operation(told["operation"], amount)
    if operation is None:
        reading.note(line, title("operation"), told["operation"], _("Écrivez « paiement » ou « remboursement »."))
    currency = _currency(told["currency"])
    if not currency:
        reading.note(line, title("currency"), told["currency"], _("Ce n'est pas le code d'une devise."))
    number, order_id = told["order_number"], told["gateway_order_id"]
    if not number and not order_id:
        column = "order_number" if "order_number" in columns else "gateway_order_id"
        reading.note(line, title(column), "", _("Le numéro de commande manque."))
    for column, longest in (("order_number", 40), ("gateway_order_id", 120), ("approval_code", 40)):
        if len(told[column]) > longest:
            reading.note(line, title(column), told[column], _("%(limit)s caractères au plus.", limit=longest))
    if reading.problem_count > before or isinstance(at, str) or operation is None:
        return None
    return StatementRow(
        line, operation, number.upper(), order_id.lower(), abs(amount), currency, told["approval_code"], at
    )


def _amount(text: str, unit: str) -> int | str:
    """Millimes, negative for money given back; or what is wrong."""
    if not text:
        return _("Le montant manque.")
    if unit == "millimes":
        if not _INTEGER.fullmatch(text):
            return _("En millimes, un montant s'écrit sans virgule ni point.")
        amount = int(re.sub(r"[^\d-]", "", text.replace("−", "-")))
    else:
        try:
            amount = parse_millimes(text.removeprefix("+"), negative=True)
        except InvalidAmount:
            return _("Écrivez un montant en dinars, par exemple 350,000.")
    if not amount:
        return _("Le montant est nul.")
    return amount if abs(amount) <= 10**12 else _("Ce montant est trop grand.")


def _operation(text: str, amount: int) -> Operation | None:
    """A payment or a refund; without a word, the sign says it."""
    word = _plain(text)
    if not word:
        return Operation.REMBOURSEMENT if amount < 0 else Operation.PAIEMENT
    first = word.split()[0]
    if first in _REFUNDS:
        return Operation.REMBOURSEMENT
    return Operation.PAIEMENT if first in _PAYMENTS else None


def _currency(text: str) -> str:
    code = text.upper().strip()
    if code in _CURRENCIES:
        return _CURRENCIES[code]
    return code if re.fullmatch(r"[A-Z]{3}|[0-9]{3}", code) else ""


def _moment(text: str) -> datetime | str:
    """A moment in UTC, on Tunis's clock unless the file says a zone; or what is wrong."""
    if not text:
        return _("La date manque.")
    if _EPOCH_MS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    found = _DATE.fullmatch(text)
    if found is None:
        return _("Écrivez la date comme 27/11/2026 ou 27/11/2026 14:05.")
    year = int(found["y"] or found["Y"])
    year += 2000 if year < 100 else 0
    try:
        moment = datetime(
            year, int(found["m"] or found["M"]), int(found["d"] or found["D"]),
            int(found["h"] or 0), int(found["min"] or 0), int(found["s"] or 0), tzinfo=_zone(found["zone"]),
        ).astimezone(UTC)  # fmt: skip
    except (ValueError, OverflowError):
        return _("Cette date n'existe pas.")
    if not 2000 <= year < 2100:
        return _("Cette date n'existe pas.")
    return moment if moment <= clock.now() + timedelta(days=1) else _("Cette date est à venir.")


def _zone(text: str | None) -> tzinfo:
    if not text:
        return clock.TUNIS
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
