"""Names as they sound: two spellings of one name, in Latin or Arabic letters or across both (ORD-6, QUE-2, REV-3).

Pure. Made for Tunisian names as people write them in French letters, and forgiving with foreign ones. Three
questions are answered, each a little differently: ``same_name`` weighs vowels because « Rachid » and « Rached »
are two names; ``latin_matches_arabic`` lets short vowels go because Arabic does not write them; ``sound_keys`` keeps
consonants only, for a column to search in.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from app.identifiers import fold

SOUND_KEYS_VERSION: Final = 1
"""Of ``sound_keys``: whoever changes its answers raises it, and the stored keys have to be filled again."""

_APOSTROPHES = re.compile("['’‘‛ʼʹ`´′＇ʻ]")
_CEDILLA = str.maketrans("çÇ", "sS")
_ARABIC = re.compile("[\u0620-\u064a\u0671-\u06d3]")
_MOST_WORDS = 9
_PERFECT, _NEVER = 0.0, 9.0


def _words(text: str) -> tuple[str, ...]:
    """Folded words; initials that stand in a row are one word (« S. T. E. G. »)."""
    words: list[str] = []
    initials = False
    for word in fold(_APOSTROPHES.sub("", text).translate(_CEDILLA)).split():
        word = word.replace("francois", "fransois")  # typed without its cedilla
        single = len(word) == 1 and word.isalpha()
        if single and initials:
            words[-1] += word
        else:
            words.append(word)
        initials = single
    return tuple(words)


def _is_arabic(word: str) -> bool:
    return bool(_ARABIC.search(word))


# --- words in Latin letters -------------------------------------------------------------------------

_LATIN_ARTICLES = frozenset({"el", "al", "es", "ess", "ech", "ed", "er", "et", "ett", "ez", "en", "as", "ash"})
_LATIN_SON = frozenset({"ben", "bin", "ibn", "b", "bent", "bint"})
_LATIN_JOINED_FORWARD = frozenset({"ben", "bel", "bou", "bent", "abd", "abdel", "abdul", "abdal", "abdol"})
_MOHAMED = re.compile(r"m(?:o|u|ou)h+a?m+[aeiou]d|med|mohd")
_SPELLINGS: Final[dict[str, str]] = {
    "reda": "ridha", "redha": "ridha", "rida": "ridha", "miriam": "meriem", "myriam": "meriem", "hatim": "hatem",
    "kacim": "kacem", "kassim": "kacem", "qasim": "kacem", "yusuf": "youssef", "yussuf": "youssef",
    "youssouf": "youssef", "yousuf": "youssef", "yosef": "youssef", "abdulla": "abdallah", "abdullah": "abdallah",
    "imene": "imen", "nadhim": "nadhem", "hicham": "hichem",
}  # fmt: skip
"""One name, two vowels: what the rules below would take for two names."""
_FEMININE = frozenset(
    {
        "andree", "augustine", "celestine", "christiane", "clementine", "denise", "francine", "francoise", "justine",
        "louise", "marine", "martine", "michele", "pascale", "simone", "valentine",
    }
)  # fmt: skip
"""French first names whose silent « e » makes another person of them."""

_VOWELS = frozenset("aeiuE")
"""``E`` stands for a final « e », which may be silent or be ة."""
_SOUNDS = re.compile(
    r"(?P<X>tch|sch|ch|sh)|(?P<Q>kh)|(?P<G>gh)|(?P<D>dh)|(?P<T>th)|(?P<f>ph)|(?P<j>dj|g(?=[eiy]))|(?P<g>gu(?=[eiy]))"
    r"|(?P<k>qu|cq|ck|q|c(?![eiy]))|(?P<s>c)|(?P<ks>x)|(?P<i>ee|[iy])|(?P<u>oo|ou|[ouw])|(?P<a>a)|(?P<e>e)|(?P<same>.)"
)


def _latin_sounds(word: str) -> list[str]:
    """The word as sounds: ``a``, ``e``, ``i``, ``u`` and consonants, capitals for those of two letters."""
    sounds: list[str] = []
    for match in _SOUNDS.finditer(word.replace("chr", "kr")):
        kind = str(match.lastgroup)
        for sound in kind if kind == "ks" else [match[0] if kind == "same" else kind]:
            if not sounds or sounds[-1] != sound or match[0].isdigit():
                sounds.append(sound)
    return sounds


@lru_cache(maxsize=4096)
def _latin_shape(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Consonants, and the vowels before, between and after them."""
    if _MOHAMED.fullmatch(word):
        word = "mohamed"
    word = _SPELLINGS.get(word, word)
    word = re.sub(r"^(?:bin|ibn)(?=..)", "ben", word)
    word = re.sub(r"^abdul(?=..)", "abdel", word)
    word = re.sub(r"uddine?$", "eddine", word)
    first = word[:1]
    if re.search(r"[aeiouy]h$", word):
        word = word[:-1]
    sounded_end = word in _FEMININE or re.search(r"([nlts])\1e$|[^aeiouyrl][mnw]e$", word)
    if word.endswith("e") and len(word) > 3 and not sounded_end and not word.endswith("ee"):
        word = word[:-1]
    consonants: list[str] = []
    gaps = [""]
    for sound in _latin_sounds(word):
        if sound in _VOWELS:
            vowel = "a" if sound == "e" else sound
            gaps[-1] += "" if gaps[-1].endswith(vowel) else vowel
        else:
            consonants.append(sound)
            gaps.append("")
    if first in "ei" and gaps[0] in {"a", "i"}:
        gaps[0] = "a|i" if first == "e" else "i"
    return tuple(consonants), tuple(gaps)


