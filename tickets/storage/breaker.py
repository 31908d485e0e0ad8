"""A circuit breaker: after three failures within a minute, calls fail immediately."""

import time
from collections import deque
from threading import Lock

FAILURES = 3
PERIOD = 60  # seconds


class Breaker:
    """Shared by the threads of one process. While open, it allows one call per minute until one succeeds."""

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
            self._next_try_at = (
                time.time() + PERIOD
            )  # this call is the trial; others fail until it has succeeded
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
