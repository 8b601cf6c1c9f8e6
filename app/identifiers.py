"""Identifiers and names as people type them, put into the one form we store (ORG-2, ORG-3, ORG-5).

Pure: no database, no network, no clock. A ``normalise_…`` function returns the stored form or raises
`InvalidIdentifier`; a ``…_problem`` function returns a short code, or None when the text is right. Codes are
for the forms to turn into sentences; they are never shown.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final, Literal

TAX_LETTERS: Final = "ABCDEFGHJKLMNPQRSTVWXYZ"
MAX_PERSON_NAME: Final = 60
MAX_ORGANISATION_NAME: Final = 120
MAX_COMMON_NAME: Final = 64
"""X.520's upper bound of a commonName: a longer one cannot be issued."""
MAX_EMAIL: Final = 254
OLDEST_BIRTH_YEAR: Final = 1900
ADULT_AGE: Final = 18

PhoneKind = Literal["mobile", "fixed"]
LetterTest = Callable[[str], bool]

_SEPARATORS = re.compile(r"[\s./\\\-‐‑‒–—−_]+")
_TAX_ID = re.compile(r"[0-9]{7}[A-Z]")
_FULL_TAX_ID = re.compile(r"([0-9]{7}[A-Z])[A-Z][A-Z][0-9]{3}")
_PHONE_TEXT = re.compile(r"(?:\(\+|\+)?[\d\s().\-‐‑–/]+")
_APOSTROPHES = frozenset("'’‘‛ʼʹ`´′＇ʻ")
_HYPHENS = re.compile(r"\s*[-‐‑‒–—−]\s*")
_ARABIC_MARKS = re.compile(r"[\u0640\u064B-\u0652\u0670]")


class InvalidIdentifier(ValueError):
    """A text that cannot be an identifier of its kind; ``code`` says why (``tax_id_shape``…)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --- plain text -----------------------------------------------------------------------------------


def _ascii_digits(text: str) -> str:
    """Digits of any script as 0-9: an Arabic keyboard types ٠١٢."""
    return "".join(str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char for char in text)


def _visible(text: str) -> str:
    """NFC, without the invisible marks (direction, byte order, joiners) that copying brings along."""
    kept = (char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char) != "Cf")
    return "".join(kept)


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", _ascii_digits(_visible(text))).upper()


def tidy_text(text: str) -> str:
    """One line of text: NFC, no invisible marks, single ordinary spaces."""
    return " ".join(_visible(text).split())


# --- tax id ---------------------------------------------------------------------------------------


def normalise_tax_id(text: str) -> str:
    """The matricule fiscal as ``0000000A`` (ORG-2): seven digits and a letter.

    Forgives lower case, spaces, dots, dashes, slashes and Arabic digits, and takes the first part of the long
    form printed on tax cards (``1234567R/A/M/000``). The control letter is not checked here: some 3 % of
    genuine old numbers break it (`tax_id_matches`).
    Raises `InvalidIdentifier`: ``tax_id_empty``, ``tax_id_shape``.
    """
    compact = _compact(text)
    if not compact:
        raise InvalidIdentifier("tax_id_empty")
    full = _FULL_TAX_ID.fullmatch(compact)
    if full:
        return full[1]
    if not _TAX_ID.fullmatch(compact):
        raise InvalidIdentifier("tax_id_shape")
    return compact


def tax_id_letter(digits: str) -> str:
    """The control letter of seven digits: weights 7 to 1, modulo 23 (ORG-2)."""
    if not re.fullmatch(r"[0-9]{7}", digits):
        raise InvalidIdentifier("tax_id_shape")
    total = sum(weight * int(digit) for weight, digit in zip(range(7, 0, -1), digits, strict=True))
    return TAX_LETTERS[total % 23]


def tax_id_matches(tax_id: str) -> bool:
    """Whether a normalised tax id ends in its control letter; a mismatch is confirmed, not refused."""
    return bool(_TAX_ID.fullmatch(tax_id)) and tax_id_letter(tax_id[:7]) == tax_id[7]


def normalise_register_number(text: str) -> str:
    """A foreign register number: free, 2 to 40 printable characters, at least one letter or digit (ORG-2)."""
    tidy = tidy_text(text).upper()
    if not tidy:
        raise InvalidIdentifier("register_number_empty")
    if not 2 <= len(tidy) <= 40:
        raise InvalidIdentifier("register_number_length")
    if not tidy.isprintable() or not any(char.isalnum() for char in tidy):
        raise InvalidIdentifier("register_number_shape")
    return tidy


# --- identity documents ---------------------------------------------------------------------------


def normalise_cin(text: str) -> str:
    """A Tunisian identity card number: eight digits, leading zeros kept (ORG-5).

    Raises `InvalidIdentifier`: ``cin_empty``, ``cin_characters``, ``cin_length``.
    """
    compact = _compact(text)
    if not compact:
        raise InvalidIdentifier("cin_empty")
    if not compact.isascii() or not compact.isdigit():
        raise InvalidIdentifier("cin_characters")
    if len(compact) != 8:
        raise InvalidIdentifier("cin_length")
    return compact


def normalise_passport(text: str) -> str:
    """A passport number: 5 to 15 letters and digits, a digit among them, in capitals (ORG-5)."""
    return _document_number(text, "passport")


def normalise_residence_card(text: str) -> str:
    """A residence card (carte de séjour) number: 5 to 15 letters and digits, in capitals (ORG-5)."""
    return _document_number(text, "residence_card")


def _document_number(text: str, kind: str) -> str:
    compact = _compact(text)
    if not compact:
        raise InvalidIdentifier(f"{kind}_empty")
    if not re.fullmatch(r"[0-9A-Z]{5,15}", compact) or not any(char.isdigit() for char in compact):
        raise InvalidIdentifier(f"{kind}_shape")
    return compact


def identity_kind_problem(nationality: str, kind: str) -> str | None:
    """``tunisian`` or ``foreign`` when that document is not one for that nationality (ORG-5), or None.

    The CIN is compulsory for Tunisians, and theirs alone.
    """
    if nationality == "TN":
        return None if kind == "CIN" else "tunisian"
    return "foreign" if kind == "CIN" else None


def is_adult(birth_date: date, today: date) -> bool:
    """Eighteen full years; who is born on 29 February comes of age on 1 March of a common year (ORG-5)."""
    years = today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
    return years >= ADULT_AGE


def birth_date_problem(birth_date: date, today: date) -> str | None:
    """``future``, ``too_old`` (before 1900) or ``minor``; None for an adult's date of birth (ORG-5)."""
    if birth_date > today:
        return "future"
    if birth_date.year < OLDEST_BIRTH_YEAR:
        return "too_old"
    return None if is_adult(birth_date, today) else "minor"


