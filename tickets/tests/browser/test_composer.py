"""The composer in front of two agents: crossing replies, who is emailed, “@name”, and its place in the window."""

import pytest
from playwright.sync_api import expect

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Comment, Mention, Notification
from tickets.tests.browser.test_every_page import violations
from tickets.tests.factories import PNG, make_ticket

ALONE = "(element) => { const { x, y, width, height } = element.getBoundingClientRect();" + (
    " const top = document.elementFromPoint(x + width / 2, y + height / 2);"
    " return element.contains(top) || top?.contains(element) || (top?.tagName === 'LABEL'); }"
)
# Axe sets styles; a colour in the middle of a transition is none to judge.
FOR_AXE = {"bypass_csp": True, "reduced_motion": "reduce"}
PICTURE = {"name": "photo.png", "mimeType": "image/png", "buffer": PNG}
ASKED = "Someone replied while you were writing"


def address(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def say(ticket, author, body: str) -> None:
    with acting_as(author):
        conversation.reply(ticket, Message(author=author, body=body))


def without_updates(page) -> None:
    """The other reply arrives before the page has asked for news."""
    page.route("**/timeline/**", lambda route: route.fulfill(status=204))


def test_two_people_type_replies_at_once(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    first, second = open_browser(ann, **FOR_AXE), open_browser(sam)
    first.goto(address(ticket))
    second.goto(address(ticket))
    second.get_by_label("Your reply").press_sequentially("I have ordered a new one")
    expect(first.get_by_text("Sam Lindqvist is replying…")).to_be_visible(timeout=10_000)
    assert violations(first) == []
    without_updates(first)
    first.get_by_label("Your reply").fill("Please restart it")
    second.keyboard.press("Control+Enter")
    expect(second.get_by_text("Reply sent.")).to_be_visible()
    first.keyboard.press("Control+Enter")
    asked = first.get_by_role("alert").filter(has_text=ASKED)
    expect(asked).to_contain_text("I have ordered a new one")
    expect(asked).to_be_focused()
    expect(first.get_by_label("Your reply")).to_have_value("Please restart it")
    first.get_by_role("link", name="Keep writing").click()
    expect(first.get_by_label("Your reply")).to_be_focused()
    first.keyboard.press("Control+End")
    first.keyboard.type(" meanwhile")
    first.get_by_role("button", name="Send anyway").click()
    expect(first.get_by_text("Reply sent.")).to_be_visible()
    said = Comment.objects.values_list("body", flat=True)
    assert list(said) == ["I have ordered a new one", "Please restart it meanwhile"]


def test_reply_that_was_in_view_is_not_asked_about(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.get_by_label("Your reply").fill("Please restart it")
    say(ticket, sam, "I have ordered a new one")
    expect(page.get_by_text("I have ordered a new one")).to_be_visible(timeout=10_000)
    expect(page.locator("[data-seen-entry]")).to_have_value(page.locator("#live-after").input_value())
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Reply sent.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_a_reply_is_asked_about(open_browser, alice, ann, sam, scheme):
    ticket = make_ticket(alice)
    page = open_browser(ann, color_scheme=scheme, **FOR_AXE)
    page.goto(address(ticket))
    without_updates(page)
    say(ticket, sam, "I have ordered a new one")
    page.get_by_label("Your reply").fill("Please restart it")
    page.get_by_label("Don’t email Alice Moreau").press("Space")
    assert violations(page) == []
    page.get_by_label("Your reply").press("Control+Enter")
    expect(page.get_by_text(ASKED)).to_be_visible()
    assert violations(page) == []


def test_recipient_is_left_out_by_key(open_browser, alice, bob, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        conversation.watch(ticket, bob)
    page = open_browser(ann)
    page.goto(address(ticket))
    page.get_by_label("Your reply").fill("Please restart it")
    hint = page.get_by_text("is the requester and won’t get an email")
    page.get_by_label("Don’t email Alice Moreau").focus()
    page.keyboard.press("Space")
    expect(hint).to_be_visible()
    page.keyboard.press("Space")
    expect(hint).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Don’t email Bob Ortiz")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Not emailed:")).to_contain_text("Bob Ortiz")
    assert [row.person for row in Notification.objects.filter(kind="replied")] == [alice]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colleague_is_mentioned_by_key(open_browser, alice, ann, sam, roles, scheme):
    ben = make_person("Ben Okafor", role=Role.AGENT)
    ticket = make_ticket(alice)
    page = open_browser(ann, color_scheme=scheme, **FOR_AXE)
    page.goto(address(ticket))
    page.locator("label[for=mode-note]").click()
    page.keyboard.type("Ask @")
    names = page.get_by_role("listbox", name="Colleagues").get_by_role("option")
    expect(names).to_have_text(["Ben Okafor", "Sam Lindqvist"])  # without Ann, who writes
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    expect(page.locator("#mentions").get_by_role("option", name="Sam Lindqvist")).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("Escape")
    expect(page.locator("#mentions")).to_be_hidden()
    page.keyboard.type("oka")
    page.keyboard.press("Enter")
    note = page.get_by_role("textbox", name="Internal note")
    expect(note).to_have_value("Ask @Ben Okafor ")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Mentioned: Ben Okafor")).to_be_visible()
    assert Mention.objects.get().person == ben


def test_composer_stays_in_the_window_and_covers_nothing_focused(open_browser, alice, ann):
    ticket = make_ticket(alice)
    for number in range(12):
        say(ticket, alice, f"https://example.com/{number} " + "A long story. " * 20)
    page = open_browser(ann)
    page.goto(address(ticket))
    reply = page.get_by_label("Your reply")
    expect(reply).to_be_in_viewport()
    assert reply.bounding_box()["height"] < 60
    for link in page.locator("#story a").all():
        link.focus()
        assert link.evaluate(ALONE)
    reply.fill("Begun")
    assert reply.bounding_box()["height"] > 90
    for link in page.locator("#story a").all():
        link.focus()
        assert link.evaluate(ALONE)


def test_on_a_phone_the_composer_stands_at_the_end(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(ann, viewport={"width": 390, "height": 844})
    page.goto(address(ticket))
    assert page.locator(".composer").evaluate("(one) => getComputedStyle(one).position") == "relative"
    assert page.get_by_label("Your reply").bounding_box()["height"] > 90
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_a_crossing_reply_is_asked_about_too(open_browser, alice, ann, sam):
    ticket = make_ticket(alice)
    page = open_browser(ann, java_script_enabled=False)
    page.goto(address(ticket))
    say(ticket, sam, "I have ordered a new one")
    page.get_by_label("Your reply").fill("Please restart it")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text(ASKED)).to_be_visible()
    page.get_by_role("button", name="Send anyway").click()
    expect(page.get_by_text("Reply sent.")).to_be_visible()


def test_mark_as_solved_appears_beside_the_reply_once_it_has_replied(open_browser, alice, ann):
    ticket = make_ticket(alice)
    page = open_browser(alice)
    page.goto(ticket.get_absolute_url())
    solve = page.locator("#reply").get_by_role("button", name="Mark as solved")
    expect(solve).to_be_hidden()
    say(ticket, ann, "Please restart it")
    expect(solve).to_be_visible(timeout=10_000)
    solve.click()
    expect(page.get_by_text("Solved").first).to_be_visible()
    ticket.refresh_from_db()
    assert ticket.is_done


def test_reply_and_details_are_sent_together_without_scripts(open_browser, alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(ann, java_script_enabled=False)
    page.goto(address(ticket))
    page.get_by_label("Priority:").select_option("high")
    page.get_by_label("Your reply").fill("On it.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Reply sent.")).to_be_visible()
    expect(page.get_by_label("Priority:")).to_have_value("high")
    page.get_by_label("Your reply").fill("Half a")
    page.get_by_label("Priority:").select_option("low")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    expect(page.get_by_label("Priority:")).to_have_value("low")
    expect(page.get_by_label("Your reply")).to_have_value("Half a")


def test_details_are_saved_alone_on_the_page_of_a_refused_reply(open_browser, alice, ann, sam):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(ann)
    page.goto(address(ticket))
    without_updates(page)
    say(ticket, sam, "I was faster.")
    page.get_by_label("Your reply").fill("On it.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text=ASKED)).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("Priority:").select_option("high")
    expect(page.locator("#facts [data-saved-state]")).to_have_text("Saved")
    expect(page.get_by_label("Your reply")).to_have_value("On it.")
    ticket.refresh_from_db()
    assert ticket.priority == "high"
    assert Comment.objects.filter(author=ann).count() == 0


def test_upload_of_staff_is_canceled_and_a_crossing_reply_keeps_the_files(open_browser, alice, ann, sam):
    ticket = make_ticket(alice, assignee=ann)
    page = open_browser(ann)
    page.goto(address(ticket))
    without_updates(page)
    form = page.locator("#reply-form")
    form.get_by_label("Your reply").fill("See the picture.")
    form.locator("input[type=file][name]").set_input_files(PICTURE)
    page.route("**/reply/**", lambda route: None)  # a slow connection
    page.get_by_role("button", name="Send", exact=True).click()
    form.get_by_role("button", name="Cancel upload").click()
    expect(form.locator("[data-note]")).to_contain_text("Nothing was sent.")
    page.unroute("**/reply/**")
    say(ticket, sam, "I was faster.")
    page.get_by_role("button", name="Send", exact=True).click()
    asked = page.get_by_role("alert").filter(has_text=ASKED)
    expect(asked).to_be_focused()
    expect(asked).not_to_contain_text("Choose them again")
    expect(form.locator(".files .file-name")).to_have_text(PICTURE["name"])
    page.get_by_role("button", name="Send anyway").click()
    expect(page.get_by_text("Reply sent.")).to_be_visible()
    assert Comment.objects.get(author=ann).attachments.count() == 1
