"""Tokens of Microsoft and Google, for SMTP and everything else: cases 9, 10, 32 and 44 to 46 of mail.md."""

from base64 import b64decode, b64encode
from datetime import date, timedelta
from pathlib import Path

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate
from django.core.management import call_command
from django.utils import timezone

from helpdesk.encryption import LostKey
from tickets.mail import access_tokens, alarms, pause
from tickets.mail.access_tokens import TokenLater, TokenRefused, access_token
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Mailbox, MailboxState, Notification
from tickets.notifications import outbox
from tickets.tests.house.test_races import at_once
from tickets.tests.mail.mailboxes import make_mailbox, smtp_mailbox
from tickets.tests.microsoft import Microsoft
from tickets.tests.smtp_server import SmtpServer, certificate

pytestmark = pytest.mark.django_db
State = Notification.State
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
REFUSED = "535 5.7.3 Authentication unsuccessful"


@pytest.fixture
def microsoft(settings):
    with Microsoft() as server:
        settings.HAS_MAIL_PROVIDER = True
        settings.MESSAGE_ID_DOMAIN = "company.example"
        settings.MICROSOFT_LOGIN_URL, settings.MICROSOFT_GRAPH_URL = server.url, f"{server.url}/v1.0"
        settings.GOOGLE_TOKEN_URL = f"{server.url}/google"
        yield server


@pytest.fixture
def server():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def person(microsoft):
    """A mailbox that somebody has connected."""
    return make_mailbox(
        {"refresh_token": "old refresh token"}, auth="microsoft_person", client_id="an-app", sends_by="graph"
    )


def sent_by(mailbox, alice) -> Notification:
    outbox.enqueue_account_mail(alice, "welcome", address=alice.email)
    deliver_due()
    return Notification.objects.latest("pk")


def tokens_in(server) -> list[str]:
    lines = [line.split()[-1] for line in server.lines if line.startswith("AUTH XOAUTH2")]
    return [b64decode(line).decode() for line in lines]


@pytest.fixture
def google(microsoft, server):
    secrets = {"refresh_token": "r", "client_secret": "c"}
    return smtp_mailbox(server, secrets, auth="google_app", client_id="app", user="it@company.example")


def test_09_expired_token_is_renewed_once_and_the_mail_leaves(google, server, microsoft, alice):
    access_token(google)
    server.answers["AUTH"] = [REFUSED, "235 welcome"]
    row = sent_by(google, alice)
    assert (row.state, row.attempts) == (State.SENT, 1)
    assert tokens_in(server) == [
        f"user=it@company.example\x01auth=Bearer token-{number}\x01\x01" for number in (1, 2)
    ]
    assert alarms.alarms() == []


def test_10_google_explains_the_refusal_in_a_challenge(google, server, microsoft, alice):
    challenge = b64encode(b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}').decode()
    server.answers["AUTH"] = [f"334 {challenge}", REFUSED, "235 welcome"]
    row = sent_by(google, alice)
    assert (row.state, row.attempts) == (State.SENT, 1)
    assert "" in server.lines  # the empty answer to the challenge
    assert len(microsoft.asked) == 2


def test_10_refused_with_the_new_token_too(google, server, microsoft, alice, caplog):
    server.answers["AUTH"] = REFUSED
    row = sent_by(google, alice)
    assert (row.state, row.attempts) == (State.WAITING, 0)
    assert (len(microsoft.asked), server.count("AUTH")) == (2, 2)
    assert pause.state(google.pk).until - timezone.now() <= 5 * MINUTE
    assert any("can't send" in alarm for alarm in alarms.alarms())
    assert "token-" not in caplog.text + row.last_error


