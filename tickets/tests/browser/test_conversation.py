"""The conversation on the site, in front of a requester: live, drafts, screenshots, taking back."""

import re

from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Attachment, Comment, Draft
from tickets.tests.factories import make_ticket

PASTE = """(field) => {
  const data = new DataTransfer();
  const bytes = Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 0]);
  data.items.add(new File([bytes], "image.png", { type: "image/png" }));
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_answer_with_a_pasted_screenshot_on_a_phone(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice, viewport={"width": 390, "height": 800}, has_touch=True)
    page.goto(ticket.get_absolute_url())
    field = page.get_by_label("Your reply")
    field.fill("This is what I see")
    field.evaluate(PASTE)
    expect(page.get_by_role("list", name="Chosen files")).to_contain_text("Screenshot")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.locator("#story")).to_contain_text("This is what I see")
    assert re.fullmatch(r"Screenshot .*\.png", Attachment.objects.get(comment=Comment.objects.get()).name)


def test_file_that_would_be_refused_is_named_and_not_sent(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    page.get_by_label("Your reply").fill("See the files")
    content = {"mimeType": "application/octet-stream", "buffer": b"Just words."}
    names = ("setup.exe", "plan.dwg", "notes", "notes.txt")
    page.locator("input[type=file][name]").set_input_files([{"name": name, **content} for name in names])
    chosen = page.get_by_role("list", name="Chosen files")
    for name in names[:2]:
        expect(chosen.get_by_role("listitem").filter(has_text=name)).to_contain_text("not accepted")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.get_by_text("Remove the marked files to send this.", exact=True).first).to_be_visible()
    assert not Comment.objects.exists()
    for name in names[:2]:
        page.get_by_role("button", name=f"Remove {name}").click()
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.locator("#story")).to_contain_text("See the files")
    assert set(Attachment.objects.values_list("name", flat=True)) == {"notes.txt"}


def test_reply_by_staff_appears_within_five_seconds_and_what_is_typed_stays(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    page.get_by_label("Your reply").fill("I am typing")
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Please restart it"))
        conversation.note(ticket, Message(author=ann, body="Costs too much"))
        ticket.close()
    expect(page.locator("#story")).to_contain_text("Please restart it", timeout=5500)
    expect(page.locator("#announcer")).to_contain_text("New reply by Ann Weber")
    expect(page.locator("#facts")).to_contain_text("Done")
    expect(page.get_by_label("Your reply")).to_have_value("I am typing")
    expect(page.get_by_label("Your reply")).to_be_focused()
    assert "Costs too much" not in page.content()


def test_reply_is_taken_back_and_stands_in_the_field_again(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    page.get_by_label("Your reply").fill("Wrong ticket")
    page.get_by_role("button", name="Send to Ann").click()
    page.get_by_role("button", name="Undo send").click()
    expect(page.get_by_label("Your reply")).to_have_value("Wrong ticket")
    assert not Comment.objects.exists()


def test_draft_survives_the_end_of_the_session_and_is_never_sent(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    with page.expect_response("**/draft/"):
        page.get_by_label("Your reply").fill("Typed for an hour")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    Session.objects.all().delete()
    again = open_browser(alice)
    again.goto(ticket.get_absolute_url())
    expect(again.get_by_label("Your reply")).to_have_value("Typed for an hour")
    assert Draft.objects.count() == 1
    assert not Comment.objects.exists()


def test_without_scripts_it_can_be_answered_and_says_how_to_see_what_is_new(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(alice, java_script_enabled=False)
    page.goto(ticket.get_absolute_url())
    expect(page.get_by_role("link", name="Reload the page")).to_be_visible()
    page.get_by_label("Your reply").fill("Still broken")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.locator("#story")).to_contain_text("Still broken")


def test_what_was_just_sent_or_refused_is_in_sight_on_a_phone(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann, description="Line\n\n" * 40)
    page = open_browser(alice, viewport={"width": 360, "height": 640}, has_touch=True)
    page.goto(ticket.get_absolute_url())
    page.get_by_text("Add a colleague").click()
    page.get_by_label("Colleague's email address").fill("nobody@example.com")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("Colleague's email address")).to_be_focused()
    page.goto(ticket.get_absolute_url())
    page.get_by_label("Your reply").fill("Wrong ticket")
    page.get_by_role("button", name="Send to Ann").click()
    expect(page.get_by_role("button", name="Undo send")).to_be_in_viewport()
    page.get_by_role("button", name="Undo send").click()
    expect(page.get_by_label("Your reply")).to_have_value("Wrong ticket")
    expect(page.get_by_label("Your reply")).to_be_in_viewport()
