"""A limit in total for one email: a read timeout never fires if the server answers byte by byte."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SendTimeout(Exception):
    """The server took longer than the limit in total."""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raises SendTimeout after `seconds`. Works only in the main thread, where a worker sends."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(signum, frame):
        raise SendTimeout(f"The mail provider took longer than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
