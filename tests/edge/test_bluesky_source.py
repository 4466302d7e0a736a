"""Listening to Bluesky: a Jetstream, authors' feeds, edits and deletions, falls at every place."""

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors import live
from connectors.bluesky.config import BlueskyConfig
from connectors.bluesky.source import BlueskySource
from hub.connector import Source
from tests.edge.bluesky_server import ANN, BOB, START, BlueskyServer, bluesky
from tests.edge.live import Journal, nearly_at_once, running, told
from tests.edge.polling import outside, run


@asynccontextmanager
async def listening(server: BlueskyServer, intake: Journal, **config: Any) -> AsyncIterator[None]:
    async with running(source(server.stream, server.url, **config), intake):
        await intake.healthy("ok")
        yield


def source(stream: str, api: str, **config: Any) -> BlueskySource:
    followed = {"accounts": ("ann.example",)} | config
    made = BlueskyConfig(**({"servers": (stream,), "api": api, "internal": True} | followed))
    return BlueskySource(made, outside(), sleep=nearly_at_once, chance=random.Random(7), keep_s=0.0)


def test_it_is_a_source() -> None:
    assert isinstance(BlueskySource(BlueskyConfig(words=("feu",)), outside()), Source)


def test_what_was_there_is_baseline_and_what_comes_is_offered_once() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            server.post("avant", told=False)
            async with listening(server, intake):
                server.post("fumée à la gare")
                server.post("autre chose", did=BOB)
                server.say(server_frame(server))
                server.post("encore")
                await intake.said("Alert: avant", "Alert: fumée à la gare", "Alert: encore")
            assert [item.baseline for item in intake.signals] == [True, False, False]
            signal = intake.signals[1].signal
            assert signal.sender == ANN
            assert signal.infos[0].sender_name == "ann.example"
            assert f"wantedDids={ANN}&" in server.asked[-1]

    run(story)


def server_frame(server: BlueskyServer) -> str:
    """The first event of the history again, as at-least-once delivery may."""
    return json.dumps(server.history[0])


def test_an_edit_is_an_update_and_a_deletion_withdraws_it() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake, accounts=(), hashtags=("#Bruxelles",)):
                one = server.post("une fumée #bruxelles")
                other = server.post("rien")
                server.edit(one, "fausse alerte")
                server.edit(other, "toujours rien")
                server.delete(one)
                server.delete(other)
                await intake.said("Alert: une fumée #bruxelles", "Update: fausse alerte", f"Cancel {one}")
            first, second, third = (item.signal for item in intake.signals)
            assert first.identifier == second.identifier == f"at://{ANN}/app.bsky.feed.post/{one}"
            assert third.references[0].identifier == first.identifier
            assert third.sender == ANN

    run(story)


def test_an_account_that_is_taken_down_takes_its_posts_along() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake, accounts=(), words=("feu",)):
                one = server.post("un feu")
                server.post("un autre feu", did=BOB)
                server.event({"did": ANN, "kind": "identity", "identity": {"did": ANN, "handle": "ann2.example"}})
                server.event({"did": ANN, "kind": "account", "account": {"active": False, "status": "deactivated"}})
                server.event({"did": ANN, "kind": "account", "account": {"active": False, "status": "takendown"}})
                await intake.said("Alert: un feu", "Alert: un autre feu", f"Cancel {one}")
            assert intake.signals[2].signal.notes == ("the account is takendown",)

    run(story)


def test_words_narrow_what_accounts_and_hashtags_bring() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake, hashtags=("gand",), words=("feu",)):
                server.post("bonjour")
                server.post("un feu")
                server.post("un feu", did=BOB)
                server.post("un feu #gand", did=BOB)
                await intake.said("Alert: un feu", "Alert: un feu #gand")
            assert "wantedDids" not in server.asked[-1], "the hashtag may be anybody's"

    run(story)


