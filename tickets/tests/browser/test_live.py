"""What live.js does while nobody looks: the tab's title counts, and it asks rarely. The clock is the test's."""

import re

import pytest
from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.tests.factories import make_ticket

SECOND = 1000  # milliseconds
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
COUNT = """() => {
  const counts = document.documentElement.dataset;
  counts.asked = counts.answered = 0;
  document.addEventListener("htmx:beforeRequest", () => { counts.asked++; });
  document.addEventListener("htmx:afterRequest", () => { counts.answered++; });
}"""


@pytest.fixture
def ticket(alice):
    return make_ticket(alice)


@pytest.fixture
def tab(open_browser, alice, ticket):
    """The ticket's page in front of its requester, who does not look at it."""
    tab = open_browser(alice)
    tab.clock.install()
    tab.goto(ticket.get_absolute_url())
    tab.evaluate(COUNT)
    tab.evaluate(HIDE, True)
    return tab


def asked_within(tab, seconds: int) -> int:
    """How often the page has asked by then; each time it was answered."""
    tab.clock.fast_forward(seconds * SECOND)
    asked = tab.evaluate("document.documentElement.dataset.asked")
    expect(tab.locator("html")).to_have_attribute("data-answered", asked)
    return int(asked)


def test_title_counts_what_is_new_until_somebody_looks(tab, ticket, ann):
    for words in ("Please restart it", "And then?"):
        with acting_as(ann):
            conversation.reply(ticket, Message(author=ann, body=words))
    assert asked_within(tab, 5) == 1
    expect(tab).to_have_title(re.compile(rf"^\(2\) #{ticket.pk} "))
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Does it work now?"))
    assert asked_within(tab, 61) == 2
    expect(tab).to_have_title(re.compile(rf"^\(3\) #{ticket.pk} "))
    tab.evaluate(HIDE, False)
    expect(tab).to_have_title(re.compile(rf"^#{ticket.pk} "))


def test_tab_in_the_background_asks_once_a_minute_and_at_once_when_it_is_seen(tab):
    assert asked_within(tab, 5) == 1  # it had been seen when this was planned
    assert asked_within(tab, 50) == 1
    assert asked_within(tab, 11) == 2
    tab.evaluate(HIDE, False)
    assert asked_within(tab, 0) == 3
    assert asked_within(tab, 5) == 4


def test_question_whether_it_is_solved_comes_and_goes_by_itself(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    question = page.get_by_role("heading", name="Is your problem solved?")
    page.get_by_label("Your reply").fill("Half a")
    with acting_as(ann):
        ticket.close()
    expect(question).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Still not fixed? Reply to reopen it.")).to_be_visible()
    expect(page.get_by_label("Your reply")).to_have_value("Half a")
    page.get_by_role("link", name="Not yet").focus()
    with acting_as(ann):
        ticket.set_priority("high")
    expect(page.locator("#story").get_by_text("High")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("link", name="Not yet")).to_be_focused()
    with acting_as(ann):
        ticket.reopen()
    expect(question).to_be_hidden(timeout=10_000)
    with acting_as(ann):
        ticket.close()
    page.get_by_role("button", name="Solved my problem").click(timeout=10_000)
    expect(page.get_by_role("heading", name="Thank you. Your problem is solved.")).to_be_visible()
