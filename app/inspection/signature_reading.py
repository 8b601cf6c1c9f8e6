"""Reading the signatures of a PDF, and laying the PDF beside the one we issued (REV-3, CON-1).

Runs on the bench (see ``bench``), like ``opening``: imports nothing of app, answers plain JSON. No network, ever:
revocation is judged by what the file itself embeds (DSS, Adobe's attribute), and nothing of it being there is no
fault. Judging the answers is for ``signatures``.
"""

from __future__ import annotations

import contextlib
import io
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asn1crypto import x509
    from PIL import Image
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature
    from pyhanko.sign.validation.status import PdfSignatureStatus
    from pyhanko_certvalidator import ValidationContext

MAX_SIGNATURES = 20
MAX_PAGES = 50
COMPARED_WIDTH = 560
"""Pixels at which a page is laid over the page issued."""
MAX_DIFFERENCE = 0.0012
"""The share of a page's points that may differ: two renderings of one page, never a changed figure."""
CLEARLY = 64
"""Grey levels from which a point is another."""
SCAN_COVER = 0.7
"""A picture over that much of a page is the page, scanned."""
FEW_LETTERS = 40
WEAK_DIGESTS = frozenset({"md2", "md5", "sha1"})
LEAST_RSA_BITS = 2048
CLOCK_SKEW = timedelta(hours=26)
"""How far a signer's clock may run ahead, time zones written wrongly included."""


def read_signatures(data: bytes, *, size: int, roots: list[str], now: str) -> dict[str, Any]:
    """The signatures of the PDF ``data[:size]``, and how it differs from the PDF we issued, ``data[size:]`` if any.

    ``roots``: certificates trusted, as PEM; ``now``: ISO moment. Answers ``{"problem", "signatures": […],
    "scanned", "issued": {…} | None}``: ``problem`` is « encrypted », « unreadable » or empty; each signature has
    ``cn, subject, subject_number, serial, issuer, signed_at, stamped, valid_from, valid_to, intact, changed, why,
    algorithm, field``, with ``why`` the first reason not to trust its certificate, or ``error`` when it is nonsense.
    """
    pdf, issued = data[:size], data[size:]
    answer: dict[str, Any] = {"problem": "", "signatures": [], "scanned": False, "issued": None}
    try:
        reader = _reader(pdf)
        if reader.encrypted:
            answer["problem"] = "encrypted"
            return answer
        answer["signatures"] = _signatures(reader, roots, datetime.fromisoformat(now))
    except Exception as error:  # noqa: BLE001  # hostile bytes raise anything
        answer["problem"] = "unreadable"
        answer["error"] = f"{type(error).__name__}: {error}"[:200]
    with contextlib.suppress(Exception):
        answer["scanned"] = _is_scanned(pdf)
    if issued:
        with contextlib.suppress(Exception):
            answer["issued"] = _beside(pdf, issued)
    return answer


def _reader(pdf: bytes) -> PdfFileReader:
    from pyhanko.pdf_utils.reader import PdfFileReader

    return PdfFileReader(io.BytesIO(pdf), strict=False)


# ------------------------------------------------------------------------------------------------ signatures


def _signatures(reader: PdfFileReader, roots: list[str], now: datetime) -> list[dict[str, Any]]:
    from pyhanko.sign.fields import enumerate_sig_fields
    from pyhanko.sign.validation import EmbeddedPdfSignature

    found: list[tuple[int, dict[str, Any]]] = []
    for name, value, field in list(enumerate_sig_fields(reader, filled_status=True))[:MAX_SIGNATURES]:
        try:
            if value.get_object().get("/Type") == "/DocTimeStamp":
                continue  # proves when, not who
            signature = EmbeddedPdfSignature(reader, field, name)
            found.append((signature.signed_revision, _signature(reader, signature, roots, now)))
        except Exception as error:  # noqa: BLE001  # a signature that cannot be read leaves the others to be read
            nonsense = {"field": str(name)[:80], "error": f"{type(error).__name__}: {error}"[:200]}
            found.append((1 << 30, nonsense))
    return [signature for _revision, signature in sorted(found, key=lambda pair: pair[0])]


