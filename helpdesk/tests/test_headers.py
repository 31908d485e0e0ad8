"""The headers of every kind of answer (THREATS 3, 72)."""

from urllib.parse import urlsplit

import pytest

from accounts.links import password_reset_link
from accounts.tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'",
}  # fmt: skip


# kind of answer: (status, what to ask as `person`)
VISITOR, PERSON, STAFF = "visitor", "person", "staff"
ANSWERS = {
    "page": (200, VISITOR, lambda client: client.get("/")),
    "to the login": (302, VISITOR, lambda client: client.get("/tickets/")),
    "page of a person": (200, PERSON, lambda client: client.get("/tickets/new/")),
    "admin": (200, STAFF, lambda client: client.get("/admin/")),
    "absent": (404, PERSON, lambda client: client.get("/tickets/999999/")),
    "refused": (403, PERSON, lambda client: client.get("/admin/", follow=True)),
    "refused method": (405, VISITOR, lambda client: client.put("/")),
    "too large": (413, PERSON, lambda client: client.post("/tickets/new/", CONTENT_LENGTH=str(2**25))),
    "unknown host": (400, VISITOR, lambda client: client.get("/", HTTP_HOST="evil.example")),
    "static file": (200, VISITOR, lambda client: client.get("/static/css/tokens.css")),
    "absent file": (404, VISITOR, lambda client: client.get("/static/nothing.css")),
    "health": (200, VISITOR, lambda client: client.get("/healthz")),
}


def check_headers(response) -> None:
    assert set(response["Content-Security-Policy"].split("; ")) == POLICY
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize(("status", "who", "ask"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_carries_the_headers(client, client_of, alice, ann, status, who, ask):
    browser = {VISITOR: client, PERSON: client_of(alice), STAFF: client_of(ann)}[who]
    response = ask(browser)
    response.close()
    assert response.status_code == status
    check_headers(response)
    if who != VISITOR:
        assert "no-store" in response["Cache-Control"]


def test_redirect_to_https_carries_the_policy(client, settings):
    """THREATS 72: the first answer of all."""
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/about/")
    assert (response.status_code, response.url) == (301, "https://testserver/about/")
    check_headers(response)


def test_address_with_a_reset_key_is_never_sent_as_referrer(client, alice):
    """The page it leads to keeps same-origin: with no-referrer its form would come from nowhere (CSRF)."""
    redirect = client.get(urlsplit(password_reset_link(alice)).path)
    assert (redirect.status_code, redirect["Referrer-Policy"]) == (302, "no-referrer")
    assert client.get(redirect.url)["Referrer-Policy"] == "same-origin"
    assert client.get("/accounts/password/reset/key/1-gone/")["Referrer-Policy"] == "no-referrer"


def test_pages_of_a_person_are_kept_by_no_cache(client_of, alice):
    for path in ("/", "/tickets/", "/accounts/profile/"):
        assert "no-store" in client_of(alice).get(path)["Cache-Control"]


def test_cookies_are_out_of_reach_for_scripts(client, alice):
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    for name in ("sessionid", "csrftoken"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_upload_by_script_gets_the_next_page_in_a_header(client_of, alice):
    client = client_of(alice)
    data = {"full_name": "Alice Moreau", "time_zone": ""}
    response = client.post("/accounts/profile/", data, headers={"X-Upload": "yes"})
    assert (response.status_code, response.content) == (204, b"")
    assert response["X-Location"] == "/accounts/profile/"
    assert not response.has_header("Location")
    assert client.post("/accounts/profile/", data).status_code == 302
    assert client.post("/accounts/profile/", {}, headers={"X-Upload": "yes"}).status_code == 200
