"""What a file declares and what is said of it: fields, verdicts, checks, asks, contract, history (REV-1, REV-2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.models import Document, FieldVerdict, ReasonKind
from app.queries import reference as reference_data
from app.queries.checks_awaited import checks_awaited
from app.queries.contract_signatures import ContractSignatures, contract_signatures
from app.queries.declared_fields import Declared
from app.queries.duplicates import Duplicate, duplicates_of_request
from app.queries.history import history_of_organisation, history_of_request
from app.queries.inspections import ShownCheck, findings_of_file
from app.queries.notes import may_read_notes
from app.queries.review import RequestFile, requests_of_organisation
from app.queries.threads import Subject
from app.services.authority import hands_on_organisation, hands_on_request
from app.services.contracts import changes_between, country_name
from app.services.verdicts import REVIEWED_ORGANISATIONS, REVIEWED_REQUESTS
from app.state_labels import state_label
from app.states import ORGANISATION_MOVES, OrganisationState, RequestState, Verdict, Who, moves_from
from app.views.admin.review_place import Place, Tab


@dataclass(frozen=True, slots=True)
class AllGood:
    """« Tout conforme »: its words, the values and the paper it accepts, what it asks first."""

    label: str
    fields: list[Declared]
    hidden: dict[str, str]
    confirm: str | None = None


class Points(Place):
    """The points of the tab."""

    @property
    def may_judge(self) -> bool:
        """May this person give verdicts on what the tab shows?"""
        return self._may_judge(of_request=self.tab.key == "demandeur")

    def may_judge_paper(self, paper: Document) -> bool:
        """May this person give a verdict on that paper, whatever the tab?"""
        return self._may_judge(of_request=paper.request_id is not None)

    def _may_judge(self, *, of_request: bool) -> bool:
        if of_request:
            if self.request is None:
                return False
            mine = Who.AGENT in hands_on_request(self.actor, self.request)
            return mine and self.request.state in REVIEWED_REQUESTS
        mine = Who.AGENT in hands_on_organisation(self.actor, self.organisation)
        return mine and self.organisation.state in REVIEWED_ORGANISATIONS

    @property
    def declared(self) -> list[Declared]:
        """The declared values of the tab."""
        if isinstance(self.file, RequestFile) and self.tab.key == "demandeur":
            return self.file.request_declared
        return self.file.declared if self.tab.key == "organisation" else []

    def declared_groups(self) -> list[tuple[str, list[Declared]]]:
        """The same under their titles; a group begins at each titled value."""
        groups: list[tuple[str, list[Declared]]] = []
        for each in self.declared:
            if each.title or not groups:
                groups.append((str(each.title or ""), []))
            groups[-1][1].append(each)
        return groups

    @property
    def about(self) -> str:
        """Whose fields they are."""
        return "demande" if self.tab.key == "demandeur" else "organisation"

    def duplicates(self) -> list[Duplicate]:
        """What is open or valid for the request's person, in any organisation (ORD-6)."""
        return duplicates_of_request(self.request) if self.request is not None else []

    def verdict_on(self, declared: Declared) -> FieldVerdict | None:
        """What was said of that value."""
        if isinstance(self.file, RequestFile) and self.about == "demande":
            return self.file.request_verdicts.get(declared.name)
        return self.file.verdicts.get(declared.name)

    def shown(self, declared: Declared) -> str:
        """The value in words; a nationality by its country's name."""
        return country_name(declared.stored, "fr") if declared.name == "nationality" else declared.shown

    def hidden_for(self, declared: Declared) -> dict[str, str]:
        """What a verdict's form says the page showed."""
        given = self.verdict_on(declared)
        seen_at = given.at.isoformat() if given is not None else ""
        return {"about": self.about, "value_seen": declared.stored, "seen_at": seen_at}

    def waits_in(self, tab: Tab) -> bool:
        """Is there something in that tab that this person has to judge?"""
        if tab.panel is not None:
            return False
        if any(self.paper_to_accept(paper) for paper in tab.papers):
            return True
        if isinstance(self.file, RequestFile) and tab.key == "demandeur":
            given, declared = self.file.request_verdicts, self.file.request_declared
            return self._may_judge(of_request=True) and any(each.name not in given for each in declared)
        given, declared = self.file.verdicts, self.file.declared
        waits = tab.key == "organisation" and self.organisation.state is not OrganisationState.VERIFIEE
        return waits and self._may_judge(of_request=False) and any(each.name not in given for each in declared)

    def reasons(self, kind: str, about: str = "") -> list[tuple[str, str]]:
        """Ready-made reasons, none before it is chosen: the client reads it."""
        found = reference_data.sorted_for(reference_data.reasons(ReasonKind(kind)), about)
        ready = [(each.code, each.text_fr) for each in found]
        return [("", _("Choisir un motif, ou l'écrire ci-dessous")), *ready]

    def verdict_of(self, paper: Document) -> bool | None:
        """✓ True, ✗ False, nothing yet None."""
        return {Verdict.ACCEPTE: True, Verdict.REFUSE: False}.get(paper.verdict)

    def checks(self) -> list[Any]:
        """The checks that belong to the tab."""
        return [check for check in self.findings if check.about == self.tab.key]

    @cached_property
    def findings(self) -> list[ShownCheck]:
        """The automatic checks of the whole file (REV-3)."""
        return findings_of_file(self.file)

    def where(self, check: ShownCheck) -> str:
        """« Extrait RNE, page 2 »: where the check saw it."""
        paper = next((each for each in self.file.papers if each.public_id == check.document), None)
        if paper is None:
            return ""
        what = state_label(paper.kind)
        return _("%(what)s, page %(n)d", what=what, n=check.page) if check.page and paper.pages > 1 else what

    def check_versions(self) -> str:
        """Which checks answered."""
        return ", ".join(sorted({check.version for check in self.checks() if check.version}))

    @property
    def may_check_again(self) -> bool:
        """« Vérifier à nouveau »: for those who judge."""
        return self.may_judge

    def checks_running(self) -> bool:
        """Is an answer still awaited?"""
        return checks_awaited(self.file)

    def alerts(self) -> int:
        """How many of them say « look at this »."""
        return sum(check.result == "bad" for check in self.findings)

    # -- all at once

    def unjudged(self) -> list[Declared]:
        """The declared values on screen without a verdict."""
        return [each for each in self.declared if self.verdict_on(each) is None] if self.may_judge else []

    def paper_to_accept(self, paper: Document | None) -> Document | None:
        """The paper on screen, if nobody judged it and this person may."""
        waits = paper is not None and paper.verdict is Verdict.A_VERIFIER and self.may_judge_paper(paper)
        return paper if waits else None

    def all_good(self, paper: Document | None) -> AllGood | None:
        """« Tout conforme »: what it would accept, of what is on screen; None when nothing is left (REV-6)."""
        if self.tab.key not in ("organisation", "demandeur", "contrat"):
            return None
        fields, paper = self.unjudged(), self.paper_to_accept(paper)
        if not fields and paper is None:
            return None
        parts = [ngettext("%(num)d donnée", "%(num)d données", len(fields))] if fields else []
        if paper is not None:
            parts.append(state_label(paper.kind))
        hidden = {"about": self.about}
        if paper is not None:
            hidden |= {"paper": paper.public_id, "paper_version": str(paper.version)}
        wrong = sum(check.result == "bad" for check in self.checks())
        question = (
            ngettext(
                "Un contrôle automatique signale une anomalie sur cet onglet.",
                "%(num)d contrôles automatiques signalent une anomalie sur cet onglet.",
                wrong,
            )
            if wrong
            else None
        )
        return AllGood(_("Tout conforme : %(what)s", what=" + ".join(parts)), fields, hidden, question)

    def points(self) -> list[tuple[str, str]]:
        """« Ce que le client recevra »: each ✗ of what the tab shows, as (what, why)."""
        from app.views.admin.review_asking import organisation_proposals, request_proposals

        if isinstance(self.file, RequestFile) and self.tab.key == "demandeur":
            found = request_proposals(self.file)
        else:
            found = organisation_proposals(self.file)
        return [(each.point.label, each.point.reason) for each in found if each.checked]

    def organisation_ask_url(self) -> str | None:
        """From a request's page, where its organisation's ✗ are asked, once for all of its requests (REV-5)."""
        if self.request is None or self.tab.key == "demandeur":
            return None
        hands = hands_on_organisation(self.actor, self.organisation) & {Who.AGENT}
        moves = moves_from(ORGANISATION_MOVES, self.organisation.state, hands)
        if not any(move.action == "ask_for_documents" for move in moves):
            return None
        return url_for("dossiers.ask", reference=self.organisation.reference, retour=self.reference)

    def _points_to_ask(self) -> int:
        from app.views.admin.review_asking import proposals

        return sum(each.checked for each in proposals(self.file))

    def obstacles(self) -> list[str]:
        """What stands in the way of the decision this file waits for."""
        file = self.file
        if isinstance(file, RequestFile):
            waits = file.request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST and not file.request.approved_at
            return file.approval_obstacles if waits else []
        waits = file.organisation.state is OrganisationState.A_VERIFIER
        return file.verification_obstacles if waits else []

    def days(self) -> Any:
        """The history by day, in staff's words; of one's own file in a client's: the rest is between colleagues."""
        colleague = may_read_notes(self.actor, Subject(self.organisation, self.request))
        if self.request is not None:
            return history_of_request(self.request.id, for_staff=colleague)
        return history_of_organisation(self.organisation.id, for_staff=colleague)

    def requests(self) -> Any:
        """The organisation's requests."""
        return requests_of_organisation(self.organisation.id)

    def signatures(self) -> ContractSignatures:
        """Who signed the contract, as the automatic checks found it."""
        signed = self.file.signed_contract
        return contract_signatures(signed.id if signed is not None else None)

    def expected_signers(self) -> list[tuple[str, str]]:
        """Who must sign the contract, and as what; nobody twice."""
        head = self.organisation.representative
        signers = {f"{head.first_name} {head.last_name}": _("représentant légal")}
        for person in self.file.administrators:
            signers.setdefault(f"{person.first_name} {person.last_name}", _("administrateur"))
        return list(signers.items())

    def contract_changes(self) -> list[tuple[str, str, str]]:
        """What the contract in force changed against the version before it."""
        contracts = [each for each in self.organisation.contracts if each is not self.file.contract]
        if self.file.contract is None or not contracts:
            return []
        return changes_between(contracts[-1].data, self.file.contract.data)
