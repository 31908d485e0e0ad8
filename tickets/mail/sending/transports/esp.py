"""Sends by any email backend of Django: an email service through Anymail, or the console.

The type and status of an error decide (Anymail 15.2). Amazon SES has no status: its code is in the cause of
Anymail's error.
"""

import logging
import re
from contextlib import suppress

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
)
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError

from tickets.mail import failures, pause
from tickets.mail.sending.delivery_events import is_id
from tickets.mail.sending.time_limit import SendTimeout
from tickets.mail.sending.transports.outcome import (
    Accepted,
    Failure,
    Later,
    Never,
    Outcome,
    SenderRefused,
    Slow,
)

logger = logging.getLogger(__name__)
SECRET = re.compile("KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
SILENCE = (TimeoutError, ConnectionError, requests.Timeout, requests.ConnectionError)
REJECTS_MAIL = (400, 413, 415, 422)
REJECTS_ACCOUNT = (401, 402, 403, 404)  # the key, the account or the domain
THROTTLES = (408, 425, 429)
# Postmark answers 422 to everything; its own code says more. These concern the sender or the account.
POSTMARK_REJECTS_ACCOUNT = (400, 401, 405, 412, 413)
# Codes of Amazon SES and of AWS, without "Exception" at the end.
SES_REJECTS_ACCOUNT = {
    *("AccessDenied", "AccountSendingPaused", "AccountSuspended", "ConfigurationSetSendingPaused"),
    *("ExpiredToken", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignature"),
    *("MailFromDomainNotVerified", "NotAuthorized", "SendingPaused", "SignatureDoesNotMatch"),
    *("UnrecognizedClient", "NoCredentialsError", "PartialCredentialsError"),
}
SES_REJECTS_MAIL = {"BadRequest", "InvalidParameterValue", "MessageRejected"}
SES_THROTTLES = {"LimitExceeded", "Throttling", "TooManyRequests"}
BOTO_SILENCE = {"ConnectionError", "HTTPClientError"}


class EmailService:
    """One connection for many emails, which stays open until an attempt fails."""

    def __init__(self):
        self.connection = None

    def open(self) -> Failure | None:
        try:
            self.connection = self.connection or get_connection()
            self.connection.open()
        except (DatabaseError, SendTimeout):
            raise
        except Exception as error:
            return outcome_of(error)
        return None

    def send(self, mail: EmailMessage, *, again: bool = False) -> Outcome:
        try:
            self.connection.send_messages([mail])
        except (DatabaseError, SendTimeout):
            raise
        except Exception as error:
            return outcome_of(error)
        return Accepted(_provider_id(mail))

    def cut(self) -> None:
        self.close()

    def close(self) -> None:
        with suppress(requests.RequestException, OSError):
            if self.connection:
                self.connection.close()


def outcome_of(error: Exception) -> Failure:
    words = failures.without(failures.in_words(error), _secrets())
    if isinstance(error, AnymailRecipientsRefused):
        return Never(words, suppress=True, heard=None)
    if not isinstance(error, AnymailError):
        return _later(error, words)
    if not isinstance(error, AnymailAPIError):
        return Never(words, heard=None)
    if error.status_code is None:
        return _of_cause(error, words)
    return _of_status(error, words)


def _of_status(error: AnymailAPIError, words: str) -> Failure:
    status = error.status_code
    if status in THROTTLES:
        return Slow(words, pause.wait_of(error.response.headers.get("Retry-After")))
    if status in REJECTS_ACCOUNT or _is_about_postmark_account(error):
        return SenderRefused(words)
    return Never(words) if status in REJECTS_MAIL else Later(words)


def _is_about_postmark_account(error: AnymailAPIError) -> bool:
    if error.status_code != 422 or error.esp_name != "Postmark":
        return False
    try:
        return error.response.json()["ErrorCode"] in POSTMARK_REJECTS_ACCOUNT
    except (ValueError, LookupError, TypeError):
        return False


def _of_cause(error: AnymailAPIError, words: str) -> Failure:
    """The outcome of an error without a status: the service was not reached, or it is Amazon SES."""
    response = getattr(error.__cause__, "response", None)
    details = response.get("Error", {}) if isinstance(response, dict) else {}
    code = details.get("Code", type(error.__cause__).__name__).removesuffix("Exception")
    if code in SES_REJECTS_ACCOUNT:
        return SenderRefused(words)
    if code in SES_REJECTS_MAIL:
        return Never(words)
    if code in SES_THROTTLES:
        return Slow(words, pause.DEFAULT)
    return Later(words) if details else _later(error, words)


def _later(error: Exception, words: str) -> Later:
    """The outcome of an attempt without an answer. Logs an error that no server explains."""
    causes = {kind.__name__ for kind in type(error.__cause__).__mro__}
    if isinstance(error, SILENCE) or causes & BOTO_SILENCE:
        return Later(words, heard=False)
    if not isinstance(error, AnymailRequestsAPIError | OSError):
        logger.error("An email could not be handed over.", exc_info=error)
    return Later(words, heard=None)


def _secrets() -> list[str]:
    """The secrets of the service, which an error may repeat."""
    return [
        value for name, value in settings.ANYMAIL.items() if SECRET.search(name) and isinstance(value, str)
    ]


def _provider_id(mail: EmailMessage) -> str:
    """The provider's id of an accepted email; "" if it is invalid.

    If saving an invalid id failed, the email would be sent again and again.
    """
    status = getattr(mail, "anymail_status", None)
    name = status.message_id if status else ""
    return name if is_id(name) else ""
