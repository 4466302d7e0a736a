"""What printed lines of a POCSAG decoder say, and which of them are one page."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.letters import Letters
from connectors.pocsag.config import PocsagConfig
from connectors.pocsag.inputs import LINE_MAX, Splitter
from connectors.pocsag.line import BAD, Printed, read_line
from connectors.pocsag.pages import KNOWN_MAX, New, best_of, compared
from connectors.pocsag.source import Cursor, Desk, PocsagSource
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.signal import Category, Hazard, MsgType, Severity
from hub.model.trust import Credibility, Reliability

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
HEAD = "POCSAG1200: Address: 1000000  Function: 3  "
FIRE = HEAD + "Alpha:   PRIO 1 feu rue du Test 12<EOT><NUL>"
JSON = '{"demod_name":"POCSAG1200","address":1000000,"function":3'
GARDE = {"name": "Garde d'Ixelles", "sender": "siamu", "category": "Fire", "language": "fr-BE", "area": "Ixelles"}


def config(**more: Any) -> PocsagConfig:
    made: PocsagConfig = msgspec.convert({"file": "-", "rics": {"1000000": GARDE}} | more, PocsagConfig)
    return made


class Listener:
    """A desk, and what it was told in hub time."""

    def __init__(self, made: PocsagConfig | None = None, cursor: Cursor | None = None, seconds: float = 0) -> None:
        self.config = made or config()
        self.desk = Desk(self.config, "pagers", cursor or Cursor(), Letters())
        self.seconds = seconds
        self.items: list[SignalItem | BadItem] = []

    def hears(self, *lines: str, after: float = 0) -> list[SignalItem | BadItem]:
        """Lines that come together, and a second that nothing more comes in."""
        self.seconds += after
        now = NOW + timedelta(seconds=self.seconds)
        found = [item for line in lines for item in self.desk.read(line, now)]
        self.seconds += 1
        found += self.desk.tick(NOW + timedelta(seconds=self.seconds))
        self.items += found
        return found


def said(items: list[SignalItem | BadItem]) -> list[tuple[str, str]]:
    return [
        (i.signal.msg_type.value, i.signal.infos[0].description) if isinstance(i, SignalItem) else ("bad", i.reason)
        for i in items
    ]


def printed(text: str, kind: str = "alpha", **more: Any) -> Printed:
    return Printed(**({"baud": 1200, "address": 1, "function": 3, "kind": kind, "text": text} | more))


# --- one line ----------------------------------------------------------------------------------------------


def test_the_recorded_lines_are_all_read(samples: Path) -> None:
    lines = (samples / "misc" / "multimon_ng_pocsag_lines.txt").read_text().splitlines()
    found = [read_line(line, "UTC") for line in lines]
    kinds = [line.split("Function:")[1].split()[1].rstrip(":").lower() for line in lines]
    assert [one and one.kind for one in found] == kinds
    assert all(one and f"{one.address} " in one.line and f"POCSAG{one.baud}:" in one.line for one in found)


def test_a_whole_recorded_file(samples: Path) -> None:
    data = (samples / "misc" / "multimon_ng_pocsag_lines.txt").read_bytes()
    items = PocsagSource.read(data, "lines")
    signals = [item.signal for item in items if isinstance(item, SignalItem)]
    assert len(signals) == 8, "three readings are one page"
    last = data.decode().splitlines()[-1].partition("Alpha:")[2].removesuffix("<EOT>").strip()
    assert signals[-1].infos[0].headline.endswith(f": {last}")
    three = next(item for item in items if isinstance(item, SignalItem) and len(item.original.splitlines()) == 3)
    assert "printed as 3 kinds" in three.signal.notes[0]


@pytest.mark.parametrize(
    ("line", "text", "more"),
    [
        (FIRE, "PRIO 1 feu rue du Test 12", {"ended": True}),
        (HEAD + "Alpha:   a<LF>b<CR>", "a\nb", {}),
        (HEAD + "Alpha:   a<SOH>b\x01c", f"a{BAD}b{BAD}c", {"damage": 2}),
        (HEAD + "Alpha:   x < y <EOT>z", f"x < y {BAD}z", {"damage": 1}),
        (HEAD + "Alpha:   a<LOST SYNC>", "a", {"lost": True}),
        (HEAD + "Certainty:    19  Alpha:   a", "a", {}),
        (HEAD, "", {"kind": "tone"}),
        (HEAD + "<LOST SYNC>", "", {"kind": "tone", "lost": True}),
        (HEAD + "Numeric: 0475 12-34", "0475 12-34", {"kind": "numeric"}),
        ("radio-1: 2026-07-14 14:00:00: " + FIRE, "PRIO 1 feu rue du Test 12", {"at": NOW, "ended": True}),
        ("2026-07-14T12:00:00.123456: " + HEAD + "Alpha:   a", "a", {"at": NOW.replace(microsecond=123456)}),
        (JSON + ',"alpha":"a<EOT>","timestamp":"2026-07-14 14:00:00"}', "a", {"at": NOW, "ended": True}),
        (JSON + "}", "", {"kind": "tone"}),
    ],
)  # fmt: skip
def test_lines_in_all_their_forms(line: str, text: str, more: dict[str, Any]) -> None:
    found = read_line(line, "Europe/Brussels")
    assert found is not None
    expected = {"kind": "alpha", "text": text, "at": None, "damage": 0, "lost": False, "ended": False} | more
    assert {name: getattr(found, name) for name in expected} == expected
    assert (found.baud, found.address, found.function, found.line) == (1200, 1000000, 3, line)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("POCSAG1200: Address:  1336", "cut or garbled"),
        ("POCSAG1200: Addre", "cut or garbled"),
        (HEAD + "Alhpa:  x", "cut or garbled"),
        ("POCSAG1200: Address:       -  Function: -  Alpha:   K]ISK", "has lost its address"),
        ('{"demod_name":"POCSAG1200","address":null,"function":null,"alpha":"x"}', "has lost its address"),
        ('{"demod_name":"POCS', "no page as JSON"),
        ('{"demod_name":"FLEX"}', "no line of a POCSAG decoder"),
        ("FLEX|2024-01-01|1600/2/K/A|", "no line of a POCSAG decoder"),
    ],
)
def test_what_is_no_page_is_explained(line: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read_line(line, "UTC")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Enabled demodulators: POCSAG1200",
        "multimon-ng 1.2.0",
        "  (C) 2012-2022 by Elias Oenal",
        "===POCSAG512 stats===",
    ],
)
def test_what_a_decoder_says_of_itself_is_passed_over(line: str) -> None:
    assert read_line(line, "UTC") is None


@given(st.text(max_size=200))
def test_whatever_is_printed_is_a_page_or_explained(text: str) -> None:
    for line in (text, HEAD + text, "POCSAG512: " + text):
        try:
            read_line(line, "UTC")
        except ReadError:
            continue


def test_bytes_become_lines_whatever_their_pieces() -> None:
    splitter = Splitter()
    assert splitter.feed(b"a\r") == ()
    assert splitter.feed(b"\nb\nc") == ("a", "b")
    assert splitter.waiting == 1
    assert splitter.end() == ("c",)
    (cut,) = Splitter().feed(b"x" * (LINE_MAX + 1))
    assert len(cut) == LINE_MAX


# --- which kind --------------------------------------------------------------------------------------------


def test_of_several_readings_the_likeliest_counts() -> None:
    """As multimon-ng 1.2 prints two pages with `-f auto`."""
    letters = [
        printed("947[8U ]627.U 0297-U 0227-144-2[ 9]0.89 80000", "numeric"), printed("Incendie rue du Test 12"),
        printed(f"Hmbdmchd{BAD}qtd{BAD}ct{BAD}Sdrs{BAD}01", "skyper"),
    ]  # fmt: skip
    figures = [printed("0475 12-34", "numeric"), printed(f"@.q{BAD}="), printed(f"?-p{BAD}<", "skyper")]
    assert best_of(letters, "").kind == "alpha"
    assert best_of(figures, "").kind == "numeric"
    assert best_of(letters, "numeric").kind == "numeric", "what is written of an address counts more"
    assert best_of(figures[:1], "alpha").kind == "numeric"


# --- which page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "before", "new"),
    [
        ("feu rue X 12", "feu rue X 12", New.AGAIN),
        ("feu rue X 12", "feu rue X 13", New.FIRST),
        ("feu rue X 12", f"feu {BAD}ue X 1{BAD}", New.BETTER),
        (f"feu {BAD}ue X 12", "feu rue X 12", New.AGAIN),
        (f"feu {BAD}ue X 13", "feu rue X 12", New.FIRST),
        (f"{BAD}{BAD}{BAD}x", "abcx", New.FIRST),
        ("feu rue X 12", "feu r", New.BETTER),
        ("feu rue X 12", "", New.BETTER),
        ("", "feu rue X 12", New.FIRST),
        ("", "", New.AGAIN),
    ],
)
def test_copies_are_alike_wherever_both_were_received(text: str, before: str, new: New) -> None:
    assert compared(printed(text), printed(before)) is new
    assert compared(printed(text, address=2), printed(before)) is New.FIRST


def test_the_beginning_of_a_page_that_had_an_end_is_a_copy_cut_short() -> None:
    whole = printed("feu rue X 12", ended=True)
    assert compared(printed("feu rue X 1"), whole) is New.AGAIN
    assert compared(printed("feu rue X 1", ended=True), whole) is New.FIRST, "another house"
    assert compared(printed("feu rue X 1"), printed("feu rue X 12")) is New.FIRST, "nobody can say which it is"
    assert compared(printed("feu rue X 123"), whole) is New.FIRST


def test_a_page_is_told_once_within_the_span_and_anew_after_it() -> None:
    listener = Listener()
    assert said(listener.hears(FIRE, "Enabled demodulators: POCSAG1200")) == [("Alert", "PRIO 1 feu rue du Test 12")]
    assert listener.hears(FIRE, after=20) == listener.hears(FIRE, after=570) == []
    assert len(listener.hears(FIRE, after=10)) == 1
    keys = [item.key for item in listener.items]
    assert len(set(keys)) == 2


def test_a_copy_of_which_more_was_received_is_an_update() -> None:
    listener = Listener()
    (cut,) = listener.hears(HEAD + "Alpha:   PRIO 1 feu")
    (better,) = listener.hears(FIRE, after=5)
    assert listener.hears(FIRE, after=5) == listener.hears(HEAD + "Alpha:   PRIO 1 feu", after=5) == []
    assert isinstance(cut, SignalItem)
    assert isinstance(better, SignalItem)
    assert better.signal.msg_type is MsgType.UPDATE
    assert better.signal.references[0].identifier == cut.signal.identifier
    assert better.signal.sender == cut.signal.sender == "siamu"


def test_readings_of_one_page_are_one_signal_with_all_lines() -> None:
    lines = [HEAD + "Numeric: 947[8U ]6", FIRE, HEAD + "Skyper:  Hmb<US>qtd"]
    (item,) = Listener().hears(*lines)
    assert isinstance(item, SignalItem)
    assert item.original.decode().splitlines() == lines
    assert "printed as 3 kinds: read as alpha" in item.signal.notes[0]


def test_a_page_is_complete_as_the_next_begins() -> None:
    listener = Listener(config(others=True))
    other = FIRE.replace("1000000", "1000001")
    assert said(listener.hears(FIRE, other, FIRE.replace("12", "14"))) == [
        ("Alert", "PRIO 1 feu rue du Test 12"),
        ("Alert", "PRIO 1 feu rue du Test 12"),
        ("Alert", "PRIO 1 feu rue du Test 14"),
    ]


def test_pages_to_others_leave_no_word_behind() -> None:
    listener = Listener()
    assert listener.hears(FIRE.replace("1000000", "1000001")) == []
    assert listener.desk.told() == []


def test_a_restart_repeats_nothing_and_keeps_no_word() -> None:
    listener = Listener()
    listener.hears(FIRE)
    cursor = msgspec.json.encode(Cursor("", listener.desk.told()))
    assert b"Test" not in cursor
    assert b"1000000" not in cursor
    again = Listener(cursor=msgspec.json.decode(cursor, type=Cursor), seconds=30)
    assert again.hears(FIRE) == []
    assert len(again.hears(FIRE.replace("12", "14"))) == 1


def test_there_is_an_end_to_what_is_remembered() -> None:
    listener = Listener(config(repeat_s=86_400))
    for n in range(KNOWN_MAX + 50):
        listener.hears(HEAD + f"Alpha:   call {n:04}")
    assert len(listener.desk.told()) == KNOWN_MAX


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 400)), max_size=30))
def test_no_page_is_lost_and_none_told_twice_in_its_span(calls: list[tuple[int, float]]) -> None:
    listener = Listener()
    told: dict[str, float] = {}
    for which, wait_s in calls:
        text = f"call {which} to somewhere"
        listener.seconds += wait_s
        began = listener.seconds
        found = listener.hears(HEAD + f"Alpha:   {text}<EOT>")
        fresh = text not in told or listener.seconds - told[text] >= 600
        assert len(found) == fresh
        if fresh:
            told[text] = began + 1


# --- what it means -----------------------------------------------------------------------------------------


def one(line: str, **ric: Any) -> SignalItem:
    (item,) = Listener(config(rics={"1000000": GARDE | ric})).hears(line)
    assert isinstance(item, SignalItem)
    return item


def test_an_address_says_whom_it_calls_and_words_what_it_is_about() -> None:
    words = {"words": {"odeur de gaz": "gas-leak", "feu*": "fire"}, "severity_words": {"prio 1": "Severe"}}
    item = one(FIRE, reliability="C", credibility=3, **words)
    (info,) = item.signal.infos
    assert (info.hazard, info.severity, info.categories) == (Hazard.FIRE, Severity.SEVERE, (Category.FIRE,))
    assert info.headline == "Garde d'Ixelles: PRIO 1 feu rue du Test 12"
    assert (info.language, info.areas[0].description) == ("fr-BE", "Ixelles")
    assert (item.signal.sender, item.reliability, item.credibility) == (
        "siamu",
        Reliability.C,
        Credibility.POSSIBLY_TRUE,
    )
    assert {p.name: p.value for p in info.parameters} == {
        "ric": "1000000", "function": "3", "kind": "alpha", "baud": "1200", "called": "Garde d'Ixelles"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "hazard"),
    [
        ("ODEUR DE GAZ place X", Hazard.GAS_LEAK),
        ("Wohnungsbrand 2. OG", Hazard.FIRE),
        ("Brandweer oefening", Hazard.RIOT),
        ("Prise d'otage: émeute", Hazard.RIOT),
        ("rien", Hazard.CROWD),
    ],
)
def test_words_are_found_whole_or_by_their_star(text: str, hazard: Hazard) -> None:
    words = {"odeur de gaz": "gas-leak", "*brand": "fire", "brandw*": "riot", "emeute": "riot"}
    assert one(HEAD + f"Alpha:   {text}", words=words, hazard="crowd").signal.infos[0].hazard is hazard


def test_a_page_without_words_is_told_in_all_languages() -> None:
    infos = one(HEAD).signal.infos
    assert [info.headline for info in infos] == [
        "Garde d'Ixelles: appel sans texte",
        "Garde d'Ixelles: oproep zonder tekst",
        "Garde d'Ixelles: Ruf ohne Text",
        "Garde d'Ixelles: page without text",
    ]


def test_a_damaged_page_is_told_with_its_holes() -> None:
    signal = one(HEAD + "Alpha:   feu r<SOH>e X<LOST SYNC>").signal
    assert signal.infos[0].description == "feu r?e X"
    assert signal.infos[0].parameters[-1] == msgspec.convert(["damaged", "yes"], type(signal.infos[0].parameters[-1]))
    assert signal.notes == ("1 characters were not received: ? stands for each", "it was not received to its end")


def test_an_address_with_its_function_goes_first() -> None:
    rics = {"1000000": {"name": "all"}, "1000000/D": {"name": "three"}, "1000000/0": {"name": "nought"}}
    made = config(rics=rics)
    names = [ric.name if (ric := made.ric_of(1000000, function)) else "" for function in range(4)]
    assert names == ["nought", "all", "all", "three"]
    assert made.ric_of(7, 0) is None


# --- dead letters and config -------------------------------------------------------------------------------


def test_what_cannot_be_read_is_kept_once_and_not_without_end() -> None:
    listener = Listener()
    for n in range(300):
        listener.hears(f"POCSAG1200: Address:  {n}", f"FLEX|noise {n}")
    bad = [item for item in listener.items if isinstance(item, BadItem)]
    assert len(bad) == 201
    assert sum(b"FLEX" in item.original for item in bad) == 1
    assert "only counted" in bad[-1].reason
    assert len({item.key for item in bad}) == len(bad)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"command": ["x"]}, "file: one of command, file and host"),
        ({"file": ""}, "command: one of command, file and host"),
        ({"file": "", "host": "x"}, "port: host and port go together"),
        ({"rics": {}}, "rics: no page would ever be told"),
        ({"rics": {"1000000/4": GARDE}}, "rics: .* is no address"),
        ({"rics": {"12345678": GARDE}}, "rics: .* is no address"),
        ({"rics": {"1": GARDE | {"words": {"*": "fire"}}}}, "words: a word has letters"),
        ({"rics": {"1": GARDE | {"kind": "morse"}}}, "kind"),
    ],
)
def test_a_config_that_cannot_be_is_explained(more: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        config(**more)


def test_a_file_with_time_stamps_is_read_by_them() -> None:
    def line(time: str) -> str:
        return f"2026-07-14 {time}: {FIRE}"

    data = "\n".join([line("14:00:00"), line("14:05:00"), line("14:20:00")]).encode()
    items = PocsagSource.read(data, "lines", config())
    assert [i.signal.sent.isoformat() for i in items if isinstance(i, SignalItem)] == [
        "2026-07-14T12:00:00+00:00",
        "2026-07-14T12:20:00+00:00",
    ]
    assert json.loads(msgspec.json.encode(items[0]))["signal"]["sender"] == "siamu"
