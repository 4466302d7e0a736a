"""The SQLite journal when things are not as they should be: a disk that is full or read-only, a second writer, files
that are not its own. What was acknowledged is never lost, what was refused is not there, and it goes on by itself."""

import os
import sys
from pathlib import Path

import apsw
import pytest
import trio

from hub.journal import Corrupt, JournalError, JournalLocked, JournalUnavailable
from hub.journal.reader import open_reader
from hub.journal.sqlite import SqliteJournal, open_sqlite
from hub.journal.tables import connect_file
from hub.model.records import Fact, VaultEntry
from tests.contracts.journal import Maker, ids_of, take


class Disk:
    """Connections that can be put in trouble: `full` (SQLite's own limit of pages), `read_only`, or gone."""

    def __init__(self) -> None:
        self.trouble = ""
        self.connections: list[apsw.Connection] = []
        self.opened = 0

    def connect(self, path: str) -> apsw.Connection:
        self.opened += 1
        if self.trouble == "gone":
            raise apsw.CantOpenError("unable to open database file")
        connection = connect_file(path)
        self.connections.append(connection)
        self._spoil(connection)
        return connection

    def _spoil(self, connection: apsw.Connection) -> None:
        if self.trouble == "full":
            connection.pragma("max_page_count", 1)  # SQLite takes it as "no more than there are"
        if self.trouble == "read-only":
            connection.pragma("query_only", True)

    def begin(self, trouble: str) -> None:
        self.trouble = trouble
        for connection in self.connections:
            self._spoil(connection)

    def end(self) -> None:
        self.trouble = ""


def trouble(journal: SqliteJournal) -> str:
    """Read anew each time: the type checker takes an attribute not to change by itself."""
    return journal.trouble or ""


async def put_until_refused(journal: SqliteJournal, make: Maker) -> tuple[list[Fact], Fact]:
    """Facts acknowledged, and the one refused."""
    acknowledged: list[Fact] = []
    while True:
        fact, entry = make.sealed("x" * 3000)
        try:
            await journal.put_facts([fact], [entry])
        except JournalUnavailable:
            return acknowledged, fact
        acknowledged.append(fact)


@pytest.mark.parametrize(("kind", "words"), [("full", "make room"), ("read-only", "writable again")])
@pytest.mark.trio
async def test_trouble_is_said_endured_and_over(tmp_path: Path, kind: str, words: str) -> None:
    make, disk = Maker(), Disk()
    async with open_sqlite(tmp_path / "journal.db", connect=disk.connect, patience_s=0.1) as journal:
        before = make.fact()
        await journal.put_facts([before])
        disk.begin(kind)
        acknowledged, refused = await put_until_refused(journal, make)
        assert words in trouble(journal)
        with pytest.raises(JournalUnavailable, match=words):  # at once, while it lasts
            await journal.put_facts([make.fact()])
        with pytest.raises(JournalUnavailable, match=words):
            await journal.put_attempts([make.attempt("o")])
        decision = make.decision([before])
        waiting = journal.put_decision(decision)
        disk.end()
        await waiting
        assert not trouble(journal)
        last = make.fact()
        await journal.put_facts([last])
        there = ids_of(await take(journal, len(acknowledged) + 2))
        assert there == [before.id, *(fact.id for fact in acknowledged), last.id]
        assert await journal.get([refused.id]) == [None]
        assert list(await journal.decisions()) == [decision]
        assert await journal.verify() == 1


@pytest.mark.trio
async def test_facts_in_hand_are_committed_when_the_trouble_is_short(tmp_path: Path) -> None:
    make, disk = Maker(), Disk()
    healed = trio.Event()
    async with open_sqlite(tmp_path / "journal.db", connect=disk.connect, patience_s=1_000) as journal:
        await journal.put_facts([make.fact()])
        follower = journal.facts()
        assert len(await anext(follower)) == 1
        disk.begin("read-only")
        facts = [make.fact() for _ in range(5)]

        async def heal() -> None:
            while not trouble(journal):
                await trio.lowlevel.checkpoint()
            disk.end()
            healed.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(heal)
            for fact in facts:
                nursery.start_soon(journal.put_facts, [fact])
        assert healed.is_set()
        got: list[str] = []
        while len(got) < 5:
            got += ids_of(await anext(follower))
        assert sorted(got) == [fact.id for fact in facts]


@pytest.mark.trio
async def test_closing_in_trouble_refuses_what_waits(tmp_path: Path) -> None:
    make, disk = Maker(), Disk()
    async with open_sqlite(tmp_path / "journal.db", connect=disk.connect, patience_s=1_000) as journal:
        await journal.put_facts([make.fact()])
        disk.begin("gone")
        for connection in disk.connections:
            connection.pragma("query_only", True)
        waiting = journal.put_decision(make.decision())
    with pytest.raises(JournalUnavailable):
        await waiting
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.put_facts([make.fact()])
    disk.end()
    async with open_sqlite(tmp_path / "journal.db") as journal:
        assert list(await journal.decisions()) == []


