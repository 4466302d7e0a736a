"""Seeded nights of the pure core and of dispatch in virtual time.

    python -m tools.simulate                      1,000 nights
    python -m tools.simulate --nights 100000      the long campaign
    python -m tools.simulate --seed 4711          that one night again, exactly

In each night warnings, updates and cancels come in, people answer, do not, late or twice; channels refuse, fail, hang,
lose their answers and tell later; operators stop everything; the clock steps; the hub crashes at any record and comes
back after seconds or an hour. Safety is checked while that lasts, liveness once it has ended. The seed is printed
first, and after a fault the command that replays it.
"""

import argparse
import logging
import os
import random
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import structlog

from tools.simulate.night import Told, simulate

COUNTED = ("crashes", "facts", "decisions", "arrived", "repeats", "incidents", "accepted", "exhausted")
TELL_EVERY = 1_000


def _fixed() -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": "0"}


def one(seed: int) -> tuple[int, Told | None, str]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        return seed, simulate(seed), ""
    except BaseException:
        return seed, None, traceback.format_exc()


def main() -> int:
    if os.environ.get("PYTHONHASHSEED") != "0":  # or a seed would not replay in another process
        os.execve(sys.executable, [sys.executable, "-m", "tools.simulate", *sys.argv[1:]], _fixed())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--seed", type=int, help="one night, by its seed")
    parser.add_argument("--from", dest="first", type=int, help="the first seed (else chosen by chance)")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if options.seed is not None:
        print(f"seed {options.seed}")
        _, told, fault = one(options.seed)
        print(told if told else fault)
        return 1 if fault else 0
    first = options.first if options.first is not None else random.SystemRandom().randrange(10**9)
    print(f"{options.nights} nights from seed {first}", flush=True)
    return 1 if run(range(first, first + options.nights), options.jobs) else 0


def run(seeds: range, jobs: int) -> int:
    """Lives these nights and tells of them, now and then what came of them so far. Returns how many had a fault."""
    began = time.monotonic()
    sums: Counter[str] = Counter()
    done = faults = 0
    with ProcessPoolExecutor(jobs) as pool:
        for seed, told, fault in pool.map(one, seeds, chunksize=10):
            done += 1
            if told is None:
                faults += 1
                print(f"FAULT in seed {seed}: replay with: python -m tools.simulate --seed {seed}")
                print(fault if faults <= 3 else fault.strip().splitlines()[-1], flush=True)
            else:
                sums.update({name: getattr(told, name) for name in COUNTED})
            if done % TELL_EVERY == 0 or done == len(seeds):
                took = time.monotonic() - began
                counted = ", ".join(f"{sums[name]} {name}" for name in COUNTED)
                print(f"{done} nights in {took:.0f} s, {faults} faults; {counted}", flush=True)
    return faults


if __name__ == "__main__":
    sys.exit(main())