_CLOSE = {frozenset(pair) for pair in ("Dd", "Dz", "Tt")}


def _alike_latin(one: str, other: str) -> bool:
    """Whether two Latin words are one name: the same consonants, vowels that are written one for the other."""
    if one == other:
        return True
    consonants, gaps = _latin_shape(one)
    others, other_gaps = _latin_shape(other)
    if len(consonants) != len(others) or any(character.isdigit() for character in one + other):
        return False
    if any(a != b and frozenset((a, b)) not in _CLOSE for a, b in zip(consonants, others, strict=True)):
        return False
    last = len(consonants)
    if not set(gaps[0].split("|")) & set(other_gaps[0].split("|")):
        return False
    if last and gaps[last] != other_gaps[last]:
        return False
    return all(_vowels_alike(gaps[place], other_gaps[place], first=place == 1) for place in range(1, last))


def _vowels_alike(one: str, other: str, *, first: bool) -> bool:
    """Equal but for an « a » or « e » that one of them leaves out (Karim, Krim; Houcine, Houceine).

    Left out altogether in the first syllable only: Hamdi and Hamadi are two names.
    """
    short, long = sorted((one, other), key=len)
    if not short and not first:
        return not long
    rest = iter(long)
    return all(sound in rest for sound in short) and set(_without(long, short)) <= {"a"}


def _without(long: str, short: str) -> str:
    for sound in short:
        long = long.replace(sound, "", 1)
    return long


# --- words in Arabic letters ------------------------------------------------------------------------

_ARABIC_SON = frozenset({"بن", "ابن", "بنت"})
_ARABIC_JOINED_FORWARD = frozenset({"بن", "بل", "بو", "بنت", "عبد"})
_NOT_AN_ARTICLE = frozenset({"الياس", "الهام", "الفه", "الاء", "الينا", "اليسا", "اليسار", "الين", "البير", "الكسندر"})
_ARABIC_SPELLINGS: Final[dict[str, str]] = {
    "رحمن": "رحمان", "اسمعيل": "اسماعيل", "ابرهيم": "ابراهيم", "اسحق": "اسحاق", "سليمن": "سليمان", "هرون": "هارون",
    "عثمن": "عثمان", "طه": "طاها", "يسين": "ياسين", "داوود": "داود", "ابن": "بن", "ابو": "بو",
}  # fmt: skip


