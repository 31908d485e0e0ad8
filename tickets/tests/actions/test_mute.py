"""No mail about one ticket any more: on its page, and by the link in each mail (RFC 8058)."""

import re

import pytest
from django.core import signing
from django.test import Client

from accounts.actor import acting_as
from accounts.events import AccountMail, account_mail_requested
from accounts.models import User
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.sending.delivery import deliver_due
from tickets.models import MutedTicket, Notification, Watcher
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LINE = "Notifications are muted."


@pytest.fixture
def ticket(alice):
    return make_ticket(alice)


@pytest.fixture
def mail(mailgun, ticket):
    deliver_due()
    return mailgun.mails[-1]


@pytest.fixture
def link(mail) -> str:
    return re.fullmatch(r"<http://localhost:8000(/tickets/mute/[^>]+/)>", mail["h:List-Unsubscribe"])[1]


def by_program(link: str, **options):
    """What a mail program sends: no cookie, no token of a form."""
    data = {"List-Unsubscribe": "One-Click"}
    return Client(enforce_csrf_checks=True).post(link, data, **options)


def test_mail_says_how(mail, link):
    assert mail["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Mute notifications: http://localhost:8000{link}" in mail["text"]
    assert f'href="http://localhost:8000{link}"' in mail["html"]
    assert "http://localhost:8000/accounts/profile/mail/" in mail["text"]


@pytest.mark.parametrize("kind", AccountMail.values)
def test_mail_about_the_account_has_no_such_link(mailgun, alice, kind):
    account_mail_requested.send(sender=User, person=alice, kind=kind, address=alice.email)
    deliver_due()
    assert "h:List-Unsubscribe" not in mailgun.mails[-1]
    assert "Mute notifications" not in mailgun.mails[-1]["text"]


def test_mail_about_a_ticket_that_is_gone_has_no_such_link(mailgun, alice, sam, ticket):
    with acting_as(sam):
        ticket.delete()
    deliver_due()
    assert "h:List-Unsubscribe" not in mailgun.mails[-1]


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_ends_the_mail(mailgun, alice, ann, ticket, link, form):
    body = (
        "List-Unsubscribe=One-Click"
        if "urlencoded" in form
        else '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    )
    kind = form if "urlencoded" in form else f"{form}; boundary=x"
    for _time in range(2):
        response = Client(enforce_csrf_checks=True).post(link, body, content_type=kind)
        assert response.status_code == 200
    assert MutedTicket.objects.filter(ticket=ticket, person=alice).count() == 1
    count = len(mailgun.mails)
    with acting_as(ann):
        ticket.set_priority("high")
        conversation.reply(ticket, Message(author=ann, body="Restart it."))
    deliver_due()
    assert len(mailgun.mails) == count
    assert not Notification.objects.filter(person=alice).exclude(kind="created").exists()


def test_scanner_changes_nothing(client, link, unchanged):
    with unchanged():
        for method in (client.get, client.head, client.options):
            assert method(link).status_code == 200
    assert "Mute notifications for ticket" in client.get(link).content.decode()


def test_page_of_the_link_gives_mail_again(client, alice, ann, ticket, link):
    by_program(link)
    assert "Unmute" in client.get(link).content.decode()
    for _time in range(2):
        assert client.post(link, {"again": ""}).status_code == 200
    assert not MutedTicket.objects.exists()
    with acting_as(ann):
        ticket.set_priority("high")
    assert Notification.objects.filter(person=alice, kind="edited").exists()


def test_link_tells_no_subject(client, ticket, link):
    assert ticket.subject not in client.get(link).content.decode()


@pytest.mark.parametrize("change", ["altered", "foreign", "cut", "empty", "nul", "words", "gone"])
def test_what_we_did_not_sign_is_refused(client, sam, ticket, link, unchanged, change):
    """THREATS 64."""
    token = link.split("/")[-2]
    value, signature = token.split(":")
    bad = {
        "altered": f"{value}:{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        "foreign": f"{ticket.pk}.{sam.pk}:{signature}",
        "cut": token[:-5],
        "empty": ":",
        "nul": f"{token}%00",
        "words": signing.Signer(salt="tickets.mute").sign("one.two"),
        "gone": signing.Signer(salt="tickets.mute").sign(f"99999.{sam.pk}"),
    }[change]
    with unchanged():
        for response in (client.get(f"/tickets/mute/{bad}/"), by_program(f"/tickets/mute/{bad}/")):
            assert response.status_code == 404
            assert "This link is no longer valid" in response.content.decode()


def test_link_outlives_a_new_key(client, settings, link):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key"
    assert client.get(link).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(link).status_code == 404


def test_what_waits_is_not_sent(mailgun, alice, bob, ann, ticket, link):
    conversation.watch(ticket, bob)
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Restart it."))
    by_program(link)
    states = dict(Notification.objects.filter(kind="replied").values_list("person__full_name", "state"))
    assert states == {"Alice Moreau": "suppressed", "Bob Ortiz": "waiting"}


def test_watcher_who_wants_no_mail_goes_on_watching(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    client_of(bob).post(f"/tickets/{ticket.pk}/mail/")
    assert Watcher.objects.filter(person=bob).exists()
    assert client_of(bob).get(ticket.get_absolute_url()).status_code == 200
    assert ">Send to Alice</button>" in client_of(ann).get(ticket.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("root", "offer", "line"),
    [
        ("/tickets/{}/", "Mute notifications", LINE),
        ("/admin/tickets/ticket/{}/change/", "Mute notifications", "Unmute notifications"),
    ],
)
def test_page_of_the_ticket_says_it_and_takes_it_back(client_of, ann, ticket, root, offer, line):
    client, page = client_of(ann), root.format(ticket.pk)
    act = page.replace("change/", "") + "mail/"
    assert offer in client.get(page).content.decode()
    response = client.post(act)
    assert response.url == page
    assert line in client.get(page).content.decode()
    client.post(act, {"again": ""})
    assert line not in client.get(page).content.decode()
    assert not MutedTicket.objects.exists()


def test_one_ticket_is_not_another(alice, ann, ticket):
    other = make_ticket(alice)
    conversation.mute(ticket, alice)
    Notification.objects.all().delete()
    with acting_as(ann):
        ticket.set_priority("high")
        other.set_priority("high")
    assert set(Notification.objects.values_list("ticket", flat=True)) == {other.pk}
