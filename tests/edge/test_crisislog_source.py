"""Crisis logs in a real folder: what is written into it, by good and bad writers, and what becomes of it."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.crisislog import folder as folder_module
from connectors.crisislog.config import CrisislogConfig
from connectors.crisislog.folder import Seen
from connectors.crisislog.source import CrisislogSource, Cursor
from hub.connector import Source
from hub.model.signal import MsgType
from tests.contracts.intake import environment
from tests.edge.hours import WatchedIntake
from tests.edge.polling import PolledIntake, Turns, run

LOG = "identifier,headline,sent\n{}\n"
ENTRY = "{n},Gas leak {n},2026-07-14T02:10:00+02:00"


def log(*numbers: int, text: str = "") -> str:
    return LOG.format("\n".join(ENTRY.format(n=n) + "" if not text else f"{n},{text}," for n in numbers))


def config(path: Path, **more: Any) -> CrisislogConfig:
    return msgspec.convert({"folder": str(path), "patience": 6} | more, CrisislogConfig)


def source(path: Path, turns: Turns, **more: Any) -> CrisislogSource:
    return CrisislogSource(config(path, **more), environment("log"), sleep=turns)


def identifiers(intake: PolledIntake) -> list[str]:
    return [item.signal.identifier for item in intake.signals]


def files(path: Path) -> list[str]:
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if not p.is_dir())


def names(path: Path) -> list[str]:
    """Where files are, by the name they came with."""
    return [".".join([name.split(".")[0], name.split(".")[-1]]) for name in files(path)]


def told(path: Path, story: Callable[[Turns, PolledIntake], Any], intake: PolledIntake, **more: Any) -> None:
    async def whole() -> None:
        turns = Turns()
        made = source(path, turns, **more)
        assert isinstance(made, Source)
        async with turns.run(made, intake):
            await story(turns, intake)

    run(whole)


@pytest.fixture
def begun() -> PolledIntake:
    """Of a source that is no longer new."""
    return PolledIntake(kept=Cursor().dump())


def test_a_file_is_read_once_it_is_alike_at_two_looks_and_moved_when_it_is_durable(
    tmp_path: Path, begun: PolledIntake
) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "a.csv").write_text(log(1))
        await turns.polled()
        assert identifiers(intake) == []
        with (tmp_path / "a.csv").open("a") as file:
            file.write(ENTRY.format(n=2) + "\n")
        await turns.polled()
        assert identifiers(intake) == []
        await turns.polled()
        assert identifiers(intake) == ["1", "2"]
        assert names(tmp_path) == ["done/a.csv"]
        assert intake.healths[-1] == ("ok", "")

    told(tmp_path, story, begun)


def test_what_is_being_written_is_read_when_it_is_renamed(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        for name in (".a.csv", "a.csv.tmp", "a.csv.part", "~a.csv"):
            (tmp_path / name).write_text(log(1))
        for _ in range(5):
            await turns.polled()
        assert intake.items == []
        (tmp_path / "a.csv.tmp").rename(tmp_path / "a.csv")
        for _ in range(2):
            await turns.polled()
        assert identifiers(intake) == ["1"]

    told(tmp_path, story, begun)


def test_nothing_is_moved_before_it_is_durable(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "a.csv").write_text(log(1))
        intake.down = "disk full"
        await turns.polled()
        assert await turns.polled() == 1.0, "it waits to offer again"
        assert files(tmp_path) == ["a.csv"]
        intake.down = ""
        await turns.polled()
        assert identifiers(intake) == ["1"]
        assert names(tmp_path) == ["done/a.csv"]

    told(tmp_path, story, begun)


def test_a_new_sources_folder_is_its_backlog_and_what_comes_then_is_news(tmp_path: Path) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "old.csv").write_text(log(1))
        os.utime(tmp_path / "old.csv", (1e9, 1e9))
        for _ in range(3):
            await turns.polled()
        (tmp_path / "new.csv").write_text(log(2))
        os.utime(tmp_path / "new.csv", (9e8, 9e8))  # copied with the time it had elsewhere
        for _ in range(2):
            await turns.polled()
        assert [(i.signal.identifier, i.baseline) for i in intake.signals] == [("1", True), ("2", False)]

    told(tmp_path, story, PolledIntake())


def test_a_backlog_that_cannot_be_read_makes_no_backlog_of_what_comes_later(tmp_path: Path) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "old.csv").write_text(log(1))
        real = folder_module.read

        def refused(folder: str, seen: Seen, bytes_max: int) -> bytes:
            if seen.name == "old.csv":
                raise PermissionError(13, "Permission denied")
            return real(folder, seen, bytes_max)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(folder_module, "read", refused)
            for _ in range(3):
                await turns.polled()
            assert intake.healths[-1] == ("failing", "old.csv: Permission denied")
            (tmp_path / "new.csv").write_text(log(2))
            os.utime(tmp_path / "new.csv", (9e8, 9e8))
            for _ in range(2):
                await turns.polled()
        assert [(i.signal.identifier, i.baseline) for i in intake.signals] == [("2", False)]

    told(tmp_path, story, PolledIntake())


def test_the_same_entry_is_one_in_whatever_file_and_with_other_words_an_update(
    tmp_path: Path, begun: PolledIntake
) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        for number, text in enumerate((log(1, 2), log(1, 2, 3), log(2, text="It is out"), log(1, 2, 3))):
            (tmp_path / f"export-{number}.csv").write_text(text)
            for _ in range(2):
                await turns.polled()
        assert [(i.signal.identifier, i.signal.msg_type) for i in intake.signals] == [
            ("1", MsgType.ALERT),
            ("2", MsgType.ALERT),
            ("3", MsgType.ALERT),
            ("2", MsgType.UPDATE),
        ]
        assert [r.identifier for r in intake.signals[-1].signal.references] == ["2"]
        assert len(files(tmp_path)) == 4

    told(tmp_path, story, begun)


def test_a_hub_that_is_killed_anywhere_loses_nothing_and_records_nothing_twice(tmp_path: Path) -> None:
    """Wherever the journal stops taking, or a move fails, the next hub ends with each entry once and all files away."""
    for death in range(12):
        place = tmp_path / str(death)
        place.mkdir()
        for number in range(4):
            (place / f"{number}.csv").write_text(log(*range(number * 3, number * 3 + 3)))
            os.utime(place / f"{number}.csv", (1e9 + number, 1e9 + number))
        intake = PolledIntake(kept=Cursor().dump(), good_offers=death // 4)
        real, moves = folder_module.put_away, 0

        def failing(folder: str, seen: Seen, into: str, mark: str, after: int = death % 4, real: Any = real) -> Any:
            nonlocal moves
            moves += 1
            if moves > after:
                raise asyncio.CancelledError
            return real(folder, seen, into, mark)

        async def until_it_dies(turns: Turns, intake: PolledIntake) -> None:
            for _ in range(3):
                try:
                    await turns.polled()
                except (AssertionError, asyncio.CancelledError):
                    return

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(folder_module, "put_away", failing)
            told(place, until_it_dies, intake)

        async def goes_on(turns: Turns, intake: PolledIntake) -> None:
            for _ in range(4):
                await turns.polled()

        intake.good_offers, intake.down = None, ""
        told(place, goes_on, intake)
        assert sorted(map(int, identifiers(intake))) == list(range(12)), f"death {death}"
        assert names(place) == [f"done/{number}.csv" for number in range(4)], f"death {death}"


def test_two_hubs_on_one_folder_and_one_journal_record_each_entry_once(tmp_path: Path, begun: PolledIntake) -> None:
    async def whole() -> None:
        one, other = Turns(), Turns()
        async with one.run(source(tmp_path, one), begun), other.run(source(tmp_path, other), begun):
            for number in range(30):
                (tmp_path / f"{number}.csv").write_text(log(number))
            for _ in range(4):
                await asyncio.gather(one.polled(), other.polled())
        assert sorted(map(int, identifiers(begun))) == list(range(30))
        assert len(files(tmp_path / "done")) == 30
        assert [health for health, _ in begun.healths if health != "ok"] == []

    run(whole)


def test_a_file_that_grows_after_it_was_read_comes_back_and_is_read_whole(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        with (tmp_path / "a.csv").open("w") as file:
            file.write(log(1))
            file.flush()
            for _ in range(2):
                await turns.polled()
            assert identifiers(intake) == ["1"]
            file.write(ENTRY.format(n=2) + "\n")  # a slow writer: it writes on in done/
        for _ in range(3):
            await turns.polled()
        assert identifiers(intake) == ["1", "2"]
        assert names(tmp_path) == ["done/a.csv"]

    told(tmp_path, story, begun)


@pytest.mark.parametrize(
    ("half", "whole"),
    [
        ('[{"identifier": "1", "headline": "Gas', '[{"identifier": "1", "headline": "Gas leak"}]'),
        ("<emsi><CONTEXT><ID>1</ID>", "<emsi><CONTEXT><ID>1</ID><MODE>ACTUAL</MODE></CONTEXT></emsi>"),
        ("identifier,headline\n1", "identifier,headline\n1,Gas leak\n"),
        ('identifier,headline\n1,"Gas', 'identifier,headline\n1,"Gas leak"\n'),
        ("", "identifier,headline\n1,Gas leak\n"),
    ],
    ids=["json", "xml", "row", "quote", "empty"],
)
def test_a_half_written_file_is_waited_for(tmp_path: Path, begun: PolledIntake, half: str, whole: str) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "a").write_text(half)
        for _ in range(3):
            await turns.polled()
        assert intake.items == []
        (tmp_path / "a").write_text(whole)
        for _ in range(2):
            await turns.polled()
        assert identifiers(intake) == ["1"]
        assert intake.bad == []

    told(tmp_path, story, begun)


def test_a_file_that_stays_broken_is_a_dead_letter_and_goes_to_bad(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "cut.json").write_text('[{"identifier": "1",')
        (tmp_path / "empty.csv").touch()
        (tmp_path / "mixed.csv").write_text('identifier,headline\n1,Gas leak\n2,a,b,c\n3,"x"y\n4,Fire\n')
        for _ in range(8):
            await turns.polled()
        assert identifiers(intake) == ["1", "4"]
        assert sorted(bad.place for bad in intake.bad) == [
            "cut.json:1:1",
            "empty.csv:1:1",
            "mixed.csv:3:1",
            "mixed.csv:4:1",
        ]
        assert sorted(names(tmp_path)) == ["bad/cut.json", "bad/empty.csv", "bad/mixed.csv"]
        assert intake.healths[-1] == ("ok", "")

    told(tmp_path, story, begun)


def test_links_pipes_and_folders_are_never_followed(tmp_path: Path, begun: PolledIntake) -> None:
    outside, inside = tmp_path / "secret.csv", tmp_path / "in"
    outside.write_text(log(99))
    inside.mkdir()
    (inside / "link.csv").symlink_to(outside)
    (inside / "hard.csv").hardlink_to(outside)
    os.mkfifo(inside / "pipe.csv")
    (inside / "folder.csv").mkdir()
    (inside / "good.csv").write_text(log(1))

    async def story(turns: Turns, intake: PolledIntake) -> None:
        for _ in range(4):
            await turns.polled()
        assert identifiers(intake) == ["1"]
        assert intake.bad == []
        health, reason = intake.healths[-1]
        assert health == "failing"
        assert "(and 2 more)" in reason
        assert outside.read_text() == log(99)

    told(inside, story, begun)


def test_done_that_is_a_link_leads_nowhere(tmp_path: Path, begun: PolledIntake) -> None:
    inside, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    inside.mkdir()
    elsewhere.mkdir()
    (inside / "done").symlink_to(elsewhere)
    (inside / "a.csv").write_text(log(1))

    async def story(turns: Turns, intake: PolledIntake) -> None:
        for _ in range(4):
            await turns.polled()
        assert identifiers(intake) == ["1"]
        assert list(elsewhere.iterdir()) == []
        assert intake.healths[-1][0] == "failing"
        assert intake.healths[-1][1].startswith("a.csv cannot be moved to done: ")
        offers = intake.offers
        (inside / "done").unlink()
        await turns.polled()
        assert (intake.offers, intake.healths[-1]) == (offers, ("ok", "")), "it was recorded: only moved"

    told(inside, story, begun)


def test_strange_names_are_names(tmp_path: Path, begun: PolledIntake) -> None:
    strange = [
        b"new\nline.csv",
        b"tab\t.csv",
        b"\xff\xfe.csv",
        "é à ü.csv".encode(),
        b"x" * 250 + b".csv",
        b"no-ending",
    ]

    async def story(turns: Turns, intake: PolledIntake) -> None:
        for number, name in enumerate(strange):
            (tmp_path / os.fsdecode(name)).write_text(log(number) if number else "nothing of it\n1\n")
        for _ in range(8):
            await turns.polled()
        assert sorted(identifiers(intake)) == ["1", "2", "3", "4", "5"]
        (bad,) = intake.bad
        assert bad.place == "new?line.csv:1:1"
        assert len(list((tmp_path / "done").iterdir())) == 5
        assert len(files(tmp_path)) == len(strange)

    told(tmp_path, story, begun)


def test_files_of_one_name_and_other_content_are_both_kept(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        for text in (log(1), log(2), log(1)):
            (tmp_path / "log.csv").write_text(text)
            for _ in range(2):
                await turns.polled()
        assert identifiers(intake) == ["1", "2"]
        kept = sorted(path.read_text() for path in (tmp_path / "done").iterdir())
        assert kept == [log(1), log(1), log(2)]

    told(tmp_path, story, begun)


def test_a_folder_that_is_not_there_is_told_and_comes_back(tmp_path: Path, begun: PolledIntake) -> None:
    place = tmp_path / "mount"

    async def story(turns: Turns, intake: PolledIntake) -> None:
        await turns.polled()
        assert intake.healths[-1] == ("failing", f"{place}: No such file or directory")
        assert not place.exists(), "nothing is made where a mount is missing"
        place.mkdir()
        (place / "a.csv").write_text(log(1))
        for _ in range(2):
            await turns.polled()
        assert (intake.healths[-1], identifiers(intake)) == (("ok", ""), ["1"])
        place.rename(tmp_path / "gone")
        await turns.polled()
        assert intake.healths[-1][0] == "failing"
        (tmp_path / "gone").rename(place)
        await turns.polled()
        assert intake.healths[-1] == ("ok", "")

    told(place, story, begun)


def test_a_folder_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = WatchedIntake(kept=Cursor().dump())
    go = threading.Event()
    real = folder_module.look

    def hangs(folder: str, pattern: str) -> folder_module.Look:
        assert go.wait(20)
        return real(folder, pattern)

    monkeypatch.setattr(folder_module, "look", hangs)

    async def whole() -> None:
        turns = Turns()
        made = CrisislogSource(config(tmp_path), environment("log"), sleep=turns, hangs_s=0.01)
        async with turns.run(made, begun):
            assert await begun.becomes("failing")
            assert begun.healths == [("failing", f"{tmp_path}: does not answer")]
            go.set()
            await turns.polled()
            assert begun.healths[-1] == ("ok", "")

    run(whole)


def test_a_file_nobody_may_read_is_told_and_holds_nothing_else_up(
    tmp_path: Path, begun: PolledIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may be root, who may read everything: the system's answer is put in its place."""
    locked = True
    real = os.open

    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "theirs.csv" and locked:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", opened)

    async def story(turns: Turns, intake: PolledIntake) -> None:
        nonlocal locked
        (tmp_path / "mine.csv").write_text(log(1))
        (tmp_path / "theirs.csv").write_text(log(2))
        for _ in range(3):
            await turns.polled()
        assert identifiers(intake) == ["1"]
        assert intake.healths[-1] == ("failing", "theirs.csv: Permission denied")
        locked = False
        await turns.polled()
        assert (identifiers(intake), intake.healths[-1]) == (["1", "2"], ("ok", ""))

    told(tmp_path, story, begun)


