"""The ticket's page in the admin in front of two agents: live, and nothing typed is lost."""

from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets import conversation
from tickets.models import Comment
from tickets.tests.factories import make_ticket, status


def address(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def test_news_arrive_while_somebody_types_and_take_nothing_away(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.get_by_label("Your reply").fill("I am in the middle of it")
    before = page.get_by_label("Your reply").bounding_box()["y"]
    with acting_as(alice):
        conversation.reply(ticket, author=alice, body="It smokes now")
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
    page.get_by_role("button", name="Save the facts").click()
    expect(page.get_by_role("heading", name="Somebody else changed it too")).to_be_visible()


def test_two_agents_see_each_other(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    first, second = open_browser(ann), open_browser(sam)
    first.goto(address(ticket))
    with second.expect_response("**/seen/"):
        second.goto(address(ticket))
    first.reload()
    expect(first.get_by_text("Sam Lindqvist has this ticket open now.")).to_be_visible()


def test_draft_is_kept_on_the_server_and_a_note_stays_with_staff(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.get_by_text("Write an internal note instead").click()
    with page.expect_response("**/draft/"):
        page.get_by_label("Internal note").fill("Budget is gone")
    page.reload()
    expect(page.get_by_label("Internal note")).to_have_value("Budget is gone")
    assert not Comment.objects.exists()
    page.get_by_role("button", name="Save note, staff only").click()
    expect(page.get_by_text("The note is saved. Only staff can read it.")).to_be_visible()
    requester = open_browser(alice)
    requester.goto(ticket.get_absolute_url())
    assert "Budget" not in requester.content()
