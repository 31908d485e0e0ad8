"""Errors of email services that Anymail knows, and what becomes of the email: cases 47 to 50 and 52 of mail.md."""

import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
import requests
import time_machine
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused, AnymailRequestsAPIError
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from django.core import mail
from django.utils import timezone

from tickets.mail import alarms, pause
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.sending.transports import esp
from tickets.mail.sending.transports.outcome import Later, Never, SenderRefused, Slow
from tickets.models import Notification, OutboxPause, SuppressedAddress
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
State, Reason = Notification.State, OutboxPause.Reason
HOUR = timedelta(hours=1)


def of_status(status: int, content: dict | None = None, *, headers=(), backend=None):
    response = requests.Response()
    response.status_code, response._content = status, json.dumps(content or {}).encode()
    response.headers.update(headers)
    return AnymailRequestsAPIError(response=response, backend=backend)


class Postmark:
    esp_name = "Postmark"


def of_amazon(code: str) -> AnymailAPIError:
    error = AnymailAPIError("x")
    error.__cause__ = ClientError({"Error": {"Code": code, "Message": "no"}}, "SendEmail")
    return error


def raised_from(cause: Exception) -> AnymailAPIError:
    error = AnymailAPIError("x")
    error.__cause__ = cause
    return error


@pytest.fixture
def row(mailgun, alice):
    make_ticket(alice)
    return Notification.objects.get()


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (400, State.FAILED, ""),
        (401, State.WAITING, Reason.REFUSED),
        (402, State.WAITING, Reason.REFUSED),
        (429, State.WAITING, Reason.THROTTLED),
    ],
)
def test_47_mailgun_is_as_before(mailgun, row, status, state, reason):
    mailgun.behave = status
    deliver_due()
    row.refresh_from_db()
    assert (row.state, pause.reason()) == (state, reason)
    assert any("refuses us" in alarm for alarm in alarms.alarms()) == (reason == Reason.REFUSED)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, Never) for status in (400, 413, 415, 422)],
        *[(status, SenderRefused) for status in (401, 402, 403, 404)],
        *[(status, Slow) for status in (408, 425, 429)],
        *[(status, Later) for status in (409, 500, 502, 503)],
    ],
)
def test_47_status_decides(status, kind):
    assert type(esp.outcome_of(of_status(status))) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UnrecognizedClientException", SenderRefused),
        ("InvalidClientTokenId", SenderRefused),
        ("AccessDeniedException", SenderRefused),
        ("MailFromDomainNotVerifiedException", SenderRefused),
        ("AccountSuspendedException", SenderRefused),
        ("SendingPausedException", SenderRefused),
        ("MessageRejected", Never),
        ("TooManyRequestsException", Slow),
        ("Throttling", Slow),
        ("LimitExceededException", Slow),
        ("InternalServiceError", Later),
    ],
)
def test_48_code_of_amazon_decides(code, kind):
    assert type(esp.outcome_of(of_amazon(code))) is kind


def test_48_wrong_key_of_amazon_waits_and_raises_the_alarm(mailgun, row, monkeypatch):
    def refuse(self, messages):
        raise of_amazon("InvalidClientTokenId")

    monkeypatch.setattr("anymail.backends.mailgun.EmailBackend.send_messages", refuse)
    deliver_due()
    row.refresh_from_db()
    assert (row.state, row.attempts, pause.reason()) == (State.WAITING, 0, Reason.REFUSED)
    assert any("refuses us" in alarm for alarm in alarms.alarms())


@pytest.mark.parametrize(
    ("cause", "kind", "heard"),
    [
        (NoCredentialsError(), SenderRefused, None),
        (EndpointConnectionError(endpoint_url="https://x"), Later, False),
        (KeyError("x"), Later, None),
    ],
)
def test_48_amazon_that_was_not_reached(cause, kind, heard):
    outcome = esp.outcome_of(raised_from(cause))
    assert type(outcome) is kind
    assert getattr(outcome, "heard", None) is heard


@pytest.mark.parametrize("code", [400, 401, 405, 412, 413])
def test_49_postmark_refuses_the_sender(code):
    error = of_status(422, {"ErrorCode": code, "Message": "x"}, backend=Postmark())
    assert type(esp.outcome_of(error)) is SenderRefused


@pytest.mark.parametrize("content", [{"ErrorCode": 300}, {}, ["x"]])
def test_49_postmark_rejects_the_mail(content):
    assert type(esp.outcome_of(of_status(422, content, backend=Postmark()))) is Never


def test_50_inactive_recipient_fails_and_is_suppressed(mailgun, row, monkeypatch):
    """Anymail raises this for Postmark's 406."""

    def refuse(self, messages):
        raise AnymailRecipientsRefused("inactive")

    monkeypatch.setattr("anymail.backends.mailgun.EmailBackend.send_messages", refuse)
    deliver_due()
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.FAILED, 1)
    assert SuppressedAddress.objects.get().address == row.address
    assert alarms.alarms() == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("-5", 60), ("1000000000", 3600), ("9" * 5000, 3600), ("soon", 60), ("", 60), ("0", 1), ("37", 37)],
)
def test_52_retry_after_is_between_a_second_and_an_hour(header, seconds):
    outcome = esp.outcome_of(of_status(429, headers={"Retry-After": header}))
    assert outcome.wait == timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "waited"), [(90, 90), (-90, 1), (90_000, 3600)])
def test_52_retry_after_may_be_a_date(seconds, waited):
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False):
        moment = format_datetime(timezone.now() + timedelta(seconds=seconds), usegmt=True)
        assert pause.wait_of(moment) == timedelta(seconds=waited)


def test_104_service_that_repeats_the_key_puts_it_nowhere(mailgun, row, settings, caplog, monkeypatch):
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_API_KEY": "key-4711-secret"}

    def refuse(self, messages):
        raise of_status(401, {"message": "key-4711-secret is wrong"})

    monkeypatch.setattr("anymail.backends.mailgun.EmailBackend.send_messages", refuse)
    deliver_due()
    row.refresh_from_db()
    assert "*** is wrong" in row.last_error
    assert "4711" not in row.last_error + caplog.text + "".join(alarms.alarms())


def test_console_prints_what_it_sends(settings, alice):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_ticket(alice)
    deliver_due()
    assert len(mail.outbox) == 1
