"""Mailboxes for tests of sending."""

from tickets.models import Mailbox
from tickets.tests.smtp_server import SmtpServer


def make_mailbox(secrets: dict | None = None, **fields) -> Mailbox:
    number = Mailbox.objects.count() + 1
    values = {"name": f"IT {number}", "address": f"it{number}@company.example", "fetches_by": "no", **fields}
    mailbox = Mailbox(**values)
    mailbox.secrets = {"password": "a very secret password"} if secrets is None else secrets
    mailbox.save()
    return mailbox


def smtp_mailbox(server: SmtpServer, secrets: dict | None = None, **fields) -> Mailbox:
    """A mailbox at a server on this machine."""
    values = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none", "user": "it"}
    return make_mailbox(secrets, **{"sends_by": "smtp", **values, **fields})
