"""Nobody assumes that a ticket waits for its requester: whoever sets a waiting status says what for.

On every page that sets one. Where nobody could be asked (an import) it waits without a reason.
"""

from datetime import timedelta

import pytest

from tickets.actions import silence
from tickets.history import timeline, verification
from tickets.models import ActivityLog, Comment, Draft, Macro, Notification, Status, Ticket
from tickets.rules.calendar import today
from tickets.rules.waiting import Wait
from tickets.tests.actions.test_waiting import facts, waiting
from tickets.tests.factories import category, make_ticket, status
from tickets.tests.management.test_import_tickets import run  # noqa: F401 - a fixture
from tickets.tests.queue.test_bulk_actions import MANY, body, send

pytestmark = pytest.mark.django_db
ASKED = "Choose what the ticket is waiting for."
QUEUE = "/admin/tickets/ticket/"


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, phase="active", assignee=ann)


@pytest.fixture
def day():
    return today() + timedelta(days=9)


@pytest.fixture
def parked(db) -> Status:
    """A second status with which tickets wait."""
    return Status.objects.create(name="Parked", phase="waiting", position=9)


def on_behalf(alice, **chosen) -> dict:
    typed = {"subject": "No sound", "description": "Since Monday", "category": category().pk}
    return {"requester": alice.pk, "priority": "normal", **typed, **chosen}


# Wherever a person acts
def test_details_without_a_reason_come_back_with_what_was_typed(client_of, ann, ticket, unchanged, day):
    client = client_of(ann)
    with unchanged():
        typed = {"status": status("waiting").pk, "wakes_on": day, "priority": "high", "subject": "Other"}
        response = facts(client, ticket, **typed)
    form = response.context["adminform"].form
    assert form.errors == {"waiting_for": [ASKED]}
    assert {name: str(form[name].value()) for name in typed} == {name: str(typed[name]) for name in typed}


def test_ticket_that_waits_keeps_a_reason(client_of, ann, ticket, unchanged):
    ticket.set_status(status("waiting"), Wait("supplier"))
    client = client_of(ann)
    with unchanged():
        response = facts(client, ticket, waiting_for="")
    assert response.context["adminform"].form.errors == {"waiting_for": [ASKED]}


def test_unsaid_reason_is_asked_for_with_another_status(client_of, ann, ticket, parked):
    ticket.set_status(status("waiting"))
    facts(client_of(ann), ticket, status=parked.pk)
    assert ticket.status == status("waiting")
    facts(client_of(ann), ticket, status=parked.pk, waiting_for="supplier")
    assert (ticket.status, *waiting(ticket)) == (parked, "waiting", "supplier", None)


@pytest.mark.parametrize("place", ["site", "admin"])
def test_reply_without_a_reason_comes_back_with_what_was_typed(client_of, ann, ticket, unchanged, place):
    url = f"/tickets/{ticket.pk}/reply/" if place == "site" else f"{QUEUE}{ticket.pk}/reply/"
    client, typed = client_of(ann), {"body": "Which room?", "status": status("waiting").pk}
    with unchanged():
        response = client.post(url, typed)
    form = response.context["reply_form"]
    assert form.errors == {"waiting_for": [ASKED]}
    assert ASKED in body(response)
    assert (form["body"].value(), form["status"].value()) == ("Which room?", str(typed["status"]))
    client.post(url, {**typed, "waiting_for": "supplier"})
    ticket.refresh_from_db()
    assert waiting(ticket) == ("waiting", "supplier", None)
    assert Comment.objects.count() == 1


