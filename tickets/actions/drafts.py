"""Unsent text of forms: read from requests, saved, found again (tickets.models.Draft)."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict

from helpdesk import clock
from tickets.models import Comment, Draft, Ticket
from tickets.models.draft import DraftVersion, Save
from tickets.rules import joined

PREFIX = "field-"  # of the names of fields besides the body
# Fields of a form that the person does not type
UNTYPED = {
    *("csrfmiddlewaretoken", "typed_by", "draft_key", "key", "restored", "discard"),
    *(joined.SHOWN, joined.RESTORED),
}
MOST_FIELDS = 100
LONGEST, LONGEST_FIELD = Draft.MAX_LENGTH, 5_000  # characters of the text, and of each other field
BODY = {Draft.Kind.TICKET: "description"}  # the field with the long text, if not "body"
KEY = {
    Draft.Kind.TICKET: "submission_key",
    Draft.Kind.FORM: "draft_key",
}  # the field with the key, if not "key"


class CannotKeep(Exception):
    """The text is longer than a form accepts, or contains characters that databases refuse."""


@dataclass(frozen=True)
class Typed:
    """The content of a form, and the draft it belongs to."""

    body: str
    fields: dict[str, str | list[str]]  # a list for a field with several values
    key: uuid.UUID | None
    restored: DraftVersion | None
    save: Save | None = None  # of what the script sends

    @classmethod
    def read(cls, kind: str, data: QueryDict) -> "Typed":
        """Parses a request of static/js/drafts.js. Raises CannotKeep."""
        sent = {name.removeprefix(PREFIX): name for name in data if name.startswith(PREFIX)}
        if kind != Draft.Kind.FORM:
            sent = {name: sent[name] for name in Draft.FIELDS[kind] if name in sent}
        fields = {name: _values(data, key) for name, key in sent.items()}
        body = _with_short_ends(data.get("body", ""))
        text = "".join([*fields, *("".join(value) for value in fields.values())])
        is_long = len(body) > Draft.MAX_LENGTH or len(text) > Draft.MAX_FIELDS_LENGTH
        if is_long or len(fields) > MOST_FIELDS or "\0" in body + text:
            raise CannotKeep
        key, restored = key_of(data.get("key", "")), DraftVersion.read(data.get("restored", ""))
        return cls(body, fields, key, restored, Save.read(data.get("save", "")))

    @classmethod
    def sent(cls, kind: str, data: QueryDict, *, files: int = 0) -> "Typed":
        """Parses a submitted form, cut to the length of a draft. Raises CannotKeep."""
        key = key_of(data.get(KEY.get(kind, "key"), ""))
        restored = DraftVersion.read(data.get("restored", ""))
        if kind == Draft.Kind.FORM:
            return cls("", _whole(data), key, restored)
        if kind == Draft.Kind.DETAILS:
            return cls._details(data, key, restored)
        fields = {name: _cut(data[name], LONGEST_FIELD) for name in _own_fields(kind, data) if data.get(name)}
        if files and "files" in Draft.FIELDS[kind]:
            fields["files"] = str(files)  # the page asks for the files again
        return cls(_cut(data.get(BODY.get(kind, "body"), ""), LONGEST), fields, key, restored)

    @classmethod
    def _details(cls, data: QueryDict, key: uuid.UUID | None, restored: DraftVersion | None) -> "Typed":
        names = [name for name in Draft.FIELDS[Draft.Kind.DETAILS] if name in data]
        if joined.SHOWN in data:  # key and draft are those of the reply
            names = [name for name in joined.touched(data) if name in names]
            key, restored = uuid.uuid4(), DraftVersion.read(data.get(joined.RESTORED, ""))
        return cls("", {name: _cut(data[name], LONGEST) for name in names}, key, restored)


def _own_fields(kind: str, data: QueryDict) -> list[str]:
    """Returns the fields of the kind, without those that belong to details which came with a reply."""
    others = Draft.FIELDS[Draft.Kind.DETAILS] if joined.SHOWN in data else ()
    return [name for name in Draft.FIELDS[kind] if name not in others]


def _with_short_ends(text: str) -> str:
    """Forms send each line break as two characters."""
    return text.replace("\r\n", "\n")


def _cut(text: str, most: int) -> str:
    return _with_short_ends(text)[:most].replace("\0", "")


def _values(data: QueryDict, name: str) -> str | list[str]:
    values = [_with_short_ends(value) for value in data.getlist(name)]
    return values[0] if len(values) == 1 else values


def _whole(data: QueryDict) -> dict:
    """Returns all fields of a form, without passwords and the admin's buttons."""
    names = [name for name in data if name not in UNTYPED and name[:1] != "_" and "password" not in name]
    fields = {name: _values(data, name) for name in names}
    text = "".join([*names, *("".join(value) for value in fields.values())])
    if len(names) > MOST_FIELDS or len(text) > Draft.MAX_FIELDS_LENGTH or "\0" in text:
        raise CannotKeep
    return {**fields, Draft.WHOLE: "yes"}


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def keep(
    typed: Typed, *, person, ticket: Ticket | None, kind: str, place: str = "", is_resumed: bool = False
) -> int:
    """Saves the draft, unless its form was submitted: a draft that arrives late would appear again.

    Text that is typed after the form was submitted (`is_resumed`) is saved. Returns how many old drafts were
    deleted because of the limit.
    """
    if not is_resumed and _is_sent(typed.key, person):
        return 0
    where = {"person": person, "ticket": ticket, "kind": kind, "place": place}
    deleted = Draft.objects.keep(**where, **vars(typed))
    # The form was submitted between the check and the save. The submission deletes the draft once more at its
    # end.
    if not is_resumed and _is_sent(typed.key, person):
        Draft.objects.forget(**where, key=typed.key)
    return deleted