# --- addresses and phones -------------------------------------------------------------------------


def normalise_postal_code(text: str) -> str:
    """A Tunisian postal code: four digits (ORG-3)."""
    compact = _compact(text)
    if not compact:
        raise InvalidIdentifier("postal_code_empty")
    if not re.fullmatch(r"[0-9]{4}", compact):
        raise InvalidIdentifier("postal_code_shape")
    return compact


def normalise_foreign_postal_code(text: str) -> str:
    """A postal code of elsewhere: 2 to 12 letters and digits, spaces and hyphens kept (ORG-2)."""
    tidy = tidy_text(text).upper()
    if not tidy:
        raise InvalidIdentifier("postal_code_empty")
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z -]{0,10}[0-9A-Z]", tidy):
        raise InvalidIdentifier("postal_code_shape")
    return tidy


def normalise_phone(text: str, region: str = "TN", kind: PhoneKind | None = None) -> str:
    """A phone number that can exist, as E.164 (``+21671000000``); without prefix, of `region` (ORG-3).

    Raises `InvalidIdentifier`: ``phone_empty``, ``phone_shape`` (letters, an extension), ``phone_not_real``,
    and where `kind` is asked ``phone_not_mobile`` or ``phone_not_fixed``.
    """
    import phonenumbers

    tidy = tidy_text(text)
    if not tidy:
        raise InvalidIdentifier("phone_empty")
    if not _PHONE_TEXT.fullmatch(tidy):
        raise InvalidIdentifier("phone_shape")
    try:
        number = phonenumbers.parse(tidy, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidIdentifier("phone_shape") from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidIdentifier("phone_not_real")
    mobile = _is_mobile_type(phonenumbers.number_type(number))
    if kind == "mobile" and mobile is False:
        raise InvalidIdentifier("phone_not_mobile")
    if kind == "fixed" and mobile is True:
        raise InvalidIdentifier("phone_not_fixed")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_mobile_type(number_type: int) -> bool | None:
    """True, False, or None in countries whose plan does not tell (both kinds are then accepted)."""
    from phonenumbers import PhoneNumberType

    if number_type == PhoneNumberType.FIXED_LINE_OR_MOBILE:
        return None
    return number_type == PhoneNumberType.MOBILE


def is_mobile(phone: str) -> bool:
    """Whether an E.164 number can be a mobile's."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) and _is_mobile_type(phonenumbers.number_type(number)) is not False


def format_phone(phone: str) -> str:
    """``+21671000000`` as people read it, ``+216 71 000 000`` (ORG-3); any other text comes back as it is."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


# --- e-mail ---------------------------------------------------------------------------------------

_GENERIC = frozenset(
    {
        "accueil", "achat", "achats", "admin", "administrateur", "administratif", "administration",
        "administrator", "agence", "assistance", "bonjour", "bureau", "client", "clients", "comite",
        "commande", "commandes", "commercial", "commerciale", "communication", "compta", "comptabilite",
        "comptable", "contact", "contacts", "contactus", "courriel", "courrier", "demande", "devis",
        "directeur", "direction", "directrice", "dsi", "emploi", "entreprise", "equipe", "export",
        "facturation", "facture", "factures", "fax", "finance", "finances", "gerance", "gerant", "hello",
        "helpdesk", "hostmaster", "import", "info", "information", "informations", "informatique", "infos",
        "juridique", "logistique", "mail", "mailbox", "marketing", "noreply", "office", "paie", "personnel",
        "postmaster", "presidence", "president", "presse", "production", "qualite", "reception",
        "reclamation", "recrutement", "responsable", "ressources", "sales", "secretaire", "secretariat",
        "service", "services", "siege", "social", "societe", "stage", "support", "technique", "vente",
        "ventes", "webmaster"
    }
)  # fmt: skip
_GENERIC_ALONE = frozenset(
    {
        "daf", "dg", "drh", "hr", "it", "ne", "no", "pdg", "rh", "sav", "sg", "si"
    }
)  # fmt: skip
"""Too short to be looked for inside a longer word: initials of persons."""
_GENERIC_EXTRA = frozenset(
    {
        "box", "central", "centre", "com", "company", "departement", "department", "dept", "fr", "general",
        "generale", "group", "groupe", "humaines", "international", "pas", "reply", "repondre", "ste",
        "team", "tn", "tunis", "tunisia", "tunisie", "us"
    }
)  # fmt: skip


def normalise_email(text: str) -> str:
    """An e-mail address in the form that makes it unique: lower case, ASCII domain (ORG-5, ORD-3).

    No look-up of the domain. Raises `InvalidIdentifier`: ``email_empty``, ``email_length``, ``email_shape``.
    """
    from email_validator import EmailNotValidError, validate_email

    tidy = _visible(text).strip()
    if not tidy:
        raise InvalidIdentifier("email_empty")
    if len(tidy) > MAX_EMAIL:
        raise InvalidIdentifier("email_length")
    try:
        checked = validate_email(tidy, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise InvalidIdentifier("email_shape") from error
    return (checked.ascii_email or checked.normalized).lower()


def is_generic_email(email: str) -> bool:
    """Whether the address names a function rather than a person: contact@, info2@, service-client@ (ORG-5).

    Every word before the @ must be a generic one or go with one (country, the domain's own name), so that
    « contactini@ » and « infante@ » stay personal; what follows a + is ignored.
    """
    local, _, domain = email.lower().partition("@")
    words = re.findall(r"[a-z]+", fold(local.partition("+")[0]))
    own = frozenset(label for label in re.findall(r"[a-z]+", domain) if len(label) >= 3)
    kinds = [_word_kind(word, own) for word in words]
    return "other" not in kinds and "generic" in kinds


def _word_kind(word: str, own: frozenset[str]) -> Literal["generic", "extra", "other"]:
    if word in _GENERIC or word in _GENERIC_ALONE:
        return "generic"
    if word in _GENERIC_EXTRA or word in own:
        return "extra"
    for cut in range(4, len(word) - 1):  # two words written as one: « serviceclient », « infotn »
        head, tail = word[:cut], word[cut:]
        if head in _GENERIC and (tail in _GENERIC or tail in _GENERIC_EXTRA or tail in own):
            return "generic"
        if tail in _GENERIC and head in own:
            return "generic"
    return "other"


# --- names ----------------------------------------------------------------------------------------


def tidy_name(text: str) -> str:
    """A person's or organisation's name with single spaces, plain hyphens, composed letters; case is kept."""
    return _HYPHENS.sub("-", tidy_text(text))


def tidy_arabic_name(text: str) -> str:
    """An Arabic name in ordinary letters: no tatweel, no vowel signs, no presentation forms."""
    return tidy_text(_ARABIC_MARKS.sub("", unicodedata.normalize("NFKC", text)))


def _is_latin(char: str) -> bool:
    return char.isalpha() and unicodedata.name(char, "").startswith("LATIN ")


def _is_arabic(char: str) -> bool:
    return char.isalpha() and unicodedata.name(char, "").startswith("ARABIC LETTER ")


def _character_problem(char: str) -> str:
    if char.isnumeric():
        return "digit"
    if char in _APOSTROPHES:
        return "apostrophe"
    return "script" if char.isalpha() else "symbol"


def latin_name_problem(text: str) -> str | None:
    """Why a nom or prénom cannot stand in a certificate (ORG-5), or None.

    Latin letters with accents, space and hyphen. Codes: ``empty``, ``too_long``, ``digit``, ``apostrophe``,
    ``script`` (letters of another alphabet), ``symbol``, ``hyphen`` (at an end, or doubled).
    """
    tidy = tidy_name(text)
    if not tidy:
        return "empty"
    for char in tidy:
        if char not in " -" and not _is_latin(char):
            return _character_problem(char)
    if tidy.startswith("-") or tidy.endswith("-") or "--" in tidy:
        return "hyphen"
    return "too_long" if len(tidy) > MAX_PERSON_NAME else None


def arabic_name_problem(text: str) -> str | None:
    """Why an اللقب or الاسم is not a name in Arabic letters (ORG-5), or None; codes as for Latin."""
    tidy = tidy_arabic_name(text)
    if not tidy:
        return "empty"
    for char in tidy:
        if char != " " and not _is_arabic(char):
            return _character_problem(char)
    return "too_long" if len(tidy) > MAX_PERSON_NAME else None


def organisation_name_problem(text: str) -> str | None:
    """Why a raison sociale or nom commercial is refused (ORG-3: letters, digits and spaces only), or None.

    Accents are letters. Codes: ``empty``, ``too_long``, ``ampersand``, ``apostrophe``, ``dot``, ``hyphen``,
    ``script`` (not Latin), ``symbol``.
    """
    return _organisation_problem(text, _is_latin)


def arabic_organisation_name_problem(text: str) -> str | None:
    """The same rule for a raison sociale in Arabic letters; codes as `organisation_name_problem`."""
    return _organisation_problem(tidy_arabic_name(text), _is_arabic)


def _organisation_problem(text: str, is_letter: LetterTest) -> str | None:
    named = {"&": "ampersand", ".": "dot", "-": "hyphen"}
    tidy = tidy_name(text)
    if not tidy:
        return "empty"
    for char in tidy:
        if char != " " and not is_letter(char) and unicodedata.category(char) != "Nd":
            return named.get(char) or _character_problem(char)
    return "too_long" if len(tidy) > MAX_ORGANISATION_NAME else None


def common_name(first_name: str, last_name: str) -> str:
    """The CN as it will be issued (ORD-3): first name then last name, « Foulan Ben Foulan ».

    Words typed wholly in capitals or small letters get a capital; a mixed word (« McLean ») is left alone.
    """
    return _capitalised(tidy_name(f"{first_name} {last_name}"))


def common_name_problem(first_name: str, last_name: str) -> str | None:
    """``too_long`` when the CN passes the 64 characters a certificate can hold, else None."""
    return "too_long" if len(common_name(first_name, last_name)) > MAX_COMMON_NAME else None


def _capitalised(text: str) -> str:
    def word(match: re.Match[str]) -> str:
        found = match[0]
        return found[0].upper() + found[1:].lower() if found.islower() or found.isupper() else found

    return re.sub(r"[^\s-]+", word, text)


# --- search ---------------------------------------------------------------------------------------

_FOLDED = str.maketrans(
    {
        "ة": "ه", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ڪ": "ك", "ھ": "ه", "ہ": "ه", "ٱ": "ا",
        "ء": "",
        "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
    }
)  # fmt: skip


def fold(text: str) -> str:
    """The search key of a text (QUE-2): equal for spellings that people take for the same.

    Small letters without accents, Arabic letters without hamza, vowel signs and variants (ة as ه, ى as ي),
    digits as 0-9, punctuation as single spaces. Folding twice changes nothing.
    """
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(char for char in spread if unicodedata.category(char) not in ("Mn", "Cf") and char != "\u0640")
    plain = _ascii_digits(bare.translate(_FOLDED))
    return " ".join("".join(char if char.isalnum() else " " for char in plain).split())
