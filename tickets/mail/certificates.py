"""The names and certificates of the servers of a mailbox."""

import imaplib
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings

from tickets.models import Mailbox

SECONDS = 7
Security = Mailbox.Security


class NoCertificate(Exception):
    """The server offers no encryption, or an invalid certificate. The message says why."""


@dataclass(frozen=True)
class ServerOfMailbox:
    protocol: str
    host: str
    port: int
    security: str


def servers_of(mailbox: Mailbox) -> list[ServerOfMailbox]:
    """The servers that the mailbox connects to by itself."""
    found = []
    if mailbox.sends_by == Mailbox.Sending.SMTP:
        found.append(ServerOfMailbox("smtp", mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security))
    if mailbox.fetches_by == Mailbox.Fetching.IMAP:
        found.append(ServerOfMailbox("imap", mailbox.imap_host, mailbox.imap_port, mailbox.imap_security))
    if Mailbox.Sending.GRAPH in (mailbox.sends_by, mailbox.fetches_by):
        graph = urlsplit(settings.MICROSOFT_GRAPH_URL)
        security = Security.TLS if graph.scheme == "https" else Security.NONE
        found.append(ServerOfMailbox("graph", graph.hostname, graph.port or 443, security))
    return found


def has_name(server: ServerOfMailbox) -> bool:
    """Whether the name of the server has an address (DNS)."""
    try:
        return bool(socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):  # also an empty label, or one that is too long
        return False


def end_of(server: ServerOfMailbox) -> datetime | None:
    """When the certificate of the server ends; None without encryption. Raises NoCertificate and OSError."""
    try:
        certificate = _certificate(server)
    except ssl.SSLCertVerificationError as error:
        raise NoCertificate(error.verify_message) from error
    except (smtplib.SMTPException, imaplib.IMAP4.error) as error:
        raise NoCertificate(str(error)) from error
    except UnicodeError as error:  # an empty label, or one that is too long
        raise socket.gaierror(socket.EAI_NONAME, f"{server.host} is no name of a server") from error
    if not certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), tz=UTC)


def _certificate(server: ServerOfMailbox) -> dict | None:
    context = ssl.create_default_context()
    if server.security == Security.NONE:
        socket.create_connection((server.host, server.port), SECONDS).close()
        return None
    if server.security == Security.TLS:
        with (
            socket.create_connection((server.host, server.port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=server.host) as secured,
        ):
            return secured.getpeercert()
    if server.protocol == "smtp":
        with smtplib.SMTP(server.host, server.port, timeout=SECONDS) as connection:
            connection.starttls(context=context)
            return connection.sock.getpeercert()
    connection = imaplib.IMAP4(server.host, server.port, timeout=SECONDS)
    try:
        connection.starttls(context)
        return connection.sock.getpeercert()
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            connection.logout()