def test_reply_says_until_when(client_of, ann, alice, ticket, day):
    url = f"{QUEUE}{ticket.pk}/reply/"
    client, typed = client_of(ann), {"body": "Soon", "status": status("waiting").pk, "waiting_for": "date"}
    for wrong, words in (("", "Choose a date."), (today(), "in the future"), ("soon", "valid date")):
        form = client.post(url, {**typed, "wakes_on": wrong}).context["reply_form"]
        assert form.errors.keys() == {"wakes_on"}
        assert words in str(form.errors)
    client.post(url, {**typed, "wakes_on": day})
    ticket.refresh_from_db()
    assert waiting(ticket) == ("waiting", "date", day)
    row = ActivityLog.objects.get(verb="status_changed")
    assert f"{day.year}" in timeline.sentences([row], reader=alice)[-1]


def test_reply_to_a_ticket_that_waits_leaves_its_reason(client_of, ann, ticket, parked, day):
    ticket.set_status(status("waiting"), Wait("supplier", day))
    client, url = client_of(ann), f"{QUEUE}{ticket.pk}/reply/"
    details = client.get(f"{QUEUE}{ticket.pk}/change/")
    assert '<option value="supplier" selected>Third party</option>' in body(details)
    assert "No change (Third party)" in body(client.get(ticket.get_absolute_url()))
    client.post(url, {"body": "Still there", "status": parked.pk, "waiting_for": "", "wakes_on": ""})
    ticket.refresh_from_db()
    assert (ticket.status, *waiting(ticket)) == (parked, "waiting", "supplier", day)


def test_reason_counts_only_with_a_status_that_waits(client_of, ann, ticket, day):
    typed = {"body": "Hello", "status": "", "waiting_for": "supplier", "wakes_on": day}
    client_of(ann).post(f"{QUEUE}{ticket.pk}/reply/", typed)
    ticket.refresh_from_db()
    assert waiting(ticket) == ("active", "", None)
    assert ActivityLog.objects.filter(verb="status_changed").count() == 0


def test_draft_and_saved_reply_keep_the_reason(client_of, ann, ticket, day):
    fields = {"status": str(status("waiting").pk), "waiting_for": "supplier", "wakes_on": day.isoformat()}
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Half", fields=fields)
    client = client_of(ann)
    form = client.get(f"{QUEUE}{ticket.pk}/change/").context["reply_form"]
    assert {name: str(form[name].value()) for name in fields} == fields
    page = client.post(f"{QUEUE}{ticket.pk}/saved-replies/", {"body": "Half", **fields})
    form = page.context["reply_form"]
    assert {name: str(form[name].value()) for name in fields} == fields


def test_requester_has_no_reason_to_choose(client_of, alice, ticket):
    form = client_of(alice).get(ticket.get_absolute_url()).context["reply_form"]
    assert not {"status", "waiting_for", "wakes_on"} & form.fields.keys()
    client_of(alice).post(
        f"/tickets/{ticket.pk}/reply/", {"body": "x", "waiting_for": "supplier", "wakes_on": "2031-01-01"}
    )
    ticket.refresh_from_db()
    assert waiting(ticket) == ("active", "", None)


def test_new_ticket_of_staff_says_what_it_waits_for(client_of, ann, alice, unchanged, day):
    client, typed = client_of(ann), on_behalf(alice, status=status("waiting").pk)
    with unchanged():
        response = client.post(f"{QUEUE}add/", typed)
    assert response.context["adminform"].form.errors == {"waiting_for": [ASKED]}
    client.post(f"{QUEUE}add/", {**typed, "waiting_for": "supplier", "wakes_on": day})
    assert waiting(Ticket.objects.get()) == ("waiting", "supplier", day)


def test_new_ticket_that_does_not_wait_has_no_reason(client_of, ann, alice):
    typed = on_behalf(alice, status=status("new").pk, waiting_for="supplier")
    client_of(ann).post(f"{QUEUE}add/", typed)
    assert waiting(Ticket.objects.get()) == ("new", "", None)


# Many at once
def test_action_on_many_asks_for_the_reason(client_of, ann, ticket, unchanged):
    client = client_of(ann)
    with unchanged():
        for apply in ({}, {"apply": "1"}):
            response = send(client, "set_status", [ticket], value=status("waiting").pk, **apply)
            assert response.context["form"].errors == {"waiting_for": [ASKED]}
            assert ASKED in body(response)


