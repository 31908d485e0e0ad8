"""What comes of a mail: stored first, handled once, filed as its sender, or held for staff."""

import uuid
from email.message import EmailMessage

import pytest
import time_machine
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone

from accounts.actor import acting_as
from accounts.links import password_reset_link
from accounts.models import User
from accounts.roles import Role
from tickets import jobs
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.actions.merging import merge
from tickets.history.verification import problems
from tickets.mail import addresses
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import filing, handler
from tickets.mail.receiving.parsing import parse
from tickets.mail.writing.messages import new_message_id
from tickets.mail.writing.tokens import answer_links, mute_link
from tickets.models import Attachment, BlockedSender, Comment, Draft, InboundEmail, Notification, Ticket
from tickets.models.notification import HELD
from tickets.rules.workflow import REOPEN_PERIOD
from tickets.tests.factories import PNG, make_ticket, status

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason
PASSED = "Authentication-Results: mx.example.net; dmarc=pass"
FAILED = "Authentication-Results: mx.example.net; dmarc=fail"


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    settings.INBOUND_AUTHSERV_ID = "mx.example.net"
    settings.MESSAGE_ID_DOMAIN = "mg.example.com"
    settings.DEFAULT_FROM_EMAIL = "Helpdesk <help@mg.example.com>"


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No print")


def raw(
    *, sender="Alice Moreau <alice@example.com>", to="support@in.example.com", body="It still jams.",
    subject="Re: [#1] No print", message_id="<one@example.com>", headers=(PASSED,),
) -> bytes:  # fmt: skip
    lines = [*headers, f"From: {sender}", f"To: {to}", f"Subject: {subject}", f"Message-ID: {message_id}"]
    return "\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", body, ""]).encode()


def came_in(content: bytes, **kwargs) -> InboundEmail:
    return handler.receive(content, route="command", **kwargs)


# Replies
def test_reply_of_the_requester_is_a_public_reply(alice, ann, ticket):
    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_status(status("waiting"))
    Notification.objects.all().delete()
    quoted = "It still jams.\r\n\r\nOn Tue, 24 Nov 2026 at 10:00, Ann Weber wrote:\r\n> Is it solved?"
    email = came_in(raw(to=reply_address(ticket.pk, alice.pk), body=quoted))
    comment = Comment.objects.get()
    assert (comment.ticket, comment.author, comment.is_public) == (ticket, alice, True)
    assert (comment.body, comment.source) == ("It still jams.", "email")
    assert (email.state, email.comment, email.ticket, email.person) == (State.FILED, comment, ticket, alice)
    assert set(Notification.objects.values_list("person__full_name", "kind")) == {
        ("Ann Weber", "replied"),
        ("Ann Weber", "status_changed"),
    }
    ticket.refresh_from_db()
    assert ticket.phase == "active"
    assert list(problems()) == []


def test_staff_answer_by_mail_like_on_the_site(alice, ann, ticket):
    came_in(raw(sender="ann@example.com", to=reply_address(ticket.pk, ann.pk), body="Please restart it."))
    comment = Comment.objects.get()
    assert (comment.author, comment.is_public) == (ann, True)
    ticket.refresh_from_db()
    assert ticket.first_replied_at is not None


def test_signed_address_that_is_quoted_is_not_shown_to_others(alice, ticket):
    address = reply_address(ticket.pk, alice.pk)
    came_in(raw(to=address, body=f"See below.\r\n\r\n> Is it on?\r\nYes. To: {address.upper()}"))
    body = Comment.objects.get().body
    assert "support@IN.EXAMPLE.COM" in body
    assert addresses.parse(address).signature not in body.lower()


def test_answer_to_the_mail_of_a_note_is_a_note(ann, ticket):
    came_in(raw(sender="ann@example.com", to=reply_address(ticket.pk, ann.pk, internal=True)))
    assert Comment.objects.get().is_public is False


