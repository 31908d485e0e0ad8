"""Answers find their ticket at every mailbox, and prove their sender: cases 75 to 84 of the mail table."""

import pytest

from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail import addresses
from tickets.mail.addresses import reply_address, reply_to
from tickets.mail.receiving import handler
from tickets.mail.roots import root
from tickets.models import Comment, InboundEmail, KnownDomain, Mailbox, Notification
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason
PASS, FAIL, NO_RESULT = "dmarc=pass", "dmarc=fail", ""
EDGE = "Received: from mx.example.com (1.2.3.4) by DB5EUR03FT025.mail.protection.outlook.com (10.152.20.1) with x"
INNER = (
    "Received: from DB5EUR03FT025.eop.protection.outlook.com by AM0PR04.eurprd04.prod.outlook.com with HTTPS"
)
OF_EXCHANGE = (
    "Authentication-Results: spf=pass (sender IP is 1.2.3.4) smtp.mailfrom={domain};"
    " dkim=pass (signature was verified) header.d={domain};dmarc={dmarc} action=none"
    " header.from={domain};compauth={compauth} reason=100"
)
REPLY = "Yes.\n\nOn Tue, 24 Nov 2026 at 10:00, Company IT wrote:\n> Is it on?\n"
INTERNAL = "X-MS-Exchange-Organization-AuthAs: Internal"


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = ""
    settings.MESSAGE_ID_DOMAIN = "company.com"
    settings.SIGNUP_EMAIL_DOMAINS = []


@pytest.fixture
def mailbox():
    return Mailbox.objects.create(
        name="IT", address="it@company.com", is_default=True, proof="results", authserv_id="mx.company.com"
    )


@pytest.fixture
def exchange():
    return Mailbox.objects.create(
        name="IT", address="it@example.com", proof="exchange", fetches_by="graph", is_default=True
    )


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No print")


def came_in(
    mailbox, sender, *, to="", subject="Re: No print", proof=PASS, headers=(), **kept
) -> InboundEmail:
    """Fetches an email. `headers` are its topmost lines."""
    number = InboundEmail.objects.count()
    lines = [*headers]
    lines += [f"Authentication-Results: {mailbox.authserv_id}; {proof}"] if proof else []
    lines += [f"From: {sender}", f"To: {to or mailbox.address}", f"Subject: {subject}"]
    lines += [f"Message-ID: <{number}@laptop.example>"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in kept.items()]
    raw = "\r\n".join([*lines, "", "It still jams."]).encode()
    return handler.receive(raw, route=mailbox.fetches_by, provider_id=f"{number}", mailbox=mailbox)


def outcome(email: InboundEmail) -> tuple:
    return email.state, email.reason


def is_reply(email: InboundEmail, ticket, author) -> bool:
    comment = email.comment
    return comment is not None and (comment.ticket, comment.author, comment.is_public) == (
        ticket,
        author,
        True,
    )


def sent_to(person, ticket, **values) -> Notification:
    """The email to `person` about the ticket, as it left."""
    Notification.objects.filter(ticket=ticket.pk, person=person).update(**values)
    return Notification.objects.filter(ticket=ticket.pk, person=person).first()


# Anchor 1: the signed address
def test_75_answer_to_a_plus_address_is_a_reply(mailbox, alice, ticket):
    to = reply_address(ticket.pk, alice.pk, at=mailbox.address)
    assert to.startswith(f"it+{ticket.pk}.")
    assert is_reply(came_in(mailbox, alice.email, to=to, subject="Hm", proof=NO_RESULT), ticket, alice)


def test_75_signature_holds_at_every_mailbox_and_nowhere_else(mailbox, alice, ticket):
    Mailbox.objects.create(name="Desk", address="desk@company.com", is_active=False)
    to = reply_address(ticket.pk, alice.pk, at=mailbox.address)
    for place, is_ours in (("desk@company.com", True), ("other@company.com", False), ("it@other.com", False)):
        name, domain = place.split("@")
        moved = to.replace("it+", f"{name}+").replace("company.com", domain)
        assert (addresses.parse(moved) is not None) is is_ours
        assert addresses.is_ours(moved) is is_ours
    assert not addresses.is_ours("itx@company.com")


def test_75_foreign_and_invented_signatures_are_held_at_a_mailbox_too(mailbox, alice, bob, ticket):
    to = reply_address(ticket.pk, alice.pk, at=mailbox.address)
    assert outcome(came_in(mailbox, bob.email, to=to)) == (State.QUARANTINED, Reason.WRONG_SENDER)
    invented = f"it+{ticket.pk}.{'0' * 20}@company.com"
    assert outcome(came_in(mailbox, alice.email, to=invented)) == (State.QUARANTINED, Reason.BAD_SIGNATURE)


