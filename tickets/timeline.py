"""The activity log in plain words, for pages and mails. Words are chosen here, when it is read."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.contrib.auth import get_user_model
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.events import FILES, Verb
from tickets.models import ActivityLog, Attachment, Category, Comment, Status, Ticket, TicketLink
from tickets.story import INTERNAL, Story
from tickets.waiting_words import reminder_sentences, waiting_sentence
from tickets.workflow import TAKE_BACK_PERIOD, Phase

WHOLE = {Verb.CREATED, Verb.DELETED}  # their rows hold all fields of the ticket
UNSAID = Q(verb=Verb.TAKEN_BACK, changes__is_public__0=True)
LONG, RECENT = 30, 15  # entries: a longer story shows the last ones
MANY_CHANGES = 4


@dataclass(frozen=True)
class Entry:
    """One act on a ticket. `kind` is "filed" where the requester filed it and nothing else happened,
    "reply" or "note" where somebody said something (`comment`, `attachments`), else "change".

    `number` is that of its last row in the log: what is later has a higher one. `origin` is the number of the
    merged ticket that it comes from; `filing` is that ticket where the entry shows how it began; `split_into`
    is the ticket that the message was split into.
    """

    number: int
    at: datetime
    actor_name: str
    is_you: bool
    is_staff: bool
    initials: str
    kind: str
    sentences: list[str]
    comment: Comment | None = None
    attachments: list[Attachment] = field(default_factory=list)
    origin: int | None = None
    filing: Ticket | None = None
    split_into: Ticket | None = None

    @property
    def body(self) -> str:
        if self.comment:
            return self.comment.body
        return self.filing.description if self.filing else ""

    def is_change(self) -> bool:
        """Whether it is one line of the story, and no text of somebody."""
        return self.kind == "change" and not self.body

    @property
    def anchor(self) -> str:
        return f"message-{self.comment.pk}" if self.comment else f"ticket-{self.filing.pk}"

    @property
    def take_back_seconds(self) -> int:
        """For how long the reader may still take the own reply back."""
        if not self.is_you or self.kind != "reply":
            return 0
        left = self.comment.created_at + TAKE_BACK_PERIOD - timezone.now()
        return max(0, math.ceil(left.total_seconds()))


def entries_for(ticket: Ticket, user, *, after: int = 0) -> list[Entry]:
    """The ticket's story as `user` reads it, oldest first; only acts past the row `after` of the log."""
    story = Story(ticket, user, after=after)
    words = _Words(story.rows, reader=user, page=ticket.pk)
    return [words.entry(act, story) for act in story.acts()]


def _rows(ticket: Ticket):
    return ActivityLog.objects.filter(ticket_id__in=Ticket.objects.telling(ticket).values("pk"))


def last_number(ticket: Ticket, user) -> int:
    """The row of the log that the story ends with for `user`: nobody else learns that staff wrote a note."""
    rows = _rows(ticket).exclude(verb__in=FILES)
    if not user.is_staff:
        rows = rows.filter(~Q(verb__in=INTERNAL) | UNSAID)
    return rows.aggregate(last=Max("pk", default=0))["last"]


def end_of_log(ticket: Ticket) -> int:
    """The last row of all, whoever may read it and wherever it is shown."""
    return _rows(ticket).aggregate(last=Max("pk", default=0))["last"]


def end_of(entries: list[Entry]) -> int:
    """The same as last_number(), of a story that is read already."""
    return max((entry.number for entry in entries), default=0)


def taken_back(ticket: Ticket, *, after: int) -> list[str]:
    """The keys of the public replies that were taken back past the row `after` of the log."""
    rows = _rows(ticket).filter(UNSAID, pk__gt=after)
    return [row.changes["key"][0] for row in rows]


@dataclass(frozen=True)
class Fold:
    """Entries that stand one after the other; `is_folded` where there are too many to show at once."""

    entries: list[Entry]
    is_folded: bool


def folded(entries: list[Entry]) -> list[Fold]:
    """A long story begins folded, and so do many changes in a row."""
    early = entries[:-RECENT] if len(entries) > LONG else []
    folds = [Fold(early, True)] if early else []
    for is_change, run in groupby(entries[len(early) :], key=Entry.is_change):
        run = list(run)
        folds.append(Fold(run, is_change and len(run) > MANY_CHANGES))
    return folds


def sentences(activities: Iterable[ActivityLog], *, reader) -> list[str]:
    """What the rows of one act say to `reader`, one plain sentence for each change."""
    activities = list(activities)
    words = _Words(activities, reader=reader)
    return [sentence for activity in activities for sentence in words.sentences(activity)]


