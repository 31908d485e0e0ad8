"""Events of another service than Mailgun: of the one in MAIL_PROVIDER, verified, each body once."""

import base64
import json

import pytest
from django.core.cache import cache
from django.test import Client

from tickets.models import Notification, SuppressedAddress
from tickets.tests.factories import make_ticket
from tickets.views.service_webhooks import view_of

pytestmark = pytest.mark.django_db
PATH = "/anymail/postmark/tracking/"
BOUNCE = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "TypeCode": 1,
    "MessageID": "postmark-1",
    "Email": "alice@example.com",
    "Description": "The server was unable to deliver your message",
    "Details": "smtp;550 5.1.1 unknown user",
    "BouncedAt": "2026-11-30T16:33:54.9070259Z",
}


@pytest.fixture(autouse=True)
def postmark(settings):
    cache.clear()
    settings.MAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": "postmark:correct-horse"}


@pytest.fixture
def sent(alice):
    make_ticket(alice)
    row = Notification.objects.get(person=alice)
    Notification.objects.filter(pk=row.pk).update(state="sent", provider_id="postmark-1")
    return row


def tell(body: object, *, secret: str = "postmark:correct-horse", path: str = PATH) -> int:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    text = body if isinstance(body, str) else json.dumps(body)
    authorization = f"Basic {base64.b64encode(secret.encode()).decode()}"
    headers = {"Authorization": authorization} if secret else {}
    return client.post(path, text, content_type="application/json", headers=headers).status_code


def test_bounce_is_recorded_and_suppresses_the_address(sent):
    assert tell(BOUNCE) == 200
    sent.refresh_from_db()
    assert sent.state == "bounced"
    assert SuppressedAddress.objects.get().address == "alice@example.com"


def test_body_counts_once(sent, monkeypatch):
    heard = []
    monkeypatch.setattr("tickets.signals.delivery_events.note", heard.append)
    assert [tell(BOUNCE), tell(BOUNCE), tell({**BOUNCE, "TypeCode": 2})] == [200, 200, 200]
    assert len(heard) == 2


@pytest.mark.parametrize("secret", ["", "postmark:wrong", "correct-horse"])
def test_post_without_the_secret_is_refused(sent, secret):
    assert tell(BOUNCE, secret=secret) == 400
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_without_a_secret_in_the_settings_there_is_no_such_page(settings, sent):
    settings.ANYMAIL = {name: value for name, value in settings.ANYMAIL.items() if name != "WEBHOOK_SECRET"}
    assert tell(BOUNCE, secret="") == 404


@pytest.mark.parametrize("service", ["mailgun", "sendgrid", "nonsense"])
def test_other_service_is_not_heard(sent, service, settings):
    settings.MAILGUN_WEBHOOK_SECRET = ""
    assert tell(BOUNCE, path=f"/anymail/{service}/tracking/") == 404


@pytest.mark.parametrize(
    "body", ["", "null", "[1]", "{", "[]", "5", '"text"', "{}", '{"RecordType": 5}', "[" * 100_000]
)
def test_nonsense_is_answered_and_changes_nothing(sent, body):
    assert tell(body) in (200, 400)
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_error_of_ours_lets_the_service_try_again(sent, monkeypatch):
    def fail(event):
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr("tickets.signals.delivery_events.note", fail)
        assert tell(BOUNCE) == 500
    assert tell(BOUNCE) == 200
    sent.refresh_from_db()
    assert sent.state == "bounced"


@pytest.mark.parametrize(
    "service",
    [
        *("amazon_ses", "brevo", "mailersend", "mailjet", "mailtrap", "mandrill", "postal", "postmark"),
        *("resend", "sendgrid", "sparkpost", "unisender_go"),
    ],
)
def test_every_service_that_tells_has_its_view(service):
    assert view_of(service).signal is not None or service == "mandrill"
    assert view_of("scaleway") is None


@pytest.mark.parametrize(
    "service", ["amazon_ses", "unisender_go", "mandrill", "mailersend", "postal", "resend"]
)
@pytest.mark.parametrize("body", ["", "{", "null", "[1]", "[" * 100_000])
def test_no_service_gets_an_error_of_ours(settings, service, body):
    settings.MAIL_PROVIDER = service
    assert tell(body, path=f"/anymail/{service}/tracking/") in (200, 400)
