"""Who may read at /readyz what is wrong: the own network and who has the token (fails closed)."""

import pytest
from django.db import OperationalError, connection

pytestmark = pytest.mark.django_db
PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.1",
    "192.168.4.5",
    "::1",
    "fd00::7",
    "::ffff:10.0.0.1",
]
PUBLIC = [
    "8.8.8.8",
    "172.32.0.1",
    "172.15.0.1",
    "192.169.0.1",
    "100.64.0.1",
    "2001:db8::1",
    "::ffff:8.8.8.8",
    "0.0.0.0",
]
NO_ADDRESS = ["", "unknown", "10.0.0", "10.0.0.1:4000", "[::1]", "10.0.0.1, ", "localhost", "١٠.0.0.1"]
TOKEN = "a token that nobody guesses"


def sees_reasons(client, remote: str = "127.0.0.1", **headers) -> bool:
    response = client.get("/readyz", REMOTE_ADDR=remote, headers=headers)
    assert response.status_code == 200
    if response["Content-Type"].startswith("application/json"):
        assert response.json()["database"] == "ok"
        return True
    assert response.content == b"ok"
    return False


@pytest.mark.parametrize(
    ("remote", "expected"),
    [*((one, True) for one in PRIVATE), *((one, False) for one in PUBLIC + NO_ADDRESS)],
)
def test_without_a_proxy_the_address_decides(client, remote, expected):
    assert sees_reasons(client, remote) == expected


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_proxy_that_we_know_nothing_of_makes_everybody_a_stranger(client, name):
    """Its own address is private, whoever stands behind it."""
    for value in ("203.0.113.9", "10.0.0.1", ""):
        assert not sees_reasons(client, "10.0.0.2", **{name: value})


@pytest.mark.parametrize(
    ("proxies", "hops", "expected"),
    [
        (1, "10.1.1.1", True),
        (1, "203.0.113.9", False),
        (1, "10.1.1.1, 203.0.113.9", False),  # the first is what the visitor wrote
        (1, "203.0.113.9, 10.1.1.1", True),
        (2, "10.1.1.1, 203.0.113.9, 10.0.0.5", False),
        (2, "203.0.113.9, 10.1.1.1, 10.0.0.5", True),
        (2, "10.1.1.1", False),  # it did not come through both
        (1, "", False),
        *((1, text, False) for text in NO_ADDRESS),
    ],
)
def test_behind_proxies_the_visitor_decides(client, settings, proxies, hops, expected):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    assert sees_reasons(client, "10.0.0.2", **{"X-Forwarded-For": hops}) == expected


def test_request_that_bypasses_the_proxies_is_a_strangers(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert not sees_reasons(client, "127.0.0.1")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"Bearer {TOKEN}x", False),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer", False),
        ("Bearer ", False),
        ("Bearer \xfc", False),
    ],
)
def test_token_opens_it_from_anywhere(client, settings, sent, expected):
    settings.READYZ_TOKEN = TOKEN
    assert sees_reasons(client, "8.8.8.8", Authorization=sent) == expected


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "Bearer x"])
def test_without_a_token_none_opens_it(client, settings, sent):
    settings.READYZ_TOKEN = ""
    assert not sees_reasons(client, "8.8.8.8", Authorization=sent)


def test_stranger_learns_only_that_it_is_not_ready(client):
    def fail(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    with connection.execute_wrapper(fail):
        response = client.get("/readyz", REMOTE_ADDR="8.8.8.8")
        assert (response.status_code, response.content) == (503, b"not ready")
        response = client.get("/readyz", REMOTE_ADDR="10.0.0.1")
        assert (response.status_code, response.json()["database"]) == (503, "down")


def test_stranger_costs_no_look_at_the_outbox(client, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get("/readyz", REMOTE_ADDR="8.8.8.8")


def test_health_is_the_same_for_everybody(client):
    assert client.get("/healthz", REMOTE_ADDR="8.8.8.8").content == b"ok"
