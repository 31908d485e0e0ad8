"""The part "Similar tickets" of a ticket's page: what it shows, and the one button of its suggestion."""

import re

import pytest
from django.urls import reverse

from accounts.actor import ADMIN, acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Category, Notification, Ticket, TicketLink
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
PAYROLL = {
    "subject": "QuickBooks closes when I open the October payroll",
    "description": "The window is gone without a message. September opens fine.",
}


@pytest.fixture
def neighbours(alice, ann):
    """Six solved tickets like PAYROLL, in another category, of Ann."""
    found = []
    for number in range(6):
        ticket = make_ticket(alice, category=category("QuickBooks Support"), assignee=ann, **PAYROLL)
        with acting_as(ann):
            conversation.reply(
                ticket, Message(author=ann, body=f"I repaired the payroll update. ({number})", source=ADMIN)
            )
        ticket = Ticket.objects.get(pk=ticket.pk)
        ticket.status = status("done")
        ticket.save()
        found.append(ticket)
    return found


@pytest.fixture
def ticket(bob, neighbours):
    return make_ticket(bob, category=category("Other"), **PAYROLL)


def page_of(client, ticket) -> str:
    return client.get(reverse("admin:tickets_ticket_change", args=[ticket.pk])).content.decode()


def apply(client, ticket, **fields):
    shown = {
        "category": category("QuickBooks Support").pk,
        "seen_category": ticket.category_id,
        "assignee": "",
        "seen": ticket.assignee_id or "",
    }
    url = reverse("admin:tickets_ticket_similar", args=[ticket.pk])
    return client.post(url, shown | fields, follow=True).content.decode()


def test_page_shows_similar_tickets_with_their_answers(client_of, sam, ticket, neighbours):
    html = re.sub(r"\s+>", ">", page_of(client_of(sam), ticket))  # lines of the template break within tags
    assert html.count('<details name="similar">') == 5
    newest = neighbours[-1].pk
    number = f'<span class="visually-hidden"> #{newest}</span>'
    assert f'href="/admin/tickets/ticket/{newest}/change/">Open{number}</a>' in html
    assert f'form="similar-link" name="number" value="{newest}">Link{number}</button>' in html
    assert "data-answer>I repaired the payroll update. (5)</blockquote>" in html
    assert "update. (5)</q>" in html
    assert f'href="/admin/tickets/ticket/{ticket.pk}/merge/?into={newest}"' in html


def test_ticket_that_is_like_no_other_has_no_such_part(client_of, sam, bob):
    html = page_of(client_of(sam), make_ticket(bob))
    assert 'id="similar"' not in html


def test_similar_ticket_is_linked_by_its_button(client_of, sam, ticket, neighbours):
    client = client_of(sam)
    action = re.search(r'<form id="similar-link"[^>]* action="([^"]*)"', page_of(client, ticket))[1]
    data = {"kind": "relates", "number": neighbours[0].pk}
    assert client.post(action, data).status_code == 302
    assert TicketLink.objects.filter(ticket=ticket, target=neighbours[0], kind="relates").exists()


def test_suggestion_says_how_many_agree_and_changes_nothing_by_itself(client_of, sam, ann, ticket):
    html = " ".join(page_of(client_of(sam), ticket).split())
    assert f"6 of 6 like this went to QuickBooks Support, most of them to {ann}." in html
    assert f"Move to QuickBooks Support and assign to {ann}" in html
    assert Ticket.objects.get(pk=ticket.pk).category == ticket.category


def test_suggestion_is_applied_with_log_and_email(client_of, sam, ann, ticket):
    html = apply(client_of(sam), ticket, assignee=ann.pk)
    assert f"#{ticket.pk} is now in QuickBooks Support and assigned to {ann}." in html
    stored = Ticket.objects.get(pk=ticket.pk)
    assert (stored.category.name, stored.assignee, stored.assigned_because) == ("QuickBooks Support", ann, "")
    logged = ActivityLog.objects.filter(ticket_id=ticket.pk, actor=sam)
    assert {name for row in logged for name in row.changes} == {"category", "assignee"}
    assert Notification.objects.filter(activity__in=logged, person=ann).exists()


def test_suggestion_may_move_the_ticket_alone(client_of, sam, ticket):
    html = apply(client_of(sam), ticket)
    assert f"#{ticket.pk} is now in QuickBooks Support." in html
    assert Ticket.objects.get(pk=ticket.pk).category.name == "QuickBooks Support"


def test_stale_suggestion_changes_nothing(client_of, sam, ticket, unchanged):
    client = client_of(sam)
    page_of(client, ticket)
    stale = {"seen_category": category("Email Support").pk}
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    assert "This ticket was changed by someone else. Nothing was changed." in apply(client, ticket, **stale)
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before


def test_ticket_is_taken_from_nobody_whom_the_page_did_not_show(client_of, sam, ann, ticket):
    with acting_as(sam):
        Ticket.objects.get(pk=ticket.pk).assign(sam)
    html = apply(client_of(ann), ticket, assignee=ann.pk)
    stored = Ticket.objects.get(pk=ticket.pk)
    assert (stored.assignee, stored.category.name) == (sam, "Other")
    assert f"{sam} self-assigned this" in html


@pytest.mark.parametrize("number", ["", "x", "0", "99999999999999999999"])
def test_category_that_is_not_there_changes_nothing(client_of, sam, ticket, number):
    html = apply(client_of(sam), ticket, category=number)
    assert "This category is not active any more. Nothing was changed." in html
    assert Ticket.objects.get(pk=ticket.pk).category == ticket.category


def test_category_that_was_switched_off_meanwhile_changes_nothing(client_of, sam, ticket):
    Category.objects.filter(name="QuickBooks Support").update(is_active=False)
    assert "is not active any more" in apply(client_of(sam), ticket)
    assert Ticket.objects.get(pk=ticket.pk).category == ticket.category


def test_done_ticket_is_not_moved(client_of, sam, neighbours, bob):
    done = make_ticket(bob, category=category("Other"), phase="done", **PAYROLL)
    assert "Nothing was changed." in apply(client_of(sam), done)
    assert Ticket.objects.get(pk=done.pk).category.name == "Other"


def test_requesters_page_shows_nothing_of_it(client_of, bob, ticket):
    html = client_of(bob).get(ticket.get_absolute_url()).content.decode()
    assert "Similar tickets" not in html
    assert "I repaired the payroll update" not in html