@lru_cache(maxsize=4096)
def _arabic_word(word: str) -> str:
    """The word without article, in one spelling; « ال » within « عبدال… » and « …الدين » goes too."""
    word = word.translate(_ARABIC_VARIANTS)
    if word.startswith("ال") and len(word) > 3 and word not in _NOT_AN_ARTICLE:
        word = word[2:]
    word = re.sub(r"^عبدال(?=..)", "عبد", word)
    word = re.sub(r"(?<=..)الدين$", "دين", word)
    word = re.sub(r"^با?ل(?=...)", "بل", word)
    word = re.sub(r"^ا?بو(?=..)", "بو", word)
    word = re.sub(r"^ابن(?=...)", "بن", word)
    word = re.sub(r"^بنال(?=..)", "بل", word)
    return _ARABIC_SPELLINGS.get(word, word)


_ARABIC_VARIANTS = str.maketrans(
    {"ڨ": "ق", "گ": "ق", "ڤ": "ف", "پ": "ب", "چ": "ش", "ژ": "ج", "ۏ": "و", "ګ": "ق", "ٹ": "ت"}
)


def _arabic_words(words: Sequence[str]) -> tuple[str, ...]:
    """Words without articles; « بن ال… » is « بل… » as it is often written."""
    kept: list[str] = []
    for word in words:
        if word == "ال":
            continue
        bare = _arabic_word(word)
        if kept and kept[-1] == "بن" and word.startswith("ال") and bare != word:
            kept[-1] = "بل"
        kept.append(bare)
    return tuple(kept)


def _latin_words(words: Sequence[str]) -> tuple[str, ...]:
    """Words with « bin » as « ben », and « ben el » as « bel » as it is often written."""
    kept: list[str] = []
    for word in words:
        plain = {"bin": "ben", "ibn": "ben", "b": "ben", "bint": "bent", "abou": "bou", "bu": "bou"}.get(word, word)
        if kept and kept[-1] == "ben" and plain in {"el", "al"}:
            kept[-1] = "bel"
        else:
            kept.append(plain)
    return tuple(kept)


# --- same name --------------------------------------------------------------------------------------


def same_name(a: str, b: str) -> bool:
    """Whether two texts are spellings of one person's or company's name (REV-3).

    Forgiven: case, accents, hyphens, apostrophes, word order, spacing, « ben » joined or written « bin » or « b. »,
    an article, doubled letters, and what one sound is written with (ou, u, w; ch, sh; i, y, ee; Mohamed, Mouhamed;
    in Arabic hamza, ة and ه, ى and ي, vowel signs). Another given name or family name is another name. Texts of
    two scripts are compared by sound. Empty texts are no name: False.
    """
    one, other = _words(a), _words(b)
    if not one or not other:
        return False
    arabic = _is_arabic(a), _is_arabic(b)
    if arabic[0] != arabic[1]:
        latin, written = (b, a) if arabic[0] else (a, b)
        return latin_matches_arabic(latin, written) is True
    if one == other or "".join(one) == "".join(other):
        return True
    if arabic[0]:
        return _paired(_arabic_words(one), _arabic_words(other), _alike_arabic)
    return any(
        _paired(left, right, _alike_latin)
        for left in _with_or_without(_latin_words(one), _LATIN_ARTICLES)
        for right in _with_or_without(_latin_words(other), _LATIN_ARTICLES)
    )


def _alike_arabic(one: str, other: str) -> bool:
    if one == other:
        return True
    return bool(_is_arabic(one)) == bool(_is_arabic(other)) and _arabic_word(one) == _arabic_word(other)


def _with_or_without(words: tuple[str, ...], particles: frozenset[str]) -> list[tuple[str, ...]]:
    bare = tuple(word for word in words if word not in particles)
    return [words] if bare == words or not bare else [words, bare]


