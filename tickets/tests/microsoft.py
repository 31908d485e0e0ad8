"""A small server that speaks Microsoft Graph and the token endpoints of Microsoft and Google, on the loopback.

`behave` says how sendMail answers: a status, a pair (status, code of the error), "lie" (takes the email, then
says 500) or ("lie", status, code). A list is used up one by one; its last entry repeats. `tokens` does the same for the token endpoint: a
status, a pair (status, JSON), or "slow". `sent` are the MIME messages that left.
"""

import json
import threading
import time
from base64 import b64decode
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Microsoft(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MicrosoftHandler)
        self.behave: object = 202
        self.tokens: object = 200
        self.retry_after = ""
        self.keeps_message_id = True
        self.sent: list[bytes] = []
        self.asked: list[dict] = []  # the forms that the token endpoint got
        self.searches, self.search_status = 0, 200
        self.valid_tokens: set[str] = set()
        self.new_refresh_token = ""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


def following(value: object) -> object:
    if isinstance(value, list):
        return value.pop(0) if len(value) > 1 else value[0]
    return value


class MicrosoftHandler(BaseHTTPRequestHandler):
    server: Microsoft
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802 - the name is http.server's
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/sendMail"):
            self.send_mail(body)
        else:
            self.give_token({name: values[0] for name, values in parse_qs(body.decode()).items()})

    def do_GET(self):  # noqa: N802 - the name is http.server's
        """A search in Sent Items by Message-ID."""
        self.server.searches += 1
        if self.server.search_status != 200:
            self.error(self.server.search_status, "Error")
            return
        wanted = parse_qs(urlsplit(self.path).query)["$filter"][0].partition("'")[2].rstrip("'")
        ids = [message_from_bytes(mime)["Message-ID"] for mime in self.server.sent]
        found = [name for name in ids if name == unquote(wanted) and self.server.keeps_message_id]
        self.answer(200, {"value": [{"id": "1", "internetMessageId": name} for name in found]})

    def send_mail(self, body: bytes) -> None:
        if not self.is_known():
            self.error(401, "InvalidAuthenticationToken")
            return
        behave = following(self.server.behave)
        lies = behave == "lie" or (isinstance(behave, tuple) and behave[0] == "lie")
        if behave == 202 or lies:
            self.server.sent.append(b64decode(body))
        if behave == "lie":
            self.error(500, "InternalServerError")
        elif isinstance(behave, tuple):
            self.error(*behave[-2:])
        elif behave == 202:
            self.answer(202, None)
        else:
            self.error(behave, "Error")

    def is_known(self) -> bool:
        return self.headers["Authorization"].removeprefix("Bearer ") in self.server.valid_tokens

    def give_token(self, form: dict) -> None:
        with self.server.lock:
            self.server.asked.append({"path": self.path, **form})
            number = len(self.server.asked)
        tokens = following(self.server.tokens)
        if tokens == "slow":
            time.sleep(0.3)
            tokens = 200
        status, content = tokens if isinstance(tokens, tuple) else (tokens, {"error": "server_error"})
        if status == 200:
            content = {"access_token": f"token-{number}", "expires_in": 3600, "token_type": "Bearer"}
            if self.server.new_refresh_token:
                content["refresh_token"] = self.server.new_refresh_token
            self.server.valid_tokens.add(content["access_token"])
        self.answer(status, content)

    def error(self, status: int, code: str) -> None:
        self.answer(status, {"error": {"code": code, "message": f"{code} happened."}})

    def answer(self, status: int, content: dict | None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if self.server.retry_after and self.command == "POST":
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
