"""The queue in front of an agent: keys, ticks and focus survive what changes live, also on the site's list."""

import re

import pytest
from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.admin.ticket.ticket import TicketAdmin
from tickets.models import Ticket
from tickets.rules.waiting import Wait
from tickets.tests.factories import make_ticket, status

QUEUE = "/admin/tickets/ticket/"
LIVE = 5500  # milliseconds
WORK = 20_000  # milliseconds, for a change of many tickets


def row(page, subject: str):
    return page.locator("#result_list tbody tr", has_text=subject)


def test_keys_move_open_search_and_help(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    make_ticket(alice, subject="Beta")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    expect(row(page, "Alpha").get_by_role("link", name="Alpha")).to_be_focused()
    page.keyboard.press("j")
    expect(row(page, "Beta").get_by_role("link", name="Beta")).to_be_focused()
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
    page.locator(".top-actions .menu summary").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("j")
    expect(row(page, "Alpha").get_by_role("link", name="Alpha")).not_to_be_focused()


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
    expect(page.get_by_role("textbox", name="Internal note")).to_be_focused()


@pytest.mark.parametrize(("key", "field"), [("r", "Your reply"), ("n", "Internal note")])
def test_keys_of_the_queue_lead_into_the_message(open_browser, alice, ann, key, field):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Alpha")).to_be_visible()
    expect(page.get_by_role("textbox", name=field)).to_be_focused()


def test_keys_lead_to_the_details_of_a_ticket(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(f"{QUEUE}{ticket.pk}/change/")
    for key, field in (("s", "Status"), ("p", "Priority"), ("A", "Assignee")):
        page.locator("body").click(position={"x": 2, "y": 2})
        page.keyboard.press(key)
        expect(page.get_by_label(f"{field}:")).to_be_focused()


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
    expect(page.get_by_text("No tickets match.")).to_be_visible()
    make_ticket(alice, subject="Alpha")
    expect(row(page, "Alpha")).to_be_visible(timeout=LIVE)
    expect(page.get_by_text("No tickets match.")).to_have_count(0)


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
        conversation.note(ticket, Message(author=ann, body="Secret"))
        ticket.assign(ann)
    expect(page.get_by_text("Assigned to Ann Weber.")).to_be_visible(timeout=LIVE)
    expect(page.locator("#announcer")).to_have_text("1 ticket changed")
    assert "Secret" not in page.content()


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 900, 180), (390, 844, 220)])
def test_first_row_stands_near_the_top(open_browser, alice, ann, width, height, most):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann, viewport={"width": width, "height": height})
    page.goto(QUEUE)
    assert row(page, "Alpha").bounding_box()["y"] <= most
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_filters_open_over_the_list_and_escape_closes_them(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha", priority="urgent")
    page = open_browser(ann)
    page.goto(QUEUE)
    box = row(page, "Alpha").bounding_box()
    filters = page.locator("details.filters")
    filters.locator("> summary").click()
    expect(filters.get_by_role("link", name="Urgent")).to_be_visible()
    assert row(page, "Alpha").bounding_box() == box
    page.keyboard.press("Escape")
    expect(filters.get_by_role("link", name="Urgent")).to_be_hidden()
    expect(filters.locator("> summary")).to_be_focused()
    filters.locator("> summary").click()
    filters.get_by_role("link", name="Urgent").click()
    expect(page).to_have_url(re.compile("priority=urgent"))
    page.get_by_role("link", name="Remove filter: Urgent").click()
    expect(page).not_to_have_url(re.compile("priority=urgent"))
    expect(row(page, "Alpha")).to_be_visible()


def test_bar_at_the_bottom_stands_there_while_something_is_ticked(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(QUEUE)
    expect(page.locator(".actions")).to_be_hidden()
    row(page, "Alpha").get_by_role("checkbox").check()
    expect(page.locator(".actions")).to_be_visible()
    row(page, "Alpha").get_by_role("checkbox").uncheck()
    expect(page.locator(".actions")).to_be_hidden()


# Changes in the row
def test_assignee_changes_in_the_row_in_two_actions(open_browser, alice, ann, sam):
    ticket = make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    row(page, "Alpha").get_by_role("link", name="Unassigned").click()
    page.get_by_role("button", name="Sam Lindqvist").click()
    expect(row(page, "Alpha").get_by_role("link", name="Sam Lindqvist")).to_be_visible()
    expect(page.locator("[data-row-said]")).to_contain_text(f"#{ticket.pk}")
    assert Ticket.objects.get().assignee == sam
    expect(page).to_have_url(re.compile(r"\?who=all$"))


def test_stale_row_says_who_was_faster_and_keeps_the_form_open(open_browser, alice, ann, sam):
    ticket = make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    row(page, "Alpha").get_by_role("link", name="Unassigned").click()
    expect(page.get_by_role("button", name="Assign to me")).to_be_focused()
    with acting_as(sam):
        ticket.assign(sam, because="took")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Sam Lindqvist self-assigned this")
    assert Ticket.objects.get().assignee == sam
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_keys_change_status_and_priority_and_select(open_browser, alice, ann):
    for subject in ("Alpha", "Beta", "Gamma"):
        make_ticket(alice, subject=subject)
    page = open_browser(ann)
    page.goto(QUEUE)
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog").get_by_role("button", name="Submitted")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row(page, "Alpha").get_by_role("link", name="In Progress")).to_be_visible()
    expect(row(page, "Alpha").locator(":focus")).to_have_count(1)
    page.keyboard.press("p")
    page.get_by_role("dialog").get_by_role("button", name="Urgent").press("Enter")
    expect(row(page, "Alpha").get_by_role("link", name="Urgent")).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("X")
    expect(page.locator(".action-counter")).to_have_text("3 of 3 selected")
    assert [(one.phase, one.priority) for one in Ticket.objects.order_by("pk")][0] == ("active", "urgent")


# Actions on what is ticked
def open_panel(page, action: str):
    page.locator("#action-toggle").check()
    page.get_by_role("button", name=action).click()
    return page.get_by_role("dialog")


def test_panel_shows_what_changes_and_applies_without_leaving_the_queue(open_browser, alice, ann):
    for subject in ("Alpha", "Beta"):
        make_ticket(alice, subject=subject)
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    panel = open_panel(page, "Assign to me")
    expect(panel.get_by_text("Ann Weber", exact=True)).to_have_count(2)
    panel.get_by_role("link", name="Cancel").click()
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Assign to me").click()
    panel.get_by_role("button", name="Change 2 tickets").click()
    expect(page.locator("[data-row-said]")).to_have_text("2 tickets updated.")
    expect(panel).to_be_hidden()
    expect(row(page, "Alpha").get_by_role("link", name="Ann Weber")).to_be_visible()
    expect(page.locator(".action-select:checked")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?who=all$"))
    assert {one.assignee for one in Ticket.objects.all()} == {ann}


def test_panel_shows_at_once_what_each_choice_changes(open_browser, alice, ann):
    for subject in ("Alpha", "Beta"):
        make_ticket(alice, subject=subject)
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    panel = open_panel(page, "Set status")
    expect(panel).to_contain_text("2 tickets selected.")
    panel.get_by_label("Status").select_option(label="In Progress")
    expect(panel.locator(".preview-sum")).to_have_text("2 emails will be sent, to: Alice Moreau")
    expect(panel.get_by_role("button", name="Change 2 tickets")).to_be_visible()
    panel.get_by_label("Status").select_option(label="On Hold")
    expect(panel.get_by_role("button", name="Change 2 tickets")).to_have_count(0)
    panel.get_by_label("Waiting for").select_option(label="Third party")
    expect(panel.get_by_text("On Hold, waiting for a third party")).to_have_count(2)
    panel.get_by_role("button", name="Change 2 tickets").click()
    expect(page.locator("[data-row-said]")).to_have_text("2 tickets updated.")
    assert {one.waiting_for for one in Ticket.objects.all()} == {"supplier"}
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("[data-row-said]")).to_have_text("2 changes undone.")
    assert {one.phase for one in Ticket.objects.all()} == {"new"}
    expect(page.locator("#result_list")).not_to_contain_text("On Hold")


def test_panel_applies_in_steps_and_names_what_was_refused(open_browser, alice, ann, sam):
    tickets = [make_ticket(alice, subject=f"Number {number}") for number in range(3)]
    page, steps = open_browser(ann), []
    page.on("request", lambda request: steps.append(request) if "x-bulk-change" in request.headers else None)
    page.goto(f"{QUEUE}?who=all")
    panel = open_panel(page, "Set priority")
    panel.evaluate("panel => { panel.dataset.step = 2; }")
    panel.get_by_label("Priority").select_option(label="High")
    expect(panel.get_by_role("button", name="Change 3 tickets")).to_be_visible()
    with acting_as(sam):
        tickets[1].set_priority("urgent")
    panel.get_by_role("button", name="Change 3 tickets").click()
    words = "2 tickets updated. 1 ticket was not changed:"
    expect(panel.get_by_role("status")).to_have_text(words, timeout=WORK)
    expect(panel.get_by_role("listitem")).to_have_text(
        re.compile(
            rf"^#{tickets[1].pk}: Sam Lindqvist changed the priority to Urgent (a|\d+) seconds? ago\.$"
        )
    )
    assert len(steps) == 2
    panel.get_by_role("button", name="Close").click()
    expect(page.locator(".action-counter")).to_have_text("1 of 3 selected")
    assert Ticket.objects.filter(priority="high").count() == 2
    expect(page.locator("[data-row-said]")).to_have_text("2 tickets updated.")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("[data-row-said]")).to_have_text("2 changes undone.")
    assert not Ticket.objects.filter(priority="high").exists()


def test_step_that_is_refused_as_a_whole_says_what_the_earlier_ones_did(open_browser, alice, ann):
    for number in range(3):
        make_ticket(alice, subject=f"Number {number}")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    panel = open_panel(page, "Set priority")
    panel.evaluate("panel => { panel.dataset.step = 2; }")
    panel.get_by_label("Priority").select_option(label="High")
    expect(panel.get_by_role("button", name="Change 3 tickets")).to_be_visible()
    # After the first step the server asks for the preview again.
    page.evaluate("""() => {
        const send = window.fetch;
        let steps = 0;
        window.fetch = (url, options) => {
          if (options.headers && ++steps === 2) options.body.delete("shown");
          return send(url, options);
        };
    }""")
    panel.get_by_role("button", name="Change 3 tickets").click()
    said = panel.locator("[data-said]")
    expect(said).to_have_text("2 tickets updated. Stopped. The other tickets were not changed.", timeout=WORK)
    panel.get_by_role("button", name="Change 1 ticket").click()
    expect(page.locator("[data-row-said]")).to_have_text("3 tickets updated.", timeout=WORK)
    assert Ticket.objects.filter(priority="high").count() == 3


def test_stopped_panel_leaves_what_was_done_and_says_so(open_browser, alice, ann):
    for number in range(5):
        make_ticket(alice, subject=f"Number {number}")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    panel = open_panel(page, "Set priority")
    panel.evaluate("panel => { panel.dataset.step = 2; }")
    panel.get_by_label("Priority").select_option(label="High")
    expect(panel.get_by_role("button", name="Change 5 tickets")).to_be_visible()
    # The click comes when the second request is on its way.
    page.evaluate("""() => {
        const bar = document.querySelector("#bulk-panel progress");
        const stop = () => bar.value && document.querySelector("[data-stop]").click();
        new MutationObserver(stop).observe(bar, { attributes: true });
    }""")
    panel.get_by_role("button", name="Change 5 tickets").click()
    words = "4 tickets updated. Stopped. The other tickets were not changed."
    expect(panel.get_by_role("status")).to_have_text(words, timeout=WORK)
    assert Ticket.objects.filter(priority="high").count() == 4


def test_actions_without_a_script_are_one_form(open_browser, alice, ann):
    for subject in ("Alpha", "Beta"):
        make_ticket(alice, subject=subject)
    page = open_browser(ann, java_script_enabled=False)
    page.goto(f"{QUEUE}?who=all")
    for subject in ("Alpha", "Beta"):
        row(page, subject).get_by_role("checkbox").check()
    page.get_by_role("button", name="Set priority").click()
    page.get_by_label("Priority").select_option(label="High")
    page.get_by_role("button", name="Preview changes").click()
    page.get_by_role("button", name="Change 2 tickets").click()
    expect(page.get_by_text("2 tickets updated.")).to_be_visible()
    expect(row(page, "Alpha").get_by_role("link", name="High")).to_be_visible()


def test_row_changes_without_a_script(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann, java_script_enabled=False)
    page.goto(f"{QUEUE}?who=all")
    row(page, "Alpha").get_by_role("link", name="Normal").click()
    page.get_by_role("button", name="High").click()
    expect(row(page, "Alpha").get_by_role("link", name="High")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?who=all$"))


@pytest.mark.parametrize("width", [1280, 1024])
def test_row_is_44_to_56_pixels_high(open_browser, alice, ann, width):
    for number in range(3):
        make_ticket(alice, subject=f"A subject that is as long as subjects are {number} " * 3)
    page = open_browser(ann, viewport={"width": width, "height": 900})
    page.goto(QUEUE)
    heights = [one.bounding_box()["height"] for one in page.locator("#result_list tbody tr").all()]
    assert all(44 <= height <= 56 for height in heights), heights


def test_counts_are_those_of_the_rows_after_a_live_change(open_browser, alice, ann, monkeypatch):
    monkeypatch.setattr(TicketAdmin, "list_per_page", 10)
    for number in range(10):
        make_ticket(alice, subject=f"Lamp {number}")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?q=lamp")
    filters = page.locator("#changelist-filter")
    expect(filters).to_contain_text(re.compile(r"New\s+10\b"))
    expect(page.locator("#queue-pages")).to_contain_text("10 tickets")
    make_ticket(alice, subject="Lamp 10")
    expect(page.locator("#queue-pages")).to_contain_text("11 tickets", timeout=LIVE)
    expect(filters).to_contain_text(re.compile(r"New\s+11\b"))
    expect(page.locator("#across")).to_contain_text("Select all tickets (11)")
    page.locator("#action-toggle").check()
    expect(page.locator(".action-counter")).to_have_text("10 of 10 selected")
    page.get_by_role("button", name="Select all tickets (11)").click()
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Change 11 tickets")).to_be_visible()


def test_open_filter_is_not_closed_by_a_live_change(open_browser, alice, ann):
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    page.locator("details.filters > summary").click()
    page.get_by_role("link", name="Urgent").focus()
    make_ticket(alice, subject="Beta")
    with page.expect_response(re.compile("/news/"), timeout=LIVE):
        pass
    expect(page.get_by_role("link", name="Urgent")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row(page, "Beta")).to_be_visible(timeout=LIVE)


def test_headers_sort_by_name_and_say_so(open_browser, alice, ann):
    for subject, priority in (("Alpha", "low"), ("Beta", "urgent")):
        make_ticket(alice, subject=subject, priority=priority)
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    first, header = page.locator("#result_list tbody tr").first, page.locator("th.column-priority_mark")
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(first).to_contain_text("Beta")
    page.get_by_role("columnheader").get_by_role("link", name="Priority").click()
    expect(page).to_have_url(re.compile("sort=-priority"))
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(first).to_contain_text("Alpha")
    expect(page.get_by_text("Least urgent first").first).to_be_visible()
    page.get_by_role("columnheader").get_by_role("link", name="Status").click()
    expect(page.locator("th.column-status_badge")).to_have_attribute("aria-sort", "ascending")
    expect(header).not_to_have_attribute("aria-sort", re.compile("."))


@pytest.mark.parametrize("width", [320, 390, 640, 700, 800, 960, 1024, 1100, 1280])
def test_nothing_scrolls_sideways_and_the_words_stay(open_browser, alice, ann, sam, width):
    ticket = make_ticket(alice, subject="A subject that is as long as subjects are " * 3, assignee=sam)
    ticket.set_status(status("waiting"), Wait("requester"))
    page = open_browser(ann, viewport={"width": width, "height": 900})
    page.goto(f"{QUEUE}?who=all")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    table = page.locator(".results")
    assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
    shown = row(page, "A subject")
    expect(shown.get_by_role("link", name="On Hold")).to_be_visible()
    expect(shown.get_by_role("link", name="Sam Lindqvist")).to_be_visible()
    if width > 768:
        assert 44 <= shown.bounding_box()["height"] <= 56
    if 768 < width <= 1024:
        assert shown.locator(".status").bounding_box()["width"] <= 24


def test_menu_of_assignees_shows_how_much_each_has(open_browser, alice, ann, sam):
    for _number in range(2):
        make_ticket(alice, assignee=sam)
    make_ticket(alice, assignee=sam, phase="done")
    make_ticket(alice, subject="Alpha")
    page = open_browser(ann)
    page.goto(f"{QUEUE}?who=all")
    row(page, "Alpha").get_by_role("link", name="Unassigned").click()
    menu = page.get_by_role("dialog")
    expect(menu.get_by_role("button", name="Sam Lindqvist 2 open tickets")).to_be_visible()
    expect(menu.get_by_role("button", name="Ann Weber 0 open tickets")).to_be_visible()
    expect(menu.locator(".who").first).to_have_text("AW")
