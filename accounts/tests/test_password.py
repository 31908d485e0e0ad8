"""Changing and resetting a password, to the end (THREATS 61 to 67)."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.events import AccountMail
from accounts.links import password_reset_link
from accounts.tests.cast import PASSWORD
from tickets.models import Notification

pytestmark = pytest.mark.django_db
NEW = "a brand new passphrase 7"


def ask(client, email, **extra):
    return client.post("/accounts/password/reset/", {"email": email}, **extra)


def kinds(address) -> list[str]:
    return list(Notification.objects.filter(address=address).order_by("pk").values_list("kind", flat=True))


def path(link: str) -> str:
    return link.removeprefix("http://localhost:8000")


def choose(client, link, password=NEW):
    """Opens the link of the mail and sends the form behind it."""
    page = client.get(path(link), follow=True)
    if "Choose a new password" not in page.content.decode():
        return page
    return client.post(page.redirect_chain[-1][0], {"password1": password})


def test_reset_works_to_the_end(client, client_of, alice, mailoutbox, django_capture_on_commit_callbacks):
    """THREATS 65: the link of the mail, a new password, every other session ends, a notice goes out."""
    elsewhere = client_of(alice)
    with django_capture_on_commit_callbacks(execute=True):
        assert ask(client, alice.email).url == "/accounts/password/reset/done/"
    link = re.search(r"http://localhost:8000/\S+", mailoutbox[0].body)[0]
    assert choose(client, link).url == "/accounts/password/reset/key/done/"
    assert elsewhere.get("/tickets/").status_code == 302
    assert client.get("/tickets/").status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert kinds(alice.email) == [AccountMail.PASSWORD_RESET, AccountMail.PASSWORD_CHANGED]
    assert "no longer works" in choose(Client(), link).content.decode()


def test_known_and_unknown_address_get_the_same_page(client, alice):
    """THREATS 61."""
    known, unknown = ask(client, alice.email), ask(client, "nobody@example.com")
    assert (known.status_code, known.url, known.content) == (
        unknown.status_code,
        unknown.url,
        unknown.content,
    )
    assert Notification.objects.count() == 1


def test_fourth_reset_in_an_hour_sends_no_mail(client, alice):
    """THREATS 62."""
    answers = {ask(client, alice.email).url for _time in range(5)}
    assert len(answers) == 1
    assert len(kinds(alice.email)) == 3


def test_eleventh_reset_from_one_network_address_sends_no_mail(client, alice):
    """THREATS 62."""
    for number in range(10):
        ask(client, f"nobody{number}@example.com")
    assert ask(client, alice.email).status_code == 302
    assert kinds(alice.email) == []


@pytest.mark.parametrize("spoiled", ["expired", "altered", "of another person"])
def test_spoiled_link_changes_nothing(client, alice, bob, spoiled):
    """THREATS 64."""
    link = password_reset_link(alice)
    moment = timezone.now()
    if spoiled == "expired":
        moment += timedelta(minutes=61)
    elif spoiled == "altered":
        link = link[:-2] + ("0/" if link[-2] != "0" else "1/")
    else:
        token = password_reset_link(bob).rpartition("/key/")[2].partition("-")[2]
        user = link.rpartition("/key/")[2].partition("-")[0]
        link = f"http://localhost:8000/accounts/password/reset/key/{user}-{token}"
    with time_machine.travel(moment, tick=False):
        assert "no longer works" in choose(client, link).content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("end", ["1", "1-", "-", "x", "1-x", "zzzzzzzzzzzzzzzz-x-y", "done-", "\u00e9-x"])
def test_link_without_all_its_parts_is_not_valid(client, alice, end):
    """THREATS 64: a mail program cut off its end."""
    response = client.get(f"/accounts/password/reset/key/{end}/")
    assert response.status_code == 200
    assert "This link no longer works" in response.content.decode()
    assert client.get("/tickets/").status_code == 302


def test_change_keeps_this_session_and_ends_the_others(client_of, alice):
    here, elsewhere = client_of(alice), client_of(alice)
    response = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW})
    assert response.status_code == 302
    assert here.get("/tickets/").status_code == 200
    assert elsewhere.get("/tickets/").status_code == 302
    assert kinds(alice.email) == [AccountMail.PASSWORD_CHANGED]


def test_change_asks_for_the_present_password(client_of, alice):
    client = client_of(alice)
    response = client.post("/accounts/password/change/", {"oldpassword": "wrong", "password1": NEW})
    assert "Incorrect current password." in response.content.decode()
    assert kinds(alice.email) == []


def test_long_passphrase_with_spaces_is_taken_whole(client, alice):
    """THREATS 66: bcrypt alone would end at 72 bytes."""
    passphrase = "the quick brown fox jumps over the lazy dog and then some more words " * 2
    choose(client, password_reset_link(alice), passphrase)
    alice.refresh_from_db()
    assert alice.check_password(passphrase.strip()) or alice.check_password(passphrase)
    assert not alice.check_password(passphrase[:72])
