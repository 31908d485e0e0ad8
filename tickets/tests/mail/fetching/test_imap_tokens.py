"""IMAP with XOAUTH2: Dovecot verifies signed tokens; the token server is a stand-in of Microsoft's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from helpdesk import encryption
from tickets.mail import alarms
from tickets.mail.receiving.fetching import rounds
from tickets.models import InboundEmail, Mailbox, MailboxState
from tickets.tests.mail.fetching.conftest import raw_mail
from tickets.tests.microsoft import Microsoft, MicrosoftHandler

pytestmark = pytest.mark.django_db


class TokenHandler(MicrosoftHandler):
    def give_token(self, form):
        self.server.asked.append(form)
        self.answer(*self.server.next_answer)


@pytest.fixture
def tokens(settings):
    """Gives `next_answer` as the token."""
    with Microsoft() as server:
        server.RequestHandlerClass = TokenHandler
        settings.MICROSOFT_LOGIN_URL = server.url
        yield server


@pytest.fixture
def mailbox(dovecot, make_mailbox, tokens) -> Mailbox:
    mailbox = make_mailbox(dovecot, auth="microsoft_app", tenant="a-tenant", client_id="an-app")
    mailbox.secrets = {"client_secret": "a very secret value"}
    mailbox.save()
    tokens.next_answer = 200, {"access_token": dovecot.token(mailbox.user), "expires_in": 3600}
    return mailbox


def keep(token: str) -> None:
    """The token that a worker asked for before."""
    later = timezone.now() + timedelta(hours=1)
    MailboxState.objects.update(access_token=encryption.encrypt(token), access_expires_at=later)


def test_mailbox_is_read_with_a_token(dovecot, mailbox, tokens, alice):
    assert rounds.fetch(mailbox).problem == ""
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1
    assert len(tokens.asked) == 1
    assert "method=XOAUTH2" in dovecot.log


def test_token_that_the_server_refuses_is_renewed_once(dovecot, mailbox, tokens, alice):
    assert rounds.fetch(mailbox).problem == ""
    keep(dovecot.token(mailbox.user, key=b"another key than that of the server, and long"))
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1
    assert len(tokens.asked) == 2


def test_63_token_that_is_refused_again_is_an_alarm_at_once(dovecot, mailbox, tokens):
    wrong = dovecot.token(mailbox.user, key=b"another key than that of the server, and long")
    tokens.next_answer = 200, {"access_token": wrong, "expires_in": 3600}
    assert "refuses the login" in rounds.fetch(mailbox).problem
    assert len(tokens.asked) == 2
    state = MailboxState.objects.get()
    assert state.fetch_state == MailboxState.Health.REFUSED
    assert wrong not in state.fetch_error
    assert any("can't be read" in alarm for alarm in alarms.alarms())


@pytest.mark.parametrize(
    ("answer", "health"),
    [
        ((400, {"error": "invalid_grant", "error_description": "AADSTS50173: revoked."}), "refused"),
        ((503, {"error": "temporarily_unavailable"}), "unreachable"),
    ],
)
def test_63_token_server_that_refuses_differs_from_one_that_is_busy(mailbox, tokens, answer, health):
    tokens.next_answer = answer
    assert rounds.fetch(mailbox).problem
    assert MailboxState.objects.get().fetch_state == health
    assert not InboundEmail.objects.exists()
