"""Subprocesses with a temporary database: manage.py, gunicorn, workers."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

SETTINGS = "tickets.management.benchmark.settings"
PATIENCE = 300  # seconds until a server answers
# Environment variables of an installation that the benchmark ignores.
UNSET = (
    "ALLOWED_HOSTS", "ALLOW_CONSOLE_MAIL", "DEBUG", "DYNO", "INBOUND_DOMAIN", "MAIL_CANARY",
    "MAILGUN_SENDER", "S3_BUCKET", "SIGNUP_EMAIL_DOMAINS", "TRUSTED_PROXIES", "WEB_THREADS",
)  # fmt: skip


class Failed(Exception):
    """A subprocess failed. The message contains its name and output."""


def environment(database_url: str, folder: Path, **extra: str) -> dict[str, str]:
    """The environment of a local installation, with an email provider that is never called."""
    return {
        **os.environ,
        **dict.fromkeys(UNSET, ""),
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "DATABASE_URL": database_url,
        "ATTACHMENTS_DIR": str(folder / "attachments"),
        "SECRET_KEY": SECRET_KEY,
        "SITE_URL": "http://localhost:8000",
        "MAILGUN_API_KEY": "benchmark",
        "MAILGUN_DOMAIN": "mg.example.com",
        "LOG_LEVEL": "WARNING",
        "WEB_CONCURRENCY": "2",
        **extra,
    }


SECRET_KEY = secrets.token_urlsafe(50)


def manage(
    arguments: list[str], env: dict[str, str], *, quiet: bool = True, given: bytes | None = None
) -> str:
    """Runs manage.py with `given` on standard input. Returns its output. Raises Failed."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=env,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
    )
    printed, complaint = done.stdout.decode(), (done.stderr or b"").decode()
    if done.returncode:
        last = (complaint or printed).strip().splitlines()[-1:]
        raise Failed(f"manage.py {' '.join(arguments)} ended with {done.returncode}: {''.join(last)}")
    return printed


def start(arguments: list[str], env: dict[str, str], log: Path) -> subprocess.Popen:
    """Starts a Python process in the background."""
    with log.open("ab") as file:
        return subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=env,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """gunicorn as in the Procfile, on the loopback address. Workers are not replaced, to measure memory."""

    def __init__(self, env: dict[str, str], log: Path, *, port: int | None = None):
        self.port, self.log = port or free_port(), log
        arguments = ["-m", "gunicorn", "helpdesk.wsgi", "--config", "python:helpdesk.gunicorn"]
        arguments += ["--bind", f"127.0.0.1:{self.port}", "--max-requests", "0", "--timeout", "0"]
        self.process = start(arguments, env, log)

    def wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise Failed(f"gunicorn does not answer:\n{self.log.read_text()[-2000:]}")

    @property
    def memory(self) -> float:
        """Memory of the largest worker in MB; 0 without /proc."""
        return max(map(resident, children(self.process.pid)), default=0.0)

    def stop(self) -> None:
        stop(self.process)


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def resident(pid: int) -> float:
    """Memory of a process in MB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0
