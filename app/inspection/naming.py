"""Names in a document's words: the organisation's and persons', in either script and order (REV-3). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.identifiers import fold
from app.inspection.words import SURE, Place, Word, Words, find_together, is_arabic, key_of, keys_of, shown
from app.names import same_name

# Words that say what kind of company it is, or join others: no part of what tells two companies apart.
_FORM_WORDS = """
societe ste soc sarl suarl sa sas sasu snc scs sca gie eurl ets etablissement etablissements entreprise anonyme
unipersonnelle responsabilite limitee limite a l de du des d la le les et and the of en s r u gmbh ltd limited inc ag
kg srl spa bv nv plc llc company co dite denommee par actions simplifiee
شركة الشركة مؤسسة ش م شمم شممم ذات المسؤولية المحدودة مسؤولية محدودة خفية الاسم اسم الشخص الواحد و
"""
_FORMS = frozenset(key_of(word) for word in fold(_FORM_WORDS).split())

_LEGAL_LABELS = (
    "raison sociale", "denomination sociale", "denomination", "nom de la societe", "nom de l entreprise",
    "nom ou raison sociale", "nom raison sociale", "societe denommee", "company name", "firma",
    "التسمية الاجتماعية", "الاسم الاجتماعي", "اسم الشركة", "اسم المؤسسة", "تسمية الشركة", "تسمية المؤسسة", "التسمية",
)  # fmt: skip
_PERSON_LABELS = (
    "nom et prenom", "nom prenom", "nom et prenoms", "prenom et nom", "gerant", "gerante",
    "representant legal", "president directeur general",
    "president", "presidente", "directeur general", "directrice generale", "dirigeant", "pdg", "responsable",
    "managing director", "geschaftsfuhrer", "represente par", "representee par", "administrateur unique",
    "الاسم واللقب", "اللقب والاسم", "الممثل القانوني", "وكيل", "الوكيل", "المسير", "مسير", "رئيس", "المسؤول",
    "المتصرف", "المدير", "المديرة",
    "manager", "director", "co gerants", "co gerant", "amministratore unico", "administrador unico",
)  # fmt: skip
_LEADS = re.compile(
    "represent|gerant|cogerant|dirig|manager|president|directeur|director|geschaftsfuhr|amministrator|administra"
)
_LEADS_ARABIC = (
    "يمثلها",
    "ويمثلها",
    "يمثله",
    "ويمثله",
    "الممثل",
    "ممثلها",
    "وكيل",
    "الوكيل",
    "المسير",
    "مسيرها",
    "رئيس",
    "المتصرف",
    "المدير",
)
_STOP_WORDS = """
forme juridique capital social siege adresse activite nom commercial enseigne sigle matricule identifiant
immatriculation registre date numero cin qualite nationalite tel telephone fonction ne nee au sise dont duree rue avenue
objet role pouvoirs passeport code extrait etat sitz gegenstand registered office sede domicilio
الشكل القانوني رأس المال المقر العنوان عنوان النشاط المعرف الصفة عدد تاريخ الجنسية الاسم التجاري
"""
_STOPS = (
    frozenset(key_of(w) for text in (_STOP_WORDS, *_LEGAL_LABELS, *_PERSON_LABELS) for w in fold(text).split()) - _FORMS
)


_ENDS = ',;)»”"'
"""Marks after which a value is over."""


def content_of(name: str) -> list[str]:
    """The keys that tell a company apart: without legal form, articles, « et » and « & »; all where nothing is left."""
    keys = keys_of(name)
    kept = [key for key in keys if key not in _FORMS]
    return list(dict.fromkeys(kept or keys))


@dataclass(frozen=True, slots=True)
class Labelled:
    """What stands after a label such as « Raison sociale »; ``sure``: all of it read for sure."""

    words: tuple[Word, ...]
    beside: bool
    cut: bool = False
    """Did the label of the next value end it? That label's first words may be among its last."""

    @property
    def raw(self) -> str:
        """As it stands."""
        return shown(dict.fromkeys(word.raw for word in self.words))

    @property
    def sure(self) -> bool:
        """Did OCR read every word of it well?"""
        return all(word.sure >= SURE + 5 for word in self.words)


def find_legal_name(words: Words, name: str) -> Place | None:
    """The organisation's name, its words in any order, its legal form written out, short or left out."""
    content = content_of(name)
    return find_together(words.all, content, slack=3 if len(content) > 1 else 0)


def longer_name(words: Words, name: str, also: Iterable[str] = ()) -> Labelled | None:
    """A labelled name that holds all of the declared one and more: another company's (« Alpha » and « Alpha Plus »)."""
    content = set(content_of(name))
    known = {key for other in also for key in content_of(other)}
    for value in labelled_values(words, _LEGAL_LABELS, arabic=is_arabic(name)):
        if not value.beside or (any(word.ocr for word in value.words) and not value.sure):
            continue
        held = [w for w in value.words if w.key not in _FORMS]
        if value.cut:
            held = held[: max((place for place, word in enumerate(held, 1) if word.key in content), default=0)]
        more = [w for w in held if w.key not in content and w.key not in known and len(w.plain) > 1]
        if content <= {word.key for word in held} and more and not any(map(str.isdigit, "".join(w.key for w in more))):
            return value
    return None


