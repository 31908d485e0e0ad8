"""What a page weighs over the wire: itself, its styles and scripts, compressed. Pictures do not count."""

import gzip
import re
from pathlib import Path

from django.contrib import admin
from django.contrib.staticfiles import finders
from django.test import Client

from helpdesk.lists.admin import SCRIPTS
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Attachment, Status
from tickets.tests.browser.pages import pages
from tickets.tests.factories import make_ticket, upload

LINKED = re.compile(r'(?:href|src)="/static/([^"?]+\.(?:css|js))"')
MOST = {"portal": 60_000, "workspace": 140_000}  # bytes
UNUSED_SCRIPTS = {
    # Links to related objects
    "admin/js/admin/RelatedObjectLookups.js",
    # Prepopulated fields
    "admin/js/urlify.js",
    "admin/js/prepopulate.js",
    "admin/js/vendor/xregexp/xregexp.min.js",
}


def weight(content: bytes) -> dict[str, int]:
    """Name -> bytes, compressed as WhiteNoise and nginx do."""
    found = {"page": len(gzip.compress(content))}
    for name in set(LINKED.findall(content.decode())):
        found[name] = len(gzip.compress(Path(finders.find(name)).read_bytes()))
    return found


def test_no_page_is_heavy(client, alice, ann, sam):
    ticket = make_ticket(alice, subject="The projector shows a blue picture", assignee=ann)
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    conversation.reply(ticket, Message(author=ann, body="Which room?"))
    done = make_ticket(alice, subject="No sound", phase="done")
    clients = {None: Client()}
    for who, person in {"requester": alice, "agent": ann, "supervisor": sam}.items():
        clients[who] = Client()
        clients[who].force_login(person)
    heavy = {}
    for name, (who, address) in pages({"new": ticket, "done": done}).items():
        content = clients[who].get(address, follow=True).content
        found = weight(content)
        place = "workspace" if address.startswith("/admin/") else "portal"
        assert len(found) > 3, name
        assert b"related-widget-wrapper-link" not in content, name
        if sum(found.values()) > MOST[place]:
            heavy[name] = found
    assert heavy == {}


def test_scripts_of_the_admin_are_those_of_django_but_for_the_unused():
    stock = admin.ModelAdmin(Status, admin.site).media
    assert set(stock._js) - set(SCRIPTS) == UNUSED_SCRIPTS
    assert [name for name in stock._js if name in SCRIPTS] == list(SCRIPTS)
