"""Which mailbox sends, and that one mailbox never stops another: cases 26 to 30 of mail.md."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actor import acting_as
from tickets.mail import alarms, pause
from tickets.mail.addresses import parse
from tickets.mail.sending import breaker
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Mailbox, Notification, OutboxPause, SuppressedAddress, Ticket
from tickets.models.notification import RECEIVED_WAITS
from tickets.notifications import outbox
from tickets.tests.factories import category, make_ticket
from tickets.tests.mail.mailboxes import make_mailbox, smtp_mailbox
from tickets.tests.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db
State, Reason = Notification.State, OutboxPause.Reason
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
REFUSED = "535 5.7.8 no"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def server(settings):
    settings.HAS_MAIL_PROVIDER = True
    settings.MESSAGE_ID_DOMAIN = "company.example"
    settings.INBOUND_DOMAIN = ""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def other_server(server):
    with SmtpServer() as other:
        yield other


@pytest.fixture
def hr(other_server):
    """The only mailbox of its category; made after the default one."""
    return smtp_mailbox(other_server, address="hr@company.example", category=category("HR"))


@pytest.fixture
def it(server):
    return smtp_mailbox(server, address="it@company.example", sender_name="IT desk", is_default=True)


@pytest.fixture
def queue(it, alice):
    def queue(person=alice, **fields) -> Notification:
        outbox.enqueue_account_mail(person, "welcome", address=person.email)
        row = Notification.objects.latest("pk")
        Notification.objects.filter(pk=row.pk).update(**fields)
        return row

    return queue


def senders(server) -> list[str]:
    return [sender for sender, _to, _body in server.mails]


def test_ticket_of_a_category_leaves_by_its_only_mailbox(it, hr, server, other_server, alice):
    make_ticket(alice, category=category("HR"))
    make_ticket(alice)
    assert deliver_due() == 2
    assert (senders(other_server), senders(server)) == ([hr.address], [it.address])


def test_mailbox_of_the_ticket_goes_before_that_of_its_category(it, hr, server, other_server, alice, ann):
    ticket = make_ticket(alice, category=category("HR"))
    Ticket.objects.filter(pk=ticket.pk).update(mailbox=it)
    Notification.objects.all().delete()
    with acting_as(ann):
        ticket.close()
    assert deliver_due() == 1
    assert (senders(server), other_server.mails) == ([it.address], [])


def test_category_with_two_mailboxes_leaves_by_the_default(it, hr, server, other_server, alice):
    smtp_mailbox(other_server, category=category("HR"))
    make_ticket(alice, category=category("HR"))
    deliver_due()
    assert (senders(server), other_server.mails) == ([it.address], [])


def test_digest_leaves_by_the_default(it, hr, server, alice, ann):
    ticket = make_ticket(alice, category=category("HR"))
    Notification.objects.update(is_digest=True, mailbox=None)
    deliver_due()
    assert senders(server) == [it.address]
    assert ticket.pk


def test_from_and_reply_to_are_of_the_mailbox(it, server, alice):
    Mailbox.objects.update(fetches_by="imap")
    ticket = make_ticket(alice)
    deliver_due()
    ((_from, _to, body),) = server.mails
    assert b"From: IT desk <it@company.example>\r\n" in body
    (line,) = [line for line in body.split(b"\r\n") if line.startswith(b"Reply-To: ")]
    address = line.decode().partition(": ")[2]
    assert address.startswith(f"it+{ticket.pk}.")
    assert parse(address).is_signed_for(alice.pk)


def test_reply_to_is_plain_where_the_server_loses_tags(it, server, alice):
    Mailbox.objects.update(fetches_by="imap", plus=False)
    make_ticket(alice)
    deliver_due()
    assert b"Reply-To: it@company.example\r\n" in server.mails[0][2]


def test_mailbox_that_receives_nothing_promises_no_reply(it, server, alice):
    make_ticket(alice)
    deliver_due()
    assert b"\r\nReply-To" not in server.mails[0][2]


def test_automatic_reply_to_a_stranger_has_no_return_path(it, server):
    now = timezone.now()
    Notification.objects.create(
        kind=RECEIVED_WAITS, address="vera@vendor.example", created_at=now, next_try_at=now
    )
    assert deliver_due() == 1
    ((sender, _to, body),) = server.mails
    assert sender == ""
    assert b"Auto-Submitted: auto-replied\r\n" in body


def test_page_does_not_wait_for_a_mail_server(
    it, server, alice, settings, django_capture_on_commit_callbacks
):
    """Without a provider the console prints in the page's own process; a mailbox leaves it to the worker."""
    settings.HAS_MAIL_PROVIDER = False
    with django_capture_on_commit_callbacks(execute=True):
        make_ticket(alice)
    assert server.connections_seen == 0
    assert deliver_due() == 1


