"""The benchmarks of the hub, against raw ceilings and installed peers in the same run.

    python -m tools.bench                  all of them, about half an hour
    python -m tools.bench accept latency   only these
    python -m tools.bench accept --peers node-red --seconds 10

Parts: accept, notify, latency, crash, restart, memory; fanout, asks, drill, matching, bridge, journal, replay,
listening and stories are programs of their own and are called as they stand. Everything is on loopback, in processes
and a folder that end with the run.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uvloop

from tools.bench import crash as crashing
from tools.bench import endurance, throughput, world
from tools.bench.figures import busy_s, machine, say, table, verdict
from tools.bench.services import Alertmanager, Bare, Hub, NodeRed, Service
from tools.bench.sink import Sink
from tools.bench.throughput import Row
from tools.bench.world import Opens

CALM_CORES = 0.15


class Bench:
    """One run. `missed`: what was not reached."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.seconds: float = given.seconds
        self.runs: int = given.runs
        self.calm_s: float = given.calm
        self.peers = {"alertmanager"} | set(given.peers)
        self.folder = folder
        self.sink = Sink()
        self.missed: list[str] = []
        self._count = 0

    def place(self) -> Path:
        self._count += 1
        return self.folder / str(self._count)

    def judge(self, fine: bool, text: str) -> None:
        say(f"{verdict(fine)}: {text}")
        if not fine:
            self.missed.append(text)

    @contextlib.contextmanager
    def running(self, service: Service) -> Iterator[Service]:
        calm(self.calm_s)
        self.sink.up()
        try:
            service.start(self.sink.url)
            yield service
        finally:
            service.stop()

    def services(self, opens: Opens, hub_sheets: int) -> list[Callable[[], Service]]:
        made: list[Callable[[], Service]] = [lambda: Hub(self.place(), opens, sheets=hub_sheets)]
        if "alertmanager" in self.peers and Alertmanager.installed():
            made.append(lambda: Alertmanager(self.place(), opens))
        if "node-red" in self.peers and NodeRed.install():
            made.append(lambda: NodeRed(self.place(), opens))
        return made

    def rows(self, makes: list[Callable[[], Service]], seconds: float, rate: float | None = None) -> list[Row]:
        """Each service measured `runs` times, in turn, so that what changes on the machine falls on all; of each the
        run with the median rate (flat out) or the median p99."""
        found: dict[str, list[Row]] = {}
        for _ in range(self.runs):
            for make in makes:
                with self.running(make()) as service:
                    row = uvloop.run(throughput.measure(service, self.sink, seconds=seconds, rate=rate))
                found.setdefault(row.name, []).append(row)
        middle: list[Row] = []
        for rows in found.values():
            rows.sort(key=lambda row: row.arrival_ms[2] if rate else max(row.notified_per_s, row.accepted_per_s))
            middle.append(rows[len(rows) // 2])
        table(throughput.HEAD, [row.cells() for row in middle])
        return middle

    # --- the parts -----------------------------------------------------------------------------------------

    def accept(self) -> None:
        say("## Acceptance: 1,000 sheets, one alert in a hundred opens an incident, 64 connections\n")
        makes = [*self.services(world.every(100), 1_000), lambda: Bare(self.place())]
        rows = {row.name: row for row in self.rows(makes, self.seconds)}
        say()
        if Alertmanager.name in rows:
            say("The same of Alertmanager when it notifies every alert (what its published figure means):\n")
            every = self.rows([lambda: Alertmanager(self.place())], self.seconds)[0]
            say()
            own = rows[Hub.name].accepted_per_s
            self.judge(
                own >= every.accepted_per_s,
                f"acceptance {own / every.accepted_per_s:.2f} of Alertmanager's notifying all (at least 1, aim 1.5); "
                f"{own / rows[Alertmanager.name].accepted_per_s:.2f} of Alertmanager's notifying one in a hundred",
            )
        say(f"Ceiling: {rows[Hub.name].accepted_per_s / rows[Bare.name].accepted_per_s:.2f} of a bare aiohttp server")

    def notify(self) -> None:
        say("## Every alert opens an incident with one notification, 64 connections\n")
        rows = {row.name: row for row in self.rows(self.services(world.ALL, 1_000), self.seconds)}
        say()
        own = rows[Hub.name]
        self.judge(own.missing == 0, f"{own.missing} notifications missing (0)")
        if Alertmanager.name in rows:
            share = own.notified_per_s / rows[Alertmanager.name].notified_per_s
            self.judge(share >= 0.4, f"notified {share:.2f} of Alertmanager's rate (at least 0.4, aim 1)")

    def latency(self) -> None:
        say("## From POST to the gateway's receipt, ms from due time\n")
        for rate in (50.0, 200.0):
            rows = {row.name: row for row in self.rows(self.services(world.ALL, 1_000), self.seconds, rate)}
            say()
            p99 = rows[Hub.name].arrival_ms[2]
            if NodeRed.name in rows:
                other = rows[NodeRed.name].arrival_ms[2]
                self.judge(p99 <= other, f"p99 at {rate:g}/s: {p99:.2f} ms against Node-RED's {other:.2f}")
            else:
                self.judge(p99 <= 7.0, f"p99 at {rate:g}/s: {p99:.2f} ms (Node-RED was 5 to 7; `--peers node-red`)")
            if Alertmanager.name in rows:
                say(f"Alertmanager's p99 is {rows[Alertmanager.name].arrival_ms[2]:.2f} ms (aim: twice that)")
            say()

    def crash(self) -> None:
        say("## kill -9 in the middle of a 3 s gateway outage\n")
        found = []
        for make in self.services(world.ALL, 10):
            with self.running(make()) as service:
                found.append(uvloop.run(crashing.crash(service, self.sink)))
        table(crashing.HEAD, [one.cells() for one in found])
        say()
        self.judge(found[0].lost == 0, f"{found[0].lost} accepted alerts lost (0)")

    def restart(self) -> None:
        say("## Starting again on 500,000 records\n")
        hub = Hub(self.place(), world.ENDING, sheets=10)
        with self.running(hub):
            uvloop.run(endurance.feed(hub, [500_000]))
            hub.kill()
            killed_s = hub.start(self.sink.url)
            hub.stop()
            stopped_s = hub.start(self.sink.url)
        self.judge(
            max(killed_s, stopped_s) < 5, f"ready {killed_s:.2f} s after kill -9, {stopped_s:.2f} s after a stop"
        )
        say()

    def memory(self) -> None:
        say("## Memory while a million signals come in\n")
        hub = Hub(self.place(), world.ENDING, sheets=1_000)
        with self.running(hub):
            begin = hub.memory_mb()
            marks = uvloop.run(endurance.feed(hub, [100_000, 500_000, 1_000_000]))
        cells = [[f"{m.signals:,}", f"{m.memory_mb:.0f}", f"{m.per_s:,.0f}", f"{m.journal_mb:,.0f}"] for m in marks]
        table(("signals", "resident MB", "signals/s", "journal and vault MB"), [["0", f"{begin:.0f}", "", ""], *cells])
        say()
        grown = marks[-1].memory_mb - marks[1].memory_mb
        self.judge(grown < 100, f"{grown:+.0f} MB from 500,000 to 1,000,000 signals (less than 100)")

    def call(self, module: str, *arguments: str) -> None:
        """A benchmark that is a program of its own."""
        say(f"## python -m tools.bench.{' '.join((module, *arguments))}\n")
        calm(self.calm_s)
        done = subprocess.run([sys.executable, "-m", f"tools.bench.{module}", *arguments], check=False)
        self.judge(done.returncode == 0, f"{module}, by its own measure")
        say()


def calm(most_s: float) -> None:
    """Waits until the machine is quiet: the figures tell by their `strangers` where it was not."""
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        before = busy_s()
        time.sleep(1.0)
        if busy_s() - before < CALM_CORES:
            return


ALONE = ("fanout", "asks", "matching", "bridge", "journal", "replay", "drill", "listening", "stories")
PARTS = ("accept", "notify", "latency", "crash", "restart", "memory", *ALONE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--peers", nargs="*", default=[], choices=["node-red"], help="besides Alertmanager")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measurement (default 8)")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement; the median is shown (default 3)")
    parser.add_argument("--calm", type=float, default=20.0, help="seconds to wait for a quiet machine (default 20)")
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="all that is measured, the load and the gateway get the system's real-time priority, so that others on "
        "the machine count less (needs the right to it)",
    )
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: a temporary folder)")
    given = parser.parse_args()
    say(machine() + (", all at real-time priority" if given.realtime else "") + "\n")
    if given.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # all that is started from here on inherits it
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        bench = Bench(given, Path(folder))
        try:
            for part in given.parts or PARTS:
                if part in ALONE:
                    bench.call(part)
                else:
                    getattr(bench, part)()
                    say()
        finally:
            bench.sink.close()
    for text in bench.missed:
        say(f"MISSED: {text}")
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main())
