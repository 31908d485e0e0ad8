"""SITE_NAME is what every page, title and email calls the helpdesk."""

import pytest
from django.template.loader import render_to_string

from helpdesk.tests.test_settings import start
from tickets.mail.sending import delivery
from tickets.notifications import outbox

pytestmark = pytest.mark.django_db
NAME = "IT & Telephones"
WRITTEN = "IT &amp; Telephones"


@pytest.fixture(autouse=True)
def named(settings):
    settings.SITE_NAME = NAME


@pytest.mark.parametrize("address", ["/", "/about/", "/accounts/login/", "/nowhere/"])
def test_pages_of_the_portal(client, address):
    page = client.get(address).text
    assert f" · {WRITTEN}</title>" in page
    assert f"{WRITTEN}</a>" in page


@pytest.mark.parametrize("template", ["400.html", "413.html", "500.html", "503.html"])
def test_pages_without_a_request(template):
    page = render_to_string(template)
    assert f" · {WRITTEN}</title>" in page
    assert f"{WRITTEN}</a>" in page


def test_agent_workspace(client_of, ann):
    page = client_of(ann).get("/admin/").text
    assert f" · {WRITTEN}</title>" in page
    assert f"{WRITTEN}</a>" in page


def test_emails(mailoutbox, alice):
    outbox.enqueue_account_mail(alice, "welcome", address=alice.email)
    delivery.deliver_due()
    mail = mailoutbox[0]
    assert mail.subject == f"Welcome to {NAME}"
    assert f"-- \n{NAME}\n" in mail.body


@pytest.mark.parametrize(
    ("environment", "sender"),
    [
        ({}, "Helpdesk <helpdesk@mg.example.com>"),
        ({"SITE_NAME": NAME}, "IT & Telephones <helpdesk@mg.example.com>"),
        ({"SITE_NAME": NAME, "MAILGUN_SENDER": "it@mg.example.com"}, "it@mg.example.com"),
    ],
)
def test_sender_of_emails_unless_another_one_is_set(environment, sender):
    mailgun = {"MAILGUN_API_KEY": "key", "MAILGUN_DOMAIN": "mg.example.com"}
    code = "from django.conf import settings; print(settings.DEFAULT_FROM_EMAIL)"
    done = start(mailgun | environment, "shell", "--no-imports", "-c", code)
    assert done.stdout.strip().splitlines()[-1] == sender, done.stderr
