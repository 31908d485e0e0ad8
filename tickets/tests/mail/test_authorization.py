"""A mailbox is connected by a person's login at the provider: PKCE, a state for one session, nothing leaks."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from helpdesk import encryption
from tickets.mail.access_tokens import access_token
from tickets.models import Mailbox, MailboxState
from tickets.tests.microsoft import Microsoft

pytestmark = pytest.mark.django_db
CONNECTED = "/admin/tickets/mailbox/connected/"


@pytest.fixture
def microsoft(settings):
    with Microsoft() as server:
        settings.MICROSOFT_LOGIN_URL = settings.GOOGLE_TOKEN_URL = server.url
        server.new_refresh_token = "lasting-1"
        yield server


@pytest.fixture(params=["microsoft_person", "google_app"])
def mailbox(request, microsoft):
    is_google = request.param == "google_app"
    ways = ("smtp", "imap") if is_google else ("graph", "graph")
    mailbox = Mailbox(name="IT", address="it@example.com", auth=request.param, tenant="tenant-1")
    mailbox.client_id, (mailbox.sends_by, mailbox.fetches_by) = "client-1", ways
    mailbox.secrets = {"client_secret": "hidden-word"}
    mailbox.save()
    return mailbox


@pytest.fixture
def browser(client_of, root):
    return client_of(root)


def begin(browser, mailbox) -> dict[str, str]:
    """Follows "Connect". Returns what the provider is asked."""
    answer = browser.get(f"/admin/tickets/mailbox/{mailbox.pk}/connect/")
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.url).query).items()}


def test_login_becomes_a_lasting_token(browser, mailbox, microsoft):
    asked = begin(browser, mailbox)
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"].endswith(CONNECTED)
    answer = browser.get(CONNECTED, {"state": asked["state"], "code": "code-1"}, follow=True)
    assert "The mailbox is connected." in answer.content.decode()
    posted = microsoft.asked[-1]
    assert (posted["grant_type"], posted["code"], posted["redirect_uri"]) == (
        "authorization_code", "code-1", asked["redirect_uri"],
    )  # fmt: skip
    challenge = urlsafe_b64encode(sha256(posted["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == challenge
    mailbox.refresh_from_db()
    assert mailbox.secrets == {"client_secret": "hidden-word", "refresh_token": "lasting-1"}
    assert encryption.decrypt(MailboxState.objects.get(mailbox=mailbox).access_token) == "token-1"
    assert access_token(mailbox, renew=True) == "token-2"
    assert microsoft.asked[-1]["refresh_token"] == "lasting-1"


@pytest.mark.parametrize("state", ["", "guessed"])
def test_code_of_another_flow_is_refused(browser, mailbox, microsoft, state):
    begin(browser, mailbox)
    assert browser.get(CONNECTED, {"state": state, "code": "code-1"}).status_code == 403
    assert not microsoft.asked


def test_state_counts_once_and_in_its_own_session(browser, mailbox, microsoft, client_of, root):
    asked = begin(browser, mailbox)
    data = {"state": asked["state"], "code": "code-1"}
    assert client_of(root).get(CONNECTED, data).status_code == 403
    assert browser.get(CONNECTED, data).status_code == 302
    assert browser.get(CONNECTED, data).status_code == 403
    assert len(microsoft.asked) == 1


def test_refusal_at_the_provider_is_shown_and_keeps_everything(browser, mailbox, microsoft):
    asked = begin(browser, mailbox)
    data = {"state": asked["state"], "error": "access_denied", "error_description": "The <user> declined."}
    page = browser.get(CONNECTED, data, follow=True).content.decode()
    assert "The mailbox is not connected: The &lt;user&gt; declined." in page
    mailbox.refresh_from_db()
    assert mailbox.secrets == {"client_secret": "hidden-word"}


@pytest.mark.parametrize(
    "tokens", [(400, {"error": "invalid_grant", "error_description": "code code-1 hidden-word"}), 503]
)
def test_refused_code_is_said_without_secrets(browser, mailbox, microsoft, tokens):
    microsoft.tokens = tokens
    asked = begin(browser, mailbox)
    page = browser.get(CONNECTED, {"state": asked["state"], "code": "code-1"}, follow=True).content.decode()
    assert "The mailbox is not connected" in page
    assert "code-1" not in page
    assert "hidden-word" not in page


def test_access_that_does_not_last_is_no_connection(browser, mailbox, microsoft):
    microsoft.new_refresh_token = ""
    asked = begin(browser, mailbox)
    page = browser.get(CONNECTED, {"state": asked["state"], "code": "code-1"}, follow=True).content.decode()
    assert "The server gave no lasting access." in page


def test_only_superusers_connect(client_of, mailbox, sam, ann):
    for person in (sam, ann):
        assert client_of(person).get(f"/admin/tickets/mailbox/{mailbox.pk}/connect/").status_code == 403
        assert client_of(person).get(CONNECTED, {"state": "x", "code": "y"}).status_code == 403


def test_mailbox_with_a_password_has_no_login_elsewhere(browser, db):
    mailbox = Mailbox.objects.create(name="IT", address="it@example.com")
    assert browser.get(f"/admin/tickets/mailbox/{mailbox.pk}/connect/").status_code == 404
