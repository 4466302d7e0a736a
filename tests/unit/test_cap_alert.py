"""From a broadcast to its CAP 1.2 alert: every field, the XML, the schema, and what our own reader makes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from connectors.cap.read import read_cap
from connectors.text import one_line, plain_text
from hub.cap.alert import ALL_CLEAR_S, Follows, area_of, minded
from hub.cap.check import problems
from hub.cap.standing import ASSUMED, of_signal, problem, standing
from hub.config.groups import Areas
from hub.connector import SignalItem
from hub.model.area import Geocode
from hub.model.broadcast import Cap, Kind, RegisteredIn
from hub.model.cap import NAMESPACE, clean, time_of, xml_of
from hub.model.message import Text
from hub.model.people import Language
from hub.model.signal import (
    Category,
    Certainty,
    Info,
    MsgType,
    Reference,
    ResponseType,
    Severity,
    Signal,
    Status,
    Urgency,
)
from hub.people.zone import polygon_problem
from tests.cap_feed import BRUSSELS, CONFIG, FORM, NOW, WORDS, broadcast, content, made, schema, texts_of, xml
from tests.conftest import NO_SAMPLES

AREAS = Areas(CONFIG.geography)
BEFORE = Reference("alerts@sitcen.example", "01JZ0000000000000000000000", NOW - timedelta(hours=1))
FOLLOWS = Follows(references=(BEFORE,), until=NOW + timedelta(hours=5))
CORRECTION = broadcast(kind=Kind.CORRECTION, follows="01JZ0000000000000000000000")
ALL_CLEAR = broadcast(kind=Kind.ALL_CLEAR, follows="01JZ0000000000000000000000")


def read(alert: Signal) -> Signal:
    """What our own reader makes of its bytes."""
    (item,) = read_cap(xml_of(xml(alert)))
    assert isinstance(item, SignalItem)
    return item.signal


# --- the fields --------------------------------------------------------------------------------------------


def test_an_alert_has_a_block_for_each_language_with_what_the_class_says_of_all() -> None:
    alert = made()
    assert (alert.identifier, alert.sender) == ("01JZ0000000000000000000001", "alerts@sitcen.example")
    assert (alert.msg_type, alert.status, alert.references, alert.note) == (MsgType.ALERT, Status.ACTUAL, (), "")
    assert [info.language for info in alert.infos] == ["fr-BE", "nl-BE", "de-DE", "en-GB"]
    french, *_, english = alert.infos
    assert (french.headline, french.description) == (WORDS[Language.FR].text, WORDS[Language.FR].text)
    assert (english.headline, english.description) == ("Toxic smoke", "Close doors and windows.")
    assert (french.event, english.event) == ("Alerte à la population", "Public warning")
    assert {info.sender_name for info in alert.infos} == set(FORM.name.values())
    for info in alert.infos:
        assert info.categories == (Category.SAFETY,)
        assert (info.urgency, info.severity, info.certainty) == ("Immediate", "Severe", "Likely")
        assert info.response_types == (ResponseType.MONITOR,)
        assert info.expires == NOW + timedelta(hours=6)
        assert info.contact == "1722"
    assert problems(xml(alert)) == []


def test_what_the_author_says_goes_before_the_signal_and_that_before_the_class() -> None:
    author = Cap(severity=Severity.EXTREME, expires_s=7200.0)
    signal = Cap(severity=Severity.MODERATE, urgency=Urgency.EXPECTED, expires=NOW + timedelta(hours=9))
    usual = Cap(urgency=Urgency.FUTURE, certainty=Certainty.OBSERVED)
    found = standing(Kind.ALERT, (author, signal, usual), NOW)
    assert (found.severity, found.urgency, found.certainty) == ("Extreme", "Expected", "Observed")
    assert (found.expires_s, found.expires) == (7200.0, None)
    assert standing(Kind.ALERT, (signal, usual), NOW).expires == NOW + timedelta(hours=9)
    assert standing(Kind.ALERT, (replace(signal, expires=NOW),), NOW).expires_s == ASSUMED.expires_s, "that is over"


def test_the_words_of_an_incident_are_the_signals_own_language_by_language() -> None:
    infos = (
        Info(language="nl-BE", event="Onweer", severity=Severity.SEVERE, urgency=Urgency.FUTURE, onset=NOW),
        Info(language="fr-BE", event="Orage ", categories=(Category.MET,), response_types=(ResponseType.AVOID,)),
    )
    found = of_signal(Signal(identifier="w", sender="kmi", sent=NOW, infos=infos))
    assert found.event == {Language.FR: "Orage", Language.NL: "Onweer"}
    assert (found.category, found.response) == ((Category.MET,), (ResponseType.AVOID,))
    assert found.severity is None, "unknown is not said"
    both = standing(Kind.ALERT, (found,), NOW)
    assert both.event == {**ASSUMED.event, **found.event}
    assert of_signal(Signal(identifier="w", sender="kmi", sent=NOW)) == Cap()


def test_a_correction_updates_and_an_all_clear_is_nothing_to_fear() -> None:
    update = made(CORRECTION, follows=FOLLOWS)
    assert (update.msg_type, update.references) == (MsgType.UPDATE, (BEFORE,))
    clear = made(ALL_CLEAR, content(kind=Kind.ALL_CLEAR, instruction={}), follows=FOLLOWS)
    assert clear.msg_type is MsgType.UPDATE
    for info in clear.infos:
        assert info.response_types == (ResponseType.ALL_CLEAR,)
        assert (info.urgency, info.severity) == (Urgency.PAST, Severity.MINOR)
        assert info.expires == FOLLOWS.until, "for as long as anybody may still show what it ends"
    late = made(ALL_CLEAR, content(kind=Kind.ALL_CLEAR), follows=replace(FOLLOWS, until=NOW))
    assert late.infos[0].expires == NOW + timedelta(seconds=ALL_CLEAR_S)
    assert problems(xml(update)) == problems(xml(clear)) == []


def test_what_is_stopped_is_withdrawn_in_words_of_its_own() -> None:
    said = content(instruction=dict.fromkeys(Language, "Stay in."))
    cancel = made(of=said, follows=FOLLOWS, withdraws=True)
    assert cancel.identifier == "01JZ0000000000000000000001-cancel"
    assert (cancel.msg_type, cancel.references) == (MsgType.CANCEL, (BEFORE,))
    dutch = cancel.infos[1]
    assert dutch.headline == "Waarschuwing ingetrokken: Giftige rook. Sluit deuren en ramen."
    assert dutch.description == "Deze waarschuwing is ingetrokken: ze geldt niet meer."
    assert {info.instruction for info in cancel.infos} == {""}
    assert problems(xml(cancel)) == []


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
def test_what_is_no_earnest_says_so_in_every_text(status: Status) -> None:
    alert = made(broadcast(status=status), follows=FOLLOWS, withdraws=status is Status.TEST)
    assert alert.status is status
    assert "EXERCISE" in alert.note
    first = {"fr-BE": "EXERCICE", "nl-BE": "OEFENING", "de-DE": "ÜBUNG", "en-GB": "EXERCISE"}
    for info in alert.infos:
        for text in (info.headline, info.description, info.event):
            word = first[info.language] if status is Status.EXERCISE else "TEST"
            assert text.startswith("EXERCICE – OEFENING" if status is Status.EXERCISE else "TEST, "), text
            assert word in text
    assert problems(xml(alert)) == []


def test_the_identifier_begins_as_configured() -> None:
    assert made(form=replace(FORM, identifiers="2.49.0.0.56.2")).identifier == (
        "2.49.0.0.56.2.01JZ0000000000000000000001"
    )


# --- where -------------------------------------------------------------------------------------------------


def test_communes_are_codes_and_larger_areas_all_their_communes() -> None:
    area = area_of(RegisteredIn(areas=("ixelles",)), AREAS, Language.NL)
    assert (area.description, area.geocodes, area.polygons) == ("Elsene", (Geocode("NIS", "21009"),), ())
    region = area_of(RegisteredIn(areas=("brussels-capital-region", "ixelles")), AREAS, Language.FR)
    assert region.description == "Région de Bruxelles-Capitale, Ixelles"
    assert [code.code for code in region.geocodes] == [str(21000 + n) for n in range(1, 20)]
    assert area_of(RegisteredIn(areas=("21009",)), AREAS, Language.DE).description == "Ixelles", "by its code"
    assert area_of(RegisteredIn(areas=("gone",)), AREAS, Language.EN).description == "gone", "no area any more"


def test_a_polygon_stands_alone_and_is_closed() -> None:
    corners = ((50.83, 4.36), (50.83, 4.38), (50.84, 4.38))
    area = area_of(RegisteredIn(areas=("ixelles",), polygon=corners), AREAS, Language.EN)
    assert area.polygons == ((*corners, corners[0]),)
    assert area.geocodes == (), "else whoever goes by codes warns the whole commune"
    assert area.description == "Ixelles: marked area"


def test_streets_stand_in_the_description_and_whoever_releases_it_is_told() -> None:
    where = RegisteredIn(streets=("Rue Haute 1-99",), areas=("brussels-city",))
    assert area_of(where, AREAS, Language.FR).description == "Rue Haute 1-99 (Ville de Bruxelles)"
    assert list(minded(where, AREAS)) == [
        "CAP: streets have no shape there: whoever goes by codes warns all of brussels-city"
    ]
    (alone,) = minded(RegisteredIn(streets=("Rue Haute",)), AREAS)
    assert alone.endswith("add areas or a polygon")
    assert list(minded(RegisteredIn(areas=("ixelles",)), AREAS)) == []
    (unknown,) = minded(RegisteredIn(areas=("ixelles", "gone")), AREAS)
    assert unknown == "CAP: no NIS code is known for gone: alert hubs find the name only"


# --- the XML -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "zone", "said"),
    [
        (NOW, BRUSSELS, "2026-07-14T02:10:00+02:00"),
        (datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC), BRUSSELS, "2026-01-01T13:00:00+01:00"),
        (NOW, ZoneInfo("UTC"), "2026-07-14T00:10:00-00:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), BRUSSELS, "2026-10-25T02:30:00+01:00"),
        (NOW, ZoneInfo("Asia/Kathmandu"), "2026-07-14T05:55:00+05:45"),
        (datetime(1850, 1, 1, tzinfo=UTC), BRUSSELS, "1850-01-01T00:00:00-00:00"),
    ],
)
def test_times_are_the_standards(at: datetime, zone: ZoneInfo, said: str) -> None:
    assert time_of(at, zone) == said


def test_what_xml_forbids_is_left_out_and_markup_is_text() -> None:
    bad = "a\x00b\x0bc\x1f\ud800d\ufffe\u202ee <b>&amp;</b>\r\nx\ry ]]> {code}"
    alert = made(of=content({language: Text(text=bad) for language in Language}))
    (found, *_) = texts_of(xml(alert), "description")
    assert found == "abcde <b>&amp;</b>\nx\ny ]]> (code)"
    assert texts_of(etree.fromstring(xml_of(xml(alert))), "description")[0] == found


def test_lengths_are_bounded_at_a_word() -> None:
    alert = made(of=content({language: Text(text="mot " * 5_000) for language in Language}))
    assert all(len(info.headline) <= 150 and info.headline.endswith("mot...") for info in alert.infos)
    assert all(len(info.description) <= 8_000 for info in alert.infos)
    assert problems(xml(alert)) == []


def every() -> list[Signal]:
    """An alert of each kind."""
    polygon = RegisteredIn(polygon=((50.83, 4.36), (50.83, 4.38), (50.84, 4.380001)))
    whole = content(
        registered=polygon,
        category=(Category.FIRE, Category.HEALTH),
        response=(ResponseType.SHELTER,),
        onset=NOW + timedelta(hours=1),
        instruction={language: f"Restez {language}" for language in Language},
        web="https://www.be-alert.be/x?a=1&b=2",
    )
    exercise = broadcast(status=Status.EXERCISE)
    return [
        made(),
        made(of=whole),
        made(CORRECTION, follows=FOLLOWS),
        made(ALL_CLEAR, content(kind=Kind.ALL_CLEAR), follows=FOLLOWS),
        made(follows=FOLLOWS, withdraws=True),
        made(exercise),
        made(exercise, follows=FOLLOWS, withdraws=True),
    ]


@pytest.mark.parametrize("number", range(7))
def test_each_is_valid_against_the_published_schema(number: int) -> None:
    published = schema()
    if published is None:
        pytest.skip(NO_SAMPLES)
    published.validate(etree.fromstring(xml_of(xml(every()[number]))))


@pytest.mark.parametrize("number", range(7))
def test_our_own_reader_gives_each_back(number: int) -> None:
    alert = every()[number]
    assert problems(xml(alert)) == []
    found = read(alert)
    assert found.notes == (), "nothing about it is odd"
    # The hazard is the reader's own finding, links are collected by it.
    infos = tuple(replace(info, hazard=None) for info in found.infos)
    assert replace(found, infos=infos, links=()) == alert


# --- texts that hypothesis makes ---------------------------------------------------------------------------

ANY = st.text(max_size=200)
TEXTS = st.builds(Text, text=ANY, subject=ANY)


@settings(max_examples=150)
@given(
    words=st.fixed_dictionaries(dict.fromkeys(Language, TEXTS)),
    event=ANY,
    instruction=ANY,
    number=st.integers(0, 2),
)
def test_whatever_is_written_is_well_formed_and_read_back(
    words: dict[Language, Text], event: str, instruction: str, number: int
) -> None:
    said = content(
        words,
        event=dict.fromkeys(Language, event),
        instruction=dict.fromkeys(Language, instruction),
        contact=event,
    )
    one = (broadcast(), CORRECTION, broadcast(status=Status.EXERCISE))[number]
    alert = made(one, said, follows=Follows() if number != 1 else FOLLOWS)
    root = etree.fromstring(xml_of(xml(alert)))
    assert problems(root) == []
    for info, node in zip(alert.infos, root.iter(f"{{{NAMESPACE}}}info"), strict=True):
        for name, text in (
            ("headline", info.headline),
            ("description", info.description),
            ("instruction", info.instruction),
        ):
            assert (node.findtext(f"{{{NAMESPACE}}}{name}") or "") == clean(text)
    found = read(alert)
    assert (found.identifier, found.sent, found.references) == (alert.identifier, alert.sent, alert.references)
    for theirs, ours in zip(found.infos, alert.infos, strict=True):
        assert theirs.headline == one_line(clean(ours.headline))
        assert theirs.description == plain_text(clean(ours.description))
        assert theirs.instruction == plain_text(clean(ours.instruction))
        assert (theirs.severity, theirs.expires, theirs.areas) == (ours.severity, ours.expires, ours.areas)


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=3, max_size=6))
def test_corners_are_written_so_that_every_reader_knows_them(corners: list[tuple[float, float]]) -> None:
    assume(not polygon_problem(tuple((round(lat, 4), round(lon, 4)) for lat, lon in corners)))
    alert = made(of=content(registered=RegisteredIn(polygon=tuple(corners))))
    (ring, *_) = texts_of(xml(alert), "polygon")
    assert problems(xml(alert)) == []
    assert "e" not in ring
    for said, (lat, lon) in zip(ring.split(), corners, strict=False):
        assert tuple(map(float, said.split(","))) == pytest.approx((lat, lon), abs=1e-6)


# --- what is wrong -----------------------------------------------------------------------------------------


def spoilt(how: Any) -> list[str]:
    root = xml(every()[1])
    how(root)
    return problems(root)


def at(root: etree._Element, path: str) -> etree._Element:
    found = root.find("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/")))
    assert found is not None
    return found


def set_text(path: str, text: str) -> Any:
    return lambda root: setattr(at(root, path), "text", text)


def drop(path: str) -> Any:
    def dropped(root: etree._Element) -> None:
        found = at(root, path)
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)

    return dropped


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (set_text("identifier", "a b"), "alert/identifier: holds a blank, a comma, < or &"),
        (set_text("sent", "2026-07-14T00:10:00Z"), "alert/sent: '2026-07-14T00:10:00Z' is no time of CAP"),
        (set_text("sent", "2026-07-14T00:10:00.5+02:00"), "00.5+02:00' is no time of CAP"),
        (set_text("info/expires", "2026-07-14T00:10:00,02:00"), "no time of CAP"),
        (set_text("msgType", "Update"), "alert/references: an Update or a Cancel refers to nothing"),
        (set_text("status", "Exercise"), "alert/note: does not say which exercise it is"),
        (set_text("info/severity", "Severely"), "'Severely' is not one of CAP's words"),
        (set_text("info/headline", "x" * 161), "info[fr-BE]/headline: more than 160 characters"),
        (set_text("info/language", "nl-BE"), "alert/info: two blocks in one language"),
        (set_text("info/area/polygon", "50,4 50,5 51,5 51,4"), "polygon: not closed, or fewer than four pairs"),
        (set_text("info/area/polygon", "4 50"), "polygon: no lat,lon pairs"),
        (set_text("info/event", " "), "info[fr-BE]/event: empty"),
        (drop("info/event"), "info[fr-BE]/event: missing"),
        (drop("scope"), "alert/scope: missing"),
        (lambda root: root.append(at(root, "sender")), "not in order"),
        (lambda root: root.insert(1, etree.Element(f"{{{NAMESPACE}}}other")), "alert: other: not known there"),
        (lambda root: setattr(root, "tag", "alert"), "alert: no alert of CAP 1.2"),
    ],
)  # fmt: skip
def test_the_check_names_what_is_not_as_it_should_be(how: Any, said: str) -> None:
    found = spoilt(how)
    assert any(said in one for one in found), found


def test_what_an_author_says_is_refused_where_it_is_no_cap() -> None:
    assert problem(Cap()) == ""
    assert problem(Cap(event={Language.FR: "Incendie"})).startswith("event: nl, de, en: there are no words")
    assert problem(Cap(expires_s=30.0)) == "expires_s: an alert is in force for 1 min to 7 days"
    assert problem(Cap(web="javascript:alert(1)")) == "web: 'javascript:alert(1)' is no web address"