@pytest.mark.parametrize(
    ("wrong", "words"), [("", "Choose a date."), ("2020-01-01", "in the future"), ("x", "valid")]
)
def test_action_on_many_asks_for_a_day_to_come(client_of, ann, ticket, wrong, words):
    typed = {"value": status("waiting").pk, "waiting_for": "date", "wakes_on": wrong}
    response = send(client_of(ann), "set_status", [ticket], **typed)
    assert response.context["form"].errors.keys() == {"wakes_on"}
    assert words in str(response.context["form"].errors)
    assert 'value="date" selected' in body(response)


def test_preview_says_reason_and_day_and_takes_them_along(client_of, ann, alice, ticket, day):
    typed = {"value": status("waiting").pk, "waiting_for": "supplier", "wakes_on": day.isoformat()}
    client = client_of(ann)
    page = send(client, "set_status", [ticket, make_ticket(alice)], **typed)
    (line, _other) = page.context["preview"]
    assert (line.old, line.new.split(", until ")[0]) == (
        "In Progress",
        "On Hold, waiting for a third party",
    )
    assert str(day.year) in line.new
    for name, value in typed.items():
        assert str(page.context["form"][name].value()) == str(value)
    sent = {name: page.context[name] for name in ("action", "numbers", "shown", "seen")}
    client.post(MANY, {**sent, **typed, "apply": "1"})
    assert {waiting(one) for one in Ticket.objects.all()} == {("waiting", "supplier", day)}
    rows = ActivityLog.objects.filter(verb="status_changed")
    assert {tuple(timeline.sentences([row], reader=alice)[1:]) for row in rows} == {
        ("Waiting for a third party.", timeline.sentences([rows[0]], reader=alice)[-1])
    }
    assert Notification.objects.filter(kind="status_changed", person=alice).count() == 2
    assert list(verification.problems()) == []


def test_other_reason_than_was_shown_is_shown_first(client_of, ann, ticket):
    typed = {"value": status("waiting").pk, "waiting_for": "supplier"}
    client = client_of(ann)
    page = send(client, "set_status", [ticket], **typed)
    sent = {name: page.context[name] for name in ("action", "numbers", "shown", "seen")}
    again = client.post(MANY, {**sent, **typed, "waiting_for": "requester", "apply": "1"})
    assert "Check what changes, then apply it." in body(again)
    ticket.refresh_from_db()
    assert ticket.phase == "active"


def test_many_that_wait_already_get_the_reason(client_of, ann, alice, ticket):
    same = make_ticket(alice, phase="waiting", waiting_for="supplier")
    other = make_ticket(alice, phase="waiting", waiting_for="requester")
    unsaid = make_ticket(alice, phase="waiting")
    typed = {"value": status("waiting").pk, "waiting_for": "supplier"}
    tickets = [same, other, unsaid]
    page = send(client_of(ann), "set_status", tickets, **typed)
    assert [line.stays for line in page.context["preview"]] == [True, False, False]
    assert page.context["preview"][1].old == "On Hold, waiting for the requester"
    assert page.context["preview"][2].old == "On Hold"
    assert "2 tickets updated." in body(send(client_of(ann), "set_status", tickets, **typed, apply="1"))
    assert {Ticket.objects.get(pk=one.pk).waiting_for for one in tickets} == {"supplier"}


def test_many_that_do_not_wait_need_no_reason(client_of, ann, ticket):
    typed = {"value": status("done").pk, "waiting_for": "supplier"}
    send(client_of(ann), "set_status", [ticket], **typed, apply="1")
    ticket.refresh_from_db()
    assert waiting(ticket) == ("done", "", None)


# Macros
def macro_form(**chosen) -> dict:
    return {"title": "Ask", "body": "Which room?", "status": status("waiting").pk, **chosen}


