"""In a browser every form comes back with what was typed: another page, an ended session, a second login."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from accounts.tests.cast import PASSWORD
from tickets.models import Comment, Draft, SavedReply, Ticket
from tickets.tests.browser.test_drafts import admin, type_into
from tickets.tests.factories import category, make_ticket
from tickets.tests.real_time import wait_until

RESTORED = re.compile(r"Restored your changes from \d\d:\d\d\. Not saved yet: ")


def log_in(page, person) -> None:
    page.locator("[name=login]").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Log in").click()


def test_password_that_is_typed_before_the_scripts_run_is_not_lost(open_browser):
    page = open_browser(None)
    held = []
    page.route("**/passwords*.js", lambda route: held.append(route))
    page.goto("/accounts/login/", wait_until="commit")
    field = page.get_by_label("Password", exact=True)
    field.press_sequentially("half")
    assert held
    for route in held:
        route.continue_()
    expect(page.get_by_role("button", name="Show password")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.type(" and half")
    expect(field).to_have_value("half and half")


def wait_for_draft(text: str) -> None:
    """The browser sends it when the page goes away, and asks for the next page beside it."""
    wait_until(lambda: any(text in draft.text for draft in Draft.objects.all()), seconds=10)


def leave(page, text: str) -> None:
    """A click elsewhere, until `text` is kept."""
    page.get_by_role("link", name="About").or_(page.get_by_role("link", name="Portal")).first.click()
    expect(page.locator("[data-draft]")).to_have_count(0)
    wait_for_draft(text)


def fill(page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann, subject="No sound")


FORMS = {
    "edit": ("/tickets/{}/edit/", "Subject", "Save changes"),
    "profile": ("/accounts/profile/", "Your name", "Save profile"),
    "saved reply": ("/admin/tickets/savedreply/add/", "Title:", "Save"),
    "macro": ("/admin/tickets/macro/add/", "Title:", "Save"),
    "new for somebody": ("/admin/tickets/ticket/add/", "Subject:", "Save"),
}


@pytest.mark.parametrize("name", FORMS)
def test_click_elsewhere_keeps_what_was_typed(open_browser, ann, ticket, name):
    address, label, button = FORMS[name]
    page = open_browser(ann)
    page.goto(address.format(ticket.pk))
    fill(page, label, "Typed words")
    leave(page, "Typed words")
    page.goto(address.format(ticket.pk))
    expect(page.get_by_label(label, exact=True)).to_have_value("Typed words")
    expect(page.get_by_text(RESTORED)).to_be_visible()
    fill(page, label, "Typed words, and more")
    leave(page, "Typed words, and more")
    page.goto(address.format(ticket.pk))
    expect(page.get_by_label(label, exact=True)).to_have_value("Typed words, and more")
    assert Draft.objects.count() == 1
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Draft discarded.").first).to_be_visible()
    expect(page.get_by_label(label, exact=True)).not_to_have_value("Typed words, and more")
    assert not Draft.objects.exists()


@pytest.mark.parametrize("last_to_arrive", ["older", "newer"])
def test_newest_words_win_where_the_page_goes_while_older_ones_are_on_their_way(
    open_browser, alice, ticket, last_to_arrive
):
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    page.route("**/draft/", lambda route: None, times=1)  # it leaves the browser, and arrives nowhere
    with page.expect_request("**/draft/") as asked:
        page.get_by_label("Your reply").fill("Typed words")
    older = asked.value

    def let_older_arrive() -> None:
        body, headers = older.post_data_buffer, older.all_headers()
        assert page.context.request.post(older.url, data=body, headers=headers).status == 204

    if last_to_arrive == "newer":
        let_older_arrive()
    page.get_by_label("Your reply").fill("Typed words, and more")
    page.get_by_role("link", name="My tickets").first.click()
    expect(page.get_by_role("heading", name="My tickets")).to_be_visible()
    wait_for_draft("Typed words, and more")
    if last_to_arrive == "older":
        let_older_arrive()
    assert Draft.objects.get().body == "Typed words, and more"


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("name", FORMS)
def test_form_sent_after_the_session_ended_stands_there_after_the_login(
    open_browser, ann, ticket, name, has_script
):
    address, label, button = FORMS[name]
    page = open_browser(ann, java_script_enabled=has_script)
    page.goto(address.format(ticket.pk))
    Session.objects.all().delete()
    fill(page, label, "Typed words")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text("What you typed is kept, but no files.").first).to_be_visible()
    log_in(page, ann)
    expect(page.get_by_label(label, exact=True)).to_have_value("Typed words")
    expect(page.get_by_text(RESTORED)).to_be_visible()


def test_enter_in_a_restored_form_saves_it(open_browser, alice, ticket):
    """The first button of a form is what Enter presses: it must not be the one that discards."""
    Draft.objects.keep(person=alice, ticket=None, kind="ticket", body="Typed", fields={"subject": "Typed"})
    page = open_browser(alice)
    page.goto("/tickets/new/")
    page.get_by_label("Category").select_option(str(category().pk))
    page.get_by_label("Subject").press("Enter")
    expect(page.get_by_role("heading", name="Typed")).to_be_visible()
    fields = {"subject": "Louder"}
    place = f"/tickets/{ticket.pk}/edit/"
    Draft.objects.keep(person=alice, ticket=None, kind="form", body="", fields=fields, place=place)
    page.goto(place)
    page.get_by_label("Subject").press("Enter")
    expect(page.get_by_role("heading", name="Louder")).to_be_visible()
    assert not Draft.objects.exists()


def test_requester_who_was_chosen_comes_back(open_browser, ann, alice):
    page = open_browser(ann)
    page.goto("/admin/tickets/ticket/add/")
    page.locator(".field-requester .select2-selection").click()
    page.locator(".select2-search__field").fill("Alice")
    page.get_by_role("option", name=re.compile("Alice")).click()
    leave(page, str(alice.pk))
    page.goto("/admin/tickets/ticket/add/")
    expect(page.locator(".field-requester .select2-selection")).to_contain_text("Alice")
    fill(page, "Subject:", "No sound")
    page.locator("[name=description]").fill("Silence")
    page.get_by_label("Category:").select_option(str(category().pk))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert Ticket.objects.get().requester == alice
    assert not Draft.objects.exists()


def test_details_and_reply_both_survive_the_end_of_the_session(open_browser, alice, ann, ticket):
    page = open_browser(ann)
    page.goto(admin(ticket))
    Session.objects.all().delete()
    page.get_by_label("Your reply").fill("I am on it")
    page.get_by_label("Priority:").select_option("high")
    page.get_by_role("button", name="Save changes").click()
    log_in(page, ann)
    expect(page.get_by_label("Your reply")).to_have_value("I am on it")
    expect(page.get_by_label("Priority:")).to_have_value("high")
    expect(page.get_by_text("Not saved yet: Priority.")).to_be_visible()
    assert not Comment.objects.exists()


def test_typed_without_a_session_it_is_said_and_kept_on_a_click_elsewhere(open_browser, alice, ticket):
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    Session.objects.all().delete()
    type_into(page, "Your reply", "Typed words")
    expect(page.get_by_text("You are logged out. What you typed is kept for an hour")).to_be_visible()
    page.get_by_label("Your reply").fill("Typed words, and more")
    page.get_by_role("link", name="My tickets").first.click()
    log_in(page, alice)
    page.goto(ticket.get_absolute_url())
    expect(page.get_by_label("Your reply")).to_have_value("Typed words, and more")


def test_second_login_in_another_tab_costs_no_words(open_browser, alice, ann, ticket):
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    Session.objects.all().delete()
    other = page.context.new_page()
    other.goto("/tickets/")
    log_in(other, alice)
    expect(other.get_by_role("heading", name="My tickets")).to_be_visible()
    type_into(page, "Your reply", "Typed words")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.get_by_label("Your reply").fill("Typed words, and more")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.get_by_text("You logged in again since this page was opened")).to_be_visible()
    expect(page.get_by_label("Your reply")).to_have_value("Typed words, and more")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.locator("#story")).to_contain_text("Typed words, and more")
    assert Comment.objects.count() == 1
    assert not Draft.objects.exists()


def test_another_person_who_logged_in_gets_no_draft_of_it(open_browser, alice, ann, ticket):
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    Session.objects.all().delete()
    other = page.context.new_page()
    other.goto("/tickets/")
    log_in(other, ann)
    expect(other).to_have_url(re.compile("/tickets/$"))
    type_into(page, "Your reply", "Words of Alice")
    expect(page.get_by_text("Someone else is logged in here now.")).to_be_visible()
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.get_by_label("What you typed")).to_have_value("Words of Alice")
    assert not Draft.objects.exists()


def test_refused_form_keeps_all_its_changes(open_browser, ann):
    reply = SavedReply.objects.create(title="Hello", body="Hello", owner=ann)
    page = open_browser(ann)
    page.goto(f"/admin/tickets/savedreply/{reply.pk}/change/")
    fill(page, "Text:", "Good morning")
    fill(page, "Title:", "")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Fill in this field.").first).to_be_visible()
    type_into(page, "Title:", "Morning")
    leave(page, "Morning")
    page.goto(f"/admin/tickets/savedreply/{reply.pk}/change/")
    expect(page.get_by_label("Text:", exact=True)).to_have_value("Good morning")
    expect(page.get_by_label("Title:", exact=True)).to_have_value("Morning")


def test_who_leaves_what_could_not_be_saved_is_asked_first(open_browser, alice, ticket):
    page = open_browser(alice)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(ticket.get_absolute_url())
    page.route("**/draft/", lambda route: route.fulfill(status=404))
    page.get_by_label("Your reply").fill("Hello")
    expect(page.get_by_text("Draft not saved. Copy your text before you leave.")).to_be_visible()
    page.get_by_role("link", name="My tickets").first.click()
    expect(page.get_by_role("heading", name="My tickets")).to_be_visible()
    assert asked == ["beforeunload"]


def test_page_from_the_browsers_memory_has_its_buttons(open_browser, alice, ann, ticket):
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    type_into(page, "Your reply", "Hello")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.locator("#story")).to_contain_text("Hello")
    page.go_back()
    expect(page.get_by_role("button", name="Send to Ann")).to_be_enabled()
