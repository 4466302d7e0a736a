"""Reading CAP: what the standard says, what publishers really do, and what attackers try."""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.cap.read import read_cap
from connectors.cap.source import CapSource
from hub.connector import BadItem, SignalItem
from hub.model.area import Circle, Geocode
from hub.model.signal import (
    Category,
    Certainty,
    Hazard,
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

CAP12 = "urn:oasis:names:tc:emergency:cap:1.2"


def cap(
    head: str = "",
    info: str = "",
    *,
    namespace: str = CAP12,
    identifier: str = "<identifier>weather-7</identifier>",
    sender: str = "<sender>met.example</sender>",
    sent: str = "<sent>2026-07-14T02:10:00+02:00</sent>",
    status: str = "<status>Actual</status>",
    msg_type: str = "<msgType>Alert</msgType>",
    scope: str = "<scope>Public</scope>",
) -> str:
    """A CAP alert written for the tests; `head` goes between scope and info, `info` into one info block."""
    block = (
        f"<info><language>fr-BE</language><category>Met</category><event>orage violent</event>"
        f"<urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>{info}</info>"
        if info is not None
        else ""
    )
    lines = (identifier, sender, sent, status, msg_type, scope, head, block)
    return f'<alert xmlns="{namespace}">\n' + "\n".join(lines) + "\n</alert>"


def area(inner: str) -> str:
    return f"<area><areaDesc>Bruxelles</areaDesc>{inner}</area>"


def read(text: str | bytes) -> Sequence[SignalItem | BadItem]:
    return read_cap(text.encode() if isinstance(text, str) else text)


def signal(text: str | bytes) -> Signal:
    (item,) = read(text)
    assert isinstance(item, SignalItem), item
    return item.signal


def bad(data: str | bytes) -> BadItem:
    (item,) = read(data)
    assert isinstance(item, BadItem), item
    return item


def noted(found: Signal, words: str) -> bool:
    return any(words in note for note in found.notes)


# --- the standard ------------------------------------------------------------------------------------------


def test_an_alert_is_read_with_all_its_fields() -> None:
    found = signal(
        cap(
            "<source>radar 3</source><note>see map</note><code>MCP:v2.0</code><code>x</code>"
            '<incidents>ev1 "storm of july"</incidents>',
            "<responseType>Shelter</responseType><responseType>Monitor</responseType><audience>all</audience>"
            "<eventCode><valueName>OWN</valueName><value>7</value></eventCode>"
            "<onset>2026-07-14T04:00:00+02:00</onset><expires>2026-07-14T08:00:00+02:00</expires>"
            "<senderName>Institut</senderName><headline>Orage</headline><description>Fort.</description>"
            "<instruction>Rentrez.</instruction><web>https://met.example/w</web><contact>tel</contact>"
            "<parameter><valueName>gust</valueName><value>110</value></parameter>"
            "<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType><size>12</size>"
            "<derefUri>AAAA</derefUri></resource>"
            + area(
                "<polygon>50.8,4.3 50.9,4.3 50.9,4.4 50.8,4.3</polygon><circle>50.85,4.35 5</circle>"
                "<geocode><valueName>EMMA_ID</valueName><value>BE004</value></geocode><altitude>100</altitude>"
            ),
        )
    )
    assert (found.identifier, found.sender, found.origin) == ("weather-7", "met.example", "radar 3")
    assert found.sent == datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
    assert found.incidents == ("ev1", "storm of july")
    assert found.codes == ("MCP:v2.0", "x")
    assert found.links == ("https://met.example/w",)
    assert not found.notes
    (info,) = found.infos
    assert info.language == "fr-BE"
    assert info.categories == (Category.MET,)
    assert info.hazard is Hazard.THUNDERSTORM
    assert info.response_types == (ResponseType.SHELTER, ResponseType.MONITOR)
    assert (info.urgency, info.severity, info.certainty) == (Urgency.EXPECTED, Severity.SEVERE, Certainty.LIKELY)
    assert info.onset == datetime(2026, 7, 14, 2, tzinfo=UTC)
    assert info.expires == datetime(2026, 7, 14, 6, tzinfo=UTC)
    assert info.resources[0].embedded
    assert info.resources[0].size == 12
    (where,) = info.areas
    assert where.polygons == (((50.8, 4.3), (50.9, 4.3), (50.9, 4.4), (50.8, 4.3)),)
    assert where.circles == (Circle(50.85, 4.35, 5.0),)
    assert where.geocodes == (Geocode("EMMA_ID", "BE004"),)
    assert where.altitude_ft == 100


def test_cap_1_0_is_mapped() -> None:
    found = signal(
        '<alert xmlns="http://www.incident.com/cap/1.0"><identifier>A1</identifier><sender>old.example</sender>'
        "<sent>2004-06-11T22:39:00-07:00</sent><status>Actual</status><msgType>Update</msgType>"
        "<references>A0/old.example</references><info><category>Met</category><event>Severe Thunderstorm</event>"
        "<urgency>Immediate</urgency><severity>Severe</severity><certainty>Very Likely</certainty>"
        "<eventCode>same=SVR</eventCode><parameter>hail=yes</parameter>"
        "<area><areaDesc>x</areaDesc><geocode>fips6=006109</geocode></area></info></alert>"
    )
    assert found.infos[0].certainty is Certainty.LIKELY
    assert found.infos[0].hazard is Hazard.THUNDERSTORM
    assert found.infos[0].parameters == (Named("hail", "yes"),)
    assert found.infos[0].areas[0].geocodes == (Geocode("fips6", "006109"),)
    assert found.references == (Reference("old.example", "A0", None),)
    assert found.scope is Scope.PUBLIC


@pytest.mark.parametrize("namespace", ["urn:oasis:names:tc:emergency:cap:1.1", "http://www.incident.com/cap/1.0"])
def test_older_namespaces_need_no_note(namespace: str) -> None:
    assert not noted(signal(cap(namespace=namespace)), "namespace")


# --- what publishers do ------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", ["urn:oasis:names:tc:emergency:alerts:1.2", "", "http://example.org/x"])
def test_a_wrong_namespace_is_noted_and_read(namespace: str) -> None:
    assert noted(signal(cap(namespace=namespace)), "namespace")


def test_the_order_of_elements_does_not_matter() -> None:
    late = cap(sender="", head="<sender>met.example</sender>")
    assert read(late)[0].key == read(cap())[0].key


def test_empty_enumerations_are_unknown_and_noted() -> None:
    found = signal(cap().replace("<urgency>Expected</urgency>", "<urgency></urgency>").replace(">Severe<", "><"))
    assert found.infos[0].urgency is Urgency.UNKNOWN
    assert found.infos[0].severity is Severity.UNKNOWN
    assert noted(found, "urgency is missing")


def test_enumerations_are_read_in_any_case() -> None:
    found = signal(
        cap(msg_type="<msgType> update </msgType>", head="<references>a,b,2026-07-14T00:00:00Z</references>")
    )
    assert found.msg_type is MsgType.UPDATE


def test_several_alerts_in_one_file_each_stand_alone() -> None:
    broken = cap(identifier="")
    items = read(f"<alerts>{cap()}{broken}{cap(identifier='<identifier>two</identifier>')}</alerts>")
    assert [type(item) for item in items] == [SignalItem, BadItem, SignalItem]
    letter = items[1]
    assert isinstance(letter, BadItem)
    assert "identifier is missing" in letter.reason
    assert letter.place.split(":")[0].isdigit()
    assert items[0].original is items[2].original


def test_an_edxl_envelope_is_opened_and_an_exercise_stays_one() -> None:
    envelope = (
        '<e:EDXLDistribution xmlns:e="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><e:distributionStatus>Exercise'
        "</e:distributionStatus><e:contentObject><e:xmlContent><e:embeddedXMLContent>{}</e:embeddedXMLContent>"
        "</e:xmlContent></e:contentObject></e:EDXLDistribution>"
    )
    found = signal(envelope.format(cap()))
    assert found.status is Status.EXERCISE
    assert noted(found, "envelope says Exercise")
    assert signal(envelope.format(cap()).replace("Exercise", "Actual")).status is Status.ACTUAL


def test_edxl_2_names_its_status_in_a_list() -> None:
    found = signal(
        '<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:2.0" xmlns:ct="urn:x"><DistributionStatus>'
        "<StatusKindDefault><ct:ValueListURI>urn:list</ct:ValueListURI><ct:Value>Test</ct:Value></StatusKindDefault>"
        f"</DistributionStatus><Content>{cap()}</Content></EDXLDistribution>"
    )
    assert found.status is Status.TEST


@pytest.mark.parametrize(
    "text",
    ["<alerts/>", "<EDXLDistribution><distributionID>x</distributionID></EDXLDistribution>", '{"warnings": []}'],
)
def test_a_document_that_says_no_warnings_gives_nothing(text: str) -> None:
    assert list(read(text)) == []


@pytest.mark.parametrize(
    ("written", "status"),
    [("Excercise", Status.EXERCISE), ("TEST message", Status.TEST), ("Real", Status.ACTUAL), ("", Status.ACTUAL)],
)
def test_a_misspelt_status_neither_loses_a_warning_nor_wakes_a_city(written: str, status: Status) -> None:
    found = signal(cap(status=f"<status>{written}</status>"))
    assert found.status is status
    assert found.notes


def test_references_are_compared_as_instants() -> None:
    found = signal(
        cap(
            "<references>met.example,weather-6,2026-07-14T00:02:18-00:00 "
            "met.example,weather-5,2026-07-14T02:02:18+02:00"
            "</references>",
            msg_type="<msgType>Update</msgType>",
        )
    )
    assert found.references[0].sent == found.references[1].sent == datetime(2026, 7, 14, 0, 2, 18, tzinfo=UTC)


def test_an_update_without_references_is_noted() -> None:
    assert noted(signal(cap(msg_type="<msgType>Update</msgType>", head="<references/>")), "without references")


def test_a_reference_that_is_none_is_noted_and_left_out() -> None:
    found = signal(cap("<references>weather-6 a,b,never</references>", msg_type="<msgType>Cancel</msgType>"))
    assert found.references == (Reference("a", "b", None),)
    assert noted(found, "'weather-6' is not sender,identifier,sent")


@pytest.mark.parametrize(
    ("written", "instant", "note"),
    [
        ("2026-07-14T02:10:00-00:00", datetime(2026, 7, 14, 2, 10, tzinfo=UTC), ""),
        ("2026-07-14T02:10:00Z", datetime(2026, 7, 14, 2, 10, tzinfo=UTC), ""),
        ("2026-07-14T02:10:00.250+02:00", datetime(2026, 7, 14, 0, 10, tzinfo=UTC), ""),
        ("2026-07-14 02:10+0200", datetime(2026, 7, 14, 0, 10, tzinfo=UTC), ""),
        ("2026-07-14T02:10:00", datetime(2026, 7, 14, 2, 10, tzinfo=UTC), "no offset"),
        ("2026-07-14T02:10:00,02:00", datetime(2026, 7, 14, 0, 10, tzinfo=UTC), "comma"),
        ("2026-07-14T24:00:00+02:00", datetime(2026, 7, 14, 22, tzinfo=UTC), ""),
        ("1970-01-01T00:00:00+00:00", datetime(1970, 1, 1, tzinfo=UTC), "not credible"),
        ("2099-12-31T23:59:59+00:00", datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC), "not credible"),
    ],
)
def test_times_as_they_come(written: str, instant: datetime, note: str) -> None:
    found = signal(cap(sent=f"<sent>{written}</sent>"))
    assert found.sent == instant
    assert bool(found.notes) == bool(note)
    assert noted(found, note) or not note


