"""A small server that speaks as much of S3 as the helpdesk uses, on the loopback, and can be told how to fail.

Each request is answered as `behave` says: 200, another status (403, 404, 500, 503), "hang", "drop" (closes the
connection), or "half" (a GET sends half of the file, then drops).
"""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.config import Config

from tickets.storage.bucket import TRIES, AttachmentBucket

BUCKET = "attachments"
CHUNK = re.compile(rb"([0-9a-f]+)(?:;[^\r\n]*)?\r\n")
LONGEST = 30  # seconds that a hanging answer holds on; stop() ends it at once


class S3Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave: int | str = 200
        self.has_bucket = True
        self.files: dict[str, bytes] = {}
        self.requests_seen: list[str] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def storage(self, **options) -> AttachmentBucket:
        """As in production, but it waits half a second where that waits seven."""
        quick = Config(
            connect_timeout=0.5, read_timeout=0.5, retries={"total_max_attempts": TRIES, "mode": "standard"}
        )
        keys = {"access_key": "key", "secret_key": "secret", "region_name": "eu-central-1"}
        return AttachmentBucket(
            **{"bucket_name": BUCKET, "endpoint_url": self.url, "client_config": quick, **keys, **options}
        )

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: S3Server
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests_seen.append(f"{self.command} {self.path}")
        behave = self.server.behave
        if behave == "hang":
            self.server.stopping.wait(LONGEST)
        if behave in ("hang", "drop"):
            self.close_connection = True
        elif behave not in (200, "half"):
            self.answer(behave)
        elif not self.server.has_bucket:
            self.answer(404)
        else:
            self.serve(self.path.removeprefix(f"/{BUCKET}").partition("?")[0].lstrip("/"), body)

    do_GET = do_HEAD = do_PUT = do_DELETE = handle_one  # noqa: N815 - the names are http.server's

    def serve(self, key: str, body: bytes) -> None:
        files = self.server.files
        if self.command == "PUT":
            files[key] = (
                unchunked(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body
            )
            self.answer(200)
        elif self.command == "DELETE":
            files.pop(key, None)
            self.answer(204)
        elif not key:  # the bucket itself
            self.answer(200)
        elif key not in files:
            self.answer(404)
        else:
            self.answer(200, files[key])

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 30 Nov 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.behave == "half" and body:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def unchunked(body: bytes) -> bytes:
    """What a body holds that is sent in signed chunks with a checksum behind (aws-chunked)."""
    content, position = b"", 0
    while match := CHUNK.match(body, position):
        size = int(match[1], 16)
        if not size:
            break
        content += body[match.end() : match.end() + size]
        position = match.end() + size + 2
    return content