@pytest.mark.trio
async def test_what_is_queued_is_committed_on_closing(tmp_path: Path) -> None:
    make = Maker()
    decisions = [make.decision() for _ in range(50)]
    async with open_sqlite(tmp_path / "journal.db") as journal:
        for decision in decisions:
            journal.put_decision(decision)
    async with open_sqlite(tmp_path / "journal.db") as journal:
        assert list(await journal.decisions()) == decisions


@pytest.mark.trio
async def test_a_fault_in_the_writer_refuses_everything_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()

    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    async with open_sqlite(tmp_path / "journal.db") as journal:
        await journal.put_facts([make.fact()])
        monkeypatch.setattr("hub.journal.commit.Committer.commit", broken)
        waiting = journal.put_decision(make.decision())
        with pytest.raises(JournalUnavailable, match="a fault of ours"):
            await journal.put_facts([make.fact()])
        with pytest.raises(JournalUnavailable, match="a fault of ours"):
            await waiting
        assert "a fault of ours" in trouble(journal)
        assert len(await take(journal, 1)) == 1  # reading goes on


# -- who may write, and what --


@pytest.mark.trio
async def test_a_second_writer_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path):
        with pytest.raises(JournalLocked, match=rf"process {os.getpid()}\)"):
            async with open_sqlite(path):
                pass
        code = "import sys, trio; from pathlib import Path; from hub.journal.sqlite import open_sqlite\n"
        code += "async def main():\n    async with open_sqlite(Path(sys.argv[1])): pass\ntrio.run(main)"
        other = await trio.run_process([sys.executable, "-c", code, str(path)], capture_stderr=True, check=False)
        assert other.returncode == 1
        assert f"JournalLocked: {path}: another hub writes to this journal (process {os.getpid()})" in (
            other.stderr.decode()
        )
    async with open_sqlite(path):
        pass


@pytest.mark.trio
async def test_reading_works_beside_the_writer_in_another_process(tmp_path: Path) -> None:
    path, make = tmp_path / "journal.db", Maker()
    fact, entry = make.sealed()
    code = "import sys; from pathlib import Path; from hub.journal.reader import open_reader\n"
    code += "r = open_reader(Path(sys.argv[1])); print(r.position().facts, r.vault([sys.argv[2]])[0].payload.decode())"
    command = [sys.executable, "-c", code, str(path), entry.key]
    async with open_sqlite(path) as journal:
        await journal.put_facts([fact], [entry])
        beside = await trio.run_process(command, capture_stdout=True)
        assert beside.stdout.decode() == "1 somebody's words\n"
        await journal.put_facts([make.fact()])
    after = await trio.run_process(command, capture_stdout=True)
    assert after.stdout.decode() == "2 somebody's words\n"


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    trio.run(_make_journal, path)
    with open_reader(path) as reader, pytest.raises(apsw.ReadOnlyError):
        reader._journal.execute("DELETE FROM records")


async def _make_journal(path: Path) -> None:
    async with open_sqlite(path) as journal:
        await journal.put_facts([Maker().fact()])