def followed_name(words: Words, name: str, place: Place) -> Word | None:
    """A word in capitals that follows the name wherever OCR read it: « ALPHA » is « ALPHA PLUS » there.

    Only for a name in capitals, all of it and the word after it surely read, on one line.
    """
    content = content_of(name)
    starts = [n for n, word in enumerate(words.all) if word is place.words[0]]
    last = starts[0] + len(place.words) - 1 if starts else -1
    if last < 0 or last + 1 >= len(words.all) or not all(w.raw.isupper() and w.sure >= SURE for w in place.words):
        return None
    after = words.all[last + 1]
    same_line = after.line == place.words[-1].line
    telling = after.raw.isalpha() and after.raw.isupper() and len(after.plain) >= 4 and after.sure >= 90
    known = after.key in _STOPS or after.key in _FORMS or after.key in content
    if not same_line or not telling or known or is_arabic(after.plain):
        return None
    rest = find_together(words.all[last + 1 :], content, slack=3)
    if rest is None:
        return after
    following = followed_name(_Rest(words, last + 1), name, rest)
    return after if following is not None and following.key == after.key else None


class _Rest(Words):
    """The words from a place on."""

    def __init__(self, words: Words, first: int) -> None:
        self.all, self.lines, self.of_line = words.all[first:], words.lines, words.of_line


def nowhere(words: Words, name: str) -> bool:
    """Is there no word in the document that resembles any longer word of the name, whatever OCR did to it?"""
    from rapidfuzz import fuzz

    keys = [key for key in keys_of(name) if len(key) >= 4]
    return bool(keys) and all(fuzz.ratio(word.key, key) < 72 for key in keys for word in words.all)


def other_legal_names(words: Words, name: str) -> list[Labelled]:
    """Labelled names in the script of the declared one that are not it."""
    content = content_of(name)
    found = []
    for value in labelled_values(words, _LEGAL_LABELS, arabic=is_arabic(name)):
        held = [word for word in value.words if word.key not in _FORMS]
        if held and find_together(held, content, slack=2) is None and sum(len(word.plain) for word in held) >= 3:
            found.append(Labelled(tuple(held), value.beside))
    return found


def find_person(words: Words, name: str) -> Place | None:
    """A person's name, first name first or last, capitals or not, with small differences of spelling."""
    keys = keys_of(name)
    place = find_together(words.all, keys, slack=2)
    if place is not None:
        return place
    arabic = is_arabic(name)
    if arabic:
        loose = [key_of(word) for word in fold(name).split() if word not in ("بن", "ابن", "بنت", "ال")]
        place = find_together(words.all, loose, slack=3) if len(loose) > 1 else None
        if place is not None:
            return place
    script = [word for word in words.all if word.arabic is arabic and not word.plain.isdigit()]
    wanted = len(keys)
    for size in range(max(2, wanted - 1), wanted + 2):
        for first in range(len(script) - size + 1):
            window = script[first : first + size]
            if window[-1].line - window[0].line > 1 or not _could_be(window, keys):
                continue
            texts = [" ".join(word.plain for word in window)]
            if any(same_name(text, name) for text in texts):
                return Place(tuple(window))
    return None


_GONE = re.compile(
    "ancien(?:ne|s|nes|nement)?|anct|ex|depart|demission(?:naire)?|revocation|revoquee?|decede?e?|deces|sortante?|"
    "remplacement|precedemment|former(?:ly)?|previous(?:ly)?|resign(?:ed|ation)|outgoing|ceased|ausgeschieden|"
    "dimess[oa]|cessat[oa]"
)
_JUST_GONE = re.compile("demissionnaire|sortante?|decedee?|resigned|ausgeschieden|dimissionario|cessato")
_GONE_ARABIC = frozenset(
    key_of(fold(word))
    for word in (
        "السابق", "السابقة", "سابقا", "استقالة", "باستقالة", "المستقيل", "عزل", "وفاة", "المتوفى", "خلفا", "القديمة",
    )
)  # fmt: skip


def only_formerly(words: Words, place: Place, find: Callable[[Words], Place | None]) -> bool:
    """Does the name stand only where the paper says it is over: « ancienne dénomination », « départ de » …?

    ``place``: where ``find`` saw it first; each further place is looked at too.
    """
    here: Words = words
    for _time in range(12):
        if not _is_over(words, place):
            return False
        rest = next((n for n, word in enumerate(here.all) if word is place.words[-1]), len(here.all)) + 1
        here = _Rest(here, rest)
        further = find(here) if here.all else None
        if further is None:
            return True
        place = further
    return False


