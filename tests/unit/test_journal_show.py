"""The journal in lines, and verification's report."""

from datetime import timedelta
from pathlib import Path

import apsw
import msgspec
import pytest
import trio

from hub.journal import JournalError, show
from hub.journal.codec import decode
from hub.journal.reader import open_reader
from hub.journal.sqlite import open_sqlite
from hub.model.records import CursorMoved, StopAll
from tests.contracts.journal import NOON, Maker


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"

    async def fill() -> None:
        make = Maker()
        async with open_sqlite(path) as journal:
            fact, entry = make.sealed()
            cursor = make.fact(CursorMoved(source="kmi", cursor="x" * 200))
            stop = make.fact(StopAll(by="duty", why="test\nof the switch"))
            await journal.put_facts([fact, cursor, stop], [entry])
            await journal.put_decision(make.decision([fact, cursor, stop], fired=("d1",)))
            await journal.put_attempts([make.attempt("o1", repeat=True)])

    trio.run(fill)
    return path


def test_one_line_each(path: Path) -> None:
    with open_reader(path) as reader:
        lines = [show.line(row) for row in show.records(reader)]
    assert len(lines) == 5
    assert lines[0].split()[:4] == ["1", "2024-06-01", "12:00:00Z", "signal"]
    assert lines[1].endswith("xxx…")
    assert lines[2].endswith("by=duty why=test of the switch")
    assert lines[3].endswith("took 3, fired 1")
    assert lines[4].endswith("order=o1 0-1 nth=1 possible repeat")
    assert not any("somebody's words" in line for line in lines)


def test_only_one_kind_or_from_an_instant_on(path: Path) -> None:
    with open_reader(path) as reader:
        assert [row.type for row in show.records(reader, kind="fact")] == ["signal", "cursor", "stop-all"]
        assert [row.type for row in show.records(reader, kind="stop-all")] == ["stop-all"]
        assert [row.type for row in show.records(reader, kind="decision")] == ["decision"]
        since = decode(list(reader.rows())[3].body).at
        assert [row.type for row in show.records(reader, since)] == ["decision", "attempt"]
        assert list(show.records(reader, NOON + timedelta(days=1))) == []
        with pytest.raises(JournalError, match="stopall: there is no such kind of record: it is one of fact, signal"):
            list(show.records(reader, kind="stopall"))


def test_json_says_place_and_hash(path: Path) -> None:
    with open_reader(path) as reader:
        shown = [msgspec.json.decode(msgspec.json.encode(show.as_json(row))) for row in show.records(reader)]
    assert [one["place"] for one in shown] == [1, 2, 3, 4, 5]
    assert shown[3]["record"]["kind"] == "decision"
    assert len(shown[3]["hash"]) == 64
    assert shown[0]["hash"] == ""


def test_the_report_says_what_is_wrong_and_how_much_was_looked_at(path: Path) -> None:
    with open_reader(path) as reader:
        lines = list(show.report(reader.examine()))
    assert lines == [
        "1 decisions, 3 facts, 1 attempts; 1 vault entries, 0 erased",
        "every record is there and as it was written",
    ]
    changing = apsw.Connection(str(path))
    changing.execute("UPDATE vault SET payload = CAST('other words' AS BLOB)")
    changing.close()
    with open_reader(path) as reader:
        lines = list(show.report(reader.examine()))
    assert len(lines) == 3
    assert "vault entry" in lines[0]
    assert "changed" in lines[0]
    assert lines[2] == "something is changed or missing"
