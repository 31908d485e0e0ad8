"""Signing up: the same answer whether the address has an account or not (THREATS 60, I10)."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.core.cache import cache

from accounts.events import AccountMail
from accounts.models import User
from accounts.tests.cast import PASSWORD
from tickets.models import Notification

pytestmark = pytest.mark.django_db
NORA = "nora@example.com"


def sign_up(client, **fields):
    data = {"full_name": "Nora Diaz", "email": "nora@example.com", "password1": PASSWORD, **fields}
    return client.post("/accounts/signup/", data)


def mails() -> list[tuple[str, str]]:
    return list(Notification.objects.order_by("pk").values_list("kind", "address"))


@pytest.fixture
def provider(settings):
    settings.HAS_MAIL_PROVIDER = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


def without_token(response) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_new_person_gets_an_account_and_a_welcome(client):
    response = sign_up(client, email="Nora@Example.com")
    assert response.status_code == 302
    assert response.url == "/accounts/login/"
    nora = User.objects.get(email="nora@example.com")
    assert (nora.full_name, nora.role, nora.is_staff) == ("Nora Diaz", "requester", False)
    assert nora.password.startswith("bcrypt_sha256$")
    assert mails() == [(AccountMail.WELCOME, "nora@example.com")]


def test_known_address_gets_the_same_answer_and_its_owner_a_notice(client, alice):
    """THREATS 60: in other case as well."""
    known = sign_up(client, email="ALICE@example.com")
    page_of_known = without_token(client.get(known.url))
    fresh = sign_up(client)
    assert (known.status_code, known.url) == (fresh.status_code, fresh.url)
    assert page_of_known == without_token(client.get(fresh.url))
    assert mails() == [(AccountMail.ACCOUNT_EXISTS, alice.email), (AccountMail.WELCOME, "nora@example.com")]
    assert User.objects.filter(email__iexact=alice.email).count() == 1


def test_with_a_provider_both_are_asked_to_check_their_inbox(client, provider, alice):
    known = sign_up(client, email=alice.email)
    client.logout()
    fresh = sign_up(client)
    assert known.url == fresh.url == "/accounts/confirm-email/"
    assert mails() == [
        (AccountMail.ACCOUNT_EXISTS, alice.email),
        (AccountMail.CONFIRM_ADDRESS, "nora@example.com"),
    ]


def test_unconfirmed_person_opens_no_page(client, provider):
    """THREATS 75."""
    sign_up(client)
    client.logout()
    response = client.post("/accounts/login/", {"login": "nora@example.com", "password": PASSWORD})
    assert response.url == "/accounts/confirm-email/"
    assert client.get("/tickets/").status_code == 302


def test_confirming_needs_a_click_and_brings_the_welcome(client, provider, mailoutbox):
    from tickets.mail.sending import delivery

    sign_up(client)
    delivery.deliver_due()
    link = re.search(r"http://localhost:8000(/accounts/confirm-email/\S+)", mailoutbox[0].body)[1]
    client.logout()
    assert client.get(link).status_code == 200
    assert not EmailAddress.objects.get(email="nora@example.com").verified
    client.post(link)
    assert EmailAddress.objects.get(email="nora@example.com").verified
    for again in (client.get(link), client.post(link), client.post(link[:-3] + "xx/")):  # THREATS 76
        assert again.status_code == 200
        assert "This link no longer works" in again.content.decode()
    assert mails()[-1] == (AccountMail.WELCOME, "nora@example.com")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email": "nora@other.org"}, "Use your work email address. It ends in @example.com."),
        ({"email": "nora@localhost"}, "Enter an email address like name@example.com."),
        ({"email": "a@b.test, e@e.test"}, "Enter an email address like name@example.com."),
        ({"password1": "password1"}, "This password is too common."),
        ({"password1": "k3!xYz9"}, "This password is too short."),
        ({"password1": "nora@example.com"}, "The password is too similar to the email address."),
        ({"full_name": "Nora\r\nBcc: e@e.test"}, "Line breaks are not allowed here."),
        ({"full_name": "\u200b\u2060"}, "Enter your name."),
        ({"full_name": ""}, "Enter your name."),
    ],
    ids=["domain", "localhost", "list", "common", "short", "similar", "line break", "invisible", "empty"],
)
def test_bad_input_is_refused_and_what_was_typed_stays(client, settings, fields, message):
    """THREATS 2, 14, 67, 78."""
    settings.SIGNUP_EMAIL_DOMAINS = ["example.com"]
    response = sign_up(client, **fields)
    assert response.status_code == 200
    assert message in response.content.decode()
    assert 'name="full_name"' in response.content.decode()
    assert not User.objects.exists()
    assert not Notification.objects.exists()


def answer(client, **fields) -> tuple:
    """All that a visitor sees of a sign-up: the answer, its cookies and the page that it leads to."""
    client.cookies.clear()
    cache.clear()  # an address that signs up twice in three minutes is told so once
    response = sign_up(client, **fields)
    cookies = {name: (morsel["max-age"], morsel["path"]) for name, morsel in response.cookies.items()}
    page = without_token(client.get(response.url)).replace(fields.get("email", NORA).lower(), NORA)
    return response.status_code, response.url, cookies, page


@pytest.mark.parametrize("has_provider", [True, False], ids=["provider", "console"])
def test_every_address_gets_the_same_answer(client, request, alice, bob, settings, has_provider):
    """THREATS 60, I10: new or known, in any case, deactivated or never confirmed."""
    if has_provider:
        request.getfixturevalue("provider")
    User.objects.filter(pk=bob.pk).update(is_active=False)
    fresh = answer(client)
    for email in (alice.email, "ALICE@Example.COM", bob.email, NORA, NORA.upper()):
        assert answer(client, email=email, password1="another good passphrase") == fresh
    assert User.objects.count() == 3
    assert User.objects.get(email=NORA).check_password(PASSWORD)
    assert not User.objects.get(email=alice.email).check_password("another good passphrase")


def test_known_address_costs_a_hash_like_a_new_one(client, provider, alice, monkeypatch):
    """I10: hashing is nearly all of the time that a sign-up takes."""
    hashed = []
    hasher = BCryptSHA256PasswordHasher.encode
    monkeypatch.setattr(
        BCryptSHA256PasswordHasher, "encode", lambda *args: hashed.append(args) or hasher(*args)
    )
    counts = []
    for email in (alice.email, "nora@example.com"):
        hashed.clear()
        answer(client, email=email)
        counts.append(len(hashed))
    assert counts == [1, 1]


@pytest.mark.parametrize("data", [None, {"email": "nora@example.com"}], ids=["form", "sent"])
def test_closed_sign_up_says_so_and_makes_nobody(client, settings, data):
    settings.SIGNUP = "closed"
    response = sign_up(client, **data) if data else client.get("/accounts/signup/")
    assert "Sign-up is closed" in response.content.decode()
    assert not User.objects.exists()
    assert not Notification.objects.exists()


def test_closed_sign_up_is_offered_nowhere(client, settings):
    for path in ("/", "/about/", "/accounts/login/", "/nothing-here/", "/accounts/password/reset/"):
        settings.SIGNUP = "open"
        assert "/accounts/signup/" in client.get(path).content.decode()
        settings.SIGNUP = "closed"
        assert "/accounts/signup/" not in client.get(path).content.decode()


def test_extra_fields_give_no_rights(client):
    """THREATS 22."""
    sign_up(client, is_superuser="on", role="supervisor", groups="1", is_staff="on")
    nora = User.objects.get()
    assert not nora.is_superuser
    assert nora.role == "requester"
