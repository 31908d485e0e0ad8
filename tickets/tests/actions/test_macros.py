"""Macros: one click is one act with one mail, and leads to the next ticket; refused, it changes nothing."""

import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation, macros
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Comment, Draft, Macro, Notification, Status
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tickets/ticket/"
LIST = "/admin/tickets/macro/"


@pytest.fixture
def ticket(alice):
    with acting_as(alice):
        return make_ticket(alice)


@pytest.fixture
def everything(db):
    return Macro.objects.create(
        title="Solved",
        body="Hello {first_name}, {ticket} works again. {agent}",
        status=status("done"),
        priority="low",
        category=category("Email Support"),
        assigns_to_me=True,
    )


def click(client, macro, ticket, *, key="", query="", **typed):
    data = {"macro": getattr(macro, "pk", macro), "macro_key": key, **typed}
    return client.post(f"{QUEUE}{ticket.pk}/macro/{query}", data)


def shown(client, response) -> str:
    return client.get(response.url).content.decode()


# What it does
def test_one_click_is_one_act_one_entry_and_one_mail(client_of, ann, alice, ticket, everything):
    click(client_of(ann), everything, ticket)
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.priority, ticket.category.name, ticket.assignee) == (
        "done", "low", "Email Support", ann,
    )  # fmt: skip
    comment = Comment.objects.get()
    assert comment.body == f"Hello Alice, #{ticket.pk} works again. Ann Weber"
    assert (comment.is_public, comment.author, comment.source) == (True, ann, "admin")
    assert ticket.first_replied_at == comment.created_at
    rows = ActivityLog.objects.filter(actor=ann)
    assert {row.verb for row in rows} == {"replied", "status_changed", "assigned", "edited"}
    assert len({row.batch for row in rows}) == 1
    notified = Notification.objects.filter(activity__in=rows)
    assert set(notified.values_list("address", flat=True)) == {alice.email}
    assert notified.values("batch").distinct().count() == 1
    entries = timeline.entries_for(ticket, alice)
    assert [entry.kind for entry in entries] == ["filed", "reply"]


def test_mail_of_it_is_one(client_of, ann, alice, ticket, everything, mailgun):
    deliver_due()
    click(client_of(ann), everything, ticket)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        deliver_due()
    mails = [mail for mail in mailgun.mails if alice.email in str(mail)]
    assert len(mails) == 2  # the receipt and this
    assert "works again" in mails[1]["text"]
    assert "Done" in mails[1]["text"]


def test_only_what_it_names_is_set(client_of, ann, sam, ticket):
    with acting_as(sam):
        ticket.assign(sam)
        ticket.set_priority("urgent")
    client = client_of(ann)
    click(client, Macro.objects.create(title="To mail", category=category("Email Support")), ticket)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.priority, ticket.phase) == (sam, "urgent", "new")
    assert ticket.category.name == "Email Support"
    assert not Comment.objects.exists()


def test_person_who_had_the_ticket_is_notified(client_of, ann, sam, ticket, everything):
    with acting_as(ann):
        ticket.assign(sam)
    Notification.objects.all().delete()
    click(client_of(ann), everything, ticket, seen=sam.pk)
    assert Notification.objects.filter(person=sam).exists()


def test_double_click_says_it_once(client_of, ann, ticket, everything):
    key, client = uuid.uuid4(), client_of(ann)
    click(client, everything, ticket, key=key)
    response = click(client, everything, ticket, key=key)
    assert Comment.objects.count() == 1
    assert "was already applied to" in shown(client, response)
    assert ActivityLog.objects.filter(actor=ann, verb="replied").count() == 1


@pytest.mark.parametrize("key", ["", "x", "0" * 99])
def test_odd_key_is_no_obstacle(client_of, ann, ticket, everything, key):
    click(client_of(ann), everything, ticket, key=key)
    assert Comment.objects.count() == 1


def test_what_the_agent_was_typing_stays_a_draft(client_of, ann, ticket, everything):
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Half a sente")
    click(client_of(ann), everything, ticket)
    assert Draft.objects.get().body == "Half a sente"


def test_half_a_reply_comes_along_with_the_click_and_stays_a_draft(client_of, ann, ticket, everything):
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Half")
    click(client_of(ann), everything, ticket, body="Half a sente")
    assert Draft.objects.get().body == "Half a sente"
    assert "sente" not in Comment.objects.get().body


