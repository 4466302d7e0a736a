"""Listening to a Mastodon server: what comes, what was missed, edits and deletions, falls at every place."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from connectors import live
from connectors.mastodon.config import MastodonConfig
from connectors.mastodon.source import MastodonSource
from hub.connector import Source
from hub.model.signal import MsgType
from tests.contracts.intake import environment
from tests.edge.live import Journal, nearly_at_once, running, told
from tests.edge.mastodon_server import START, MastodonServer, mastodon
from tests.edge.polling import outside, run


@asynccontextmanager
async def listening(server: MastodonServer, intake: Journal, **config: Any) -> AsyncIterator[MastodonSource]:
    made = source(server, **config)
    async with running(made, intake):
        yield made


def source(server: MastodonServer, check_s: float = 600.0, **config: Any) -> MastodonSource:
    made = MastodonConfig(server=server.url, internal=True, **({"hashtags": ("bruxelles",)} | config))
    quick = {"sleep": nearly_at_once, "chance": random.Random(7), "keep_s": 0.0, "check_s": check_s}
    return MastodonSource(made, outside(), **quick)


def test_it_is_a_source() -> None:
    assert isinstance(MastodonSource(MastodonConfig(server="https://x.example", timeline="local"), outside()), Source)


def test_what_was_there_is_baseline_and_what_comes_is_offered_once() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            server.write("avant #bruxelles")
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                server.post("fumée à la gare #Bruxelles")
                server.post("rien #gand")
                server.tell("update", list(server.statuses.values())[1])
                server.post("encore #bruxelles")
                await intake.said(
                    "Alert: avant #bruxelles", "Alert: fumée à la gare #Bruxelles", "Alert: encore #bruxelles"
                )
            assert [item.baseline for item in intake.signals] == [True, False, False]
            assert intake.signals[1].signal.sender == "ann@social.example"

    run(story)


def test_an_edit_is_an_update_and_a_deletion_withdraws_it() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await intake.healthy("ok")
                one = server.post("une fumée #bruxelles")
                server.edit(one, "un grand feu #bruxelles")
                server.delete(one)
                server.tell("delete", "123", of={"tags": []})
                await intake.said("Alert: une fumée #bruxelles", "Update: un grand feu #bruxelles", f"Cancel {one}")
            first, second, third = (item.signal for item in intake.signals)
            assert second.identifier == first.identifier
            assert second.references[0].identifier == third.references[0].identifier == first.identifier
            assert third.sender == first.sender

    run(story)


def test_only_what_is_public_and_wanted_is_offered() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake, words=("feu",), and_words=("midi", "nord")):
                await intake.healthy("ok")
                server.post("un feu à la gare du Midi #bruxelles", visibility="unlisted")
                server.post("un feu au parc #bruxelles")
                dull = server.post("calme au Nord #bruxelles")
                server.post("un FEU au Nord #bruxelles")
                server.delete(dull)
                server.post("feu, Midi #bruxelles")
                await intake.said("Alert: un FEU au Nord #bruxelles", "Alert: feu, Midi #bruxelles")

    run(story)


def test_accounts_are_looked_at_and_boosts_count_as_their_author_s() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            server.write("bonjour", author="police@zone.example")
            fire = server.write("incendie", author="siamu")
            async with listening(server, intake, hashtags=(), accounts=("@police@zone.example",), boosts=True):
                await intake.until(lambda: len(intake.items) == 1)
                server.boost(fire, "police@zone.example")
                server.write("rue fermée", author="police@zone.example")
                await intake.said("Alert: bonjour", "Alert: incendie", "Alert: rue fermée")
            boosted = intake.signals[1].signal
            assert boosted.sender == "siamu@social.example"
            assert [(p.name, p.value) for p in boosted.infos[0].parameters] == [("passed on by", "police@zone.example")]

    run(story)


def test_an_account_that_is_none_is_named_and_the_others_are_heard() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            server.write("bonjour", author="siamu")
            async with listening(server, intake, hashtags=(), accounts=("siamu", "nobody")):
                await intake.until(lambda: len(intake.items) == 1)
                assert "knows no account nobody" in await intake.healthy("failing")

    run(story)


def test_what_was_missed_is_read_page_by_page_when_the_stream_is_back() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                server.post("avant #bruxelles")
                await intake.until(lambda: len(intake.items) == 1)
                for n in range(95):
                    server.write(f"manqué {n} #bruxelles")
                server.end_streams()
                await intake.until(lambda: len(intake.items) == 96)
                await server.streamed()
                server.post("après #bruxelles")
                await intake.until(lambda: len(intake.items) == 97)
            assert [one.partition(": ")[2] for one in told(intake)] == [
                "avant #bruxelles", *(f"manqué {n} #bruxelles" for n in range(95)), "après #bruxelles",
            ]  # fmt: skip

    run(story)


@pytest.mark.parametrize("answered", [0, 1, 3, 7, 12, 18])
@pytest.mark.parametrize("kept", [False, True], ids=["before it is kept", "after"])
def test_killed_anywhere_it_loses_nothing_and_repeats_nothing(
    answered: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At an offer that never returns: what it had was not kept, or it was and nobody was told. Reading is ahead."""
    monkeypatch.setattr(live, "BATCH", 9)

    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await intake.healthy("ok")
            for n in range(100):
                server.write(f"manqué {n} #bruxelles")
            intake.left, intake.keeps_last = answered, kept
            async with listening(server, intake):
                await server.streamed()
                for n in range(100):
                    server.post(f"vu {n} #bruxelles")
                await intake.fallen.wait()
            intake.left = None
            gone = server.post("effacé #bruxelles")
            async with listening(server, intake):
                await server.streamed()
                await intake.until(lambda: len(intake.items) == 201)
                server.delete(gone)
                await intake.until(lambda: len(intake.items) == 202)
            texts = [*(f"manqué {n}" for n in range(100)), *(f"vu {n}" for n in range(100)), "effacé"]
            assert told(intake) == [*(f"Alert: {text} #bruxelles" for text in texts), f"Cancel {gone}"]
            assert not any(item.baseline for item in intake.signals)

    run(story)


