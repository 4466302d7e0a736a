"""A gateway that accepts everything at once and only remembers when it came: for load tests.

Same addresses and same form of answers as the simulator, but no phones, no callbacks and no page.
GET /sink gives the arrivals as JSON, POST /sink/reset forgets them.
"""

import asyncio
import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from .api import basic_auth
from .resources import API, ApiError, Call, CallRequest, Message, call_json, message_json, new_sid


class Arrival(msgspec.Struct, frozen=True):
    """One accepted request. at_ns: time.perf_counter_ns(), comparable across processes on Linux."""

    at_ns: int
    kind: str
    to: str
    body: str


class Sink:
    """The fast gateway on a loopback port. delay_s: how long each answer is withheld."""

    def __init__(self, account: str, token: str, host: str = "127.0.0.1", port: int = 0, delay_s: float = 0.0) -> None:
        self._account, self._host, self._port, self._delay_s = account, host, port, delay_s
        self._authorization = basic_auth(account, token)
        self._raw: list[tuple[int, str, bytes]] = []
        self._templates = {"message": self._template("SM"), "call": self._template("CA")}
        self._paths = {
            f"{API}/{account}/Messages.json": "message",
            f"{API}/{account}/Calls.json": "call",
        }
        self._server: web.Server | None = None
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        self._server = web.Server(self._handle)
        self._runner = web.ServerRunner(self._server)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=4096)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def count(self) -> int:
        """How many messages and calls were accepted."""
        return len(self._raw)

    @property
    def arrivals(self) -> list[Arrival]:
        """Everything accepted, in order; body is the SMS's text or the call's URL or TwiML."""
        found = []
        for at_ns, kind, body in self._raw:
            form = dict(parse_qsl(body.decode()))
            said = form.get("Body") or form.get("Url") or form.get("Twiml") or ""
            found.append(Arrival(at_ns, kind, form.get("To", ""), said))
        return found

    def reset(self) -> None:
        self._raw.clear()

    def _template(self, prefix: str) -> tuple[bytes, bytes]:
        """The answer cut where the SID's digits stand, so that accepting costs no JSON work."""
        mark, now = "0" * 31 + "X", datetime.now(UTC)
        if prefix == "SM":
            message = Message(
                sid=prefix + mark,
                to="+32000000000",
                sender="+32000000000",
                body="",
                direction="outbound-api",
                status="queued",
                created=now,
                updated=now,
            )
            form = message_json(message, self._account)
        else:
            request = CallRequest(to="+32000000000", sender="+32000000000")
            form = call_json(
                Call(sid=prefix + mark, request=request, status="queued", created=now, updated=now),
                self._account,
            )
        form["uri"], form["subresource_uris"] = f"{API}/{self._account}", {}
        before, after = msgspec.json.encode(form).split(mark.encode())
        return before, after

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        at_ns = time.perf_counter_ns()
        kind = self._paths.get(request.path) if request.method == "POST" else None
        if kind is None:
            return self._other(request)
        if request.headers.get("Authorization") != self._authorization:
            return web.json_response(ApiError(401, 20003, "Authenticate").form(), status=401)
        self._raw.append((at_ns, kind, body))
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        before, after = self._templates[kind]
        answer = before + new_sid("").encode() + after
        return web.Response(body=answer, status=201, content_type="application/json")

    def _other(self, request: web.BaseRequest) -> web.Response:
        if request.method == "GET" and request.path == "/sink":
            return web.Response(body=msgspec.json.encode(self.arrivals), content_type="application/json")
        if request.method == "GET" and request.path == "/sink/count":
            return web.json_response({"count": self.count})
        if request.method == "POST" and request.path == "/sink/reset":
            self.reset()
            return web.json_response({})
        kind = self._paths.get(request.path)
        if request.method == "GET" and kind:  # nothing is kept in a form that could be listed
            return web.json_response({f"{kind}s": [], "next_page_uri": None, "page": 0, "page_size": 50})
        return web.json_response(ApiError(404, 20404, "The requested resource was not found").form(), status=404)
