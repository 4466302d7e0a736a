"""A web page watched on a real server: what is new, what does not count, a changed layout, restarts."""

import random
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from connectors.page.source import PageConfig, PageSource
from hub.connector import BadItem, SignalItem, Source
from tests.edge.polling import PolledIntake, Turns, outside, publisher, run


def page(*lines: str, more: str = "") -> str:
    news = "".join(f"<li>{line}</li>" for line in lines)
    return f"<html><head><title>Tunnels</title></head><body><nav>Menu</nav><ul id=news>{news}</ul>{more}</body></html>"


def source(url: str, turns: Turns, **config: Any) -> PageSource:
    made = PageConfig(url=url, internal=True, watch="#news", **config)
    return PageSource(made, outside(), sleep=turns, chance=random.Random(7))


def headlines(intake: PolledIntake) -> list[str]:
    return [item.signal.infos[0].headline for item in intake.signals]


def test_it_is_a_source() -> None:
    assert isinstance(source("https://x.example/", Turns()), Source)


def test_what_is_new_is_told_once_and_what_was_there_first_is_not() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/p"] = page("Léopold II ouvert")
            async with turns.run(source(f"{site.url}/p", turns), intake):
                await turns.polled()
                site.pages["/p"] = page("Léopold II ouvert", "Montgomery <b>fermé</b>", "Rogier fermé")
                await turns.polled()
                await turns.polled()
                site.pages["/p"] = page("Rogier fermé", "Léopold II ouvert", more="<p>elsewhere</p>")
                await turns.polled()
            assert headlines(intake) == ["Tunnels: - Montgomery fermé"]
            (item,) = intake.signals
            assert item.signal.infos[0].description == "- Montgomery fermé\n- Rogier fermé"
            assert "Rogier" in item.original.decode()

    run(story)


def test_what_does_not_count_makes_no_news() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/p"] = page("Ouvert", "<span class=n>3 visiteurs</span>", "mis à jour 10:00")
            made = source(f"{site.url}/p", turns, ignore=(".n",), ignore_text=(r"\d\d:\d\d",), only="ferm")
            async with turns.run(made, intake):
                await turns.polled()
                site.pages["/p"] = page("Ouvert", "<span class=n>4 visiteurs</span>", "mis à jour 10:05")
                await turns.polled()
                site.pages["/p"] = page("Ouvert", "Beau temps")
                await turns.polled()
                assert not intake.signals
                site.pages["/p"] = page("Ouvert", "Beau temps", "Rogier fermé")
                await turns.polled()
            assert headlines(intake) == ["Tunnels: - Rogier fermé"]

    run(story)


def test_a_changed_layout_is_a_failure_until_it_is_mended() -> None:
    async def story() -> None:
        async with publisher() as site:
            intake, turns = PolledIntake(), Turns()
            site.pages["/p"] = page("Ouvert")
            async with turns.run(source(f"{site.url}/p", turns), intake):
                await turns.polled()
                site.pages["/p"] = "<html><body><div id=nouveau>Fermé</div></body></html>"
                await turns.polled()
                assert intake.healths[-1][0] == "failing"
                assert "layout has changed" in intake.healths[-1][1]
                site.pages["/p"] = page("Ouvert", "Fermé")
                await turns.polled()
            assert headlines(intake) == ["Tunnels: - Fermé"]
            assert intake.healths[-1] == ("ok", "")

    run(story)


def test_after_a_restart_it_goes_on_and_asks_politely() -> None:
    async def story() -> None:
        async with publisher() as site:
            asked: list[str] = []

            async def answer(request: web.Request) -> web.StreamResponse:
                asked.append(request.headers.get("If-None-Match", ""))
                if asked[-1] == '"v1"':
                    return web.Response(status=304)
                return web.Response(text=page("Ouvert"), content_type="text/html", headers={"ETag": '"v1"'})

            intake, turns = PolledIntake(), Turns()
            site.pages["/p"] = answer
            async with turns.run(source(f"{site.url}/p", turns), intake):
                await turns.polled()
            again, more = PolledIntake(kept=intake.kept), Turns()
            async with more.run(source(f"{site.url}/p", more), again):
                await more.polled()
            assert asked == ["", '"v1"']
            assert not again.signals

    run(story)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"watch": "##"}, "is no CSS selector"),
        ({"ignore": ["a["]}, "is no CSS selector"),
        ({"only": "("}, "is no pattern"),
    ],
)
def test_a_mistake_in_the_config_is_told_when_it_is_read(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as told:
        msgspec.convert({"url": "https://x.example/"} | wrong, PageConfig)
    assert said in str(told.value)


@given(st.binary(max_size=300) | st.text(alphabet="<>/ab&;#\"' ", max_size=200).map(str.encode))
def test_no_page_makes_reading_fail(data: bytes) -> None:
    for item in PageSource.read(data, "noise"):
        assert isinstance(item, SignalItem | BadItem)
