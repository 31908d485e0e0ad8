"""An answer claims a free ticket unless that is unticked (specs 1.6); nobody takes one from somebody unseen (2.5)."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import claiming, conversation, macros
from tickets.history import timeline
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Comment, Macro, Notification, Ticket
from tickets.tests.factories import category, make_ticket, status
from tickets.tests.mail.test_inbound import FAILED, PASSED, came_in, raw

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
TICKED = {"body": "Please restart it.", "claims": ["", "on"]}
UNTICKED = {"body": "Please restart it.", "claims": ""}
DOORS = {"admin": LIST + "{}/reply/", "portal": "/tickets/{}/reply/"}


@pytest.fixture(autouse=True)
def frozen_clock():
    """A slow machine makes no "2 seconds ago"."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def ben(roles):
    return make_person("Ben Okafor", role=Role.AGENT)


@pytest.fixture
def ravi(roles):
    return make_person("Ravi Shah", role=Role.AGENT)


@pytest.fixture
def ticket(alice):
    return make_ticket(alice)


@pytest.fixture
def mail_comes_in(settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode().replace("&#x27;", "'")


def stops_working(person, how: str = "deactivated") -> None:
    """Around save(), so that the tickets stay: as in the minute before they are handed over."""
    if how == "deactivated":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        person.groups.clear()


def now(ticket) -> tuple:
    ticket = Ticket.objects.get(pk=ticket.pk)
    return ticket.assignee, ticket.assigned_because, ticket.phase


def page(client, ticket) -> str:
    return body(client.get(f"{LIST}{ticket.pk}/change/"))


def posted(content: str) -> str:
    """Whom the button on the ticket's page, and those of the macros, post as the assignee that was seen."""
    seen = re.search(r'<input type="hidden" name="seen" value="(\d*)" form="reply-form">', content)[1]
    button = re.search(
        r'<button class="btn" type="submit" form="take-form" name="seen" value="(\d*)"', content
    )
    assert button is None or button[1] == seen
    return seen


# The answer
@pytest.mark.parametrize("door", DOORS)
def test_answer_claims_a_free_ticket_and_starts_it_in_one_act(client_of, alice, ben, ticket, door, mailgun):
    """T37."""
    deliver_due()
    client_of(ben).post(DOORS[door].format(ticket.pk), TICKED)
    assert now(ticket) == (ben, "reply", "active")
    rows = ActivityLog.objects.filter(actor=ben)
    assert sorted(rows.values_list("verb", flat=True)) == ["assigned", "replied", "status_changed"]
    assert len(set(rows.values_list("batch"))) == 1
    assert len(timeline.entries_for(ticket, alice)) == 2
    before = len(mailgun.mails)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        deliver_due()
    (mail,) = mailgun.mails[before:]
    assert alice.email in str(mail)
    assert "Please restart it." in mail["text"]
    assert "In Progress" in mail["text"]


@pytest.mark.parametrize("door", DOORS)
def test_box_is_ticked_by_default_and_says_what_happens(client_of, ben, ticket, door):
    url = f"{LIST}{ticket.pk}/change/" if door == "admin" else ticket.get_absolute_url()
    content = body(client_of(ben).get(url))
    box = re.search(r'<input type="checkbox" name="claims"[^>]*>', content)[0]
    assert "checked" in box
    assert ">Assign to me</label>" in content
    assert "In Progress if assigned to me" in content


@pytest.mark.parametrize("data", [UNTICKED, {"body": "Please restart it."}], ids=["unticked", "not sent"])
def test_unticked_answer_changes_nothing_else(client_of, ben, ticket, data):
    client_of(ben).post(DOORS["admin"].format(ticket.pk), data)
    assert now(ticket) == (None, "", "new")
    assert ActivityLog.objects.get(actor=ben).verb == "replied"


@pytest.mark.parametrize("phase", ["new", "waiting", "done"])
def test_status_that_was_chosen_wins(client_of, ben, ticket, phase):
    client_of(ben).post(
        DOORS["admin"].format(ticket.pk), {**TICKED, "status": status(phase).pk, "waiting_for": "requester"}
    )
    assert now(ticket) == (ben, "reply", phase)


@pytest.mark.parametrize("phase", ["active", "waiting", "done"])
def test_only_a_new_ticket_gets_another_status(client_of, alice, ben, phase):
    ticket = make_ticket(alice, phase=phase)
    client_of(ben).post(DOORS["admin"].format(ticket.pk), TICKED)
    assert now(ticket) == (ben, "reply", phase)


@pytest.mark.parametrize("how", ["deactivated", "demoted"])
def test_owner_who_does_not_work_counts_as_none(client_of, alice, ben, ravi, how):
    ticket = make_ticket(alice, assignee=ravi, phase="active")
    client = client_of(ben)
    assert 'name="claims"' not in page(client, ticket)
    stops_working(ravi, how)
    content = page(client, ticket)
    assert 'name="claims"' in content
    assert "Take over" not in content
    mark = {"deactivated": "deactivated", "demoted": "not staff"}[how]
    assert f'<span dir="auto">Ravi Shah ({mark})</span>' in content
    client.post(DOORS["admin"].format(ticket.pk), TICKED)
    assert now(ticket) == (ben, "reply", "active")


def test_done_ticket_stays_with_who_did_it(client_of, alice, ben, ravi):
    ticket = make_ticket(alice, assignee=ravi, phase="done")
    stops_working(ravi)
    assert 'name="claims"' not in page(client_of(ben), ticket)
    client_of(ben).post(DOORS["admin"].format(ticket.pk), TICKED)
    assert now(ticket)[0] == ravi


def test_requester_claims_nothing_not_even_as_staff(client_of, alice, ben):
    for person in (alice, ben):
        ticket = make_ticket(person)
        client = client_of(person)
        assert 'name="claims"' not in body(client.get(ticket.get_absolute_url()))
        client.post(DOORS["portal"].format(ticket.pk), TICKED)
        assert now(ticket) == (None, "", "new")


def test_note_claims_nothing(client_of, ben, ticket):
    client_of(ben).post(f"{LIST}{ticket.pk}/note/", TICKED)
    assert now(ticket) == (None, "", "new")


def test_box_stays_as_it_was_where_the_answer_is_refused(client_of, ben, ticket, unchanged):
    client = client_of(ben)
    for data in (TICKED, UNTICKED):
        with unchanged():
            content = body(client.post(DOORS["admin"].format(ticket.pk), {**data, "body": " "}))
        box = re.search(r'<input type="checkbox" name="claims"[^>]*>', content)[0]
        assert ("checked" in box) == (data is TICKED)


@pytest.mark.parametrize("door", DOORS)
def test_answer_stands_where_somebody_was_faster_and_the_page_says_who(client_of, ben, ravi, ticket, door):
    client = client_of(ben)
    page(client, ticket)
    client_of(ravi).post(DOORS["admin"].format(ticket.pk), TICKED)
    response = client.post(DOORS[door].format(ticket.pk), {**TICKED, "body": "Me too"}, follow=True)
    assert now(ticket) == (ravi, "reply", "active")
    assert Comment.objects.filter(author=ben, body="Me too").exists()
    content = body(response)
    assert "Reply sent." in content
    assert "Ravi Shah self-assigned this a second ago." in content
    assert "is now assigned to you" not in content
    assert ActivityLog.objects.filter(verb="assigned").count() == 1
    if door == "admin":
        assert "Take over from Ravi Shah" in content
        assert posted(content) == str(ravi.pk)


def test_page_says_that_the_ticket_is_mine_now(client_of, ben, ticket):
    content = body(client_of(ben).post(DOORS["admin"].format(ticket.pk), TICKED, follow=True))
    assert f"#{ticket.pk} is now assigned to you." in content


def test_answer_on_a_merged_ticket_claims_the_one_where_it_stands(client_of, alice, ben, ticket):
    other = make_ticket(alice)
    with acting_as(ben):
        ticket.status, ticket.merged_into = status("done"), other
        ticket.save()
    client_of(ben).post(DOORS["admin"].format(ticket.pk), TICKED)
    assert now(ticket)[0] is None
    assert now(other) == (ben, "reply", "active")


# By mail
def test_answer_by_mail_of_a_proven_sender_claims(mail_comes_in, ben, ticket):
    came_in(raw(sender=ben.email, to=reply_address(ticket.pk, ben.pk), headers=(PASSED,)))
    assert Comment.objects.get().is_public
    assert now(ticket) == (ben, "reply", "active")


@pytest.mark.parametrize("headers", [(), ("X-Spam: no",), (FAILED,)], ids=str)
def test_mail_of_nobody_proven_claims_nothing(mail_comes_in, ben, ticket, headers):
    came_in(raw(sender=ben.email, to=reply_address(ticket.pk, ben.pk), headers=headers))
    assert now(ticket) == (None, "", "new")


def test_mail_that_somebody_else_vouches_for_claims_nothing(mail_comes_in, ben, ravi, ticket):
    """It becomes a note of the colleague who releases it."""
    email = came_in(raw(sender=ben.email, to=reply_address(ticket.pk, ben.pk), headers=(FAILED,)))
    handler.release(email, by=ravi)
    assert now(ticket) == (None, "", "new")


@pytest.mark.parametrize("how", ["deactivated", "demoted"])
def test_mail_of_who_does_not_work_claims_nothing(mail_comes_in, ben, ticket, how):
    conversation.watch(ticket, ben)
    stops_working(ben, how)
    came_in(raw(sender=ben.email, to=reply_address(ticket.pk, ben.pk)))
    assert now(ticket) == (None, "", "new")


def test_mail_of_the_requester_and_note_by_mail_claim_nothing(mail_comes_in, alice, ben, ticket):
    came_in(raw(to=reply_address(ticket.pk, alice.pk)))
    came_in(
        raw(
            sender=ben.email, to=reply_address(ticket.pk, ben.pk, internal=True), message_id="<2@example.com>"
        )
    )
    own = make_ticket(ben)
    came_in(raw(sender=ben.email, to=reply_address(own.pk, ben.pk), message_id="<3@example.com>"))
    assert Comment.objects.count() == 3
    assert now(ticket) == now(own) == (None, "", "new")


# Macros
def click(client, macro, ticket, **typed):
    return client.post(f"{LIST}{ticket.pk}/macro/", {"macro": macro.pk, **typed}, follow=True)


def test_macro_that_answers_claims_like_an_answer(client_of, alice, ben):
    hello = Macro.objects.create(title="Hello", body="Hello {first_name}")
    solved = Macro.objects.create(title="Solved", body="It works again.", status=status("done"))
    taking = Macro.objects.create(title="Mine", body="I look into it.", assigns_to_me=True)
    silent = Macro.objects.create(title="Urgent", priority="urgent")
    fresh = Macro.objects.create(title="Later", body="We come back to you.", status=status("new"))
    cases = [
        (hello, {}, (ben, "reply", "active")),
        (hello, {"claims": ["", "on"]}, (ben, "reply", "active")),
        (hello, {"claims": ""}, (None, "", "new")),
        (solved, {}, (ben, "reply", "done")),
        (solved, {"claims": ""}, (None, "", "done")),
        (taking, {"claims": ""}, (ben, "reply", "active")),
        (silent, {}, (None, "", "new")),
        (fresh, {}, (ben, "reply", "new")),
    ]
    client = client_of(ben)
    for macro, sent, expected in cases:
        ticket = make_ticket(alice)
        click(client, macro, ticket, **sent)
        assert now(ticket) == expected, (macro, sent)
        assert len(set(ActivityLog.objects.filter(ticket_id=ticket.pk, actor=ben).values_list("batch"))) == 1


def test_macro_takes_nothing_from_somebody_unseen(client_of, ben, ravi, ticket, unchanged):
    taking = Macro.objects.create(title="Mine", body="I look into it.", assigns_to_me=True)
    client = client_of(ben)
    seen = posted(page(client, ticket))
    with acting_as(ravi):
        ticket.assign(ravi, because="took")
    with unchanged():
        response = click(client, taking, ticket, seen=seen)
    content = body(response)
    assert "“Mine” was not applied. Ravi Shah self-assigned this a second ago." in content
    assert "Take over from Ravi Shah" in content
    click(client, taking, ticket, seen=posted(content))
    assert now(ticket)[:2] == (ben, "took")


def test_answer_of_a_macro_stands_where_somebody_was_faster(client_of, ben, ravi, ticket):
    hello = Macro.objects.create(title="Hello", body="Hello {first_name}", priority="high")
    with acting_as(ravi):
        ticket.assign(ravi, because="took")
    content = body(click(client_of(ben), hello, ticket, seen="", claims=["", "on"]))
    assert f"#{ticket.pk}: Ravi Shah self-assigned this a second ago." in content
    assert now(ticket)[0] == ravi
    assert Comment.objects.get().author == ben
    assert Ticket.objects.get().priority == "high"
    content = body(click(client_of(ben), hello, ticket, seen=ravi.pk))
    assert "self-assigned" not in content


def test_macro_of_who_stopped_working_claims_nothing(ben, ticket):
    hello = Macro.objects.create(title="Hello", body="Hello {first_name}")
    stops_working(ben, "demoted")
    macros.apply(hello, ticket, agent=User.objects.get(pk=ben.pk), key=ticket.submission_key)
    assert now(ticket)[0] is None


# The button and the key
def take(client, ticket, **data):
    return client.post(f"{LIST}{ticket.pk}/take/", data, follow=True)


def test_second_of_two_reads_who_was_faster_and_can_take_it_over(client_of, ann, ben, ticket):
    """T35."""
    client, start = client_of(ann), timezone.now()
    with time_machine.travel(start, tick=False):
        seen = posted(page(client, ticket))
        take(client_of(ben), ticket, seen="")
    with time_machine.travel(start + timedelta(seconds=12), tick=False):
        content = body(take(client, ticket, seen=seen))
    assert now(ticket)[:2] == (ben, "took")
    assert "Ben Okafor self-assigned this 12 seconds ago." in content
    assert "is now assigned to you" not in content
    assert ActivityLog.objects.filter(verb="assigned").count() == 1
    assert re.search(r">\s*Take over from Ben Okafor\s*</button>", content)
    content = body(take(client, ticket, seen=posted(content)))
    assert now(ticket)[:2] == (ann, "took")
    assert f"#{ticket.pk} is now assigned to you." in content


@pytest.mark.parametrize("seen", ["", "0", "x", "-1", "9" * 40, "a\0b", "١"])
def test_senseless_value_takes_nothing_from_anybody(client_of, ann, ben, ticket, unchanged, seen):
    with acting_as(ben):
        ticket.assign(ben)
    client = client_of(ann)
    with unchanged():
        content = body(take(client, ticket, seen=seen))
    assert "Ben Okafor self-assigned this" in content


@pytest.mark.parametrize("how", ["deactivated", "demoted"])
def test_ticket_of_who_left_is_taken_without_a_question(client_of, ann, ben, ticket, how):
    ticket.assign(ben)
    stops_working(ben, how)
    client = client_of(ann)
    content = page(client, ticket)
    assert re.search(r">\s*Assign to me\s*</button>", content)
    take(client, ticket, seen="")
    assert now(ticket)[0] == ann


def test_ticket_that_was_released_meanwhile_is_free(client_of, ann, ben, ticket):
    ticket.assign(ben)
    seen = posted(page(client_of(ann), ticket))
    ticket.assign(None)
    take(client_of(ann), ticket, seen=seen)
    assert now(ticket)[0] == ann


def test_who_stopped_working_in_this_moment_takes_nothing(client_of, ann, ticket, monkeypatch):
    """The admin lets him in still; the save does not."""
    monkeypatch.setattr("tickets.models.ticket_owner.working", lambda number: None)
    content = body(take(client_of(ann), ticket, seen=""))
    assert "Ann Weber does not work on tickets" in content
    assert now(ticket)[0] is None


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("ben", "Ben Okafor self-assigned this a minute ago."),
        ("sam", "Sam Lindqvist assigned this to Ben Okafor a minute ago."),
        (None, "This was assigned to Ben Okafor a minute ago."),
    ],
)
def test_words_say_who_gave_it_to_whom_and_when(request, ben, sam, ticket, actor, words):
    person = actor and request.getfixturevalue(actor)
    with time_machine.travel(timezone.now() - timedelta(seconds=61), tick=False), acting_as(person):
        ticket.assign(ben)
    with acting_as(sam):
        ticket.set_priority("high")
    assert claiming.who_has_it(Ticket.objects.get()) == words


