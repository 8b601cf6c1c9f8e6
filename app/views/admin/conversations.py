"""« Messages » and « À suivre »: conversations and internal notes, as lists and beside the file (MSG-1, REV-8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import BaseForm, show_refusal
from app.forms.messaging import NoteForm, ReplyForm, SeenForm
from app.forms.requests import number
from app.models import FileNote
from app.permissions import Actor, Permission
from app.queries import desk_messages, notes, review, threads
from app.queries.threads import Conversation, Subject
from app.services import canned, messaging, noting
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.views.admin.review_page import Desk
from app.views.admin.review_panels import PANELS, Panel
from app.views.admin.review_place import Place
from app.views.conversing import links_in, shown_papers
from app.web import current_actor

READERS = (Permission.READ_REQUESTS, Permission.READ_ORGANISATIONS)


def file_url(reference: str, tab: str, anchor: str | None = None) -> str:
    """A tab of the file's page."""
    kept = {name: request.args[name] for name in ("piece", "page", "zoom", "rotation") if name in request.args}
    endpoint = "dossiers.organisation" if reference.upper().startswith("ORG-") else "dossiers.show"
    return url_for(endpoint, reference=reference.upper(), **{**kept, "onglet": tab, "_anchor": anchor})


def _subject_of(place: Place) -> Subject:
    return Subject(place.organisation, place.request)


# ------------------------------------------------------------------------------------- beside the file


@dataclass(frozen=True, slots=True)
class Talk:
    """The tab « Messages » of a file."""

    talk: Conversation
    form: ReplyForm
    papers: dict[int, list[dict[str, Any]]]
    may_write: bool
    language: str
    placeholders: dict[str, object]

    links_in = staticmethod(links_in)


@dataclass(frozen=True, slots=True)
class Notes:
    """The tab « Notes » of a file."""

    rows: list[FileNote]
    form: NoteForm
    may_write: bool
    own_file: bool
    today: Any


def _load_talk(place: Place) -> Talk:
    subject = _subject_of(place)
    talk = threads.conversation(place.actor, subject, as_staff=True, before=number(place.args.get("messages")))
    language = canned.language_for(canned.addressee(subject, talk.thread))
    form = g.pop("reply_form", None) or ReplyForm(formdata=None, data={"seen": talk.last_id, "language": language})
    form.reply.choices = [("", _("Choisir une réponse")), *((str(r.id), r.title) for r in canned.active_replies())]
    return Talk(talk, form, shown_papers(talk), _may_answer(place.actor, subject), language, canned.PLACEHOLDERS)


def _may_answer(actor: Actor, subject: Subject) -> bool:
    """Nobody answers in their own file (PPL-3): there they write as the client they are."""
    return actor.can(Permission.ANSWER_MESSAGES) and notes.may_read_notes(actor, subject)


def _load_notes(place: Place) -> Notes:
    subject = _subject_of(place)
    may_read = notes.may_read_notes(place.actor, subject)
    form = g.pop("note_form", None) or NoteForm(formdata=None)
    return Notes(
        rows=notes.notes_of(place.actor, subject),
        form=form,
        may_write=may_read and place.actor.can(Permission.WRITE_NOTES),
        own_file=not may_read,
        today=clock.today(),
    )


def _talk_mark(place: Place) -> str | None:
    thread = threads.thread_of(_subject_of(place))
    return "●" if thread is not None and thread.awaits_staff else None


def _notes_mark(place: Place) -> str | None:
    return str(notes.open_count(place.actor, _subject_of(place)) or "") or None


PANELS.extend(
    (
        Panel("messages", _l("Messages"), "admin/review/messages.html", _load_talk, _talk_mark),
        Panel("notes", _l("Notes"), "admin/review/notes.html", _load_notes, _notes_mark),
    )
)


# ------------------------------------------------------------------------------------------- the rooms


class _Beside(ReadOnlyAdmin):
    """A list whose rows are dealt with on their file's page."""

    tab = ""

    def _subject(self, reference: str) -> Subject:
        return threads.subject_for_staff(current_actor(), reference)

    def _file_page(self, reference: str, **typed: BaseForm) -> Any:
        """The file's page again, with what was typed."""
        for name, form in typed.items():
            setattr(g, name, form)
        fetch = review.organisation_file if reference.upper().startswith("ORG-") else review.request_file
        args = MultiDict([*request.args.items(), ("onglet", self.tab)])
        args["onglet"] = self.tab
        return self.render(
            "admin/review/file.html", desk=Desk(fetch(current_actor(), reference), current_actor(), args)
        )

    def _act(self, reference: str, act: Any, done: str, anchor: str | None = None) -> Any:
        """Call a service, say what it did or why not, and go back to the file."""
        try:
            act()
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
        else:
            flash(done, "success")
        return redirect(file_url(request.args.get("retour") or reference, self.tab, anchor))


def _about(row: Any) -> Cell:
    return Cell("text", row.common_name or row.organisation)


def _organisation(row: Any) -> Cell:
    return Cell("note", row.organisation if row.common_name else "")


def _last(row: Any) -> Cell:
    if row.excerpt is None:
        return Cell("note", _("Message retiré"))
    words = " ".join(row.excerpt.split())[:90] or _("Fichier joint")
    return Cell("text", f"{row.author} : {words}{'…' if len(row.excerpt) > 90 else ''}")


