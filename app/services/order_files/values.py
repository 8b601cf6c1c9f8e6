"""What the cells of a row mean: a person, or what is wrong and why, column by column (ORD-5).

What a spreadsheet did to a number is undone where only one reading is possible, and said: lost zeros of a CIN, a lost
« + » of a phone, a day kept as a serial number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from babel import Locale
from flask_babel import gettext as _

from app import clock, identifiers
from app.forms.sentences import sentence
from app.identifiers import InvalidIdentifier, fold
from app.models import IdentityKind
from app.services.order_lines import RequestLine, doubt_of

Problem = list[str]
"""A column and a sentence."""
_ERRORS = re.compile(r"#(N/A|REF!|NOM\?|NAME\?|VALEUR!|VALUE!|DIV/0!|NUL!|NULL!|NOMBRE!|NUM!)", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E\+?\d{1,2}", re.IGNORECASE)
_LOST_ARABIC = re.compile(r"[?\ufffd][?\ufffd ]*")
_DAY = re.compile(
    r"(?:(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})|(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2}))(?:[ T]00:00(?::00)?)?"
)
_SHORT_YEAR = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2}")
_SERIAL = re.compile(r"[1-9]\d{3,4}")
_EPOCH = date(1899, 12, 30)
_KINDS = {
    "cin": "CIN", "carte d identite": "CIN", "carte d identite nationale": "CIN", "cni": "CIN",
    "carte de sejour": "CARTE_SEJOUR", "carte sejour": "CARTE_SEJOUR", "sejour": "CARTE_SEJOUR",
    "titre de sejour": "CARTE_SEJOUR", "passeport": "PASSEPORT", "passport": "PASSEPORT",
}  # fmt: skip
_PEOPLES = {
    "tunisien": "TN", "algerien": "DZ", "marocain": "MA", "libyen": "LY", "mauritanien": "MR", "egyptien": "EG",
    "francais": "FR", "italien": "IT", "allemand": "DE", "espagnol": "ES", "belge": "BE", "suisse": "CH",
    "britannique": "GB", "portugais": "PT", "neerlandais": "NL", "turc": "TR", "turque": "TR", "syrien": "SY",
    "libanais": "LB", "jordanien": "JO", "irakien": "IQ", "palestinien": "PS", "saoudien": "SA", "koweitien": "KW",
    "qatarien": "QA", "emirien": "AE", "americain": "US", "canadien": "CA", "bresilien": "BR", "russe": "RU",
    "ukrainien": "UA", "chinois": "CN", "japonais": "JP", "coreen": "KR", "indien": "IN", "senegalais": "SN",
    "ivoirien": "CI", "malien": "ML", "camerounais": "CM", "congolais": "CG", "gabonais": "GA", "guineen": "GN",
    "nigerien": "NE", "nigerian": "NG", "beninois": "BJ", "togolais": "TG", "burkinabe": "BF", "tchadien": "TD",
    "roumain": "RO", "polonais": "PL", "hongrois": "HU", "grec": "GR", "autrichien": "AT", "suedois": "SE",
}  # fmt: skip
"""French words for peoples, masculine; the feminine is tried by its endings."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be ordered: domains by their folded code and label, validities on sale."""

    certificate_type_id: int
    domains: Mapping[str, int]
    labels: Sequence[str]
    validities: Sequence[int]


@dataclass(frozen=True, slots=True)
class Own:
    """The administrator's own account: a row that is it is « Je suis le demandeur »."""

    email: str
    identity: tuple[IdentityKind | None, str | None]


@dataclass(slots=True)
class RowRead:
    """A row as read: a person, unless there are problems. Remarks keep nothing from being ordered."""

    line: RequestLine | None = None
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)


class _Wrong(Exception):
    """What is wrong with a cell, in a sentence."""


