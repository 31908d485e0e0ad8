"""What stands on tickets is mailed to confirmed addresses, and to people whom staff brought in (THREATS 134)."""

import re
from importlib import import_module

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.invitations import invite
from accounts.links import password_reset_link
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import PASSWORD, make_person
from accounts.tests.test_password import NEW, choose
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.receiving import handler
from tickets.mail.receiving.decisions import person_of
from tickets.mail.sending import delivery
from tickets.management.demo import fill
from tickets.models import BlockedSender, InboundEmail, Notification, Ticket, Watcher
from tickets.notifications import audiences
from tickets.tests.factories import category, held_mail, make_ticket, status
from tickets.tests.views.test_ticket_new import form

pytestmark = pytest.mark.django_db
EVE = "eve@elsewhere.example"


@pytest.fixture(autouse=True)
def provider(settings):
    settings.HAS_MAIL_PROVIDER = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.fixture
def eve(client, roles) -> User:
    """Somebody who signed up with an address, which may be anybody's."""
    data = {"full_name": "Eve Adams", "email": EVE, "password1": PASSWORD}
    assert client.post("/accounts/signup/", data).status_code == 302
    client.cookies.clear()
    return User.objects.get(email=EVE)


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def now(person) -> User:
    return User.objects.get(pk=person.pk)


def content_mails(person) -> list[str]:
    return [row.kind for row in Notification.objects.filter(person=person, activity__isnull=False)]


def confirm(client, person) -> None:
    """The person opens the mail and presses the button."""
    delivery.deliver_due()
    key = import_module("allauth.account.models").EmailConfirmationHMAC(person.emailaddress_set.get()).key
    assert client.post(f"/accounts/confirm-email/{key}/").status_code == 302


# Nobody brings such an address into a ticket
@pytest.mark.parametrize("who", ["alice", "ann"])
def test_unconfirmed_address_is_added_like_one_that_nobody_has(
    client_of, alice, ann, eve, ticket, unchanged, who
):
    client = client_of({"alice": alice, "ann": ann}[who])
    url = f"/tickets/{ticket.pk}/watchers/"
    with unchanged(), time_machine.travel(timezone.now(), tick=False):
        answers = [client.post(url, {"email": email}) for email in (EVE, "eva@elsewhere.example")]
    pages = [
        re.sub(r'(csrfmiddlewaretoken|name="key")[^>]*', "", answer.content.decode()).replace("eva@", "eve@")
        for answer in answers
    ]
    assert "No one with this address uses the helpdesk yet." in pages[0]
    assert pages[0] == pages[1]
    assert answers[0].status_code == answers[1].status_code
    assert not Watcher.objects.exists()


def test_tries_of_unconfirmed_addresses_are_counted(client_of, alice, eve, ticket):
    client, url = client_of(alice), f"/tickets/{ticket.pk}/watchers/"
    answers = [client.post(url, {"email": EVE}).status_code for _try in range(11)]
    assert answers == [200] * 10 + [429]


def test_unconfirmed_address_in_copy_watches_nothing(alice, bob, eve, category_for_mail):
    mail = held_mail(From="Vera <vera@vendor.example>", Cc=f"{EVE}, {bob.email}")
    handler.make_ticket(mail, by=make_person("Ann Weber", role=Role.AGENT))
    assert [watcher.person for watcher in Watcher.objects.all()] == [bob]


@pytest.fixture
def category_for_mail(db):
    return category()


@pytest.mark.parametrize("audience", ["requester", "assignee", "category", "watcher"])
def test_unconfirmed_person_is_mailed_nothing_about_tickets(alice, ann, eve, ticket, audience):
    """However the person came to the ticket."""
    if audience == "requester":
        ticket = make_ticket(eve)
    elif audience == "watcher":
        conversation.watch(ticket, eve)
    else:
        eve.set_role(Role.AGENT)
        ticket.category.people.add(eve)
    if audience == "assignee":
        ticket.assign(now(eve))
    make_ticket(alice, category=ticket.category)
    conversation.reply(ticket, Message(author=ann, body="Hello"))
    ticket.set_status(status("done"))
    assert content_mails(eve) == []
    assert eve not in audiences.recipients_of_next("replied", ticket, actor=ann)


