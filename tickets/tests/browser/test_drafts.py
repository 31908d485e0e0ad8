"""In a browser nothing that is typed is lost: two tabs, a click elsewhere, an ended session, a broken network."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from accounts.tests.cast import PASSWORD
from tickets.models import Comment, Draft, Ticket
from tickets.tests.factories import category, make_ticket, status
from tickets.tests.real_time import wait_until


def admin(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def type_into(page, label: str, text: str) -> None:
    with page.expect_response("**/draft*/"):
        page.get_by_label(label).fill(text)


def test_new_ticket_survives_a_click_elsewhere_and_is_discarded(open_browser, alice):
    page = open_browser(alice)
    page.goto("/tickets/new/")
    page.get_by_label("Subject").fill("No sound")
    page.get_by_label("Description").fill("The speakers are silent")
    page.get_by_role("link", name="My tickets").click()
    expect(page.get_by_role("heading", name="My tickets")).to_be_visible()
    wait_until(lambda: Draft.objects.filter(body="The speakers are silent").exists(), seconds=10)
    page.get_by_role("link", name="New ticket").first.click()
    expect(page.get_by_label("Description")).to_have_value("The speakers are silent")
    expect(page.get_by_label("Subject")).to_have_value("No sound")
    expect(page.get_by_text("Restored your draft from")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Draft discarded.").first).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("")
    assert not Draft.objects.exists()


def test_two_tabs_keep_two_new_tickets(open_browser, alice):
    first = open_browser(alice)
    second = first.context.new_page()
    for page in (first, second):
        page.goto("/tickets/new/")
    type_into(first, "Description", "No sound")
    type_into(second, "Description", "No picture")
    assert set(Draft.objects.values_list("body", flat=True)) == {"No sound", "No picture"}
    first.get_by_label("Subject").fill("Sound")
    first.get_by_label("Category").select_option(str(category().pk))
    first.get_by_role("button", name="Submit ticket").click()
    expect(first.get_by_role("heading", name="Sound")).to_be_visible()
    assert list(Draft.objects.values_list("body", flat=True)) == ["No picture"]


def test_reply_sent_after_the_session_ended_stands_there_after_the_login(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    type_into(page, "Your reply", "Typed for an hour")
    Session.objects.all().delete()
    page.get_by_label("Your reply").fill("Typed for an hour, and to the end")
    page.get_by_role("button", name="Send to Ann").click()
    page.locator("[name=login]").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Your reply")).to_have_value("Typed for an hour, and to the end")
    assert not Comment.objects.exists()
    assert Draft.objects.count() == 1


def test_button_comes_back_where_no_page_follows_and_nothing_is_sent_twice(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.clock.install()
    page.goto(ticket.get_absolute_url())
    type_into(page, "Your reply", "Hello")
    # The server takes it, and its answer holds no page.
    page.route("**/reply/", lambda route: (route.fetch(max_redirects=0), route.fulfill(status=204)))
    button = page.get_by_role("button", name="Send to Ann")
    button.click()
    expect(button).to_be_disabled()
    page.clock.run_for(10_000)
    expect(button).to_be_enabled()
    page.unroute("**/reply/")
    button.click()
    expect(page.locator("#story")).to_contain_text("Hello")
    assert Comment.objects.count() == 1


def test_draft_is_saved_again_where_the_network_failed(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.clock.install()
    page.goto(ticket.get_absolute_url())
    page.route("**/draft/", lambda route: route.fulfill(status=404))
    page.get_by_label("Your reply").fill("Hello")
    page.clock.run_for(1_000)
    expect(page.get_by_text("Draft not saved. Copy your text before you leave.")).to_be_visible()
    page.unroute("**/draft/")
    page.clock.run_for(11_000)
    expect(page.get_by_text("Draft saved")).to_be_visible()


def test_saving_the_details_keeps_the_reply(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(admin(ticket))
    page.get_by_label("Your reply").fill("I am on it")
    page.get_by_label("Priority:").select_option("high")
    expect(page.locator("#facts").get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_label("Your reply")).to_have_value("I am on it")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Your reply")).to_have_value("I am on it")
    expect(page.get_by_text("It is not sent yet.")).to_be_visible()
    assert Ticket.objects.get().priority == "high"
    assert not Comment.objects.exists()
    assert set(Draft.objects.values_list("kind", flat=True)) == {"reply"}


@pytest.mark.parametrize("act", ["reply", "take"])
def test_sending_something_else_keeps_changed_details(open_browser, alice, ann, act):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(admin(ticket))
    page.get_by_label("Status:").select_option(label="On Hold")  # not saved before it says what for
    if act == "reply":
        page.get_by_label("Your reply").fill("Hello")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("Reply sent.")).to_be_visible()
    else:
        page.get_by_role("button", name="Assign to me").click()
        expect(page.get_by_text("is now assigned to you.").first).to_be_visible()
    expect(page.get_by_label("Status:")).to_have_value(str(status("waiting").pk))
    expect(page.get_by_text("Not saved yet: Status.")).to_be_visible()
    assert Ticket.objects.get().phase != "waiting"
    page.get_by_label("Waiting for:").select_option("supplier")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    assert Ticket.objects.get().waiting_for == "supplier"
    assert not Draft.objects.exists()