def test_reply_to_is_plain_where_the_server_has_no_plus_addresses(mailbox, alice, ticket):
    assert reply_to(mailbox, ticket.pk, alice.pk, internal=False) == reply_address(
        ticket.pk, alice.pk, at=mailbox.address
    )
    mailbox.plus = False
    assert reply_to(mailbox, ticket.pk, alice.pk, internal=False) == "it@company.com"
    assert reply_to(None, ticket.pk, alice.pk, internal=False) == ""


def test_reply_to_with_a_long_local_part_is_plain(mailbox, alice, ticket):
    mailbox.address = f"{'x' * 50}@company.com"
    assert reply_to(mailbox, ticket.pk, alice.pk, internal=False) == mailbox.address


def test_mailbox_that_only_sends_leaves_replies_to_the_settings(mailbox, alice, ticket, settings):
    mailbox.fetches_by = "no"
    assert reply_to(mailbox, ticket.pk, alice.pk, internal=False) == ""
    settings.INBOUND_DOMAIN = "in.example.com"
    assert reply_to(mailbox, ticket.pk, alice.pk, internal=False).endswith("@in.example.com")


def test_no_signature_of_any_mailbox_is_shown(mailbox, alice, ticket):
    address = reply_address(ticket.pk, alice.pk, at=mailbox.address)
    assert addresses.masked(f"See {address}.") == "See it@company.com."


# Anchor 2: References and In-Reply-To
def test_76_answer_without_its_tag_is_a_reply_by_our_message_id(mailbox, alice, ticket):
    sent_to(alice, ticket, message_id="<helpdesk-1-abc@company.com>")
    answer = came_in(mailbox, alice.email, proof=NO_RESULT, References="<helpdesk-1-abc@company.com>")
    assert is_reply(answer, ticket, alice)


def test_76_answer_is_a_reply_by_the_signed_root(mailbox, alice, ticket):
    signed = root(ticket.pk, alice.pk)
    answer = came_in(mailbox, alice.email, proof=NO_RESULT, References=f"{signed} <new-id@provider.example>")
    assert is_reply(answer, ticket, alice)


def test_76_root_of_another_person_finds_nothing(mailbox, alice, bob, ticket):
    conversation.watch(ticket, bob)
    answer = came_in(mailbox, bob.email, References=root(ticket.pk, alice.pk))
    assert (answer.state, answer.comment) == (State.FILED, None)
    assert answer.ticket != ticket


def test_76_root_of_who_sees_the_ticket_no_more_finds_nothing(mailbox, alice, bob, ticket):
    conversation.watch(ticket, bob)
    conversation.unwatch(ticket, bob)
    assert came_in(mailbox, bob.email, References=root(ticket.pk, bob.pk)).ticket != ticket


def test_76_root_of_a_note_makes_a_note_also_where_staff_release_it(mailbox, alice, ann, ticket):
    noted = root(ticket.pk, ann.pk, internal=True)
    answer = came_in(mailbox, ann.email, References=noted)
    assert (answer.comment.ticket, answer.comment.is_public) == (ticket, False)
    Notification.objects.create(kind="noted", ticket=ticket, person=ann, address=ann.email)
    held = came_in(mailbox, alice.email, proof=FAIL, References=noted)
    released = handler.release(held, by=ann)
    assert (released.comment, released.ticket == ticket) == (None, False)


def test_76_roots_of_two_tickets_find_neither(mailbox, alice, ticket):
    other = make_ticket(alice)
    both = f"{root(ticket.pk, alice.pk)} {root(other.pk, alice.pk)}"
    assert came_in(mailbox, alice.email, References=both).ticket not in (ticket, other)


def test_77_answer_to_the_providers_id_is_a_reply(mailbox, alice, ticket):
    """As the Mail of iOS answers what left by Amazon SES: only our last email is named, by the new ID."""
    for number, kept in enumerate(("0100-abc", "<0100-abc@email.amazonses.com>", "0100-abc@x.example")):
        sent_to(alice, ticket, provider_id=kept)
        domain = "x.example" if kept.endswith("x.example") else "email.amazonses.com"
        answer = came_in(mailbox, alice.email, In_Reply_To=f"<0100-abc@{domain}>")
        assert is_reply(answer, ticket, alice), number


def test_77_providers_id_takes_proof_and_the_person_who_was_emailed(mailbox, alice, bob, ticket):
    """A server's queue ID can be guessed."""
    sent_to(alice, ticket, provider_id="4XyZ1a")
    unproven = came_in(mailbox, alice.email, proof=NO_RESULT, In_Reply_To="<4XyZ1a@company.com>")
    assert outcome(unproven) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    conversation.watch(ticket, bob)
    assert came_in(mailbox, bob.email, In_Reply_To="<4XyZ1a@company.com>").ticket != ticket