def test_nothing_is_lost_where_the_hub_can_keep_nothing_for_a_while() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                intake.down = "disk full"
                for n in range(20):
                    server.post(f"{n} #bruxelles")
                tries = intake.offers
                await intake.until(lambda: intake.offers > tries + 3)
                assert not intake.items
                intake.down = ""
                await intake.said(*(f"Alert: {n} #bruxelles" for n in range(20)))

    run(story)


def test_what_was_edited_or_deleted_while_nobody_listened_is_found_out() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                one, two = server.post("un #bruxelles"), server.post("deux #bruxelles")
                server.post("trois #bruxelles")
                await intake.until(lambda: len(intake.items) == 3)
            server.edit(one, "un, corrigé #bruxelles", told=False)
            server.delete(two, told=False)
            async with listening(server, intake):
                await intake.until(lambda: len(intake.items) == 5)
                await server.streamed()
            assert sorted(told(intake)[3:]) == sorted(["Update: un, corrigé #bruxelles", f"Cancel {two}"])

    run(story)


def test_an_older_server_that_cannot_be_asked_for_several_withdraws_nothing() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            server.batches = False
            server.write("un #bruxelles")
            async with listening(server, intake):
                await intake.until(lambda: len(intake.items) == 1)
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                server.post("deux #bruxelles")
                await intake.said("Alert: un #bruxelles", "Alert: deux #bruxelles")
            assert any(path.startswith("/api/v1/statuses?") for path in server.asked)

    run(story)


