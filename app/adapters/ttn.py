"""Tunisie TradeNet's El Fatoora: depositing signed electronic invoices and asking what became of them (INV-3).

SOAP 1.1 by zeep, against a description of the two operations that ships with us. Redirections are not followed,
since they would carry the credentials elsewhere; nothing sent or received is logged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

WSDL = Path(__file__).with_name("ttn.wsdl")
_BINDING = "{http://services.elfatoura.tradenet.com.tn/}EfactBinding"


class TtnUnavailable(Exception):
    """No answer that can be used: outage, delay, or nonsense. The document may have been taken."""


class TtnRefused(Exception):
    """TTN said no, in its own words."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What TTN says of a document: its own reference once it is accepted, or why it is not."""

    reference: str
    messages: tuple[str, ...]
    document: bytes = b""  # as TTN signed it

    @property
    def accepted(self) -> bool:
        """Does it bear TTN's reference (I-88)?"""
        return bool(self.reference)

    @property
    def rejected(self) -> bool:
        """Was it looked at and sent back?"""
        return not self.reference and bool(self.messages)


class ElFatoora:
    """The client; ``timeout`` in seconds bounds each call."""

    def __init__(self, url: str, login: str, password: str, tax_id: str, timeout: float = 20.0) -> None:
        self._url = url
        self._credentials = {"login": login, "password": password, "matricule": tax_id}
        self._timeout = timeout

    def deposit(self, xml: bytes) -> str:
        """``saveEfact``: hand a signed document over; TTN's identifier of the deposit. Sent once.

        Raises TtnRefused, TtnUnavailable (ask before repeating).
        """
        answer = self._call("saveEfact", documentEfact=xml)
        return str(answer or "").strip()

    def consult(self, number: str) -> Outcome | None:
        """``consultEfact``: what became of the document of this number; None when TTN does not know it (yet).

        Raises TtnRefused, TtnUnavailable.
        """
        found = self._call("consultEfact", efactCriteria={"documentNumber": number})
        for each in found or []:
            if (each["documentNumber"] or "") == number:
                said = tuple(
                    " ".join(filter(None, (one["code"], one["message"]))) for one in each["listAcknowlegments"] or []
                )
                return Outcome((each["generatedRef"] or "").strip(), said, each["xmlContent"] or b"")
        return None

    def _call(self, operation: str, **values: Any) -> Any:
        from lxml import etree
        from requests import RequestException, Session
        from zeep.exceptions import Error, Fault

        session = Session()
        session.max_redirects = 0
        session.trust_env = False
        try:
            service = self._service(session)
            return getattr(service, operation)(**self._credentials, **values)
        except Fault as fault:
            if not fault.code:  # what zeep makes of an error page
                raise TtnUnavailable("no SOAP fault") from None
            raise TtnRefused(str(fault.message)[:500]) from None
        except (Error, RequestException, etree.XMLSyntaxError, ValueError, TypeError, KeyError) as error:
            logger.warning("ttn %s: %s", operation, type(error).__name__)
            raise TtnUnavailable(type(error).__name__) from None
        finally:
            session.close()

    def _service(self, session: Any) -> Any:
        import zeep

        library: Any = zeep  # its constructors carry no types
        transport = library.Transport(session=session, timeout=self._timeout, operation_timeout=self._timeout)
        client = library.Client(str(WSDL), transport=transport, settings=library.Settings(strict=False))
        return client.create_service(_BINDING, self._url)
