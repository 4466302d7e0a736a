"""The NATS follower against real servers: into a stream, and over core NATS."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
import trio
from nats.aio.client import Client
from nats.aio.msg import Msg

from connectors.nats import follower as connector
from connectors.nats.follower import NatsFollower, NatsFollowerConfig
from hub.connector import Followed
from hub.model.signal import Status
from tests.contracts.intake import environment
from tests.contracts.told import steps
from tests.edge.nats_servers import Server, all_ready, running

STREAM = "VIGIE_INCIDENTS"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as (server,):
        yield server


async def awake(server: Server) -> None:
    """The server answers, and so does its JetStream."""
    await asyncio.to_thread(trio.run, all_ready, [server])


class Place:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.client: Client

    async def up(self) -> None:
        await awake(self.server)
        self.client = await nats.connect(self.server.url)

    async def stream(self, **more: Any) -> None:
        await self.client.jetstream().add_stream(name=STREAM, subjects=["vigie.incident.>"], **more)

    async def kept(self) -> list[Msg]:
        """All that the stream has, as one who comes late reads it."""
        js = self.client.jetstream()
        count = (await js.stream_info(STREAM)).state.messages
        reader = await js.subscribe("vigie.incident.>", ordered_consumer=True)
        return [await reader.next_msg(timeout=5) for _ in range(count)]


@asynccontextmanager
async def follower(here: Place, **config: Any) -> AsyncIterator[NatsFollower]:
    settings = NatsFollowerConfig(**{"servers": (here.server.url,), "unencrypted": True, **config})
    made = NatsFollower(settings, environment("bus", PASSWORD="right", WRONG="wrong"))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def play(server: Server, story: Callable[[Place], Awaitable[None]]) -> None:
    async def run() -> None:
        here = Place(server)
        await here.up()
        try:
            await story(here)
        finally:
            await here.client.close()

    asyncio.run(run())


def test_a_stream_keeps_events_in_their_order_for_who_comes_later(server: Server) -> None:
    async def story(here: Place) -> None:
        await here.stream()
        events = steps(150)
        async with follower(here) as made:
            assert await made.follow(events[:100]) == Followed(taken=100)
            assert await made.follow(events[100:]) == Followed(taken=50)
        kept = await here.kept()
        assert [json.loads(message.data)["id"] for message in kept] == [event.id for event in events]
        first = kept[0]
        assert first.subject == "vigie.incident.actual.gas-leak.step.began"
        assert first.headers is not None
        assert first.headers["Content-Type"] == "application/cloudevents+json"

    play(server, story)


def test_a_repeat_is_kept_once(server: Server) -> None:
    async def story(here: Place) -> None:
        await here.stream()
        async with follower(here) as made:
            await made.follow(steps(10))
        async with follower(here) as made:  # the hub was killed before its cursor was durable
            assert await made.follow(steps(12)) == Followed(taken=12)
        assert len(await here.kept()) == 12

    play(server, story)


def test_exercises_have_subjects_of_their_own(server: Server) -> None:
    async def story(here: Place) -> None:
        heard = await here.client.subscribe("vigie.incident.actual.>")
        async with follower(here, stream="none") as made:
            await made.follow(steps(1, status=Status.EXERCISE))
            await made.follow(steps(1, first=7))
        message = await heard.next_msg(timeout=5)
        assert json.loads(message.data)["data"]["step"] == "step-7"

    play(server, story)


def test_over_core_nats_who_listens_hears_it_all(server: Server) -> None:
    async def story(here: Place) -> None:
        heard = await here.client.subscribe("vigie.incident.*.*.step.>")
        async with follower(here, stream="none") as made:
            assert await made.follow(steps(100)) == Followed(taken=100)
        got = [json.loads((await heard.next_msg(timeout=5)).data)["data"]["step"] for _ in range(100)]
        assert got == [f"step-{n}" for n in range(100)]

    play(server, story)


def test_a_stream_that_is_not_there_is_said_and_found_when_it_is_made(server: Server) -> None:
    async def story(here: Place) -> None:
        async with follower(here) as made:
            followed = await made.follow(steps(3))
            assert followed.taken == 0
            assert followed.reason.startswith(f"no stream takes vigie.incident.>: make {STREAM}")
            await here.stream()
            assert await made.follow(steps(3)) == Followed(taken=3)

    play(server, story)


def test_another_stream_on_the_subject_does_not_count(server: Server) -> None:
    async def story(here: Place) -> None:
        await here.client.jetstream().add_stream(name="OTHER", subjects=["vigie.incident.>"])
        async with follower(here) as made:
            followed = await made.follow(steps(1))
            assert followed.taken == 0
            assert STREAM in followed.reason

    play(server, story)


def test_a_full_stream_that_takes_nothing_more_is_said(server: Server) -> None:
    async def story(here: Place) -> None:
        from nats.js.api import DiscardPolicy

        await here.stream(max_msgs=4, discard=DiscardPolicy.NEW)
        async with follower(here) as made:
            followed = await made.follow(steps(6))
            assert followed.taken == 4
            assert "maximum messages exceeded" in followed.reason
        assert len(await here.kept()) == 4

    play(server, story)


def test_a_server_that_is_killed_is_found_again_and_nothing_is_lost(server: Server) -> None:
    async def story(here: Place) -> None:
        await here.stream()
        events = steps(6)
        async with follower(here, timeout_s=2.0) as made:
            assert await made.follow(events[:3]) == Followed(taken=3)
            server.kill()
            followed = await made.follow(events[3:])
            assert followed.taken == 0
            assert followed.reason
            again = await made.follow(events[3:])
            assert again.taken == 0
            server.start()
            await here.client.close()
            await here.up()
            assert await made.follow(events[3:]) == Followed(taken=3)
        assert [json.loads(message.data)["id"] for message in await here.kept()] == [event.id for event in events]

    play(server, story)


def test_nobody_there_is_said() -> None:
    async def run() -> None:
        settings = NatsFollowerConfig(servers=("nats://127.0.0.1:1",), unencrypted=True, timeout_s=1.0)
        made = NatsFollower(settings, environment("bus"))
        await made.open()
        followed = await made.follow(steps(1))
        assert followed.taken == 0
        assert "no server can be reached" in followed.reason
        await made.close()

    asyncio.run(run())


def test_who_may_not_publish_is_told_so_and_nothing_counts(tmp_path: Path) -> None:
    """Also over core NATS, where the server says it only by the way."""
    with running(tmp_path) as (server,):
        server.kill()
        users = (
            'authorization { users = [ { user: reader, password: right, permissions: { publish: ["_INBOX.>"] } } ] }\n'
        )
        config = tmp_path / f"{server.name}.conf"
        config.write_text(config.read_text() + users)
        server.start()

        async def story() -> None:
            here = Place(server)
            await awake(server)
            async with follower(here, stream="none", user="reader", password="PASSWORD") as made:
                followed = await made.follow(steps(3))
                assert followed.taken == 0
                assert "permissions violation" in followed.reason.lower()
            async with follower(here, stream="none", user="reader", password="WRONG") as made:
                followed = await made.follow(steps(1))
                assert followed.taken == 0
                assert "authorization violation" in followed.reason.lower()
                assert "wrong" not in followed.reason

        asyncio.run(story())


def test_a_slow_stream_is_answered_for_in_parts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "_SHARE_S", 0.0)

    async def story(here: Place) -> None:
        await here.stream()
        async with follower(here) as made:
            assert await made.follow(steps(5)) == Followed(taken=1)

    play(server, story)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"servers": ("nats://a.example:4222",)}, "in the clear"),
        ({"servers": ("tls://user:pw@a.example",)}, "without user or password"),
        ({"servers": ("a.example",)}, "is no server"),
        ({"servers": ("tls://a.example",), "user": "u"}, "go together"),
        ({"servers": ("tls://a.example",), "user": "u", "password": "P", "token": "T"}, "leave one out"),
    ],
)
def test_settings_that_cannot_work_are_said(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        NatsFollowerConfig(**settings)
