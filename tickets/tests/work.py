"""How much work a call is, counted: what no busy machine changes."""

import sys
from collections.abc import Callable


def work(function: Callable, *arguments) -> int:
    """The lines of Python that run, and the calls of Python and of C."""
    count = 0

    def trace(frame, event, _argument):
        nonlocal count
        count += event in ("line", "call")
        return trace

    def profile(frame, event, _argument):
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        function(*arguments)
    finally:
        sys.setprofile(before[1])
        sys.settrace(before[0])
    return count


def is_linear(function: Callable, make: Callable[[int], object], size: int) -> bool:
    """Whether twice as much input is at most about twice the work. `make` makes an input of a size."""
    function(make(size))  # what is made once, and kept
    small, large = work(function, make(size)), work(function, make(2 * size))
    return large <= 2.2 * small + 500
