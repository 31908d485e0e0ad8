"""A folder of Microsoft 365, read by the delta query of Microsoft Graph.

Emails from before the mailbox was connected are never read, even if they change: Graph may report an email
as new when a person marks it. IDs are immutable, so an email keeps its ID when it is moved.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

import requests
from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from helpdesk import clock
from tickets.mail import pause
from tickets.mail.access_tokens import TokenLater, TokenRefused
from tickets.mail.graph import Client, ForeignUrl
from tickets.mail.receiving.fetching.problems import Busy, FetchRefused, Unreachable
from tickets.mail.receiving.fetching.sources import Content, FetchStep
from tickets.mail.receiving.limits import END_OF_HEADERS, MAX_BYTES, MAX_HEADER_BYTES
from tickets.models import InboundEmail, Mailbox, MailboxState

PREFER = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=50'}
FIELDS = "id,internetMessageId,parentFolderId,receivedDateTime"
ANSWER_SECONDS = 90  # for one answer as a whole; less than a lease
PIECE = 64 * 1024  # bytes
FORGOTTEN = ("syncstatenotfound", "resyncrequired", "syncstateinvalid")  # codes of errors
THROTTLING = {429, 503, 509}
ENDING = THROTTLING | {401}  # states that every other request would get too
REFUSING = {301, 302, 307, 308, 400, 401, 403, 404}  # states that only a person can end
After = Mailbox.After


@dataclass(frozen=True)
class GraphAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict:
        """Raises FetchProblem for an error, or for something else than JSON."""
        content = self.checked()._content
        if not isinstance(content, dict):
            raise Unreachable(_("Microsoft Graph sent a response that makes no sense."))
        return content

    def checked(self) -> "GraphAnswer":
        """Raises the problem that the status means."""
        if self.status < 300:
            return self
        if self.status in THROTTLING:
            raise Busy(self.words, pause.wait_of(self.headers.get("Retry-After")))
        raise (FetchRefused if self.status in REFUSING else Unreachable)(self.words)

    @property
    def words(self) -> str:
        said = {"status": self.status, "code": self.code}
        return _("Microsoft Graph responded: %(status)s %(code)s") % said

    @property
    def code(self) -> str:
        """The code of an error; "" if there is none."""
        error = self._content.get("error") if isinstance(self._content, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def _content(self) -> object:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class GraphFolder:
    route = InboundEmail.Route.GRAPH
    prefix = ""  # every place means the same email for ever

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.client = Client(mailbox)
        self.filed_folder = ""

    def open(self) -> None:
        """Nothing is asked before steps()."""

    def close(self) -> None:
        self.client.close()

    def provider_id(self, place: str) -> str:
        """At most 200 characters, and different for different places."""
        return f"graph:{self.mailbox.pk}:{hashlib.sha256(place.encode()).hexdigest()}"

    def steps(self, state: MailboxState, most: int) -> Iterator[FetchStep]:
        if state.uid_validity is None:
            yield FetchStep(position=self.beginning(clock.now()))
        while True:
            page = self._page(state.delta_link)
            if page is None:
                yield FetchStep(position={"delta_link": ""})
                continue
            for message in page.get("value", ()):
                if not _is_gone(message) and not _is_old(message, state.from_moment):
                    yield FetchStep(place=message["id"])
            following = page.get("@odata.nextLink")
            link = following or page.get("@odata.deltaLink", "")
            _check(link)
            yield FetchStep(position={"delta_link": link})
            if not following:
                return

    def read(self, step: FetchStep) -> Content | None:
        answer = self._ask("GET", f"{self._message(step.place)}/$value")
        if answer.status == 404:
            return None
        if answer.status == 400:  # about this email, because the folder could be read
            raise Unreachable(answer.words)
        raw = answer.checked().body
        if len(raw) <= MAX_BYTES:
            return Content(raw, len(raw)) if raw else None
        end = END_OF_HEADERS.search(raw, 0, MAX_HEADER_BYTES)
        return Content(raw[: end.start() if end else MAX_HEADER_BYTES], len(raw))

    def dispose(self, place: str) -> bool:
        if self.mailbox.after == After.LEAVE:
            return True
        if self.mailbox.after == After.MARK:
            status = self._change("PATCH", self._message(place), {"isRead": True}).status
            return status < 300 or status == 404
        answer = self._move(place)
        if answer.status == 404:  # the email or the folder is not there any more
            self.filed_folder = ""
            answer = self._move(place)
        return answer.status < 300 or answer.code == "ErrorItemNotFound"

    def count(self, since: datetime | None = None) -> int:
        if since is None:
            return int(self._json(self._folder())["totalItemCount"])
        query = {
            "$filter": f"receivedDateTime ge {_iso(since)}",
            "$count": "true",
            "$top": 1,
            "$select": "id",
        }
        return int(self._json(f"{self._folder()}/messages?{urlencode(query)}")["@odata.count"])

    def beginning(self, since: datetime | None, *, reads_old: bool = False) -> dict[str, object]:
        """`uid_validity` only says that the mailbox is connected."""
        return {"uid_validity": 0, "delta_link": "", "from_moment": since}

    def _page(self, link: str) -> dict | None:
        """None if Graph has forgotten the position: then it begins anew, and what has arrived is skipped."""
        answer = self._ask("GET", link or f"{self._folder()}/messages/delta?{urlencode({'$select': FIELDS})}")
        if link and (answer.status == 410 or answer.code.lower() in FORGOTTEN):
            return None
        return answer.json()

    def _folder(self) -> str:
        """The path of the folder. The inbox has a name that does not depend on the language."""
        if self.mailbox.folder.lower() == "inbox":
            return f"{self.client.place}/mailFolders/inbox"
        if number := self._id_of(self.mailbox.folder):
            return f"{self.client.place}/mailFolders/{quote(number, safe='')}"
        raise FetchRefused(_("There is no folder %(name)s.") % {"name": self.mailbox.folder})

    def _id_of(self, name: str) -> str:
        """The ID of a folder of the highest level; "" if there is none."""
        wanted = "displayName eq '{}'".format(name.replace("'", "''"))
        query = urlencode({"$filter": wanted, "$select": "id"})
        found = self._json(f"{self.client.place}/mailFolders?{query}")["value"]
        return found[0]["id"] if found else ""

    def _message(self, place: str) -> str:
        return f"{self.client.place}/messages/{quote(place, safe='')}"

    def _move(self, place: str) -> GraphAnswer:
        if not self.filed_folder:
            self.filed_folder = self._id_of(self.mailbox.filed_folder)
        if not self.filed_folder:
            made = self._new_folder()
            if made.status >= 300:
                return made
            self.filed_folder = made.json()["id"]
        return self._change("POST", f"{self._message(place)}/move", {"destinationId": self.filed_folder})

    def _new_folder(self) -> GraphAnswer:
        name = {"displayName": self.mailbox.filed_folder}
        return self._change("POST", f"{self.client.place}/mailFolders", name)

    def _change(self, method: str, path: str, content: dict) -> GraphAnswer:
        """Raises only for an error that also ends reading, because an email may be read and not moved."""
        answer = self._ask(method, path, json=content)
        return answer.checked() if answer.status in ENDING else answer

    def _json(self, path: str) -> dict:
        return self._ask("GET", path).json()

    def _ask(self, method: str, path: str, **options) -> GraphAnswer:
        """Turns errors into a FetchProblem."""
        ask = {"GET": self.client.get, "POST": self.client.post, "PATCH": self.client.patch}[method]
        try:
            with ask(path, headers=PREFER, stream=True, **options) as answer:
                return GraphAnswer(answer.status_code, answer.headers, _body(answer))
        except (TokenRefused, ForeignUrl) as error:
            raise FetchRefused(error) from error
        except TokenLater as error:
            raise Unreachable(error) from error
        except requests.exceptions.SSLError as error:
            raise FetchRefused(_("The certificate of the server is not valid.")) from error
        except (requests.RequestException, HTTPError) as error:
            raise Unreachable(_("The connection failed: %(why)s") % {"why": type(error).__name__}) from error


def _is_gone(message: dict) -> bool:
    return "@removed" in message or "id" not in message


def _is_old(message: dict, since: datetime | None) -> bool:
    received_at = parse_datetime(message.get("receivedDateTime") or "")
    return since is not None and received_at is not None and received_at < since


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _check(link: str) -> None:
    """Raises FetchRefused for a link to another host: it would get our token."""
    if link and not link.startswith(f"{settings.MICROSOFT_GRAPH_URL.rstrip('/')}/"):
        raise FetchRefused(_("Microsoft Graph sent a link to another address."))


def _body(answer: requests.Response) -> bytes:
    """Raises Unreachable if it takes too long, because a server may send a byte now and then.

    Of what is larger than an email may be, the rest is left out.
    """
    pieces, size, end = [], 0, time.monotonic() + ANSWER_SECONDS
    while size <= MAX_BYTES and (piece := answer.raw.read1(PIECE, decode_content=True)):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > end:
            raise Unreachable(_("The server did not respond in time."))
    return b"".join(pieces)
