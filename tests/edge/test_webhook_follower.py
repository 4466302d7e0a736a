"""The webhook follower against a real receiver that checks signatures with the reference library."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from connectors.webhook import follower as webhook
from connectors.webhook.follower import WebhookFollower, WebhookFollowerConfig
from hub.connector import Followed
from hub.model.signal import Status
from tests.contracts.intake import environment
from tests.contracts.told import steps
from tests.edge.http_counterpart import Counterpart

SECRET = "whsec_" + base64.b64encode(b"s3cret" * 5).decode()
OLD = "whsec_" + base64.b64encode(b"s3cret-old" * 3).decode()


class Receiver(Counterpart):
    """Another system of the house. `after`: so many are taken, then it answers as it is told to."""

    PATH = "/vigie"

    def __init__(self) -> None:
        super().__init__(status=204)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: list[dict[str, Any]] = []
        self.after = 1_000_000
        self.aborts = self.silent = False

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, body))
        Webhook(SECRET).verify(body, headers)
        if len(self.taken) >= self.after:
            if self.silent:
                return await self.hangs()
            if self.aborts:
                assert request.transport is not None
                request.transport.abort()
            return web.Response(status=self.status, headers=self.headers)
        event = json.loads(body)
        assert headers["webhook-id"] == event["id"]
        self.taken.append(event)
        return web.Response(status=202)


class Place:
    def __init__(self, follower: WebhookFollower, receiver: Receiver) -> None:
        self.follower, self.receiver = follower, receiver


@asynccontextmanager
async def place(**config: Any) -> AsyncIterator[Place]:
    receiver = Receiver()
    await receiver.start()
    url = f"http://127.0.0.1:{receiver.port}/vigie"
    settings = WebhookFollowerConfig(**{"url": url, "unencrypted": True, "secrets": ("new", "old"), **config})
    made = replace(environment("desk", new=SECRET, old=OLD), hub="brussels")
    follower = WebhookFollower(settings, made)
    await follower.open()
    try:
        yield Place(follower, receiver)
    finally:
        receiver.released.set()
        await follower.close()
        await receiver.stop()


def play(story: Callable[[Place], Awaitable[None]], **config: Any) -> None:
    async def run() -> None:
        async with place(**config) as here:
            await story(here)

    asyncio.run(run())


def test_events_arrive_signed_in_their_order() -> None:
    async def story(here: Place) -> None:
        events = steps(50)
        assert await here.follower.follow(events) == Followed(taken=50)
        assert [event["data"]["step"] for event in here.receiver.taken] == [f"step-{n}" for n in range(50)]
        assert {event["source"] for event in here.receiver.taken} == {"vigie/brussels"}
        headers, body = here.receiver.requests[0]
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert headers["webhook-id"] == events[0].id
        assert headers["webhook-signature"].count("v1,") == 2
        for secret in (SECRET, OLD):  # whichever of the two the receiver still holds
            Webhook(secret).verify(body, headers)

    play(story)


def test_a_status_other_than_actual_is_told() -> None:
    async def story(here: Place) -> None:
        await here.follower.follow(steps(1, status=Status.EXERCISE))
        (event,) = here.receiver.taken
        assert (event["status"], event["data"]["status"]) == ("Exercise", "Exercise")

    play(story)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (500, {}, Followed(taken=2, reason="the receiver answered 500")),
        (503, {"Retry-After": "30"}, Followed(taken=2, reason="the receiver answered 503", after_s=30.0)),
        (401, {}, Followed(taken=2, reason="the receiver answered 401")),
        (422, {}, Followed(taken=2, reason="the receiver answered 422")),
        (
            302,
            {"Location": "http://169.254.169.254/"},
            Followed(taken=2, reason="the receiver answered 302: it has moved: correct the address"),
        ),
    ],
)
def test_what_was_taken_before_a_refusal_counts_and_nothing_comes_after_it(
    status: int, headers: dict[str, str], expected: Followed
) -> None:
    async def story(here: Place) -> None:
        here.receiver.status, here.receiver.headers, here.receiver.after = status, headers, 2
        assert await here.follower.follow(steps(5)) == expected
        assert len(here.receiver.requests) == 3

    play(story)


def test_a_lost_answer_is_none() -> None:
    async def story(here: Place) -> None:
        here.receiver.aborts, here.receiver.after = True, 0
        followed = await here.follower.follow(steps(1))
        assert followed.taken == 0
        assert followed.reason.startswith("the receiver: connection lost before the answer")

    play(story)


def test_no_answer_in_time_is_none() -> None:
    async def story(here: Place) -> None:
        here.receiver.silent, here.receiver.after = True, 0
        assert await here.follower.follow(steps(1)) == Followed(taken=0, reason="the receiver: no answer in time")

    play(story, timeout_s=0.2)


def test_a_receiver_that_is_away_is_found_again_when_it_is_back() -> None:
    async def story(here: Place) -> None:
        await here.receiver.stop()
        followed = await here.follower.follow(steps(1))
        assert followed.taken == 0
        assert "cannot be reached" in followed.reason
        assert "127.0.0.1" not in followed.reason
        await here.receiver.start()
        assert await here.follower.follow(steps(1)) == Followed(taken=1)

    play(story)


def test_a_slow_receiver_is_answered_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_SHARE_S", 0.0)

    async def story(here: Place) -> None:
        assert await here.follower.follow(steps(100)) == Followed(taken=1)
        assert len(here.receiver.taken) == 1

    play(story)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://desk.example/vigie", "unencrypted"),
        ("https://user:pass@desk.example/", "password"),
        ("ftp://desk.example/", "no web address"),
        ("https://", "no web address"),
    ],
)
def test_an_address_that_cannot_be_posted_to_is_said(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        WebhookFollowerConfig(url=url, secrets=("new",))
