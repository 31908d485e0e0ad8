"""What stands in a mail, and what may never (THREATS 15, 16, 77, 78, I11)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.events import AccountMail, account_mail_requested
from accounts.models import User
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.addresses import reply_address
from tickets.mail.guard import UnsafeMail, check_address, check_header
from tickets.mail.roots import root
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.writing import messages
from tickets.models import Notification, Ticket
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db
NASTY = '<script>alert(1)</script> {{ 7*7 }} {% debug %} %(x)s {0} "quoted" & more'


@pytest.fixture
def row(mailgun, alice):
    """The receipt of a ticket, waiting."""
    make_ticket(alice)
    return Notification.objects.get()


def sent(mailgun, person: User) -> dict:
    deliver_due()
    return [mail for mail in mailgun.mails if mail["to"] == person.email][-1]


def test_mail_carries_number_subject_story_link_and_reason(mailgun, alice, ann):
    ticket = make_ticket(alice, subject="No sound")
    deliver_due()
    with acting_as(ann):
        ticket.close()
    mail = sent(mailgun, alice)
    assert mail["subject"] == f"[#{ticket.pk}] No sound"
    for part in (mail["text"], mail["html"]):
        assert "Ann Weber changed the status from Submitted to Done." in part
        assert f"http://localhost:8000/tickets/{ticket.pk}/" in part
        assert "You are receiving this email because this is your ticket." in part
        assert "Is your problem solved?" in part


def test_reply_stands_in_its_mail_with_what_else_the_act_did(mailgun, alice, ann):
    ticket = make_ticket(alice)
    deliver_due()
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False), acting_as(ann):
        conversation.reply(
            ticket,
            Message(author=ann, body="Please restart it.\n\n<b>Twice</b>", files=[upload("steps.png")]),
            status=status("waiting"),
        )
    with time_machine.travel(timezone.now() + timedelta(seconds=60), tick=False):
        mails = len(mailgun.mails)
        mail = sent(mailgun, alice)
    assert len(mailgun.mails) == mails + 1
    assert "Please restart it.\n\n<b>Twice</b>" in mail["text"]
    assert "&lt;b&gt;Twice&lt;/b&gt;" in mail["html"]
    for part in (mail["text"], mail["html"]):
        assert "Ann Weber wrote:" in part
        assert "steps.png" in part
        assert "changed the status from Submitted to On Hold." in part


def test_note_is_mailed_to_staff_alone_and_says_what_it_is(mailgun, alice, ann, sam):
    ticket = make_ticket(alice, assignee=sam)
    deliver_due()
    before = [mail for mail in mailgun.mails if mail["to"] == alice.email]
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="The budget is gone."))
    mail = sent(mailgun, sam)
    assert "Only staff can read it" in mail["text"]
    assert "The budget is gone." in mail["text"]
    assert [mail for mail in mailgun.mails if mail["to"] == alice.email] == before


def test_mails_of_a_ticket_are_one_thread(mailgun, alice, ann):
    ticket = make_ticket(alice)
    first = sent(mailgun, alice)
    with acting_as(ann):
        ticket.assign(ann)
    second = sent(mailgun, alice)
    assert first["h:Message-Id"] != second["h:Message-Id"]
    roots = f"<ticket-{ticket.pk}@mg.example.com> {root(ticket.pk, alice.pk)}"
    assert first["h:References"] == roots
    assert first["h:In-Reply-To"] == f"<ticket-{ticket.pk}@mg.example.com>"
    assert second["h:References"] == f"{roots} {first['h:Message-Id']}"
    assert second["h:In-Reply-To"] == first["h:Message-Id"]
    assert first["subject"] == second["subject"]


def test_thread_outlives_a_new_subject(mailgun, alice, ann):
    """Gmail goes by the subject too."""
    ticket = make_ticket(alice, subject="No sound")
    first = sent(mailgun, alice)
    ticket.subject = "The speakers are broken"
    with acting_as(ann):
        ticket.save()
    second = sent(mailgun, alice)
    assert first["subject"] == second["subject"] == f"[#{ticket.pk}] No sound"
    assert "The subject is now “The speakers are broken”." in second["text"]
    assert "The subject is now" not in first["text"]


def test_mail_that_is_sent_again_does_not_answer_itself(mailgun, row):
    mailgun.behave = "lose"
    deliver_due()
    mailgun.behave = 200
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        deliver_due()
    first, again = mailgun.mails
    assert first["h:Message-Id"] == again["h:Message-Id"]
    assert first["h:References"] == again["h:References"]


def test_answer_goes_to_the_ticket(mailgun, settings, alice, ann):
    settings.INBOUND_DOMAIN = "in.example.com"
    ticket = make_ticket(alice, assignee=ann)
    for person in (alice, ann):
        mail = sent(mailgun, person)
        assert mail["h:Reply-To"] == reply_address(ticket.pk, person.pk)
        assert "You can reply to this email." in mail["text"]
        assert "You can reply to this email." in mail["html"]


def test_mail_about_a_note_says_where_an_answer_goes(mailgun, settings, alice, ann, sam):
    settings.INBOUND_DOMAIN = "in.example.com"
    ticket = make_ticket(alice, assignee=sam)
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="The budget is gone."))
    mail = sent(mailgun, sam)
    assert mail["h:Reply-To"] == reply_address(ticket.pk, sam.pk, internal=True)
    assert "your reply becomes an internal note" in mail["text"]


@pytest.mark.parametrize("reason", ["nothing comes in", "the ticket is gone", "about the account"])
def test_no_address_for_answers(mailgun, settings, alice, sam, reason):
    settings.INBOUND_DOMAIN = "" if reason == "nothing comes in" else "in.example.com"
    if reason == "about the account":
        account_mail_requested.send(sender=User, person=alice, kind="welcome", address=alice.email)
    else:
        ticket = make_ticket(alice)
    if reason == "the ticket is gone":
        with acting_as(sam):
            ticket.delete()
    assert "h:Reply-To" not in sent(mailgun, alice)


def test_machines_learn_that_a_machine_writes(mailgun, alice):
    """RFC 3834."""
    make_ticket(alice)
    mail = sent(mailgun, alice)
    assert mail["h:Auto-Submitted"] == "auto-generated"
    assert mail["h:X-Auto-Response-Suppress"] == "All"
    assert mail["h:List-Id"] == "<helpdesk.mg.example.com>"


def test_agent_reads_who_needs_what(mailgun, alice, sam):
    category().people.add(sam)
    make_ticket(alice, subject="No sound", description="The speakers\n\nare silent", priority="high")
    mail = sent(mailgun, sam)
    for words in ("Alice Moreau submitted the ticket.", "Category: Other. Priority: High.", "are silent"):
        assert words in mail["text"]
    assert "The speakers<br><br>are silent" in mail["html"]


def test_deleted_ticket_is_emailed_without_a_link(mailgun, alice, sam):
    ticket = make_ticket(alice, subject="No sound")
    deliver_due()
    number = ticket.pk
    with acting_as(sam):
        ticket.delete()
    mail = sent(mailgun, alice)
    assert mail["subject"] == f"[#{number}] No sound"
    assert "Sam Lindqvist deleted the ticket." in mail["text"]
    assert "/tickets/" not in mail["text"]


def test_what_somebody_typed_is_shown_as_text(mailgun, alice, sam):
    """THREATS 15, 16."""
    User.objects.filter(pk=alice.pk).update(full_name=NASTY)
    category().people.add(sam)
    alice.refresh_from_db()
    make_ticket(alice, subject=NASTY, description=NASTY)
    mail = sent(mailgun, sam)
    assert mail["subject"].endswith(NASTY)
    assert NASTY in mail["text"]
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} {% debug %}" in mail["html"]


@pytest.mark.parametrize("kind", AccountMail.values)
def test_every_account_mail_can_be_sent(mailgun, alice, kind):
    account_mail_requested.send(sender=User, person=alice, kind=kind, address=alice.email)
    mail = sent(mailgun, alice)
    assert "Hello Alice," in mail["text"]
    assert "http://localhost:8000/" in mail["text"]
    assert mail["text"].count("{") == 0


def test_links_never_follow_the_request(mailgun, client, alice):
    """I11: Host and X-Forwarded-Host change nothing."""
    host = {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_HOST": "127.0.0.1:9999"}
    client.post("/accounts/password/reset/", {"email": alice.email}, **host)
    mail = sent(mailgun, alice)
    assert "http://localhost:8000/accounts/password/reset/key/" in mail["text"]
    assert "evil.example" not in mail["text"]
    assert "9999" not in mail["text"]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.test, e@e.test", "a@b.test\r\nBcc: e@e.test", "x <e@e.test>,", "a@localhost", "a@[127.0.0.1]",
        "a", "", "a@b.test\0", "a b@b.test", "a@b.test;e@e.test",
    ],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(address):
    """THREATS 78."""
    with pytest.raises(UnsafeMail):
        check_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nBcc: e@e.test",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\u2028b",
        "a\u2029b",
        "a\x0bb",
        "a\x85b",
        "\ud800",
        "é" * 490,
    ],
)
def test_header_with_a_line_break_or_without_end_is_refused(text):
    """THREATS 77."""
    with pytest.raises(UnsafeMail):
        check_header(text)


def test_bad_address_fails_its_row_and_nothing_else(mailgun, alice, client_of):
    User.objects.filter(pk=alice.pk).update(email="alice@localhost")
    data = {"subject": "No sound", "description": "Silence", "category": category().pk, "priority": "normal"}
    assert client_of(alice).post("/tickets/new/", data).status_code == 302
    assert deliver_due() == 0
    row = Notification.objects.get()
    assert (row.state, row.attempts) == ("failed", 1)
    assert "is not one email address" in row.last_error


def test_longest_subject_fits():
    assert check_header(f"[#{10**18}] {'😀' * 150}")


def test_subject_that_could_forge_a_header_fails(mailgun, alice, ann, caplog):
    """THREATS 77: rows that came past the forms (an import, raw SQL)."""
    ticket = Ticket(subject="a\r\nBcc: e@e.test", description="x", requester=alice, assignee=ann)
    ticket.category, ticket.status = category(), status("new")
    ticket.save()
    assert deliver_due() == 0
    rows = Notification.objects.all()
    assert {row.state for row in rows} == {"failed"}
    assert all("line break" in row.last_error for row in rows)
    assert caplog.records[-1].levelname == "ERROR"


def test_subject_is_no_encoded_word(mailgun, alice):
    """RFC 2047: mail programs would decode it."""
    ticket = make_ticket(alice, subject="=?utf-8?Q?=0D=0ABcc:_e=40e.test?=")
    assert sent(mailgun, alice)["subject"] == f"[#{ticket.pk}] = ?utf-8?Q?=0D=0ABcc:_e=40e.test?="


@pytest.mark.parametrize("address", ["a@b.test, e@e.test", "a@b.test\r\nBcc: e@e.test"])
def test_every_row_has_one_recipient(mailgun, alice, address):
    """THREATS 78."""
    account_mail_requested.send(sender=User, person=alice, kind="welcome", address=address)
    assert deliver_due() == 0
    assert Notification.objects.get().state == "failed"
    assert mailgun.requests_seen == 0


def test_header_that_got_past_the_forms_is_stopped_before_it_leaves(mailgun, alice):
    """THREATS 77: the builder raises."""
    make_ticket(alice)
    row = Notification.objects.select_related("person", "activity").get()
    row.message_id = "<x@y>\r\nBcc: e@e.test"
    with pytest.raises(UnsafeMail):
        messages.build([row])


def test_requester_reads_nothing_internal(mailgun, alice, ann):
    """A mail to the requester names what changed in words; it holds no raw values of the log."""
    ticket = make_ticket(alice)
    deliver_due()
    with acting_as(ann):
        ticket.set_status(status("waiting"))
    text = sent(mailgun, alice)["text"]
    assert "On Hold" in text
    assert "status_id" not in text
    assert "{" not in text