# Anchor 3: the number in the subject
def test_78_number_in_the_subject_of_the_proven_requester_is_a_reply(mailbox, alice, bob, ticket):
    assert is_reply(came_in(mailbox, alice.email, subject=f"AW: [#{ticket.pk}] No print"), ticket, alice)
    conversation.watch(ticket, bob)
    assert is_reply(came_in(mailbox, bob.email, subject=f"Mine too [#{ticket.pk}]"), ticket, bob)


def test_78_who_may_not_speak_on_the_ticket_makes_a_new_one(mailbox, alice, charlie, ticket):
    made = came_in(mailbox, charlie.email, subject=f"Re: [#{ticket.pk}] No print")
    assert (made.state, made.comment, made.ticket.requester) == (State.FILED, None, charlie)
    assert not Comment.objects.exists()


def test_78_setting_switches_it_off(mailbox, alice, ticket, settings):
    settings.SUBJECT_ANSWERS = False
    assert came_in(mailbox, alice.email, subject=f"Re: [#{ticket.pk}] No print").ticket != ticket


def test_78_provider_of_the_settings_goes_on_as_before(mailbox, alice, ticket, settings):
    settings.INBOUND_AUTHSERV_ID = "mx.company.com"
    raw = f"Authentication-Results: mx.company.com; dmarc=pass\nFrom: {alice.email}\nSubject: [#{ticket.pk}]\n\nx"
    assert handler.receive(raw.encode(), route="command").ticket != ticket


def test_78_two_numbers_are_ambiguous_unless_the_subject_starts_with_one(mailbox, alice, ticket):
    other = make_ticket(alice)
    held = came_in(mailbox, alice.email, subject=f"About [#{ticket.pk}] and [#{other.pk}]")
    assert outcome(held) == (State.QUARANTINED, Reason.AMBIGUOUS)
    answer = came_in(mailbox, alice.email, subject=f"Re: [#{other.pk}] As [#{ticket.pk}]")
    assert is_reply(answer, other, alice)


def test_79_number_in_the_subject_of_staff_makes_a_note(mailbox, alice, ann, ticket):
    Notification.objects.all().delete()
    answer = came_in(mailbox, ann.email, subject=f"Re: [#{ticket.pk}] No print")
    assert (answer.comment.ticket, answer.comment.author, answer.comment.is_public) == (ticket, ann, False)
    assert not Notification.objects.filter(person=alice).exists()


def test_79_own_ticket_of_staff_too(mailbox, ann):
    own = make_ticket(ann)
    assert came_in(mailbox, ann.email, subject=f"Re: [#{own.pk}] x").comment.is_public is False


def test_80_number_in_an_unproven_subject_is_held(mailbox, alice, ann, ticket):
    for sender in (alice, ann):
        held = came_in(mailbox, sender.email, subject=f"Re: [#{ticket.pk}] No print", proof=NO_RESULT)
        assert outcome(held) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    assert not Comment.objects.exists()


def test_80_held_email_lands_there_when_staff_accept_it(mailbox, alice, ann, ticket):
    held = came_in(mailbox, alice.email, subject=f"Re: [#{ticket.pk}] No print", proof=NO_RESULT)
    assert is_reply(handler.release(held, by=ann), ticket, alice)


def test_81_guessed_root_is_no_anchor(mailbox, alice, bob, ticket):
    guessed = f"<ticket-{ticket.pk}@company.com>"
    made = came_in(mailbox, alice.email, References=guessed, In_Reply_To=guessed)
    assert (made.state, made.comment, made.ticket == ticket) == (State.FILED, None, False)
    invented = f"<helpdesk-t{ticket.pk}-{'0' * 20}@company.com>"
    assert came_in(mailbox, alice.email, References=invented).ticket != ticket


