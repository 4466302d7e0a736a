"""Run as a process of its own: a journal meets the end of its disk, and gets over it.

    python -m tests.edge.full_disk JOURNAL LIMIT

The limit (bytes per file) is the kernel's, so SQLite's writes really fail; it is lifted once facts are refused.
Prints, as JSON, what was acknowledged and what was refused.
"""

import json
import resource
import sys
from pathlib import Path

import trio

from hub.journal import JournalUnavailable
from hub.journal.sqlite import open_sqlite
from tests.contracts.journal import Maker


async def main(path: Path, limit: int) -> None:
    make = Maker()
    acknowledged: list[str] = []
    refused: list[str] = []
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with open_sqlite(path, patience_s=0.2) as journal:

        async def write(count: int) -> None:
            for _ in range(count):
                fact, entry = make.sealed("x" * 3_000)
                try:
                    await journal.put_facts([fact], [entry])
                except JournalUnavailable:
                    refused.append(fact.id)
                    return
                acknowledged.append(fact.id)

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(write, 10_000)
        said = journal.trouble or ""
        waiting = journal.put_decision(make.decision(acknowledged[:3]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await waiting
        await write(50)
        verified = await journal.verify()
    print(json.dumps({"acknowledged": acknowledged, "refused": refused, "said": said, "verified": verified}))


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
