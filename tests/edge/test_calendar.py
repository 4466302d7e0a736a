"""Calendars that phones subscribe to, over HTTP, read back by a library that knows the standard."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
import pytest
import structlog
from icalendar import Calendar
from structlog.testing import capture_logs

from hub.calendar_link import PERSON, ROSTER, Links
from hub.desk import Desk
from hub.engine.state import State
from hub.model.ids import Ids
from hub.model.people import Address, Language, Layer, Override, Person, Roster
from hub.operators import Operators
from hub.people.directory import Directory
from hub.people.rosters import timeline
from hub.rules import InForce
from hub.web.calendar import AHEAD
from hub.web.server import WebConfig, WebServer
from tests.edge.running import room

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 10, 23, 12, 0, tzinfo=UTC)  # two days before the clocks go back
SECRET = "s" * 32
NUMBER = "+32450000091"
PEOPLE = [
    Person(id=name, name=shown, language=Language.FR, addresses=(Address("sms", NUMBER),))
    for name, shown in (("anna", "Anna Un, cheffe"), ("bea", "Bea Twee"), ("carl", "Carl Drei"))
]
DAYS = Roster(
    id="days", layers=(Layer(turns=(("anna",), ("bea",)), first="2026-10-20", days=1),), zone="Europe/Brussels"
)
NIGHTS = Roster(
    id="nights",
    layers=(Layer(turns=(("bea", "carl"),), first="2026-10-20", days=1, hours=("20:00", "08:00")),),
    zone="Europe/Brussels",
)


class Here:
    """A real web server that asks real operators."""

    def __init__(self) -> None:
        self.rosters = {"days": DAYS, "nights": NIGHTS}
        self.links = Links(SECRET, {})
        self.now = NOW
        self.fault: Exception | None = None
        self.base = ""

    async def ask(self, verb: str, words: Sequence[Any]) -> bytes:
        if self.fault is not None:
            raise self.fault
        nothing: Any = None
        rules = InForce(sheets=(), chains={}, directory=Directory(PEOPLE, ()), rosters=self.rosters, voices=frozenset())
        operators = Operators(
            desk=Desk(nothing, State, lambda: rules, lambda: self.now),
            ids=Ids(random.Random(1)),
            status=dict,
            health=dict,
            links=self.links,
            zone="Europe/Brussels",
        )
        return msgspec.json.encode(await operators.answer(verb, words))

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.base + path, headers=sent) as got,
        ):
            return got.status, await got.read(), got.headers

    async def read(self, kind: str, name: str) -> list[dict[str, Any]]:
        status, body, _ = await self.get(self.links.path(kind, name))
        assert status == 200
        calendar = Calendar.from_ical(body)
        assert calendar.errors == []
        return [
            {
                "uid": str(event["uid"]),
                "start": event.decoded("dtstart"),
                "end": event.decoded("dtend"),
                "summary": str(event["summary"]),
                "sequence": int(event["sequence"]),
            }
            for event in calendar.walk("VEVENT")
        ]


def play(story: Callable[[Here], Awaitable[None]]) -> None:
    async def run() -> None:
        here = Here()

        async def health() -> Mapping[str, Any]:
            return {"ready": True}

        server = WebServer(WebConfig(port=0), health=health, api=here.ask, tokens=["t" * 32])
        here.base = f"http://127.0.0.1:{await server.start()}"
        try:
            await story(here)
        finally:
            await server.stop()

    asyncio.run(run())


def test_a_roster_is_read_with_names_and_without_numbers_right_across_the_change_of_the_clocks() -> None:
    async def story(here: Here) -> None:
        events = await here.read(ROSTER, "days")
        midnight = datetime(2026, 10, 23, tzinfo=BRUSSELS)
        shown = [
            s for s in timeline(DAYS, midnight - timedelta(days=35), midnight + AHEAD) if s.people and s.end > midnight
        ]
        assert [(e["start"], e["end"]) for e in events] == [(s.start, s.end) for s in shown]
        saturday = next(e for e in events if e["start"].astimezone(BRUSSELS).date().isoformat() == "2026-10-24")
        assert saturday["end"] - saturday["start"] == timedelta(hours=25)
        assert (saturday["start"].astimezone(BRUSSELS).hour, saturday["end"].astimezone(BRUSSELS).hour) == (8, 8)
        assert saturday["summary"] == "days: Anna Un, cheffe"
        _, body, headers = await here.get(here.links.path(ROSTER, "days"))
        assert NUMBER.encode() not in body
        assert headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert headers["Cache-Control"] == "private, max-age=900"
        calendar = Calendar.from_ical(body)
        assert calendar["refresh-interval"].dt == timedelta(hours=1)
        assert (calendar["x-published-ttl"], calendar["x-wr-calname"]) == ("PT1H", "days")

    play(story)


def test_a_person_sees_their_shifts_of_all_rosters_and_nobody_else() -> None:
    async def story(here: Here) -> None:
        events = await here.read(PERSON, "bea")
        assert {e["summary"] for e in events} == {"days", "nights"}
        nights = [e for e in events if e["summary"] == "nights"]
        assert all(
            e["end"] - e["start"] in {timedelta(hours=h) for h in (11, 12, 13)} for e in nights[:-1]
        )  # the last is cut
        _, body, _ = await here.get(here.links.path(PERSON, "bea"))
        assert b"Anna" not in body
        assert b"carl" not in body.lower()
        assert await here.read(PERSON, "anna") != []

    play(story)


def test_an_event_stays_the_same_from_day_to_day_and_a_changed_shift_is_another() -> None:
    async def story(here: Here) -> None:
        before = {e["uid"]: e for e in await here.read(ROSTER, "days")}
        here.now += timedelta(days=1)
        after = {e["uid"]: e for e in await here.read(ROSTER, "days")}
        for uid in before.keys() & after.keys():
            same = {k: v for k, v in before[uid].items() if k != "sequence"}
            grown = before[uid]["end"] != after[uid]["end"]
            assert grown == (after[uid]["sequence"] > before[uid]["sequence"])
            assert grown or same == {k: v for k, v in after[uid].items() if k != "sequence"}
        assert len(before.keys() & after.keys()) >= len(before) - 2
        override = Override(people=("carl",), start="2026-10-25T07:00:00+00:00", end="2026-10-26T07:00:00+00:00")
        here.rosters["days"] = msgspec.structs.replace(DAYS, overrides=(override,))
        changed = {e["uid"]: e for e in await here.read(ROSTER, "days")}
        (new,) = changed.keys() - after.keys()
        assert changed[new]["summary"] == "days: Carl Drei"
        assert len(after.keys() - changed.keys()) == 1

    play(story)


def test_what_has_not_changed_is_not_sent_again() -> None:
    async def story(here: Here) -> None:
        path = here.links.path(ROSTER, "days")
        _, _, headers = await here.get(path)
        tag = headers["ETag"]
        here.now += timedelta(hours=3)
        status, body, again = await here.get(path, If_None_Match=f'W/"other", {tag}')
        assert (status, body, again["ETag"]) == (304, b"", tag)
        here.rosters["days"] = msgspec.structs.replace(DAYS, layers=NIGHTS.layers)
        status, body, again = await here.get(path, If_None_Match=tag)
        assert status == 200
        assert again["ETag"] != tag
        status, body, again = await here.get(path, method="HEAD")
        assert (status, body) == (200, b"")
        assert int(again["Content-Length"]) > 1000

    play(story)


def test_whatever_is_wrong_with_the_address_is_told_in_the_same_words() -> None:
    async def story(here: Here) -> None:
        right = here.links.path(ROSTER, "days")
        token = right.rsplit("/", 1)[1].removesuffix(".ics")
        wrong = [
            right.replace("/days/", "/nights/"),
            right.replace("/days/", "/nobody/"),
            f"/calendar/days/{token[:-1]}.ics",
            f"/calendar/days/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}.ics",
            f"/calendar/days/{'A' * 43}.ics",
            "/calendar/days/%00%ff.ics",
            "/calendar/%F0%9F%98%80/x.ics",
            here.links.path(ROSTER, "anna"),  # a person as a roster
            here.links.path(PERSON, "days"),
            here.links.path(PERSON, "no-longer-there"),
            Links(SECRET, {"days": 2}).path(ROSTER, "days"),
            Links("t" * 32, {}).path(ROSTER, "days"),
        ]
        answers = [await here.get(path) for path in wrong]
        assert {(status, body) for status, body, _ in answers} == {answers[0][:2]}
        assert answers[0][0] == 404
        assert (await here.get(right))[0] == 200

    play(story)


def test_a_raised_serial_revokes_the_address_given_out_before() -> None:
    async def story(here: Here) -> None:
        before = here.links.path(PERSON, "anna")
        here.links = Links(SECRET, {"anna": 2})
        assert (await here.get(before))[0] == 404
        assert (await here.get(here.links.path(PERSON, "anna")))[0] == 200

    play(story)


def test_no_log_holds_an_address_even_where_something_fails() -> None:
    async def story(here: Here) -> None:
        path = here.links.path(ROSTER, "days")
        here.fault = RuntimeError("broken")
        structlog.reset_defaults()
        with capture_logs() as logs:
            assert (await here.get(path))[0] == 500
        assert "/calendar/{name}/{token}.ics" in str(logs)
        assert path.rsplit("/", 1)[1][:20] not in str(logs)

    play(story)


def test_a_secret_that_people_think_up_is_refused() -> None:
    with pytest.raises(ValueError, match="take 32 or more, made by chance"):
        Links("summer2026", {})


def test_the_whole_hub_gives_out_what_its_command_prints(tmp_path: Path) -> None:
    with room(tmp_path) as here:
        secrets = here.folder.path / "secrets"
        secrets.mkdir(exist_ok=True)
        missing = here.command("roster", "link", "sitcen-on-call")
        assert missing.code == 2
        assert "CALENDAR_SECRET is not there" in missing.err
        (secrets / "CALENDAR_SECRET").write_text("c" * 40 + "\n")
        here.start()
        for words in (["sitcen-backup"], ["--person", "officer-b"]):
            said = here.command("roster", "link", *words)
            assert said.code == 0, said.err
            assert "whoever has this address" in said.err
            path = said.out.strip().removeprefix(f"http://127.0.0.1:{here.folder.port}")
            answer = here.request("GET", path)
            assert answer.status == 200, answer
            (event,) = Calendar.from_ical(answer.body).walk("VEVENT")
            assert "sitcen-backup" in event["summary"]
            assert here.request("GET", path.replace("/calendar/", "/calendar/x")).status == 404
            assert path.rsplit("/", 1)[1] not in here.log()
        for words in ([], ["sitcen-backup", "--person", "officer-b"], ["nothing"], ["--person", "nobody"]):
            assert here.command("roster", "link", *words).code == 2
