"""A ticket's story as entries of its page, one for each act, in the words of whoever reads it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import groupby

from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import excerpts
from tickets.events import FILES, Verb
from tickets.models import ActivityLog, Attachment, Ticket
from tickets.story import LogRow, Said, Story, is_internal
from tickets.words import Words
from tickets.workflow import TAKE_BACK_PERIOD

UNSAID = Q(verb=Verb.TAKEN_BACK, changes__is_public__0=True)
LONG, RECENT = 30, 15  # entries: a longer story shows the last ones
MANY_CHANGES = 4


@dataclass
class Entry:
    """One act on a ticket. `kind` is "filed" where the requester filed it and nothing else happened,
    "reply" or "note" where somebody said something (`comment`, `attachments`), else "change".

    `number` is that of its last row in the log: what is later has a higher one. `origin` is the number of the
    merged ticket that it comes from; `filing` is that ticket where the entry shows how it began; `split_into`
    is the ticket that the message was split into; `mail` is the number of the mail that it came in by.
    `beginning` is what is shown of its text where the page has too much; `is_asked` tells whether somebody
    asked for the whole.
    """

    number: int
    at: datetime
    actor_name: str
    is_you: bool
    initials: str
    kind: str
    sentences: list[str]
    comment: Said | None = None
    attachments: list[Attachment] = field(default_factory=list)
    origin: int | None = None
    filing: Ticket | None = None
    split_into: Ticket | None = None
    mail: int | None = None
    beginning: str | None = None
    is_asked: bool = False

    @property
    def body(self) -> str:
        if self.comment:
            return self.comment.body
        return self.filing.description if self.filing else ""

    @property
    def source(self) -> str:
        """How its text came in."""
        said = self.comment or self.filing
        return said.source if said else ""

    def is_change(self) -> bool:
        """Whether it is one line of the story, and no text of somebody."""
        return self.kind == "change" and not self.body

    @property
    def anchor(self) -> str:
        return f"message-{self.comment.pk}" if self.comment else f"ticket-{self.filing.pk}"

    @property
    def has_more(self) -> bool:
        """Whether something stands below its text."""
        is_thanks = self.comment is not None and self.comment.is_thanks
        below = self.attachments or self.sentences or self.split_into
        return bool(below or is_thanks or self.take_back_seconds)

    @cached_property
    def take_back_seconds(self) -> int:
        """For how long the reader may still take the own reply back."""
        if not self.is_you or self.kind != "reply":
            return 0
        left = self.comment.created_at + TAKE_BACK_PERIOD - timezone.now()
        return max(0, math.ceil(left.total_seconds()))


def entries_for(ticket: Ticket, user, *, after: int = 0, find_people=None, whole: str = "") -> list[Entry]:
    """The ticket's story as `user` reads it, oldest first; only acts past the row `after` of the log.

    `find_people` is that of Words; `whole` is the anchor of a text that is shown whole before others are.
    """
    story, words = read(ticket, user, after=after, find_people=find_people)
    return entries(story, words, is_part=bool(after), whole=whole)


def read(ticket: Ticket, user, *, after: int = 0, find_people=None) -> tuple[Story, Words]:
    """The story, and the words for it, of which entries() makes entries."""
    story = Story(ticket, user, after=after)
    return story, Words(story.rows, reader=user, page=ticket.pk, find_people=find_people)


def entries(story: Story, words: Words, *, is_part: bool = False, whole: str = "") -> list[Entry]:
    """`is_part`: what was filed stands on the page already, and this comes below it."""
    found = [_entry(act, story, words) for act in story.acts()]
    _shorten(found, beside="" if is_part else story.ticket.description, whole=whole)
    return found


def _shorten(entries: list[Entry], *, beside: str, whole: str) -> None:
    """Where it is too much for a page, only what stands `beside` it and the newest texts are shown whole."""
    said = [entry for entry in entries if entry.body]
    if len(beside) + sum(len(entry.body) for entry in said) <= excerpts.UNWEIGHED:
        return
    for entry in said:
        entry.is_asked = entry.anchor == whole
    said.sort(key=lambda entry: (entry.is_asked, entry.number), reverse=True)
    _beside, *beginnings = excerpts.beginnings([beside, *(entry.body for entry in said)])
    for entry, beginning in zip(said, beginnings, strict=True):
        entry.beginning = beginning


def _entry(act: list[LogRow], story: Story, words: Words) -> Entry:
    first, origin = act[0], story.origin(act[0])
    comment = next((said for row in act if (said := story.comment(row))), None)
    filing = story.tickets[origin] if origin and first.verb == Verb.CREATED else None
    author_id = filing.requester_id if filing else first.actor_id
    author = words.people.get(author_id)
    is_you = words.is_reader(author_id)
    return Entry(
        number=act[-1].pk,
        at=first.recorded_at,
        actor_name=(_("You") if is_you else str(filing.requester)) if filing else words.actor(first),
        is_you=is_you,
        initials=author.initials if author else "",
        kind=_kind(act, comment),
        sentences=[text for row in act if story.comment(row) is None for text in words.sentences(row)],
        comment=comment,
        attachments=_attachments(comment, filing, story),
        origin=origin,
        filing=filing,
        split_into=story.split_into(comment) if comment else None,
        mail=story.mail_of(comment) if comment else None,
    )


def _kind(act: list[LogRow], comment: Said | None) -> str:
    if comment is not None:
        return "reply" if comment.is_public else "note"
    first, *others = act
    is_plain = first.verb == Verb.CREATED and all(row.verb == Verb.FILE_ADDED for row in others)
    is_own = is_plain and first.changes["requester"][1] == first.actor_id
    return "filed" if is_own and not first.changes.get("assignee") else "change"


def _attachments(comment: Said | None, filing: Ticket | None, story: Story) -> list[Attachment]:
    if comment:
        return story.files_said_with(comment)
    return story.files_of(filing.pk) if filing else []


def _rows(ticket: Ticket):
    if not ticket.has_merged:
        return ActivityLog.objects.filter(ticket_id=ticket.pk)
    return ActivityLog.objects.filter(ticket_id__in=Ticket.objects.telling(ticket).values("pk"))


def last_number(ticket: Ticket, user, *, after: int = 0) -> int:
    """The row of the log that the story ends with for `user`; 0 where nothing is past the row `after`.

    Nobody but staff learns that a note was written.
    """
    rows = _rows(ticket).filter(pk__gt=after).oldest_first().values_list("pk", "verb", "changes")
    return max((number for number, verb, changes in rows if _is_news(verb, changes, user)), default=0)


def _is_news(verb: str, changes: dict, user) -> bool:
    if verb in FILES:
        return False
    is_unsaid = verb == Verb.TAKEN_BACK and changes["is_public"][0]
    return user.is_staff or not is_internal(verb, changes) or is_unsaid


def end_of_log(ticket: Ticket) -> int:
    """The last row of all, whoever may read it and wherever it is shown."""
    return _rows(ticket).aggregate(last=Max("pk", default=0))["last"]


def end_of(entries: list[Entry]) -> int:
    """The same as last_number(), of a story that is read already."""
    return max((entry.number for entry in entries), default=0)


def taken_back(ticket: Ticket, *, after: int) -> list[str]:
    """The keys of the public replies on a page that ends with the row `after`, taken back since."""
    rows = _rows(ticket)
    unsaid = [row.changes["key"][0] for row in rows.filter(UNSAID, pk__gt=after)]
    if not unsaid:
        return []
    shown = rows.filter(verb=Verb.REPLIED, pk__lte=after, changes__key__1__in=unsaid)
    return [row.changes["key"][1] for row in shown]


@dataclass(frozen=True)
class Fold:
    """Entries that stand one after the other; `is_folded` where there are too many to show at once."""

    entries: list[Entry]
    is_folded: bool

    @property
    def is_open(self) -> bool:
        """Whether something is in it that the reader asked for."""
        return any(entry.is_asked for entry in self.entries)


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
    words = Words(activities, reader=reader)
    return [sentence for activity in activities for sentence in words.sentences(activity)]
