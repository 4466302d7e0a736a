"""Serves a programme over HTTP on loopback as the live servers would, and posts what partners send."""

import asyncio
import gzip
import hashlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from msgspec import Struct
from standardwebhooks import Webhook

from tools.playback.programme import HEARD, PartnerPost, Programme, Publication, rewrite_links

RETRY_S = (1.0, 2.0, 5.0, 10.0, 20.0)
"""How long a partner waits before each further try of a post that was not answered 2xx."""

POST_TIMEOUT_S = 10.0


class Playable(Protocol):
    """Whatever can be loaded: a programme, or a set of recorded files."""

    def programme(self) -> Programme: ...


class Served(Struct, frozen=True):
    """One request answered."""

    at: datetime
    path: str
    status: int


class Posted(Struct, frozen=True):
    """One partner post done with. `status`: what the hub answered last, 0 when it could not be reached."""

    id: str
    status: int
    tries: int


class Partner(Struct, frozen=True):
    """Where partners post. `secret` signs, as Standard Webhooks asks (`whsec_…`); never shown."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return f"Partner(url={self.url!r}, secret=…)"

    def headers(self, post: PartnerPost, now: datetime) -> dict[str, str]:
        """The headers of one try. `now` is real time: a signature never follows the playback's clock."""
        signature = Webhook(self.secret).sign(post.id, now, post.body.decode())
        return {
            "Content-Type": post.media_type,
            "webhook-id": post.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }


class Playback:
    """The stand-in for all outside servers: `start`, any number of `load`s, `close`.

    The playback's time begins at the programme's `start` (or `start_at`) when it is loaded and runs at `speed` times
    real time. `clock` (seconds, only differences count) and `sleep` are arguments so that tests need not wait.
    """

    def __init__(
        self,
        *,
        partner: Partner | None = None,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_served: Callable[[Served], None] = lambda served: None,
    ) -> None:
        self._partner = partner
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._on_served = on_served
        self._programme = Programme(title="nothing", start=datetime.fromtimestamp(0, UTC))
        self._begin = self._programme.start
        self._began = clock()
        self._timeline: dict[str, list[Publication]] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._posting: set[asyncio.Task[None]] = set()
        self.served: deque[Served] = deque(maxlen=10_000)
        self.posted: list[Posted] = []

    # --- life ------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> str:
        """Listens on 127.0.0.1 (`port` 0: any free one) and returns the base address, with a slash at its end."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._port = self._runner.addresses[0][1]
        self._post_all()
        return self.base

    async def close(self) -> None:
        """Stops posting and serving. Safe to call twice."""
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        self._posting.clear()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def posts_done(self) -> None:
        """Returns once every post of the programme was made or given up."""
        await asyncio.gather(*self._posting)

    async def __aenter__(self) -> "Playback":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def load(self, what: Programme | Playable, *, start_at: datetime | None = None) -> None:
        """Plays another programme from its beginning (or from `start_at`); what the former one served is gone and
        its posts that are not made yet will not be made."""
        for task in self._posting:
            task.cancel()
        self._programme = what if isinstance(what, Programme) else what.programme()
        self._begin = start_at or self._programme.start
        self._began = self._clock()
        self._timeline = {}
        for publication in sorted(self._programme.publications, key=lambda entry: entry.at):
            self._timeline.setdefault(_key(publication.url), []).append(publication)
        if self._runner:
            self._post_all()

    # --- what the demo needs to know -------------------------------------------------------------------------

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    @property
    def begin(self) -> datetime:
        """What the hub's clock is to be set to when the programme is loaded."""
        return self._begin

    def now(self) -> datetime:
        """The playback's own time."""
        return self._begin + timedelta(seconds=(self._clock() - self._began) * self._speed)

    def address(self, url: str) -> str:
        """Where the playback serves what the real world serves at `url`."""
        return self.base + _key(url)

    def sources(self) -> list[dict[str, str]]:
        """What the hub is to listen to: `name`, `kind` (feed, cap, json-cap) and `url` (on this server)."""
        return [
            {"name": source.name, "kind": source.kind, "url": self.address(source.url)}
            for source in self._programme.sources
            if source.kind in HEARD
        ]

    def unheard(self) -> list[dict[str, str]]:
        """What is served too but no source of the hub reads yet."""
        return [
            {"name": source.name, "kind": source.kind, "url": self.address(source.url)}
            for source in self._programme.sources
            if source.kind not in HEARD
        ]

    # --- serving ---------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.Response:
        key = request.raw_path.lstrip("/")
        publication = self._published(key)
        if publication and publication.delay_s:
            await self._sleep(publication.delay_s)
        response = self._response(request, publication)
        served = Served(self.now(), "/" + key, response.status)
        self.served.append(served)
        self._on_served(served)
        return response

    def _published(self, key: str) -> Publication | None:
        now = self.now()
        return next((entry for entry in reversed(self._timeline.get(key, [])) if entry.at <= now), None)

    def _response(self, request: web.Request, publication: Publication | None) -> web.Response:
        headers = {"X-Playback": f"exercise, {self._begin.date()}"}
        if publication is None:
            return web.Response(status=404, text="not part of this playback\n", headers=headers)
        body = publication.body
        if publication.index:
            body, count = rewrite_links(body, self.base.encode())
            headers["X-Playback"] += f"; {count} links rewritten to lead to this server"
        headers |= publication.headers
        if publication.status != 200:
            return web.Response(status=publication.status, body=body, headers=headers)
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers |= {
            "ETag": etag,
            "Last-Modified": format_datetime(publication.at.astimezone(UTC), usegmt=True),
            "Cache-Control": "max-age=0",
            "Vary": "Accept-Encoding",
        }
        if _unchanged(request, etag, publication.at):
            del headers["Content-Type"]
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", "") and len(body) > 256:
            headers["Content-Encoding"] = "gzip"
            headers["ETag"] = f"W/{etag}"  # as nginx does: the bytes differ, the content does not
            body = gzip.compress(body, mtime=0)
        return web.Response(body=body, headers=headers)

    # --- posting ---------------------------------------------------------------------------------------------

    def _post_all(self) -> None:
        if self._partner is None:
            return
        for post in self._programme.posts:
            if post.at >= self._begin:
                task = asyncio.create_task(self._post_in_time(post, self._partner))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)

    async def _post_in_time(self, post: PartnerPost, partner: Partner) -> None:
        await self._sleep(max(0.0, (post.at - self.now()).total_seconds() / self._speed))
        tries = 1
        async with ClientSession(timeout=ClientTimeout(total=POST_TIMEOUT_S)) as session:
            status = await _post(session, post, partner)
            while not 200 <= status < 300 and tries <= len(RETRY_S):
                await self._sleep(RETRY_S[tries - 1])
                status = await _post(session, post, partner)
                tries += 1
        self.posted.append(Posted(post.id, status, tries))


async def _post(session: ClientSession, post: PartnerPost, partner: Partner) -> int:
    headers = partner.headers(post, datetime.now(UTC))
    try:
        async with session.post(partner.url, data=post.body, headers=headers) as response:
            return response.status
    except (ClientError, TimeoutError):
        return 0


def _key(url: str) -> str:
    """`https://host/path?query` as `host/path?query`."""
    return url.partition("://")[2]


def _unchanged(request: web.Request, etag: str, modified: datetime) -> bool:
    """RFC 9110 section 13: If-None-Match is compared weakly and beats If-Modified-Since."""
    asked = request.headers.get("If-None-Match")
    if asked is not None:
        return asked.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    since = request.headers.get("If-Modified-Since")
    if since is None:
        return False
    try:
        return modified.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
