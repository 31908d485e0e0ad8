"""What a ticket waits for is asked with a status that waits, and only then, by keyboard as well."""

import pytest
from playwright.sync_api import expect

from tickets.models import Ticket
from tickets.tests.factories import make_ticket


def test_action_on_many_asks_and_leads_to_the_question(open_browser, alice, ann):
    for _number in range(2):
        make_ticket(alice, phase="active")
    page = open_browser(ann)
    page.goto("/admin/tickets/ticket/?who=all&phase=open")
    for box in page.locator("input[name=_selected_action]").all():
        box.check()
    page.get_by_role("button", name="Set status …").click()
    reason = page.get_by_label("Waiting for:")
    expect(reason).to_be_hidden()
    page.get_by_label("Status:").select_option(label="On Hold")
    expect(reason).to_be_visible()
    expect(page.get_by_role("button", name="Change 2 tickets")).to_have_count(0)
    reason.focus()
    page.keyboard.type("Third")
    expect(page.get_by_text("On Hold, waiting for a third party")).to_have_count(2)
    page.get_by_role("button", name="Change 2 tickets").press("Enter")
    expect(page.locator("[data-row-said]")).to_have_text("2 tickets updated.")
    assert set(Ticket.objects.values_list("status__phase", "waiting_for")) == {("waiting", "supplier")}


@pytest.mark.parametrize("place", ["/admin/tickets/ticket/add/", "/admin/tickets/macro/add/"])
def test_fields_come_with_the_status(open_browser, alice, ann, place):
    page = open_browser(ann)
    page.goto(place)
    expect(page.get_by_label("Waiting for:")).to_be_hidden()
    page.get_by_label("Status:").select_option(label="On Hold")
    expect(page.get_by_label("Waiting for:")).to_be_visible()
    page.get_by_label("Status:").select_option(label="Done")
    expect(page.get_by_label("Waiting for:")).to_be_hidden()
