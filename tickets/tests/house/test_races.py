"""Many at once, with connections of their own (THREATS 36, 37, 115, 116, 117, I7)."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.views.generic.detail import SingleObjectMixin

from accounts.actor import acting_as
from accounts.models import User
from accounts.sessions import SessionStore
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.admin.ticket.parts import Part
from tickets.history import verification
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.models import ActivityLog, Comment, Draft, InboundEmail, Macro, Notification, Ticket, Visit
from tickets.models.draft import Save
from tickets.tests.factories import category, make_ticket
from tickets.tests.mail.test_inbound import raw
from tickets.tests.views.test_ticket_new import form

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int, act) -> list:
    """Runs act(number) in `count` threads that start together; returns what they returned."""
    gate = threading.Barrier(count)

    def run(number: int):
        try:
            gate.wait()
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def client_with_session(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_form_sent_twenty_times_at_once_makes_one_ticket(alice):
    """THREATS 36."""
    client, data = client_with_session(alice), form()
    cookies = client.cookies

    def send(number):
        one = Client()
        one.cookies = cookies
        return one.post("/tickets/new/", data)

    answers = at_once(20, send)
    assert {answer.status_code for answer in answers} == {302}
    assert {answer.url for answer in answers} == {f"/tickets/{Ticket.objects.get().pk}/"}
    assert Notification.objects.count() == 1


def test_sixty_tickets_at_once_are_all_filed(roles):
    """THREATS 37, I7, scaled down from 200."""
    people = [make_person(f"P{number} Person") for number in range(60)]
    cookies = [client_with_session(person).cookies for person in people]

    def send(number):
        one = Client()
        one.cookies = cookies[number]
        return one.post("/tickets/new/", form(subject=f"Number {number}")).status_code

    assert at_once(60, send) == [302] * 60
    assert Ticket.objects.count() == Notification.objects.count() == 60


def test_many_at_once_file_no_more_than_the_limit(alice, bob):
    """Of 25 at once with three left. Who can't wait for the others is told to try again, not refused with 500."""
    for _number in range(17):
        make_ticket(alice)
    cookies = {person: client_with_session(person).cookies for person in (alice, bob)}

    def send(number):
        one = Client()
        one.cookies = cookies[bob if number == 0 else alice]
        return one.post("/tickets/new/", form(subject=f"Number {number}")).status_code

    first, *others = at_once(26, send)
    assert first == 302
    assert set(others) <= {302, 429}
    assert 1 <= others.count(302) == Ticket.objects.filter(requester=alice).count() - 17 <= 3
    while send(1) == 302:
        pass
    assert Ticket.objects.filter(requester=alice).count() == 20


def test_many_by_mail_and_by_form_at_once_file_no_more_than_the_limit(alice, settings):
    """Of ten at once with two left; what is too much waits in quarantine or with its form."""
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    category()
    for _number in range(18):
        make_ticket(alice)
    cookies = client_with_session(alice).cookies

    def send(number):
        if number % 2:
            mail = raw(subject=f"Number {number}", message_id=f"<{number}@example.com>")
            with suppress(OperationalError):  # others are filing for too long: the provider brings it again
                handler.receive(mail, route="command")
        else:
            one = Client()
            one.cookies = cookies
            assert one.post("/tickets/new/", form(subject=f"Number {number}")).status_code in (302, 429)

    at_once(10, send)
    assert 19 <= Ticket.objects.count() <= 20
    for left in InboundEmail.objects.filter(state=InboundEmail.State.RECEIVED):
        handler.handle(left)
    send(0)
    assert Ticket.objects.count() == 20
    assert set(InboundEmail.objects.values_list("state", flat=True)) <= {"filed", "quarantined"}


