"""EMSI messages, EDXL envelopes and situation reports: what they say, and what is written is what is read."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from connectors.cap.read import read_cap
from connectors.edxl.read import parse_exchange
from connectors.emsi.codes import certainty_of
from connectors.emsi.write import Message, emsi_of
from connectors.text import one_line, plain_text
from hub.connector import BadItem, SignalItem
from hub.model.area import Area, Circle, Geocode
from hub.model.cap import element_of, time_of
from hub.model.edxl import Envelope, Report, Version, bytes_of, envelope_of, sitrep_of
from hub.model.signal import (
    Category,
    Certainty,
    Hazard,
    Info,
    MsgType,
    Named,
    Reference,
    ResponseType,
    Scope,
    Severity,
    Signal,
    Status,
    Urgency,
)

AT = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
CONTEXT = "<CONTEXT><ID>m-1</ID><MODE>ACTUAL</MODE><MSGTYPE>ALERT</MSGTYPE>{}</CONTEXT>"


def read(data: bytes | str) -> list[SignalItem | BadItem]:
    return parse_exchange(data.encode() if isinstance(data, str) else data, "fr-BE", AT)


def only(data: bytes | str) -> Signal:
    (item,) = read(data)
    assert isinstance(item, SignalItem), item.reason
    return item.signal


def fault(data: bytes | str) -> tuple[str, str]:
    (item,) = read(data)
    assert isinstance(item, BadItem)
    return item.place, item.reason


def emsi(context: str = "", event: str = "", **words: str) -> str:
    text = CONTEXT.format(context)
    for old, new in words.items():
        text = re.sub(f"<{old}>.*?</{old}>", f"<{old}>{new}</{old}>" if new else "", text)
    return f"<emsi>{text}{f'<EVENT><ID>e-1</ID>{event}</EVENT>' if event else ''}</emsi>"


# --- EMSI ----------------------------------------------------------------------------------------------------


def test_a_recorded_message_of_a_national_hub(samples: Path) -> None:
    signal = only((samples / "misc" / "emsi_DC_message_samu-hub.xml").read_bytes())
    assert (signal.identifier, signal.sender) == ("d350c9d2-9d76-4568-b0b7-a747ffadc949", "fr.health.samu690")
    assert (signal.status, signal.msg_type, signal.scope) == (Status.ACTUAL, MsgType.UPDATE, Scope.RESTRICTED)
    assert signal.sent == datetime(2023, 11, 3, 10, 10, 6, tzinfo=UTC)
    assert signal.incidents[0] == "DRFR15690240430050"
    (info,) = signal.infos
    assert (info.categories, info.hazard) == ((Category.TRANSPORT,), Hazard.TRAFFIC)
    assert (info.severity, info.certainty) == (Severity.MODERATE, Certainty.LIKELY)
    assert info.areas[0].circles == (Circle(45.760169, 4.830608, 0.0),)
    assert info.areas[0].description == "Quai des Célestins, 8 Quai des Célestins, Lyon"
    found = {p.name: p.value for p in info.parameters}
    assert (found["event_cause"], found["event_casualties_triageyellow"], found["mission_priority"]) == (
        "ACC",
        "1",
        "3",
    )
    assert "perturbations" in info.description


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        *(("ACTUAL", Status.ACTUAL), ("EXERCS", Status.EXERCISE), ("SYSTEM", Status.SYSTEM), ("TEST", Status.TEST)),
        *(("Exercice", Status.EXERCISE), ("", Status.ACTUAL), ("FOO", Status.ACTUAL), (" test ", Status.TEST)),
    ],
)
def test_the_mode_is_the_status_and_no_drill_wakes_a_city(mode: str, status: Status) -> None:
    assert only(emsi(MODE=mode)).status is status


@pytest.mark.parametrize("word", ["ALERT", "UPDATE", "CANCEL", "ACK", "ERROR"])
def test_the_message_type(word: str) -> None:
    assert only(emsi(MSGTYPE=word)).msg_type.upper() == word


def test_links_are_references_and_what_supersedes_is_an_update() -> None:
    link = "<LINK><ID>m-0</ID><{0}>SPRSDS</{0}></LINK><LINK><ID>other</ID><ROLE>ADDSTO</ROLE></LINK>"
    for name in ("ROLE", "LINK_ROLE"):
        for word in ("ALERT", "UPDATE", "REPORT", "CANCEL"):
            signal = only(emsi(link.format(name), MSGTYPE=word))
            assert signal.references == (Reference("emsi", "m-0"),)
            assert signal.msg_type is (MsgType.CANCEL if word == "CANCEL" else MsgType.UPDATE)
    assert only(emsi(MSGTYPE="REPORT")).msg_type is MsgType.ALERT
    assert only(emsi("<LINK><ID>a</ID></LINK>", MSGTYPE="CANCEL")).references == (Reference("emsi", "a"),)


def test_codes_are_looked_for_by_their_beginning() -> None:
    for code, categories, hazard in (
        ("FIR/CLA", (Category.FIRE,), Hazard.FIRE),
        ("/TRP/COL", (Category.TRANSPORT,), Hazard.TRAFFIC),
        ("fld/fls", (Category.GEO,), Hazard.FLOOD),
        ("GND/EQK/XYZ", (Category.GEO,), Hazard.EARTHQUAKE),
        ("ZZZ", (Category.OTHER,), None),
    ):
        (info,) = only(emsi(event=f"<ETYPE><CATEGORY>{code}</CATEGORY></ETYPE>")).infos
        assert (info.categories, info.hazard) == (categories, hazard)


def test_urgency_scale_certainty_and_casualties() -> None:
    (info,) = only(emsi("<URGENCY>URGENT</URGENCY>", "<SCALE>4</SCALE><CERTAINTY>30</CERTAINTY>")).infos
    assert (info.urgency, info.severity, info.certainty) == (Urgency.IMMEDIATE, Severity.EXTREME, Certainty.POSSIBLE)
    (info,) = only(emsi(event="<CASUALTIES><CONTEXT>X</CONTEXT><TRIAGEBLACK>2</TRIAGEBLACK></CASUALTIES>")).infos
    assert info.severity is Severity.SEVERE
    (info,) = only(emsi(event="<SCALE>9</SCALE><CERTAINTY>-1</CERTAINTY><STATUS>COM</STATUS>")).infos
    assert (info.severity, info.certainty) == (Severity.UNKNOWN, Certainty.UNKNOWN)
    assert (info.urgency, info.response_types) == (Urgency.PAST, (ResponseType.ALL_CLEAR,))
    assert [certainty_of(n) for n in (0, 50, 51, 99, 100)] == ["Unlikely", "Possible", "Likely", "Likely", "Observed"]


def position(kind: str, *points: tuple[float, float], system: str = "EPSG-4326") -> str:
    coords = "".join(f"<COORD><LAT>{lat}</LAT><LONG>{lon}</LONG></COORD>" for lat, lon in points)
    return f"<EGEO><POSITION><NAME>P</NAME><TYPE>{kind}</TYPE><COORDSYS>{system}</COORDSYS>{coords}</POSITION></EGEO>"


def test_positions_are_areas() -> None:
    def area(egeo: str) -> Area:
        return only(emsi(event=egeo)).infos[0].areas[0]

    square = ((50.0, 4.0), (50.0, 5.0), (51.0, 5.0), (51.0, 4.0))
    assert area(position("POINT", (50.0, 4.0))).circles == (Circle(50.0, 4.0, 0.0),)
    assert area(position("POLYGON", *square)).polygons == ((*square, square[0]),)
    assert area(position("GRID", (50.0, 4.0), (51.0, 5.0))).polygons[0][2] == (51.0, 5.0)
    (circle,) = area(position("CIRCLE", (50.0, 4.0), (51.0, 4.0))).circles
    assert circle.radius_km == pytest.approx(111.2, abs=0.1)
    assert area(position("POINT", (150000.0, 170000.0), system="EPSG-31370")) == Area(description="P")
    assert area(position("POINT", (95.0, 4.0))) == Area(description="P")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("<emsi><CONTEXT><MODE>ACTUAL</MODE></CONTEXT></emsi>", "1: emsi/CONTEXT", "CONTEXT/ID is missing"),
        ("<emsi><CONTEXT><ID>1</ID>", "1:26", "not well-formed XML"),
        ("<emsi/>", "1:1", "<emsi> holds no CAP alert, situation report or EMSI message"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><emsi/>", "1:1", "carries a document type declaration"),
        ("<emsi><CONTEXT><ID>" + "x" * 2000 + "</ID></CONTEXT></emsi>", "1: emsi/CONTEXT", "CONTEXT/ID has 2000"),
    ],
)
def test_what_cannot_be_read_names_its_place(text: str, place: str, reason: str) -> None:
    found = fault(text)
    assert found[0] == place
    assert found[1].startswith(reason)


def test_one_bad_message_of_several_leaves_the_others() -> None:
    items = read(f"<all>{emsi()}<emsi><CONTEXT><MODE>TEST</MODE></CONTEXT></emsi>{emsi(ID='m-2')}</all>")
    assert [isinstance(item, SignalItem) for item in items] == [True, False, True]


def test_the_key_is_of_the_content_not_of_its_dress() -> None:
    one = read(emsi(event="<NAME>Gaz</NAME>"))[0].key
    dressed = (
        emsi(event="<NAME>Gaz</NAME>")
        .replace("<", "<x:")
        .replace("<x:/", "</x:")
        .replace("<x:emsi>", "<x:emsi xmlns:x='urn:x'>", 1)
    )
    assert read(f"<?xml version='1.0'?>\n <w>{dressed}</w>")[0].key == one
    assert read(emsi(event="<NAME>Feu</NAME>"))[0].key != one


def test_bombs_and_deep_trees_are_dead_letters() -> None:
    assert fault("<a>" * 5000)
    assert fault("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;'>]><emsi><CONTEXT><ID>&c;</ID></CONTEXT></emsi>")
    assert fault("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><emsi/>")


# --- envelopes -----------------------------------------------------------------------------------------------


def test_recorded_envelopes_carry_alerts(samples: Path) -> None:
    items = read((samples / "cap" / "google_bushfire_valid.edxlde.xml").read_bytes())
    assert len(items) == 7
    assert all(isinstance(item, SignalItem) for item in items)


DE_2_CAMEL = """<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:2.0" xmlns:ct="urn:x">
<DistributionID>1</DistributionID><SenderID>hub</SenderID><DateTimeSent>2026-07-14T02:10:00+02:00</DateTimeSent><DistributionStatus><StatusKindDefault>
<ct:ValueListURI>urn:s</ct:ValueListURI><ct:Value>Exercise</ct:Value></StatusKindDefault></DistributionStatus>
<Content><ContentObject><ContentXML><EmbeddedXMLContent>{}</EmbeddedXMLContent></ContentXML></ContentObject></Content></EDXLDistribution>"""


def test_an_envelope_of_2_0_in_its_other_spelling() -> None:
    signal = only(DE_2_CAMEL.format(emsi()))
    assert (signal.status, signal.sender, signal.sent) == (Status.EXERCISE, "hub", AT)


def test_xml_that_is_carried_as_text_is_read() -> None:
    inner = emsi().replace("<", "&lt;")
    assert only(DE_2_CAMEL.format(inner)).identifier == "m-1"
    assert "the XML it carries as text: not well-formed" in fault(DE_2_CAMEL.format("&lt;emsi&gt;"))[1]
    bomb = "&lt;!DOCTYPE a [&lt;!ENTITY b 'c'&gt;]&gt;&lt;a/&gt;"
    assert "document type declaration" in fault(DE_2_CAMEL.format(bomb))[1]


def test_an_empty_envelope_says_nothing() -> None:
    assert read('<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"/>') == []


ENVELOPE = Envelope(identifier="d-1", sender="vigie", sent=AT, status=Status.EXERCISE, incident="i-1", description="é")
SITREP = Report(identifier="s-1", by="vigie", at=AT, purpose="Gas leak", text="It leaks & hisses", incident="i-1")


@pytest.mark.parametrize("version", list(Version))
def test_a_report_comes_back_as_it_was_sent(version: Version) -> None:
    report = replace(
        SITREP, severity=Severity.SEVERE, certainty=Certainty.LIKELY, number=2, begins=AT - timedelta(hours=1)
    )
    signal = only(bytes_of(envelope_of(replace(ENVELOPE, language="nl"), [sitrep_of(report)], version)))
    assert (signal.identifier, signal.sender, signal.sent) == ("s-1", "vigie", AT)
    assert (signal.status, signal.msg_type, signal.incidents) == (Status.EXERCISE, MsgType.UPDATE, ("i-1",))
    (info,) = signal.infos
    assert info.language == "nl"
    assert (info.description, info.areas) == ("It leaks & hisses\n\nGas leak", ())
    assert (info.severity, info.certainty, info.onset) == (Severity.SEVERE, Certainty.LIKELY, AT - timedelta(hours=1))


def test_an_envelope_of_1_0_with_an_alert_is_as_its_schemas_have_it(samples: Path) -> None:
    """OASIS' own schemas: what is inside an envelope is checked by its own."""
    alert = element_of(SIGNAL)
    report = sitrep_of(SITREP)
    # The schema of situation reports was not to be had: what has a type of it cannot be checked.
    report[-1].attrib.clear()
    document = etree.fromstring(bytes_of(envelope_of(ENVELOPE, [alert, report], Version.DE_1)))
    schemas = samples / "schema"
    xmlschema.XMLSchema(str(schemas / "edxlde-1_0.xsd")).validate(document)
    found = document.find(".//{urn:oasis:names:tc:emergency:cap:1.2}alert")
    assert found is not None
    xmlschema.XMLSchema(str(schemas / "cap12.xsd")).validate(etree.tostring(found).decode())


