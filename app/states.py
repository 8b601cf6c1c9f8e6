"""States and the moves between them, as data (STA-1). Pure.

Buttons, services, bulk actions and documentation all read these tables; a move that a table does not hold
is refused. Codes are stored and shown as in the manual.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class RequestState(StrEnum):
    """The manual's six states of a certificate request."""

    NON_FINALISEE = "NON_FINALISEE"
    EN_ATTENTE_DE_PAIEMENT = "EN_ATTENTE_DE_PAIEMENT"
    PRISE_EN_CHARGE_PAR_TUNTRUST = "PRISE_EN_CHARGE_PAR_TUNTRUST"
    EN_ATTENTE_DE_JUSTIFICATIFS = "EN_ATTENTE_DE_JUSTIFICATIFS"
    ANNULEE = "ANNULEE"
    EXPEDIEE = "EXPEDIEE"


class OrganisationState(StrEnum):
    """Where an organisation stands with TunTrust."""

    EN_ATTENTE_ACTIVATION = "EN_ATTENTE_ACTIVATION"
    A_VERIFIER = "A_VERIFIER"
    PIECES_DEMANDEES = "PIECES_DEMANDEES"
    VERIFIEE = "VERIFIEE"
    REJETEE = "REJETEE"
    SUSPENDUE = "SUSPENDUE"


class PaymentState(StrEnum):
    """One attempt at the gateway."""

    INITIE = "INITIE"  # written before the gateway is called
    EN_COURS = "EN_COURS"  # registered: the hosted page is open
    PAYE = "PAYE"
    REFUSE = "REFUSE"
    EXPIRE = "EXPIRE"
    ABANDONNE = "ABANDONNE"  # settled as unpaid so that a new attempt could start
    A_REGULARISER = "A_REGULARISER"  # money moved but the basket did not allow it: the reconciliation desk


class Anomaly(StrEnum):
    """Why an attempt is at the reconciliation desk (GAT-3, GAT-4)."""

    IDENTITY_DIFFERS = "IDENTITY_DIFFERS"  # paid, but the answer names another order
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    PAID_TWICE = "PAID_TWICE"  # a request was meanwhile paid by another attempt
    HELD_ELSEWHERE = "HELD_ELSEWHERE"  # a request is in another attempt under way
    NOT_PAYABLE = "NOT_PAYABLE"  # a request was withdrawn, or sent back for correction
    GIVEN_BACK = "GIVEN_BACK"  # reversed or refunded at the gateway
    CREDIT_GONE = "CREDIT_GONE"  # paid after its end, and the credit it counted on was used elsewhere
    PREAUTHORISED = "PREAUTHORISED"  # blocked on the card, never taken
    NO_ANSWER = "NO_ANSWER"  # the gateway said nothing usable for a day


class CertificateState(StrEnum):
    """The life of a generated certificate (CRT-1)."""

    GENERE = "GENERE"
    EXPEDIE = "EXPEDIE"
    RETIRE = "RETIRE"
    REVOQUE = "REVOQUE"
    EXPIRE = "EXPIRE"


class RevocationState(StrEnum):
    """A revocation on its way: an agent's waits for a second person, a client's is done at once (CRT-4)."""

    A_APPROUVER = "A_APPROUVER"
    FAITE = "FAITE"
    REFUSEE = "REFUSEE"
    RETIREE = "RETIREE"  # by who prepared it, or because the certificate was revoked meanwhile


class CreditProposalState(StrEnum):
    """A credit note on its way from one person to another (AVO-1, AVO-2)."""

    A_APPROUVER = "A_APPROUVER"
    EMIS = "EMIS"
    REFUSE = "REFUSE"
    RETIRE = "RETIRE"  # by who prepared it


class RefundState(StrEnum):
    """Money to give back (AVO-4)."""

    A_REMBOURSER = "A_REMBOURSER"
    EN_COURS = "EN_COURS"  # asked of the gateway; its answer is not known yet
    REMBOURSE = "REMBOURSE"