# Proof
def of_exchange(domain="example.com", dmarc="pass", compauth="pass") -> str:
    return OF_EXCHANGE.format(domain=domain, dmarc=dmarc, compauth=compauth)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([INNER, of_exchange(), EDGE], (State.FILED, "")),
        ([INNER, of_exchange(dmarc="bestguesspass"), EDGE], (State.FILED, "")),  # DKIM and SPF are aligned
        ([INNER, of_exchange(domain="evil.example"), EDGE], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([INNER, of_exchange(dmarc="fail"), EDGE], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([INNER, of_exchange(compauth="fail"), EDGE], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([INNER, EDGE, of_exchange()], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([of_exchange()], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        (["Received: by mx.evil.example", of_exchange(), EDGE], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
        ([INNER, EDGE], (State.QUARANTINED, Reason.NOT_AUTHENTIC)),
    ],
)
def test_82_results_of_exchange_count_without_an_authserv_id(exchange, alice, headers, expected):
    assert outcome(came_in(exchange, alice.email, proof=NO_RESULT, headers=headers)) == expected


@pytest.mark.parametrize(
    "greeting", ["x;dmarc=pass", "x;dmarc=pass;compauth=pass", "x;dkim=pass", 'x"', "x(", "x;spf=pass"]
)
def test_82_name_that_the_sender_chose_adds_no_result(exchange, alice, greeting):
    results = (
        f"Authentication-Results: spf=none (sender IP is 1.2.3.4) smtp.helo={greeting};"
        " dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=example.com;"
        "compauth=none reason=405"
    )
    email = came_in(exchange, alice.email, proof=NO_RESULT, headers=[INNER, results, EDGE])
    assert outcome(email) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


def test_83_colleague_within_the_tenant_is_proven(exchange, alice):
    assert outcome(came_in(exchange, alice.email, proof=NO_RESULT, headers=[INNER, INTERNAL])) == (
        State.FILED,
        "",
    )


def test_83_foreign_domain_within_the_tenant_is_not_unless_it_is_known(exchange, alice):
    exchange.address = "it@other.example"
    exchange.save()
    headers = [INNER, INTERNAL]
    held = came_in(exchange, alice.email, proof=NO_RESULT, headers=headers)
    assert outcome(held) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    KnownDomain.objects.create(domain="example.com")
    assert outcome(came_in(exchange, alice.email, proof=NO_RESULT, headers=headers)) == (State.FILED, "")


def test_83_two_marks_are_none(exchange, alice):
    headers = [INNER, "X-MS-Exchange-Organization-AuthAs: Anonymous", EDGE, INTERNAL]
    email = came_in(exchange, alice.email, proof=NO_RESULT, headers=headers)
    assert outcome(email) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


@pytest.mark.parametrize("proof", ["none", "results", "exchange", "mailgun"])
def test_84_mark_of_exchange_proves_nothing_at_another_server(mailbox, alice, proof):
    mailbox.proof, mailbox.imap_host = proof, "imap.company.com"
    mailbox.save()
    headers = [INTERNAL, INNER, of_exchange(), EDGE, "X-Mailgun-Spf: Pass"]
    email = came_in(mailbox, alice.email, proof=NO_RESULT, headers=headers)
    assert outcome(email) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


def test_84_imap_at_microsoft_counts(mailbox, alice):
    mailbox.proof, mailbox.imap_host, mailbox.address = "exchange", "outlook.office365.com", "it@example.com"
    mailbox.save()
    email = came_in(mailbox, alice.email, proof=NO_RESULT, headers=[INNER, INTERNAL])
    assert outcome(email) == (State.FILED, "")


def test_84_only_the_authserv_id_of_the_mailbox_counts(mailbox, alice, settings):
    settings.INBOUND_AUTHSERV_ID = "mx.example.net"
    foreign = ["Authentication-Results: mx.example.net; dmarc=pass"]
    held = came_in(mailbox, alice.email, proof=NO_RESULT, headers=foreign)
    assert outcome(held) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    Mailbox.objects.update(authserv_id="")
    mailbox.refresh_from_db()
    empty = came_in(mailbox, alice.email, proof=NO_RESULT, headers=["Authentication-Results: ; dmarc=pass"])
    assert outcome(empty) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


def test_84_email_of_a_deleted_mailbox_is_not_proven_by_the_settings(mailbox, alice, ann, settings):
    settings.INBOUND_AUTHSERV_ID = "mx.company.com"
    held = came_in(mailbox, alice.email, proof=FAIL)
    InboundEmail.objects.update(mailbox=None, raw=bytes(held.raw).replace(b"dmarc=fail", b"dmarc=pass"))
    assert outcome(handler.replay(held, by=ann)) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)


def test_replies_quote_the_mailbox_as_one_of_us(mailbox, alice, ann, ticket):
    Mailbox.objects.update(sender_name="Company IT")
    conversation.reply(ticket, Message(author=ann, body="Is it on?"))
    to = reply_address(ticket.pk, alice.pk, at=mailbox.address)
    raw = f"From: {alice.email}\nTo: {to}\nSubject: Re: No print\n\n{REPLY}"
    email = handler.receive(raw.encode(), route="imap", provider_id="q", mailbox=mailbox)
    assert email.comment.body == "Yes."
