"""What an employee does on a phone: file, answer, say whether it helped."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tickets.models import Draft, Ticket
from tickets.tests.factories import PNG, make_ticket

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
JAM = {"subject": "Printer on the second floor is jammed", "description": "It shows a paper jam."}


def test_open_ticket_that_is_similar_is_asked_for_while_typing(open_browser, alice):
    ticket = make_ticket(alice, **JAM)
    page = open_browser(alice, **PHONE)
    page.goto("/tickets/new/")
    question = page.locator(".own-tickets")
    page.get_by_label("Subject").press_sequentially("Printer jammed again")
    expect(question).to_contain_text("You asked this today:")
    expect(question).to_contain_text(JAM["subject"])
    page.get_by_label("Subject").fill("Payroll slip for May")
    expect(question).to_have_count(0)
    page.get_by_label("Subject").fill("Printer jammed again")
    page.get_by_label("Description").fill("Second floor, since noon.")
    page.get_by_role("button", name=f"Add to #{ticket.pk}").click()
    expect(page.get_by_label("Your reply")).to_have_value("Printer jammed again\n\nSecond floor, since noon.")
    assert Draft.objects.get().ticket == ticket
    page.get_by_role("button", name="Send", exact=False).first.click()
    expect(page.locator("#story")).to_contain_text("Second floor, since noon.")
    assert Ticket.objects.count() == 1
    assert not Draft.objects.exists()


def test_solved_ticket_asks_whether_it_helped(open_browser, alice, ann):
    ticket = make_ticket(alice, phase="done", assignee=ann)
    page = open_browser(alice, **PHONE)
    page.goto(ticket.get_absolute_url())
    expect(page.get_by_role("heading", name="Is your problem solved?")).to_be_visible()
    page.get_by_role("button", name="Solved my problem").click()
    page.get_by_label("What could we do better?").fill("Tell me sooner what you do.")
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_text("Thank you for your feedback.").first).to_be_visible()
    expect(page.get_by_label("What could we do better?")).to_have_count(0)

    agent = open_browser(ann)
    agent.goto(f"/admin/tickets/ticket/{ticket.pk}/change/")
    expect(agent.locator("#story")).to_contain_text("gave feedback: “Tell me sooner what you do.”")


def test_form_is_checked_before_it_is_sent(open_browser, alice):
    page = open_browser(alice, **PHONE)
    page.goto("/tickets/new/")
    posts = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Submit ticket").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text(
        ["Subject: Enter a subject.", "Category: Choose a category.", "Description: Enter a description."]
    )
    expect(page).to_have_title("Error: New ticket · Helpdesk")
    summary.get_by_role("link", name="Enter a subject.").click()
    subject = page.get_by_label("Subject")
    expect(subject).to_be_focused()
    expect(subject).to_have_accessible_description(
        "A few words, like “Printer on the second floor does not print”. Enter a subject."
    )
    subject.fill("No sound")
    expect(page.locator("#id_subject_error")).to_have_count(0)
    assert posts == []
    page.get_by_label("Category").select_option(label="Other")
    page.get_by_label("Description").fill("The speakers are silent.")
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_role("heading", name="No sound")).to_be_visible()


def test_field_is_checked_when_it_is_left_after_a_change(open_browser):
    page = open_browser()
    page.goto("/accounts/signup/")
    email, password = page.get_by_label("Email address"), page.get_by_label("Password", exact=True)
    email.focus()
    password.focus()
    expect(page.locator(".invalid-feedback")).to_have_count(0)
    email.fill("nora@example")
    expect(page.locator(".invalid-feedback")).to_have_count(0)
    password.focus()
    expect(page.locator("#id_email_error")).to_have_text("Enter an email address like name@example.com.")
    expect(page.locator("#announcer")).to_have_text("Enter an email address like name@example.com.")
    expect(email).to_have_attribute("aria-invalid", "true")
    password.fill("short")
    email.fill("nora@example.com")
    expect(page.locator("#id_email_error")).to_have_count(0)
    expect(page.locator("#id_password1_error")).to_contain_text("at least 8 characters")
    password.fill("12345678901")
    email.focus()
    expect(page.locator("#id_password1_error")).to_have_text("This password is entirely numeric.")


def test_button_that_an_error_would_move_away_is_still_clicked(open_browser):
    page = open_browser()
    page.goto("/accounts/signup/")
    page.get_by_label("Email address").fill("nora@example")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.locator("[data-error-summary]").get_by_role("link")).to_have_count(3)


def test_time_zone_is_found_by_typing(open_browser, alice):
    page = open_browser(alice, **PHONE)
    page.goto("/accounts/profile/")
    zone = page.locator("#id_time_zone")  # a list while something is typed, else a combo box
    search = page.get_by_label("Search time zones")
    search.fill("york")
    expect(zone.locator("option:not([hidden])")).to_have_text(["Helpdesk default: UTC", "New York"])
    expect(page.locator("#announcer")).to_have_text("Matches: 1")
    search.press("ArrowDown")
    expect(zone).to_have_value("America/New_York")
    zone.press("Enter")
    expect(search).to_have_value("")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_role("combobox", name="Time zone")).to_have_value("America/New_York")


def test_time_zone_of_the_browser_is_preselected_at_sign_up(open_browser):
    page = open_browser(timezone_id="Asia/Calcutta")
    page.goto("/accounts/signup/")
    expect(page.get_by_role("combobox", name="Time zone")).to_have_value("Asia/Calcutta")


PHOTO = {"name": "photo.png", "mimeType": "image/png", "buffer": PNG}


def fill_in(page) -> None:
    page.goto("/tickets/new/")
    page.get_by_label("Subject").fill("The scanner is silent")
    page.get_by_label("Category").select_option(label="Other")
    page.get_by_label("Description").fill("Since this morning.")
    page.locator("input[type=file][name]").set_input_files(PHOTO)


def test_upload_shows_its_progress_and_the_next_page_its_message(open_browser, alice):
    page = open_browser(alice, **PHONE)
    fill_in(page)
    page.evaluate(
        """() => { window.shown = []; new MutationObserver(() => {
          const upload = document.querySelector("[data-upload]");
          const text = upload.querySelector("[data-upload-text]");
          if (!upload.hidden) window.shown.push(text.textContent);
          sessionStorage.shown = JSON.stringify(window.shown);
        }).observe(document.querySelector("[data-upload]"), { subtree: true, attributes: true, childList: true }) }"""
    )
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_text("submitted. We'll email").first).to_be_visible()
    assert "Uploading: 100%" in page.evaluate("JSON.parse(sessionStorage.shown)")
    assert Ticket.objects.get().attachments.count() == 1


def test_refused_upload_keeps_text_and_files(open_browser, alice):
    page = open_browser(alice, **PHONE)
    fill_in(page)
    page.locator("#id_subject").evaluate("field => { field.value = 'x'.repeat(151); }")
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.locator("#id_subject_error")).to_contain_text("at most 150 characters")
    expect(page.locator(".files .file-name")).to_have_text("photo.png")
    page.get_by_label("Subject").fill("The scanner is silent")
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_role("heading", name="The scanner is silent")).to_be_visible()
    assert Ticket.objects.get().attachments.count() == 1


def test_upload_that_fails_keeps_text_and_files(open_browser, alice):
    page = open_browser(alice, **PHONE)
    fill_in(page)
    page.route(
        "**/tickets/new/",
        lambda route: route.fulfill(status=413, content_type="text/html", body="<h1>Too large</h1>"),
    )
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.locator("[data-note]")).to_contain_text(
        "The upload failed. Your text and files are still here."
    )
    expect(page.locator("[data-upload]")).to_be_hidden()
    page.unroute("**/tickets/new/")
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_role("heading", name="The scanner is silent")).to_be_visible()
    assert Ticket.objects.get().attachments.count() == 1


def test_upload_is_canceled_by_key_and_nothing_is_lost(open_browser, alice):
    page = open_browser(alice, **PHONE)
    fill_in(page)
    page.evaluate("heard = []; document.addEventListener('announce', (event) => heard.push(event.detail))")
    page.route("**/tickets/new/", lambda route: None)  # a slow connection
    page.get_by_role("button", name="Submit ticket").focus()
    page.keyboard.press("Enter")
    cancel = page.get_by_role("button", name="Cancel upload")
    expect(cancel).to_be_visible()
    for _step in range(8):
        page.keyboard.press("Shift+Tab")
        if cancel.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(cancel).to_be_hidden()
    expect(page.get_by_role("button", name="Submit ticket")).to_be_focused()
    said = "Upload canceled. Nothing was sent. Your text and files are still here."
    expect(page.locator("[data-note]")).to_have_text(said)
    assert page.evaluate("heard").count(said) == 1
    expect(page.get_by_label("Subject")).to_have_value("The scanner is silent")
    assert not Ticket.objects.exists()
    page.unroute("**/tickets/new/")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The scanner is silent")).to_be_visible()
    assert Ticket.objects.get().attachments.count() == 1


def test_technical_details_are_shown_before_they_are_sent(open_browser, alice, ann):
    page = open_browser(alice, timezone_id="Europe/Berlin", **PHONE)
    page.goto("/")
    page.goto("/tickets/new/")
    details = page.locator("[data-technical]")
    boxes = details.get_by_role("checkbox")
    page.get_by_text("Attach technical details").click()
    expect(boxes).to_have_count(5)
    for name in ("Page", "Browser", "System", "Screen", "Time zone"):
        expect(details.get_by_role("checkbox", name=name)).to_be_checked()
    expect(details).to_contain_text("Europe/Berlin")
    details.get_by_role("checkbox", name="Page").uncheck()
    page.get_by_label("Subject").fill("No sound")
    page.get_by_label("Category").select_option(label="Other")
    page.get_by_label("Description").fill("The speakers are silent.")
    page.get_by_role("button", name="Submit ticket").click()
    expect(page.get_by_role("heading", name="No sound")).to_be_visible()
    stored = Ticket.objects.get().technical_details
    assert set(stored) == {"browser", "system", "screen", "time_zone"}
    assert stored["screen"].startswith("390 × 844")


@pytest.mark.parametrize("address", ["answer/secret/fixed/", "mute/secret/"])
def test_signed_link_is_no_technical_detail(open_browser, live_server, alice, address):
    page = open_browser(alice, **PHONE)
    page.goto("/tickets/new/", referer=f"{live_server.url}/tickets/{address}")
    page.get_by_text("Attach technical details").click()
    details = page.locator("[data-technical]")
    expect(details.locator("[data-value=page]")).to_contain_text("/tickets/")
    assert "secret" not in details.inner_html()


def test_closed_technical_details_are_not_sent(open_browser, alice):
    page = open_browser(alice, **PHONE)
    page.goto("/tickets/new/")
    summary = page.get_by_text("Attach technical details")
    summary.click()
    summary.click()
    assert page.locator("[name=technical]:checked").count() == 0


def test_new_states_are_accessible(open_browser, alice):
    solved = make_ticket(alice, phase="done")
    make_ticket(alice, **JAM)
    for scheme in ("light", "dark"):
        page = open_browser(alice, color_scheme=scheme, **PHONE)
        page.goto("/tickets/new/?subject=Printer jammed on the second floor")
        page.get_by_text("Attach technical details").click()
        page.locator("[data-upload]").evaluate("line => { line.hidden = false; }")
        page.get_by_role("button", name="Submit ticket").click()
        expect(page.locator(".own-tickets")).to_be_visible()
        check(page)
        page.goto("/accounts/profile/")
        page.get_by_label("Search time zones").fill("ber")
        check(page)
        page.goto(solved.get_absolute_url())
        check(page)
        if page.get_by_role("button", name="Solved my problem").count():
            page.get_by_role("button", name="Solved my problem").click()
        expect(page.get_by_label("What could we do better?")).to_be_visible()
        check(page)


def check(page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
