"""How many alerts a second are taken, and how many of them notified, by 64 connections that post as fast as they are
answered.

accept: 1,000 sheets are loaded, one alert in a hundred opens an incident and notifies. notify: every one does.
The hub answers when an alert is durable; Alertmanager when it has it in memory.
"""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from tools.bench import world
from tools.bench.figures import busy_s, milliseconds
from tools.bench.load import Load, Sent
from tools.bench.services import Service
from tools.bench.sink import Sink

CONNECTIONS = 64
WARM_S = 3.0


class Row(Struct, kw_only=True):
    """One measurement. Latencies in milliseconds, from due time to answer or to arrival at the gateway."""

    name: str
    offered: str
    accepted_per_s: float
    answer_ms: tuple[float, float, float, float]
    refused: dict[str, int]
    notified: int = 0
    notified_per_s: float = 0.0
    missing: int = 0
    repeats: int = 0
    arrival_ms: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    cores: float = 0.0  # of the service, all its processes
    strangers: float = 0.0  # cores used by everything that is none of ours
    memory_mb: float = 0.0

    def cells(self) -> list[str]:
        arrival = [f"{ms:.2f}" for ms in self.arrival_ms] if self.notified else ["–"] * 4
        return [
            self.name,
            self.offered,
            f"{self.accepted_per_s:,.0f}",
            f"{self.answer_ms[0]:.2f} / {self.answer_ms[2]:.2f}",
            f"{self.notified_per_s:,.0f}" if self.notified else "–",
            str(self.missing) if self.notified else "–",
            str(self.repeats) if self.notified else "–",
            *arrival,
            f"{self.cores:.2f}",
            f"{self.memory_mb:.0f}",
            f"{self.strangers:.2f}",
            ", ".join(f"{count} {what}" for what, count in self.refused.items()) or "–",
        ]


HEAD = (
    "service", "offered", "accepted/s", "answer p50 / p99 ms", "notified/s", "missing", "repeats",
    "arrival p50", "p90", "p99", "max", "its cores", "its MB", "strangers", "not accepted",
)  # fmt: skip


async def measure(
    service: Service,
    sink: Sink,
    *,
    seconds: float,
    rate: float | None = None,
    expect: int = 20_000,
    drain_s: float = 60.0,
) -> Row:
    """Loads a service that runs: flat out, or at `rate`. `expect`: at most how many alerts a second to make ready."""
    await _warm(service, sink, rate)
    service.new_run()
    requests = service.requests(int(seconds * (rate or expect)))
    await asyncio.to_thread(sink.reset)
    load = Load(service.port, requests, CONNECTIONS if rate is None else 256)
    before, cpu = (busy_s(), time.process_time(), time.monotonic()), service.cpu_s()
    sink_cpu = _cpu_s(sink)
    sent = await (load.flat_out(seconds) if rate is None else load.at_rate(rate, count=len(requests)))
    wall = time.monotonic() - before[2]
    own = service.cpu_s() - cpu
    ours = own + time.process_time() - before[1] + _cpu_s(sink) - sink_cpu
    load.close()
    row = Row(
        name=service.name,
        offered=f"{rate:g}/s" if rate else f"closed x{CONNECTIONS}",
        accepted_per_s=sent.rate(),
        answer_ms=milliseconds([sent.answered[n] - sent.due[n] for n in sent.accepted()]),
        refused=sent.refused(),
        cores=own / wall,
        strangers=max(0.0, (busy_s() - before[0] - ours) / wall),
        memory_mb=service.memory_mb(),
    )
    meant = [n for n in sent.accepted() if service.opens(n)]
    if service.notifies:
        await sink.drained(len(meant), drain_s)
        note_arrivals(row, service.run, sent, meant, await asyncio.to_thread(sink.arrivals))
    return row


def note_arrivals(row: Row, run: str, sent: Sent, meant: Sequence[int], arrivals: dict[str, list[int]]) -> None:
    """Compares what was accepted and ought to be notified with what the gateway got."""
    late: list[int] = []
    last = sent.start
    for number in meant:
        came = arrivals.get(world.alert_id(run, number), [])
        if not came:
            row.missing += 1
            continue
        late.append(came[0] - sent.due[number])
        last = max(last, came[0])
        row.repeats += len(came) - 1
    row.notified = len(late)
    row.arrival_ms = milliseconds(late)
    row.notified_per_s = len(late) / max(1e-9, (last - sent.start) / 1e9)


async def _warm(service: Service, sink: Sink, rate: float | None) -> None:
    """Compilers, pools and caches: three seconds of the same at half the pace, then until all of it has come out."""
    service.new_run()
    pace = min(rate or 500.0, 500.0)
    await asyncio.to_thread(sink.reset)
    load = Load(service.port, service.requests(int(pace * WARM_S)))
    sent = await load.at_rate(pace, count=int(pace * WARM_S))
    load.close()
    if service.notifies:
        await sink.drained(sum(service.opens(n) for n in sent.accepted()), 20, 3)


def _cpu_s(sink: Sink) -> float:
    with open(f"/proc/{sink.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