def test_words_for_a_ticket_that_was_filed_with_its_owner_or_has_no_log(ben, sam, alice):
    with acting_as(sam):
        ticket = Ticket.objects.create(
            requester=alice,
            assignee=ben,
            subject="S",
            description="D",
            category=category(),
            status=status("new"),
        )
    assert claiming.who_has_it(ticket) == "Sam Lindqvist assigned this to Ben Okafor a second ago."
    ticket.assignee = sam
    assert claiming.who_has_it(ticket) == "This is assigned to Sam Lindqvist."


def test_queue_says_who_was_faster_with_a_button_to_take_it_over(client_of, ann, ben, ticket):
    client, url = client_of(ann), f"{LIST}{ticket.pk}/take/?_changelist_filters=phase%3Dnew"
    assert '<span data-assignee="" data-initials="+">Unassigned</span>' in body(client.get(LIST))
    take(client_of(ben), ticket, seen="")
    response = client.post(url, {"to_queue": "1", "seen": ""}, follow=True)
    assert response.redirect_chain[-1][0] == f"{LIST}?phase=new"
    content = body(response)
    assert f"#{ticket.pk}: Ben Okafor self-assigned this a second ago." in content
    assert f'<span data-assignee="{ben.pk}" data-initials="BO">Ben Okafor</span>' in content
    button = re.search(r'<button class="button"[^>]* form="take-row"[^>]*>([^<]*)<', content)
    assert button[1] == "Take over from Ben Okafor"
    assert f'formaction="{url}"' in button[0]
    assert f'name="seen" value="{ben.pk}"' in button[0]
    client.post(url, {"to_queue": "1", "seen": ben.pk})
    assert now(ticket)[0] == ann


