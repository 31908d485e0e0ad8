"""Many acts in one mail: a person's day, or what was too much for a mail each (see folding)."""

from dataclasses import dataclass, replace
from itertools import groupby

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets import excerpts
from tickets.events import Verb
from tickets.models import ActivityLog, Comment, Notification, Ticket
from tickets.notifications import threads
from tickets.notifications.rules import Audience
from tickets.story import SAID
from tickets.words import Words

MOST_QUOTED = 200_000  # characters of all messages in one mail


@dataclass(frozen=True)
class Part:
    """A sentence about what somebody did, and what was said with it."""

    sentence: str
    quote: str = ""
    files: str = ""


@dataclass(frozen=True)
class Act:
    when: str
    parts: list[Part]


@dataclass(frozen=True)
class Section:
    """The news on one ticket."""

    title: str
    url: str
    acts: list[Act]


def tells_of_many(notifications: list[Notification]) -> bool:
    """Whether a mail with these rows tells of more than one act."""
    first = notifications[0]
    return first.is_digest or len({row.activity.batch for row in notifications if row.activity_id}) > 1


def words(notifications: list[Notification]) -> dict:
    """The words of the mail. The number of queries grows with the tickets, not with the acts."""
    first = notifications[0]
    sections = _sections(notifications)
    _shorten(sections)
    found = {
        "folder": "digest",
        "is_daily": first.is_digest,
        "number": first.ticket_id,
        "count": len(sections),
        "sections": sections,
        "headers": {},
        "foot_links": [threads.choose_link()],
        "reason": _("You get it once a day, because you chose so.")
        if first.is_digest
        else _("You get this mail because %(why)s.") % {"why": Audience(first.reason).label},
    }
    if len(sections) == 1:
        found |= {"subject": threads.subject(first.ticket_id), "headers": threads.headers(first)}
        if sections[0].url:
            found |= _about_one_ticket(notifications)
    return found


def _about_one_ticket(notifications: list[Notification]) -> dict:
    """What a mail about one ticket has besides. Where a note is among it, an answer is a note as well."""
    first = notifications[0]
    internal = any(row.kind == Verb.NOTED for row in notifications)
    reply_to = threads.reply_to(first, internal=internal)
    return {
        "headers": threads.headers(first) | threads.unsubscribe(first),
        "foot_links": threads.foot_links(first),
        "reply_to": reply_to,
        "foot": threads.what_becomes_of_answers(internal=internal) if reply_to else [],
    }


def _sections(notifications: list[Notification]) -> list[Section]:
    rows = [row.activity for row in notifications]
    by_number = Ticket.objects.select_related("merged_into").in_bulk({row.ticket_id for row in rows})
    spoken = Words(rows, reader=notifications[0].person)
    said = _said(rows)
    numbers = dict.fromkeys(row.ticket_id for row in rows)
    order = {number: place for place, number in enumerate(numbers)}
    rows.sort(key=lambda row: (order[row.ticket_id], row.pk))
    sections = []
    for number, own in groupby(rows, key=lambda row: row.ticket_id):
        ticket = by_number.get(number)
        acts = [
            _act(list(act), ticket, spoken, said) for _key, act in groupby(own, key=lambda row: row.batch)
        ]
        target = ticket and (ticket.merged_into or ticket)
        title = f"#{number} {ticket.subject}" if ticket else threads.subject(number)
        url = settings.SITE_URL + target.get_absolute_url() if target else ""
        sections.append(Section(title, url, [act for act in acts if act.parts]))
    return sections


def _shorten(sections: list[Section]) -> None:
    """Of very many long texts a mail holds only the beginnings: the rest stands on the page."""
    left = MOST_QUOTED
    for parts in (act.parts for section in sections for act in section.acts):
        for place, part in enumerate(parts):
            left -= len(part.quote)
            if left < 0 and len(part.quote) > excerpts.BEGINNING:
                rest = _("The rest of this message is on the ticket's page.")
                parts[place] = replace(part, quote=f"{excerpts.beginning(part.quote)}\n\n{rest}")


def _act(rows: list[ActivityLog], ticket: Ticket | None, spoken: Words, said: dict[str, Comment]) -> Act:
    moment = date_format(timezone.localtime(rows[0].recorded_at), "DATETIME_FORMAT")
    return Act(moment, [part for row in rows for part in _parts(row, ticket, spoken, said)])


def _parts(row: ActivityLog, ticket: Ticket | None, spoken: Words, said: dict[str, Comment]) -> list[Part]:
    parts = [Part(sentence) for sentence in spoken.sentences(row)]
    if row.verb in SAID:
        comment = said.get(row.changes["key"][1])
        if comment is None:  # taken back, or gone with its ticket
            return []
        names = ", ".join(file.name for file in comment.attachments.all())
        return [Part(parts[0].sentence, comment.body, names)]
    if row.verb == Verb.CREATED and ticket and ticket.requester_id != spoken.reader.pk:
        parts[-1] = Part(parts[-1].sentence, ticket.description)
    return parts


def _said(rows: list[ActivityLog]) -> dict[str, Comment]:
    keys = [row.changes["key"][1] for row in rows if row.verb in SAID]
    comments = Comment.objects.filter(ticket__in={row.ticket_id for row in rows}, key__in=keys)
    return {str(comment.key): comment for comment in comments.prefetch_related("attachments")}
