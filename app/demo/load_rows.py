"""The rows of a large invented data set: plausible people, orders, payments, invoices and certificates (OPS-1).

Everything is reckoned from numbers and one random generator, order after order in the order of time, so that
references and invoice numbers follow the calendar and memory holds one batch only.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from app import clock
from app.demo.load_parts import (
    CATEGORIES,
    CODE_ALPHABET,
    COLLECTED_AFTER,
    ISSUER,
    LAST_MOVE,
    ORGANISATION_STATES,
    PAID,
    PAID_AFTER,
    PLACES,
    REVIEWED_AFTER,
    SENT_AFTER,
    STATES,
    TRADES,
    Batch,
    Catalogue,
    Firm,
    Price,
    common_name_of,
    folded,
    known_keys,
    mailbox_of,
    pick,
    tax_id_of,
)  # fmt: skip
from app.demo.people import FIRST_NAMES, LAST_NAMES, PERSON_COLUMNS, birth_date_of, cin_of, mobile_of
from app.identifiers import fold
from app.states import CertificateState, OrganisationState, PaymentState, RequestState

_R = RequestState


class Maker:
    """Makes organisations, then orders with all that follows from them."""

    def __init__(self, catalogue: Catalogue, seed: str) -> None:
        self.catalogue = catalogue
        # Invented data, nothing secret.
        self.chance = random.Random(seed)

    # ---- organisations

    def firm(self, batch: Batch, number: int, created_at: datetime) -> Firm:
        """One organisation, its representative and its administrator."""
        chance = self.chance
        trade, trade_ar = TRADES[number % len(TRADES)]
        place, place_ar = PLACES[number % len(PLACES)]
        owner, owner_ar = LAST_NAMES[number % len(LAST_NAMES)]
        city, postal_code, governorate_id = self.catalogue.localities[number % len(self.catalogue.localities)]
        name = f"{trade} {place} {fold(owner).upper()} {number % 1000}"
        name_ar = f"شركة {owner_ar} {place_ar} {trade_ar}"
        state = pick(chance, ORGANISATION_STATES)
        reference = batch.reference("ORG", created_at)
        verified = state is OrganisationState.VERIFIEE
        address, phone = f"{number % 180 + 1} avenue de la République", f"+21671{number * 7_919 % 1_000_000:06d}"
        later = min(created_at + timedelta(hours=5), self.catalogue.present)
        organisation_id = batch.add(
            "organisations",
            reference=reference,
            registration_country="TUNISIE",
            tax_id=tax_id_of(number),
            country="TN",
            register_number=None,
            category=pick(chance, CATEGORIES),
            legal_name=name,
            legal_name_ar=name_ar,
            address=address,
            postal_code=postal_code,
            city=city,
            governorate_id=governorate_id,
            phone=phone,
            state=state.value,
            created_at=created_at,
            activation_deadline=created_at + timedelta(hours=48),
            activation_reminded_at=None,
            activated_at=later,
            complete_since=later,
            verified_at=later if verified else None,
            verified_by_id=None,
            assigned_to_id=None,
            search_text=f"{folded(name)} {folded(name_ar)} {tax_id_of(number).lower()} {_plain(reference)}",
            search_keys=known_keys(name, name_ar),
        )
        head = self._person(number * 2 + 1, f"org{organisation_id}.exemple.tn")
        batch.add(
            "legal_representatives",
            organisation_id=organisation_id,
            **head,
            identity_answer="CONCORDANT",
            identity_checked_at=created_at,
        )
        administrator_id = self._user(batch, batch.keys["users"] + 1, created_at, later, f"org{organisation_id}")
        batch.add(
            "role_grants",
            user_id=administrator_id,
            role="ADMIN_ORGANISATION",
            organisation_id=organisation_id,
            granted_at=created_at,
            granted_by_id=None,
            revoked_at=None,
        )
        self._history(batch, created_at, "register", organisation_id=organisation_id, actor_id=administrator_id)
        return Firm(organisation_id, administrator_id, number, name, name_ar, address, f"{postal_code} {city}", phone)

    def _person(self, number: int, domain: str) -> dict[str, Any]:
        last, last_ar = self.chance.choice(LAST_NAMES)
        first, first_ar = self.chance.choice(FIRST_NAMES)
        return {
            "last_name": last,
            "first_name": first,
            "last_name_ar": last_ar,
            "first_name_ar": first_ar,
            "birth_date": birth_date_of(number),
            "nationality": "TN",
            "identity_kind": "CIN",
            "identity_number": cin_of(number),
            "mobile": mobile_of(number),
            "email": f"{mailbox_of(first)}.{mailbox_of(last)}.{number}@{domain}",
        }

    def _user(self, batch: Batch, number: int, created_at: datetime, activated_at: datetime | None, domain: str) -> int:
        """An account nobody can log in to: it has no password until its person asks for one."""
        return batch.add(
            "users",
            **self._person(number, f"{domain}.exemple.tn"),
            password_hash=None,
            temporary_password_hash=None,
            temporary_password_expires_at=None,
            activated_at=activated_at,
            disabled_at=None,
            last_seen_at=activated_at,
            invited_at=created_at,
            created_at=created_at,
        )

    # ---- orders

    def order(self, batch: Batch, firm: Firm, count: int, moment: datetime) -> None:
        """An order of that many people with all that became of it; nothing lies in the future."""
        order_id = batch.add(
            "orders",
            reference=batch.reference("CMD", moment),
            organisation_id=firm.id,
            created_by_id=firm.administrator_id,
            created_at=moment,
            attested_at=moment,
        )
        paid = [row for row in (self._request(batch, firm, order_id, moment) for _n in range(count)) if row["paid_at"]]
        if paid:
            self._payment(batch, firm, paid, moment + PAID_AFTER, batch.rows["orders"][-1]["reference"])

    def _request(self, batch: Batch, firm: Firm, order_id: int, moment: datetime) -> dict[str, Any]:
        chance, catalogue, present = self.chance, self.catalogue, self.catalogue.present
        state = self._state(moment)
        paid_at = moment + PAID_AFTER if state in PAID else None
        validated_at = None if state is _R.NON_FINALISEE else min(moment + timedelta(hours=20), present)
        person_number = batch.keys["users"] + 1
        applicant_id = self._user(batch, person_number, moment, validated_at, f"org{firm.id}")
        person = batch.rows["users"][-1]
        batch.add(
            "role_grants", user_id=applicant_id, role="DEMANDEUR", organisation_id=None, granted_at=moment,
            granted_by_id=firm.administrator_id, revoked_at=None,
        )  # fmt: skip
        reviewed = min(moment + REVIEWED_AFTER, present)
        approved = state is _R.EXPEDIEE or (state is _R.PRISE_EN_CHARGE_PAR_TUNTRUST and chance.random() < 0.4)
        changed_at = {
            _R.NON_FINALISEE: moment,
            _R.EN_ATTENTE_DE_PAIEMENT: validated_at,
            _R.PRISE_EN_CHARGE_PAR_TUNTRUST: paid_at,
            _R.EXPEDIEE: moment + SENT_AFTER,
        }.get(state) or reviewed
        agent = chance.choice(catalogue.agent_ids) if catalogue.agent_ids and approved else None
        reference = batch.reference("DEM", moment)
        request_id = batch.add(
            "certificate_requests",
            reference=reference,
            order_id=order_id,
            organisation_id=firm.id,
            applicant_id=applicant_id,
            certificate_type_id=catalogue.certificate_type_id,
            validity_years=2,
            common_name=common_name_of(person["first_name"], person["last_name"]),
            state=state.value,
            state_changed_at=changed_at,
            created_at=moment,
            created_by_id=firm.administrator_id,
            price_ht=catalogue.price.ht,
            post_office_id=chance.choice(catalogue.office_ids) if validated_at else None,
            cgu_version_id=catalogue.cgu_version_id if validated_at else None,
            cgu_accepted_at=validated_at,
            cgu_accepted_ip=None,
            validated_at=validated_at,
            correction_asked_at=None,
            basket_added_at=None,
            paid_at=paid_at,
            complete_since=paid_at,
            assigned_to_id=agent,
            approved_at=reviewed if approved else None,
            approved_by_id=agent,
            closing_reason="Retirée par l'organisation." if state is _R.ANNULEE else "",
            identity_answer="CONCORDANT",
            identity_checked_at=moment,
            search_text=_search_text(reference, person, firm),
            search_keys=_search_keys(person, firm),
            **{name: person[name] for name in PERSON_COLUMNS},
        )
        batch.rows["request_domains"].append(
            {"request_id": request_id, "domain_id": catalogue.domain_ids[request_id % len(catalogue.domain_ids)]}
        )
        about = {"request_id": request_id, "organisation_id": firm.id, "actor_id": firm.administrator_id}
        self._history(batch, moment, "create", **about, to_state="NON_FINALISEE")
        if state in LAST_MOVE:
            self._history(batch, changed_at, LAST_MOVE[state], **about, to_state=state.value)
        row = batch.rows["certificate_requests"][-1]
        if approved and state is _R.EXPEDIEE:
            self._certificate(batch, row, reviewed, moment + SENT_AFTER)
        return row

    def _state(self, moment: datetime) -> RequestState:
        """Weighted, among those a request of that age can have reached."""
        age = self.catalogue.present - moment
        state = pick(self.chance, STATES)
        if state is _R.EXPEDIEE and age < SENT_AFTER:
            state = _R.PRISE_EN_CHARGE_PAR_TUNTRUST
        if state in PAID and age < PAID_AFTER:
            state = _R.NON_FINALISEE
        return state

    @staticmethod
    def _history(batch: Batch, at: datetime, action: str, **values: Any) -> None:
        batch.add(
            "history_entries",
            at=at,
            action=action,
            actor_label="données de charge",
            **{"request_id": None, "payment_id": None, "from_state": None, "to_state": None, **values},
        )

    def _certificate(self, batch: Batch, request: dict[str, Any], made_at: datetime, sent_at: datetime) -> None:
        present, chance = self.catalogue.present, self.chance
        collected_at = sent_at + COLLECTED_AFTER - SENT_AFTER if chance.random() < 0.9 else None
        if collected_at is not None and collected_at > present:
            collected_at = None
        not_after = made_at + timedelta(days=730)
        state = CertificateState.RETIRE if collected_at else CertificateState.EXPEDIE
        if not_after < present:
            state = CertificateState.EXPIRE
        elif chance.random() < 0.02:
            state = CertificateState.REVOQUE
        serial = f"{chance.getrandbits(124):031x}"
        batch.add(
            "certificates",
            request_id=request["id"],
            state=state.value,
            serial_number=serial,
            issuer=ISSUER,
            subject=f"CN={request['common_name']},C=TN",
            not_before=made_at,
            not_after=not_after,
            key_description="EC P-256",
            fingerprint=f"{chance.getrandbits(256):064x}",
            pem="",
            recorded_at=made_at,
            recorded_by_id=request["approved_by_id"],
            tracking_number=f"RP{request['id'] % 1_000_000_000:09d}TN",
            dispatched_at=sent_at,
            collected_at=collected_at,
        )

    # ---- money

    def _payment(
        self, batch: Batch, firm: Firm, requests: list[dict[str, Any]], moment: datetime, order_reference: str
    ) -> None:
        price, chance = self.catalogue.price, self.chance
        payment_id = batch.keys["payments"] + 1
        reference = f"PAY{clock.local(moment):%y%m%d}L{payment_id:09d}"
        method = "CARTE" if chance.random() < 0.8 else "EDINAR"
        batch.add(
            "payments",
            reference=reference,
            return_token=f"{chance.getrandbits(144):036x}",
            organisation_id=firm.id,
            created_by_id=firm.administrator_id,
            method=method,
            state=PaymentState.PAYE.value,
            amount=price.total(len(requests)),
            stamp_duty=price.stamp_duty,
            delivery_vat_bp=price.delivery_vat_bp,
            gateway_order_id=f"{chance.getrandbits(128):032x}",
            form_url=None,
            created_at=moment - timedelta(minutes=4),
            expires_at=moment + timedelta(minutes=16),
            settled_at=moment,
            last_queried_at=moment,
            gateway_status=2,
            action_code=0,
            anomaly=None,
            masked_pan="504223**0042",
            approval_code=f"{payment_id % 1_000_000:06d}",
        )
        for position, request in enumerate(requests, start=1):
            batch.add(
                "payment_lines",
                payment_id=payment_id,
                request_id=request["id"],
                position=position,
                price_ht=price.ht,
                vat_rate_bp=price.vat_rate_bp,
                vat=price.vat,
                delivery=price.delivery,
                live=False,
            )
        self._invoice(batch, firm, requests, moment, reference, "Carte bancaire" if method == "CARTE" else "E-dinar",
                      order_reference)  # fmt: skip

    def _invoice(
        self, batch: Batch, firm: Firm, requests: list[dict[str, Any]], moment: datetime, payment: str, method: str,
        order_reference: str,
    ) -> None:  # fmt: skip
        price, count = self.catalogue.price, len(requests)
        year, sequence = batch.number("FAC", moment)
        number = f"FAC-{year}-{sequence:06d}"
        code = "".join(self.chance.choices(CODE_ALPHABET, k=20))
        day = clock.local(moment).date()
        amounts, words = totals(price, count)
        batch.add(
            "invoices",
            number=number,
            year=year,
            sequence=sequence,
            organisation_id=firm.id,
            payment_id=batch.keys["payments"],
            issued_at=moment,
            total_ht=amounts["total_ht"],
            total_vat=amounts["total_vat"],
            total_delivery=price.delivery * count,
            stamp_duty=price.stamp_duty,
            total_ttc=amounts["total_ttc"],
            snapshot={
                "number": number,
                "issued_at": moment.astimezone(UTC).isoformat(),
                "issued_on": day.isoformat(),
                "seller": self.catalogue.seller,
                "client": _client(firm),
                "lines": [self._line(request) for request in requests],
                "amounts": amounts,
                "payment_method": method,
                "payment_reference": payment,
                "paid_on": day.isoformat(),
                "verification_url": f"{self.catalogue.verification_base}{code}",
                "order_reference": order_reference,
                "words": words,
            },
            verification_code=code,
        )

    def _line(self, request: dict[str, Any]) -> dict[str, Any]:
        price = self.catalogue.price
        return {
            "designation": self.catalogue.designation,
            "applicant": request["common_name"],
            "applicant_ar": f"{request['first_name_ar']} {request['last_name_ar']}",
            "reference": request["reference"],
            "unit_ht": price.ht,
            "vat_rate_bp": price.vat_rate_bp,
            "ht": price.ht,
            "vat": price.vat,
            "quantity": 1,
        }


@lru_cache(maxsize=1024)
def totals(price: Price, count: int) -> tuple[dict[str, Any], str]:
    """The amounts an invoice of that many certificates prints, as its snapshot holds them, and the total in words."""
    from app.money import UnitPrice, amount_in_words, quote
    from app.papers import InvoiceAmounts, snapshot

    unit = UnitPrice(ht=price.ht, vat_rate_bp=price.vat_rate_bp, delivery_ttc=price.delivery)
    total = quote([unit] * count, stamp_duty=price.stamp_duty, delivery_vat_bp=price.delivery_vat_bp)
    return snapshot(InvoiceAmounts.of(total)), amount_in_words(total.total)


def _client(firm: Firm) -> dict[str, Any]:
    return {
        "name": firm.legal_name,
        "address": [firm.address, firm.place],
        "tax_id": firm.tax_id,
        "tax_id_label": "Matricule fiscal",
        "name_ar": firm.legal_name_ar,
        "phone": firm.phone,
        "email": "",
    }


def _search_text(reference: str, person: dict[str, Any], firm: Firm) -> str:
    """What ``search_columns.request_text`` gives, with the folding of names remembered."""
    return " ".join(
        (
            _plain(reference),
            folded(person["first_name"]),
            folded(person["last_name"]),
            folded(person["first_name_ar"]),
            folded(person["last_name_ar"]),
            person["identity_number"],
            _plain(person["email"]),
            _plain(person["mobile"]),
            folded(firm.legal_name),
            firm.tax_id.lower(),
        )
    )


def _search_keys(person: dict[str, Any], firm: Firm) -> str:
    names = (person["first_name"], person["last_name"], person["first_name_ar"], person["last_name_ar"])
    return known_keys(*names, firm.legal_name, firm.legal_name_ar)


def _plain(text: str) -> str:
    """``fold`` for what holds only ASCII letters, digits and marks."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.lower()).split())