class RemedyState(StrEnum):
    """What a person decided of an attempt at the reconciliation desk, on its way to being done (GAT-4, PPL-3)."""

    A_APPROUVER = "A_APPROUVER"
    A_FAIRE = "A_FAIRE"  # approved by a second person; the money is to be given back
    EN_COURS = "EN_COURS"  # asked of the gateway; its answer is not known yet
    FAIT = "FAIT"
    REFUSE = "REFUSE"
    RETIRE = "RETIRE"  # given up


class TransmissionState(StrEnum):
    """An electronic invoice on its way to TTN (INV-3)."""

    NON_ENVOYEE = "NON_ENVOYEE"
    A_ENVOYER = "A_ENVOYER"
    ENVOYEE = "ENVOYEE"
    ACCEPTEE = "ACCEPTEE"
    REJETEE = "REJETEE"


class Verdict(StrEnum):
    """What an agent said of a document or of a declared field."""

    A_VERIFIER = "A_VERIFIER"
    ACCEPTE = "ACCEPTE"
    REFUSE = "REFUSE"


class Who(StrEnum):
    """Whose hand a move needs."""

    ADMINISTRATOR = "administrator"
    APPLICANT = "applicant"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Move:
    """One row of a transition table.

    ``needs_reason``: the action must say why, in words, and the words are kept in the history.
    ``tone`` is how its button looks; ``bulk``: it makes sense for many rows at once.
    """

    action: str
    sources: tuple[StrEnum, ...]
    target: StrEnum | None  # None: the state stays
    who: tuple[Who, ...]
    needs_reason: bool = False
    tone: str = "second"
    bulk: bool = False


class NoSuchMove(LookupError):
    """The table holds no such action from that state. Services turn it into a sentence."""


_R = RequestState
REQUEST_MOVES: tuple[Move, ...] = (
    Move("validate", (_R.NON_FINALISEE,), _R.EN_ATTENTE_DE_PAIEMENT, (Who.APPLICANT,), tone="primary"),
    Move(
        "withdraw",
        (_R.NON_FINALISEE, _R.EN_ATTENTE_DE_PAIEMENT),
        _R.ANNULEE,
        (Who.ADMINISTRATOR,),
        tone="danger",
    ),
    Move("reopen", (_R.EN_ATTENTE_DE_PAIEMENT,), _R.NON_FINALISEE, (Who.ADMINISTRATOR,), needs_reason=True),
    Move("pay", (_R.EN_ATTENTE_DE_PAIEMENT,), _R.PRISE_EN_CHARGE_PAR_TUNTRUST, (Who.SYSTEM,)),
    Move(
        "ask_for_documents",
        (_R.PRISE_EN_CHARGE_PAR_TUNTRUST,),
        _R.EN_ATTENTE_DE_JUSTIFICATIFS,
        (Who.AGENT,),
        bulk=True,
    ),
    Move(
        "supply",
        (_R.EN_ATTENTE_DE_JUSTIFICATIFS,),
        _R.PRISE_EN_CHARGE_PAR_TUNTRUST,
        (Who.APPLICANT, Who.ADMINISTRATOR),
        tone="primary",
    ),
    Move("withdraw_the_ask", (_R.EN_ATTENTE_DE_JUSTIFICATIFS,), _R.PRISE_EN_CHARGE_PAR_TUNTRUST, (Who.AGENT,)),
    Move(
        "reject",
        (_R.PRISE_EN_CHARGE_PAR_TUNTRUST, _R.EN_ATTENTE_DE_JUSTIFICATIFS),
        _R.ANNULEE,
        (Who.AGENT, Who.SYSTEM),  # the system only what nobody answered, when a setting says so (REV-5)
        needs_reason=True,
        tone="danger",
    ),
    Move("approve", (_R.PRISE_EN_CHARGE_PAR_TUNTRUST,), None, (Who.AGENT,), tone="primary", bulk=True),
    Move("dispatch", (_R.PRISE_EN_CHARGE_PAR_TUNTRUST,), _R.EXPEDIEE, (Who.AGENT,), tone="primary", bulk=True),
)

