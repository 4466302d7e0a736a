"""The live view, given pictures of real nights (tests/stories.py): what a person must be able to read off it."""

import io
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import pytest
import trio
from rich.console import Console

from hub.engine.state import State
from hub.picture import Recent, picture
from hub.view import LANGUAGES, Viewer, Words, changes, language_of, screen, watch
from hub.view.glance import countdown, plain
from hub.view.words import TEXTS
from tests.stories import START, Night

EXERCISE = {"fr": "EXERCICE", "nl": "OEFENING", "de": "ÜBUNG", "en": "EXERCISE"}
TIER_2 = {"fr": "échelon 2 sur 2", "nl": "trap 2 van 2", "de": "Stufe 2 von 2", "en": "tier 2 of 2"}


class Told:
    """A night and what the hub's live view is given of it."""

    def __init__(self) -> None:
        self.night = Night()
        self.recent = Recent()
        self._followed = 0

    def picture(self, **more: Any) -> dict[str, Any]:
        for decision in self.night.decisions[self._followed :]:
            self.recent.decided(decision)
        self._followed = len(self.night.decisions)
        return {**picture(self.night.state, self.night.now, self.recent), "playback": True, "trouble": None, **more}

    def as_served(self, **more: Any) -> dict[str, Any]:
        """As `/api/status` gives it: JSON."""
        served: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self.picture(**more)))
        return served


def drawn(shown: Mapping[str, Any], language: str = "en", width: int = 200, height: int = 50, **more: Any) -> str:
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False
    )
    with console.capture() as capture:
        console.print(screen(shown, Words(language), width=width, height=height, **more))
    return capture.get()


def second_tier() -> Told:
    """Nobody answers for four minutes: officer-b is being asked, until four minutes later."""
    told = Told()
    told.night.fails.add(("officer-a", "voice"))
    told.night.signal()
    told.night.after(minutes=4, seconds=30)
    told.recent.took("meteo", START, "ok", signals=1)
    told.recent.took("press", START, "failing", "HTTP 503")
    return told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 200])
def test_a_chain_under_way_can_be_read_off(language: str, width: int) -> None:
    text = drawn(second_tier().as_served(), language, width)
    words = Words(language)
    assert EXERCISE[language] in text
    assert TIER_2[language] in text
    assert "officer-b" in text
    assert words("asked") in text
    assert "meteo" in text
    assert words("failing") in text
    assert "HTTP 503" in text
    assert words("failed") in text  # the call to officer-a
    assert "storm" in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_the_countdown_is_that_of_the_deadline() -> None:
    told = second_tier()  # asked 30 s ago: 1:00 until the call, 3:30 until the next
    assert "next channel in 1:00" in drawn(told.picture())
    assert "3:30 left" in drawn(told.picture())
    told.night.after(seconds=10)
    assert "next channel in 0:50" in drawn(told.picture())


def test_the_hub_and_its_api_give_the_same_view() -> None:
    told = second_tier()
    assert drawn(told.picture()) == drawn(told.as_served())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 200])
def test_an_empty_picture(language: str, width: int) -> None:
    words = Words(language)
    for shown in ({}, picture(State(), START, Recent())):
        text = drawn(shown, language, width)
        assert words("chains") in text
        assert words("none") in text
        assert EXERCISE[language] not in text
    assert changes({}, {}, words) == []


def test_troubles_stand_on_top() -> None:
    told = second_tier()
    shown = told.as_served(trouble="disk full", stopped={"by": "Anne", "why": "false alarm"})
    top = "\n".join(drawn(shown, width=120).splitlines()[:4])
    assert "NOTHING CAN BE RECORDED: disk full" in top
    assert "STOPPED by Anne: false alarm" in top


def test_a_hub_that_does_not_answer_is_told_once_and_its_last_picture_stays() -> None:
    told, words = second_tier(), Words("en")
    before = told.as_served()
    lost = before | {"lost": "ClientConnectorError"}
    assert "the hub does not answer: ClientConnectorError" in drawn(lost)
    assert "officer-b" in drawn(lost)
    assert [c.split("  ", 1)[1] for c in changes(before, lost, words)] == [
        "the hub does not answer: ClientConnectorError"
    ]
    assert changes(lost, lost, words) == []


def test_an_exhausted_chain_raises_an_alarm_in_the_view() -> None:
    told = Told()
    told.night.signal()
    told.night.after(minutes=10)
    assert told.night.alarms()
    for width in (80, 200):
        text = drawn(told.picture(), width=width)
        assert "Alarms" in text
        assert told.night.alarms()[0] in text
        assert "exhausted" in text