def test_a_file_that_is_too_large_is_a_dead_letter(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "large.csv").write_text(log(*range(100)))
        for _ in range(2):
            await turns.polled()
        (bad,) = intake.bad
        assert "at most 1024 are read: split it" in bad.reason
        assert len(bad.original) <= 4096
        assert names(tmp_path) == ["bad/large.csv"]

    told(tmp_path, story, begun, max_bytes=1024)


def test_large_files_are_read_in_workers_and_ever_so_many_entries(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "all.csv").write_text(log(*range(12_000)))
        for _ in range(2):
            await turns.polled()
        assert intake.in_workers == ["crisis log"] * 3
        assert len(intake.signals) == 12_000
        assert names(tmp_path) == ["done/all.csv"]
        intake.worker_limit = "too slow"
        (tmp_path / "slow.csv").write_text(log(*range(20_000, 21_000)))
        for _ in range(2):
            await turns.polled()
        (bad,) = intake.bad
        assert "needs more time or memory" in bad.reason
        assert "bad/slow.csv" in names(tmp_path)

    told(tmp_path, story, begun)


def test_thousands_of_files_at_once(tmp_path: Path, begun: PolledIntake) -> None:
    for number in range(3_000):
        (tmp_path / f"{number:04}.csv").write_text(log(number))
        os.utime(tmp_path / f"{number:04}.csv", (1e9 + number, 1e9 + number))

    async def story(turns: Turns, intake: PolledIntake) -> None:
        for _ in range(2):
            await turns.polled()
        assert identifiers(intake) == [str(number) for number in range(3_000)], "the oldest first"
        assert intake.offers <= 3_000 / 50 + 2
        assert len(files(tmp_path / "done")) == 3_000

    told(tmp_path, story, begun)


def test_only_files_of_the_pattern_count(tmp_path: Path, begun: PolledIntake) -> None:
    async def story(turns: Turns, intake: PolledIntake) -> None:
        (tmp_path / "a.CSV").write_text(log(1))
        (tmp_path / "readme.txt").write_text("hello")
        for _ in range(4):
            await turns.polled()
        assert (identifiers(intake), intake.bad) == (["1"], [])
        assert "readme.txt" in files(tmp_path)

    told(tmp_path, story, begun, files="*.csv")
