"""A folder on an IMAP server (RFC 9051), with or without the extensions MOVE and UIDPLUS.

Never sends EXPUNGE without UIDs: it would also delete emails that a person has only marked. Therefore move()
and delete() of imap-tools are not used.
"""

import imaplib
import logging
import re
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import format_datetime

from django.utils.translation import gettext as _
from imap_tools.utils import encode_folder

from helpdesk import clock
from helpdesk.encryption import LostKey
from tickets.mail import failures
from tickets.mail.access_tokens import TokenLater, TokenRefused, access_token, xoauth2
from tickets.mail.receiving.fetching.problems import (
    Busy,
    FetchProblem,
    FetchRefused,
    PasswordRefused,
    Unreachable,
)
from tickets.mail.receiving.fetching.sources import Content, FetchStep
from tickets.mail.receiving.fetching.wire import Wire
from tickets.mail.receiving.limits import MAX_BYTES
from tickets.models import InboundEmail, Mailbox, MailboxState

logger = logging.getLogger(__name__)
After = Mailbox.After
MOST_AT_ONCE = 500  # numbers in a command, because servers limit the length of a line
FILED_FLAG = "$HelpdeskFiled"
# Response codes (RFC 5530) of a server that will be able to soon.
SOON = re.compile(r"\[(UNAVAILABLE|INUSE|SERVERBUG)\]", re.IGNORECASE)
TOO_MANY = re.compile(r"\[(LIMIT|THROTTLED|OVERQUOTA)\]|too many|maximum number", re.IGNORECASE)
ARRIVED = re.compile(r'INTERNALDATE "([^"]+)"')
UID, SIZE = re.compile(r"\bUID (\d+)"), re.compile(r"RFC822\.SIZE (\d+)")


class TokenExpired(Exception):
    def __init__(self, token: str):
        super().__init__("The server refuses the token.")
        self.token = token


class NotHandedOut(Unreachable):
    """The server refuses an email or a part of it, and does not say that this is over soon."""

    def __init__(self, uid: int):
        super().__init__(_("The server does not hand out the email with UID %(uid)s.") % {"uid": uid})


