"""Saved replies and macros in a real browser: searched by typing, put where the cursor is, one click and on."""

import re

import pytest
from playwright.sync_api import expect

from tickets.models import Comment, Draft, Macro, SavedReply
from tickets.tests.factories import make_ticket, status


@pytest.fixture
def ticket(alice, ann):
    SavedReply.objects.create(title="Greeting", body="Hello {first_name}")
    SavedReply.objects.create(title="New password", body="Please set a new one. {agent}", owner=ann)
    return make_ticket(alice, subject="No sound")


def open_ticket(open_browser, person, ticket, **options):
    page = open_browser(person, **options)
    page.goto(f"/admin/tickets/ticket/{ticket.pk}/change/")
    return page


def chooser(page):
    page.get_by_text("Use a saved reply").click()
    return page.get_by_label("Search titles and texts")


def test_typing_finds_and_a_click_inserts_at_the_cursor(open_browser, ann, ticket):
    page = open_ticket(open_browser, ann, ticket)
    reply = page.get_by_label("Your reply")
    reply.fill("Before. After.")
    reply.evaluate("field => { field.focus(); field.setSelectionRange(8, 8); }")
    search = chooser(page)
    expect(search).to_be_focused()
    expect(page.locator(".found button")).to_have_count(2)
    search.press_sequentially("passw")
    expect(page.locator(".found button")).to_have_count(1)
    with page.expect_response(lambda answer: "Weber" in (answer.request.post_data or "")):
        page.get_by_role("button", name="New password").click()
    expect(reply).to_have_value("Before. Please set a new one. Ann WeberAfter.")
    expect(reply).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Inserted into reply")
    assert Draft.objects.get().body == "Before. Please set a new one. Ann WeberAfter."


def test_text_begins_a_paragraph_behind_what_is_written(open_browser, ann, ticket):
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Half a sentence")
    page = open_ticket(open_browser, ann, ticket)
    chooser(page)
    page.get_by_role("button", name="Greeting").click()
    expect(page.get_by_label("Your reply")).to_have_value("Half a sentence\n\nHello Alice")


def test_keyboard_alone_is_enough(open_browser, ann, ticket):
    page = open_ticket(open_browser, ann, ticket)
    page.keyboard.press("r")
    page.keyboard.press("/")
    expect(page.get_by_label("Search titles and texts")).to_be_focused()
    expect(page.locator(".found button")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="New password")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    reply = page.get_by_label("Your reply")
    expect(reply).to_have_value("Hello Alice")
    expect(reply).to_be_focused()
    chooser(page)
    page.keyboard.press("Escape")
    expect(reply).to_be_focused()
    assert not Comment.objects.exists()


def test_note_gets_it_when_the_note_was_written_last(open_browser, ann, ticket):
    page = open_ticket(open_browser, ann, ticket)
    page.locator("label[for=mode-note]").click()
    note = page.get_by_role("textbox", name="Internal note")
    note.fill("For us:")
    chooser(page)
    page.get_by_role("button", name="Greeting").click()
    expect(note).to_have_value("For us:\n\nHello Alice")
    expect(page.get_by_label("Your reply")).to_have_value("")


def test_without_javascript_it_comes_behind_what_is_typed(open_browser, ann, ticket):
    page = open_ticket(open_browser, ann, ticket, java_script_enabled=False)
    page.get_by_label("Your reply").fill("Typed by hand")
    page.get_by_text("Use a saved reply").click()
    page.get_by_role("button", name="Show saved replies").click()
    page.get_by_label("Saved reply").select_option("Greeting")
    page.get_by_role("button", name="Insert into reply").click()
    expect(page.get_by_label("Your reply")).to_have_value("Typed by hand\n\nHello Alice")
    page.get_by_role("button", name="Send", exact=True).click()
    assert Comment.objects.get().body == "Typed by hand\n\nHello Alice"


def test_macro_acts_by_one_click_and_opens_the_next_ticket(open_browser, alice, ann, ticket):
    make_ticket(alice, subject="The next one")
    Macro.objects.create(title="Solved", body="Hello {first_name}, it works.", status=status("done"))
    page = open_browser(ann)
    page.goto("/admin/tickets/ticket/")
    page.get_by_role("link", name="No sound").click()
    page.get_by_label("Your reply").fill("What I was typing")
    page.get_by_text("Macros", exact=True).click()
    page.get_by_role("button", name="Solved", exact=True).dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("The next one"))
    expect(page.get_by_text(f"Applied “Solved” to #{ticket.pk}.")).to_be_visible()
    comment = Comment.objects.get()
    assert (comment.ticket, comment.body) == (ticket, "Hello Alice, it works.")
    ticket.refresh_from_db()
    assert ticket.is_done
    page.get_by_role("link", name=f"#{ticket.pk}", exact=True).click()
    expect(page.get_by_label("Your reply")).to_have_value("What I was typing")


def test_macros_by_keyboard(open_browser, alice, ann, ticket):
    make_ticket(alice, subject="The next one")
    Macro.objects.create(title="Solved", body="Hello {first_name}, it works.", status=status("done"))
    page = open_ticket(open_browser, ann, ticket)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Solved", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Solved", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Applied “Solved” to #{ticket.pk}.")).to_be_visible()
    assert Comment.objects.get().body == "Hello Alice, it works."


def test_macros_without_javascript_keep_what_is_typed(open_browser, alice, ann, ticket):
    make_ticket(alice, subject="The next one")
    Macro.objects.create(title="Solved", body="Hello {first_name}, it works.", status=status("done"))
    page = open_ticket(open_browser, ann, ticket, java_script_enabled=False)
    page.get_by_label("Your reply").fill("Typed by hand")
    page.get_by_text("Macros", exact=True).click()
    page.get_by_role("button", name="Show macros").click()
    expect(page.get_by_label("Your reply")).to_have_value("Typed by hand")
    page.get_by_role("button", name="Solved", exact=True).click()
    expect(page.get_by_text(f"Applied “Solved” to #{ticket.pk}.")).to_be_visible()
    assert Draft.objects.get().body == "Typed by hand"
