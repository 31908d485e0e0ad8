"""The command palette, and the day of an agent who never touches the mouse."""

import re

import pytest
from playwright.sync_api import expect

from tickets.models import Comment, SavedView, Ticket
from tickets.tests.browser.test_every_page import violations
from tickets.tests.factories import make_ticket

QUEUE = "/admin/tickets/ticket/"


def palette(page):
    return page.get_by_role("dialog", name="Search or jump to")


def option(page, name: str):
    return palette(page).get_by_role("option", name=name).first  # before "Search all tickets for ..."


def look_for(page, words: str, name: str) -> None:
    """Opens the palette, types and waits until the option with this name is the active one."""
    page.keyboard.press("Control+k")
    expect(option(page, "Start page")).to_be_visible()
    page.keyboard.type(words)
    expect(option(page, name)).to_have_attribute("aria-selected", "true")


def leave(page, key: str) -> None:
    """Presses a key that opens another page, and waits until the scripts of that page work."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_palette_leads_to_a_ticket_by_words_and_by_number(open_browser, alice, ann):
    ticket = make_ticket(alice, subject="Printer on fire")
    page = open_browser(ann)
    page.goto("/admin/")
    look_for(page, "printer fi", "Printer on fire")
    field = page.get_by_role("combobox", name="Search or jump to")
    expect(field).to_be_focused()
    active = option(page, "Printer on fire").get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", active)
    expect(palette(page).get_by_role("status")).to_have_text("1 result")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/{ticket.pk}/change/"))
    page.goto("/admin/mail/")
    look_for(page, f"#{ticket.pk}", "Printer on fire")
    leave(page, "Enter")
    expect(page.get_by_role("heading", name="Printer on fire")).to_be_visible()


def test_enter_waits_for_the_options_of_what_is_typed(open_browser, alice, ann):
    ticket = make_ticket(alice, subject="Printer on fire")
    page = open_browser(ann)
    page.goto("/admin/")
    page.keyboard.press("Control+k")
    expect(option(page, "Start page")).to_be_visible()
    page.keyboard.type("printer fi")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/{ticket.pk}/change/"))


def test_arrow_keys_walk_the_options_and_escape_returns_the_focus(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    page.keyboard.press("Control+k")
    first = option(page, "My queue")
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(option(page, "All open")).to_have_attribute("aria-selected", "true")
    expect(first).to_have_attribute("aria-selected", "false")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(option(page, "Portal")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(palette(page)).to_be_hidden()
    expect(page.get_by_role("link", name="Alpha")).to_be_focused()
    page.get_by_role("button", name="Search or jump to").click()
    expect(page.get_by_role("combobox", name="Search or jump to")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(palette(page)).to_be_hidden()


def test_palette_acts_on_the_ticket_that_is_open(open_browser, alice, ann):
    ticket = make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(f"{QUEUE}{ticket.pk}/change/")
    look_for(page, "urg", "Set priority to Urgent")
    leave(page, "Enter")
    expect(page.get_by_text(f"#{ticket.pk}, Priority: Urgent").first).to_be_visible()
    look_for(page, "assign me", "Assign to me")
    leave(page, "Enter")
    expect(page.get_by_text(f"#{ticket.pk} is now assigned to you.").first).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.assignee) == ("urgent", ann)


def test_link_is_copied(open_browser, live_server, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{QUEUE}{ticket.pk}/change/")
    look_for(page, "copy", "Copy link")
    page.keyboard.press("Enter")
    expect(palette(page).get_by_role("status")).to_have_text("Link copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{live_server.url}{QUEUE}{ticket.pk}/change/"


def test_without_a_script_the_entry_leads_to_the_search(open_browser, ann):
    page = open_browser(ann, java_script_enabled=False)
    page.goto("/admin/")
    page.get_by_role("link", name="Search or jump to").click()
    expect(page.locator("#searchbar")).to_be_visible()


def test_day_of_an_agent_by_keyboard_alone(open_browser, alice, ann):
    """Queue, open, note, reply and solve, next, palette, saved view."""
    first = make_ticket(alice, subject="No sound", assignee=ann)
    second = make_ticket(alice, subject="Printer on fire", assignee=ann)
    SavedView.objects.create(name="Fires", query="q=fire", owner=ann)
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    leave(page, "o")
    expect(page.get_by_role("heading", name="No sound")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("The cable was loose.")
    leave(page, "Control+Enter")
    expect(page.get_by_text("The cable was loose.").first).to_be_visible()
    leave(page, "j")
    expect(page.get_by_role("heading", name="Printer on fire")).to_be_visible()
    leave(page, "k")
    expect(page.get_by_role("heading", name="No sound")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("Please plug it in again.")
    leave(page, "Control+Shift+Enter")
    expect(page.get_by_text("Please plug it in again.").first).to_be_visible()
    first.refresh_from_db()
    assert (first.phase, Comment.objects.filter(ticket=first, is_public=False).count()) == ("done", 1)
    leave(page, "j")
    expect(page.get_by_role("heading", name="Printer on fire")).to_be_visible()
    look_for(page, "mark", "Mark as solved")
    leave(page, "Enter")
    expect(page.locator("ul.messagelist")).to_contain_text("Status: Done")
    assert Ticket.objects.get(pk=second.pk).is_done
    look_for(page, "fires", "Fires")
    leave(page, "Enter")
    expect(page.get_by_role("navigation", name="Views").locator("[aria-current=page]")).to_contain_text(
        "Fires"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_the_palette_or_the_shortcuts_open(open_browser, alice, ann, scheme):
    ticket = make_ticket(alice, subject="Printer on fire")
    page = open_browser(ann, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page.goto(f"{QUEUE}{ticket.pk}/change/")
    page.keyboard.press("Control+k")
    expect(option(page, "Start page")).to_be_visible()
    assert violations(page) == []
    page.keyboard.type("xyzzy")
    expect(palette(page).get_by_role("status")).to_have_text("No results")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(palette(page)).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert violations(page) == []


def test_palette_fits_a_phone(open_browser, alice, ann):
    make_ticket(alice, subject="A very long subject about the printer in the hall that is always on fire")
    page = open_browser(ann, viewport={"width": 360, "height": 640}, has_touch=True)
    page.goto(QUEUE)
    page.get_by_role("button", name="Search or jump to").tap()
    page.keyboard.type("printer")
    found = option(page, "A very long subject")
    expect(found).to_be_visible()
    box = palette(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert box["y"] + box["height"] <= 640
    assert found.bounding_box()["height"] >= 44
    found.tap()
    expect(page).to_have_url(re.compile("/change/"))
