"""What sensors' messages mean and what is told of them, without a broker."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from connectors.letters import Letters
from connectors.mqtt.config import MqttConfig, Reading
from connectors.mqtt.payload import Value, value_of
from connectors.mqtt.sensors import SENSORS_MAX, Sensors
from connectors.mqtt.source import MqttSource, bad_items
from connectors.mqtt.topics import is_exact, problem_with, stood_for
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.area import Circle, Geocode
from hub.model.signal import Hazard, MsgType, Severity, Signal

NAME = {"fr": "Niveau", "nl": "Peil", "de": "Pegel", "en": "Level"}
NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
LEVEL: dict[str, Any] = {
    "topics": ["basins/+/level"],
    "name": NAME,
    "unit": "m",
    "above": {"Moderate": 3.2, "Severe": 3.8},
    "hysteresis": 0.2,
    "dwell_s": 600,
    "hazard": "flood",
}


def reading(**more: Any) -> Reading:
    made: Reading = msgspec.convert(LEVEL | more, Reading)
    return made


def config(**readings: Any) -> MqttConfig:
    raw = {"host": "broker.example", "readings": readings or {"level": LEVEL}}
    made: MqttConfig = msgspec.convert(raw, MqttConfig)
    return made


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Basin:
    """Sensors, and what they are told in hub time."""

    def __init__(self, made: MqttConfig | None = None, cursor: str | None = None, seconds: float = 0.0) -> None:
        self.config = made or config()
        self.sensors = Sensors(self.config, "basins", cursor)
        self.seconds = seconds
        self.told: list[Signal] = [item.signal for item in self.sensors.listen(at(seconds))]

    def hears(self, value: float | str, topic: str = "basins/a/level", **more: bool) -> list[Signal]:
        payload = value if isinstance(value, str) else repr(value)
        out: list[SignalItem] = []
        for name, meant in self.sensors.meant(topic):
            found = value_of(payload.encode(), meant, "UTC")
            if found is not None:
                out += self.sensors.hear(topic, name, found, at(self.seconds), **more)
        return self._said(out)

    def after(self, seconds: float) -> list[Signal]:
        """Looks every second, as the source does."""
        out: list[SignalItem] = []
        for _ in range(round(seconds)):
            self.seconds += 1
            out += self.sensors.tick(at(self.seconds))
        return self._said(out)

    def restarted(self, made: MqttConfig | None = None) -> "Basin":
        return Basin(made or self.config, self.sensors.dump(), self.seconds)

    def _said(self, items: list[SignalItem]) -> list[Signal]:
        assert len({item.key for item in items}) == len(items)
        found = [item.signal for item in items]
        self.told += found
        return found


def kinds(signals: list[Signal]) -> list[tuple[str, str]]:
    return [(s.msg_type.value, s.infos[0].severity.value if s.msg_type is not MsgType.CANCEL else "") for s in signals]


# --- topics ------------------------------------------------------------------------------------------------

words = st.sampled_from(["", "a", "b", "$SYS", "é", " "])
parts = st.lists(st.one_of(words, st.sampled_from(["+", "#"])), min_size=1, max_size=5)


@given(parts, st.lists(words, min_size=1, max_size=5))
def test_filters_match_as_the_library_has_it(pattern: list[str], topic: list[str]) -> None:
    written, named = "/".join(pattern), "/".join(topic)
    if problem_with(written) or not named:
        return
    assert (stood_for(written, named) is not None) == topic_matches_sub(written, named)


def test_wildcards_are_known_by_what_they_stand_for() -> None:
    assert stood_for("a/+/c/#", "a/b/c/d/e") == ("b", "d/e")
    assert stood_for("a/#", "a") == ("",)
    assert stood_for("a/b", "a/b") == ()
    assert (is_exact("a/b"), is_exact("a/+"), is_exact("#")) == (True, False, False)


@pytest.mark.parametrize("pattern", ["", "a#", "#/a", "a+/b", "$share/g/a", "a\0b", "x" * 70_000])
def test_what_is_no_filter_is_explained(pattern: str) -> None:
    assert ": " in problem_with(pattern)


# --- values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b"3.5", 3.5),
        (b" -2 \n", -2.0),
        (b"1e3", 1000.0),
        (b"3.5 m", 3.5),
        (b"3.5m", 3.5),
        (b".5", 0.5),
        (b"\xef\xbb\xbf7", 7.0),
    ],
)
def test_a_plain_number(payload: bytes, number: float) -> None:
    found = value_of(payload, reading(), "UTC")
    assert found == Value(number=number)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "is no number"), (b"ERR", "is no number"), (b"nan", "is no number"), (b"1e999", "is no number"),
        (b"3,5", "decimal comma"), (b"3.5 ft", "is no number"), (b"\xff\xfe", "no text in UTF-8"),
        (b"true", "is no number"),
        (b"-9999", "beyond what can be measured"), (b"99", "beyond what can be measured"), (b"9" * 500, "is no number"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_explained_without_its_content(payload: bytes, reason: str) -> None:
    with pytest.raises(ReadError, match=reason) as caught:
        value_of(payload, reading(least=0, most=12), "UTC")
    assert ": " in caught.value.reason or "12.5" in caught.value.reason
    assert not payload or payload.decode("utf-8", "replace") not in caught.value.reason


def of_json(answer: Any, **more: Any) -> Value | None:
    return value_of(json.dumps(answer).encode(), reading(**{"value": "water.level"} | more), "Europe/Brussels")


def test_a_value_in_json_with_its_time_and_its_sensor() -> None:
    found = of_json(
        {"water": {"level": "3.5"}, "at": "2026-07-14T14:00:00", "device": {"id": 7}}, time="at", sensor="device.id"
    )
    assert found == Value(number=3.5, at=NOW, sensor="7")
    assert of_json({"water": {"level": 1}, "at": "yesterday"}, time="at") == Value(number=1.0)
    assert of_json({"kind": "status"}, only="kind == 'data'", value="x") is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"water": {"level": None}}, "has no value"), ({}, "has no value"),
        ({"water": {"level": True}}, "true or false"),
        ({"water": {"level": [1]}}, "is no number"), ({"water": {"level": {"m": 1}}}, "is no number"),
        ({"water": {"level": 10**400}}, "is no number"),
    ],
)  # fmt: skip
def test_json_without_a_value_is_explained(value: Any, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        of_json(value)


def test_json_that_is_none_is_explained() -> None:
    with pytest.raises(ReadError, match="not well-formed JSON"):
        value_of(b"{", reading(value="x"), "UTC")
    with pytest.raises(ReadError, match="names no sensor"):
        of_json({"water": {"level": 1}}, sensor="device.id")


def test_words_mean_what_is_said_of_them() -> None:
    door = reading(above={}, hysteresis=0, states={"open": "Severe", "ajar": "Minor"}, normal=["closed"])
    assert value_of(b"OPEN", door, "UTC") == Value(word="OPEN", severity=Severity.SEVERE)
    assert value_of(b"closed", door, "UTC") == Value(word="closed")
    with pytest.raises(ReadError, match="means nothing here: add it to states or to normal"):
        value_of(b"opne", door, "UTC")
    power = reading(above={}, hysteresis=0, value="on", states={"false": "Severe"}, normal=["true"])
    assert value_of(b'{"on": false}', power, "UTC") == Value(word="false", severity=Severity.SEVERE)


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_value_or_explained(payload: bytes) -> None:
    for made in (reading(), reading(value="a[0].b", sensor="c"), reading(only="a")):
        try:
            value_of(payload, made, "UTC")
        except ReadError:
            continue


# --- config ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"topics": ["a/b#"]}, "topics: .* # stands alone"),
        ({"name": {"fr": "x", "nl": "x", "de": "x"}}, "name: en is missing"),
        ({"value": "a["}, "value: .* no JMESPath"),
        ({"value": "size(a)"}, "value: .*there is no function size"),
        ({"above": {"Severe": 1, "Moderate": 2}}, "above: a graver level needs a larger number"),
        ({"above": {}, "below": {"Severe": 2, "Moderate": 1}}, "below: a graver level needs a smaller number"),
        ({"below": {"Severe": 3.1}}, "below: nothing between below and above is normal"),
        ({"above": {"Unknown": 1}}, "above: Unknown says nothing"),
        ({"rise": {"Severe": -1}}, "rise: a rate is above 0"),
        ({"states": {"open": "Severe"}, "normal": ["closed"]}, "states: a value is a word or a number"),
        ({"above": {}, "states": {"open": "Severe"}}, "normal: words that are told and words that are all right"),
        ({"above": {}, "states": {"on": "Severe"}, "normal": ["ON"]}, "normal: on is told and all right"),
        ({"above": {}}, "above: nothing of it is ever told"),
        ({"lat": 50.8}, "lat: a place has both"),
        ({"place": "{2}"}, "place: there is no wildcard"),
        ({"sensors": {"x": {"lon": 4.3}}}, "lat: a place has both"),
    ],
)
def test_a_reading_that_cannot_be_is_explained(more: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        reading(**more)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tls": False}, "tls: without it anyone on the way"),
        ({"tls": False, "internal": True, "ca_file": "x"}, "tls: certificates are of no use"),
        ({"password": "X"}, "password: whose"),
        ({"readings": {"Basin Level": LEVEL}}, "readings: .* is no name"),
        ({"host": "mqtt://x"}, "host"),
    ],
)
def test_a_broker_that_cannot_be_is_explained(more: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"host": "x", "readings": {"level": LEVEL}} | more, MqttConfig)


# --- what is told ------------------------------------------------------------------------------------------


def test_a_flood_from_its_beginning_to_its_end() -> None:
    basin = Basin()
    assert basin.hears(2.0) == []
    (alert,) = basin.hears(3.3)
    (update,) = basin.hears(4.0)
    assert basin.hears(3.7) == basin.hears(3.9) == []
    assert basin.hears(3.5) == basin.after(599) == []
    (down,) = basin.after(1)
    basin.hears(1.25)
    (over,) = basin.after(600)
    assert kinds(basin.told) == [("Alert", "Moderate"), ("Update", "Severe"), ("Update", "Moderate"), ("Cancel", "")]
    assert basin.after(3600) == []
    chain = [alert, update, down, over]
    assert [s.references[0].identifier for s in chain[1:]] == [s.identifier for s in chain[:-1]]
    assert alert.references == ()
    assert len({s.identifier for s in chain}) == 4
    assert {s.sender for s in chain} == {"basins"}
    assert [i.headline for i in update.infos] == [
        "Niveau, basins/a/level: 4 m (seuil 3,8 m)",
        "Peil, basins/a/level: 4 m (drempel 3,8 m)",
        "Pegel, basins/a/level: 4 m (Schwelle 3,8 m)",
        "Level, basins/a/level: 4 m (threshold 3.8 m)",
    ]
    assert over.infos[0].headline == "Niveau, basins/a/level: retour à la normale (1,25 m)"
    assert all(i.hazard is Hazard.FLOOD for s in chain for i in s.infos)
    assert {p.name: p.value for p in update.infos[0].parameters} == {
        "about": "level", "reading": "level", "sensor": "basins/a/level", "place": "basins/a/level",
        "value": "4", "unit": "m",
    }  # fmt: skip


def test_sensors_stand_each_for_itself() -> None:
    basin = Basin()
    assert kinds(basin.hears(4.0, "basins/a/level")) == [("Alert", "Severe")]
    assert kinds(basin.hears(4.0, "basins/b/level")) == [("Alert", "Severe")]
    assert basin.hears(4.0, "elsewhere") == []
    one, other = (s.identifier for s in basin.told)
    assert one != other


def test_a_sensor_has_the_name_and_the_place_it_was_given() -> None:
    places = {
        "basins/a/level": {
            "name": "Place Flagey",
            "lat": 50.8275,
            "lon": 4.3723,
            "radius": 250,
            "codes": {"NIS": "21009"},
        }
    }
    made = config(level=LEVEL | {"sensors": places, "place": "bassin {1}", "area": "{1}"})
    basin = Basin(made)
    (known,) = basin.hears(4.0, "basins/a/level")
    (other,) = basin.hears(4.0, "basins/uccle/level")
    (area,) = known.infos[0].areas
    assert (area.description, area.circles, area.geocodes) == (
        "Place Flagey", (Circle(50.8275, 4.3723, 0.25),), (Geocode("NIS", "21009"),)
    )  # fmt: skip
    assert known.infos[3].headline.startswith("Level, Place Flagey: 4 m")
    assert other.infos[3].headline.startswith("Level, bassin uccle: 4 m")
    assert other.infos[0].areas[0].description == "uccle"


def test_a_restart_neither_repeats_nor_forgets() -> None:
    basin = Basin()
    basin.hears(4.0)
    again = basin.restarted()
    assert again.told == []
    assert again.hears(4.0, retained=True) == [], "what the broker kept is the same level"
    assert again.hears(4.1) == []
    again.hears(1.0)
    (over,) = again.after(600)
    assert kinds([over]) == [("Cancel", "")]
    assert over.references[0].identifier == basin.told[-1].identifier


def test_a_crossing_while_nobody_listened_is_told_once_listening() -> None:
    basin = Basin()
    basin.hears(2.0)
    again = basin.restarted()
    assert kinds(again.hears(4.0, retained=True)) == [("Alert", "Severe")]


def test_dwell_does_not_run_while_nobody_listens() -> None:
    basin = Basin()
    basin.hears(4.0)
    basin.hears(1.0)
    basin.after(590)
    again = basin.restarted()
    assert again.after(599) == []
    assert kinds(again.after(1)) == [("Cancel", "")]


def test_what_is_no_longer_configured_is_over_and_new_marks_count() -> None:
    basin = Basin()
    basin.hears(4.0)
    narrowed = basin.restarted(config(level=LEVEL | {"above": {"Moderate": 3.2}}))
    assert kinds(narrowed.told) == [("Update", "Moderate")]
    gone = basin.restarted(config(other=LEVEL | {"topics": ["x"]}))
    assert kinds(gone.told) == [("Cancel", "")]
    assert gone.told[0].infos[3].headline == "level, basins/a/level: is no longer watched"
    assert gone.told[0].references[0].identifier == basin.told[0].identifier
    assert json.loads(gone.sensors.dump())["sensors"] == []


def test_silence_is_told_once_and_its_end() -> None:
    made = config(level=LEVEL | {"silent_after_s": 1800})
    basin = Basin(made)
    basin.hears(4.0)
    basin.after(1000)
    basin.hears(4.0)
    assert basin.after(1799) == []
    (silent,) = basin.after(1)
    assert basin.after(7200) == []
    assert kinds([silent]) == [("Alert", "Minor")]
    assert silent.infos[0].headline == "Niveau, basins/a/level: aucune mesure depuis 30 min"
    assert (silent.infos[0].hazard, silent.infos[3].event) == (None, "Silent sensor")
    again = basin.restarted()
    assert again.after(3600) == [], "a restart repeats nothing"
    assert again.hears(4.0, retained=True) == [], "what the broker kept is no sign of life"
    (heard,) = again.hears(4.0)
    assert kinds([heard]) == [("Cancel", "")]
    assert heard.references[0].identifier == silent.identifier
    assert kinds(basin.told) == [("Alert", "Severe"), ("Alert", "Minor")], "the level stays in force meanwhile"


def test_a_sensor_that_never_speaks_is_missed_where_its_topic_is_written_out() -> None:
    basin = Basin(config(level=LEVEL | {"topics": ["basins/a/level", "basins/+/peil"], "silent_after_s": 60}))
    assert [s.origin for s in basin.after(60)] == ["basins/a/level"]


def test_a_sensor_that_was_heard_before_the_restart_is_missed_after_it() -> None:
    made = config(level=LEVEL | {"silent_after_s": 60})
    basin = Basin(made)
    basin.hears(1.0)
    assert basin.sensors.unsaved
    again = basin.restarted()
    assert again.after(59) == []
    assert len(again.after(1)) == 1


def test_several_sensors_of_one_topic_and_several_readings_of_one_message() -> None:
    both = {"topics": ["gw"], "name": NAME, "sensor": "id", "above": {"Severe": 10}}
    basin = Basin(config(heat=both | {"value": "t"}, wet=both | {"value": "h"}))
    told = basin.hears('{"id": "k1", "t": 11, "h": 12}', "gw")
    assert [s.infos[0].parameters[1].value for s in told] == ["heat", "wet"]
    assert len(basin.hears('{"id": "k2", "t": 11, "h": 1}', "gw")) == 1
    assert len({s.identifier for s in basin.told}) == 3


def test_a_rise_is_told_with_its_rate() -> None:
    steep = LEVEL | {"rise": {"Extreme": 0.5}, "rate_per_s": 3600, "rate_over_s": 600}
    basin = Basin(config(level=steep))
    for n in range(6):
        assert basin.hears(1.0 + n * 0.005) == []
        basin.after(60)
    (told,) = basin.hears(1.25)
    assert kinds([told]) == [("Alert", "Extreme")]
    assert told.infos[3].headline == "Level, basins/a/level: 1.25 m (rises 2.5 m in 1 h)"


def test_what_waited_at_the_broker_is_no_rise() -> None:
    steep = LEVEL | {"rise": {"Extreme": 0.5}, "rate_per_s": 3600, "rate_over_s": 600}
    basin = Basin(config(level=steep))
    for value in (0.5, 1.0, 1.5, 2.0):
        assert basin.hears(value, aged=True) == []
        basin.after(1)
    basin.after(600)
    assert basin.hears(2.01) == []
    basin.after(600)
    assert basin.hears(2.02) == []


def test_two_floods_in_one_second_have_two_names() -> None:
    basin = Basin(config(level=LEVEL | {"dwell_s": 0}))
    for value in (4.0, 1.0, 4.0, 1.0):
        basin.hears(value)
    assert kinds(basin.told) == [("Alert", "Severe"), ("Cancel", "")] * 2
    assert len({s.identifier for s in basin.told}) == 4
    assert not any(c in s.identifier for s in basin.told for c in " ,<&")


def test_readings_that_change_nothing_leave_nothing_to_keep() -> None:
    basin = Basin()
    for n in range(1000):
        basin.hears(2.0 + n % 10 / 10)
    assert basin.told == []
    assert not basin.sensors.unsaved
    assert json.loads(basin.sensors.dump()) == {"sensors": [], "idle": []}


def test_there_is_an_end_to_sensors() -> None:
    basin = Basin()
    for n in range(SENSORS_MAX):
        basin.hears(1.0, f"basins/{n}/level")
    with pytest.raises(ReadError, match="narrow topics"):
        basin.hears(1.0, "basins/more/level")
    assert kinds(basin.hears(4.0, "basins/7/level")) == [("Alert", "Severe")]


def test_a_cursor_that_cannot_be_read_is_none() -> None:
    assert Basin(cursor="{broken").hears(4.0) != []
    assert Basin(cursor='{"sensors": [[["level"], []]]}').hears(1.0) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["basins/a/level", "basins/b/level"]), st.floats(0, 5), st.booleans()), max_size=40
    )
)
def test_whenever_it_is_restarted_each_story_is_one_chain(steps: list[tuple[str, float, bool]]) -> None:
    """Per sensor: an Alert, Updates that each name the message before, a Cancel; never two of the same level."""
    basin = Basin(config(level=LEVEL | {"dwell_s": 5}))
    told: list[Signal] = []
    for topic, value, restart in steps:
        told += [*basin.hears(value, topic), *basin.after(3)]
        basin = basin.restarted() if restart else basin
        told += basin.told if restart else []
    for topic in ("basins/a/level", "basins/b/level"):
        before: Signal | None = None
        for signal in (s for s in told if s.origin == topic):
            if before is None:
                assert signal.msg_type is MsgType.ALERT
            else:
                assert signal.msg_type in (MsgType.UPDATE, MsgType.CANCEL)
                assert signal.references[0].identifier == before.identifier
                assert signal.infos[0].severity != before.infos[0].severity
            before = None if signal.msg_type is MsgType.CANCEL else signal
    assert len({s.identifier for s in told}) == len(told)


# --- dead letters ------------------------------------------------------------------------------------------


def test_rubbish_without_end_is_one_letter_a_day() -> None:
    letters = Letters()
    fault = ReadError("is no number: have it send one")
    day: list[BadItem] = []
    for n in range(1000):
        day += bad_items(fault, "basins/a/level", b"x%d" % n, "level", "basins", letters, at(n / 20))
    assert [item.original for item in day] == [b"x0"]
    assert day[0].reason == "basins/a/level (level): is no number: have it send one"
    (other,) = bad_items(fault, "basins/b/level", b"x", "level", "basins", letters, at(60))
    assert other.key != day[0].key
    (next_day,) = bad_items(fault, "basins/a/level", b"x", "level", "basins", letters, at(86_400))
    assert "(1000 like it the day before)" in next_day.reason
    assert next_day.key != day[0].key
    (again,) = bad_items(fault, "basins/a/level", b"x", "level", "basins", Letters(), at(90))
    assert again.key == day[0].key, "a restart writes none twice"


def test_a_flood_of_different_rubbish_has_an_end_too() -> None:
    letters = Letters(most=10)
    found = [
        item
        for n in range(100)
        for item in bad_items(ReadError("is no number: x"), f"t/{n}", b"x", "level", "basins", letters, NOW)
    ]
    assert len(found) == 11
    assert "only counted" in found[-1].reason


# --- files -------------------------------------------------------------------------------------------------


def read(text: str, made: MqttConfig | None = None) -> list[Any]:
    return [
        (i.signal.msg_type.value, i.signal.sent.isoformat()) if isinstance(i, SignalItem) else (i.place, i.reason)
        for i in MqttSource.read(text.encode(), "recorded", made or config())
    ]


def test_recorded_messages_are_played_as_they_came() -> None:
    def line(time: str, value: Any) -> str:
        return json.dumps(
            {
                "tst": f"2026-07-14T{time}.000000+0200",
                "topic": "basins/a/level",
                "qos": 1,
                "retain": 0,
                "payload": value,
            }
        )

    lines = [line("14:00:00", "4.0"), line("14:10:00", "1.0"), line("14:15:00", "x"), line("14:25:00", "1.0")]
    assert read("\n".join(lines)) == [
        ("Alert", "2026-07-14T12:00:00+00:00"),
        ("line 3", "basins/a/level (level): is no number: have it send one as 12.5, or correct value"),
        ("Cancel", "2026-07-14T12:25:00+00:00"),
    ]


def test_recorded_messages_without_times_and_with_json() -> None:
    told = read('basins/a/level 4.0\n\nbasins/a/level 1.0\n{"topic": "basins/b/level", "payload": 4}\n{broken\n')
    assert [kind for kind, _ in told] == ["Alert", "Alert"]


def test_a_file_is_read_as_its_source_is_configured() -> None:
    (item,) = MqttSource.read(b"basins/a/level 4.0", "x")
    assert isinstance(item, BadItem)
    assert "name a source" in item.reason
