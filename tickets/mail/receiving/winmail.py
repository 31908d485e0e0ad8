"""Opens winmail.dat, in which Outlook sometimes wraps a message (TNEF, MS-OXTNEF). Pure and linear."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tickets.mail.receiving import mapi, rtf
from tickets.mail.receiving.charsets import letters
from tickets.mail.receiving.limits import MAX_CHARACTERS, Budget
from tickets.mail.receiving.mapi import Broken, Properties
from tickets.mail.receiving.plain_text import MOST_BYTES
from tickets.rules.file_types import OLE, is_text

SIGNATURE = 0x223E9F78
MAX_FILES = 100
MAX_LEVELS = 8  # of items within items
MOST_TEXT = MOST_BYTES * MAX_CHARACTERS + 1  # bytes of a body, one more than are read

ATTACHMENT, TITLE, CONTENT, ATTACHMENT_PROPERTIES = 0x00069002, 0x00018010, 0x0006800F, 0x00069005
MESSAGE_PROPERTIES, SUBJECT, BODY, CODE_PAGE = 0x00069003, 0x00018004, 0x0002800C, 0x00069007
MESSAGE_CLASS = 0x00078008
# The interface id of an attached message, which is TNEF again. Other objects have other ids.
MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
INTERFACE = len(MESSAGE)
BY_REFERENCE = (2, 3, 4, 7)  # methods of attachments that are only links


@dataclass(frozen=True)
class WrappedFile:
    name: str
    content: bytes
    kind: str = ""
    cid: str = ""


@dataclass(frozen=True)
class Text:
    kind: str
    content: bytes
    charset: str


@dataclass
class Item:
    """A message, appointment or contact, with its attachments."""

    subject: str = ""
    kind: str = ""  # the message class, like IPM.Note
    sender: tuple[str, str] = ("", "")  # name and address
    recipients: tuple[str, str] = ("", "")  # names in To and Cc
    sent_at: datetime | None = None
    starts_at: datetime | None = None  # of a meeting
    ends_at: datetime | None = None
    location: str = ""
    texts: list[Text] = field(default_factory=list)  # alternatives, the plainest first
    files: list[WrappedFile] = field(default_factory=list)
    items: list[tuple[str, "Item"]] = field(default_factory=list)  # pairs of attachment name and item
    content: memoryview = memoryview(b"")
    is_whole: bool = True  # whether everything was readable

    @property
    def is_all_whole(self) -> bool:
        return self.is_whole and all(item.is_all_whole for _name, item in self.items)


def read(content: bytes, budget: Budget) -> Item:
    """The contents of winmail.dat. Never fails."""
    return _read(memoryview(content), budget, level=1)


@dataclass
class _Attachment:
    title: bytes = b""
    content: memoryview = memoryview(b"")
    properties: memoryview = memoryview(b"")


def _read(content: memoryview, budget: Budget, level: int) -> Item:
    item = Item(content=content)
    code_page = "cp1252"
    attachments: list[_Attachment] = []
    properties, subject, body = memoryview(b""), b"", b""
    try:
        for attribute, value in _attributes(content, budget):
            if attribute == ATTACHMENT:
                attachments.append(_Attachment())
            elif attribute in (TITLE, CONTENT, ATTACHMENT_PROPERTIES):
                _add_to(attachments, attribute, value)
            elif attribute == MESSAGE_PROPERTIES:
                properties = value
            elif attribute == CODE_PAGE and len(value) >= 4:
                code_page = f"cp{struct.unpack_from('<I', value)[0]}"
            elif attribute == SUBJECT:
                subject = bytes(value)
            elif attribute == BODY:
                body = bytes(value[:MOST_TEXT])
            elif attribute == MESSAGE_CLASS:
                item.kind = _string(bytes(value), "ascii")
    except Broken:
        item.is_whole = False
    described = _properties(item, properties, code_page, budget)
    _describe(item, described, _string(subject, code_page), code_page)
    if plain := body.partition(b"\0")[0]:
        item.texts.insert(0, Text("text/plain", plain, code_page))
    if not item.texts:
        _add_rich_text(item, described, budget)
    for attachment in attachments:
        _open(item, attachment, code_page, budget, level)
    return item


def _attributes(content: memoryview, budget: Budget) -> Iterator[tuple[int, memoryview]]:
    """Raises Broken if it is no winmail.dat, or if it is incomplete."""
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != SIGNATURE:
        raise Broken("This is no winmail.dat.")
    offset = 6
    while offset + 9 <= len(content):
        mapi.spend(budget)
        _level, attribute, length = struct.unpack_from("<BII", content, offset)
        start = offset + 9
        offset = start + length + 2  # a checksum follows
        if offset > len(content):
            raise Broken("A length lies.")
        yield attribute, content[start : start + length]


def _add_to(attachments: list[_Attachment], attribute: int, value: memoryview) -> None:
    if not attachments:
        attachments.append(_Attachment())
    if attribute == TITLE:
        attachments[-1].title = bytes(value)
    elif attribute == CONTENT:
        attachments[-1].content = value
    else:
        attachments[-1].properties = value


def _properties(item: Item, content: memoryview, code_page: str, budget: Budget) -> Properties:
    if not content:
        return Properties({})
    values, is_whole = mapi.read(content, budget)
    item.is_whole = item.is_whole and is_whole
    return Properties(values, code_page)


def _describe(item: Item, properties: Properties, subject: str, code_page: str) -> None:
    item.subject = properties.text(mapi.SUBJECT) or subject
    item.kind = properties.text(mapi.MESSAGE_CLASS) or item.kind
    item.sender = (
        properties.text(mapi.AUTHOR_NAME, mapi.SENDER_NAME),
        properties.text(mapi.AUTHOR_SMTP, mapi.SENDER_SMTP, mapi.AUTHOR_ADDRESS, mapi.SENDER_ADDRESS),
    )
    item.recipients = properties.text(mapi.DISPLAY_TO), properties.text(mapi.DISPLAY_CC)
    item.sent_at = properties.moment(mapi.SUBMITTED, mapi.DELIVERED)
    item.starts_at, item.ends_at = properties.moment(mapi.START), properties.moment(mapi.END)
    item.location = properties.text(mapi.LOCATION)
    if plain := properties.text(mapi.BODY):
        item.texts.append(Text("text/plain", plain[:MOST_TEXT].encode("utf-8", "replace"), "utf-8"))
    html, kind = properties.content(mapi.HTML)
    if html:
        page = f"cp{properties.number(mapi.CODE_PAGE)}" if properties.number(mapi.CODE_PAGE) else code_page
        page = "utf-16-le" if kind == mapi.UNICODE else page
        item.texts.append(Text("text/html", bytes(html[:MOST_TEXT]), page))


def _add_rich_text(item: Item, properties: Properties, budget: Budget) -> None:
    compressed, _kind = properties.content(mapi.RTF)
    rich = rtf.decompressed(bytes(compressed[:MOST_TEXT]), budget.rich_text)
    budget.rich_text -= len(rich)
    item.is_whole = item.is_whole and budget.rich_text > 0
    if words := rtf.text(rich):
        kind = "text/html" if rtf.is_html(rich) else "text/plain"
        item.texts.append(Text(kind, words.encode("utf-8", "replace"), "utf-8"))


def _open(item: Item, attachment: _Attachment, code_page: str, budget: Budget, level: int) -> None:
    properties = _properties(item, attachment.properties, code_page, budget)
    title = _string(attachment.title, code_page)
    content, kind = properties.content(mapi.CONTENT)
    shown = properties.text(mapi.DISPLAY_NAME)
    names = (shown, title) if kind == mapi.OBJECT else (title, shown, properties.text(mapi.SHORT_NAME))
    name = next(filter(None, (properties.text(mapi.LONG_NAME), *names)), "")
    is_known = True
    if kind == mapi.OBJECT:
        is_message, content = content[:INTERFACE] == MESSAGE, content[INTERFACE:]
        if is_message and _is_winmail(content) and level < MAX_LEVELS and len(item.items) < MAX_FILES:
            item.items.append((name, _read(content, budget, level + 1)))
            return
        # Only Outlook can open an object of another program, unless it is an old Office file.
        is_known = _is_winmail(content) or content[: len(OLE)] == OLE or is_text(bytes(content[:8192]))
    content = attachment.content or content
    is_link = not content and properties.number(mapi.METHOD) in BY_REFERENCE
    if is_link or not is_known or len(item.files) == MAX_FILES:
        item.is_whole = False
        return
    cid = properties.text(mapi.CONTENT_ID).strip("<> ").lower()
    item.files.append(WrappedFile(name, bytes(content), properties.text(mapi.MIME_TYPE).lower(), cid))


def _is_winmail(content: memoryview) -> bool:
    return len(content) >= 6 and struct.unpack_from("<I", content)[0] == SIGNATURE


def _string(content: bytes, code_page: str) -> str:
    return letters(content.partition(b"\0")[0], code_page).strip()
