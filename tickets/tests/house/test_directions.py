"""What people typed is shown in its own direction, and turns nothing around that stands beside it (THREATS 13)."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings

from accounts.actor import acting_as
from tickets.mail.writing import messages
from tickets.models import Notification
from tickets.rules.typed import isolated
from tickets.tests.directions import BY_STYLE, WORD, Directions
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tickets/ticket/"
SITE_PAGES = [
    "/",
    "/tickets/",
    f"/tickets/?q={WORD}",
    "/tickets/{}/",
    "/tickets/{}/edit/",
    "/accounts/profile/",
]
STAFF_PAGES = [
    "/tickets/?phase=all", "/tickets/{}/", QUEUE + "{}/change/", f"{QUEUE}?phase=all", f"{QUEUE}?phase=all&q={WORD}",
    QUEUE + "{}/merge/", QUEUE + "{}/saved-replies/", QUEUE + "{}/macros/", "/admin/tickets/category/",
    "/admin/tickets/status/", "/admin/tickets/savedreply/", "/admin/tickets/macro/", "/admin/tickets/savedview/",
    "/admin/accounts/user/", "/admin/tickets/activitylog/", QUEUE + "{}/delete/", "/admin/accounts/user/{person}/change/",
]  # fmt: skip


@pytest.mark.parametrize("url", SITE_PAGES)
def test_pages_of_the_site(client_of, hebrew, url):
    page = Directions(
        client_of(hebrew.requester).get(url.format(hebrew.pk, person=hebrew.requester_id)).content.decode()
    )
    assert page.found
    assert page.wrong == []


@pytest.mark.parametrize("url", STAFF_PAGES)
def test_pages_of_staff(client_of, hebrew, sam, url):
    page = Directions(client_of(sam).get(url.format(hebrew.pk, person=hebrew.requester_id)).content.decode())
    assert page.found
    assert page.wrong == []


def test_style_sheets_do_what_no_attribute_can():
    for name, sheet in BY_STYLE.items():
        (rule,) = re.findall(
            rf"^\.{name} {{(.*?)}}", Path(settings.BASE_DIR, "static/css", sheet).read_text(), re.M
        )
        assert "unicode-bidi: plaintext" in rule


def test_the_test_sees_what_has_no_direction():
    for page in (
        f"<p>{WORD}</p>",
        f'<p dir="ltr">{WORD}</p>',
        f'<input value="{WORD}">',
        f"<b>{WORD}<br></b>",
    ):
        assert Directions(page).wrong
    assert not Directions(
        f'<p dir="auto"><b>{WORD}</b></p><bdi>{WORD}</bdi><input dir="auto" value="{WORD}">'
    ).wrong


@pytest.mark.parametrize(
    "url", ["/tickets/new/", "/accounts/profile/", f"{QUEUE}add/", "/admin/tickets/macro/add/"]
)
def test_every_field_for_a_text_has_one(client_of, sam, url):
    class Fields(HTMLParser):
        wrong: list[str] = []  # noqa: RUF012 - of one page

        def handle_starttag(self, tag, attrs):
            attrs = dict(attrs)
            is_text = tag == "textarea" or tag == "input" and attrs.get("type", "text") in ("text", "search")
            if is_text and attrs.get("dir") != "auto":
                self.wrong.append(attrs.get("name"))

    fields = Fields()
    fields.feed(client_of(sam).get(url).content.decode())
    assert fields.wrong == []


def test_mails(hebrew, mailgun):
    built = 0
    for row in Notification.objects.filter(ticket_id=hebrew.pk).select_related("activity", "person"):
        html = messages.build([row]).alternatives[0][0]
        page = Directions(html)
        assert page.found
        assert page.wrong == []
        built += 1
    assert built > 2


@pytest.mark.parametrize("name", [WORD, "مرحبا", "a\u202eb", "\u2067x"])
def test_sentence_of_ours_keeps_its_order(client_of, alice, ann, name):
    """Only what was typed is turned: the sentence around it begins where it begins."""
    assert isolated(name) == f"\u2068{name}\u2069"
    ann.full_name = name
    ann.save()
    ann.refresh_from_db()
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.set_status(status("active"))
    page = client_of(alice).get(ticket.get_absolute_url()).content.decode()
    shown = isolated(ann.full_name)
    assert f'<li dir="auto">{shown} changed the status' in page


@pytest.mark.parametrize("name", ["Alice", "Zoë", "東京", "Жанна", "12"])
def test_other_names_are_left_as_they_are(name):
    assert isolated(name) == name
