"""Sends by SMTP, with a password or XOAUTH2. Never in clear, except to a server on this machine."""

import re
import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from helpdesk.encryption import LostKey
from helpdesk.env import is_loopback
from tickets.mail import failures
from tickets.mail.access_tokens import TokenLater, TokenRefused, access_token, xoauth2
from tickets.mail.pause import KEY_PAUSE
from tickets.mail.sending.delivery_events import is_id
from tickets.mail.sending.transports.outcome import Accepted, Failure, Later, Never, Outcome, SenderRefused
from tickets.mail.sending.transports.smtp_answers import SmtpStep, failure
from tickets.models import Mailbox

SECONDS = 7  # for one answer; time_limit() limits the whole
PASSWORD_PAUSE = timedelta(minutes=30)  # many servers lock an account after a few wrong passwords
ID = re.compile(r"queued as (\S+)|<([^<>\s]+)>|\b(?=\S*\d)([\w.=-]{8,})\s*$", re.IGNORECASE)
Security = Mailbox.Security


class Stopped(Exception):
    """The attempt ends here."""

    def __init__(self, outcome: Failure):
        super().__init__(outcome.words)
        self.outcome = outcome


class Smtp:
    """One connection for many emails of a mailbox."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.server: smtplib.SMTP | None = None
        self.step = SmtpStep.CONNECT
        self.hidden: list[str] = []
        self.is_cut = False

    def open(self) -> Failure | None:
        return None if self.server else self._outcome_of(self._open)

    def send(self, mail: EmailMessage, *, again: bool = False) -> Outcome:
        return self._outcome_of(lambda: self._send(mail))

    def cut(self) -> None:
        self.is_cut = True
        sock = self.server and self.server.sock
        if sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        server, self.server = self.server, None
        if server:
            with suppress(OSError, smtplib.SMTPException):
                server.putcmd("QUIT")  # without waiting for the answer of a server that may be silent
            with suppress(OSError):
                server.close()

    def _outcome_of(self, act: Callable[[], Outcome | None]) -> Outcome | None:
        """Runs `act` and turns everything that a server or network can do into an outcome."""
        try:
            outcome = act()
            if self.is_cut:  # smtplib takes half a line for an answer
                raise TimeoutError("The server took too long.")
            return outcome
        except Stopped as stop:
            return stop.outcome
        except TokenRefused as error:
            return SenderRefused(str(error))
        except TokenLater as error:
            return Later(str(error), heard=False)
        except LostKey:
            return SenderRefused(str(failures.LOST_SECRET))
        except ssl.SSLCertVerificationError as error:
            why = {"why": error.verify_message}
            return SenderRefused(_("The certificate of the server is not valid: %(why)s") % why)
        except smtplib.SMTPResponseException as error:
            return self._failure(error.smtp_code, _text(error.smtp_error))
        except smtplib.SMTPNotSupportedError as error:
            return Never(self._words(error), heard=None)
        except (OSError, smtplib.SMTPException) as error:
            return self._unanswered(error)

    def _unanswered(self, error: Exception) -> Later:
        words = self._words(error)
        if self.step == SmtpStep.DATA:
            may_be_there = _("The server may have it: it may arrive twice, with the same Message-ID.")
            words = f"{words} {may_be_there}"
        return Later(words, heard=False)

    def _open(self) -> None:
        self.step = SmtpStep.CONNECT
        self._connect()
        try:
            self.step = SmtpStep.AUTH
            self._log_in()
        except Exception:
            self.close()
            raise

    def _connect(self) -> None:
        mailbox, context = self.mailbox, ssl.create_default_context()
        if not mailbox.smtp_host:  # smtplib would ask this machine
            raise Stopped(SenderRefused(_("The name of the SMTP server is not set.")))
        if mailbox.smtp_security == Security.NONE and not is_loopback(mailbox.smtp_host):
            raise Stopped(SenderRefused(_("Without TLS only a server on this machine is allowed.")))
        if mailbox.smtp_security == Security.TLS:
            self.server = smtplib.SMTP_SSL(
                local_hostname=settings.MESSAGE_ID_DOMAIN, timeout=SECONDS, context=context
            )
        else:
            self.server = smtplib.SMTP(local_hostname=settings.MESSAGE_ID_DOMAIN, timeout=SECONDS)
        try:
            self._greet()
            if mailbox.smtp_security == Security.STARTTLS:
                self._start_tls(context)
        except Exception:  # also the time limit: a half-open connection must not be used again
            self.close()
            raise

    def _greet(self) -> None:
        host = self.server._host = self.mailbox.smtp_host  # the name that TLS verifies
        try:
            code, text = self.server.connect(host, self.mailbox.smtp_port)
        except UnicodeError as error:  # an empty label, or one that is too long
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is no name of a server") from error
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        self.server.ehlo_or_helo_if_needed()

    def _start_tls(self, context: ssl.SSLContext) -> None:
        if not self.server.has_extn("starttls"):
            words = _("The server does not offer STARTTLS, and nothing is sent in clear.")
            raise Stopped(SenderRefused(words))
        code, text = self.server.starttls(context=context)
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        self.server.ehlo_or_helo_if_needed()

    def _log_in(self) -> None:
        if self.mailbox.auth == Mailbox.Auth.PASSWORD:
            self._log_in_with_password()
            return
        token = access_token(self.mailbox)
        if not self._takes(token, may_be_old=True):
            self.close()  # some servers end the connection after a refused token
            self._connect()
            token = access_token(self.mailbox, renew=True, refused=token)
            self._takes(token, may_be_old=False)

    def _log_in_with_password(self) -> None:
        """A server without a user name takes mail from its own network."""
        user, password = self.mailbox.user, self.mailbox.secrets.get("password", "")
        if not user:
            return
        self._hide(password)
        offered = self.server.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            self._authenticate("PLAIN", f"\0{user}\0{password}")
        elif "LOGIN" in offered:
            self._authenticate("LOGIN", user, password)
        else:
            raise Stopped(SenderRefused(_("The server offers no login with a password.")))

    def _takes(self, token: str, *, may_be_old: bool) -> bool:
        """Logs in with XOAUTH2. Returns False if a token that may be too old is refused."""
        self._hide(token)
        try:
            # Google explains a refusal in a challenge (334), which expects an empty answer.
            self._authenticate("XOAUTH2", xoauth2(self.mailbox.user or self.mailbox.address, token), "")
        except smtplib.SMTPAuthenticationError as error:
            if not may_be_old or 400 <= error.smtp_code < 500:
                raise
            return False
        return True

    def _authenticate(self, mechanism: str, first: str, *others: str) -> None:
        """Logs in (RFC 4954). smtplib's own way takes only ASCII and tries a wrong password again."""
        self._hide(first, *others)
        code, text = self.server.docmd("AUTH", f"{mechanism} {_base64(first)}")
        for answer in others:
            if code == 334:
                code, text = self.server.docmd(_base64(answer))
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, text)

    def _hide(self, *secrets: str) -> None:
        """Keeps secrets out of errors, which may repeat what was sent."""
        for secret in secrets:
            self.hidden += [secret, _base64(secret)]

    def _send(self, mail: EmailMessage) -> Accepted:
        message, server = mail.message().as_bytes(linesep="\r\n"), self.server
        (recipient,) = mail.recipients()
        self.step = SmtpStep.MAIL
        self._expect(server.mail(self._envelope_sender(mail), self._options(message, recipient)))
        self.step = SmtpStep.RCPT
        self._expect(server.rcpt(_in_ascii(recipient)))
        self.step = SmtpStep.DATA
        code, text = server.data(message)
        self._expect((code, text))
        return Accepted(_queue_id(_text(text)))

    def _envelope_sender(self, mail: EmailMessage) -> str:
        """Empty for an automatic reply, so that no server answers it (RFC 3834, 3.3)."""
        is_reply = mail.extra_headers.get("Auto-Submitted") == "auto-replied"
        return "" if is_reply else _in_ascii(self.mailbox.address)

    def _options(self, message: bytes, recipient: str) -> list[str]:
        """The parameters of MAIL that the server understands."""
        server, options = self.server, []
        if server.has_extn("size"):
            options.append(f"SIZE={len(message)}")
        if server.has_extn("8bitmime"):
            options.append("BODY=8BITMIME")
        if not recipient.rpartition("@")[0].isascii():
            if not server.has_extn("smtputf8"):
                words = _("The server can't send to an address with such characters.")
                raise Stopped(Never(words, heard=None))
            options.append("SMTPUTF8")
        return options

    def _expect(self, answer: tuple[int, bytes]) -> None:
        code, text = answer
        if not 200 <= code < 300:
            raise smtplib.SMTPResponseException(code, text)

    def _failure(self, code: int, text: str) -> Failure:
        if self.is_cut or not 200 <= code < 600:  # a line that is no answer, or half of one
            return self._unanswered(smtplib.SMTPServerDisconnected(text))
        is_password = self.mailbox.auth == Mailbox.Auth.PASSWORD
        wait = PASSWORD_PAUSE if is_password else KEY_PAUSE
        return failure(self.step, code, failures.without(text, self.hidden), wait=wait)

    def _words(self, error: Exception) -> str:
        return failures.without(failures.in_words(error), self.hidden)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _in_ascii(address: str) -> str:
    """The address with its domain as DNS has it (RFC 5891)."""
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _queue_id(text: str) -> str:
    """The server's own id of an accepted email, as it is in its log; "" if the answer has none."""
    found = ID.search(text)
    name = next(filter(None, found.groups())) if found else ""
    return name if is_id(name) else ""
