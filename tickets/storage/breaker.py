"""A breaker: after three failures within a minute nobody waits for the store any more."""

import time
from collections import deque
from threading import Lock

FAILURES = 3
PERIOD = 60  # seconds


class Breaker:
    """Of one process; its threads share it. Once open it lets one call a minute try, until one succeeds."""

    def __init__(self):
        self._lock = Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._next_try_at: float | None = None  # None: closed

    def refuses(self) -> bool:
        with self._lock:
            if self._next_try_at is None:
                return False
            if time.time() < self._next_try_at:
                return True
            self._next_try_at = time.time() + PERIOD  # this call tries, the others wait for what it finds
            return False

    def failed(self) -> None:
        with self._lock:
            now = time.time()
            self._failures.append(now)
            is_often = len(self._failures) == FAILURES and now - self._failures[0] < PERIOD
            if is_often or self._next_try_at is not None:
                self._next_try_at = now + PERIOD

    def succeeded(self) -> None:
        with self._lock:
            self._failures.clear()
            self._next_try_at = None
