"""A feed polled from a real server: what is fetched, what is kept, what is refused."""

import asyncio
import gzip
import random
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.feed.source import FeedConfig, FeedSource
from connectors.http import Fetcher, FetchFailed, is_public
from hub.connector import Source
from hub.model.signal import Category, Hazard, MsgType, Reference, Signal
from tests.contracts.intake import environment
from tests.edge.polling import PolledIntake, Turns, outside, publisher, run, status

NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)


def rss(*entries: tuple[str, str]) -> str:
    items = "".join(
        f"<item><guid>{guid}</guid><title>{title}</title><pubDate>Tue, 14 Jul 2026 10:00:00 GMT</pubDate></item>"
        for guid, title in entries
    )
    return f'<rss version="2.0"><channel><title>Rail</title>{items}</channel></rss>'


def cap(identifier: str, headline: str = "Orage", msg_type: str = "Alert") -> str:
    return (
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{identifier}</identifier><sender>met.example</sender><sent>2026-07-14T10:00:00+02:00</sent>"
        f"<status>Actual</status><msgType>{msg_type}</msgType><scope>Public</scope><info><category>Met</category>"
        "<event>orage</event><urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>"
        f"<headline>{headline}</headline><area><areaDesc>x</areaDesc></area></info></alert>"
    )


def index(base: str, *alerts: str) -> str:
    """An index with two entries for each alert, as MeteoAlarm writes it."""
    entries = "".join(
        f"<entry><id>{base}/{alert}?{area}</id><title>{alert} {area}</title><updated>2026-07-14T08:00:00Z</updated>"
        f'<link href="{base}/cap/{alert}" type="application/cap+xml"/><cap:identifier>{alert}</cap:identifier>'
        f"<cap:areaDesc>{area}</cap:areaDesc><cap:event>orage</cap:event><cap:severity>Severe</cap:severity>"
        "<cap:status>Actual</cap:status><cap:message_type>Alert</cap:message_type></entry>"
        for alert in alerts
        for area in ("north", "south")
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<title>Index</title><id>i</id>{entries}</feed>"
    )


def feed(url: str, turns: Turns, *, allow_internal: bool = False, **config: Any) -> FeedSource:
    given = environment("rail") if allow_internal else outside(token="Bearer abc")
    config = {"internal": True, "sender": "rail.example", **config}
    return FeedSource(FeedConfig(url=url, **config), given, sleep=turns, chance=random.Random(7))


def headlines(intake: PolledIntake) -> list[str]:
    return [item.signal.infos[0].headline for item in intake.signals]


def last(intake: PolledIntake) -> Signal:
    return intake.signals[-1].signal


def test_it_is_a_source() -> None:
    made = FeedSource(FeedConfig(url="https://rail.example/rss"), outside())
    assert isinstance(made, Source)
    assert not made.routes(PolledIntake())


# --- what is news ------------------------------------------------------------------------------------------


def test_the_backlog_is_baseline_and_what_comes_later_is_news() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss(("1", "old"))
            async with turns.run(feed(f"{site.url}/rss", turns, category=Category.TRANSPORT), intake):
                await turns.polled()
                site.pages["/rss"] = rss(("2", "Derailment"), ("1", "old"))
                await turns.polled()
                await turns.polled()
            assert headlines(intake) == ["old", "Derailment"]
            assert [item.baseline for item in intake.signals] == [True, False]
            assert last(intake).infos[0].categories == (Category.TRANSPORT,)
            assert last(intake).infos[0].hazard is Hazard.RAIL
            assert intake.signals[1].original.decode() == rss(("2", "Derailment"), ("1", "old"))
            assert {health for health, _ in intake.healths} == {"ok"}

    run(story)


def test_an_empty_first_poll_ends_the_backlog_too() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss()
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert intake.kept is not None
            again = Turns()
            site.pages["/rss"] = rss(("1", "first"))
            async with again.run(feed(f"{site.url}/rss", again), intake):
                await again.polled()
            assert [item.baseline for item in intake.signals] == [False]

    run(story)


def test_new_words_under_an_old_guid_are_an_update() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss(("1", "No trains"))
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
                site.pages["/rss"] = rss(("1\n", "Trains run normally again"))
                await turns.polled()
            assert last(intake).msg_type is MsgType.UPDATE
            assert last(intake).references == (Reference("rail.example", "1", None),)
            assert last(intake).identifier == "1"

    run(story)


