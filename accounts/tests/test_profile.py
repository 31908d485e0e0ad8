"""The own profile and the own mail address."""

import re

import pytest
from allauth.account.models import EmailAddress

from accounts.events import AccountMail
from accounts.links import confirmation_link
from accounts.models import User
from accounts.tests.cast import PASSWORD
from tickets.models import Notification

pytestmark = pytest.mark.django_db
PROFILE = {
    "full_name": "Alice M.",
    "phone": "+49 30 1",
    "department": "HR",
    "location": "1.2",
    "time_zone": "",
}


def test_person_changes_the_own_profile(client_of, alice):
    client = client_of(alice)
    response = client.post("/accounts/profile/", {**PROFILE, "time_zone": "Asia/Tokyo"})
    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.full_name, alice.department, alice.time_zone) == ("Alice M.", "HR", "Asia/Tokyo")


def test_extra_fields_of_the_profile_are_ignored(client_of, alice):
    """THREATS 22, 73."""
    client_of(alice).post(
        "/accounts/profile/",
        {**PROFILE, "is_superuser": "on", "role": "supervisor", "email": "x@y.org", "is_active": ""},
    )
    alice.refresh_from_db()
    assert (alice.email, alice.is_superuser, alice.role, alice.is_active) == (
        "alice@example.com",
        False,
        "requester",
        True,
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("full_name", "", "Enter your name."),
        ("phone", "1\r\n2", "Line breaks are not allowed here."),
        ("department", "a\0b", "Null characters are not allowed."),
        ("time_zone", "Mars/Olympus", "Select a valid choice."),
    ],
)
def test_bad_profile_is_refused_and_typed_text_stays(client_of, alice, field, value, message):
    response = client_of(alice).post("/accounts/profile/", {**PROFILE, "location": "typed", field: value})
    content = response.content.decode()
    assert message in content
    assert "typed" in content
    alice.refresh_from_db()
    assert alice.full_name == "Alice Moreau"


def test_time_zone_that_is_gone_breaks_no_page(client_of, alice):
    User.objects.filter(pk=alice.pk).update(time_zone="Gone/Nowhere")
    assert client_of(alice).get("/tickets/").status_code == 200


def test_new_address_counts_once_it_is_confirmed(
    client_of, alice, mailoutbox, django_capture_on_commit_callbacks
):
    """THREATS 76: the password is asked for, opening the link changes nothing, the old address is told."""
    client = client_of(alice)
    asked = client.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})
    assert asked.url.startswith("/accounts/reauthenticate/")
    client.post(asked.url, {"password": "wrong"})
    assert not EmailAddress.objects.filter(email="new@example.com").exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(asked.url, {"password": PASSWORD}, follow=True)
        client.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})
    link = re.search(r"http://localhost:8000(/accounts/confirm-email/\S+)", mailoutbox[-1].body)[1]
    assert mailoutbox[-1].to == ["new@example.com"]
    client.get(link)
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    client.post(link)
    alice.refresh_from_db()
    assert alice.email == "new@example.com"
    last = Notification.objects.order_by("pk").last()
    assert (last.kind, last.address) == (AccountMail.ADDRESS_CHANGED, "alice@example.com")


def test_new_address_must_be_of_an_allowed_domain(client_of, alice, settings):
    settings.SIGNUP_EMAIL_DOMAINS = ["example.com"]
    client = client_of(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    response = client.post("/accounts/email/", {"email": "alice@other.org", "action_add": ""})
    assert "It ends in @example.com." in response.content.decode()


def test_own_address_that_was_never_confirmed_stays_until_the_new_one_is(client_of, alice, bob):
    """As of everybody who signed up before there was a mail provider: they would be left without an address."""
    EmailAddress.objects.update(verified=False)
    for person in (alice, bob):
        client, address = client_of(person), person.email
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        for new in ("first", "second"):
            data = {"email": f"{new}-{address}", "action_add": ""}
            assert client.post("/accounts/email/", data).status_code == 302
        person.refresh_from_db()
        assert person.email == address
        kept = EmailAddress.objects.filter(user=person).order_by("pk")
        assert list(kept.values_list("email", flat=True)) == [address, f"second-{address}"]


def test_address_that_somebody_else_has_taken_meanwhile_is_not_confirmed(client_of, alice, roles):
    EmailAddress.objects.create(user=alice, email="new@example.com")
    link = confirmation_link(alice, "new@example.com").removeprefix("http://localhost:8000")
    User.objects.create_user("new@example.com", full_name="Somebody Else")
    page = client_of(alice).post(link, follow=True)
    assert page.status_code == 200
    assert "Another account already uses new@example.com." in page.content.decode()
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert not EmailAddress.objects.get(email="new@example.com").verified
