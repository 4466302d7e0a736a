"""Short data and the lines of a terminal, read and written."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tetra import sds
from connectors.tetra.config import TetraChannelConfig, TetraSourceConfig
from connectors.tetra.gathering import WAIT_S, Gathering, Message
from connectors.tetra.pei import Reader, Received, Unread, error_of, identity, registration
from connectors.tetra.source import TetraSource
from hub.connector import BadItem, SignalItem

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(text=TEXT, ref=st.integers(1, 255), order=st.randoms())
def test_a_text_is_read_as_it_was_written_in_whatever_order_its_parts_come(text: str, ref: int, order: object) -> None:
    parts = sds.transfers(text, ref, 1)
    assert all(len(part) <= sds.PART_BYTES + 4 for part in parts)
    order.shuffle(parts)  # type: ignore[attr-defined] # hypothesis' Random
    gathering = Gathering()
    *waiting, whole = [gathering.add(Received(12, "1", "2", part, ()), 0.0) for part in parts]
    assert waiting == [None] * (len(parts) - 1)
    assert isinstance(whole, Message)
    assert isinstance(whole.content, sds.Text)
    assert whole.content.text == text


@given(data=st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    told = Gathering().add(Received(12, "1", "2", data, ("line",)), 0.0)
    assert told is None or isinstance(told, Message) or (isinstance(told, Unread) and told.reason)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("0200E8329BFD06", "hello"),
        ("02011FE9", "\x1fé"),
        ("021A20AC", "€"),
        ("0281AABBCC4F4B", "OK"),
        ("020D A4", "€"),
    ],
)
def test_codings(data: str, text: str) -> None:
    read = sds.read(bytes.fromhex(data))
    assert isinstance(read, sds.Text)
    assert read.text == text


def test_reports() -> None:
    assert sds.read(bytes.fromhex("821800CA")) == sds.Report(0x82, 0xCA, 0, True)
    assert sds.acknowledgement(sds.Report(0x82, 0xCA, 0, True)).hex() == "822001ca"
    assert sds.short_report(0x7ACA) == (0, 0xCA)
    assert sds.short_report(0x8004) is None
    assert [sds.outcome(status)[0] for status in (0, 2, 0x21, 0x45, 0x61)] == [True, True, None, False, None]


def test_lines() -> None:
    reader = Reader()
    assert reader.feed("+CTSDSR: 12,1,0,2,0,16") == []
    lost, ok = reader.feed("OK")
    assert isinstance(lost, Unread)
    assert ok == "OK"
    assert isinstance(reader.feed("+CTSDSR: 12,1,0,2,0,32, 0201")[0], Unread)
    assert error_of("+CME ERROR: 35") == "the syntax is wrong (CME error 35)"
    assert registration("+CREG: 1") == ""
    assert identity("0206000101234567") == "1234567"


def test_a_text_of_which_parts_never_come_is_told_with_gaps() -> None:
    gathering = Gathering()
    parts = sds.transfers("a" * 130 + "b" * 130 + "c" * 130, 1, 0)
    assert len(parts) == 3
    assert gathering.add(Received(12, "1", "2", parts[1], ("line",)), 0.0) is None
    assert gathering.overdue(WAIT_S - 1) == []
    [told] = gathering.overdue(WAIT_S)
    assert isinstance(told.content, sds.Text)
    assert told.content.text.startswith(" [...] ")
    assert told.content.text.endswith("b [...] ") or told.content.text.endswith("c [...] ")
    assert (told.original, gathering.overdue(WAIT_S)) == (b"line", [])


@pytest.mark.parametrize(
    "config",
    [
        {"terminal": "COM1"},
        {"terminal": "/dev/x", "senders": {"+32450000001": {"name": "x"}}},
        {"terminal": "/dev/x", "statuses": {"31000": {"event": "x"}}},
    ],
)
def test_refused(config: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"terminal|senders|statuses"):
        msgspec.convert(config, TetraSourceConfig)
    with pytest.raises(msgspec.ValidationError, match="answers"):
        msgspec.convert({"terminal": "/dev/x", "answers": {"32772": "stop"}}, TetraChannelConfig)


def test_recorded_exchanges(samples: Path) -> None:
    items = TetraSource.read((samples / "misc" / "tetra_pei_exchanges.txt").read_bytes(), "x")
    texts = [item.signal.infos[0].description for item in items if isinstance(item, SignalItem)]
    assert texts == ["testmessage"] * 2 + ["Gjatjajgja"] * 2
    assert [item.reason.split(":")[0] for item in items if isinstance(item, BadItem)] == [
        "nobody is written for it",  # a status, which only a source that knows its meaning can tell
        "byte 0",
        "byte 0",
        "the message after +CTSDSR is missing",
    ]
