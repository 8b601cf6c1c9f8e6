"""What an organisation's people do, through the product's own services, at the clock's moment (OPS-1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select

from app import clock
from app.adapters.clictopay import DINAR, OrderStatus
from app.demo import folder, order_file
from app.demo.companies import Company
from app.demo.folder import Paper
from app.demo.people import PERSON_COLUMNS, Person
from app.demo.stage import Calendar
from app.extensions import db
from app.models import (
    CertificateRequest,
    CertificateType,
    Document,
    DocumentAsk,
    DocumentKind,
    Governorate,
    IdentityAnswer,
    IdentityKind,
    LegalRepresentative,
    Organisation,
    Payment,
    PaymentLine,
    PaymentMethod,
    PostOffice,
    RegistrationCountry,
    UsageDomain,
    User,
)
from app.permissions import Actor, Role
from app.queries import reference
from app.queries.threads import Subject
from app.services import (
    activation,
    audit,
    basket,
    contracts,
    documents,
    files,
    history,
    messaging,
    numbering,
    order_lines,
    ordering,
    organisations,
    search_columns,
    supplying,
    validation,
    withdrawing,
)
from app.services.accounts import actor_for, grant_role
from app.services.credits import ledger
from app.services.moving import move_payment
from app.services.order_files import drafting as order_files
from app.services.payments.settling import apply_answer, confirm_by_credit
from app.services.pricing import quote_requests

ADDRESS = "203.0.113.24"
"""Of the documentation's range: nobody's."""
SECOND_KEY = "Travaille sur deux sites : une clé pour chacun."
"""Why people are ordered for again."""


@dataclass
class World:
    """What all stories share: the calendar, drawn papers, TunTrust's people, the demonstration password's hash."""

    calendar: Calendar
    papers: dict[str, list[Paper]]
    copies: dict[str, Paper]
    password_hash: str
    staff: dict[str, User] = field(default_factory=dict)


class Client:
    """One organisation and its people."""

    organisation: Organisation
    administrators: list[User]

    def __init__(self, world: World, company: Company) -> None:
        self.world = world
        self.company = company
        self.head, *self.people = company.people()

    # ---- signing up

    def sign_up(self) -> None:
        """Register with the papers; each administrator's temporary password is the demonstration's."""
        company, moment = self.company, clock.now()
        governorate = db.session.scalar(select(Governorate).where(Governorate.iso_code == company.governorate))
        row = Organisation(
            reference=numbering.next_reference("ORG"),
            registration_country=RegistrationCountry.ETRANGER if company.foreign else RegistrationCountry.TUNISIE,
            tax_id=company.tax_id,
            country=company.country,
            register_number=company.register_number,
            category=company.category,
            legal_name=company.legal_name,
            legal_name_ar=company.legal_name_ar,
            trade_name=company.trade_name,
            address=company.address,
            postal_code=company.postal_code,
            city=company.city,
            governorate_id=governorate.id if governorate is not None else None,
            phone=company.phone,
            has_rne=company.paper.startswith("rne"),
            rne_in_arabic_only=company.paper == "rne_arabic",
            created_at=moment,
            activation_deadline=moment + activation.activation_period(),
        )
        row.representative = LegalRepresentative(
            **self.head.declared, identity_answer=self._answer(self.head), identity_checked_at=moment
        )
        search_columns.fill_organisation(row)
        db.session.add(row)
        db.session.flush()
        self.organisation = row
        self.administrators = [self._administrator(person) for person in self.people[: company.administrators]]
        first = self.actor(0)
        history.write(first, "register", organisation_id=row.id, to_state=row.state)
        audit.record(first, "register", row, after={"reference": row.reference})
        for paper in self.world.papers[company.key]:
            self._keep(paper, first)
        contracts.issue_contract(row, actor=first)

    def _administrator(self, person: Person) -> User:
        user = User(
            **person.declared,
            created_at=clock.now(),
            temporary_password_hash=self.world.password_hash,
            temporary_password_expires_at=self.organisation.activation_deadline,
        )
        db.session.add(user)
        grant_role(user, Role.ADMIN_ORGANISATION, organisation_id=self.organisation.id, by=Actor(None, "visiteur"))
        db.session.flush()
        return user

    @staticmethod
    def _answer(person: Person) -> IdentityAnswer:
        """The service said nothing of one in four: it was down."""
        known = person.identity_kind is IdentityKind.CIN and int(person.identity_number) % 4
        return IdentityAnswer.CONCORDANT if known else IdentityAnswer.INDISPONIBLE

    def _keep(self, paper: Paper, actor: Actor) -> Document:
        owner = None
        if paper.owner is not None and paper.kind is DocumentKind.ADMINISTRATOR_IDENTITY:
            owner = next(user.id for user in self.administrators if user.email == paper.owner.email)
        return documents.keep(
            paper.examined,
            kind=paper.kind,
            actor=actor,
            organisation_id=self.organisation.id,
            user_id=owner,
            issued_on=paper.issued_on,
        )

    def activate(self, number: int = 0) -> None:
        """An administrator chooses the demonstration password."""
        self._activate(self.administrators[number])

    def _activate(self, user: User) -> None:
        activation.activate_user(user, actor=actor_for(user, ip=ADDRESS, locale="fr"))
        user.password_hash = self.world.password_hash
        user.temporary_password_hash = user.temporary_password_expires_at = None
        user.last_seen_at = clock.now()

    def sign_contract(self, *, complete: bool = True, electronically: bool = False) -> None:
        """Send the signed copy of the contract in force: a scan, or the PDF signed ``electronically``."""
        contract = contracts.current_contract(self.organisation.id)
        assert contract is not None  # noqa: S101 - issued at the sign-up
        printed = files.storage().get(contract.storage_key)
        if electronically:
            signed = folder.signed_electronically(self.company, printed, clock.now(), complete=complete)
        else:
            signed = folder.signed_copy(self.company, printed, complete=complete)
        organisations.upload_signed_contract(contract.id, signed, actor=self.actor())

    def answer(self, *, text: str = "", extract: bool = False, everything: bool = False) -> None:
        """Answer the first point of what TunTrust asked, or all and say so."""
        ask = organisations.open_ask(self.organisation.id)
        assert ask is not None  # noqa: S101 - the stories ask first
        for item in ask.items if everything else ask.items[:1]:
            paper = folder.fresh_extract(self.company, clock.today()) if extract and item.document_kind else None
            organisations.answer_point(
                item.id,
                actor=self.actor(),
                examined=paper.examined if paper is not None else None,
                issued_on=paper.issued_on if paper is not None else None,
                text=text,
            )
        if everything:
            organisations.supply_organisation(self.organisation.id, actor=self.actor())

    def actor(self, number: int = 0) -> Actor:
        """One of the administrators, with the rights of this moment."""
        return actor_for(self.administrators[number], ip=ADDRESS, locale="fr")

    # ---- ordering

    def draft(self, *people: Person) -> None:
        """Put people on the list, without sending it."""
        product = db.session.scalars(select(CertificateType).where(CertificateType.code == "ID_TRUST")).one()
        domains = db.session.scalars(select(UsageDomain).order_by(UsageDomain.position)).all()
        own = self.administrators[0].email
        for number, person in enumerate(people):
            line = ordering.RequestLine(
                certificate_type_id=product.id,
                validity_years=2,
                domain_ids=tuple(domain.id for domain in domains[number % 3 : number % 3 + 1 + number % 2]),
                for_self=person.email == own,
                **person.declared,  # type: ignore[arg-type]  # the columns of PersonMixin, by name
            )
            if order_lines.duplicates_of(self.organisation.id, [line]):
                line = replace(line, duplicate_reason=SECOND_KEY)
            ordering.save_line(self.actor(), self.organisation.id, line)

    def send_file(self, *people: Person) -> None:
        """Send a file of people, some of whose cells are wrong; it stays under way."""
        product = db.session.scalars(select(CertificateType).where(CertificateType.code == "ID_TRUST")).one()
        labels = [domain.label for domain in reference.usage_domains()][:2]
        data = order_file.file_of(people, " / ".join(labels))
        order_files.receive(self.actor(), self.organisation.id, product.id, data, order_file.NAME)

    def order(self, *people: Person) -> list[CertificateRequest]:
        """Send a list of people; their requests, in that order."""
        self.draft(*people)
        sent = ordering.send_order(self.actor(), self.organisation.id, attested=True)
        rows = db.session.scalars(select(CertificateRequest).where(CertificateRequest.order_id == sent.id))
        by_email = {row.email: row for row in rows}
        for person in people:
            by_email[person.email].identity_answer = self._answer(person)
            by_email[person.email].identity_checked_at = clock.now()
        return [by_email[person.email] for person in people]

    def join(self, *requests: CertificateRequest) -> None:
        """The applicants activate their accounts."""
        for request in requests:
            user = db.session.get_one(User, request.applicant_id)
            if user.password_hash is None:
                self._activate(user)

    def validate(self, *requests: CertificateRequest) -> None:
        """The applicants activate, join what is missing, choose an office, accept and validate."""
        self.join(*requests)
        for request in requests:
            actor = self._applicant(request)
            copy = self.world.copies.get(request.email)
            if copy is not None:
                received = copy.examined.intake
                validation.receive_identity_copy(actor, request.id, received.data, received.original_name)
            choice = validation.Choice(
                mobile=request.mobile,
                post_office_id=self._office(request).id,
                cgu_version_id=reference.current_cgu().id,
                accepted=True,
            )
            validation.validate(actor, request.id, choice)

    def report_error(self, request: CertificateRequest, remark: str) -> None:
        """The applicant finds a mistake in what was declared."""
        self.join(request)
        validation.report_error(self._applicant(request), request.id, remark)

    def withdraw(self, request: CertificateRequest, reason: str) -> None:
        """The administrator takes a request back."""
        withdrawing.withdraw(self.actor(), request.id, reason=reason)

    def reopen(self, request: CertificateRequest, reason: str) -> None:
        """Back for a correction of the mobile number."""
        withdrawing.reopen(self.actor(), request.id, {"mobile": "+21698700700"}, reason=reason)

    def _applicant(self, request: CertificateRequest) -> Actor:
        return actor_for(db.session.get_one(User, request.applicant_id), ip="203.0.113.77", locale="fr")

    def _office(self, request: CertificateRequest) -> PostOffice:
        """An office of the organisation's gouvernorat, of Tunis for a foreign one."""
        code = self.company.governorate or "TN-11"
        offices = db.session.scalars(
            select(PostOffice).join(Governorate).where(Governorate.iso_code == code).order_by(PostOffice.id)
        ).all()
        return offices[request.id % len(offices)]

    def answer_request(self, request: CertificateRequest, *, words: str = "", everything: bool = False) -> None:
        """The applicant answers the first point of the open ask, or all of them and says so."""
        ask = db.session.scalars(
            select(DocumentAsk).where(DocumentAsk.request_id == request.id, DocumentAsk.closed_at.is_(None))
        ).one()
        actor = self._applicant(request)
        for item in ask.items if everything else ask.items[:1]:
            if item.document_kind is None:
                supplying.answer_in_words(actor, request.id, item.id, supplying.FieldAnswer(text=words))
                continue
            paper = folder.identity_paper(_person_of(request), item.document_kind)
            received = paper.examined.intake
            supplying.answer_with_document(actor, request.id, item.id, received.data, received.original_name)
        if everything:
            supplying.supply(actor, request.id)

    # ---- writing to TunTrust

    @staticmethod
    def speaks_arabic(request: CertificateRequest) -> None:
        """The applicant chose Arabic."""
        db.session.get_one(User, request.applicant_id).locale = "ar"

    def write(self, file: CertificateRequest | Organisation, text: str, paper: Paper | None = None) -> None:
        """The applicant writes about a request, an administrator about the organisation."""
        if isinstance(file, CertificateRequest):
            subject, actor = Subject(file.organisation, file), self._applicant(file)
        else:
            subject, actor = Subject(file), self.actor()
        sent = [(paper.examined.intake.data, paper.examined.intake.original_name)] if paper is not None else []
        messaging.send_message(actor, subject, text, as_staff=False, files=sent)

    # ---- paying

    def fill_basket(self, *requests: CertificateRequest) -> None:
        """Put these into the basket."""
        basket.add_to_basket(self.actor(), [request.reference for request in requests])

    def start_payment(
        self, *requests: CertificateRequest, method: PaymentMethod = PaymentMethod.CARTE, with_credit: bool = False
    ) -> Payment:
        """Freeze the prices and open the hosted page, whose gateway is not asked: the order is invented.

        ``with_credit``: the organisation's credit is used first; where it covers everything that ends it (PAY-2).
        """
        priced = quote_requests(requests)
        shares = ledger.allocate(self.organisation.id, priced.quote.total) if with_credit else []
        credit = sum(share.amount for share in shares)
        due = priced.quote.total - credit
        actor, moment, number = self.actor(), clock.now(), numbering.take_numbers("DEMO-PAY")[0]
        payment = Payment(
            reference=f"PAY{clock.today():%y%m%d}DEMO{number:06d}",
            return_token=f"demonstration-{self.company.key}-{number}",
            organisation_id=self.organisation.id,
            created_by_id=actor.user_id,
            method=method if due else PaymentMethod.CREDIT,
            amount=due,
            credit_used=credit,
            stamp_duty=priced.quote.stamp_duty,
            delivery_vat_bp=priced.quote.delivery_vat_bp,
            gateway_order_id=f"00000000-0000-4000-8000-{number:012d}" if due else None,
            created_at=moment,
            expires_at=moment + timedelta(minutes=20),
            lines=[
                PaymentLine(
                    request_id=row.request.id,
                    position=position,
                    price_ht=row.line.ht,
                    vat_rate_bp=row.line.vat_rate_bp,
                    vat=row.line.vat,
                    delivery=row.line.delivery_ttc,
                )
                for position, row in enumerate(priced.rows, start=1)
            ],
        )
        db.session.add(payment)
        db.session.flush()
        history.write(
            actor, "start_payment", payment_id=payment.id, organisation_id=self.organisation.id, to_state=payment.state
        )
        audit.record(actor, "start_payment", payment, after={"reference": payment.reference})
        ledger.set_aside(payment, shares)
        if due:
            move_payment(payment, "register", actor=actor)
        else:
            confirm_by_credit(payment)
        return payment

    def pay(self, *requests: CertificateRequest, method: PaymentMethod = PaymentMethod.CARTE) -> Payment:
        """Pay at once: confirmation, invoice and its mail follow as from the gateway's own answer."""
        payment = self.start_payment(*requests, method=method)
        self.gateway_says(payment, 2)
        return payment

    def gateway_says(self, payment: Payment, status: int, action_code: int = 0, amount: int | None = None) -> None:
        """Apply an answer of the gateway: 2 paid, 6 declined, 0 still open."""
        paid = status == 2
        apply_answer(
            payment.id,
            OrderStatus(
                order_id=payment.gateway_order_id or "",
                order_number=payment.reference,
                status=status,
                amount=payment.amount if amount is None else amount,
                currency=DINAR,
                action_code=action_code,
                action_code_description="",
                masked_pan="504223**0042" if paid else "",
                approval_code="714209" if paid else "",
                payment_state="DEPOSITED" if paid else "DECLINED",
                refunded_amount=0,
                raw={},
            ),
        )


def _person_of(request: CertificateRequest) -> Person:
    return Person(**{name: getattr(request, name) for name in PERSON_COLUMNS})