# --- what is written is what is read -------------------------------------------------------------------------

SIGNAL = Signal(
    identifier="m-1",
    sender="vigie",
    sent=AT,
    scope=Scope.RESTRICTED,
    restriction="partners",
    references=(Reference("vigie", "m-0", AT),),
    incidents=("i-1", "with blank"),
    infos=(
        Info(
            language="nl-BE",
            categories=(Category.FIRE, Category.SAFETY),
            event="Gaslek",
            hazard=Hazard.GAS_LEAK,
            response_types=(ResponseType.EVACUATE,),
            urgency=Urgency.IMMEDIATE,
            severity=Severity.SEVERE,
            certainty=Certainty.OBSERVED,
            event_codes=(Named("SAME", "FRW"),),
            onset=AT,
            expires=AT + timedelta(hours=2),
            headline="Gaslek",
            description="Tulpstraat",
            parameters=(Named("a", "1"), Named("b", "")),
            areas=(
                Area(
                    description="Elsene",
                    polygons=(((50.8, 4.3), (50.8, 4.4), (50.9, 4.4), (50.8, 4.3)),),
                    circles=(Circle(50.8, 4.3, 1.5),),
                    geocodes=(Geocode("NIS", "21009"),),
                ),
            ),
        ),
    ),
)


def again(signal: Signal) -> Signal:
    (item,) = read_cap(etree.tostring(element_of(signal)))
    assert isinstance(item, SignalItem), item.reason
    return item.signal