def test_log_stays_a_chain_under_racing_writers(alice, ann, sam):
    """THREATS 116: each old value is the one before; the version counts every save."""
    ticket = make_ticket(alice)

    def act(number):
        with acting_as(ann):
            mine = Ticket.objects.get(pk=ticket.pk)
            if number % 2:
                mine.assign(ann if number % 4 == 1 else sam)
            else:
                mine.set_priority(("low", "high", "urgent")[number % 3])

    at_once(40, act)
    assert list(verification.problems()) == []
    ticket.refresh_from_db()
    for verb, field in (("assigned", "assignee"), ("edited", "priority")):
        changes = [row.changes[field] for row in ActivityLog.objects.filter(verb=verb).order_by("pk")]
        assert all(before[1] == after[0] for before, after in pairwise(changes))
    batches = ActivityLog.objects.exclude(verb="created").count()
    assert ticket.version == 1 + batches


@pytest.mark.parametrize("door", ["site", "admin"])
def test_of_many_editors_one_wins_and_the_others_are_refused(alice, ann, door):
    """THREATS 115."""
    ticket = make_ticket(alice, subject="Before")
    cookies = client_with_session(ann).cookies
    url = f"/tickets/{ticket.pk}/edit/" if door == "site" else f"/admin/tickets/ticket/{ticket.pk}/change/"

    def save(number):
        one = Client()
        one.cookies = cookies
        data = {
            "subject": f"By editor {number}",
            "description": ticket.description,
            "category": category().pk,
            "priority": "normal",
            "status": ticket.status_id,
            "assignee": "",
            "version": 1,
        }
        return one.post(url, data).status_code

    answers = at_once(10, save)
    assert sorted(answers) == [302] + [409] * 9
    ticket.refresh_from_db()
    assert ticket.version == 2


def test_ticket_closed_by_many_is_closed_once(alice, ann):
    """THREATS 117."""
    ticket = make_ticket(alice)
    cookies = client_with_session(ann).cookies

    def close(number):
        one = Client()
        one.cookies = cookies
        return one.post(f"/tickets/{ticket.pk}/close/").status_code

    assert at_once(15, close) == [302] * 15
    assert ActivityLog.objects.filter(verb="status_changed").count() == 1


def test_of_two_tickets_merged_into_each_other_one_stays(alice, ann, sam):
    pair = [make_ticket(alice), make_ticket(alice)]
    cookies = [client_with_session(person).cookies for person in (ann, sam)]

    def merge(number):
        one = Client()
        one.cookies = cookies[number]
        address = f"/admin/tickets/ticket/{pair[number].pk}/merge/"
        return one.post(address, {"into": pair[1 - number].pk}).status_code

    assert set(at_once(2, merge)) <= {200, 302}
    assert Ticket.objects.filter(merged_into=None).count() == 1
    assert list(verification.problems()) == []


def test_replies_and_merges_at_once_lose_nothing_and_leave_no_signpost_to_a_signpost(alice, bob, ann, sam):
    tickets = [make_ticket(alice), make_ticket(bob), make_ticket(alice)]
    cookies = {person: client_with_session(person).cookies for person in (alice, ann, sam)}

    def act(number):
        one = Client()
        if number % 4 == 3:
            source, target = (tickets[0], tickets[1]) if number % 8 == 3 else (tickets[1], tickets[2])
            one.cookies = cookies[ann if number % 8 == 3 else sam]
            part = "merge" if number < 12 else "unmerge"
            address = f"/admin/tickets/ticket/{source.pk}/{part}/"
            return one.post(address, {"into": target.pk}).status_code
        one.cookies = cookies[alice]
        address = f"/tickets/{tickets[0].pk}/reply/"
        return one.post(address, {"body": f"Number {number}"}).status_code

    answers = at_once(16, act)
    assert set(answers) <= {200, 302}
    said = {comment.body for comment in Comment.objects.all()}
    assert said == {f"Number {number}" for number in range(16) if number % 4 != 3}
    assert not Ticket.objects.exclude(merged_into__merged_into=None).exists()
    assert list(verification.problems()) == []