def test_name_of_who_was_faster_is_shown_as_text(client_of, ann, ben, ticket):
    User.objects.filter(pk=ben.pk).update(full_name="<script>alert(1)</script>")
    take(client_of(ben), ticket, seen="")
    for data in ({}, {"to_queue": "1"}):
        assert "<script>alert" not in body(take(client_of(ann), ticket, seen="", **data))


def test_live_page_posts_the_assignee_that_it_shows_by_now(client_of, ann, ben, ticket):
    client, last = client_of(ann), ActivityLog.objects.first().pk
    take(client_of(ben), ticket, seen="")
    content = body(client.get(f"{LIST}{ticket.pk}/timeline/", {"after": last}))
    assert '<span id="take" data-hx-swap-oob="true">' in content
    assert posted(content) == str(ben.pk)
    assert "Take over from Ben Okafor" in content


# Many at once
def many(client, action: str, tickets, **fields):
    numbers = ",".join(str(ticket.pk) for ticket in tickets)
    return client.post(f"{LIST}many/", {"action": action, "numbers": numbers, **fields}, follow=True)


@pytest.mark.parametrize("action", ["assign_to_me", "assign_to"])
def test_many_skips_and_names_who_was_faster(client_of, alice, ann, ben, ravi, action):
    tickets = [make_ticket(alice), make_ticket(alice, assignee=ravi), make_ticket(alice)]
    client, value = client_of(ann), "" if action == "assign_to_me" else ann.pk
    shown = many(client, action, tickets, value=value).context
    assert [one.partition(":")[0] for one in shown["seen"].split(",")] == ["", str(ravi.pk), ""]
    take(client_of(ben), tickets[2], seen="")
    sent = {"value": value, "shown": shown["shown"], "seen": shown["seen"], "apply": "1"}
    content = body(many(client, action, tickets, **sent))
    assert [now(ticket)[0] for ticket in tickets] == [ann, ann, ben]
    assert "2 tickets updated." in content
    assert f"#{tickets[2].pk}</a>: <bdi>Ben Okafor self-assigned this a second ago.</bdi>" in content
    because = {"assign_to_me": "took", "assign_to": ""}[action]
    assert [now(ticket)[1] for ticket in tickets] == [because, because, "took"]


