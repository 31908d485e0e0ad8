"""Addresses and methods, over the whole URL map: what is odd, foreign or absent (THREATS 9, 12, 24, 32, 52, I3)."""

import re
import uuid

import pytest
from django.urls import URLPattern, get_resolver, reverse

from accounts.roles import Role
from tickets.models import Attachment
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db
TICKET_URLS = ["tickets:detail", "tickets:update", "tickets:delete", "tickets:close", "tickets:reopen"]
ODD_NUMBERS = ["0", "-1", str(2**31), str(2**63), "9" * 26, "%ff", "1%00", "%D9%A1%D9%A2", "1.0", "1e3"]
# An argument that fits each kind of address, by the name of the argument.
ARGUMENTS = {
    "pk": 1, "key": "x", "service": "postmark",
    "uidb36": "1", "object_id": "1", "app_label": "tickets", "content_type_id": "1",
    "comment": 1, "person": 1, "link": 1, "token": "1.1:x",
    "size": "view", "upload": uuid.UUID(int=1),
    "name": "set_status",
}  # fmt: skip


def every_url(patterns=None, namespace: str = "") -> dict[str, str]:
    """One address for each name of the project."""
    found = {}
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if not isinstance(pattern, URLPattern):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            found |= every_url(pattern.url_patterns, inner)
        elif pattern.name:
            arguments = {name: ARGUMENTS[name] for name in pattern.pattern.regex.groupindex}
            found[namespace + pattern.name] = reverse(namespace + pattern.name, kwargs=arguments)
    return found


def page(response) -> tuple[int, str]:
    """What somebody is told, without the token that is new in each answer, and the path that was asked for
    (the form of the theme leads back to it).
    """
    text = re.sub(r'value="\w{64}"', "", response.content.decode())
    return response.status_code, text.replace(f'value="{response.request["PATH_INFO"]}"', "")


def test_url_map_is_read_whole():
    urls = every_url()
    assert len(urls) > 40
    assert urls["tickets:detail"] == "/tickets/1/"
    assert urls["admin:tickets_ticket_change"] == "/admin/tickets/ticket/1/change/"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
@pytest.mark.parametrize("who", ["visitor", "alice", "root"])
def test_other_methods_do_nothing_anywhere(client, client_of, alice, root, unchanged, who, method):
    """THREATS 32. Django's own DeleteView acts on DELETE, its forms on PUT."""
    make_ticket(alice, pk=1)
    browser = {"visitor": client, "alice": client_of(alice), "root": client_of(root)}[who]
    with unchanged():
        answers = {url: getattr(browser, method)(url).status_code for url in every_url().values()}
    assert set(answers.values()) == {405}, answers


@pytest.mark.parametrize("who", ["visitor", "alice", "sam", "root"])
def test_reading_never_writes(client, client_of, alice, sam, root, unchanged, who):
    """Every address of the project is opened; nothing is different afterwards."""
    ticket = make_ticket(alice, pk=1)
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    browser = {"visitor": client, "alice": client_of(alice), "sam": client_of(sam), "root": client_of(root)}[
        who
    ]
    with unchanged():
        answers = {url: browser.get(url).status_code for url in every_url().values()}
    assert max(answers.values()) < 500, answers
    assert browser.get("/tickets/").status_code == (302 if who == "visitor" else 200)


@pytest.mark.parametrize("number", ODD_NUMBERS)
@pytest.mark.parametrize("name", TICKET_URLS)
def test_odd_number_is_not_there(client_of, root, unchanged, name, number):
    """THREATS 24."""
    url = reverse(name, args=[1]).replace("/1/", f"/{number}/")
    client = client_of(root)
    with unchanged():
        answers = client.get(url).status_code, client.post(url, {"subject": "x"}).status_code
    assert set(answers) <= {404, 405}


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize("name", TICKET_URLS)
def test_foreign_ticket_looks_like_an_absent_one(client_of, alice, charlie, unchanged, name, verb):
    """I3: same status, same page, and nothing happens."""
    foreign, client = make_ticket(alice), client_of(charlie)
    client.get("/about/")
    with unchanged():
        answers = [
            page(getattr(client, verb)(reverse(name, args=[number]))) for number in (foreign.pk, 999_999)
        ]
    assert answers[0] == answers[1]
    assert answers[0][0] in (404, 405)


def test_foreign_file_looks_like_an_absent_one(client_of, alice, charlie):
    """THREATS 52, I3."""
    ticket, client = make_ticket(alice), client_of(charlie)
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    keys = [ticket.attachments.get().key, "k" * 43]
    answers = [page(client.get(reverse("tickets:attachment", args=[key]))) for key in keys]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_person_who_is_no_longer_staff_finds_foreign_tickets_gone(client_of, alice, ann):
    """THREATS 2.1: a live session after demotion."""
    url, client = make_ticket(alice).get_absolute_url(), client_of(ann)
    assert client.get(url).status_code == 200
    ann.set_role(Role.REQUESTER)
    assert client.get(url).status_code == 404


BODIES = {
    "9 lone surrogate in JSON": ("application/json", b'{"subject": "\\ud800"}'),
    "9 JSON null": ("application/json", b"null"),
    "12 no boundary": ("multipart/form-data", b"x"),
    "12 long boundary": ("multipart/form-data; boundary=" + "y" * 300, b"x"),
    "12 cut off": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na"),
    "12 unknown encoding": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="subject"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n%%%\r\n--x--\r\n",
    ),
    "bytes that are no UTF-8": ("application/x-www-form-urlencoded", b"subject=%ff%fe&description=%ed%a0%80"),
    "unknown charset": ("application/x-www-form-urlencoded; charset=nonsense", b"subject=x"),
    "another charset": ("application/x-www-form-urlencoded; charset=utf-16", b"subject=x"),
    "no type": ("", b"subject=x"),
}


@pytest.mark.parametrize(("content_type", "body"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/tickets/new/", "/tickets/1/edit/", "/accounts/profile/"])
def test_odd_body_is_refused(client_of, alice, unchanged, path, content_type, body):
    """THREATS 9, 12."""
    make_ticket(alice, pk=1)
    client = client_of(alice)
    with unchanged():
        response = client.generic("POST", path, body, content_type=content_type)
    assert response.status_code in (200, 400)


@pytest.mark.parametrize("length", ["-5", "abc", "9" * 5000])
def test_odd_length_is_refused(client_of, alice, unchanged, length):
    client = client_of(alice)
    with unchanged():
        response = client.post("/tickets/new/", {"subject": "x"}, CONTENT_LENGTH=length)
    assert response.status_code in (200, 400)
