"""A small server that speaks Mailgun's API on the loopback and can be told how to behave.

POST /v3/<domain>/messages is answered as `behave` says: a status (200, 400, 401, 429, 500), "hang", "drop",
"drip" (one byte a second), "lose" (takes the mail, then drops the connection) or "lie" (takes the mail,
then says 500). GET /v3/<domain>/events gives `events` in pages of `page_size`, or answers as `events_behave`
says: a status (302 leads to `next_page_at`), "drop", or the bytes of a body. The posts that Mailgun sends by itself are made by signature() and event().
"""

import hashlib
import hmac
import json
import secrets
import threading
import time
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

WEBHOOK_SECRET = "the key that signs webhooks"
LONGEST = 30  # seconds that a hanging answer holds on; stop() ends it at once


class MailgunServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave: int | str = 200
        self.retry_after = "120"
        self.message_id = ""  # of the next mails; else numbers
        self.requests_seen = self.connections_seen = 0
        self.mails: list[dict[str, str]] = []
        self.events: list[dict] = []
        self.events_behave: int | str | bytes = 200
        self.page_size = 300
        self.next_page_at = self.url
        self.events_asked: list[str] = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.on_mail = lambda mail: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v3"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: MailgunServer
    protocol_version = "HTTP/1.1"  # a connection stays open for the next mail

    def setup(self):
        super().setup()
        with self.server.lock:
            self.server.connections_seen += 1

    def do_POST(self):  # noqa: N802 - the name is http.server's
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # who sent it was killed half-way
            self.close_connection = True
            return
        mail = self.fields(body)
        with self.server.lock:
            self.server.requests_seen += 1
            behave = self.server.behave
            if behave in (200, "lose", "lie", "drip"):
                self.server.mails.append(mail)
        if behave == 200:
            self.server.on_mail(mail)
        if behave == "hang":
            self.server.stopping.wait(LONGEST)
        elif behave == "drip":
            self.drip()
        elif behave in ("drop", "lose"):
            self.close_connection = True
        else:
            self.answer(500 if behave == "lie" else behave)

    def do_GET(self):  # noqa: N802 - the name is http.server's
        """Like Mailgun's: the last page has a next one too, which is empty."""
        behave = self.server.events_behave
        self.server.events_asked.append(self.path)
        if behave == "drop":
            self.close_connection = True
        elif behave == 200:
            path, _mark, _query = self.path.removeprefix("/v3").partition("?")
            _before, _slash, page = path.partition("/events/")
            start = int(page or 0) * self.server.page_size
            following = (
                f"{self.server.next_page_at}{path.partition('/events')[0]}/events/{int(page or 0) + 1}"
            )
            items = self.server.events[start : start + self.server.page_size]
            self.send_json(200, {"items": items, "paging": {"next": following}})
        elif isinstance(behave, bytes):
            self.send_body(200, behave)
        else:
            self.answer(behave)

    def fields(self, body: bytes) -> dict[str, str]:
        """The form's fields, as multipart or urlencoded."""
        content_type = self.headers["Content-Type"]
        if content_type.startswith("application/x-www-form-urlencoded"):
            return {name: values[0] for name, values in parse_qs(body.decode()).items()}
        message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        return {
            part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True).decode()
            for part in message.get_payload()
        }

    def answer(self, status: int) -> None:
        texts = {200: "Queued. Thank you.", 400: "to parameter is not a valid address", 401: "Forbidden"}
        message_id = self.server.message_id or f"<{self.server.requests_seen}@mailgun>"
        self.send_json(status, {"id": message_id, "message": texts.get(status, "Error")})

    def send_json(self, status: int, content: dict) -> None:
        self.send_body(status, json.dumps(content).encode())

    def send_body(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.next_page_at)
        if status == 429:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _second in range(LONGEST):
            if self.server.stopping.wait(1):
                return
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def log_message(self, *args):
        pass


def signature(
    *, secret: str = WEBHOOK_SECRET, token: str | None = None, at: float | None = None
) -> dict[str, str]:
    """What Mailgun puts beside what it posts: a token and a time, signed."""
    token = secrets.token_hex(25) if token is None else token
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
    return {"token": token, "timestamp": timestamp, "signature": digest.hexdigest()}


def event(kind: str, message_id: str, **data) -> dict:
    """The post that tells what became of a mail."""
    return {
        "signature": signature(),
        "event-data": {
            "event": kind,
            "id": secrets.token_urlsafe(16),
            "timestamp": time.time(),
            "message": {"headers": {"message-id": message_id.strip("<>")}},
            **data,
        },
    }