@pytest.mark.parametrize("text", ["a\0b", "x" * 20_001])
def test_half_a_reply_that_cannot_be_kept_is_no_obstacle(client_of, ann, ticket, everything, text):
    click(client_of(ann), everything, ticket, body=text)
    assert Comment.objects.count() == 1
    assert not Draft.objects.exists()


# Where it leads
def test_next_ticket_of_the_queue_comes_up(client_of, ann, alice, everything):
    """The oldest stands on top; the ticket itself leaves the queue or stays in it."""
    first, second, third = [make_ticket(alice, priority="high") for _number in range(3)]
    make_ticket(alice)
    query, client = f"?_changelist_filters={quote('priority=high')}", client_of(ann)
    response = click(client, everything, first, query=query)
    assert response.url == f"{QUEUE}{second.pk}/change/?_changelist_filters=priority%3Dhigh"
    content = shown(client, response)
    assert "Applied “Solved” to" in content
    assert f">#{first.pk}</a>" in content
    taking = Macro.objects.create(title="Take", assigns_to_me=True)
    assert click(client, taking, second, query=query).url.startswith(f"{QUEUE}{third.pk}/change/")


def test_last_ticket_leads_back_to_the_queue(client_of, ann, ticket, everything):
    client = client_of(ann)
    response = click(client, everything, ticket, query=f"?_changelist_filters={quote('phase=open')}")
    assert response.url == f"{QUEUE}?phase=open"
    assert "That was the last ticket in this list." in shown(client, response)


def test_made_up_queue_leads_to_the_queue(client_of, ann, ticket, everything):
    response = click(
        client_of(ann), everything, ticket, query="?_changelist_filters=password__startswith%3Dx"
    )
    assert response.status_code == 302
    assert response.url.startswith(QUEUE)


# What is refused
def refused(client, macro, ticket, unchanged) -> str:
    with unchanged():
        response = click(client, macro, ticket)
    assert response.url.startswith(f"{QUEUE}{ticket.pk}/change/")
    content = client.get(QUEUE).content.decode()
    assert "was not applied" in content
    return content


def test_phase_that_may_not_follow_changes_nothing(client_of, ann, alice, unchanged):
    ticket = make_ticket(alice, phase="active")
    macro = Macro.objects.create(title="Anew", body="Hello", status=status("new"), assigns_to_me=True)
    assert "it can&#x27;t be new again" in refused(client_of(ann), macro, ticket, unchanged)


def test_merged_ticket_changes_nothing(client_of, ann, alice, ticket, everything, unchanged):
    other = make_ticket(alice)
    with acting_as(ann):
        ticket.status, ticket.merged_into = status("done"), other
        ticket.save()
    content = refused(client_of(ann), everything, ticket, unchanged)
    assert f"merged into #{other.pk}" in content


def test_category_that_is_switched_off_changes_nothing(client_of, ann, ticket, everything, unchanged):
    everything.category.is_active = False
    everything.category.save()
    assert "is inactive" in refused(client_of(ann), everything, ticket, unchanged)


def test_text_that_grew_too_long_changes_nothing(client_of, ann, alice, ticket, unchanged):
    macro = Macro.objects.create(title="Long", body="{requester}" * 1800, status=status("done"))
    type(alice).objects.filter(pk=alice.pk).update(full_name="A" * 150)
    refused(client_of(ann), macro, ticket, unchanged)


def test_own_ticket_of_long_ago_changes_nothing(client_of, ann, everything, unchanged):
    with time_machine.travel(timezone.now() - timedelta(days=30), tick=False):
        ticket = make_ticket(ann)
        ticket.close()
    assert "needs a new ticket" in refused(client_of(ann), everything, ticket, unchanged)


@pytest.mark.parametrize("number", ["", "0", "x", "9" * 40, "a\0b", "foreign"])
def test_macro_that_is_not_there_is_404(client_of, ann, sam, ticket, unchanged, number):
    foreign = Macro.objects.create(title="Secret", body="Hello", owner=sam)
    client = client_of(ann)
    with unchanged():
        assert click(client, foreign if number == "foreign" else number, ticket).status_code == 404


