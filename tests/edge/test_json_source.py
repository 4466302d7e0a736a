"""A JSON API polled from a real server: pages, what is new, what is gone, restarts."""

import json
import random
from typing import Any

from connectors.json_api.config import JsonConfig
from connectors.json_api.source import JsonSource
from hub.connector import Source
from hub.model.signal import MsgType
from tests.edge.polling import PolledIntake, Turns, outside, publisher, run, status


def source(url: str, turns: Turns, **more: Any) -> JsonSource:
    fields = {"identifier": "id", "headline": "t"}
    config = JsonConfig(url=url, internal=True, items="items", fields=fields, next="next", **more)
    return JsonSource(config, outside(), sleep=turns, chance=random.Random(7))


def answer(*items: tuple[int, str], **more: Any) -> str:
    return json.dumps({"items": [{"id": n, "t": text} for n, text in items], **more})


def said(intake: PolledIntake) -> list[tuple[str, str]]:
    return [(item.signal.msg_type.value, item.signal.identifier) for item in intake.signals]


def test_it_is_a_source() -> None:
    assert isinstance(source("https://x.example/", Turns()), Source)


def test_items_are_offered_once_and_new_words_are_an_update() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/a"] = answer((1, "a"), (2, "b"))
            async with turns.run(source(f"{site.url}/a", turns), intake):
                await turns.polled()
                await turns.polled()
                site.pages["/a"] = answer((1, "a, worse"), (2, "b"), (3, "c"))
                await turns.polled()
            assert said(intake) == [("Alert", "1"), ("Alert", "2"), ("Update", "1"), ("Alert", "3")]
            assert [item.baseline for item in intake.signals] == [True, True, False, False]
            assert intake.signals[2].signal.references[0].identifier == "1"

    run(story)


def test_what_is_gone_is_over_once_and_may_come_back() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/a"] = answer((1, "a"), (2, "b"))
            async with turns.run(source(f"{site.url}/a", turns, gone_is_over=True), intake):
                await turns.polled()
                site.pages["/a"] = answer((2, "b"))
                await turns.polled()
                await turns.polled()
                site.pages["/a"] = answer((1, "a"), (2, "b"))
                await turns.polled()
            assert said(intake)[2:] == [("Cancel", "1 over"), ("Alert", "1")]
            cancelled = intake.signals[2].signal
            assert cancelled.msg_type is MsgType.CANCEL
            assert cancelled.references[0].identifier == "1"

    run(story)


def test_all_pages_are_read_and_nothing_is_gone_because_one_failed() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/a"] = answer((1, "a"), next="/b")
            site.pages["/b"] = answer((2, "b"))
            async with turns.run(source(f"{site.url}/a", turns, gone_is_over=True), intake):
                await turns.polled()
                site.pages["/b"] = status(500)
                await turns.polled()
                assert intake.healths[-1][0] == "failing"
                site.pages["/b"] = answer((2, "b"))
                await turns.polled()
            assert said(intake) == [("Alert", "1"), ("Alert", "2")]
            assert intake.healths[-1] == ("ok", "")

    run(story)


def test_a_list_of_more_pages_than_are_read_withdraws_nothing() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/a"] = answer((1, "a"), next="/b")
            site.pages["/b"] = answer((2, "b"), next="/c")
            async with turns.run(source(f"{site.url}/a", turns, gone_is_over=True, pages=2), intake):
                await turns.polled()
                site.pages["/a"] = answer((3, "c"), next="/b")
                await turns.polled()
            assert said(intake) == [("Alert", "1"), ("Alert", "2"), ("Alert", "3")]

    run(story)


def test_no_json_is_one_dead_letter_and_a_failure_until_it_is_mended() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/a"] = "<html>maintenance</html>"
            async with turns.run(source(f"{site.url}/a", turns), intake):
                await turns.polled()
                await turns.polled()
                assert len(intake.bad) == 1
                assert intake.healths[-1][0] == "failing"
                site.pages["/a"] = answer((1, "a"))
                await turns.polled()
            assert said(intake) == [("Alert", "1")]
            assert intake.healths[-1] == ("ok", "")

    run(story)


def test_killed_anywhere_it_loses_nothing_and_repeats_nothing() -> None:
    async def story() -> None:
        async with publisher() as site:
            site.pages["/a"] = answer(*((n, "x") for n in range(450)))
            for good in range(1, 4):
                intake, turns = PolledIntake(good_offers=good), Turns()
                async with turns.run(source(f"{site.url}/a", turns), intake):
                    await turns.polled()
                again, more = PolledIntake(kept=intake.kept), Turns()
                async with more.run(source(f"{site.url}/a", more), again):
                    await more.polled()
                first = {item.signal.identifier for item in intake.signals}
                second = {item.signal.identifier for item in again.signals}
                assert first | second == {str(n) for n in range(450)}
                assert not first & second

    run(story)


def test_a_page_that_leads_inside_is_refused() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/a"] = answer((1, "a"), next="http://169.254.169.254/latest")
            async with turns.run(source(f"{site.url}/a", turns), intake):
                await turns.polled()
            assert intake.healths[-1][0] == "failing"
            assert "169.254" in intake.healths[-1][1]

    run(story)