def test_a_restart_repeats_nothing_and_misses_nothing() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss(("1", "a"), ("2", "b"))
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            offers = intake.offers
            site.pages["/rss"] = rss(("1", "a"), ("2", "b"), ("3", "c"))
            again = Turns()
            async with again.run(feed(f"{site.url}/rss", again), intake):
                await again.polled()
            assert headlines(intake) == ["a", "b", "c"]
            assert not intake.signals[-1].baseline
            assert intake.offers == offers + 2  # the news, and the validators that make it count

    run(story)


def test_what_the_hub_could_not_keep_is_offered_again_and_the_cursor_waits() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            intake.down = "disk full"
            site.pages["/rss"] = rss(("1", "a"))
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                waits = [await turns.polled() for _ in range(3)]
                assert await intake.cursor() is None
                assert not intake.items
                assert waits == [1.0, 2.0, 4.0]
                intake.down = ""
                await turns.polled()
            assert headlines(intake) == ["a"]
            assert intake.kept is not None
            assert len(site.requests) == 1

    run(story)


def test_a_cursor_that_cannot_be_read_makes_no_backlog() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(kept="{not a cursor"), Turns()
            site.pages["/rss"] = rss(("1", "a"))
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert [item.baseline for item in intake.signals] == [False]

    run(story)


# --- politeness --------------------------------------------------------------------------------------------


def test_unchanged_feeds_cost_the_publisher_one_304() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            answers: list[int] = []

            async def page(request: web.Request) -> web.StreamResponse:
                known = request.headers.get("If-None-Match") == '"v1"'
                assert not known or request.headers["If-Modified-Since"] == "Tue, 14 Jul 2026 10:00:00 GMT"
                answers.append(304 if known else 200)
                headers = {"ETag": '"v1"', "Last-Modified": "Tue, 14 Jul 2026 10:00:00 GMT"}
                return web.Response(status=answers[-1], headers=headers, text="" if known else rss(("1", "a")))

            site.pages["/rss"] = page
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
                offers = intake.offers
                await turns.polled()
                assert intake.offers == offers
            again = Turns()
            async with again.run(feed(f"{site.url}/rss", again), intake):
                await again.polled()
            assert answers == [200, 304, 304]
            assert headlines(intake) == ["a"]
            agent = site.requests[0].headers["User-Agent"]
            assert agent.startswith("Vigie/")
            assert "feed reader" in agent

    run(story)


def test_it_backs_off_and_honours_retry_after() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = status(500)
            async with turns.run(feed(f"{site.url}/rss", turns, every=60.0), intake):
                waits = [await turns.polled() for _ in range(6)]
                for wait, base in zip(waits, (30, 60, 120, 240, 480, 900), strict=True):
                    assert base <= wait <= base * 1.1
                assert intake.healths[-1][0] == "failing"
                assert "500" in intake.healths[-1][1]
                site.pages["/rss"] = status(429, Retry_After="1800")
                assert await turns.polled() == 1800
                site.pages["/rss"] = status(
                    503, Retry_After="Tue, 14 Jul 2026 11:00:00 GMT", Date="Tue, 14 Jul 2026 10:00:00 GMT"
                )
                assert await turns.polled() == 3600
                site.pages["/rss"] = rss(("1", "a"))
                assert 60 <= await turns.polled() <= 66
                assert intake.healths[-1] == ("ok", "")

    run(story)


def test_a_feed_that_is_gone_says_so_and_is_asked_once_a_day() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = status(410)
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                assert await turns.polled() >= 86_400
            assert intake.healths[-1][0] == "failing"
            assert "gone (410)" in intake.healths[-1][1]

    run(story)


def test_a_feed_without_news_for_long_is_silent() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss(("1", "a"))
            intake.set_clock(NOON)
            async with turns.run(feed(f"{site.url}/rss", turns, silent_after=3600), intake):
                await turns.polled()
                intake.set_clock(NOON + timedelta(minutes=59))
                await turns.polled()
                intake.set_clock(NOON + timedelta(minutes=60))
                await turns.polled()
                site.pages["/rss"] = rss(("1", "a"), ("2", "b"))
                await turns.polled()
            assert intake.healths == [("ok", ""), ("ok", ""), ("silent", "nothing new for 3600 s"), ("ok", "")]

    run(story)


