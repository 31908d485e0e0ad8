"""Turns the raw bytes of a mail into what we keep of it. Pure.

The world's mail is broken in every way, so nothing here trusts a header, a charset or a boundary.
"""

import mimetypes
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Policy, compat32
from email.utils import collapse_rfc2231_value, parsedate_to_datetime
from typing import Any

from tickets.inbound import plain_text, quoting, winmail
from tickets.inbound.limits import MAX_HEADER_BYTES, MAX_LEVELS, MAX_PARTS, TooComplex, check_size
from tickets.inbound.nature import Nature, nature_of

__all__ = ["Mail", "MailFile", "Nature", "TooComplex", "check_size", "parse"]

MAX_HEADER = 4000
MAX_CONTENT_HEADER = 2000
MAX_FILE_NAME = 250
MAX_RECIPIENTS = 100
MAX_REFERENCES = 100
MAX_NAME = 150
MAX_ADDRESS = 254
YEARS = range(1970, 2200)
RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,190}")
BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:()]+")
QUOTED = re.compile(r'"[^"]*"')
COMMENT = re.compile(r"\([^()]*\)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Signatures and keys of the cryptography around a mail, not files that somebody attached.
NOT_FILES = {
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
    "application/pgp-encrypted",
    "application/applefile",
    "message/delivery-status",
    "message/disposition-notification",
    "text/rfc822-headers",
    "text/x-amp-html",
}
TEXTS = {"text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"}
TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
SUFFIXES = {"image/jpeg": ".jpg", "text/plain": ".txt"}  # where the machine's own table may differ
# What the standard library raises over broken mail.
BROKEN = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MessageError)


@dataclass(frozen=True)
class MailFile:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    message_id: str  # "<...>", or "" where it is absent or senseless
    references: tuple[str, ...]  # of In-Reply-To and References
    sender: str  # one address in lower case, or "" where From names none or several
    sender_name: str
    recipients: tuple[str, ...]  # in lower case, at most MAX_RECIPIENTS
    subject: str  # one line, or ""
    sent_at: datetime | None  # aware
    text: str
    reply: str  # what is new in the text; never empty where the text is not
    html: str  # as it came, or ""
    files: tuple[MailFile, ...]
    nature: Nature
    why: str  # the header or part that shows the nature; "" for a person
    headers: tuple[tuple[str, str], ...]  # all from the top; encoded words stay so, they could forge a proof


def parse(raw: bytes) -> Mail:
    """Raises TooComplex and nothing else, whatever the bytes."""
    check_size(raw)
    message = message_from_bytes(raw, policy=compat32.clone(message_factory=_counting_factory()))
    body = _Body()
    body.read(message, level=1)
    sender_name, sender = _sender(message)
    subject = plain_text.one_line(_first(message, "Subject"), MAX_NAME)
    # An answer to an invitation says in its subject what it has to say.
    text = body.text() or (subject if "text/calendar" in body.types else "")
    references = tuple(_identifiers(message, "In-Reply-To", "References"))[:MAX_REFERENCES]
    nature, why = nature_of(
        lambda name: _first(message, name),
        sender=sender,
        types=body.types,
        report=_report(message),
    )
    return Mail(
        message_id=next(iter(_identifiers(message, "Message-ID")), ""),
        references=references,
        sender=sender,
        sender_name=sender_name,
        recipients=tuple(_recipients(message))[:MAX_RECIPIENTS],
        subject=subject,
        sent_at=_date(_first(message, "Date")),
        text=text,
        reply=quoting.new_words(text, is_answer=quoting.is_answer(subject, references)),
        html="\n".join(body.htmls),
        files=tuple(body.files),
        nature=nature,
        why=plain_text.one_line(why, MAX_NAME),
        headers=tuple(
            (plain_text.one_line(name, 100), plain_text.one_line(_text(str(value)), MAX_HEADER_BYTES))
            for name, value in message.raw_items()
        ),
    )


def _report(message: Message) -> str:
    """The kind of a multipart/report; "" where it is none."""
    if message.get_content_type() != "multipart/report":
        return ""
    return _parameter(message, "report-type").lower() or "unknown"