def _signature(
    reader: PdfFileReader, signature: EmbeddedPdfSignature, roots: list[str], now: datetime
) -> dict[str, Any]:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature

    claimed = _aware(signature.self_reported_timestamp)
    moment = min(claimed, now) if claimed else now
    status = validate_pdf_signature(signature, _context(reader, signature, roots, moment), key_usage_settings=_usages())
    stamp = status.timestamp_validity
    stamped = bool(stamp and stamp.valid and stamp.intact and stamp.trusted)
    if stamp and stamped:
        moment = _aware(stamp.timestamp) or moment
        context = _context(reader, signature, roots, moment)
        status = validate_pdf_signature(signature, context, key_usage_settings=_usages())
    certificate = signature.signer_cert
    level = status.modification_level
    return {
        "field": str(signature.field_name)[:80],
        **_described(certificate),
        "signed_at": moment.isoformat() if claimed or stamped else "",
        "stamped": stamped,
        "intact": bool(status.intact and status.valid),
        "changed": level == ModificationLevel.OTHER or status.docmdp_ok is False,
        "algorithm": f"{status.md_algorithm} {status.pkcs7_signature_mechanism}",
        "why": _distrust(status, certificate, roots, moment, claimed, now),
        "error": "",
    }


def _described(certificate: x509.Certificate) -> dict[str, str]:
    subject = certificate.subject.native
    given = " ".join(_first(subject.get(part)) for part in ("given_name", "surname")).strip()
    return {
        "cn": _first(subject.get("common_name"))[:200],
        "given": given[:200],
        "subject": certificate.subject.human_friendly[:300],
        "subject_number": _first(subject.get("serial_number"))[:80],
        "serial": f"{certificate.serial_number:X}"[:80],
        "issuer": (_first(certificate.issuer.native.get("common_name")) or certificate.issuer.human_friendly)[:200],
        "valid_from": certificate.not_valid_before.isoformat(),
        "valid_to": certificate.not_valid_after.isoformat(),
    }


def _first(value: Any) -> str:
    """An attribute may be given several times."""
    return str(value[0] if isinstance(value, list) and value else value or "")


def _distrust(
    status: PdfSignatureStatus,
    certificate: x509.Certificate,
    roots: list[str],
    moment: datetime,
    claimed: datetime | None,
    now: datetime,
) -> str:
    """The first reason not to trust the certificate; empty when its chain reaches a trusted root."""
    if claimed and claimed > now + CLOCK_SKEW:
        return "future"
    if moment > certificate.not_valid_after:
        return "expired"
    if moment < certificate.not_valid_before:
        return "not_yet_valid"
    if status.revoked:
        return "revoked"
    if _is_weak(status, certificate):
        return "weak"
    if status.trusted:
        return ""
    if certificate.self_issued and certificate.self_signed != "no":
        return "self_signed"
    if not roots:
        return "no_roots"
    return "usage" if not _may_sign(certificate) else "untrusted"


def _is_weak(status: PdfSignatureStatus, certificate: x509.Certificate) -> bool:
    if status.md_algorithm.lower().replace("-", "") in WEAK_DIGESTS:
        return True
    with contextlib.suppress(Exception):  # some certificates sign with what has no digest of its own
        if certificate.hash_algo in WEAK_DIGESTS:
            return True
    return certificate.public_key.algorithm == "rsa" and certificate.public_key.bit_size < LEAST_RSA_BITS


def _usages() -> Any:
    from pyhanko.sign.validation.settings import KeyUsageConstraints

    return KeyUsageConstraints(key_usage={"non_repudiation", "digital_signature"})


def _may_sign(certificate: x509.Certificate) -> bool:
    usage = certificate.key_usage_value
    return usage is None or bool(usage.native & {"non_repudiation", "digital_signature"})


def _context(
    reader: PdfFileReader, signature: EmbeddedPdfSignature, roots: list[str], moment: datetime
) -> ValidationContext:
    """What the chain is checked against: our roots, at the moment of signing, with what the file brings along."""
    from asn1crypto import pem
    from asn1crypto import x509 as asn1_x509
    from pyhanko.sign.validation import DocumentSecurityStore
    from pyhanko_certvalidator import ValidationContext

    crls, ocsps = _embedded_answers(signature)
    settings: dict[str, Any] = {
        "trust_roots": [
            asn1_x509.Certificate.load(pem.unarmor(root.encode())[2]) for root in roots
        ],  # an empty list, never None: that would ask the system
        "allow_fetching": False,
        "moment": moment,
        "revocation_mode": "soft-fail",
        "crls": crls,
        "ocsps": ocsps,
    }
    with contextlib.suppress(Exception):  # no store, or a broken one
        return DocumentSecurityStore.read_dss(reader).as_validation_context(settings)
    return ValidationContext(**settings)


