"""Reads the headers of a message: texts, addresses, Message-IDs, dates. Pure and linear."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_to_datetime

from tickets.mail.receiving import encoded_words, plain_text
from tickets.mail.receiving.charsets import bare_letters
from tickets.mail.receiving.limits import YEARS

MAX_HEADER = 4000
MAX_FILE_NAME = 250
MAX_NAME = 150
MAX_ADDRESS = 254
RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,190}")
BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:()]+")
# A quoted local part, which may contain spaces: "john doe"@example.com (RFC 5321, 4.1.2)
QUOTED_LOCAL = re.compile(
    r'"(?P<local>(?:[^"\\\x00-\x1f]|\\[!-~ ]){1,62})"@(?P<domain>[^\s@<>()\[\]\\,;:"]{1,190})'
)
ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
QUOTED = re.compile(r'"[^"]*"')
COMMENT = re.compile(r"\([^()]*\)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Errors of the standard library for broken messages.
BROKEN = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MessageError)


def first(message: Message, name: str) -> str:
    return _decoded(next(_values(message, name), ""), bare_charset(message))


def _values(message: Message, *names: str) -> Iterator[str]:
    for wanted in names:
        for name, value in message.raw_items():
            if name.lower() == wanted.lower():
                yield str(value)


def identifiers(message: Message, *names: str) -> list[str]:
    found = [
        identifier for value in _values(message, *names) for identifier in MESSAGE_ID.findall(unfolded(value))
    ]
    return list(dict.fromkeys(found))


def sender(message: Message) -> tuple[str, str]:
    """Name and address. The address is "" if From is ambiguous."""
    values = list(_values(message, "From"))
    if len(values) != 1:
        return "", ""
    value = values[0].replace("\r", "").replace("\n", "")
    if CONTROL.search(value):
        name, address = value, ""
    else:
        name, address = _mailbox(unfolded(value, bare_charset(message)))
    return plain_text.one_line(_decoded(name.strip(' "')).replace('\\"', '"').strip(' "'), MAX_NAME), address


def _mailbox(value: str) -> tuple[str, str]:
    """Parses `Name <address>` and `address (Name)`. Rejects what the standard library would guess."""
    bare = QUOTED.sub(lambda quoted: "x" * len(quoted[0]), value)
    name, opening, rest = bare.partition("<")
    if opening:
        address, _closing, after = rest.partition(">")
        is_one = not after.strip() and not ("," in name and "@" in name)
        start = len(name) + 1
        name = value[: len(name)]
    else:
        address, is_one, start = COMMENT.sub(lambda comment: " " * len(comment[0]), bare), True, 0
        name = " ".join(comment[1:-1] for comment in COMMENT.findall(value))
    start += len(address) - len(address.lstrip())
    written = value[start : start + len(address.strip())]
    # lower() turns some symbols (the Kelvin sign) into ASCII letters, which would be another address.
    is_one = is_one and written.isascii() == written.lower().isascii()
    return name, _address(written) if is_one else ""


def _address(written: str) -> str:
    """The address in lower case, without unnecessary quotes; "" if it is invalid."""
    address = written.lower()
    if quoted := QUOTED_LOCAL.fullmatch(address):
        bare = f"{quoted['local']}@{quoted['domain']}"
        address = bare if ATOMS.fullmatch(quoted["local"]) else address
    elif not ADDRESS.fullmatch(address):
        return ""
    return address if len(address) <= MAX_ADDRESS else ""


def recipients(message: Message) -> list[str]:
    return addresses_in(message, *RECIPIENT_HEADERS)


def addresses_in(message: Message, *names: str) -> list[str]:
    found: dict[str, None] = {}
    for value in _values(message, *names):
        text = unfolded(value)
        words = [quoted[0] for quoted in QUOTED_LOCAL.finditer(text)]
        for word in (*words, *BETWEEN_ADDRESSES.split(QUOTED.sub(" ", text))):
            if address := _address(word):
                found[address] = None
    return list(found)


def moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except BROKEN:
        return None
    if moment.year not in YEARS:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parameter(part: Message, name: str, header: str = "content-type") -> str:
    try:
        return collapse_rfc2231_value(part.get_param(name, "", header)).strip()
    except BROKEN:
        return ""


def file_name(part: Message) -> str:
    name = parameter(part, "filename", "content-disposition") or parameter(part, "name")
    return clean_name(_decoded(name, bare_charset(part)))


def clean_name(name: str) -> str:
    """The name without folders."""
    return plain_text.one_line(name, MAX_FILE_NAME).replace("\\", "/").rpartition("/")[2].strip(" .")


def _decoded(value: str, charset: str = "") -> str:
    """The header as one line with decoded words (RFC 2047)."""
    text = unfolded(value[:MAX_HEADER], charset)
    if "=?" in text:
        text = encoded_words.decode(text)
    return plain_text.one_line(text, MAX_HEADER)


def shortened(subject: str) -> str:
    """Cuts a subject to the length of a ticket's, between two words unless they are very long."""
    if len(subject) <= MAX_NAME:
        return subject
    cut = subject[: MAX_NAME - 1]
    words = cut if subject[MAX_NAME - 1].isspace() else cut.rpartition(" ")[0]
    return (words if len(words) > MAX_NAME // 2 else cut).rstrip() + "…"


def unfolded(value: str, charset: str = "") -> str:
    """Unfolds a header and decodes its non-ASCII bytes, which the parser returns as surrogates."""
    content = value.encode("utf-8", "surrogateescape")
    return plain_text.clean(bare_letters(content, charset)).replace("\n", "")


def bare_charset(message: Message) -> str:
    """The charset of the text, which also decodes header bytes that are not UTF-8."""
    return getattr(message, "bare_charset", "")