def _counting_factory() -> Callable[..., Message]:
    """Stops the parser at boundaries that check_size did not see. A part may hold one message of its own."""
    count = 0

    def part(policy: Policy = compat32) -> Message:
        nonlocal count
        count += 1
        if count > 2 * MAX_PARTS:
            raise TooComplex(f"The mail has more than {MAX_PARTS} parts.")
        return _Part(policy=policy)

    return part


class _Part(Message):
    def set_raw(self, name: str, value: str) -> None:
        """Cuts what the library takes quadratic time over; reads names that were sent as bare bytes."""
        if name.lower().startswith("content-"):
            value = _text(value[:MAX_CONTENT_HEADER])
        super().set_raw(name, value)

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """As if absent where the library stumbles over it: the parser asks too, for the boundary."""
        try:
            return super().get_param(param, failobj, header, unquote)
        except BROKEN:
            return failobj


class _Body:
    """The texts and files of all parts, in their order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.htmls: list[str] = []
        self.files: list[MailFile] = []
        self.types: set[str] = set()

    def text(self) -> str:
        return "\n\n".join(text for text in self.texts if text.strip())

    def read(self, part: Message, *, level: int) -> None:
        if level > MAX_LEVELS:
            raise TooComplex(f"The mail is nested more than {MAX_LEVELS} levels deep.")
        if sum(len(name) + len(value) for name, value in part.raw_items()) > MAX_HEADER_BYTES:
            raise TooComplex(f"The headers are larger than {MAX_HEADER_BYTES // 1024} KB.")
        kind = part.get_content_type()
        self.types.add(kind)
        if kind.startswith("message/") and part.is_multipart() and kind not in NOT_FILES:
            self._add_message(part.get_payload(0), level=level)
        elif kind in NOT_FILES or _is_calendar_answer(part, kind):
            return
        elif kind == "multipart/alternative" and part.is_multipart():
            self._add_alternatives(part, level=level)
        elif part.is_multipart():
            for inner in part.get_payload():
                self.read(inner, level=level + 1)
        elif (kind in TEXTS or kind.startswith("multipart/")) and not _is_file(part):
            self._add_text(part, kind)
        elif kind in TNEF or _file_name(part).lower() == "winmail.dat":
            self._add_winmail(part)
        else:
            self._add_file(_file_name(part), kind, _content(part))

    def _add_alternatives(self, part: Message, *, level: int) -> None:
        """Parts that say the same: the plain one is the text, where it has words."""
        variants = []
        for inner in part.get_payload():
            variant = _Body()
            variant.read(inner, level=level + 1)
            variants.append(variant)
            self.types |= variant.types
            self.htmls += variant.htmls
            for file in variant.files:
                self._add_file(file.name, file.content_type, file.content)
        variants.sort(key=lambda variant: bool(variant.htmls))
        self.texts.append(next((text for variant in variants if (text := variant.text())), ""))

    def _add_message(self, message: Message, *, level: int) -> None:
        _Body().read(message, level=level + 1)  # for its limits
        try:
            content = message.as_bytes(policy=message.policy.clone(max_line_length=0))
        except BROKEN:
            content = b""
        subject = plain_text.one_line(_first(message, "Subject"), 100).replace("/", "_").replace("\\", "_")
        self._add_file(f"{subject.strip(' .') or 'message'}.eml", "message/rfc822", content)

    def _add_text(self, part: Message, kind: str) -> None:
        text = plain_text.decode(_content(part), _parameter(part, "charset"))
        if kind == "text/html":
            self.htmls.append(text)
            text = plain_text.from_html(text)
        elif _parameter(part, "format").lower() == "flowed":
            text = plain_text.unflow(text, deletes_space=_parameter(part, "delsp").lower() == "yes")
        self.texts.append(text.strip("\n"))

    def _add_winmail(self, part: Message) -> None:
        content = _content(part)
        wrapped = winmail.attachments(content)
        for name, inner in wrapped:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._add_file(_clean_name(name), kind, inner)
        if not wrapped:
            self._add_file("winmail.dat", TNEF[0], content)

    def _add_file(self, name: str, kind: str, content: bytes) -> None:
        if not name:
            name = "invite.ics" if kind == "text/calendar" else f"{kind.partition('/')[0]}{_suffix(kind)}"
        is_new = all((file.name, file.content) != (name, content) for file in self.files)
        if content and is_new:  # invitations often come twice
            self.files.append(MailFile(name, kind, content))


def _is_calendar_answer(part: Message, kind: str) -> bool:
    return kind == "text/calendar" and _parameter(part, "method").lower() == "reply"


def _suffix(kind: str) -> str:
    return SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or ""


def _content(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except BROKEN:
        content = None
    return content if isinstance(content, bytes) else str(part.get_payload()).encode("utf-8", "replace")


def _parameter(part: Message, name: str, header: str = "content-type") -> str:
    try:
        return collapse_rfc2231_value(part.get_param(name, "", header)).strip()
    except BROKEN:
        return ""


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_file_name(part))


def _file_name(part: Message) -> str:
    name = _parameter(part, "filename", "content-disposition") or _parameter(part, "name")
    return _clean_name(_decoded(name))


def _clean_name(name: str) -> str:
    """Without folders."""
    return plain_text.one_line(name, MAX_FILE_NAME).replace("\\", "/").rpartition("/")[2].strip(" .")


def _text(value: str) -> str:
    """A header whose bytes are no ASCII comes with surrogates; folded lines become one."""
    return plain_text.decode(value.encode("utf-8", "surrogateescape")).replace("\n", "")


def _decoded(value: str) -> str:
    """A header in one line, its encoded words (RFC 2047) as letters."""
    text = _text(value[:MAX_HEADER])
    if "=?" in text and text.isascii():
        try:
            words = decode_header(text)
        except BROKEN:
            words = []
        text = "".join(_word(*word) for word in words) or text
    return plain_text.one_line(text, MAX_HEADER)


def _word(word: str | bytes, charset: str | None) -> str:
    return word if isinstance(word, str) else plain_text.decode(word, (charset or "").partition("*")[0])


def _values(message: Message, *names: str) -> Iterator[str]:
    for wanted in names:
        for name, value in message.raw_items():
            if name.lower() == wanted.lower():
                yield str(value)


def _first(message: Message, name: str) -> str:
    return _decoded(next(_values(message, name), ""))


def _identifiers(message: Message, *names: str) -> list[str]:
    found = [
        identifier for value in _values(message, *names) for identifier in MESSAGE_ID.findall(_text(value))
    ]
    return list(dict.fromkeys(found))


def _sender(message: Message) -> tuple[str, str]:
    """Name and address; no address where it is not plain who writes."""
    values = list(_values(message, "From"))
    if len(values) != 1:
        return "", ""
    value = values[0].replace("\r", "").replace("\n", "")
    name, address = _mailbox(_text(value)) if not CONTROL.search(value) else (value, "")
    return plain_text.one_line(_decoded(name.strip(' "')).replace('\\"', '"').strip(' "'), MAX_NAME), address


def _mailbox(value: str) -> tuple[str, str]:
    """The parts of `Name <address>` and `address (Name)`. The standard library guesses where we refuse."""
    bare = QUOTED.sub(lambda quoted: "x" * len(quoted[0]), value)
    name, opening, rest = bare.partition("<")
    if opening:
        address, _closing, after = rest.partition(">")
        is_one = not after.strip() and not ("," in name and "@" in name)
        name = value[: len(name)]
    else:
        address, is_one = COMMENT.sub("", bare), True
        name = " ".join(comment[1:-1] for comment in COMMENT.findall(value))
    written = address.strip()
    address = written.lower()
    # The lower case of a sign like the Kelvin is a letter, and so another's address.
    is_one = is_one and written.isascii() == address.isascii()
    is_valid = is_one and len(address) <= MAX_ADDRESS and ADDRESS.fullmatch(address)
    return name, address if is_valid else ""


def _recipients(message: Message) -> list[str]:
    found: dict[str, None] = {}
    for value in _values(message, *RECIPIENT_HEADERS):
        for word in BETWEEN_ADDRESSES.split(QUOTED.sub(" ", _text(value))):
            if ADDRESS.fullmatch(word):
                found[word.lower()] = None
    return list(found)


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except BROKEN:
        return None
    if moment.year not in YEARS:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