def test_a_server_that_hangs_is_noticed_and_left() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            server.hanging = True
            async with listening(server, intake, dead_after=0.1):
                assert "did not answer within 0.1 s" in await intake.healthy("failing")
                server.hanging = False
                await intake.until(lambda: intake.healths[-1] == ("ok", ""))
                server.post("de retour #bruxelles")
                await intake.said("Alert: de retour #bruxelles")

    run(story)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b'event: update\ndata: {"id": 1\n\n', "no Mastodon status"),
        (b"event: update\ndata: \xff\xfe\x00\n\n", "no Mastodon status"),
        (b"event: update\ndata: {}\n\n", "no Mastodon status"),
        (b"event: update\ndata: " + b"x" * 300_000 + b"\n\n", "larger than 262144 bytes"),
    ],
    ids=["cut short", "no text", "no status", "too large"],
)
def test_what_cannot_be_read_is_a_dead_letter_and_the_next_is_read(said: bytes, reason: str) -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                server.say(said)
                server.say(
                    b"\r\n\nnonsense\nevent: notification\ndata: {}\n\nevent: filters_changed\ndata: undefined\n\n"
                )
                server.post("bien #bruxelles")
                await intake.until(lambda: len(intake.items) == 2)
            (letter,) = intake.bad
            assert reason in letter.reason
            assert len(letter.original) <= 4096
            assert told(intake) == ["Alert: bien #bruxelles"]

    run(story)


def test_who_sends_nothing_but_rubbish_is_left_alone_for_a_while() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake):
                await server.streamed()
                await intake.healthy("ok")
                for n in range(30):
                    server.say(f"event: update\ndata: rubbish {n}\n\n".encode())
                assert "cannot be read" in await intake.healthy("failing")
                await server.streamed()
                await intake.healthy("ok")

    run(story)


def test_the_token_is_shown_and_one_that_is_wrong_is_told() -> None:
    async def story() -> None:
        async with mastodon(token="s3cret") as server:
            intake = Journal(START + timedelta(hours=1))
            made = MastodonConfig(server=server.url, internal=True, token="TOKEN", hashtags=("bruxelles",))
            good, wrong = (
                MastodonSource(made, environment("test", TOKEN=token), sleep=nearly_at_once)
                for token in ("s3cret", "no")
            )
            for one, health in ((good, "ok"), (wrong, "failing")):
                async with running(one, intake):
                    reason = await intake.healthy(health)
            assert "answers 401" in reason
            assert "no" not in reason.split()

    run(story)


def test_a_limit_is_kept_for_as_long_as_the_server_says() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            waits: list[float] = []
            server.failing, server.headers = 429, {
                "X-RateLimit-Reset": "2026-07-14T19:00:00.000Z",
                "Date": "Tue, 14 Jul 2026 18:56:00 GMT",
            }  # fmt: skip

            async def sleep(wait_s: float) -> None:
                waits.append(wait_s)
                await asyncio.Event().wait()

            made = MastodonConfig(server=server.url, internal=True, hashtags=("bruxelles",))
            async with running(MastodonSource(made, outside(), sleep=sleep), intake):
                assert "answers 429" in await intake.healthy("failing")
            assert 240.0 in waits

    run(story)


def test_streams_may_be_on_a_server_of_their_own_but_not_on_an_internal_one() -> None:
    async def story() -> None:
        async with mastodon() as streams, mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            server.streaming = streams.url.replace("http://", "ws://")
            async with listening(server, intake):
                await streams.streamed()
                await intake.healthy("ok")
                streams.post("ici #bruxelles")
                await intake.said("Alert: ici #bruxelles")

        made = MastodonSource(
            MastodonConfig(server="http://127.0.0.1:1", hashtags=("a",)), outside(), sleep=nearly_at_once
        )
        intake = Journal(START + timedelta(hours=1))
        async with running(made, intake):
            assert "internal address" in await intake.healthy("failing")

    run(story)


def test_a_burst_is_taken_in_batches_and_no_more_than_so_much_is_held() -> None:
    async def story() -> None:
        async with mastodon() as server:
            intake = Journal(START + timedelta(hours=1))
            async with listening(server, intake, words=("feu",)):
                await server.streamed()
                await intake.healthy("ok")
                intake.gate = asyncio.Event()
                before = intake.offers
                for n in range(3_000):
                    server.post(f"{'feu' if n % 2 else 'calme'} {n} #bruxelles")
                await intake.until(lambda: intake.offers > before)
                intake.gate.set()
                await intake.until(lambda: len(intake.items) == 1_500, 30)
                assert intake.offers - before < 60, "offered in batches"
            assert all("feu" in one for one in told(intake))
            assert {item.signal.msg_type for item in intake.signals} == {MsgType.ALERT}

    run(story)
