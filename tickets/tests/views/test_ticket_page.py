"""A ticket's page and what can be done there: edit, withdraw, close, reopen (THREATS 2.1, 15, 17, 115)."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from tickets.models import Notification, Ticket
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg onload=alert(1)>",
    "' onfocus='alert(1)",
    "</textarea><script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "<!--<script>-->",
    "&lt;b&gt;",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "{{constructor.constructor('alert(1)')()}}",
]


def body(response) -> str:
    return response.content.decode()


def edit(**fields) -> dict:
    data = {"subject": "No sound", "description": "Silence", "category": category().pk, "version": 1}
    return {**data, **fields}


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No sound", description="Silence")


# The page
def test_history_is_shown_in_plain_words(client_of, alice, ann, ticket):
    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_status(status("active"))
    content = body(client_of(alice).get(ticket.get_absolute_url()))
    assert "Ann Weber self-assigned this." in content
    assert "Ann Weber changed the status from Submitted to In Progress." in content


@pytest.mark.parametrize("payload", XSS)
def test_payload_is_shown_as_text(client_of, alice, ann, payload):
    """THREATS 15."""
    User.objects.filter(pk=alice.pk).update(full_name=payload, department=payload)
    cat = category()
    cat.name = payload
    cat.save()
    ticket = make_ticket(User.objects.get(pk=alice.pk), subject=payload, description=payload, category=cat)
    for client in (client_of(alice), client_of(ann)):
        for url in (ticket.get_absolute_url(), "/tickets/", f"/tickets/{ticket.pk}/edit/", "/tickets/new/"):
            content = body(client.get(url))
            for raw in ("<script>alert", "<img src=x", "<svg onload", "<iframe", "<a href=javascript"):
                assert raw not in content


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example/x"]
)
def test_dangerous_link_is_not_clickable(client_of, alice, link):
    """THREATS 17."""
    ticket = make_ticket(alice, description=f"see {link} there")
    assert f'href="{link}' not in body(client_of(alice).get(ticket.get_absolute_url()))


def test_link_is_clickable_and_earns_no_rank(client_of, alice):
    """THREATS 17."""
    ticket = make_ticket(alice, description="see https://example.com/a?b=1&c=2 there")
    content = body(client_of(alice).get(ticket.get_absolute_url()))
    assert '<a href="https://example.com/a?b=1&amp;c=2" rel="nofollow noopener ugc">' in content


def test_foreign_and_absent_ticket_look_the_same(client_of, charlie, ticket):
    """I3."""
    client = client_of(charlie)
    paths = [f"/tickets/{number}/{part}" for number in (ticket.pk, 999_999) for part in ("", "edit/")]
    pages = [client.get(path) for path in paths]
    assert {page.status_code for page in pages} == {404}
    # The form of the theme leads back to the path that was asked for.
    found = [body(page).replace(f'value="{path}"', "") for path, page in zip(paths, pages, strict=True)]
    texts = {re.sub(r'value="\w{64}"', "", text) for text in found}
    assert len(texts) == 1


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 26, "%ff", "1%00", "١٢"])
def test_odd_number_is_not_there(client_of, ann, number):
    """THREATS 24."""
    assert client_of(ann).get(f"/tickets/{number}/").status_code == 404


def test_queries_do_not_grow_with_the_story(client_of, alice, ann, ticket, django_assert_max_num_queries):
    with acting_as(ann):
        for number in range(50):
            ticket.set_priority("high" if number % 2 else "low")
    client = client_of(alice)
    with django_assert_max_num_queries(18):
        client.get(ticket.get_absolute_url())


# Edit
def test_requester_edits_the_own_words(client_of, alice, ticket):
    response = client_of(alice).post(f"/tickets/{ticket.pk}/edit/", edit(subject="Still no sound"))
    assert response.status_code == 302
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.version) == ("Still no sound", 2)


def test_requester_cannot_change_what_is_the_staffs(client_of, alice, bob, ticket):
    """THREATS 2.1: an extra field is ignored."""
    extra = {"priority": "urgent", "status": status("done").pk, "assignee": alice.pk, "requester": bob.pk}
    client_of(alice).post(f"/tickets/{ticket.pk}/edit/", edit(**extra))
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.phase, ticket.assignee, ticket.requester) == (
        "normal",
        "new",
        None,
        alice,
    )


def test_done_ticket_is_edited_by_staff_only(client_of, alice, ann, ticket, unchanged):
    ticket.close()
    client = client_of(alice)
    with unchanged():
        response = client.post(f"/tickets/{ticket.pk}/edit/", edit(subject="x"))
    assert response.status_code == 403
    assert "Reopen it first." in body(response)
    data = edit(subject="By staff", priority="high", version=2)
    assert client_of(ann).post(f"/tickets/{ticket.pk}/edit/", data).status_code == 302


def test_second_editor_sees_both_versions_and_loses_nothing(client_of, alice, ann, ticket):
    """THREATS 115, I8."""
    client = client_of(alice)
    with acting_as(ann):
        ticket.subject = "Ann's subject"
        ticket.save()
    response = client.post(f"/tickets/{ticket.pk}/edit/", edit(subject="Alice's subject"))
    content = body(response).replace("&#x27;", "'")
    assert response.status_code == 409
    assert "Ann Weber saved changes while you were editing." in content
    assert "Ann's subject" in content
    assert "Alice's subject" in content
    ticket.refresh_from_db()
    assert ticket.subject == "Ann's subject"
    renewed = re.search(r'name="version" value="(\d+)"', content)[1]
    client.post(f"/tickets/{ticket.pk}/edit/", edit(subject="Alice's subject", version=renewed))
    ticket.refresh_from_db()
    assert ticket.subject == "Alice's subject"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
def test_missing_version_overwrites_nothing(client_of, alice, ticket, unchanged, version):
    client = client_of(alice)
    with unchanged():
        response = client.post(f"/tickets/{ticket.pk}/edit/", edit(subject="x", version=version))
    assert response.status_code in (200, 409)


def test_saving_the_same_twice_is_no_conflict(client_of, alice, ticket):
    client = client_of(alice)
    answers = [
        client.post(f"/tickets/{ticket.pk}/edit/", edit(subject="New")).status_code for _time in range(2)
    ]
    assert answers == [302, 302]
    ticket.refresh_from_db()
    assert ticket.version == 2


# Withdraw
def test_requester_is_asked_and_withdraws_a_new_ticket(client_of, alice, ticket):
    client = client_of(alice)
    assert "Withdraw ticket" in body(client.get(f"/tickets/{ticket.pk}/delete/"))
    assert Ticket.objects.exists()
    response = client.post(f"/tickets/{ticket.pk}/delete/", follow=True)
    assert f"Ticket #{ticket.pk} withdrawn." in body(response)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("who", ["alice", "ann"])
def test_ticket_in_work_is_not_withdrawn(client_of, alice, ann, ticket, unchanged, who):
    ticket.set_status(status("active"))
    client = client_of(alice if who == "alice" else ann)
    with unchanged():
        response = client.post(f"/tickets/{ticket.pk}/delete/")
    assert response.status_code == 403
    reason = "you can mark it as solved" if who == "alice" else "Only supervisors"
    assert reason in body(response)


def test_supervisor_deletes_and_the_requester_is_notified(client_of, sam, ticket):
    client_of(sam).post(f"/tickets/{ticket.pk}/delete/")
    assert Notification.objects.filter(kind="deleted", person__full_name="Alice Moreau").exists()


# Close and reopen
def test_requester_closes_and_reopens(client_of, alice, ticket):
    client = client_of(alice)
    page = client.post(f"/tickets/{ticket.pk}/close/", follow=True)
    assert "Ticket marked as solved." in body(page)
    assert "You can reopen it until" in body(page)
    assert "This ticket is already solved." in body(client.post(f"/tickets/{ticket.pk}/close/", follow=True))
    assert "Ticket reopened." in body(client.post(f"/tickets/{ticket.pk}/reopen/", follow=True))
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.done_at) == ("active", None)


def test_after_fourteen_days_it_is_a_new_ticket(client_of, alice, ticket, unchanged):
    ticket.close()
    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1), tick=False):
        client = client_of(alice)
        assert "Reopen</button>" not in body(client.get(ticket.get_absolute_url()))
        with unchanged():
            response = client.post(f"/tickets/{ticket.pk}/reopen/")
    assert response.status_code == 403
    assert "Submit a new ticket" in body(response)


@pytest.mark.parametrize("part", ["close", "reopen"])
def test_acting_takes_a_post(client_of, alice, ticket, unchanged, part):
    """THREATS 32."""
    client = client_of(alice)
    with unchanged():
        for method in ("get", "put", "patch", "delete"):
            assert getattr(client, method)(f"/tickets/{ticket.pk}/{part}/").status_code == 405
