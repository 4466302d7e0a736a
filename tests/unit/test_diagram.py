"""Sheets as pictures: that everything a sheet says is in them, nothing overlaps, and nothing can be smuggled in."""

import json
import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.config import Config
from hub.findings import errors
from hub.model.people import Language
from hub.playbook.diagram import diagram
from hub.playbook.diagram.content import Kind
from hub.playbook.diagram.layout import Node, laid_out
from hub.playbook.diagram.text import width, wrap
from hub.playbook.diagram.words import WORDS
from hub.playbook.language import Call, Outcome, Playbook, Tasks
from hub.playbook.load import load as load_sheet
from tests.conftest import shipped

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"}


@pytest.fixture(scope="module")
def config() -> Config:
    found, findings = shipped()
    assert not errors(findings)
    return found


def drawn(playbook: Playbook, language: Language = Language.EN, config: Config | None = None) -> etree._Element:
    areas = {} if config is None or config.geography is None else config.geography.places
    chains = {} if config is None else config.chains
    svg = diagram(playbook, language, chains, {place.id: place.names for place in areas.values()})
    return etree.fromstring(svg.encode())


def words_of(svg: etree._Element) -> str:
    """All that is written, in one line (a text is broken where it has to be)."""
    return " ".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text")).replace("\u00a0", " ")


def sheet(steps: str, title: str = "X") -> Playbook:
    titles = "".join(f"  {language}: {json.dumps(title)}\n" for language in Language)
    text = f"playbook: x\ntitle:\n{titles}owner: test\nwhen:\n  hazard: wind\nsteps:\n{steps}"
    found, findings = load_sheet(text, "x.yaml")
    assert found is not None, findings
    return found


# --- what is in it -------------------------------------------------------------------------------------------


def test_everything_a_shipped_sheet_says_is_in_its_picture(config: Config) -> None:
    for playbook in config.playbooks:
        for language in Language:
            svg = drawn(playbook, language, config)
            said = words_of(svg)
            assert playbook.title[language] in said
            for step in playbook.steps:
                assert step.name in said
                if isinstance(step.action, Tasks):
                    for task in step.action.tasks:
                        assert all(word in said for word in task.do[language].split()), task.do[language]
                        assert task.who.split()[0] in said
                if isinstance(step.action, Call):
                    chain = config.chains[step.action.chain]
                    assert all(contact.id in said for tier in chain.tiers for contact in tier.ask)
            assert svg.findtext(f"{SVG}title") == WORDS[language]["diagram"].format(title=playbook.title[language])
            description = svg.findtext(f"{SVG}desc") or ""
            assert all(step.name in description for step in playbook.steps), "for who has it read out"


def test_what_follows_on_what_stands_on_the_lines_between() -> None:
    playbook = sheet(
        "  wake:\n    call: c\n    say: m\n"
        "  list:\n    after: wake is accepted\n    tasks:\n"
        "      - do:\n          fr: a\n          nl: b\n          de: c\n          en: d\n"
        "        who: w\n        due: 45 min\n"
        "  pause:\n    after: list is late\n    wait: 10 min\n"
        "  tell:\n    after:\n      all of:\n        - pause is over\n        - wake is accepted\n"
        "    notify: [g, person p]\n    by: [sms]\n    say: m\n    every: 2 h\n    until: list is done\n"
    )
    svg = drawn(playbook)
    said = words_of(svg)
    for words in ("accepted", "one is late", "time is up", "all of these", "10 min", "within 45 min", "every 2 h"):
        assert words in said, words
    assert "until list: all done" in said
    assert said.split().count("accepted") == 1, "one outcome, to all that wait for it"
    lines = [p for p in svg.iter(f"{SVG}path") if p.get("class") == "l" and "C" in p.get("d", "") + "C"]
    assert len(lines) >= 9


def test_a_tier_says_by_what_for_how_long_and_how_often(config: Config) -> None:
    (weather,) = [p for p in config.playbooks if p.name == "extreme-weather"]
    said = words_of(drawn(weather, Language.FR, config))
    assert "1. sitcen-on-call (de garde)" in said
    assert "par sms, voice après 1 min 30 s · 4 min pour répondre" in said
    assert "2 fois" in said
    assert "personne : la chaîne directors prend le relais" in said
    assert "zone : Région de Bruxelles-Capitale" in said.replace("\u00a0", " ")


