"""The webhook channel against a real receiver that checks signatures with the reference library."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from connectors.unanswered import retry_after_s, unanswered
from connectors.webhook.channel import WebhookChannel, WebhookChannelConfig
from hub.connector import Dead, Retry, Sent
from tests.contracts.channel import PROMISES, Arrival, Provider, outgoing
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.http_counterpart import Counterpart, CounterpartWorld

SECRET = "whsec_" + base64.b64encode(b"s3cret" * 5).decode()
OLD = "whsec_" + base64.b64encode(b"s3cret-old" * 3).decode()


class Receiver(Counterpart):
    """A partner's system."""

    PATH = "/hook"

    def __init__(self) -> None:
        super().__init__(status=204)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: list[Arrival] = []

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, body))
        match self.provider:
            case Provider.BUSY:
                return web.Response(status=503, headers={"Retry-After": "7"})
            case Provider.REFUSING:
                return web.Response(status=410)
            case Provider.HANGING:
                return await self.hangs()
        Webhook(SECRET).verify(body, headers)
        notice = json.loads(body)
        if self.status < 300:
            self.taken.append(Arrival(f"http://127.0.0.1:{self.port}/hook", notice["data"]["text"], notice["id"]))
        if self.provider is Provider.LOSING:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=self.status, headers=self.headers)


class Place(CounterpartWorld):
    def __init__(self, channel: WebhookChannel, receiver: Receiver) -> None:
        super().__init__(receiver)
        self.channel, self.receiver = channel, receiver
        self.intake = MemoryIntake()
        self.good = f"http://127.0.0.1:{receiver.port}/hook"
        self.wrong = self.good

    def arrivals(self) -> Sequence[Arrival]:
        return self.receiver.taken


@asynccontextmanager
async def place(**config: Any) -> AsyncIterator[Place]:
    receiver = Receiver()
    await receiver.start()
    settings = WebhookChannelConfig(**{"secrets": ("new", "old"), **config})
    channel = WebhookChannel(settings, environment("partners", new=SECRET, old=OLD))
    await channel.open(MemoryIntake())
    try:
        yield Place(channel, receiver)
    finally:
        await channel.close()
        await receiver.stop()


def play(story: Callable[[Place], Awaitable[None]], **config: Any) -> None:
    async def run() -> None:
        async with place(**config) as here:
            await story(here)

    asyncio.run(run())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise: Any) -> None:
    play(promise)


def test_what_is_posted() -> None:
    async def story(here: Place) -> None:
        answer = await here.channel.send(outgoing(here.good, order="ORDER1", index=2, repeat=True))
        assert answer == Sent(final=True)
        [(headers, body)] = here.receiver.requests
        assert headers["webhook-id"] == "ORDER1/2"
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert headers["webhook-signature"].count("v1,") == 2
        for secret in (SECRET, OLD):  # whichever of the two the receiver still holds
            Webhook(secret).verify(body, headers)
        assert json.loads(body) == {
            "specversion": "1.0",
            "type": "vigie.message.v1",
            "source": "vigie/partners",
            "id": "ORDER1/2",
            "datacontenttype": "application/json",
            "data": {
                "language": "en",
                "status": "Exercise",
                "subject": "Storm over Ixelles",
                "text": "Storm over Ixelles. Reply AB to accept.",
                "repeat": True,
                "ask": {"code": "AB", "answer_s": 240},
            },
        }

    play(story)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, Sent(final=True)),
        (202, {}, Sent(final=True)),
        (408, {}, Retry(reason="the receiver answered 408")),
        (429, {"Retry-After": "30"}, Retry(reason="the receiver answered 429", after_s=30)),
        (500, {}, Retry(reason="the receiver answered 500")),
        (503, {"Retry-After": "junk"}, Retry(reason="the receiver answered 503")),
        (400, {}, Dead(reason="the receiver answered 400")),
        (401, {}, Dead(reason="the receiver answered 401")),
        (404, {}, Dead(reason="the receiver answered 404", bad_address=True)),
        (410, {}, Dead(reason="the receiver answered 410", bad_address=True)),
        (
            302,
            {"Location": "http://169.254.169.254/"},
            Dead(reason="the receiver answered 302: it has moved: correct the address", bad_address=True),
        ),
    ],
)
def test_what_an_answer_means(status: int, headers: dict[str, str], expected: object) -> None:
    async def story(here: Place) -> None:
        here.receiver.status, here.receiver.headers = status, headers
        assert await here.channel.send(outgoing(here.good)) == expected
        assert len(here.receiver.requests) == 1

    play(story)


def test_no_answer_in_time_leaves_doubt() -> None:
    async def story(here: Place) -> None:
        await here.behave(Provider.HANGING)
        answer = await here.channel.send(outgoing(here.good))
        assert answer == Retry(reason="the receiver: no answer in time", doubt=True)
        here.receiver.released.set()

    play(story, timeout_s=0.2)


@pytest.mark.parametrize(
    "address", ["ftp://x/y", "https://", "hook", "http://x:99999/", "https://user:pass@x/y", "javascript:1", "//x/y"]
)
def test_addresses_that_cannot_be_posted_to(address: str) -> None:
    async def story(here: Place) -> None:
        assert here.channel.check(address)
        answer = await here.channel.send(outgoing(address))
        assert isinstance(answer, Dead)
        assert answer.bad_address

    play(story)


def test_without_encryption_only_inside() -> None:
    import msgspec

    outside = msgspec.structs.replace(environment("partners", new=SECRET), allow_internal=False)
    channel = WebhookChannel(WebhookChannelConfig(secrets=("new",)), outside)
    assert "unencrypted" in channel.check("http://partner.example/hook")
    assert channel.check("https://partner.example/hook") == ""
    own_network = WebhookChannel(WebhookChannelConfig(secrets=("new",), unencrypted=True), outside)
    assert own_network.check("http://gateway.internal/hook") == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("12", 12.0),
        ("999999", 3600.0),
        ("-5", None),
        ("Wed, 14 Feb 2024 09:30:30 GMT", 30.0),
        ("Wed, 14 Feb 2024 09:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, datetime(2024, 2, 14, 9, 30, tzinfo=UTC)) == seconds


def test_errors_that_are_not_the_networks_are_not_explained_away() -> None:
    assert unanswered(ZeroDivisionError(), "x") is None
    assert isinstance(unanswered(aiohttp.ServerDisconnectedError(), "x"), Retry)
    certificate = aiohttp.ClientConnectorCertificateError(None, ssl.SSLCertVerificationError())  # type: ignore[arg-type]
    assert isinstance(unanswered(certificate, "x"), Dead)
