"""What a long journal costs: memory while a million signals come in, and starting again on what they left behind.

One signal in a thousand opens an incident that ends by itself a few seconds later, so what is open stays bounded as it
does in life; whatever grows all the same is the hub's own.
"""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from tools.bench.load import Load
from tools.bench.services import Hub

CONNECTIONS = 64
_CHUNK = 25_000  # alerts made at a time: their signatures are good for five minutes


class Mark(Struct, frozen=True, kw_only=True):
    """How things stood after so many signals."""

    signals: int
    memory_mb: float
    per_s: float  # since the mark before
    journal_mb: float


async def feed(hub: Hub, marks: Sequence[int]) -> list[Mark]:
    """Posts signals until the last mark, as fast as they are taken."""
    found: list[Mark] = []
    accepted = 0
    for mark in marks:
        spent_s, before = 0.0, accepted
        while accepted < mark:
            hub.new_run()
            requests = await asyncio.to_thread(hub.requests, min(_CHUNK, mark - accepted))
            load = Load(hub.port, requests, CONNECTIONS)
            begun = time.monotonic()
            sent = await load.flat_out(600)
            spent_s += time.monotonic() - begun
            load.close()
            if refused := sent.refused():
                raise RuntimeError(f"not all were accepted: {refused}")
            accepted += len(sent.accepted())
        await asyncio.sleep(1.0)  # what is being decided and sent
        found.append(
            Mark(
                signals=accepted,
                memory_mb=hub.memory_mb(),
                per_s=(accepted - before) / spent_s,
                journal_mb=sum(f.stat().st_size for f in (hub.folder / "data").iterdir()) / 1e6,
            )
        )
    return found
