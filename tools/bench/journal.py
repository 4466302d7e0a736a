"""What the SQLite journal costs, against SQLite itself on the same disk in the same run.

    python -m tools.bench.journal [--folder DIR] [--facts N] [--records N]

Prints: facts/s from concurrent trio tasks, each awaiting its own `put_facts` of one fact with two vault entries; the
latency of a single one while nothing else happens; the raw ceilings; opening a long journal; reading it; verifying.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import trio

from hub.journal import Snapshot
from hub.journal.sqlite import SqliteJournal, open_sqlite
from hub.model.ids import Ids
from hub.model.records import Decision, Fact, SignalReceived, VaultEntry

SIGNAL = os.urandom(600).hex().encode()  # 1,200 bytes: a CAP alert as JSON
ORIGINAL = os.urandom(1_500)


class Maker:
    def __init__(self) -> None:
        self._ids = Ids(random.Random(1))
        self._at = datetime(2024, 6, 1, tzinfo=UTC)

    def id(self) -> str:
        self._at += timedelta(microseconds=80)
        return self._ids.new(self._at)

    def put(self) -> tuple[list[Fact], list[VaultEntry]]:
        """One signal: its fact, its text, its original."""
        key = self.id()
        fact = Fact(id=self.id(), at=self._at, body=SignalReceived(source="kmi"), key=f"kmi:{key}", vault=key)
        return [fact], [
            VaultEntry(key=key, payload=SIGNAL, about="kmi"),
            VaultEntry(key=random.randbytes(32).hex(), payload=ORIGINAL, media_type="application/cap+xml", about="kmi"),
        ]

    def decision(self, took: list[str]) -> Decision:
        return Decision(id=self.id(), at=self._at, took=tuple(took))


async def throughput(journal: SqliteJournal, make: Maker, tasks: int, count: int) -> dict[str, float]:
    """Facts made durable per second, and the latencies seen by the tasks (ms)."""
    puts = [make.put() for _ in range(count)]
    took: list[float] = []

    async def run() -> None:
        while puts:
            facts, vault = puts.pop()
            begun = time.perf_counter()
            await journal.put_facts(facts, vault)
            took.append(time.perf_counter() - begun)

    commits = journal.commits
    begun = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(run)
    elapsed_s = time.perf_counter() - begun
    return {
        "tasks": tasks,
        "facts_per_s": round(count / elapsed_s),
        "facts_per_commit": round(count / (journal.commits - commits), 1),
        **quantiles(took),
    }


async def alone(journal: SqliteJournal, make: Maker, count: int, vault: bool) -> dict[str, float]:
    """Latency of one put at a time (ms)."""
    took = []
    for _ in range(count):
        facts, entries = make.put()
        begun = time.perf_counter()
        await journal.put_facts(facts, entries if vault else ())
        took.append(time.perf_counter() - begun)
        await trio.sleep(0.001)
    return quantiles(took)


async def decided(journal: SqliteJournal, make: Maker, count: int) -> dict[str, float]:
    """Facts written and decided on at once: an engine follows and takes them, its decisions durable too."""
    puts = [make.put() for _ in range(count)]
    (marker,) = await journal.put_facts(make.put()[0])
    follower = journal.facts(after=marker)

    async def run() -> None:
        while puts:
            await journal.put_facts(*puts.pop())

    async def engine() -> None:
        seen = 0
        while seen < count:
            batch = await anext(follower)
            seen += len(batch)
            pending = [journal.put_decision(make.decision([entry.record.id])) for entry in batch]
            for put in pending:
                await put

    begun = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine)
        for _ in range(64):
            nursery.start_soon(run)
    return {"facts_and_decisions_per_s": round(count / (time.perf_counter() - begun))}


def quantiles(took_s: list[float]) -> dict[str, float]:
    cut = statistics.quantiles(took_s, n=100)
    return {"p50_ms": round(cut[49] * 1e3, 3), "p99_ms": round(cut[98] * 1e3, 3)}


def raw(folder: Path) -> dict[str, float]:
    """The ceilings: one sync, one synced commit, rows in large batches."""
    fd = os.open(folder / "raw", os.O_RDWR | os.O_CREAT)
    block = bytes(4096)

    def write_and_sync(n: int) -> None:
        os.pwrite(fd, block, n * 4096)
        os.fsync(fd)

    sync = clock(write_and_sync, 500)
    os.close(fd)
    file = apsw.Connection(str(folder / "raw.db"))
    file.pragma("journal_mode", "wal")
    file.pragma("synchronous", "full")
    file.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB)")

    def insert(n: int) -> None:
        file.execute("INSERT INTO t VALUES (?, ?, ?)", (n, f"{n:026d}", SIGNAL))

    one = clock(insert, 1_000)
    rows = [(n, f"{n:026d}", SIGNAL) for n in range(10**6, 10**6 + 50_000)]
    begun = time.perf_counter()
    with file:
        file.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    rows_per_s = 50_000 / (time.perf_counter() - begun)
    file.close()
    return {
        "sync_p50_ms": one_median(sync),
        "commit_p50_ms": one_median(one),
        "commits_per_s": round(len(one) / sum(one)),
        "rows_per_s_in_one_batch": round(rows_per_s),
    }


def clock(work: Callable[[int], object], count: int) -> list[float]:
    took = []
    for n in range(count):
        begun = time.perf_counter()
        work(n)
        took.append(time.perf_counter() - begun)
    return took


def one_median(took_s: list[float]) -> float:
    return round(statistics.median(took_s) * 1e3, 3)


async def measure(folder: Path, count: int, records: int) -> dict[str, Any]:
    path = folder / "journal.db"
    make = Maker()
    result: dict[str, Any] = {"raw": raw(folder)}
    async with open_sqlite(path) as journal:
        await throughput(journal, make, 64, 2_000)  # warm
        result["alone, with vault"] = await alone(journal, make, 400, vault=True)
        result["alone, no vault"] = await alone(journal, make, 400, vault=False)
        result["concurrent"] = [await throughput(journal, make, tasks, count) for tasks in (1, 16, 64, 256, 1024)]
        result["with an engine deciding"] = await decided(journal, make, count)
    result["long journal"] = await long(path, make, records)
    best = max(result["concurrent"], key=lambda one: one["facts_per_s"])
    result["ratios"] = {
        "alone, with vault / raw commit": round(
            result["alone, with vault"]["p50_ms"] / result["raw"]["commit_p50_ms"], 2
        ),
        "facts per s / raw commits per s": round(best["facts_per_s"] / result["raw"]["commits_per_s"], 2),
    }
    return result


async def long(path: Path, make: Maker, records: int) -> dict[str, float]:
    """A journal of so many records: opening it, reading it, verifying it."""
    async with open_sqlite(path) as journal:
        while (total := await journal.position()) and total.facts + total.decisions < records:
            facts = [make.put()[0][0] for _ in range(1_000)]
            held = await journal.put_facts(facts)
            for n in range(0, 1_000, 5):
                journal.put_decision(make.decision(list(held[n : n + 5])))
        await journal.put_decision(last := make.decision([]))
        await journal.save_snapshot(Snapshot(decision=last.id, cursor=held[-1], state=bytes(1 << 20)))
    begun = time.perf_counter()
    async with open_sqlite(path) as journal:
        opened_s = time.perf_counter() - begun
        begun = time.perf_counter()
        assert await journal.load_snapshot() is not None
        assert await journal.decisions(after=last.id) == []
        restored_s = time.perf_counter() - begun
        begun = time.perf_counter()
        total, read = await journal.position(), 0
        async for batch in journal.facts():
            read += len(batch)
            if read >= total.facts:
                break
        read_s = time.perf_counter() - begun
        begun = time.perf_counter()
        await journal.verify()
        verify_s = time.perf_counter() - begun
    count = total.facts + total.decisions + total.attempts
    return {
        "records": count,
        "open_ms": round(opened_s * 1e3, 1),
        "snapshot_of_1_mb_and_nothing_since_ms": round(restored_s * 1e3, 1),
        "facts_read_per_s": round(total.facts / read_s),
        "records_verified_per_s": round(count / verify_s),
        "journal_mb": round((await trio.Path(path).stat()).st_size / 1e6),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: a temporary folder)")
    parser.add_argument("--facts", type=int, default=20_000, help="per measurement")
    parser.add_argument("--records", type=int, default=500_000, help="of the long journal")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        print(json.dumps(trio.run(measure, Path(folder), args.facts, args.records), indent=1))


if __name__ == "__main__":
    main()