# --- size, time, damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate"])
def test_compressed_answers_are_read(encoding: str) -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            plain = rss(("1", "a")).encode()
            raw = zlib.compressobj(wbits=-15)
            packed = {
                "gzip": gzip.compress(plain),
                "deflate": zlib.compress(plain),
                "raw deflate": raw.compress(plain) + raw.flush(),
            }[encoding]

            async def page(_: web.Request) -> web.StreamResponse:
                return web.Response(body=packed, headers={"Content-Encoding": encoding.split()[-1]})

            site.pages["/rss"] = page
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert headlines(intake) == ["a"]

    run(story)


def test_damaged_compression_is_a_failure_not_a_crash() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()

            async def page(_: web.Request) -> web.StreamResponse:
                return web.Response(body=gzip.compress(rss().encode())[:-20], headers={"Content-Encoding": "gzip"})

            site.pages["/rss"] = page
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert "damaged gzip" in intake.healths[-1][1]

    run(story)


def test_a_hundred_megabytes_are_not_read_to_the_end() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            sent = 0
            ended = asyncio.Event()

            async def page(request: web.Request) -> web.StreamResponse:
                nonlocal sent
                response = web.StreamResponse()
                await response.prepare(request)
                try:
                    while sent < 100_000_000:
                        await response.write(b" " * 1_000_000)
                        sent += 1_000_000
                except ConnectionError:
                    pass
                finally:
                    ended.set()
                return response

            site.pages["/rss"] = page
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
                await ended.wait()
            assert "larger than 10485760 bytes" in intake.healths[-1][1]
            assert sent < 50_000_000

    run(story)


def test_an_announced_size_is_believed() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss(("1", "x" * 5000))
            async with turns.run(feed(f"{site.url}/rss", turns, max_bytes=2048), intake):
                await turns.polled()
            assert "larger than 2048 bytes" in intake.healths[-1][1]

    run(story)


def test_a_bomb_in_gzip_is_given_up_when_it_grows() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            bomb = gzip.compress(b"<rss>" + b" " * 200_000_000)
            assert len(bomb) < 1_000_000

            async def page(_: web.Request) -> web.StreamResponse:
                return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

            site.pages["/rss"] = page
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert "larger than" in intake.healths[-1][1]

    run(story)


def test_a_server_that_never_answers_is_left() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            release = asyncio.Event()

            async def page(_: web.Request) -> web.StreamResponse:
                await release.wait()
                return web.Response()

            site.pages["/rss"] = page
            async with turns.run(feed(f"{site.url}/rss", turns, timeout=0.2), intake):
                await turns.polled()
                release.set()
            assert "did not answer within 0.2 s" in intake.healths[-1][1]

    run(story)


def test_an_unreachable_server_is_named() -> None:
    async def story() -> None:
        async with publisher() as site:
            url = site.url
        intake, turns = PolledIntake(), Turns()
        async with turns.run(feed(f"{url}/rss", turns), intake):
            await turns.polled()
        assert "cannot be reached" in intake.healths[-1][1]
        assert url in intake.healths[-1][1]

    run(story)


def test_a_feed_that_breaks_and_mends_leaves_one_dead_letter() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = "<html><p>we are down at 10:01</p></html>"
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
                site.pages["/rss"] = "<html><p>we are down at 10:02</p></html>"
                await turns.polled()
                assert len(intake.bad) == 1
                assert intake.healths[-1][0] == "failing"
                site.pages["/rss"] = rss(("1", "back"))
                await turns.polled()
            assert headlines(intake) == ["back"]
            assert intake.healths[-1] == ("ok", "")

    run(story)


def test_entities_are_a_dead_letter() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss(("1", "&x;"))
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert "declares XML entities" in intake.bad[0].reason
            assert not intake.signals

    run(story)


def test_large_feeds_are_read_in_a_worker_and_its_limit_is_a_dead_letter() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/rss"] = rss(*((str(n), "x" * 100) for n in range(200)))
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
                assert intake.in_workers == ["parse_feed"]
                assert len(intake.signals) == 200
                intake.worker_limit = "5 s"
                site.pages["/rss"] = rss(*((str(n), "y" * 100) for n in range(200)))
                await turns.polled()
            assert "more time or memory" in intake.bad[0].reason

    run(story)


# --- CAP indexes -------------------------------------------------------------------------------------------