def test_mailgun_stays_without_a_mailbox(mailgun, alice):
    make_ticket(alice)
    assert deliver_due() == 1
    assert mailgun.mails[0]["from"] == "Helpdesk <help@mg.example.com>"
    assert Notification.objects.get().mailbox is None


def test_mailbox_may_send_by_the_service_of_the_settings(mailgun, alice):
    mailbox = make_mailbox({}, sends_by="esp", sender_name="IT desk")
    make_ticket(alice)
    assert deliver_due() == 1
    assert mailgun.mails[0]["from"] == f"IT desk <{mailbox.address}>"
    mailgun.behave = 401
    make_ticket(alice)
    deliver_due()
    assert (pause.is_on(mailbox.pk), pause.is_on()) == (True, False)


def test_without_a_mailbox_all_wait_where_nothing_else_sends(settings, alice, server):
    settings.SENDS_WITHOUT_MAILBOX = False
    make_ticket(alice)
    assert deliver_due() == 0
    assert Notification.objects.get().attempts == 0
    smtp_mailbox(server)
    assert deliver_due() == 1


@pytest.mark.parametrize(("provider", "reason"), [("mailgun", ""), ("postmark", Reason.BREAKER)])
def test_26_service_without_a_mailbox_is_guarded_and_mailgun_is_as_before(
    mailgun, settings, clock, roles, alice, bob, charlie, ann, sam, provider, reason
):
    settings.MAIL_PROVIDER = provider
    mailgun.behave = 400
    for person in (alice, bob, charlie, ann, sam):
        outbox.enqueue_account_mail(person, "welcome", address=person.email)
    deliver_due()
    assert pause.reason() == reason
    states = {State.WAITING} if reason else {State.FAILED}
    assert set(Notification.objects.values_list("state", flat=True)) == states
    assert any("rejected several" in alarm for alarm in alarms.alarms()) == bool(reason)


def test_26_five_rejected_in_a_row_wait_again(server, queue, it, clock, roles, alice, bob, charlie, ann, sam):
    server.answers["BODY"] = "554 5.6.0 not today"
    for person in (alice, bob, charlie, ann):
        queue(person)
    deliver_due()
    assert set(Notification.objects.values_list("state", flat=True)) == {State.FAILED}
    queue(sam)
    deliver_due()
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.WAITING, 0)}
    assert pause.reason(it.pk) == Reason.BREAKER
    assert any("several emails in a row were rejected" in alarm for alarm in alarms.alarms())
    clock.shift(pause.KEY_PAUSE + SECOND)
    server.answers["BODY"] = "250 ok"
    assert deliver_due() == 5
    assert alarms.alarms() == []


def test_26_addresses_that_were_suppressed_are_released(server, queue, clock, alice, bob, charlie, ann, sam):
    server.answers["RCPT"] = "550 5.1.1 nobody here"
    for person in (alice, bob, charlie, ann):
        queue(person)
    deliver_due()
    assert SuppressedAddress.objects.count() == 4
    queue(sam)
    deliver_due()
    assert not SuppressedAddress.objects.exists()
    assert set(Notification.objects.values_list("state", flat=True)) == {State.WAITING}


def test_26_one_accepted_between_them_breaks_the_row(server, queue, it, clock, alice, bob, charlie, ann, sam):
    no, yes = "554 5.6.0 no", "250 ok"
    server.answers["BODY"] = [no, no, yes, no, no, no]
    for person in (alice, bob, alice, charlie, ann, sam):
        queue(person)
    deliver_due()
    assert pause.reason(it.pk) == ""
    assert Notification.objects.filter(state=State.FAILED).count() == 5


def test_26_one_person_alone_breaks_nothing(server, queue, it, clock):
    server.answers["BODY"] = "554 5.6.0 no"
    for _mail in range(7):
        queue()
    deliver_due()
    assert pause.reason(it.pk) == ""