def test_mail_that_waits_is_kept_from_an_address_that_counts_no_more(mailgun, alice, ann, bob, ticket):
    """The right is asked once more when the mail leaves."""
    conversation.watch(ticket, bob)
    ticket.set_status(status("active"))
    bob.emailaddress_set.update(verified=False)
    Notification.objects.update(next_try_at=ticket.created_at)
    delivery.deliver_due()
    assert bob.email not in [mail["to"] for mail in mailgun.mails]
    assert alice.email in [mail["to"] for mail in mailgun.mails]


def test_one_question_a_mail_asks_for_the_right(mailgun, alice, ann, ticket):
    """Also of a mail that tells of many acts."""
    alice.mail_preferences = None
    for text in ("One", "Two", "Three"):
        conversation.reply(ticket, Message(author=ann, body=text))
    Notification.objects.update(next_try_at=ticket.created_at, is_digest=True)
    with CaptureQueriesContext(connection) as asked:
        delivery.deliver_due()
    rights = [query for query in asked.captured_queries if "FROM account_emailaddress" in query["sql"]]
    assert len(rights) == len(mailgun.mails)


# Account mails go to every address, and confirming opens the rest
def test_unconfirmed_person_gets_the_mails_about_the_account(client, mailgun, eve):
    client.post("/accounts/password/reset/", {"email": EVE})
    delivery.deliver_due()
    assert [mail["to"] for mail in mailgun.mails] == [EVE, EVE]


def test_who_confirms_is_mailed_and_found(client, client_of, alice, ann, mailgun, eve, ticket):
    confirm(client, eve)
    assert now(eve).may_be_mailed
    client_of(alice).post(f"/tickets/{ticket.pk}/watchers/", {"email": EVE})
    conversation.reply(ticket, Message(author=ann, body="Hello"))
    assert content_mails(eve) == ["replied"]


def test_who_resets_the_password_still_has_to_confirm(client, mailgun, eve):
    response = choose(client, password_reset_link(eve))
    assert response.url == "/accounts/password/reset/key/done/"
    assert not now(eve).may_be_mailed
    response = client.post("/accounts/login/", {"login": EVE, "password": NEW})
    assert response.url == "/accounts/confirm-email/"


def test_new_address_of_a_person_gets_nothing_until_it_is_confirmed(client_of, alice, ann, mailgun, ticket):
    """THREATS 76: the old one stays."""
    client = client_of(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"email": "new@elsewhere.example", "action_add": ""})
    assert EmailAddress.objects.filter(email="new@elsewhere.example", verified=False).exists()
    conversation.reply(ticket, Message(author=ann, body="Hello"))
    row = Notification.objects.get(person=alice, kind="replied")
    assert row.address == "alice@example.com"
    assert now(alice).may_be_mailed


def test_unconfirmed_person_may_be_mailed_on_the_console(settings, eve, alice, ann, ticket, client_of):
    """Nobody can confirm an address there."""
    settings.HAS_MAIL_PROVIDER = False
    client_of(alice).post(f"/tickets/{ticket.pk}/watchers/", {"email": EVE})
    conversation.reply(ticket, Message(author=ann, body="Hello"))
    assert content_mails(eve) == ["replied"]


