"""What an organisation and a person declare, field by field: the one list the review desk reads (REV-2).

``stored`` is the value a verdict was given on: when it changes, the verdict is void. ``shown`` is what people
read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import lazy_gettext as _l

from app.identifiers import format_phone
from app.models import CertificateRequest, Organisation, RegistrationCountry, User
from app.state_labels import state_label


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared value. ``title`` begins a new block of the list; ``code``: digits and letters to be compared."""

    name: str
    label: object
    stored: str
    shown: str
    title: object = None
    code: bool = False
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    label: object
    read: Callable[[Any], object]
    show: Callable[[Any], str] | None = None
    code: bool = False
    lang: str | None = None
    always: bool = True  # else only when it holds something
    when: Callable[[Any], bool] | None = None


def _address(row: Organisation) -> str:
    governorate = f" ({row.governorate.name_fr})" if row.governorate is not None else ""
    return f"{row.address}, {row.postal_code} {row.city}{governorate}"


def _identity(row: Any) -> str:
    return f"{state_label(row.identity_kind)} {row.identity_number or ''}".strip()


def _stored_identity(row: Any) -> str:
    return f"{row.identity_kind or ''} {row.identity_number or ''}".strip()


def _day(row: Any) -> str:
    return row.birth_date.strftime("%d/%m/%Y") if row.birth_date else ""


def _is_tunisian(row: Organisation) -> bool:
    return row.registration_country is RegistrationCountry.TUNISIE


ORGANISATION: tuple[_Field, ...] = (
    _Field("legal_name", _l("Raison sociale"), lambda o: o.legal_name),
    _Field("legal_name_ar", _l("Raison sociale en arabe"), lambda o: o.legal_name_ar, lang="ar", always=False),
    _Field("trade_name", _l("Nom commercial"), lambda o: o.trade_name, always=False),
    _Field("tax_id", _l("Matricule fiscal"), lambda o: o.tax_id, code=True, when=_is_tunisian),
    _Field(
        "register_number",
        _l("Numéro d'enregistrement"),
        lambda o: f"{o.country} {o.register_number or ''}".strip(),
        code=True,
        when=lambda o: not _is_tunisian(o),
    ),
    _Field("category", _l("Catégorie"), lambda o: o.category.value, lambda o: state_label(o.category)),
    _Field("address", _l("Adresse"), _address),
    _Field("phone", _l("Téléphone fixe"), lambda o: o.phone, lambda o: format_phone(o.phone), code=True),
    _Field("fax", _l("Fax"), lambda o: o.fax, lambda o: format_phone(o.fax), code=True, always=False),
)

REPRESENTATIVE: tuple[_Field, ...] = (
    _Field("representative_name", _l("Nom et prénom"), lambda r: f"{r.last_name} {r.first_name}"),
    _Field(
        "representative_name_ar",
        _l("اللقب والاسم"),
        lambda r: f"{r.last_name_ar} {r.first_name_ar}".strip(),
        lang="ar",
        always=False,
    ),
    _Field("representative_birth_date", _l("Date de naissance"), lambda r: r.birth_date.isoformat(), _day, code=True),
    _Field("representative_identity", _l("Pièce d'identité"), _stored_identity, _identity, code=True),
    _Field("representative_mobile", _l("Téléphone mobile"), lambda r: r.mobile, lambda r: format_phone(r.mobile), True),
    _Field("representative_email", _l("E-mail"), lambda r: r.email),
)

REQUEST: tuple[_Field, ...] = (
    _Field("last_name", _l("Nom"), lambda r: r.last_name),
    _Field("first_name", _l("Prénom"), lambda r: r.first_name),
    _Field("last_name_ar", _l("اللقب"), lambda r: r.last_name_ar, lang="ar"),
    _Field("first_name_ar", _l("الاسم"), lambda r: r.first_name_ar, lang="ar"),
    _Field("birth_date", _l("Date de naissance"), lambda r: r.birth_date.isoformat(), _day, code=True),
    _Field("nationality", _l("Nationalité"), lambda r: r.nationality, code=True),
    _Field("identity_number", _l("Pièce d'identité"), _stored_identity, _identity, code=True),
    _Field("mobile", _l("Téléphone mobile"), lambda r: r.mobile, lambda r: format_phone(r.mobile), code=True),
    _Field("email", _l("E-mail"), lambda r: r.email),
    _Field("common_name", _l("Nom du certificat (CN)"), lambda r: r.common_name),
    _Field(
        "domains",
        _l("Domaines d'utilisation"),
        lambda r: ",".join(sorted(domain.code for domain in r.domains)),
        lambda r: ", ".join(domain.label for domain in r.domains),
    ),
)

LABELS: dict[str, object] = {
    **{field.name: field.label for field in (*ORGANISATION, *REQUEST)},
    "representative_name": _l("Nom et prénom du représentant légal"),
    "representative_name_ar": _l("Nom et prénom du représentant légal en arabe"),
    "representative_birth_date": _l("Date de naissance du représentant légal"),
    "representative_identity": _l("Pièce d'identité du représentant légal"),
    "representative_mobile": _l("Téléphone mobile du représentant légal"),
    "representative_email": _l("E-mail du représentant légal"),
    "last_name_ar": _l("Nom en arabe (اللقب)"),
    "first_name_ar": _l("Prénom en arabe (الاسم)"),
}
"""What a field is called away from its list, in a mail or on the client's page."""
_ADMINISTRATOR = _l("Administrateur")


def field_name(name: str) -> object:
    """A field's name in words, lazily; administrators' are numbered by their account, not shown."""
    return _ADMINISTRATOR if name.startswith("administrator_") else LABELS.get(name, name)


def declared_of_request(request: CertificateRequest) -> list[Declared]:
    """What the applicant's request declares, in the order of the form (ORD-3)."""
    return [_declared(field, request) for field in REQUEST if _holds(field, request)]


def declared_of_organisation(organisation: Organisation, administrators: list[User]) -> list[Declared]:
    """What the organisation declares: itself, its representative, its administrators (ORG-2 … ORG-6)."""
    found = [_declared(field, organisation) for field in ORGANISATION if _holds(field, organisation)]
    people = [
        _declared(f, organisation.representative) for f in REPRESENTATIVE if _holds(f, organisation.representative)
    ]
    found += [_titled(each, _l("Représentant légal")) if n == 0 else each for n, each in enumerate(people)]
    for n, person in enumerate(administrators):
        found.append(
            Declared(
                f"administrator_{person.id}",
                _ADMINISTRATOR,
                "|".join((person.last_name, person.first_name, _stored_identity(person), person.email)),
                f"{person.first_name} {person.last_name} · {_identity(person)} · {person.email}",
                _l("Administrateurs") if n == 0 else None,
            )
        )
    return found


def _holds(field: _Field, row: Any) -> bool:
    return (field.when is None or field.when(row)) and (field.always or bool(field.read(row)))


def _declared(field: _Field, row: Any) -> Declared:
    stored = str(field.read(row) or "")
    return Declared(
        field.name, field.label, stored, field.show(row) if field.show else stored, None, field.code, field.lang
    )


def _titled(declared: Declared, title: object) -> Declared:
    return replace(declared, title=title)
