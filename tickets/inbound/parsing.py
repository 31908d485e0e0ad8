"""Turns the raw bytes of a mail into what we keep of it. Pure.

The world's mail is broken in every way, so nothing here trusts a header, a charset or a boundary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import Policy, compat32
from typing import Any

from tickets.inbound import headers, mending, plain_text, quoting
from tickets.inbound.body import Body, MailFile
from tickets.inbound.limits import (
    MAX_CHARACTERS,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LEVELS,
    MAX_PARTS,
    TooComplex,
    check_size,
)
from tickets.inbound.nature import Nature, is_absence_note, nature_of
from tickets.inbound.plain_text import Allowance

__all__ = ["Mail", "MailFile", "Nature", "TooComplex", "check_size", "parse"]

MAX_CONTENT_HEADER = 2000
MAX_RECIPIENTS = 100
MAX_REFERENCES = 100


@dataclass(frozen=True)
class Mail:
    message_id: str  # "<...>", or "" where it is absent or senseless
    references: tuple[str, ...]  # of In-Reply-To and References
    sender: str  # one address in lower case, or "" where From names none or several
    sender_name: str
    recipients: tuple[str, ...]  # in lower case, at most MAX_RECIPIENTS
    subject: str  # one line that is short enough for a ticket, or ""
    whole_subject: str  # one line
    sent_at: datetime | None  # aware
    text: str
    is_cut: bool  # whether the text is not all that the mail says
    reply: str  # what is new in the text; never empty where the text is not
    html: str  # as it came, or ""
    files: tuple[MailFile, ...]
    nature: Nature
    why: str  # the header or part that shows the nature; "" for a person
    headers: tuple[tuple[str, str], ...]  # all from the top; encoded words stay so, they could forge a proof


def parse(raw: bytes) -> Mail:
    """Raises TooComplex and nothing else, whatever the bytes."""
    check_size(raw)
    factory = _limited_factory(mending.bare_charset(raw))
    message = message_from_bytes(mending.mended(raw), policy=compat32.clone(message_factory=factory))
    body = Body(Allowance(MAX_CHARACTERS))
    body.read(message)
    sender_name, sender = headers.sender(message)
    whole_subject = headers.first(message, "Subject")
    subject = headers.shortened(whole_subject)
    # An answer to an invitation says in its subject what it has to say.
    text = body.text or (subject if "text/calendar" in body.types else "")
    is_cut = body.is_cut or len(text) > MAX_CHARACTERS  # HTML quotes with one sign, plain text line by line
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


def _report(message: Message) -> str:
    """The kind of a multipart/report; "" where it is none."""
    if message.get_content_type() != "multipart/report":
        return ""
    return headers.parameter(message, "report-type").lower() or "unknown"


def _limited_factory(charset: str) -> Callable[..., Message]:
    """Stops the parser at boundaries that check_size did not see. A part may hold one message of its own."""
    count = 0

    def make(policy: Policy = compat32) -> Message:
        nonlocal count
        count += 1
        if count > 2 * MAX_PARTS:
            raise TooComplex(f"The mail has more than {MAX_PARTS} parts.")
        part = _Part(policy=policy)
        part.bare_charset = charset
        return part

    return make


class _Part(Message):
    """Counts while the library parses. The library looks through all headers for each, and reads each line
    once for every level."""

    level = 1
    header_count = header_bytes = 0
    bare_charset = ""  # of bytes in headers

    def attach(self, payload: Any) -> None:
        payload.level = self.level + 1
        if payload.level > MAX_LEVELS:
            raise TooComplex(f"The mail is nested more than {MAX_LEVELS} levels deep.")
        super().attach(payload)

    def set_raw(self, name: str, value: str) -> None:
        """Cuts what the library takes quadratic time over; reads names that were sent as bare bytes."""
        self.header_count += 1
        self.header_bytes += len(name) + len(value)
        if self.header_count > MAX_HEADERS:
            raise TooComplex(f"The mail has more than {MAX_HEADERS} headers.")
        if self.header_bytes > MAX_HEADER_BYTES:
            raise TooComplex(f"The headers are larger than {MAX_HEADER_BYTES // 1024} KB.")
        if name.lower().startswith("content-"):
            value = headers.unfolded(value[:MAX_CONTENT_HEADER], self.bare_charset)
            value = mending.mended_header(name, value)
        super().set_raw(name, value)

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """As if absent where the library stumbles over it: the parser asks too, for the boundary."""
        try:
            return super().get_param(param, failobj, header, unquote)
        except headers.BROKEN:
            return failobj
