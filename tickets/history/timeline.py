"""The history of a ticket as the entries of its page, one for each act, worded for the reader."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import groupby

from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.history.sentences import SentenceBuilder
from tickets.history.story import LogRow, Said, Story, is_internal
from tickets.models import ActivityLog, Attachment, Ticket
from tickets.rules import excerpts
from tickets.rules.events import EVENTS, Verb
from tickets.rules.workflow import TAKE_BACK_PERIOD

UNSAID = Q(verb=Verb.TAKEN_BACK, changes__is_public__0=True)
LONG, RECENT = 30, 15  # entries: a longer history shows only the last ones unfolded
MANY_CHANGES = 4


@dataclass
class Entry:
    """One act on a ticket. `kind` is "filed" if the requester filed it and nothing else happened, "reply" or
    "note" if it has a message (`comment`, `attachments`), else "change".

    `number` is that of its last row in the log, so later entries have higher ones. `origin` is the number of
    the merged ticket that it comes from; `filing` is that ticket if the entry shows how it began;
    `split_into` is the ticket that the message was split into; `mail` is the number of the email that it
    arrived by. `beginning` is the visible part of a text that is shortened; `is_asked` tells whether the
    reader requested all of it.
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
        """Returns how its text was sent: by email or on a page."""
        said = self.comment or self.filing
        return said.source if said else ""

    def is_change(self) -> bool:
        """Whether it is a line of the history without a message."""
        return self.kind == "change" and not self.body

    @property
    def anchor(self) -> str:
        return f"message-{self.comment.pk}" if self.comment else f"ticket-{self.filing.pk}"

    @property
    def is_own_thanks(self) -> bool:
        """Whether it is a thank-you on the page's own ticket, not on a merged one."""
        return self.comment is not None and self.comment.is_thanks and not self.origin

    @property
    def may_be_split(self) -> bool:
        """Whether it can be split into a ticket of its own."""
        return self.kind == "reply" and not self.split_into

    @property
    def has_more(self) -> bool:
        """Whether the page shows something below its text."""
        is_thanks = self.comment is not None and self.comment.is_thanks
        below = self.attachments or self.sentences or self.split_into
        return bool(below or is_thanks or self.take_back_seconds)

    @cached_property
    def take_back_seconds(self) -> int:
        """Returns for how many seconds the reader may still undo their reply."""
        if not self.is_you or self.kind != "reply":
            return 0
        left = self.comment.created_at + TAKE_BACK_PERIOD - timezone.now()
        return max(0, math.ceil(left.total_seconds()))


def entries_for(ticket: Ticket, user) -> list[Entry]:
    """Returns the whole history of `ticket` as `user` sees it."""
    return entries(*read(ticket, user))


def read(ticket: Ticket, user, *, after: int = 0, find_people=None) -> tuple[Story, SentenceBuilder]:
    """Loads the history after the row `after` of the log, and the sentences for it. entries() takes both.

    `find_people` is that of SentenceBuilder.
    """
    story = Story(ticket, user, after=after)
    return story, SentenceBuilder(story.rows, reader=user, page=ticket.pk, find_people=find_people)


def entries(story: Story, words: SentenceBuilder, *, is_part: bool = False, whole: str = "") -> list[Entry]:
    """Returns the entries, oldest first.

    `is_part`: the page already shows the description and gets these below.

    `whole` is the anchor of the text that is shown in full with priority.
    """
    found = [_entry(act, story, words) for act in story.acts()]
    _shorten(found, beside="" if is_part else story.ticket.description, whole=whole)
    return found


def _shorten(entries: list[Entry], *, beside: str, whole: str) -> None:
    """Shortens texts if the page has too much: only those beside `beside` and the newest stay whole."""
    said = [entry for entry in entries if entry.body]
    if len(beside) + sum(len(entry.body) for entry in said) <= excerpts.UNWEIGHED:
        return
    for entry in said:
        entry.is_asked = entry.anchor == whole
    said.sort(key=lambda entry: (entry.is_asked, entry.number), reverse=True)
    _beside, *beginnings = excerpts.beginnings([beside, *(entry.body for entry in said)])
    for entry, beginning in zip(said, beginnings, strict=True):
        entry.beginning = beginning


def _entry(act: list[LogRow], story: Story, words: SentenceBuilder) -> Entry:
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
        sentences=[text for row in act for text in _sentences(row, story, words)],
        comment=comment,
        attachments=_attachments(comment, filing, story),
        origin=origin,
        filing=filing,
        split_into=story.split_into(comment) if comment else None,
        mail=story.mail_of(comment) if comment else filing and story.mail_that_filed(filing),
    )


def _sentences(row: LogRow, story: Story, words: SentenceBuilder) -> list[str]:
    return words.sentences(row) if story.comment(row) is None else words.below_message(row)


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
    return ActivityLog.objects.filter(ticket_id__in=Ticket.objects.on_page_of(ticket).values("pk"))


def last_number(ticket: Ticket, user, *, after: int = 0) -> int:
    """Returns the last row of the log that `user` may see; 0 if there is none after the row `after`.

    Only staff learn that a note was written.
    """
    rows = _rows(ticket).filter(pk__gt=after).oldest_first().values_list("pk", "verb", "changes")
    return max((number for number, verb, changes in rows if _is_news(verb, changes, user)), default=0)


def _is_news(verb: str, changes: dict, user) -> bool:
    if not EVENTS[verb].stands_alone:
        return False
    is_unsaid = verb == Verb.TAKEN_BACK and changes["is_public"][0]
    return user.is_staff or not is_internal(verb, changes) or is_unsaid


def end_of_log(ticket: Ticket) -> int:
    """Returns the last row of the log, whoever may read it."""
    return _rows(ticket).aggregate(last=Max("pk", default=0))["last"]


def end_of(entries: list[Entry]) -> int:
    """Returns last_number() of a history that is already loaded."""
    return max((entry.number for entry in entries), default=0)


def taken_back(ticket: Ticket, *, after: int) -> list[str]:
    """Returns the keys of public replies that were undone since the page was loaded with the row `after`."""
    rows = _rows(ticket)
    unsaid = [row.changes["key"][0] for row in rows.filter(UNSAID, pk__gt=after)]
    if not unsaid:
        return []
    shown = rows.filter(verb=Verb.REPLIED, pk__lte=after, changes__key__1__in=unsaid)
    return [row.changes["key"][1] for row in shown]


@dataclass(frozen=True)
class Fold:
    """Consecutive entries. `is_folded` if there are too many to show at once."""

    entries: list[Entry]
    is_folded: bool

    @property
    def is_open(self) -> bool:
        """Whether it contains a text that the reader requested."""
        return any(entry.is_asked for entry in self.entries)


def folded(entries: list[Entry]) -> list[Fold]:
    """Folds the beginning of a long history, and many changes in a row."""
    early = entries[:-RECENT] if len(entries) > LONG else []
    folds = [Fold(early, True)] if early else []
    for is_change, run in groupby(entries[len(early) :], key=Entry.is_change):
        run = list(run)
        folds.append(Fold(run, is_change and len(run) > MANY_CHANGES))
    return folds


def sentences(activities: Iterable[ActivityLog], *, reader) -> list[str]:
    """Returns the sentences that the rows of one act make for `reader`, one for each change."""
    activities = list(activities)
    words = SentenceBuilder(activities, reader=reader)
    return [sentence for activity in activities for sentence in words.sentences(activity)]
