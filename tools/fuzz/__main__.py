"""Whether any input makes a source's reader fail, hang (over a second) or swell (over 64 MiB for a MiB of input).

    python -m tools.fuzz                          every kind of source, 1,000,000 inputs each: hours
    python -m tools.fuzz cap feed --inputs 20000  some kinds, fewer
    python -m tools.fuzz cap --seed 7 --show 1234 writes input 1234 of that seed to standard output
    python -m tools.fuzz cap --guided             led by coverage (needs `pip install atheris`), until stopped

Inputs are real ones (seeds of our own, and recorded ones in the folder that VIGIE_SAMPLES names), damaged; an
input is made of its seed and its number alone. A fault names the number that shows it first. Exits 1 if there is one.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from tools.fuzz import trying
from tools.fuzz.corpus import kinds, reader, samples_folder, seeds

CHUNK = 20_000
LARGE_EACH = 100  # of a MiB each, per kind
GREW_MAX_MB = 64.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = {point.name: point for point in kinds()}
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(known)}; all of them")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of each kind")
    parser.add_argument("--large", type=int, default=LARGE_EACH, help="of each kind, of a MiB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--show", type=int, metavar="N", help="write one input, and try nothing")
    parser.add_argument("--guided", action="store_true", help="led by coverage")
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    wrong = [kind for kind in options.kinds if kind not in known]
    if wrong:
        parser.error(f"no such kind: {', '.join(wrong)}: there are {', '.join(known)}")
    chosen = options.kinds or list(known)
    if options.part:
        return _part(known[chosen[0]], options.seed, *options.part)
    of = seeds(chosen[0], samples_folder())
    if options.show is not None:
        sys.stdout.buffer.write(trying.made(of, options.seed, options.show, large=False))
        return 0
    if options.guided:
        return _guided(known[chosen[0]], of)
    faulty = [kind for kind in chosen if not _kind(kind, options)]
    print(f"faults in: {', '.join(faulty)}" if faulty else "no faults", flush=True)
    return 1 if faulty else 0


def _kind(kind: str, options: argparse.Namespace) -> bool:
    """All inputs of one kind, in processes that are started anew for each chunk. Whether all is well."""
    began = time.monotonic()
    parts = [(first, min(CHUNK, options.inputs - first), "damaged") for first in range(0, options.inputs, CHUNK)]
    parts += [(number, 1, "large") for number in range(options.large)]
    found: dict[str, Any] = {"tried": 0, "faults": {}, "slowest": (0.0, 0), "grew_mb": 0.0}
    running: list[tuple[subprocess.Popen[str], tuple[int, int, str]]] = []
    while parts or running:
        while parts and len(running) < options.jobs:
            part = parts.pop(0)
            running.append((_start(kind, options.seed, part), part))
        process, part = running.pop(0)
        out, err = process.communicate()
        if process.returncode:
            found["faults"].setdefault(f"the process ended with {process.returncode}: {err[-300:].strip()}", part[0])
            continue
        told = json.loads(out)
        found["tried"] += told["tried"]
        found["slowest"] = max(found["slowest"], tuple(told["slowest"]))
        for why, number in told["faults"].items():
            found["faults"].setdefault(f"{why}{' (large)' if part[2] == 'large' else ''}", number)
        if part[2] == "large":
            found["grew_mb"] = max(found["grew_mb"], told["grew_mb"])
            if told["grew_mb"] > GREW_MAX_MB:
                found["faults"].setdefault(f"wants {told['grew_mb']:.0f} MiB for a MiB (large)", part[0])
    slowest, number = found["slowest"]
    print(
        f"{kind}: {found['tried']} inputs in {time.monotonic() - began:.0f} s, the slowest {slowest * 1000:.0f} ms "
        f"(input {number}), at most {found['grew_mb']:.0f} MiB for a MiB",
        flush=True,
    )
    for why, number in found["faults"].items():
        print(f"  input {number}: {why}", flush=True)
    return not found["faults"]


def _start(kind: str, seed: int, part: tuple[int, int, str]) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tools.fuzz", kind, "--seed", str(seed), "--part", *map(str, part)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def _part(point: Any, seed: int, first: str, count: str, how: str) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    read, of = reader(point), seeds(point.name, samples_folder())
    for data in of[:3]:  # what is imported and compiled once is nobody's memory
        read(data)
    trying.say(trying.run(read, of, seed, int(first), int(count), how == "large"))
    return 0


def _guided(point: Any, of: list[bytes]) -> int:
    try:
        import atheris
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["connectors"]):
        read = reader(point)
    folder = Path("var") / "fuzz" / point.name
    folder.mkdir(parents=True, exist_ok=True)
    for nth, data in enumerate(of):
        (folder / f"seed-{nth}").write_bytes(data)

    def tried(data: bytes) -> None:
        wrong = trying.one(read, data)
        if wrong:
            raise AssertionError(wrong)

    import signal

    signal.signal(signal.SIGALRM, trying.alarm)
    atheris.Setup([sys.argv[0], str(folder), "-max_len=65536", "-timeout=20"], tried)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
