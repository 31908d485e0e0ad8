"""Real processes on the test's database, which talk to the local Mailgun."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as project
from django.db import connection

# Arguments: minutes, then those of manage.py. Only Python's clock goes wrong, not the database's.
CLOCK_IS_WRONG = """
import os, sys
from datetime import timedelta
import time_machine
from django.core.management import execute_from_command_line
time_machine.travel(timedelta(minutes=int(sys.argv.pop(1)))).start()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


@pytest.fixture
def start_process(mailgun) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts Python with the arguments; ends at the end of the test what is left of the processes."""
    database, processes = connection.settings_dict, []
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "MAILGUN_API_KEY": "key",
        "MAILGUN_DOMAIN": "mg.example.com",
        "MAILGUN_API_URL": mailgun.url,
    }

    def start(*arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=project.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def start_worker(start_process):
    """Starts a worker. `minutes`: so far its machine's clock is ahead."""

    def start(*options: str, minutes: int = 0) -> subprocess.Popen:
        if minutes:
            return start_process("-c", CLOCK_IS_WRONG, str(minutes), "run_worker", *options)
        return start_process("manage.py", "run_worker", *options)

    return start
