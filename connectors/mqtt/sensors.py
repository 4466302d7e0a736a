"""All sensors of a source: where each stands, what of it is told, and what of that a restart has to know. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.mqtt import levels
from connectors.mqtt.config import MqttConfig, Reading, Where
from connectors.mqtt.levels import State
from connectors.mqtt.messages import About, Facts, Station, Told, identifier_of, signal_of
from connectors.mqtt.payload import Value
from connectors.mqtt.topics import first_match, is_exact
from connectors.text import digest, one_line
from hub.connector import ReadError, SignalItem
from hub.model.signal import MsgType, Severity

SENSORS_MAX = 2_000
_TOPICS_MAX = 10_000  # of which it is remembered what they are
_NAME_MAX = 200  # characters
Key = tuple[str, str, str]  # reading, topic, sensor


class Kept(Struct, frozen=True, array_like=True):
    """One sensor. `level`, `silence`: what is in force of it. `count`: of all that was told of it. `number`, `word`:
    what was read last."""

    state: State = State()
    level: Told | None = None
    silence: Told | None = None
    count: int = 0
    number: float | None = None
    word: str = ""


class Cursor(Struct, frozen=True):
    """What the journal keeps: sensors by reading, topic and name; `idle`: those of which there is nothing to say."""

    sensors: list[tuple[Key, Kept]] = []
    idle: list[Key] = []


class Sensors:
    """Takes what was read and answers what is to be told. Times are hub times; a source's whole life."""

    def __init__(self, config: MqttConfig, sender: str, cursor: str | None) -> None:
        self._config = config
        self._sender = sender
        self._rules = {name: reading.rules() for name, reading in config.readings.items()}
        self._kept: dict[Key, Kept] = dict(_load(cursor))
        self._heard: dict[Key, datetime] = {}
        self._meant: dict[str, tuple[tuple[str, Reading], ...]] = {}
        self._since: datetime | None = None
        self.unsaved = False

    def meant(self, topic: str) -> tuple[tuple[str, Reading], ...]:
        """The readings that a topic is meant for, with their names."""
        found = self._meant.get(topic)
        if found is None:
            if len(self._meant) >= _TOPICS_MAX:
                self._meant.clear()
            found = tuple((n, r) for n, r in self._config.readings.items() if _wildcards(r, topic) is not None)
            self._meant[topic] = found
        return found

    def listen(self, now: datetime) -> list[SignalItem]:
        """Listening begins, or begins again. Answers what is to be told because the config is another one."""
        self._since = now
        items = []
        for key in list(self._kept):
            kept = replace(self._kept[key], state=levels.begin_again(self._kept[key].state, now))
            self._kept[key] = kept
            reading = self._reading(key)
            if reading is None or (kept.silence is not None and not reading.silent_after_s):
                items += self._tell(key, About.SILENCE, None, now)
            if reading is None:
                items += self._tell(key, About.LEVEL, None, now)
                del self._kept[key]
            else:
                self._kept[key] = replace(self._kept[key], state=levels.pass_time(self._rules[key[0]], kept.state, now))
                items += self._level(key, now)
        for name, reading in self._config.readings.items():
            for topic in reading.topics if not reading.sensor else ():
                if is_exact(topic) and reading.silent_after_s and _wildcards(reading, topic) is not None:
                    self._known((name, topic, ""))
        return items

    def hear(
        self, topic: str, name: str, value: Value, now: datetime, *, retained: bool = False, aged: bool = False
    ) -> list[SignalItem]:
        """A reading. `retained`: the broker kept it, so that the sensor may be dead; `aged`: it may be older than its
        time says. Raises ReadError where there are too many sensors."""
        key = (name, topic, value.sensor)
        kept = self._known(key)
        rules = self._rules[name]
        # A sensor whose clock is wrong is not to be believed about the future, nor to be deaf for it.
        at = min(value.at, now) if value.at is not None else now
        if value.number is None:
            state = levels.read_state(rules, kept.state, value.severity, at)
        else:
            state = levels.read_number(
                rules, kept.state, value.number, at, aged=retained or (aged and value.at is None)
            )
        self._keep(key, replace(kept, state=state, number=value.number, word=value.word))
        items = self._level(key, now)
        if not retained:
            self._heard[key] = now
            items += self._tell(key, About.SILENCE, None, now)
        return items

    def tick(self, now: datetime) -> list[SignalItem]:
        """What time alone has brought about: marks that have held or been over for long enough, silence."""
        items = []
        for key, kept in list(self._kept.items()):
            if kept.state.triggers:
                self._keep(key, replace(kept, state=levels.pass_time(self._rules[key[0]], kept.state, now)))
                items += self._level(key, now)
            reading = self._config.readings[key[0]]
            if reading.silent_after_s and kept.silence is None and self._since is not None:
                last = max(self._heard.get(key, self._since), self._since)
                if now - last >= timedelta(seconds=reading.silent_after_s):
                    items += self._tell(key, About.SILENCE, reading.silent_severity, now)
        return items

    def dump(self) -> str:
        """The cursor. Earlier readings are not of it: a rate is looked at anew after a restart."""
        sensors, idle = [], []
        for key, kept in self._kept.items():
            if kept.level or kept.silence or kept.state.triggers:
                sensors.append((key, replace(kept, state=State(kept.state.triggers, (), kept.state.last))))
            elif self._config.readings[key[0]].silent_after_s:
                idle.append(key)
        return msgspec.json.encode(Cursor(sensors, idle)).decode()

    # --- one sensor ----------------------------------------------------------------------------------------

    def _known(self, key: Key) -> Kept:
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= SENSORS_MAX:
                raise ReadError(
                    f"is of one sensor more than {SENSORS_MAX}: narrow topics, or make several sources of it"
                )
            kept = self._kept[key] = Kept()
            self.unsaved = self.unsaved or bool(self._config.readings[key[0]].silent_after_s)
        return kept

    def _keep(self, key: Key, kept: Kept) -> None:
        was = self._kept[key].state.triggers
        now = kept.state.triggers
        self._kept[key] = kept
        self.unsaved = self.unsaved or was != now

    def _reading(self, key: Key) -> Reading | None:
        """The reading of a sensor, where it still is one."""
        reading = self._config.readings.get(key[0])
        return reading if reading is not None and _wildcards(reading, key[1]) is not None else None

    def _level(self, key: Key, now: datetime) -> list[SignalItem]:
        return self._tell(key, About.LEVEL, levels.level_of(self._rules[key[0]], self._kept[key].state), now)

    def _tell(self, key: Key, about: About, severity: Severity | None, now: datetime) -> list[SignalItem]:
        """One signal where it is another than what is in force, none where it is the same."""
        kept = self._kept[key]
        told = kept.level if about is About.LEVEL else kept.silence
        if severity == (told.severity if told else None):
            return []
        reading = self._reading(key)
        station = _station(key, reading)
        identifier = identifier_of(station, now, kept.count + 1)
        marks = levels.marks_on(self._rules[key[0]], kept.state) if reading else ()
        signal = signal_of(
            about, station, reading, severity, told,
            Facts(kept.number, kept.word, kept.state.rate, marks, kept.state.last),
            identifier=identifier, sender=self._sender, now=now,
        )  # fmt: skip
        in_force = None if signal.msg_type is MsgType.CANCEL or severity is None else Told(severity, identifier)
        kept = replace(kept, count=kept.count + 1)
        self._kept[key] = replace(kept, level=in_force) if about is About.LEVEL else replace(kept, silence=in_force)
        self.unsaved = True
        return [SignalItem(signal=signal, key="mqtt:" + digest(self._sender, identifier))]


