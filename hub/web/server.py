"""The hub's web server: connectors' routes, operators' acts, health and metrics, on the loop for what comes in.

A connector's route is mounted under its prefix and called with a WebRequest; everything else about HTTP (limits,
time-outs, headers, errors) is done here, once. Real time throughout: nothing here asks for hub time.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta, Struct
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from hub.connector import Route, Unavailable, WebRequest, WebResponse
from hub.web.api import ApiRoutes, Ask, problem, unavailable
from hub.web.calendar import CalendarRoute
from hub.web.cap import CapRoutes
from hub.web.metrics import of_health
from hub.web.openapi import Operation, document

_log = structlog.get_logger()
# aiohttp's own word on broken HTTP is a traceback with the stranger's bytes in it; our faults are logged by us.
_protocol_log = logging.getLogger("hub.web.protocol")
_protocol_log.setLevel(logging.CRITICAL)
_LINGERING_S = 1.0
_HEALTH_S = 5.0  # how long the hub may take to say how it is
_Handler = Callable[[web.Request], Awaitable[web.Response]]

_HEADERS = {
    "Server": "vigie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class WebConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example: `host: 127.0.0.1`, `port: 8080`, `public url: https://vigie.example.brussels`."""

    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="0 takes any free port")] = 8080
    public_url: Annotated[
        str,
        Meta(description="How the outside reaches this server, proxy included; signatures of callbacks rest on it"),
    ] = ""
    idle_s: Annotated[float, Meta(gt=0, description="A connection without a whole request head is closed")] = 75.0
    body_s: Annotated[float, Meta(gt=0, description="A request's body must have come by then")] = 20.0
    shutdown_s: Annotated[float, Meta(ge=0, description="How long requests under way have when the hub stops")] = 5.0


class Mount(Struct, frozen=True, kw_only=True):
    """A connector's routes under its prefix: `/in/NAME` for a source, `/callback/NAME` for a channel."""

    prefix: str
    routes: Sequence[Route]


class WebServer:
    """One server. `health` gives the picture for `/health`: a mapping whose `ready` says whether the hub takes what
    it is sent (503 when not). `api` puts operators' acts and
    questions to the hub; without it there is no `/api`. `cap`: whether our own alerts are served. Made, started and
    stopped on one asyncio loop."""

    def __init__(
        self,
        config: WebConfig,
        mounts: Sequence[Mount] = (),
        *,
        health: Callable[[], Awaitable[Mapping[str, Any]]],
        api: Ask | None = None,
        tokens: Sequence[str] = (),
        cap: bool = False,
        version: str = "",
        registry: CollectorRegistry = REGISTRY,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._mounts = mounts
        self._health = health
        self._api = ApiRoutes(api, tokens) if api is not None else None
        self._calendar = CalendarRoute(api) if api is not None else None
        self._cap = CapRoutes(api) if api is not None and cap else None
        self._version = version
        self._registry = registry
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Listens; returns the port. Raises OSError naming the address when that is taken."""
        runner = web.AppRunner(
            self.application(),
            access_log=None,
            keepalive_timeout=self._config.idle_s,
            shutdown_timeout=self._config.shutdown_s,
            # A compressed body could grow without end, and is not what was signed.
            auto_decompress=False,
            # After a refusal the rest of the body is read for so long, that the sender sees the answer.
            lingering_time=_LINGERING_S,
            logger=_protocol_log,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._config.host, self._config.port, ssl_context=self._tls, backlog=1024)
            await site.start()
        except OSError as error:
            await runner.cleanup()
            place = f"{self._config.host}:{self._config.port}"
            raise OSError(error.errno, f"web server: {place} cannot be listened on: {error.strerror}") from error
        self._runner = runner
        port: int = runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Takes no new connection, lets requests under way finish (at most `shutdown_s`), closes."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- routes --------------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        """The aiohttp application."""
        # The limit of each route is checked before its body is read; this one is only aiohttp's own ceiling.
        largest = max((route.max_bytes for mount in self._mounts for route in mount.routes), default=0)
        app = web.Application(client_max_size=max(largest, 1 << 20))
        operations: list[Operation] = []
        for mount in self._mounts:
            for route in mount.routes:
                path = mount.prefix + route.path
                app.router.add_route(route.method, path, self._adapted(route))
                operations.append(
                    Operation(
                        method=route.method,
                        path=path,
                        summary=route.summary,
                        openapi=route.openapi,
                        tag=mount.prefix.strip("/"),
                    )
                )
        for operation, handler in [*self._own(), *(self._api.routes() if self._api else [])]:
            app.router.add_route(operation.method, operation.path, _in_our_words(handler))
            operations.append(operation)
        public: list[tuple[Operation, _Handler]] = (
            [] if self._calendar is None else [(self._calendar.operation(), self._calendar.get)]
        )
        public += [] if self._cap is None else self._cap.operations()
        for operation, handler in public:
            for method in ("GET", "HEAD"):
                app.router.add_route(method, operation.path, _in_our_words(handler))
            operations.append(operation)
        described = document(operations, "Vigie", self._version, self._config.public_url)
        encoded = msgspec.json.format(msgspec.json.encode(described), indent=1)

        async def openapi(request: web.Request) -> web.Response:
            return web.Response(body=encoded, content_type="application/json")

        app.router.add_get("/openapi.json", _in_our_words(openapi))
        app.router.add_route("*", "/{any:.*}", _in_our_words(_nothing_there(app)))
        return app

    def _own(self) -> list[tuple[Operation, _Handler]]:
        return [
            (Operation(method="GET", path="/health", summary="Whether the hub works", openapi=_HEALTH), self._healthy),
            (Operation(method="GET", path="/metrics", summary="Prometheus metrics", openapi=_METRICS), self._measured),
            (Operation(method="GET", path="/healthz", summary="Whether it answers", openapi=_PROBE), self._alive),
            (Operation(method="GET", path="/readyz", summary="Whether it is ready", openapi=_PROBE), self._ready),
        ]

    async def _healthy(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_HEALTH_S):
                picture = await self._health()
        except TimeoutError:
            return problem(503, "No answer", f"the hub has not answered within {_HEALTH_S:g} s")
        status = 200 if picture.get("ready") else 503
        return web.Response(body=msgspec.json.encode(picture), status=status, content_type="application/json")

    async def _measured(self, request: web.Request) -> web.Response:
        """This process's own numbers, and those of the hub; one that does not answer has none."""
        picture: Mapping[str, Any] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEALTH_S):
                picture = await self._health()
        body = generate_latest(self._registry) + of_health(picture)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _alive(self, request: web.Request) -> web.Response:
        """Whatever it says of itself: it answers."""
        return await self._probed(lambda picture: True)

    async def _ready(self, request: web.Request) -> web.Response:
        return await self._probed(lambda picture: bool(picture.get("ready")))

    async def _probed(self, fine: Callable[[Mapping[str, Any]], bool]) -> web.Response:
        try:
            async with asyncio.timeout(_HEALTH_S):
                picture = await self._health()
        except TimeoutError:
            return web.Response(status=503, text=f"the hub has not answered within {_HEALTH_S:g} s\n")
        if fine(picture):
            return web.Response(text="ok\n")
        return web.Response(status=503, text=f"{picture.get('trouble') or 'not ready'}\n")

    # --- from aiohttp's request to the connector's ---------------------------------------------------------

    def _adapted(self, route: Route) -> _Handler:
        handler, limit, method = route.handler, route.max_bytes, route.method
        public = self._config.public_url.rstrip("/")
        body_s = self._config.body_s

        async def adapted(request: web.Request) -> web.Response:
            headers = request.headers
            length = request.content_length
            if length is not None and length > limit:
                return _too_large(limit)
            if "content-encoding" in headers and headers["content-encoding"].lower() != "identity":
                return problem(415, "Unsupported encoding", "content-encoding: send the body as it is, not compressed")
            content = request.content
            if content.is_eof():  # all of it came with the head, as nearly always
                body = content.read_nowait(-1)
            else:
                try:
                    async with asyncio.timeout(body_s):
                        found = await _limited(request, limit)
                except TimeoutError:
                    late = problem(408, "Too slow", f"the body did not come within {body_s:g} s: send it again")
                    late.force_close()
                    return late
                if found is None:
                    return _too_large(limit)
                body = found
            if len(body) > limit:
                return _too_large(limit)
            raw_path = request.raw_path
            match = request.match_info
            response: WebResponse = await handler(
                WebRequest(
                    method=method,
                    url=(public or f"{request.scheme}://{request.host}") + raw_path,
                    path=request.path,
                    headers=headers,  # looked up whatever the case; not copied, for speed
                    body=body,
                    match=dict(match) if match else _NO_MATCH,
                )
            )
            return web.Response(
                body=response.body,
                status=response.status,
                headers={"Content-Type": response.media_type, **response.headers},
            )

        return _in_our_words(adapted)


