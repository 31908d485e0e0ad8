"""A letter: the content of one email, before messages.build() makes a message of it.

The text comes from the templates in templates/emails/<folder>/; templates/emails/layout.* combine them. Both
get the letter as `letter`. Each subclass adds the fields that its templates need.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string

from accounts.models import User
from tickets.history import timeline
from tickets.models import ActivityLog, Category, Comment, Ticket


class Link(NamedTuple):
    text: str
    url: str


class Question(NamedTuple):
    """A question in an email, with buttons as answers."""

    text: str
    answers: Sequence[Link]


@dataclass(frozen=True)
class Sentence:
    """One change as a sentence, with the message and file names that belong to it."""

    text: str
    quote: str = ""
    files: str = ""


class Number(NamedTuple):
    """A figure of a report, compared in words with the period before."""

    label: str
    value: str
    comparison: str


@dataclass(frozen=True)
class DigestAct:
    """The changes of one action."""

    when: str
    sentences: list[Sentence]


@dataclass(frozen=True)
class Section:
    """The part of a digest about one ticket."""

    title: str
    url: str
    acts: Sequence[DigestAct] = ()


@dataclass(frozen=True, kw_only=True)
class Letter:
    folder: str
    reason: str  # why the person gets it
    person: User | None = None
    thread_subject: str = ""  # the Subject of all emails about one ticket; "" takes the heading
    headers: dict[str, str] = field(default_factory=dict)
    reply_to: Sequence[str] = ()
    own_text: str = ""  # replaces the body template
    quote: str = ""
    numbers: Sequence[Number] = ()
    sections: Sequence[Section] = ()
    question: Question | None = None
    url: str = ""  # the target of the button
    foot: Sequence[str] = ()  # above the reason
    foot_links: Sequence[Link] = ()

    @property
    def language(self) -> str:
        return settings.LANGUAGE_CODE

    @property
    def sender(self) -> str:
        return settings.SITE_NAME

    @property
    def subject(self) -> str:
        return self.thread_subject or self.heading

    @cached_property
    def heading(self) -> str:
        return self._words("subject")

    @cached_property
    def paragraphs(self) -> list[str]:
        return paragraphs_of(self._words("body"))

    @property
    def afterwards(self) -> list[str]:
        """The paragraphs below the quotation."""
        return []

    @cached_property
    def buttons(self) -> Sequence[Link]:
        """The answers to the question; without a question, a link to the page."""
        return self.question.answers if self.question else self._page

    @property
    def links(self) -> Sequence[Link]:
        """The links below the buttons."""
        return self._page if self.question else ()

    @cached_property
    def _page(self) -> Sequence[Link]:
        return [Link(self._words("button"), self.url)] if self.url else []

    def _words(self, name: str) -> str:
        return render_to_string(f"emails/{self.folder}/{name}.txt", {"letter": self}).strip()


def paragraphs_of(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


@dataclass(frozen=True, kw_only=True)
class AccountLetter(Letter):
    """About the account of its reader."""

    reset_url: str


@dataclass(frozen=True, kw_only=True)
class QuestionLetter(Letter):
    """Asks whether its reader sent an email from another address."""

    sender_address: str


@dataclass(frozen=True, kw_only=True)
class TicketLetter(Letter):
    """About one action on one ticket."""

    number: int
    ticket: Ticket | None  # None: the ticket was deleted
    is_own: bool  # whether the reader is the requester
    activities: Sequence[ActivityLog]  # the changes that become sentences
    comment: Comment | None = None  # the message of this action
    files: Sequence[str] = ()
    why: str = ""  # why the ticket is assigned to the reader

    moved_from: Category | None = None
    closes_on: date | None = None
    reset_url: str

    @property
    def says_done(self) -> bool:
        """Whether the ticket is done and not merged."""
        return self.ticket is not None and self.ticket.is_done and not self.ticket.is_merged

    @cached_property
    def sentences(self) -> list[str]:
        """The changes as sentences. Costs a query for names, and only some templates use it."""
        return timeline.sentences(self.activities, reader=self.person)

    @cached_property
    def afterwards(self) -> list[str]:
        return paragraphs_of(self._words("after")) if self.comment else []


@dataclass(frozen=True, kw_only=True)
class DigestLetter(Letter):
    """About many changes."""

    is_daily: bool
    number: int | None  # the number of the first ticket

    @property
    def count(self) -> int:
        return len(self.sections)


@dataclass(frozen=True, kw_only=True)
class HandoverLetter(Letter):
    """About tickets that were handed over from another person."""

    person_before: User
    has_left: bool
    is_yours: bool
    count: int
    more: int  # tickets that are not listed

    @cached_property
    def afterwards(self) -> list[str]:
        return paragraphs_of(self._words("after"))


@dataclass(frozen=True, kw_only=True)
class WeeklyReportLetter(Letter):
    """About the tickets of a week."""

    first: date
    last: date
