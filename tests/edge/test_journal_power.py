"""The power is cut at any write, sync or truncation: what was acknowledged is there, and nothing is there by halves.

The journal's own commits run on a disk that forgets what was not synced (tests/edge/power.py). VIGIE_POWER_CUTS says
how many cuts (120 by default); each run of lives prints its seed.
"""

import os
import random
from pathlib import Path

import apsw
import pytest

from hub.journal import keys
from hub.journal.commit import Committer
from hub.journal.puts import Put, Sealer
from hub.journal.reader import Reader
from hub.journal.sqlite import open_committer
from hub.model.records import VaultEntry
from tests.contracts.journal import Maker
from tests.edge.power import Disk, Image

# SQLite passes over some errors (of a checkpoint after a commit, of closing); apsw then reports them to no one.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CUTS = int(os.environ.get("VIGIE_POWER_CUTS", "120"))
LIVES = 12  # cuts in a row on the same files
PATH = Path("/journal.db")


class Night:
    """One journal through many power cuts."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.make = Maker(seed)
        self.sealer = Sealer(self.chance.randbytes)
        self.puts: dict[int, Put] = {}
        self.acknowledged: set[int] = set()
        self.facts: list[str] = []  # acknowledged and not yet taken
        self.images: dict[str, Image] = {}
        self.seed = seed
        self.lives = 0

    def disk(self) -> Disk:
        self.lives += 1
        return Disk(f"power-{self.seed}-{self.lives}", self.images)

    def batch(self) -> list[int]:
        """Some puts that came while the last commit ran."""
        numbers = []
        for _ in range(self.chance.randrange(1, 9)):
            number = len(self.puts)
            self.puts[number] = self.put()
            numbers.append(number)
        return numbers

    def put(self) -> Put:
        chance, make = self.chance, self.make
        kind = chance.random()
        if kind < 0.6:
            pairs = [
                make.sealed("x" * chance.randrange(10, 6000), key=make.id()) for _ in range(chance.randrange(1, 4))
            ]
            original = VaultEntry(key=make.id(), payload=chance.randbytes(chance.randrange(10, 9000)))
            return self.sealer.facts([fact for fact, _ in pairs], [*(entry for _, entry in pairs), original], None)
        if kind < 0.8 and self.facts:
            took = [self.facts.pop(0) for _ in range(min(len(self.facts), chance.randrange(1, 5)))]
            return self.sealer.decision(make.decision(took), ())
        attempts = [make.attempt("order") for _ in range(chance.randrange(1, 20))]
        return self.sealer.attempts(attempts, ())

    def live(self) -> None:
        """From start to power cut."""
        disk = self.disk()
        try:
            self.check(disk)
            disk.cut_in = self.chance.randrange(1, 300)
            committer = open_committer(PATH, disk.connect)
            self.repeat(committer)
            while True:
                self.commit(committer, self.batch())
        except apsw.Error:
            assert disk.off, "an error without a power cut"
        self.images = disk.cut(self.chance)
        disk.unregister()

    def commit(self, committer: Committer, numbers: list[int]) -> None:
        committer.commit([self.puts[number] for number in numbers])
        for number in numbers:
            self.acknowledge(number)

    def repeat(self, committer: Committer) -> None:
        """Facts that were acknowledged are known by their keys, whether these have got to their table or not."""
        known = [row for number in self.acknowledged for row in self.puts[number].rows if row.key]
        for row in self.chance.sample(known, min(20, len(known))):
            key = next(fact.key for put in self.puts.values() for fact in put.records if fact.id == row.id)
            again = self.sealer.facts([self.make.fact(key=key)], (), None)
            committer.commit([again])
            assert (again.held, again.new) == ([row.id], [])

    def acknowledge(self, number: int) -> None:
        put = self.puts[number]
        assert put.error is None
        self.acknowledged.add(number)
        self.facts += [row.id for row in put.rows if row.kind == 1]

    def check(self, disk: Disk) -> None:
        """What is in the files now."""
        if not self.acknowledged:
            return
        reader = Reader(PATH, disk.connect)
        held = {row.id: row for row in reader.rows()}
        report = reader.examine()
        assert report.faults == []
        assert report.erased == 0, "a record whose vault entry is missing"
        for number, put in self.puts.items():
            there = [row.id in held for row in put.rows]
            assert all(there) or not any(there), f"put {number} is there by halves"
            if number in self.acknowledged:
                assert all(there), f"put {number} was acknowledged and is lost"
                assert [held[row.id].body for row in put.rows] == [row.body for row in put.rows]
                assert all(entry is not None for entry in reader.vault([row.key for row in put.vault]))
            elif put.kind == 2 and not any(there):
                # Not recorded: its facts are still to be decided on.
                self.facts = [*put.records[0].took, *(f for f in self.facts if f not in put.records[0].took)]
                put.records[0] = self.make.decision()
            elif put.kind == 2:
                self.facts = [fact for fact in self.facts if fact not in put.records[0].took]
        reader.close()


@pytest.fixture(autouse=True)
def few_keys_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that keys are on their way into their table all the time."""
    monkeypatch.setattr(keys, "KEEP", 20)
    monkeypatch.setattr(keys, "_SLICE", 4)


