"""Actions on many tickets: first what changes and who is mailed, then the act, each like a single one."""

import re

import pytest

from tickets.models import ActivityLog, Notification, Ticket
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


def body(response) -> str:
    return response.content.decode().replace("&#x27;", "'")


def choose(client, action: str, tickets, **fields):
    data = {"action": action, "_selected_action": [ticket.pk for ticket in tickets], **fields}
    return client.post(f"{LIST}?who=all", data, follow=True)


def go_on(client, response, **fields):
    """Sends what the page shows, as its buttons do."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode()))
    return client.post(f"{LIST}?who=all", hidden | fields, follow=True)


ACTIONS = [
    ("assign_to_me", None, "assignee", "assigned"),
    ("assign_to", "sam", "assignee", "assigned"),
    ("set_status", "waiting", "status", "status_changed"),
    ("set_priority", "urgent", "priority", "edited"),
]


@pytest.mark.parametrize(("action", "value", "field", "verb"), ACTIONS)
def test_preview_changes_nothing_and_says_what_the_act_then_does(
    client_of, unchanged, alice, ann, sam, action, value, field, verb
):
    tickets = [make_ticket(alice) for _number in range(3)]
    client = client_of(ann)
    chosen = {"sam": sam.pk, "waiting": status("waiting").pk}.get(value, value)
    with unchanged():
        page = choose(client, action, tickets)
        if value:
            assert "Chosen tickets" in body(page)
            page = go_on(client, page, value=chosen)
    previewed = {one.ticket.pk: (one.sentences, one.told) for one in page.context["rehearsed"]}
    assert "Change 3 tickets" in body(page)
    response = go_on(client, page, apply="1", **({"value": chosen} if value else {}))
    assert "3 tickets are changed." in body(response)
    rows = ActivityLog.objects.filter(verb=verb)
    assert {(row.ticket_id, row.actor, row.source) for row in rows} == {
        (ticket.pk, ann, "admin") for ticket in tickets
    }
    assert all(field in row.changes for row in rows)
    mails = Notification.objects.filter(activity__in=rows).select_related("person").order_by("pk")
    told = {}
    for mail in mails:
        told.setdefault(mail.ticket_id, []).append(str(mail.person))
    assert told == {number: names for number, (_sentences, names) in previewed.items()}
    assert alice.full_name in told[tickets[0].pk]


def test_ticket_that_refuses_is_shown_before_and_named_after(client_of, alice, ann):
    fresh, worked_on = make_ticket(alice), make_ticket(alice, phase="active")
    client = client_of(ann)
    page = go_on(client, choose(client, "set_status", [fresh, worked_on]), value=status("new").pk)
    assert "Somebody has worked on this ticket already" in body(page)
    assert "It stays as it is." in body(page)
    assert "Change 0" not in body(page)


def test_refusal_does_not_stop_the_others(client_of, alice, ann):
    worked_on, other = make_ticket(alice, phase="active"), make_ticket(alice)
    other.set_status(status("new"))
    numbers = f"{worked_on.pk},{other.pk}"
    data = {"action": "set_status", "numbers": numbers, "_selected_action": other.pk, "apply": "1"}
    response = client_of(ann).post(LIST, data | {"value": status("new").pk}, follow=True)
    assert f"#{worked_on.pk}: Somebody has worked on this ticket already" in body(response)


@pytest.mark.parametrize("value", ["", "999999", "x", "9" * 40, "\0"])
def test_senseless_value_is_refused_and_keeps_the_choice(client_of, unchanged, alice, ann, value):
    ticket = make_ticket(alice)
    client = client_of(ann)
    page = choose(client, "set_status", [ticket])
    with unchanged():
        response = go_on(client, page, value=value, apply="1")
    assert "Chosen tickets" in body(response)
    assert ticket.subject in body(response)


@pytest.mark.parametrize("numbers", ["x", "1,x", "9" * 30, "1,,2", "-1"])
def test_made_up_numbers_are_a_bad_request(client_of, ann, alice, numbers):
    ticket = make_ticket(alice)
    data = {"action": "assign_to_me", "numbers": numbers, "_selected_action": ticket.pk}
    assert client_of(ann).post(LIST, data).status_code == 400


def test_all_tickets_of_a_view_are_chosen_across_its_pages(client_of, alice, ann):
    for _number in range(60):
        make_ticket(alice)
    client = client_of(ann)
    page = choose(client, "assign_to_me", Ticket.objects.all()[:1], select_across="1")
    assert len(page.context["rehearsed"]) == 60
    go_on(client, page, apply="1")
    assert Ticket.objects.filter(assignee=ann).count() == 60


def test_too_many_are_refused_kindly(client_of, alice, ann, monkeypatch, unchanged):
    monkeypatch.setattr("tickets.admin.actions.MOST_TICKETS", 2)
    tickets = [make_ticket(alice) for _number in range(3)]
    client = client_of(ann)
    with unchanged():
        response = choose(client, "assign_to_me", tickets)
    assert "Please choose at most 2 tickets at once. You chose 3." in body(response)


def test_deleting_many_is_the_supervisors_and_shows_who_is_told(client_of, alice, ann, sam):
    tickets = [make_ticket(alice) for _number in range(3)]
    choose(client_of(ann), "delete", tickets, apply="1", numbers=",".join(str(one.pk) for one in tickets))
    assert Ticket.objects.count() == 3
    client = client_of(sam)
    page = choose(client, "delete", tickets)
    assert alice.full_name in body(page)
    go_on(client, page, apply="1")
    assert not Ticket.objects.exists()
    assert ActivityLog.objects.filter(verb="deleted", actor=sam).count() == 3
    assert Notification.objects.filter(person=alice, kind="deleted").count() == 3


def test_nobody_is_listed_twice_for_a_ticket(client_of, alice, ann, sam):
    category().people.add(sam)
    ticket = make_ticket(alice, assignee=sam)
    client = client_of(ann)
    page = go_on(client, choose(client, "set_status", [ticket]), value=status("waiting").pk)
    (one,) = page.context["rehearsed"]
    assert sorted(one.told) == [alice.full_name, sam.full_name]