def read_row(cells: Mapping[str, str], offer: Offer, own: Own) -> RowRead:
    """The person of a row; every cell that is wrong is named."""
    read = RowRead()
    stored: dict[str, object] = {}

    def take(key: str, reader: Callable[[str], object]) -> None:
        text = cells.get(key, "")
        try:
            _refuse_broken(key, text)
            stored[key] = reader(text)
        except InvalidIdentifier as wrong:
            read.problems.append([key, str(sentence(wrong.code))])
        except _Wrong as wrong:
            read.problems.append([key, str(wrong)])

    def remark(key: str, text: str) -> None:
        read.remarks.append([key, text])

    take("nationality", _nationality)
    nationality = str(stored.get("nationality", "TN"))
    take("identity_kind", lambda text: _kind(text, nationality))
    kind = str(stored.get("identity_kind", "CIN"))
    take("identity_number", lambda text: _number(text, kind, remark))
    for key, check, tidy, prefix in (
        ("last_name", identifiers.latin_name_problem, identifiers.tidy_name, "name"),
        ("first_name", identifiers.latin_name_problem, identifiers.tidy_name, "name"),
        ("last_name_ar", identifiers.arabic_name_problem, identifiers.tidy_arabic_name, "arabic_name"),
        ("first_name_ar", identifiers.arabic_name_problem, identifiers.tidy_arabic_name, "arabic_name"),
    ):
        take(key, lambda text, check=check, tidy=tidy, prefix=prefix: _name(text, check, tidy, prefix))  # type: ignore[misc]  # bound now
    full_name = [str(stored.get(key, "")) for key in ("first_name", "last_name")]
    if identifiers.common_name_problem(*full_name):
        read.problems.append(["first_name", str(sentence("common_name_too_long"))])
    take("birth_date", lambda text: _birth_date(text, remark))
    take("mobile", lambda text: _mobile(text, remark))
    take("email", identifiers.normalise_email)
    take("domains", lambda text: _domains(text, offer))
    take("validity_years", lambda text: _validity(text, offer))
    take("duplicate_reason", lambda text: text)
    if read.problems:
        return read
    identity = (IdentityKind(kind), str(stored["identity_number"]))
    stored["identity_kind"] = identity[0]
    read.line = RequestLine(
        certificate_type_id=offer.certificate_type_id,
        domain_ids=stored.pop("domains"),  # type: ignore[arg-type]  # read by _domains
        for_self=stored["email"] == own.email and identity == own.identity,
        **stored,  # type: ignore[arg-type]  # one reader a field
    )
    column, doubt = doubt_of(read.line)
    if doubt:
        remark(column, doubt)
    return read


def _refuse_broken(key: str, text: str) -> None:
    """What a spreadsheet leaves instead of a value, and formulas, which are never run."""
    if not text or key == "duplicate_reason":
        return
    if _ERRORS.fullmatch(text):
        raise _Wrong(_("Cette case contient une erreur du tableur (%(error)s) : écrivez sa valeur.", error=text))
    if text[0] in "=@" or (text[0] in "+-" and key != "mobile"):
        raise _Wrong(_("Cette case commence par « %(sign)s », comme une formule : écrivez sa valeur.", sign=text[0]))
    if key in ("identity_number", "mobile") and _SCIENTIFIC.fullmatch(text):
        raise _Wrong(
            _("Le tableur a abrégé ce numéro (%(text)s) : mettez la colonne au format Texte et écrivez-le.", text=text)
        )


def _number(text: str, kind: str, remark: Callable[[str, str], None]) -> str:
    if kind == "PASSEPORT":
        return identifiers.normalise_passport(text)
    if kind == "CARTE_SEJOUR":
        return identifiers.normalise_residence_card(text)
    if text.isascii() and text.isdigit() and len(text) < 8:
        restored = text.zfill(8)
        remark("identity_number", _("Zéros rétablis : « %(text)s » est lu %(read)s.", text=text, read=restored))
        return restored
    return identifiers.normalise_cin(text)


def _name(text: str, check: Callable[[str], str | None], tidy: Callable[[str], str], prefix: str) -> str:
    if prefix == "arabic_name" and _LOST_ARABIC.fullmatch(text):
        raise _Wrong(
            _(
                "Les lettres arabes ont été perdues à l'enregistrement : écrivez le nom ici, ou enregistrez le "
                "fichier en « CSV UTF-8 » ou XLSX."
            )
        )
    code = check(text)
    if code:
        raise _Wrong(str(sentence(f"{prefix}_{code}")))
    return tidy(text)


