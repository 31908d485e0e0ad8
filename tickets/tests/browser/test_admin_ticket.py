"""The ticket's page in the admin in front of two agents: live, and nothing typed is lost."""

from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Comment
from tickets.tests.factories import make_ticket, status


def address(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def test_news_arrive_while_somebody_types_and_take_nothing_away(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    page = open_browser(ann, viewport={"width": 1280, "height": 600})  # so that it can be scrolled
    page.goto(address(ticket))
    page.get_by_label("Your reply").fill("I am in the middle of it")
    before = page.get_by_label("Your reply").bounding_box()["y"]
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="It smokes now"))
    with acting_as(sam):
        ticket.set_priority("urgent")
    expect(page.get_by_text("It smokes now")).to_be_visible(timeout=5500)
    expect(page.locator("#announcer")).to_contain_text("New reply by Alice Moreau")
    expect(page.get_by_label("Priority:")).to_have_value("urgent")
    expect(page.get_by_label("Your reply")).to_have_value("I am in the middle of it")
    expect(page.get_by_label("Your reply")).to_be_focused()
    assert abs(page.get_by_label("Your reply").bounding_box()["y"] - before) < 2


def test_facts_that_somebody_changes_are_not_replaced(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.get_by_label("Status:").select_option(label="On Hold")
    with acting_as(sam):
        ticket.set_priority("urgent")
    expect(
        page.locator("#story").get_by_text("Sam Lindqvist changed the priority from Normal to Urgent.")
    ).to_be_visible(timeout=5500)
    expect(page.get_by_label("Status:")).to_have_value(str(status("waiting").pk))
    page.get_by_label("Waiting for:").select_option("supplier")
    expect(page.get_by_role("heading", name="This ticket was changed by someone else")).to_be_visible()


def test_two_agents_see_each_other(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    first, second = open_browser(ann), open_browser(sam)
    first.goto(address(ticket))
    with second.expect_response("**/seen/"):
        second.goto(address(ticket))
    first.reload()
    expect(first.get_by_text("Sam Lindqvist is viewing this ticket.")).to_be_visible()


def test_draft_is_kept_on_the_server_and_a_note_stays_with_staff(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.locator("label[for=mode-note]").click()
    note = page.get_by_role("textbox", name="Internal note")
    expect(note).to_be_focused()
    with page.expect_response("**/draft/"):
        note.fill("Budget is gone")
    page.reload()
    expect(note).to_have_value("Budget is gone")
    expect(page.get_by_role("textbox", name="Your reply")).to_be_hidden()
    assert not Comment.objects.exists()
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Internal note added. Only staff can read it.")).to_be_visible()
    requester = open_browser(alice)
    requester.goto(ticket.get_absolute_url())
    assert "Budget" not in requester.content()


def test_answer_solve_and_next_take_two_actions(open_browser, alice, ann):
    """Typing the answer is one, the keys that send, solve and open the next ticket are the other."""
    first, second = make_ticket(alice, subject="First"), make_ticket(alice, subject="Second")
    type(ann).objects.filter(pk=ann.pk).update(opens_next=True)
    page = open_browser(ann)
    page.goto(address(first))
    expect(page.get_by_text("1 of 2")).to_be_visible()
    page.get_by_label("Your reply").fill("Restarted it")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_role("heading", name=f"#{second.pk} Second")).to_be_visible()
    expect(page.get_by_text(f"Your reply on #{first.pk} is sent.")).to_be_visible()
    first.refresh_from_db()
    assert first.is_done
    page.get_by_role("button", name="Undo send").click()
    expect(page.get_by_label("Your reply")).to_have_value("Restarted it")
    assert not Comment.objects.exists()


def test_control_enter_sends_what_the_open_tab_says(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.locator("label[for=mode-note]").click()
    page.keyboard.type("For us")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Internal note added. Only staff can read it.")).to_be_visible()
    page.get_by_label("Your reply").fill("For Alice")
    page.keyboard.press("Meta+Enter")
    expect(page.get_by_text("Reply sent.")).to_be_visible()
    assert set(Comment.objects.values_list("body", "is_public")) == {("For us", False), ("For Alice", True)}


def test_changed_detail_is_saved_at_once_and_a_refusal_says_why(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    expect(page.get_by_role("button", name="Save changes")).to_be_hidden()
    page.get_by_label("Priority:").select_option("high")
    expect(page.locator("#facts").get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.locator("#story").get_by_text("changed the priority from Normal to High")).to_be_visible()
    page.get_by_label("Status:").select_option(label="On Hold")
    expect(page.get_by_label("Waiting for:")).to_be_focused()
    page.get_by_label("Waiting for:").select_option("date")
    expect(page.locator("#facts [data-saved-state]")).not_to_have_text("Saved")
    expect(page.locator("#facts .errorlist")).to_be_visible()
    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.phase) == ("high", "new")


def test_without_javascript_details_have_a_button(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann, java_script_enabled=False)
    page.goto(address(ticket))
    page.get_by_label("Priority:").select_option("high")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    page.locator("label[for=mode-note]").click()
    page.get_by_role("textbox", name="Internal note").fill("For us")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Internal note added. Only staff can read it.")).to_be_visible()


def test_details_are_one_line_on_a_phone(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann, viewport={"width": 320, "height": 700})
    page.goto(address(ticket))
    expect(page.get_by_label("Status:")).to_be_hidden()
    toggle = page.get_by_role("button", name="Details")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_label("Status:")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_nothing_scrolls_inside_the_page(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    inner = page.evaluate(
        "[...document.querySelectorAll('#content *')].filter((one) => !one.matches('textarea, select, pre')"
        " && ['auto', 'scroll'].includes(getComputedStyle(one).overflowY)).map((one) => one.className)"
    )
    assert inner == []