def _paired(left: tuple[str, ...], right: tuple[str, ...], alike: Callable[[str, str], bool]) -> bool:
    """Whether each word of one side, or a few of them joined, has its like on the other, in any order."""
    if len(left) > _MOST_WORDS or len(right) > _MOST_WORDS:
        return sorted(left) == sorted(right)

    def rest(free_left: frozenset[int], free_right: frozenset[int]) -> bool:
        if not free_left or not free_right:
            return not free_left and not free_right
        start = min(free_left)
        for length in (1, 2, 3):
            taken = range(start, start + length)
            if not set(taken) <= free_left:
                break
            joined = "".join(left[place] for place in taken)
            for places in _runs(free_right):
                if length > 1 and len(places) > 1 and not joined.startswith(("abd", "عبد")):
                    continue
                if alike(joined, "".join(right[place] for place in places)) and rest(
                    free_left - set(taken), free_right - set(places)
                ):
                    return True
        return False

    return rest(frozenset(range(len(left))), frozenset(range(len(right))))


def _runs(free: frozenset[int]) -> Iterator[range]:
    for start in sorted(free):
        for length in (1, 2, 3):
            if start + length - 1 not in free:
                break
            yield range(start, start + length)


# --- Latin against Arabic ---------------------------------------------------------------------------

_MATCHES: Final[dict[str, str]] = {
    "b": "بپ", "p": "بپ", "t": "تطثة", "T": "ثتط", "d": "دضذظ", "D": "ذظضدز", "s": "سصثز", "z": "زذظض", "j": "جغ",
    "X": "ش", "Q": "خ", "G": "غ", "g": "ڨقجغك", "k": "كقڨ", "f": "فڤ", "v": "فڤب", "l": "ل", "m": "م", "n": "ن",
    "r": "ر", "h": "هحة",
}  # fmt: skip
_NEARLY: Final[dict[tuple[str, str], float]] = {
    ("X", "ك"): 0.25, ("X", "خ"): 0.4, ("X", "ج"): 0.4, ("X", "ت"): 0.4, ("j", "ي"): 0.4, ("j", "ش"): 0.4,
    ("j", "خ"): 0.5, ("Q", "ح"): 0.5, ("Q", "ك"): 0.4, ("G", "ق"): 0.4, ("G", "ج"): 0.3, ("k", "خ"): 0.5,
    ("s", "ش"): 0.5, ("s", "ج"): 0.5, ("z", "س"): 0.3, ("r", "غ"): 0.4, ("v", "و"): 0.3, ("d", "ت"): 0.3,
    ("t", "د"): 0.4,
    ("h", "خ"): 0.4, ("T", "س"): 0.5, ("p", "ف"): 0.5, ("l", "ي"): 0.3, ("a", "و"): 0.75, ("a", "ي"): 0.75,
    ("i", "ا"): 0.8, ("i", "و"): 0.6, ("u", "ا"): 0.75, ("u", "ي"): 0.4, ("u", "ف"): 0.3, ("e", "ي"): 0.3,
    ("e", "ا"): 0.0, ("e", "و"): 0.73, ("E", "ا"): 0.0, ("E", "ي"): 0.0,
}  # fmt: skip
_VOWEL_LETTERS = {"a": "ا", "i": "ي", "u": "و"}
_SILENT_IN_FRENCH = frozenset("stdxznpr")


def latin_matches_arabic(latin: str, arabic: str) -> bool | None:
    """Whether an Arabic name sounds like the Latin one (ORD-6); None when it cannot be said.

    Words in any order, joined or not, with or without « ben ». None when either is empty or in the other script.
    """
    latin_words, arabic_words = _latin_words(_words(latin)), _arabic_words(_words(arabic))
    if not latin_words or not arabic_words:
        return None
    if any(_is_arabic(word) for word in latin_words) or not all(_is_arabic(word) for word in arabic_words):
        return None
    if not all(word.isascii() for word in latin_words):
        return None
    lefts = _variants(latin_words, _LATIN_ARTICLES, _LATIN_SON)
    rights = _variants(arabic_words, frozenset(), _ARABIC_SON)
    return any(_paired(left, right, _sounds_like) for left in lefts for right in rights)


