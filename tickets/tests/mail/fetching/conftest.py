"""A Dovecot for all tests of the room; each test has mailboxes of its own in it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.utils.text import slugify

from tickets.models import Mailbox
from tickets.tests.dovecot import PASSWORD, PROGRAM, Dovecot

NO_DOVECOT = "Dovecot is missing: apt-get install dovecot-imapd"


@pytest.fixture(scope="session")
def start_dovecot() -> Iterator:
    """start_dovecot(**options): a server that runs until the end of all tests."""
    if PROGRAM is None:
        if os.environ.get("HELPDESK_REQUIRE_DOVECOT"):
            pytest.fail(NO_DOVECOT)
        pytest.skip(NO_DOVECOT)
    servers = []

    def start(**options) -> Dovecot:
        folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        folder.chmod(0o755)  # the mail belongs to another user
        servers.append(Dovecot(folder, **options))
        return servers[-1].__enter__()

    yield start
    for server in servers:
        server.stop()
        shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
def dovecot(start_dovecot) -> Dovecot:
    return start_dovecot()


@pytest.fixture
def trust(monkeypatch):
    """trust(server): verifies certificates against that of the test server only."""

    def add(server: Dovecot) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "certificate.pem"))

    return add


@pytest.fixture
def make_mailbox(db, request, trust, settings):
    """make_mailbox(server, **fields): a mailbox that is fetched from it by IMAP, for a user of this test."""
    settings.INBOUND_AUTHSERV_ID = "mx.example.com"

    def make(server: Dovecot, name: str = "support", **fields) -> Mailbox:
        trust(server)
        user = f"{name}-{slugify(request.node.name)}"[:60]
        fields = {
            "imap_host": "localhost",
            "imap_port": server.tls_port,
            "user": user,
            "sends_by": "no",
        } | fields
        mailbox = Mailbox(name=name, address=f"{name}@example.com", **fields)
        mailbox.proof, mailbox.authserv_id = Mailbox.Proof.RESULTS, "mx.example.com"
        mailbox.secrets = {"password": PASSWORD}
        mailbox.save()
        return mailbox

    return make


def raw_mail(
    number: int, *, sender: str = "alice@example.com", to: str = "support@example.com", **headers
) -> bytes:
    """A mail whose sender the server has verified. Headers with _ instead of -; None leaves one out."""
    message = EmailMessage()
    values = {"Delivered_To": to, "From": sender, "To": to, "Subject": f"Printer {number} does not print"}
    values |= {"Message_ID": f"<{number}@example.com>", "Date": "Mon, 30 Nov 2026 10:00:00 +0000"}
    values["Authentication_Results"] = f"mx.example.com; dmarc=pass header.from={sender.rpartition('@')[2]}"
    for name, value in (values | headers).items():
        if value is not None:
            message[name.replace("_", "-")] = value
    message.set_content(f"Printer number {number} shows a paper jam.")
    return message.as_bytes().replace(b"\n", b"\r\n")
