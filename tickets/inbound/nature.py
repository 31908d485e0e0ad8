"""Who wrote a mail, a person or a machine. Pure.

A person's mail must not be dropped in silence and a machine must never be answered, so each rule says why.
"""

import re
from collections.abc import Callable
from enum import StrEnum

MACHINES = ("noreply", "donotreply", "dontreply", "autoreply", "autoresponder", "autoresponse", "automailer")
BOUNCERS = {"mailerdaemon", "postmaster", "bounce", "bounces", "maildaemon", "maildeliverysubsystem"}
AUTOREPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Autoreply-From", "X-Mail-Autoreply")
# Programs that people write with; no automatic answer of Exchange's carries one.
CLIENTS = re.compile(r"(?i)microsoft (office )?outlook|apple mail|iphone mail|ipad mail|thunderbird|k-9")
# What Exchange itself puts on a person's mail that goes through a distribution group.
GROUP = {"dr", "oof", "autoreply"}


class Nature(StrEnum):
    HUMAN = "human"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    LIST = "list"


def nature_of(get: Callable[[str], str], *, sender: str, types: set[str], report: str) -> tuple[Nature, str]:
    """The nature and the reason. `get` gives a header's first value or "", `types` are those of all parts.

    RFC 3834 (automatic answers), RFC 3464 (bounces), RFC 2919 and 2369 (lists).
    """
    for nature, rule in (
        (Nature.BOUNCE, _bounce),
        (Nature.AUTOMATIC, _automatic),
        (Nature.LIST, _list),
    ):
        if why := rule(get, sender=sender, types=types, report=report):
            return nature, why
    return Nature.HUMAN, ""


def _bounce(get: Callable[[str], str], *, sender: str, types: set[str], report: str) -> str:
    if report == "delivery-status" or (report and "message/delivery-status" in types):
        return "multipart/report; report-type=delivery-status"
    if failed := get("X-Failed-Recipients"):
        return f"X-Failed-Recipients: {failed}"
    return f"From: {sender}" if _name(sender) in BOUNCERS else ""


def _automatic(get: Callable[[str], str], *, sender: str, types: set[str], report: str) -> str:
    submitted = get("Auto-Submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted}"
    if report:
        return f"multipart/report; report-type={report}"
    for header in AUTOREPLY_HEADERS:
        if get(header).lower() not in ("", "no", "false"):
            return f"{header}: {get(header)}"
    precedence = get("Precedence").lower() or get("X-Precedence").lower()
    if precedence in ("bulk", "junk", "auto_reply"):
        return f"Precedence: {precedence}"
    if _suppresses_answers(get):
        return f"X-Auto-Response-Suppress: {get('X-Auto-Response-Suppress')}"
    # Exchange names the mailbox whose rule acted; another than the sender's passed on a person's mail.
    if sender and get("X-MS-Exchange-Inbox-Rules-Loop").lower() == sender:
        return f"X-MS-Exchange-Inbox-Rules-Loop: {sender}"
    if _name(sender).startswith(MACHINES):
        return f"From: {sender}"
    return "Return-Path: <>" if get("Return-Path").replace(" ", "") == "<>" else ""


def _suppresses_answers(get: Callable[[str], str]) -> bool:
    """Whether the sender asks for no automatic answers; it says nothing sure about who wrote.

    Exchange's absence notes say "All", but so do some people's mails, and what passes a distribution group
    gets "DR, OOF, AutoReply". So the group's own words and a mail from a person's program are a person's.
    """
    wishes = {wish.strip().lower() for wish in get("X-Auto-Response-Suppress").split(",")} - {"", "none"}
    if not wishes & {"all", "oof", "autoreply"} or wishes == GROUP:
        return False
    return not CLIENTS.search(get("X-Mailer") or get("User-Agent"))


def _list(get: Callable[[str], str], *, sender: str, types: set[str], report: str) -> str:
    for header in ("List-Id", "List-Unsubscribe", "List-Post"):
        if value := get(header):
            return f"{header}: {value}"
    return "Precedence: list" if get("Precedence").lower() == "list" else ""


def _name(address: str) -> str:
    """The part before the @, without a tag and signs, as the lists above have it."""
    return re.sub(r"[^a-z0-9]", "", address.partition("@")[0].partition("+")[0].partition("=")[0])
