"""« Enregistrer des certificats »: several files, what each holds and for whom, then one confirmation (CRT-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import show_refusal
from app.forms.certificates import CertificateFilesForm
from app.inspection.certificates import BATCH_LIMIT
from app.permissions import Permission
from app.services import bulk, bulk_preview, certificate_batches
from app.services.bulk_preview import Plan, Shown
from app.services.certificate_batches import File
from app.services.settings import certificate_issuers
from app.views.admin.gate import Gate
from app.web import current_actor


@dataclass(frozen=True, slots=True)
class Read:
    """One certificate of the batch as the page shows it: what its file says, its request, what will become of it."""

    data: dict[str, Any]
    shown: Shown

    @property
    def refused(self) -> str:
        """Why nothing will be recorded; « » otherwise."""
        return self.shown.refused

    @property
    def doubt(self) -> str:
        """What to read before confirming."""
        return "" if self.refused else str(self.data.get("doubt") or "")

    @property
    def valid(self) -> tuple[datetime, datetime] | None:
        """From when to when, None where no certificate could be read."""
        if "not_before" not in self.data:
            return None
        return datetime.fromisoformat(self.data["not_before"]), datetime.fromisoformat(self.data["not_after"])


class CertificateBatches(Gate):
    """Files in, a page of what they hold, « Confirmer »: each certificate is then its own transaction."""

    read = (Permission.RECORD_CERTIFICATES,)
    write = (Permission.RECORD_CERTIFICATES,)

    def __init__(self) -> None:
        super().__init__(name=_l("Lots de certificats"), endpoint="certificats_lots", url="/admin/certificats/lots")

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """Choose the files."""
        form = CertificateFilesForm()
        if form.validate_on_submit():
            files = [File(each.filename, each.read(BATCH_LIMIT + 1)) for each in form.given()]
            try:
                public_id = certificate_batches.prepare_batch(files, actor=current_actor())
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                return redirect(url_for("certificats_lots.show", public_id=public_id))
        return self.render("admin/certificates/files.html", form=form, issuers=certificate_issuers())

    @expose("/<public_id>")
    def show(self, public_id: str) -> Any:
        """What was read, file by file, and what confirming will do."""
        actor = current_actor()
        plan = certificate_batches.plan_of(public_id, actor)
        if bulk.was_started(plan.token, actor):
            return redirect(url_for("lots.show", public_id=plan.token))
        shown = bulk_preview.forecast(plan, actor).rows
        rows = [Read(line.data, one) for line, one in zip(plan.lines, shown, strict=True)]
        return self.render(
            "admin/certificates/batch.html",
            public_id=public_id,
            rows=sorted(rows, key=lambda each: (not each.refused, not each.doubt)),
            accepted=sum(not each.refused for each in rows),
            doubts=sum(bool(each.doubt) for each in rows),
            unchecked=not certificate_issuers(),
        )

    @expose("/<public_id>/confirmer", methods=("POST",))
    def confirm(self, public_id: str) -> Any:
        """« Confirmer »: small batches are recorded at once, large ones in the background."""
        actor = current_actor()
        plan: Plan = certificate_batches.plan_of(public_id, actor)
        try:
            token = bulk.start_run(plan.action, plan.lines, token=plan.token, actor=actor, data=plan.data)
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
            return redirect(url_for("certificats_lots.show", public_id=public_id))
        if len(plan.lines) <= bulk.AT_ONCE:
            bulk.work_run(token)
        return redirect(url_for("lots.show", public_id=token))


VIEWS = (CertificateBatches,)
