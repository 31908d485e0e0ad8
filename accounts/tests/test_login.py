"""Logging in, out, and what happens to those who try too often (THREATS 54 to 59, 66, 69)."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def log_in(client, email, password=PASSWORD, **extra):
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


def test_person_logs_in_with_the_address_in_any_case(client, alice):
    response = log_in(client, "Alice@EXAMPLE.com")
    assert response.status_code == 302
    assert client.get("/tickets/").status_code == 200


@pytest.mark.parametrize(("choice", "page"), [("start", "/admin/"), ("queue", "/admin/tickets/ticket/")])
def test_staff_choose_the_page_that_opens_after_login(client, ann, choice, page):
    client.force_login(ann)
    profile = {"full_name": "Ann Weber", "time_zone": "", "first_page": choice}
    assert client.post("/accounts/profile/", profile).status_code == 302
    client.logout()
    assert log_in(client, ann.email).url == page


def test_login_leads_to_the_page_that_asked_for_it_first(client, ann):
    assert log_in(client, ann.email).url == "/admin/"
    client.logout()
    asked = client.post(
        "/accounts/login/?next=/tickets/", {"login": ann.email, "password": PASSWORD, "next": "/tickets/"}
    )
    assert asked.url == "/tickets/"


def test_requesters_have_no_choice_and_come_to_the_portal(client, alice):
    assert log_in(client, alice.email).url == "/"
    assert "After login, open" not in client.get("/accounts/profile/").content.decode()


@pytest.mark.parametrize("who", ["wrong password", "unknown", "inactive"])
def test_every_failed_login_gives_the_same_page(client, alice, who):
    """THREATS 54."""
    if who == "inactive":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    email = "nobody@example.com" if who == "unknown" else alice.email
    response = log_in(client, email, "wrong" if who == "wrong password" else PASSWORD)
    assert response.status_code == 200
    assert "Incorrect email or password." in response.content.decode()
    assert client.get("/tickets/").status_code == 302


def test_fifth_try_waits_even_with_the_right_password(client, alice):
    """THREATS 55."""
    for _try in range(4):
        assert log_in(client, alice.email, "wrong").status_code == 200
    response = log_in(client, alice.email)
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert "15 minutes" in response.content.decode()


def test_stranger_cannot_lock_out_the_owner(client, alice):
    """THREATS 58."""
    for _try in range(6):
        log_in(client, alice.email, "wrong", REMOTE_ADDR="203.0.113.9")
    assert log_in(client, alice.email, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_one_address_of_the_network_cannot_try_many_people(client, settings):
    """THREATS 55: 100 an hour for each network address; shortened here."""
    limits = {**settings.ACCOUNT_RATE_LIMITS, "login_failed": "6/h/ip,4/15m/key"}
    settings.ACCOUNT_RATE_LIMITS = limits
    for number in range(6):
        assert log_in(client, f"person{number}@example.com", "wrong").status_code == 200
    assert log_in(client, "person7@example.com", "wrong").status_code == 429


def test_login_gives_the_session_a_new_key(client, alice):
    """THREATS 69."""
    client.get("/accounts/login/")
    session = client.session
    session["kept"] = "1"
    session.save()
    log_in(client, alice.email)
    assert not Session.objects.filter(session_key=session.session_key).exists()


def test_logging_out_takes_a_post_and_ends_the_session(client_of, alice):
    client = client_of(alice)
    cookie = client.cookies["sessionid"].value
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").status_code == 302
    replay = Client()
    replay.cookies["sessionid"] = cookie
    assert replay.get("/tickets/").status_code == 302


def test_login_page_sends_home_who_is_logged_in(client_of, alice):
    """THREATS 59."""
    assert client_of(alice).get("/accounts/login/").url == "/"


def test_login_without_token_is_refused(alice):
    """THREATS 59, 71."""
    response = log_in(Client(enforce_csrf_checks=True), alice.email)
    assert response.status_code == 403
    assert "This page has expired" in response.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_next_never_leaves_the_site(client, alice, target):
    response = client.post(f"/accounts/login/?next={target}", {"login": alice.email, "password": PASSWORD})
    assert response.url == "/"


def test_very_long_password_is_refused_at_once(client, alice):
    """THREATS 66."""
    response = log_in(client, alice.email, "x" * 2_000_000)
    assert response.status_code == 200
    assert "at most 256" in response.content.decode()


def test_deactivated_person_is_out_with_the_next_request(client_of, alice):
    client = client_of(alice)
    assert client.get("/tickets/").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get("/tickets/").status_code == 302


def test_demoted_agent_loses_the_admin_with_the_next_request(client_of, ann):
    client = client_of(ann)
    assert client.get("/admin/").status_code == 200
    ann.set_role(Role.REQUESTER)
    assert client.get("/admin/").status_code == 302
