"""An IMAP connection that always ends in time and always verifies the certificate of the server."""

import contextlib
import imaplib
import socket
import ssl
from collections.abc import Iterator
from threading import Timer

from django.utils.translation import gettext as _

from helpdesk.env import is_loopback
from tickets.mail import failures
from tickets.mail.receiving.fetching.problems import FetchProblem, FetchRefused, Unreachable
from tickets.models import Mailbox

CONNECT_SECONDS = 10
SILENCE_SECONDS = 20  # without a byte
COMMAND_SECONDS = 90  # for one command, because a server may send a byte now and then; less than a lease
LONGEST_LINE = 20 * 1024 * 1024  # a search in a folder of two million emails


class Wire(imaplib.IMAP4):
    """Send commands within limited(). imaplib documents open() to shutdown() as the methods to override."""

    def __init__(self, mailbox: Mailbox):
        self.security = mailbox.imap_security
        self.stream = self.sock = self.handle = None
        self.is_out_of_time = self.is_broken = False
        self.hidden: list[str] = []  # what scrubbed() leaves out
        with self.limited():
            try:
                super().__init__(mailbox.imap_host, mailbox.imap_port, CONNECT_SECONDS)
                if self.security == Mailbox.Security.STARTTLS:
                    self._start_tls()
            except BaseException:
                self.shutdown()
                raise

    def open(self, host="", port=imaplib.IMAP4_PORT, timeout=None):
        self.host, self.port = host, port
        if self.security == Mailbox.Security.NONE and not is_loopback(host):
            raise FetchRefused(_("Without TLS, only a server on this machine is allowed."))
        try:
            self.sock = socket.create_connection((host, port), timeout)
        except UnicodeError as error:  # an empty label, or one that is too long
            raise Unreachable(_("The name of the server is unknown.")) from error
        self.sock.settimeout(SILENCE_SECONDS)
        self.handle = self.sock.dup()  # wrapping the other one in TLS replaces it
        if self.security == Mailbox.Security.TLS:
            self._encrypt()
        else:
            self.stream = self.sock.makefile("rb")

    def read(self, size):
        return self.stream.read(size)

    def readline(self):
        line = self.stream.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise self.abort("a line is too long")
        return line

    def send(self, data):
        self.sock.sendall(data)

    def shutdown(self):
        for part in filter(None, (self.stream, self.sock, self.handle)):
            with contextlib.suppress(OSError):
                part.close()

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Cuts the connection after COMMAND_SECONDS. Turns errors into a FetchProblem."""
        timer = Timer(COMMAND_SECONDS, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, imaplib.IMAP4.error) as error:
            self.is_broken = True
            raise self._problem_of(error) from error
        finally:
            timer.cancel()

    def offered(self) -> set[str]:
        """What the server can do now: more after TLS, and more after the login."""
        _answer, data = self.capability()
        return set(b" ".join(filter(None, data)).decode("ascii", "replace").upper().split())

    def hide(self, *secrets: str) -> None:
        """Keeps secrets out of errors. imaplib shows some answers as repr() does."""
        shown = [secret.encode().decode("latin-1").encode("unicode_escape").decode() for secret in secrets]
        self.hidden = [*shown, *secrets]

    def scrubbed(self, words: object) -> str:
        """What the server said, without the secrets that it may repeat."""
        return failures.without(str(words), self.hidden)

    def _start_tls(self) -> None:
        if "STARTTLS" not in self.capabilities:
            raise FetchRefused(_("The server does not offer STARTTLS."))
        if self.xatom("STARTTLS")[0] != "OK":
            raise FetchRefused(_("The server does not start TLS."))
        self.stream.close()
        self._encrypt()  # with a new stream: what came before TLS is not read any more

    def _encrypt(self) -> None:
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
        self.stream = self.sock.makefile("rb")

    def _cut(self) -> None:
        self.is_out_of_time = True
        if self.handle:
            with contextlib.suppress(OSError):
                self.handle.shutdown(socket.SHUT_RDWR)

    def _problem_of(self, error: Exception) -> FetchProblem:
        if self.is_out_of_time or isinstance(error, TimeoutError):
            return Unreachable(_("The server did not respond in time."))
        if isinstance(error, ssl.SSLCertVerificationError):
            why = error.verify_message
            return FetchRefused(_("The certificate of the server is not valid: %(why)s") % {"why": why})
        if isinstance(error, socket.gaierror):
            return Unreachable(_("The name of the server is unknown."))
        if isinstance(error, OSError):
            return Unreachable(_("The connection failed: %(why)s") % {"why": error})
        return Unreachable(_("The server responded: %(words)s") % {"words": self.scrubbed(error)})