# People who are brought in
WAYS = {
    "invitation": lambda client_of, sam: invite("new@example.com", full_name="New"),
    "admin": lambda client_of, sam: client_of(sam).post(
        "/admin/accounts/user/add/",
        {"full_name": "New", "email": "new@example.com", "role": "requester", "is_active": "on"},
    ),
    "shell": lambda client_of, sam: User.objects.create_user("new@example.com", full_name="New"),
    "superuser": lambda client_of, sam: User.objects.create_superuser("new@example.com", full_name="New"),
    "made up": lambda client_of, sam: fill.people(1),
    "bulk": lambda client_of, sam: User.objects.bulk_create([User(email="new@example.com", password="!")]),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_is_brought_in_is_mailed(client, client_of, sam, way, mailgun):
    WAYS[way](client_of, sam)
    person = User.objects.order_by("pk").last()
    assert person.may_be_mailed
    # Whoever asks for a reset, or makes links up, silences nobody.
    client.post("/accounts/password/reset/", {"email": person.email})
    link = password_reset_link(person).removeprefix("http://localhost:8000")
    client.get(link.replace(link[-8:], "00000000"))
    delivery.deliver_due()
    assert now(person).may_be_mailed


def test_staff_who_file_for_an_unconfirmed_address_invite_it(client_of, ann, eve, mailgun):
    """The password of whoever signed up with it opens nothing any more."""
    data = {"subject": "No sound", "description": "Silence", "category": category().pk, "priority": "normal"}
    data |= {"status": status("new").pk, "assignee": "", "requester": "", "requester_email": EVE}
    assert client_of(ann).post("/admin/tickets/ticket/add/", data).status_code == 302
    assert Ticket.objects.get().requester == eve
    person = now(eve)
    assert person.may_be_mailed
    assert not person.has_usable_password()
    Notification.objects.filter(activity__isnull=True).delete()
    delivery.deliver_due()
    assert [mail["to"] for mail in mailgun.mails] == [EVE]
    assert "/accounts/password/reset/key/" in mailgun.mails[0]["text"]


def test_staff_who_choose_an_unconfirmed_person_are_warned(client_of, ann, eve, unchanged):
    """Anybody can sign up with anybody's name."""
    data = {"subject": "No sound", "description": "Silence", "category": category().pk, "priority": "normal"}
    data |= {"status": status("new").pk, "assignee": "", "requester": eve.pk}
    client = client_of(ann)
    with unchanged():
        response = client.post("/admin/tickets/ticket/add/", data)
    assert "This person&#x27;s email address is not confirmed." in response.content.decode()


@pytest.mark.parametrize("change", ["accepts", "new address"])
def test_supervisor_accepts_an_address(client_of, sam, eve, change):
    url = f"/admin/accounts/user/{eve.pk}/change/"
    client = client_of(sam)
    assert 'name="accepts_address"' in client.get(url).content.decode()
    data = {"full_name": "Eve Adams", "email": EVE, "role": "requester", "is_active": "on"}
    data |= {"accepts_address": "on"} if change == "accepts" else {"email": "eve@example.com"}
    assert client.post(url, data).status_code == 302
    person = now(eve)
    assert person.may_be_mailed
    assert not person.has_usable_password()
    assert Notification.objects.filter(person=eve, kind="password_reset", address=person.email).count() == 1
    assert 'name="accepts_address"' not in client.get(url).content.decode()
    assert client.post(url, {**data, "email": person.email}).status_code == 302
    assert Notification.objects.filter(person=eve, kind="password_reset").count() == 1


def test_edit_of_an_unconfirmed_person_accepts_nothing(client_of, sam, eve):
    url = f"/admin/accounts/user/{eve.pk}/change/"
    data = {"full_name": "Eve A.", "email": EVE, "role": "agent", "is_active": "on"}
    assert client_of(sam).post(url, data).status_code == 302
    assert not now(eve).may_be_mailed
    assert now(eve).check_password(PASSWORD)


# Mail that comes in
def test_mail_of_an_unconfirmed_address_is_a_strangers(ann, eve):
    assert person_of(EVE) is None
    mail = held_mail(From=f"Eve Adams <{EVE}>")
    assert (mail.state, mail.reason) == (InboundEmail.State.QUARANTINED, InboundEmail.Reason.UNKNOWN_SENDER)
    handler.make_ticket(mail, by=ann)
    assert now(eve).may_be_mailed
    assert Ticket.objects.get().requester == eve


def test_unconfirmed_sender_can_be_blocked(ann, eve):
    handler.block(held_mail(From=f"Eve Adams <{EVE}>"), by=ann)
    assert BlockedSender.objects.filter(address=EVE).exists()


# An installation of before
def test_migration_confirms_the_invited_and_nobody_else(alice, eve):
    migration = import_module("accounts.migrations.0003_invited_addresses_are_confirmed")
    invited = User.objects.create_user("invited@example.com", full_name="Invited")
    invited.emailaddress_set.create(email=invited.email, verified=False)
    migration.confirm(apps, None)
    assert {person.email: person.may_be_mailed for person in User.objects.all()} == {
        alice.email: True,
        EVE: False,
        invited.email: True,
    }


def test_filing_and_replying_ask_no_question_more(client_of, alice, ann, settings, ticket):
    acts = (
        (client_of(alice), "/tickets/new/", form),
        (client_of(ann), f"/tickets/{ticket.pk}/reply/", lambda: {"body": "Hello"}),
    )

    def queries() -> list[int]:
        counts = []
        for client, url, data in acts:
            with CaptureQueriesContext(connection) as asked:
                assert client.post(url, data()).status_code == 302
            counts.append(len(asked))
        return counts

    queries()  # what is asked only once
    with_provider = queries()
    settings.HAS_MAIL_PROVIDER = False
    assert queries() == with_provider
