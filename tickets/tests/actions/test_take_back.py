"""A reply can be taken back for 20 seconds: nobody is mailed, and its text is a draft again."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.sending import waking
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Comment, Draft, Notification, Ticket
from tickets.notifications import outbox
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def after(seconds: float):
    return time_machine.travel(NOW + timedelta(seconds=seconds), tick=False)


@pytest.fixture
def reply(alice, ann):
    """Ann's reply of NOW."""
    with after(-3600):
        ticket = make_ticket(alice, assignee=ann)
    Notification.objects.all().delete()
    with after(0), acting_as(ann):
        return conversation.reply(ticket, Message(author=ann, body="Sent too soon", files=[upload()]))


def take_back(client, comment):
    return client.post(f"/tickets/{comment.ticket_id}/take-back/{comment.pk}/", follow=True)


def test_reply_waits_for_twenty_seconds(mailgun, reply):
    with after(19):
        assert deliver_due() == 0
    with after(20):
        assert deliver_due() == 1
    assert "Sent too soon" in mailgun.mails[-1]["text"]


def test_taken_back_it_is_a_draft_and_mailed_to_nobody(client_of, mailgun, alice, ann, reply):
    with after(19):
        client = client_of(ann)
        assert "Undo send" in client.get(reply.ticket.get_absolute_url()).content.decode()
        content = take_back(client, reply).content.decode()
    assert "Reply not sent." in content
    assert "Sent too soon</textarea>" in content
    assert "Choose them again." in content
    assert not Comment.objects.exists()
    with after(60):
        deliver_due()
    assert mailgun.mails == []
    assert "Sent too soon" not in client_of(alice).get(reply.ticket.get_absolute_url()).content.decode()


def test_its_files_are_gone(client_of, ann, reply, attachments_dir, django_capture_on_commit_callbacks):
    url = reply.attachments.get().get_absolute_url()
    with after(5), django_capture_on_commit_callbacks(execute=True):
        take_back(client_of(ann), reply)
    assert client_of(ann).get(url).status_code == 404
    assert not [path for path in attachments_dir.rglob("*") if path.is_file()]


def test_what_was_typed_since_stays_in_the_draft(client_of, ann, reply):
    Draft.objects.keep(person=ann, ticket=reply.ticket, kind="reply", body="One more thing")
    with after(5):
        take_back(client_of(ann), reply)
    assert Draft.objects.get().body == "Sent too soon\n\nOne more thing"


def test_it_was_no_first_answer(client_of, ann, reply):
    with after(5):
        take_back(client_of(ann), reply)
    assert Ticket.objects.get().first_replied_at is None


def test_the_log_remembers(client_of, ann, reply):
    with after(5):
        take_back(client_of(ann), reply)
    row = ActivityLog.objects.get(verb="taken_back")
    assert (row.actor, row.changes["body"]) == (ann, ["Sent too soon", None])


def test_after_twenty_seconds_it_is_too_late(client_of, ann, reply, unchanged):
    with after(20):
        client = client_of(ann)
        assert "Undo send" not in client.get(reply.ticket.get_absolute_url()).content.decode()
        assert "Too late to undo" in take_back(client, reply).content.decode()
    assert Comment.objects.get() == reply
    assert not Draft.objects.exists()


@pytest.mark.parametrize("state", ["sending", "sent", "delivered", "bounced"])
def test_what_a_worker_has_taken_is_not_taken_back(client_of, bob, ann, reply, state):
    """Clocks of two machines differ; the row of the outbox decides, and all of it stays."""
    with after(1):
        Notification.objects.update(state=state)
        assert "Too late to undo" in take_back(client_of(ann), reply).content.decode()
    assert Comment.objects.get() == reply
    assert Notification.objects.get().state == state
    assert not Draft.objects.exists()


def test_address_that_takes_no_mail_does_not_stop_it(client_of, alice, ann):
    User.objects.filter(pk=alice.pk).update(email="nobody@invalid\n.example")
    ticket = make_ticket(User.objects.get(pk=alice.pk))
    with after(0), acting_as(ann):
        comment = conversation.reply(ticket, Message(author=ann, body="Sent too soon"))
    Notification.objects.filter(kind="replied").update(state="failed")
    with after(1):
        take_back(client_of(ann), comment)
    assert not Comment.objects.exists()


def test_other_mails_are_not_stopped(client_of, alice, ann, reply):
    with after(0), acting_as(ann):
        conversation.reply(reply.ticket, Message(author=ann, body="This one stays"))
    outbox.enqueue_account_mail(alice, "welcome", address=alice.email)
    with after(5):
        take_back(client_of(ann), reply)
    assert sorted(Notification.objects.values_list("kind", "state")) == [
        ("replied", "suppressed"), ("replied", "waiting"), ("welcome", "waiting"),
    ]  # fmt: skip


def test_status_of_the_same_act_stays_and_is_mailed_without_the_words(client_of, mailgun, alice, ann):
    with after(-3600):
        ticket = make_ticket(alice, assignee=ann)
    Notification.objects.all().delete()
    with after(0), acting_as(ann):
        comment = conversation.reply(ticket, Message(author=ann, body="Sent too soon"), status=status("done"))
    with after(5):
        assert deliver_due() == 0
        take_back(client_of(ann), comment)
    with after(30):
        assert deliver_due() == 1
    mail = mailgun.mails[-1]
    assert "changed the status from Submitted to Done." in mail["text"]
    assert "Sent too soon" not in mail["text"] + mail["html"]
    ticket.refresh_from_db()
    assert ticket.is_done


@pytest.mark.parametrize("who", ["alice", "bob", "sam"])
def test_nobody_takes_back_what_another_said(client_of, alice, bob, sam, reply, unchanged, who):
    client = client_of({"alice": alice, "bob": bob, "sam": sam}[who])
    with after(5), unchanged():
        assert take_back(client, reply).status_code == 404


def test_note_is_not_taken_back(client_of, ann, reply):
    with after(0):
        note = conversation.note(reply.ticket, Message(author=ann, body="Internal"))
        assert "Too late to undo" in take_back(client_of(ann), note).content.decode()
    assert Comment.objects.count() == 2


def test_taking_back_twice_is_404(client_of, ann, reply):
    with after(5):
        client = client_of(ann)
        take_back(client, reply)
        assert take_back(client, reply).status_code == 404


@pytest.mark.parametrize("numbers", ["1/take-back/" + "9" * 40, "9" * 40 + "/take-back/1", "1/take-back/0"])
def test_odd_numbers_are_not_there(client_of, ann, reply, numbers):
    assert client_of(ann).post(f"/tickets/{numbers}/").status_code == 404


def test_without_a_provider_the_process_wakes_up_for_it(
    settings, monkeypatch, ann, alice, django_capture_on_commit_callbacks
):
    """Console mail has no worker: a timer delivers when the time to take it back is over."""
    started = []

    class Timer:
        daemon = False

        def __init__(self, seconds, function):
            started.append((round(seconds), function))

        def start(self):
            pass

    settings.HAS_MAIL_PROVIDER = False
    ticket = make_ticket(alice)
    monkeypatch.setattr(waking.threading, "Timer", Timer)
    with django_capture_on_commit_callbacks(execute=True), acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Hello"))
    assert started == [(20, waking._deliver_in_thread)]
    assert Notification.objects.get(kind="replied").state == "waiting"
