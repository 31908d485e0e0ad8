"""Staff file tickets for others; who is new gets an account and one mail."""

import re

import pytest
from django.test import Client

from accounts.invitations import invite
from accounts.models import User
from accounts.roles import Role
from tickets.mail.sending import delivery
from tickets.models import ActivityLog, Notification, Ticket
from tickets.tests.factories import category, status

pytestmark = pytest.mark.django_db
ADD = "/admin/tickets/ticket/add/"
NEW = "a brand new passphrase 7"
LONG_ADDRESS = f"nora@{'.'.join(['x' * 60] * 4)}.example"  # more than 254 characters


def body(response) -> str:
    return response.content.decode()


def form(**fields) -> dict:
    data = {"subject": "No sound", "description": "Silence", "category": category().pk, "priority": "normal"}
    data |= {"status": status("new").pk, "assignee": "", "requester": ""}
    return {**data, **fields}


def errors(response) -> dict:
    return response.context["adminform"].form.errors


def test_known_requester_is_chosen(client_of, ann, alice):
    assert client_of(ann).post(ADD, form(requester=alice.pk)).status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.source) == (alice, "admin")
    assert ActivityLog.objects.get().actor == ann


def test_known_address_just_takes_the_account(client_of, ann, alice):
    data = form(requester_email="ALICE@example.com", requester_name="Somebody Else")
    assert client_of(ann).post(ADD, data).status_code == 302
    assert Ticket.objects.get().requester == alice
    alice.refresh_from_db()
    assert alice.full_name == "Alice Moreau"


def test_new_person_gets_one_mail_and_chooses_a_password(
    client_of, ann, settings, mailoutbox, django_capture_on_commit_callbacks
):
    settings.SIGNUP_EMAIL_DOMAINS = ["corp.example"]
    with django_capture_on_commit_callbacks(execute=True):
        response = client_of(ann).post(
            ADD, form(requester_email="Nora@home.example", requester_name="Nora Falk")
        )
    assert response.status_code == 302
    nora = User.objects.get(email="nora@home.example")
    assert (nora.full_name, nora.role, nora.has_usable_password()) == ("Nora Falk", Role.REQUESTER, False)
    assert Notification.objects.filter(person=nora).count() == 1
    mail = mailoutbox[0]
    assert mail.to == ["nora@home.example"]
    ticket = Ticket.objects.get()
    assert mail.subject == f"[#{ticket.pk}] No sound"
    assert "Ann Weber submitted the ticket for you." in mail.body
    visitor = Client()
    link = re.search(r"http://localhost:8000(/accounts/password/reset/key/\S+)", mail.body)[1]
    page = visitor.get(link, follow=True)
    visitor.post(page.redirect_chain[-1][0], {"password1": NEW})
    assert (
        visitor.post("/accounts/login/", {"login": "nora@home.example", "password": NEW}).status_code == 302
    )
    assert visitor.get(f"/tickets/{ticket.pk}/").status_code == 200
    assert visitor.get("/admin/").status_code == 302


def test_second_ticket_before_the_password_asks_again(
    client_of, ann, mailoutbox, django_capture_on_commit_callbacks
):
    client = client_of(ann)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(ADD, form(requester_email="nora@home.example", requester_name="Nora Falk"))
        client.post(ADD, form(requester_email="nora@home.example"))
    assert User.objects.filter(email="nora@home.example").count() == 1
    assert ["/password/reset/key/" in mail.body for mail in mailoutbox] == [True, True]


def test_who_has_a_password_gets_the_plain_receipt(
    client_of, ann, alice, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client_of(ann).post(ADD, form(requester=alice.pk))
    assert "/password/reset" not in mailoutbox[0].body


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "requester"),
        ({"requester_email": "nora@home.example"}, "requester_name"),
        ({"requester_email": "nora@home.example", "requester_name": "\u200b"}, "requester_name"),
        ({"requester_email": "nora@home.example", "requester_name": "two\nlines"}, "requester_name"),
        ({"requester_email": "nora@home.example", "requester_name": "x" * 151}, "requester_name"),
        ({"requester_email": "no address", "requester_name": "Nora"}, "requester_email"),
        ({"requester_email": "nora@localhost", "requester_name": "Nora"}, "requester_email"),
        ({"requester_email": "\0", "requester_name": "Nora"}, "requester_email"),
        ({"requester_email": LONG_ADDRESS, "requester_name": "Nora"}, "requester_email"),
        ({"requester_email": "bob@example.com", "requester": "alice"}, "requester_email"),
        ({"requester_email": "charlie@example.com"}, "requester_email"),
        ({"requester": "charlie"}, "requester"),
        ({"requester": "9" * 30}, "requester"),
        ({"requester": "x"}, "requester"),
    ],
)
def test_odd_requester_is_refused_at_its_field(client_of, ann, alice, bob, charlie, unchanged, fields, field):
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    if named := {"alice": alice, "charlie": charlie}.get(fields.get("requester")):
        fields = {**fields, "requester": named.pk}
    client = client_of(ann)
    data = form(subject="What was typed", **fields)
    with unchanged():
        response = client.post(ADD, data)
    assert response.status_code == 200
    assert list(errors(response)) == [field]
    assert "What was typed" in body(response)


def test_error_elsewhere_makes_no_account(client_of, ann, unchanged):
    client = client_of(ann)
    data = form(requester_email="nora@home.example", requester_name="Nora Falk", subject="")
    with unchanged():
        response = client.post(ADD, data)
    assert list(errors(response)) == ["subject"]
    assert "nora@home.example" in body(response)


def test_invited_twice_is_one_person(roles):
    first = invite("nora@home.example", full_name="Nora Falk")
    assert invite("Nora@Home.example", full_name="Other") == first
    assert first.emailaddress_set.get().verified


def test_no_mail_that_opens_the_account_goes_to_an_address_of_before(client_of, ann, mailoutbox):
    client_of(ann).post(ADD, form(requester_email="nora@home.example", requester_name="Nora Falk"))
    User.objects.filter(email="nora@home.example").update(email="nora@new.example")
    delivery.deliver_due()
    assert [mail.to for mail in mailoutbox] == [["nora@new.example"]]
    assert "/password/reset/key/" in mailoutbox[0].body
