"""What is typed into a form and not sent: read from requests, kept, found again (tickets.models.Draft)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Q

from helpdesk import clock
from tickets.models import Comment, Draft, Ticket
from tickets.models.draft import Mark

PREFIX = "field-"  # of what is sent beside the body


class CannotKeep(Exception):
    """It is longer than a form takes, or holds what no database does."""


@dataclass(frozen=True)
class Typed:
    """What a form holds, and which draft it is."""

    body: str
    fields: dict[str, str]
    key: uuid.UUID | None
    restored: Mark | None

    @classmethod
    def read(cls, kind: str, data: Mapping[str, str]) -> "Typed":
        """What static/js/drafts.js sends. Raises CannotKeep."""
        # A form sends each line break as two characters.
        names = {name: f"{PREFIX}{name}" for name in Draft.FIELDS[kind]}
        fields = {name: data[sent].replace("\r\n", "\n") for name, sent in names.items() if sent in data}
        body = data.get("body", "").replace("\r\n", "\n")
        is_long = len(body) > Draft.MAX_LENGTH or sum(map(len, fields.values())) > Draft.MAX_FIELDS_LENGTH
        if is_long or any("\0" in text for text in (body, *fields.values())):
            raise CannotKeep
        return cls(body, fields, key_of(data.get("key", "")), Mark.read(data.get("restored", "")))


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def keep(typed: Typed, *, person, ticket: Ticket | None, kind: str, is_resumed: bool = False) -> None:
    """Keeps it, unless its form is sent already: a draft that comes late would stand there once more.

    What is typed on after the form was sent (`is_resumed`) is kept.
    """
    if not is_resumed and _is_sent(typed.key, person):
        return
    Draft.objects.keep(person=person, ticket=ticket, kind=kind, **vars(typed))
    # Sent between the question and the answer: the one who sends deletes once more when all is stored.
    if not is_resumed and _is_sent(typed.key, person):
        Draft.objects.forget(person=person, ticket=ticket, kind=kind, key=typed.key)


def forget_sent(typed: Typed, *, person, ticket: int | None, kind: str) -> None:
    """Deletes the draft of a form that is sent, what it showed, and what says the same; others stay."""
    place = Q(ticket=ticket, kind=kind)
    sent = place & Q(body=typed.body) if typed.key else place
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
    """The job: nobody comes back to what was left this long ago."""
    Draft.objects.filter(updated_at__lt=clock.now() - timedelta(days=Draft.KEPT_DAYS)).delete()
    Draft.objects.filter(ticket=None, kind=Draft.Kind.DETAILS).delete()  # of deleted tickets


class Chosen(NamedTuple):
    """The draft that a form shows, and the others that it offers."""

    shown: Draft | None
    others: list[Draft]


NO_DRAFTS = Chosen(None, [])


def choose(drafts: list[Draft], *, left: list[Draft] | None = None, asked: str = "") -> Chosen:
    """Of `drafts` the first, or the one whose key is `asked`; of `left` only the latter."""
    offered = [*drafts, *(left or [])]
    newest = drafts[0] if drafts else None
    shown = next((draft for draft in offered if str(draft.key) == asked), newest)
    return Chosen(shown, [draft for draft in offered if draft is not shown])


# What was sent after the session had ended waits in the visitor's session until the login.
WAITING, MOST_WAITING = "typed", 5


def wait_for_login(session, typed: Typed, *, kind: str, ticket: int | None, typed_by: str) -> None:
    waiting = session.get(WAITING, {})
    waiting[f"{kind} {ticket} {typed.key}"] = {
        "kind": kind,
        "ticket": ticket,
        "typed_by": typed_by,
        "body": typed.body,
        "fields": typed.fields,
        "key": str(typed.key or uuid.uuid4()),
        "restored": str(typed.restored or ""),
    }
    session[WAITING] = dict(list(waiting.items())[-MOST_WAITING:])


def keep_after_login(session, person) -> None:
    """Only for who typed it: the next person at this computer does not find it."""
    for waiting in session.pop(WAITING, {}).values():
        kind, number = waiting["kind"], waiting["ticket"]
        if waiting["typed_by"] != str(person.pk) or (kind == Draft.Kind.NOTE and not person.is_staff):
            continue
        ticket = Ticket.objects.visible_to(person).filter(pk=number).first() if number else None
        if number and ticket is None:
            continue
        typed = {"body": waiting["body"], "fields": waiting["fields"]}
        form = {"key": uuid.UUID(waiting["key"]), "restored": Mark.read(waiting["restored"])}
        Draft.objects.keep(person=person, ticket=ticket, kind=kind, **typed, **form)
