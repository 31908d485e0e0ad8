"""Merging: one page tells both stories, the other ticket is a signpost, and undo leaves nothing behind."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.history import timeline, verification
from tickets.models import ActivityLog, Comment, Draft, Notification, Ticket, Watcher
from tickets.rules.calendar import DAY, today
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
MARKER = "zanzibar"


def body(response) -> str:
    return response.content.decode()


def url(ticket, part: str = "change") -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/{part}/"


def merged(ann, ticket, target, **kwargs) -> None:
    with acting_as(ann, source=Ticket.Source.ADMIN):
        merging.merge(ticket, target, **kwargs)
    ticket.refresh_from_db()


def undone(ann, ticket) -> None:
    ticket.refresh_from_db()
    with acting_as(ann, source=Ticket.Source.ADMIN):
        merging.undo(ticket)
    ticket.refresh_from_db()


def watchers(ticket) -> set[str]:
    return {str(watcher.person) for watcher in Watcher.objects.filter(ticket=ticket)}


def said(ticket, reader) -> list[tuple]:
    return [(entry.body, entry.origin) for entry in timeline.entries_for(ticket, reader) if entry.body]


@pytest.fixture
def target(alice):
    return make_ticket(alice, subject="Printer jams", description="Paper everywhere")


@pytest.fixture
def ticket(bob, target):
    return make_ticket(bob, subject="Printer is stuck", description="It does not print")


# The act
def test_agent_merges_after_seeing_what_it_means(client_of, ann, alice, bob, charlie, ticket, target):
    conversation.watch(ticket, charlie)
    client = client_of(ann)
    content = body(client.get(url(ticket, "merge"), {"into": f"#{target.pk}"}))
    for words in (
        "Printer jams",
        "Bob Ortiz, Charlie Okafor",
        "Alice Moreau will be able to read what Bob Ortiz wrote, and Bob Ortiz what Alice Moreau wrote.",
        "If selected, an email goes to: Bob Ortiz, Charlie Okafor.",
    ):
        assert words in re.sub(r"\s+", " ", content).replace(" ,", ",")
    assert not re.search(r"<input[^>]*tells[^>]*checked", content)
    Notification.objects.all().delete()
    response = client.post(url(ticket, "merge"), {"into": target.pk})
    assert response.url == url(target)
    ticket.refresh_from_db()
    assert (ticket.merged_into, ticket.phase) == (target, "done")
    assert watchers(target) == {"Bob Ortiz", "Charlie Okafor"}
    assert not Notification.objects.exists()
    rows = ActivityLog.objects.filter(batch=ActivityLog.objects.filter(verb="merged").get().batch)
    assert {(row.ticket_id, row.verb) for row in rows} == {
        (ticket.pk, "status_changed"),
        (ticket.pk, "merged"),
        (target.pk, "watcher_added"),
    }
    assert list(verification.problems()) == []


def test_people_are_notified_where_it_is_ticked(client_of, ann, ticket, target):
    Notification.objects.all().delete()
    client_of(ann).post(url(ticket, "merge"), {"into": target.pk, "tells": "on"})
    assert set(Notification.objects.values_list("person__full_name", "ticket")) == {("Bob Ortiz", ticket.pk)}


def test_mail_leads_to_where_it_goes_on(
    client_of, ann, bob, ticket, target, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client_of(ann).post(url(ticket, "merge"), {"into": target.pk, "tells": "on"})
    mail = mailoutbox[-1]
    assert mail.to == ["bob@example.com"]
    assert f"Ann Weber merged #{ticket.pk} into #{target.pk}." in mail.body
    assert f"/tickets/{target.pk}/" in mail.body
    assert "Reopen" not in mail.body


def test_words_find_the_target(client_of, ann, ticket, target):
    content = body(client_of(ann).get(url(ticket, "merge"), {"into": "toner"}))
    assert f"?into={target.pk}" not in content
    content = body(client_of(ann).get(url(ticket, "merge"), {"into": "printer JAMS"}))
    assert f"?into={target.pk}" in content


@pytest.mark.parametrize("into", ["", "0", "999999", "9" * 30, "9" * 5000, "x", "\0", "-1", "²"])
def test_odd_target_is_refused_at_its_field(client_of, ann, ticket, unchanged, into):
    client = client_of(ann)
    with unchanged():
        response = client.post(url(ticket, "merge"), {"into": into})
        shown = client.get(url(ticket, "merge"), {"into": into})
    assert (response.status_code, shown.status_code) == (200, 200)
    assert "errorlist" in body(response)


def test_ticket_is_not_merged_into_itself_or_a_signpost(client_of, ann, alice, ticket, target):
    other, client = make_ticket(alice), client_of(ann)
    content = body(client.post(url(ticket, "merge"), {"into": ticket.pk}))
    assert "This is the same ticket." in content
    merged(ann, ticket, target)
    content = body(client.post(url(other, "merge"), {"into": ticket.pk}))
    assert f"Choose #{target.pk}." in content
    content = body(client.get(url(ticket, "merge"), follow=True))
    assert client.get(url(ticket, "merge")).url == url(ticket)
    assert Ticket.objects.filter(merged_into=None).count() == 2
    content = body(client.post(url(target, "merge"), {"into": ticket.pk}))
    assert f"#{ticket.pk} is itself merged into #{target.pk}." in content


# What is read where
def test_target_tells_both_stories_in_order(ann, alice, bob, ticket, target):
    with acting_as(bob):
        conversation.reply(ticket, Message(author=bob, body="Still stuck", files=[upload("stuck.png")]))
    with acting_as(alice):
        conversation.reply(target, Message(author=alice, body="Jams again"))
    merged(ann, ticket, target)
    with acting_as(bob):
        conversation.reply(target, Message(author=bob, body="Thank you for looking"))
    assert said(target, alice) == [
        ("It does not print", ticket.pk),
        ("Still stuck", ticket.pk),
        ("Jams again", None),
        ("Thank you for looking", None),
    ]
    sentences = [text for entry in timeline.entries_for(target, alice) for text in entry.sentences]
    assert f"Ann Weber merged #{ticket.pk} into this ticket." in sentences
    assert not any("changed the status" in text for text in sentences)


def test_notes_and_their_files_stay_with_staff(client_of, ann, alice, bob, ticket, target):
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body=MARKER, files=[upload(f"{MARKER}.png")]))
        conversation.reply(ticket, Message(author=ann, body="Hello", files=[upload("public.png")]))
    merged(ann, ticket, target)
    hidden, shown = (
        Comment.objects.get(ticket=ticket, is_public=public).attachments.get() for public in (False, True)
    )
    for person in (alice, bob):
        client = client_of(person)
        for page in (f"/tickets/{target.pk}/", f"/tickets/{target.pk}/timeline/?after=0"):
            assert MARKER not in body(client.get(page))
        assert client.get(hidden.get_absolute_url()).status_code == 404
        response = client.get(shown.get_absolute_url())
        assert b"".join(response.streaming_content)
    assert MARKER in body(client_of(ann).get(url(target)))


def test_outsider_reads_no_file_of_either(client_of, ann, bob, charlie, ticket, target):
    with acting_as(bob):
        conversation.reply(ticket, Message(author=bob, body="See", files=[upload()]))
    file = Comment.objects.get().attachments.get()
    merged(ann, ticket, target)
    client = client_of(charlie)
    assert {client.get(path).status_code for path in (file.get_absolute_url(), f"/tickets/{target.pk}/")} == {
        404
    }


@pytest.mark.parametrize("shown", ["site", "admin"])
def test_signpost_says_where_it_goes_on_and_has_no_form(client_of, ann, bob, ticket, target, shown):
    merged(ann, ticket, target)
    client, address = (
        (client_of(bob), f"/tickets/{ticket.pk}/") if shown == "site" else (client_of(ann), url(ticket))
    )
    content = body(client.get(address))
    assert f"This ticket was merged into #{target.pk}" in content
    assert f'href="{address.replace(str(ticket.pk), str(target.pk))}"' in content
    assert '<textarea name="body"' not in content
    assert client_of(bob).get(f"/tickets/{target.pk}/").status_code == 200


def test_chain_is_read_at_its_end(ann, alice, bob, charlie, ticket, target):
    end = make_ticket(charlie, subject="All printers")
    merged(ann, ticket, target)
    merged(ann, target, end)
    ticket.refresh_from_db()
    assert ticket.merged_into == end
    assert {origin for _body, origin in said(end, charlie)} == {ticket.pk, target.pk}
    assert watchers(end) == {"Alice Moreau", "Bob Ortiz"}
    assert list(verification.problems()) == []


def test_queries_do_not_grow_with_what_is_merged(client_of, ann, alice, bob, target):
    def count(client, address) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    def add(number):
        ticket = make_ticket(bob, subject=f"Number {number}")
        with acting_as(bob):
            conversation.reply(ticket, Message(author=bob, body="Again", files=[upload()]))
        merged(ann, ticket, target)

    pages = [(client_of(alice), f"/tickets/{target.pk}/"), (client_of(ann), url(target))]
    add(1)
    add(2)
    few = [count(*page) for page in pages]
    for number in range(15):
        add(number)
    assert [count(*page) for page in pages] == few


def test_target_of_others_is_not_withdrawn(client_of, ann, alice, ticket, target, unchanged):
    merged(ann, ticket, target)
    client = client_of(alice)
    with unchanged():
        response = client.post(f"/tickets/{target.pk}/delete/")
    assert response.status_code == 403
    assert "Other tickets are merged into this one" in body(response)


# What is said to a signpost
@pytest.mark.parametrize("door", ["site", "admin"])
def test_reply_from_a_page_that_was_open_is_said_on_the_target(client_of, ann, bob, ticket, target, door):
    Draft.objects.keep(person=bob, ticket=ticket, kind="reply", body="Half a")
    merged(ann, ticket, target)
    assert Draft.objects.get().ticket == target
    client, address = (
        (client_of(bob), f"/tickets/{ticket.pk}/reply/")
        if door == "site"
        else (client_of(ann), url(ticket, "reply"))
    )
    content = body(client.post(address, {"body": "Any news?"}, follow=True))
    assert Comment.objects.get().ticket == target
    assert f"It was added here because #{ticket.pk} was merged into #{target.pk}." in content


def test_note_on_a_signpost_is_written_on_the_target(client_of, ann, ticket, target):
    merged(ann, ticket, target)
    client_of(ann).post(url(ticket, "note"), {"body": "Ask the supplier"})
    assert Comment.objects.get().ticket == target


def test_who_may_not_know_the_target_gets_a_ticket_of_his_own(client_of, ann, bob, ticket, target):
    merged(ann, ticket, target)
    conversation.unwatch(target, bob)
    client = client_of(bob)
    content = body(client.get(f"/tickets/{ticket.pk}/"))
    assert "This ticket was merged into another ticket" in content
    assert "Printer jams" not in content
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Hello?"})
    assert not Comment.objects.exists()
    new = Ticket.objects.latest("pk")
    assert (new.requester, new.description) == (bob, "Hello?")


def test_refused_reply_to_a_signpost_loses_nothing(client_of, ann, bob, ticket, target):
    merged(ann, ticket, target)
    data = {"body": "A long story", "attachments": upload("virus.exe", b"MZ")}
    content = body(client_of(bob).post(f"/tickets/{ticket.pk}/reply/", data))
    assert "A long story" in content


def test_signpost_is_not_reopened(client_of, ann, bob, ticket, target, unchanged):
    merged(ann, ticket, target)
    bobs, anns = client_of(bob), client_of(ann)
    data = {
        "status": status("active").pk,
        "priority": "normal",
        "assignee": "",
        "category": ticket.category_id,
    }
    data |= {"subject": ticket.subject, "description": ticket.description, "version": ticket.version}
    with unchanged():
        assert bobs.post(f"/tickets/{ticket.pk}/reopen/").status_code == 403
        content = body(anns.post(url(ticket), data))
    assert "Undo the merge first." in content


def test_reply_is_taken_back_after_the_merge(client_of, ann, bob, ticket, target):
    with acting_as(bob):
        comment = conversation.reply(ticket, Message(author=bob, body="Oops"))
    merged(ann, ticket, target)
    client = client_of(bob)
    address = f"/tickets/{ticket.pk}/take-back/{comment.pk}/"
    assert address in body(client.get(f"/tickets/{target.pk}/"))
    assert client.post(address).url == f"/tickets/{target.pk}/#reply"
    assert Draft.objects.get().ticket == target


# Undo
def state(ticket) -> dict:
    stamps = ("version", "updated_at", "public_at", "silent_since")  # a waiting ticket waits anew
    return {k: v for k, v in Ticket.objects.filter(pk=ticket.pk).values().get().items() if k not in stamps}


@pytest.mark.parametrize("phase", ["new", "active", "waiting", "done"])
def test_undo_restores_the_ticket_and_its_people(client_of, ann, alice, bob, charlie, target, phase):
    held = {"waiting_for": "supplier", "wakes_on": today() + DAY} if phase == "waiting" else {}
    ticket = make_ticket(bob, phase=phase, **held)
    conversation.watch(ticket, charlie)
    before = state(ticket)
    merged(ann, ticket, target)
    client = client_of(ann)
    assert "Undo merge" in body(client.get(url(target)))
    Notification.objects.all().delete()
    response = client.post(url(ticket, "unmerge"))
    assert response.url == url(ticket)
    assert state(ticket) == before
    assert watchers(target) == set()
    assert [origin for _body, origin in said(target, alice)] == []
    assert ActivityLog.objects.filter(ticket_id=ticket.pk, verb="unmerged").exists()
    assert not Notification.objects.exists()
    assert list(verification.problems()) == []
    content = body(client.post(url(ticket, "unmerge"), follow=True))
    assert "This merge is already undone." in content


def test_undo_names_the_target_though_the_page_was_read_before_the_merge(ann, ticket, target):
    stale = Ticket.objects.get(pk=ticket.pk)
    merged(ann, ticket, target)
    with acting_as(ann, source=Ticket.Source.ADMIN):
        assert merging.undo(stale) == target


def test_undo_notifies_whom_the_merge_notified(client_of, ann, bob, ticket, target):
    merged(ann, ticket, target, tells=True)
    client_of(ann).post(url(ticket, "unmerge"))
    notified = Notification.objects.filter(kind="unmerged")
    assert list(notified.values_list("person__full_name", flat=True)) == ["Bob Ortiz"]


def test_undo_leaves_who_watched_before_or_still_has_to(ann, bob, charlie, ticket, target):
    conversation.watch(target, charlie)
    conversation.watch(ticket, charlie)
    second = make_ticket(bob)
    merged(ann, ticket, target)
    merged(ann, second, target)
    undone(ann, ticket)
    assert watchers(target) == {"Bob Ortiz", "Charlie Okafor"}
    undone(ann, second)
    assert watchers(target) == {"Charlie Okafor"}


def test_undo_in_a_chain_takes_along_what_came_with_it(ann, alice, bob, charlie, ticket, target):
    end = make_ticket(charlie)
    merged(ann, ticket, target)
    merged(ann, target, end)
    undone(ann, target)
    ticket.refresh_from_db()
    assert (ticket.merged_into, target.merged_into) == (target, None)
    assert (watchers(end), watchers(target)) == (set(), {"Bob Ortiz"})
    undone(ann, ticket)
    assert (ticket.merged_into, watchers(target)) == (None, set())
    assert list(verification.problems()) == []


def test_undo_of_the_first_link_of_a_chain(ann, alice, bob, charlie, ticket, target):
    end = make_ticket(charlie)
    merged(ann, ticket, target)
    merged(ann, target, end)
    undone(ann, ticket)
    assert ticket.merged_into is None
    assert (watchers(end), watchers(target)) == ({"Alice Moreau"}, set())
    undone(ann, target)
    assert watchers(end) == set()
    ticket.refresh_from_db()
    assert ticket.merged_into is None


def test_merged_again_after_undo_is_undone_again(ann, alice, bob, charlie, ticket, target):
    other = make_ticket(charlie)
    merged(ann, ticket, target)
    undone(ann, ticket)
    merged(ann, ticket, other)
    assert (watchers(target), watchers(other)) == (set(), {"Bob Ortiz"})
    undone(ann, ticket)
    assert (ticket.phase, watchers(other)) == ("new", set())
