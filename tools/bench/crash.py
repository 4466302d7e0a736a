"""The harness's crash test: 2,000 accepted alerts at 250/s, each of which is to be notified.

    0 s    the gateway is up              4.5 s  kill -9, and started again at once
    3 s    the gateway refuses            6 s    the gateway is up again

The sender repeats nothing that was answered 2xx; what was refused or cut off without an answer is counted on neither
side. An alert is lost when it was accepted and no notification of it ever came.
"""

import asyncio
import time

from msgspec import Struct

from tools.bench import world
from tools.bench.load import Load
from tools.bench.services import Service
from tools.bench.sink import Sink

RATE, ACCEPTED = 250.0, 2_000
DOWN_S, KILL_S, UP_S, PATIENCE_S = 3.0, 4.5, 6.0, 90.0


class Crash(Struct, frozen=True, kw_only=True):
    name: str
    accepted: int
    refused: dict[str, int]
    lost: int
    repeats: int  # arrivals beyond the first
    back_s: float  # until it answered again
    done_s: float  # from the gateway's return to the last first arrival

    def cells(self) -> list[str]:
        refused = ", ".join(f"{count} {what}" for what, count in self.refused.items())
        return [
            self.name, str(self.accepted), refused, str(self.lost), str(self.repeats), f"{self.back_s:.1f}",
            f"{self.done_s:.1f}",
        ]  # fmt: skip


HEAD = ("service", "accepted", "not accepted", "lost", "repeats", "back after s", "backlog out after s")


async def crash(service: Service, sink: Sink) -> Crash:
    """Plays it through on a service that runs."""
    service.new_run()
    sink.reset()
    load = Load(service.port, service.request, connections=256)
    loading = asyncio.create_task(load.at_rate(RATE, until_accepted=ACCEPTED, most_s=60))
    while not load.sent.start:  # noqa: ASYNC110 # set by the load within a second
        await asyncio.sleep(0.005)

    async def until(second: float) -> None:
        await asyncio.sleep(max(0.0, load.sent.start / 1e9 + second - time.perf_counter()))

    await until(DOWN_S)
    await asyncio.to_thread(sink.down)
    await until(KILL_S)
    await asyncio.to_thread(service.kill)
    starting = asyncio.create_task(asyncio.to_thread(service.start, sink.url))
    await until(UP_S)
    up = await asyncio.to_thread(sink.up)
    back_s = await starting
    sent = await loading
    load.close()
    accepted = sent.accepted()
    await sink.drained(len(accepted), PATIENCE_S, quiet_s=30.0)
    arrivals = await asyncio.to_thread(sink.arrivals)
    came = [arrivals.get(world.alert_id(service.run, number), []) for number in accepted]
    last = max((times[0] for times in came if times), default=up)
    return Crash(
        name=service.name,
        accepted=len(accepted),
        refused=sent.refused(),
        lost=sum(not times for times in came),
        repeats=sum(max(0, len(times) - 1) for times in came),
        back_s=back_s,
        done_s=max(0.0, (last - up) / 1e9),
    )
