"""Finds text without a direction of its own in a page, and makes a ticket whose every text is Hebrew."""

from html.parser import HTMLParser

import pytest

from accounts.actor import acting_as
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Attachment, Category, Macro, SavedReply, SavedView, Status, Ticket
from tickets.rules.workflow import Phase
from tickets.search import documents
from tickets.tests.factories import make_ticket, shown_picture, upload

WORD = "שלום"
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "path", "circle", "rect", "use"}
# A title is no element of the page, an option takes the direction of its select, the rest shows nothing.
UNSHOWN = {"title", "option", "script", "style"}
# What others write: `unicode-bidi: plaintext` does in a style sheet what dir="auto" does in a page.
BY_STYLE = {"readonly": "admin.css"}


class Directions(HTMLParser):
    """Where WORD stands in a page without a direction of its own: texts, and values of fields."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.found, self.wrong = 0, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        is_by_style = set((attrs.get("class") or "").split()) & BY_STYLE.keys()
        direction = "auto" if tag == "bdi" or is_by_style else attrs.get("dir")
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
    files = [upload(f"{WORD}.png"), upload(f"{WORD}.txt", b"x", "text/plain")]
    Attachment.attach(files, ticket=ticket, uploader=person)
    shown_picture(ticket)
    for model, name in ((SavedReply, "title"), (Macro, "title"), (SavedView, "name")):
        model.objects.create(**{name: WORD}, **({} if model is SavedView else {"body": WORD}))
    with acting_as(ann, source=Ticket.Source.ADMIN):
        ticket.assign(ann)
        ticket.set_status(state)
        conversation.reply(ticket, Message(author=ann, body=f"> {WORD}\n{WORD}", source=Ticket.Source.EMAIL))
        conversation.watch(ticket, make_person(f"{WORD} Two", email="two@example.com"))
        ticket.subject = f"{WORD} {WORD}"
        ticket.save()
    with acting_as(sam, source=Ticket.Source.ADMIN):
        conversation.note(ticket, Message(author=sam, body=WORD))
    documents.build([ticket.pk, other.pk])
    return ticket
