"""Each row of the log as a sentence: what it says to whom, made of the raw values that the log holds."""

import pytest

from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.history import timeline
from tickets.models import ActivityLog
from tickets.rules.events import Verb
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
NOBODY = 10**9  # the number of somebody who is deleted


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


def said(reader, verb, *, by=None, ticket: int = 7, **changes) -> list[str]:
    name = str(by) if by else ""
    row = ActivityLog(ticket_id=ticket, verb=verb, changes=changes, actor=by, actor_name=name)
    return timeline.sentences([row], reader=reader)


def test_filing_names_requester_and_assignee(alice, ann, charlie):
    own, given = {"requester": [None, alice.pk]}, {"assignee": [None, ann.pk]}
    assert said(charlie, Verb.CREATED, by=alice, **own) == ["Alice Moreau submitted the ticket."]
    assert said(charlie, Verb.CREATED, by=ann, **own) == ["Ann Weber submitted the ticket for Alice Moreau."]
    assert said(ann, Verb.CREATED, by=alice, **own, **given) == [
        "Alice Moreau submitted the ticket.", "Automatically assigned to you.",
    ]  # fmt: skip
    assert said(alice, Verb.CREATED, by=ann, **own) == ["Ann Weber submitted the ticket for you."]


def test_filing_says_whether_its_author_chose_the_assignee(alice, ann, kim, charlie):
    given = {"requester": [None, alice.pk], "assignee": [None, kim.pk]}
    assert said(charlie, Verb.CREATED, by=ann, **given)[1:] == ["Assigned to Kim Sato."]
    assert said(charlie, Verb.CREATED, by=ann, **given, assigned_because=[None, "default"])[1:] == [
        "Automatically assigned to Kim Sato."
    ]


def test_who_deletes_the_own_ticket_withdraws_it(alice, sam, charlie):
    gone = {"requester": [alice.pk, None], "assignee": [sam.pk, None]}
    assert said(charlie, Verb.DELETED, by=alice, **gone) == ["Alice Moreau withdrew the ticket."]
    assert said(charlie, Verb.DELETED, by=sam, **gone) == ["Sam Lindqvist deleted the ticket."]
    assert said(sam, Verb.DELETED, by=sam, **gone) == ["You deleted the ticket."]


def test_watching(alice, bob, ann, charlie):
    came, left = {"person": [None, bob.pk]}, {"person": [bob.pk, None]}
    assert said(charlie, Verb.WATCHER_ADDED, by=bob, **came) == ["Bob Ortiz started watching."]
    assert said(charlie, Verb.WATCHER_REMOVED, by=bob, **left) == ["Bob Ortiz stopped watching."]
    assert said(charlie, Verb.WATCHER_ADDED, by=ann, **came) == ["Ann Weber added Bob Ortiz as a watcher."]
    assert said(bob, Verb.WATCHER_ADDED, by=ann, **came) == ["Ann Weber added you as a watcher."]
    assert said(charlie, Verb.WATCHER_REMOVED, **left) == [
        "The helpdesk removed Bob Ortiz from the watchers."
    ]


def test_person_who_is_gone_is_somebody(ann, charlie):
    assert said(charlie, Verb.ASSIGNED, by=ann, assignee=[None, NOBODY]) == [
        "Ann Weber assigned this to someone."
    ]
    row = ActivityLog(
        ticket_id=7, verb=Verb.EDITED, changes={"priority": ["low", "high"]}, actor_name="Uma Root"
    )
    assert timeline.sentences([row], reader=charlie) == ["Uma Root changed the priority from Low to High."]


def test_category_that_is_gone_has_words(ann, charlie):
    assert said(charlie, Verb.EDITED, by=ann, category=[NOBODY, category().pk]) == [
        "Ann Weber changed the category from a deleted category to Other."
    ]


def test_changes_are_said_in_the_order_of_the_form(ann, charlie):
    """PostgreSQL keeps the keys of a JSON value in an order of its own."""
    changes = {"priority": ["low", "high"], "subject": ["Old", "New"]}
    assert said(charlie, Verb.EDITED, by=ann, **changes) == [
        "Ann Weber changed the subject from “Old” to “New”.",
        "Ann Weber changed the priority from Low to High.",
    ]