def forget_sent(typed: Typed, *, person, ticket: int | None, kind: str, place: str = "") -> None:
    """Deletes the draft of a submitted form, the draft it showed, and drafts with the same text.
    Others stay.
    """
    same = Q(ticket=ticket, kind=kind, place=place)
    sent = Q(pk=None) if typed.key else same
    if typed.key and kind not in Draft.WITHOUT_BODY:
        sent |= same & Q(body=typed.body)
    if typed.key:
        sent |= Q(key=typed.key)
    if typed.restored:
        sent |= Q(key=typed.restored.key, version=typed.restored.version)
    Draft.objects.filter(sent, person=person).delete()


def _is_sent(key: uuid.UUID | None, person) -> bool:
    if key is None:
        return False
    is_said = Comment.objects.filter(author=person, key=key).exists()
    return is_said or Ticket.objects.filter(requester=person, submission_key=key).exists()


def forget_old() -> None:
    """The timed job: deletes drafts that nobody has returned to for this long."""
    Draft.objects.filter(updated_at__lt=clock.now() - timedelta(days=Draft.KEPT_DAYS)).delete()
    Draft.objects.filter(ticket=None, kind=Draft.Kind.DETAILS).delete()  # of deleted tickets
    Draft.objects.emptied().filter(updated_at__lt=clock.now() - timedelta(days=1)).delete()


class Chosen(NamedTuple):
    """The draft that a form shows, and the others that it offers."""

    shown: Draft | None
    others: list[Draft]


NO_DRAFTS = Chosen(None, [])


def choose(drafts: list[Draft], *, left: list[Draft] | None = None, asked: str = "") -> Chosen:
    """Chooses the first of `drafts`, or the one with the key `asked`; from `left` only the latter."""
    offered = [*drafts, *(left or [])]
    newest = drafts[0] if drafts else None
    shown = next((draft for draft in offered if str(draft.key) == asked), newest)
    return Chosen(shown, [draft for draft in offered if draft is not shown])


# A form that was submitted after the session ended waits in the visitor's session until the login.
WAITING, MOST_WAITING = "typed", 5
KEPT_FOR = 3600  # seconds
OF_STAFF = (Draft.Kind.NOTE, Draft.Kind.DETAILS)


def wait_for_login(session, typed: Typed, **form) -> None:
    """Adds what a visitor typed to the session. Two saves at the same moment wait for each other.

    A stored session is saved here and not at the end of the request, which would overwrite what others added.
    """
    session.set_expiry(KEPT_FOR)  # the login sets its own
    with transaction.atomic():
        if not Session.objects.select_for_update().filter(session_key=session.session_key).first():
            _add_waiting(session, typed, **form)
            return
        newest = type(session)(session.session_key)
        _add_waiting(newest, typed, **form)
        newest.set_expiry(KEPT_FOR)
        newest.save()
        session.is_stored = True


def _add_waiting(
    session, typed: Typed, *, kind: str, ticket: int | None, typed_by: str, place: str = ""
) -> None:
    waiting = session.get(WAITING, {})
    form = f"{kind} {ticket}{place} {typed.key}"
    before = waiting.get(form, {}).get("save", "")
    if typed.save and typed.save.is_older_than(Save.read(before)):
        return
    waiting[form] = {
        "kind": kind,
        "ticket": ticket,
        "place": place,
        "typed_by": typed_by,
        "body": typed.body,
        "fields": typed.fields,
        "key": str(typed.key or uuid.uuid4()),
        "restored": str(typed.restored or ""),
        "save": str(typed.save or ""),
    }
    session[WAITING] = dict(list(waiting.items())[-MOST_WAITING:])


def keep_after_login(session, person) -> None:
    for waiting in session.pop(WAITING, {}).values():
        key, restored = uuid.UUID(waiting["key"]), DraftVersion.read(waiting["restored"])
        save = Save.read(waiting.get("save", ""))
        typed = Typed(waiting["body"], waiting["fields"], key, restored, save)
        form = {"kind": waiting["kind"], "ticket": waiting["ticket"], "place": waiting.get("place", "")}
        keep_late(typed, person=person, typed_by=waiting["typed_by"], **form)


def keep_late(typed: Typed, *, person, typed_by: str, kind: str, ticket: int | None, place: str = "") -> bool:
    """Saves a late submission if `person` typed it and may write there. Returns whether it did.

    The next person at the same computer does not see it.
    """
    if typed_by != str(person.pk) or (kind in OF_STAFF and not person.is_staff):
        return False
    found = Ticket.objects.visible_to(person).filter(pk=ticket).first() if ticket else None
    if ticket and found is None:
        return False
    keep(typed, person=person, ticket=found, kind=kind, place=place, is_resumed=True)
    return True
