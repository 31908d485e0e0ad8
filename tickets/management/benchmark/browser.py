"""A minimal browser: cookies, forms, gzip, one persistent connection."""

import gzip
import http.client
import secrets
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tickets.management.benchmark.visits import Request
from tickets.management.demo.people import PASSWORD

KEPT_OPEN = 30  # seconds; gunicorn closes later
PATIENCE = 600  # seconds, because a slow machine is no failure


class LoginFailed(Exception):
    pass


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    wire_bytes: int
    text: str


class Browser:
    def __init__(self, port: int, cookies: dict[str, str] | None = None):
        self.port, self.cookies = port, dict(cookies or {})
        self.connection, self.used_at = None, 0.0

    def log_in(self, email: str) -> None:
        """Logs in with the form."""
        self.ask(Request("/accounts/login/"))
        answer = self.ask(Request("/accounts/login/", {"login": email, "password": PASSWORD}))
        if answer.status != 302 or "sessionid" not in self.cookies:
            raise LoginFailed(f"{email} can't log in: {answer.status}")

    def ask(self, request: Request) -> Answer:
        headers = {"Accept-Encoding": "gzip", "Cookie": "; ".join(map("=".join, self.cookies.items()))}
        body = None
        if request.is_sent:
            body, headers["Content-Type"] = self.encoded(request)
        connection = self.open_connection()
        started = time.perf_counter()
        connection.request("POST" if request.is_sent else "GET", request.path, body, headers)
        response = connection.getresponse()
        content = response.read()
        self.used_at = time.perf_counter()
        self.keep_cookies(response.headers.get_all("Set-Cookie") or ())
        size = len(content)
        if response.headers["Content-Encoding"] == "gzip":
            content = gzip.decompress(content)
        return Answer(response.status, self.used_at - started, size, content.decode(errors="replace"))

    def open_connection(self) -> http.client.HTTPConnection:
        """The connection; a new one if gunicorn may have closed it."""
        if self.connection is None or time.perf_counter() - self.used_at > KEPT_OPEN:
            self.close()
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            self.connection.connect()
        return self.connection

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def keep_cookies(self, headers: list[str]) -> None:
        for header in headers:
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value

    def encoded(self, request: Request) -> tuple[bytes, str]:
        fields = {**request.fields, "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
        if not request.files:
            return urlencode(fields).encode(), "application/x-www-form-urlencoded"
        mark = secrets.token_hex(16)
        lines = []
        for name, value in fields.items():
            lines.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
        for name, (filename, content) in request.files.items():
            head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            lines.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content)
        return b"\r\n".join([*lines, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"
