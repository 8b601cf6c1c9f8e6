"""« Mes messages »: what waits for the reader, conversations with TunTrust, and the notices it mailed (MSG-1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.errors import DomainError, NotFound
from app.forms.base import show_refusal
from app.forms.messaging import MessageForm
from app.forms.requests import number
from app.permissions import Permission
from app.queries import threads
from app.queries.asks import waiting_for
from app.queries.messages import notices_for
from app.queries.threads import Subject
from app.services import messaging
from app.views.conversing import links_in, shown_papers
from app.views.guards import requires
from app.web import current_actor

blueprint = Blueprint("messages", __name__)


@blueprint.get("/messages")
@requires(Permission.WRITE_MESSAGES)
def inbox() -> Any:
    """Conversations by their last message; below the first page of them, the notices that were mailed."""
    actor, args = current_actor(), request.args
    search = " ".join(args.get("search", "").replace("\x00", " ").split())[:200]
    unread = args.get("onglet") == "non-lues"
    older_notices = number(args.get("avis"))
    keys = {"after": args.get("apres", "")[:400], "before": args.get("avant", "")[:400]}
    first = not (unread or search or any(keys.values()))
    return render_template(
        "views/messages/inbox.html",
        waiting=waiting_for(actor) if first else None,
        page=threads.threads_of(actor, unread_only=unread, search=search, **keys),
        notices=notices_for(actor, older_notices) if first else None,
        older_notices=older_notices,
        unread=unread,
        search=search,
        organisation_reference=threads.own_reference(actor) if first else None,
    )


@blueprint.route("/messages/<reference>", methods=("GET", "POST"))
@requires(Permission.WRITE_MESSAGES)
def thread(reference: str) -> Any:
    """One conversation with its form; opening it is reading it."""
    subject = threads.subject_for_client(current_actor(), reference)
    if reference != subject.reference and request.method == "GET":
        return redirect(url_for("messages.thread", reference=subject.reference))
    form = MessageForm()
    if form.validate_on_submit():
        try:
            message = messaging.send_message(
                current_actor(), subject, form.text.data or "", as_staff=False,
                files=form.attached(), seen=form.seen.data,
            )  # fmt: skip
        except NotFound:
            raise
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Votre message est envoyé : TunTrust vous répondra ici."), "success")
            return redirect(url_for("messages.thread", reference=reference, _anchor=f"message-{message.id}"))
    return _page(reference, form)


def _page(reference: str, form: MessageForm) -> Any:
    actor = current_actor()
    subject = threads.subject_for_client(actor, reference)
    read = _note_reading(subject)
    talk = threads.conversation(
        actor, subject, as_staff=False, before=number(request.args.get("avant")), read_up_to=read
    )
    if not form.is_submitted():
        form.seen.data = talk.last_id
    return render_template(
        "views/messages/thread.html", talk=talk, form=form, papers=shown_papers(talk), links_in=links_in
    )


def _note_reading(subject: Subject) -> int | None:
    """How far the person had read; that they have now read all is noted, once."""
    actor = current_actor()
    row = threads.thread_of(subject)
    if row is None:
        return None
    read, newest = threads.reading_of(actor, row), threads.newest_message(row)
    if newest > read and request.method == "GET":
        messaging.note_reading(actor, row.id, newest)
    return read


@blueprint.post("/messages/<reference>/<int:message_id>/retirer")
@requires(Permission.WRITE_MESSAGES)
def retract(reference: str, message_id: int) -> Any:
    """« Retirer », for five minutes."""
    subject = threads.subject_for_client(current_actor(), reference)
    try:
        messaging.retract_message(current_actor(), subject, message_id, as_staff=False)
    except NotFound:
        raise
    except DomainError as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("Le message est retiré."), "success")
    return redirect(url_for("messages.thread", reference=reference, _anchor=f"message-{message_id}"))
