"""Converts an Outlook item to a message (.eml), which every email client can open. Pure and linear."""

import re
from email import encoders
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.utils import format_datetime

from tickets.mail.receiving import plain_text
from tickets.mail.receiving.headers import ADDRESS, MAX_HEADER, MAX_NAME
from tickets.mail.receiving.winmail import Item, Text

MAIL = "ipm.note"
KIND = re.compile(r"(?!multipart/|message/)[a-z0-9]{1,30}/[a-z0-9.+-]{1,100}")
TNEF = "application/ms-tnef"


def as_mail(item: Item, *, is_kept: bool) -> bytes:
    """`is_kept`: the winmail.dat that contains the item is attached too."""
    return _message(item, is_kept).as_bytes()


def _message(item: Item, is_kept: bool) -> Message:
    mail = MIMEMultipart()
    _set(mail, "Subject", item.subject)
    name, address = item.sender
    # Exchange gives a directory path instead of an address for colleagues.
    address = f" <{address}>" if ADDRESS.fullmatch(address) and address.isascii() else ""
    if shown := plain_text.one_line(name, MAX_NAME):
        mail["From"] = Header(shown, "utf-8").encode() + address
    elif address:
        mail["From"] = address.strip()
    _set(mail, "To", item.recipients[0])
    _set(mail, "Cc", item.recipients[1])
    if item.sent_at:
        mail["Date"] = format_datetime(item.sent_at)
    texts = MIMEMultipart("alternative")
    for text in _texts(item):
        texts.attach(_text(text))
    if texts.get_payload():
        mail.attach(texts)
    for file in item.files:
        mail.attach(_file(file.name or "file", file.content, file.kind))
    # A message can't express an appointment, contact or task; Outlook reads it from winmail.dat.
    is_other = not is_kept and not item.kind.lower().startswith(MAIL)
    for _name, inner in item.items:
        mail.attach(MIMEMessage(_message(inner, is_kept or is_other)))
    if is_other:
        mail.attach(_file("winmail.dat", bytes(item.content), TNEF))
    return mail


def _texts(item: Item) -> list[Text]:
    """The first text of each kind."""
    kinds: dict[str, Text] = {}
    for text in item.texts:
        kinds.setdefault(text.kind, text)
    return list(kinds.values())


def _set(mail: Message, name: str, value: str) -> None:
    if value := plain_text.one_line(value, MAX_HEADER):
        mail[name] = Header(value, "utf-8", header_name=name).encode()


def _text(text: Text) -> Message:
    part = MIMEBase(*text.kind.split("/"), charset="utf-8")
    part.set_payload(plain_text.decode(text.content, text.charset).encode())
    encoders.encode_base64(part)
    return part


def _file(name: str, content: bytes, kind: str) -> Message:
    main, sub = kind.split("/") if KIND.fullmatch(kind) else ("application", "octet-stream")
    part = MIMEBase(main, sub)
    part.set_payload(content)
    encoders.encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=plain_text.one_line(name, 250))
    return part
