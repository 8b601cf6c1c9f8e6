"""« Pièces manquantes » prepared from the ✗ of a file, shown as the client will read it, then sent (REV-5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.bilingual import is_arabic, lacks_arabic
from app.errors import DomainError, StaleObject
from app.forms.review import AskForm
from app.models import Document, DocumentKind, FieldVerdict, ReasonKind
from app.permissions import Actor
from app.queries.readiness import lacks_identity_copy
from app.queries.reference import reasons
from app.queries.review import OrganisationFile, RequestFile
from app.services import asking, outbox
from app.services.announcing import Letter, letters_of_organisation, letters_of_request
from app.services.asking import ORGANISATION_KINDS, REQUEST_KINDS, Point
from app.services.verdicts import worded
from app.state_labels import state_label
from app.states import Verdict

FREE_ROWS = 2
JOIN_IT = _l("Document manquant : joignez-le.")
SIGN_ALL = _l("Joignez le contrat signé par le représentant légal et chaque administrateur.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A point that the file itself suggests; ``checked``: a ✗ was given, or a compulsory paper is missing."""

    key: str
    point: Point
    checked: bool = True


def proposals(file: OrganisationFile) -> list[Proposal]:
    """What this file would ask: a request its own points only; the organisation is asked once, apart (REV-5)."""
    return request_proposals(file) if isinstance(file, RequestFile) else organisation_proposals(file)


def request_proposals(file: RequestFile) -> list[Proposal]:
    """Each ✗ on the applicant's papers and data, then the copy that is missing."""
    missing = [DocumentKind.APPLICANT_IDENTITY] if lacks_identity_copy(file.request, file.papers) else []
    return _proposals(file.request_papers, file.request_verdicts, missing)


def organisation_proposals(file: OrganisationFile) -> list[Proposal]:
    """Each ✗ on the organisation's papers and data, then what is missing; the unsigned contract is only offered."""
    signed = [file.signed_contract] if file.signed_contract is not None else []
    found = _proposals([*file.own_papers, *signed], file.verdicts, file.missing)
    if file.contract is not None and not signed:
        point = _shipped(SIGN_ALL, DocumentKind.SIGNED_CONTRACT)
        found.append(Proposal("missing:SIGNED_CONTRACT", point, checked=False))
    return found


def _proposals(
    papers: list[Document], verdicts: dict[str, FieldVerdict], missing: list[DocumentKind]
) -> list[Proposal]:
    found = [
        Proposal(
            f"document:{paper.public_id}",
            Point(paper.verdict_reason, paper.kind, paper.id, None, paper.verdict_reason_ar),
        )
        for paper in papers
        if paper.verdict is Verdict.REFUSE
    ]
    found += [
        Proposal(f"field:{name}", Point(verdict.reason, field=name, reason_ar=verdict.reason_ar))
        for name, verdict in verdicts.items()
        if verdict.verdict is Verdict.REFUSE
    ]
    return found + [Proposal(f"missing:{kind}:{n}", _shipped(JOIN_IT, kind)) for n, kind in enumerate(missing)]


def _shipped(sentence: object, kind: DocumentKind) -> Point:
    """A point in the product's own words, in French and in Arabic."""
    with force_locale("fr"):
        french = str(sentence)
    with force_locale("ar"):
        arabic = str(sentence)
    return Point(french, kind, reason_ar=arabic if is_arabic(arabic) else "")


def ask_form(file: OrganisationFile) -> AskForm:
    """The form, filled in from the file at first."""
    form = AskForm(
        data={
            "version": _version(file),
            "due_on": asking.due_date(),
            "points": [
                {
                    "key": each.key,
                    "chosen": each.checked,
                    "reason": each.point.reason,
                    "reason_ar": each.point.reason_ar,
                }
                for each in proposals(file)
            ],
            "free": [{} for _n in range(FREE_ROWS)],
        }
    )
    kinds = REQUEST_KINDS if isinstance(file, RequestFile) else ORGANISATION_KINDS
    ready = [(each.code, each.text_fr) for each in reasons(ReasonKind.DOCUMENT)]
    form.offer([(kind.value, state_label(kind)) for kind in kinds], ready)
    return form


def _version(file: OrganisationFile) -> int:
    return file.request.version if isinstance(file, RequestFile) else file.organisation.version


def points_of(form: AskForm, file: OrganisationFile) -> list[Point]:
    """The points chosen, in the form's order. Raises StaleObject, DomainError."""
    known = {each.key: each.point for each in proposals(file)}
    points = []
    for key, reason, reason_ar in form.chosen:
        point = known.get(key)
        if point is None:
            raise StaleObject(_("Un des points a changé depuis l'ouverture de la page. Relisez le dossier."))
        points.append(replace(point, reason=reason or reason_ar, reason_ar=reason_ar))
    kinds = REQUEST_KINDS if isinstance(file, RequestFile) else ORGANISATION_KINDS
    for kind, code, french, arabic in form.added:
        if kind not in {each.value for each in kinds}:
            raise DomainError(_("Choisissez le document que ce texte concerne."), field="points")
        reason, reason_ar = worded(code, french, arabic)
        points.append(Point(reason, DocumentKind(kind), reason_ar=reason_ar))
    asking.check_points(points)
    return points


def labels_of(file: OrganisationFile) -> dict[str, str]:
    """Key → what the point is about."""
    return {each.key: each.point.label for each in proposals(file)}


@dataclass(frozen=True, slots=True)
class Preview:
    """The mail as it goes to those who read this language; ``in_french``: what an Arabic reader meets in French."""

    lang: str
    subject: str
    text: str
    recipients: list[str]
    in_french: list[str]


def previews(file: OrganisationFile, points: list[Point], form: AskForm) -> list[Preview]:
    """To whom the mail goes and how it reads, once for each language of its readers (REV-2)."""
    message = form.message.data or ""
    if isinstance(file, RequestFile):
        kind, letters = "documents_missing", letters_of_request(file.request)
    else:
        kind, letters = "organisation_documents_missing", letters_of_organisation(file.organisation)
    letters = letters or [Letter("", "fr", {"name": "", "organisation": file.organisation.legal_name})]
    subject = file.request if isinstance(file, RequestFile) else file.organisation
    context = asking.mail_context(subject, points, message, form.due_on.data)
    found = []
    for lang in dict.fromkeys(letter.locale for letter in letters):
        own = [letter for letter in letters if letter.locale == lang]
        title, text = outbox.preview(kind, to=own[0].to, locale=lang, **own[0].names, **context)
        missing = _in_french(points, message) if lang == "ar" else []
        found.append(Preview(lang, title, text, [letter.to for letter in own if letter.to], missing))
    return found


def _in_french(points: list[Point], message: str) -> list[str]:
    with force_locale("fr"):
        found = [point.label for point in points if lacks_arabic(point.why_in_arabic)]
    return [*found, _("votre message")] if lacks_arabic(message) else found


def send(file: OrganisationFile, points: list[Point], form: AskForm, actor: Actor) -> None:
    """Ask, through the service. Raises what it raises."""
    values: dict[str, Any] = {
        "actor": actor,
        "message": form.message.data or "",
        "due_on": form.due_on.data,
        "expected_version": form.expected_version,
    }
    if isinstance(file, RequestFile):
        asking.ask_for_documents(file.request.id, points, **values)
    else:
        asking.ask_organisation_for_documents(file.organisation.id, points, **values)