def test_many_replies_at_once_are_all_said_and_reopen_once(alice, ann):
    """THREATS 117."""
    ticket = make_ticket(alice, phase="done")
    cookies = client_with_session(alice).cookies

    def reply(number):
        one = Client()
        one.cookies = cookies
        return one.post(f"/tickets/{ticket.pk}/reply/", {"body": f"It is back, number {number}"}).status_code

    assert at_once(30, reply) == [302] * 30
    assert Comment.objects.count() == 30
    assert ActivityLog.objects.filter(verb="status_changed").count() == 1
    ticket.refresh_from_db()
    assert ticket.phase == "active"
    assert list(verification.problems()) == []


def test_one_reply_sent_many_times_at_once_is_said_once(alice, ann):
    """THREATS 36, for replies."""
    ticket = make_ticket(alice, assignee=ann)
    cookies = client_with_session(alice).cookies
    data = {"body": "Hello", "key": str(uuid.uuid4())}

    def reply(number):
        one = Client()
        one.cookies = cookies
        return one.post(f"/tickets/{ticket.pk}/reply/", data).status_code

    assert at_once(20, reply) == [302] * 20
    assert Comment.objects.count() == 1
    assert Notification.objects.filter(kind="replied").count() == 1


def test_ticket_taken_by_two_has_one_assignee_and_a_true_log(alice, ann, sam):
    ticket = make_ticket(alice)
    cookies = [client_with_session(person).cookies for person in (ann, sam)]

    def take(number):
        one = Client()
        one.cookies = cookies[number % 2]
        return one.post(f"/admin/tickets/ticket/{ticket.pk}/take/").status_code

    assert at_once(10, take) == [302] * 10
    ticket.refresh_from_db()
    assert ticket.assignee in (ann, sam)
    assert list(verification.problems()) == []


