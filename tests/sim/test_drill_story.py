"""Scenarios and sheets as stories: what is played, what is told of it, and what the page shows."""

import io
import re
import shutil
from pathlib import Path

import pytest
from lxml import html
from rich.console import Console

from hub.config import Config, load
from hub.drill.debrief import debrief
from hub.drill.lanes import LABELS, WIDTH, strips_of
from hub.drill.page import page_of
from hub.drill.play import Play
from hub.drill.rehearsal import concerned, not_live
from hub.drill.scenario import Scenario, load_scenario
from hub.drill.signals import CannotPlay
from hub.drill.stage import perform
from hub.drill.story import Item, Mark, Names, Part, Story, story_of
from hub.drill.tell import told
from hub.drill.timeline import Timeline, What
from hub.drill.words import TEXTS, DrillWords, span
from hub.drill.worst import worst_case
from hub.findings import errors
from hub.view import LANGUAGES
from tests.conftest import ROOT, shipped

SHIPPED = ROOT / "drills" / "storm-night.yaml"


@pytest.fixture(scope="module")
def config() -> Config:
    return shipped()[0]


@pytest.fixture(scope="module")
def storm_night(config: Config) -> Timeline:
    return perform(config, read(config, SHIPPED.read_text()).play)


def read(config: Config, text: str) -> Scenario:
    scenario, findings = load_scenario(text, "night.yaml", config, lambda name: b"")
    assert scenario is not None, "\n".join(map(str, findings))
    return scenario


def tell(config: Config, timeline: Timeline, language: str = "en") -> Story:
    people = {person.id: person.name for person in config.directory().people.values()}
    return story_of(timeline, "A night", DrillWords(language), Names(people=people, zone="Europe/Brussels"))


def texts(story: Story) -> list[str]:
    return [item.text for item in story.items]


# --- what is played ----------------------------------------------------------------------------------------


def test_the_scenario_that_ships_is_found_without_a_fault_and_plays_out_as_it_says(
    config: Config, storm_night: Timeline
) -> None:
    _, findings = load_scenario(SHIPPED.read_text(), str(SHIPPED), config, lambda name: b"")
    assert not findings
    assert [m.sheet for m in storm_night.of(What.OPENED)] == [
        "extreme-weather",
        "emergency-calls-outage",
        "provincial-phase",
    ]
    assert len(storm_night.of(What.ENDED)) == 3
    assert {(m.channel, m.outcome) for m in storm_night.of(What.OUTAGE)} == {
        (channel, outcome) for channel in ("sms", "hub") for outcome in ("down", "back")
    }
    assert not [m for m in storm_night.of(What.GOT) if m.person == "officer-a"]
    down = next(m.s for m in storm_night.of(What.OUTAGE) if m.channel == "hub")
    assert not [m for m in storm_night.moments if down < m.s < down + 25 * 60 and m.what not in (What.SIGNAL, What.MET)]


def test_the_guide_s_example_plays(config: Config) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "drills.md").read_text(), re.S | re.M)
    timeline = perform(config, read(config, example).play)
    assert [m.sheet for m in timeline.of(What.OPENED)] == ["extreme-weather", "provincial-phase"]
    assert "accept" in {m.outcome for m in timeline.of(What.ANSWERED)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sheets: [gaz]", 'there is no sheet "gaz"'),
        ("given: [{start: {headline: x}}]", "which sheet is started?"),
        ("given: [{start: {headline: x}, sheet: nosuch}]", 'no sheet "nosuch" is in force here'),
        ("people: {nobody: accepts}", 'there is no person "nobody"'),
        ("given: [{after: 1 min}]", "given 1 says nothing that happens"),
        ("steps: {walk: accepts}", 'there is no step "walk"'),
        ("titel: x", "titel"),
        ("expect: nothing", "expect"),
    ],
)
def test_a_mistake_in_a_scenario_is_told_with_its_place(config: Config, text: str, said: str) -> None:
    scenario, findings = load_scenario(text, "night.yaml", config, lambda name: b"")
    assert scenario is None
    (finding,) = errors(findings)
    assert said in finding.message
    assert finding.line >= 1


def test_a_sheet_without_a_test_is_played_as_its_worst_case(config: Config) -> None:
    """A signal that just meets it: one grade less of anything, and it would not."""
    sheet = next(s for s in config.playbooks if s.name == "extreme-weather")
    play = worst_case(config, sheet)
    form = play.given[0].form.signal
    assert form is not None
    assert (form.severity, form.certainty, form.source) == ("Severe", "Likely", "kmi-irm")
    timeline = perform(config, play)
    assert [m.sheet for m in timeline.of(What.OPENED)] == ["extreme-weather"]
    assert not timeline.of(What.ANSWERED)
    assert "exhausted" in {m.outcome for m in timeline.of(What.CAME_TO)}


