"""What is made of the files of a crisis log: tables as systems really export them, JSON, XML."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.crisislog.config import CrisislogConfig
from connectors.crisislog.folder import marked, shown
from connectors.crisislog.read import ENTRIES_MAX, Slice, read_slice
from connectors.crisislog.source import CrisislogSource
from hub.connector import BadItem, SignalItem
from hub.model.signal import Hazard, MsgType, Severity, Signal, Status

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
DUTCH = {
    "fields": {
        "identifier": "Nr",
        "sent": "join(' ', [Datum, Uur])",
        "headline": "Titel log",
        "description": "Tekst",
        "severity": "Ernst",
        "area": "Plaats",
        "msg type": "Soort",
        "references": "Verbetert",
        "lat": "Breedte",
        "lon": "Lengte",
    },
    "words": {"severity": {"hoog": "Severe"}, "msg type": {"nieuw": "Alert", "verbetering": "Update"}},
    "parameters": {"discipline": "Discipline"},
    "language": "nl-BE",
}
HEADER = "Nr;Datum;Uur;Titel log;Tekst;Ernst;Plaats;Soort;Verbetert;Breedte;Lengte;Discipline\r\n"
ROW = '17;14/07/2026;02:10;Gaslek;"Tulpstraat 12;\r\n""40"" personen – é";hoog;Elsene;nieuw;;50,83;4,36;D1\r\n'


def config(**more: Any) -> CrisislogConfig:
    return msgspec.convert({"folder": "/in"} | more, CrisislogConfig)


def read(data: bytes | str, **more: Any) -> Slice:
    return read_slice(data.encode() if isinstance(data, str) else data, config(**more), "log", NOW)


def signals(found: Slice) -> list[Signal]:
    assert [item.reason for item in found.items if isinstance(item, BadItem)] == []
    return [item.signal for item in found.items if isinstance(item, SignalItem)]


def faults(found: Slice) -> list[tuple[str, str]]:
    return [(item.place, item.reason) for item in found.items if isinstance(item, BadItem)]


# --- tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
def test_a_row_of_an_export_is_a_signal_whatever_its_encoding(encoding: str) -> None:
    (signal,) = signals(read((HEADER + ROW).encode(encoding), **DUTCH))
    assert (signal.identifier, signal.sender, signal.msg_type) == ("17", "log", MsgType.ALERT)
    assert signal.sent == datetime(2026, 7, 14, 0, 10, tzinfo=UTC), "in the zone of the log: Brussels, in summer"
    (info,) = signal.infos
    assert (info.headline, info.description) == ("Gaslek", 'Tulpstraat 12;\n"40" personen – é')
    assert (info.hazard, info.severity, info.language) == (Hazard.GAS_LEAK, Severity.SEVERE, "nl-BE")
    assert (info.areas[0].description, info.areas[0].circles[0].lat) == ("Elsene", 50.83)
    assert [(p.name, p.value) for p in info.parameters] == [("discipline", "D1")]


def test_a_named_encoding_is_used_and_names_no_other() -> None:
    data = "identifier,headline\n1,Ðšð\n".encode("iso8859-15", "replace")
    assert (
        signals(read(data, encoding="iso8859-15"))[0].infos[0].headline
        == data.decode("iso8859-15").split(",")[-1].strip()
    )
    with pytest.raises(msgspec.ValidationError, match="encoding: 'klingon' is not known"):
        config(encoding="klingon")


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("sep", [False, True])
def test_the_delimiter_is_found(delimiter: str, sep: bool) -> None:
    text = f"identifier{delimiter}headline\n1{delimiter}Fire, smoke; and | more\n".replace(
        "Fire, smoke; and | more", '"Fire, smoke; and | more"'
    )
    (signal,) = signals(read((f"sep={delimiter}\n" if sep else "") + text))
    assert signal.infos[0].headline == "Fire, smoke; and | more"


def test_columns_may_be_named_in_the_configuration() -> None:
    columns = ["identifier", "headline"]
    for text in ("1;Fire\n2;Flood\n", "identifier;headline\n1;Fire\n2;Flood\n"):
        assert [s.identifier for s in signals(read(text, columns=columns))] == ["1", "2"]


def test_columns_that_are_no_field_are_parameters_where_no_fields_are_written() -> None:
    (signal,) = signals(read("identifier,headline.fr,headline.nl,record,status\n1,Feu,Brand,01ABC,Exercise\n"))
    assert [info.headline for info in signal.infos] == ["Feu", "Brand"]
    assert signal.status is Status.EXERCISE
    assert {(p.name, p.value) for p in signal.infos[0].parameters} == {("record", "01ABC")}


def test_a_broken_row_is_told_with_its_place_and_the_others_stand() -> None:
    found = read('identifier,headline\n1,Fire\n2,a,b\n3,"x"y\n\n4,Flood\n')
    assert [i.signal.identifier for i in found.items if isinstance(i, SignalItem)] == ["1", "4"]
    (third, too_long), (fourth, no_row) = faults(found)
    assert (third, fourth) == ("3:1", "4:1")
    assert too_long.startswith("it has 3 values for 2 columns")
    assert no_row.startswith("it is no row of a table")


def test_columns_that_nobody_knows_are_a_dead_letter_that_names_them() -> None:
    ((place, reason),) = faults(read("Nummer,Betreff\n1,Feuer\n", **DUTCH))
    assert (place, reason) == ("1:1", "none of its columns (Nummer, Betreff) is one of fields: correct fields")


def test_a_column_that_is_missing_is_noted_and_the_alert_stands() -> None:
    text = HEADER.replace("Ernst", "Prioriteit") + ROW
    (signal,) = signals(read(text, **DUTCH))
    assert signal.infos[0].severity is Severity.UNKNOWN
    assert "there is no column 'Ernst'" in signal.notes


def test_without_a_number_the_content_is_the_number() -> None:
    one, again, other = signals(read("headline\nFire\nFire\nFlood\n"))
    assert one.identifier == again.identifier != other.identifier
    found = read("headline\nFire\nFire\n").items
    assert found[0].key == found[1].key


def test_a_row_that_says_nothing_is_a_dead_letter() -> None:
    assert faults(read("identifier,headline,description\n1,,\n")) == [
        ("2:1", "the entry says nothing: correct headline, event or description under fields")
    ]


def test_an_update_names_what_it_updates() -> None:
    row = ROW.replace("17;", "18;", 1).replace(";nieuw;;", ";verbetering;17;")
    (signal,) = signals(read(HEADER + row, **DUTCH))
    assert signal.msg_type is MsgType.UPDATE
    assert [(r.sender, r.identifier) for r in signal.references] == [("log", "17")]


def test_a_last_row_that_is_short_looks_cut() -> None:
    assert read("identifier,headline,event\n1,a,b\n2,a").cut
    assert not read("identifier,headline,event\n2,a\n1,a,b").cut


def test_what_is_no_table_ends_after_a_hundred_broken_rows() -> None:
    found = read("identifier,headline\n" + '"x"y\n' * 100_000)
    assert len(found.items) == 101
    assert faults(found)[-1][1] == "too much of it is no table: correct it"


def test_more_entries_than_are_read_at_one_time_are_read_at_several() -> None:
    text = "identifier,headline\n" + "".join(f"{n},x\n" for n in range(2 * ENTRIES_MAX + 1))
    first, seen = 0, []
    while True:
        part = read_slice(text.encode(), config(), "log", NOW, first)
        seen += [s.identifier for s in signals(part)]
        if not (first := part.next):
            break
    assert seen == [str(n) for n in range(2 * ENTRIES_MAX + 1)]


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8), st.sampled_from(";,\t|"), st.booleans())
def test_what_a_spreadsheet_writes_is_what_is_read(
    rows: list[tuple[str, str, str]], delimiter: str, all_: bool
) -> None:
    """Through Python's own writer, whatever stands in the cells."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if all_ else csv.QUOTE_MINIMAL)
    writer.writerow(("identifier", "headline", "note"))
    numbered = [(f"n{n}", f"x{a}", c) for n, (_, a, c) in enumerate(rows)]
    writer.writerows(numbered)
    named = {"identifier": "identifier", "headline": "headline"}
    found = signals(read(out.getvalue(), fields=named, parameters={"note": "note"}))
    assert [s.identifier for s in found] == [row[0] for row in numbered]
    from connectors.text import one_line

    assert [s.infos[0].headline for s in found] == [one_line(row[1]) for row in numbered]


