"""A stand-in of El Fatoora's EfactService: SOAP 1.1 over real HTTP, ``saveEfact`` and ``consultEfact`` (INV-3).

It keeps what it is given in memory, accepts a signed TEIF document and answers later with a reference (I-88), rejects
one without a signature, which may then be sent again, and keeps what it once took of a number.
Login and password « sandbox ».
``GET /documents`` lists what it holds; ``POST /control`` with ``{"mode": "down"}``, late, fault or nothing makes it
misbehave or behave.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any
from xml.sax.saxutils import escape

from flask import Flask, Response, jsonify, request

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICES = "http://services.elfatoura.tradenet.com.tn/"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def create_ttn(login: str = "sandbox", password: str = "sandbox") -> Flask:  # noqa: S107 - the sandbox's published one
    """The service as a WSGI application, with documents of its own."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 20 * 1024 * 1024
    documents: dict[str, dict[str, Any]] = {}
    state = {"mode": ""}

    @app.get("/documents")
    def held() -> Response:
        return jsonify([{k: v for k, v in each.items() if k != "xml"} for each in documents.values()])

    @app.post("/control")
    def control() -> Response:
        state["mode"] = str((request.get_json() or {}).get("mode", ""))
        return jsonify(state)

    @app.post("/ElfatouraServices/EfactService")
    def service() -> Response:
        if state["mode"] == "down":
            return Response("<h1>Service indisponible</h1>", 503, mimetype="text/html")
        call = _read(request.get_data())
        if call is None:
            return _fault("Requête SOAP illisible")
        operation, values = call
        if (values.get("login"), values.get("password")) != (login, password):
            return _fault("Login ou mot de passe incorrect")
        if state["mode"] == "fault":
            return _fault("Erreur interne du service")
        if operation == "saveEfact":
            answer = _save(documents, values)
        elif operation == "consultEfact":
            answer = _consult(documents, values, late=state["mode"] == "late")
        else:
            return _fault("Opération inconnue")
        return _soap(answer)

    return app


def _read(body: bytes) -> tuple[str, dict[str, str]] | None:
    """The operation and its flat parameters; nested ones by their own names."""
    from lxml import etree

    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        operation = root.find(f"{{{ENVELOPE}}}Body")[0]
    except (etree.XMLSyntaxError, TypeError, IndexError):
        return None
    values = {
        etree.QName(each).localname: (each.text or "").strip() for each in operation.iter() if each is not operation
    }
    return etree.QName(operation).localname, values


def _save(documents: dict[str, dict[str, Any]], values: dict[str, str]) -> str:
    from lxml import etree

    try:
        xml = base64.b64decode(values.get("documentEfact", ""), validate=True)
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    except (binascii.Error, etree.XMLSyntaxError):
        return "<return>Document illisible</return>"
    number = root.findtext("InvoiceBody/Bgm/DocumentIdentifier") or ""
    digest = hashlib.sha256(xml).hexdigest()
    known = documents.get(number)
    if known is None or known["messages"]:
        before = known or {"id": str(1000 + len(documents)), "deposits": 0}
        known = documents[number] = {
            "number": number,
            "id": before["id"],
            "sha256": digest,
            "deposits": before["deposits"],
            "messages": [] if root.find(SIGNATURE) is not None else ["E01 Signature du fournisseur absente"],
            "xml": xml,
        }
    elif known["sha256"] != digest:
        return "<return>Numéro de document déjà déposé</return>"
    known["deposits"] += 1
    return f"<return>{known['id']}</return>"


def _consult(documents: dict[str, dict[str, Any]], values: dict[str, str], *, late: bool) -> str:
    known = documents.get(values.get("documentNumber", ""))
    if known is None:
        return ""
    reference = "" if late or known["messages"] else f"TTN{int(known['sha256'][:15], 16):020d}"[:27]
    said = "".join(
        f"<listAcknowlegments><code>{escape(each[:3])}</code><message>{escape(each[4:])}</message></listAcknowlegments>"
        for each in ([] if late else known["messages"])
    )
    content = base64.b64encode(known["xml"]).decode()
    return (
        f"<return><documentNumber>{escape(known['number'])}</documentNumber><idSaveEfact>{known['id']}</idSaveEfact>"
        f"<generatedRef>{reference}</generatedRef>{said}<xmlContent>{content}</xmlContent></return>"
    )


def _soap(inner: str) -> Response:
    operation = "consultEfactResponse" if "<documentNumber>" in inner or not inner else "saveEfactResponse"
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>'
        f'<ns:{operation} xmlns:ns="{SERVICES}">{inner}</ns:{operation}></soap:Body></soap:Envelope>'
    )
    return Response(body, mimetype="text/xml")


def _fault(message: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body><soap:Fault>'
        f"<faultcode>soap:Server</faultcode><faultstring>{escape(message)}</faultstring></soap:Fault>"
        "</soap:Body></soap:Envelope>"
    )
    return Response(body, 500, mimetype="text/xml")
