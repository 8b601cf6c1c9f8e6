"""What the sign-up's tests type and upload: invented people, small real files."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from app.extensions import db
from app.models import SignupDraft
from app.services.passwords import hash_token

if TYPE_CHECKING:
    from tests.pages import CheckingClient

ORGANISATION: dict[str, Any] = {
    "registration_country": "TUNISIE",
    "tax_id": "1234567R",
    "category": "ENTREPRISE_PRIVEE",
    "legal_name": "Société Méditerranéenne de Conseil",
    "trade_name": "SMC",
    "address": "12 rue des Oliviers",
    "postal_code": "1002",
    "city": "Tunis",
    "governorate_id": "Tunis",
    "phone": "71 123 456",
    "fax": "",
    "has_rne": "oui",
    "rne_in_arabic_only": "non",
}

REPRESENTATIVE: dict[str, Any] = {
    "attestation": True,
    "birth_date": "1970-06-21",
    "nationality": "TN",
    "identity_kind": "CIN",
    "identity_number": "02345678",
    "last_name": "Gharbi",
    "first_name": "Mohamed",
    "last_name_ar": "الغربي",
    "first_name_ar": "محمد",
    "mobile": "20 123 456",
    "email": "mohamed.gharbi@exemple.tn",
    "email_confirmation": "mohamed.gharbi@exemple.tn",
}

ADMINISTRATOR: dict[str, Any] = {
    "birth_date": "1984-03-12",
    "nationality": "TN",
    "identity_kind": "CIN",
    "identity_number": "01234567",
    "last_name": "Ben Salah",
    "first_name": "Amira",
    "last_name_ar": "بن صالح",
    "first_name_ar": "أميرة",
    "mobile": "98 123 456",
    "email": "amira.bensalah@exemple.tn",
    "email_confirmation": "amira.bensalah@exemple.tn",
}


@cache
def pdf(mark: str) -> bytes:
    """A PDF of one blank page, different for each mark."""
    import pikepdf

    out = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo["/Title"] = mark
    document.save(out)
    return out.getvalue()


@cache
def jpeg() -> bytes:
    """A small photograph."""
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((320, 200), 40).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def code_of(client: CheckingClient) -> str:
    """The code that the browser's draft shows, read where only the server sees it."""
    with client._browser.session_transaction() as session:
        token = session["signup"]
    db.session.expire_all()
    code = db.session.scalar(select(SignupDraft.captcha).where(SignupDraft.token_hash == hash_token(token)))
    assert code is not None
    return code


def answers(**changes: Any) -> dict[str, dict[str, Any]]:
    """The three steps' checked answers, as the draft keeps them; ``changes`` by step."""
    from app import clock
    from app.queries import reference

    person = {
        name: REPRESENTATIVE[name]
        for name in (
            "birth_date", "nationality", "identity_kind", "identity_number",
            "last_name", "first_name", "last_name_ar", "first_name_ar", "email",
        )
    }  # fmt: skip
    organisation = {
        **{name: ORGANISATION[name] for name in ("registration_country", "tax_id", "category", "address")},
        **{name: ORGANISATION[name] for name in ("legal_name", "trade_name", "postal_code", "city", "fax")},
        "tax_id_confirmed": False,
        "country": "TN",
        "register_number": None,
        "legal_name_ar": "",
        "governorate_id": reference.governorates()[0].id,
        "phone": "+21671123456",
        "has_rne": True,
        "rne_in_arabic_only": False,
        "rne_issued_on": clock.today().isoformat(),
        "trade_issued_on": None,
        "trade_valid_until": None,
    }
    return {
        "organisation": {**organisation, **changes.get("organisation", {})},
        "representative": {**person, "mobile": "+21620123456", **changes.get("representative", {})},
        "administrators": {"same": True, "first": None, "second": None, **changes.get("administrators", {})},
    }


def finished_draft(*, files: tuple[str, ...] = ("rne_extract",), **changes: Any) -> str:
    """A draft ready for « Enregistrer »; its token."""
    from app.permissions import visitor
    from app.services import drafts, signup

    token = drafts.start()
    for slot in files:
        drafts.keep_file(token, slot, pdf(slot), f"{slot}.pdf", actor=visitor("127.0.0.1"))
    for step, values in answers(**changes).items():
        signup.complete_step(token, step, values)
    drafts.ensure_captcha(token)
    return token


def code_of_draft(token: str) -> str:
    """The code of a draft, read where only the server sees it."""
    db.session.expire_all()
    return (
        db.session.scalars(select(SignupDraft.captcha).where(SignupDraft.token_hash == hash_token(token))).one() or ""
    )
