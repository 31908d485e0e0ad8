"""Which phase may follow which, when a ticket was done, how it waits."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from tickets.rules import workflow
from tickets.rules.waiting import AS_IT_IS, Wait
from tickets.rules.workflow import Phase

NOW = timezone.now()
BEFORE = NOW - timedelta(days=3)


@pytest.mark.parametrize("new", Phase)
def test_everything_follows_new_and_only_new_itself_is_new(new):
    assert workflow.may_follow(Phase.NEW, new)
    for old in (Phase.ACTIVE, Phase.WAITING, Phase.DONE):
        assert workflow.may_follow(old, new) == (new != Phase.NEW)


@pytest.mark.parametrize("old", [None, Phase.NEW, Phase.ACTIVE, Phase.WAITING])
def test_ticket_is_done_now(old):
    assert workflow.done_at(old, Phase.DONE, stored=None, now=NOW) == NOW
    assert workflow.done_at(old, Phase.DONE, stored=BEFORE, now=NOW) == NOW


def test_ticket_that_was_done_keeps_its_moment():
    assert workflow.done_at(Phase.DONE, Phase.DONE, stored=BEFORE, now=NOW) == BEFORE
    assert workflow.done_at(Phase.DONE, Phase.DONE, stored=None, now=NOW) == NOW


@pytest.mark.parametrize("new", workflow.OPEN)
def test_open_ticket_has_no_such_moment(new):
    assert workflow.done_at(Phase.DONE, new, stored=BEFORE, now=NOW) is None


def test_ticket_takes_replies_for_fourteen_days_to_the_second():
    done = NOW - timedelta(days=14)
    assert workflow.reopen_until(done) == NOW
    assert workflow.takes_replies(done, now=NOW)
    assert not workflow.takes_replies(done, now=NOW + timedelta(seconds=1))
    assert workflow.takes_replies(None, now=NOW)


def test_reply_can_be_undone_for_twenty_seconds():
    assert timedelta(seconds=20) == workflow.TAKE_BACK_PERIOD


def test_what_is_said_replaces_how_a_ticket_waits():
    day, other = date(2026, 12, 1), date(2026, 12, 24)
    present = Wait("supplier", day)
    assert Wait("requester").after(present) == Wait("requester", None)
    assert AS_IT_IS.after(present) == present
    assert Wait("", other).after(present) == Wait("supplier", other)


def test_wait_is_a_value():
    with pytest.raises(AttributeError):
        AS_IT_IS.reason = "date"
