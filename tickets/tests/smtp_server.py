"""A small SMTP server on the loopback that answers each step as it is told.

`answers` holds what it says at GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA and BODY: a text, or a list of
texts of which the last repeats. "cut" closes the connection, "silent" says nothing, "drip" sends one byte at a
time. `lines` is all that it was sent, `mails` are those it took.
"""

import socketserver
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LONGEST = 30  # seconds that silence lasts; stop() ends it
GOOD = {
    "GREETING": "220 here",
    "EHLO": "250-here\r\n250-8BITMIME\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN XOAUTH2",
    "STARTTLS": "220 go on",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    "BODY": "250 2.0.0 Ok: queued as 4F2A99B",
    "QUIT": "221 bye",
}


class SmtpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, tls: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tls, self.answers = tls, dict(GOOD)
        self.lines: list[str] = []
        self.mails: list[tuple[str, str, bytes]] = []
        self.connections_seen = 0
        self.stopping = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def answer(self, step: str) -> str:
        text = self.answers[step]
        if isinstance(text, str):
            return text
        return text.pop(0) if len(text) > 1 else text[0]

    def count(self, verb: str) -> int:
        return sum(line.upper().startswith(verb) for line in self.lines)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that breaks the connection, or the handshake, is what the tests are about."""


class Cut(Exception):
    """The server closes the connection."""


class Handler(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self):
        self.server.connections_seen += 1
        if self.server.tls and "STARTTLS" not in str(self.server.answers["EHLO"]):
            self.encrypt()
        try:
            self.say("GREETING")
            self.talk()
        except (Cut, OSError):
            return
        finally:
            self.connection.close()  # also the encrypted one, which socketserver does not know

    def talk(self) -> None:
        sender = recipient = ""
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            self.server.lines.append(line)
            verb = line.split()[0].upper()
            if verb == "MAIL":
                sender = line.partition("<")[2].partition(">")[0]
            if verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
            said = self.say("EHLO" if verb in ("EHLO", "HELO") else verb)
            if verb == "STARTTLS":
                self.encrypt()
            if verb == "QUIT":
                return
            if verb == "AUTH" and said.startswith("334"):
                self.server.lines.append(self.rfile.readline().decode().rstrip("\r\n"))
                self.say("AUTH")
            if verb == "DATA" and said.startswith("354"):
                self.take(sender, recipient)

    def take(self, sender: str, recipient: str) -> None:
        body = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            body += line
        said = self.server.answer("BODY")
        if said[0] == "2" or said == "cut":  # cut: the email was taken, but nobody learns it
            self.server.mails.append((sender, recipient, body))
        self.send(said)

    def say(self, step: str) -> str:
        text = self.server.answer(step)
        self.send(text)
        return text

    def send(self, text: str) -> None:
        if text == "cut":
            raise Cut
        if text == "silent":
            self.server.stopping.wait(LONGEST)
            raise Cut
        if text == "drip":
            while not self.server.stopping.wait(0.2):
                self.wfile.write(b"2")
        self.wfile.write(f"{text}\r\n".encode())

    def encrypt(self) -> None:
        self.request = self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb", -1), self.connection.makefile("wb", 0)


def certificate(folder, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, str]:
    """A server's side of TLS for `host`, and the path of the certificate, which whoever trusts it needs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    try:
        alternative = x509.IPAddress(ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    path = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, str(path)