class _Words:
    """Turns rows of the log into sentences; the names they need are fetched once for all of them.

    `page` is the number of the ticket on whose page they stand.
    """

    def __init__(self, activities: list[ActivityLog], *, reader, page: int | None = None):
        self.reader, self.page = reader, page
        ids = {name: set() for name in ("status", "category", "assignee", "requester", "person")}
        for activity in activities:
            for name in self._named(activity) & ids.keys():
                ids[name].update(value for value in activity.changes[name] if value)
        actors = {activity.actor_id for activity in activities if activity.actor_id}
        people = get_user_model().objects.prefetch_related("groups")
        reminded = {activity.ticket_id for activity in activities if activity.verb == Verb.REMINDED}
        requesters = Ticket.objects.filter(pk__in=reminded).values_list("pk", "requester")
        self.requesters = dict(requesters) if reminded else {}
        ids["requester"].update(self.requesters.values())
        self.people = people.in_bulk(ids["assignee"] | ids["requester"] | ids["person"] | actors)
        self.statuses = Status.objects.in_bulk(ids["status"]) if ids["status"] else {}
        self.categories = Category.objects.in_bulk(ids["category"]) if ids["category"] else {}

    @staticmethod
    def _named(activity: ActivityLog) -> set[str]:
        """The changes that a sentence names."""
        names = set(activity.changes)
        return names & {"requester", "assignee"} if activity.verb in WHOLE else names

    def entry(self, act: list[ActivityLog], story: Story) -> Entry:
        first, origin = act[0], story.origin(act[0])
        comment = next((said for row in act if (said := story.comment(row))), None)
        is_beginning = first.verb == Verb.CREATED
        is_filing = is_beginning and first.changes["requester"][1] == first.actor_id
        is_filing = is_filing and all(row.verb == Verb.FILE_ADDED for row in act[1:])
        filing = story.tickets[origin] if origin and is_beginning else None
        if comment is not None:
            kind = "reply" if comment.is_public else "note"
        else:
            kind = "filed" if is_filing and not first.changes.get("assignee") else "change"
        texts = [sentence for row in act if story.comment(row) is None for sentence in self.sentences(row)]
        author_id = filing.requester_id if filing else first.actor_id
        author = self.people.get(author_id)
        return Entry(
            number=act[-1].pk,
            at=first.recorded_at,
            actor_name=self._author(filing) if filing else self._actor(first),
            is_you=self._is_reader(author_id),
            is_staff=author is not None and author.is_staff,
            initials=author.initials if author else "",
            kind=kind,
            sentences=texts,
            comment=comment,
            attachments=self._attachments(comment, filing, story),
            origin=origin,
            filing=filing,
            split_into=story.split_from(comment) if comment else None,
        )

    def _author(self, filing: Ticket) -> str:
        return _("You") if self._is_reader(filing.requester_id) else str(filing.requester)

    @staticmethod
    def _attachments(comment: Comment | None, filing: Ticket | None, story: Story) -> list[Attachment]:
        if comment:
            return list(comment.attachments.all())
        return story.files_of(filing.pk) if filing else []

    def sentences(self, activity: ActivityLog) -> list[str]:
        actor, changes = self._actor(activity), activity.changes
        match activity.verb:
            case Verb.CREATED:
                return self._filing(actor, activity)
            case Verb.DELETED:
                if changes["requester"][0] == activity.actor_id:
                    return [_("%(actor)s withdrew the ticket.") % {"actor": actor}]
                return [_("%(actor)s deleted the ticket.") % {"actor": actor}]
            case Verb.FILE_ADDED:
                name = changes["name"][1]
                return [_("%(actor)s added the file “%(name)s”.") % {"actor": actor, "name": name}]
            case Verb.FILE_REMOVED:
                name = changes["name"][0]
                return [_("%(actor)s removed the file “%(name)s”.") % {"actor": actor, "name": name}]
            case Verb.REPLIED:
                return [_("%(actor)s wrote:") % {"actor": actor}]
            case Verb.NOTED:
                return [_("%(actor)s wrote an internal note:") % {"actor": actor}]
            case Verb.TAKEN_BACK:
                return [_("%(actor)s took a message back.") % {"actor": actor}]
            case Verb.WATCHER_ADDED | Verb.WATCHER_REMOVED:
                return [self._watching(actor, activity)]
            case Verb.LINKED:
                return [_("%(actor)s linked it: this ticket %(link)s.") % self._link(actor, changes, 1)]
            case Verb.REMINDED:
                person = self._person(self.requesters.get(activity.ticket_id))
                return reminder_sentences(activity, actor=actor, person=person)
            case Verb.UNLINKED:
                return [_("%(actor)s removed a link: this ticket %(link)s.") % self._link(actor, changes, 0)]
            case Verb.MERGED | Verb.UNMERGED:
                return [self._merging(actor, activity)]
        # In the order of the model: PostgreSQL keeps the keys of a JSON value in an order of its own.
        names = (name for name in Ticket.TRACKED if name in changes)
        return [sentence for name in names if (sentence := self._change(actor, activity, name))]

    def _filing(self, actor: str, activity: ActivityLog) -> list[str]:
        requester = activity.changes["requester"][1]
        if requester == activity.actor_id:
            texts = [_("%(actor)s filed the ticket.") % {"actor": actor}]
        else:
            names = {"actor": actor, "requester": self._person(requester)}
            texts = [_("%(actor)s filed the ticket for %(requester)s.") % names]
        if assignee := activity.changes.get("assignee", [None, None])[1]:
            texts.append(_("It went to %(person)s.") % {"person": self._person(assignee)})
        return texts

    def _watching(self, actor: str, activity: ActivityLog) -> str:
        old, new = activity.changes["person"]
        names = {"actor": actor, "person": self._person(new or old)}
        if (new or old) == activity.actor_id:
            return (_("%(actor)s watches now.") if new else _("%(actor)s watches no more.")) % names
        if new:
            return _("%(actor)s added %(person)s as a watcher.") % names
        return _("%(actor)s removed %(person)s from the watchers.") % names

    def _merging(self, actor: str, activity: ActivityLog) -> str:
        old, new = (f"#{number}" for number in activity.changes["merged_into"])
        words = {"actor": actor, "number": f"#{activity.ticket_id}", "old": old, "new": new}
        if activity.verb == Verb.UNMERGED:
            return _("%(actor)s undid the merge of %(number)s into %(old)s.") % words
        if activity.changes["merged_into"][1] == self.page:
            return _("%(actor)s merged %(number)s into this ticket.") % words
        if activity.changes["merged_into"][0]:
            return _("The conversation goes on in %(new)s now.") % words
        return _("%(actor)s merged %(number)s into %(new)s.") % words

    def _link(self, actor: str, changes: dict, side: int) -> dict[str, str]:
        kind = TicketLink.Kind(changes["kind"][side]).label
        return {"actor": actor, "link": f"{kind} #{changes['target'][side]}"}

    def _change(self, actor: str, activity: ActivityLog, name: str) -> str:
        old, new = activity.changes[name]
        values = {"actor": actor, "old": self._value(name, old), "new": self._value(name, new)}
        if name == "description":
            return _("%(actor)s changed the description.") % values
        if name == "assignee":
            return self._assignment(activity, old, new) % values
        if name in Ticket.WAITING_FIELDS:
            status = self.statuses.get(activity.changes.get("status", [None, None])[1])
            return waiting_sentence(activity, name, is_done=bool(status and status.phase == Phase.DONE))
        return CHANGES[name]() % values

    def _assignment(self, activity: ActivityLog, old: int | None, new: int | None) -> str:
        if new is None:
            if old == activity.actor_id:
                return _("%(actor)s put the ticket back, so nobody takes care of it now.")
            return _("%(actor)s took the ticket from %(old)s, so nobody takes care of it now.")
        if new == activity.actor_id:
            return _("%(actor)s took the ticket.")
        return _("%(actor)s gave the ticket to %(new)s.")

    def _value(self, name: str, value) -> str:
        if name in ("assignee", "requester"):
            return self._person(value)
        if name == "status":
            return str(self.statuses.get(value, _("a status that is gone")))
        if name == "category":
            return str(self.categories.get(value, _("a category that is gone")))
        return str(Ticket.Priority(value).label) if name == "priority" else str(value)

    def _person(self, pk: int | None) -> str:
        if self._is_reader(pk):
            return _("you")
        return str(self.people.get(pk, _("somebody")))

    def _actor(self, activity: ActivityLog) -> str:
        if self._is_reader(activity.actor_id):
            return _("You")
        return activity.actor_name or _("The helpdesk")

    def _is_reader(self, pk: int | None) -> bool:
        return pk is not None and pk == self.reader.pk


# Called, not stored: the language is that of the reader.
CHANGES = {
    "subject": lambda: _("%(actor)s changed the subject from “%(old)s” to “%(new)s”."),
    "category": lambda: _("%(actor)s changed the category from %(old)s to %(new)s."),
    "status": lambda: _("%(actor)s changed the status from %(old)s to %(new)s."),
    "priority": lambda: _("%(actor)s changed the priority from %(old)s to %(new)s."),
    "requester": lambda: _("%(actor)s changed the requester from %(old)s to %(new)s."),
}
