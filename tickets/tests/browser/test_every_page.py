"""Every page: axe finds nothing in light and dark, nothing moves or scrolls sideways, one h1, its own title."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string

from accounts.actor import acting_as
from tickets.models import Attachment
from tickets.tests.browser.pages import pages
from tickets.tests.factories import make_ticket, upload

# WCAG 2.2, 1.4.10: 320 px is also what 1280 px at 400 % and 640 px at 200 % leave.
NARROW = (320, 390, 768)
WIDE = {"width": 1280, "height": 900}
# What moved so far without an input (https://web.dev/articles/cls).
SHIFTS = """() => {
  const observer = new PerformanceObserver(() => {});
  observer.observe({ type: "layout-shift", buffered: true });
  const moved = ({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent;
  return observer.takeRecords().filter(({ hadRecentInput }) => !hadRecentInput)
    .map(({ value, sources }) => ({ value, moved: sources.map(moved) }));
}"""
MOST_SHIFT = 0.05


@pytest.fixture
def cast(alice, ann, sam):
    return {None: None, "requester": alice, "agent": ann, "supervisor": sam}


@pytest.fixture
def tickets(alice, ann):
    fresh = make_ticket(alice, subject="The projector in room 2 shows a blue picture", priority="urgent")
    Attachment.attach([upload()], ticket=fresh, uploader=alice)
    done = make_ticket(alice, subject="VPN asks for my password again and again")
    with acting_as(ann):
        done.assign(ann)
        done.close()
    for number in range(30):
        make_ticket(alice, subject=f"Ticket {number}", phase=("new", "active", "waiting")[number % 3])
    return {"new": fresh, "done": done}


def violations(page) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in results for node in one["nodes"]]


def shifts(page) -> Iterator[str]:
    found = page.evaluate(SHIFTS)
    total = sum(shift["value"] for shift in found)
    if total > MOST_SHIFT:
        yield f"moves by {total:.2f}: {[shift['moved'] for shift in found]}"


def faults(page) -> Iterator[str]:
    """What is wrong with the page that is open, in light and dark and on narrow screens."""
    yield from shifts(page)
    if page.locator("h1").count() != 1 or page.locator("main").count() != 1:
        yield "not one heading and one main part"
    if not page.title().strip() or page.locator("html[lang]").count() != 1:
        yield "no title or no language"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        yield from (f"{scheme}: {violation}" for violation in violations(page))
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            yield f"scrolls sideways at {width} px"
    page.set_viewport_size(WIDE)


def test_every_page_is_sound(open_browser, cast, tickets):
    """One visit a page finds all of it: a visit costs more than a look."""
    found, browsers = {}, {}
    for name, (who, address) in pages(tickets).items():
        if who not in browsers:
            # Axe sets styles; a colour in the middle of a transition is none to judge.
            options = {"bypass_csp": True, "has_touch": True, "reduced_motion": "reduce"}
            browsers[who] = open_browser(cast[who], **options)
            browsers[who].set_viewport_size(WIDE)
        page = browsers[who]
        page.goto(address, wait_until="networkidle")
        if wrong := list(faults(page)):
            found[name] = wrong
    assert found == {}


def test_nothing_moves_on_a_phone(open_browser, cast, tickets):
    """On a desktop: test_every_page_is_sound()."""
    found, browsers = {}, {}
    for name, (who, address) in pages(tickets).items():
        if who not in browsers:
            browsers[who] = open_browser(cast[who], viewport={"width": 390, "height": 844}, has_touch=True)
        page = browsers[who]
        page.goto(address)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        if moved := list(shifts(page)):
            found[name] = moved
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_that_need_an_act(open_browser, cast, tickets, scheme):
    page, agent = (
        open_browser(cast["requester"], color_scheme=scheme, bypass_csp=True),
        open_browser(cast["agent"], color_scheme=scheme, bypass_csp=True),
    )
    page.goto("/tickets/new/")
    page.get_by_role("button", name="Submit ticket").click()
    assert violations(page) == []
    for who, door in (
        (page, f"/tickets/{tickets['new'].pk}/edit/"),
        (agent, f"/admin/tickets/ticket/{tickets['new'].pk}/change/"),
    ):
        who.goto(door)
        ticket = type(tickets["new"]).objects.get(pk=tickets["new"].pk)
        ticket.subject += "!"
        ticket.save()
        if who is agent:
            who.get_by_text("Edit subject and description").click()
        who.locator("[name=subject]").fill("Mine")
        if who is agent:
            who.locator("[name=subject]").blur()
        else:
            who.locator("form:has([name=subject]) [type=submit]").click()
        who.get_by_text("This ticket was changed by someone else").first.wait_for()
        assert violations(who) == []
    agent.goto("/admin/tickets/ticket/")
    agent.locator("#action-toggle").check()
    agent.get_by_role("button", name="Assign to …").click()
    agent.locator("#bulk-panel .preview").wait_for()
    assert violations(agent) == []


@pytest.mark.parametrize("name", ["400", "413", "500", "503"])
def test_axe_finds_nothing_on_pages_of_last_resort(open_browser, name):
    page = open_browser(bypass_csp=True)
    page.goto("/")
    page.set_content(render_to_string(f"{name}.html"))
    assert violations(page) == []
    assert page.locator("h1").count() == 1


def test_targets_on_a_phone_are_large_enough(open_browser, cast, tickets):
    """WCAG 2.2, 2.5.8: 24 px. Not links inside a sentence, nor titles whose whole row is the target."""
    small = []
    page = open_browser(cast["requester"], viewport={"width": 390, "height": 844}, has_touch=True)
    for name, (who, address) in pages(tickets).items():
        if who != "requester":
            continue
        page.goto(address)
        small += page.evaluate(
            """name => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")]
              .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest("p, .message-text, .visually-hidden"))
              .filter(e => !e.matches(".skip-link, input[type=file], .row-title"))
              .map(e => [e, e.getBoundingClientRect()])
              .filter(([e, box]) => box.width > 0 && (box.height < 24 || box.width < 24))
              .map(([e]) => name + ": " + e.outerHTML.slice(0, 120))""",
            name,
        )
    assert small == []