@given(st.text(max_size=200))
def test_each_dead_letter_of_a_table_can_be_read_again_once_it_is_mended(text: str) -> None:
    """Its original is a file of the same kind: the same columns, and the row."""
    found = read('identifier,headline\n1,"' + text)
    for item in found.items:
        if isinstance(item, BadItem) and item.place != "1:1":
            assert item.original.startswith(b"identifier,headline\r\n")


# --- JSON ----------------------------------------------------------------------------------------------------

ENTRIES = [{"identifier": "1", "headline": "Fire"}, {"identifier": "2", "headline": "Flood", "msg_type": "Cancel"}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ENTRIES),
        json.dumps({"log": {"entries": ENTRIES}}),
        "\n".join(map(json.dumps, ENTRIES)) + "\n",
        "\r\n".join(map(json.dumps, ENTRIES)),
    ],
    ids=["list", "object", "lines", "lines of Windows"],
)
def test_json_is_a_list_an_object_or_lines(text: str) -> None:
    items = "log.entries" if '"log"' in text else "@"
    one, other = signals(read(text, items=items))
    assert (one.identifier, other.msg_type) == ("1", MsgType.CANCEL)


def test_a_broken_line_is_told_and_the_others_stand() -> None:
    found = read('{"identifier": "1", "headline": "Fire"}\n{"identifier"\n{"identifier": "2", "headline": "Flood"}\n')
    assert [i.signal.identifier for i in found.items if isinstance(i, SignalItem)] == ["1", "2"]
    assert [place for place, _ in faults(found)] == ["2:1"]
    assert not found.cut
    assert read('{"identifier": "1", "headline": "Fire"}\n{"identifier"').cut