def test_who_is_no_staff_any_more_writes_no_note(ann, ticket):
    conversation.watch(ticket, ann)
    ann.set_role(Role.REQUESTER)
    email = came_in(raw(sender="ann@example.com", to=reply_address(ticket.pk, ann.pk, internal=True)))
    assert (email.state, email.reason) == (State.QUARANTINED, Reason.WRONG_SENDER)
    assert not Comment.objects.exists()


def test_mail_takes_no_draft_of_the_page(alice, ticket):
    Draft.objects.keep(person=alice, ticket=ticket, kind=Draft.Kind.REPLY, body="Half a")
    came_in(raw(to=reply_address(ticket.pk, alice.pk)))
    assert Draft.objects.get().body == "Half a"


def test_signature_holds_in_capitals_and_after_a_change_of_the_key(alice, ticket, settings):
    address = reply_address(ticket.pk, alice.pk)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of fifty characters, which is long enough"
    assert came_in(raw(to=address.upper())).state == State.FILED
    settings.SECRET_KEY_FALLBACKS = []
    late = came_in(raw(to=address, message_id="<two@example.com>"))
    assert late.reason == Reason.BAD_SIGNATURE


def test_signed_reply_needs_no_proof_but_no_refutation(alice, ticket):
    """THREATS 98."""
    address = reply_address(ticket.pk, alice.pk)
    assert came_in(raw(to=address, headers=())).state == State.FILED
    held = came_in(raw(to=address, headers=(FAILED,), message_id="<two@example.com>"))
    assert (held.state, held.reason) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


@pytest.mark.parametrize(
    ("sender", "signed_for", "reason"),
    [
        ("bob@example.com", "alice", Reason.WRONG_SENDER),
        ("stranger@other.example", "alice", Reason.WRONG_SENDER),
        ("alice@example.com", "bob", Reason.BAD_SIGNATURE),
        ("alice@example.com", "nobody", Reason.BAD_SIGNATURE),
        ("bob@example.com", "bob", Reason.WRONG_SENDER),
    ],
)
def test_foreign_signature_is_held(alice, bob, ticket, sender, signed_for, reason):
    """THREATS 100."""
    addresses = {
        "alice": reply_address(ticket.pk, alice.pk),
        "bob": reply_address(ticket.pk, bob.pk),
        "nobody": f"support+{ticket.pk}@in.example.com",
    }
    before = Notification.objects.count()
    email = came_in(raw(sender=sender, to=addresses[signed_for]))
    assert (email.state, email.reason) == (State.QUARANTINED, reason)
    notifications = Notification.objects.exclude(kind=HELD).count()
    assert (Comment.objects.count(), notifications) == (0, before)


def test_switched_off_person_is_held(alice, ticket):
    """THREATS 100: an ex-agent's token is worth nothing."""
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert came_in(raw(to=reply_address(ticket.pk, alice.pk))).state == State.QUARANTINED


def test_answer_to_a_mail_of_ours_is_known_by_its_message_id(alice, ann, ticket):
    sent = Notification.objects.get(person=alice)
    Notification.objects.filter(pk=sent.pk).update(message_id="<helpdesk-1-abc@mg.example.com>")
    headers = (PASSED, "In-Reply-To: <helpdesk-1-abc@mg.example.com>")
    assert came_in(raw(headers=headers)).ticket == ticket
    foreign = came_in(raw(sender="ann@example.com", headers=headers, message_id="<two@example.com>"))
    assert foreign.ticket != ticket


# New tickets
def test_mail_of_somebody_known_is_a_new_ticket(alice, bob):
    headers = (PASSED, "Cc: Bob <bob@example.com>, stranger@other.example")
    email = came_in(raw(subject="No sound", body="Silence.\r\n\r\n-- \r\nAlice", headers=headers))
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.requester, ticket.source) == ("No sound", alice, "email")
    assert ticket.description.startswith("Silence.")
    assert ticket.category.name == "Other"
    assert [watcher.person for watcher in ticket.watchers.all()] == [bob]
    assert (email.state, email.ticket) == (State.FILED, ticket)
    assert Notification.objects.get(person=alice).kind == "created"
    assert User.objects.count() == 2