_O = OrganisationState
ORGANISATION_MOVES: tuple[Move, ...] = (
    Move("activate", (_O.EN_ATTENTE_ACTIVATION,), _O.A_VERIFIER, (Who.ADMINISTRATOR,)),
    Move("verify", (_O.A_VERIFIER,), _O.VERIFIEE, (Who.AGENT,), tone="primary"),
    Move("ask_for_documents", (_O.A_VERIFIER,), _O.PIECES_DEMANDEES, (Who.AGENT,)),
    Move("supply", (_O.PIECES_DEMANDEES,), _O.A_VERIFIER, (Who.ADMINISTRATOR,), tone="primary"),
    Move("withdraw_the_ask", (_O.PIECES_DEMANDEES,), _O.A_VERIFIER, (Who.AGENT,)),
    Move(
        "reject",
        (_O.A_VERIFIER, _O.PIECES_DEMANDEES),
        _O.REJETEE,
        (Who.AGENT,),
        needs_reason=True,
        tone="danger",
    ),
    Move("change_data", (_O.VERIFIEE,), _O.A_VERIFIER, (Who.ADMINISTRATOR,)),
    Move(
        "suspend",
        (_O.A_VERIFIER, _O.PIECES_DEMANDEES, _O.VERIFIEE),
        _O.SUSPENDUE,
        (Who.SUPERVISOR,),
        needs_reason=True,
        tone="danger",
    ),
    Move("restore", (_O.SUSPENDUE, _O.REJETEE), _O.A_VERIFIER, (Who.SUPERVISOR,), needs_reason=True),
)

_P = PaymentState
PAYMENT_MOVES: tuple[Move, ...] = (
    Move("register", (_P.INITIE,), _P.EN_COURS, (Who.SYSTEM,)),
    Move(
        "confirm",
        (_P.INITIE, _P.EN_COURS, _P.REFUSE, _P.EXPIRE, _P.ABANDONNE, _P.A_REGULARISER),
        _P.PAYE,
        (Who.SYSTEM,),
    ),
    Move(
        "set_aside",
        (_P.INITIE, _P.EN_COURS, _P.REFUSE, _P.EXPIRE, _P.ABANDONNE),
        _P.A_REGULARISER,
        (Who.SYSTEM,),
    ),
    # From the desk only when the gateway at last says that an attempt of which it had said nothing was not paid.
    Move("refuse", (_P.INITIE, _P.EN_COURS, _P.A_REGULARISER), _P.REFUSE, (Who.SYSTEM,)),
    Move("expire", (_P.INITIE, _P.EN_COURS, _P.A_REGULARISER), _P.EXPIRE, (Who.SYSTEM,)),
    Move("abandon", (_P.INITIE, _P.EN_COURS, _P.A_REGULARISER), _P.ABANDONNE, (Who.SYSTEM, Who.ADMINISTRATOR)),
)

_C = CertificateState
CERTIFICATE_MOVES: tuple[Move, ...] = (
    Move("dispatch", (_C.GENERE,), _C.EXPEDIE, (Who.AGENT,), tone="primary", bulk=True),
    Move("collect", (_C.EXPEDIE,), _C.RETIRE, (Who.APPLICANT, Who.AGENT), tone="primary", bulk=True),
    Move(
        "revoke",
        (_C.GENERE, _C.EXPEDIE, _C.RETIRE),
        _C.REVOQUE,
        (Who.APPLICANT, Who.ADMINISTRATOR, Who.AGENT, Who.SYSTEM),  # the system only when a setting says so (CRT-3)
        needs_reason=True,
        tone="danger",
    ),
    Move("expire", (_C.GENERE, _C.EXPEDIE, _C.RETIRE), _C.EXPIRE, (Who.SYSTEM,)),
)

_V = CreditProposalState
CREDIT_PROPOSAL_MOVES: tuple[Move, ...] = (
    Move("edit", (_V.A_APPROUVER,), None, (Who.AGENT,)),
    Move("issue", (_V.A_APPROUVER,), _V.EMIS, (Who.SUPERVISOR,), tone="primary"),
    Move("refuse", (_V.A_APPROUVER,), _V.REFUSE, (Who.SUPERVISOR,), needs_reason=True, tone="danger"),
    Move("withdraw", (_V.A_APPROUVER,), _V.RETIRE, (Who.AGENT,), tone="danger"),
)
"""Who prepared or edited it never issues it (PPL-3): the service says so."""

