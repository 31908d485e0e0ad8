"""The table of rights is the one that README shows, and every door keeps to it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.roles import PERMISSIONS, Role
from tickets.actions import merging
from tickets.models import Comment, Ticket, TicketLink, Watcher
from tickets.rules import rights
from tickets.rules.rights import GRANTS, TABLE, Right, Stage, Standing
from tickets.rules.workflow import REOPEN_PERIOD, TAKE_BACK_PERIOD, Phase
from tickets.tests.factories import make_ticket

NOW = timezone.now()
MINUTE = timedelta(minutes=1)
# Written down once more, by hand: n = new, o = open, d = done, c = closed for long, m = merged.
EXPECTED = {
    #              watcher  requester  agent    supervisor
    Right.SEE:    ("nodcm", "nodcm",   "nodcm", "nodcm"),
    Right.REPLY:  ("nodcm", "nodcm",   "nodcm", "nodcm"),
    Right.SHARE:  ("",      "nodcm",   "nodcm", "nodcm"),
    Right.EDIT:   ("",      "no",      "nodcm", "nodcm"),
    Right.CLOSE:  ("",      "no",      "no",    "no"),
    Right.REOPEN: ("",      "d",       "d",     "d"),
    Right.DELETE: ("",      "n",       "",      "nodcm"),
    Right.WORK:   ("",      "",        "nodcm", "nodcm"),
}  # fmt: skip
STAGES = {"n": Stage.NEW, "o": Stage.OPEN, "d": Stage.DONE, "c": Stage.CLOSED, "m": Stage.MERGED}
PEOPLE = {
    "charlie": Standing.STRANGER,
    "bob": Standing.WATCHER,
    "alice": Standing.REQUESTER,
    "ann": Standing.STAFF,
    "sam": Standing.STAFF,
    "root": Standing.STAFF,
}


def given(right: Right, person: str) -> set[Stage]:
    watcher, requester, agent, supervisor = EXPECTED[right]
    letters = {"charlie": "", "bob": watcher, "alice": requester, "ann": agent}.get(person, supervisor)
    return {STAGES[letter] for letter in letters}


# The table itself
def test_every_right_has_one_row():
    assert [grant.right for grant in TABLE] == list(Right)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("right", Right)
def test_right_by_standing_and_stage(right, person):
    for stage in Stage:
        got = rights.allows(
            right,
            PEOPLE[person],
            stage=lambda stage=stage: stage,
            has_permission=lambda _name: person in ("sam", "root"),
            has_merged=lambda: False,
        )
        assert got == (stage in given(right, person)), stage


@pytest.mark.parametrize("right", Right)
def test_only_deleting_ends_while_others_are_merged_into_it(right):
    facts = {"stage": lambda: Stage.NEW, "has_permission": lambda _name: True}
    for standing in (Standing.REQUESTER, Standing.STAFF):
        alone, with_merged = (
            rights.allows(right, standing, **facts, has_merged=lambda has=has: has) for has in (False, True)
        )
        assert with_merged == (alone and right is not Right.DELETE)


def test_nothing_is_asked_that_decides_nothing():
    def refuse(*_args):
        raise AssertionError("asked in vain")

    in_vain = {"stage": refuse, "has_permission": refuse, "has_merged": refuse}
    assert rights.allows(Right.EDIT, Standing.STAFF, **in_vain)
    assert rights.allows(Right.SHARE, Standing.REQUESTER, **in_vain)
    assert not rights.allows(Right.SEE, Standing.STRANGER, **in_vain)
    assert not rights.allows(Right.DELETE, Standing.WATCHER, **in_vain)


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ({"is_staff": True, "is_requester": False}, Standing.STAFF),
        ({"is_staff": True, "is_requester": True}, Standing.STAFF),
        ({"is_staff": False, "is_requester": True}, Standing.REQUESTER),
        ({"is_staff": False, "is_requester": True, "is_watcher": True}, Standing.REQUESTER),
        ({"is_staff": False, "is_requester": False, "is_watcher": True}, Standing.WATCHER),
        ({"is_staff": False, "is_requester": False}, Standing.STRANGER),
    ],
)
def test_standing(facts, standing):
    assert rights.standing(**facts) is standing


@pytest.mark.parametrize(
    ("phase", "ago", "stage"),
    [
        (Phase.NEW, None, Stage.NEW),
        (Phase.ACTIVE, None, Stage.OPEN),
        (Phase.WAITING, None, Stage.OPEN),
        (Phase.DONE, timedelta(), Stage.DONE),
        (Phase.DONE, timedelta(days=14), Stage.DONE),
        (Phase.DONE, timedelta(days=14, microseconds=1), Stage.CLOSED),
        (Phase.DONE, None, Stage.DONE),  # raw SQL forgot the moment
    ],
)
def test_stage(phase, ago, stage):
    done_at = None if ago is None else NOW - ago
    assert rights.stage(phase, is_merged=False, done_at=done_at, now=NOW) is stage
    assert rights.stage(phase, is_merged=True, done_at=done_at, now=NOW) is Stage.MERGED


@pytest.mark.parametrize("is_author", [True, False])
@pytest.mark.parametrize("is_public", [True, False])
@pytest.mark.parametrize("is_late", [True, False])
def test_only_the_author_undoes_a_reply_and_only_in_time(is_author, is_public, is_late):
    age = TAKE_BACK_PERIOD if is_late else TAKE_BACK_PERIOD - timedelta(microseconds=1)
    got = rights.may_take_back(is_author=is_author, is_public=is_public, said_at=NOW - age, now=NOW)
    assert got == (is_author and is_public and not is_late)


# README
CELLS = {  # a row of README's table: the rights that it is about
    "file tickets, see and search them": (Right.SEE,),
    "edit subject, category, description": (Right.EDIT,),
    "withdraw or delete a ticket": (Right.DELETE,),
    f"close, reopen (within {REOPEN_PERIOD.days} days)": (Right.CLOSE, Right.REOPEN),
    "reply, add watchers": (Right.REPLY, Right.SHARE),
    "internal notes, status, priority, assignee, merge, split, links": (Right.WORK,),
}
FOR_WATCHERS = {Right.SEE: "own, and those they watch", Right.REPLY: "own (watchers reply too)"}


def readme_rows() -> dict[str, list[str]]:
    text = Path(settings.BASE_DIR, "README.md").read_text()
    section = text.partition("## Who may do what\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\|.*", section, re.M)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert rows[0] == ["may", "requester", "agent", "supervisor", "superuser"]
    return {first: cells for first, *cells in rows[2:]}


def for_requester(given_rights: tuple[Right, ...]) -> str:
    """The cell of one row: where a right ends earlier for the requester than for staff, it says when."""
    grants = [GRANTS[right] for right in given_rights]
    watched = [FOR_WATCHERS[grant.right] for grant in grants if grant.watcher]
    if watched:
        assert all(grant.watcher == grant.requester for grant in grants if grant.watcher)
        return watched[0]
    if all(grant.requester == grant.staff for grant in grants):
        return "own"
    (grant,) = grants
    return {rights.NEVER: "no", rights.WHILE_NEW: "own, while new", rights.UNTIL_DONE: "own, until done"}[
        grant.requester
    ]


def for_staff(given_rights: tuple[Right, ...], permissions: set[str] | None) -> str:
    """`permissions` are those of the role; None: of a superuser, who needs none."""
    grants = [GRANTS[right] for right in given_rights]
    needed = {grant.permission for grant in grants if grant.permission}
    if permissions is not None and not needed <= permissions:
        return "no"
    is_own_matter = all(grant.requester and not grant.permission for grant in grants)
    return "all" if is_own_matter else "yes"


@pytest.mark.parametrize("row", CELLS)
def test_readme_says_what_the_table_says(row):
    found = CELLS[row]
    assert readme_rows()[row] == [
        for_requester(found),
        for_staff(found, PERMISSIONS[Role.AGENT]),
        for_staff(found, PERMISSIONS[Role.SUPERVISOR]),
        for_staff(found, None),
    ]


def test_readme_leaves_no_right_out():
    assert {right for found in CELLS.values() for right in found} == set(Right)


# The doors
@pytest.fixture
def people(request):
    return {name: request.getfixturevalue(name) for name in PEOPLE}


def ticket_in(stage: Stage, people) -> Ticket:
    """A ticket of alice that bob watches."""
    phase = {Stage.NEW: "new", Stage.OPEN: "waiting"}.get(stage, "done")
    ticket = make_ticket(people["alice"], phase="new" if stage is Stage.MERGED else phase)
    Watcher.objects.create(ticket=ticket, person=people["bob"])
    if stage is Stage.CLOSED:
        Ticket.objects.filter(pk=ticket.pk).update(done_at=timezone.now() - REOPEN_PERIOD - MINUTE)
    if stage is Stage.MERGED:
        merging.merge(ticket, make_ticket(people["alice"], phase="active"))
    return Ticket.objects.get(pk=ticket.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("stage", Stage)
def test_tickets_door(people, stage):
    """Ticket.allows(), which knows no watchers, and the names for templates and views."""
    ticket = ticket_in(stage, people)
    for name, person in people.items():
        for right in Right:
            known = "charlie" if name == "bob" else name
            assert ticket.allows(right, person) == (stage in given(right, known)), (name, right)
        for right, door in {
            Right.EDIT: ticket.may_be_edited_by,
            Right.DELETE: ticket.may_be_deleted_by,
            Right.SHARE: ticket.may_be_shared_by,
            Right.CLOSE: ticket.may_be_closed_by,
            Right.REOPEN: ticket.may_be_reopened_by,
            Right.WORK: ticket.may_be_worked_on_by,
        }.items():
            assert door(person) == ticket.allows(right, person), (name, right)


@pytest.mark.django_db
@pytest.mark.parametrize("stage", Stage)
def test_visible_to_is_the_right_to_see(people, stage):
    ticket = ticket_in(stage, people)
    for name, person in people.items():
        found = Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
        assert found == (stage in given(Right.SEE, name)), name


def said(ticket) -> set[bool]:
    """Whether public, of each comment on it; a reply that became a ticket of its own counts as one."""
    tickets = {ticket.pk, ticket.merged_into_id} - {None}
    found = set(Comment.objects.filter(ticket__in=tickets).values_list("is_public", flat=True))
    return found | {True for _link in TicketLink.objects.filter(target__in=tickets)}


def now(ticket) -> Ticket | None:
    return Ticket.objects.filter(pk=ticket.pk).first()


# right: name of the page, what is posted, whether it happened
PAGES = {
    Right.REPLY: ("reply", {"body": "It still does not print."}, lambda ticket: True in said(ticket)),
    Right.SHARE: ("watch", {"email": "sam@example.com"}, lambda ticket: ticket.watchers.count() == 2),
    Right.EDIT: ("update", {"subject": "Changed"}, lambda ticket: now(ticket).subject == "Changed"),
    Right.CLOSE: ("close", {}, lambda ticket: now(ticket).is_done),
    Right.REOPEN: ("reopen", {}, lambda ticket: not now(ticket).is_done),
    Right.DELETE: ("delete", {}, lambda ticket: now(ticket) is None),
    Right.WORK: ("note", {"body": "Ask the supplier."}, lambda ticket: False in said(ticket)),
}


@pytest.mark.django_db
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("right", PAGES)
def test_pages_of_the_portal_keep_to_the_table(client_of, people, right, stage):
    path, data, has_happened = PAGES[right]
    for name, person in people.items():
        ticket = ticket_in(stage, people)
        if right is Right.SHARE and name == "sam":
            data = {"email": "root@example.com"}
        posted = {**data}
        if right is Right.EDIT:
            posted |= {"category": ticket.category_id, "description": ticket.description}
            posted |= {"version": ticket.version, "priority": ticket.priority}
        was_so = has_happened(ticket)
        client_of(person).post(reverse(f"tickets:{path}", args=[ticket.pk]), posted)
        assert (has_happened(ticket) and not was_so) == (stage in given(right, name)), name


@pytest.mark.django_db
def test_whoever_could_reopen_a_ticket_reads_when_it_is_too_late(client_of, people):
    for name, words in (("bob", "Only the requester"), ("alice", "14 days ago"), ("ann", "14 days ago")):
        ticket = ticket_in(Stage.CLOSED, people)
        response = client_of(people[name]).post(f"/tickets/{ticket.pk}/reopen/")
        assert response.status_code == 403
        assert words in response.content.decode(), name


@pytest.mark.django_db
def test_others_that_are_merged_into_it_keep_a_ticket(client_of, people):
    target = ticket_in(Stage.NEW, people)
    merging.merge(make_ticket(people["alice"]), target)
    for name in ("alice", "sam", "root"):
        assert not target.may_be_deleted_by(people[name])
        client_of(people[name]).post(f"/tickets/{target.pk}/delete/")
    assert now(target) is not None
