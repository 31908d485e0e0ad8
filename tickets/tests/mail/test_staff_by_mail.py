"""A word of staff by email needs proof, and nobody can give it in their place (THREATS 98, 133)."""

import pytest
from allauth.account.models import EmailAddress

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Comment, InboundEmail, Notification, Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason
PASSED, FAILED = (f"Authentication-Results: mx.example.net; dmarc={result}" for result in ("pass", "fail"))
WORDS = "Send me your password."


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    settings.INBOUND_AUTHSERV_ID = "mx.example.net"


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No print")


@pytest.fixture(params=["ann", "sam", "root"])
def staff(request):
    """An agent, a supervisor, a superuser."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def max_the_agent(roles):
    """Who decides about the mails."""
    person = User.objects.create_user("max@example.com", full_name="Max Decider")
    person.set_role(Role.AGENT)
    return person


def came_in(sender: str, *, to: str = "support@in.example.com", proof: str = "", number=1) -> InboundEmail:
    head = [proof] if proof else []
    head += [f"From: {sender}", f"To: {to}", "Subject: Re: No print", f"Message-ID: <{number}@example.com>"]
    return handler.receive("\r\n".join([*head, "", WORDS]).encode(), route="command")


def assert_nothing_is_said_by(person) -> None:
    assert not Comment.objects.filter(author=person).exists()
    assert not Ticket.objects.filter(description__contains=WORDS).exists()
    assert not ActivityLog.objects.filter(actor=person).exists()
    assert not Comment.objects.filter(is_public=True).exists()


# By itself
@pytest.mark.parametrize("proof", ["", FAILED, "Authentication-Results: evil.example; dmarc=pass"])
@pytest.mark.parametrize("internal", [True, False])
def test_signed_address_is_no_proof_for_staff(staff, ticket, proof, internal):
    email = came_in(staff.email, to=reply_address(ticket.pk, staff.pk, internal=internal), proof=proof)
    assert (email.state, email.reason) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    assert_nothing_is_said_by(staff)


@pytest.mark.parametrize("internal", [True, False])
def test_proven_answer_of_staff_is_theirs(staff, ticket, internal):
    came_in(staff.email, to=reply_address(ticket.pk, staff.pk, internal=internal), proof=PASSED)
    comment = Comment.objects.get()
    assert (comment.author, comment.is_public) == (staff, not internal)


def test_message_id_of_our_mail_is_no_proof_for_staff(ann, ticket):
    with acting_as(None):
        ticket.assign(ann)
    Notification.objects.filter(person=ann).update(message_id="<helpdesk-1-abc@mg.example.com>")
    head = (
        f"From: {ann.email}\r\nIn-Reply-To: <helpdesk-1-abc@mg.example.com>\r\nSubject: Re: x\r\n\r\n{WORDS}"
    )
    email = handler.receive(head.encode(), route="command")
    assert (email.state, email.reason, email.ticket) == (State.QUARANTINED, Reason.NOT_AUTHENTIC, ticket)


def test_where_nothing_proves_a_sender_requesters_are_heard_and_staff_wait(alice, ann, ticket, settings):
    settings.INBOUND_AUTHSERV_ID = ""
    assert came_in(alice.email, to=reply_address(ticket.pk, alice.pk), proof=PASSED).state == State.FILED
    held = came_in(ann.email, to=reply_address(ticket.pk, ann.pk), proof=PASSED, number=2)
    assert (held.state, held.reason) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


def test_staff_who_are_requesters_of_the_ticket_need_proof_too(ann):
    own = make_ticket(ann)
    email = came_in(ann.email, to=reply_address(own.pk, ann.pk))
    assert email.state == State.QUARANTINED
    assert not Comment.objects.exists()


def test_who_is_no_staff_any_more_needs_no_proof(ann, ticket):
    own = make_ticket(ann)
    address = reply_address(own.pk, ann.pk)
    ann.set_role(Role.REQUESTER)
    assert came_in(ann.email, to=address).state == State.FILED


# When staff decide
ACTS = {
    "release": lambda email, ticket, by: handler.release(email, by=by),
    "attach": lambda email, ticket, by: handler.attach(email, ticket, by=by),
    "make_ticket": lambda email, ticket, by: handler.make_ticket(email, by=by),
}
TO = {
    "new": lambda ticket, staff: "support@in.example.com",
    "unsigned": lambda ticket, staff: f"support+{ticket.pk}@in.example.com",
    "signed": lambda ticket, staff: reply_address(ticket.pk, staff.pk),
    "note": lambda ticket, staff: reply_address(ticket.pk, staff.pk, internal=True),
}


@pytest.mark.parametrize("proof", ["", FAILED])
@pytest.mark.parametrize("to", TO)
@pytest.mark.parametrize("act", ACTS)
def test_nobody_puts_words_into_the_mouth_of_staff(
    staff, ticket, alice, max_the_agent, mailgun, act, to, proof
):
    Notification.objects.all().delete()
    email = came_in(staff.email, to=TO[to](ticket, staff), proof=proof)
    assert email.state == State.QUARANTINED
    filed = ACTS[act](email, ticket, max_the_agent)
    assert filed.state == State.FILED
    assert_nothing_is_said_by(staff)
    note = Comment.objects.get()
    assert (note.author, note.is_public) == (max_the_agent, False)
    assert WORDS in note.body
    assert staff.email in note.body
    is_on_ticket = act == "attach" or (act == "release" and to != "new")
    assert (note.ticket == ticket) is is_on_ticket
    deliver_due()
    assert not [mail for mail in mailgun.mails if WORDS in str(mail) and alice.email in str(mail)]


def test_ticket_of_an_unproven_mail_of_staff_is_that_of_who_decides(sam, max_the_agent):
    handler.make_ticket(came_in(sam.email), by=max_the_agent)
    made = Ticket.objects.get()
    assert (made.requester, made.subject) == (max_the_agent, "Re: No print")
    assert "could not be verified" in made.description
    assert Comment.objects.get().ticket == made


@pytest.mark.parametrize("act", ACTS)
def test_staff_whose_address_is_not_confirmed_say_nothing_either(sam, max_the_agent, ticket, mailgun, act):
    EmailAddress.objects.filter(user=sam).update(verified=False)
    email = came_in(sam.email, to=reply_address(ticket.pk, sam.pk))
    if act == "release":
        with pytest.raises(handler.CannotDecide):
            ACTS[act](email, ticket, max_the_agent)
    else:
        ACTS[act](email, ticket, max_the_agent)
        assert Comment.objects.get().author == max_the_agent
    assert_nothing_is_said_by(sam)
    assert not EmailAddress.objects.filter(user=sam, verified=True).exists()


def test_own_unproven_mail_is_a_note_even_if_its_sender_decides(ann, ticket):
    """Who reads the quarantine may answer on the page instead."""
    handler.attach(came_in(ann.email), ticket, by=ann)
    assert Comment.objects.get().is_public is False


def test_trying_again_proves_nothing(ann, ticket, max_the_agent):
    email = came_in(ann.email, to=reply_address(ticket.pk, ann.pk))
    assert handler.replay(email, by=max_the_agent).state == State.QUARANTINED
    assert not Comment.objects.exists()


@pytest.mark.parametrize("act", ["release", "make_ticket"])
def test_proven_mail_of_staff_that_is_held_is_still_their_word(ann, max_the_agent, act, ticket):
    email = came_in(ann.email, to=f"support+{ticket.pk}@in.example.com", proof=PASSED)
    assert email.reason == Reason.BAD_SIGNATURE
    ACTS[act](email, ticket, max_the_agent)
    if act == "release":
        assert Comment.objects.get().author == ann
    else:
        assert Ticket.objects.get(requester=ann)


def test_two_senders_are_nobody(alice, ann, ticket, max_the_agent):
    email = came_in(f"{alice.email}, {ann.email}", to=reply_address(ticket.pk, ann.pk), proof=PASSED)
    assert email.state == State.QUARANTINED
    for act in ("release", "make_ticket"):
        with pytest.raises(handler.CannotDecide):
            ACTS[act](email, ticket, max_the_agent)
    handler.attach(email, ticket, by=max_the_agent)
    note = Comment.objects.get()
    assert (note.author, note.is_public) == (max_the_agent, False)


def test_requester_may_be_vouched_for(alice, ticket, max_the_agent):
    handler.attach(came_in(alice.email, proof=FAILED), ticket, by=max_the_agent)
    assert Comment.objects.get().author == alice


# What the page says before
@pytest.mark.parametrize(
    ("to", "sentences"),
    [
        (
            "new",
            (
                "Creates a ticket in your name, with this email quoted in an internal note by you.",
                "Will be added as an internal note by you.",
            ),
        ),
        ("signed", ("Will be added to #{} as an internal note by you.",)),
    ],
)
def test_page_says_that_it_becomes_a_note(client_of, sam, max_the_agent, ticket, to, sentences):
    email = came_in(sam.email, to=TO[to](ticket, sam))
    page = client_of(max_the_agent).get(f"/admin/tickets/inboundemail/{email.pk}/change/").content.decode()
    assert "Sender could not be verified." in page
    assert "as a reply" not in page
    for sentence in sentences:
        assert sentence.format(ticket.pk) in page


@pytest.mark.parametrize(
    ("sender", "to", "proof", "sentence"),
    [
        ("alice", "signed", FAILED, "Will be added to #{} as a reply by Alice Moreau."),
        ("alice", "new", FAILED, "Creates a ticket for Alice Moreau."),
        ("bob", "unsigned", PASSED, "Creates a ticket for Bob"),
        ("ann", "unsigned", PASSED, "Will be added to #{} as a reply by Ann Weber."),
        ("ann", "unsigned", FAILED, "Will be added to #{} as an internal note by you."),
    ],
)
def test_page_foretells_what_is_done(
    request, client_of, max_the_agent, alice, bob, ann, ticket, sender, to, proof, sentence
):
    person = request.getfixturevalue(sender)
    email, client = came_in(person.email, to=TO[to](ticket, person), proof=proof), client_of(max_the_agent)
    page = client.get(f"/admin/tickets/inboundemail/{email.pk}/change/").content.decode()
    assert sentence.format(ticket.pk) in page
    client.post(f"/admin/tickets/inboundemail/{email.pk}/decide/", {"act": "release"})
    if "Creates" in sentence:
        assert Ticket.objects.exclude(pk=ticket.pk).get().requester == person
    else:
        author = max_the_agent if "by you" in sentence else person
        assert Comment.objects.get().author == author
        assert Comment.objects.get().is_public is ("reply" in sentence)