class ImapFolder:
    route = InboundEmail.Route.IMAP

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.client: Wire | None = None
        self.capabilities: set[str] = set()
        self.validity = self.next_uid = 0

    @property
    def prefix(self) -> str:
        """Another server or folder may use the same UIDVALIDITY, so their names are in it."""
        names = f"{self.mailbox.imap_host}\0{self._user}\0{self.mailbox.folder}"
        return f"{zlib.crc32(names.encode()):08x}:{self.validity}:"

    def open(self) -> None:
        try:
            self._log_in()
        except TokenExpired as expired:
            self.close()
            self._log_in(refused=expired.token)
        self._select()

    def close(self) -> None:
        if self.client is None:
            return
        try:
            if not self.client.is_broken:
                with self.client.limited():
                    self.client.logout()
        except FetchProblem:
            pass  # everything is saved
        finally:
            self.client.shutdown()

    def provider_id(self, place: str) -> str:
        return f"imap:{self.mailbox.pk}:{place}"

    def steps(self, state: MailboxState, most: int) -> Iterator[FetchStep]:
        if position := self._position(state):
            yield FetchStep(position=position)  # whoever takes it saves it in `state`
        for uid, size, arrived_at in self._sizes(self._uids(state)[:most]):
            is_old = state.from_moment and arrived_at < state.from_moment and uid <= state.checked_until_uid
            place = "" if is_old else f"{self.prefix}{uid}"
            yield FetchStep(place=place, size=size, position={"last_uid": uid})

    def read(self, step: FetchStep) -> Content | None:
        """Leaves the email unread. Reads only the headers if the rest is too much or can't be had."""
        uid = _uid_of(step.place)
        if step.size <= MAX_BYTES:
            with suppress(NotHandedOut):
                raw = self._fetch(uid, "BODY.PEEK[]")
                return Content(raw, len(raw)) if raw else None
        raw = self._fetch(uid, "BODY.PEEK[HEADER]")
        return Content(raw, max(step.size, MAX_BYTES + 1)) if raw else None

    def dispose(self, place: str) -> bool:
        uid = str(_uid_of(place))
        if self.mailbox.after == After.LEAVE:
            return True
        if self.mailbox.after == After.MARK:
            return self._flag(uid, r"\Seen")
        if "MOVE" in self.capabilities:
            return self._to_folder("MOVE", uid)
        if "UIDPLUS" in self.capabilities:
            is_gone = self._to_folder("COPY", uid) and self._flag(uid, r"\Deleted")
            return is_gone and self._uid("EXPUNGE", uid)[0] == "OK"
        return self._flag(uid, FILED_FLAG)

    def count(self, since: datetime | None = None) -> int:
        uids = self._search("ALL" if since is None else f"SINCE {_date(since)}")
        if since is None:
            return len(uids)
        return sum(arrived_at >= since for _number, _size, arrived_at in self._sizes(uids))

    def _log_in(self, *, refused: str = "") -> None:
        """`refused`: the token that did not work, which is renewed."""
        token = "" if self.mailbox.auth == Mailbox.Auth.PASSWORD else _token(self.mailbox, refused)
        self.client = Wire(self.mailbox)
        with self.client.limited():
            if token:
                self._log_in_by_token(token, is_last_try=bool(refused))
            else:
                self._log_in_by_password()
            self.capabilities = self.client.offered()

    def _log_in_by_password(self) -> None:
        try:
            password = self.mailbox.secrets.get("password", "")
        except LostKey as error:
            raise FetchRefused(failures.LOST_SECRET) from error
        user = self._user
        plain = f"\0{user}\0{password}"
        quoted = password.replace("\\", r"\\").replace('"', r"\"")  # as LOGIN sends it
        try:
            self.client.hide(_base64(plain), quoted, password)
            if "AUTH=PLAIN" in self.client.offered():
                self.client.authenticate("PLAIN", lambda _challenge: plain.encode())
            else:
                self.client.login(user, password)
        except UnicodeEncodeError as error:
            raise PasswordRefused(_("The server allows only ASCII in the password.")) from error
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise self._refused_login(error, PasswordRefused) from error

    def _log_in_by_token(self, token: str, *, is_last_try: bool) -> None:
        # A server that refuses first says why, and waits for an empty line.
        first = xoauth2(self._user, token)
        self.client.hide(_base64(first), token)
        lines = iter([first.encode()])
        try:
            self.client.authenticate("XOAUTH2", lambda _challenge: next(lines, b""))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            problem = self._refused_login(error, FetchRefused)
            if isinstance(problem, FetchRefused) and not is_last_try:
                raise TokenExpired(token) from error
            raise problem from error

    def _refused_login(self, error: imaplib.IMAP4.error, kind: type[FetchRefused]) -> FetchProblem:
        said = _words(error.args[0] if error.args else "")
        words = self.client.scrubbed(said)
        refused = kind(_("The server refuses the login: %(words)s") % {"words": words})
        # BAD is not about the password: Exchange says it for "authenticated but not connected".
        is_bad = " command error: BAD " in said
        return Unreachable(words) if is_bad else _problem([words], refused)

    @property
    def _user(self) -> str:
        return self.mailbox.user or self.mailbox.address

    def _select(self) -> None:
        folder = self.mailbox.folder
        with self.client.limited():
            try:
                answer, data = self.client.select(encode_folder(folder), self.mailbox.after == After.LEAVE)
            except imaplib.IMAP4.readonly as error:
                raise FetchRefused(_("The folder %(name)s is read-only.") % {"name": folder}) from error
            if answer != "OK":
                raise _problem(data, FetchRefused(_("There is no folder %(name)s.") % {"name": folder}))
            self.validity = self._number("UIDVALIDITY")
            self.next_uid = self._number("UIDNEXT")
        if not self.validity:
            raise FetchRefused(_("The server does not number the emails (UIDVALIDITY)."))

    def _number(self, name: str) -> int:
        _code, data = self.client.response(name)
        return int(data[-1]) if data and data[-1] else 0

    def _position(self, state: MailboxState) -> dict[str, object]:
        """What has to be changed in the position before the folder is read."""
        if state.uid_validity == self.validity:
            return {}
        if state.uid_validity is None:
            return self.beginning(clock.now())
        logger.warning("The folder of %s was rebuilt: its emails are looked at again.", self.mailbox)
        return {**self.beginning(state.from_moment, reads_old=True), "rebuilt_at": clock.now()}

    def beginning(self, since: datetime | None, *, reads_old: bool = False) -> dict[str, object]:
        # Some servers do not announce the next UID.
        last = self.next_uid - 1 if self.next_uid else max(self._search("ALL"), default=0)
        return {
            "uid_validity": self.validity,
            "last_uid": 0 if reads_old else last,
            "checked_until_uid": last,
            "from_moment": since,
        }

    def _uids(self, state: MailboxState) -> list[int]:
        """The new emails. A range that ends with * includes the last email, however low its UID is."""
        criteria = f"UID {state.last_uid + 1}:*"
        if state.from_moment and state.last_uid < state.checked_until_uid:
            later = f"UID {state.checked_until_uid + 1}:*"
            criteria += f" OR {later} SINCE {_date(state.from_moment)}"
        return sorted(uid for uid in self._search(criteria) if uid > state.last_uid)

    def _search(self, criteria: str) -> list[int]:
        answer, data = self._uid("SEARCH", criteria)
        if answer != "OK":
            raise _problem(data, Unreachable(_("The server can't search the folder.")))
        return [int(number) for line in data if line for number in line.split()]

    def _sizes(self, uids: list[int]) -> Iterator[tuple[int, int, datetime]]:
        """UID, size in bytes and time of arrival, in the order of `uids`."""
        for start in range(0, len(uids), MOST_AT_ONCE):
            yield from self._some_sizes(uids[start : start + MOST_AT_ONCE])

    def _some_sizes(self, uids: list[int]) -> Iterator[tuple[int, int, datetime]]:
        answer, data = self._uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE INTERNALDATE)")
        if answer != "OK":
            raise _problem(data, Unreachable(_("The server can't list the emails.")))
        found = {}
        for line in data:
            text = line.decode("ascii", "replace") if isinstance(line, bytes) else ""
            uid, size, arrived = UID.search(text), SIZE.search(text), ARRIVED.search(text)
            if uid and size and arrived:
                found[int(uid[1])] = int(size[1]), _moment(arrived[1])
        for uid in uids:
            if uid in found:  # else it was deleted just now
                yield uid, *found[uid]

    def _fetch(self, uid: int, part: str) -> bytes | None:
        """Raises NotHandedOut, or the problem of a server that will be able to soon."""
        answer, data = self._uid("FETCH", str(uid), f"({part})")
        if answer != "OK":
            raise _problem(data, NotHandedOut(uid))
        found = [item[1] for item in data if isinstance(item, tuple) and b"BODY[" in item[0].upper()]
        return found[0] if found else None

    def _to_folder(self, command: str, uid: str) -> bool:
        """Makes the folder anew if someone has deleted it."""
        folder = self.mailbox.filed_folder
        answer, data = self._uid(command, uid, encode_folder(folder))
        if answer != "OK" and b"OVERQUOTA" not in data[-1].upper():
            with self.client.limited():
                self.client.create(encode_folder(folder))
                self.client.subscribe(encode_folder(folder))
            answer, _data = self._uid(command, uid, encode_folder(folder))
        return answer == "OK"

    def _flag(self, uid: str, flag: str) -> bool:
        return self._uid("STORE", uid, "+FLAGS.SILENT", f"({flag})")[0] == "OK"

    def _uid(self, command: str, *arguments: str) -> tuple[str, list]:
        with self.client.limited():
            return self.client.uid(command, *arguments)


def _token(mailbox: Mailbox, refused: str) -> str:
    try:
        return access_token(mailbox, renew=bool(refused), refused=refused)
    except TokenRefused as error:
        raise FetchRefused(error) from error
    except TokenLater as error:
        raise Unreachable(error) from error


def _uid_of(place: str) -> int:
    return int(place.rpartition(":")[2])


def _date(moment: datetime) -> str:
    """A day earlier than `moment`, because the server's time zone is not known."""
    return "-".join(format_datetime(moment - timedelta(days=1)).split()[1:4])


def _moment(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%d-%b-%Y %H:%M:%S %z")


def _words(said: object) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _problem(data: list, otherwise: FetchProblem) -> FetchProblem:
    """The kind of problem that a server means by its response code; else `otherwise`."""
    words = _words(data[-1]) if data else ""
    said = _("The server responded: %(words)s") % {"words": words}
    if TOO_MANY.search(words):
        return Busy(said)
    return Unreachable(said) if SOON.search(words) else otherwise


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
