"""Operators' acts over HTTP: what the hub must be able to do, and the routes that ask for it.

The handlers know no hub: they take an `Api`, whose methods return once the act is durable.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from hub.connector import Unavailable
from hub.model.people import Steer
from hub.model.signal import Hazard
from hub.web.openapi import Operation


class Refused(Exception):
    """The act is not possible as asked; `reason` names what is wrong and what would be right. `missing`: what it is
    about does not exist (404 rather than 422)."""

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.missing = reason, missing


class Done(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The act is durable. `id`: of its fact. `said`: what came of it, in a sentence."""

    id: str
    said: str = ""


class Duty(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person a chain would ask: in which tier, by which channels, and when (`after_s` from the beginning)."""

    tier: int
    person: str
    name: str = ""
    by: tuple[str, ...] = ()
    after_s: float = 0.0
    why: str = ""


class Api(Protocol):
    """What the hub does for operators. Methods are called on the web's own loop and raise Refused or Unavailable.
    `by` is who acts, in their own words until there are accounts."""

    async def start(self, sheet: str, by: str, answers: Mapping[str, str]) -> Done:
        """Starts a reflex sheet by hand; `answers` stand for what a signal would have said."""
        ...

    async def stop_all(self, by: str, why: str) -> Done:
        """Nothing more goes out until lifted."""
        ...

    async def lift(self, by: str, why: str) -> Done: ...

    async def end(self, incident: str, by: str, why: str) -> Done:
        """Ends an incident."""
        ...

    async def steer(self, run: str, act: Steer, by: str, why: str, to: str) -> Done:
        """Holds, resumes, cancels, begins again or hands over a chain under way."""
        ...

    async def silence(self, wanted: "SilenceBody") -> Done:
        """Nobody is woken for what it names while it holds."""
        ...

    async def lift_silence(self, silence: str, by: str, why: str) -> Done: ...

    async def take_watch(self, person: str, by: str) -> Done:
        """From now on this person has the watch of the room."""
        ...

    async def task_done(self, task: str, by: str) -> Done: ...

    async def acknowledge(self, alarm: str, by: str) -> Done:
        """Somebody has seen an alarm of the room."""
        ...

    async def auditor(self, what: str, detail: str) -> Done:
        """The auditor found something standing still; the room is told."""
        ...

    async def step_clock(self, at: datetime) -> Done:
        """Only in a playback: hub time goes on from that instant. Refused where it would go back."""
        ...

    async def who(self, chain: str, at: datetime | None) -> list[Duty]:
        """Whom a chain would ask, now or at an instant."""
        ...

    async def status(self) -> Mapping[str, Any]:
        """The current picture for the live view, as JSON."""
        ...


class StartBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sheet: str
    by: str
    answers: dict[str, str] = {}


class WhyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    by: str
    why: str


class HandOverBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`to`: the person who takes over, having agreed, or another chain, which is set in motion."""

    by: str
    why: str
    to: str


class SilenceBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to wake nobody, until when (at most two weeks) and, for a maintenance window, from when. All that is
    given must hold. `gravest`: also what is of severity Extreme."""

    by: str
    why: str
    until: Annotated[datetime, msgspec.Meta(tz=True)]
    start: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    sheets: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    sources: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    gravest: bool = False


class WatchBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`person`: who has the watch of the room from now on."""

    person: str
    by: str


class AuditorBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    what: str
    detail: str = ""


class ClockBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at: Annotated[datetime, msgspec.Meta(tz=True)]


class ByBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    by: str


_log = structlog.get_logger()
_Handler = Callable[[web.Request], Awaitable[web.Response]]
_BIGGEST = 64 * 1024  # bytes: an operator's act is a few sentences
_SHORTEST_TOKEN = 24


def json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json" if status < 400 else "application/problem+json",
    )


def problem(status: int, title: str, detail: str) -> web.Response:
    """An error as RFC 9457 describes it."""
    return json_response({"title": title, "status": status, "detail": detail}, status)


T = TypeVar("T", bound=Struct)