def test_every_shipped_sheet_has_a_worst_case(config: Config) -> None:
    for sheet in config.playbooks:
        assert perform(config, worst_case(config, sheet)).of(What.OPENED), sheet.name


def test_a_sheet_whose_signal_cannot_be_made_up_says_so(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "playbooks").mkdir()
    text = (ROOT / "playbooks" / "extreme-weather.yaml").read_text()
    text = re.sub(r"^start by hand:.*?(?=^incident:)", "", text, flags=re.S | re.M)
    text = re.sub(r"^when:.*?(?=^incident:)", "when:\n  - where: signal.sender == 'x'\n", text, flags=re.S | re.M)
    (tmp_path / "playbooks" / "odd.yaml").write_text(text.replace("playbook: extreme-weather", "playbook: odd"))
    config, _ = load(tmp_path / "config")
    (sheet,) = [s for s in config.playbooks if s.name == "odd"]
    with pytest.raises(CannotPlay, match="odd: no signal that meets it can be made up"):
        worst_case(config, sheet)


# --- before an exercise ------------------------------------------------------------------------------------


def test_an_exercise_says_whom_it_would_call_whoever_answers(config: Config, storm_night: Timeline) -> None:
    play = read(config, SHIPPED.read_text()).play
    people = {one.person: one for one in concerned(config, play, storm_night.start)}
    assert people["officer-a"].asked  # who does not answer in the scenario is a real person here
    assert people["director-a"].asked  # where nobody answers
    assert not people["siamu-permanence"].asked  # told only
    assert people["officer-a"].channels[0] == "sms"
    assert not_live(config, play) == []


# --- what is told ------------------------------------------------------------------------------------------


def test_the_story_is_told_in_order_with_names_and_in_four_languages(config: Config, storm_night: Timeline) -> None:
    stories = {language: tell(config, storm_night, language) for language in LANGUAGES}
    english = texts(stories["en"])
    assert [item.n for item in stories["en"].items] == list(range(1, len(english) + 1))
    assert [item.s for item in stories["en"].items] == sorted(item.s for item in stories["en"].items)
    assert "Bram Verzonnen answers: yes" in english
    assert "Aline Inventée not reached by SMS (cannot be reached)" in english
    assert "SMS is down" in english
    assert "the hub is back" in english
    assert "Bram Verzonnen antwoordt: ja" in texts(stories["nl"])
    assert "Bram Verzonnen répond : oui" in texts(stories["fr"])
    assert "Bram Verzonnen antwortet: ja" in texts(stories["de"])
    assert len({len(story.items) for story in stories.values()}) == 1