def test_26_mails_that_are_bad_fail_once_others_leave(
    server, queue, it, clock, alice, bob, charlie, ann, sam
):
    """Else five bad addresses would hold up a mailbox for ever."""
    server.answers["BODY"] = "554 5.6.0 no"
    bad = [queue(person) for person in (alice, bob, charlie, ann, sam)]
    deliver_due()
    good = queue(alice)
    server.answers["BODY"] = ["250 ok", "554 5.6.0 no"]
    clock.shift(pause.KEY_PAUSE + SECOND)
    assert deliver_due() == 1
    good.refresh_from_db()
    assert good.state == State.SENT
    states = Notification.objects.filter(pk__in=[row.pk for row in bad]).values_list("state", flat=True)
    assert set(states) == {State.FAILED}
    assert pause.reason(it.pk) == ""


def test_26_trial_that_is_rejected_too_waits_again(server, queue, it, clock, alice, bob, charlie, ann, sam):
    server.answers["BODY"] = "554 5.6.0 no"
    for person in (alice, bob, charlie, ann, sam):
        queue(person)
    deliver_due()
    tried = server.count("DATA")
    for trial in range(1, 4):
        clock.shift(pause.KEY_PAUSE + SECOND)
        deliver_due()
        assert server.count("DATA") == tried + trial
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.WAITING, 0)}
    assert breaker.MOST_REJECTED == 5


def test_27_refused_mailbox_does_not_stop_another(it, hr, server, other_server, alice, bob, clock):
    other_server.answers["AUTH"] = REFUSED
    make_ticket(alice, category=category("HR"))
    make_ticket(bob, category=category("HR"))
    make_ticket(alice)
    assert deliver_due() == 1
    assert deliver_due() == 0
    assert (senders(server), other_server.count("AUTH")) == ([it.address], 1)
    assert set(Notification.objects.filter(mailbox=hr).values_list("state", "attempts")) == {
        (State.WAITING, 0)
    }
    (alarm,) = alarms.alarms()
    assert hr.address in alarm


def test_27_refused_default_does_not_stop_another(it, hr, server, other_server, alice, bob, clock):
    server.answers["AUTH"] = REFUSED
    make_ticket(alice)
    deliver_due()
    make_ticket(bob, category=category("HR"))
    assert deliver_due() == 1
    assert senders(other_server) == [hr.address]


def test_27_many_rows_of_a_paused_mailbox_hide_no_other(it, hr, other_server, server, alice, queue, clock):
    other_server.answers["AUTH"] = REFUSED
    for _mail in range(30):
        queue(mailbox=hr)
    last = queue()
    deliver_due()
    last.refresh_from_db()
    assert last.state == State.SENT
    assert other_server.count("AUTH") == 1


def test_28_switched_off_with_mail_waiting_leaves_by_the_default(it, hr, server, other_server, alice):
    make_ticket(alice, category=category("HR"))
    Mailbox.objects.filter(pk=hr.pk).update(is_active=False)
    assert deliver_due() == 1
    assert (senders(server), other_server.mails) == ([it.address], [])
    assert Notification.objects.get().mailbox == it  # which has sent it


def test_28_switched_off_while_it_pauses_leaves_by_the_default(it, hr, server, other_server, alice, clock):
    other_server.answers["AUTH"] = REFUSED
    make_ticket(alice, category=category("HR"))
    deliver_due()
    Mailbox.objects.filter(pk=hr.pk).update(is_active=False)
    clock.shift(31 * MINUTE)
    assert deliver_due() == 1
    assert senders(server) == [it.address]
    assert alarms.alarms() == []


def test_29_mailbox_with_mail_waiting_is_not_deleted(hr, it, alice):
    make_ticket(alice, category=category("HR"))
    for delete in (hr.delete, Mailbox.objects.filter(pk=hr.pk).delete):
        with pytest.raises(ProtectedError) as error:
            delete()
        assert len(error.value.protected_objects) == 1
    Notification.objects.update(state=State.SENT)
    hr.delete()
    assert Notification.objects.get().mailbox is None


def test_30_corrected_password_ends_pause_and_alarm(it, server, queue, clock):
    server.answers["AUTH"] = REFUSED
    row = queue()
    deliver_due()
    assert alarms.alarms()
    server.answers["AUTH"] = "235 welcome"
    it.secrets = {"password": "the right one"}
    it.save()
    assert alarms.alarms() == []
    Notification.objects.update(next_try_at=timezone.now())
    assert deliver_due() == 1
    row.refresh_from_db()
    assert row.state == State.SENT


def test_statements_for_a_mail_do_not_grow_with_mailboxes(
    it, hr, server, queue, clock, django_assert_max_num_queries
):
    for number in range(10):
        smtp_mailbox(server, address=f"more{number}@company.example")
    queue()
    deliver_due()
    for _mail in range(20):
        queue()
    with django_assert_max_num_queries(20 * 9 + 5):
        assert deliver_due() == 20
