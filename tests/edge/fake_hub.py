"""A small hub for the auditor's tests: a real journal and a real process, without an engine. It asks the test what to
do, one word per line, and ends when the test lets go of it.

    python -m tests.edge.fake_hub JOURNAL PORT
"""

import os
import random
import signal
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio

from hub.auditor.touch import auditor_gone
from hub.journal.sqlite import SqliteJournal, open_sqlite
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids

ORIGIN = datetime(2019, 7, 25, 12, tzinfo=UTC)  # a playback's own date


class Hub:
    def __init__(self, journal: SqliteJournal, stream: trio.SocketStream) -> None:
        self.journal = journal
        self.stream = stream
        self.ids = Ids(random.SystemRandom())
        self._saying = trio.Lock()  # one word at a time

    def now(self) -> datetime:
        return ORIGIN + timedelta(seconds=trio.current_time())

    async def say(self, word: str) -> None:
        async with self._saying:
            await self.stream.send_all(word.encode() + b"\n")

    async def fact(self, body: r.FactBody) -> None:
        await self.journal.put_facts([r.Fact(id=self.ids.new(self.now()), at=self.now(), body=body)])

    async def untaken(self) -> list[str]:
        decisions = await self.journal.decisions(limit=100_000)
        taken = {fact for decision in decisions for fact in decision.took}
        left = []
        with trio.move_on_after(0.2):
            async for batch in self.journal.facts():
                left += [entry.record.id for entry in batch if entry.record.id not in taken]
        return left

    async def decide(self, *events: e.Event, fired: tuple[str, ...] = ()) -> None:
        took = tuple(await self.untaken())
        decision = r.Decision(id=self.ids.new(self.now()), at=self.now(), took=took, fired=fired, events=events)
        await self.journal.put_decision(decision)

    async def up(self) -> None:
        await self.fact(r.HubStarted(node="fake", version="0", playback=True))
        # What came due while the hub was down fires now.
        due = {
            event.deadline
            for decision in await self.journal.decisions(limit=100_000)
            for event in decision.events
            if isinstance(event, e.DeadlineSet)
        }
        await self.decide(fired=tuple(sorted(due)))
        await self.say("up")

    async def obey(self, words: list[str]) -> None:
        match words:
            case ["fact"]:
                await self.fact(r.SignalReceived(source="kmi"))
            case ["take"]:
                await self.decide()
            case ["untaken"]:
                await self.say(f"untaken {len(await self.untaken())}")
            case ["deadline"]:
                await self.decide(e.DeadlineSet(deadline="answer A", at=self.now() + timedelta(seconds=0.1)))
            case ["ping"]:
                await self.say("pong")
            case ["block"]:
                threading.Event().wait()  # a loop that hangs


async def main(path: Path, port: int) -> int:
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(f"{os.getpid()}\n".encode())
        rest = b""
        while b"\n" not in rest:
            rest += await stream.receive_some()
        first, _, rest = rest.partition(b"\n")
        match first.decode().split():
            case ["exit", code]:
                return int(code)
            case ["half-up", code]:  # it has come up as far as the journal, and finds its port taken
                async with open_sqlite(path) as journal:
                    await Hub(journal, stream).up()
                return int(code)
            case ["dawdle"]:
                await stream.receive_some()
                return 0
            case ["stubborn"]:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                return await live(path, stream, 0)
            case ["live", code]:
                with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                    return await live(path, stream, int(code), signals)
    return 1


async def live(path: Path, stream: trio.SocketStream, code: int, signals: AsyncIterator[int] | None = None) -> int:
    async with open_sqlite(path) as journal, trio.open_nursery() as nursery:
        hub = Hub(journal, stream)

        async def stop_on_signal() -> None:
            assert signals is not None
            async for number in signals:
                await hub.say(f"signal {int(number)}")
                nursery.cancel_scope.cancel()

        async def miss_auditor() -> None:
            await auditor_gone(pulse_s=0.1)
            await hub.say("auditor gone")

        nursery.start_soon(miss_auditor)
        if signals is not None:
            nursery.start_soon(stop_on_signal)
        await hub.up()
        rest = b""
        while more := await stream.receive_some():
            *whole, rest = (rest + more).split(b"\n")
            for line in whole:
                await hub.obey(line.decode().split())
        nursery.cancel_scope.cancel()
    return code


if __name__ == "__main__":
    sys.exit(trio.run(main, Path(sys.argv[1]), int(sys.argv[2])))
