"""What is no page: the outbox with real workers, import, rebuild of the search, backup."""

import csv
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from django.core.management import get_commands

from tickets.mail.receiving.limits import MAX_BYTES
from tickets.management.benchmark.processes import SECRET_KEY, Failed, environment, manage, start, stop
from tickets.management.demo.people import PEOPLE

WORKERS = 2
ANSWER_SECONDS = 0.02
PATIENCE = 120  # seconds


class SlowMailgun(ThreadingHTTPServer):
    """Takes every mail, like Mailgun, after ANSWER_SECONDS."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken_at: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v3"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the receipt of the head

    def do_POST(self):  # noqa: N802 - the name is http.server's
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(ANSWER_SECONDS)
        self.server.taken_at.append(time.perf_counter())
        body = b'{"id": "<%d@mailgun>", "message": "Queued."}' % len(self.server.taken_at)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def all_works(url: str, folder: Path, tickets: int, seconds: float) -> dict[str, str]:
    """{what: in words}, of one scratch database. Does the same amount whatever the size."""
    env = environment(url, folder)
    amount = max(20, int(1000 * min(1.0, seconds)))
    return {
        f"outbox, {WORKERS} workers": outbox(env, url, folder, amount),
        "import_tickets": imported(env, folder, 10 * amount),
        "rebuild_search": whole_command("rebuild_search", env, tickets),
        "backup": whole_command("backup", env, tickets),
        "receive a mail": received(url, folder, b"\r\nThe printer prints nothing.\r\n"),
        "receive the worst mail": received(url, folder, worst_mail()),
    }


def outbox(env: dict[str, str], url: str, folder: Path, mails: int) -> str:
    """Mails a second, from the first that the provider takes to the last."""
    with SlowMailgun() as mailgun:
        manage(["benchmark", "--step", "queue", "--mails", str(mails)], env)
        env = environment(url, folder, MAILGUN_API_URL=mailgun.url)
        log = folder / "workers.log"
        workers = [start(["manage.py", "run_worker"], env, log) for _worker in range(WORKERS)]
        end = time.monotonic() + PATIENCE
        while len(mailgun.taken_at) < mails and time.monotonic() < end:
            time.sleep(0.05)
        for worker in workers:
            stop(worker)
        taken = sorted(mailgun.taken_at)
    if len(taken) < 2:
        return "no mail left"
    return f"{(len(taken) - 1) / (taken[-1] - taken[0]):,.0f} mails a second"


def imported(env: dict[str, str], folder: Path, rows: int) -> str:
    path = folder / "import.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["subject", "description", "category", "requester", "created_at"])
        for number in range(rows):
            text = f"Row {number}: the printer prints nothing. " * 5
            email = PEOPLE["jonas"].email
            writer.writerow([f"Printer {number}", text, "Other", email, "2026-01-05 09:30"])
    taken = timed(["import_tickets", str(path)], env)
    return taken if isinstance(taken, str) else f"{rows / taken:,.0f} tickets a second"


def whole_command(name: str, env: dict[str, str], tickets: int) -> str:
    if name not in get_commands():
        return "no such command yet"
    taken = timed([name], env)
    return taken if isinstance(taken, str) else f"{taken:,.1f} s ({tickets / taken:,.0f} tickets a second)"


def received(url: str, folder: Path, rest: bytes) -> str:
    """How long `receive_mail` takes to file a mail of somebody known, with its start. `rest`: after From."""
    inbound = {"INBOUND_DOMAIN": "in.example.com", "INBOUND_AUTHSERV_ID": "mx.example.net"}
    env = environment(url, folder, MAILGUN_WEBHOOK_SECRET=SECRET_KEY, **inbound)
    head = (
        "Authentication-Results: mx.example.net; dmarc=pass\r\n"
        f"Message-ID: <{uuid.uuid4()}@example.com>\r\n"
        f"From: {PEOPLE['jonas'].email}\r\nTo: support@in.example.com\r\nSubject: Printer\r\n"
    )
    taken = timed(["receive_mail"], env, given=head.encode() + rest)
    return taken if isinstance(taken, str) else f"{taken:,.1f} s"


def worst_mail() -> bytes:
    """As large as a mail may be, in parts that took longest to read."""
    size = (MAX_BYTES - 4096) // 8
    part = b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + b"<" * (size - 100) + b"\r\n"
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + 8 * part + b"--b--\r\n"


def timed(arguments: list[str], env: dict[str, str], *, given: bytes | None = None) -> float | str:
    """Seconds of a command with its start, or why it failed."""
    started = time.perf_counter()
    try:
        manage(arguments, env, given=given)
    except Failed as error:
        return str(error)
    return time.perf_counter() - started