def test_what_was_empty_is_shown_as_nothing(ann, charlie):
    assert said(charlie, Verb.EDITED, by=ann, subject=[None, "New"]) == [
        "Ann Weber changed the subject from “” to “New”."
    ]


def test_what_another_sentence_says_is_not_said_twice(alice, charlie):
    confirmed = {"confirmed_at": [None, "2026-07-01T12:00:00+00:00"]}
    assert said(charlie, Verb.CONFIRMED, by=alice, **confirmed) == [
        "Alice Moreau confirmed that it is solved."
    ]
    assert (
        said(charlie, Verb.STATUS_CHANGED, by=alice, confirmed_at=["2026-07-01T12:00:00+00:00", None]) == []
    )


# Who takes care of it
@pytest.mark.parametrize(
    ("by", "old", "new", "sentence"),
    [
        ("ann", None, "ann", "Ann Weber self-assigned this."),
        ("ann", "kim", "ann", "Ann Weber self-assigned this."),
        ("ann", None, "kim", "Ann Weber assigned this to Kim Sato."),
        ("ann", "ann", None, "Ann Weber removed the assignee."),
        ("ann", "kim", None, "Ann Weber removed the assignee Kim Sato."),
        (None, None, "kim", "The helpdesk assigned this to Kim Sato."),
    ],
)
@pytest.mark.parametrize("because", [None, "took", "reply"])
def test_assignment_by_somebody(ann, kim, charlie, by, old, new, sentence, because):
    people = {"ann": ann, "kim": kim}
    changes = {"assignee": [people[one].pk if one else None for one in (old, new)]}
    if because:
        changes["assigned_because"] = [None, because]
    assert said(charlie, Verb.ASSIGNED, by=people.get(by), **changes) == [sentence]


@pytest.mark.parametrize(
    ("because", "is_given", "to_staff", "to_others"),
    [
        ("default", True, "Automatically assigned to Kim Sato.", None),
        ("default", False, "The ticket is now unassigned.", None),
        ("moved", True, "The ticket is now assigned to Kim Sato.", None),
        ("moved", False, "The ticket is now unassigned.", None),
        ("left:5", True, "Assigned to Kim Sato, because Ann Weber has left.", "The ticket is now assigned to Kim Sato."),
        ("left:5", False, "Unassigned automatically, because Ann Weber has left.", "The ticket is now unassigned."),
    ],
)  # fmt: skip
def test_assignment_by_itself(alice, ann, kim, sam, because, is_given, to_staff, to_others):
    """That somebody has left is the business of staff."""
    changes = {"assignee": [ann.pk, kim.pk if is_given else None], "assigned_because": [None, because]}
    assert said(sam, Verb.ASSIGNED, by=sam, **changes) == [to_staff]
    assert said(alice, Verb.ASSIGNED, by=sam, **changes) == [to_others or to_staff]


# Messages
def test_staff_read_below_a_message_whom_its_author_left_out(alice, bob, ann, sam):
    def below(reader, **changes) -> list[str]:
        row = ActivityLog(ticket_id=7, verb=Verb.REPLIED, changes=changes, actor=ann, actor_name=str(ann))
        return timeline.SentenceBuilder([row], reader=reader).below_message(row)

    left_out = {"not_emailed": [None, [alice.pk, bob.pk]]}
    assert below(sam, **left_out) == ["Not emailed: Alice Moreau, Bob Ortiz"]
    assert below(alice, **left_out) == []
    assert below(sam) == below(alice) == []


# Merging
def test_merge_is_said_on_both_pages(ann, charlie):
    row = ActivityLog(
        ticket_id=7, verb=Verb.MERGED, changes={"merged_into": [None, 3]}, actor=ann, actor_name="Ann Weber"
    )
    on_page = {number: timeline.SentenceBuilder([row], reader=charlie, page=number) for number in (3, 7)}
    assert on_page[3].sentences(row) == ["Ann Weber merged #7 into this ticket."]
    assert on_page[7].sentences(row) == ["Ann Weber merged #7 into #3."]
    assert said(charlie, Verb.UNMERGED, by=ann, merged_into=[3, None]) == [
        "Ann Weber undid the merge of #7 into #3."
    ]


