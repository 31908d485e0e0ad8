"""The daily mail: one for all rows of a person that wait for it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.addresses import reply_address
from tickets.mail.sending import claiming
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.writing import messages
from tickets.models import MailPreferences, Notification, Ticket
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
State = Notification.State
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
EIGHT = datetime(2026, 7, 2, 8, tzinfo=UTC)


def wants_digest(person, **others) -> None:
    chosen = dict.fromkeys(MailPreferences.KINDS, "digest") | others
    MailPreferences.objects.update_or_create(person=person, defaults=chosen)


def deliver_at(moment: datetime) -> int:
    with time_machine.travel(moment, tick=False):
        return deliver_due()


@pytest.fixture
def tickets(mailgun, alice):
    """Three of alice's, whose receipts have left."""
    tickets = [make_ticket(alice, subject=subject) for subject in ("No sound", "No picture", "No smell")]
    deliver_due()
    mailgun.mails.clear()
    wants_digest(alice)
    return tickets


@pytest.fixture
def day(tickets, alice, ann):
    """What ann does to them on one day."""
    sound, picture, smell = tickets
    with time_machine.travel(NOON, tick=False) as clock:
        with acting_as(ann):
            conversation.reply(sound, Message(author=ann, body="Is the plug in?", files=[upload("plug.png")]))
        clock.shift(timedelta(minutes=5))
        with acting_as(ann):
            picture.set_status(status("waiting"))
            picture.assign(ann)
        clock.shift(timedelta(minutes=5))
        with acting_as(ann):
            sound.set_priority("high")
            smell.set_priority("low")
    return tickets


def test_all_of_a_day_is_one_mail_by_ticket(mailgun, day, alice):
    assert deliver_at(EIGHT - timedelta(seconds=1)) == 0
    assert deliver_at(EIGHT) == 1
    (mail,) = mailgun.mails
    assert mail["subject"] == "Updates on 3 tickets"
    assert mail["to"] == alice.email
    sound, picture, smell = (f"#{ticket.pk} {ticket.subject}" for ticket in day)
    for part in (mail["text"], mail["html"]):
        story = (
            sound, "1 Jul 2026, 12:00", "Ann Weber wrote:", "Is the plug in?", "plug.png",
            "1 Jul 2026, 12:10", "changed the priority", f"/tickets/{day[0].pk}/",
            picture, "changed the status from", "Ann Weber self-assigned this", f"/tickets/{day[1].pk}/",
            smell,
        )  # fmt: skip
        places = [part.index(words) for words in story]
        assert places == sorted(places)
        assert "You receive it once a day because you chose a daily digest." in part
    assert set(Notification.objects.values_list("state", flat=True)) == {State.SENT}
    assert len(set(Notification.objects.filter(is_digest=True).values_list("message_id"))) == 1
    assert deliver_at(EIGHT + timedelta(days=1)) == 0


def test_daily_mail_on_one_ticket_stays_in_its_thread(mailgun, tickets, ann):
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        tickets[0].set_priority("high")
    deliver_at(EIGHT)
    (mail,) = mailgun.mails
    assert mail["subject"] == f"[#{tickets[0].pk}] No sound"
    assert f"<ticket-{tickets[0].pk}@mg.example.com>" in mail["h:References"]


@pytest.mark.parametrize("act", [conversation.reply, conversation.note])
def test_answer_to_a_daily_mail_on_one_ticket_goes_to_it(mailgun, settings, ann, sam, tickets, act):
    """Where a note is among the news, the answer is a note as well."""
    settings.INBOUND_DOMAIN = "in.example.com"
    ticket = Ticket.objects.get(pk=tickets[0].pk)
    ticket.assign(sam)
    wants_digest(sam)
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        ticket.set_priority("high")
        act(ticket, Message(author=ann, body="Hm."))
    deliver_at(EIGHT)
    mail = [mail for mail in mailgun.mails if mail["to"] == sam.email][-1]
    internal = act is conversation.note
    assert mail["h:Reply-To"] == reply_address(ticket.pk, sam.pk, internal=internal)
    assert ("your reply becomes an internal note" in mail["text"]) == internal
    assert "h:List-Unsubscribe" in mail


def test_daily_mail_on_many_tickets_belongs_to_no_thread(mailgun, day, alice, ann):
    deliver_at(EIGHT)
    (daily,) = mailgun.mails
    assert not {"h:References", "h:Reply-To", "h:List-Unsubscribe"} & daily.keys()
    wants_digest(alice, edits="now")
    with time_machine.travel(EIGHT + timedelta(hours=1), tick=False):
        with acting_as(ann):
            day[0].set_priority("low")
        deliver_due()
    assert daily["h:Message-Id"] not in mailgun.mails[-1]["h:References"]


def test_what_comes_at_once_does_not_wait_for_the_daily_mail(mailgun, day, alice, ann):
    wants_digest(alice, statuses="now")
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        with acting_as(ann):
            day[0].set_status(status("waiting"))
        assert deliver_due() == 1
    assert deliver_at(EIGHT) == 1


