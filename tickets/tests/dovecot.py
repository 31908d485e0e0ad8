"""A real Dovecot (Debian's dovecot-imapd) on the loopback, with its mail in a temporary folder.

It takes a password (PLAIN, LOGIN) and signed tokens (XOAUTH2): it verifies their signature with a local key,
so no token server is needed. Three ports: TLS, STARTTLS, and one without TLS.
"""

import base64
import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import jwt

from tickets.tests.certificates import make_certificate
from tickets.tests.real_time import wait_until

PASSWORD = "correct-horse"
KEY = b"the key that signs the tokens of this test server"
# Debian's location is not in the PATH of everybody.
PROGRAM = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
info_log_path = {folder}/log
auth_verbose = yes
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = {connections}
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
imap_capability = {capability}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""
TOKENS = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
"""


def free_ports(count: int) -> list[int]:
    """Ports above 1024 that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _port in range(count)]
        return [each.getsockname()[1] for each in sockets]


class Dovecot:
    """`with Dovecot(folder) as server:`. The folder must be readable for other users."""

    def __init__(self, folder: Path, *, capability: str = "", connections: int = 10, tls: str = "yes"):
        self.folder, self.capability, self.connections, self.tls = folder, capability, connections, tls
        self.plain_port, self.tls_port = free_ports(2)
        self.process: subprocess.Popen | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def __enter__(self):
        self._write()
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def start(self) -> None:
        with (self.folder / "errors").open("w") as errors:
            self.process = subprocess.Popen(
                # It ends with the tests, even if they are killed.
                ["setpriv", "--pdeathsig", "TERM", PROGRAM, "-F", "-c", self.folder / "dovecot.conf"],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        wait_until(self._answers, seconds=20)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)

    def token(self, user: str, *, key: bytes = KEY, seconds: int = 600) -> str:
        now = int(time.time())
        claims = {"sub": user, "iat": now, "nbf": now - 60, "exp": now + seconds}
        return jwt.encode(claims, key, algorithm="HS256", headers={"kid": "default"})

    @contextlib.contextmanager
    def client(self, user: str):
        """A plain client of the test itself, logged in."""
        client = imaplib.IMAP4("127.0.0.1", self.plain_port, timeout=20)
        client.login(user, PASSWORD)
        try:
            yield client
        finally:
            client.logout()

    def append(self, user: str, *mails: bytes, folder: str = "INBOX", at: float | None = None) -> None:
        """Puts mails into a folder. `at`: the time they arrived at the server."""
        moment = imaplib.Time2Internaldate(time.time() if at is None else at)
        with self.client(user) as client:
            for mail in mails:
                answer, data = client.append(folder, None, moment, mail)
                assert answer == "OK", data

    def mails(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder, oldest first; none if there is no such folder."""
        with self.client(user) as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            _ok, data = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [part[1] for part in data if isinstance(part, tuple)]

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        with self.client(user) as client:
            client.select(folder, readonly=True)
            _ok, data = client.uid("FETCH", "1:*", "(FLAGS)")
            return [line.decode() for line in data if line]

    def remake(self, user: str, mails: list[bytes]) -> None:
        """Deletes the mailbox on disk and makes it anew: with another UIDVALIDITY."""
        before = self.validity(user)
        while self.validity(user) == before:  # it counts seconds
            shutil.rmtree(self.folder / "mail" / user)
        self.append(user, *mails)

    def validity(self, user: str) -> bytes:
        with self.client(user) as client:
            client.select("INBOX", readonly=True)
            return client.response("UIDVALIDITY")[1][0]

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "errors").read_text() + self.log
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.tls_port), 1):
            return True
        return False

    def _write(self) -> None:
        is_root = os.getuid() == 0
        internal, login = ("dovecot", "dovenull") if is_root else [pwd.getpwuid(os.getuid()).pw_name] * 2
        owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.getuid())
        values = {"internal": internal, "login": login, "connections": self.connections}
        values |= {
            "folder": self.folder,
            "password": PASSWORD,
            "ssl": self.tls,
            "capability": self.capability,
        }
        values |= {"group": "dovecot" if is_root else os.getgid(), "uid": owner.pw_uid, "gid": owner.pw_gid}
        values |= {"plain_port": self.plain_port, "tls_port": self.tls_port}
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir(parents=True)
        os.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
        (self.folder / "dovecot.conf").write_text(CONFIG.format(**values))
        (self.folder / "oauth2.conf").write_text(TOKENS.format(**values))
        key = self.folder / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(KEY))
        certificate, private_key = make_certificate("localhost")
        (self.folder / "certificate.pem").write_bytes(certificate)
        (self.folder / "key.pem").write_bytes(private_key)
