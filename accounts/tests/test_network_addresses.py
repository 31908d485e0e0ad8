"""Whom the limits per IP count as one (THREATS 136)."""

import pytest
from django.test import RequestFactory

from accounts.adapter import AccountAdapter
from accounts.models import User
from accounts.tests.cast import PASSWORD
from helpdesk.forwarded import plain_ip
from tickets.models import Notification

pytestmark = pytest.mark.django_db
NEIGHBOURS = [f"2001:db8:1:2:{number:x}::{number:x}" for number in range(1, 30)]
FOREIGN = "2001:db8:1:3::1"


def log_in(client, email, password, address):
    data = {"login": email, "password": password}
    return client.post("/accounts/login/", data, REMOTE_ADDR=address).status_code


def test_wrong_passwords_from_one_network_count_together(client, alice):
    """The last half of an IPv6 address is the guesser's own choice."""
    answers = [log_in(client, alice.email, "wrong", address) for address in NEIGHBOURS[:6]]
    assert answers == [200] * 4 + [429] * 2
    assert log_in(client, alice.email, PASSWORD, NEIGHBOURS[10]) == 429
    assert log_in(client, alice.email, PASSWORD, FOREIGN) == 302


def test_ipv4_written_as_ipv6_is_that_ipv4(client, alice):
    """Their common /64 would lock all of IPv4 together."""
    spellings = ["198.51.100.7", "::ffff:198.51.100.7", "::ffff:c633:6407", "0:0:0:0:0:ffff:198.51.100.7"]
    for address in spellings:
        assert log_in(client, alice.email, "wrong", address) == 200
    assert log_in(client, alice.email, PASSWORD, "198.51.100.7") == 429
    assert log_in(client, alice.email, PASSWORD, "::ffff:198.51.100.8") == 302


def test_many_people_tried_from_one_network_are_too_many(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login_failed": "6/h/ip,4/15m/key"}
    answers = [log_in(client, f"x{number}@example.com", "w", ip) for number, ip in enumerate(NEIGHBOURS[:7])]
    assert answers == [200] * 6 + [429]


def test_sign_ups_from_one_network_count_together(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "signup": "3/m/ip"}
    answers = [
        client.post("/accounts/signup/", {}, REMOTE_ADDR=address).status_code for address in NEIGHBOURS[:4]
    ]
    assert answers == [200, 200, 200, 429]
    assert client.post("/accounts/signup/", {}, REMOTE_ADDR=FOREIGN).status_code == 200


def test_resets_from_one_network_count_together(client, alice, bob):
    """THREATS 62."""
    for number, address in enumerate(NEIGHBOURS[:10]):
        client.post("/accounts/password/reset/", {"email": f"x{number}@example.com"}, REMOTE_ADDR=address)
    for person, address in ((alice, NEIGHBOURS[11]), (bob, FOREIGN)):
        client.post("/accounts/password/reset/", {"email": person.email}, REMOTE_ADDR=address)
    assert list(Notification.objects.values_list("address", flat=True)) == [bob.email]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (" 198.51.100.7 ", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:80", "198.51.100.7"),
        ("", ""),
        ("unknown", ""),
        ("_hidden", ""),
        ("198.51.100.007", ""),
        ("198.51.100", ""),
        ("\u0661.1.1.1", ""),
        ("[", ""),
        ("]:", ""),
        (":", ""),
        ("a" * 5000, ""),
    ],
)
def test_address_is_read_from_what_proxies_write(text, plain):
    assert plain_ip(text) == plain


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counts"),
    [
        (0, "203.0.113.1", "192.0.2.1"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "9.9.9.9, 203.0.113.1", "203.0.113.1"),
        (2, "9.9.9.9, 203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.1,", "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
        (1, "203.0.113.1:4711", "203.0.113.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "," * 200, "192.0.2.1"),
    ],
)
def test_entry_of_the_trusted_proxy_counts(settings, proxies, forwarded, counts):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": "192.0.2.1"}
    assert AccountAdapter().get_client_ip(RequestFactory().get("/", **headers)) == counts


@pytest.mark.parametrize("forwarded", ["", "unknown", "999.1.1.1", "::1%", "[::", "\u00e9", "1, 2, 3"])
@pytest.mark.parametrize("remote", ["", "unix:", "192.0.2.1"])
def test_odd_address_answers_like_any_other(client, alice, settings, forwarded, remote):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    headers = {"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": remote}
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"):
        data = {"login": alice.email, "password": "wrong", "email": "nobody@example.com"}
        assert client.post(path, data, **headers).status_code in (200, 302)
    assert User.objects.count() == 1
