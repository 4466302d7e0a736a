"""A calendar polled from a real server, and read from a folder: restarts, faults, politeness."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import trio
from aiohttp import web

from connectors.calendar.config import CalendarConfig
from connectors.calendar.occurrences import Found, Span, find_occurrences
from connectors.calendar.source import CalendarSource
from hub.connector import Source, WorkerLimit
from hub.workers import open_workers
from tests.edge.polling import PolledIntake, Publisher, Turns, outside, publisher, run, status
from tests.unit.test_planned_events import calendar, event

NOW = datetime(2026, 10, 20, 8, tzinfo=UTC)
SERIES = event("a", ":20261022T180000Z", "RRULE:FREQ=WEEKLY", summary="Match")
CONCERT = event("b")


def source(turns: Turns, **settings: Any) -> CalendarSource:
    config = msgspec.convert({"internal": True} | settings, CalendarConfig)
    return CalendarSource(config, outside(), sleep=turns, chance=random.Random(7))


def room(kept: str | None = None, good_offers: int | None = None) -> PolledIntake:
    intake = PolledIntake(kept, good_offers)
    intake.set_clock(NOW)
    return intake


def said(intake: PolledIntake) -> list[str]:
    return [item.signal.msg_type.value for item in intake.signals]


def polite(site: Publisher, path: str, data: bytes) -> None:
    """Answers 304 to who has it already."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=data, headers={"ETag": '"1"'}, content_type="text/calendar")

    site.pages[path] = answer


def test_it_is_a_source() -> None:
    assert isinstance(source(Turns(), url="https://x.example/"), Source)


def test_events_are_told_once_and_time_brings_more_though_nothing_changes() -> None:
    async def story() -> None:
        async with publisher() as site:
            polite(site, "/a", calendar(SERIES, CONCERT))
            intake, turns = room(), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), intake):
                await turns.polled()
                await turns.polled()
                assert said(intake) == ["Alert"] * 3
                assert b"SUMMARY:Match" in intake.signals[0].original
                assert intake.signals[0].signal.sender == "127.0.0.1"
                intake.set_clock(NOW + timedelta(days=7))
                await turns.polled()
            assert said(intake)[3:] == ["Alert"], "the next of the series has come within the horizon"
            assert [r.headers.get("If-None-Match") for r in site.asked("/a")] == [None, '"1"', '"1"']
            assert intake.healths[-1] == ("ok", "")

    run(story)


def test_a_restart_repeats_nothing_and_finds_what_changed_meanwhile() -> None:
    async def story() -> None:
        async with publisher() as site:
            site.pages["/a"] = calendar(SERIES, CONCERT)
            first, turns = room(), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), first):
                await turns.polled()
            again, turns = room(first.kept), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), again):
                await turns.polled()
                assert said(again) == []
            site.pages["/a"] = calendar(SERIES, event("b", ":20261025T180000Z"))
            third, turns = room(again.kept or first.kept), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), third):
                await turns.polled()
            assert said(third) == ["Update"]
            assert third.signals[0].signal.references[0].identifier in {i.signal.identifier for i in first.signals}

    run(story)


def test_a_crash_between_two_batches_loses_nothing_and_tells_nothing_twice() -> None:
    async def story() -> None:
        async with publisher() as site:
            events = [event(str(n), f":202610{21 + n // 24}T{n % 24:02}0000Z", summary=str(n)) for n in range(230)]
            site.pages["/a"] = calendar(*events)
            first, turns = room(good_offers=2), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), first):
                await turns.polled()  # it cannot offer the third batch, and waits
            assert len(first.signals) == 200
            again, turns = room(first.kept), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), again):
                await turns.polled()
            headlines = [item.signal.infos[0].headline for item in (*first.signals, *again.signals)]
            assert headlines == [str(n) for n in range(230)]

    run(story)


def test_a_calendar_that_cannot_be_read_fails_withdraws_nothing_and_is_one_dead_letter() -> None:
    async def story() -> None:
        async with publisher() as site:
            whole = calendar(SERIES, CONCERT)
            site.pages["/a"] = whole
            intake, turns = room(), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), intake):
                await turns.polled()
                for bad in (whole[:200], b"<html>maintenance</html>", status(500), status(404)):
                    site.pages["/a"] = bad
                    await turns.polled()
                    await turns.polled()
                    assert intake.healths[-1][0] == "failing"
                site.pages["/a"] = whole
                await turns.polled()
                assert intake.healths[-1] == ("ok", "")
                await turns.polled()
            assert said(intake) == ["Alert"] * 3
            assert len(intake.bad) == 2

    run(story)


