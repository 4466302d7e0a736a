"""The auditor reads a real journal beside its writer; its channels tell, or say that they did not."""

import os
import random
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
import trio

from hub.auditor.audit import Audit
from hub.auditor.checks import Finding
from hub.auditor.config import AuditorConfig, AuditorHeartbeat, AuditorMail, AuditorPost
from hub.auditor.process import AuditorLock
from hub.auditor.reading import ROWS_MAX, Reading, Unreadable, end_of
from hub.auditor.standing import Kind, Told
from hub.auditor.tell import Teller, Way, beat, mail, post, ways_of, write_down
from hub.journal import Snapshot
from hub.journal.sqlite import SqliteJournal, open_sqlite
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids

START = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
TOLD = Told(kind=Kind.NEW, finding=Finding(what="hub-silent", detail="no pulse for 16 s", since_s=16))


class Writing:
    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal
        self.ids = Ids(random.Random(1))

    async def facts(self, *bodies: r.FactBody) -> list[str]:
        made = [r.Fact(id=self.ids.new(START), at=START, body=body) for body in bodies]
        await self.journal.put_facts(made)
        return [fact.id for fact in made]

    async def decide(
        self, *took: str, events: tuple[e.Event, ...] = (), fired: tuple[str, ...] = (), at: datetime = START
    ) -> str:
        decision = r.Decision(id=self.ids.new(at), at=at, took=took, events=events, fired=fired)
        await self.journal.put_decision(decision)
        return decision.id


def signals(count: int = 1) -> list[r.FactBody]:
    return [r.SignalReceived(source="kmi") for _ in range(count)]


@pytest.mark.trio
async def test_what_is_untaken_is_the_oldest_fact_past_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing, reading = Writing(journal), Reading(path)
        assert reading.look()
        assert reading.sight.untaken is None

        first, second = await writing.facts(*signals(2))
        assert reading.look()
        assert reading.sight.untaken is not None
        assert reading.sight.untaken.id == first

        await writing.decide(first)
        reading.look()
        assert reading.sight.untaken is not None
        assert reading.sight.untaken.id == second

        await writing.decide(second)
        await writing.decide(events=(e.DeadlineSet(deadline="answer A", at=START + timedelta(seconds=5)),))
        reading.look()
        assert reading.sight.untaken is None
        assert list(reading.sight.state.deadlines) == ["answer A"]

        [third] = await writing.facts(r.HubStarted(node="a", version="1"))
        reading.look()
        assert reading.sight.untaken is not None
        assert reading.sight.untaken.id == third
        assert reading.started_place == end_of(path) == 6
        reading.close()


