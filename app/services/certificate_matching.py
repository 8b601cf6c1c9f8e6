"""Which request a generated certificate belongs to, by identity number or by name, or why none (CRT-1).

Nothing changes here. What is refused is refused in a sentence that says what to do; what only looks odd, such as
another organisation's name, is a doubt to be read before one confirms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from flask_babel import ngettext

from app.identifiers import fold
from app.inspection.certificates import CertificateFacts
from app.queries.awaiting import Person, awaiting_certificate, of_numbers, recorded
from app.services.certificates import disagreements, faults_of, name_words, untrusted
from app.services.settings import certificate_issuers
from app.state_labels import state_label
from app.states import RequestState

ORGANISATION_LENGTH = 64
"""Letters that a certificate has room for (X.520): longer names are cut there."""
DAYS_OF_A_YEAR = 365
TOLERANCE_DAYS = 45


@dataclass(frozen=True, slots=True)
class Match:
    """One certificate's fate: its request, or ``refused``. ``doubt``: what to read before confirming."""

    person: Person | None = None
    refused: str = ""
    doubt: str = ""


class Matching:
    """What the certificates of one batch are compared with: a few statements whatever their number."""

    def __init__(self, given: Sequence[CertificateFacts]) -> None:
        self._people: dict[str, list[Person]] = {}
        for person in of_numbers(_spellings(given)):
            self._people.setdefault(fold(person.identity_number), []).append(person)
        self._recorded = recorded(facts.serial_number for facts in given)
        self._issuers = certificate_issuers()
        self._by_name: dict[tuple[str, ...], list[Person]] | None = None

    def match(self, facts: CertificateFacts) -> Match:
        """Of one certificate, whatever else is in its batch."""
        known = self._recorded.get((facts.issuer, facts.serial_number))
        faults = faults_of(facts) + untrusted(facts, self._issuers)
        if known is not None:
            faults.append(_("Il est déjà enregistré pour %(reference)s.", reference=known))
        if faults:
            return Match(refused=" ".join(faults))
        if not facts.identity_number:
            return self._named(facts)
        people = self._people.get(fold(facts.identity_number), [])
        awaiting = [person for person in people if person.awaits]
        if awaiting:
            return _chosen(facts, awaiting)
        return Match(refused=_not_awaited(people[-1]) if people else self._unknown_number(facts))

    def _named(self, facts: CertificateFacts) -> Match:
        """A certificate without identity number: by its name alone."""
        if not facts.common_name:
            return Match(refused=_("Il ne nomme personne : ni CN ni numéro d'identité."))
        awaiting = self._namesakes(facts)
        if not awaiting:
            return Match(refused=_nobody(facts))
        found = _chosen(facts, awaiting)
        if found.person is None:
            return found
        return replace(found, doubt=_joined(_("Reconnu par son nom seulement."), found.doubt))

    def _unknown_number(self, facts: CertificateFacts) -> str:
        namesakes = self._namesakes(facts)
        if not namesakes:
            return _nobody(facts)
        return _(
            "Il est pour une autre personne que %(reference)s, qui attend le même nom : son numéro d'identité est "
            "« %(found)s », celui de la demande « %(wanted)s ».",
            reference=namesakes[0].reference,
            found=facts.identity_number,
            wanted=namesakes[0].identity_number,
        )

    def _namesakes(self, facts: CertificateFacts) -> list[Person]:
        if self._by_name is None:
            self._by_name = {}
            for person in awaiting_certificate():
                self._by_name.setdefault(tuple(name_words(person.common_name)), []).append(person)
        return self._by_name.get(tuple(name_words(facts.common_name)), [])