def test_ticket_that_went_along_with_another_names_where_it_is_now(ann, charlie):
    assert said(charlie, Verb.MERGED, by=ann, merged_into=[3, 4]) == ["The conversation continues in #4."]


# Files and links
def test_files_and_links_are_named_when_they_come_and_when_they_go(ann, charlie):
    assert said(charlie, Verb.FILE_ADDED, by=ann, name=[None, "a.png"]) == [
        "Ann Weber added the file “a.png”."
    ]
    assert said(charlie, Verb.FILE_REMOVED, by=ann, name=["a.png", None]) == [
        "Ann Weber removed the file “a.png”."
    ]
    assert said(ann, Verb.LINKED, by=ann, kind=[None, "relates"], target=[None, 9]) == [
        "You added a link: this ticket relates to #9."
    ]
    assert said(ann, Verb.UNLINKED, by=ann, kind=["relates", None], target=[9, None]) == [
        "You removed a link: this ticket relates to #9."
    ]


# Waiting
def waiting(phase: str, **changes) -> dict:
    return {"status": [status("active").pk, status(phase).pk], **changes}


def test_beginning_of_the_waiting_says_why_and_until_when(ann, charlie):
    changes = waiting("waiting", waiting_for=[None, "supplier"], wakes_on=[None, "2026-07-03"])
    assert said(charlie, Verb.STATUS_CHANGED, by=ann, **changes)[1:] == [
        "Waiting for a third party.", "Snoozed until 3 Jul 2026.",
    ]  # fmt: skip


def test_another_day_or_reason_alone_is_said(ann, charlie):
    assert said(charlie, Verb.STATUS_CHANGED, by=ann, wakes_on=["2026-07-03", None]) == ["No longer snoozed."]
    assert said(charlie, Verb.STATUS_CHANGED, by=ann, waiting_for=["supplier", None]) == []
    assert said(charlie, Verb.STATUS_CHANGED, by=ann, waiting_for=["date", "requester"]) == [
        "Waiting for the requester."
    ]


ENDED = {
    "waiting_for": ["date", None],
    "wakes_on": ["2026-07-03", None],
    "reminded_at": ["2026-07-01T12:00Z", None],
}


@pytest.mark.parametrize(
    ("phase", "is_by_itself", "sentences"),
    [
        ("active", True, ["The snooze date was reached."]),
        ("done", True, ["No one replied to the reminder."]),
        ("active", False, []),
        ("done", False, []),
    ],
)
def test_end_of_the_waiting_says_why_where_nobody_ended_it(ann, charlie, phase, is_by_itself, sentences):
    by = None if is_by_itself else ann
    assert said(charlie, Verb.STATUS_CHANGED, by=by, **waiting(phase, **ENDED))[1:] == sentences


def test_reminder_says_whom_and_what_follows(alice, bob, charlie):
    ticket = make_ticket(alice)
    reminded = {"reminded_at": [None, "2026-07-01T12:00:00+00:00"]}
    closing = {"closes_at": [None, "2026-07-08T12:00:00+00:00"]}
    asked = {"verb": Verb.REMINDED, "ticket": ticket.pk}
    assert said(charlie, **asked, **reminded) == ["The helpdesk reminded Alice Moreau."]
    assert said(alice, **asked, **reminded, **closing) == [
        "The helpdesk reminded you.", "Without a reply, the ticket closes on 8 Jul 2026.",
    ]  # fmt: skip
    assert said(alice, **{**asked, "ticket": NOBODY}, **reminded) == ["The helpdesk reminded someone."]


def test_names_of_all_rows_are_read_at_once(alice, bob, ann, charlie, django_assert_num_queries):
    rows = [
        ActivityLog(ticket_id=7, verb=Verb.ASSIGNED, changes={"assignee": [None, person.pk]}, actor=ann)
        for person in (alice, bob, ann)
    ]
    assert not charlie.is_staff  # asked of the database once
    with django_assert_num_queries(1):
        assert len(timeline.sentences(rows, reader=charlie)) == 3
