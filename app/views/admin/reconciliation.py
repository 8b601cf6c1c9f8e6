"""« Rapprochement »: attempts whose money and books differ, each with its guided remedy (GAT-4, BIL-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError, NotFound
from app.forms.base import BaseForm, show_refusal
from app.forms.reconciliation import RemedyForm, TransferDoneForm, WhyForm
from app.forms.requests import number
from app.models import Payment, PaymentRemedy, RemedyKind
from app.permissions import Permission
from app.queries import reconciliation
from app.queries.history import history_of_payment
from app.queries.reconciliation_words import KIND_HINTS, amount_text, explained
from app.services.payments.gateway import GatewayDown
from app.services.payments.reconciling import query_gateway
from app.services.regularising import carrying, cases, closing, preparing
from app.state_labels import state_label, state_tone
from app.states import Anomaly, RemedyState
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.web import current_actor


def attempt_url(reference: str) -> str:
    """The page of an attempt."""
    return url_for("rapprochement.show", reference=reference)


def _case(row: Any) -> Cell:
    if row.anomaly is None:
        return Cell("badge", state_label(row.state), state_tone(row.state))
    anomaly = Anomaly(row.anomaly)
    return Cell("badge", state_label(anomaly), state_tone(anomaly) if row.remedied_at is None else "calm")


def _remedy(row: Any) -> Cell:
    if row.remedied_at is not None:
        return Cell("badge", _("Réglé"), "ok")
    if row.remedy_kind is None:
        return Cell("note", "")
    return Cell("badge", f"{state_label(row.remedy_kind)} · {state_label(row.remedy_state)}", "wait")


MAY_BE_PAYABLE = (Anomaly.NOT_PAYABLE, Anomaly.HELD_ELSEWHERE, Anomaly.CREDIT_GONE)
"""The money is right; once its requests are payable again, asking the gateway issues the invoice."""


class Attempts(ReadOnlyAdmin):
    """The desk's list. Nothing here is ever tried again by itself; money leaves by two people."""

    read = (Permission.READ_BILLING,)
    write = (Permission.SETTLE_PAYMENTS,)
    source = reconciliation.SOURCE
    title = _l("Rapprochement")
    slug = "rapprochement"
    exportable = True
    search_hint = _l("Référence du paiement, identifiant à la passerelle, demande, facture, organisation…")
    empty_text = _l("L'argent et les livres disent la même chose dans cet onglet.")
    act_label = _l("Interroger")
    columns = (
        c.code("reference", _l("Référence"), url=lambda row: attempt_url(row.reference), sort="reference", lead=True),
        c.text("organisation", _l("Organisation")),
        c.moment("created_at", _l("Créé le"), sort="creation"),
        c.amount("amount", _l("Attendu"), sort="montant"),
        Column("case", _l("Cas"), _case, lambda row: _case(row).text),
        Column("remedy", _l("Règlement"), _remedy, lambda row: _remedy(row).text),
        c.moment("last_queried_at", _l("Interrogée le")),
    )

    def tools(self) -> list[tuple[Any, str]]:
        """To the gateway's statements."""
        return [(_("Relevés de la passerelle"), url_for("releves.index_view"))]

    def act_url(self, row: Any) -> str | None:
        """« Interroger la passerelle » for what waits."""
        return url_for("rapprochement.ask", reference=row.reference) if row.remedied_at is None else None

    # -- one attempt

    @expose("/<reference>")
    def show(self, reference: str) -> Any:
        """Everything known of the attempt, and what may be done with it."""
        return self._show(reference)

    def _show(self, reference: str, **typed: BaseForm) -> str:
        actor, payment = current_actor(), self._attempt(reference)
        file = reconciliation.attempt_file(payment)
        kinds = self._kinds(payment)
        remedy = file.open_remedy
        version = {"version": remedy.version if remedy else None}
        own = payment.organisation_id in actor.organisation_ids
        return str(
            self.render(
                "admin/reconciliation/show.html",
                file=file,
                payment=payment,
                case=explained(file),
                remedy=remedy,
                kinds=kinds if remedy is None else [],
                hints={kind.value: KIND_HINTS[kind] for kind in kinds},
                waits=cases.waits(payment),
                acknowledgeable=RemedyKind.CONSTAT in cases.remedies_of(payment) and remedy is None,
                only_blocked=cases.only_blocked(payment),
                given=cases.left_to_give_back(payment),
                payable=payment.cause in MAY_BE_PAYABLE and cases.waits(payment) and remedy is None and not file.stuck,
                reopenable=_reopenable(file),
                days=history_of_payment(payment.id),
                amount_text=amount_text,
                own=own,
                may_settle=actor.can(Permission.SETTLE_PAYMENTS) and not own,
                may_decide=actor.can(preparing.SECOND_PERSON) and not own,
                mine=remedy is not None and remedy.prepared_by_id == actor.user_id,
                form=typed.get("form") or self._remedy_form(payment, kinds, sent=False),
                refuse_form=typed.get("refuse_form") or WhyForm(formdata=None, data=version),
                transfer_form=typed.get("transfer_form") or TransferDoneForm(formdata=None, data=version),
                reopen_form=typed.get("reopen_form") or WhyForm(formdata=None),
                opened=set(typed),
            )
        )

    @expose("/<reference>/interroger", methods=("POST",))
    def ask(self, reference: str) -> Any:
        """Ask the gateway now and apply its answer: when the requests are payable again, the invoice follows."""
        payment_id = self._attempt(reference).id

        def act() -> str:
            payment = query_gateway(payment_id, current_actor())
            return _("La passerelle a répondu : l'état est « %(state)s ».", state=state_label(payment.state))

        return self._tried(reference, act)

    @expose("/<reference>/preparer", methods=("POST",))
    def prepare_remedy(self, reference: str) -> Any:
        """Write a remedy for a second person to approve (PPL-3)."""
        payment = self._attempt(reference)
        form = self._remedy_form(payment, self._kinds(payment), sent=True)

        def act() -> str:
            preparing.prepare(
                payment.id,
                RemedyKind(form.kind.data) if form.kind.data in set(RemedyKind) else RemedyKind.CLASSEMENT,
                reason=form.reason.data or "",
                outside_reference=form.outside_reference.data or "",
                anomaly_seen=form.anomaly.data or "",
                actor=current_actor(),
            )
            return _("Le règlement est préparé : une autre personne doit l'approuver.")

        return self._sent(reference, form, act, "form")

    @expose("/<reference>/constater", methods=("POST",))
    def acknowledge(self, reference: str) -> Any:
        """The gateway itself gave everything back: the case ends."""
        payment_id = self._attempt(reference).id

        def act() -> str:
            closing.acknowledge(payment_id, actor=current_actor())
            return _("Le remboursement est constaté ; l'organisation en est prévenue.")

        return self._tried(reference, act)

    @expose("/<reference>/rouvrir", methods=("POST",))
    def reopen(self, reference: str) -> Any:
        """Closed by mistake: back to the desk."""
        payment_id, form = self._attempt(reference).id, WhyForm()

        def act() -> str:
            closing.reopen(payment_id, reason=form.reason.data or "", actor=current_actor())
            return _("Ce paiement est de nouveau à régulariser.")

        return self._sent(reference, form, act, "reopen_form")

    # -- the remedy's fate

    @expose("/<reference>/approuver", methods=("POST",))
    def approve(self, reference: str) -> Any:
        """« Approuver »: the second person's word; nothing leaves by it yet."""
        self._require_second_person()

        def act(remedy: PaymentRemedy) -> str:
            done = preparing.approve(remedy.id, actor=current_actor(), expected_version=self._version())
            if done.state is RemedyState.FAIT:
                return _("Le cas est classé.")
            return _("Le règlement est approuvé : il reste à l'exécuter.")

        return self._on_remedy(reference, act)

    @expose("/<reference>/refuser", methods=("POST",))
    def refuse(self, reference: str) -> Any:
        """« Refuser », and why."""
        self._require_second_person()
        remedy, form = self._remedy(reference), WhyForm()

        def act() -> str:
            preparing.refuse(
                remedy.id,
                reason=form.reason.data or "",
                actor=current_actor(),
                expected_version=form.version.data,
            )
            return _("Le règlement est refusé : le paiement attend une autre décision.")

        return self._sent(reference, form, act, "refuse_form")

    @expose("/<reference>/abandonner", methods=("POST",))
    def withdraw(self, reference: str) -> Any:
        """« Abandonner » what was prepared."""

        def act(remedy: PaymentRemedy) -> str:
            preparing.withdraw(remedy.id, actor=current_actor(), expected_version=self._version())
            return _("Le règlement est abandonné : le paiement attend une autre décision.")

        return self._on_remedy(reference, act)

    @expose("/<reference>/executer", methods=("POST",))
    def carry_out(self, reference: str) -> Any:
        """« Rendre par la passerelle »: asked once for this press."""
        return self._on_remedy(
            reference,
            lambda remedy: _outcome(
                carrying.carry_out(remedy.id, actor=current_actor(), expected_version=self._version())
            ),
        )

    @expose("/<reference>/reponse", methods=("POST",))
    def ask_of_remedy(self, reference: str) -> Any:
        """Did the money go back? For an answer that never came."""
        return self._on_remedy(
            reference, lambda remedy: _outcome(carrying.query_remedy(remedy.id, actor=current_actor()))
        )

    @expose("/<reference>/virement", methods=("POST",))
    def transfer(self, reference: str) -> Any:
        """« Virement fait », under the bank's reference."""
        remedy, form = self._remedy(reference), TransferDoneForm()

        def act() -> str:
            carrying.transfer_done(
                remedy.id,
                bank_reference=form.bank_reference.data or "",
                actor=current_actor(),
                expected_version=form.version.data,
            )
            return _("Le virement est noté ; l'organisation en est prévenue.")

        return self._sent(reference, form, act, "transfer_form")

    # -- parts

    @staticmethod
    def _attempt(reference: str) -> Payment:
        return reconciliation.attempt_named(current_actor(), reference) or abort(404)

    def _remedy(self, reference: str) -> PaymentRemedy:
        """The decision under way; without one, somebody has just ended it: the page says how."""
        found = reconciliation.attempt_file(self._attempt(reference)).open_remedy
        if found is None:
            flash(_("Ce règlement a pris fin entre-temps."), "error")
            abort(redirect(attempt_url(reference)))
        return found

    @staticmethod
    def _require_second_person() -> None:
        if not current_actor().can(preparing.SECOND_PERSON):
            abort(403)

    @staticmethod
    def _version() -> int | None:
        return number(request.form.get("version"))

    @staticmethod
    def _remedy_form(payment: Payment, kinds: list[RemedyKind], *, sent: bool) -> RemedyForm:
        given = {"anomaly": payment.anomaly or "", "kind": kinds[0].value if kinds else None}
        form = RemedyForm() if sent else RemedyForm(formdata=None, data=given)
        form.kind.choices = [(kind.value, state_label(kind)) for kind in kinds]
        return form

    def _offered(self, reference: str) -> set[str]:
        """The forms that the page shows to this person."""
        actor, payment = current_actor(), self._attempt(reference)
        file = reconciliation.attempt_file(payment)
        remedy, kinds = file.open_remedy, self._kinds(payment)
        own = payment.organisation_id in actor.organisation_ids
        offers = {
            "form": bool(kinds) and remedy is None,
            "reopen_form": _reopenable(file),
            "refuse_form": remedy is not None
            and remedy.state is RemedyState.A_APPROUVER
            and remedy.prepared_by_id != actor.user_id
            and actor.can(preparing.SECOND_PERSON),
            "transfer_form": remedy is not None
            and remedy.kind is RemedyKind.VIREMENT
            and remedy.state is RemedyState.A_FAIRE,
        }
        return set() if own else {name for name, offered in offers.items() if offered}

    @staticmethod
    def _kinds(payment: Payment) -> list[RemedyKind]:
        """What a person may prepare: what the gateway gave back is acknowledged by another button."""
        return [kind for kind in cases.remedies_of(payment) if kind is not RemedyKind.CONSTAT]

    def _on_remedy(self, reference: str, act: Callable[[PaymentRemedy], str]) -> Any:
        remedy = self._remedy(reference)
        return self._tried(reference, lambda: act(remedy))

    def _tried(self, reference: str, act: Callable[[], str]) -> Any:
        try:
            flash(act(), "success")
        except NotFound:
            raise
        except GatewayDown:
            flash(_silent(), "error")
        except DomainError as refusal:  # also « a second person must »: the doors themselves are guarded before
            flash(str(refusal), "error")
        return redirect(attempt_url(reference))

    def _sent(self, reference: str, form: BaseForm, act: Callable[[], str], name: str) -> Any:
        """A form: done, or shown again with its sentences and what was typed.

        One that the page no longer offers (somebody was faster) is tried all the same: the service says why not.
        """
        if name not in self._offered(reference):
            return self._tried(reference, act)
        if form.validate():
            try:
                flash(act(), "success")
                return redirect(attempt_url(reference))
            except NotFound:
                raise
            except GatewayDown:
                form.form_errors.append(_silent())
            except DomainError as refusal:
                show_refusal(form, refusal)
        return self._show(reference, **{name: form})


def _reopenable(file: reconciliation.AttemptFile) -> bool:
    """Was the case closed without any money of ours?"""
    closed = next((each for each in file.remedies if each.state is RemedyState.FAIT), None)
    return file.payment.remedied_at is not None and closed is not None and closed.kind in closing.REOPENABLE


def _outcome(remedy: PaymentRemedy) -> str:
    """What became of the money, whichever button was pressed. Raises DomainError to say that it stays to be done."""
    if remedy.state is RemedyState.FAIT:
        return _(
            "La passerelle a rendu %(amount)s ; l'organisation en est prévenue.",
            amount=amount_text(remedy.amount, remedy.currency),
        )
    if remedy.state is RemedyState.EN_COURS:
        raise DomainError(_("La passerelle traite encore la demande : interrogez-la dans une minute."))
    raise DomainError(_("La somme reste à rendre : %(why)s", why=remedy.last_error or _("rien n'est encore parti.")))


def _silent() -> str:
    return _("La passerelle ne répond pas : rien n'a été changé. Réessayez dans quelques minutes.")


VIEWS = (Attempts,)