def test_nobody_but_staff_can_click(client_of, client, alice, ticket, everything, unchanged):
    requester = client_of(alice)
    with unchanged():
        assert click(requester, everything, ticket).status_code == 302
        assert click(client, everything, ticket).status_code == 302


def test_refusal_leaves_the_transaction_usable(ann, alice, unchanged):
    ticket = make_ticket(alice, phase="active")
    macro = Macro(title="Anew", body="Hello", status=status("new"))
    with unchanged(), pytest.raises(macros.ValidationError):
        macros.apply(macro, ticket, agent=ann, key=uuid.uuid4())
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="By hand"))
    assert Comment.objects.count() == 1


# Buttons and the form
def test_button_tells_what_it_will_do(client_of, ann, sam, ticket, everything):
    Macro.objects.create(title="Of sam", body="x", owner=sam)
    content = client_of(ann).get(f"{QUEUE}{ticket.pk}/macros/").content.decode()
    assert "Reply, status Done, priority Low, category Email Support, assigned to you" in content
    assert f'title="Hello Alice, #{ticket.pk} works again. Ann Weber"' in content
    assert "Of sam" not in content


def test_page_fetches_the_macros_with_its_place_in_the_queue(client_of, ann, ticket, everything):
    """The page itself reads none of them."""
    client, query = client_of(ann), f"_changelist_filters={quote('phase=open')}"
    content = client.get(f"{QUEUE}{ticket.pk}/change/?{query}").content.decode()
    assert f'data-hx-get="{QUEUE}{ticket.pk}/macros/?{query}"' in content
    assert "it works again" not in content
    fetched = client.get(f"{QUEUE}{ticket.pk}/macros/?{query}").content.decode()
    assert f'formaction="{QUEUE}{ticket.pk}/macro/?{query}"' in fetched


def test_without_javascript_the_page_shows_them_and_keeps_the_typed_reply(
    client_of, ann, ticket, everything, unchanged
):
    client, typed = client_of(ann), {"body": "Half a sente", "key": str(uuid.uuid4()), "claims": ""}
    with unchanged():
        content = client.post(f"{QUEUE}{ticket.pk}/macros/", typed).content.decode()
    assert "Half a sente</textarea>" in content
    assert typed["key"] in content
    assert 'id="macros" data-menu open>' in content
    assert "Reply, status Done, priority Low" in content
    assert f'action="{QUEUE}{ticket.pk}/change/?"' in content  # the details are saved where they belong


def test_without_macros_the_list_says_so(client_of, ann, ticket):
    content = client_of(ann).get(f"{QUEUE}{ticket.pk}/macros/").content.decode()
    assert "No macros yet." in content
    assert f'href="{LIST}"' in content


def test_requester_sees_nothing_of_macros(client_of, alice, ticket, everything):
    client = client_of(alice)
    assert "Solved" not in client.get(ticket.get_absolute_url()).content.decode()
    assert client.get(f"{QUEUE}{ticket.pk}/macros/").status_code == 302


def test_supervisor_makes_a_shared_macro(client_of, sam):
    data = {"title": "Done", "body": "Hello {first_name}", "status": status("done").pk, "audience": "all"}
    client_of(sam).post(f"{LIST}add/", data)
    macro = Macro.objects.get()
    assert (macro.is_shared, macro.status.phase, macro.priority, macro.category) == (True, "done", "", None)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, "Choose at least one action."),
        ({"title": "a\u2028b", "assigns_to_me": "on"}, "Line breaks are not allowed here."),
        ({"body": "Hello {requestor}"}, "Did you mean {requester}?"),
        ({"body": "a\0b"}, "Null characters are not allowed."),
        ({"status": "9" * 40}, "Select a valid choice."),
        ({"priority": "highest"}, "Select a valid choice."),
    ],
)
def test_senseless_macro_is_refused(client_of, ann, unchanged, data, error):
    client = client_of(ann)
    with unchanged():
        response = client.post(f"{LIST}add/", {"title": "Macro", **data})
    assert error in response.content.decode()


def test_status_of_a_macro_cannot_be_deleted_under_it(everything):
    with pytest.raises(ProtectedError):
        Status.objects.get(pk=everything.status_id).delete()
