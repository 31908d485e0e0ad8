"""Secrets at rest: encrypted, readable with a fallback key, renewed by a command."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from helpdesk import encryption
from tickets.models import Mailbox, MailboxState

pytestmark = pytest.mark.django_db


def rotate() -> str:
    out = StringIO()
    call_command("rotate_secrets", stdout=out)
    return out.getvalue()


@pytest.fixture
def mailbox():
    mailbox = Mailbox(name="IT", address="it@example.com")
    mailbox.secrets = {"password": "correct horse"}
    mailbox.save()
    return mailbox


def test_secret_is_stored_encrypted_and_read_in_clear(mailbox):
    mailbox.refresh_from_db()
    assert "horse" not in mailbox.secret
    assert mailbox.secrets == {"password": "correct horse"}


def test_empty_secret_stays_empty(mailbox):
    mailbox.secrets = {}
    assert mailbox.secret == ""
    assert mailbox.secrets == {}


def test_secret_survives_a_change_of_the_key(mailbox, settings):
    state = MailboxState.of(mailbox)
    state.access_token = encryption.encrypt("token")
    state.save()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert mailbox.secrets == {"password": "correct horse"}
    assert rotate() == "All secrets are encrypted with SECRET_KEY.\n"
    settings.SECRET_KEY_FALLBACKS = []
    mailbox.refresh_from_db()
    state.refresh_from_db()
    assert mailbox.secrets == {"password": "correct horse"}
    assert encryption.decrypt(state.access_token) == "token"


def test_lost_key_is_named_and_stops_nothing_else(mailbox, settings):
    other_key = settings.SECRET_KEY
    settings.SECRET_KEY = "n" * 50
    with pytest.raises(encryption.LostKey):
        mailbox.secrets  # noqa: B018
    well = Mailbox(name="HR", address="hr@example.com")
    well.secrets = {"password": "battery"}
    well.save()
    with pytest.raises(CommandError, match="mailbox it@example.com$"):
        rotate()
    well.refresh_from_db()
    assert well.secrets == {"password": "battery"}
    settings.SECRET_KEY = other_key
    mailbox.refresh_from_db()
    assert mailbox.secrets == {"password": "correct horse"}
