"""How a broker is configured, what the values on its topics mean, and when they are told."""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from connectors.expression import problem_with
from connectors.mqtt import topics as topic_filters
from connectors.mqtt.levels import RATE_KEEPS, Mark, Measure, Rules
from hub.model.people import Language
from hub.model.signal import SEVERITIES, Category, Hazard, Severity

_HOLE = re.compile(r"\{([^{}]*)\}")
_TELLING = (Severity.MINOR, Severity.MODERATE, Severity.SEVERE, Severity.EXTREME)
_Latitude = Annotated[float, Meta(ge=-90, le=90)]
_Longitude = Annotated[float, Meta(ge=-180, le=180)]
Levels = Mapping[Severity, float]


class Where(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a sensor is."""

    area: Annotated[str, Meta(description="The area's name", examples=["Ixelles"])] = ""
    lat: Annotated[_Latitude | None, Meta(description="Latitude, degrees (WGS 84)", examples=["50.8466"])] = None
    lon: Annotated[_Longitude | None, Meta(description="Longitude, degrees (WGS 84)", examples=["4.3528"])] = None
    radius: Annotated[float, Meta(ge=0, le=1e6, description="How far around it counts, metres")] = 0.0
    codes: Annotated[Mapping[str, str], Meta(description="The area's code in a system: {NIS: 21009}")] = msgspec.field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat: a place has both: write lat and lon")

    @property
    def somewhere(self) -> bool:
        return bool(self.area or self.codes or self.lat is not None)


class Sensor(Where, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sensor: its name and where it is; in place of what is said of all of its reading."""

    name: Annotated[str, Meta(description="As people know it", examples=["Quai au Foin"])] = ""


class Reading(Where, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one kind of value means and when it is told. In `place` and `area`, {1} is what the first wildcard of
    `topics` stands for."""

    topics: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Where it comes; + stands for one level, # for all below", examples=["pumps/#"]),
    ]
    name: Annotated[
        Mapping[Language, str],
        Meta(description="What it is, in fr, nl, de and en: {fr: Niveau, nl: Peil, de: Pegel, en: Level}"),
    ]
    but_not: Annotated[tuple[str, ...], Meta(description="Topics that are left out", examples=["pumps/test/#"])] = ()
    value: Annotated[
        str,
        Meta(description="Where JSON has the value (JMESPath); the payload itself where left out", examples=["water"]),
    ] = ""
    only: Annotated[
        str, Meta(description="Only JSON of which this is true (JMESPath); all where left out", examples=["water"])
    ] = ""
    time: Annotated[
        str, Meta(description="Where JSON has the time of measuring (JMESPath); else that of arrival", examples=["at"])
    ] = ""
    sensor: Annotated[
        str,
        Meta(description="Where JSON names the sensor (JMESPath), if one topic has several", examples=["device.id"]),
    ] = ""
    unit: Annotated[str, Meta(max_length=20, description="As it is written", examples=["m", "°C", "µg/m³"])] = ""
    least: Annotated[
        float | None, Meta(description="Smaller numbers are no measurement (in its unit)", examples=["0"])
    ] = None
    most: Annotated[
        float | None, Meta(description="Larger numbers are no measurement (in its unit)", examples=["12"])
    ] = None

    above: Annotated[Levels, Meta(description="Severity at this number and above: {Moderate: 1.8}")] = msgspec.field(
        default_factory=dict
    )
    below: Annotated[Levels, Meta(description="Severity at this number and below: {Severe: 2}")] = msgspec.field(
        default_factory=dict
    )
    hysteresis: Annotated[
        float, Meta(ge=0, description="How far back beyond a number it must be to be normal again (in its unit)")
    ] = 0.0
    rise: Annotated[Levels, Meta(description="Severity where it rises so much `rate per`: {Severe: 0.5}")] = (
        msgspec.field(default_factory=dict)
    )
    fall: Annotated[Levels, Meta(description="The same where it falls: {Severe: 0.5}")] = msgspec.field(
        default_factory=dict
    )
    rate_per_s: Annotated[float, Meta(gt=0, description="What a rate is counted in, seconds")] = 3600.0
    rate_over_s: Annotated[float, Meta(gt=0, le=604_800, description="How far back a rate looks, seconds")] = 900.0
    states: Annotated[
        Mapping[str, Severity], Meta(description="In place of numbers, words: {open: Severe, ajar: Minor}")
    ] = msgspec.field(default_factory=dict)
    normal: Annotated[tuple[str, ...], Meta(description="Words that are all right", examples=["closed"])] = ()
    holds_s: Annotated[
        float, Meta(ge=0, le=604_800, description="How long it must be so before it is told, seconds")
    ] = 0.0
    dwell_s: Annotated[
        float, Meta(ge=0, le=604_800, description="How long it must be normal before that is told, seconds")
    ] = 300.0
    silent_after_s: Annotated[
        float, Meta(ge=0, le=31_536_000, description="Told when a sensor says nothing for so long; 0: never, seconds")
    ] = 0.0
    silent_severity: Annotated[Severity, Meta(description="How bad that is")] = Severity.MINOR

    hazard: Annotated[Hazard | None, Meta(description="What it is about, e.g. flood")] = None
    category: Annotated[Category, Meta(description="CAP category, e.g. Env")] = Category.INFRA
    place: Annotated[
        str, Meta(description="Name of sensors without one of their own; their topic where left out", examples=["{1}"])
    ] = ""
    sensors: Annotated[Mapping[str, Sensor], Meta(description="Topic (or what `sensor` finds) → that sensor")] = (
        msgspec.field(default_factory=dict)
    )

    def __post_init__(self) -> None:
        for name, patterns in (("topics", self.topics), ("but_not", self.but_not)):
            for pattern in patterns:
                if problem := topic_filters.problem_with(pattern):
                    raise ValueError(f"{name}: {problem}")
        for name, expression in (("value", self.value), ("only", self.only), ("time", self.time)):
            _check_expression(name, expression)
        _check_expression("sensor", self.sensor)
        if missing := [language.value for language in Language if not self.name.get(language, "").strip()]:
            raise ValueError(f"name: {', '.join(missing)} is missing: write fr, nl, de and en")
        self._check_marks()
        self._check_states()
        super().__post_init__()
        wildcards = min(sum(part in "+#" for part in pattern.split("/")) for pattern in self.topics)
        for name, template in (("place", self.place), ("area", self.area)):
            for hole in _HOLE.findall(template):
                if not (hole.isdecimal() and 1 <= int(hole) <= wildcards):
                    raise ValueError(f"{name}: there is no wildcard {{{hole}}} in each of topics: {{1}} is the first +")

    def _check_marks(self) -> None:
        for name, levels in (("above", self.above), ("below", self.below), ("rise", self.rise), ("fall", self.fall)):
            _check_order(name, levels, downward=name == "below")
            if name in ("rise", "fall") and any(number <= 0 for number in levels.values()):
                raise ValueError(f"{name}: a rate is above 0: write how much it changes, without a sign")
        if self.above and self.below:
            low, high = max(self.below.values()), min(self.above.values())
            if low + self.hysteresis >= high - self.hysteresis:
                raise ValueError(
                    "below: nothing between below and above is normal: leave more room, or less hysteresis"
                )

    def _check_states(self) -> None:
        numbers = self.above or self.below or self.rise or self.fall
        if self.states and numbers:
            raise ValueError("states: a value is a word or a number: make two readings of it")
        if bool(self.states) != bool(self.normal):
            raise ValueError(
                "normal: words that are told and words that are all right go together: {open: Severe}, closed"
            )
        if not (self.states or numbers or self.silent_after_s):
            raise ValueError(
                "above: nothing of it is ever told: write above, below, rise, fall, states or silent after"
            )
        if both := {word.casefold() for word in self.states} & {word.casefold() for word in self.normal}:
            raise ValueError(f"normal: {', '.join(sorted(both))} is told and all right: leave it out of one")
        _check_telling("states", self.states.values())
        _check_telling("silent_severity", [self.silent_severity])

    def rules(self) -> Rules:
        """As the levels are worked out."""
        marks = [
            *(Mark(Measure.ABOVE, severity, on, on - self.hysteresis) for severity, on in self.above.items()),
            *(Mark(Measure.BELOW, severity, on, on + self.hysteresis) for severity, on in self.below.items()),
            *(Mark(Measure.RISE, severity, on, on * RATE_KEEPS) for severity, on in self.rise.items()),
            *(Mark(Measure.FALL, severity, -on, -on * RATE_KEEPS) for severity, on in self.fall.items()),
            *(Mark(Measure.STATE, severity) for severity in dict.fromkeys(self.states.values())),
        ]
        return Rules(
            marks=tuple(marks),
            holds_s=self.holds_s,
            dwell_s=self.dwell_s,
            rate_per_s=self.rate_per_s,
            rate_over_s=self.rate_over_s,
        )


class MqttConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker to listen to.

    Example: `host: broker.example.brussels`, `user: vigie`, `password: PUMPS_PASSWORD`, and `readings`.
    """

    host: Annotated[
        str,
        Meta(
            min_length=1,
            pattern=r"^[^\s/:]+$|^[0-9A-Fa-f:]+$",
            description="The broker's name or address",
            examples=["broker.example.org"],
        ),
    ]
    readings: Annotated[Mapping[str, Reading], Meta(min_length=1, description="Name → what a value means")]
    port: Annotated[int, Meta(ge=0, le=65535, description="0: 8883 with tls, 1883 without")] = 0
    tls: Annotated[bool, Meta(description="no: in the clear, only in one's own network (with `internal`)")] = True
    ca_file: Annotated[
        str,
        Meta(description="Certificates to trust in place of the system's (PEM file)", examples=["/etc/ssl/own-ca.pem"]),
    ] = ""
    certificate_file: Annotated[
        str,
        Meta(
            description="Our own certificate and its key, where the broker asks (PEM file)",
            examples=["/etc/ssl/vigie.pem"],
        ),
    ] = ""
    user: Annotated[str, Meta(description="Whom to sign in as; nobody when left out", examples=["vigie"])] = ""
    password: Annotated[str, Meta(description="Name of the secret with the password", examples=["BROKER_PASSWORD"])] = (
        ""
    )
    client_id: Annotated[
        str,
        Meta(
            max_length=128,
            description="Ours alone at the broker; vigie- and the source's name when left out",
            examples=["vigie-sitcen"],
        ),
    ] = ""
    keep_session: Annotated[
        bool, Meta(description="The broker keeps what comes while the hub is away (QoS 1); no: it is lost")
    ] = True
    keepalive_s: Annotated[
        float, Meta(ge=5, le=3600, description="How long the line may be quiet before it is tried, seconds")
    ] = 30.0
    internal: Annotated[bool, Meta(description="It is in our own network (loopback, private): allow it")] = False
    sender: Annotated[
        str, Meta(description="Who signals come from; the source's name when left out", examples=["pumps"])
    ] = ""
    zone: Annotated[str, Meta(description="Time zone of times without an offset, as Europe/Brussels")] = "UTC"
    max_bytes: Annotated[int, Meta(ge=64, le=1 << 20, description="Largest payload that is read, bytes")] = 1 << 16

    def __post_init__(self) -> None:
        if not self.tls and not self.internal:
            raise ValueError("tls: without it anyone on the way reads and forges: leave it on, or say internal: yes")
        if not self.tls and (self.ca_file or self.certificate_file):
            raise ValueError("tls: certificates are of no use without it: leave it on")
        if self.password and not self.user:
            raise ValueError("password: whose? Add user")
        for name in self.readings:
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
                raise ValueError(f"readings: {name!r} is no name: small letters, digits and hyphens")


def _check_expression(name: str, expression: str) -> None:
    if expression and (problem := problem_with(expression)):
        raise ValueError(f"{name}: {problem}")


def _check_telling(name: str, severities: Iterable[Severity]) -> None:
    for severity in severities:
        if severity not in _TELLING:
            raise ValueError(f"{name}: {severity} says nothing: {', '.join(_TELLING)}")


def _check_order(name: str, levels: Levels, *, downward: bool) -> None:
    _check_telling(name, levels)
    ordered = [levels[severity] for severity in SEVERITIES if severity in levels]
    ordered = ordered[::-1] if downward else ordered
    if any(second <= first for first, second in pairwise(ordered)):
        way = "smaller" if downward else "larger"
        raise ValueError(f"{name}: a graver level needs a {way} number: put them in order")