def _variants(words: tuple[str, ...], articles: frozenset[str], son: frozenset[str]) -> list[tuple[str, ...]]:
    found = _with_or_without(words, articles)
    return [*found, *(bare for bare in _with_or_without(found[-1], son) if bare not in found)]


@lru_cache(maxsize=8192)
def _sounds_like(latin: str, arabic: str) -> bool:
    if latin.isdigit() or arabic.isdigit():
        return latin == arabic
    if _MOHAMED.fullmatch(latin):
        latin = "mohamed"
    limit = _limit(latin)
    return any(_distance(_ended_sounds(said), written) <= limit for said, written in _readings(latin, arabic))


def _readings(latin: str, arabic: str) -> Iterator[tuple[str, str]]:
    """The two words, then with the article where only one of them has it joined."""
    yield latin, arabic
    if latin[0] in _VOWELS:  # Elhedi
        yield latin, "ال" + arabic
    assimilated = re.match(r"(?:el|e(ch|[tsdzrn])(?=\1))(?=[a-z]{3})", latin)
    if assimilated:  # Ettounsi
        yield latin[assimilated.end() if assimilated[1] is None else 1 :], arabic
    if latin.startswith("ben") and arabic.startswith("بل"):  # Ben Cheikh, بن الشيخ
        yield "bel" + latin[3:], arabic
    if "oi" in latin:  # François, فرانسوا
        yield latin.replace("oi", "oua"), arabic
    if latin.startswith("la"):  # Lassaad for الأسعد
        yield latin[1:], arabic
    if latin.startswith("abd"):  # Abderrahmane
        yield _servant(latin), arabic


def _ended_sounds(latin: str) -> tuple[str, ...]:
    sounds = _latin_sounds(latin)
    if latin.endswith("e") and sounds[-1:] == ["e"]:
        sounds[-1] = "E"
    return tuple(sounds)


def _limit(latin: str) -> float:
    """How much may differ: long names are spelled with more freedom."""
    return 0.72 if sum(sound not in _VOWELS for sound in _latin_sounds(latin)) < 6 else 1.05


@lru_cache(maxsize=8192)
def _distance(sounds: tuple[str, ...], arabic: str) -> float:
    """The least cost of laying the sounds over the letters; a consonant without its like costs 1."""
    row = [0.0]
    for place, letter in enumerate(arabic):
        row.append(row[-1] + _written_only(arabic, place, letter))
    for position, sound in enumerate(sounds):
        dropped = _said_only(sounds, position, sound)
        new = [row[0] + dropped]
        for place, letter in enumerate(arabic):
            first, last = place == 0 and position <= 1, place == len(arabic) - 1
            new.append(
                min(
                    row[place] + _pair(sound, letter, first=first, last=last),
                    row[place + 1] + dropped,
                    new[place] + _written_only(arabic, place, letter),
                )
            )
        row = new
    return row[-1]


def _pair(sound: str, letter: str, *, first: bool, last: bool) -> float:
    if letter in _MATCHES.get(sound, "") or _VOWEL_LETTERS.get(sound) == letter or sound == letter:
        return _PERFECT
    if sound == "t" and letter == "ه" and last:  # ة after a vowel: Hayet, حياة
        return 0.2
    if sound not in _VOWELS:
        return _NEARLY.get((sound, letter), 1.0)
    if (first and letter in "اع") or (last and letter == "ه" and sound in "aeE"):
        return _PERFECT
    if last and letter == "ي" and sound in "ae":  # ى
        return _PERFECT
    return 0.3 if letter == "ع" else _NEARLY.get((sound, letter), _NEVER)