def test_many_takes_nobody_s_ticket_away_by_releasing_it(client_of, alice, ann, ben, ravi):
    ticket = make_ticket(alice, assignee=ravi)
    client = client_of(ann)
    shown = many(client, "assign_to", [ticket], value="").context
    take(client_of(ben), ticket, seen=ravi.pk)
    many(client, "assign_to", [ticket], value="", shown=shown["shown"], seen=shown["seen"], apply="1")
    assert now(ticket)[0] == ben


def test_many_names_who_was_faster_and_what_is_gone(client_of, alice, ann, ben):
    tickets = [make_ticket(alice), make_ticket(alice)]
    client = client_of(ann)
    shown = many(client, "assign_to_me", tickets).context
    take(client_of(ben), tickets[0], seen="")
    with acting_as(ben):
        Ticket.objects.get(pk=tickets[1].pk).delete()
    sent = {"shown": shown["shown"], "seen": shown["seen"], "apply": "1"}
    content = body(many(client, "assign_to_me", tickets, **sent))
    assert "Ben Okafor self-assigned this a second ago." in content
    assert "This ticket no longer exists." in content
    assert now(tickets[0])[0] == ben


@pytest.mark.parametrize("seen", ["x", "1,2,3,4", "-1,0", "a\0b,0", "9" * 40 + ",0"])
def test_many_with_senseless_assignees_takes_nothing_unseen(client_of, alice, ann, ben, seen):
    tickets = [make_ticket(alice), make_ticket(alice)]
    client = client_of(ann)
    shown = many(client, "assign_to_me", tickets).context["shown"]
    take(client_of(ben), tickets[0], seen="")
    many(client, "assign_to_me", tickets, shown=shown, seen=seen, apply="1")
    assert now(tickets[0])[0] == ben


