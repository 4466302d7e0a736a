"""Our own alerts for whoever subscribes: `GET /cap/feed.atom` and `GET /cap/IDENTIFIER.xml` (docs/cap-feed.md).

Anybody may ask, so the hub is asked once a second at most whoever asks here how often; what is sent is made once, also
compressed. A document is served to the byte as it was signed.
"""

import asyncio
import gzip
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from hub.acts import Refused
from hub.cap_link import ALERT, ALERT_PATH, FEED, FEED_PATH, CapFeed
from hub.connector import Unavailable
from hub.web.openapi import Operation

ANSWER_S = 5.0  # how long the hub may take
FRESH_S = 1.0  # how old what was asked of the hub may be
_KEPT = 256  # documents

Ask = Callable[[str, Sequence[Any]], Awaitable[bytes]]


class Made(Struct, frozen=True):
    """What is sent, plain and compressed; `changed`: real time, to the second."""

    body: bytes
    packed: bytes
    tag: str
    changed: datetime


class CapRoutes:
    """`ask` asks the hub (hub.acts); `now` is real time and `clock_s` a clock that never goes back."""

    def __init__(
        self,
        ask: Ask,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._now = now
        self._clock_s = clock_s
        self._feed: Made | None = None
        self._asked_s = float("-inf")
        self._asking = asyncio.Lock()
        self._documents: OrderedDict[str, Made] = OrderedDict()
        self._names: frozenset[str] = frozenset()  # of all documents that there are

    def operations(self) -> list[tuple[Operation, Callable[[web.Request], Awaitable[web.Response]]]]:
        """Each with what answers it."""
        feed = Operation(method="GET", path=FEED_PATH, summary="Our alerts as CAP 1.2: the index", openapi=_OPENAPI)
        alert = Operation(method="GET", path=ALERT_PATH, summary="One alert, signed", openapi=_OPENAPI)
        return [(feed, self.feed), (alert, self.alert)]

    async def feed(self, request: web.Request) -> web.Response:
        made = await self._fresh()
        return _answer(request, made, "application/atom+xml; charset=utf-8", max_age_s=15)

    async def alert(self, request: web.Request) -> web.Response:
        """Whatever is wrong with the address: 404, in the same words."""
        name = request.match_info["identifier"]
        made = self._documents.get(name)
        if made is None:
            await self._fresh()
            if name not in self._names:
                raise web.HTTPNotFound
            made = await self._document(name)
        return _answer(request, made, "application/cap+xml; charset=utf-8", max_age_s=3600)

    async def _fresh(self) -> Made:
        """The index as it is, or was a moment ago."""
        async with self._asking:  # whoever comes meanwhile has the same answer
            made = self._feed
            if made is None or self._clock_s() - self._asked_s >= FRESH_S:
                answer = await self._answered(FEED, {"tag": "" if made is None else made.tag})
                feed = msgspec.json.decode(answer, type=CapFeed)
                if made is None or feed.tag != made.tag:
                    made = self._feed = await self._made(feed.body, feed.tag)
                self._names, self._asked_s = frozenset(feed.names), self._clock_s()
            return made

    async def _document(self, name: str) -> Made:
        async with self._asking:
            if name not in self._documents:
                try:
                    answer = await self._answered(ALERT, {"identifier": name})
                except Refused:
                    raise web.HTTPNotFound from None
                body = msgspec.json.decode(answer, type=bytes)
                self._documents[name] = await self._made(body, hashlib.sha256(body).hexdigest()[:32])
                while len(self._documents) > _KEPT:
                    self._documents.popitem(last=False)
            return self._documents[name]

    async def _answered(self, verb: str, about: dict[str, str]) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._ask(verb, (about, None))
        except TimeoutError:
            raise Unavailable("the hub does not answer") from None

    async def _made(self, body: bytes, tag: str) -> Made:
        packed = await asyncio.to_thread(gzip.compress, body, mtime=0)
        changed = self._now().replace(microsecond=0)
        return Made(body=body, packed=packed, tag=tag, changed=changed)


def _answer(request: web.Request, made: Made, media_type: str, max_age_s: int) -> web.Response:
    """The whole, or that nothing has changed (RFC 9110, section 13.1: If-None-Match goes before If-Modified-Since)."""
    packs = "gzip" in _codings(request.headers.get("Accept-Encoding", ""))
    headers = {
        "ETag": f'"{made.tag}{"-gzip" if packs else ""}"',
        "Last-Modified": format_datetime(made.changed, usegmt=True),
        "Cache-Control": f"public, max-age={max_age_s}",
        "Vary": "Accept-Encoding",
    }
    if "If-None-Match" in request.headers:
        known = {tag.value.removesuffix("-gzip") for tag in request.if_none_match or ()}
        unchanged = bool(known & {made.tag, "*"})
    else:
        since = request.if_modified_since
        unchanged = since is not None and made.changed <= since
    if unchanged:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = media_type
    if packs:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=made.packed if packs else made.body, headers=headers)


def _codings(accepted: str) -> set[str]:
    """What somebody takes; what has a weight of nothing is refused (RFC 9110, section 12.5.3)."""
    taken = set()
    for part in accepted.split(","):
        coding, _, weight = part.partition(";")
        if not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight):
            taken.add(coding.strip().lower())
    return taken


_OPENAPI = {
    "responses": {
        "200": {"description": "It", "content": {"application/xml": {"schema": {"type": "string"}}}},
        "304": {"description": "As it was"},
        "404": {"description": "There is nothing here"},
    }
}
