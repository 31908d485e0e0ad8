"""The browser's time zone is taken over at sign-up and offered afterwards."""

import pytest

from accounts.models import User
from accounts.tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def sign_up(client, zone: str | None) -> User:
    data = {"full_name": "Nora Diaz", "email": "nora@example.com", "password1": PASSWORD}
    response = client.post("/accounts/signup/", data if zone is None else data | {"time_zone": zone})
    assert response.status_code == 302
    return User.objects.get(email="nora@example.com")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", ""),
        ("Mars/Olympus", ""),
        ("x" * 5000, ""),
        ("", ""),
        (None, ""),
    ],
)
def test_time_zone_of_the_browser_is_stored_at_sign_up(client, sent, stored):
    assert sign_up(client, sent).time_zone == stored


def test_form_has_the_field_for_the_script(client):
    content = client.get("/accounts/signup/").content.decode()
    assert 'name="time_zone"' in content
    assert "data-time-zone" in content
    assert "js/time_zone" in content


def test_home_offers_the_other_zone_to_the_script(client, alice):
    client.force_login(alice)
    content = client.get("/").content.decode()
    assert 'data-zone-offer="UTC" hidden' in content
    assert "Times are shown in UTC, but" in content


def test_offered_zone_is_taken_over_and_home_says_so(client, alice):
    client.force_login(alice)
    home = {"referer": "http://testserver/"}
    response = client.post(
        "/accounts/time-zone/", {"time_zone": "America/New_York"}, headers=home, follow=True
    )
    alice.refresh_from_db()
    assert alice.time_zone == "America/New_York"
    assert "Times are now shown in America/New York." in response.content.decode()


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd"])
def test_unknown_zone_is_refused(client, alice, zone):
    client.force_login(alice)
    assert client.post("/accounts/time-zone/", {"time_zone": zone}).status_code == 400
    alice.refresh_from_db()
    assert alice.time_zone == ""