def test_mail_that_nothing_proves_files_no_ticket(alice):
    for number, headers in enumerate([(), (FAILED,), ("Authentication-Results: evil.example; dmarc=pass",)]):
        email = came_in(raw(headers=headers, message_id=f"<{number}@example.com>"))
        assert (email.state, email.reason) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    assert not Ticket.objects.exists()


def test_unknown_sender_is_held(alice):
    email = came_in(raw(sender="stranger@other.example"))
    assert (email.state, email.reason) == (State.QUARANTINED, Reason.UNKNOWN_SENDER)
    assert not Notification.objects.exists()


# Machines
@pytest.mark.parametrize(
    ("headers", "sender", "reason"),
    [
        (("Auto-Submitted: auto-replied",), "alice@example.com", Reason.AUTOMATIC),
        (("Precedence: bulk",), "alice@example.com", Reason.AUTOMATIC),
        ((), "MAILER-DAEMON@example.com", Reason.BOUNCE),
        ((), "help@mg.example.com", Reason.OWN_ADDRESS),
        ((), "support@in.example.com", Reason.OWN_ADDRESS),
    ],
)
def test_machine_is_recorded_and_changes_nothing(alice, ticket, headers, sender, reason):
    """THREATS 101, 102."""
    before = Notification.objects.count(), Ticket.objects.values().get()
    email = came_in(raw(sender=sender, to=reply_address(ticket.pk, alice.pk), headers=(PASSED, *headers)))
    assert (email.state, email.reason) == (State.IGNORED, reason)
    assert (Notification.objects.count(), Ticket.objects.values().get()) == before


def test_loop_ends_by_itself(alice):
    """I12: another helpdesk answers each receipt with a mail that says nothing of machines."""
    for number in range(100):
        came_in(raw(message_id=f"<{number}@example.com>", subject="Your request was received"))
    assert Notification.objects.count() <= 10
    assert InboundEmail.objects.filter(reason=Reason.TOO_MANY).count() == 90


def test_two_machines_on_one_ticket_fall_silent(alice, bob, ticket):
    """I12: each answers the other's mail, and neither says that it is a machine."""
    conversation.watch(ticket, bob)
    for number in range(40):
        person = (alice, bob)[number % 2]
        address = reply_address(ticket.pk, person.pk)
        came_in(raw(sender=person.email, to=address, message_id=f"<{number}@example.com>"))
    assert Comment.objects.count() == 10
    assert InboundEmail.objects.filter(reason=Reason.TOO_MANY).count() == 30


def test_agent_answers_many_tickets_by_mail(alice, ann):
    for number in range(15):
        address = reply_address(make_ticket(alice).pk, ann.pk)
        came_in(raw(sender=ann.email, to=address, message_id=f"<{number}@example.com>"))
    assert Comment.objects.count() == 15


# Exactly once, and never lost
def test_same_mail_twice_is_filed_once(alice, ticket):
    """THREATS 97."""
    content = raw(to=reply_address(ticket.pk, alice.pk))
    assert came_in(content) == came_in(content)
    assert Comment.objects.count() == InboundEmail.objects.count() == 1


def test_same_mail_without_a_message_id_is_filed_once(alice, ticket):
    content = raw(to=reply_address(ticket.pk, alice.pk)).replace(b"Message-ID: <one@example.com>\r\n", b"")
    came_in(content)
    came_in(content)
    assert Comment.objects.count() == InboundEmail.objects.count() == 1


def test_mail_at_which_our_code_fails_is_kept(alice, ticket, monkeypatch, caplog):
    """THREATS 108: twice an error for who delivers it, then it is staff's."""
    monkeypatch.setattr(filing, "_body", lambda *args: 1 / 0)
    content = raw(to=reply_address(ticket.pk, alice.pk))
    for _attempt in range(2):
        with pytest.raises(ZeroDivisionError):
            came_in(content)
    email = came_in(content)
    assert (email.state, email.reason, email.attempts) == (State.FAILED, Reason.ERROR, 3)
    assert bytes(email.raw) == content
    monkeypatch.undo()
    assert handler.replay(email, by=None).state == State.FILED
    assert Comment.objects.count() == 1


