"""Reads what the headers of a mail say: words, addresses, identifiers, moments. Pure and linear."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_to_datetime

from tickets.inbound import encoded_words, plain_text
from tickets.inbound.charsets import bare_letters

MAX_HEADER = 4000
MAX_FILE_NAME = 250
MAX_NAME = 150
MAX_ADDRESS = 254
YEARS = range(1970, 2200)
RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,190}")
BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:()]+")
# A name in quotes, which may hold spaces: "john doe"@example.com (RFC 5321, 4.1.2)
QUOTED_LOCAL = re.compile(
    r'"(?P<local>(?:[^"\\\x00-\x1f]|\\[!-~ ]){1,62})"@(?P<domain>[^\s@<>()\[\]\\,;:"]{1,190})'
)
ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
QUOTED = re.compile(r'"[^"]*"')
COMMENT = re.compile(r"\([^()]*\)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# What the standard library raises over broken mail.
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
    """Name and address; no address where it is not plain who writes."""
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
    """The parts of `Name <address>` and `address (Name)`. The standard library guesses where we refuse."""
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
    # The lower case of a sign like the Kelvin is a letter, and so another's address.
    is_one = is_one and written.isascii() == written.lower().isascii()
    return name, _address(written) if is_one else ""


def _address(written: str) -> str:
    """In lower case, without quotes that it does not need; "" where it is none."""
    address = written.lower()
    if quoted := QUOTED_LOCAL.fullmatch(address):
        bare = f"{quoted['local']}@{quoted['domain']}"
        address = bare if ATOMS.fullmatch(quoted["local"]) else address
    elif not ADDRESS.fullmatch(address):
        return ""
    return address if len(address) <= MAX_ADDRESS else ""


def recipients(message: Message) -> list[str]:
    found: dict[str, None] = {}
    for value in _values(message, *RECIPIENT_HEADERS):
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
    """Without folders."""
    return plain_text.one_line(name, MAX_FILE_NAME).replace("\\", "/").rpartition("/")[2].strip(" .")


def _decoded(value: str, charset: str = "") -> str:
    """A header in one line, its encoded words (RFC 2047) as letters."""
    text = unfolded(value[:MAX_HEADER], charset)
    if "=?" in text:
        text = encoded_words.decode(text)
    return plain_text.one_line(text, MAX_HEADER)


def shortened(subject: str) -> str:
    """As much of a subject as a ticket's may have, cut between two words where they are not too long."""
    if len(subject) <= MAX_NAME:
        return subject
    cut = subject[: MAX_NAME - 1]
    words = cut if subject[MAX_NAME - 1].isspace() else cut.rpartition(" ")[0]
    return (words if len(words) > MAX_NAME // 2 else cut).rstrip() + "…"


def unfolded(value: str, charset: str = "") -> str:
    """A header whose bytes are no ASCII comes with surrogates; folded lines become one."""
    content = value.encode("utf-8", "surrogateescape")
    return plain_text.clean(bare_letters(content, charset)).replace("\n", "")


def bare_charset(message: Message) -> str:
    """In which charset the bytes of its headers are read that are no UTF-8: that of the mail's text."""
    return getattr(message, "bare_charset", "")
