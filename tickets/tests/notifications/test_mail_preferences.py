"""Which mail people want, and when: asked when a row of the outbox is made."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.checks import run_checks

from accounts.actor import acting_as
from accounts.events import AccountMail, account_mail_requested
from accounts.models import User
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import MailPreferences, Notification
from tickets.notifications import audiences, wishes
from tickets.rules.events import EVENTS
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
Wish = MailPreferences.Wish
PAGE = "/accounts/profile/mail/"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
CHOICE = dict.fromkeys(MailPreferences.KINDS, "now") | {"digest_at": "08:00"}


def wants(person, **chosen) -> None:
    MailPreferences.objects.update_or_create(person=person, defaults=chosen)


def notified() -> set[str]:
    return set(Notification.objects.values_list("person__full_name", flat=True))


# The page
def test_who_has_chosen_nothing_gets_all_at_once(client_of, alice):
    client = client_of(alice)
    page = client.get(PAGE).content.decode()
    assert page.count('<option value="now" selected>') == 5
    assert not MailPreferences.objects.exists()
    assert PAGE in client.get("/accounts/profile/").content.decode()


def test_choice_is_kept(client_of, alice):
    client = client_of(alice)
    data = CHOICE | {"answers": "digest", "quiet_from": "22:00", "quiet_until": "06:30"}
    response = client.post(PAGE, data, follow=True)
    assert "Email notifications saved." in response.content.decode()
    assert '<option value="digest" selected>' in response.content.decode()
    row = MailPreferences.objects.get(person=alice)
    assert (row.answers, row.quiet_from, row.quiet_until) == ("digest", time(22), time(6, 30))


def test_requester_is_asked_only_what_concerns_requesters(client_of, alice, ann):
    own, staffs = (client_of(person).get(PAGE).content.decode() for person in (alice, ann))
    for name in ("notes", "new_tickets"):
        assert f'name="{name}"' not in own
        assert f'name="{name}"' in staffs
    client_of(alice).post(PAGE, CHOICE | {"notes": "off"})
    assert MailPreferences.objects.get(person=alice).notes == "now"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"quiet_from": "22:00"}, "Fill in both times, or neither."),
        ({"quiet_until": "22:00"}, "Fill in both times, or neither."),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "Choose an end that differs"),
        ({"digest_at": ""}, "Enter a time."),
        ({"digest_at": "25:00"}, "Enter a valid time."),
        ({"answers": "hourly"}, "Select a valid choice."),
    ],
)
def test_senseless_choice_is_explained(client_of, alice, unchanged, typed, words):
    client = client_of(alice)
    with unchanged():
        page = client.post(PAGE, CHOICE | typed)
    assert words in page.content.decode()


# Never
def test_every_mail_about_a_ticket_has_a_kind():
    notified = [{**event.audiences, **event.audiences_of_move} for event in EVENTS.values()]
    kinds = {wish for wishes in notified for wish in wishes.values()}
    assert kinds == set(MailPreferences.KINDS)


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        ("statuses", lambda ticket, ann: ticket.set_status(status("waiting"))),
        ("assignments", lambda ticket, ann: ticket.assign(ann)),
        ("edits", lambda ticket, ann: ticket.set_priority("high")),
        ("answers", lambda ticket, ann: conversation.reply(ticket, Message(author=ann, body="Restart it."))),
    ],
)
def test_never_leaves_no_row(alice, ann, kind, act):
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    wants(alice, **{kind: Wish.OFF})
    with acting_as(ann):
        act(ticket, ann)
    assert notified() == set()
    others = {name: Wish.OFF for name in MailPreferences.KINDS if name != kind}
    wants(alice, **{kind: Wish.NOW}, **others)
    with acting_as(ann):
        act(make_ticket(alice), ann)
    assert notified() == {"Alice Moreau"}


def test_receipt_and_new_tickets_can_be_left_out(alice, sam):
    category().people.add(sam)
    wants(alice, receipts=Wish.OFF)
    wants(sam, new_tickets=Wish.OFF)
    make_ticket(alice)
    assert notified() == set()


def test_button_counts_only_whom_it_mails(client_of, alice, bob, ann):
    ticket = make_ticket(alice)
    conversation.watch(ticket, bob)
    wants(bob, answers=Wish.OFF)
    page = client_of(ann).get(ticket.get_absolute_url()).content.decode()
    assert ">Send to Alice</button>" in page


def test_asking_for_wishes_costs_no_query_a_person(alice, bob, charlie, ann, django_assert_num_queries):
    tickets = [make_ticket(person) for person in (alice, bob, charlie)]
    for person in (alice, bob, charlie):
        conversation.watch(tickets[0], person)
        wants(person, notes=Wish.OFF)
    facts = [audiences.Facts(row.pk, row.requester_id, None, row.category_id) for row in tickets]
    with django_assert_num_queries(5):  # the fifth, and the fourth below, finds who was mentioned
        audiences.recipients_of_many("replied", facts, actor=ann)
    with django_assert_num_queries(4):
        audiences.recipients_of_next("replied", tickets[0], actor=ann)


@pytest.mark.parametrize("kind", AccountMail.values)
def test_mail_about_the_account_asks_nobody(alice, kind):
    wants(
        alice,
        **dict.fromkeys(MailPreferences.KINDS, Wish.OFF),
        quiet_from=time(0),
        quiet_until=time(23, 59),
    )
    with time_machine.travel(NOON, tick=False):
        account_mail_requested.send(sender=User, person=alice, kind=kind, address=alice.email)
    row = Notification.objects.get()
    assert (row.is_digest, row.next_try_at) == (False, NOON)


# When
@pytest.mark.parametrize(
    ("zone", "now", "moment"),
    [
        ("UTC", "2026-07-01 07:59", "2026-07-01 08:00"),
        ("UTC", "2026-07-01 08:00", "2026-07-02 08:00"),
        ("Asia/Tokyo", "2026-07-01 12:00", "2026-07-01 23:00"),
        ("America/Los_Angeles", "2026-07-01 14:59", "2026-07-01 15:00"),
        # Clocks are set on 29 March and 25 October.
        ("Europe/Berlin", "2026-03-28 12:00", "2026-03-29 06:00"),
        ("Europe/Berlin", "2026-10-24 12:00", "2026-10-25 07:00"),
    ],
)
def test_daily_mail_comes_at_the_hour_of_the_persons_clock(alice, zone, now, moment):
    alice.time_zone = zone
    wants(alice)
    assert wishes.next_digest(alice, utc(now)) == utc(moment)


@pytest.mark.parametrize(
    ("now", "moment"),
    [
        # 2:30 does not exist on 29 March, and comes twice on 25 October.
        ("2026-03-29 00:00", "2026-03-29 01:30"),
        ("2026-10-25 00:15", "2026-10-25 00:30"),
        ("2026-10-25 00:45", "2026-10-26 01:30"),
        ("2026-10-25 01:15", "2026-10-26 01:30"),
    ],
)
def test_daily_mail_comes_once_on_the_days_when_clocks_are_set(alice, now, moment):
    alice.time_zone = "Europe/Berlin"
    alice.mail_preferences = MailPreferences(person=alice, digest_at=time(2, 30))
    assert wishes.next_digest(alice, utc(now)) == utc(moment)


@pytest.mark.parametrize(
    ("start", "end", "now", "moment"),
    [
        (22, 7, "2026-07-01 19:59", "2026-07-01 19:59"),
        (22, 7, "2026-07-01 20:00", "2026-07-02 05:00"),
        (22, 7, "2026-07-02 04:59", "2026-07-02 05:00"),
        (22, 7, "2026-07-02 05:00", "2026-07-02 05:00"),
        (12, 13, "2026-07-01 09:59", "2026-07-01 09:59"),
        (12, 13, "2026-07-01 10:00", "2026-07-01 11:00"),
        (12, 13, "2026-07-01 10:30", "2026-07-01 11:00"),
        (12, 13, "2026-07-01 11:00", "2026-07-01 11:00"),
        # Over the night when clocks are set.
        (22, 7, "2026-03-28 22:00", "2026-03-29 05:00"),
        (22, 7, "2026-10-24 22:00", "2026-10-25 06:00"),
        # The second 2:15 of 25 October, when quiet until 2:00 or 3:00.
        (22, 2, "2026-10-25 01:15", "2026-10-25 01:15"),
        (22, 3, "2026-10-25 01:15", "2026-10-25 02:00"),
    ],
)
def test_mail_of_the_quiet_hours_comes_at_their_end(alice, start, end, now, moment):
    """In Berlin: two hours before UTC in summer, one in winter."""
    alice.time_zone = "Europe/Berlin"
    alice.mail_preferences = MailPreferences(person=alice, quiet_from=time(start), quiet_until=time(end))
    assert wishes.after_quiet_hours(alice, utc(now)) == utc(moment)


def test_row_waits_as_its_person_wishes(alice, bob, ann):
    wants(alice, statuses=Wish.DIGEST)
    wants(bob, quiet_from=time(11), quiet_until=time(14))
    ticket = make_ticket(alice)
    conversation.watch(ticket, bob)
    Notification.objects.all().delete()
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        ticket.set_status(status("waiting"))
    rows = {row.person: (row.is_digest, row.next_try_at) for row in Notification.objects.all()}
    assert rows == {alice: (True, NOON + timedelta(hours=20)), bob: (False, NOON + timedelta(hours=2))}


def test_daily_mail_keeps_the_quiet_hours(alice, ann):
    wants(alice, statuses=Wish.DIGEST, digest_at=time(5), quiet_from=time(22), quiet_until=time(7))
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        ticket.set_status(status("waiting"))
    assert Notification.objects.get().next_try_at == NOON + timedelta(hours=19)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_check_finds_nothing_at_the_hour_of_the_daily_mail():
    """Django takes a default that is the present time for a mistake."""
    with time_machine.travel(datetime(2026, 11, 30, 8, tzinfo=UTC), tick=False):
        assert run_checks(app_configs=[apps.get_app_config("tickets")]) == []