_NO_MATCH: Mapping[str, str] = {}
_DETAILS = {413: "the body is too large: send less at a time"}
_HEALTH = {
    "responses": {
        "200": {"description": "It works", "content": {"application/json": {"schema": {"type": "object"}}}},
        "503": {"description": "It takes nothing now", "content": {"application/json": {"schema": {"type": "object"}}}},
    }
}
_PROBE = {
    "responses": {
        "200": {"description": "ok", "content": {"text/plain": {"schema": {"type": "string"}}}},
        "503": {"description": "Why not", "content": {"text/plain": {"schema": {"type": "string"}}}},
    }
}
_METRICS = {
    "responses": {"200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
}


async def _limited(request: web.Request, limit: int) -> bytes | None:
    """The body as it arrives; None as soon as it is larger than `limit`."""
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> web.Response:
    response = problem(413, "Too large", f"the body is larger than {limit} bytes: send less at a time")
    # What is still under way is not read to its end: the connection has served.
    response.force_close()
    return response


def _in_our_words(handler: _Handler) -> _Handler:
    """The handler with its errors as JSON that shows nothing of our inside, and our headers on every answer.
    (Not an aiohttp middleware and signal: those cost 10 µs a request.)"""

    async def ours(request: web.Request) -> web.Response:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = problem(error.status, error.reason, _DETAILS.get(error.status, error.reason))
        except Unavailable as why:
            response = unavailable(why)
        except ConnectionError:  # the client has gone: nobody is left to answer
            raise
        except Exception:
            # Not the path itself: there may be a secret in it.
            resource = request.match_info.route.resource
            _log.exception("web.fault", method=request.method, path=resource.canonical if resource else "")
            response = problem(500, "Internal error", "the fault is ours and has been noted; send it again")
        headers = response.headers
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        return response

    return ours


def _nothing_there(app: web.Application) -> _Handler:
    """What answers where there is no route: 404, or 405 naming the methods there are."""

    async def nothing_there(request: web.Request) -> web.Response:
        allowed: set[str] = set()
        for resource in app.router.resources():
            if resource.canonical != "/{any}":
                _, methods = await resource.resolve(request)
                allowed |= methods
        if not allowed:
            return problem(404, "Not found", "there is nothing here: see /openapi.json for what there is")
        answer = problem(405, "Method not allowed", f"{request.method} is not known here: {', '.join(sorted(allowed))}")
        answer.headers["Allow"] = ", ".join(sorted(allowed))
        return answer

    return nothing_there