def test_words_are_there_in_all_languages_with_the_same_blanks() -> None:
    def blanks(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    for texts_of in TEXTS.values():
        assert texts_of.keys() == TEXTS["en"].keys()
        assert {key: blanks(text) for key, text in texts_of.items()} == {k: blanks(t) for k, t in TEXTS["en"].items()}


def test_signals_of_which_nothing_comes_and_messages_that_many_get_are_one_item(config: Config) -> None:
    news = "\n".join(f"  - {{after: {n} min, signal: {{headline: News {n}, source: press-bx1}}}}" for n in range(9))
    story = tell(config, perform(config, read(config, f"given:\n{news}\n").play))
    assert texts(story) == ["9 signals that meet no sheet, the last: press-bx1: “News 8”"]
    night = tell(config, perform(config, read(config, SHIPPED.read_text()).play))
    assert max(len(item.lanes) for item in night.items) > 20


def test_the_debriefing_says_who_answered_after_how_long_and_who_was_not_reached(
    config: Config, storm_night: Timeline
) -> None:
    found = debrief(storm_night)
    first = {ask.person: ask for ask in reversed(found.asks) if ask.step == "wake" and ask.incident == 1}
    by_b = [ask for ask in found.asks if ask.person == "officer-b" and ask.incident == 1]
    assert [(ask.outcome, ask.took_s) for ask in by_b] == [("expired", None), ("accepted", 35)]
    assert (first["officer-a"].reached_s, first["officer-a"].outcome) == (None, "unreachable")
    assert first["officer-a"].asked_s == 0
    assert ("officer-a", "sms", "cannot be reached") in found.missed
    assert (1, "checklist", 1) in found.late_tasks
    channels = {one.channel: one for one in found.channels}
    assert (channels["voice"].answered, channels["voice"].half_s) == (4, 27.5)  # B after 35 s twice, C after 20 s
    assert channels["sms"].reached == len([m for m in storm_night.of(What.GOT) if m.channel == "sms"])


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_is_readable_without_colours(config: Config, storm_night: Timeline, width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, force_terminal=False)
    names = Names(zone="Europe/Brussels")
    words = DrillWords("en")
    console.print(told(story_of(storm_night, "A night", words, names), debrief(storm_night), words, names))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any(re.match(r"21:44:35 ✓ officer-b answers: yes", line) for line in lines)
    assert any(re.match(r"21:40:00 ! officer-a not reached", line) for line in lines)
    assert any("⋯ 50 min of quiet" in line for line in lines)


# --- the picture and the page ------------------------------------------------------------------------------


def page(config: Config, timeline: Timeline, language: str = "en", title: str = "A night") -> str:
    words, names = DrillWords(language), Names(zone="Europe/Brussels")
    return page_of(story_of(timeline, title, words, names), debrief(timeline), words, names, notes=["A note"])


def test_each_item_stands_in_the_picture_and_in_the_table(config: Config, storm_night: Timeline) -> None:
    tree = html.fromstring(page(config, storm_night))
    story = story_of(storm_night, "A night", DrillWords("en"), Names(zone="Europe/Brussels"))
    drawn = {int(text.text) for text in tree.findall(".//figure//text[@class='n']")}
    rows = {row.get("id") for row in tree.findall(".//tr[@id]")}
    assert drawn == {item.n for item in story.items}
    assert rows == {f"n{item.n}" for item in story.items}
    assert not tree.findall(".//script")
    assert not re.search(r"(?:src|href)=\"(?!#)", page(config, storm_night))  # nothing is fetched
    assert len(tree.findall(".//figure/svg[@role='img'][@aria-label]")) == len(tree.findall(".//figure"))


def test_what_comes_from_outside_is_escaped(config: Config) -> None:
    text = "given: [{signal: {headline: \"<script>alert('x')</script>\", source: '<b>'}}]"
    played = perform(config, Play(name="x", given=read(config, text.replace("'<b>'", "press-bx1")).play.given))
    made = page(config, played, title="<img src=x>")
    assert "<script" not in made
    assert "<img" not in made
    assert "&lt;script&gt;" in made


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_in_the_reader_s_language(config: Config, storm_night: Timeline, language: str) -> None:
    tree = html.fromstring(page(config, storm_night, language))
    assert tree.get("lang") == language
    heads = [head.text for head in tree.findall(".//h2")]
    assert heads == [TEXTS[language][key] for key in ("picture", "debrief", "was_late", "channels_by", "story")]


def item(n: int, s: float, lane: str = "a", part: Part = Part.PEOPLE) -> Item:
    from datetime import UTC, datetime, timedelta

    at = datetime(2026, 7, 18, 21, 40, tzinfo=UTC) + timedelta(seconds=s)
    return Item(n=n, s=s, at=at, part=part, lanes=(lane,), mark=Mark.OTHER, text="x")


def drawn(*items: Item) -> Story:
    return Story(title="x", begins=items[0].at, lasted_s=1.0, items=items, bars=())


def test_three_hours_of_silence_take_the_room_of_a_break_that_says_so() -> None:
    (strip,) = strips_of(drawn(item(1, 0), item(2, 3 * 3600), item(3, 3 * 3600 + 5)))
    xs = [mark.x for mark in strip.sections[0].lanes[0].marks]
    assert xs == sorted(xs)
    assert 0 < xs[1] - xs[0] < 120
    assert [tick.gap_s for tick in strip.ticks if tick.gap_s] == [3 * 3600]


def test_ever_so_much_at_once_stays_in_its_strip() -> None:
    many = [item(n, 60 * n) for n in range(1, 120)] + [item(200 + n, 9000) for n in range(60)]
    strips = strips_of(drawn(*many))
    assert len(strips) > 2
    marks = [mark for strip in strips for section in strip.sections for lane in section.lanes for mark in lane.marks]
    assert {mark.item.n for mark in marks} == {one.n for one in many}
    assert all(LABELS < mark.x < WIDTH for mark in marks)


def test_people_to_whom_the_same_happened_share_a_lane() -> None:
    both = Item(**{**{f: getattr(item(1, 0), f) for f in Item.__struct_fields__}, "lanes": ("a", "b", "c")})
    (strip,) = strips_of(drawn(both, item(2, 5, "c")))
    assert [lane.names for lane in strip.sections[0].lanes] == [("a", "b"), ("c",)]
    assert strip.sections[0].lanes[0].name == "a + 1"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (45, "45 s"), (90, "1 min 30 s"), (1200, "20 min"), (3600, "1 h"), (11100, "3 h 05"), (3599, "1 h")],
)
def test_spans_read_the_same_in_four_languages(seconds: float, said: str) -> None:
    assert span(seconds) == said