async def _read(request: web.Request, kind: type[T]) -> T:
    if (request.content_length or 0) > _BIGGEST:
        raise web.HTTPRequestEntityTooLarge(_BIGGEST, request.content_length or 0)
    try:
        body = msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"{error}: send a JSON object as {kind.__name__} in /openapi.json") from None
    empty = [name for name in ("by", "why") if getattr(body, name, "x").strip() == ""]
    if empty:
        raise Refused(f"{' and '.join(empty)}: is empty: say who acts, and why")
    return body


def _operation(method: str, path: str, summary: str, body: type[Struct] | None, answer: Any) -> Operation:
    openapi: dict[str, Any] = {
        "responses": {
            "200": {"description": "Done, durably", "content": {"application/json": {"schema": answer}}},
            "401": {"description": "No valid bearer token"},
            "404": {"description": "What it is about does not exist"},
            "422": {"description": "Not possible as asked; `detail` says what would be"},
            "503": {"description": "Nothing can be recorded now: try again after `Retry-After` seconds"},
        }
    }
    if body is not None:
        openapi["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return Operation(method=method, path=path, summary=summary, openapi=openapi, tag="operators", bearer=True)


class ApiRoutes:
    """The routes of `/api`, each behind the bearer token."""

    def __init__(self, api: Api, tokens: Sequence[str]) -> None:
        if not tokens or any(len(token) < _SHORTEST_TOKEN for token in tokens):
            raise ValueError(
                f"the API's token: has under {_SHORTEST_TOKEN} characters: make it with `openssl rand -hex 32`"
            )
        self._api = api
        self._tokens = [token.encode() for token in tokens]

    def routes(self) -> list[tuple[Operation, _Handler]]:
        listed: list[tuple[Operation, _Handler]] = [
            (_operation("POST", "/api/start", "Start a reflex sheet by hand", StartBody, Done), self._start),
            (_operation("POST", "/api/stop-all", "Let nothing more go out", WhyBody, Done), self._stop_all),
            (_operation("POST", "/api/lift", "Let things go out again", WhyBody, Done), self._lift),
            (_operation("POST", "/api/incidents/{incident}/end", "End an incident", WhyBody, Done), self._end),
            *((_steer_operation(act), self._steering(act)) for act in Steer),
            (_operation("POST", "/api/silences", "Wake nobody for this for a while", SilenceBody, Done), self._silence),
            (_operation("POST", "/api/silences/{silence}/lift", "End a silence", WhyBody, Done), self._lift_silence),
            (_operation("POST", "/api/watch", "Take the watch of the room", WatchBody, Done), self._take_watch),
            (_operation("POST", "/api/tasks/{task}/done", "A task is done", ByBody, Done), self._task_done),
            (
                _operation("POST", "/api/alarms/{alarm}/acknowledge", "Somebody has seen an alarm", ByBody, Done),
                self._acknowledge,
            ),
            (_operation("POST", "/api/auditor", "What the auditor found", AuditorBody, Done), self._auditor),
            (
                _operation("POST", "/api/playback/clock", "A playback goes on at another date", ClockBody, Done),
                self._step_clock,
            ),
            (_who_operation(), self._who),
            (_operation("GET", "/api/status", "The current picture", None, {"type": "object"}), self._status),
        ]
        return [(operation, self._guarded(handler)) for operation, handler in listed]

    def _guarded(self, handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.Response:
            if not self._known(request.headers.get("authorization", "")):
                _log.warning("web.token_refused", path=request.path, peer=request.remote)
                refusal = problem(401, "No valid token", "send `Authorization: Bearer TOKEN`")
                refusal.headers["WWW-Authenticate"] = "Bearer"
                return refusal
            try:
                return await handler(request)
            except Refused as refused:
                return problem(404 if refused.missing else 422, "Not possible as asked", refused.reason)
            except Unavailable as why:
                return unavailable(why)

        return guarded

    def _known(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        right = False
        for held in self._tokens:
            right |= hmac.compare_digest(held, given)
        return right and scheme.lower() == "bearer"

    async def _start(self, request: web.Request) -> web.Response:
        body = await _read(request, StartBody)
        return json_response(await self._api.start(body.sheet, body.by, body.answers))

    async def _stop_all(self, request: web.Request) -> web.Response:
        body = await _read(request, WhyBody)
        return json_response(await self._api.stop_all(body.by, body.why))

    async def _lift(self, request: web.Request) -> web.Response:
        body = await _read(request, WhyBody)
        return json_response(await self._api.lift(body.by, body.why))

    async def _end(self, request: web.Request) -> web.Response:
        body = await _read(request, WhyBody)
        return json_response(await self._api.end(request.match_info["incident"], body.by, body.why))

    def _steering(self, act: Steer) -> _Handler:
        async def steer(request: web.Request) -> web.Response:
            run = request.match_info["run"]
            if act is Steer.HAND_OVER:
                over = await _read(request, HandOverBody)
                return json_response(await self._api.steer(run, act, over.by, over.why, over.to))
            body = await _read(request, WhyBody)
            return json_response(await self._api.steer(run, act, body.by, body.why, ""))

        return steer

    async def _silence(self, request: web.Request) -> web.Response:
        return json_response(await self._api.silence(await _read(request, SilenceBody)))

    async def _lift_silence(self, request: web.Request) -> web.Response:
        body = await _read(request, WhyBody)
        return json_response(await self._api.lift_silence(request.match_info["silence"], body.by, body.why))

    async def _take_watch(self, request: web.Request) -> web.Response:
        body = await _read(request, WatchBody)
        return json_response(await self._api.take_watch(body.person, body.by))

    async def _task_done(self, request: web.Request) -> web.Response:
        body = await _read(request, ByBody)
        return json_response(await self._api.task_done(request.match_info["task"], body.by))

    async def _acknowledge(self, request: web.Request) -> web.Response:
        body = await _read(request, ByBody)
        return json_response(await self._api.acknowledge(request.match_info["alarm"], body.by))

    async def _auditor(self, request: web.Request) -> web.Response:
        body = await _read(request, AuditorBody)
        return json_response(await self._api.auditor(body.what, body.detail))

    async def _step_clock(self, request: web.Request) -> web.Response:
        return json_response(await self._api.step_clock((await _read(request, ClockBody)).at))

    async def _who(self, request: web.Request) -> web.Response:
        at = request.query.get("at")
        return json_response(await self._api.who(request.match_info["chain"], _instant(at) if at else None))

    async def _status(self, request: web.Request) -> web.Response:
        return json_response(await self._api.status())


_STEERING = {
    Steer.HOLD: "Nobody more is asked by this chain until it is resumed",
    Steer.RESUME: "A held chain goes on",
    Steer.CANCEL: "Cancel a chain: who was disturbed is told so",
    Steer.AGAIN: "Begin an ended chain again: nobody who accepted is asked again",
    Steer.HAND_OVER: "Hand a chain over to a person who has agreed, or to another chain",
}


def _steer_operation(act: Steer) -> Operation:
    body = HandOverBody if act is Steer.HAND_OVER else WhyBody
    return _operation("POST", f"/api/chains/{{run}}/{act}", _STEERING[act], body, Done)


def _who_operation() -> Operation:
    operation = _operation("GET", "/api/who/{chain}", "Whom a chain would ask", None, list[Duty])
    parameter = {
        "name": "at",
        "in": "query",
        "description": "RFC 3339 with its offset; now when left out",
        "schema": {"type": "string", "format": "date-time"},
    }
    return msgspec.structs.replace(operation, openapi={**operation.openapi, "parameters": [parameter]})


def _instant(text: str) -> datetime:
    try:
        # A plus sign in a query is a space unless it was escaped, which people forget.
        return msgspec.convert(text.replace(" ", "+"), _Aware)
    except msgspec.ValidationError:
        raise Refused(f"at: {text!r} is no instant: write it as 2026-07-14T02:10:00+02:00") from None


_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


def unavailable(why: Unavailable) -> web.Response:
    response = problem(503, "Not available", f"nothing can be recorded now ({why}): try again")
    response.headers["Retry-After"] = "5"
    return response
