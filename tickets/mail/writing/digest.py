"""One email about many changes: a daily digest, or a burst of changes (notifications.folding)."""

from dataclasses import replace
from itertools import groupby

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.history.sentences import SentenceBuilder
from tickets.history.story import is_internal
from tickets.mail.writing import threads
from tickets.mail.writing.letter import DigestAct, DigestLetter, Section, Sentence
from tickets.models import ActivityLog, Comment, Notification, Ticket
from tickets.rules import excerpts
from tickets.rules.events import EVENTS, Audience, Verb

MOST_QUOTED = 200_000  # characters of all messages in one email


def tells_of_many(notifications: list[Notification]) -> bool:
    """Whether an email with these rows is about more than one action."""
    first = notifications[0]
    return first.is_digest or len({row.activity.batch for row in notifications if row.activity_id}) > 1


def letter(notifications: list[Notification]) -> DigestLetter:
    """The number of queries grows with the tickets, not with the changes."""
    first = notifications[0]
    sections = _sections(notifications)
    _shorten(sections)
    found = DigestLetter(
        folder="digest",
        person=first.person,
        is_daily=first.is_digest,
        number=first.ticket_id,
        sections=sections,
        foot_links=[threads.choose_link()],
        reason=_("You receive it once a day because you chose a daily digest.")
        if first.is_digest
        else _("You are receiving this email because %(why)s.") % {"why": Audience(first.reason).label},
    )
    if len(sections) > 1:
        return found
    internal = any(is_internal(row.activity.verb, row.activity.changes) for row in notifications)
    headers = threads.headers(first, internal=internal)
    found = replace(found, thread_subject=threads.subject(first.ticket_id), headers=headers)
    return _about_one_ticket(found, first, internal=internal) if sections[0].url else found


def _about_one_ticket(letter: DigestLetter, first: Notification, *, internal: bool) -> DigestLetter:
    """Adds reply address and unsubscribe link. If one change is internal, a reply becomes a note."""
    reply_to = threads.reply_to(first, internal=internal)
    return replace(
        letter,
        headers=letter.headers | threads.unsubscribe(first),
        foot_links=threads.foot_links(first),
        reply_to=reply_to,
        foot=threads.what_becomes_of_answers(internal=internal) if reply_to else (),
    )


def _sections(notifications: list[Notification]) -> list[Section]:
    rows = [row.activity for row in notifications]
    by_number = Ticket.objects.select_related("merged_into").in_bulk({row.ticket_id for row in rows})
    spoken = SentenceBuilder(rows, reader=notifications[0].person)
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
        sections.append(Section(title, url, [act for act in acts if act.sentences]))
    return sections


def _shorten(sections: list[Section]) -> None:
    """Shortens long messages after MOST_QUOTED characters. The ticket's page shows them in full."""
    left = MOST_QUOTED
    for sentences in (act.sentences for section in sections for act in section.acts):
        for place, sentence in enumerate(sentences):
            left -= len(sentence.quote)
            if left < 0 and len(sentence.quote) > excerpts.BEGINNING:
                rest = _("See the full message on the ticket page.")
                beginning = excerpts.beginning(sentence.quote)
                sentences[place] = replace(sentence, quote=f"{beginning}\n\n{rest}")


def _act(
    rows: list[ActivityLog], ticket: Ticket | None, spoken: SentenceBuilder, said: dict[str, Comment]
) -> DigestAct:
    moment = date_format(timezone.localtime(rows[0].recorded_at), "DATETIME_FORMAT")
    return DigestAct(moment, [sentence for row in rows for sentence in _sentences(row, ticket, spoken, said)])


def _sentences(
    row: ActivityLog, ticket: Ticket | None, spoken: SentenceBuilder, said: dict[str, Comment]
) -> list[Sentence]:
    sentences = [Sentence(text) for text in spoken.sentences(row)]
    if EVENTS[row.verb].says:
        comment = said.get(row.changes["key"][1])
        if comment is None:  # its author undid it, or its ticket was deleted
            return []
        names = ", ".join(file.name for file in comment.attachments.all())
        return [Sentence(sentences[0].text, comment.body, names)]
    if row.verb == Verb.CREATED and ticket and ticket.requester_id != spoken.reader.pk:
        sentences[-1] = Sentence(sentences[-1].text, ticket.description)
    return sentences


def _said(rows: list[ActivityLog]) -> dict[str, Comment]:
    keys = [row.changes["key"][1] for row in rows if EVENTS[row.verb].says]
    comments = Comment.objects.filter(ticket__in={row.ticket_id for row in rows}, key__in=keys)
    return {str(comment.key): comment for comment in comments.prefetch_related("attachments")}