def test_error_that_quotes_what_no_database_stores_is_kept(alice, ticket, monkeypatch, caplog):
    def fail(*args):
        raise ValueError("\udce9 and \0")

    monkeypatch.setattr(filing, "_body", fail)
    with pytest.raises(ValueError, match="and"):
        came_in(raw(to=reply_address(ticket.pk, alice.pk)))
    assert InboundEmail.objects.get().detail == "ValueError: ? and "


def test_mail_whose_process_died_is_handled_by_the_worker(alice, ticket, monkeypatch):
    monkeypatch.setattr(handler, "handle", lambda email: email)
    email = came_in(raw(to=reply_address(ticket.pk, alice.pk)))
    monkeypatch.undo()
    InboundEmail.objects.update(received_at=ticket.created_at - 2 * jobs.LEFT_OVER_AFTER)
    jobs.handle_left_over_mail()
    email.refresh_from_db()
    assert email.state == State.FILED


# Files
def with_files(ticket, person, files: dict[str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = person.email, reply_address(ticket.pk, person.pk)
    message["Message-ID"], message["Subject"] = "<files@example.com>", "Files"
    message.set_content("See there.")
    for name, content in files.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def test_files_come_through_the_same_door_as_on_the_site(alice, ticket):
    files = {"screen.png": PNG, "setup.exe": b"MZ", "fake.png": b"<html>"}
    came_in(with_files(ticket, alice, files))
    comment = Comment.objects.get()
    assert [file.name for file in Attachment.objects.filter(comment=comment)] == ["screen.png"]
    assert "Left out: setup.exe. Files of type .exe are not accepted." in comment.body
    assert comment.body.count("Left out:") == 2


def test_more_than_twenty_files_are_left_out(alice, ticket):
    came_in(with_files(ticket, alice, {f"{number}.txt": b"text" * number for number in range(1, 23)}))
    assert Attachment.objects.count() == 20
    assert Comment.objects.get().body.count("Left out:") == 2


def test_long_mail_is_cut_on_the_ticket_and_whole_in_the_original(alice, ticket):
    content = raw(to=reply_address(ticket.pk, alice.pk), body="word " * 10_000)
    email = came_in(content)
    body = Comment.objects.get().body
    assert len(body) <= 20_000
    assert body.endswith("(The email is longer. IT can open the original.)")
    assert bytes(email.raw) == content


# What staff decide
@pytest.fixture
def held(alice, bob, ticket):
    return came_in(raw(sender="bob@example.com", to=reply_address(ticket.pk, alice.pk)))


def test_released_mail_of_who_may_not_answer_becomes_a_ticket_of_its_own(ann, bob, held):
    email = handler.release(held, by=ann)
    assert (email.state, email.handled_by) == (State.FILED, ann)
    assert email.ticket.requester == bob


def test_released_mail_of_the_requester_is_the_reply(alice, ann, ticket):
    email = came_in(raw(to=reply_address(ticket.pk, alice.pk), headers=(FAILED,)))
    handler.release(email, by=ann)
    assert Comment.objects.get().author == alice


def test_ticket_for_an_unknown_sender_makes_an_account(ann):
    email = came_in(raw(sender="Nina New <nina@other.example>"))
    with pytest.raises(handler.CannotDecide):
        handler.release(email, by=ann)
    handler.make_ticket(email, by=ann)
    person = User.objects.get(email="nina@other.example")
    assert (person.full_name, person.role) == ("Nina New", Role.REQUESTER)
    assert Ticket.objects.get().requester == person


def test_mail_of_a_stranger_is_put_on_a_ticket_as_a_note(ann, ticket):
    email = came_in(raw(sender="Vera Vendor <vera@other.example>", body="It is shipped."))
    handler.attach(email, ticket, by=ann)
    comment = Comment.objects.get()
    assert (comment.author, comment.is_public) == (ann, False)
    assert "vera@other.example" in comment.body
    assert "It is shipped." in comment.body


def test_blocked_sender_is_recorded_and_ignored(ann):
    email = came_in(raw(sender="spam@other.example"))
    handler.block(email, by=ann)
    assert BlockedSender.objects.get().address == "spam@other.example"
    again = came_in(raw(sender="spam@other.example", message_id="<two@other.example>"))
    assert (again.state, again.reason) == (State.IGNORED, Reason.BLOCKED)


def test_what_is_filed_stays_filed(ann, held):
    handler.discard(held, by=ann)
    handler.release(held, by=ann)
    for act in (handler.release, handler.make_ticket, handler.discard, handler.block, handler.replay):
        with pytest.raises(handler.CannotDecide):
            act(held, by=ann)


def test_addresses_name_a_ticket_only_on_our_domain():
    assert addresses.parse("support+12.abc@in.example.com").ticket == 12
    assert addresses.parse("support+12@in.example.com").signature == ""
    for other in ("support+12.abc@evil.example", "support@in.example.com", "support+x@in.example.com", ""):
        assert addresses.parse(other) is None


def test_deleted_ticket_leaves_its_mail(alice, ann, ticket):
    came_in(raw(to=reply_address(ticket.pk, alice.pk)))
    with acting_as(ann):
        Ticket.objects.get(pk=ticket.pk).delete()
    with pytest.raises(ObjectDoesNotExist):
        ticket.refresh_from_db()
    assert InboundEmail.objects.get().state == State.FILED
    late = came_in(raw(to=reply_address(ticket.pk, alice.pk), message_id="<late@example.com>"))
    assert late.state == State.QUARANTINED


# Attacks
def test_answer_to_the_note_of_a_colleague_stays_internal(alice, ann, sam, ticket):
    """Sam answers the mail of a note that Ann passed on to him; staff take it as genuine."""
    ticket.assign(ann)
    address = reply_address(ticket.pk, ann.pk, internal=True)
    held = came_in(raw(sender=sam.email, to=address, body="Alice broke it."))
    assert held.reason == Reason.WRONG_SENDER
    handler.release(held, by=ann)
    assert Comment.objects.get().is_public is False


def test_answer_to_a_note_that_is_put_on_its_ticket_stays_internal(alice, ann, ticket):
    ticket.assign(ann)
    address = reply_address(ticket.pk, ann.pk, internal=True)
    held = came_in(raw(sender=ann.email, to=address, headers=(FAILED,), body="Alice broke it."))
    handler.attach(held, ticket, by=ann)
    assert Comment.objects.get().is_public is False


def test_who_is_no_staff_any_more_writes_no_note_by_an_old_mail(alice, ann, ticket):
    conversation.watch(ticket, ann)
    with acting_as(alice):
        conversation.note(ticket, Message(author=alice, body="For staff"))
    Notification.objects.filter(person=ann, kind="noted").update(message_id="<helpdesk-x@mg.example.com>")
    ann.set_role(Role.REQUESTER)
    headers = (PASSED, "In-Reply-To: <helpdesk-x@mg.example.com>")
    came_in(raw(sender=ann.email, headers=headers))
    assert not Comment.objects.filter(author=ann).exists()


def test_nobody_knows_the_message_id_of_the_same_news_to_another(alice, ann, ticket):
    mine, another = Notification(pk=1, batch=uuid.uuid4()), Notification(pk=2)
    another.batch = mine.batch
    assert new_message_id(mine) == new_message_id(mine)
    assert mine.batch.hex not in new_message_id(mine)
    assert new_message_id(another) != new_message_id(mine).replace("-1-", "-2-")


def test_links_that_act_without_a_login_are_not_shown_to_others(alice, ticket, settings):
    secrets = [
        mute_link(ticket.pk, alice.pk),
        *answer_links(ticket.pk, alice.pk),
        password_reset_link(alice),
    ]
    page = settings.SITE_URL + ticket.get_absolute_url()
    came_in(raw(to=reply_address(ticket.pk, alice.pk), body="\r\n".join([*secrets, page])))
    body = Comment.objects.get().body
    assert page in body
    for link in secrets:
        assert link not in body


def test_person_at_the_domain_of_our_mail_is_heard(alice):
    """Thunderbird makes Message-IDs with the sender's domain."""
    assert came_in(raw(message_id="<0f1e2d@mg.example.com>")).state == State.FILED
    ours = came_in(raw(message_id="<helpdesk-7-0f1e2d@mg.example.com>"))
    assert ours.reason == Reason.OWN_ADDRESS


def test_kelvin_is_no_k(ticket, settings):
    assert not parse("From: mar\u212a@example.com\n\nx".encode()).sender


@pytest.mark.parametrize("message_id", ["<a\0b@example.com>", "<a\udcffb@example.com>"])
def test_odd_message_id_loses_no_mail(alice, ticket, message_id):
    content = raw(to=reply_address(ticket.pk, alice.pk), message_id="<ID>")
    content = content.replace(b"<ID>", message_id.encode("utf-8", "surrogateescape"))
    assert came_in(content) == came_in(content)
    assert InboundEmail.objects.get().state == State.FILED


def test_odd_addresses_of_the_envelope_lose_no_mail(alice):
    email = came_in(raw(), envelope_sender="a\udcff\0@example.com", recipient="s\udcff@in.example.com")
    email.refresh_from_db()
    assert email.state == State.FILED


def test_message_id_of_what_is_quoted_is_not_that_of_the_mail(alice, ticket):
    address = reply_address(ticket.pk, alice.pk)
    came_in(raw(to=address))
    second = raw(to=address, message_id="none", body="What is this?\r\n\r\nMessage-ID: <one@example.com>")
    came_in(second)
    assert Comment.objects.count() == 2


def test_another_mail_with_the_same_message_id_is_held(alice, ann, ticket):
    """Some programs repeat their Message-IDs: what comes with one is not the mail that we have."""
    address = reply_address(ticket.pk, alice.pk)
    came_in(raw(to=address))
    other = raw(to=address, body="It burns!")
    again = came_in(other)
    assert (again.state, again.reason) == (State.QUARANTINED, Reason.REPEATED)
    assert came_in(other) == again
    copy = b"Received: by another.example\r\n" + raw(to=address)
    assert came_in(copy).state == State.FILED
    assert (InboundEmail.objects.count(), Comment.objects.count()) == (2, 1)
    handler.release(again, by=ann)
    assert Comment.objects.get(body="It burns!").author == alice


def test_mail_that_fails_once_more_when_staff_try_again_is_staffs_at_once(ann, held, monkeypatch, caplog):
    monkeypatch.setattr(handler, "decide", lambda *args: 1 / 0)
    email = handler.replay(held, by=ann)
    assert (email.state, email.reason) == (State.FAILED, Reason.ERROR)


def test_forged_mail_silences_nobody(alice, ann):
    forged = came_in(raw(headers=(FAILED,)))
    with pytest.raises(handler.CannotDecide):
        handler.block(forged, by=ann)
    assert came_in(raw(message_id="<two@example.com>")).state == State.FILED


def test_forged_mail_of_staff_that_is_put_on_a_ticket_is_no_answer_of_theirs(ann, sam, ticket):
    forged = came_in(raw(sender=ann.email, headers=(FAILED,), body="Send me your password."))
    handler.attach(forged, ticket, by=sam)
    comment = Comment.objects.get()
    assert (comment.author, comment.is_public) == (sam, False)
    proven = came_in(raw(sender=ann.email, message_id="<two@example.com>"))
    assert proven.state == State.FILED


@pytest.mark.parametrize("is_merged", [True, False])
def test_loop_on_a_ticket_that_takes_nothing_any_more_ends_too(alice, ann, is_merged):
    """THREATS 102: what is answered there stands elsewhere, or is a new ticket each time."""
    with time_machine.travel(timezone.now() - 2 * REOPEN_PERIOD), acting_as(ann):
        ticket = make_ticket(alice)
        ticket.set_status(status("done"))
        if is_merged:
            merge(ticket, make_ticket(alice))
    address = reply_address(ticket.pk, alice.pk)
    mails = [came_in(raw(to=address, message_id=f"<{number}@example.com>")) for number in range(12)]
    assert [mail.state for mail in mails[9:]] == [State.FILED, State.QUARANTINED, State.QUARANTINED]