@pytest.mark.parametrize("written", ["yesterday", "2026-13-40T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-07-14"])
def test_an_alert_that_was_never_sent_is_a_dead_letter(written: str) -> None:
    assert "sent is no time" in bad(cap(sent=f"<sent>{written}</sent>")).reason


def test_another_unreadable_time_is_only_noted() -> None:
    found = signal(cap(info="<onset>soon</onset>"))
    assert found.infos[0].onset is None
    assert noted(found, "onset 'soon' is no time")


@pytest.mark.parametrize(
    ("geometry", "note"),
    [
        ("<polygon/>", ""),
        ("<circle>+50.85,+4.35 0</circle>", ""),
        ("<polygon>50.8,4.3 50.9,4.3 50.9,4.4</polygon>", "closed"),
        ("<polygon>50.8,4.3, 50.9,4.3, 50.9,4.4</polygon>", "no lat,lon pair"),
        ("<polygon>50.8,4.3 50.9,4.3 50.8,4.3</polygon>", "fewer than three"),
        ("<polygon>50.8,4.3 50.9,1_0 50.9,4.4 50.8,4.3</polygon>", "no lat,lon pair"),
        ("<polygon>nan,4.3 50.9,4.3 50.9,4.4 nan,4.3</polygon>", "no lat,lon pair"),
        ("<polygon>500.8,400.3 50.9,4.3 50.9,4.4 500.8,400.3</polygon>", "off the globe"),
        ("<polygon>139.6,35.6 139.8,35.6 139.8,35.8 139.6,35.6</polygon>", "the other way round"),
        ("<circle>4.35 50.85</circle>", "not lat,lon radius"),
        ("<circle>50.85,4.35 -3</circle>", "not possible"),
        ("<circle>50.85,4.35 99999</circle>", "not possible"),
        ("<geocode><valueName>EXCLUDE_POLYGON</valueName><value>1,2 3,4</value></geocode>", "hole"),
        ("<altitude>high</altitude>", "altitude"),
    ],
)
def test_geometry_that_departs_is_noted_and_the_alert_stands(geometry: str, note: str) -> None:
    found = signal(cap(info=area(geometry)))
    assert found.infos[0].areas[0].description == "Bruxelles"
    assert noted(found, note) if note else not found.notes


