"""Actions on many tickets: one form shows what changes and who is mailed; then each is a single act."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import acting_as
from tickets.admin.queue import actions
from tickets.models import ActivityLog, Notification, Ticket, Watcher
from tickets.rules.waiting import Wait
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
    return client.post(MANY, {**data, **seen_in(response), "apply": apply}, follow=True)


def seen_in(page) -> dict:
    """What the form sends back of the preview."""
    return {name: page.context[name] for name in ("shown", "seen") if name in page.context}


def hold(reason: str = "requester", day: object = "") -> dict:
    return {"value": status("waiting").pk, "waiting_for": reason, "wakes_on": day}


@pytest.fixture
def values(sam):
    return {
        "assign_to_me": {},
        "assign_to": {"value": sam.pk},
        "set_status": hold(),
        "set_priority": {"value": "urgent"},
        "delete_selected": {},
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
        response = send(client, action, tickets, **values[action])
    promised = [{person.email for person in line.people} for line in response.context["preview"]]
    before = set(Notification.objects.values_list("pk", flat=True))
    send(client, action, tickets, **values[action], apply="1")
    mailed = Notification.objects.exclude(pk__in=before).filter(kind=VERBS[action])
    assert promised == [
        set(mailed.filter(ticket_id=ticket.pk).values_list("address", flat=True)) for ticket in tickets
    ]
    assert mailed.count() == response.context["mails"] == sum(map(len, promised)) > 0


@pytest.mark.parametrize("action", ["assign_to_me", "assign_to", "set_status", "set_priority"])
def test_action_is_logged_and_mailed_like_the_single_act(client_of, alice, ann, values, action):
    tickets = [make_ticket(alice) for _number in range(3)]
    client = client_of(ann)
    assert "Change 3 tickets" in body(send(client, action, tickets, **values[action]))
    response = send(client, action, tickets, **values[action], apply="1")
    assert "3 tickets updated." in body(response)
    rows = ActivityLog.objects.filter(verb=VERBS[action])
    assert {(row.ticket_id, row.actor, row.source) for row in rows} == {
        (one.pk, ann, "admin") for one in tickets
    }
    assert Notification.objects.filter(person=alice, kind=VERBS[action]).count() == 3


CHANGED = "This ticket changed after the preview."


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        ("closed", "Sam Lindqvist changed the status to Done a second ago."),
        ("assigned", CHANGED),
        ("watched", CHANGED),
        ("waiting", CHANGED),
        ("deleted", "This ticket no longer exists."),
    ],
)
def test_ticket_that_is_not_as_shown_is_refused_and_the_rest_is_changed(
    client_of, alice, bob, ann, sam, meanwhile, reason
):
    ticket, other = make_ticket(alice, phase="waiting", waiting_for="supplier"), make_ticket(alice)
    client, sent = client_of(ann), hold()
    page = send(client, "set_status", [ticket, other], **sent)
    with acting_as(sam):
        match meanwhile:
            case "assigned":
                ticket.assign(sam)
            case "watched":
                Watcher.objects.create(ticket=ticket, person=bob)
            case "waiting":
                ticket.set_status(ticket.status, Wait("date", timezone.localdate() + timedelta(days=3)))
            case "closed":
                ticket.close()
            case "deleted":
                number = ticket.pk
                ticket.delete()
                ticket.pk = number
    data = {name: page.context[name] for name in ("action", "numbers")} | seen_in(page) | sent
    result = client.post(MANY, {**data, "apply": "1"})
    assert "1 ticket updated." in body(result)
    (refused,) = result.context["result"].refused.items()
    assert (refused[0], reason in refused[1]) == (ticket.pk, True)
    assert f'href="{LIST}{ticket.pk}/change/">#{ticket.pk}</a>' in body(result)
    assert Ticket.objects.get(pk=other.pk).phase == "waiting"
    assert Notification.objects.filter(kind="status_changed", ticket_id=other.pk).exists()


def test_priority_that_somebody_changed_meanwhile_is_kept(client_of, alice, ann, sam):
    tickets = [make_ticket(alice), make_ticket(alice)]
    client, sent = client_of(ann), {"value": "low"}
    page = send(client, "set_priority", tickets, **sent)
    with acting_as(sam):
        tickets[0].set_priority("urgent")
    data = {name: page.context[name] for name in ("action", "numbers")} | seen_in(page) | sent
    result = client.post(MANY, {**data, "apply": "1"})
    assert "Sam Lindqvist changed the priority to Urgent a second ago." in body(result)
    assert [one.priority for one in Ticket.objects.order_by("pk")] == ["urgent", "low"]


def test_what_somebody_changed_to_the_same_is_no_refusal(client_of, alice, ann, sam):
    tickets = [make_ticket(alice), make_ticket(alice)]
    client, sent = client_of(ann), {"value": "low"}
    page = send(client, "set_priority", tickets, **sent)
    with acting_as(sam):
        tickets[0].set_priority("low")
    data = {name: page.context[name] for name in ("action", "numbers")} | seen_in(page) | sent
    assert "1 ticket updated." in body(client.post(MANY, {**data, "apply": "1"}, follow=True))


def test_value_that_was_not_shown_is_shown_first(client_of, alice, ann, unchanged):
    ticket, client = make_ticket(alice), client_of(ann)
    page = send(client, "set_priority", [ticket], value="low")
    data = {name: page.context[name] for name in ("action", "numbers")} | seen_in(page)
    with unchanged():
        again = client.post(MANY, {**data, "value": "urgent", "apply": "1"})
    assert "Check what changes, then apply it." in body(again)
    assert "<strong>Urgent</strong>" in body(again)


def test_script_gets_figures_of_each_step(client_of, alice, ann, sam):
    tickets = [make_ticket(alice) for _number in range(3)]
    client = client_of(ann)
    page = send(client, "set_priority", tickets, value="high")
    with acting_as(sam):
        tickets[1].set_priority("urgent")
    numbers, seen = (page.context[name].split(",") for name in ("numbers", "seen"))
    answers = []
    for start, end in ((0, 2), (2, 3)):
        data = {"numbers": ",".join(numbers[start:end]), "seen": ",".join(seen[start:end])}
        data |= {"action": "set_priority", "value": "high", "shown": page.context["shown"], "apply": "1"}
        answers.append(client.post(MANY, data, headers={"X-Bulk-Change": "yes"}).json())
        assert len(answers[-1].pop("undo").split()) == 1
    reason = "Sam Lindqvist changed the priority to Urgent a second ago."
    assert answers == [
        {"changed": 1, "refused": [[tickets[1].pk, reason]]}, {"changed": 1, "refused": []},
    ]  # fmt: skip


def test_action_without_a_value_goes_to_the_preview_at_once(client_of, alice, ann):
    ticket = make_ticket(alice, subject="No sound")
    content = body(choose(client_of(ann), "assign_to_me", [ticket]))
    for words in ("No sound", "Unassigned", "<strong>Ann Weber</strong>", "Email to Alice Moreau"):
        assert words in content


@pytest.mark.parametrize("action", ["set_status", "set_priority"])
def test_nothing_is_chosen_at_first(client_of, alice, ann, action):
    response = choose(client_of(ann), action, [make_ticket(alice), make_ticket(alice)])
    assert "Preview changes" in body(response)
    assert '<option value="" selected>Choose one</option>' in body(response)
    assert "2 tickets selected. Choose a value" in body(response)
    assert 'name="apply"' not in body(response)


def test_assigning_begins_with_oneself(client_of, alice, ann):
    content = body(choose(client_of(ann), "assign_to", [make_ticket(alice)]))
    assert f'<option value="{ann.pk}" selected>' in content
    assert "Change 1 ticket" in content


def test_preview_says_what_stays_and_what_is_refused(client_of, alice, ann):
    fresh, worked_on = make_ticket(alice), make_ticket(alice, phase="active")
    client = client_of(ann)
    content = body(send(client, "set_status", [fresh, worked_on], value=status("new").pk))
    assert "Someone has already worked on this ticket" in content
    assert "No change (Submitted)" in content
    assert "Nothing changes. No one will be notified." in content
    response = send(client, "set_status", [fresh, worked_on], value=status("new").pk, apply="1")
    assert "Someone has already worked on this ticket" in response.context["result"].refused[worked_on.pk]
    assert ActivityLog.objects.count() == 2


def test_what_stays_is_neither_logged_nor_counted(client_of, alice, ann):
    tickets = [make_ticket(alice, assignee=ann), make_ticket(alice)]
    client = client_of(ann)
    assert "Change 1 ticket" in body(send(client, "assign_to_me", tickets))
    assert "1 ticket updated." in body(send(client, "assign_to_me", tickets, apply="1"))
    assert ActivityLog.objects.filter(verb="assigned").count() == 1


def test_taking_a_ticket_from_somebody_tells_nobody(client_of, alice, ann, sam):
    response = send(client_of(ann), "assign_to", [make_ticket(alice, assignee=sam)], value="")
    assert "No one will be notified." in body(response)
    assert "Change 1 ticket" in body(response)


def test_all_across_the_pages_are_meant(client_of, alice, ann):
    tickets = [make_ticket(alice) for _number in range(60)]
    client = client_of(ann)
    page = choose(client, "assign_to_me", tickets[:1], select_across="1", index="0")
    assert len(page.context["preview"]) == 60
    assert "Change 60 tickets" in body(page)
    send(client, "assign_to_me", tickets, apply="1")
    assert Ticket.objects.assigned_to(ann).count() == 60


def test_as_many_as_are_allowed_are_taken_and_one_more_is_refused(client_of, alice, ann):
    ticket, client = make_ticket(alice), client_of(ann)
    numbers = [Ticket(pk=ticket.pk + number) for number in range(actions.MOST)]
    response = send(client, "assign_to_me", numbers, apply="1")
    assert len(response.context["result"].refused) == actions.MOST - 1
    assert Ticket.objects.get().assignee == ann
    response = send(client, "assign_to_me", [*numbers, Ticket(pk=1)], apply="1")
    assert response.status_code == 400


def test_more_than_the_most_are_refused_in_words(client_of, alice, ann, monkeypatch):
    monkeypatch.setattr(actions, "MOST", 1)
    tickets = [make_ticket(alice), make_ticket(alice)]
    client = client_of(ann)
    response = client.get(choose(client, "assign_to_me", tickets).url)
    assert "Select at most 1 tickets." in body(response)


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


def test_unknown_action_and_gone_tickets(client_of, ann, sam):
    client = client_of(ann)
    assert client.post(MANY, {"action": "nonsense", "numbers": "1"}).status_code == 400
    response = send(client, "assign_to_me", [Ticket(pk=1), Ticket(pk=2)], apply="1")
    assert set(response.context["result"].refused.values()) == {"This ticket no longer exists."}
    supervisor = client_of(sam)
    response = send(supervisor, "delete_selected", [Ticket(pk=1)], apply="1")
    assert "No changes were needed." in body(response)


def test_deleting_many_is_the_supervisors(client_of, alice, ann, sam):
    tickets = [make_ticket(alice) for _number in range(3)]
    assert send(client_of(ann), "delete_selected", tickets, apply="1").status_code == 403
    choose(client_of(ann), "delete_selected", tickets)
    assert Ticket.objects.count() == 3
    client = client_of(sam)
    assert "Delete 3 tickets" in body(choose(client, "delete_selected", tickets))
    assert "3 tickets deleted." in body(send(client, "delete_selected", tickets, apply="1"))
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
            response = send(client, "set_status", tickets, **hold())
        assert response.context["changing"] == len(tickets)
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
    monkeypatch.setattr("helpdesk.lists.paging.MOST_COUNTED", 60)
    for _number in range(61):
        make_ticket(alice)
    assert "Select all tickets (more than 60)" in client_of(ann).get(LIST).content.decode()


# Undo
UNDO = "/admin/tickets/ticket/undo/"


def undo_of(client, action: str, tickets, **fields) -> str:
    """Applies the action as the script does. Returns what undoes it."""
    seen = seen_in(send(client, action, tickets, **fields))
    data = {"action": action, "numbers": ",".join(str(one.pk) for one in tickets), **fields, **seen}
    return client.post(MANY, {**data, "apply": "1"}, headers={"X-Bulk-Change": "yes"}).json()["undo"]


def fields_of(tickets) -> list:
    names = ("assignee", "status", "priority", "waiting_for", "done_at")
    return list(Ticket.objects.filter(pk__in=[one.pk for one in tickets]).values_list("pk", *names))


@pytest.mark.parametrize("action", ["assign_to_me", "assign_to", "set_status", "set_priority"])
def test_action_is_undone_and_nobody_is_emailed(client_of, alice, ann, sam, values, action):
    tickets = [make_ticket(alice), make_ticket(alice, phase="active"), make_ticket(alice, priority="low")]
    before, client = fields_of(tickets), client_of(ann)
    Notification.objects.all().delete()
    text = undo_of(client, action, tickets, **values[action])
    mails = Notification.objects.filter(kind=VERBS[action])
    assert {mail.next_try_at - mail.created_at for mail in mails} == {timedelta(seconds=10)}
    assert fields_of(tickets) != before
    answer = client.post(UNDO, {"undo": text}, headers={"X-Undo": "row"})
    assert (answer.status_code, answer.json()["said"]) == (200, "3 changes undone.")
    assert fields_of(tickets) == before
    assert not Notification.objects.exists()
    client.post(UNDO, {"undo": text}, headers={"X-Undo": "row"})  # a double click
    assert fields_of(tickets) == before


def test_undo_names_what_stays_and_why(client_of, alice, ann, sam):
    changed, sent, gone, other = (make_ticket(alice) for _number in range(4))
    client = client_of(ann)
    text = undo_of(client, "set_priority", [changed, sent, gone, other], value="urgent")
    with acting_as(sam):
        Ticket.objects.get(pk=changed.pk).set_priority("low")
    Notification.objects.filter(ticket=sent.pk, kind="edited").update(state="sent")
    Ticket.objects.get(pk=gone.pk).delete()
    said = client.post(UNDO, {"undo": text}, headers={"X-Undo": "row"}).json()["said"]
    assert said == (
        f"1 change undone. #{changed.pk}: Not undone: the ticket was changed again meanwhile. "
        f"#{sent.pk}: Too late to undo: the email has already been sent. "
        f"#{gone.pk}: This ticket no longer exists."
    )
    assert [one.priority for one in Ticket.objects.order_by("pk")] == ["low", "urgent", "normal"]


def test_undo_is_for_its_person_alone_and_whole(client_of, alice, ann, sam):
    tickets = [make_ticket(alice), make_ticket(alice)]
    text = undo_of(client_of(ann), "set_priority", tickets, value="urgent")
    for client, sent in ((client_of(sam), text), (client_of(ann), f"{text} x"), (client_of(ann), " ")):
        assert client.post(UNDO, {"undo": sent}).status_code == 404
    assert {one.priority for one in Ticket.objects.all()} == {"urgent"}


def test_without_javascript_the_message_undoes_and_leads_back(client_of, alice, ann):
    tickets = [make_ticket(alice), make_ticket(alice)]
    client = client_of(ann)
    page = body(send(client, "set_priority", tickets, value="urgent", query="who=all", apply="1"))
    text, url = (re.search(f'{name}="([^"]+)"', page)[1] for name in ('undo" value', "formaction"))
    answer = client.post(url.replace("&amp;", "&"), {"undo": text})
    assert answer.url == f"{LIST}?who=all"
    assert {one.priority for one in Ticket.objects.all()} == {"normal"}


def test_deletion_is_not_undone(client_of, alice, root):
    assert undo_of(client_of(root), "delete_selected", [make_ticket(alice)]) == ""
