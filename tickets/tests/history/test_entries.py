"""Which entries a page has, of which ticket and of whom, and what a page that is open already is sent."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.actor import acting_as
from tickets.actions import conversation, merging, splitting
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.models import ActivityLog, Attachment, Comment, InboundEmail, Ticket
from tickets.rules.workflow import TAKE_BACK_PERIOD
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, description="There is no sound.")


def say(ticket, author, body: str, *files, **fields) -> Comment:
    message = Message(author=author, body=body, files=files, **fields)
    with acting_as(author):
        return conversation.reply(ticket, message)


def write_note(ticket, author, body: str) -> Comment:
    with acting_as(author):
        return conversation.note(ticket, Message(author=author, body=body))


def merge(ticket, target, by) -> None:
    with acting_as(by):
        merging.merge(Ticket.objects.get(pk=ticket.pk), Ticket.objects.get(pk=target.pk))


def read(ticket, reader) -> list[timeline.Entry]:
    return timeline.entries_for(Ticket.objects.get(pk=ticket.pk), reader)


def newest() -> int:
    return ActivityLog.objects.latest("pk").pk


# What an entry is
def test_filing_reply_note_and_change_are_kinds_of_their_own(ticket, alice, ann):
    say(ticket, ann, "Is the plug in?")
    write_note(ticket, ann, "It never is.")
    with acting_as(ann):
        ticket.set_priority("high")
    assert [entry.kind for entry in read(ticket, ann)] == ["filed", "reply", "note", "change"]
    assert [entry.body for entry in read(ticket, ann)] == ["", "Is the plug in?", "It never is.", ""]
    assert [entry.kind for entry in read(ticket, alice)] == ["filed", "reply", "change"]


def test_filing_with_files_is_plain_and_with_anything_else_is_a_change(alice, ann, charlie):
    with acting_as(alice):
        plain = make_ticket(alice)
    Attachment.attach([upload()], ticket=plain, uploader=alice)
    assert read(plain, charlie)[0].kind == "filed"
    assert read(make_ticket(alice, assignee=ann), charlie)[0].kind == "change"
    with acting_as(alice) as act:
        mixed = Ticket.objects.create(
            requester=alice, subject="x", description="y", category=plain.category, status=plain.status
        )
        Attachment.attach([upload()], ticket=mixed, uploader=alice)
    assert {row.batch for row in ActivityLog.objects.filter(ticket_id=mixed.pk)} == {act.batch}
    (entry,) = read(mixed, charlie)
    assert (entry.kind, len(entry.sentences)) == ("filed", 2)
    with acting_as(alice, batch=act.batch):
        mixed.set_priority("high")
    (entry,) = read(mixed, charlie)
    assert (entry.kind, len(entry.sentences)) == ("change", 3)


def test_entry_names_author_and_beginning_of_its_act_and_its_last_row(ticket, alice, ann):
    with time_machine.travel(NOON, tick=False) as clock, acting_as(ann):
        ticket.assign(ann)
        clock.shift(timedelta(seconds=1))
        ticket.set_priority("high")
    filed, change = read(ticket, alice)
    assert (filed.actor_name, filed.is_you, filed.initials) == ("You", True, "AM")
    assert (change.actor_name, change.is_you, change.initials) == ("Ann Weber", False, "AW")
    assert (change.number, change.at, len(change.sentences)) == (newest(), NOON, 2)
    ticket.set_priority("low")
    by_the_system = read(ticket, alice)[-1]
    assert (by_the_system.actor_name, by_the_system.is_you, by_the_system.initials) == (
        "The helpdesk",
        False,
        "",
    )


def test_files_of_a_message_stand_with_it_and_others_say_that_they_came(ticket, ann):
    comment = say(ticket, ann, "See here.", upload("plug.png"))
    with acting_as(ann):
        Attachment.attach([upload("cable.png")], ticket=ticket, uploader=ann)
    reply, file = read(ticket, ann)[-2:]
    assert [one.name for one in reply.attachments] == ["plug.png"]
    assert reply.anchor == f"message-{comment.pk}"
    assert (file.kind, file.attachments) == ("change", [])
    assert file.sentences == ["You added the file “cable.png”."]


def test_reply_with_a_status_says_both(ticket, alice, ann):
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Restart it."))
        Ticket.objects.get(pk=ticket.pk).close()
    entry = read(ticket, alice)[-1]
    assert (entry.kind, entry.body) == ("reply", "Restart it.")
    assert entry.sentences[-1].startswith("Ann Weber changed the status from ")
    assert all("wrote" not in sentence for sentence in entry.sentences)
    assert entry.has_more


def test_thanks_differ_from_other_replies(ticket, alice, ann):
    with acting_as(ann):
        ticket.close()
    say(ticket, alice, "Thank you!")
    thanks = read(ticket, ann)[-1]
    assert (thanks.body, thanks.is_own_thanks, thanks.has_more) == ("Thank you!", True, True)
    assert not read(ticket, ann)[0].is_own_thanks


def test_only_the_author_may_take_a_reply_back_and_only_for_a_while(ticket, alice, ann):
    with time_machine.travel(NOON, tick=False):
        say(ticket, ann, "To the wrong one")
        write_note(ticket, ann, "A note stays.")
    for seconds, left in ((0, 20), (0.5, 20), (1, 19), (19, 1), (20, 0), (60, 0)):
        with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
            reply, note = read(ticket, ann)[-2:]
            assert (reply.take_back_seconds, note.take_back_seconds) == (left, 0)
            assert reply.has_more == bool(left)
            assert read(ticket, alice)[-1].take_back_seconds == 0
    assert timedelta(seconds=20) == TAKE_BACK_PERIOD


def test_mail_that_a_text_came_in_by_is_shown_to_staff(alice, ann):
    ticket = make_ticket(alice, source="email")
    say(ticket, alice, "By email", source="email")
    comment = Comment.objects.get()
    common = {"state": "filed", "route": "command", "ticket": ticket, "raw": b"", "size": 0}
    filing = InboundEmail.objects.create(**common, identity="<first@example.com>")
    InboundEmail.objects.create(**common, identity="<once-more@example.com>")
    answer = InboundEmail.objects.create(**common, identity="<answer@example.com>", comment=comment)
    assert read(ticket, ann)[-1].mail == answer.pk
    assert read(ticket, alice)[-1].mail is None
    story = timeline.Story(Ticket.objects.get(), ann)
    assert story.mail_that_filed(story.ticket) == filing.pk
    other = make_ticket(alice)
    assert timeline.Story(other, ann).mail_that_filed(other) is None


# Tickets that are merged or split
def test_merged_ticket_begins_with_what_was_filed(ticket, alice, bob, ann, charlie):
    other = make_ticket(bob, description="No sound either.")
    Attachment.attach([upload("bob.png")], ticket=other, uploader=bob)
    say(other, ann, "Same cable?")
    merge(other, ticket, ann)
    entries = read(ticket, charlie)
    assert [(entry.origin, entry.kind) for entry in entries] == [
        (None, "filed"), (other.pk, "filed"), (other.pk, "reply"), (None, "change"),
    ]  # fmt: skip
    filed = entries[1]
    assert (filed.body, filed.actor_name, filed.anchor) == (
        "No sound either.",
        "Bob Ortiz",
        f"ticket-{other.pk}",
    )
    assert ([file.name for file in filed.attachments], filed.source) == (["bob.png"], "web")
    assert not filed.is_change()
    assert entries[-1].sentences == [
        f"Ann Weber merged #{other.pk} into this ticket.", "Ann Weber added Bob Ortiz as a watcher.",
    ]  # fmt: skip
    assert read(ticket, bob)[1].actor_name == "You"
    assert read(other, charlie)[-1].sentences[-1] == f"Ann Weber merged #{other.pk} into #{ticket.pk}."


def test_thanks_on_a_merged_ticket_are_not_those_of_the_page(ticket, bob, ann):
    other = make_ticket(bob)
    with acting_as(ann):
        other.close()
    say(other, bob, "Thank you!")
    merge(other, ticket, ann)
    thanks = next(entry for entry in read(ticket, ann) if entry.body == "Thank you!")
    assert (thanks.comment.is_thanks, thanks.is_own_thanks) == (True, False)


def test_message_names_the_ticket_that_it_was_split_into_to_who_may_see_that(ticket, alice, bob, ann):
    conversation.watch(ticket, bob)
    comment = say(ticket, alice, "And my screen is dark.")
    say(ticket, alice, "Very dark.")
    with acting_as(ann):
        new = splitting.split(comment, subject="Dark screen", by=ann)
    for reader, seen in ((ann, new), (alice, new), (bob, None)):
        first, second = (entry for entry in read(ticket, reader) if entry.kind == "reply")
        assert (first.split_into, first.may_be_split, first.has_more) == (
            seen,
            not seen,
            bool(seen) or first.is_you,
        )
        assert (second.split_into, second.may_be_split) == (None, True)


# Long stories
def many(*kinds: str) -> list[timeline.Entry]:
    plain = {"at": NOON, "actor_name": "Ann", "is_you": False, "initials": "AW", "sentences": []}
    return [timeline.Entry(number=number, kind=kind, **plain) for number, kind in enumerate(kinds)]


def folds(entries) -> list[tuple[int, bool]]:
    return [(len(fold.entries), fold.is_folded) for fold in timeline.folded(entries)]


def test_long_story_begins_folded():
    assert folds(many(*["reply"] * 30)) == [(30, False)]
    assert folds(many(*["reply"] * 31)) == [(16, True), (15, False)]
    early, recent = timeline.folded(many(*["reply"] * 31))
    assert [entry.number for entry in (*early.entries, *recent.entries)] == list(range(31))


def test_many_changes_in_a_row_are_folded():
    few, more = ["change"] * 4, ["change"] * 5
    assert folds(many(*few)) == [(4, False)]
    assert folds(many("reply", *more, "note", *few)) == [(1, False), (5, True), (1, False), (4, False)]
    assert folds(many(*["reply"] * 5)) == [(5, False)]


def test_fold_is_open_where_somebody_asked_for_a_text_in_it():
    entries = many(*["reply"] * 31)
    entries[2].is_asked = True
    assert [fold.is_open for fold in timeline.folded(entries)] == [True, False]


def many_links(number: int) -> str:
    return " ".join(f"{number}.{link}.example" for link in range(1200))


def test_description_takes_room_on_its_page_and_none_among_news(alice, ann):
    ticket = make_ticket(alice, description=many_links(0))
    for number in range(1, 4):
        say(ticket, ann, many_links(number))
    story, words = timeline.read(Ticket.objects.get(), ann)
    for is_part, are_whole in ((False, [False, False, True]), (True, [False, True, True])):
        shown = [entry for entry in timeline.entries(story, words, is_part=is_part) if entry.body]
        assert [entry.beginning is None for entry in shown] == are_whole


def test_text_that_is_asked_for_is_whole_and_the_newest_before_others(ticket, ann):
    for number in range(5):
        say(ticket, ann, many_links(number))
    story, words = timeline.read(Ticket.objects.get(), ann)
    shown = [entry for entry in timeline.entries(story, words) if entry.body]
    assert shown[-1].beginning is None
    assert shown[0].beginning is not None
    assert shown[0].body.startswith(shown[0].beginning.rstrip("…").rstrip())
    asked = [entry for entry in timeline.entries(story, words, whole=shown[0].anchor) if entry.body]
    assert [entry.beginning is None for entry in asked][:2] == [True, False]
    assert [entry.is_asked for entry in asked][:2] == [True, False]


# What a page that is open already is sent
def test_last_row_that_somebody_may_know(ticket, alice, ann):
    say(ticket, ann, "Is the plug in?")
    public = newest()
    write_note(ticket, ann, "It never is.")
    note = newest()
    stored = Ticket.objects.get()
    assert (timeline.last_number(stored, alice), timeline.last_number(stored, ann)) == (public, note)
    assert timeline.last_number(stored, alice, after=public) == 0
    assert timeline.last_number(stored, ann, after=public) == note
    assert timeline.end_of_log(stored) == note
    assert timeline.end_of(read(ticket, alice)) == public
    assert timeline.end_of([]) == 0


def test_file_that_comes_with_something_is_no_news_of_its_own(ticket, ann):
    before = newest()
    Attachment.attach([upload()], ticket=ticket, uploader=ann)
    stored = Ticket.objects.get()
    assert timeline.last_number(stored, ann, after=before) == 0
    assert timeline.end_of_log(stored) == newest() > before


def test_rows_of_merged_tickets_count_on_the_page_of_the_target(ticket, bob, ann):
    other = make_ticket(bob)
    merge(other, ticket, ann)
    with acting_as(ann):
        Ticket.objects.get(pk=other.pk).set_priority("high")
    row = ActivityLog.objects.latest("pk")
    assert (row.ticket_id, row.verb) == (other.pk, "edited")
    assert timeline.last_number(Ticket.objects.get(pk=ticket.pk), ann) == row.pk
    assert timeline.end_of_log(Ticket.objects.get(pk=ticket.pk)) == row.pk


def test_public_reply_that_was_taken_back_goes_from_pages_that_show_it(ticket, alice, ann):
    before = newest()
    reply, note = say(ticket, ann, "To the wrong one"), write_note(ticket, ann, "And this too")
    shown = newest()
    for comment in (reply, note):
        with acting_as(ann):
            Comment.objects.get(pk=comment.pk).delete()
    stored = Ticket.objects.get()
    assert timeline.taken_back(stored, after=shown) == [str(reply.key)]
    assert timeline.taken_back(stored, after=before) == []
    assert timeline.taken_back(stored, after=newest()) == []
    assert timeline.last_number(stored, alice, after=shown) > shown
    assert [entry.body for entry in read(ticket, alice) if entry.body] == []


def test_news_are_the_entries_past_a_row(ticket, ann):
    say(ticket, ann, "Old words")
    after = newest()
    say(ticket, ann, "New words")
    story, words = timeline.read(Ticket.objects.get(), ann, after=after)
    assert [entry.body for entry in timeline.entries(story, words, is_part=True)] == ["New words"]
