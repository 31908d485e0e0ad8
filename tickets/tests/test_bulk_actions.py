"""Actions on many tickets: first a preview of what changes and who is mailed, then each is a single act."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.admin import actions
from tickets.models import ActivityLog, Notification, Ticket, Watcher
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
MANY = f"{LIST}many/"


def body(response) -> str:
    return response.content.decode().replace("&#x27;", "'")


def choose(client, action: str, tickets, query: str = "", **fields):
    """What the queue sends."""
    data = {"action": action, "_selected_action": [ticket.pk for ticket in tickets], **fields}
    return client.post(LIST + query, data)


def send(client, action: str, tickets, **fields):
    """Shows the preview; with `apply` also presses its button."""
    numbers = ",".join(str(ticket.pk) for ticket in tickets)
    data = {"action": action, "numbers": numbers, **fields}
    apply = data.pop("apply", None)
    response = client.post(MANY, data)
    if apply is None or response.status_code != 200:
        return response
    shown = response.context.get("shown", "")
    return client.post(MANY, {**data, "shown": shown, "apply": apply}, follow=True)


@pytest.fixture
def values(sam):
    return {
        "assign_to_me": "",
        "assign_to": sam.pk,
        "set_status": status("waiting").pk,
        "set_priority": "urgent",
        "delete_selected": "",
    }


VERBS = {
    "assign_to_me": "assigned",
    "assign_to": "assigned",
    "set_status": "status_changed",
    "set_priority": "edited",
    "delete_selected": "deleted",
}


@pytest.mark.parametrize("action", VERBS)
def test_preview_names_exactly_who_is_mailed_and_changes_nothing(
    client_of, alice, bob, ann, sam, root, values, unchanged, action
):
    tickets = [make_ticket(alice), make_ticket(bob, assignee=ann), make_ticket(alice, assignee=sam)]
    with acting_as(alice):
        Watcher.objects.create(ticket=tickets[0], person=bob)
    client = client_of(root)
    with unchanged():
        choose(client, action, tickets)
        response = send(client, action, tickets, value=values[action])
    promised = [{person.email for person in line.people} for line in response.context["preview"]]
    before = set(Notification.objects.values_list("pk", flat=True))
    send(client, action, tickets, value=values[action], apply="1")
    mailed = Notification.objects.exclude(pk__in=before).filter(kind=VERBS[action])
    assert promised == [
        set(mailed.filter(ticket_id=ticket.pk).values_list("address", flat=True)) for ticket in tickets
    ]
    assert mailed.count() == response.context["mails"] == sum(map(len, promised)) > 0


@pytest.mark.parametrize("action", ["assign_to_me", "assign_to", "set_status", "set_priority"])
def test_action_is_logged_and_mailed_like_the_single_act(client_of, alice, ann, values, action):
    tickets = [make_ticket(alice) for _number in range(3)]
    client = client_of(ann)
    assert "Change 3 tickets" in body(send(client, action, tickets, value=values[action]))
    response = send(client, action, tickets, value=values[action], apply="1")
    assert "3 tickets are changed." in body(response)
    rows = ActivityLog.objects.filter(verb=VERBS[action])
    assert {(row.ticket_id, row.actor, row.source) for row in rows} == {
        (one.pk, ann, "admin") for one in tickets
    }
    assert Notification.objects.filter(person=alice, kind=VERBS[action]).count() == 3


@pytest.mark.parametrize("meanwhile", ["assigned", "watched", "closed", "deleted"])
def test_preview_that_is_not_true_any_more_is_shown_again(client_of, alice, bob, ann, sam, meanwhile):
    ticket, other = make_ticket(alice), make_ticket(alice)
    client, sent = client_of(ann), {"value": status("waiting").pk}
    page = send(client, "set_status", [ticket, other], **sent)
    with acting_as(sam):
        match meanwhile:
            case "assigned":
                ticket.assign(sam)
            case "watched":
                Watcher.objects.create(ticket=ticket, person=bob)
            case "closed":
                ticket.close()
            case "deleted":
                ticket.delete()
    data = {name: page.context[name] for name in ("action", "numbers", "value", "shown")}
    again = client.post(MANY, {**data, "apply": "1"})
    assert "Something has changed meanwhile." in body(again)
    assert Ticket.objects.get(pk=other.pk).phase == "new"
    client.post(MANY, {**data, "shown": again.context["shown"], "apply": "1"})
    assert Ticket.objects.get(pk=other.pk).phase == "waiting"


def test_action_without_a_value_goes_to_the_preview_at_once(client_of, alice, ann):
    ticket = make_ticket(alice, subject="No sound")
    content = body(choose(client_of(ann), "assign_to_me", [ticket]))
    for words in ("No sound", "nobody yet", "<strong>Ann Weber</strong>", "Mail to Alice Moreau"):
        assert words in content


def test_value_is_asked_for_first(client_of, alice, ann):
    response = choose(client_of(ann), "set_status", [make_ticket(alice), make_ticket(alice)])
    assert "Show what changes" in body(response)
    assert "For 2 tickets." in body(response)


def test_preview_says_what_stays_and_what_is_refused(client_of, alice, ann):
    fresh, worked_on = make_ticket(alice), make_ticket(alice, phase="active")
    client = client_of(ann)
    content = body(send(client, "set_status", [fresh, worked_on], value=status("new").pk))
    assert "Somebody has worked on this ticket already" in content
    assert "Submitted: stays as it is" in content
    assert "Nothing changes, and nobody is mailed." in content
    response = send(client, "set_status", [fresh, worked_on], value=status("new").pk, apply="1")
    assert f"#{worked_on.pk}: Somebody has worked on this ticket already" in body(response)
    assert ActivityLog.objects.count() == 2


def test_what_stays_is_neither_logged_nor_counted(client_of, alice, ann):
    tickets = [make_ticket(alice, assignee=ann), make_ticket(alice)]
    client = client_of(ann)
    assert "Change 1 ticket" in body(send(client, "assign_to_me", tickets))
    assert "1 ticket is changed." in body(send(client, "assign_to_me", tickets, apply="1"))
    assert ActivityLog.objects.filter(verb="assigned").count() == 1


def test_taking_a_ticket_from_somebody_tells_nobody(client_of, alice, ann, sam):
    response = send(client_of(ann), "assign_to", [make_ticket(alice, assignee=sam)], value="")
    assert "Nobody is mailed." in body(response)
    assert "Change 1 ticket" in body(response)


def test_all_across_the_pages_are_meant(client_of, alice, ann):
    tickets = [make_ticket(alice) for _number in range(60)]
    client = client_of(ann)
    page = choose(client, "assign_to_me", tickets[:1], select_across="1", index="0")
    assert len(page.context["preview"]) == 50
    assert "And 10 more tickets." in body(page)
    assert "Change 60 tickets" in body(page)
    send(client, "assign_to_me", tickets, apply="1")
    assert Ticket.objects.assigned_to(ann).count() == 60


def test_more_numbers_than_a_form_may_have_fields_are_taken(client_of, alice, ann):
    ticket = make_ticket(alice)
    numbers = [Ticket(pk=ticket.pk + number) for number in range(actions.MOST)]
    response = send(client_of(ann), "assign_to_me", numbers, apply="1")
    assert response.redirect_chain
    assert Ticket.objects.get().assignee == ann


def test_more_than_the_most_are_refused_in_words(client_of, alice, ann, monkeypatch):
    monkeypatch.setattr(actions, "MOST", 1)
    tickets = [make_ticket(alice), make_ticket(alice)]
    client = client_of(ann)
    response = client.get(choose(client, "assign_to_me", tickets).url)
    assert "Please choose at most 1 tickets at once." in body(response)


def test_it_leads_back_to_the_view_it_came_from(client_of, alice, ann):
    ticket, client = make_ticket(alice), client_of(ann)
    page = choose(client, "assign_to_me", [ticket], query="?phase=new&who=unassigned")
    assert page.context["queue_url"] == f"{LIST}?phase=new&who=unassigned"
    response = send(client, "assign_to_me", [ticket], query=page.context["query"], apply="1")
    assert response.redirect_chain[0][0] == f"{LIST}?phase=new&who=unassigned"


@pytest.mark.parametrize("value", ["", "999999", "x", "9" * 30, "\0"])
@pytest.mark.parametrize("apply", [{}, {"apply": "1"}])
def test_senseless_value_is_refused_at_its_field(client_of, alice, ann, unchanged, value, apply):
    ticket, client = make_ticket(alice), client_of(ann)
    with unchanged():
        response = send(client, "set_status", [ticket], value=value, **apply)
    assert response.context["form"].errors.keys() == {"value"}


@pytest.mark.parametrize("numbers", ["", "x", "1,,2", "9" * 19, "1;2", "\0", "٣"])
def test_senseless_numbers_are_refused(client_of, ann, numbers):
    data = {"action": "assign_to_me", "numbers": numbers, "apply": "1"}
    assert client_of(ann).post(MANY, data).status_code == 400


def test_unknown_action_and_gone_tickets(client_of, ann):
    client = client_of(ann)
    assert client.post(MANY, {"action": "nonsense", "numbers": "1"}).status_code == 400
    response = send(client, "assign_to_me", [Ticket(pk=1), Ticket(pk=2)], apply="1")
    assert "Nothing had to be changed." in body(response)


def test_deleting_many_is_the_supervisors(client_of, alice, ann, sam):
    tickets = [make_ticket(alice) for _number in range(3)]
    assert send(client_of(ann), "delete_selected", tickets, apply="1").status_code == 403
    choose(client_of(ann), "delete_selected", tickets)
    assert Ticket.objects.count() == 3
    client = client_of(sam)
    assert "Delete 3 tickets" in body(choose(client, "delete_selected", tickets))
    assert "3 tickets are deleted." in body(send(client, "delete_selected", tickets, apply="1"))
    assert not Ticket.objects.exists()
    assert ActivityLog.objects.filter(verb="deleted", actor=sam).count() == 3
    assert Notification.objects.filter(person=alice, kind="deleted").count() == 3


def test_ticket_that_others_are_merged_into_is_not_deleted(client_of, alice, sam):
    kept, merged = make_ticket(alice), make_ticket(alice)
    merged.merged_into = kept
    merged.save()
    client = client_of(sam)
    assert "Other tickets are merged into it" in body(choose(client, "delete_selected", [kept]))
    response = send(client, "delete_selected", [kept], apply="1")
    assert "Other tickets are merged into it" in body(response)
    assert Ticket.objects.count() == 2


def test_queries_of_the_preview_do_not_grow(client_of, alice, bob, ann, sam):
    def count(tickets) -> int:
        client = client_of(ann)
        with CaptureQueriesContext(connection) as queries:
            send(client, "set_status", tickets, value=status("waiting").pk)
        return len(queries)

    def tickets(number: int) -> list[Ticket]:
        found = []
        for place in range(number):
            found.append(
                make_ticket(
                    alice if place % 2 else bob, assignee=sam, category=category(f"Category {place % 5}")
                )
            )
            Watcher.objects.create(ticket=found[-1], person=ann)
        return found

    few = count(tickets(2))
    assert count(tickets(50)) == few <= 16


def test_choosing_all_says_when_there_are_more_than_are_counted(client_of, ann, alice, monkeypatch):
    monkeypatch.setattr("accounts.paging.MOST_COUNTED", 60)
    for _number in range(61):
        make_ticket(alice)
    assert "Select all tickets (more than 60)" in client_of(ann).get(LIST).content.decode()
