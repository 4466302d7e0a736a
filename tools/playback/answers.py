"""The web as it answered: each request of the hub gets the next answer that was recorded at its address.

Nothing of the day is skipped, however fast it is played: an answer is served when it is due and the one before was
asked for. What says nothing new (a 304, the same once more) is passed over.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from math import ceil

from aiohttp import WSMsgType, web
from msgspec import Struct

from hub.model.recording import Exchange, Stream, without_secrets
from tools.playback.pace import AT_ONCE, Pace
from tools.playback.recording import Piece

_BEAT_S = 5.0


class _Answer(Struct):
    at: datetime
    exchange: Exchange
    used: bool = False


class _Track:
    """What one address answered, in order."""

    def __init__(self, answers: list[_Answer]) -> None:
        self._answers = answers
        self._next = 0
        self.current: Exchange | None = None

    def ask(self, pace: Pace) -> tuple[Exchange | None, bool]:
        """What it answers now, and whether that is new."""
        while self._next < len(self._answers) and pace.due(self._answers[self._next].at):
            answer = self._answers[self._next]
            self._next += 1
            if answer.used:
                continue
            answer.used = True
            if answer.exchange.status == 304 or answer.exchange == self.current:
                continue
            self.current = answer.exchange
            return self.current, True
        return self.current, False


class Web:
    """All web servers of a recording, on one address: `https://host/path` is `BASE/host/path` here."""

    def __init__(self, pieces: Iterable[Piece], pace: Pace) -> None:
        self._pace = pace
        self.unknown: dict[str, int] = {}  # addresses that were asked for and are not in the recording
        self._answers: list[_Answer] = []
        exact: dict[str, list[_Answer]] = {}
        paths: dict[str, list[_Answer]] = {}
        streams: dict[str, list[tuple[datetime, Stream]]] = {}
        for piece in pieces:
            if isinstance(piece.heard, Exchange):
                answer = _Answer(piece.at, piece.heard)
                self._answers.append(answer)
                key = _key(piece.heard.url)
                exact.setdefault(key, []).append(answer)
                paths.setdefault(key.partition("?")[0], []).append(answer)
            elif isinstance(piece.heard, Stream):
                streams.setdefault(_key(piece.heard.url).partition("?")[0], []).append((piece.at, piece.heard))
        self._exact = {key: _Track(answers) for key, answers in exact.items()}
        self._paths = {key: _Track(answers) for key, answers in paths.items()}
        self._streams = {key: _Line(said) for key, said in streams.items()}

    def left(self) -> list[str]:
        """What is due and was not asked for yet, by address."""
        unasked = [a.exchange.url for a in self._answers if not a.used and self._pace.due(a.at)]
        return unasked + [f"{key} (a stream)" for key, line in self._streams.items() if line.left(self._pace)]

    @property
    def over(self) -> bool:
        return all(answer.used for answer in self._answers) and not any(line.rest for line in self._streams.values())

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await self._pace.started.wait()  # who asks before has a slow server
        key = _key(without_secrets("http:/" + request.raw_path))
        path = key.partition("?")[0]
        if path in self._streams and _streams(request):
            return await self._streams[path].serve(request, self._pace)
        # What a source asks with (an id to go on from) is its own: then its path has to do.
        track = self._exact.get(key) or self._paths.get(path)
        exchange, new = track.ask(self._pace) if track is not None else (None, False)
        if exchange is None:
            if track is None:
                self.unknown[key] = self.unknown.get(key, 0) + 1
                return web.Response(status=404, text="not part of this recording\n")
            return web.Response(status=503, text="nothing was recorded of it yet\n", headers={"Retry-After": "1"})
        return self._response(request, exchange, new)

    def _response(self, request: web.Request, exchange: Exchange, new: bool) -> web.StreamResponse:
        headers = dict(exchange.headers)
        if "retry-after" in headers:
            headers["retry-after"] = _sooner(headers["retry-after"], self._pace.speed)
        if exchange.status == 0:
            if request.transport is not None:
                request.transport.abort()  # it could not be reached, or broke off
            return web.Response(status=503)
        if exchange.status == 200 and exchange.error:
            return web.Response(status=502, text=exchange.error)
        if exchange.status == 200 and not new and _unchanged(request, exchange):
            return web.Response(status=304, headers={k: v for k, v in headers.items() if k != "content-type"})
        return web.Response(status=exchange.status, body=exchange.raw, headers=headers)


class _Line:
    """A stream or websocket; who opens it again is told what comes next."""

    def __init__(self, said: list[tuple[datetime, Stream]]) -> None:
        self._said = said
        self._next = 0
        self._turn = 0  # of who has the line: who opens it again takes it over

    @property
    def rest(self) -> bool:
        """Whether something has not been said yet."""
        return any(one.state == "data" for _, one in self._said[self._next :])

    def left(self, pace: Pace) -> bool:
        return any(one.state == "data" and pace.due(at) for at, one in self._said[self._next :])

    async def serve(self, request: web.Request, pace: Pace) -> web.StreamResponse:
        self._turn += 1
        turn = self._turn
        while self._next < len(self._said) and self._said[self._next][1].state != "data":
            at, one = self._said[self._next]
            await pace.until(at)
            if turn != self._turn:
                return web.Response(status=503)
            self._next += 1
            if one.state == "open" and one.status not in (0, 101, 200):
                return web.Response(status=one.status, headers=one.headers)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._frames(request, pace, turn)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while (said := await self._say(pace, turn)) is not None:
            await response.write(said.raw)
        while turn == self._turn and self._next >= len(self._said):  # the recording is over, the line is not
            await asyncio.sleep(_BEAT_S)
            await response.write(b":\n\n")
        return response

    async def _frames(self, request: web.Request, pace: Pace, turn: int) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while (said := await self._say(pace, turn)) is not None:
            await (socket.send_bytes(said.raw) if said.frame == "binary" else socket.send_str(said.text))
        if self._next >= len(self._said):
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
        return socket

    async def _say(self, pace: Pace, turn: int) -> Stream | None:
        """What is said next; None where the line ends."""
        if self._next >= len(self._said):
            return None
        at, one = self._said[self._next]
        await pace.until(at)
        if turn != self._turn:
            return None
        self._next += 1
        return one if one.state == "data" else None


def _streams(request: web.Request) -> bool:
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    return upgrade or request.headers.get("Accept", "") == "text/event-stream"


def _key(url: str) -> str:
    """`https://host/path?query` as `host/path?query`."""
    return url.partition("://")[2]


def _unchanged(request: web.Request, exchange: Exchange) -> bool:
    asked, since = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
    if asked is not None:
        return asked == exchange.headers.get("etag")
    return since is not None and since == exchange.headers.get("last-modified")


def _sooner(retry_after: str, speed: float) -> str:
    """Seconds, at the playback's speed; a date of the day that is played says nothing today."""
    seconds = int(retry_after) if retry_after.isdecimal() else 1
    return "1" if speed == AT_ONCE else str(max(1, ceil(seconds / speed)))
