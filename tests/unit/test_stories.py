"""Which signals are one story, which are kept apart, and that the memory of them stays bounded."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.intake import stories
from hub.intake.likeness import Likeness, alike
from hub.intake.stories import COMPARED, PER_KEY, STRANGERS_MOST, Placed, Stories, Told
from hub.model.area import Area, Circle, Geocode
from hub.model.signal import Hazard, Info, MsgType, Named, Reference, Signal, Status

START = datetime(2026, 7, 14, 9, tzinfo=UTC)
FIRE = (
    "Incendie rue du Noyer à Schaerbeek : trois blessés",
    "Un incendie s'est déclaré mardi vers 10h20 dans un immeuble de la rue du Noyer à Schaerbeek. Trois personnes ont "
    "été transportées à l'hôpital. Les pompiers ont évacué 24 habitants.",
)
FIRE_NL = (
    "Drie gewonden bij brand in Schaarbeek",
    "In een gebouw in de Notelaarsstraat (rue du Noyer) in Schaarbeek is dinsdag rond 10.20 uur brand uitgebroken. "
    "Drie mensen werden naar het ziekenhuis gebracht, 24 bewoners werden geëvacueerd.",
)
FIRE_ELSEWHERE = (
    "Incendie rue du Bailli à Ixelles : trois blessés",
    "Un incendie s'est déclaré mardi vers 10h20 dans un immeuble de la rue du Bailli à Ixelles. Trois personnes ont "
    "été transportées à l'hôpital. Les pompiers ont évacué 24 habitants.",
)


class Desk:
    """A memory, and what comes in minute by minute, each signal from a source of its own unless said otherwise."""

    def __init__(self, **more: Any) -> None:
        self.stories = Stories(**more)
        self.at = START
        self.count = 0

    def told(self, text: tuple[str, str] = FIRE, *, after: timedelta = timedelta(minutes=1), **more: Any) -> Told:
        self.at += after
        self.count += 1
        name = f"source-{self.count}"
        about = {f: more.pop(f) for f in ("hazard", "web", "areas", "onset", "expires", "parameters") if f in more}
        info = Info(language=more.pop("language", "fr"), headline=text[0], description=text[1], **about)
        signal = Signal(
            source=more.pop("source", name),
            sender=more.pop("sender", name),
            identifier=more.pop("identifier", f"message-{self.count}"),
            sent=self.at,
            infos=more.pop("infos", (info,)),
            **more,
        )
        return Told(f"fact-{self.count:05}", self.at, signal)

    def hears(self, text: tuple[str, str] = FIRE, **more: Any) -> Placed:
        return self.stories.place(self.told(text, **more))


# --- how a signal is recognised ------------------------------------------------------------------------------


def test_the_same_text_from_another_outlet_is_the_same_story() -> None:
    desk = Desk()
    first = desk.hears()
    assert (first.how, first.story) == ("new", "fact-00001")
    second = desk.hears((FIRE[0] + " (photos)", FIRE[1]))
    assert (second.how, second.story, second.of) == ("same text", "fact-00001", "fact-00001")
    assert second.likeness > 0.9


def test_the_same_facts_in_another_language_are_the_same_story() -> None:
    desk = Desk()
    desk.hears(FIRE)
    other = desk.hears(FIRE_NL, language="nl")
    assert (other.how, other.story) == ("same facts", "fact-00001")
    assert 0.4 < other.likeness <= 1


def test_another_street_is_another_story_though_all_else_is_the_same() -> None:
    desk = Desk()
    desk.hears(FIRE)
    assert desk.hears(FIRE_ELSEWHERE).how == "new"


def test_figures_and_dates_that_contradict_speak_against() -> None:
    notice = ("Tram 24 interrompu", "Travaux du 8/5 au 12/5 : tram 24 interrompu entre Meir et Ledeberg.")
    other = ("Tram 42 interrompu", "Travaux du 8/5 au 12/5 : tram 42 interrompu entre Meir et Ledeberg.")
    later = ("Tram 24 interrompu", "Travaux du 17/5 au 20/5 : tram 24 interrompu entre Meir et Ledeberg.")
    desk = Desk()
    desk.hears(notice)
    assert desk.hears(other).how == "new"
    assert desk.hears(later).how == "new"
    assert desk.hears(notice).story == "fact-00001"


def test_an_edit_and_an_update_stay_in_their_story_whatever_they_say() -> None:
    desk = Desk()
    desk.hears(source="kmi", sender="kmi", identifier="a")
    edit = desk.hears(("Other words", ""), source="kmi", sender="kmi", identifier="a")
    assert (edit.how, edit.story, edit.of) == ("same message", "fact-00001", "fact-00001")
    update = desk.hears(
        ("", ""),
        source="kmi",
        sender="kmi",
        identifier="b",
        msg_type=MsgType.CANCEL,
        references=(Reference("kmi", "a"),),
        infos=(),
    )
    assert (update.how, update.story, update.of) == ("same message", "fact-00001", "fact-00002")


def test_nobody_updates_what_another_has_sent() -> None:
    for more in ({"source": "webhook", "sender": "kmi"}, {"source": "kmi", "sender": "somebody"}):
        desk = Desk()
        desk.hears(source="kmi", sender="kmi", identifier="a")
        claimed = desk.hears(("False alarm", "Nothing happened."), references=(Reference("kmi", "a"),), **more)
        assert claimed.how == "new"


def test_a_sender_s_incident_joins_its_messages_but_not_what_every_message_has() -> None:
    desk = Desk()
    gdacs: dict[str, Any] = {"source": "gdacs", "sender": "gdacs"}
    desk.hears(("Cyclone", "In the Pacific."), incidents=("1001297",), **gdacs)
    assert desk.hears(("Green alert", "Wind is falling."), incidents=("1001297",), **gdacs).how == "same message"
    meteo: dict[str, Any] = {"source": "meteoalarm", "sender": "kmi", "incidents": ("Alert",)}
    desk.hears(("Fog", "In Antwerp."), **meteo)
    assert desk.hears(("Wind", "In Liège."), **meteo).how == "new"


def test_a_post_that_leads_to_an_article_tells_its_story() -> None:
    desk = Desk()
    desk.hears(web="https://www.news.example.org/brussels/fire-1234?utm_source=rss#top")
    post = desk.hears(("Look at this!", ""), links=("https://m.news.example.org/brussels/fire-1234/",))
    assert (post.how, post.story) == ("same link", "fact-00001")
    home = desk.hears(("And this!", ""), links=("https://www.news.example.org/",))
    assert home.how == "new"


def test_a_page_that_all_messages_of_a_teller_lead_to_is_no_identity() -> None:
    desk = Desk()
    works: dict[str, Any] = {"source": "stib", "sender": "stib", "web": "https://stib.example.org/works"}
    desk.hears(("Tram 81", "Le tram 81 est dévié par la rue du Bailli."), **works)
    assert desk.hears(("Bus 12", "Arrêt Schuman non desservi."), **works).how == "new"
    assert desk.hears(("Métro", "Station Delta fermée."), web=works["web"]).how == "new"


def test_a_page_that_many_strangers_name_is_no_identity() -> None:
    desk = Desk()
    page = "https://advice.example.org/what-to-do"
    words = (
        "anchor",
        "bottle",
        "castle",
        "dragon",
        "elbow",
        "forest",
        "garlic",
        "hammer",
        "island",
        "jacket",
        "kettle",
        "ladder",
    )
    hows = [desk.hears((word, ""), links=(page,)).how for word in words]
    assert hows == ["new", *["same link"] * STRANGERS_MOST, *["new"] * (len(words) - STRANGERS_MOST - 1)]


# --- what keeps signals apart --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        ({}, {"status": Status.EXERCISE}, False),
        ({"hazard": Hazard.FIRE}, {"hazard": Hazard.RAIN}, False),
        ({"hazard": Hazard.FIRE}, {"hazard": Hazard.EXPLOSION}, True),
        ({"hazard": Hazard.FIRE}, {}, True),
        ({"areas": (Area(places=("region", "ixelles")),)}, {"areas": (Area(places=("region", "uccle")),)}, False),
        ({"areas": (Area(places=("region",)),)}, {"areas": (Area(places=("region", "uccle")),)}, True),
        ({"areas": (Area(places=("region", "uccle")),)}, {}, True),
        ({"areas": (Area(geocodes=(Geocode("N", "1"),)),)}, {"areas": (Area(geocodes=(Geocode("N", "2"),)),)}, False),
        ({"areas": (Area(geocodes=(Geocode("N", "1"),)),)}, {"areas": (Area(geocodes=(Geocode("M", "2"),)),)}, True),
        ({"areas": (Area(circles=(Circle(50.8, 4.3, 1.0),)),)}, {"areas": (Area(circles=(Circle(44, 9, 1),)),)}, False),
        (
            {"onset": START, "expires": START + timedelta(hours=6)},
            {"onset": START + timedelta(hours=24), "expires": START + timedelta(hours=30)},
            False,
        ),
        (
            {"onset": START, "expires": START + timedelta(hours=6)},
            {"onset": START + timedelta(hours=6), "expires": START + timedelta(hours=12)},
            True,
        ),
    ],
)
def test_what_keeps_two_equal_texts_apart(one: dict[str, Any], other: dict[str, Any], joined: bool) -> None:
    above = {"ixelles": ("region",), "uccle": ("region",)}
    desk = Desk(lies_in=lambda place: above.get(place, ()))
    desk.hears(**one)
    assert (desk.hears(**other).story == "fact-00001") is joined


@pytest.mark.parametrize("another", ["host 18", "host-b", "web18.example.org"])
def test_serial_alerts_of_a_monitoring_system_are_never_one_story(another: str) -> None:
    desk = Desk()
    monitor: dict[str, Any] = {"source": "alerts", "sender": "monitor"}
    texts = [(f"Disk 91 % full on {host}", f"Less than 10 % left on {host}.") for host in ("host 17", another)]
    assert [desk.hears(text, **monitor).how for text in texts] == ["new", "new"]
    same = ("Disk almost full", "Less than ten percent left on a filesystem of this host.")
    labels = [(Named("host", "a"),), (Named("host", "b"),)]
    assert [desk.hears(same, parameters=label, **monitor).how for label in labels] == ["new", "new"]


# --- how long a story lives -----------------------------------------------------------------------------------


def test_what_is_older_than_the_window_is_forgotten_whole() -> None:
    desk = Desk(window=timedelta(hours=24))
    for n in range(50):
        desk.hears((f"Incendie {n}", FIRE[1]), web=f"https://news.example.org/{n}")
    assert desk.hears(after=timedelta(hours=25)).how == "new"
    assert len(desk.stories) == 1
    memory = vars(desk.stories)
    assert {name: len(memory[name]) for name in ("_kept", "_stories", "_messages", "_pages")} == {
        "_kept": 1,
        "_stories": 1,
        "_messages": 1,
        "_pages": 0,
    }
    assert set(desk.stories._found.values()) == {("fact-00051",)}


def test_facts_are_recognised_for_some_hours_words_for_the_whole_window() -> None:
    desk = Desk()
    desk.hears(FIRE)
    assert desk.hears(FIRE_NL, after=timedelta(hours=9)).how == "new"
    assert desk.hears(FIRE, after=timedelta(hours=9)).how == "same text"


def test_a_story_moves_on_but_does_not_wander_off() -> None:
    """Each telling keeps three quarters of the words of the one before: after a while nothing is left of the first."""
    desk = Desk()
    words = [f"{a}{b}r" for a in "bcdfglmnpst" for b in ("al", "en", "ib", "on", "um", "eri", "osa", "ita", "ulo")]
    placed = [desk.hears(("", " ".join(words[n * 6 : n * 6 + 40]))) for n in range(9)]
    assert placed[1].story == placed[2].story == placed[0].story
    assert len({p.story for p in placed}) > 1


def test_what_was_learnt_after_a_restart_is_recognised() -> None:
    desk, again = Desk(), Stories()
    for text in (FIRE, FIRE_NL):
        told = desk.told(text)
        again.learn(told, desk.stories.place(told).story)
    for _ in range(2):  # a journal read twice
        again.learn(told, "fact-00001")
    for told in (desk.told(FIRE), desk.told(FIRE_NL), desk.told(FIRE_ELSEWHERE)):
        assert again.place(told) == desk.stories.place(told)
    assert len(again) == len(desk.stories)


# --- bounds ---------------------------------------------------------------------------------------------------


def test_a_flood_is_bounded_in_memory_and_in_work(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(*args: Any, **more: Any) -> Likeness:
        nonlocal compared
        compared += 1
        return alike(*args, **more)

    monkeypatch.setattr(stories, "alike", counted)
    desk = Desk(most=100)
    for n in range(1_000):
        before = compared
        desk.hears(
            ("Disk almost full", f"Less than ten percent left on disk number {n} of host{n}."),
            after=timedelta(seconds=1),
            source="alerts",
            sender="monitor",
        )
        assert compared - before <= 2 * COMPARED
    assert len(desk.stories) == 100
    assert max(len(found) for found in desk.stories._found.values()) <= PER_KEY
    assert len(desk.stories._found) < 100 * 16
    assert compared > 1_000  # they were looked at, and told apart


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "incendie " * 110_000,
        "1.234." * 170_000,
        "12 12 12 " * 110_000,
        "8/5, 21h-" * 110_000,
        "\ud800 é\u0301 \x00 İstanbul ﬁre ½ ²³ ٣٤ 火事 🔥" * 20_000,
        "a-1" * 330_000,
        ".!? \n" * 200_000,
    ],
)
def test_any_text_is_survived_quickly(text: str) -> None:
    desk = Desk()
    began = time.perf_counter()
    desk.hears((text, text), web=text[:5_000], links=(text,) * 50)
    desk.hears((text[:50_000], text), links=("https://[bad/", "http://x:99999/y", *["https://a.example/b"] * 1_000))
    assert time.perf_counter() - began < 2


infos = st.builds(
    Info,
    language=st.sampled_from(("fr", "nl-BE", "de", "en", "")),
    headline=st.text(max_size=60),
    description=st.text(max_size=200),
    hazard=st.sampled_from((None, Hazard.FIRE, Hazard.RAIN)),
    web=st.sampled_from(("", "https://a.example/1", "https://a.example/2")),
)
signals = st.builds(
    Signal,
    source=st.sampled_from(("a", "b")),
    sender=st.sampled_from(("", "s")),
    identifier=st.sampled_from(("1", "2", "3", "4")),
    sent=st.just(START),
    status=st.sampled_from((Status.ACTUAL, Status.TEST)),
    infos=st.lists(infos, max_size=3).map(tuple),
    references=st.lists(st.builds(Reference, st.just("s"), st.sampled_from(("1", "2"))), max_size=2).map(tuple),
)
minutes = st.integers(min_value=0, max_value=3_000)


def all_placed(told: Sequence[Told], most: int) -> list[Placed]:
    memory = Stories(most=most)
    placed = []
    for one in told:
        placed.append(memory.place(one))
        assert len(memory) <= most
        assert {kept.story for kept in memory._kept.values()} == set(memory._stories)
        assert {s for found in memory._found.values() for s in found} <= set(memory._stories)
        assert {story for story, _ in memory._messages.values()} <= set(memory._stories)
        assert {page.story for page in memory._pages.values()} <= set(memory._stories)
    return placed


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(signals, minutes), max_size=12), st.integers(min_value=1, max_value=8))
def test_placing_is_deterministic_and_the_memory_consistent_and_bounded(
    given_: list[tuple[Signal, int]], most: int
) -> None:
    told = [Told(f"f{n:02}", START + timedelta(minutes=at), signal) for n, (signal, at) in enumerate(given_)]
    first = all_placed(told, most)
    assert all_placed(told, most) == first
    for one, placed in zip(told, first, strict=True):
        assert (placed.how == "new") == (placed.story == one.fact)
        assert 0 <= placed.likeness <= 1


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(8)))
def test_the_order_of_unrelated_signals_does_not_matter(order: list[int]) -> None:
    """Eight pieces of news of different things, then each again from another outlet: every copy finds its own."""
    names = ("Bolero", "Canasta", "Dorade", "Esprit", "Fanal", "Galion", "Halma", "Indigo")
    things = ("cheval", "pommier", "navire", "fromage", "violon", "chapeau", "fenêtre", "jardin")
    desk = Desk()
    mine: dict[int, str] = {}
    for n in order:
        text = f"Le {things[n]} de Monsieur {names[n]} a gagné {n + 20} concours à {names[n]}ville"
        mine[n] = desk.hears((text, "")).story
    assert len(set(mine.values())) == 8
    for n in reversed(order):
        text = f"Le {things[n]} de Monsieur {names[n]} a gagné {n + 20} concours à {names[n]}ville"
        assert desk.hears((text, "")).story == mine[n]


@settings(max_examples=60, deadline=None)
@given(signals, signals)
def test_likeness_is_symmetric(one: Signal, other: Signal) -> None:
    memory = Stories()
    first, second = (memory._read(Told("f", START, signal)).member for signal in (one, other))
    for a in first.gists:
        for b in second.gists:
            assert alike(a, b) == alike(b, a)
