"""Waiting for what other processes and browsers do: they have the real clock."""

import threading
import time
from collections.abc import Callable


def wait_until(is_true: Callable[[], object], *, seconds: float) -> None:
    """Asks again and again until it is so. Fails once the time is up."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it took too long"
        threading.Event().wait(0.1)