def test_a_broadcast_says_that_it_waits_to_be_released() -> None:
    step = "  public:\n    draft broadcast: public\n    to: [g]\n    by: [sms]\n    say: m\n"
    said = words_of(drawn(sheet(step + "  later:\n    after: public is lapsed\n    wait: 1 min\n")))
    for words in ("Draft a broadcast", "class public: goes out once it is released", "not released in time"):
        assert words in said


def test_a_chain_that_is_not_known_stands_there_by_its_name() -> None:
    assert "chain duty" in words_of(drawn(sheet("  wake:\n    call: duty\n    say: m\n")))


# --- safe and whole ------------------------------------------------------------------------------------------


def test_no_text_becomes_markup_and_nothing_is_fetched(config: Config) -> None:
    evil = sheet("  wake:\n    call: c\n    say: m\n", title='<script>alert(1)</script> & ]]> " <!--')
    for svg in (drawn(evil), *(drawn(p, Language.NL, config) for p in config.playbooks)):
        assert {etree.QName(element).localname for element in svg.iter() if isinstance(element.tag, str)} <= ALLOWED
        text = etree.tostring(svg).decode()
        assert "href" not in text
        assert "url(http" not in text
        assert "@import" not in text
    assert "<script>alert(1)</script> & ]]>" in words_of(drawn(evil))


def test_nothing_hangs_on_colour(config: Config) -> None:
    svg = drawn(config.playbooks[0], Language.DE, config)
    said = [svg.findtext(f"{SVG}style") or "", *(str(v) for e in svg.iter() for v in e.attrib.values())]
    colours = set(re.findall(r"#[0-9a-f]{3,6}|rgb|hsl", " ".join(said)))
    assert colours == {"#000", "#fff", "#ddd"}, "black, white, one grey"


def test_every_word_is_there_in_four_languages() -> None:
    for words in WORDS.values():
        assert set(words) == set(WORDS[Language.EN])
        assert all(words.values())
        assert set(Outcome) <= set(words)
        assert {kind for kind in Kind if kind not in (Kind.OUTCOME, Kind.JOIN)} <= set(words)


# --- where things stand --------------------------------------------------------------------------------------


def boxes(nodes: list[Node]) -> list[tuple[float, float, float, float]]:
    return [(n.x - n.width / 2, n.y, n.x + n.width / 2, n.y + n.height) for n in nodes]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], list[tuple[str, str]]]:
    count = draw(st.integers(1, 14))
    sizes = st.tuples(st.floats(20, 400), st.floats(10, 500))
    nodes = [
        Node(id=str(i), width=size[0], height=size[1], counts=draw(st.booleans()))
        for i, size in enumerate(draw(st.lists(sizes, min_size=count, max_size=count)))
    ]
    pairs = [(str(a), str(b)) for a, b in combinations(range(count), 2)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20)) if pairs else []
    return nodes, edges


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_no_two_boxes_overlap_and_every_line_goes_down(graph: tuple[list[Node], list[tuple[str, str]]]) -> None:
    nodes, edges = graph
    layout = laid_out(nodes, edges)
    for (ax, ay, bx, by), (cx, cy, dx, dy) in combinations(boxes(nodes), 2):
        assert bx <= cx + 0.01 or dx <= ax + 0.01 or by <= cy + 0.01 or dy <= ay + 0.01
    known = {node.id: node for node in nodes}
    for one, other in edges:
        assert known[one].y + known[one].height < known[other].y
    for line in layout.lines:
        tops = [top for _, top, _ in line.points]
        assert tops == sorted(tops)
    assert all(left + 0.01 >= 0 and right <= layout.width + 0.01 for left, _, right, _ in boxes(nodes))
    assert all(bottom <= layout.height + 0.01 for _, _, _, bottom in boxes(nodes))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.floats(20, 400))
def test_a_text_is_broken_and_none_of_it_lost(text: str, room: float) -> None:
    lines = wrap(text, room, 13.0)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line, 13.0) <= room or len(line) == 1 for line in lines)


def test_a_number_stays_with_its_unit() -> None:
    assert wrap("within 45\u00a0min", width("within 45", 13.0) + 1, 13.0) == ["within", "45\u00a0min"]