_K = RevocationState
REVOCATION_MOVES: tuple[Move, ...] = (
    Move("approve", (_K.A_APPROUVER,), _K.FAITE, (Who.SUPERVISOR,), tone="primary"),
    Move("refuse", (_K.A_APPROUVER,), _K.REFUSEE, (Who.SUPERVISOR,), needs_reason=True, tone="danger"),
    Move("withdraw", (_K.A_APPROUVER,), _K.RETIREE, (Who.AGENT, Who.SYSTEM), tone="danger"),
)
"""Who prepared it never approves it (PPL-3): the service says so, and the database too."""

_F = RefundState
REFUND_MOVES: tuple[Move, ...] = (
    Move("ask_gateway", (_F.A_REMBOURSER,), _F.EN_COURS, (Who.AGENT,), tone="primary"),
    Move("confirm", (_F.EN_COURS, _F.A_REMBOURSER), _F.REMBOURSE, (Who.SYSTEM,)),
    Move("fail", (_F.EN_COURS,), _F.A_REMBOURSER, (Who.SYSTEM,)),
    Move("done_by_hand", (_F.A_REMBOURSER,), _F.REMBOURSE, (Who.AGENT,), tone="primary"),
)

_Y = RemedyState
REMEDY_MOVES: tuple[Move, ...] = (
    Move("approve", (_Y.A_APPROUVER,), _Y.A_FAIRE, (Who.SUPERVISOR,), tone="primary"),
    Move("refuse", (_Y.A_APPROUVER,), _Y.REFUSE, (Who.SUPERVISOR,), needs_reason=True, tone="danger"),
    Move("withdraw", (_Y.A_APPROUVER, _Y.A_FAIRE), _Y.RETIRE, (Who.AGENT,), tone="danger"),
    Move("ask_gateway", (_Y.A_FAIRE,), _Y.EN_COURS, (Who.AGENT,), tone="primary"),
    Move("fail", (_Y.EN_COURS,), _Y.A_FAIRE, (Who.SYSTEM,)),
    Move("confirm", (_Y.A_FAIRE, _Y.EN_COURS), _Y.FAIT, (Who.SYSTEM,)),
    Move("done_by_hand", (_Y.A_FAIRE,), _Y.FAIT, (Who.AGENT,), tone="primary"),
)
"""Who prepared it never approves it (PPL-3): the service says so, and the database too."""

OPEN_REMEDY_STATES = (RemedyState.A_APPROUVER, RemedyState.A_FAIRE, RemedyState.EN_COURS)
"""A remedy in one of these holds its attempt: nothing else is done with it meanwhile."""

LIVE_PAYMENT_STATES = (PaymentState.INITIE, PaymentState.EN_COURS)
"""A payment in one of these holds its requests: they cannot be withdrawn, reopened or paid elsewhere."""

VALID_CERTIFICATE_STATES = (CertificateState.GENERE, CertificateState.EXPEDIE, CertificateState.RETIRE)
"""A certificate in one of these signs until its last day: it can be revoked, renewed, or left to expire."""

ORDERING_STATES = (
    OrganisationState.A_VERIFIER,
    OrganisationState.PIECES_DEMANDEES,
    OrganisationState.VERIFIEE,
)
"""Ordering and paying are open from A_VERIFIER on (chapter 1)."""


def find_move(moves: tuple[Move, ...], state: StrEnum, action: str) -> Move:
    """The table's row for this action from this state. Raises NoSuchMove."""
    for move in moves:
        if move.action == action and state in move.sources:
            return move
    raise NoSuchMove(f"{action} from {state}")


def moves_from(moves: tuple[Move, ...], state: StrEnum, who: Iterable[Who]) -> list[Move]:
    """The moves these hands may make from here, in the table's order: what the buttons read."""
    hands = frozenset(who)
    return [move for move in moves if state in move.sources and hands & frozenset(move.who)]