@pytest.mark.trio
async def test_a_long_journal_is_read_in_several_looks(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing, reading = Writing(journal), Reading(path)
        ids = await writing.facts(*signals(ROWS_MAX + 5))
        await writing.decide(*ids)
        assert not reading.look()
        assert reading.look()
        assert reading.sight.state.cursor == ids[-1]
        assert reading.sight.untaken is None
        reading.close()


@pytest.mark.trio
async def test_an_auditor_that_comes_late_begins_at_the_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing, first = Writing(journal), Reading(path)
        early = await writing.decide()
        ids = await writing.facts(*signals(3))
        decision = await writing.decide(*ids, events=(e.DeadlineSet(deadline="answer A", at=START),))
        first.look()
        state = msgspec.msgpack.encode(first.sight.state)
        await journal.save_snapshot(Snapshot(decision=decision, cursor=ids[-1], state=state))
        # A decision before the snapshot that cannot be followed shows that it was not read.
        _spoil(path, early)
        more = await writing.facts(*signals(1))
        late = Reading(path)
        late.look()
        assert list(late.sight.state.deadlines) == ["answer A"]
        assert late.sight.untaken is not None
        assert late.sight.untaken.id == more[0]
        late.close()
        first.close()


@pytest.mark.trio
async def test_a_snapshot_of_another_version_is_left_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing = Writing(journal)
        ids = await writing.facts(*signals(1))
        decision = await writing.decide(*ids, events=(e.DeadlineSet(deadline="answer A", at=START),))
        await journal.save_snapshot(Snapshot(decision=decision, cursor=ids[-1], state=b"\x93\x01\x02\x03"))
        reading = Reading(path)
        assert reading.look()
        assert list(reading.sight.state.deadlines) == ["answer A"]
        reading.close()


def _spoil(path: Path, id_: str) -> None:
    with apsw.Connection(str(path)) as connection:
        connection.execute("UPDATE records SET body = ? WHERE id = ?", (b'{"kind":"?"}', id_))
    connection.close()


@pytest.mark.trio
async def test_a_record_that_cannot_be_followed_is_named_and_read_again_once_it_is_right(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing = Writing(journal)
        ids = await writing.facts(*signals(1))
        decision = await writing.decide(*ids)
        [(right,)] = _select(path, decision)
        _spoil(path, decision)
        reading = Reading(path)
        for _ in range(2):
            with pytest.raises(Unreadable, match=f"record {decision} cannot be followed.*vigie journal verify"):
                reading.look()
        with apsw.Connection(str(path)) as connection:
            connection.execute("UPDATE records SET body = ? WHERE id = ?", (right, decision))
        connection.close()
        assert reading.look()
        assert reading.sight.state.decision == decision
        reading.close()


def _select(path: Path, id_: str) -> list[tuple[bytes]]:
    connection = apsw.Connection(str(path))
    found = connection.execute("SELECT body FROM records WHERE id = ?", (id_,)).fetchall()
    connection.close()
    return found


@pytest.mark.trio
async def test_an_event_that_fits_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        await Writing(journal).decide(events=(e.AskSent(ask="no such ask", at=START),))
        reading = Reading(path)
        with pytest.raises(Unreadable, match="no such ask"):
            reading.look()


@pytest.mark.trio
async def test_a_journal_that_is_put_in_the_place_of_another_is_read_from_its_beginning(tmp_path: Path) -> None:
    path, other = tmp_path / "journal.db", tmp_path / "other"
    async with open_sqlite(path) as journal:
        writing = Writing(journal)
        await writing.decide(*await writing.facts(*signals(5)))
    reading = Reading(path)
    reading.look()
    other.mkdir()
    async with open_sqlite(other / "journal.db") as journal:
        writing = Writing(journal)
        [only] = await writing.facts(*signals(1))
    os.replace(other / "journal.db", path)
    reading.look()
    assert reading.sight.state.decision == ""
    assert reading.sight.untaken is not None
    assert reading.sight.untaken.id == only
    reading.close()


def test_no_journal_and_what_is_none(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "journal.db")
    with pytest.raises(Unreadable, match="there is no journal"):
        reading.look()
    (tmp_path / "journal.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(Unreadable, match="cannot be read"):
        reading.look()
    assert end_of(tmp_path / "journal.db") == 0


@pytest.mark.parametrize(("free_blocks", "flag", "why"), [(1, 0, "4 KiB left"), (10**6, os.ST_RDONLY, "read-only")])
def test_a_disk_that_takes_nothing_more_is_noticed(tmp_path: Path, free_blocks: int, flag: int, why: str) -> None:
    def statvfs(_: Path) -> os.statvfs_result:
        return os.statvfs_result((4096, 4096, 10**6, free_blocks, free_blocks, 1, 1, 1, flag, 255))

    for disk, said in ((statvfs, why), (os.statvfs, "")):
        reading = Reading(tmp_path / "journal.db", disk)
        with pytest.raises(Unreadable):
            reading.look()
        assert said in reading.unwritable
        assert bool(said) == bool(reading.unwritable)


# --- the audit -------------------------------------------------------------------------------------------------


class LiveHub:
    """A hub's process that lives, as the audit sees it."""

    def __init__(self) -> None:
        self.restarts: list[str] = []

    def lived_s(self) -> float:
        return 30.0

    def silent_s(self) -> float | None:
        return None

    def findings(self) -> list[Finding]:
        return []

    def restart(self, why: str) -> None:
        self.restarts.append(why)


class Watch:
    """An audit of a real journal, one look and one round at a time."""

    def __init__(self, reading: Reading, **config: Any) -> None:
        self.hub = LiveHub()
        self.told: list[Told] = []
        self.audit = Audit(AuditorConfig(listening=0, **config), reading, self.hub, self.told.append)

    async def round(self, s: float = 0) -> list[str]:
        """What is told; `s`: seconds of the auditor's clock."""
        await self.audit.look()
        self.audit.round(s)
        told, self.told[:] = [f"{t.kind} {t.finding.what}" for t in self.told], []
        return told


@pytest.mark.trio
async def test_what_is_due_by_a_jump_of_hub_time_is_given_the_time_to_fire(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing, watch = Writing(journal), Watch(Reading(path))
        due = e.DeadlineSet(deadline="answer A", at=START + timedelta(hours=1))
        await writing.decide(*await writing.facts(r.HubStarted(node="a", version="1")), events=(due,))
        assert await watch.round() == []
        [stepped] = await writing.facts(r.ClockStepped(by_s=86_400))
        await writing.decide(stepped, at=START + timedelta(days=1))  # the clock was set, and that is read ...
        assert await watch.round() == []
        assert await watch.round() == []
        await writing.decide(at=START + timedelta(days=1), fired=("answer A",))  # ... before what follows from it
        assert await watch.round() == []
        await writing.decide(at=START + timedelta(days=2), events=(due,))
        await writing.decide(at=START + timedelta(days=3))
        assert await watch.round() == []
        assert await watch.round() == ["new deadline-overdue"]


@pytest.mark.trio
async def test_a_hub_that_hangs_is_set_going_again_with_growing_patience(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with open_sqlite(path) as journal:
        writing, watch = Writing(journal), Watch(Reading(path))
        await _hang(writing, watch)
        assert await watch.round(0) == []
        assert await watch.round(1) == ["new deadline-overdue"]
        await watch.round(15)
        assert watch.hub.restarts == []
        await watch.round(16)
        assert len(watch.hub.restarts) == 1
        assert "answer A" in watch.hub.restarts[0]
        await watch.round(17)
        await watch.round(46)
        assert len(watch.hub.restarts) == 1
        await watch.round(47)
        assert len(watch.hub.restarts) == 2


@pytest.mark.trio
async def test_a_hub_that_waits_for_the_disk_is_not_started_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    blocks = [1]

    def statvfs(_: Path) -> os.statvfs_result:
        return os.statvfs_result((4096, 4096, 10**6, *blocks * 2, 1, 1, 1, 0, 255))

    async with open_sqlite(path) as journal:
        writing, watch = Writing(journal), Watch(Reading(path, statvfs))
        await _hang(writing, watch)
        assert await watch.round(0) == ["new disk-full"]
        assert await watch.round(1) == ["new deadline-overdue"]
        await watch.round(300)
        assert watch.hub.restarts == []
        blocks[0] = 10**6
        assert await watch.round(311) == ["over disk-full"]
        assert len(watch.hub.restarts) == 1


@pytest.mark.trio
async def test_a_fault_of_the_auditors_own_is_told(tmp_path: Path) -> None:
    def statvfs(_: Path) -> os.statvfs_result:
        raise ZeroDivisionError("a fault")

    watch = Watch(Reading(tmp_path / "journal.db", statvfs), starting=1_000)
    assert await watch.round() == ["new auditor-fault"]


async def _hang(writing: Writing, watch: Watch) -> None:
    """A deadline that was due an hour ago by the hub's own time."""
    due = e.DeadlineSet(deadline="answer A", at=START)
    await writing.decide(*await writing.facts(r.HubStarted(node="a", version="1")), events=(due,))
    await watch.audit.look()
    await writing.decide(at=START + timedelta(hours=1))


# --- telling ---------------------------------------------------------------------------------------------------


@pytest.mark.trio
async def test_a_channel_that_hangs_or_fails_keeps_no_other_waiting() -> None:
    let_go, told, tried = threading.Event(), trio.Event(), []
    token = trio.lowlevel.current_trio_token()

    def hangs(_: Told) -> None:
        let_go.wait(60)

    def fails(told: Told) -> None:
        tried.append(told)
        raise ConnectionRefusedError("nobody there")

    ways = [
        Way("hangs", hangs, tries_s=(0.0,)),
        Way("fails", fails, tries_s=(0.0, 0.0, 0.0)),
        Way("works", lambda _: token.run_sync_soon(told.set), tries_s=(0.0,)),
        Way("not for this", lambda _: pytest.fail("told"), frozenset({Kind.OVER})),
    ]
    teller = Teller(ways)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(teller.run)
        teller.tell(TOLD)
        with trio.fail_after(30):
            await told.wait()
        let_go.set()
        with trio.fail_after(30):
            await teller.finish(30)
        assert len(tried) == 3
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_what_cannot_be_queued_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller([Way("slow", lambda _: None)])
    for _ in range(100):
        teller.tell(TOLD)  # nobody serves the queue
    assert "could not even be queued" in capsys.readouterr().out


def test_the_file_grows_by_a_line_each_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "auditor.txt"
    write_down(file, TOLD)
    write_down(file, Told(kind=Kind.OVER, finding=TOLD.finding, playback=True))
    first, second = file.read_text().splitlines()
    assert first.endswith(" NEW hub-silent: no pulse for 16 s")
    assert second.endswith(" OVER EXERCISE hub-silent: no pulse for 16 s")
    assert file.stat().st_mode & 0o777 == 0o600


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_server_that_is_not_there_is_an_error_and_not_a_success() -> None:
    port = _closed_port()
    with pytest.raises(OSError, match="refused"):
        mail(
            AuditorMail(host="127.0.0.1", port=port, security="none", sender="a@b.example", to=("c@d.example",)),
            "",
            TOLD,
        )
    with pytest.raises(OSError, match="refused"):
        post(AuditorPost(url=f"http://127.0.0.1:{port}/"), "", TOLD)
    with pytest.raises(OSError, match="refused"):
        beat(AuditorHeartbeat(url=f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize("status", [b"302 Found\r\nLocation: http://127.0.0.1:1/", b"500 Oops", b"401 No"])
def test_an_answer_that_is_no_2xx_is_an_error(status: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        asked: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match=status[:3].decode()):
            post(AuditorPost(url=f"http://127.0.0.1:{port}/x"), "the-token", TOLD)
        thread.join()
        assert b"Authorization: Bearer the-token" in asked[0]


def test_a_secret_that_is_missing_is_said_at_the_start(tmp_path: Path) -> None:
    def secret(name: str) -> str:
        raise KeyError(f"secret {name} is not set")

    config = AuditorConfig(post=AuditorPost(url="http://127.0.0.1/", token="PAGER_TOKEN"))
    with pytest.raises(KeyError, match="secret PAGER_TOKEN is not set"):
        ways_of(config, tmp_path / "journal.db", secret)


def test_one_auditor_per_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    first = AuditorLock(journal)
    first.names(4711)
    with pytest.raises(BlockingIOError, match=f"process {os.getpid()}"):
        AuditorLock(journal)
    first.release()
    second = AuditorLock(journal)
    assert second.left_behind == 4711
    second.release()
