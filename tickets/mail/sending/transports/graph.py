"""Sends raw MIME by Microsoft Graph (POST /users/<address>/sendMail).

An error does not prove that an email has not left. So before another attempt the transport looks for its
Message-ID in Sent Items.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta

import requests
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from tickets.mail import failures, pause
from tickets.mail.access_tokens import TokenLater, TokenRefused, access_token
from tickets.mail.graph import Client
from tickets.mail.sending.transports.outcome import (
    Accepted,
    Failure,
    Later,
    Never,
    Outcome,
    SenderRefused,
    Slow,
)
from tickets.models import Mailbox, MailboxState

HOUR = timedelta(hours=1)
REJECTS_MAIL = (400, 413)
REJECTS_ACCOUNT = (401, 402, 403, 404)
LIMIT, FULL = "ErrorExceededMessageLimit", "ErrorQuotaExceeded"


class Graph:
    """One connection for many emails of a mailbox."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.client: Client | None = None

    def open(self) -> Failure | None:
        """Asks for a token, unless a valid one is stored."""
        if self.client is None:
            self.client = Client(self.mailbox)
            return self._outcome_of(self._log_in)
        return None

    def send(self, mail: EmailMessage, *, again: bool = False) -> Outcome:
        return self._outcome_of(lambda: self._send(mail, again=again))

    def _log_in(self) -> None:
        access_token(self.mailbox)

    def _outcome_of(self, act: Callable[[], Outcome | None]) -> Outcome | None:
        try:
            return act()
        except TokenRefused as error:
            return SenderRefused(str(error))
        except TokenLater as error:
            return Later(str(error), heard=False)
        except requests.RequestException as error:
            return Later(f"Graph: {type(error).__name__}", heard=False)

    def cut(self) -> None:
        self.close()

    def close(self) -> None:
        if self.client:
            self.client.close()
            self.client = None

    def _send(self, mail: EmailMessage, *, again: bool) -> Outcome:
        keeps_id = MailboxState.of(self.mailbox).keeps_message_id is not False
        if again and keeps_id and (found := self._found(mail)):
            return Accepted(found)
        message = b64encode(mail.message().as_bytes(linesep="\r\n"))
        path = f"{self.client.place}/sendMail"
        answer = self.client.post(path, data=message, headers={"Content-Type": "text/plain"})
        if answer.status_code != 202:
            return _failure(answer)
        words = _("An earlier attempt may have arrived too.") if again and not keeps_id else ""
        asked = answer.headers.get("Retry-After")
        return Accepted(words=words, wait=pause.wait_of(asked) if asked else None)

    def _found(self, mail: EmailMessage) -> str:
        """The id of an email that left although Graph reported an error; "" if there is none.

        Without the right to read nobody can look, and the email is sent again.
        """
        message_id = mail.extra_headers["Message-ID"].replace("'", "''")
        path = f"{self.client.place}/mailFolders/sentitems/messages"
        wanted = {"$filter": f"internetMessageId eq '{message_id}'", "$select": "id,internetMessageId"}
        answer = self.client.get(path, params=wanted)
        if answer.status_code in REJECTS_ACCOUNT:
            return ""
        answer.raise_for_status()
        found = answer.json().get("value") or []
        return str(found[0].get("internetMessageId", "")).strip("<>")[:200] if found else ""


def _failure(answer: requests.Response) -> Failure:
    """The outcome of an answer other than 202: the code in its body decides, else the status."""
    code, message = _error(answer)
    status, words = answer.status_code, failures.storable(f"Graph: {answer.status_code} {code} {message}")
    wait = pause.wait_of(answer.headers.get("Retry-After"))
    if code == LIMIT:
        return Slow(words, HOUR)
    if code == FULL or status == 507:
        return SenderRefused(_("The mailbox is full, so it can't send. %(words)s") % {"words": words})
    if status in REJECTS_ACCOUNT:
        return SenderRefused(_of_account(status, words))
    if status == 429:
        return Slow(words, wait)
    if status in REJECTS_MAIL:
        return Never(words)
    return Later(words, wait=wait if "Retry-After" in answer.headers else None)


def _error(answer: requests.Response) -> tuple[str, str]:
    try:
        error = answer.json()["error"]
        return str(error.get("code", "")), str(error.get("message", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", answer.reason or ""


def _of_account(status: int, words: str) -> str:
    if status == 403:
        return _("%(words)s After a change, Microsoft may need two hours.") % {"words": words}
    return words
