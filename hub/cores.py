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
    process's number, so that several hubs on a machine spread; the edge takes another one than its hub where there are
    others. Does nothing where the system cannot do it."""
    if not hasattr(os, "sched_setaffinity"):
        return
    given = os.sched_getaffinity(0)
    if cores := os.environ.get(CORES):  # what the hub was given; this process inherited the one it chose
        given = ({int(core) for core in cores.split(",")} - given) or given
    else:
        os.environ[CORES] = ",".join(map(str, sorted(given)))
    os.sched_setaffinity(0, {sorted(given)[os.getpid() % len(given)]})
