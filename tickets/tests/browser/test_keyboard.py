"""Everything without a mouse, with the focus always to be seen (WCAG 2.2, 2.1.1, 2.4.1, 2.4.7)."""

from playwright.sync_api import expect

from accounts.tests.cast import PASSWORD
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

OUTLINE = """() => {
  const style = getComputedStyle(document.activeElement);
  const after = getComputedStyle(document.activeElement, "::after");
  const box = getComputedStyle(document.activeElement.closest(".ask-box, .find-box") ?? document.activeElement);
  const isSeen = ({ outlineWidth, outlineStyle }) => parseFloat(outlineWidth) > 0 && outlineStyle !== "none";
  return [style, after, box].some(isSeen)
      || document.activeElement.closest("[data-ready]") !== null;
}"""


def tab_to(page, selector: str, limit: int = 40) -> None:
    """Presses Tab until the element has the focus; each stop on the way must show it."""
    for _press in range(limit):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_log_in_and_file_a_ticket_by_keyboard(open_browser, alice):
    page = open_browser()
    page.goto("/accounts/login/")
    tab_to(page, "[name=login]")
    page.keyboard.type(alice.email)
    tab_to(page, "[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What do you need help with?")).to_be_visible()
    tab_to(page, "#ask-subject")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Subject")).to_be_visible()
    tab_to(page, "[name=subject]")
    page.keyboard.type("By keyboard")
    tab_to(page, "[name=category]")
    page.keyboard.type("Oth")
    tab_to(page, "[name=description]")
    page.keyboard.type("Only keys were pressed.")
    tab_to(page, "main button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keyboard")).to_be_visible()
    assert Ticket.objects.get().category.name == "Other"


def test_skip_link_leads_to_the_content(open_browser, alice):
    page = open_browser(alice)
    page.goto("/tickets/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_account_menu_opens_and_closes_by_keyboard(open_browser, alice):
    page = open_browser(alice)
    page.goto("/tickets/")
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Your profile")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Your profile")).to_be_hidden()


def test_password_can_be_shown(open_browser):
    page = open_browser()
    page.goto("/accounts/login/")
    page.get_by_label("Password", exact=True).fill("secret")
    page.get_by_role("button", name="Show password").click()
    expect(page.locator("#id_password")).to_have_attribute("type", "text")


def test_staff_reach_a_ticket_by_keyboard(open_browser, alice, ann):
    make_ticket(alice, subject="No sound")
    page = open_browser(ann)
    page.goto("/admin/tickets/ticket/")
    tab_to(page, "a.ticket-link", limit=60)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your reply")).to_be_visible()


def test_theme_changes_at_once_and_keeps_what_was_typed(open_browser, alice):
    page = open_browser(alice, color_scheme="light")
    page.goto("/tickets/new/")
    page.get_by_label("Subject").fill("Half a subject")
    page.locator("details[data-menu] summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Subject")).to_have_value("Half a subject")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 29)"
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 29)"