@pytest.mark.parametrize("seed", range(max(1, CUTS // LIVES)))
def test_a_power_cut_loses_nothing_acknowledged(seed: int) -> None:
    print(f"seed {seed}")
    night = Night(seed)
    for _ in range(LIVES):
        night.live()
    disk = night.disk()
    night.check(disk)
    disk.unregister()
    assert night.acknowledged


@pytest.mark.parametrize("seed", range(max(1, CUTS // LIVES)))
def test_a_disk_that_fails_once_neither_loses_nor_doubles(seed: int) -> None:
    """What the writer does on an error: open the files anew and commit the same again."""
    print(f"seed {seed}")
    night = Night(1_000 + seed)
    disk = night.disk()
    committer = open_committer(PATH, disk.connect)
    failed = 0
    for _ in range(60):
        disk.fault_in = night.chance.randrange(1, 30)
        numbers = night.batch()
        while True:
            try:
                night.commit(committer, numbers)
                break
            except apsw.Error:
                failed += 1
                disk.fault_in = None
                close_quietly(committer)
                committer = open_committer(PATH, disk.connect)
    assert failed > 5
    disk.fault_in = None
    committer.close()
    night.check(disk)
    disk.cut_in = 1
    disk.unregister()


def close_quietly(committer: Committer) -> None:
    try:
        committer.close()
    except apsw.Error:
        return


def test_the_disk_does_forget() -> None:
    """The test's own instrument: without syncs, power cuts do lose commits."""
    lost = 0
    for seed in range(20):
        disk = Disk(f"forgetful-{seed}")
        connection = disk.connect("/x.db")
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "off")
        connection.execute("CREATE TABLE t (n)")
        for n in range(50):
            connection.execute("INSERT INTO t VALUES (?)", (n,))
        after = Disk(f"forgetful-{seed}-after", disk.cut(random.Random(seed)))
        connection.close()
        try:
            count = after.connect("/x.db").execute("SELECT count(*) FROM t").get
        except apsw.Error:
            count = 0
        lost += count != 50
        disk.unregister()
        after.unregister()
    assert lost > 5


def test_nothing_of_the_vault_gets_into_other_files() -> None:
    """SQLite keeps old pages of a statement that may have to be undone, beyond 64 KiB in a file of their own, which
    erasing does not reach: there must be none."""
    disk, make = Disk("power-files"), Maker(1)
    chance = random.Random(1)
    sealer = Sealer(chance.randbytes)
    committer = open_committer(PATH, disk.connect)
    for _ in range(8):  # keys by chance, so that every page of an index changes
        pairs = [make.sealed("x" * 30, key=chance.randbytes(16).hex()) for _ in range(500)]
        committer.commit([sealer.facts([fact for fact, _ in pairs], [entry for _, entry in pairs], None)])
    assert {Path(name).name for name in disk.opened} <= {"journal.db", "journal.db-wal", "journal.db-journal"}
    committer.close()
    disk.unregister()