def test_announced_alerts_are_fetched_once_each() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/atom"] = index(site.url, "w-1", "w-2")
            site.pages["/cap/w-1"], site.pages["/cap/w-2"] = cap("w-1"), cap("w-2", "Vent")
            async with turns.run(feed(f"{site.url}/atom", turns), intake):
                await turns.polled()
                await turns.polled()
            assert len(site.asked("/cap/w-1")) == len(site.asked("/cap/w-2")) == 1
            assert [(i.signal.sender, i.signal.identifier) for i in intake.signals] == [
                ("met.example", "w-1"),
                ("met.example", "w-2"),
            ]
            assert intake.signals[0].original == cap("w-1").encode()
            assert all(item.key.startswith("cap:") for item in intake.signals)

    run(story)


def test_many_alerts_come_in_batches_each_with_its_cursor() -> None:
    async def story() -> None:
        async with publisher() as site:
            names = [f"w-{n}" for n in range(50)]
            for name in names:
                site.pages[f"/cap/{name}"] = cap(name)
            site.pages["/atom"] = index(site.url, *names)
            intake, turns = PolledIntake(good_offers=1), Turns()
            async with turns.run(feed(f"{site.url}/atom", turns), intake):
                await turns.polled()
            assert len(intake.signals) == 20
            site.requests.clear()
            intake.good_offers, intake.down = None, ""
            again = Turns()
            async with again.run(feed(f"{site.url}/atom", again), intake):
                await again.polled()
            assert sorted(item.signal.identifier for item in intake.signals) == sorted(names)
            assert len(site.requests) == 1 + 30  # the index, and the alerts that were not durable

    run(story)


def test_an_alert_that_cannot_be_fetched_is_told_from_the_index_then_replaced() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/atom"] = index(site.url, "w-1")
            site.pages["/cap/w-1"] = status(503)
            async with turns.run(feed(f"{site.url}/atom", turns), intake):
                await turns.polled()
                early = last(intake)
                assert early.sender == "rail.example"
                assert [area.description for area in early.infos[0].areas] == ["north", "south"]
                assert any("could not be had" in note and "503" in note for note in early.notes)
                await turns.polled()
                assert len(intake.signals) == 1
                site.pages["/cap/w-1"] = cap("w-1")
                await turns.polled()
                full = last(intake)
                assert (full.sender, full.identifier) == ("met.example", "w-1")
                assert full.msg_type is MsgType.UPDATE
                assert full.references == (Reference("rail.example", "w-1", early.sent),)
                fetched = len(site.asked("/cap/w-1"))
                await turns.polled()
                assert len(site.asked("/cap/w-1")) == fetched
            assert len(intake.signals) == 2

    run(story)


@pytest.mark.parametrize("page", [status(404), "<html>moved</html>"])
def test_an_alert_that_is_not_there_is_told_from_the_index_and_left(page: Any) -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/atom"] = index(site.url, "w-1")
            site.pages["/cap/w-1"] = page
            async with turns.run(feed(f"{site.url}/atom", turns), intake):
                await turns.polled()
                await turns.polled()
            assert len(intake.signals) == 1
            assert len(site.asked("/cap/w-1")) == 1

    run(story)


def test_an_alert_is_tried_five_times_not_for_ever() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/atom"] = index(site.url, "w-1")
            site.pages["/cap/w-1"] = status(503)
            async with turns.run(feed(f"{site.url}/atom", turns), intake):
                for _ in range(8):
                    await turns.polled()
            assert len(site.asked("/cap/w-1")) == 5
            assert len(intake.signals) == 1

    run(story)


# --- where an address may lead -----------------------------------------------------------------------------


def test_a_configured_internal_address_needs_the_word() -> None:
    async def story() -> None:
        async with publisher() as site:
            site.pages["/rss"] = rss(("1", "a"))
            for url in (f"{site.url}/rss", f"{site.url}/rss".replace("127.0.0.1", "localhost")):
                intake, turns = PolledIntake(), Turns()
                async with turns.run(feed(url, turns, internal=False), intake):
                    await turns.polled()
                assert "leads inside" in intake.healths[-1][1]
            assert not site.requests

    run(story)


def test_a_feed_leads_nowhere_inside() -> None:
    async def story() -> None:
        async with publisher() as site, publisher() as secret:
            secret.pages["/cap/w-1"] = cap("w-1")
            site.pages["/atom"] = index(secret.url, "w-1")
            intake, turns = PolledIntake(), Turns()
            async with turns.run(feed(f"{site.url}/atom", turns), intake):
                await turns.polled()
            assert not secret.requests
            assert any("leads inside" in note for note in last(intake).notes)
            allowed = PolledIntake()
            turns = Turns()
            async with turns.run(feed(f"{site.url}/atom", turns, allow_internal=True), allowed):
                await turns.polled()
            assert last(allowed).sender == "met.example"

    run(story)


