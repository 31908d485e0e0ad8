"""Reads the texts and files of a mail's parts. Pure and linear."""

import mimetypes
import re
from dataclasses import dataclass
from email.message import Message
from functools import cached_property

from tickets.inbound import embedded, plain_text, winmail
from tickets.inbound.files import Files, MailFile
from tickets.inbound.headers import BROKEN, clean_name, file_name, first, parameter
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
HTML = ("text/html", "application/xhtml+xml")
# Texts for programs. All others are for people, whatever they are called.
FOR_PROGRAMS = (
    "text/calendar",
    "text/x-vcalendar",
    "text/vcard",
    "text/x-vcard",
    "text/directory",
    "text/rtf",
)
UNKNOWN = "application/octet-stream"
TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
# What programs call a text that has no name.
NO_NAME = re.compile(
    r"(?i)(att\d+|noname|unnamed|untitled|text|part[\d.]*|message|body|mime-attachment)(\.\w{1,5})?"
)
# What only a program says where the HTML says it all.
STUB = re.compile(
    r"(?is)(?=.*\bhtml\b).*(requires?|support|view|display|enable|format|client|program|browser|unterstütz"
    r"|anzeig|ansehen|affich|charge|visuali|compat)"
)
LONGEST_STUB = 300
# Letters that nobody sees: spaces, joiners, fillers.
BLANK = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufffc]*"
)


@dataclass(frozen=True)
class Passage:
    """The text of one part. HTML is turned into words only where no plain text says the same."""

    content: str
    is_html: bool
    is_cut: bool

    @cached_property
    def words(self) -> str:
        return (plain_text.from_html(self.content) if self.is_html else self.content).strip("\n")

    @property
    def is_blank(self) -> bool:
        return BLANK.fullmatch(self.words) is not None


class Body:
    """The texts and files of all parts, in their order; all together take from one allowance."""

    def __init__(self, allowance: Allowance, files: Files | None = None) -> None:
        self.allowance = allowance
        self.passages: list[Passage] = []
        self.htmls: list[str] = []
        self.types: set[str] = set()
        self.found = Files() if files is None else files
        self.shown: set[str] = set()  # the Content-IDs of pictures within the HTML
        self._nameless: list[tuple[Message, str]] = []  # texts that came as files and may be all there is

    @property
    def files(self) -> list[MailFile]:
        return self.found.in_order(self.shown)

    @property
    def text(self) -> str:
        return "\n\n".join(passage.words for passage in self.passages if not passage.is_blank)

    @property
    def is_cut(self) -> bool:
        """Whether the text is not all that the mail says."""
        return any(passage.is_cut for passage in self.passages)

    @property
    def is_stub(self) -> bool:
        """Whether there are no words, or only those of a program that shows no HTML."""
        text = self.text
        return not text or (len(text) <= LONGEST_STUB and STUB.match(text) is not None)

    def read(self, message: Message) -> None:
        """Reads a whole mail. Where its only text came as a file, that is the text."""
        self._read(message)
        if not self.text and len(self._nameless) == 1:
            part, kind = self._nameless[0]
            self._add_text(part, kind)
        else:
            for part, kind in self._nameless:
                self._add_file(part, kind)

    def _read(self, part: Message) -> None:
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
                self._read(inner)
        elif _is_text(kind) and not _is_file(part):
            self._add_text(part, kind)
        elif _is_text(kind) and NO_NAME.fullmatch(file_name(part) or "noname"):
            self._nameless.append((part, kind))
        elif kind in TNEF or file_name(part).lower() == "winmail.dat":
            self._add_winmail(part)
        else:
            self._add_file(part, kind)

    def _add_alternatives(self, part: Message) -> None:
        """Parts that say the same: the plain one is the text, where it has words."""
        variants = []
        # The plain one is read first, so that HTML can't use up its allowance.
        for inner in sorted(part.get_payload(), key=lambda inner: inner.get_content_type() in HTML):
            variant = Body(self.allowance, self.found)
            variant._read(inner)
            variants.append(variant)
            self.types |= variant.types
            self.htmls += variant.htmls
            self.shown |= variant.shown
            self._nameless += variant._nameless
        variants.sort(key=lambda variant: bool(variant.htmls))
        # HTML is turned into words only where the plain text says nothing.
        best = next((variant for variant in variants if not variant.is_stub), None)
        best = best or next((variant for variant in variants if variant.text), None)
        self.passages += best.passages if best else []

    def _add_message(self, message: Message) -> None:
        try:
            content = message.as_bytes(policy=message.policy.clone(max_line_length=0))
        except BROKEN:
            content = b""
        subject = plain_text.one_line(first(message, "Subject"), 100).replace("/", "_").replace("\\", "_")
        self.found.add(f"{subject.strip(' .') or 'message'}.eml", "message/rfc822", content)

    def _add_text(self, part: Message, kind: str) -> None:
        content, is_html = _content(part), kind in HTML
        if is_html:
            self.shown |= embedded.references(content)
            content, pictures = embedded.pictures(content)
            for picture_kind, picture in pictures:
                self.found.add("", picture_kind, picture, is_inline=True)
        else:
            content, files = embedded.uuencoded(content)
            for name, file in files:
                self.found.add(clean_name(plain_text.decode(name)), UNKNOWN, file)
        text, is_cut = self.allowance.read(content, parameter(part, "charset"))
        if is_html:
            self.htmls.append(text)
        elif parameter(part, "format").lower() == "flowed":
            text = plain_text.unflow(text, deletes_space=parameter(part, "delsp").lower() == "yes")
        self.passages.append(Passage(text, is_html=is_html, is_cut=is_cut))

    def _add_winmail(self, part: Message) -> None:
        content = _content(part)
        wrapped = winmail.attachments(content)
        for name, inner in wrapped:
            self.found.add(clean_name(name), mimetypes.guess_type(name)[0] or UNKNOWN, inner)
        if not wrapped:
            self.found.add("winmail.dat", TNEF[0], content)

    def _add_file(self, part: Message, kind: str) -> None:
        cid = str(part.get("Content-ID", "")).strip("<> \t\r\n").lower()
        self.found.add(file_name(part), kind, _content(part), cid=cid)


def _is_text(kind: str) -> bool:
    is_text = kind.startswith(("text/", "multipart/")) or kind in HTML
    return is_text and kind not in FOR_PROGRAMS


def _is_calendar_answer(part: Message, kind: str) -> bool:
    return kind == "text/calendar" and parameter(part, "method").lower() == "reply"


def _content(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except BROKEN:
        content = None
    return content if isinstance(content, bytes) else str(part.get_payload()).encode("utf-8", "replace")


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(file_name(part))
