"""Dispatch slips (CRT-2): one page for a parcel's side, and the list of a day's parcels that the post office signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from app.identifiers import format_phone
from app.papers.data import PaperError, Party
from app.papers.typesetting import day, typeset


@dataclass(frozen=True, slots=True)
class Parcel:
    """One token on its way. ``tracking_number`` is RapidPost's; names as declared, in both scripts.

    Several tokens may travel in one parcel: each has its line, under the same number.
    """

    tracking_number: str
    reference: str
    recipient: str
    recipient_ar: str
    mobile: str
    organisation: str
    office: str
    office_ar: str
    office_address: tuple[str, ...]
    dispatched_on: date


def parcel_slip_pdf(sender: Party, parcels: Sequence[Parcel], *, created: datetime) -> bytes:
    """One A5 page for each parcel: sender, holder, office, the number as Code 128. ``created`` (aware) dates the file.

    Raises PaperError without a parcel.
    """
    return _slip("parcels", sender, parcels, created, sent_on=None)


def day_slip_pdf(sender: Party, parcels: Sequence[Parcel], *, sent_on: date, created: datetime) -> bytes:
    """The list of the parcels handed over on a day, its count and a box for each signature.

    Raises PaperError without a parcel.
    """
    return _slip("day", sender, parcels, created, sent_on=sent_on)


def _slip(kind: str, sender: Party, parcels: Sequence[Parcel], created: datetime, *, sent_on: date | None) -> bytes:
    if not parcels:
        raise PaperError("a slip names a parcel")
    data = {
        "kind": kind,
        "date": day(sent_on),
        "sender": {
            "name": sender.name,
            "address": [line for line in sender.address if line],
            "phone": format_phone(sender.phone) if sender.phone else "",
        },
        "parcels": [_printed(parcel) for parcel in parcels],
        "tokens": str(len(parcels)),
        "count": str(len({parcel.tracking_number for parcel in parcels})),
    }
    return typeset("slip", data, created=created)


def _printed(parcel: Parcel) -> dict[str, Any]:
    return {
        "number": parcel.tracking_number,
        "spaced": _spaced(parcel.tracking_number),
        "bars": bars(parcel.tracking_number),
        "reference": parcel.reference,
        "recipient": parcel.recipient,
        "recipient_ar": parcel.recipient_ar,
        "mobile": format_phone(parcel.mobile) if parcel.mobile else "",
        "organisation": parcel.organisation,
        "office": parcel.office,
        "office_ar": parcel.office_ar,
        "office_address": [line for line in parcel.office_address if line],
        "date": day(parcel.dispatched_on),
    }


def _spaced(number: str) -> str:
    """« EE 123 456 789 TN », as such numbers are printed; any other shape as it is."""
    if len(number) == 13 and number[2:11].isdigit():
        return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:11]} {number[11:]}"
    return number


def bars(text: str) -> list[int]:
    """The Code 128 of a text as widths in modules: bar, space, bar …, without its quiet zones."""
    import zxingcpp

    code: Any = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    rows: Any = memoryview(code.to_image(scale=1, add_quiet_zones=False)).tolist()
    return [len(list(run)) for _shade, run in groupby(rows[0])]  # it begins and ends with a bar
