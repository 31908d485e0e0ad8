"""Nothing internal reaches a requester or a watcher (THREATS 2.2, 145): a marker stands in all that is internal,
and every byte that they can get is searched for it. The addresses come from the URL map.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, product
from types import SimpleNamespace
from urllib.parse import quote_plus

import pytest
import time_machine
from django.db import transaction
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.actor import acting_as
from accounts.models import StaffNote
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.writing import tokens
from tickets.models import (
    Attachment,
    Comment,
    Draft,
    Macro,
    Notification,
    SavedReply,
    Ticket,
    TicketLink,
    Visit,
)
from tickets.search.finding import search
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
MARKER, PERSON = "zebrafinch", "quagga"  # what is written, who wrote it
INTERNAL = (MARKER, PERSON)
RANDOM = rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-z]{64}\b|csrftoken=\w+|expires=[^;]+"
READERS = ["alice", "bob", "visitor"]
QUERIES = [
    {},
    {"after": "0"},
    {"state": "0"},
    {"phase": "all"},
    {"phase": "done"},
    {"page": "2"},
    {"next": "/tickets/"},
]
SEARCHED = [*INTERNAL, "Zebrafinch note", "quagga@example.com", '"zebrafinch note"']
# What a form sends; each address takes of it what it knows.
LATER = timedelta(minutes=4)  # before a session is renewed, which sets a cookie
TYPED = {
    "body": "I see.", "kind": "reply", "email": "bob@example.com", "subject": "Still no print",
    "description": "It is dark.", "priority": "high", "key": "",
}  # fmt: skip


@pytest.fixture
def world(alice, bob, charlie, ann, attachments_dir):
    """Alice's ticket, watched by bob, that quagga wrote notes on; one of charlie's merged into it; one done."""
    quagga = make_person("Quagga Nightshade", role=Role.AGENT)
    ticket = make_ticket(alice, subject="No print")
    done = make_ticket(alice, subject="No sound", phase="done")
    merged = make_ticket(bob, subject="No print either")
    hidden = make_ticket(charlie, subject="Zebrafinch plans")
    with acting_as(ann):
        for watched in (ticket, done):
            conversation.watch(watched, bob)
        answer = conversation.reply(
            ticket, Message(author=ann, body="Please restart.", files=[upload("steps.png")])
        )
    for noted in (ticket, done, merged):
        note_on(noted, quagga)
        Draft.objects.keep(person=quagga, ticket=noted, kind=Draft.Kind.REPLY, body="A zebrafinch draft")
        Draft.objects.keep(person=quagga, ticket=noted, kind=Draft.Kind.NOTE, body="A zebrafinch draft")
    with acting_as(quagga):
        TicketLink.objects.create(ticket=ticket, target=hidden, kind=TicketLink.Kind.RELATES)
        SavedReply.objects.create(title="Zebrafinch", body="Zebrafinch", owner=quagga)
        Macro.objects.create(title="Zebrafinch", body="Zebrafinch", owner=quagga)
    StaffNote.objects.create(person=alice, text="A zebrafinch note", changed_by=quagga)
    with acting_as(ann):
        merging.merge(merged, ticket, tells=True)
        ticket.refresh_from_db()
        ticket.set_status(status("waiting"))
    return SimpleNamespace(ticket=ticket, done=done, quagga=quagga, answer=answer)


def note_on(ticket: Ticket, author) -> Comment:
    file = upload("zebrafinch.txt", b"All about the zebrafinch.", "text/plain")
    with acting_as(author):
        return conversation.note(ticket, Message(author=author, body="Zebrafinch note", files=[file]))


def patterns(resolver=None, namespace: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each named address of the project, with the names of its arguments."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if not isinstance(pattern, URLPattern):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns(pattern, inner)
        elif pattern.name:
            yield namespace + pattern.name, list(pattern.pattern.regex.groupindex)


def signed_links(ticket: Ticket) -> list[str]:
    mute = tokens.mute_link(ticket.pk, ticket.requester_id)
    return [mute, tokens.answer_links(ticket.pk, ticket.requester_id)[0]]


def every_address() -> dict[str, str]:
    """{address: name} with every row that there is: each ticket, message, person, file and link.

    Of the addresses that are not about tickets, or for staff alone, one row stands for all.
    """
    tickets = list(Ticket.objects.values_list("pk", flat=True))
    values = {
        "pk": tickets,
        "object_id": tickets,
        "comment": list(Comment.objects.values_list("pk", flat=True)),
        "person": [1, *Comment.objects.values_list("author", flat=True)],
        "link": list(TicketLink.objects.values_list("pk", flat=True)),
        "key": ["x", *Attachment.objects.values_list("key", flat=True)],
        "token": [link.split("/")[5] for ticket in Ticket.objects.all() for link in signed_links(ticket)],
        "size": [Attachment.VIEW, Attachment.THUMBNAIL],
        "uidb36": ["1"],
        "name": ["set_status"],
        "service": ["postmark"],
        "upload": ["1b671a64-40d5-491e-99b0-da01ff1f3341"],
        "app_label": ["tickets"],
        "content_type_id": ["1"],
    }
    found = {}
    for name, arguments in patterns():
        rows = product(*(values[argument] for argument in arguments))
        for row in rows if name.startswith("tickets:") else islice(rows, 1):
            found[reverse(name, kwargs=dict(zip(arguments, row, strict=True)))] = name
    return found


def all_bytes(response) -> bytes:
    """Status, headers, cookies and body, in lower case."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = [str(response.status_code), *(f"{name}: {value}" for name, value in response.headers.items())]
    return "\n".join([*head, response.cookies.output()]).lower().encode() + b"\n" + body.lower()