def test_11_busy_login_asks_for_no_new_token(google, server, microsoft, alice):
    server.answers["AUTH"] = "454 4.7.0 temporary failure"
    assert sent_by(google, alice).attempts == 0
    assert len(microsoft.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_44_two_workers_that_renew_at_once_ask_once(person, microsoft):
    microsoft.tokens = "slow"
    assert at_once(2, lambda _number: access_token(person)) == ["token-1"] * 2
    assert len(microsoft.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_44_two_workers_whose_token_was_refused_ask_once(person, microsoft):
    old = access_token(person)
    assert at_once(2, lambda _number: access_token(person, renew=True, refused=old)) == ["token-2"] * 2
    assert len(microsoft.asked) == 2


def test_45_new_refresh_token_is_stored(person, microsoft):
    microsoft.new_refresh_token = "new refresh token"
    access_token(person)
    assert Mailbox.objects.get().secrets == {"refresh_token": "new refresh token"}
    access_token(Mailbox.objects.get(), renew=True)
    assert [form["refresh_token"] for form in microsoft.asked] == ["old refresh token", "new refresh token"]
    assert "offline_access" in microsoft.asked[0]["scope"]


@pytest.mark.django_db(transaction=True)
def test_45_worker_killed_right_after_the_answer_loses_no_token(person, microsoft, monkeypatch):
    def die(*args, **kwargs):
        raise KeyboardInterrupt

    MailboxState.of(person)
    microsoft.new_refresh_token = "new refresh token"
    with monkeypatch.context() as patch:
        patch.setattr(MailboxState, "save", die)
        with pytest.raises(KeyboardInterrupt):
            access_token(person)
    assert Mailbox.objects.get().secrets == {"refresh_token": "old refresh token"}
    assert access_token(Mailbox.objects.get()) == "token-2"


def test_45_refresh_tokens_are_used_once_a_day(person, microsoft):
    access_token(person)
    access_tokens.renew_all()
    assert len(microsoft.asked) == 2


def test_45_refused_refresh_token_stops_no_other(person, microsoft):
    other = make_mailbox({"refresh_token": "x"}, auth="google_app", client_id="app")
    microsoft.tokens = [(400, {"error": "invalid_grant"}), 200]
    access_tokens.renew_all()
    assert [form["path"] for form in microsoft.asked] == ["/organizations/oauth2/v2.0/token", "/google"]
    assert MailboxState.objects.get(mailbox=other).access_token


@pytest.mark.parametrize(
    ("days", "near"), [(31, None), (30, 30), (15, 30), (14, 14), (7, 7), (2, 7), (1, 1), (-3, 1)]
)
def test_46_secret_that_ends_is_said_in_time(db, days, near):
    with time_machine.travel("2026-06-01T12:00:00Z", tick=False):
        mailbox = make_mailbox(secret_expires_on=date(2026, 6, 1) + days * DAY)
        names = alarms.sending_alarms.found(timezone.now())
    assert list(names) == ([f"mailbox.{mailbox.pk}.secret-ends.{near}"] if near else [])


def test_46_each_limit_is_logged_once(db, caplog):
    with time_machine.travel("2026-06-01T12:00:00Z", tick=False) as clock:
        make_mailbox(secret_expires_on=date(2026, 6, 15))
        for _minute in range(3):
            alarms.log_new()
        clock.shift(8 * DAY)
        alarms.log_new()
    assert [record.message.count("ends on") for record in caplog.records] == [1, 1]


def test_token_is_renewed_five_minutes_early(person, microsoft):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        access_token(person)
        clock.shift(timedelta(minutes=54))
        assert access_token(person) == "token-1"
        clock.shift(2 * MINUTE)
        assert access_token(person) == "token-2"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            (401, {"error": "invalid_client", "error_description": "AADSTS7000215: x"}),
            TokenRefused,
            "is wrong",
        ),
        (
            (400, {"error": "invalid_grant", "error_description": "AADSTS50173: x"}),
            TokenRefused,
            "has changed",
        ),
        ((400, {"error": "invalid_grant", "error_description": "AADSTS700082: x"}), TokenRefused, "too long"),
        ((400, {"error": "unauthorized_client"}), TokenRefused, "unauthorized_client"),
        ((400, {"error": "temporarily_unavailable"}), TokenLater, "temporarily_unavailable"),
        ((429, {}), TokenLater, "429"),
        ((500, {}), TokenLater, "500"),
        ((302, {}), TokenRefused, "302"),
        ((200, {"no": "token"}), None, ""),
    ],
)
def test_answer_of_the_token_endpoint(person, microsoft, answer, error, words):
    microsoft.tokens = answer
    if error is None:
        assert access_token(person) == "token-1"
        return
    with pytest.raises(error, match=words):
        access_token(person)


def test_endpoint_that_nobody_listens_at(person, settings):
    settings.MICROSOFT_LOGIN_URL = "http://127.0.0.1:9"
    with pytest.raises(TokenLater):
        access_token(person)


def test_certificate_signs_for_the_application(microsoft, tmp_path):
    _context, path = certificate(tmp_path)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = Path(path).read_text().partition("-----BEGIN PRIVATE KEY-----")[0]
    mailbox = make_mailbox(
        {"private_key": public + private.decode()}, auth="microsoft_app", tenant="t", client_id="an-app"
    )
    assert access_token(mailbox) == "token-1"
    (form,) = microsoft.asked
    assert "client_secret" not in form
    claims = jwt.decode(
        form["client_assertion"],
        key.public_key(),
        algorithms=["PS256"],
        audience=f"{microsoft.url}/t/oauth2/v2.0/token",
    )
    assert (claims["iss"], claims["sub"]) == ("an-app", "an-app")
    assert load_pem_x509_certificate(public.encode())
    assert jwt.get_unverified_header(form["client_assertion"])["x5t#S256"]


def test_service_account_of_google_acts_for_the_mailbox(microsoft):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    mailbox = make_mailbox({"private_key": private}, auth="google_service", client_id="robot@project.example")
    assert access_token(mailbox) == "token-1"
    (form,) = microsoft.asked
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience=f"{microsoft.url}/google"
    )
    assert (claims["iss"], claims["sub"]) == ("robot@project.example", mailbox.address)
    assert claims["scope"] == "https://mail.google.com/"


@pytest.mark.parametrize("auth", ["microsoft_app", "google_service"])
def test_key_that_cannot_be_read_is_said(microsoft, auth):
    mailbox = make_mailbox({"private_key": "no key"}, auth=auth, client_id="x")
    with pytest.raises(TokenRefused, match="can't be read"):
        access_token(mailbox)
    assert microsoft.asked == []


def test_31_old_key_in_the_fallbacks_still_sends(google, server, settings, alice):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new key" * 8
    assert sent_by(google, alice).state == State.SENT
    call_command("rotate_secrets", verbosity=0)
    settings.SECRET_KEY_FALLBACKS = []
    assert Mailbox.objects.get().secrets["refresh_token"] == "r"


@pytest.mark.parametrize("auth", ["google_app", "password"])
def test_32_lost_key_waits_and_asks_for_the_secret(google, server, settings, alice, client_of, root, auth):
    Mailbox.objects.update(auth=auth)
    settings.SECRET_KEY = "another key" * 8
    row = sent_by(google, alice)
    assert (row.state, row.attempts) == (State.WAITING, 0)
    assert any("Enter the secret of this mailbox again" in alarm for alarm in alarms.alarms())
    assert client_of(root).get("/admin/").status_code == 200
    with pytest.raises(LostKey):
        _ = Mailbox.objects.get().secrets
