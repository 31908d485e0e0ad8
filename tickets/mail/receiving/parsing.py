"""Parses a raw message (RFC 5322, MIME) into a Mail. Pure.

Real messages are broken in many ways, so the parser trusts no header, charset or boundary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.feedparser import BytesFeedParser
from email.message import Message
from email.policy import Policy, compat32
from typing import Any

from tickets.mail.receiving import headers, mending, plain_text, quoting
from tickets.mail.receiving.body import Body, MailFile
from tickets.mail.receiving.limits import (
    MAX_ALL_HEADERS,
    MAX_CHARACTERS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LEVELS,
    MAX_PARTS,
    TooComplex,
    check_size,
)
from tickets.mail.receiving.nature import Nature, is_absence_note, nature_of
from tickets.mail.receiving.plain_text import Allowance

__all__ = ["Mail", "MailFile", "Nature", "TooComplex", "check_size", "parse"]

PIECE = 64 * 1024  # bytes that are parsed at a time
MAX_CONTENT_HEADER = 2000
MAX_RECIPIENTS = 100
MAX_REFERENCES = 100


@dataclass(frozen=True)
class Mail:
    message_id: str  # "<...>", or "" if it is absent or invalid
    references: tuple[str, ...]  # of In-Reply-To and References
    sender: str  # one address in lower case, or "" if From has none or several
    sender_name: str
    recipients: tuple[str, ...]  # in lower case, at most MAX_RECIPIENTS, as the next two
    to: tuple[str, ...]  # those in To
    copied: tuple[str, ...]  # those in Cc
    subject: str  # one line that is short enough for a ticket, or ""
    whole_subject: str  # one line
    sent_at: datetime | None  # aware
    text: str
    is_cut: bool  # whether the text is cut off
    reply: str  # the text without quotations; not empty unless the text is
    html: str  # unchanged, or ""
    files: tuple[MailFile, ...]
    nature: Nature
    why: str  # the header or part that shows the nature; "" for a person
    headers: tuple[tuple[str, str], ...]  # all, from the top; not decoded, because that could forge a result


def parse(raw: bytes) -> Mail:
    """Raises TooComplex and nothing else, whatever the bytes."""
    boundaries = check_size(raw)
    message = _message(mending.mended(raw, boundaries), mending.bare_charset(raw))
    body = Body(Allowance(MAX_CHARACTERS))
    body.read(message)
    sender_name, sender = headers.sender(message)
    whole_subject = headers.first(message, "Subject")
    subject = headers.shortened(whole_subject)
    text = body.text
    if "text/calendar" in body.types and not body.words and subject not in text:
        # The reply to an invitation has its answer in the subject.
        text = f"{subject}\n\n{text}".rstrip()
    is_cut = body.is_cut or len(text) > MAX_CHARACTERS  # text from HTML may be longer than the HTML
    text = text[:MAX_CHARACTERS]
    references = tuple(headers.identifiers(message, "In-Reply-To", "References"))[:MAX_REFERENCES]
    nature, why = nature_of(
        lambda name: headers.first(message, name),
        sender=sender,
        types=body.types,
        report=_report(message),
    )
    if nature == Nature.HUMAN and is_absence_note(subject, references, text):
        nature, why = Nature.AUTOMATIC, f"Subject: {subject}"
    return Mail(
        message_id=next(iter(headers.identifiers(message, "Message-ID")), ""),
        references=references,
        sender=sender,
        sender_name=sender_name,
        recipients=tuple(headers.recipients(message))[:MAX_RECIPIENTS],
        to=tuple(headers.addresses_in(message, "To"))[:MAX_RECIPIENTS],
        copied=tuple(headers.addresses_in(message, "Cc"))[:MAX_RECIPIENTS],
        subject=subject,
        whole_subject=whole_subject,
        sent_at=headers.moment(headers.first(message, "Date")),
        text=text,
        is_cut=is_cut,
        reply=quoting.new_words(text, is_answer=quoting.is_answer(subject, references)),
        html="\n".join(body.htmls),
        files=tuple(body.files),
        nature=nature,
        why=plain_text.one_line(why, headers.MAX_NAME),
        headers=tuple(
            (plain_text.one_line(name, 100), " ".join(headers.unfolded(str(value)).split()))
            for name, value in message.raw_items()
        ),
    )


def _message(raw: bytes, charset: str) -> Message:
    """As message_from_bytes() makes it, which takes twice as long: it copies the whole mail several times."""
    parser = BytesFeedParser(policy=compat32.clone(message_factory=_limited_factory(charset)))
    for start in range(0, len(raw), PIECE):
        parser.feed(raw[start : start + PIECE])
    return parser.close()


def _report(message: Message) -> str:
    """The report-type of a multipart/report; "" for other types."""
    if message.get_content_type() != "multipart/report":
        return ""
    return headers.parameter(message, "report-type").lower() or "unknown"


def _limited_factory(charset: str) -> Callable[..., Message]:
    """Limits the number of parts for boundaries that check_size() missed. A part may contain a message."""
    counted = _Counted()

    def make(policy: Policy = compat32) -> Message:
        counted.parts += 1
        if counted.parts > 2 * MAX_PARTS:
            raise TooComplex(f"The mail has more than {MAX_PARTS} parts.")
        part = _Part(policy=policy)
        part.bare_charset, part.counted = charset, counted
        return part

    return make


@dataclass
class _Counted:
    """In all parts of a mail together."""

    parts: int = 0
    headers: int = 0


class _Part(Message):
    """Counts headers and levels during parsing, because the standard library searches all headers for each
    header, and reads each line once per level."""

    level = 1
    header_count = header_bytes = 0
    bare_charset = ""  # of bytes in headers
    counted: _Counted

    def attach(self, payload: Any) -> None:
        payload.level = self.level + 1
        if payload.level > MAX_LEVELS:
            raise TooComplex(f"The mail is nested more than {MAX_LEVELS} levels deep.")
        super().attach(payload)

    def set_raw(self, name: str, value: str) -> None:
        """Cuts headers that the library parses in quadratic time, and decodes unencoded bytes."""
        self.header_count += 1
        self.counted.headers += 1
        self.header_bytes += len(name) + len(value)
        if self.header_count > MAX_HEADERS:
            raise TooComplex(f"The mail has more than {MAX_HEADERS} headers.")
        if self.counted.headers > MAX_ALL_HEADERS:
            raise TooComplex(f"The mail has more than {MAX_ALL_HEADERS} headers.")
        if self.header_bytes > MAX_HEADER_BYTES:
            raise TooComplex(f"The headers are larger than {MAX_HEADER_BYTES // 1024} KB.")
        if name.lower().startswith("content-"):
            value = headers.unfolded(value[:MAX_CONTENT_HEADER], self.bare_charset)
            value = mending.mended_header(name, value)
        super().set_raw(name, value)

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """Treats an invalid parameter as absent. The parser reads the boundary with it."""
        try:
            return super().get_param(param, failobj, header, unquote)
        except headers.BROKEN:
            return failobj