def match_all(given: Sequence[CertificateFacts | None], names: Sequence[str]) -> list[Match | None]:
    """Every certificate's fate, in order, None where there is none to read; ``names`` are their files'.

    The same certificate twice is refused the second time; two certificates for one request are both refused.
    """
    readable = [facts for facts in given if facts is not None]
    matching = Matching(readable)
    found: list[Match | None] = []
    first: dict[str, str] = {}
    for facts, name in zip(given, names, strict=True):
        if facts is None:
            found.append(None)
        elif facts.fingerprint in first:
            refused = _("Le même certificat est déjà dans « %(file)s ».", file=first[facts.fingerprint])
            found.append(Match(refused=refused))
        else:
            first[facts.fingerprint] = name
            found.append(matching.match(facts))
    claims = Counter(each.person.id for each in found if each is not None and each.person is not None)
    return [
        _contested(each.person) if each is not None and each.person is not None and claims[each.person.id] > 1 else each
        for each in found
    ]


def _spellings(given: Iterable[CertificateFacts]) -> list[str]:
    """Identity numbers as they may be stored: a CIN with its leading zeros, letters in capitals."""
    numbers = {facts.identity_number.upper() for facts in given if facts.identity_number}
    return [*numbers, *(number.zfill(8) for number in numbers if number.isdigit())]


def _chosen(facts: CertificateFacts, awaiting: list[Person]) -> Match:
    """The one request among those of the same number or name that the certificate can be for."""
    agreeing = [person for person in awaiting if not disagreements(facts, person)]
    if not agreeing:
        return Match(
            refused=_joined(
                _("Il n'est pas pour %(reference)s.", reference=awaiting[0].reference),
                *disagreements(facts, awaiting[0]),
            )
        )
    if len(agreeing) > 1:
        employed = [person for person in agreeing if _same_organisation(facts, person)]
        if len(employed) != 1:
            return Match(
                refused=_(
                    "Plusieurs demandes attendent un certificat de cette personne : %(references)s. Enregistrez-le "
                    "depuis la page de la bonne.",
                    references=", ".join(person.reference for person in agreeing),
                )
            )
        agreeing = employed
    return Match(agreeing[0], doubt=_doubts(facts, agreeing[0]))


def _same_organisation(facts: CertificateFacts, person: Person) -> bool:
    return bool(facts.organisation) and fold(facts.organisation) == fold(person.organisation[:ORGANISATION_LENGTH])


def _doubts(facts: CertificateFacts, person: Person) -> str:
    found = []
    if facts.organisation and not _same_organisation(facts, person):
        found.append(
            _(
                "Son organisation est « %(found)s », celle de la demande « %(wanted)s ».",
                found=facts.organisation,
                wanted=person.organisation,
            )
        )
    days = (facts.not_after - facts.not_before).days
    if abs(days - person.validity_years * DAYS_OF_A_YEAR) > TOLERANCE_DAYS:
        found.append(
            ngettext(
                "Il est valable %(days)d jours, la demande est d'un an.",
                "Il est valable %(days)d jours, la demande est de %(num)d ans.",
                person.validity_years,
                days=days,
            )
        )
    return _joined(*found)


def _not_awaited(person: Person) -> str:
    if person.serial_number is not None:
        return _(
            "%(reference)s a déjà son certificat (n° de série %(serial)s).",
            reference=person.reference,
            serial=person.serial_number,
        )
    if person.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        return _(
            "Approuvez d'abord %(reference)s : son certificat n'est pas encore attendu.", reference=person.reference
        )
    return _(
        "%(reference)s n'attend pas de certificat : l'état est « %(state)s ».",
        reference=person.reference,
        state=state_label(person.state),
    )


def _nobody(facts: CertificateFacts) -> str:
    number = facts.identity_number or _("sans numéro d'identité")
    return _(
        "Aucune demande approuvée n'attend le certificat de « %(name)s » (%(number)s).",
        name=facts.common_name,
        number=number,
    )


def _contested(person: Person) -> Match:
    return Match(
        refused=_(
            "Plusieurs certificats de ces fichiers sont pour %(reference)s : ne gardez que le bon.",
            reference=person.reference,
        )
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