def test_many_names_the_tickets_of_who_stopped_working_in_this_moment(client_of, alice, ann, monkeypatch):
    ticket, client = make_ticket(alice), client_of(ann)
    shown = many(client, "assign_to_me", [ticket]).context
    monkeypatch.setattr("tickets.models.ticket_owner.working", lambda number: None)
    sent = {"shown": shown["shown"], "seen": shown["seen"], "apply": "1"}
    result = many(client, "assign_to_me", [ticket], **sent).context["result"]
    assert "Ann Weber does not work on tickets" in result.refused[ticket.pk]


# The form with the details
def test_form_with_the_details_names_who_was_faster(client_of, ann, ben, ticket, unchanged):
    client, url = client_of(ann), f"{LIST}{ticket.pk}/change/"
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"assignee": ann.pk}
    take(client_of(ben), ticket, seen="")
    with unchanged():
        response = client.post(url, data)
    assert response.status_code == 409
    content = response.content.decode()
    assert "Ben Okafor self-assigned this a second ago." in content
    assert now(ticket)[0] == ben


def test_conflict_about_something_else_says_nothing_of_the_assignee(client_of, ann, ben, ticket):
    client, url = client_of(ann), f"{LIST}{ticket.pk}/change/"
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"priority": "high"}
    with acting_as(ben):
        ticket.set_priority("low")
    assert "assigned this" not in client.post(url, data).content.decode()


