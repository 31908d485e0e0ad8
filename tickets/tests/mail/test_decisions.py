"""What must come of a mail: decisions asked directly, one answer for each rule."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.actions import conversation
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import decisions
from tickets.mail.receiving.decisions import Decision
from tickets.mail.receiving.parsing import parse
from tickets.models import BlockedSender, Comment, InboundEmail, Notification, Ticket
from tickets.rules.workflow import REOPEN_PERIOD
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ALICE, SUPPORT = "alice@example.com", "support@in.example.com"
PASSED = "Authentication-Results: mx.example.net; dmarc=pass"
FAILED = "Authentication-Results: mx.example.net; dmarc=fail"


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    settings.INBOUND_AUTHSERV_ID = "mx.example.net"
    settings.MESSAGE_ID_DOMAIN = "mg.example.com"
    settings.DEFAULT_FROM_EMAIL = "Helpdesk <help@mg.example.com>"
    settings.SUPPORT_EMAIL = ""
    settings.SIGNUP_EMAIL_DOMAINS = []


@pytest.fixture
def ticket(alice):
    return make_ticket(alice)


def raw(
    *headers: str, sender: str = ALICE, to: str = SUPPORT, message_id: str = "<one@example.com>"
) -> bytes:
    lines = [*headers, f"From: {sender}", f"To: {to}", "Subject: No sound", f"Message-ID: {message_id}"]
    return "\r\n".join([*lines, "", "It is silent.", ""]).encode()


def stored(content: bytes = b"", **fields) -> InboundEmail:
    values = {
        "identity": f"<{uuid.uuid4()}@example.com>",
        "raw": content,
        "size": len(content),
        "route": "command",
    }
    return InboundEmail.objects.create(**values, received_at=NOON, **fields)


def decided(*headers: str, recipient: str = "", **fields) -> Decision:
    content = raw(*headers, **fields)
    return decisions.decide(stored(content, recipient=recipient), parse(content))


def outcome(decision: Decision) -> tuple:
    return decision.state, decision.reason


# What is ours
@pytest.mark.parametrize(
    ("sender", "message_id", "is_ours"),
    [
        ("help@mg.example.com", "<one@example.com>", True),
        ("HELP@mg.example.com", "<one@example.com>", True),
        ("it@example.com", "<one@example.com>", True),
        ("support@in.example.com", "<one@example.com>", True),
        (ALICE, "<helpdesk-1.2@mg.example.com>", True),
        (ALICE, "<helpdesk-1.2@mgxexample.com>", False),
        (ALICE, "<1.2@mg.example.com>", False),
        (ALICE, "<helpdesk-1.2@mg.example.com.evil.example>", False),
        (ALICE, "<one@example.com>", False),
    ],
)
def test_own_mail_is_known(alice, settings, sender, message_id, is_ours):
    settings.SUPPORT_EMAIL = "IT@example.com"
    decision = decided(PASSED, sender=sender, message_id=message_id)
    assert (outcome(decision) == (State.IGNORED, Reason.OWN_ADDRESS)) is is_ours


def test_mail_without_a_sender_is_not_ours_where_there_is_no_address_for_support(alice):
    assert outcome(decided(PASSED, sender="")) == (State.QUARANTINED, Reason.UNKNOWN_SENDER)


# Machines and groups
def test_machine_is_ignored_with_the_header_that_shows_it(alice):
    decision = decided(PASSED, "Auto-Submitted: auto-replied")
    assert outcome(decision) == (State.IGNORED, Reason.AUTOMATIC)
    assert "Auto-Submitted" in decision.detail


@pytest.mark.parametrize(
    ("header", "is_own"),
    [
        ("List-Id: IT <it.example.com>", True),
        ("List-Id: IT <it.EXAMPLE.com>", True),
        ("List-Post: <mailto:it@example.com>", True),
        ("List-Id: Group <all.corp.example>", True),
        ("List-Id: Group <corp.example>", True),
        ("List-Id: News <news.other.example>", False),
        ("List-Id: News <notexample.com>", False),
        ("List-Unsubscribe: <https://example.com>", False),
        ("Precedence: list", False),
    ],
)
def test_mail_through_a_group_of_the_own_organisation_is_a_persons(alice, settings, header, is_own):
    settings.SIGNUP_EMAIL_DOMAINS = ["corp.example"]
    decision = decided(PASSED, header)
    assert outcome(decision) == ((State.FILED, "") if is_own else (State.IGNORED, Reason.LIST))


def test_strangers_and_machines_come_through_no_own_group(alice):
    group = "List-Id: IT <it.example.com>"
    assert outcome(decided(PASSED, group, sender="eve@example.com")) == (State.IGNORED, Reason.LIST)
    machine = decided(PASSED, group, "Auto-Submitted: auto-replied")
    assert outcome(machine) == (State.IGNORED, Reason.AUTOMATIC)


def test_blocked_sender_is_ignored(alice):
    BlockedSender.objects.create(address=ALICE)
    assert outcome(decided(PASSED)) == (State.IGNORED, Reason.BLOCKED)


# Who it is from
@pytest.mark.parametrize(
    ("headers", "sender", "expected"),
    [
        ([PASSED], ALICE, (State.FILED, "")),
        ([], ALICE, (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([FAILED], ALICE, (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([PASSED], "eve@example.com", (State.QUARANTINED, Reason.UNKNOWN_SENDER)),
        ([FAILED], "eve@example.com", (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
    ],
)
def test_new_ticket_takes_a_person_and_proof(alice, headers, sender, expected):
    decision = decided(*headers, sender=sender)
    assert outcome(decision) == expected
    assert decision.person == (
        alice if decision.state == State.FILED or headers == [FAILED] and sender == ALICE else None
    )
    assert decision.ticket is None


def test_person_is_known_by_an_address_that_counts(alice, bob):
    assert decisions.person_of(ALICE) == alice
    assert decisions.account_of(ALICE) == alice
    assert decisions.person_of("") is None
    assert decisions.account_of("") is None
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert (decisions.person_of(bob.email), decisions.account_of(bob.email)) == (None, bob)


def test_address_of_the_envelope_comes_first(alice, ticket):
    other = make_ticket(alice)
    to = reply_address(other.pk, alice.pk)
    assert decided(PASSED, to=to).ticket == other
    assert decided(PASSED, to=to, recipient=reply_address(ticket.pk, alice.pk)).ticket == ticket
    assert decided(PASSED, to=f"x@example.com, {to}").ticket == other


# Which ticket
def test_signed_reply_is_that_of_its_person(alice, ann, ticket):
    public = decided(PASSED, to=reply_address(ticket.pk, alice.pk))
    assert (public.state, public.person, public.ticket, public.is_internal) == (
        State.FILED,
        alice,
        ticket,
        False,
    )
    note = decided(PASSED, sender=ann.email, to=reply_address(ticket.pk, ann.pk, internal=True))
    assert (note.state, note.person, note.ticket, note.is_internal) == (State.FILED, ann, ticket, True)


def test_address_of_another_is_held_on_the_ticket_and_one_of_nobody_is_not(alice, charlie, ticket):
    outbox_has_a_mail_to_alice = reply_address(ticket.pk, alice.pk)
    stolen = decided(PASSED, sender=charlie.email, to=outbox_has_a_mail_to_alice)
    assert (*outcome(stolen), stolen.ticket) == (State.QUARANTINED, Reason.WRONG_SENDER, ticket)
    made_up = decided(PASSED, sender=charlie.email, to=outbox_has_a_mail_to_alice.replace("@", "x@", 1))
    assert (*outcome(made_up), made_up.ticket) == (State.QUARANTINED, Reason.BAD_SIGNATURE, None)
    own_ticket = decided(PASSED, to=outbox_has_a_mail_to_alice.replace("@", "x@", 1))
    assert (*outcome(own_ticket), own_ticket.ticket) == (State.QUARANTINED, Reason.BAD_SIGNATURE, ticket)


def test_address_of_a_ticket_that_is_gone(alice, sam, ticket):
    address = reply_address(ticket.pk, alice.pk)
    ticket.delete()
    gone = decided(PASSED, to=address)
    assert (*outcome(gone), gone.ticket, gone.person) == (State.QUARANTINED, Reason.BAD_SIGNATURE, None, None)


def test_who_sees_the_ticket_no_more_is_held(alice, bob, ticket):
    conversation.watch(ticket, bob)
    address = reply_address(ticket.pk, bob.pk)
    assert outcome(decided(PASSED, sender=bob.email, to=address)) == (State.FILED, "")
    conversation.unwatch(ticket, bob)
    held = decided(PASSED, sender=bob.email, to=address)
    assert (*outcome(held), held.ticket) == (State.QUARANTINED, Reason.WRONG_SENDER, ticket)


def test_forged_mail_is_held_where_its_signed_address_belongs(alice, ticket):
    forged = decided(FAILED, to=reply_address(ticket.pk, alice.pk))
    assert (*outcome(forged), forged.ticket) == (State.QUARANTINED, Reason.NOT_AUTHENTIC, ticket)
    by_a_stranger = decided(FAILED, sender="eve@example.com", to=reply_address(ticket.pk, alice.pk))
    assert (*outcome(by_a_stranger), by_a_stranger.ticket) == (
        State.QUARANTINED,
        Reason.NOT_AUTHENTIC,
        ticket,
    )
    guessed = decided(FAILED, to=f"support+{ticket.pk}.x@in.example.com")
    assert guessed.ticket is None


def test_held_mail_on_a_merged_ticket_shows_where_the_conversation_goes_on(alice, ticket):
    target = make_ticket(alice)
    Ticket.objects.filter(pk=ticket.pk).change(merged_into=target)
    assert decided(FAILED, to=reply_address(ticket.pk, alice.pk)).ticket == target


def test_signed_address_is_proof_enough_for_requesters_and_not_for_staff(alice, ann, ticket):
    assert outcome(decided(to=reply_address(ticket.pk, alice.pk))) == (State.FILED, "")
    held = decided(sender=ann.email, to=reply_address(ticket.pk, ann.pk))
    assert (*outcome(held), held.person, held.ticket) == (
        State.QUARANTINED,
        Reason.NOT_AUTHENTIC,
        ann,
        ticket,
    )


def answers(message_id: str) -> str:
    return f"In-Reply-To: {message_id}"


def test_answer_to_the_mail_of_somebody_else_takes_proof(alice, bob, ticket):
    """As a colleague in copy writes it: everybody who got that mail knows its Message-ID."""
    conversation.watch(ticket, bob)
    before = stored(state=State.FILED, ticket=ticket, sender=ALICE)
    proven = decided(PASSED, answers(before.identity), sender=bob.email)
    assert (proven.state, proven.person, proven.ticket) == (State.FILED, bob, ticket)
    unproven = decided(answers(before.identity), sender=bob.email)
    assert (*outcome(unproven), unproven.ticket) == (State.QUARANTINED, Reason.NOT_AUTHENTIC, ticket)


def test_answer_to_the_email_of_a_note_is_a_note(alice, ann, sam, ticket):
    """By its Message-ID, where the client has dropped the address."""
    conversation.watch(ticket, ann)
    conversation.note(ticket, conversation.Message(author=sam, body="Ask the supplier."))
    Notification.objects.filter(person=ann, kind="noted").update(message_id="<helpdesk-2@mg.example.com>")
    note = decided(PASSED, answers("<helpdesk-2@mg.example.com>"), sender=ann.email)
    assert (note.state, note.person, note.ticket, note.is_internal) == (State.FILED, ann, ticket, True)
    conversation.unwatch(ticket, ann)
    ann.set_role(Role.REQUESTER)
    with acting_as(alice):
        conversation.watch(ticket, User.objects.get(pk=ann.pk))
    held = decided(PASSED, answers("<helpdesk-2@mg.example.com>"), sender=ann.email)
    assert (*outcome(held), held.ticket) == (State.QUARANTINED, Reason.WRONG_SENDER, ticket)


# Staff who vouch for it
def vouched(*headers: str, sender: str = ALICE, to: str = SUPPORT, **where) -> Decision:
    content = raw(*headers, sender=sender, to=to)
    return decisions.decide_for_staff(stored(content), parse(content), **where)


def test_staff_put_a_mail_where_its_sender_may_speak(alice, charlie, ticket):
    on = vouched(on=ticket)
    assert (on.state, on.person, on.ticket, on.is_quote) == (State.FILED, alice, ticket, False)
    outsider = vouched(on=ticket, sender=charlie.email)
    assert (outsider.person, outsider.ticket, outsider.is_quote) == (charlie, ticket, True)
    new = vouched(is_new=True, to=reply_address(ticket.pk, alice.pk))
    assert (new.state, new.person, new.ticket, new.is_quote) == (State.FILED, alice, None, False)
    as_it_says = vouched(to=reply_address(ticket.pk, alice.pk))
    assert (as_it_says.person, as_it_says.ticket) == (alice, ticket)


def test_mail_that_staff_vouch_for_finds_the_ticket_that_it_answers(alice, bob, ticket):
    notification = Notification.objects.get(person=alice)
    Notification.objects.update(message_id="<helpdesk-1@mg.example.com>")
    assert vouched(answers("<helpdesk-1@mg.example.com>")).ticket == notification.ticket == ticket
    before = stored(state=State.FILED, ticket=ticket, sender=bob.email)
    assert vouched(answers(before.identity)).ticket == ticket
    assert vouched(answers("<nothing@example.com>")).ticket is None
    assert vouched().ticket is None


def test_nobody_vouches_for_a_stranger_without_saying_where(ticket):
    assert outcome(vouched(sender="eve@example.com")) == (State.QUARANTINED, Reason.UNKNOWN_SENDER)
    new = vouched(sender="eve@example.com", is_new=True)
    assert (new.state, new.person, new.ticket, new.is_quote) == (State.FILED, None, None, False)
    on = vouched(sender="eve@example.com", on=ticket)
    assert (on.state, on.person, on.ticket, on.is_quote) == (State.FILED, None, ticket, True)


def test_nobody_vouches_for_the_words_of_staff(ann, ticket):
    quoted = vouched(sender=ann.email, on=ticket)
    assert (quoted.person, quoted.ticket, quoted.is_quote) == (ann, ticket, True)
    proven = vouched(PASSED, sender=ann.email, on=ticket)
    assert (proven.person, proven.ticket, proven.is_quote) == (ann, ticket, False)


def test_nobody_vouches_for_staff_whose_address_is_unconfirmed(ann, ticket, settings):
    """They are known by name still, so nothing is published as theirs."""
    settings.HAS_MAIL_PROVIDER = True
    EmailAddress.objects.update_or_create(user=ann, email=ann.email, defaults={"verified": False})
    assert decisions.person_of(ann.email) is None
    quoted = vouched(sender=ann.email, is_new=True)
    assert (quoted.state, quoted.person, quoted.ticket, quoted.is_quote) == (State.FILED, ann, None, True)


def test_answer_to_a_note_is_a_note_or_stands_elsewhere(alice, ann, ticket):
    """The address that alice has is one of a note to ann."""
    conversation.note(ticket, conversation.Message(author=ann, body="Ask the supplier."))
    conversation.watch(ticket, ann)
    ann.notifications.create(kind="noted", ticket=ticket, address=ann.email)
    to = reply_address(ticket.pk, ann.pk, internal=True)
    by_staff = vouched(PASSED, sender=ann.email, to=to)
    assert (by_staff.ticket, by_staff.is_internal) == (ticket, True)
    by_the_requester = vouched(to=to)
    assert (by_the_requester.ticket, by_the_requester.is_internal) == (None, False)


# The end of loops
def test_tenth_mail_of_an_hour_on_a_ticket_is_the_last(alice, ticket):
    to = reply_address(ticket.pk, alice.pk)
    filed = {"state": State.FILED, "ticket": ticket, "sender": ALICE}
    for number in range(9):
        email = stored(**filed)
        InboundEmail.objects.filter(pk=email.pk).update(
            received_at=NOON - timedelta(hours=1) + timedelta(seconds=number + 1)
        )
    InboundEmail.objects.filter(pk=stored(**filed).pk).update(received_at=NOON - timedelta(hours=1))
    stored(state=State.IGNORED, ticket=ticket, sender=ALICE)
    stored(state=State.FILED, ticket=make_ticket(alice), sender=ALICE, comment=None)
    assert outcome(decided(PASSED, to=to)) == (State.FILED, "")
    stored(**filed)
    held = decided(PASSED, to=to)
    assert (*outcome(held), held.ticket, held.person) == (State.QUARANTINED, Reason.TOO_MANY, ticket, alice)


def test_new_tickets_of_one_sender_are_counted_and_replies_are_not(alice, ticket):
    comment = Comment.objects.create(ticket=ticket, author=alice, body="x", is_public=True)
    for _number in range(10):
        stored(state=State.FILED, ticket=ticket, sender=ALICE, comment=comment)
        stored(state=State.FILED, sender="bob@example.com")
    for _number in range(9):
        stored(state=State.FILED, sender=ALICE)
    assert outcome(decided(PASSED)) == (State.FILED, "")
    stored(state=State.FILED, sender=ALICE)
    assert outcome(decided(PASSED)) == (State.QUARANTINED, Reason.TOO_MANY)


@pytest.mark.parametrize("where", ["open", "merged", "done for long"])
def test_reply_that_becomes_a_new_ticket_counts_as_one(alice, ticket, where):
    if where == "merged":
        Ticket.objects.filter(pk=ticket.pk).change(merged_into=make_ticket(alice))
    elif where == "done for long":
        ticket.close()
        Ticket.objects.filter(pk=ticket.pk).update(
            done_at=timezone.now() - REOPEN_PERIOD - timedelta(minutes=1)
        )
    for _number in range(10):
        stored(state=State.FILED, sender=ALICE)
    expected = (State.FILED, "") if where == "open" else (State.QUARANTINED, Reason.TOO_MANY)
    assert outcome(decided(PASSED, to=reply_address(ticket.pk, alice.pk))) == expected


def test_tickets_that_were_filed_on_the_site_count_too(alice, ticket, settings):
    settings.TICKETS_PER_HOUR = 2
    assert outcome(decided(PASSED)) == (State.FILED, "")
    make_ticket(alice)
    assert outcome(decided(PASSED)) == (State.QUARANTINED, Reason.TOO_MANY)
    assert outcome(decided(PASSED, to=reply_address(ticket.pk, alice.pk))) == (State.FILED, "")


# Who learns that it waits
@pytest.mark.parametrize(
    ("headers", "state", "reason", "learns"),
    [
        ([PASSED], State.QUARANTINED, Reason.WRONG_SENDER, True),
        ([PASSED], State.QUARANTINED, Reason.ERROR, True),
        ([PASSED], State.QUARANTINED, Reason.TOO_MANY, False),
        ([PASSED], State.QUARANTINED, Reason.REPEATED, False),
        ([PASSED], State.FILED, "", False),
        ([PASSED], State.IGNORED, Reason.BLOCKED, False),
        ([], State.QUARANTINED, Reason.NOT_AUTHENTIC, False),
        ([PASSED, "Auto-Submitted: auto-replied"], State.QUARANTINED, Reason.WRONG_SENDER, False),
    ],
)
def test_only_a_proven_person_learns_that_the_mail_waits(alice, headers, state, reason, learns):
    content = raw(*headers)
    decision = Decision(state, reason, person=alice)
    assert decisions.should_notify_sender(stored(content), parse(content), decision) is learns


def test_former_staff_answer_no_note(ann, ticket):
    address = reply_address(ticket.pk, ann.pk, internal=True)
    conversation.watch(ticket, ann)
    ann.set_role(Role.REQUESTER)
    held = decided(PASSED, sender=ann.email, to=address)
    assert outcome(held) == (State.QUARANTINED, Reason.WRONG_SENDER)
