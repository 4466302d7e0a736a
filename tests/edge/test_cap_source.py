"""A CAP address polled from a real server: XML and JSON, good and bad alerts together, restarts."""

import random
from typing import Any

import msgspec
import pytest
from aiohttp import web

from connectors.cap.source import CapConfig, CapSource
from hub.connector import Source
from hub.model.signal import MsgType
from tests.edge.polling import PolledIntake, Turns, outside, publisher, run, status


def alert(identifier: str, headline: str = "Orage", *, sender: str = "met.example", msg_type: str = "Alert") -> str:
    return (
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{identifier}</identifier><sender>{sender}</sender><sent>2026-07-14T10:00:00+02:00</sent>"
        f"<status>Actual</status><msgType>{msg_type}</msgType><scope>Public</scope><info><category>Met</category>"
        "<event>orage</event><urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>"
        f"<headline>{headline}</headline><area><areaDesc>x</areaDesc></area></info></alert>"
    )


def alerts(*parts: str) -> str:
    return f"<alerts>{''.join(parts)}</alerts>"


def source(url: str, turns: Turns, **config: Any) -> CapSource:
    return CapSource(CapConfig(url=url, internal=True, **config), outside(), sleep=turns, chance=random.Random(7))


def identifiers(intake: PolledIntake) -> list[str]:
    return [item.signal.identifier for item in intake.signals]


def test_it_is_a_source() -> None:
    made = CapSource(CapConfig(url="https://met.example/cap"), outside())
    assert isinstance(made, Source)
    assert not made.routes(PolledIntake())


def test_its_config_refuses_what_it_does_not_know_and_what_cannot_be() -> None:
    for wrong in ({"url": "https://x/", "evry": 5}, {"url": "file:///etc/passwd"}, {"url": "https://x/", "every": 0.1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, CapConfig)
    assert msgspec.convert({"url": "https://met.example/cap"}, CapConfig).every == 60.0


def test_alerts_are_offered_once_and_new_ones_are_news() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/cap"] = alerts(alert("1"), alert("2"))
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
                offers = intake.offers
                await turns.polled()
                assert intake.offers == offers
                site.pages["/cap"] = alerts(alert("2"), alert("3", msg_type="Cancel"))
                await turns.polled()
            assert identifiers(intake) == ["1", "2", "3"]
            assert [item.baseline for item in intake.signals] == [True, True, False]
            assert intake.signals[2].signal.msg_type is MsgType.CANCEL
            assert intake.signals[2].original.decode() == site.pages["/cap"]

    run(story)


def test_one_identifier_with_two_contents_is_two_messages() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/cap"] = alert("1")
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
                site.pages["/cap"] = alert("1", "Orage plus violent")
                await turns.polled()
            assert identifiers(intake) == ["1", "1"]

    run(story)


def test_a_bad_alert_spoils_none_of_the_others_and_is_kept_once() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/cap"] = alerts(alert("1"), alert(""), alert("3"))
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
                site.pages["/cap"] = alerts(alert("4"), alert(""), alert("3"))
                await turns.polled()
            assert identifiers(intake) == ["1", "3", "4"]
            assert len(intake.bad) == 1
            assert "identifier is missing" in intake.bad[0].reason
            assert intake.healths[-1] == ("ok", "")

    run(story)


def test_what_is_all_bad_stays_a_failure_until_it_is_mended() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()

            async def page(request: web.Request) -> web.StreamResponse:
                assert "If-None-Match" not in request.headers
                return web.Response(text="<html>maintenance</html>", headers={"ETag": '"v1"'})

            site.pages["/cap"] = page
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
                await turns.polled()
                assert [health for health, _ in intake.healths] == ["failing", "failing"]
                assert "holds no CAP alert" in intake.healths[-1][1]
                assert len(intake.bad) == 1
                site.pages["/cap"] = alert("1")
                await turns.polled()
            assert intake.healths[-1] == ("ok", "")
            assert identifiers(intake) == ["1"]

    run(story)


@pytest.mark.parametrize("empty", ["<alerts/>", '{"warnings": []}'])
def test_no_warnings_is_good_news(empty: str) -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/cap"] = empty
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
                site.pages["/cap"] = alert("1")
                await turns.polled()
            assert intake.healths == [("ok", ""), ("ok", "")]
            assert [item.baseline for item in intake.signals] == [False]

    run(story)


def test_a_restart_goes_on_where_it_was() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()

            async def page(request: web.Request) -> web.StreamResponse:
                if request.headers.get("If-None-Match") == '"v1"':
                    return web.Response(status=304)
                return web.Response(text=alerts(alert("1"), alert("2")), headers={"ETag": '"v1"'})

            site.pages["/cap"] = page
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
            again = Turns()
            async with again.run(source(f"{site.url}/cap", again), intake):
                await again.polled()
                site.pages["/cap"] = alerts(alert("1"), alert("2"), alert("3"))
                await again.polled()
            assert site.requests[1].headers["If-None-Match"] == '"v1"'
            assert identifiers(intake) == ["1", "2", "3"]
            assert not intake.signals[2].baseline

    run(story)


def test_hundreds_of_alerts_come_in_batches_and_an_interruption_loses_none() -> None:
    async def story() -> None:
        async with publisher() as site:
            names = [str(n) for n in range(450)]
            site.pages["/cap"] = alerts(*(alert(name) for name in names))
            intake, turns = PolledIntake(good_offers=2), Turns()
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
            assert len(intake.signals) == 400
            assert intake.in_workers == ["parse_cap"]
            intake.good_offers, intake.down = None, ""
            again = Turns()
            async with again.run(source(f"{site.url}/cap", again), intake):
                await again.polled()
            assert sorted(identifiers(intake), key=int) == names

    run(story)


def test_a_document_too_heavy_for_a_worker_is_a_dead_letter() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            intake.worker_limit = "5 s"
            site.pages["/cap"] = alerts(*(alert(str(n)) for n in range(100)))
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
            assert "more time or memory" in intake.bad[0].reason
            assert intake.bad[0].original
            assert intake.healths[-1][0] == "failing"

    run(story)


def test_failures_are_told_and_survived() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/cap"] = status(500)
            async with turns.run(source(f"{site.url}/cap", turns, every=10.0), intake):
                assert 10 <= await turns.polled() <= 11
                assert 20 <= await turns.polled() <= 22
                site.pages["/cap"] = alert("1")
                assert 10 <= await turns.polled() <= 11
            assert [health for health, _ in intake.healths] == ["failing", "failing", "ok"]

    run(story)


def test_a_bomb_is_a_dead_letter_and_the_poll_goes_on() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            site.pages["/cap"] = laughs + alert("&b;")
            async with turns.run(source(f"{site.url}/cap", turns), intake):
                await turns.polled()
                site.pages["/cap"] = alert("1")
                await turns.polled()
            assert "document type declaration" in intake.bad[0].reason
            assert identifiers(intake) == ["1"]

    run(story)


def test_the_recorded_belgian_warnings_are_polled(samples: Any) -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/api"] = (samples / "json" / "meteoalarm_api_feeds-belgium.json").read_bytes()
            async with turns.run(source(f"{site.url}/api", turns), intake):
                await turns.polled()
                offers = intake.offers
                await turns.polled()
            assert len(intake.signals) == 3
            assert intake.offers == offers
            assert {item.media_type for item in intake.signals} == {"application/json"}

    run(story)
