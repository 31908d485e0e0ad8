"""The main job, end to end, by mouse: an employee files, IT resolves it in the admin, everybody is told."""

import pytest
from playwright.sync_api import expect

from accounts.tests.cast import PASSWORD
from tickets.models import Notification, Ticket
from tickets.tests.factories import PNG, make_ticket


def sign_up_and_log_in(page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign up", exact=True).click()
    page.get_by_label("Your name").fill("Nora Diaz")
    page.get_by_label("Email address").fill("nora@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Your account is ready. Log in to continue.").first).to_be_visible()
    page.get_by_label("Email address").fill("nora@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="What do you need help with?")).to_be_visible()


def file_ticket(page) -> None:
    page.get_by_label("Describe it in a few words").fill("The projector shows a blue picture")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Subject")).to_have_value("The projector shows a blue picture")
    page.get_by_label("Category").select_option(label="Other")
    page.get_by_label("Description").fill("Since this morning, with every laptop.\n\nSee the picture.")
    page.locator("input[type=file][name]").set_input_files(
        {"name": "projector.png", "mimeType": "image/png", "buffer": PNG}
    )
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_role("heading", name="The projector shows a blue picture")).to_be_visible()


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
def test_the_main_job(open_browser, ann, has_script):
    nora = open_browser(java_script_enabled=has_script)
    sign_up_and_log_in(nora)
    file_ticket(nora)
    ticket = Ticket.objects.get()
    with nora.expect_download() as download:
        nora.get_by_role("link", name="projector.png").click()
    assert download.value.path().read_bytes() == PNG

    agent = open_browser(ann)
    agent.goto("/admin/")
    agent.get_by_role("link", name="Tickets", exact=True).click()
    with agent.expect_navigation():  # a change before the scripts work would not be saved
        agent.get_by_role("link", name="The projector shows a blue picture").click()
    agent.get_by_label("Status:").select_option(label="In Progress")
    expect(agent.locator("#story")).to_contain_text("In Progress")
    agent.get_by_label("Assignee:").select_option(label="Ann Weber")
    expect(agent.locator("#story")).to_contain_text("You self-assigned this.")

    nora.goto(ticket.get_absolute_url())
    story = nora.get_by_role("main")
    expect(story).to_contain_text("Ann Weber self-assigned this.")
    expect(story).to_contain_text("Ann Weber changed the status from Submitted to In Progress.")
    mails = list(Notification.objects.filter(ticket=ticket).order_by("pk").values_list("kind", "address"))
    assert mails[0] == ("created", "nora@example.com")
    assert sorted(mails[1:]) == [("assigned", "nora@example.com"), ("status_changed", "nora@example.com")]

    nora.get_by_role("button", name="Mark as solved").click()
    expect(nora.get_by_text("Ticket marked as solved.").first).to_be_visible()


def test_form_with_errors_keeps_what_was_typed(open_browser, alice):
    page = open_browser(alice)
    page.goto("/tickets/new/")
    page.get_by_label("Description").fill("Typed with care")
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter a subject.")
    expect(page.get_by_label("Description")).to_have_value("Typed with care")
    expect(page.locator("[data-error-summary]")).to_be_focused()


def test_double_click_makes_one_ticket(open_browser, alice):
    page = open_browser(alice)
    page.goto("/tickets/new/")
    page.get_by_label("Subject").fill("Twice")
    page.get_by_label("Category").select_option(label="Other")
    page.get_by_label("Description").fill("Clicked twice")
    page.get_by_role("button", name="Submit ticket").dblclick()
    expect(page.get_by_role("heading", name="Twice")).to_be_visible()
    assert Ticket.objects.count() == 1


def test_files_are_added_in_several_goes_and_taken_away(open_browser, alice):
    page = open_browser(alice)
    page.goto("/tickets/new/")
    for name in ("one.png", "two.png"):
        page.locator("input[type=file][name]").set_input_files(
            {"name": name, "mimeType": "image/png", "buffer": PNG}
        )
    chosen = page.get_by_role("list", name="Chosen files")
    expect(chosen.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Remove one.png").click()
    expect(chosen).to_contain_text("two.png")
    expect(chosen.get_by_role("listitem")).to_have_count(1)


def test_two_agents_do_not_overwrite_each_other(open_browser, alice, ann, sam):
    ticket = make_ticket(alice, subject="No sound")
    first, second = open_browser(ann), open_browser(sam)
    for page in (first, second):
        page.goto(f"/admin/tickets/ticket/{ticket.pk}/change/")
        page.get_by_text("Edit subject and description").click()
    second.get_by_label("Subject").fill("By Sam")
    first.get_by_label("Subject").fill("By Ann")
    first.get_by_label("Subject").blur()
    expect(first.locator("#facts").get_by_text("Saved", exact=True)).to_be_visible()
    second.get_by_label("Subject").blur()
    expect(second.get_by_role("heading", name="This ticket was changed by someone else")).to_be_visible()
    expect(second.get_by_role("table")).to_contain_text("By Ann")
    expect(second.get_by_role("table")).to_contain_text("By Sam")
    second.get_by_role("button", name="Save my version").click()
    expect(second.get_by_text("Changes saved.")).to_be_visible()
    ticket.refresh_from_db()
    assert ticket.subject == "By Sam"


def test_action_on_many_asks_and_tells(open_browser, alice, ann):
    for number in range(3):
        make_ticket(alice, subject=f"Ticket {number}")
    page = open_browser(ann)
    page.goto("/admin/tickets/ticket/")
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Set status …").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Status").select_option(label="On Hold")
    panel.get_by_label("Waiting for").select_option("requester")
    expect(panel.get_by_text("Email to Alice Moreau")).to_have_count(3)
    panel.get_by_role("button", name="Change 3 tickets").click()
    expect(page.locator("[data-row-said]")).to_have_text("3 tickets updated.")