def click(client, macro: Macro, ticket: Ticket):
    return client.post(f"{QUEUE}{ticket.pk}/macro/", {"macro": macro.pk, "macro_key": ""}, follow=True)


def test_macro_asks_for_the_reason_and_the_days(client_of, ann):
    client, url = client_of(ann), "/admin/tickets/macro/add/"
    form = client.post(url, macro_form()).context["adminform"].form
    assert form.errors == {"waiting_for": [ASKED]}
    form = client.post(url, macro_form(waiting_for="date")).context["adminform"].form
    assert form.errors.keys() == {"wakes_after"}
    for days in ("0", "366", "-1", "x"):
        typed = macro_form(waiting_for="date", wakes_after=days)
        assert client.post(url, typed).context["adminform"].form.errors.keys() == {"wakes_after"}
    client.post(url, macro_form(waiting_for="date", wakes_after="3"))
    macro = Macro.objects.get()
    assert (macro.waiting_for, macro.wakes_after) == ("date", 3)
    assert "Reply, status On Hold, snoozed for 3 days" in body(client.get("/admin/tickets/macro/"))


def test_macro_that_lets_nothing_wait_has_no_reason(client_of, ann):
    typed = macro_form(status=status("done").pk, waiting_for="date", wakes_after="3")
    client_of(ann).post("/admin/tickets/macro/add/", typed)
    macro = Macro.objects.get()
    assert (macro.waiting_for, macro.wakes_after) == ("", None)


@pytest.mark.parametrize("text", ["Which room?", ""])
def test_click_says_what_it_waits_for_in_one_act(client_of, ann, alice, ticket, text):
    macro = Macro.objects.create(
        title="Ask", body=text, status=status("waiting"), waiting_for="supplier", wakes_after=3
    )
    click(client_of(ann), macro, ticket)
    ticket.refresh_from_db()
    assert waiting(ticket) == ("waiting", "supplier", today() + timedelta(days=3))
    row = ActivityLog.objects.get(verb="status_changed")
    assert timeline.sentences([row], reader=alice)[1] == "Waiting for a third party."


@pytest.mark.parametrize("text", ["Which room?", ""])
def test_macro_of_before_changes_nothing_until_it_says_what_for(client_of, ann, ticket, unchanged, text):
    macro = Macro.objects.create(title="Ask", body=text, status=status("waiting"))
    client = client_of(ann)
    with unchanged():
        response = click(client, macro, ticket)
    assert "The macro does not say what the ticket is waiting for. Edit the macro first." in body(response)
    offered = body(client.get(f"{QUEUE}{ticket.pk}/macros/"))
    assert "status On Hold, no reason for waiting" in offered.replace("Status", "status")
    ticket.set_status(status("waiting"), Wait("supplier"))  # that is said already
    click(client, macro, ticket)
    ticket.refresh_from_db()
    assert waiting(ticket) == ("waiting", "supplier", None)


# Where nobody can be asked
def test_imported_ticket_waits_for_nobody_and_reads_well(client_of, ann, alice, run):  # noqa: F811 - the fixture
    other = category()
    other.remind_after, other.close_after = 1, 1
    other.save()
    text = "subject,status,requester,created_at\nOld one,On Hold,alice@example.com,2020-01-01\n"
    run(text)
    ticket = Ticket.objects.get()
    assert waiting(ticket) == ("waiting", "", None)
    assert (silence.remind(), silence.close(), silence.wake()) == (0, 0, 0)
    page = client_of(ann).get(f"{QUEUE}{ticket.pk}/change/")
    assert "Waiting, no reason given" in body(page)
    assert "Not set" in body(page)
    own = body(client_of(alice).get(ticket.get_absolute_url()))
    assert "On Hold" in own
    assert "Waiting for" not in own


def test_day_alone_reads_well(client_of, alice, ticket, day):
    ticket.set_status(status("waiting"), Wait(until=day))
    page = body(client_of(alice).get(ticket.get_absolute_url()))
    assert f"Waiting until {day.day} {day:%b %Y}" in page