def _load(cursor: str | None) -> Iterator[tuple[Key, Kept]]:
    """A cursor that cannot be read is none: what is retained at the broker comes again."""
    if cursor is None:
        return
    try:
        found = msgspec.json.decode(cursor, type=Cursor)
    except (msgspec.DecodeError, ValueError):
        return
    yield from found.sensors
    yield from ((key, Kept()) for key in found.idle)


def _wildcards(reading: Reading, topic: str) -> tuple[str, ...] | None:
    """What the wildcards of a reading's topics stand for; None where the topic is none of it."""
    if first_match(reading.but_not, topic) is not None:
        return None
    return first_match(reading.topics, topic)


def _station(key: Key, reading: Reading | None) -> Station:
    name, topic, sensor = key
    shown = one_line(sensor or topic)[:_NAME_MAX]
    if reading is None:
        return Station(name, topic, sensor, shown, Where())
    wildcards = _wildcards(reading, topic) or ()
    own = reading.sensors.get(sensor) or reading.sensors.get(topic)
    named = (own.name if own else "") or _filled(reading.place, wildcards) or shown
    where = Where(
        area=_filled(reading.area, wildcards),
        lat=reading.lat,
        lon=reading.lon,
        radius=reading.radius,
        codes=reading.codes,
    )
    return Station(name, topic, sensor, named, own if own and own.somewhere else where)


def _filled(template: str, wildcards: tuple[str, ...]) -> str:
    for nth, found in enumerate(wildcards, 1):
        template = template.replace(f"{{{nth}}}", found)
    return one_line(template)[:_NAME_MAX]
