"""What people typed is shown in its own direction, and turns nothing around that stands beside it (THREATS 13)."""

from html.parser import HTMLParser

import pytest

from accounts.actor import acting_as
from accounts.tests.cast import make_person
from tickets import conversation
from tickets.models import Attachment, Category, Macro, Notification, SavedReply, SavedView, Status, Ticket
from tickets.notifications import messages
from tickets.search import documents
from tickets.tests.factories import make_ticket, status, upload
from tickets.typed import isolated
from tickets.workflow import Phase

pytestmark = pytest.mark.django_db
WORD = "שלום"
QUEUE = "/admin/tickets/ticket/"
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "path", "circle", "rect", "use"}
# A title is no element of the page, an option takes the direction of its select, the rest shows nothing.
UNSHOWN = {"title", "option", "script", "style"}


class Directions(HTMLParser):
    """Where WORD stands in a page without a direction of its own: texts, and values of fields."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.found, self.wrong = 0, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        direction = "auto" if tag == "bdi" else attrs.get("dir")
        if tag == "input" and attrs.get("type") not in ("hidden", "submit", "checkbox", "radio"):
            self._see(attrs.get("value"), direction, tag, self.get_starttag_text())
        if tag not in VOID:
            self.open.append((tag, direction))

    def handle_endtag(self, tag):
        while tag not in VOID and self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        direction = next((found for _tag, found in reversed(self.open) if found), None)
        tag = self.open[-1][0] if self.open else ""
        if tag not in UNSHOWN:
            self._see(data, direction, tag, data)

    def _see(self, text, direction, tag, where):
        if text and WORD in text:
            self.found += 1
            if direction != "auto":
                self.wrong.append(f"<{tag}> {where.strip()}")


@pytest.fixture
def hebrew(sam, ann):
    """A ticket whose every text is Hebrew, and its requester."""
    person = make_person(WORD, email="dana@example.com", department=WORD, location=WORD)
    category = Category.objects.create(name=WORD, description=WORD)
    state = Status.objects.create(name=WORD, phase=Phase.ACTIVE, position=9)
    ann.full_name = f"{WORD} Ann"
    ann.save()
    ticket = make_ticket(person, subject=WORD, description=f"{WORD}\n    {WORD}", category=category)
    other = make_ticket(person, subject=f"{WORD} 2", description=WORD, category=category)
    Attachment.from_upload(upload(f"{WORD}.png"), ticket=ticket, uploader=person)
    Attachment.from_upload(upload(f"{WORD}.txt", b"x", "text/plain"), ticket=ticket, uploader=person)
    for model, name in ((SavedReply, "title"), (Macro, "title"), (SavedView, "name")):
        model.objects.create(**{name: WORD}, **({} if model is SavedView else {"body": WORD}))
    with acting_as(ann, source=Ticket.Source.ADMIN):
        ticket.assign(ann)
        ticket.set_status(state)
        conversation.reply(ticket, author=ann, body=f"> {WORD}\n{WORD}", source=Ticket.Source.EMAIL)
        conversation.watch(ticket, make_person(f"{WORD} Two", email="two@example.com"))
        ticket.subject = f"{WORD} {WORD}"
        ticket.save()
    with acting_as(sam, source=Ticket.Source.ADMIN):
        conversation.note(ticket, author=sam, body=WORD)
    documents.build([ticket.pk, other.pk])
    return ticket


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
    QUEUE + "{}/merge/", QUEUE + "{}/saved-replies/", "/admin/tickets/category/", "/admin/tickets/status/",
    "/admin/tickets/savedreply/", "/admin/tickets/macro/", "/admin/tickets/savedview/", "/admin/accounts/user/",
    "/admin/tickets/activitylog/", QUEUE + "{}/delete/", "/admin/accounts/user/{person}/change/",
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
