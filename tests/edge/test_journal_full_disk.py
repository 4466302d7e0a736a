"""The journal on a disk that is really full: the kernel refuses the writes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from hub.journal import JournalUnavailable
from hub.journal.reader import open_reader
from hub.journal.sqlite import open_sqlite
from tests.contracts.journal import Maker, ids_of, take

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("limit_kib", [600, 1000, 1777])
def test_files_that_may_not_grow(tmp_path: Path, limit_kib: int) -> None:
    """Facts are refused and say why; once there is room it goes on by itself; nothing acknowledged is missing and
    nothing refused is there."""
    path = tmp_path / "journal.db"
    command = [sys.executable, "-m", "tests.edge.full_disk", str(path), str(limit_kib << 10)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert len(told["acknowledged"]) > 60
    assert len(told["refused"]) == 8
    assert "disk" in told["said"]
    assert told["verified"] == 1
    with open_reader(path) as reader:
        held = [row.id for row in reader.rows() if row.kind == 1]
    assert sorted(held) == sorted(told["acknowledged"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here (needs root)")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.trio
async def test_a_file_system_that_is_full(small_disk: Path) -> None:
    make = Maker()
    acknowledged: list[str] = []
    async with open_sqlite(small_disk / "journal.db", patience_s=0.2) as journal:
        with pytest.raises(JournalUnavailable, match="make room on the disk"):  # noqa: PT012 # it takes many
            while True:
                fact, entry = make.sealed("x" * 20_000)
                await journal.put_facts([fact], [entry])
                acknowledged.append(fact.id)
        decision = make.decision(acknowledged[:1])
        waiting = journal.put_decision(decision)
        remounted = await trio.run_process(["mount", "-o", "remount,size=20m", str(small_disk)], check=False)
        assert remounted.returncode == 0
        await waiting
        last = make.fact()
        await journal.put_facts([last])
        assert ids_of(await take(journal, len(acknowledged) + 1)) == [*acknowledged, last.id]
        assert await journal.verify() == 1