# Menus
@pytest.mark.parametrize(("how", "mark"), [("deactivated", "deactivated"), ("demoted", "not staff")])
def test_menus_offer_who_works_and_mark_the_present_assignee(
    client_of, alice, ann, ben, ravi, ticket, how, mark
):
    ticket.assign(ben)
    for person in (ben, ravi):
        stops_working(person, how)
    client = client_of(ann)
    content = page(client, ticket)
    assert f'<option value="{ben.pk}" selected>Ben Okafor ({mark})</option>' in content
    assert f'<option value="{ann.pk}">Ann Weber</option>' in content
    other = make_ticket(alice)
    chosen = {"action": "assign_to", "_selected_action": [other.pk]}
    for shown in (page(client, other), body(client.get(f"{LIST}add/")), body(client.post(LIST, chosen))):
        assert re.search(rf'<option value="{ann.pk}"( selected)?>Ann Weber</option>', shown)
        assert "Ben Okafor" not in shown
        assert "Ravi Shah" not in shown
    assert "Ravi Shah" not in content


def test_present_assignee_who_left_stays_while_something_else_is_saved(client_of, ann, ben, ticket):
    ticket.assign(ben)
    stops_working(ben)
    client, url = client_of(ann), f"{LIST}{ticket.pk}/change/"
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"priority": "high"}
    assert client.post(url, data).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.assignee) == ("high", ben)


@pytest.mark.parametrize("how", ["deactivated", "demoted"])
def test_who_left_is_not_present(client_of, ann, ben, ticket, how):
    client_of(ben).post(f"{LIST}{ticket.pk}/seen/", {"after": "1"})
    client = client_of(ann)
    assert "Ben Okafor is viewing this ticket." in page(client, ticket)
    stops_working(ben, how)
    assert "is viewing this ticket" not in page(client, ticket)
    assert "Ben" not in body(client.post(f"{LIST}{ticket.pk}/seen/"))


def test_nobody_is_mailed_of_an_answer_that_claims_but_whom_it_concerns(client_of, ann, alice, ben, ticket):
    ticket.category.people.add(ann)
    Notification.objects.all().delete()
    client_of(ben).post(DOORS["admin"].format(ticket.pk), TICKED)
    assert set(Notification.objects.values_list("person__full_name", flat=True)) == {"Alice Moreau"}
    assert len(set(Notification.objects.values_list("batch"))) == 1
