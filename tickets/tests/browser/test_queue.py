"""The queue in front of an agent: keys, ticks and focus survive what changes live, also on the site's list."""

import re

from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets import conversation
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

QUEUE = "/admin/tickets/ticket/"
LIVE = 5500  # milliseconds


def row(page, subject: str):
    return page.locator("#result_list tbody tr", has_text=subject)


def test_keys_move_open_search_and_help(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    make_ticket(alice, subject="Beta")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    expect(row(page, "Alpha").get_by_role("link").first).to_be_focused()
    page.keyboard.press("j")
    expect(row(page, "Beta").get_by_role("link").first).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.type("jko?")
    expect(page.locator("#searchbar")).to_have_value("jko?")
    page.locator("#searchbar").blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page).to_have_url(re.compile(r"/change/"))


def test_key_takes_the_row(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    second = make_ticket(alice, subject="Beta")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text(f"#{second.pk} is now assigned to you.").first).to_be_visible()
    assert Ticket.objects.get(pk=second.pk).assignee == ann


def test_key_takes_nothing_from_who_was_faster_and_a_button_takes_it_over(open_browser, alice, ann, sam):
    ticket = make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(QUEUE)
    with acting_as(sam):
        ticket.assign(sam, because="took")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text(f"#{ticket.pk}: Sam Lindqvist self-assigned this").first).to_be_visible()
    assert Ticket.objects.get().assignee == sam
    page.get_by_role("button", name="Take over from Sam Lindqvist").click()
    expect(page.get_by_text(f"#{ticket.pk} is now assigned to you.").first).to_be_visible()
    assert Ticket.objects.get().assignee == ann


def test_keys_can_be_switched_off_for_good(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use these keys").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("j")
    expect(row(page, "Alpha").get_by_role("link").first).not_to_be_focused()


def test_keys_on_the_ticket_page(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(f"{QUEUE}{ticket.pk}/change/")
    page.keyboard.press("r")
    expect(page.get_by_label("Your reply")).to_be_focused()
    page.keyboard.type("rna")
    expect(page.get_by_label("Your reply")).to_have_value("rna")
    page.get_by_label("Your reply").blur()
    page.keyboard.press("n")
    expect(page.get_by_label("Internal note")).to_be_focused()


def test_live_change_keeps_ticks_focus_and_the_counter(open_browser, alice, ann, sam):
    first, second = make_ticket(alice, subject="Alpha"), make_ticket(alice, subject="Beta")
    page = open_browser(ann)
    page.goto(QUEUE)
    row(page, "Beta").get_by_role("checkbox").check()
    expect(page.locator(".action-counter")).to_have_text("1 of 2 selected")
    row(page, "Alpha").get_by_role("link", name="Alpha").focus()
    with acting_as(sam):
        second.set_priority("urgent")
        make_ticket(alice, subject="Gamma")
    expect(row(page, "Gamma")).to_be_visible(timeout=LIVE)
    expect(page.locator("#announcer")).to_have_text(re.compile(r"^2 tickets changed$"))
    expect(page.locator("#result_list tbody tr").first).to_contain_text("Beta")
    expect(row(page, "Beta").get_by_role("checkbox")).to_be_checked()
    expect(page.locator(".action-counter")).to_have_text("1 of 3 selected")
    expect(row(page, "Alpha").locator(":focus")).to_have_count(1)
    row(page, "Gamma").get_by_role("checkbox").check()
    expect(page.locator(".action-counter")).to_have_text("2 of 3 selected")
    with acting_as(sam):
        first.assign(sam)
    expect(row(page, "Alpha")).to_have_count(0, timeout=LIVE)
    expect(page.locator(".action-counter")).to_have_text("2 of 2 selected")


def test_empty_queue_fills_by_itself(open_browser, alice, ann):
    page = open_browser(ann)
    page.goto(QUEUE)
    expect(page.get_by_text("No ticket stands here now.")).to_be_visible()
    make_ticket(alice, subject="Alpha")
    expect(row(page, "Alpha")).to_be_visible(timeout=LIVE)
    expect(page.get_by_text("No ticket stands here now.")).to_have_count(0)


def test_logged_out_is_said_once(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.context.clear_cookies()
    expect(page.locator("#announcer")).to_contain_text("You are logged out.", timeout=LIVE)
    expect(row(page, "Alpha")).to_be_visible()


def test_server_in_trouble_is_asked_more_rarely(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.fulfill(status=429)

    page.add_init_script("console.error = () => {}")  # htmx tells each refusal there
    page.route("**/news/**", refuse)
    page.clock.install()
    page.goto(QUEUE)
    for _second in range(60):
        page.clock.run_for(1000)
    assert 2 <= len(asked) <= 4


def test_own_list_on_the_site_shows_a_reply_and_no_note(open_browser, alice, ann):
    ticket = make_ticket(alice, subject="Alpha")
    page = open_browser(alice)
    page.goto("/tickets/")
    with acting_as(ann):
        conversation.note(ticket, author=ann, body="Secret")
        ticket.assign(ann)
    expect(page.get_by_text("Ann Weber takes care")).to_be_visible(timeout=LIVE)
    expect(page.locator("#announcer")).to_have_text("1 ticket changed")
    assert "Secret" not in page.content()
