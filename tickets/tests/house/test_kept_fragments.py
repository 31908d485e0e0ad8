"""What a process keeps of pages for everybody holds nothing of a person, of a ticket or of a form that is sent."""

import pickle
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches

from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.tests.factories import make_ticket, upload

TEMPLATES = Path(settings.BASE_DIR, "templates")


@pytest.fixture
def kept(settings):
    """function() -> the fragments that are kept since the test began."""
    settings.CACHES = {
        **settings.CACHES,
        "same_for_all": {**settings.CACHES["same_for_all"], "LOCATION": "test_kept_fragments"},
    }
    cache = caches["same_for_all"]
    cache.clear()
    return lambda: [str(pickle.loads(value)) for value in cache._cache.values()]  # noqa: S301 - our own


@pytest.mark.django_db
def test_nothing_of_a_person_is_kept(client_of, alice, bob, ann, sam, kept):
    ticket = make_ticket(alice, subject="Zebra", description="Quagga")
    conversation.watch(ticket, bob)
    conversation.reply(ticket, Message(author=ann, body="Okapi", files=[upload("okapi.png")]))
    for person in (alice, bob, ann, sam):
        client = client_of(person)
        for address in ("/", "/tickets/", "/tickets/?q=zebra&priority=high", "/tickets/new/"):
            client.get(address)
        for query in ("", "?q=zebra", f"?who=all&assignee={ann.pk}"):
            client.get(f"/admin/tickets/ticket/{query}")
        page = ticket.get_absolute_url()
        client.get(page)
        client.post(f"{page}reply/", {"body": "", "key": "Gnu"})
        client.post(f"{page}watchers/", {"email": "gnu@nowhere"})
        client.post("/tickets/new/", {"subject": "Gnu"})
    fragments = kept()
    assert len(fragments) >= 8
    people = [word for person in (alice, bob, ann, sam) for word in (person.full_name, person.email)]
    for word in (
        *people,
        "Zebra",
        "Quagga",
        "Okapi",
        "Gnu",
        "gnu@nowhere",
        "csrfmiddlewaretoken",
        'name="key"',
    ):
        assert not [fragment for fragment in fragments if word.lower() in fragment.lower()], word


def test_what_has_words_is_kept_for_each_language():
    pattern = re.compile(r"{% cache (.*?) %}(.*?){% endcache %}", re.S)
    found = [match for path in TEMPLATES.rglob("*.html") for match in pattern.findall(path.read_text())]
    assert found
    for name, text in found:
        assert name.startswith("None ")
        assert name.endswith(' using="same_for_all"')
        has_words = re.search(r"translate|crispy|include \"tickets", text)
        assert not has_words or " language " in name, name
