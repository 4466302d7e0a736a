"""The crash campaign: signals at a fixed rate, chains and mass messages under way, stand-ins that fail, and `kill -9`
at random moments. Afterwards: nothing acknowledged is missing, every chain rang, every deadline fired, every delivery
has come to something, and whatever arrived twice says so.

    python -m tools.crash                         200 kills, about twenty minutes
    python -m tools.crash --kills 20 --short      as in the tests
    python -m tools.crash --seed 4711             the same mix, faults and moments again

Real processes do not replay exactly: a seed brings back what is sent, which requests fail and when the kills come, not
what the hub was doing at that very instruction. The folder of a campaign that found something is kept.
"""

import argparse
import asyncio
import random
import shutil
import sys
import time
from pathlib import Path

from msgspec.structs import replace

from tools.crash.campaign import SHORT, Campaign, Plan, Told
from tools.crash.checks import SHOWN
from tools.crash.hub import HubGone
from tools.crash.sender import Mix
from tools.crash.world import Scale


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, help="200; with --short 20")
    parser.add_argument("--seed", type=int, help="otherwise chosen by chance, and printed")
    parser.add_argument("--rate", type=float, default=200.0, help="signals a second")
    parser.add_argument("--short", action="store_true", help="kills in quick succession, a smaller world")
    parser.add_argument("--work", type=Path, default=Path("var/crash"), help="where its folders are made")
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    kills = options.kills or (SHORT if options.short else (Plan(),))[0].kills
    return run(seed, kills, options.rate, options.short, options.work, options.keep)


def run(seed: int, kills: int, rate: float, short: bool, work: Path, keep: bool) -> int:
    """Runs one campaign and tells of it. Returns 0, or 1 where something was found."""
    plan, scale, mix = SHORT if short else (Plan(), Scale(), Mix())
    plan, mix = replace(plan, kills=kills), replace(mix, rate=rate)
    folder = work.resolve() / f"{seed}-{int(time.time())}"
    folder.mkdir(parents=True)
    again = f"python -m tools.crash --seed {seed} --kills {kills} --rate {rate:g}" + (" --short" if short else "")
    print(f"seed {seed}: {kills} kills, {rate:g} signals/s, in {folder}", flush=True)
    try:
        told = asyncio.run(Campaign(folder, seed, plan, scale, mix).run())
    except HubGone as gone:
        print(f"FAULT: {gone}\nonce more: {again}")
        return 1
    print("\n".join(lines(told)))
    if told.found.faults:
        print(f"FAULTS; the journal and the hub's log are in {folder}\nonce more: {again}")
        return 1
    if not keep:
        shutil.rmtree(folder)
    print("nothing is missing, nothing was decided twice, and whatever came twice said so")
    return 0


def lines(told: Told) -> list[str]:
    """The figures, then the faults."""
    ready = sorted(told.ready_s)
    kills = ", ".join(f"{count} {kind}" for kind, count in told.kills.most_common())
    said = [f"{told.seconds:.0f} s, {told.kills.total()} kills ({kills})"]
    if ready:
        p50, p99 = ready[len(ready) // 2], ready[min(len(ready) - 1, int(len(ready) * 0.99))]
        said.append(f"ready after a kill: p50 {p50:.2f} s, p99 {p99:.2f} s, at most {ready[-1]:.2f} s ({len(ready)})")
    said.append("faults thrown: " + ", ".join(f"{count} {name}" for name, count in told.struck.items() if count))
    said += [f"{count:>9,} {name}" for name, count in told.found.figures.items()]
    for kind, found in told.found.faults.items():
        said.append(f"{kind}: {len(found)} faults")
        said += [f"    {text}" for text in found[:SHOWN]]
    return said


if __name__ == "__main__":
    sys.exit(main())
