"""Who may pass each route (SEC-1): one declared matrix. A route that is not here fails the build.

A row says, per endpoint and method, which identities pass and what address is tried. ``own`` marks addresses of
organisation A's objects: for people who may use the route elsewhere they do not exist (404, PPL-2). Whoever
does not pass is sent to the login page when not logged in, and else gets 403 or 404.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VISITOR, DISABLED = "visitor", "disabled"
APPLICANT, OTHER_APPLICANT = "applicant of A", "applicant of B"
ADMIN, OTHER_ADMIN = "administrator of A", "administrator of B"
AGENT, SUPERVISOR, MANAGER, TECHNICIAN = "agent", "supervisor", "manager", "technical administrator"

IDENTITIES = (
    VISITOR, DISABLED, APPLICANT, OTHER_APPLICANT, ADMIN, OTHER_ADMIN, AGENT, SUPERVISOR, MANAGER, TECHNICIAN,
)  # fmt: skip

NOBODY: frozenset[str] = frozenset()
EVERYBODY = frozenset(IDENTITIES)
SIGNED_IN = EVERYBODY - {VISITOR, DISABLED}
APPLICANTS = frozenset({APPLICANT, OTHER_APPLICANT})
ADMINS = frozenset({ADMIN, OTHER_ADMIN})
OFFICERS = frozenset({AGENT, SUPERVISOR})
READERS = OFFICERS | {MANAGER}
STAFF = READERS | {TECHNICIAN}
TECHNICIANS = frozenset({TECHNICIAN})


@dataclass(frozen=True, slots=True)
class Row:
    """One route: methods, who passes, the address's parts, and whether it is an object of A's."""

    methods: str
    who: frozenset[str]
    address: dict[str, Any] = field(default_factory=dict)
    own: bool = False
    form: dict[str, Any] = field(default_factory=dict)
    fragment: bool = False  # the answer is part of a page
    post: frozenset[str] | None = None  # who may POST, when fewer than may look

    def passing(self, method: str) -> frozenset[str]:
        """Who passes by this method."""
        return self.post if method == "POST" and self.post is not None else self.who


def _crud(name: str, who: frozenset[str] = TECHNICIANS) -> dict[str, Row]:
    """A list of reference data and its generated pages; deleting is the technical administrator's alone."""
    row = {"row_id": f"<{name}>"}
    return {
        f"{name}.index_view": Row("GET", who),
        f"{name}.export_rows": Row("GET", NOBODY, {"kind": "csv"}),
        f"{name}.create_view": Row("GET POST", who),
        f"{name}.edit_view": Row("GET POST", who, row),
        f"{name}.delete_view": Row("GET POST", TECHNICIANS, row),
    }


def _list(name: str, who: frozenset[str], *, exported: bool = True) -> dict[str, Row]:
    return {
        f"{name}.index_view": Row("GET", who),
        f"{name}.export_rows": Row("GET", who if exported else NOBODY, {"kind": "csv"}),
    }


REQUEST = {"reference": "<request>"}
ORGANISATION = {"reference": "<organisation>"}
LINE = {"code": "ID_TRUST", "line_id": "<line>"}
IMPORT = {"public_id": "<import>"}
IMPORT_ROW = IMPORT | {"number": 2}
ATTEMPT = {"reference": "<attempt>"}