def test_reading_where_there_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"there is no journal: name its file"):
        open_reader(tmp_path / "journal.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.trio
async def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE precious (n)")
    other.close()
    with pytest.raises(JournalError, match="this is not a Vigie journal"):
        async with open_sqlite(path):
            pass
    path.write_bytes(b"no database at all, but long enough to be taken for one " * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        async with open_sqlite(path):
            pass


@pytest.mark.trio
async def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path):
        pass
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(JournalError, match="schema 99"):
        async with open_sqlite(path):
            pass


def _as_by_schema_2(connection: apsw.Connection) -> None:
    """A journal as it was before keys had a table of their own."""
    connection.execute("DROP TABLE keys; DELETE FROM meta WHERE name = 'keyed'")
    connection.execute("CREATE UNIQUE INDEX records_key ON records (key) WHERE key IS NOT NULL")
    connection.pragma("user_version", 2)


@pytest.mark.trio
async def test_keys_that_were_an_index_become_a_table(tmp_path: Path) -> None:
    path, make = tmp_path / "journal.db", Maker()
    facts = [make.fact(key=f"partner:{n}") for n in range(5)]
    async with open_sqlite(path) as journal:
        await journal.put_facts(facts)
    connection = apsw.Connection(str(path))
    _as_by_schema_2(connection)
    connection.close()
    async with open_sqlite(path) as journal:
        again, new = make.fact(key="partner:3"), make.fact(key="partner:5")
        assert list(await journal.put_facts([again, new])) == [facts[3].id, new.id]
    async with open_sqlite(path) as journal:
        assert list(await journal.put_facts([make.fact(key="partner:5")])) == [new.id]


@pytest.mark.trio
async def test_verification_finds_a_fact_recorded_twice(tmp_path: Path) -> None:
    path, make = tmp_path / "journal.db", Maker()
    first, second = make.fact(key="partner:1"), make.fact()
    async with open_sqlite(path) as journal:
        await journal.put_facts([first, second])
        assert await journal.verify() == 0
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE records SET key = (SELECT key FROM records WHERE id = ?)", (first.id,))
    connection.close()
    async with open_sqlite(path) as journal:
        with pytest.raises(Corrupt, match=f"fact {second.id} has the key of fact {first.id}: it was recorded twice"):
            await journal.verify()


async def _made_by_schema_1(folder: Path, entry: VaultEntry | None = None) -> Path:
    """A journal as it was before the vault moved into its file, with the vault beside it."""
    path, make = folder / "journal.db", Maker()
    fact, own = make.sealed()
    async with open_sqlite(path) as journal:
        await journal.put_facts([fact], [entry or own])
    connection, pair = apsw.Connection(str(path)), folder.name
    connection.execute("ATTACH ? AS beside", (str(folder / "vault.db"),))
    connection.execute("CREATE TABLE beside.meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
    connection.execute("CREATE TABLE beside.vault AS SELECT * FROM main.vault")
    connection.execute("DROP TABLE main.vault")
    _as_by_schema_2(connection)
    for schema in ("main", "beside"):
        connection.execute(f"INSERT INTO {schema}.meta VALUES ('pair', ?)", (pair,))
    connection.pragma("user_version", 1)
    connection.close()
    return path


@pytest.mark.trio
async def test_a_vault_in_a_file_of_its_own_moves_in(tmp_path: Path) -> None:
    entry = VaultEntry(key="01KEPT", payload=b"said before")
    path = await _made_by_schema_1(tmp_path, entry)
    with pytest.raises(JournalError, match="written by an earlier Vigie: start the hub once"):
        open_reader(path)
    async with open_sqlite(path) as journal:
        assert await journal.vault([entry.key]) == [entry]
        assert await journal.verify() == 0
    assert not (tmp_path / "vault.db").exists()


@pytest.mark.trio
async def test_the_vault_that_moves_in_must_be_this_journals_own(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    path = await _made_by_schema_1(tmp_path / "one")
    vault = path.with_name("vault.db")
    vault.rename(tmp_path / "kept")
    with pytest.raises(JournalError, match="is missing: put it back"):
        async with open_sqlite(path):
            pass
    await _made_by_schema_1(tmp_path / "other")
    (tmp_path / "other" / "vault.db").rename(vault)
    with pytest.raises(JournalError, match="the vault of another journal"):
        async with open_sqlite(path):
            pass
    assert vault.exists()
    (tmp_path / "kept").rename(vault)
    async with open_sqlite(path) as journal:
        assert (await journal.position()).facts == 1


@pytest.mark.trio
async def test_closing_leaves_no_log_behind(tmp_path: Path) -> None:
    """A file moved or copied after the hub has ended is whole by itself."""
    async with open_sqlite(tmp_path / "journal.db") as journal:
        await journal.put_facts([Maker().fact()])
        await take(journal, 1)
    assert sorted(_modes(tmp_path)) == ["journal.db", "journal.db.lock"]


@pytest.mark.trio
async def test_erased_bytes_are_in_no_file(tmp_path: Path) -> None:
    make = Maker()
    words = "Ik-ben-een-geheim-" + "7f3a" * 20
    fact, entry = make.sealed(words * 100)
    async with open_sqlite(tmp_path / "journal.db") as journal:
        await journal.put_facts([fact], [entry])
        await journal.put_facts([fact, make.fact()], [VaultEntry(key="other", payload=b"y" * 9000)])
        assert _files_with(tmp_path, words) == ["journal.db-wal"]
        await journal.erase([entry.key])
        assert _files_with(tmp_path, words) == []
        assert _files_with(tmp_path, "7f3a7f3a") == []
    assert _files_with(tmp_path, words) == []


def _files_with(folder: Path, words: str) -> list[str]:
    return [path.name for path in folder.iterdir() if words.encode() in path.read_bytes()]


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode for path in folder.iterdir()}


@pytest.mark.trio
async def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "journal.db") as journal:
        await journal.put_facts([Maker().fact()])
        modes = _modes(tmp_path)
    assert "journal.db-wal" in modes
    assert not any(mode & 0o077 for mode in modes.values())