def test_an_alert_comes_back_as_it_was_written() -> None:
    read_again = again(SIGNAL)
    # FRW is a fire in the codes: what an alert is about is told by its reader.
    (info,) = read_again.infos
    assert replace(read_again, infos=(replace(info, hazard=Hazard.GAS_LEAK),), notes=()) == SIGNAL


TEXT = st.text(max_size=60)
MOMENTS = st.integers(978_307_200, 3_400_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
LINE = TEXT.map(one_line)
INFOS = st.builds(
    Info,
    language=st.sampled_from(["fr-BE", "nl-BE", "de-BE", "en"]),
    categories=st.lists(st.sampled_from(Category), min_size=1, max_size=3, unique=True).map(tuple),
    event=LINE.filter(bool),
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    headline=LINE,
    description=TEXT.map(plain_text),
    instruction=TEXT.map(plain_text),
    onset=st.none() | MOMENTS,
)


@given(st.lists(INFOS, min_size=1, max_size=3), st.sampled_from(Status), st.sampled_from(MsgType), TEXT)
def test_whatever_is_said_in_an_alert_comes_back(infos: list[Info], status: Status, kind: MsgType, name: str) -> None:
    signal = Signal(identifier="x" + name, sender="y" + name, sent=AT, status=status, msg_type=kind, infos=tuple(infos))
    found = again(signal)
    assert (found.status, found.msg_type, found.sent) == (status, kind, AT)
    for one, other in zip(found.infos, infos, strict=True):
        for field in ("language", "categories", "event", "urgency", "severity", "certainty"):
            assert getattr(one, field) == getattr(other, field)
        # Read once more, nothing changes: plain text that looks like markup is made plain by its reader.
        for field in ("headline", "description", "instruction"):
            assert _bare(getattr(one, field)) == _bare(plain_text(getattr(other, field)))
        assert one.onset == (other.onset and other.onset.replace(microsecond=0))


def _bare(text: str) -> list[str]:
    return text.split()


MESSAGES = st.builds(
    Message,
    identifier=LINE.map(lambda text: "m" + text),
    at=MOMENTS,
    status=st.sampled_from([Status.ACTUAL, Status.EXERCISE, Status.SYSTEM, Status.TEST]),
    msg_type=st.sampled_from(MsgType),
    text=TEXT,
    organisation=st.just("be.brussels.sitcen"),
    urgency=st.sampled_from([Urgency.UNKNOWN, Urgency.IMMEDIATE, Urgency.EXPECTED]),
    event=st.just("i-1"),
    event_name=LINE,
    event_status=st.just("IPR"),
    scale=st.none() | st.integers(1, 5),
    certainty=st.none() | st.integers(0, 100),
    links=st.lists(st.tuples(st.sampled_from(["m-0", "m-9"]), st.just("SPRSDS")), max_size=1),
)


@given(MESSAGES, st.sampled_from(["urn:emergency:cisu:2.0:emsi", "urn:other"]))
def test_whatever_is_said_in_an_emsi_message_comes_back(message: Message, namespace: str) -> None:
    signal = only(etree.tostring(emsi_of(message, namespace)))
    assert signal.identifier == one_line_of(message.identifier)
    assert (signal.status, signal.sent) == (message.status, message.at.replace(microsecond=0))
    assert [r.identifier for r in signal.references] == [name for name, _ in message.links]
    (info,) = signal.infos
    assert info.urgency is message.urgency
    if message.certainty is not None:
        assert info.certainty is certainty_of(message.certainty)


def one_line_of(text: str) -> str:
    return " ".join(text.split())


def test_times_are_as_cap_has_them() -> None:
    assert time_of(AT.replace(microsecond=5)) == "2026-07-14T00:10:00-00:00"


def test_words_that_xml_cannot_carry_are_left_out() -> None:
    odd: Any = replace(SIGNAL, identifier="a\x00b c,d", note="x\x08y\ufffe")
    found = again(odd)
    assert (found.identifier, found.note) == ("ab_c_d", "xy")
