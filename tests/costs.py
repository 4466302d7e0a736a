"""What reading something may cost in processor time. (Memory: `python -m tools.fuzz`, in processes of their own.)"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# The promise is 1 s; a machine under load, or one of a third of the speed, is no fault of the reader's.
LIMIT_S = 3.0


def cost(read: Callable[[bytes], T], data: bytes, limit_s: float = LIMIT_S) -> T:
    """What `read` makes of `data`. AssertionError where it takes too long; many times over where something is
    quadratic, for which this looks."""
    began = time.process_time()
    found = read(data)
    took = time.process_time() - began
    assert took <= limit_s, f"took {took:.1f} s for {len(data)} bytes"
    return found
