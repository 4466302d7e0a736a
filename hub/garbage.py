"""When Python looks for garbage that refers to itself, in the hub and in its edge."""

import gc

# Objects, and so on: Python's own 700 took a sixth of the processor at saturation.
_THRESHOLD = (20_000, 20, 50)


def collect_rarely() -> None:
    """What is loaded by now stays for good and is not looked at again (measured at
    saturation, p99 of an acceptance: 58 to 27 ms), and what comes is looked at less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLD)
