"""Judging the signatures of a contract: who signed, with which certificate, and what was signed (REV-3, CON-1).

The file is read on the bench (``signature_reading``), offline. Findings are advice; their codes:

- ``signatures``: there are some. Not one in a born-digital PDF is an alert (``unsigned``), on a scan or a picture
  unverifiable (``handwritten``).
- ``signer``: for each person who must sign, whether one of the signatures is theirs (``missing``), and each
  signature that is nobody's of them (``stranger``).
- ``signature_certificate``: for each signature, whether its certificate is trusted; else the reason.
- ``signature_integrity``: for each signature, whether it is sound and nothing changed after it.
- ``contract_original``: whether the paper signed is the contract we issued.

The evidence of ``signer``, ``signature_certificate`` and ``signature_integrity`` names the signature by ``number``
(from 1); that of ``signer`` also the ``role`` and ``place`` of who was expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app import clock
from app.identifiers import fold
from app.inspection import bench
from app.inspection.declared import Declared
from app.inspection.findings import Finding, alert, ok, unverifiable
from app.inspection.opening import PDF
from app.names import same_name

SECONDS = 40.0
_CIN = re.compile(r"(?<![0-9])[0-9]{8}(?![0-9])")
_ASIDE = re.compile(r"\s*[(\[][^)\]]*[)\]]|\s+-\s+.*$")
_KEPT = (
    "cn", "subject_number", "serial", "issuer", "signed_at", "stamped", "valid_from", "valid_to", "algorithm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who must sign: ``role`` is representative or administrator; ``number`` the identity card's, if any."""

    name: str
    role: str = "representative"
    name_ar: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature as the bench read it."""

    number: int
    values: dict[str, Any]

    def is_of(self, signer: Signer) -> bool:
        """By the identity number in the certificate where it has one, else by the name."""
        numbers = _CIN.findall(self.values.get("subject_number", ""))
        if numbers and _CIN.fullmatch(signer.number):
            return signer.number in numbers
        names = [_ASIDE.sub("", self.values.get("cn", "")), self.values.get("given", "")]
        return any(same_name(name, known) for name in names if name for known in (signer.name, signer.name_ar) if known)

    @property
    def shown(self) -> dict[str, Any]:
        """What the evidence keeps of it."""
        return {"number": self.number, **{key: self.values[key] for key in _KEPT if self.values.get(key)}}

    @property
    def name(self) -> str:
        """Who it says signed."""
        return str(self.values.get("cn") or self.values.get("subject") or "")


def signature_findings(data: bytes, declared: Declared, roots: Sequence[bytes], issued: bytes = b"") -> list[Finding]:
    """``contract_findings`` for the registry of checks: who must sign is read from what was declared."""
    from app.inspection.text import media_type_of

    plain = [root.decode("ascii", "replace") for root in roots]
    return contract_findings(data, media_type_of(data), signers_of(declared), plain, issued)


def signers_of(declared: Declared) -> list[Signer]:
    """The representative, then the others who must sign (``Declared.signers``: administrators)."""
    found = []
    if declared.representative or declared.representative_ar:
        found.append(
            Signer(
                declared.representative or declared.representative_ar,
                "representative",
                declared.representative_ar,
                declared.representative_number,
            )
        )
    numbers = [*declared.signer_numbers, *("" for _name in declared.signers)]
    others = zip(declared.signers, numbers, strict=False)
    return found + [Signer(name, "administrator", number=number) for name, number in others]


def contract_findings(
    data: bytes, media_type: str, signers: Sequence[Signer], roots: Sequence[str], issued: bytes = b""
) -> list[Finding]:
    """Everything there is to say of a signed contract's signatures.

    ``roots``: PEM certificates that are trusted; none configured makes a certificate unverifiable, not bad.
    ``issued``: the contract as we issued it, empty when it is not known. Raises ``bench.BenchUnavailable``.
    """
    if media_type != PDF:
        return [unverifiable("signatures", why="handwritten")]
    try:
        answer, _nothing = bench.ask(
            "read_signatures",
            data + issued,
            timeout=SECONDS,
            size=len(data),
            roots=list(roots),
            now=clock.now().isoformat(),
        )
    except bench.JobRefused as refused:
        return [unverifiable("signatures", why=refused.code)]
    return list(judged(answer["read"], signers, has_roots=bool(roots)))


def judged(read: dict[str, Any], signers: Sequence[Signer], *, has_roots: bool = True) -> Iterator[Finding]:
    """The findings of what the bench read; pure."""
    if read["problem"]:
        yield unverifiable("signatures", why=read["problem"])
        return
    every = [Signed(number, values) for number, values in enumerate(read["signatures"], start=1)]
    sound = [one for one in every if not one.values["error"]]
    if not every:
        yield (unverifiable if read["scanned"] else alert)(
            "signatures", found="0", why="handwritten" if read["scanned"] else "unsigned"
        )
        return
    if sound:
        yield ok("signatures", found=str(len(sound)))
    for one in every:
        if one.values["error"]:
            yield alert("signatures", found=one.values["field"], why="nonsense", number=one.number)
    yield from _signers(sound, _distinct(signers))
    for one in sound:
        yield _integrity(one)
        if one.values["intact"]:  # of broken signatures the chain proves nothing either way
            yield _certificate(one)
    yield from _original(read)


def _distinct(signers: Sequence[Signer]) -> list[Signer]:
    """Each person once: a representative who is the administrator too signs once."""
    kept: list[Signer] = []
    for signer in signers:
        if not any(_same_person(signer, other) for other in kept):
            kept.append(signer)
    return kept


def _same_person(one: Signer, other: Signer) -> bool:
    if one.number and other.number:
        return fold(one.number) == fold(other.number)
    return same_name(one.name, other.name)


def _signers(every: list[Signed], signers: list[Signer]) -> Iterator[Finding]:
    owned: set[int] = set()
    for place, signer in enumerate(signers, start=1):
        evidence: dict[str, Any] = {"role": signer.role, "place": place}
        theirs = [one for one in every if one.is_of(signer)]
        owned |= {one.number for one in theirs}
        if theirs:
            best = min(theirs, key=lambda one: (not one.values["intact"], bool(one.values["why"])))
            why = best.values["why"] if best.values["intact"] else "broken"
            if why and why != "no_roots":  # a name that nobody vouches for
                yield unverifiable("signer", signer.name, best.name, why=why, **evidence, **best.shown)
            else:
                yield ok("signer", signer.name, best.name, **evidence, **best.shown)
        else:
            yield alert("signer", signer.name, why="missing", **evidence)
    if signers:
        for one in every:
            if one.number not in owned:
                yield alert("signer", found=one.name, why="stranger", **one.shown)


def _certificate(one: Signed) -> Finding:
    why = one.values["why"]
    if not why:
        return ok("signature_certificate", found=one.name, **one.shown)
    if why == "no_roots":
        return unverifiable("signature_certificate", found=one.name, why=why, **one.shown)
    return alert("signature_certificate", found=one.name, why=why, **one.shown)


def _integrity(one: Signed) -> Finding:
    if not one.values["intact"]:
        return alert("signature_integrity", found=one.name, why="broken", **one.shown)
    if one.values["changed"]:
        return alert("signature_integrity", found=one.name, why="altered", **one.shown)
    return ok("signature_integrity", found=one.name, **one.shown)


def _original(read: dict[str, Any]) -> Iterator[Finding]:
    beside = read["issued"]
    if beside is None:
        return
    if beside["same"]:
        yield ok("contract_original", how=beside["same"])
    elif beside["why"] == "scanned":
        yield unverifiable("contract_original", why="scanned")
    else:
        where = {"page": beside["page"]} if beside["page"] else {}
        yield alert("contract_original", beside["ours"], beside["theirs"], why=beside["why"], **where)