def test_entries_of_json_go_by_expressions() -> None:
    entry = {"no": 7, "text": {"nl": "Brand", "fr": "Feu"}, "when": 1783987800, "pos": {"lat": 50.8, "lon": 4.3}}
    fields = {"identifier": "no", "headline.nl": "text.nl", "headline.fr": "text.fr", "sent": "when", "lat": "pos.lat"}
    (signal,) = signals(read(json.dumps([entry]), fields=fields | {"lon": "pos.lon"}))
    assert (signal.identifier, [i.headline for i in signal.infos]) == ("7", ["Brand", "Feu"])
    assert signal.infos[0].areas[0].circles[0].lat == 50.8


@pytest.mark.parametrize("text", ["[1, 2]", "[[]]", '["a"]', "3", "null", '"x"'])
def test_json_that_holds_no_entries_is_a_dead_letter(text: str) -> None:
    assert faults(read(text, format="json"))


# --- all of them ---------------------------------------------------------------------------------------------


def test_without_a_configuration_fields_go_by_their_names() -> None:
    (item,) = CrisislogSource.read(b"identifier,headline\n1,Fire\n", "log.csv")
    assert isinstance(item, SignalItem)
    assert item.signal.sender == "crisislog"


def test_a_configuration_that_cannot_be_meant_is_refused() -> None:
    for more, reason in (
        ({"fields": {"title": "x"}}, "a signal has no 'title'"),
        ({"fields": {"headline": "join(' '"}}, "is no JMESPath expression"),
        ({"zone": "Brussels"}, "is no time zone"),
        ({"columns": ["a", "a"]}, "two have one name"),
        ({"always": {"severity": "bad"}}, "severity is never 'bad'"),
        ({"folder": "in"}, "matching regex"),
        ({"delimiter": "ab"}, "matching regex"),
    ):
        with pytest.raises(msgspec.ValidationError, match=reason):
            config(**more)


def test_names_of_files_carry_what_was_read_and_stay_names() -> None:
    assert marked("log.csv", "abc") == "log.abc.csv"
    assert marked("log", "abc") == "log.abc"
    assert len(marked("x" * 255, "abc").encode()) <= 255
    assert shown("a\nb\x1b[31m\udcff") == "a?b?[31m�"