def leaks(content: bytes, words=INTERNAL) -> list[str]:
    return [word for word in words if word.encode() in content]


@pytest.fixture
def reader_of(client, client_of, alice, bob):
    return lambda who: client if who == "visitor" else client_of({"alice": alice, "bob": bob}[who])


@pytest.mark.parametrize("who", READERS)
def test_nothing_internal_at_any_address(world, reader_of, who):
    reader, opened = reader_of(who), set()
    for url, name in every_address().items():
        for query in QUERIES:
            response = reader.get(url, query)
            assert not leaks(all_bytes(response)), (url, query)
            if response.status_code not in (200, 204):
                break
            opened.add(name)
    if who != "visitor":  # the search was not for nothing
        assert opened >= {"tickets:list", "tickets:detail", "tickets:timeline", "tickets:attachment"}


@pytest.mark.parametrize("who", READERS)
def test_nothing_internal_in_the_answer_to_any_form(world, reader_of, who):
    """Also on the page that it leads to, and where it is refused."""
    reader = reader_of(who)
    for url, name in every_address().items():
        refused = {**TYPED, "body": "\0", "email": "x", "subject": "", "kind": "note"}
        for data in (TYPED, refused) if name.startswith("tickets:") else ({},):
            with transaction.atomic():
                response = reader.post(url, data, follow=True)
                transaction.set_rollback(True)
            assert not leaks(all_bytes(response)), (url, data)
            if "/logout/" in url and who != "visitor":
                reader = reader_of(who)


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_search_answers_to_internal_words_as_to_any_word_that_stands_nowhere(world, reader_of, who):
    reader = reader_of(who)
    pages, moment = readable(reader), timezone.now() + LATER
    assert "/tickets/" in pages
    for words in SEARCHED:
        nowhere = "".join("x" if letter.isalnum() else letter for letter in words)
        for url in pages:
            with time_machine.travel(moment, tick=False):
                answers = [comparable(reader.get(url, {"q": query})) for query in (words, nowhere)]
            for form in (escape, quote_plus):
                said, unsaid = (form(one.lower()).lower().encode() for one in (words, nowhere))
                answers[0] = answers[0].replace(said, unsaid)
            assert answers[0] == answers[1], (url, words)


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_words_left_out_and_files_tell_nothing_of_notes(world, reader_of, who):
    """Excluded words, filters and best match first, which all look at words or rows that notes have too."""
    reader, moment = reader_of(who), timezone.now() + LATER
    for words in (
        "{}.txt",
        "_{}",
        "print -{}",
        "print {} -{}",
        "{} has:file",
        "-{} -has:file",
        "is:done -{}",
    ):
        for sort in ("", "best"):
            pages = []
            for word in (MARKER, "x" * len(MARKER)):
                with time_machine.travel(moment, tick=False):
                    query = {"q": words.replace("{}", word), "phase": "all", "sort": sort}
                    pages.append(comparable(reader.get("/tickets/", query)).replace(word.encode(), b""))
            assert pages[0] == pages[1], (words, sort)


@pytest.mark.parametrize("typed", ["has:file", "-has:file"])
def test_file_of_a_note_does_not_count_as_a_file(world, alice, typed):
    tickets = search(Ticket.objects.visible_to(alice), typed, user=alice)
    assert (world.done in tickets) == typed.startswith("-")


def comparable(response) -> bytes:
    """all_bytes() without what is random in each answer: tokens, keys of forms, dates of cookies."""
    return re.sub(RANDOM, b"", all_bytes(response))