def test_what_takes_too_long_withdraws_nothing() -> None:
    async def story() -> None:
        async with publisher() as site:
            site.pages["/a"] = calendar(CONCERT)
            intake, turns = room(), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a"), intake):
                await turns.polled()
                intake.worker_limit = "20 s"
                await turns.polled()
                await turns.polled()
                assert "more time or memory" in intake.healths[-1][1]
                intake.worker_limit = ""
                await turns.polled()
            assert said(intake) == ["Alert"]
            assert intake.in_workers == ["calendar"] * 4

    run(story)


def test_an_address_inside_is_refused_unless_it_is_allowed() -> None:
    async def story() -> None:
        async with publisher() as site:
            site.pages["/a"] = calendar(CONCERT)
            intake, turns = room(), Turns()
            async with turns.run(source(turns, url=f"{site.url}/a", internal=False), intake):
                await turns.polled()
            assert site.requests == []
            assert "internal address" in intake.healths[-1][1]

    run(story)


def test_a_folder_is_read_as_one_calendar_and_a_file_that_goes_is_withdrawn(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "a.ics").write_bytes(calendar(SERIES))
        (tmp_path / "b.ICS").write_bytes(calendar(CONCERT))
        (tmp_path / "notes.txt").write_text("no calendar")
        intake, turns = room(), Turns()
        async with turns.run(source(turns, folder=str(tmp_path)), intake):
            await turns.polled()
            assert sorted(item.signal.infos[0].headline for item in intake.signals) == ["Concert", "Match", "Match"]
            assert intake.signals[0].signal.sender == "test", "the source's own name"
            (tmp_path / "cancel.ics").write_bytes(
                calendar(event("b", ":20261024T180000Z", "SEQUENCE:1"), head="METHOD:CANCEL")
            )
            await turns.polled()
            assert said(intake)[3:] == ["Cancel"]
            (tmp_path / "a.ics").write_bytes(calendar(SERIES)[:60])  # being written
            await turns.polled()
            await turns.polled()
            assert intake.healths[-1][0] == "failing"
            assert "a.ics: it is cut off" in intake.healths[-1][1]
            (tmp_path / "a.ics").unlink()
            await turns.polled()
            await turns.polled()
            assert said(intake)[4:] == ["Cancel", "Cancel"]

    run(story)


def test_an_empty_or_missing_folder_is_a_fault_and_no_cancellation(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / "share"
        folder.mkdir()
        (folder / "a.ics").write_bytes(calendar(CONCERT))
        intake, turns = room(), Turns()
        async with turns.run(source(turns, folder=str(folder), max_bytes=1024), intake):
            await turns.polled()
            (folder / "a.ics").write_bytes(calendar(CONCERT, *["X-PAD:" + "x" * 70] * 30))
            await turns.polled()
            assert "larger than 1024 bytes" in intake.healths[-1][1]
            (folder / "a.ics").unlink()
            await turns.polled()
            await turns.polled()
            assert "no .ics file is there" in intake.healths[-1][1]
            folder.rmdir()
            await turns.polled()
            assert "No such file" in intake.healths[-1][1]
        assert said(intake) == ["Alert"]

    run(story)


def test_a_calendar_is_read_in_a_worker_process_within_its_limits() -> None:
    """A rule that hardly ever comes true: however long it takes, it takes it elsewhere, and is given up."""
    odd = calendar(*[event(str(n), ":20260101T000000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYWEEKNO=40") for n in range(20)])
    span = Span(start=NOW, end=NOW + timedelta(days=14), zone="Europe/Brussels", lasts_s=3600)

    async def main() -> Found | str:
        async with open_workers(count=1, preload=["connectors.calendar.occurrences"]) as workers:
            try:
                return await workers.run(find_occurrences, (("a", odd),), span, frozenset(), limit_s=1.0, label="x")
            except WorkerLimit as limit:
                return str(limit)

    assert isinstance(trio.run(main), str)
