"""Reads the texts and files of a message's parts. Pure and linear."""

import mimetypes
import re
from dataclasses import dataclass, replace
from email.message import Message
from functools import cached_property

from tickets.mail.receiving import embedded, html_text, ics, invitations, plain_text, winmail, winmail_items
from tickets.mail.receiving.files import Files, MailFile
from tickets.mail.receiving.headers import BROKEN, clean_name, file_name, first, parameter
from tickets.mail.receiving.limits import Budget
from tickets.mail.receiving.plain_text import MOST_BYTES, Allowance

# Parts that are no attachments: signatures and keys, reports, alternatives for other clients.
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
# Text types for programs. All other text types are for people.
FOR_PROGRAMS = (
    "text/calendar",
    "text/x-vcalendar",
    "text/vcard",
    "text/x-vcard",
    "text/directory",
    "text/rtf",
)
CALENDARS = ("text/calendar", "application/ics", "text/x-vcalendar")
UNKNOWN = "application/octet-stream"
WINMAIL = "winmail.dat"
TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
# Names that clients give to a text without a name.
NO_NAME = re.compile(
    r"(?i)(att\d+|noname|unnamed|untitled|text|part[\d.]*|message|body|mime-attachment)(\.\w{1,5})?"
)
# Phrases of a plain text that only tells the reader to view the HTML.
STUB = re.compile(
    r"(?is)(?=.*\bhtml\b).*(requires?|support|view|display|enable|format|client|program|browser|unterstütz"
    r"|anzeig|ansehen|affich|charge|visuali|compat)"
)
LONGEST_STUB = 300
# Invisible characters: spaces, joiners, fillers.
BLANK = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufffc]*"
)


@dataclass(frozen=True)
class BodyText:
    """The text of one part. `words` converts HTML to text, and is only read if there is no plain text."""

    content: str
    is_html: bool
    is_cut: bool
    budget: Budget

    @cached_property
    def words(self) -> str:
        words = html_text.from_html(self.content, self.budget) if self.is_html else self.content
        return words.strip("\n")

    @property
    def is_blank(self) -> bool:
        return BLANK.fullmatch(self.words) is not None


