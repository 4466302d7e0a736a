"""A real hub between two logs: what stands in one is acted on, what happens is written into the other; also across
kill -9, again and again."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.model import records as r
from tests.edge.running import OFFICER_A, Room, change, room

COLUMNS = "Nr,When,Title,Grade,Kind,Corrects,Lat,Lon,Around\n"
SOURCE = {
    "type": "crisislog",
    "reliability": "A",
    "credibility": "1",
    "every": "0.1 s",
    "language": "fr-BE",
    "sender": "nccn",
    "fields": {
        "identifier": "Nr",
        "sent": "When",
        "headline": "Title",
        "severity": "Grade",
        "msg type": "Kind",
        "references": "Corrects",
        "lat": "Lat",
        "lon": "Lon",
        "radius km": "Around",
    },
    "always": {"hazard": "thunderstorm", "certainty": "Observed", "urgency": "Immediate", "category": "Met"},
    "lasts": "6 h",
}
FOLLOWER = {"type": "crisislog", "texts": "yes", "columns": {"Id": "id", "Record": "record", "What": "event"}}


class Logs:
    """The two folders."""

    def __init__(self, folder: Path) -> None:
        self.coming, self.going = folder / "coming", folder / "going"
        for one in (self.coming, self.going):
            one.mkdir()

    def put(self, name: str, *rows: str) -> None:
        """As a good writer does."""
        unfinished = self.coming / f"{name}.tmp"
        unfinished.write_text(COLUMNS + "\n".join(rows) + "\n")
        unfinished.rename(self.coming / name)

    def waiting(self) -> list[Path]:
        return list(self.coming.glob("*.csv"))

    def done(self) -> list[Path]:
        return list(self.coming.glob("done/*.csv"))

    def told(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        for file in sorted(self.going.glob("vigie-*.csv")):
            found += csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline=""), delimiter=";")
        return found

    def names(self) -> list[str]:
        return [entry["What"] for entry in self.told()]


def entry(number: int, kind: str = "Alert", corrects: str = "") -> str:
    return f"{number},{datetime.now(UTC).isoformat()},Orage violent {number},Extreme,{kind},{corrects},50.85,4.35,10"


@pytest.fixture
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(tmp_path_factory.mktemp("logs"))


@pytest.fixture
def here(tmp_path: Path, logs: Logs) -> Iterator[Room]:
    sources = {"crisis-log": SOURCE | {"folder": str(logs.coming)}}
    with room(tmp_path, sources=sources, between_s=60.0, answer_s=90.0) as made:
        change(
            made.folder.config / "followers.yaml",
            lambda held: held.update({"other-log": FOLLOWER | {"folder": str(logs.going)}}),
        )
        made.script(OFFICER_A, call="no-answer")
        yield made


def listening(here: Room) -> bool:
    """Whether the folder was looked into: what was put there before is a new source's backlog."""
    return any(one["name"] == "crisis-log" and one["health"] == "ok" for one in here.status()["sources"])


def test_an_entry_wakes_an_officer_and_the_other_log_is_told_with_the_records(here: Room, logs: Logs) -> None:
    here.start()
    here.until(lambda: listening(here), "a source that listens")
    logs.put("log.csv", entry(1), *[""] * 20_000)  # large enough for a worker process
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    here.until(logs.done, "the file in done/")
    here.until(lambda: "ask.sent" in logs.names(), "entries in the other log")
    logs.put("over.csv", entry(2, "Cancel", "1"))
    here.until(lambda: "ended" in logs.names(), "the end in the other log")
    told = logs.told()
    held = {record.id for record in here.records("decision")}
    assert {one["Record"] for one in told} <= held
    assert len({one["Id"] for one in told}) == len(told)
    assert here.stop() == 0


def test_a_hub_that_is_killed_again_and_again_loses_no_entry_and_records_none_twice(here: Room, logs: Logs) -> None:
    here.start()
    here.until(lambda: listening(here), "a source that listens")
    files = 0
    for _ in range(3):
        for _ in range(8):
            logs.put(f"{files}.csv", *(entry(files * 5 + n) for n in range(5)))
            files += 1
        here.until(logs.done, "a first file in done/")
        here.kill()
        here.start()
    here.until(lambda: not logs.waiting() and len(logs.done()) == files, "all files in done/")
    assert not (logs.coming / "bad").exists()
    taken = [body for body in here.facts("signal") if isinstance(body, r.SignalReceived)]
    assert {body.source for body in taken} == {"crisis-log"}
    assert len(taken) == files * 5
    assert here.stop() == 0
