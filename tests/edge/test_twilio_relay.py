"""A relay as docs/relay.md describes it, before a hub that knows its name: what passes unchanged is still signed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from hub.model.message import Verb
from hub.web.server import Mount, WebConfig, WebServer
from tests.contracts.channel import outgoing
from tests.edge.twilio_room import ANNE, HUB, Room, play, ready

Rewrite = Callable[[str], str]


class Relay:
    """Passes POST /callback/… on to the hub. `rewrite`: what it does to addresses, and must not."""

    def __init__(self, rewrite: Rewrite) -> None:
        self.hub = ""
        self.answers: list[int] = []
        self._rewrite = rewrite

    async def handle(self, request: web.Request) -> web.Response:
        if request.method != "POST" or not request.path.startswith("/callback/"):
            return web.Response(status=404)
        headers = {n: v for n, v in request.headers.items() if n.lower() in ("x-twilio-signature", "content-type")}
        url = URL(self.hub + self._rewrite(request.raw_path), encoded=True)
        try:
            async with (
                aiohttp.ClientSession(auto_decompress=False) as session,
                session.post(url, data=await request.read(), headers=headers) as answer,
            ):
                self.answers.append(answer.status)
                kind = answer.headers.get("Content-Type", "text/plain")
                return web.Response(status=answer.status, body=await answer.read(), headers={"Content-Type": kind})
        except aiohttp.ClientError:
            return web.Response(status=502)


@asynccontextmanager
async def relayed(room: Room, kind: str, rewrite: Rewrite = str) -> AsyncIterator[tuple[Relay, str]]:
    """The room's channel behind a relay: Twilio calls the relay's name."""
    relay = Relay(rewrite)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", relay.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    name = f"http://127.0.0.1:{runner.addresses[0][1]}"
    mount = Mount(prefix=f"/callback/{kind}", routes=room.channel.routes(room.intake))
    hub = WebServer(WebConfig(port=0, public_url=name, shutdown_s=0.5), [mount], health=ready)
    relay.hub = f"http://127.0.0.1:{await hub.start()}"
    room.channel._account._public_url = f"{name}/callback/{kind}"
    room.phones.network.inbound = f"{name}/callback/{kind}/reply"
    try:
        yield relay, name
    finally:
        await hub.stop()
        await runner.cleanup()


def through(kind: str, story: Callable[[Room, Relay, str], Awaitable[None]], rewrite: Rewrite = str) -> None:
    async def run(room: Room) -> None:
        async with relayed(room, kind, rewrite) as (relay, name):
            await story(room, relay, name)

    play(kind, run)


def test_replies_and_statuses_come_through() -> None:
    async def story(room: Room, relay: Relay, name: str) -> None:
        await room.channel.send(outgoing(ANNE))
        await room.outcomes("delivered")
        room.phones.network.text(ANNE, "AB ja, één & twee", to=HUB)
        await room.until(lambda: bool(room.intake.replies))
        assert room.intake.replies[0].text == "AB ja, één & twee"
        assert set(relay.answers) <= {200, 204}

    through("sms", story)


def test_a_key_comes_through_and_its_answer_is_heard() -> None:
    async def story(room: Room, relay: Relay, name: str) -> None:
        room.phones.script(ANNE, call="answer", digits=("1",))
        await room.channel.send(outgoing(ANNE))
        await room.until(lambda: bool(room.intake.replies) and not room.phones.calls[0].alive)
        assert room.intake.replies[0].verb is Verb.ACCEPT
        assert "Your answer is recorded" in room.phones.calls[0].captions[-1].text

    through("voice", story)


@pytest.mark.parametrize("rewrite", [lambda path: path + "?relay=1", lambda path: path.replace("/reply", "//reply")])
def test_a_relay_that_changes_addresses_breaks_signatures(rewrite: Rewrite) -> None:
    async def story(room: Room, relay: Relay, name: str) -> None:
        await room.channel._missed  # what it does on coming up is over: it would find the reply by itself
        room.phones.network.text(ANNE, "AB ja", to=HUB)
        await room.until(lambda: bool(relay.answers))
        assert relay.answers[0] in (403, 404)
        assert room.intake.replies == []

    through("sms", story, rewrite)


def test_nothing_else_is_passed_on_and_a_hub_that_is_away_is_not_acknowledged_for() -> None:
    async def story(room: Room, relay: Relay, name: str) -> None:
        async with aiohttp.ClientSession() as session:
            for path in ("/health", "/api/status", "/metrics"):
                async with session.get(name + path) as answer:
                    assert answer.status == 404
            relay.hub = "http://127.0.0.1:1"
            async with session.post(f"{name}/callback/sms/reply", data=b"Body=oui") as answer:
                assert answer.status == 502
        assert relay.answers == []

    through("sms", story)