def _standing(row: Any) -> Cell:
    if row.awaits_staff:
        return Cell("badge", _("Attend une réponse"), "wait")
    return Cell("badge", _("Répondu") if row.by_staff else _("Rien à répondre"), "calm")


class Conversations(_Beside):
    """Conversations with clients: those that wait first, oldest first."""

    read = READERS
    write = (Permission.ANSWER_MESSAGES,)
    source = desk_messages.SOURCE
    title = _l("Messages")
    slug = "conversations"
    tab = "messages"
    search_hint = _l("Référence, nom, الاسم, matricule fiscal, e-mail…")
    columns = (
        c.code("reference", _l("Dossier"), url=lambda row: file_url(row.reference, "messages"), lead=True),
        Column("about", _l("Au sujet de"), _about),
        Column("organisation", _l("Organisation"), _organisation),
        Column("last", _l("Dernier message"), _last),
        c.moment("last_message_at", _l("Le"), sort="dernier"),
        Column("standing", _l("État"), _standing),
        c.text("agent", _l("Agent du dossier"), muted=True),
    )

    @expose("/<reference>/repondre", methods=("POST",))
    def reply(self, reference: str) -> Any:
        """Send an answer, or put a ready-made reply into the text being written."""
        subject, form = self._subject(reference), ReplyForm()
        if request.form.get("step") == "insert":
            return self._insert(reference, subject, form)
        if form.validate():
            try:
                message = messaging.send_message(
                    current_actor(), subject, form.text.data or "", as_staff=True,
                    files=form.attached(), seen=form.seen.data,
                )  # fmt: skip
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("Le message est envoyé. Le client est prévenu par courriel dans cinq minutes."), "success")
                return redirect(file_url(reference, self.tab, f"message-{message.id}"))
        return self._file_page(reference, reply_form=form)

    def _insert(self, reference: str, subject: Subject, form: ReplyForm) -> Any:
        """What was typed stays; the reply comes after it."""
        try:
            text = canned.filled(
                number(form.reply.data) or 0,
                subject,
                threads.thread_of(subject),
                language=form.language.data or "",
                actor=current_actor(),
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            form.text.data = "\n\n".join(part for part in (form.text.data, text) if part)
            form.reply.data = ""
        return self._file_page(reference, reply_form=form)

    @expose("/<reference>/<int:message_id>/retirer", methods=("POST",))
    def retract(self, reference: str, message_id: int) -> Any:
        """« Retirer », for five minutes."""
        subject = self._subject(reference)

        def act() -> None:
            messaging.retract_message(current_actor(), subject, message_id, as_staff=True)

        return self._act(reference, act, _("Le message est retiré."), f"message-{message_id}")

    @expose("/<reference>/sans-reponse", methods=("POST",))
    def no_answer(self, reference: str) -> Any:
        """« Pas de réponse nécessaire »."""
        subject, form = self._subject(reference), SeenForm()

        def act() -> None:
            messaging.need_no_answer(current_actor(), subject, seen=form.seen.data or 0)

        return self._act(reference, act, _("La conversation n'attend plus de réponse."))


def _due(row: Any) -> Cell:
    if row.follow_up_on is None:
        return Cell("code", "")
    late = row.done_at is None and row.follow_up_on < clock.today()
    return Cell("age", row.follow_up_on.strftime("%d/%m/%Y"), "late" if late else "")


class FollowUps(_Beside):
    """One's own notes with a day to come back to them; and everybody's."""

    read = READERS
    write = (Permission.WRITE_NOTES,)
    source = notes.SOURCE
    title = _l("À suivre")
    slug = "suivi"
    tab = "notes"
    intro = _l("Les notes internes qui ont une date de suivi. Les clients ne les voient jamais.")
    columns = (
        c.code("reference", _l("Dossier"), url=lambda row: file_url(row.reference, "notes"), lead=True),
        c.text("about", _l("Au sujet de")),
        c.text("text", _l("Note")),
        Column("follow_up_on", _l("À suivre le"), _due, sort="jour"),
        c.text("author", _l("Auteur"), muted=True),
        c.moment("created_at", _l("Écrite le"), sort="ecrite"),
    )

    @expose("/<reference>/notes", methods=("POST",))
    def add(self, reference: str) -> Any:
        """Write a note on a file."""
        subject, form = self._subject(reference), NoteForm()
        if form.validate():
            try:
                noting.write_note(current_actor(), subject, form.text.data or "", follow_up_on=form.follow_up_on.data)
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("La note est enregistrée."), "success")
                return redirect(file_url(reference, self.tab))
        return self._file_page(reference, note_form=form)

    @expose("/<reference>/notes/<int:note_id>/faite", methods=("POST",))
    def finish(self, reference: str, note_id: int) -> Any:
        """« Fait »."""
        subject = self._subject(reference)
        return self._act(
            reference, lambda: noting.finish_note(current_actor(), subject, note_id), _("C'est noté comme fait.")
        )

    @expose("/<reference>/notes/<int:note_id>/rouvrir", methods=("POST",))
    def reopen(self, reference: str, note_id: int) -> Any:
        """« Rouvrir »."""
        subject = self._subject(reference)
        return self._act(
            reference, lambda: noting.reopen_note(current_actor(), subject, note_id), _("La note est rouverte.")
        )


VIEWS = (Conversations, FollowUps)
