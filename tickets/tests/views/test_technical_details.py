"""Technical details of a new ticket: only what is ticked is stored, and IT and the requester see it."""

import uuid

import pytest

from tickets.actions import conversation
from tickets.models import Ticket
from tickets.rules import technical
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
URL = "/tickets/new/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def file(client, *ticked: str, **fields):
    data = {"subject": "No sound", "description": "The speakers are silent.", "category": category().pk}
    data |= {"priority": "normal", "submission_key": str(uuid.uuid4()), "technical": list(ticked)}
    return client.post(URL, data | fields)


def test_without_a_script_the_browser_is_offered_and_not_ticked(client_of, alice):
    content = client_of(alice).get(URL, headers={"User-Agent": FIREFOX}).content.decode()
    assert f'value="browser:{FIREFOX}"' in content
    assert content.count('name="technical"') == 5
    (details,) = content.split("data-technical", 1)[1:]
    assert "checked" not in details.split("</details>")[0]


def test_only_what_is_ticked_is_stored(client_of, alice):
    file(client_of(alice))
    assert Ticket.objects.get().technical_details == {}
    file(client_of(alice), "time_zone:Europe/Berlin", f"browser:{FIREFOX}", subject="No picture")
    assert Ticket.objects.latest("pk").technical_lines == [
        ("Browser", FIREFOX),
        ("Time zone", "Europe/Berlin"),
    ]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("screen:1 <b>\u202e2\n3\0", {"screen": "1 <b>2 3"}),
        ("screen:" + "x" * 5000, {"screen": "x" * technical.LONGEST}),
        ("screen:  ", {}),
        ("password:x", {}),
        ("screen", {}),
        ("page:https://a.example/?b=c:d", {"page": "https://a.example/?b=c:d"}),
    ],
)
def test_values_are_cleaned_and_bounded(client_of, alice, sent, stored):
    file(client_of(alice), sent)
    assert Ticket.objects.get().technical_details == stored


def test_requester_and_staff_see_the_details_and_watchers_do_not(client_of, alice, bob, ann):
    ticket = make_ticket(alice, technical_details={"screen": "1280 <b>"})
    conversation.watch(ticket, bob)
    pages = [ticket.get_absolute_url(), f"/admin/tickets/ticket/{ticket.pk}/change/"]
    for person, page in ((alice, pages[0]), (ann, pages[0]), (ann, pages[1])):
        content = client_of(person).get(page).content.decode()
        assert "1280 &lt;b&gt;" in content
        assert "Technical details" in content
    assert "1280" not in client_of(bob).get(pages[0]).content.decode()
    assert (
        "Technical details"
        not in client_of(alice).get(make_ticket(alice).get_absolute_url()).content.decode()
    )


def test_refused_form_keeps_what_was_ticked(client_of, alice):
    content = file(client_of(alice), "screen:1280 × 800", subject="").content.decode()
    assert "Enter a subject." in content
    assert 'value="screen:1280 × 800"' in content
    assert content.count("checked>") + content.count("checked >") == 1