HOSTILE = [
    "[bold red]x[/]",
    "[/]",
    "[link=http://example.org]x[/link]",
    ":boom:",
    "\x1b[2Jgone",
    "\x1b]0;title\x07",
    "a\r\nb",
    "\u202egnirts",
    "{0.__class__}",
    "{n}",
    "%s",
    "\ud800",
    "",
    "x" * 5000,
    "\x9b31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_comes_from_outside_is_shown_as_it_is_or_made_harmless(text: str) -> None:
    told = second_tier()
    told.recent.took(text, START, "failing", text, 1)
    shown = told.picture(trouble=text, stopped={"by": text, "why": text}, node=text)
    for entries in (shown["alarms"], shown["tasks"], shown["incidents"], shown["deliveries"], shown["chains"]):
        entries.append({key: text for entry in entries for key in entry} | {"id": "h", "order": "h", "steps": {}})
    shown["chains"][-1] |= {"asking": [{"person": text, "code": text, "outcome": text, "by": []}], "round": 1}
    shown["chains"][-1] |= {"more": {"open": 0, "closed": 0}}
    shown["incidents"][-1] |= {"signals": 1, "reached": 1, "key": [text]}
    out = drawn(shown, width=200, hints=[text]) + "\n".join(changes({}, shown, Words("en")))
    out.encode()
    for bad in ("\x1b", "\x07", "\r", "\u202e", "\x9b"):
        assert bad not in out
    if text.isprintable() and 0 < len(text) < 50:
        assert text in out


@pytest.mark.parametrize("height", [1, 5, 10, 24])
@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_small_terminal_keeps_what_matters_most(width: int, height: int) -> None:
    told = second_tier()
    for number in range(100):
        told.recent.took(f"source-{number}", START, "ok", signals=number)
    text = drawn(told.as_served(), width=width, height=height, hints=["look here"])
    assert len(text.splitlines()) <= max(height, 12)
    if height >= 24 and width >= 80:
        assert "officer-b" in text
        assert "failing" in text  # before the hundred that are well
        assert "more" in text
        assert "look here" in text


def test_of_a_chain_that_asks_very_many_the_open_are_shown_and_the_others_counted() -> None:
    told = Told()
    told.night.world.groups["a"] = tuple(f"officer-{n}" for n in range(200))
    told.night.world.chains["duty"] = msgspec.structs.replace(told.night.world.chains["duty"], need=50)
    told.night.signal()
    for n in range(30):
        told.night.person(f"officer-{n}").replies("ja")
    (chain,) = told.as_served()["chains"]
    assert [ask["person"] for ask in chain["asking"]] == [f"officer-{n}" for n in range(30, 50)]
    assert chain["more"] == {"open": 150, "closed": 30}
    assert "and 150 more being asked, 30 done with" in drawn(told.as_served(), height=100)


def test_the_newest_deliveries_stay() -> None:
    told = second_tier()
    shown = told.as_served()
    shown["deliveries"] = [dict(shown["deliveries"][0], to=f"person-{n}", order=str(n)) for n in range(60)]
    text = drawn(shown, height=30)
    assert "person-59" in text
    assert "person-0 " not in text


def test_lines_tell_the_night_in_order() -> None:
    told, lines, before = Told(), [], {}
    words = Words("en")

    def look() -> None:
        nonlocal before
        now = told.as_served()
        lines.extend(changes(before, now, words))
        before = now

    look()
    told.night.signal()
    look()
    look()  # nothing happened: nothing is said
    told.night.after(seconds=90)
    look()
    told.night.after(seconds=150)
    look()
    told.night.person("officer-b").replies("oui")
    look()
    said = [line.split("  ", 1)[-1] for line in lines]
    assert said[0].startswith("EXERCISE · PLAYBACK")
    for earlier, later in [
        ("incident storm thunderstorm: opened Actual", "chain duty: began"),
        ("chain duty: began", "sms to officer-a sent storm-wake"),
        ("sms to officer-a sent storm-wake", "voice to officer-a sent storm-wake"),
        ("voice to officer-a sent storm-wake", "chain duty: tier 2 of 2"),
        ("chain duty: tier 2 of 2", "chain duty: over"),
        ("chain duty: tier 2 of 2", "incident storm thunderstorm: wake accepted"),
    ]:
        assert said.index(earlier) < said.index(later), (earlier, later, said)
    assert len(said) == len(set(said)), "said twice"


def test_a_source_that_fails_and_comes_back() -> None:
    told, words = Told(), Words("en")
    before = told.as_served()
    told.recent.took("meteo", START, "failing", "HTTP 500")
    failing = told.as_served()
    assert changes(before, failing, words)[-1].endswith("source meteo: failing HTTP 500")
    told.recent.took("meteo", START, "ok", "", 3)
    assert [c.split("  ", 1)[1] for c in changes(failing, told.as_served(), words)] == [
        "source meteo: ok",
        "source meteo: 3 signals",
    ]


def in_trouble(health: str, **more: Any) -> list[dict[str, Any]]:
    works = {"name": "voice", "health": "ok", "reason": "", "since": None, "people": 0, "meanwhile": ""}
    fails = {"reason": "Twilio: HTTP 503", "since": START, "people": 4, "meanwhile": "sms-second", **more}
    return [works, {**works, "name": "sms", "health": health, **(fails if health != "ok" else {})}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_channel_that_fails_is_shown_with_what_stands_in_for_it(language: str) -> None:
    words = Words(language)
    text = drawn(Told().as_served(channels=in_trouble("failing")), language)
    assert words("channels") in text
    (line,) = [line for line in text.splitlines() if "sms-second" in line]
    for told in (words("failing"), words("meanwhile", channel="sms-second"), "04:10", "Twilio: HTTP 503"):
        assert told in line
    assert "voice" not in text, "what works needs no place"
    assert words("channels") not in drawn(Told().as_served(channels=in_trouble("ok")), language)


def test_a_channel_that_fails_and_works_again_is_a_line_each() -> None:
    told, words = Told(), Words("en")
    before, fails, after = (told.as_served(channels=in_trouble(health)) for health in ("ok", "failing", "ok"))
    assert not [line for line in changes({}, before, words) if "channel" in line]
    (line,) = changes(before, fails, words)
    assert line.endswith("channel sms: failing Twilio: HTTP 503 meanwhile by sms-second")
    (line,) = changes(fails, after, words)
    assert line.endswith("channel sms: ok")


def following(health: str, behind_s: float = 0.0) -> list[dict[str, Any]]:
    since, reason = (START, "the receiver answered 503") if health == "failing" else (None, "")
    one = {"name": "desk", "type": "webhook", "health": health, "reason": reason, "since": since, "behind_s": behind_s}
    return [one, {**one, "name": "bus", "health": "ok", "reason": "", "since": None, "behind_s": 0.0}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_follows_and_does_not_keep_up_is_shown_with_how_far_behind_it_is(language: str) -> None:
    words = Words(language)
    text = drawn(Told().as_served(followers=following("failing", 754.0)), language)
    (line,) = [line for line in text.splitlines() if "desk" in line]
    for told in (words("failing"), words("behind_by", min=12), "04:10", "503"):
        assert told in line
    assert "bus" not in text
    assert words("behind") in drawn(Told().as_served(followers=following("ok", 61.0)), language)
    assert words("followers") not in drawn(Told().as_served(followers=following("ok", 2.0)), language)


def test_who_follows_falls_behind_and_catches_up_is_a_line_each() -> None:
    told, words = Told(), Words("en")
    before, fails, after = (told.as_served(followers=following(*how)) for how in (("ok",), ("failing", 9.0), ("ok",)))
    assert not [line for line in changes({}, before, words) if "desk" in line]
    (line,) = changes(before, fails, words)
    assert line.endswith("connected system desk: failing the receiver answered 503")
    (line,) = changes(fails, after, words)
    assert line.endswith("connected system desk: ok")


def test_every_language_has_the_same_texts_with_the_same_blanks() -> None:
    for texts in TEXTS.values():
        assert texts.keys() == TEXTS["en"].keys()
        for key, text in texts.items():
            assert text.count("{") == TEXTS["en"][key].count("{"), key
            assert sorted(_blanks(text)) == sorted(_blanks(TEXTS["en"][key])), key


def _blanks(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "nl_BE.UTF-8"}, "nl"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE", "LC_ALL": "fr_BE.UTF-8"}, "fr"),
        ({"LANG": "de_BE", "LC_ALL": ""}, "de"),
    ],
)
def test_the_language_is_the_terminals(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="fr, nl, de, en"):
        Words("it")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (0.1, "0:01"), (59.5, "1:00"), (754, "12:34"), (3600, "1 h 00"), (7500, "2 h 05")],
)
def test_countdowns(seconds: float, text: str) -> None:
    assert countdown(seconds) == text