def _said_only(sounds: tuple[str, ...], position: int, sound: str) -> float:
    """What it costs that a sound of the Latin name is not written in Arabic."""
    last = position == len(sounds) - 1
    if sound in _VOWELS:
        if position == 0:
            return 0.4
        if last:
            return {"a": 0.8, "e": 0.4, "i": 0.8, "u": 0.6, "E": 0.0}[sound]
        return 0.75 if sound == "i" and sounds[position + 1 :] in {("a",), ("e",)} else 0.05
    if sound == "h":
        return 0.0 if last else 0.25
    if last and sound in _SILENT_IN_FRENCH:
        return 0.35 if sound in "stdx" else 0.6
    return 1.0


def _written_only(arabic: str, place: int, letter: str) -> float:
    """What it costs that an Arabic letter has no sound in the Latin name."""
    last = place == len(arabic) - 1
    if place and arabic[place - 1] == letter:
        return 0.0
    if letter == "ع":
        return 0.05
    if letter == "ا":
        return 0.4 if place == 0 else 0.75 if last else 0.35
    if letter in "وي":
        return 0.8
    if letter in "هح":
        return 0.2 if place and arabic[place - 1] in "تدطس" else 0.8 if last and letter == "ه" else 0.7
    return 1.0


def _servant(latin: str) -> str:
    """« abdelkarim », « abderrahmane » with the article left out, as the Arabic word is compared."""
    return re.sub(r"^abd[aeou]l?(?:l(?=[^aeiouy])|(ch|[rstznd])(?=\1))?(?=[a-z]{2})", "abda", latin)


# --- keys to search by ------------------------------------------------------------------------------

_KEY_OF_SOUND = str.maketrans(
    {
        "p": "b", "v": "f", "T": "t", "D": "d", "g": "k",
    }
)  # fmt: skip
_KEY_OF_LETTER: Final[dict[str, str]] = {
    "ب": "b", "ف": "f", "ت": "t", "ط": "t", "ث": "t", "ة": "", "د": "d", "ض": "d", "ذ": "d", "ظ": "d", "ز": "z",
    "س": "s", "ص": "s", "ش": "X", "ج": "j", "خ": "Q", "غ": "G", "ق": "k", "ك": "k", "ل": "l", "م": "m", "ن": "n",
    "ر": "r", "ه": "h", "ح": "h", "ا": "", "و": "", "ي": "", "ع": "",
}  # fmt: skip


def sound_keys(text: str) -> list[str]:
    """One key for each word of a name, equal for its Latin and Arabic spellings as far as reasonable (QUE-2).

    A key is the word's consonants in capitals, kin sounds taken as one (B P; F V; T TH; D DH; K Q G; X is ch, Q is
    kh), A for a vowel, w, y or ع at the start, no H at the end, digits as they are. Articles are left out; « ben »,
    « bou », « bel », « abd » and « …eddine » are joined with their word: « Mohamed Ben Ali » and « محمد بن علي » give
    ``["MHMD", "BNL"]``. The keys are stored: a change of the rules raises ``SOUND_KEYS_VERSION`` and needs a re-fill.
    """
    return [key for word in _units(_words(text)) if (key := _key(word))]


def _units(words: tuple[str, ...]) -> list[str]:
    """The words with particles joined to what they belong to."""
    plain: list[str] = []
    for word in words:
        if not (word in _LATIN_ARTICLES or word == "ال") or len(words) == 1:
            plain.append(word)
        elif plain and word in {"el", "al", "ال"} and plain[-1] in {"ben", "bin", "ibn", "b", "بن"}:
            plain[-1] = "بل" if word == "ال" else "bel"
    latin = _latin_words([word for word in plain if not _is_arabic(word)])
    arabic = _arabic_words([word for word in plain if _is_arabic(word)])
    units: list[str] = []
    forward = ""
    for word in (*latin, *arabic):
        if word in _LATIN_JOINED_FORWARD or word in _ARABIC_JOINED_FORWARD:
            forward += word
        elif forward:
            units.append(forward + word)
            forward = ""
        elif units and (word in {"دين", "الدين"} or re.fullmatch(r"[eiu]?dd?ine?", word)):
            units[-1] += word
        else:
            units.append(word)
    return [*units, forward] if forward else units