@pytest.mark.parametrize("answered", [0, 1, 3, 7, 12, 18])
@pytest.mark.parametrize("kept", [False, True], ids=["before it is kept", "after"])
def test_killed_anywhere_it_loses_nothing_and_repeats_nothing(
    answered: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At an offer that never returns: what it had was not kept, or it was and nobody was told. Reading is ahead."""
    monkeypatch.setattr(live, "BATCH", 9)

    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake):
                pass
            for n in range(100):
                server.post(f"manqué {n}")
            intake.left, intake.keeps_last = answered, kept
            intake.healths.clear()
            async with listening(server, intake):
                for n in range(100):
                    server.post(f"vu {n}")
                await intake.fallen.wait()
            intake.left = None
            gone = server.post("effacé")
            intake.healths.clear()
            async with listening(server, intake):
                await intake.until(lambda: len(intake.items) == 201)
                server.delete(gone)
                await intake.until(lambda: len(intake.items) == 202)
            texts = [*(f"manqué {n}" for n in range(100)), *(f"vu {n}" for n in range(100)), "effacé"]
            assert told(intake) == [*(f"Alert: {text}" for text in texts), f"Cancel {gone}"]
            assert not any(item.baseline for item in intake.signals)

    run(story)


def test_a_stream_that_breaks_off_is_gone_on_with_at_the_next_server() -> None:
    async def story() -> None:
        async with bluesky() as server, bluesky() as second:
            intake = Journal(START)
            async with listening(server, intake, servers=(server.stream, second.stream)):
                server.post("un")
                await intake.said("Alert: un")
                second.history = [*server.history]
                second.pass_time(seconds=30)
                second.started_at(10)
                second.post("deux")
                server.end_streams()
                await second.streamed()
                second.post("trois")
                await intake.said("Alert: un", "Alert: deux", "Alert: trois")

    run(story)


def test_where_there_is_no_stream_feeds_are_read_and_nothing_comes_twice() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake):
                server.post("un")
                await intake.said("Alert: un")
                server.down = True
                server.end_streams()
                await intake.until(lambda: "meanwhile the accounts' feeds are read" in intake.healths[-1][1])
                server.post("deux")
                await intake.said("Alert: un", "Alert: deux")
                server.down = False
                await intake.healthy("ok")
                server.post("trois")
                await intake.said("Alert: un", "Alert: deux", "Alert: trois")

    run(story)


def test_after_more_than_a_stream_goes_back_to_feeds_fill_the_gap() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake):
                server.post("un")
                await intake.said("Alert: un")
            for n in range(250):
                server.post(f"manqué {n}", told=False)
            server.pass_time(days=3)
            intake.set_clock(server.now())
            intake.healths.clear()
            async with listening(server, intake):
                server.post("trois")
                await intake.until(lambda: len(intake.items) == 252)
            assert told(intake) == ["Alert: un", *(f"Alert: manqué {n}" for n in range(250)), "Alert: trois"]

    run(story)


def test_an_account_that_is_none_is_named_and_the_others_are_heard() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            made = source(server.stream, server.url, accounts=("ann.example", "@nobody.example"))
            async with running(made, intake):
                await server.streamed()
                assert "there is no account nobody.example" in await intake.healthy("failing")
                server.post("un")
                await intake.said("Alert: un")

    run(story)


def test_where_no_account_can_be_found_nobody_s_posts_are_asked_for() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            server.api_down = True
            async with running(source(server.stream, server.url), intake):
                await intake.until(lambda: len(server.asked) > 3)
                assert not any(path.startswith("/subscribe") for path in server.asked)
                server.api_down = False
                await intake.healthy("ok")
                server.post("un")
                await intake.said("Alert: un")

    run(story)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("garbage", "not what a Jetstream sends"),
        (b"\x28\xb5\x2f\xfd\x00", "not what a Jetstream sends"),
        (b'{"did": "x", "time_us": -5, "kind": "commit"}', "is no time"),
        (
            b'{"did": "x", "time_us": 1800000000000000, "kind": "commit", "commit": {"operation": "create", '
            b'"collection": "app.bsky.feed.post", "rkey": "a/b", "cid": "c", "record": {}}}',
            "its did, rkey or cid is none",
        ),
        ("lies about its size" + "x" * 300_000, "larger than 262144 bytes"),
    ],
    ids=["no JSON", "compressed", "no time", "no post", "too large"],
)
def test_what_cannot_be_read_is_a_dead_letter_and_the_next_is_read(frame: str | bytes, reason: str) -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake):
                server.say(frame)
                server.post("bien")
                await intake.until(lambda: len(intake.items) == 2)
            (letter,) = intake.bad
            assert reason in letter.reason
            assert len(letter.original) <= 4096
            assert told(intake) == ["Alert: bien"]

    run(story)


def test_a_frame_too_large_to_be_taken_is_passed_over_and_said() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake):
                server.post("un")
                await intake.said("Alert: un")
                monster = {"did": ANN, "kind": "commit", "x": "lies about its size" + "x" * (1 << 20)}
                server.pass_time(seconds=2)
                server.event(monster)
                server.pass_time(seconds=2)
                server.post("deux")
                await intake.until(lambda: told(intake) == ["Alert: un", "Alert: deux"])
            assert intake.bad
            assert all("are passed over" in letter.reason for letter in intake.bad)

    run(story)


def test_who_sends_nothing_but_rubbish_is_left_alone_for_a_while() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake):
                for n in range(30):
                    server.say(f"garbage {n}")
                assert "cannot be read" in await intake.healthy("failing")
                await intake.healthy("ok")

    run(story)


def test_a_server_that_hangs_is_noticed_and_left() -> None:
    """One that shakes hands and is never heard of again, not even when it is asked for a sign of life."""

    async def story() -> None:
        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            key = head.lower().partition(b"sec-websocket-key:")[0]
            key = head[len(key) :].partition(b":")[2].partition(b"\r\n")[0].strip()
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            writer.write(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
            writer.write(accept + b"\r\n\r\n")
            await writer.drain()
            await reader.read()  # until it is left
            writer.close()
            await writer.wait_closed()
            left.set()

        left = asyncio.Event()
        deaf = await asyncio.start_server(hang, "127.0.0.1", 0)
        port = deaf.sockets[0].getsockname()[1]
        async with bluesky() as server:
            intake = Journal(START)
            servers = (f"ws://127.0.0.1:{port}/subscribe", server.stream)
            async with listening(server, intake, servers=servers, dead_after=0.2):
                await server.streamed()
                server.post("ici")
                await intake.said("Alert: ici")
            assert any("ended the stream" in reason for _, reason in intake.healths)
            await left.wait()
        deaf.close()
        await deaf.wait_closed()

    run(story)


def test_a_whole_stream_that_says_nothing_is_dead() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake, accounts=(), words=("feu",), dead_after=0.1):
                assert "has sent nothing for 0.1 s" in await intake.healthy("failing")

    run(story)


def test_a_redirect_is_not_followed() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            elsewhere = source(server.stream.replace("/subscribe", "/moved"), server.url)
            async with running(elsewhere, intake):
                assert "redirects: refused" in await intake.healthy("failing")
            assert not any(path.startswith("/subscribe") for path in server.asked)

    run(story)


def test_an_address_that_leads_inside_is_refused() -> None:
    async def story() -> None:
        async with bluesky() as server:
            made = BlueskyConfig(servers=(server.stream,), api=server.url, words=("feu",))
            intake = Journal(START)
            async with running(BlueskySource(made, outside(), sleep=nearly_at_once), intake):
                assert "is an internal address" in await intake.healthy("failing")
            assert not server.asked

    run(story)


def test_a_burst_is_taken_in_batches_and_no_more_than_so_much_is_held() -> None:
    async def story() -> None:
        async with bluesky() as server:
            intake = Journal(START)
            async with listening(server, intake, accounts=(), words=("feu",)):
                intake.gate = asyncio.Event()
                before = intake.offers
                for n in range(3_000):
                    server.post(f"{'feu' if n % 2 else 'calme'} {n}")
                await intake.until(lambda: intake.offers > before)
                intake.gate.set()
                await intake.until(lambda: len(intake.items) == 1_500, 30)
                assert intake.offers - before < 60, "offered in batches"
            assert all("feu" in one for one in told(intake))

    run(story)