def test_act_that_is_partly_daily_tells_each_part_once(mailgun, tickets, alice, ann):
    wants_digest(alice, answers="now")
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        conversation.reply(tickets[0], Message(author=ann, body="It is fixed."), status=status("done"))
    assert deliver_at(NOON + timedelta(minutes=1)) == 1
    assert deliver_at(EIGHT) == 1
    now, daily = (mail["text"] for mail in mailgun.mails)
    assert "It is fixed." in now
    assert "changed the status" not in now
    assert "It is fixed." not in daily
    assert "changed the status" in daily


def test_right_is_asked_again_for_each_row(mailgun, alice, bob, ann, tickets):
    """THREATS 2.1: a watcher of two tickets watches only one of them when the mail leaves."""
    sound, picture, _smell = tickets
    for ticket in (sound, picture):
        conversation.watch(ticket, bob)
    wants_digest(bob)
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        for ticket in (sound, picture):
            conversation.reply(ticket, Message(author=ann, body=f"About {ticket.subject}"))
    with acting_as(alice):
        conversation.unwatch(sound, bob)
    deliver_at(EIGHT)
    (mail,) = [mail for mail in mailgun.mails if mail["to"] == bob.email]
    assert "About No picture" in mail["text"]
    assert "No sound" not in mail["text"] + mail["html"]
    states = dict(Notification.objects.filter(person=bob).values_list("ticket", "state"))
    assert states == {sound.pk: State.SUPPRESSED, picture.pk: State.SENT}


def test_note_never_leaves_to_who_is_staff_no_more(mailgun, ann, sam, tickets):
    ticket = Ticket.objects.get(pk=tickets[0].pk)
    ticket.assign(sam)
    wants_digest(sam)
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="The budget is gone."))
    sam.set_role(Role.REQUESTER)
    assert deliver_at(EIGHT) == 0
    assert mailgun.mails == []
    assert Notification.objects.get(person=sam, kind="noted").state == State.SUPPRESSED


def test_reply_that_was_taken_back_is_not_emailed(mailgun, tickets, ann):
    with time_machine.travel(NOON, tick=False), acting_as(ann):
        comment = conversation.reply(tickets[0], Message(author=ann, body="To the wrong one, sorry"))
        tickets[1].set_priority("high")
        conversation.take_back(comment, author=ann)
    deliver_at(EIGHT)
    (mail,) = mailgun.mails
    assert "wrong one" not in mail["text"]
    assert "No sound" not in mail["text"]


def test_ticket_that_is_gone_is_listed_without_a_link(mailgun, day, sam):
    number = day[0].pk
    with time_machine.travel(NOON + timedelta(hours=1), tick=False), acting_as(sam):
        day[0].delete()
    deliver_at(EIGHT)
    (mail,) = mailgun.mails
    assert "Sam Lindqvist deleted the ticket." in mail["text"]
    assert f"/tickets/{number}/" not in mail["text"]
    assert f"[#{number}] No sound" in mail["text"]


def test_failed_daily_mail_is_tried_again_as_it_was(mailgun, day, alice, ann):
    """It may have arrived: under the same Message-ID stands the same."""
    mailgun.behave = "lose"
    deliver_at(EIGHT)
    mailgun.behave = 200
    MailPreferences.objects.filter(person=alice).update(digest_at="08:00:30")
    with time_machine.travel(EIGHT + timedelta(seconds=1), tick=False), acting_as(ann):
        day[2].set_priority("urgent")
    assert deliver_at(EIGHT + timedelta(minutes=2)) == 2
    texts = {mail["h:Message-Id"]: set() for mail in mailgun.mails}
    for mail in mailgun.mails:
        texts[mail["h:Message-Id"]].add(mail["text"])
    assert [len(same) for same in texts.values()] == [1, 1]


def test_daily_mail_of_a_dead_worker_is_taken_over_whole(mailgun, day):
    with time_machine.travel(EIGHT, tick=False):
        claimed = claiming.claim(EIGHT)
    assert len(claimed) == 5
    assert deliver_at(EIGHT) == 0
    assert deliver_at(EIGHT + claiming.LEASE + timedelta(seconds=1)) == 1
    assert mailgun.mails[0]["subject"] == "Updates on 3 tickets"


def test_queries_do_not_grow_with_the_acts(mailgun, tickets, alice, ann):
    counts = []
    for acts in (2, 20):
        Notification.objects.filter(is_digest=True).delete()
        for number in range(acts):
            with time_machine.travel(NOON, tick=False), acting_as(ann):
                conversation.reply(tickets[number % 2], Message(author=ann, body="Hm."))
        rows = list(Notification.objects.filter(is_digest=True).select_related("person", "activity"))
        for row in rows:
            row.message_id = "<x@y>"
        with CaptureQueriesContext(connection) as queries:
            messages.build(rows)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_one_daily_mail_a_person(mailgun, alice, bob, charlie, ann):
    """THREATS 88: 3 people with 8 tickets each, 4 threads."""
    for person in (alice, bob, charlie):
        wants_digest(person)
        for number in range(8):
            make_ticket(person, subject=f"Trouble {number}")
    Notification.objects.update(next_try_at=NOON - timedelta(days=1000))

    def work():
        try:
            deliver_due()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(mail["to"] for mail in mailgun.mails) == [
        f"{name}@example.com" for name in ("alice", "bob", "charlie")
    ]
    assert {mail["subject"] for mail in mailgun.mails} == {"Updates on 8 tickets"}
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.SENT, 1)}
    assert User.objects.count() == 4
