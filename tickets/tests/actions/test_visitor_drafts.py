"""What is typed into a page whose session has ended is kept; what anybody posts is not (THREATS 139)."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.tests.cast import PASSWORD
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
NEW = "/tickets/new/"


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def typed(person, text="Half a story") -> dict:
    return {"subject": text, "description": text, "body": text, "typed_by": person.pk}


@pytest.mark.parametrize("cookie", [None, "", "x" * 32, "x" * 40, "\u00e9", "0" * 5000])
@pytest.mark.parametrize("place", ["new", "reply", "note"])
def test_post_without_a_session_of_ours_leaves_nothing(alice, ticket, unchanged, cookie, place):
    path = NEW if place == "new" else f"/tickets/{ticket.pk}/{place}/"
    client = Client()
    if cookie is not None:
        client.cookies["sessionid"] = cookie
    with unchanged():
        for _time in range(3):
            response = client.post(path, typed(alice))
            assert response.url.startswith("/accounts/login/")
    assert not Session.objects.exists()
    assert "What you typed was not saved: go back to copy it." in client.get(response.url).content.decode()


@pytest.mark.parametrize("place", ["new", "reply", "note"])
def test_text_typed_into_a_page_of_staff_survives_the_idle_hours(client_of, ann, ticket, place):
    """Also where the page has asked for news in between."""
    path = NEW if place == "new" else f"/tickets/{ticket.pk}/{place}/"
    shown = NEW if place == "new" else f"/tickets/{ticket.pk}/"
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        client = client_of(ann)
        traveller.shift(timedelta(hours=9))
        assert client.get("/tickets/?state=x", HTTP_X_ASKS_BY_ITSELF="yes").status_code == 302
        refused = client.post(path, typed(ann))
        assert "What you typed is kept" in client.get(refused.url).content.decode()
        login = client.post(refused.url, {"login": ann.email, "password": PASSWORD})
        assert login.url == shown
        assert "Half a story" in client.get(login.url).content.decode()


def test_few_texts_are_kept_for_one_address(client_of, alice, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "visitor_draft": "3/h/ip"}
    cookies = client_of(alice).cookies
    Session.objects.all().delete()
    for number in range(6):
        client = Client(REMOTE_ADDR=f"2001:db8:1:2::{number}")
        client.cookies = cookies.copy()
        assert client.post(NEW, typed(alice)).status_code == 302
    assert Session.objects.count() == 3
    other = Client(REMOTE_ADDR="198.51.100.7")
    other.cookies = cookies.copy()
    other.post(NEW, typed(alice))
    assert Session.objects.count() == 4


POSTS = {
    "/accounts/login/": {"login": "nobody@example.com", "password": "wrong"},
    "/accounts/password/reset/": {"email": "nobody@example.com"},
    "/accounts/signup/": {"email": "nobody@example.com"},
    "/accounts/logout/": {},
    "/accounts/confirm-email/made-up/": {},
    "/accounts/password/reset/key/1-made-up/": {"password1": "x"},
    "/accounts/email/": {"email": "nobody@example.com", "action_add": ""},
    "/accounts/reauthenticate/": {"password": "x"},
    "/tickets/mute/made-up/": {},
    "/tickets/answer/made-up/fixed/": {},
    "/tickets/answer/made-up/not-fixed/": {"body": "x"},
    "/tickets/1/draft/": {"kind": "reply", "body": "x"},
    "/tickets/1/close/": {},
    "/admin/login/": {"username": "x", "password": "x"},
    "/admin/tickets/ticket/add/": {"subject": "x"},
    "/anymail/mailgun/tracking/": {"x": "x"},
    "/": {},
}


@pytest.mark.parametrize("path", POSTS)
def test_post_of_a_visitor_starts_no_session(path):
    """The kind: only who proves something gets a row."""
    client = Client()
    for _time in range(3):
        assert client.post(path, POSTS[path]).status_code < 500
    assert not Session.objects.exists()
    assert "sessionid" not in client.cookies
