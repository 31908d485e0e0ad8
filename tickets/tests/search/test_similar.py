"""Which tickets are like one, how they were answered, and where they went; the same on both databases."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import ADMIN, acting_as
from accounts.roles import Role
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import Category, SearchDocument, Ticket
from tickets.search import similar
from tickets.search.database import database
from tickets.search.precedents import Precedents
from tickets.search.similar import nearest, words_of_ticket
from tickets.search.votes import Majority, majority, ranked
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
PAYROLL = {
    "subject": "QuickBooks closes when I open the October payroll",
    "description": "The window is gone without a message. September opens fine.",
}
LIKE_IT = {
    "subject": "Payroll window disappears in QuickBooks",
    "description": "When I open October it closes without a message.",
}
OTHER = {"subject": "No paper in the printer", "description": "Somebody has to fill tray two."}


def solve(ticket, agent, reply=""):
    with acting_as(agent):
        if reply:
            conversation.reply(ticket, Message(author=agent, body=reply, source=ADMIN))
        ticket = Ticket.objects.get(pk=ticket.pk)
        ticket.status = status("done")
        ticket.save()
    return ticket


def near(ticket) -> list[int]:
    found = nearest(words_of_ticket(ticket.subject, ticket.description), before=ticket.pk)
    return [one.number for one in found]


def test_nearest_comes_first_and_what_shares_no_word_not_at_all(alice):
    other = make_ticket(alice, subject="Tray two", description="Fill paper!")
    little = make_ticket(alice, subject="Monitor", description="It closes the window by itself.")
    like = make_ticket(alice, **LIKE_IT)
    ticket = make_ticket(alice, **PAYROLL)
    assert near(ticket)[:2] == [like.pk, little.pk]
    assert other.pk not in near(ticket)


def test_the_same_words_weigh_one_and_later_tickets_nothing(alice):
    ticket = make_ticket(alice, **PAYROLL)
    assert near(ticket) == []
    again = make_ticket(alice, **PAYROLL)
    (found,) = nearest(words_of_ticket(again.subject, again.description), before=again.pk)
    assert found.number == ticket.pk
    # The document holds the words of the subject once more, and the requester's.
    assert 0.7 < found.score <= 1
    assert near(ticket) == []


def test_rare_words_come_before_common_ones(alice):
    for _number in range(3):
        make_ticket(alice, subject="The printer jams", description="The printer jams again.")
    words = words_of_ticket("The printer hums", "again")
    assert words[0] == "hums"
    assert set(words[1:]) == {"the", "printer", "again"}


def test_text_without_words_is_like_nothing(alice):
    make_ticket(alice)
    assert nearest(words_of_ticket("!!!", "…")) == []


def test_a_ticket_of_common_words_is_compared_with_the_newest(alice, monkeypatch):
    """Where even the rarest words stand in more documents than are read."""
    earlier = make_ticket(alice, **PAYROLL)
    ticket = make_ticket(alice, **PAYROLL)
    monkeypatch.setattr(database(), "hits", lambda *args, **kwargs: [])
    assert near(ticket) == [earlier.pk]


def test_words_in_more_documents_than_are_read_count_two_together(alice):
    """PostgreSQL reads all hits of a word to find the newest; SQLite asks for each word."""
    earlier = make_ticket(alice, **PAYROLL)
    both = [("quickbooks", 500), ("payroll", 500), ("october", 500)]
    hits = database().hits(both, before=similar.NO_END, largest=similar.LARGEST, most=10, visited=100)
    assert {number for _place, number, _size in hits} == {earlier.pk}
    too_many = [("quickbooks", 10_000), ("payroll", 10_000)]
    database().hits(too_many, before=similar.NO_END, largest=similar.LARGEST, most=10, visited=100)


def test_newest_hits_come_and_long_documents_stay_out(alice):
    numbers = [make_ticket(alice, **PAYROLL).pk for _number in range(4)]
    SearchDocument.objects.filter(pk=numbers[3]).update(public_size=similar.LARGEST)
    most = {"largest": similar.LARGEST, "most": 2, "visited": 100}
    hits = database().hits([("payroll", 4)], before=numbers[3], **most)
    assert sorted(number for _place, number, _size in hits) == numbers[1:3]


def test_many_documents_cost_less_effort_each(alice, monkeypatch):
    asked = {}
    monkeypatch.setattr(similar, "MANY", 0)
    monkeypatch.setattr(database(), "hits", lambda words, **how: asked.update(how) or [])
    near(make_ticket(alice, **PAYROLL))
    assert asked["visited"] == similar.OF_MANY.visited


# What they tell
def test_solved_ones_stand_first_with_the_last_reply_before(alice, ann):
    solved = make_ticket(alice, **LIKE_IT)
    with acting_as(ann):
        conversation.reply(solved, Message(author=ann, body="Which version is it?", source=ADMIN))
        conversation.note(solved, Message(author=ann, body="payroll.dll is old", source=ADMIN))
    solve(solved, ann, "I repaired the payroll update by hand.")
    still_open = make_ticket(alice, **PAYROLL)
    first, second = Precedents(make_ticket(alice, **PAYROLL), ann).shown
    assert (first.number, second.number) == (solved.pk, still_open.pk)
    assert first.answer == "I repaired the payroll update by hand."
    assert first.passage == "I repaired the <mark>payroll</mark> update by hand."
    assert second.answer == second.passage == ""


def test_what_was_said_after_it_was_solved_is_no_answer(alice, ann):
    solved = solve(make_ticket(alice, **LIKE_IT), ann, "Install update 2026.11.")
    with acting_as(ann):
        conversation.reply(solved, Message(author=ann, body="You are welcome.", source=ADMIN))
    solved.comments.filter(body="You are welcome.").update(created_at=timezone.now() + timedelta(hours=1))
    (found,) = Precedents(make_ticket(alice, **PAYROLL), ann).shown
    assert found.answer == "Install update 2026.11."


def test_words_of_the_requester_and_notes_are_no_answer(alice, ann):
    ticket = make_ticket(alice, **LIKE_IT)
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="It works again."))
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="She found it herself.", source=ADMIN))
    solve(ticket, ann)
    (found,) = Precedents(make_ticket(alice, **PAYROLL), ann).shown
    assert (found.phase, found.answer) == ("done", "")


def test_markup_in_an_answer_is_text(alice, ann):
    solve(make_ticket(alice, **LIKE_IT), ann, "<b>QuickBooks</b> & more")
    (found,) = Precedents(make_ticket(alice, **PAYROLL), ann).shown
    assert found.passage == "&lt;b&gt;<mark>QuickBooks</mark>&lt;/b&gt; &amp; more"


def test_chance_is_no_likeness_and_merged_tickets_are_not_shown(alice, ann):
    make_ticket(alice, subject="Window", description="A very long story of something else, with many words.")
    merged, target = make_ticket(alice, **LIKE_IT), make_ticket(alice, **OTHER)
    with acting_as(ann):
        merging.merge(merged, target)
    shown = [one.number for one in Precedents(make_ticket(alice, **PAYROLL), ann).shown]
    assert merged.pk not in shown
    assert shown in ([], [target.pk])  # which now tells the merged one's story


def test_only_what_the_reader_may_see_is_found(alice, bob):
    make_ticket(alice, **LIKE_IT)
    ticket = make_ticket(bob, **PAYROLL)
    assert Precedents(ticket, bob).near == []


def test_up_to_five_are_shown(alice, ann):
    for _number in range(7):
        make_ticket(alice, **PAYROLL)
    assert len(Precedents(make_ticket(alice, **PAYROLL), ann).shown) == 5


# Votes
def test_near_votes_count_more_than_many():
    assert ranked([("a", 0.9), ("b", 0.4), ("b", 0.4), ("c", 0.1)]) == ["a", "b", "c"]
    assert ranked([]) == []


@pytest.mark.parametrize(("agree", "is_clear"), [(10, True), (6, True), (5, False)])
def test_majority_is_clear_from_six_tenths_on(agree, is_clear):
    votes = [("a", 0.5)] * agree + [("b", 0.4)] * (10 - agree)
    found = majority(votes)
    assert (found, found.is_clear) == (Majority("a", agree, 10), is_clear)


def test_nobody_votes_for_nothing():
    assert majority([]) is None


def file_like_it(requester, count, name, assignee=None):
    return [
        make_ticket(requester, category=category(name), assignee=assignee, **PAYROLL) for _n in range(count)
    ]


def suggestion(requester, reader, **fields):
    ticket = make_ticket(requester, **(PAYROLL | {"category": category("Other")} | fields))
    return Precedents(ticket, reader).suggestion


def test_category_and_person_are_suggested(alice, ann, sam):
    file_like_it(alice, 2, "Other", sam)
    file_like_it(alice, 8, "QuickBooks Support", ann)
    found = suggestion(alice, sam)
    assert (found.count, found.asked, found.moves) == (8, 10, True)
    assert (found.category.name, found.person) == ("QuickBooks Support", ann)


def test_few_or_divided_neighbours_suggest_nothing(alice, ann):
    file_like_it(alice, 4, "QuickBooks Support", ann)
    assert suggestion(alice, ann) is None
    file_like_it(alice, 5, "Email Support", ann)
    assert suggestion(alice, ann) is None


def test_assigned_ticket_keeps_its_person(alice, ann, sam):
    file_like_it(alice, 6, "QuickBooks Support", ann)
    assert suggestion(alice, ann, assignee=sam).person is None
    assert suggestion(alice, ann, assignee=sam, category=category("QuickBooks Support")) is None


def test_person_alone_is_suggested_where_the_category_is_right(alice, ann):
    file_like_it(alice, 6, "QuickBooks Support", ann)
    found = suggestion(alice, ann, category=category("QuickBooks Support"))
    assert (found.moves, found.person) == (False, ann)


def test_who_left_is_not_suggested(alice, ann, sam):
    file_like_it(alice, 6, "QuickBooks Support", ann)
    ann.set_role(Role.REQUESTER)
    assert suggestion(alice, sam).person is None


def test_inactive_category_and_finished_tickets_get_no_suggestion(alice, ann):
    file_like_it(alice, 6, "QuickBooks Support")
    assert suggestion(alice, ann, phase="done") is None
    Category.objects.filter(name="QuickBooks Support").update(is_active=False)
    assert suggestion(alice, ann) is None