def _embedded_answers(signature: EmbeddedPdfSignature) -> tuple[list[Any], list[Any]]:
    """Lists and answers on revocation that the signature carries in Adobe's attribute."""
    for attribute in signature.signer_info["signed_attrs"]:
        if attribute["type"].native == "adobe_revocation_info_archival":
            with contextlib.suppress(Exception):
                archived = attribute["values"][0]
                return list(archived["crl"]), list(archived["ocsp"])
    return [], []


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ the paper itself


def _is_scanned(pdf: bytes) -> bool:
    """Pictures of pages, rather than words."""
    import pypdfium2
    import pypdfium2.raw as raw

    document = pypdfium2.PdfDocument(pdf)
    try:
        covered = letters = 0
        count = min(len(document), MAX_PAGES)
        for number in range(count):
            page = document[number]
            width, height = page.get_size()
            largest = 0.0
            for picture in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
                left, bottom, right, top = picture.get_bounds()
                largest = max(largest, (right - left) * (top - bottom) / max(1.0, width * height))
            covered += largest >= SCAN_COVER
            letters += sum(map(str.isalnum, page.get_textpage().get_text_range()))
        return letters < FEW_LETTERS or 2 * covered >= max(1, count)
    finally:
        document.close()


def _beside(pdf: bytes, issued: bytes) -> dict[str, Any]:
    """Whether the paper is the one we issued: ``same`` (bytes, pages or empty), else ``why`` and where.

    ``why``: scanned, pages (another number of them), text, drawing. ``ours`` and ``theirs`` are the first lines that
    differ, ``page`` counts from 1.
    """
    import pypdfium2

    here, there = pypdfium2.PdfDocument(pdf), pypdfium2.PdfDocument(issued)
    try:
        prefix = pdf.startswith(issued)
        found: dict[str, Any] = {"same": "", "why": "", "page": 0, "ours": "", "theirs": "", "prefix": prefix}
        own, other = _lines(there), _lines(here)
        if sum(len(line) for page in other for line in page) < FEW_LETTERS:
            return found | {"why": "scanned"}
        for number, (ours, theirs) in enumerate(zip(own, other, strict=False), start=1):
            if sorted(map(_plain, ours)) != sorted(map(_plain, theirs)):
                missing, added = _first_difference(ours, theirs)
                return found | {"why": "text", "page": number, "ours": missing, "theirs": added}
        if len(own) != len(other):
            return found | {"why": "pages", "ours": str(len(own)), "theirs": str(len(other))}
        for number in range(len(own)):
            if _difference(_drawn(there, number), _drawn(here, number)) > MAX_DIFFERENCE:
                return found | {"why": "drawing", "page": number + 1}
        return found | {"same": "bytes" if prefix else "pages"}
    finally:
        here.close()
        there.close()


def _lines(document: Any) -> list[list[str]]:
    """The lines of each page, without what is written in its annotations."""
    pages = []
    for number in range(min(len(document), MAX_PAGES)):
        text = document[number].get_textpage().get_text_range()
        pages.append([line for raw in text.splitlines() if (line := " ".join(raw.split()))])
    return pages


def _plain(line: str) -> str:
    """A line as it is compared: another program may have put its letters in another order or form."""
    folded = unicodedata.normalize("NFKC", line).casefold()
    return "".join(sorted(letter for letter in folded if not letter.isspace()))


def _first_difference(ours: list[str], theirs: list[str]) -> tuple[str, str]:
    own, other = set(map(_plain, ours)), set(map(_plain, theirs))
    missing = next((line for line in ours if _plain(line) not in other), "")
    added = next((line for line in theirs if _plain(line) not in own), "")
    return missing[:300], added[:300]


def _drawn(document: Any, number: int) -> Image.Image:
    """The page in grey, without annotations: a visible signature is drawn in one."""
    page = document[number]
    bitmap = page.render(scale=COMPARED_WIDTH / max(1.0, page.get_size()[0]), may_draw_forms=False, draw_annots=False)
    drawn: Image.Image = bitmap.to_pil().convert("L")
    return drawn


def _difference(one: Image.Image, other: Image.Image) -> float:
    from PIL import ImageChops

    if abs(one.height - other.height) > 2 or one.width != other.width:
        return 1.0
    height = min(one.height, other.height)
    box = (0, 0, one.width, height)
    histogram = ImageChops.difference(one.crop(box), other.crop(box)).histogram()
    return sum(histogram[CLEARLY:]) / max(1, sum(histogram))