class Body:
    """The texts and files of all parts, in order. All parts share one allowance."""

    def __init__(
        self, allowance: Allowance, files: Files | None = None, budget: Budget | None = None
    ) -> None:
        self.allowance = allowance
        self.budget = Budget() if budget is None else budget
        self.passages: list[BodyText] = []
        self.invitations: list[str] = []  # as text, which comes first
        self.htmls: list[str] = []
        self.types: set[str] = set()
        self.found = Files() if files is None else files
        self.shown: set[str] = set()  # the Content-IDs of inline images
        # Texts that are used if there is no other: attached ones without a name, and those in winmail.dat
        self._nameless: list[tuple[Message, str]] = []
        self._wrapped: list[winmail.Text] = []

    @property
    def files(self) -> list[MailFile]:
        return self.found.in_order(self.shown)

    @property
    def text(self) -> str:
        words = self.words
        return "\n\n".join([*dict.fromkeys(self.invitations), *([words] if words else [])])

    @property
    def words(self) -> str:
        """The text without invitations."""
        return "\n\n".join(passage.words for passage in self.passages if not passage.is_blank)

    @property
    def is_cut(self) -> bool:
        """Whether the text is cut off."""
        return any(passage.is_cut for passage in self.passages) or self.budget.tags < 0

    @property
    def is_stub(self) -> bool:
        """Whether the text is empty, or only tells the reader to view the HTML."""
        words = self.words
        return not words or (len(words) <= LONGEST_STUB and STUB.match(words) is not None)

    def read(self, message: Message) -> None:
        """Reads a whole message. If its only text is an attachment without a name, that becomes the text."""
        self._read(message)
        if not self.words and len(self._nameless) == 1:
            part, kind = self._nameless[0]
            self._add_text(part, kind)
        else:
            for part, kind in self._nameless:
                self._add_file(part, kind)
        for text in self._wrapped:
            if self.words:
                break
            self._add_words(text.content, text.kind, text.charset)

    def _read(self, part: Message) -> None:
        kind = part.get_content_type()
        self.types.add(kind)
        if kind.startswith("message/") and part.is_multipart() and kind not in NOT_FILES:
            self._add_message(part.get_payload(0))
        elif kind in NOT_FILES:
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
        elif kind in TNEF or file_name(part).lower() == WINMAIL:
            self._add_winmail(part)
        else:
            self._add_file(part, kind)

    def _add_alternatives(self, part: Message) -> None:
        """Reads multipart/alternative. The plain text wins, unless it is a stub."""
        variants = []
        # Read plain text first, so that HTML can't use up the allowance.
        for inner in sorted(part.get_payload(), key=lambda inner: inner.get_content_type() in HTML):
            variant = Body(self.allowance, self.found, self.budget)
            variant._read(inner)
            variants.append(variant)
            self.types |= variant.types
            self.htmls += variant.htmls
            self.shown |= variant.shown
            self._nameless += variant._nameless
            self._wrapped += variant._wrapped
            self.invitations += variant.invitations
        variants.sort(key=lambda variant: bool(variant.htmls))
        # Convert HTML to text only if the plain text is a stub.
        best = next((variant for variant in variants if not variant.is_stub), None)
        best = best or next((variant for variant in variants if variant.words), None)
        self.passages += best.passages if best else []

    def _add_message(self, message: Message) -> None:
        try:
            content = message.as_bytes(policy=message.policy.clone(max_line_length=0))
        except BROKEN:
            content = b""
        self.found.add(_mail_name(first(message, "Subject")), "message/rfc822", content)

    def _add_text(self, part: Message, kind: str) -> None:
        content, is_flowed = _content(part), parameter(part, "format").lower() == "flowed"
        if kind not in HTML:
            content, files = embedded.uuencoded(content, self.budget)
            for name, file in files:
                self.found.add(clean_name(plain_text.decode(name)), UNKNOWN, file)
        self._add_words(content, kind, parameter(part, "charset"))
        if is_flowed and kind not in HTML:
            last = self.passages[-1]
            deletes_space = parameter(part, "delsp").lower() == "yes"
            words = plain_text.unflow(last.content, deletes_space=deletes_space)
            self.passages[-1] = replace(last, content=words)

    def _add_words(self, content: bytes, kind: str, charset: str) -> None:
        is_html = kind in HTML
        if is_html:
            self.shown |= embedded.references(content)
            content, pictures = embedded.pictures(content, self.budget)
            for picture_kind, picture in pictures:
                self.found.add("", picture_kind, picture, is_inline=True)
        text, is_cut = self.allowance.read(content, charset)
        if is_html:
            self.htmls.append(text)
        self.passages.append(BodyText(text, is_html=is_html, is_cut=is_cut, budget=self.budget))

    def _add_winmail(self, part: Message) -> None:
        """Adds the contents of winmail.dat, and the file itself if it can't be read completely."""
        content = _content(part)
        item = winmail.read(content, self.budget)
        is_kept = not item.is_all_whole or not (item.files or item.items or item.texts)
        for file in item.files:
            kind = file.kind or mimetypes.guess_type(file.name)[0] or UNKNOWN
            self.found.add(clean_name(file.name), kind, file.content, cid=file.cid)
        for name, inner in item.items:
            as_mail = winmail_items.as_mail(inner, is_kept=is_kept)
            self.found.add(_mail_name(inner.subject or name), "message/rfc822", as_mail)
        self._add_event(invitations.of_item(item))
        self._wrapped += item.texts
        if is_kept:
            self.found.add(WINMAIL, TNEF[0], content)

    def _add_file(self, part: Message, kind: str) -> None:
        name, content = file_name(part), _content(part)
        if kind in CALENDARS or name.lower().endswith(".ics"):
            self._add_calendar(content, parameter(part, "charset"))
        if not _is_calendar_answer(part, kind):
            cid = str(part.get("Content-ID", "")).strip("<> \t\r\n").lower()
            self.found.add(name, kind, content, cid=cid)

    def _add_calendar(self, content: bytes, charset: str) -> None:
        if self.budget.calendars:
            self.budget.calendars -= 1
            text = plain_text.decode(content[: MOST_BYTES * ics.MAX_CHARACTERS], charset or "utf-8")
            self._add_event(ics.event(text))

    def _add_event(self, event: ics.CalendarEvent | None) -> None:
        if event is None:
            return
        self.invitations.append(invitations.words(event))
        if event.description:  # some invitations have no other text
            self._wrapped.append(winmail.Text("text/plain", event.description.encode(), "utf-8"))


def _mail_name(subject: str) -> str:
    name = plain_text.one_line(subject, 100).replace("/", "_").replace("\\", "_").strip(" .")
    return f"{name or 'message'}.eml"


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
