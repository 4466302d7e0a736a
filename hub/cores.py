"""Which processor cores the hub runs on.

Python's interpreter lock lets one thread of a process run at a time. Where its threads sit on several cores, every
handover of the lock wakes another core and finds its caches cold; on one core it costs next to nothing. Measured on
two cores at saturation (docs/benchmarks.md): 4,100 signals/s accepted at 320 µs of processor each on two cores, 5,560
at 165 µs on one. Worker processes, which share no lock, use every core.
"""

import os

from hub.worker_process import CORES


def on_one_core() -> None:
    """Keeps this thread, and those it starts, on one of the cores this process was given. Which one follows from the
    process's number, so that several hubs on a machine spread. Does nothing where the system cannot do it."""
    if not hasattr(os, "sched_setaffinity"):
        return
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) > 1:
        os.environ[CORES] = ",".join(map(str, allowed))
        os.sched_setaffinity(0, {allowed[os.getpid() % len(allowed)]})