def test_reply_that_is_taken_back_by_many_comes_back_once(alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    with acting_as(alice):
        comment = conversation.reply(ticket, Message(author=alice, body="Wrong ticket"))
    cookies = client_with_session(alice).cookies

    def take_back(number):
        one = Client()
        one.cookies = cookies
        return one.post(f"/tickets/{ticket.pk}/take-back/{comment.pk}/").status_code

    assert set(at_once(10, take_back)) <= {302, 404}
    assert not Comment.objects.exists()
    assert ActivityLog.objects.filter(verb="taken_back").count() == 1
    assert list(verification.problems()) == []


def test_visits_of_many_tabs_are_one_row(alice, ann):
    ticket = make_ticket(alice)
    cookies = client_with_session(ann).cookies

    def seen(number):
        one = Client()
        one.cookies = cookies
        return one.post(f"/admin/tickets/ticket/{ticket.pk}/seen/", {"after": number}).status_code

    assert at_once(15, seen) == [200] * 15
    assert Visit.objects.count() == 1


def test_one_mail_delivered_six_times_at_once_is_filed_once(alice, settings):
    """THREATS 97: the provider's repeats may overlap."""
    settings.INBOUND_DOMAIN = "in.example.com"
    ticket = make_ticket(alice)
    address = reply_address(ticket.pk, alice.pk)
    raw = f"From: alice@example.com\r\nTo: {address}\r\nMessage-ID: <1@example.com>\r\n\r\nOnce.".encode()
    emails = at_once(6, lambda number: handler.receive(raw, route="command").pk)
    assert len(set(emails)) == 1
    assert Comment.objects.get().body == "Once."
    assert InboundEmail.objects.get().state == InboundEmail.State.FILED


def test_texts_of_a_visitor_that_arrive_at_once_are_all_kept(alice, ann):
    """Each adds to the session; none overwrites what another has added."""
    ticket, session = make_ticket(alice), SessionStore()
    session["typed"] = {}
    session.save()

    def keep(number):
        one = Client()
        one.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        data = {"kind": "reply", "body": f"Text {number}", "key": str(uuid.uuid4()), "typed_by": ann.pk}
        return one.post(f"/tickets/{ticket.pk}/draft/", data).status_code

    assert at_once(5, keep) == [200] * 5
    kept = SessionStore(session.session_key)["typed"].values()
    assert {text["body"] for text in kept} == {f"Text {number}" for number in range(5)}


def test_emptied_draft_stays_empty_whichever_save_arrives_first(alice):
    ticket = make_ticket(alice)
    for _time in range(5):
        key = uuid.uuid4()

        def keep(number, key=key):
            save = Save("1.5", number)
            place = {"person": alice, "ticket": ticket, "kind": "reply"}
            Draft.objects.keep(**place, body="" if number == 5 else "Text", key=key, save=save)

        at_once(6, keep)
        assert [draft.save_number for draft in Draft.objects.filter(key=key)] == [5]
        assert not Draft.objects.filter(person=alice).newest_first()


ACTS = {
    "/tickets/{}/reply/": {"body": "Hello"},
    "/tickets/{}/note/": {"body": "Hello"},
    "/tickets/{}/draft/": {"kind": "reply", "body": "Hello"},
    "/tickets/{}/watchers/": {"email": "bob@example.com"},
    "/admin/tickets/ticket/{}/reply/": {"body": "Hello"},
    "/admin/tickets/ticket/{}/seen/": {"after": "1"},
    "/admin/tickets/ticket/{}/macro/": {"macro": "1"},
}


@pytest.mark.parametrize("url", ACTS)
def test_act_on_a_ticket_that_is_deleted_meanwhile_is_answered_like_any_absent_one(
    monkeypatch, alice, bob, ann, url
):
    """I1: the bulk deletion of many tickets takes seconds, and whoever answers on one of them waits."""
    Macro.objects.create(pk=1, title="Hello", body="Hello")
    ticket, client = make_ticket(alice), client_with_session(ann)

    def then_gone(find):
        def found(*args, **kwargs):
            row = find(*args, **kwargs)
            with acting_as(None):
                Ticket.objects.get(pk=ticket.pk).delete()
            return row

        return found

    monkeypatch.setattr(SingleObjectMixin, "get_object", then_gone(SingleObjectMixin.get_object))
    monkeypatch.setattr(Part, "ticket_or_404", then_gone(Part.ticket_or_404))
    # What is typed is kept in any case: the ticket may be gone, the words are not.
    expected = 204 if url.endswith("/draft/") else 404
    assert client.post(url.format(ticket.pk), ACTS[url]).status_code == expected
    assert not Comment.objects.exists()


def test_two_first_emails_at_once_make_one_account_and_two_tickets(roles, settings):
    """Case 86 of the mail table."""
    settings.INBOUND_AUTHSERV_ID, settings.SIGNUP_EMAIL_DOMAINS = "mx.example.net", ["example.com"]
    settings.FIRST_CONTACT = "on"
    category()
    mails = [
        raw(sender="nina@example.com", subject="New", message_id=f"<{number}@x.example>") for number in (0, 1)
    ]
    emails = at_once(2, lambda number: handler.receive(mails[number], route="command"))
    assert {email.state for email in emails} == {"filed"}
    person = User.objects.get(email="nina@example.com")
    assert person.emailaddress_set.count() == 1
    assert Ticket.objects.filter(requester=person).count() == 2
    assert Notification.objects.filter(person=person).count() == 2


def test_many_first_emails_at_once_make_no_more_accounts_than_the_limit(roles, settings):
    """Case 89 of the mail table: three within a minute."""
    settings.INBOUND_AUTHSERV_ID, settings.SIGNUP_EMAIL_DOMAINS = "mx.example.net", ["example.com"]
    settings.FIRST_CONTACT = "on"
    category()
    mails = [raw(sender=f"p{number}@example.com", message_id=f"<{number}@x.example>") for number in range(10)]
    emails = at_once(10, lambda number: handler.receive(mails[number], route="command"))
    assert sorted(email.state for email in emails) == ["filed"] * 3 + ["quarantined"] * 7
    assert User.objects.count() == 3
