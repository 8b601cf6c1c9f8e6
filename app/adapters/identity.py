"""The civil-status service behind « Vérification avec le service web » (ORG-5, SEC-4).

The whole tuple is asked at once and only concordant, non concordant or indisponible comes back. An outage
is an answer: nothing here raises for it, and an agent checks later. Neither tuple nor token is logged.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.adapters.outbound import Line, OutboundError

logger = logging.getLogger(__name__)


class IdentityAnswer(StrEnum):
    """All that the service is allowed to tell."""

    CONCORDANT = "CONCORDANT"
    NON_CONCORDANT = "NON_CONCORDANT"
    INDISPONIBLE = "INDISPONIBLE"


@dataclass(frozen=True)
class IdentityTuple:
    """What was declared: ``document_kind`` CIN, CARTE_SEJOUR or PASSEPORT; nationality ISO alpha-2."""

    document_kind: str
    document_number: str
    birth_date: date
    nationality: str
    last_name: str = ""
    first_name: str = ""


class IdentityService:
    """The client; ``timeout`` in seconds bounds the wait of the person who pressed the button."""

    def __init__(self, base_url: str, token: str, timeout: float = 5.0) -> None:
        self._token = token
        self._line = Line(base_url, connect=min(timeout, 2.0), read=timeout)

    def check(self, declared: IdentityTuple) -> IdentityAnswer:
        """Ask whether the declared identity is the registered one; all but a clear answer is INDISPONIBLE."""
        body = {
            "document_kind": declared.document_kind,
            "document_number": declared.document_number,
            "birth_date": declared.birth_date.isoformat(),
            "nationality": declared.nationality,
        }
        names = {"last_name": declared.last_name, "first_name": declared.first_name}
        body |= {name: value for name, value in names.items() if value}
        try:
            answer = self._line.post("/v1/verifications", json=body, headers={"Authorization": f"Bearer {self._token}"})
            decoded = json.loads(answer.body) if answer.status == 200 else None
        except OutboundError as error:
            logger.warning("identity service: %s", error.reason)
            return IdentityAnswer.INDISPONIBLE
        except (ValueError, RecursionError):
            logger.warning("identity service: unintelligible answer")
            return IdentityAnswer.INDISPONIBLE
        result = decoded.get("result") if isinstance(decoded, dict) else None
        if result == "match":
            return IdentityAnswer.CONCORDANT
        if result == "mismatch":
            return IdentityAnswer.NON_CONCORDANT
        logger.warning("identity service: HTTP %s without a result", answer.status)
        return IdentityAnswer.INDISPONIBLE
