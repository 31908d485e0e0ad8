"""A limit in total for one email: a read timeout never fires if the server answers byte by byte."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer


class SendTimeout(Exception):
    """The server took longer than the limit in total."""


@contextmanager
def time_limit(seconds: int, *, cut: Callable[[], None]) -> Iterator[None]:
    """Ends what happens inside after `seconds`.

    In the main thread, where a worker sends, it raises SendTimeout. Signals reach no other thread: there it
    calls `cut` from a timer, which ends the connection, so that the wait for the server fails.
    """
    is_main = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    with _by_signal(seconds) if is_main else _by_timer(seconds, cut):
        yield


@contextmanager
def _by_signal(seconds: int) -> Iterator[None]:
    def give_up(signum, frame):
        raise SendTimeout(f"The mail provider took longer than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_timer(seconds: int, cut: Callable[[], None]) -> Iterator[None]:
    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
