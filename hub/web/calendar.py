"""Calendars that phones subscribe to: `GET /calendar/ROSTER-or-PERSON/TOKEN.ics`.

The hub says whether the token opens one and what rosters it shows; the calendar itself is made here, away from the
hub's timers and in a thread, once for each day and state of the rosters.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from msgspec import Struct

from hub.acts import CALENDAR, Refused, Subscribed
from hub.calendar_link import PATH
from hub.people.ical import calendar_of, calendar_of_person
from hub.web.openapi import Operation

AHEAD = timedelta(days=180)
_KEPT = 256  # calendars made and not made again for nothing
_HEADERS = {"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, max-age=900"}

Ask = Callable[[str, Sequence[Any]], Awaitable[bytes]]


class Made(Struct, frozen=True):
    body: bytes
    tag: str


class CalendarRoute:
    """`ask` asks the hub (hub.acts)."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._made: OrderedDict[str, Made] = OrderedDict()

    def operation(self) -> Operation:
        return Operation(method="GET", path=PATH, summary="A calendar to subscribe to", openapi=_OPENAPI)

    async def get(self, request: web.Request) -> web.Response:
        """Whatever is wrong with the address: 404, in the same words."""
        about = {"name": request.match_info["name"], "token": request.match_info["token"]}
        try:
            answer = await self._ask(CALENDAR, (about, None))
        except Refused:
            raise web.HTTPNotFound from None
        made = await self._calendar(msgspec.json.decode(answer, type=Subscribed))
        headers = _HEADERS | {"ETag": f'"{made.tag}"'}
        if any(tag.value in (made.tag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers={k: v for k, v in headers.items() if k != "Content-Type"})
        return web.Response(body=made.body, headers=headers)

    async def _calendar(self, wanted: Subscribed) -> Made:
        # It changes with the rosters and from one day to the next, and with nothing else.
        day = wanted.now.astimezone(ZoneInfo(wanted.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        key = hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(wanted, now=day))).hexdigest()
        made = self._made.get(key)
        if made is None:
            body = await asyncio.to_thread(_calendar, wanted, day)
            made = self._made[key] = Made(body, hashlib.sha256(body).hexdigest()[:32])
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made


def _calendar(wanted: Subscribed, day: datetime) -> bytes:
    if wanted.person:
        return calendar_of_person(wanted.person, wanted.rosters, day, day + AHEAD, day)
    (roster,) = wanted.rosters
    return calendar_of(roster, wanted.names, day, day + AHEAD, day)


_OPENAPI = {
    "responses": {
        "200": {"description": "The calendar", "content": {"text/calendar": {"schema": {"type": "string"}}}},
        "304": {"description": "As it was"},
        "404": {"description": "There is nothing here"},
    }
}