def readable(reader) -> list[str]:
    """The addresses at which there is something for the reader."""
    return [url for url in every_address() if all_bytes(reader.get(url))[:3] in (b"200", b"204")]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_note_changes_no_answer_at_all(world, reader_of, sam, who):
    """Not even that there is a note, whom it mentions, or that a reply is typed, can be told: no date, count, order or poll is another than before."""
    reader, moment = reader_of(who), timezone.now() + LATER
    addresses = readable(reader)

    def answers(at) -> dict:
        with time_machine.travel(at, tick=False):
            return {
                (url, *query.items()): comparable(reader.get(url, query))
                for url in addresses
                for query in ({}, {"after": "0"}, {"state": state}, {"after": str(last)})
            }

    with time_machine.travel(moment, tick=False):
        state = reader.get("/tickets/").context["state"]
        last = reader.get(world.ticket.get_absolute_url()).context["last_number"]
    before = answers(moment)
    with time_machine.travel(moment, tick=False):
        visit = {"person": world.quagga, "ticket": world.ticket, "number": 1}
        Visit.objects.record(**visit, is_typing=True)
        for noted in (world.ticket, world.done):
            with acting_as(world.quagga):
                conversation.note(noted, Message(author=world.quagga, body="@Ann Weber, @Sam Lindqvist?"))
        note_on(world.ticket, world.quagga)
        note_on(world.done, world.quagga)
    after = answers(moment)
    assert [key for key in before if before[key] != after[key]] == []


def test_staff_find_the_marker_by_the_same_search(world, client_of, ann):
    """The counterproof: it is planted, and where a requester might meet it."""
    reader = client_of(ann)
    found = {
        name
        for url, name in every_address().items()
        if name.startswith("tickets:") and leaks(all_bytes(reader.get(url)))
    }
    assert found >= {"tickets:detail", "tickets:timeline", "tickets:attachment"}
    assert set(INTERNAL) == set(leaks(all_bytes(reader.get(world.ticket.get_absolute_url()))))


def test_nothing_internal_in_any_mail_to_who_is_no_staff(world, mailgun, alice, bob, ann):
    """Text, HTML and headers, of every kind of act on a ticket that has notes."""
    ticket = world.ticket
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Done?"), status=status("done"))
        ticket.refresh_from_db()
        ticket.assign(ann)
        note_on(ticket, world.quagga)
        ticket.set_priority("urgent")
        merging.undo(Ticket.objects.get(merged_into=ticket))
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="No, it is worse."))
    with acting_as(ann):
        Ticket.objects.get(pk=world.done.pk).delete()
    with time_machine.travel(timezone.now() + LATER):
        while Notification.objects.due(timezone.now()).exists():
            deliver_due()
    theirs = {alice.email, bob.email}
    mails = [mail for mail in mailgun.mails if mail["to"] in theirs]
    assert {mail["to"] for mail in mails} == theirs
    assert not [mail for mail in mails if leaks(repr(mail).lower().encode())]
    kinds = set(Notification.objects.filter(address__in=theirs).values_list("kind", flat=True))
    assert kinds >= {"replied", "status_changed", "deleted", "merged", "unmerged"}
    assert "noted" not in kinds
    assert any(leaks(repr(mail).lower().encode(), [MARKER]) for mail in mailgun.mails)  # staff got it


def test_page_of_a_conflict_names_who_saved_and_not_who_wrote_a_note(world, client_of, alice, ann):
    ticket, client = world.ticket, client_of(alice)
    stale = {"version": ticket.version, "category": ticket.category_id, "description": "It is dark."}
    with acting_as(ann):
        ticket.subject = "Still no print"
        ticket.save()
    note_on(ticket, world.quagga)
    response = client.post(f"/tickets/{ticket.pk}/edit/", {**stale, "subject": "Mine"})
    assert response.status_code == 409
    assert b"Ann Weber saved changes while you were editing." in response.content
    assert not leaks(all_bytes(response))


def test_file_of_a_note_is_absent_also_for_its_author_once_no_longer_staff(world, client_of):
    """And for a requester who was staff when the note was written."""
    key = Attachment.objects.filter(comment__is_public=False).first().key
    url = reverse("tickets:attachment", args=[key])
    reader = client_of(world.quagga)
    assert all_bytes(reader.get(url)).startswith(b"200")
    world.quagga.set_role(Role.REQUESTER)
    conversation.watch(world.ticket, world.quagga)
    assert reader.get(url).status_code == 404
    content = all_bytes(reader.get(world.ticket.get_absolute_url()))
    assert not leaks(content, ["zebrafinch note", "zebrafinch.txt"])
