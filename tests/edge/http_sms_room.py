"""A provider of SMS on loopback (invented), the channel described for it and the hub's web server: the room the
stories play in."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import msgspec
from aiohttp import web

from connectors.http_sms.channel import HttpSmsChannel
from connectors.http_sms.config import HttpSmsConfig
from hub.web.server import Mount, WebConfig, WebServer
from tests.contracts.channel import Arrival, Provider
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.http_counterpart import Counterpart, CounterpartWorld

KEY, HOOK, OLD = "s3cret-key", "s3cret-hook", "s3cret-old"
HUB, ANNE, LUX = "+32450000090", "+32450000001", "+352621000001"
ORDER = "01J00000000000000000ORDER1"

JSON = """{"messages": [{"to": "{to}", "from": "{from}", "body": "{text}", "reference": "{id}",
           "encoding": "{encoding}", "report": true}]}"""


class Berichtje(Counterpart):
    """The provider. `status`, `error`, `body`: what it answers in place of what is usual."""

    PATH = "/v2/messages"

    def __init__(self) -> None:
        super().__init__(status=202)
        self.error = "0"
        self.body: bytes | None = None
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.taken: list[dict[str, Any]] = []

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((str(request.rel_url), headers, body))
        match self.provider:
            case Provider.BUSY:
                return web.Response(status=429, headers={"Retry-After": "7"})
            case Provider.REFUSING:
                return web.json_response({"messages": [{"error": "INVALID_NUMBER"}]}, status=400)
            case Provider.HANGING:
                return await self.hangs()
        if self.status < 300 and self.error == "0":
            self.taken.append(self._message(request, body))
        if self.provider is Provider.LOSING:
            assert request.transport is not None
            request.transport.abort()
        if self.body is not None:
            return web.Response(status=self.status, body=self.body)
        answer = {"messages": [{"id": f"b-{len(self.taken)}", "error": self.error}]}
        return web.json_response(answer, status=self.status, headers=self.headers)

    @staticmethod
    def _message(request: web.Request, body: bytes) -> dict[str, Any]:
        media_type = request.content_type
        if media_type == "application/json":
            [message] = json.loads(body)["messages"]
            return dict(message)
        if body:
            return dict(parse_qsl(body.decode(), keep_blank_values=True))
        return dict(request.query)


class Place(CounterpartWorld):
    """The channel, the provider, and the hub's web server for what it tells later."""

    def __init__(self, channel: HttpSmsChannel, provider: Berichtje, intake: MemoryIntake, hooks: str) -> None:
        super().__init__(provider)
        self.channel, self.provider, self.intake, self.hooks = channel, provider, intake, hooks
        self.good = self.wrong = ANNE

    def arrivals(self) -> Sequence[Arrival]:
        return [Arrival(m["to"], m["body"], m.get("reference", "")) for m in self.provider.taken]

    async def tell(self, path: str, body: bytes, secret: str = HOOK, **headers: str) -> tuple[int, str]:
        """A signed callback of the provider's."""
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        given = {"X-Berichtje-Signature": f"sha256={signature}", "Content-Type": "application/json"} | headers
        posted = aiohttp.ClientSession()
        async with posted as session, session.post(self.hooks + path, data=body, headers=given) as response:
            return response.status, await response.text()


@asynccontextmanager
async def place(**config: Any) -> AsyncIterator[Place]:
    provider, intake = Berichtje(), MemoryIntake()
    await provider.start()
    settings: dict[str, Any] = {
        "url": f"http://127.0.0.1:{provider.port}/v2/messages",
        "unencrypted": True,
        "auth": "bearer",
        "auth_secret": "KEY",
        "sender": HUB,
        "json": JSON,
        "encodings": {"GSM-7": "text", "UCS-2": "unicode"},
        "idempotent": True,
        "id_at": "messages.0.id",
        "error_at": "messages.0.error",
        "bad_number": ["INVALID_NUMBER"],
        "refused": ["OPTED_OUT", "451"],
        "again": ["THROTTLED"],
        "broken": ["NO_CREDIT"],
        "proof": "hmac",
        "proof_name": "X-Berichtje-Signature",
        "proof_secrets": ["HOOK", "OLD"],
        "report_list_at": "reports",
        "report_id_at": "reference",
        "report_status_at": "status",
        "report_error_at": "error",
        "reply_id_at": "id",
        "reply_from_at": "from",
        "reply_text_at": "body",
    } | config
    given = environment("sms-backup", KEY=KEY, HOOK=HOOK, OLD=OLD)
    wanted = {name: value for name, value in settings.items() if value is not None}
    channel = HttpSmsChannel(msgspec.convert(wanted, HttpSmsConfig), given)
    await channel.open(intake)

    async def ready() -> dict[str, bool]:
        return {"ready": True}

    mount = Mount(prefix="/callback/sms-backup", routes=channel.routes(intake))
    server = WebServer(WebConfig(port=0, shutdown_s=0.5), [mount], health=ready)
    hooks = f"http://127.0.0.1:{await server.start()}/callback/sms-backup"
    try:
        yield Place(channel, provider, intake, hooks)
    finally:
        await channel.close()
        await server.stop()
        await provider.stop()


def play(story: Callable[[Place], Awaitable[None]], **config: Any) -> None:
    async def run() -> None:
        async with place(**config) as made:
            await story(made)

    asyncio.run(run())