def test_coordinates_that_can_only_be_swapped_are_swapped() -> None:
    found = signal(cap(info=area("<circle>139.7,35.7 10</circle>")))
    assert found.infos[0].areas[0].circles == (Circle(35.7, 139.7, 10.0),)


def test_html_in_texts_becomes_text() -> None:
    found = signal(
        cap(
            info="<headline>Fin &amp;quot;orage&amp;quot;</headline>"
            "<description>Un.&lt;br/&gt;Deux &amp;amp; trois&lt;script&gt;alert(1)&lt;/script&gt;\n"
            "wind &lt; 50</description>"
            "<instruction>If wind &lt; 50 km/h &amp; rain</instruction><web>javascript:alert(1)</web>"
        )
    )
    info = found.infos[0]
    assert info.headline == 'Fin "orage"'
    assert info.description.startswith("Un.\nDeux & trois")
    assert "alert(1)" not in info.description
    assert info.instruction == "If wind < 50 km/h & rain"
    assert info.web == ""
    assert found.links == ()


def test_meteoalarm_levels_and_types_are_read_by_their_number() -> None:
    found = signal(
        cap(
            info="<parameter><valueName>awareness_type</valueName><value>12;Flooding!</value></parameter>"
            "<parameter><valueName>awareness_level</valueName><value>3; oranje</value></parameter>"
        ).replace("<severity>Severe</severity>", "<severity>Unknown</severity>")
    )
    assert found.infos[0].hazard is Hazard.FLOOD
    assert found.infos[0].severity is Severity.SEVERE
    assert noted(found, "severity is unknown")