MATRIX: dict[str, Row] = {
    # entrance
    "auth.login": Row("GET POST", EVERYBODY),
    "auth.logout": Row("POST", EVERYBODY),
    "auth.forgotten": Row("GET POST", EVERYBODY),
    "auth.reset": Row("GET POST", EVERYBODY, {"token": "x"}),
    "auth.choose_password": Row("GET POST", SIGNED_IN),
    "second_step.code": Row("GET POST", EVERYBODY),
    "second_step.passkey": Row("POST", EVERYBODY),
    "second_step.options": Row("POST", EVERYBODY),
    "second_step.recovery": Row("GET POST", EVERYBODY),
    "second_step.give_up": Row("POST", EVERYBODY),
    "account.show": Row("GET", SIGNED_IN),
    "account.second_factor": Row("GET", SIGNED_IN),
    "account.set_up_app": Row("GET POST", SIGNED_IN),
    "account.remove_app": Row("GET POST", NOBODY),  # of whom has one
    "account.renew_codes": Row("GET POST", NOBODY),  # the same
    "account.add_passkey": Row("GET POST", SIGNED_IN),
    "account.passkey_options": Row("POST", SIGNED_IN),
    "account.remove_passkey": Row("GET POST", frozenset({ADMIN}), {"passkey_id": "<passkey>"}, own=True),
    "account.end_session": Row("POST", frozenset({ADMIN}), {"session_id": "<session>"}, own=True),
    "account.end_every_session": Row("POST", SIGNED_IN),
    "account.choose_mails": Row("POST", SIGNED_IN),
    "preferences.set_language": Row("POST", EVERYBODY, form={"lang": "fr"}),
    "pages.home": Row("GET", EVERYBODY),
    "pages.cgu": Row("GET", EVERYBODY),
    "pages.help": Row("GET", EVERYBODY),
    "tracking.follow": Row("GET POST", EVERYBODY),
    "health.alive": Row("GET", EVERYBODY),
    "health.ready": Row("GET", EVERYBODY),
    "health.metrics": Row("GET", EVERYBODY),
    "static": Row("GET", EVERYBODY, {"filename": "css/tokens.css"}),
    # sign-up
    "signup.start": Row("GET", EVERYBODY),
    "signup.step": Row("GET POST", EVERYBODY, {"slug": "organisation"}),
    "signup.finish": Row("GET POST", EVERYBODY),
    "signup.done": Row("GET", EVERYBODY),
    "signup.abandon": Row("POST", EVERYBODY),
    "signup.localities": Row("GET", EVERYBODY, {"code": "1002"}),
    "signup.captcha_image": Row("GET", EVERYBODY),
    "signup.captcha_audio": Row("GET", EVERYBODY),
    # an organisation's space
    "orders.history": Row("GET", ADMINS),
    "chasing.show": Row("GET", ADMINS),
    "chasing.resend": Row("POST", frozenset({ADMIN}), REQUEST, own=True),
    "chasing.resend_all": Row("POST", ADMINS, form={"etape": "a-activer"}),
    "ordering.catalogue": Row("GET", ADMINS),
    "ordering.form": Row("GET POST", ADMINS, {"code": "ID_TRUST"}),
    "ordering.edit": Row("GET POST", frozenset({ADMIN}), LINE, own=True),
    "ordering.remove": Row("POST", ADMINS, LINE),
    "ordering.send": Row("POST", ADMINS, {"code": "ID_TRUST"}),
    "ordering.names": Row("POST", ADMINS, fragment=True),
    "imports.start": Row("GET POST", ADMINS),
    "imports.template": Row("GET", ADMINS, {"kind": "csv"}),
    "imports.show": Row("GET", frozenset({ADMIN}), IMPORT, own=True),
    "imports.progress": Row("GET", ADMINS, IMPORT),
    "imports.check_again": Row("POST", frozenset({ADMIN}), IMPORT, own=True),
    "imports.mend_by_file": Row("POST", frozenset({ADMIN}), IMPORT, own=True),
    "imports.to_mend": Row("GET", frozenset({ADMIN}), IMPORT | {"kind": "csv"}, own=True),
    "imports.reasons": Row("POST", frozenset({ADMIN}), IMPORT, own=True),
    "imports.row": Row("GET POST", frozenset({ADMIN}), IMPORT_ROW, own=True),
    "imports.remove": Row("POST", frozenset({ADMIN}), IMPORT_ROW, own=True),
    "imports.send": Row("POST", frozenset({ADMIN}), IMPORT, own=True),
    "imports.abandon": Row("POST", ADMINS, IMPORT),
    "certificates.mine": Row("GET", ADMINS),
    "certificates.renew": Row("POST", frozenset({ADMIN}), own=True, form={"request": "<request>"}),
    "basket.show": Row("GET", ADMINS),
    "basket.add": Row("POST", frozenset({ADMIN}), own=True, form={"request": "<request>"}),
    "basket.add_ready": Row("POST", ADMINS),
    "basket.remove": Row("POST", frozenset({ADMIN}), own=True, form={"request": "<request>"}),
    "payments.start": Row("POST", ADMINS),
    "payments.return_": Row("GET", EVERYBODY),
    "invoices.index": Row("GET", ADMINS),
    "invoices.download": Row("GET", frozenset({ADMIN}) | READERS, {"number": "<invoice>"}, own=True),
    "invoices.electronic": Row("GET", frozenset({ADMIN}) | READERS, {"number": "<invoice>"}, own=True),
    "credits.download": Row("GET", frozenset({ADMIN}) | READERS, {"number": "<credit note>"}, own=True),
    "credits.electronic": Row("GET", frozenset({ADMIN}) | READERS, {"number": "<credit note>"}, own=True),
    "invoices.verify": Row("GET", EVERYBODY, {"code": "<code>"}),
    "organisation.show": Row("GET", ADMINS),
    "organisation.edit": Row("GET POST", ADMINS),
    "organisation.contract": Row("GET", frozenset({ADMIN}), {"version": 1}, own=True),
    "organisation.sign": Row("GET POST", frozenset({ADMIN}), {"version": 1}, own=True),
    "organisation.replace": Row("GET POST", frozenset({ADMIN}), {"public_id": "<document>"}, own=True),
    "organisation.answer": Row("GET POST", frozenset({ADMIN}), {"item_id": "<organisation item>"}, own=True),
    "organisation.supply": Row("POST", ADMINS),
    "organisation.add_administrator": Row("GET POST", ADMINS),
    "organisation.replace_administrator": Row("GET POST", frozenset({ADMIN}), {"user_id": "<second>"}, own=True),
    "organisation.invite_again": Row("POST", frozenset({ADMIN}), {"user_id": "<second>"}, own=True),
    # requests, for administrators and applicants
    "requests.mine": Row("GET", APPLICANTS),
    "requests.offices": Row("GET", APPLICANTS, fragment=True),
    "requests.collect": Row("POST", frozenset({APPLICANT}), {"reference": "<sent>"}, own=True),
    "requests.show": Row("GET", frozenset({ADMIN, APPLICANT}), REQUEST, own=True),
    "requests.validate": Row("GET POST", frozenset({APPLICANT}), REQUEST, own=True),
    "requests.report": Row("POST", frozenset({APPLICANT}), REQUEST, own=True),
    "requests.take_back": Row("POST", frozenset({APPLICANT}), REQUEST, own=True),
    "requests.correct": Row("GET POST", frozenset({ADMIN}), REQUEST, own=True),
    "requests.mend_email": Row("GET POST", frozenset({ADMIN}), REQUEST, own=True),
    "requests.reopen": Row("GET POST", frozenset({ADMIN}), REQUEST, own=True),
    "requests.withdraw": Row("GET POST", frozenset({ADMIN}), REQUEST, own=True),
    "requests.revoke": Row("GET POST", frozenset({ADMIN, APPLICANT}), {"reference": "<sent>"}, own=True),
    "requests.departure": Row("GET POST", frozenset({ADMIN}), {"reference": "<sent>"}, own=True),
    "requests.resend": Row("POST", frozenset({ADMIN}), REQUEST, own=True),
    "requests.answer": Row("GET", frozenset({ADMIN, APPLICANT}), {"reference": "<asked>"}, own=True),
    "requests.answer_item": Row(
        "POST", frozenset({ADMIN, APPLICANT}), {"reference": "<asked>", "item_id": "<item>"}, own=True
    ),
    "requests.supply": Row("POST", frozenset({ADMIN, APPLICANT}), {"reference": "<asked>"}, own=True),
    "messages.inbox": Row("GET", ADMINS | APPLICANTS),
    "messages.thread": Row("GET POST", frozenset({ADMIN, APPLICANT}), REQUEST, own=True),
    "messages.retract": Row("POST", frozenset({ADMIN}), {**REQUEST, "message_id": "<message>"}, own=True),
    # received files
    "documents.download": Row("GET", frozenset({ADMIN}) | READERS, {"public_id": "<document>"}, own=True),
    "documents.picture": Row("GET", frozenset({ADMIN}) | READERS, {"public_id": "<document>", "page": 1}, own=True),
    "documents.thumbnail": Row("GET", frozenset({ADMIN}) | READERS, {"public_id": "<document>"}, own=True),
    # back office
    "admin.index": Row("GET", STAFF),
    **_list("demandes", READERS),
    **_list("organisations", READERS),
    "listes.index": Row("GET", READERS),
    "listes.counts": Row("GET", READERS, {"slug": "demandes"}),
    "listes.save": Row("POST", READERS, {"slug": "demandes"}, form={"name": "x", "query": ""}),
    "listes.rename": Row("POST", NOBODY, {"row_id": 1_000_000}, form={"name": "x"}),  # nobody's
    "listes.delete": Row("POST", NOBODY, {"row_id": 1_000_000}),
    **_list("paiements", READERS),
    **_list("factures", READERS),
    **_list("certificats", READERS),
    **_list("revocations", READERS),
    "revocations.show": Row("GET", READERS, {"reference": "<revocation>"}),
    "revocations.approve": Row("POST", frozenset({SUPERVISOR}), {"reference": "<revocation>"}),
    "revocations.refuse": Row("POST", frozenset({SUPERVISOR}), {"reference": "<revocation>"}),
    "revocations.withdraw": Row("POST", OFFICERS, {"reference": "<revocation>"}),
    "comptabilite.index": Row("GET", READERS),
    "comptabilite.file": Row("GET", READERS, {"book": "ventes", "kind": "csv"}),
    "comptabilite.bundle": Row("GET", READERS, {"part": 1}),
    "paiements.ask": Row("POST", OFFICERS, {"row_id": "<payment>"}),
    "factures.pdf": Row("GET", READERS, {"row_id": "<invoice id>"}),
    "factures.show": Row("GET", READERS, {"number": "<invoice>"}),
    "factures.send_again": Row("POST", OFFICERS, {"number": "<invoice>"}),
    "avoirs.send_again": Row("POST", OFFICERS, {"reference": "<credit note>"}),
    **_list("rapprochement", READERS),
    "rapprochement.show": Row("GET", READERS, ATTEMPT),
    "rapprochement.ask": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.prepare_remedy": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.acknowledge": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.reopen": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.approve": Row("POST", frozenset({SUPERVISOR}), ATTEMPT),
    "rapprochement.refuse": Row("POST", frozenset({SUPERVISOR}), ATTEMPT),
    "rapprochement.withdraw": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.carry_out": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.ask_of_remedy": Row("POST", OFFICERS, ATTEMPT),
    "rapprochement.transfer": Row("POST", OFFICERS, ATTEMPT),
    **_list("releves", READERS),
    "releves.line": Row("GET", READERS, {"row_id": "<statement line>"}),
    "releves.file_line": Row("POST", OFFICERS, {"row_id": "<statement line>"}),
    "releves.import_file": Row("GET POST", OFFICERS),
    "releves.confirm": Row("POST", OFFICERS, form={"token": "x"}),
    "releves.sample": Row("GET", READERS),
    "releves.statements": Row("GET", READERS),
    "releves.statement": Row("GET", READERS, {"row_id": "<statement>"}),
    "releves.match_again": Row("POST", OFFICERS, {"row_id": "<statement>"}),
    **_list("avoirs", READERS),
    "avoirs.show": Row("GET", READERS, {"reference": "<proposal>"}),
    "avoirs.account": Row("GET", READERS, ORGANISATION),
    "avoirs.new": Row("GET POST", OFFICERS, {"number": "<invoice>"}),
    "avoirs.change": Row("GET POST", OFFICERS, {"reference": "<proposal>"}),
    "avoirs.issue": Row("POST", frozenset({SUPERVISOR}), {"reference": "<proposal>"}),
    "avoirs.refuse": Row("POST", frozenset({SUPERVISOR}), {"reference": "<proposal>"}),
    "avoirs.withdraw": Row("POST", OFFICERS, {"reference": "<proposal>"}),
    "avoirs.refund": Row("POST", OFFICERS, {"reference": "<credit note>"}),
    "avoirs.ask": Row("POST", OFFICERS, {"reference": "<credit note>"}),
    "avoirs.transfer": Row("POST", OFFICERS, {"reference": "<credit note>"}),
    "demandes.export_selection": Row("POST", OFFICERS, form={"kind": "csv"}),
    "lots.index_view": Row("GET", OFFICERS),
    "lots.export_rows": Row("GET", NOBODY, {"kind": "csv"}),
    "lots.begin": Row("POST", OFFICERS),
    "lots.details": Row("POST", OFFICERS),
    "lots.dispatch": Row("GET POST", OFFICERS),
    "lots.collected": Row("GET POST", OFFICERS),
    "lots.confirm": Row("POST", OFFICERS),
    "lots.show": Row("GET", OFFICERS, {"public_id": "<run>"}),
    "lots.result": Row("GET", OFFICERS, {"public_id": "<run>"}),
    "absences.index_view": Row("GET POST", OFFICERS),
    "absences.end": Row("POST", frozenset({SUPERVISOR}), {"row_id": "<absence>"}),
    "absences.share": Row("GET POST", frozenset({SUPERVISOR}), {"user_id": "<staff>"}),
    "dossiers.index": Row("GET", READERS),
    "dossiers.show": Row("GET", READERS, REQUEST),
    "dossiers.organisation": Row("GET", READERS, ORGANISATION),
    "dossiers.contract": Row("GET", READERS, {**ORGANISATION, "version": 1}),
    "dossiers.take_next": Row("POST", OFFICERS),
    "dossiers.take_next_organisation": Row("POST", OFFICERS),
    "dossiers.hand_over": Row("GET POST", OFFICERS, REQUEST),
    "dossiers.presence": Row("POST", OFFICERS, REQUEST, fragment=True),
    "dossiers.check_again": Row("POST", OFFICERS, REQUEST),
    "dossiers.all_good": Row("POST", OFFICERS, REQUEST),
    "dossiers.decide_and_next": Row("POST", OFFICERS, REQUEST),
    "dossiers.take": Row("POST", OFFICERS, REQUEST),
    "dossiers.take_organisation": Row("POST", OFFICERS, ORGANISATION),
    "dossiers.release": Row("POST", OFFICERS, REQUEST),
    "dossiers.judge_document": Row("POST", OFFICERS, {**REQUEST, "public_id": "<document>"}),
    "dossiers.judge_field": Row("POST", OFFICERS, REQUEST),
    "dossiers.decide": Row("GET POST", OFFICERS, {**REQUEST, "action": "reject"}),
    "dossiers.ask": Row("GET POST", OFFICERS, REQUEST),
    "dossiers.reject_and_credit": Row("GET POST", OFFICERS, {"reference": "<paid>"}),
    "dossiers.revoke_and_credit": Row("GET POST", OFFICERS, {"reference": "<paid>"}),
    "dossiers.revoke": Row("GET POST", OFFICERS, {"reference": "<sent>"}),
    "dossiers.certificate": Row("GET POST", OFFICERS, REQUEST),
    "dossiers.collect": Row("GET POST", OFFICERS, {"reference": "<sent>"}),
    "certificats_lots.index": Row("GET POST", OFFICERS),
    "certificats_lots.show": Row("GET", frozenset({AGENT}), {"public_id": "<batch>"}),
    "certificats_lots.confirm": Row("POST", frozenset({AGENT}), {"public_id": "<batch>"}),
    "bordereaux.index": Row("GET", OFFICERS),
    "bordereaux.day": Row("GET", OFFICERS),
    "bordereaux.parcel": Row("GET", OFFICERS, {"reference": "<sent>"}),
    **_list("conversations", READERS, exported=False),
    "conversations.reply": Row("POST", OFFICERS, REQUEST),
    "conversations.retract": Row("POST", frozenset({AGENT}), {**REQUEST, "message_id": "<answer>"}),
    "conversations.no_answer": Row("POST", OFFICERS, REQUEST),
    **_list("suivi", READERS, exported=False),
    "suivi.add": Row("POST", OFFICERS, REQUEST),
    "suivi.finish": Row("POST", OFFICERS, {**REQUEST, "note_id": "<note>"}),
    "suivi.reopen": Row("POST", OFFICERS, {**REQUEST, "note_id": "<note>"}),
    # reference data, team, operation
    **_crud("types"),
    **_crud("tarifs"),
    **_crud("frais"),
    **_crud("domaines"),
    **_crud("postes"),
    **_crud("motifs", OFFICERS | TECHNICIANS),
    **_crud("reponses", OFFICERS | TECHNICIANS),
    **_crud("conditions"),
    "postes.import_file": Row("GET POST", TECHNICIANS),
    "conditions.publish": Row("POST", TECHNICIANS, {"row_id": "<conditions>"}),
    "reglages.index_view": Row("GET", TECHNICIANS),
    "reglages.edit": Row("GET POST", TECHNICIANS, {"key": "review.days"}),
    **_list("equipe", TECHNICIANS | {SUPERVISOR}, exported=False),
    "equipe.invite": Row("GET POST", TECHNICIANS),
    "equipe.person": Row("GET POST", TECHNICIANS | {SUPERVISOR}, {"row_id": "<staff>"}, post=TECHNICIANS),
    "equipe.disable": Row("POST", TECHNICIANS, {"row_id": "<staff>"}),
    "equipe.enable": Row("POST", TECHNICIANS, {"row_id": "<staff>"}),
    "equipe.invite_again": Row("POST", TECHNICIANS, {"row_id": "<staff>"}),
    "equipe.reset_factor": Row("GET POST", TECHNICIANS, {"row_id": "<staff>"}),
    "equipe.reset_client": Row("GET POST", TECHNICIANS),
    "equipe.decide": Row("POST", TECHNICIANS | {SUPERVISOR}, {"change_id": "<change>"}),
    **_list("journal", TECHNICIANS | {MANAGER}, exported=False),
    "journal.entry": Row("GET", TECHNICIANS | {MANAGER}, {"row_id": "<entry>"}),
    **_list("courriels", TECHNICIANS, exported=False),
    "courriels.resend_many": Row("POST", TECHNICIANS),
    "courriels.resend": Row("POST", TECHNICIANS, {"row_id": "<mail>"}),
    "taches.index_view": Row("GET", TECHNICIANS),
    "taches.history": Row("GET", TECHNICIANS, {"job_name": "purge_attempts"}),
    "taches.run": Row("POST", TECHNICIANS, {"job_name": "purge_attempts"}),
    # development only
    "dev.mailbox": Row("GET", EVERYBODY),
    "dev.mail": Row("GET", EVERYBODY, {"key": "x"}),
    "dev.body": Row("GET", EVERYBODY, {"key": "x"}),
    "dev.gallery": Row("GET", EVERYBODY),
    "dev.sample": Row("GET", EVERYBODY, {"kind": "request_created", "case": 1, "locale": "ar"}),
    "dev.sample_body": Row(
        "GET",
        EVERYBODY,
        {"kind": "request_created", "case": 1, "locale": "ar"},
        fragment=True,  # a mail, not a page
    ),
    "dev.attachment": Row("GET", EVERYBODY, {"key": "x", "number": 0}),
}

NO_PAGE = frozenset({"dev.sample_body"})
"""A mail's HTML, shown in a frame: it is written by a mail's rules."""

MISSING_IS_FINE = frozenset(
    {
        "auth.reset",
        "dev.mail",
        "dev.body",
        "dev.attachment",
        "signup.done",
        "signup.captcha_image",
        "signup.captcha_audio",
        "payments.return_",
    }
)
"""Public addresses tried without their object: 404 or 410 is the right answer to everybody."""
