"""Who may do what with a ticket: right x standing x stage.

A test compares README's "Who may do what" with it.

Pure: callers pass plain values. Code that has a ticket calls Ticket.allows().
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from tickets.rules import workflow
from tickets.rules.workflow import TAKE_BACK_PERIOD, Phase


class Right(Enum):
    SEE = "see it and find it"
    REPLY = "reply on it"
    SHARE = "choose who watches it"
    EDIT = "change subject, category and description"
    CLOSE = "close it"
    REOPEN = "reopen it"
    DELETE = "withdraw or delete it"
    WORK = "write internal notes; change status, priority and assignee; merge, split, link"


class Standing(Enum):
    """The relation of a person to a ticket. Staff count as staff for their own tickets too."""

    STRANGER = "stranger"
    WATCHER = "watcher"
    REQUESTER = "requester"
    STAFF = "staff"


class Stage(Enum):
    """The state of a ticket, as far as rights depend on it."""

    NEW = "new"
    OPEN = "active or waiting"
    DONE = "done within REOPEN_PERIOD"
    CLOSED = "done longer ago"
    MERGED = "merged into another ticket"


NEVER: frozenset[Stage] = frozenset()
ALWAYS = frozenset(Stage)
WHILE_NEW = frozenset({Stage.NEW})
UNTIL_DONE = frozenset({Stage.NEW, Stage.OPEN})
WHILE_DONE = frozenset({Stage.DONE})


@dataclass(frozen=True)
class Grant:
    """The stages in which each standing has a right. A stranger has none."""

    right: Right
    watcher: frozenset[Stage]
    requester: frozenset[Stage]
    staff: frozenset[Stage]
    permission: str = ""  # the permission that staff need as well (accounts.roles)
    with_merged: bool = True  # whether the right exists while other tickets are merged into it

    def stages(self, standing: Standing) -> frozenset[Stage]:
        return NEVER if standing is Standing.STRANGER else getattr(self, standing.value)


TABLE = (
    #     right         watcher  requester    staff
    Grant(Right.SEE,    ALWAYS,  ALWAYS,      ALWAYS),
    Grant(Right.REPLY,  ALWAYS,  ALWAYS,      ALWAYS),
    Grant(Right.SHARE,  NEVER,   ALWAYS,      ALWAYS),
    Grant(Right.EDIT,   NEVER,   UNTIL_DONE,  ALWAYS),
    Grant(Right.CLOSE,  NEVER,   UNTIL_DONE,  UNTIL_DONE),
    Grant(Right.REOPEN, NEVER,   WHILE_DONE,  WHILE_DONE),
    Grant(Right.DELETE, NEVER,   WHILE_NEW,   ALWAYS, permission="tickets.delete_ticket", with_merged=False),
    Grant(Right.WORK,   NEVER,   NEVER,       ALWAYS),
)  # fmt: skip
GRANTS = {grant.right: grant for grant in TABLE}


def standing(*, is_staff: bool, is_requester: bool, is_watcher: bool = False) -> Standing:
    if is_staff:
        return Standing.STAFF
    if is_requester:
        return Standing.REQUESTER
    return Standing.WATCHER if is_watcher else Standing.STRANGER


def stage(phase: str, *, is_merged: bool, done_at: datetime | None, now: datetime) -> Stage:
    if is_merged:
        return Stage.MERGED
    if phase == Phase.DONE:
        return Stage.DONE if workflow.takes_replies(done_at, now=now) else Stage.CLOSED
    return Stage.NEW if phase == Phase.NEW else Stage.OPEN


def allows(
    right: Right,
    standing: Standing,
    *,
    stage: Callable[[], Stage],
    has_permission: Callable[[str], bool],
    has_merged: Callable[[], bool],
) -> bool:
    """Whether the right is given.

    Each callable may run a query, so it is called only if the answer depends on it.
    """
    grant = GRANTS[right]
    stages = grant.stages(standing)
    if not stages or (stages != ALWAYS and stage() not in stages):
        return False
    if standing is Standing.STAFF and grant.permission and not has_permission(grant.permission):
        return False
    return grant.with_merged or not has_merged()


def is_ever_given(right: Right, standing: Standing) -> bool:
    """Whether the standing has `right` at any stage. Ignores permissions."""
    return bool(GRANTS[right].stages(standing))


def may_take_back(*, is_author: bool, is_public: bool, said_at: datetime, now: datetime) -> bool:
    """Whether a person may undo a reply. Internal notes are not emailed to requesters, so they stay."""
    return is_author and is_public and now < said_at + TAKE_BACK_PERIOD
