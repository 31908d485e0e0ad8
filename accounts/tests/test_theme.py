"""Light, dark or as the system, chosen in the account menu."""

import html
import re

import pytest

from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
SCHEME = '<meta name="color-scheme" content="{}">'


def pressed(content: str) -> list[str]:
    """The themes whose buttons are pressed."""
    return re.findall(r'aria-pressed="true"\s*>(\w+)</button>', content)


def test_theme_is_kept_and_leads_back_to_the_page(client, alice):
    client.force_login(alice)
    assert SCHEME.format("light dark") in client.get("/tickets/").content.decode()
    page = "http://testserver/tickets/?q=printer"
    response = client.post("/accounts/theme/", {"theme": "dark"}, headers={"referer": page})
    assert response.url == page
    alice.refresh_from_db()
    assert alice.theme == "dark"
    content = client.get("/tickets/").content.decode()
    assert SCHEME.format("dark") in content
    assert pressed(content) == ["Dark"]
    assert content.count('aria-pressed="false"') == 2


def test_theme_goes_for_the_workspace_too(client, ann):
    client.force_login(ann)
    client.post("/accounts/theme/", {"theme": "light"})
    content = client.get("/admin/tickets/ticket/").content.decode()
    assert SCHEME.format("light") in content
    assert pressed(content) == ["Light"]


def test_another_site_gets_nobody_back(client, alice):
    client.force_login(alice)
    elsewhere = {"referer": "https://evil.example/"}
    assert client.post("/accounts/theme/", {"theme": "dark"}, headers=elsewhere).url == "/"


def sent_theme(client, content: str):
    """Chooses a theme by the form of this page, without a script."""
    page = re.search(r'name="page"\s+value="([^"]*)"', content)[1]
    return client.post("/accounts/theme/", {"theme": "dark", "page": html.unescape(page)})


def test_form_names_the_page_it_stands_on(client, alice):
    client.force_login(alice)
    content = client.get("/tickets/?q=printer&phase=all").content.decode()
    assert sent_theme(client, content).url == "/tickets/?q=printer&phase=all"


def test_answer_to_a_form_leads_to_a_page_that_can_be_opened(client, alice):
    """A refused reply is shown at an address that takes forms only."""
    client.force_login(alice)
    ticket = make_ticket(alice)
    refused = client.post(f"/tickets/{ticket.pk}/reply/", {"body": ""})
    assert refused.status_code == 200
    answer = sent_theme(client, refused.content.decode())
    assert client.get(answer.url).status_code == 200


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_page_of_another_site_is_not_opened(client, alice, page):
    client.force_login(alice)
    assert client.post("/accounts/theme/", {"theme": "dark", "page": page}).url == "/"


@pytest.mark.parametrize("theme", ["", "blue", "Dark"])
def test_unknown_theme_is_refused(client, alice, theme):
    client.force_login(alice)
    assert client.post("/accounts/theme/", {"theme": theme}).status_code == 400
    alice.refresh_from_db()
    assert alice.theme == "system"
