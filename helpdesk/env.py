"""Reads environment variables. An invalid value raises ImproperlyConfigured with the name of the variable.

NAME can also be set as NAME_FILE, the path of a file that contains the value (Docker and Kubernetes
secrets). An empty value counts as not set.
"""

import os
import re
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_domain_name, validate_email
from dotenv import load_dotenv

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}

BASE_DIR = Path(__file__).resolve().parent.parent
# Variables of other installations that the helpdesk ignores, with what to use instead.
IGNORED = {
    "FLASK_ENV": "DEBUG=1 shows error pages.",
    "MAILGUN_PUBLIC_KEY": "MAILGUN_WEBHOOK_SECRET verifies Mailgun's webhooks.",
}
REPORTED = "HELPDESK_REPORTED_IGNORED_NAMES"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def load() -> None:
    """Loads the file .env into the environment, and prints once which variables are ignored."""
    load_dotenv(BASE_DIR / ".env")
    report = " ".join(f"{name} is ignored: {instead}" for name, instead in IGNORED.items() if text(name))
    if report and REPORTED not in os.environ:
        os.environ[REPORTED] = "1"  # child processes inherit it and do not repeat the report
        print(report, file=sys.stderr)


def text(name: str, default: str = "") -> str:
    """The value without surrounding space, from NAME or from the file that NAME_FILE names."""
    value = os.environ.get(name, "").strip()
    file = os.environ.get(f"{name}_FILE", "").strip()
    if not value and file:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that can't be read: {error}.") from error
    return value or default


def required(name: str, *, why: str) -> str:
    """The value of a variable that must be set; `why` ends the sentence "NAME is missing: ..."."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is missing: {why}")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE | FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, least: int = 0) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {value!r}.")
    return int(value)


def one_of(name: str, offered: set[str], default: str) -> str:
    value = text(name, default).lower()
    if value not in offered:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(offered))}, not {value!r}.")
    return value


def words(name: str) -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def domains(name: str) -> list[str]:
    """Domains of email addresses, separated by commas, with or without @."""
    found = [word.lower().removeprefix("@") for word in words(name)]
    if text(name) and not (found and all(map(_is_domain, found))):
        raise ImproperlyConfigured(f"{name} must be domains like example.com, not {text(name)!r}.")
    return found


def _is_domain(text: str) -> bool:
    try:
        validate_domain_name(text)
    except ValidationError:
        return False
    return not text.endswith(".")


def weekdays(name: str, default: str) -> frozenset[int]:
    """Days of the week, written as mon,tue,wed. Monday is 0."""
    chosen = [word.strip().lower() for word in text(name, default).split(",") if word.strip()]
    if not chosen or not set(chosen) <= set(WEEKDAYS):
        raise ImproperlyConfigured(f"{name} must be days like mon,tue,wed, not {text(name)!r}.")
    return frozenset(WEEKDAYS.index(day) for day in chosen)


def hours(name: str, default: str) -> tuple[int, int]:
    """A time span within a day, written as 09:00-17:00. Returns two numbers of seconds since midnight."""
    value = text(name, default)
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", value)
    numbers = [int(part) for part in match.groups()] if match else [0, 0, 0, 0]
    start, end = numbers[0] * 3600 + numbers[1] * 60, numbers[2] * 3600 + numbers[3] * 60
    if not start < end <= 24 * 3600:
        raise ImproperlyConfigured(f"{name} must look like 09:00-17:00, not {value!r}.")
    return start, end


def origin(name: str, default: str = "") -> str:
    """An origin like https://helpdesk.example.com (RFC 6454), without a path or a trailing slash."""
    value = text(name, default).rstrip("/")
    if not value:
        return value
    try:
        parts = urlsplit(value)
        # Reading `port` raises ValueError if it is not a number.
        is_bare = parts.port != 0 and value == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    except ValueError:
        is_bare = False
    if not is_bare or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must look like https://helpdesk.example.com, not {value!r}.")
    return value


def email(name: str, default: str = "") -> str:
    """An email address, or a mailbox like Helpdesk <help@example.com> (RFC 5322)."""
    value = text(name, default)
    if not value:
        return value
    _name, mark, address = value.rpartition("<")
    try:
        validate_email(address.removesuffix(">") if mark else address)
        is_address = value.isprintable() and address.endswith(">") == bool(mark)
    except ValidationError:
        is_address = False
    if not is_address:
        raise ImproperlyConfigured(f"{name} must be an email address, not {value!r}.")
    return value


def address(name: str) -> str:
    """An email address without a name, in lower case; "" if it is not set."""
    value = email(name).lower()
    if "<" in value:
        raise ImproperlyConfigured(f"{name} must be an address without a name, not {value!r}.")
    return value


def day(name: str) -> date | None:
    """A day, written as 2027-01-31; None if it is not set."""
    value = text(name)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a day like 2027-01-31, not {value!r}.") from error


def prefixed(prefix: str) -> dict[str, str]:
    """The variables whose names start with `prefix`, without it."""
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
    return {name.removeprefix(prefix): text(name) for name in sorted(names) if text(name)}


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, so that a password may travel to it without encryption."""
    return host.lower() in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class MailServer:
    """What a URL of a mail server says. `security` is a value of Mailbox.Security."""

    host: str
    port: int
    security: str
    user: str
    password: str
    folder: str


def mail_server(name: str, protocol: str, *, ports: dict[str, int]) -> MailServer | None:
    """A URL like smtps://user:password@host:465 or smtp+starttls://user:password@host; None if it is not set.

    `protocol` is smtp or imap; `ports` holds the default port of each security. Plain smtp:// and imap:// are
    for this machine only, because they send the password in clear. Errors never contain the value.
    """
    value = text(name)
    if not value:
        return None
    example = f"{protocol}s://user:password@mail.example.com"
    security = {f"{protocol}s": "tls", f"{protocol}+starttls": "starttls", protocol: "none"}
    try:
        parts = urlsplit(value)
        kind, port = security[parts.scheme], parts.port
        if not parts.hostname or port == 0:
            raise ValueError
    except (ValueError, KeyError) as error:
        hint = "Characters like @ / : # in the password are written as %40 %2F %3A %23."
        raise ImproperlyConfigured(f"{name} must look like {example}. {hint}") from error
    if kind == "none" and not is_loopback(parts.hostname):
        raise ImproperlyConfigured(f"{name} would send the password in clear. Use {example}.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(
        parts.hostname, port or ports[kind], kind, user, password, unquote(parts.path.strip("/"))
    )


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise ImproperlyConfigured(
            f"{name} must be a time zone like Europe/Berlin, not {value!r}."
        ) from error
    return value