def test_names_in_any_script_stay_as_they_are() -> None:
    for name in ("Agnès Vandenbroucke-Müller", "新闻", "विदेश", "a\u200db"):
        assert plain(name) == name


def test_without_a_terminal_each_change_is_a_line() -> None:
    out, told = io.StringIO(), Told()
    with Viewer(out, Words("fr"), ["téléphones : http://127.0.0.1:8090/"]) as viewer:
        assert not viewer.on_screen
        viewer.show(told.as_served())
        told.night.signal()
        viewer.show(told.as_served())
        viewer.show(told.as_served())
    lines = out.getvalue().splitlines()
    assert lines[0] == "téléphones : http://127.0.0.1:8090/"
    assert "EXERCICE" in lines[1]
    assert sum("incident storm thunderstorm: ouvert" in line for line in lines) == 1
    assert "\x1b" not in out.getvalue()


def test_a_picture_with_a_naive_or_missing_instant_is_still_shown() -> None:
    told = second_tier()
    shown = told.as_served(now="not a time")
    assert "officer-b" in drawn(shown)
    assert datetime.fromisoformat(told.as_served()["now"]).tzinfo is not None


@pytest.mark.trio
async def test_the_hub_goes_on_while_the_terminal_stands_still() -> None:
    told, stuck, asked = Told(), threading.Event(), trio.Event()

    class Terminal(io.StringIO):
        def write(self, text: str) -> int:
            trio.from_thread.run_sync(asked.set)
            stuck.wait(10)  # as a terminal does after Ctrl-S
            return len(text)

    with Viewer(io.StringIO(), Words("en")) as viewer:
        viewer._console.file = Terminal()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, told.as_served, viewer)
            await asked.wait()
            await trio.lowlevel.checkpoint()  # the loop turns although the terminal has not taken its line
            nursery.cancel_scope.cancel()
    stuck.set()