def test_the_senders_severity_outweighs_the_level() -> None:
    level = "<parameter><valueName>awareness_level</valueName><value>4; red; Extreme</value></parameter>"
    assert signal(cap(info=level)).infos[0].severity is Severity.SEVERE


def test_one_warning_in_several_languages_has_one_hazard() -> None:
    other = cap().replace("fr-BE", "xx").replace("orage violent", "zzz")
    block = other[other.index("<info>") : other.index("</alert>")]
    found = signal(cap().replace("</alert>", block + "</alert>"))
    assert [info.hazard for info in found.infos] == [Hazard.THUNDERSTORM, Hazard.THUNDERSTORM]


# --- encodings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16", "utf-8-sig"])
def test_encodings_are_honoured(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>{cap(info="<headline>Évère</headline>")}'
    found = signal(text.encode(encoding))
    assert found.infos[0].headline == "Évère"
    assert not found.notes


def test_latin_1_that_says_utf_8_is_read_and_noted() -> None:
    found = signal(
        ('<?xml version="1.0" encoding="utf-8"?>' + cap(info="<headline>météo</headline>")).encode("latin-1")
    )
    assert found.infos[0].headline == "météo"
    assert noted(found, "not valid utf-8")


def test_one_broken_byte_does_not_spoil_the_other_letters() -> None:
    data = cap(info="<headline>été à Évère!</headline>").encode().replace(b"!", b"\xff")
    assert signal(data).infos[0].headline == "été à Évère\ufffd"


def test_control_characters_are_dropped_and_noted() -> None:
    found = signal(cap(info="<headline>or\x00age</headline>"))
    assert found.infos[0].headline == "orage"
    assert noted(found, "forbids")


# --- keys --------------------------------------------------------------------------------------------------


def test_the_key_tells_contents_apart_but_not_wrappers() -> None:
    alone = read(cap())[0]
    wrapped = read(f"<x>\n  {cap().replace('<identifier>', '   <identifier>')}\n</x>")[0]
    prefixed = read(re.sub(r"<(/?)(\w)", r"<\1c:\2", cap()).replace("xmlns=", "xmlns:c="))[0]
    other = read(cap(info="<headline>new words</headline>"))[0]
    assert alone.key == wrapped.key
    assert alone.key != other.key
    assert alone.key == prefixed.key


def test_xml_and_json_of_one_alert_have_one_key() -> None:
    as_json = {
        "identifier": "weather-7",
        "sender": "met.example",
        "sent": "2026-07-14T02:10:00+02:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "references": None,
        "info": [
            {
                "language": "fr-BE",
                "category": ["Met"],
                "event": "orage violent",
                "urgency": "Expected",
                "severity": "Severe",
                "certainty": "Likely",
            }
        ],
    }
    assert read(msgspec.json.encode(as_json))[0].key == read(cap())[0].key


# --- JSON --------------------------------------------------------------------------------------------------


def test_json_forms() -> None:
    alert = {
        "identifier": "x",
        "sender": "y",
        "sent": "2026-07-14T02:10:00Z",
        "status": "Actual",
        "msgType": "Cancel",
        "scope": "Public",
        "references": ["y,w,2026-07-14T02:00:00Z"],
        "info": {
            "category": "Met",
            "event": "Nebel",
            "area": {
                "areaDesc": "Z",
                "polygon": [[50.8, 4.3], [50.9, 4.3], [50.9, 4.4], [50.8, 4.3]],
                "geocode": {"NUTS3": ["BE100", "BE241"]},
            },
        },
    }
    for form in (alert, {"alert": alert}, [alert], {"warnings": [{"uuid": "u", "alert": alert}]}):
        found = signal(msgspec.json.encode(form))
        assert found.references == (Reference("y", "w", datetime(2026, 7, 14, 2, tzinfo=UTC)),)
        where = found.infos[0].areas[0]
        assert where.geocodes == (Geocode("NUTS3", "BE100"), Geocode("NUTS3", "BE241"))
        assert where.polygons == (((50.8, 4.3), (50.9, 4.3), (50.9, 4.4), (50.8, 4.3)),)
        assert found.infos[0].hazard is Hazard.FOG


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", '{"warnings": 3}', "[[]]"])
def test_json_that_is_no_cap_is_a_dead_letter(text: str) -> None:
    assert "without a CAP alert" in bad(text).reason


def test_malformed_json_says_where() -> None:
    letter = bad('{"warnings":\n [}')
    assert "not well-formed JSON" in letter.reason
    assert letter.place == "2:3"


# --- what attackers try ------------------------------------------------------------------------------------

LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">'.replace("&a0;", "&a;") for n in range(1, 10))
    + "]>"
)
QUADRATIC = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'
THEFT = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'
PARAMETER = '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>'