def _birth_date(text: str, remark: Callable[[str, str], None]) -> date:
    text = "".join(str(int(char)) if char.isdecimal() else char for char in text)
    if not text:
        raise _Wrong(_("Écrivez la date de naissance, par exemple 27/11/1980."))
    day = _day(text)
    if day is None and _SERIAL.fullmatch(text):
        day = _EPOCH + timedelta(days=int(text))
        shown = day.strftime("%d/%m/%Y")
        remark(
            "birth_date", _("Date gardée en nombre par le tableur : « %(text)s » est lu %(day)s.", text=text, day=shown)
        )
    if day is None:
        if _SHORT_YEAR.fullmatch(text):
            raise _Wrong(_("Écrivez l'année en quatre chiffres, par exemple 27/11/1980."))
        raise _Wrong(_("Cette date n'existe pas ou n'est pas écrite jour/mois/année, par exemple 27/11/1980."))
    code = identifiers.birth_date_problem(day, clock.today())
    if code:
        raise _Wrong(str(sentence(f"birth_date_{code}")))
    return day


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    day, month, year, iso_year, iso_month, iso_day = found.groups()
    try:
        return date(int(year or iso_year), int(month or iso_month), int(day or iso_day))
    except ValueError:
        return None


def _mobile(text: str, remark: Callable[[str, str], None]) -> str:
    bare = re.sub(r"\s", "", text)
    if re.fullmatch(r"216\d{8}", bare):
        text = f"+{bare}"
        remark("mobile", _("« + » rétabli : %(read)s.", read=identifiers.format_phone(text)))
    return identifiers.normalise_phone(text, kind="mobile")


def _domains(text: str, offer: Offer) -> tuple[int, ...]:
    found: list[int] = []
    allowed = ", ".join(offer.labels)
    for word in re.split(r"[,;/+|&\n]|\bet\b", text):
        if not word.strip():
            continue
        domain = offer.domains.get(fold(word).replace(" ", ""))
        if domain is None:
            raise _Wrong(
                _(
                    "« %(word)s » n'est pas un domaine d'utilisation. Les domaines : %(allowed)s.",
                    word=word.strip()[:40],
                    allowed=allowed,
                )
            )
        if domain not in found:
            found.append(domain)
    if not found:
        raise _Wrong(_("Écrivez un ou plusieurs domaines, séparés par « / » : %(allowed)s.", allowed=allowed))
    return tuple(found)


def _validity(text: str, offer: Offer) -> int:
    allowed = ", ".join(map(str, offer.validities))
    if not text and len(offer.validities) == 1:
        return offer.validities[0]
    found = re.fullmatch(r"(\d{1,2})(?: ?ans?| ?an\(s\))?", text, re.IGNORECASE)
    if found is None or int(found[1]) not in offer.validities:
        raise _Wrong(_("Écrivez la validité en années : %(allowed)s.", allowed=allowed))
    return int(found[1])


def _nationality(text: str) -> str:
    if not text:
        return "TN"
    word = fold(text)
    code = _countries().get(word) or _PEOPLES.get(word) or next(filter(None, map(_PEOPLES.get, _masculine(word))), None)
    if code is None:
        raise _Wrong(_("Écrivez le nom du pays, par exemple France, ou son code à deux lettres."))
    return code


def _masculine(word: str) -> list[str]:
    return [word[: -len(end)] for end in ("ne", "e", "que") if word.endswith(end)]


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in ("en", "ar", "fr"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                found[fold(name)] = found[code.lower()] = code
    return found


def _kind(text: str, nationality: str) -> str:
    word = fold(text)
    kind = _KINDS.get(word) if word else "CIN"
    if kind is None:
        raise _Wrong(_("Écrivez CIN, Carte de séjour ou Passeport."))
    code = identifiers.identity_kind_problem(nationality, kind)
    if code:
        raise _Wrong(str(sentence(f"identity_kind_{code}")))
    return kind
