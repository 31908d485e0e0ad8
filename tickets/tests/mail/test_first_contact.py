"""The first email of somebody without an account, and the ends of loops: cases 85 to 96 of the mail table."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tickets.actions import conversation
from tickets.mail import alarms, known_domains
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.writing import messages, tokens
from tickets.models import Comment, InboundEmail, KnownDomain, Mailbox, Notification, Ticket
from tickets.models.notification import HELD, IS_THIS_YOU, RECEIVED_WAITS
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason
NINA = "Nina New <nina@company.com>"
STRANGER = "Vera <vera@vendor.example>"


@pytest.fixture(autouse=True)
def inbound(settings, roles):
    settings.INBOUND_DOMAIN = ""
    settings.MESSAGE_ID_DOMAIN = "company.com"
    settings.SIGNUP_EMAIL_DOMAINS = []


@pytest.fixture
def mailbox():
    return Mailbox.objects.create(
        name="IT", address="it@company.com", is_default=True, proof="results", authserv_id="mx.company.com"
    )


@pytest.fixture
def domain(mailbox):
    return KnownDomain.objects.create(domain="company.com", first_contact="on", department="Sales")


def came_in(mailbox, sender=NINA, *, to="", proof="pass", **headers) -> InboundEmail:
    number = InboundEmail.objects.count()
    lines = [f"Authentication-Results: mx.company.com; dmarc={proof}"] if proof else []
    lines += [f"From: {sender}", f"To: {to or mailbox.address}", f"Message-ID: <{number}@laptop.example>"]
    head = {"Subject": "No print"} | headers
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in head.items()]
    raw = "\r\n".join([*lines, "", "It jams."]).encode()
    return handler.receive(raw, route="imap", provider_id=f"{number}", mailbox=mailbox)


def outcome(email: InboundEmail) -> tuple:
    return email.state, email.reason


HELD_AS_UNKNOWN = (State.QUARANTINED, Reason.UNKNOWN_SENDER)


# A colleague
def test_85_first_email_of_a_colleague_makes_an_account_a_ticket_and_one_invitation(mailbox, domain, mailgun):
    email = came_in(mailbox)
    person = User.objects.get()
    assert outcome(email) == (State.FILED, Reason.FIRST_CONTACT)
    assert (person.email, person.full_name, person.role) == ("nina@company.com", "Nina New", "requester")
    assert (person.department, person.has_usable_password(), person.may_be_mailed) == ("Sales", False, True)
    ticket = Ticket.objects.get()
    assert (email.ticket, ticket.requester, ticket.mailbox) == (ticket, person, mailbox)
    receipt = Notification.objects.get(person=person)
    receipt.message_id = "<x@company.com>"
    text = messages.build([receipt]).body
    assert f"#{ticket.pk}" in text
    assert "Choose a password" in text


def test_85_second_email_is_that_of_a_known_person(mailbox, domain):
    came_in(mailbox)
    assert outcome(came_in(mailbox)) == (State.FILED, "")
    assert (User.objects.count(), Ticket.objects.count()) == (1, 2)


def test_85_nobody_gets_an_account_by_an_email_of_another_helpdesk_without_mailboxes(settings):
    settings.INBOUND_AUTHSERV_ID, settings.SIGNUP_EMAIL_DOMAINS = "mx.company.com", ["company.com"]
    raw = b"Authentication-Results: mx.company.com; dmarc=pass\nFrom: nina@company.com\n\nx"
    assert outcome(handler.receive(raw, route="command")) == HELD_AS_UNKNOWN
    assert not Notification.objects.exists()


@pytest.mark.parametrize(("name", "expected"), [("", "nina"), ('"\u200b"', "nina"), ("N\u202eina", "Nina")])
def test_85_name_is_one_visible_line(mailbox, domain, name, expected):
    came_in(mailbox, f"{name} <nina@company.com>")
    assert User.objects.get().full_name == expected


def test_85_domains_of_the_sign_up_are_known_too(mailbox, settings):
    settings.SIGNUP_EMAIL_DOMAINS, settings.FIRST_CONTACT = ["company.com", "gmail.com"], "on"
    assert came_in(mailbox).state == State.FILED
    assert outcome(came_in(mailbox, "x@gmail.com")) == HELD_AS_UNKNOWN
    KnownDomain.objects.create(domain="company.com", first_contact="off")
    assert outcome(came_in(mailbox, "otto@company.com")) == HELD_AS_UNKNOWN
    assert set(known_domains.of_settings()) == {"company.com"}


def test_85_mailbox_may_let_nobody_in(mailbox, domain):
    mailbox.first_contact = "off"
    mailbox.save()
    assert outcome(came_in(mailbox)) == HELD_AS_UNKNOWN


def test_85_ask_waits_for_one_click(mailbox, domain, ann, client_of):
    domain.first_contact = "ask"
    domain.save()
    email = came_in(mailbox)
    assert outcome(email) == (State.QUARANTINED, Reason.ASKED)
    assert User.objects.get() == ann
    client = client_of(ann)
    page = client.get(reverse("admin:tickets_inboundemail_change", args=[email.pk])).content.decode()
    assert "Let in and file" in page
    data = {"act": "ticket", "invites": "nina@company.com"}
    client.post(reverse("admin:tickets_inboundemail_decide", args=[email.pk]), data)
    person = User.objects.get(email="nina@company.com")
    assert (Ticket.objects.get().requester, person.department) == (person, "Sales")


@pytest.mark.parametrize("sender", ["info@company.com", "Root <root@company.com>", "nina+2@company.com"])
def test_85_addresses_of_no_single_person_wait_for_one_click(mailbox, domain, sender):
    assert outcome(came_in(mailbox, sender)) == (State.QUARANTINED, Reason.ASKED)


def test_85_address_that_no_email_reaches_makes_nobody(mailbox, domain):
    assert outcome(came_in(mailbox, '"nina new"@company.com')) == HELD_AS_UNKNOWN
    assert not Notification.objects.exists()


def test_85_account_that_nobody_confirmed_is_taken_over_from_who_signed_up(mailbox, domain, mailgun):
    eve = User.objects.create_user("nina@company.com", "eve's password", full_name="Eve")
    eve.emailaddress_set.create(email=eve.email, verified=False, primary=True)
    assert came_in(mailbox).ticket.requester == eve
    eve.refresh_from_db()
    assert not eve.has_usable_password()


def test_85_email_with_a_known_message_id_makes_no_account(mailbox, domain, alice):
    domain.first_contact = "off"
    domain.save()
    first = came_in(mailbox, STRANGER)
    domain.first_contact = "on"
    domain.save()
    raw = bytes(first.raw).replace(b"vera@vendor.example", b"nina@company.com").replace(b"jams", b"burns")
    again = handler.receive(raw, route="imap", provider_id="again", mailbox=mailbox)
    assert outcome(again) == (State.QUARANTINED, Reason.REPEATED)
    assert not User.objects.filter(email="nina@company.com").exists()


def test_87_first_email_from_above_or_below_a_known_domain_is_held(mailbox, domain):
    for sender in (
        "nina@sub.company.com",
        "nina@notcompany.com",
        "nina@company.com.evil.example",
    ):
        assert outcome(came_in(mailbox, sender)) == HELD_AS_UNKNOWN
    assert not User.objects.exists()


def test_88_leaver_is_held(mailbox, domain, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False, email="nina@company.com")
    for proof in ("pass", ""):
        assert outcome(came_in(mailbox, proof=proof)) == (State.QUARANTINED, Reason.SENDER_LEFT)
    alice.refresh_from_db()
    assert not alice.is_active
    assert not Notification.objects.exists()


def test_89_twenty_new_people_get_in_within_an_hour(mailbox, domain):
    start = timezone.now()
    emails = []
    for number in range(25):
        with time_machine.travel(start + timedelta(minutes=2 * number), tick=False):
            emails.append(came_in(mailbox, f"p{number}@company.com"))
    assert [email.state for email in emails] == [State.FILED] * 20 + [State.QUARANTINED] * 5
    assert {email.reason for email in emails[20:]} == {Reason.TOO_MANY}
    assert User.objects.count() == 20
    with time_machine.travel(start + timedelta(minutes=50), tick=False):
        assert any("5 emails of them" in alarm for alarm in alarms.alarms())
    with time_machine.travel(start + timedelta(minutes=61), tick=False):
        assert came_in(mailbox, "later@company.com").state == State.FILED


def test_89_three_new_people_get_in_within_a_minute(mailbox, domain):
    with time_machine.travel(timezone.now(), tick=False):
        states = [came_in(mailbox, f"p{number}@company.com").state for number in range(4)]
    assert states == [State.FILED] * 3 + [State.QUARANTINED]


def test_89_known_people_are_not_counted(mailbox, domain, alice):
    with time_machine.travel(timezone.now(), tick=False):
        for _number in range(5):
            came_in(mailbox, alice.email)
        assert came_in(mailbox).state == State.FILED


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, Reason.AUTOMATIC),
        ({"Subject": "Automatic reply: No print", "In_Reply_To": "<x@y.example>"}, Reason.AUTOMATIC),
        ({"List_Id": "<all.company.com>"}, Reason.LIST),
        ({"sender": "no-reply@company.com"}, Reason.AUTOMATIC),
        ({"sender": "MAILER-DAEMON@company.com"}, Reason.BOUNCE),
    ],
)
def test_90_machines_make_nobody_and_get_nothing(mailbox, domain, headers, reason):
    assert outcome(came_in(mailbox, headers.pop("sender", NINA), **headers)) == (State.IGNORED, reason)
    assert not User.objects.exists()
    assert not Notification.objects.exists()


# A stranger
def test_91_proven_stranger_learns_once_a_day_that_a_person_looks_at_it(mailbox, domain):
    with time_machine.travel(timezone.now(), tick=False) as now:
        for _number in range(3):
            assert outcome(came_in(mailbox, STRANGER)) == HELD_AS_UNKNOWN
        waits = Notification.objects.get()
        assert (waits.kind, waits.person, waits.address) == (RECEIVED_WAITS, None, "vera@vendor.example")
        assert waits.mailbox == mailbox
        now.shift(timedelta(days=1, seconds=1))
        came_in(mailbox, STRANGER)
    assert Notification.objects.count() == 2


def test_91_answer_says_nothing_about_anybody_and_continues_their_thread(mailbox):
    email = came_in(mailbox, STRANGER)
    waits = Notification.objects.get()
    waits.message_id = "<helpdesk-1@company.com>"
    mail = messages.build([waits])
    assert mail.to == ["vera@vendor.example"]
    assert "account" not in mail.body.lower()
    assert "No print" not in mail.body
    assert mail.extra_headers["In-Reply-To"] == email.identity
    assert mail.extra_headers["Auto-Submitted"] == "auto-replied"
    assert mail.reply_to == []


def test_91_at_most_fifty_a_day(mailbox):
    for number in range(52):
        came_in(mailbox, f"p{number}@vendor.example")
    assert Notification.objects.filter(kind=RECEIVED_WAITS).count() == 50


def test_91_answer_leaves_although_it_is_for_nobody(mailbox, mailgun):
    came_in(mailbox, STRANGER)
    Mailbox.objects.update(sends_by="no")
    assert deliver_due() == 1
    assert mailgun.mails[0]["to"] == "vera@vendor.example"


def test_91_installation_without_mailboxes_answers_no_stranger(settings):
    settings.INBOUND_AUTHSERV_ID = "mx.company.com"
    raw = b"Authentication-Results: mx.company.com; dmarc=pass\nFrom: vera@vendor.example\n\nx"
    assert outcome(handler.receive(raw, route="command")) == HELD_AS_UNKNOWN
    assert not Notification.objects.exists()


@pytest.mark.parametrize("proof", ["", "fail", "none"])
def test_92_unproven_stranger_gets_no_answer_and_no_account(mailbox, domain, proof):
    for sender in (STRANGER, NINA):
        assert came_in(mailbox, sender, proof=proof).state == State.QUARANTINED
    assert not Notification.objects.exists()
    assert not User.objects.exists()


# Loops
def test_93_our_own_email_comes_back(mailbox, domain):
    Mailbox.objects.create(name="Desk", address="desk@company.com", is_active=False)
    for sender in ("it@company.com", "IT <IT@company.com>", "desk@company.com", "it+42.abc@company.com"):
        assert outcome(came_in(mailbox, sender)) == (State.IGNORED, Reason.OWN_ADDRESS)
    assert not User.objects.exists()


def test_94_two_helpdesks_answer_each_other_until_the_tenth(mailbox, domain):
    with time_machine.travel(timezone.now(), tick=False):
        states = [came_in(mailbox, "desk@other.example").state for _number in range(20)]
        assert set(states) == {State.QUARANTINED}
        assert Notification.objects.count() == 1
        emails = [came_in(mailbox, NINA) for _number in range(12)]
    assert [email.state for email in emails] == [State.FILED] * 10 + [State.QUARANTINED] * 2
    assert {email.reason for email in emails[10:]} == {Reason.TOO_MANY}
    assert Notification.objects.filter(person__email="nina@company.com").count() == 10


# To and Cc
@pytest.fixture
def second():
    return Mailbox.objects.create(name="HR", address="hr@company.com", category=category("Staff matters"))


def test_95_only_in_copy_makes_no_ticket_where_the_mailbox_takes_what_is_to_it(mailbox, alice):
    Mailbox.objects.update(new_tickets_when="to")
    email = came_in(mailbox, alice.email, to="bob@company.com", Cc="IT <it@company.com>")
    assert outcome(email) == (State.IGNORED, Reason.ONLY_COPY)
    assert not Ticket.objects.exists()
    assert came_in(mailbox, alice.email, to="it@company.com, bob@company.com").state == State.FILED


def test_95_blind_copy_and_alias_make_a_ticket(mailbox, alice):
    Mailbox.objects.update(new_tickets_when="to")
    assert came_in(mailbox, alice.email, to="helpdesk-alias@company.com").state == State.FILED


def test_95_answer_in_copy_is_a_reply(mailbox, alice):
    Mailbox.objects.update(new_tickets_when="to")
    ticket = make_ticket(alice)
    to = reply_address(ticket.pk, alice.pk, at=mailbox.address)
    assert came_in(mailbox, alice.email, to="bob@company.com", Cc=to).comment.ticket == ticket


@pytest.mark.parametrize(
    ("to", "copied", "expected"),
    [
        ("it@company.com, hr@company.com", "", "it"),
        ("hr@company.com, it@company.com", "", "hr"),
        ("hr@company.com", "it@company.com", "hr"),
        ("bob@company.com", "hr+x@company.com, it@company.com", "hr"),
        ("alias@company.com", "", "it"),
    ],
)
def test_95_category_is_that_of_the_first_mailbox_named(mailbox, second, alice, to, copied, expected):
    """It arrives at it@ in each case."""
    ticket = came_in(mailbox, alice.email, to=to, Cc=copied).ticket
    assert ticket.mailbox == (second if expected == "hr" else mailbox)
    assert (ticket.category == second.category) is (expected == "hr")


def test_95_copy_to_a_mailbox_that_takes_none_goes_to_the_other(mailbox, second, alice):
    Mailbox.objects.filter(pk=mailbox.pk).update(new_tickets_when="to")
    copied = "it@company.com, hr@company.com"
    assert came_in(mailbox, alice.email, to="bob@company.com", Cc=copied).ticket.mailbox == second


def test_95_inactive_category_leaves_it_to_the_one_for_email(mailbox, second, alice):
    second.category.is_active = False
    second.category.save()
    ticket = came_in(mailbox, alice.email, to="hr@company.com").ticket
    assert (ticket.mailbox, ticket.category == second.category) == (second, False)


# A second address
@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No print")


def from_home(mailbox, ticket, person, sender="alice.home@private.example", **more) -> InboundEmail:
    to = reply_address(ticket.pk, person.pk, at=mailbox.address, internal=more.pop("internal", False))
    return came_in(mailbox, sender, to=to, **more)


def questions() -> list[Notification]:
    return list(Notification.objects.filter(kind=IS_THIS_YOU).order_by("pk"))


def test_96_second_address_asks_the_known_one_and_its_link_files_the_reply(mailbox, client, alice, ticket):
    email = from_home(mailbox, ticket, alice)
    assert outcome(email) == (State.QUARANTINED, Reason.WRONG_SENDER)
    (question,) = questions()
    assert (question.person, question.address, question.mailbox) == (alice, alice.email, mailbox)
    question.message_id = "<helpdesk-1@company.com>"
    text = messages.build([question]).body
    assert "alice.home@private.example" in text
    link = tokens.confirm_link(email.pk, alice.pk)
    path = reverse("tickets:confirm_sender", args=["x"])[:-2]
    assert path in text
    assert "Did you send this reply?" in client.get(link).content.decode()
    assert not Comment.objects.exists()
    client.post(link)
    comment = Comment.objects.get()
    assert (comment.ticket, comment.author, comment.is_public) == (ticket, alice, True)
    assert comment.body == "It jams."
    email.refresh_from_db()
    assert (email.state, email.handled_by, email.comment) == (State.FILED, alice, comment)
    assert client.post(link).status_code == 404
    assert Comment.objects.count() == 1


def test_96_staff_confirm_only_while_logged_in_as_themselves(mailbox, client, client_of, ann, sam, ticket):
    conversation.watch(ticket, ann)
    Notification.objects.create(kind="noted", ticket=ticket, person=ann, address=ann.email)
    email = from_home(mailbox, ticket, ann, "ann.home@private.example", internal=True)
    link = tokens.confirm_link(email.pk, ann.pk)
    assert client.post(link).url.startswith("/accounts/login/")
    assert client_of(sam).post(link).status_code == 404
    assert not Comment.objects.exists()
    client_of(ann).post(link)
    comment = Comment.objects.get()
    assert (comment.author, comment.is_public) == (ann, False)


def test_96_link_is_for_one_email_and_one_person(mailbox, client, alice, bob, ticket):
    email = from_home(mailbox, ticket, alice)
    link = tokens.confirm_link(email.pk, alice.pk)
    assert client.post(link.replace(f"/{email.pk}.", f"/{email.pk + 1}.")).status_code == 404
    assert client.post(tokens.confirm_link(email.pk, bob.pk)).status_code == 404
    other = came_in(mailbox, STRANGER)
    assert client.post(tokens.confirm_link(other.pk, alice.pk)).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        assert client.get(link).status_code == 404
    assert not Comment.objects.exists()


def test_96_staff_who_read_the_outbox_get_no_working_link(mailbox, client_of, alice, sam, ticket):
    email = from_home(mailbox, ticket, alice)
    (question,) = questions()
    page = reverse("admin:tickets_notification_raw", args=[question.pk])
    shown = client_of(sam).get(page).content.decode()
    signature = tokens.confirm_link(email.pk, alice.pk).rpartition(":")[2]
    assert "alice.home@private.example" in shown
    assert "/confirm-sender/" in shown
    assert signature.strip("/") not in shown


def test_91_staff_read_the_answer_to_a_stranger_in_the_outbox(mailbox, client_of, sam):
    came_in(mailbox, STRANGER)
    page = reverse("admin:tickets_notification_raw", args=[Notification.objects.get().pk])
    assert "We received your email" in client_of(sam).get(page).content.decode()


@pytest.mark.parametrize("act", ["discard", "left", "unwatched"])
def test_96_link_ends_with_what_it_was_for(mailbox, client, alice, bob, ann, ticket, act):
    conversation.watch(ticket, bob)
    Notification.objects.create(kind="replied", ticket=ticket, person=bob, address=bob.email)
    email = from_home(mailbox, ticket, bob)
    if act == "discard":
        handler.discard(email, by=ann)
    elif act == "left":
        User.objects.filter(pk=bob.pk).update(is_active=False)
    else:
        conversation.unwatch(ticket, bob)
    assert client.post(tokens.confirm_link(email.pk, bob.pk)).status_code == 404
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"proof": ""},
        {"proof": "fail"},
        {"Auto_Submitted": "auto-replied"},
        {"sender": "bob@example.com"},
    ],
)
def test_96_nobody_is_asked_about_a_forgery_a_machine_or_a_colleague(mailbox, alice, bob, ticket, changes):
    from_home(mailbox, ticket, alice, **changes)
    assert questions() == []


def test_96_questions_are_few(mailbox, alice, ticket):
    for _number in range(3):
        from_home(mailbox, ticket, alice)
    assert len(questions()) == 1
    for number in range(10):
        from_home(mailbox, ticket, alice, f"a{number}@private.example")
    assert len(questions()) == 5


def test_96_invented_signature_asks_nobody(mailbox, alice, ticket):
    came_in(mailbox, STRANGER, to=f"it+{ticket.pk}.{'0' * 20}@company.com")
    assert not Notification.objects.filter(kind__in=(IS_THIS_YOU, RECEIVED_WAITS, HELD)).exists()


def test_96_installation_without_mailboxes_asks_nobody(alice, ticket, settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.company.com"
    to = reply_address(ticket.pk, alice.pk)
    raw = f"Authentication-Results: mx.company.com; dmarc=pass\nFrom: vera@vendor.example\nTo: {to}\n\nx"
    assert handler.receive(raw.encode(), route="command").reason == Reason.WRONG_SENDER
    assert questions() == []