def test_a_redirect_leads_nowhere_inside() -> None:
    async def story() -> None:
        async with publisher() as site, publisher() as secret:
            secret.pages["/rss"] = rss(("1", "inside"))
            for target in (
                f"{secret.url}/rss",
                "http://169.254.169.254/latest",
                "http://2130706433/",
                "file:///etc/passwd",
            ):
                site.pages["/rss"] = status(302, Location=target)
                intake, turns = PolledIntake(), Turns()
                async with turns.run(feed(f"{site.url}/rss", turns), intake):
                    await turns.polled()
                assert intake.healths[-1][0] == "failing"
                assert "refused" in intake.healths[-1][1]
            assert not secret.requests

    run(story)


def test_redirects_on_the_spot_are_followed_but_not_for_ever() -> None:
    async def story() -> None:
        async with publisher() as site:
            site.pages["/rss"] = status(301, Location="/new")
            site.pages["/new"] = rss(("1", "a"))
            site.pages["/round"] = status(302, Location="/round")
            intake, turns = PolledIntake(), Turns()
            async with turns.run(feed(f"{site.url}/rss", turns), intake):
                await turns.polled()
            assert headlines(intake) == ["a"]
            turns = Turns()
            async with turns.run(feed(f"{site.url}/round", turns), intake):
                await turns.polled()
            assert "redirects more than 5 times" in intake.healths[-1][1]
            assert len(site.asked("/round")) == 6

    run(story)


def test_the_authorization_goes_to_its_own_address_only() -> None:
    async def story() -> None:
        async with publisher() as site, publisher() as other:
            site.pages["/rss"] = status(302, Location=f"{other.url}/rss")
            other.pages["/rss"] = rss(("1", "a"))
            given = environment("rail", token="Bearer abc")
            turns, intake = Turns(), PolledIntake()
            source = FeedSource(FeedConfig(url=f"{site.url}/rss", authorization="token"), given, sleep=turns)
            async with turns.run(source, intake):
                await turns.polled()
            assert site.requests[0].headers["Authorization"] == "Bearer abc"
            assert "Authorization" not in other.requests[0].headers
            assert "Bearer" not in repr(source.__dict__["_config"])

    run(story)


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["10.1.2.3"], ["::1"], ["93.184.216.34", "192.168.0.9"], ["fd00::1"]]
)
def test_a_name_that_resolves_inside_is_refused(answers: list[str]) -> None:
    async def story() -> None:
        async def lookup(_: str, __: int) -> list[str]:
            return answers

        async with Fetcher("Vigie", lookup=lookup) as fetcher:
            with pytest.raises(FetchFailed, match="leads inside") as failed:
                await fetcher.get("http://news.example/rss")
            assert failed.value.lasting

    run(story)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to something else a moment later (DNS rebinding) changes nothing: it is asked once."""

    async def story() -> None:
        async with publisher() as site:
            site.pages["/rss"] = rss(("1", "a"))
            port = site.url.rpartition(":")[2]
            answers = iter([["127.0.0.1"], ["10.0.0.1"]])

            async def lookup(_: str, __: int) -> list[str]:
                return next(answers)

            # Loopback stands for the public address that passes the check.
            monkeypatch.setattr("connectors.http.is_public", lambda address: address == "127.0.0.1")
            async with Fetcher("Vigie", lookup=lookup) as fetcher:
                got = await fetcher.get(f"http://news.example:{port}/rss")
                assert got.body == rss(("1", "a")).encode()
            assert site.requests[0].headers["Host"] == f"news.example:{port}"
            assert next(answers) == ["10.0.0.1"]

    run(story)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd12::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:1::", False),
        ("::7f00:1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_recorded_polls_of_one_feed_are_news_once(samples: Any) -> None:
    async def story() -> None:
        async with publisher() as site:
            folder = samples / "feed"
            first = (folder / "meteoalarm_legacy_atom_poland_test_fetcher_0.xml").read_bytes()
            second = (folder / "meteoalarm_legacy_atom_poland_test_entries_poland_api_0.xml").read_bytes()
            intake, turns = PolledIntake(), Turns()
            site.pages["/atom"] = first
            async with turns.run(feed(f"{site.url}/atom", turns, cap="ignore"), intake):
                await turns.polled()
                assert len(intake.signals) == 84
                offers = intake.offers
                site.pages["/atom"] = second
                await turns.polled()
                assert intake.offers == offers

    run(story)