@lru_cache(maxsize=8192)
def _key(word: str) -> str:
    if word.isdigit():
        return word
    return _arabic_key(word) if _is_arabic(word) else _latin_key(word)


def _latin_key(word: str) -> str:
    if _MOHAMED.fullmatch(word):
        word = "mohamed"
    word = re.sub(r"^(?:(?:bin|ibn)(?=..)|bel(?=[^aeiouyl][a-z]{2}))", "ben", word)
    if "abd" in (word[:3], word[3:6]):
        word = word[: word.index("abd")] + _servant(word[word.index("abd") :])
    elif not re.match(r"el[iy]|elh[ae]m|ezz[ei]", word):
        word = re.sub(r"^e(?:l(?=[^aeiouy][a-z]{2})|(ch|[tsdzrn])(?=\1[a-z]{2}))", "", word)
    word = re.sub(r"^l(?=aa|arbi|a(?:mine?|zhar|kh?dar|khdhar|ssa?ad|smar|mjed)$)", "", word)  # Laabidi, العبيدي
    word = re.sub(r"^ibrahim", "brahim", word)
    sounds = "".join(_latin_sounds(word))
    return _finished(sounds.translate(_KEY_OF_SOUND), starts_open=sounds[:1] in _VOWELS)


def _arabic_key(word: str) -> str:
    word = re.sub(r"^(بل|بو|بن)?عبدال(?=..)", r"\1عبد", _arabic_word(word))
    word = re.sub(r"^بل(?!قيس$)(?=...)", "بن", word.replace("ابراهيم", "براهيم"))
    word = word.replace("تش", "ش").replace("تح", "ت").replace("ته", "ت" if len(word) > 3 else "ته")
    if re.search("..اه$", word) or word.endswith("ياه"):
        word = word[:-1] + "ت"
    letters = "".join(_KEY_OF_LETTER.get(letter, letter) for letter in word)
    return _finished(letters, starts_open=word[:1] in set("اعوي"))


def _finished(sounds: str, *, starts_open: bool) -> str:
    consonants = "".join(sound for sound in sounds if sound not in _VOWELS)
    consonants = re.sub(r"(.)\1+", r"\1", consonants)
    if len(consonants) > 1 or starts_open:
        consonants = consonants.removesuffix("h")
    return ("A" if starts_open else "") + consonants.upper().replace("W", "")


# --- companies --------------------------------------------------------------------------------------

_LEGAL_FORMS = frozenset(
    {
        "sarl", "suarl", "sa", "sas", "sasu", "snc", "scs", "sca", "scop", "sci", "eurl", "ste", "societe", "soc",
        "company", "co", "ltd", "llc", "inc", "gmbh", "spa", "srl", "plc", "et", "and", "شركه", "مؤسسه",
        "موسسه", "ش", "شم", "شمم",
        "شذمم", "شخم", "شش", "ذمم", "و",
    }
)  # fmt: skip
_LONG_FORMS = re.compile(
    r"\b(?:societe (?:unipersonnelle )?a responsabilite limitee|societe anonyme|societe par actions simplifiee"
    r"|societe en nom collectif|societe civile)\b|شركه (?:الشخص الواحد )?ذات (?:ال)?مسووليه (?:ال)?محدوده"
    r"|شركه خفيه الاسم"
)


def same_company(a: str, b: str) -> bool:
    """``same_name`` for companies: legal forms (SARL, Société, شركة, ش.م.م…), « et » and « & » do not count.

    A text that is nothing but a legal form is compared as it stands. Numbers are never forgiven.
    """
    return same_name(_without_form(a), _without_form(b))


def _without_form(text: str) -> str:
    words = _words(_LONG_FORMS.sub(" ", " ".join(_words(text))))
    kept = [word for word in words if word not in _LEGAL_FORMS]
    return " ".join(kept) if kept else text