@pytest.mark.parametrize("trick", [LAUGHS, QUADRATIC, THEFT, OUTSIDE, PARAMETER])
@pytest.mark.parametrize("before", ["", "<?xml version='1.0'?>\n", "<!-- <!DOCTYPE none> -->\n<?p <x> ?>"])
def test_document_types_are_refused_with_their_place(trick: str, before: str) -> None:
    body = cap(info=f"<headline>{'&a9;&a;' * 3}&secret;</headline>")
    letter = bad(before + trick + body)
    assert "document type declaration" in letter.reason
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    assert letter.place == f"{line}:{column}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037"])
def test_an_encoding_hides_no_document_type(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{THEFT}{cap(info="<headline>&secret;</headline>")}'
    letter = bad(text.encode(encoding))
    assert "root:" not in letter.reason


def test_an_undeclared_entity_is_not_well_formed() -> None:
    letter = bad(cap(info="<headline>&nbsp;</headline>"))
    assert "not well-formed XML" in letter.reason
    assert letter.place.split(":")[0].isdigit()


def test_a_cut_off_document_is_a_dead_letter_with_its_place() -> None:
    letter = bad(cap()[:-30])
    assert "not well-formed XML" in letter.reason
    assert letter.original


def test_too_deep_a_document_is_a_dead_letter() -> None:
    assert isinstance(read("<a>" * 100_000 + "</a>" * 100_000)[0], BadItem)
    assert isinstance(read("[" * 100_000 + "]" * 100_000)[0], BadItem)


def test_a_hundred_megabytes_are_refused_at_once() -> None:
    body = b"<alert>" + b" " * 100_000_000 + b"</alert>"
    start = time.perf_counter()
    assert "at most" in bad(body).reason
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize(
    "data",
    [b"", b"  ", b"\xef\xbb\xbf", b"hello", b"\x00\x01\x02", b"<html><body>404</body></html>", b"<", b"\xff\xfe"],
)
def test_what_is_no_cap_is_one_dead_letter(data: bytes) -> None:
    letter = bad(data)
    assert letter.reason
    assert letter.original == data


def test_names_of_absurd_length_are_refused() -> None:
    assert "at most 1000" in bad(cap(identifier=f"<identifier>{'x' * 5000}</identifier>")).reason


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for item in CapSource.read(data, "noise"):
        assert isinstance(item, SignalItem | BadItem)


@settings(max_examples=300, deadline=2000)
@given(
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6)), max_size=8),
    st.sampled_from(
        [
            cap(info=area("<polygon>50.8,4.3 50.9,4.3 50.9,4.4 50.8,4.3</polygon>")),
            '{"warnings":[{"alert":{"identifier":"a"}}]}',
        ]
    ),
)
def test_a_damaged_alert_is_read_or_refused(cuts: list[tuple[int, bytes]], text: str) -> None:
    data = bytearray(text.encode())
    for at, what in cuts:
        data[at : at + len(what)] = what
    for item in CapSource.read(bytes(data), "damaged"):
        assert isinstance(item, SignalItem | BadItem)


@settings(max_examples=200, deadline=2000)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "alert",
                        "info",
                        "area",
                        "polygon",
                        "geocode",
                        "sent",
                        "identifier",
                        "sender",
                        "warnings",
                        "references",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=30,
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    for item in CapSource.read(msgspec.json.encode(value), "noise"):
        assert isinstance(item, SignalItem | BadItem)
