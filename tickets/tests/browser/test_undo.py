"""A changed detail is undone from the line that says "Saved", on the ticket's page and in the queue."""

from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets.models import Notification
from tickets.tests.factories import make_ticket

UNDO = {"name": "Undo", "exact": True}


def address(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def test_detail_is_undone_by_key_and_nobody_is_emailed(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    # The announcement of the new entry follows it at once.
    page.evaluate("heard = []; document.addEventListener('announce', (event) => heard.push(event.detail))")
    page.get_by_label("Priority:").select_option("high")
    undo = page.get_by_role("button", **UNDO)
    expect(undo).to_be_visible()
    page.get_by_label("Priority:").focus()
    for _step in range(8):
        page.keyboard.press("Tab")
        if undo.evaluate("button => button === document.activeElement"):
            break
    assert "Saved. You can undo this for 10 seconds." in page.evaluate("heard")
    assert Notification.objects.filter(kind="edited").exists()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Priority:")).to_have_value("normal")
    expect(page.get_by_label("Priority:")).to_be_focused()
    expect(page.locator("#facts [data-saved-state]")).to_have_text(f"#{ticket.pk}: change undone.")
    expect(undo).to_be_hidden()
    expect(page.locator("#story").get_by_text("You undid a change: priority.")).to_be_visible()
    assert not Notification.objects.filter(kind="edited").exists()
    ticket.refresh_from_db()
    assert ticket.priority == "normal"


def test_undo_goes_after_ten_seconds_but_not_while_it_is_pointed_at(open_browser, alice, ann):
    page = open_browser(ann)
    page.clock.install()
    page.goto(address(make_ticket(alice)))
    page.get_by_label("Priority:").select_option("high")
    # The entry moves the page, and with it the button away from the pointer.
    expect(page.locator("#story").get_by_text("You changed the priority")).to_be_visible()
    undo = page.get_by_role("button", **UNDO)
    undo.hover()
    page.clock.run_for(15_000)
    expect(undo).to_be_visible()
    page.mouse.move(0, 0)
    page.clock.run_for(2_000)
    expect(undo).to_be_hidden()


def test_refusal_says_why_and_shows_what_is_stored(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.get_by_label("Priority:").select_option("high")
    undo = page.get_by_role("button", **UNDO)
    expect(undo).to_be_visible()
    with acting_as(sam):
        ticket.refresh_from_db()
        ticket.set_priority("urgent")
    undo.click()
    refusal = "Not undone: the ticket was changed again meanwhile."
    expect(page.locator("#facts [data-saved-state]")).to_have_text(refusal)
    expect(page.get_by_label("Priority:")).to_have_value("urgent")


def test_change_in_the_row_is_undone(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto("/admin/tickets/ticket/?who=all")
    row = page.locator("#result_list tbody tr").first
    row.locator("a[data-row-change]").filter(has_text="Normal").click()
    page.get_by_role("button", name="Urgent").click()
    expect(page.locator("[data-row-said]")).to_have_text(f"#{ticket.pk}, Priority: Urgent")
    page.get_by_role("button", **UNDO).click()
    expect(page.locator("[data-row-said]")).to_have_text(f"#{ticket.pk}: change undone.")
    expect(row.get_by_text("Normal")).to_be_visible(timeout=5500)
    ticket.refresh_from_db()
    assert ticket.priority == "normal"


def test_without_javascript_the_message_has_the_button(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann, java_script_enabled=False)
    page.goto(address(ticket))
    page.get_by_label("Priority:").select_option("high")
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("button", **UNDO).click()
    expect(page.get_by_text(f"#{ticket.pk}: change undone.")).to_be_visible()
    expect(page.get_by_label("Priority:")).to_have_value("normal")
