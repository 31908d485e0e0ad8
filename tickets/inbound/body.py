"""Reads the texts and files of a mail's parts. Pure and linear."""

import mimetypes
from dataclasses import dataclass
from email.message import Message
from functools import cached_property

from tickets.inbound import plain_text, winmail
from tickets.inbound.headers import BROKEN, clean_name, file_name, first, parameter
from tickets.inbound.limits import MAX_FILES, TooComplex
from tickets.inbound.plain_text import Allowance

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


@dataclass(frozen=True)
class MailFile:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Passage:
    """The text of one part. HTML is turned into words only where no plain text says the same."""

    content: str
    is_html: bool
    is_cut: bool

    @cached_property
    def words(self) -> str:
        return (plain_text.from_html(self.content) if self.is_html else self.content).strip("\n")


class Body:
    """The texts and files of all parts, in their order; all together take from one allowance."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.passages: list[Passage] = []
        self.htmls: list[str] = []
        self.files: list[MailFile] = []
        self.types: set[str] = set()
        self._known: set[tuple[str, bytes]] = set()

    @property
    def text(self) -> str:
        return "\n\n".join(passage.words for passage in self.passages if passage.words.strip())

    @property
    def is_cut(self) -> bool:
        """Whether the text is not all that the mail says."""
        return any(passage.is_cut for passage in self.passages)

    def read(self, part: Message) -> None:
        kind = part.get_content_type()
        self.types.add(kind)
        if kind.startswith("message/") and part.is_multipart() and kind not in NOT_FILES:
            self._add_message(part.get_payload(0))
        elif kind in NOT_FILES or _is_calendar_answer(part, kind):
            return
        elif kind == "multipart/alternative" and part.is_multipart():
            self._add_alternatives(part)
        elif part.is_multipart():
            for inner in part.get_payload():
                self.read(inner)
        elif (kind in TEXTS or kind.startswith("multipart/")) and not _is_file(part):
            self._add_text(part, kind)
        elif kind in TNEF or file_name(part).lower() == "winmail.dat":
            self._add_winmail(part)
        else:
            self._add_file(file_name(part), kind, _content(part))

    def _add_alternatives(self, part: Message) -> None:
        """Parts that say the same: the plain one is the text, where it has words."""
        variants = []
        # The plain one is read first, so that HTML can't use up its allowance.
        for inner in sorted(part.get_payload(), key=lambda inner: inner.get_content_type() == "text/html"):
            variant = Body(self.allowance)
            variant.read(inner)
            variants.append(variant)
            self.types |= variant.types
            self.htmls += variant.htmls
            for file in variant.files:
                self._add_file(file.name, file.content_type, file.content)
        variants.sort(key=lambda variant: bool(variant.htmls))
        self.passages += next((variant.passages for variant in variants if variant.text), [])

    def _add_message(self, message: Message) -> None:
        try:
            content = message.as_bytes(policy=message.policy.clone(max_line_length=0))
        except BROKEN:
            content = b""
        subject = plain_text.one_line(first(message, "Subject"), 100).replace("/", "_").replace("\\", "_")
        self._add_file(f"{subject.strip(' .') or 'message'}.eml", "message/rfc822", content)

    def _add_text(self, part: Message, kind: str) -> None:
        text, is_cut = self.allowance.read(_content(part), parameter(part, "charset"))
        is_html = kind == "text/html"
        if is_html:
            self.htmls.append(text)
        elif parameter(part, "format").lower() == "flowed":
            text = plain_text.unflow(text, deletes_space=parameter(part, "delsp").lower() == "yes")
        self.passages.append(Passage(text, is_html=is_html, is_cut=is_cut))

    def _add_winmail(self, part: Message) -> None:
        content = _content(part)
        wrapped = winmail.attachments(content)
        for name, inner in wrapped:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._add_file(clean_name(name), kind, inner)
        if not wrapped:
            self._add_file("winmail.dat", TNEF[0], content)

    def _add_file(self, name: str, kind: str, content: bytes) -> None:
        if not name:
            name = "invite.ics" if kind == "text/calendar" else f"{kind.partition('/')[0]}{_suffix(kind)}"
        if not content or (name, content) in self._known:  # invitations often come twice
            return
        self._known.add((name, content))
        self.files.append(MailFile(name, kind, content))
        if len(self.files) > MAX_FILES:
            raise TooComplex(f"The mail has more than {MAX_FILES} files.")


def _is_calendar_answer(part: Message, kind: str) -> bool:
    return kind == "text/calendar" and parameter(part, "method").lower() == "reply"


def _suffix(kind: str) -> str:
    return SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or ""


def _content(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except BROKEN:
        content = None
    return content if isinstance(content, bytes) else str(part.get_payload()).encode("utf-8", "replace")


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(file_name(part))