def _is_over(words: Words, place: Place) -> bool:
    """A word of departure shortly before the name on its line, or right after it."""
    line = words.of_line[place.line]
    spots = [n for n, word in enumerate(line) if any(word is other for other in place.words)]
    if not spots:
        return False
    return any(
        word.key in _GONE_ARABIC if word.arabic else said.fullmatch(word.plain)
        for said, near in (
            (_GONE, line[max(0, spots[0] - 4) : spots[0]]),
            (_JUST_GONE, line[spots[-1] + 1 : spots[-1] + 3]),
        )
        for word in near
    )


def says_who_leads(words: Words, *, arabic: bool) -> bool:
    """Is there a word such as « gérant » or « ويمثلها » in that script?"""
    if arabic:
        keys = {key_of(fold(word)) for word in _LEADS_ARABIC}
        return any(word.key in keys for word in words.all)
    return any(_LEADS.match(word.plain) for word in words.all)


def other_persons(words: Words, name: str) -> list[Labelled]:
    """Persons named after « gérant », « nom et prénom »… in the script of the declared name."""
    values = labelled_values(words, _PERSON_LABELS, arabic=is_arabic(name))
    return [value for value in values if 2 <= len(value.words) <= 7 and sum(len(w.plain) for w in value.words) >= 6]


_NAME_LABELS = ("nom et prenom", "nom", "surname", "name", "اللقب")


def other_identity_name(words: Words, name: str) -> Labelled | None:
    """The name after « Nom » on a card, surely read and nothing like any word of the declared one."""
    from rapidfuzz import fuzz

    keys = keys_of(name)
    for value in labelled_values(words, _NAME_LABELS, arabic=is_arabic(name)):
        first = [word for word in value.words if len(word.plain) >= 3]
        strange = [word for word in first if max(fuzz.ratio(word.key, key) for key in keys) < 62]
        if first and len(strange) == len(first) and all(word.sure >= 88 for word in first):
            return value
    return None


def persons_near(words: Words, name: str) -> list[Labelled]:
    """Two to four surely read words, one in capitals, on the line above or below a person's label (OCR's tables)."""
    arabic = is_arabic(name)
    found = []
    for number, line in words.of_line.items():
        if not any(is_arabic(label) is arabic and _label_in(line, keys_of(label)) for label in _PERSON_LABELS):
            continue
        for near in (number - 1, number + 1):
            first = takewhile(lambda w: w.key not in _STOPS and w.plain.isalpha(), words.of_line.get(near, []))
            value = [w for w in first if len(w.plain) >= 3]  # up to « Gérant », or a day of birth
            right = 2 <= len(value) <= 4 and all(w.sure >= 88 and w.arabic is arabic for w in value)
            if right and any(w.raw.isupper() for w in value):
                found.append(Labelled(tuple(value), beside=False))
    return found


def labelled_values(words: Words, labels: Sequence[str], *, arabic: bool) -> list[Labelled]:
    """What follows each label: the rest of its line in that script, else the next line; up to another label."""
    found = []
    for number, line in words.of_line.items():
        for label in labels:
            phrase = keys_of(label)
            if is_arabic(label) is not arabic or not (hit := _label_in(line, phrase)):
                continue
            if not any(word.arabic for word in hit):
                rest = line[line.index(hit[-1]) + 1 :]
            else:
                rest = [word for word in line if word not in hit]  # an Arabic line's order is not to be trusted
            value, cut = _until_stop(rest, arabic=arabic)
            if value:
                found.append(Labelled(tuple(value), beside=True, cut=cut))
            else:
                below, _cut = _until_stop(words.of_line.get(number + 1, []), arabic=arabic)
                if below and len(below) == len([w for w in words.of_line[number + 1] if w.arabic is arabic]):
                    found.append(Labelled(tuple(below), beside=False))
            break
    return found


def _label_in(line: Sequence[Word], phrase: Sequence[str]) -> list[Word]:
    """The label's words, side by side; surer than other words, for what follows is held against the paper."""
    for first in range(len(line) - len(phrase) + 1):
        window = line[first : first + len(phrase)]
        if sorted(word.key for word in window) == sorted(phrase) and all(w.sure >= SURE for w in window):
            return list(window)
    return []


def _until_stop(line: Sequence[Word], *, arabic: bool) -> tuple[list[Word], bool]:
    """The words up to what ends a value: another label, a comma, a closing quotation mark; and was it a label?"""
    kept: list[Word] = []
    for word in line:
        if word.arabic is not arabic:
            if kept:
                break
            continue
        if word.key in _STOPS:
            if kept:
                break
            continue
        if word.plain.isdigit() and not kept:
            continue
        if kept and not arabic and word.end.startswith(":"):
            return kept, True
        kept.append(word)
        if any(mark in word.end for mark in _ENDS) or len(kept) > 12:
            break
    return kept, False


def _could_be(window: Sequence[Word], keys: Sequence[str]) -> bool:
    """A cheap first look: the window has a word that begins like one of the name's."""
    starts = {key[:1] for key in keys}
    return any(word.key[:1] in starts for word in window)
