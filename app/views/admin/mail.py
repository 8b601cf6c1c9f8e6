"""« Courriels »: the outbox and its dead letters (MAI-1)."""

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.permissions import Permission
from app.queries import desk_mail, lists
from app.services.mail_desk import MANY, resend_mail, resend_mails
from app.views.admin import columns as c
from app.views.admin import listing
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.web import current_actor


def _state(row: Any) -> Cell:
    if row.sent_at is not None:
        return Cell("badge", _("Envoyé"), "ok")
    if row.dead_at is not None:
        return Cell("badge", _("Non remis"), "bad")
    return Cell("badge", _("Nouvel essai prévu"), "wait") if row.attempts else Cell("badge", _("En attente"), "calm")


def _next_try(row: Any) -> Cell:
    """Nothing is tried again once a mail left, or was given up."""
    over = row.sent_at is not None or row.dead_at is not None
    return Cell("code", "" if over else c.local_text(row.due_at))


DEAD = "non-remis"


class Mails(ReadOnlyAdmin):
    """Recipients, subjects and what the mail server answered. No body is shown: some hold a temporary password."""

    read = (Permission.MANAGE_MAIL,)
    write = (Permission.MANAGE_MAIL,)
    source = desk_mail.SOURCE
    list_template = "admin/mail_list.html"
    title = _l("Courriels")
    slug = "courriels"
    search_hint = _l("Adresse du destinataire ou objet")
    act_label = _l("Renvoyer")
    intro = _l("Le texte des courriels n'est pas montré ici : certains portent un mot de passe temporaire.")
    columns = (
        c.moment("created_at", _l("Écrit le"), sort="creation"),
        c.text("recipient", _l("Destinataire"), lead=True),
        c.text("subject", _l("Objet")),
        Column("state", _l("État"), _state),
        Column("attempts", _l("Essais"), lambda row: Cell("code", str(row.attempts))),
        Column("due_at", _l("Prochain essai"), _next_try, sort="prevu"),
        c.text("last_error", _l("Réponse du serveur"), muted=True),
    )

    def act_url(self, row: Any) -> str | None:
        """« Renvoyer » for dead letters."""
        return url_for("courriels.resend", row_id=row.id) if row.dead_at is not None else None

    def _list_context(self, asked: lists.Asked, *found: Any) -> dict[str, Any]:
        """With what « Renvoyer tous » would send again: the list as it stands in the address."""
        again = urlencode(listing.address(self.source, asked)) if asked.tab.key == DEAD else ""
        return {**super()._list_context(asked, *found), "again": again, "many": MANY}

    @expose("/renvoyer", methods=("POST",))
    def resend_many(self) -> Response:
        """Every dead letter of the list, as it was searched and filtered."""
        asked = listing.read_address(self.source, dict(parse_qsl(request.form.get("liste", "")[:2000])))
        back = self.list_url(**listing.address(self.source, asked))
        actor = current_actor()

        def act() -> str:
            rows = lists.fetch_all(self.source, asked, actor)
            count = resend_mails([row.id for row in islice(rows, MANY)], actor=actor)
            return ngettext(
                "%(num)d courriel repart dans quelques secondes.",
                "%(num)d courriels repartent dans quelques secondes.",
                count,
            )

        return self.attempt(act, back=back)

    @expose("/<int:row_id>/renvoyer", methods=("POST",))
    def resend(self, row_id: int) -> Response:
        """Back to the queue."""
        mail_id = self.row_or_404(row_id).id

        def act() -> str:
            return _(
                "Le courriel à %(recipient)s repart dans quelques secondes.",
                recipient=resend_mail(mail_id, actor=current_actor()),
            )

        return self.attempt(act, back=self.list_url(onglet=DEAD))


VIEWS = (Mails,)
