"""What is said of a sensor: an Alert, Updates as its level changes, a Cancel when all is normal again. Pure.

The texts are ours, not a sender's: each is there in all four languages.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from babel.numbers import format_decimal
from msgspec import Struct

from connectors.mqtt.config import Reading, Where
from connectors.mqtt.levels import RATES, Mark, Measure
from connectors.text import digest, one_line
from hub.model.area import Area, Circle, Geocode
from hub.model.people import Language
from hub.model.signal import Certainty, Info, MsgType, Named, Reference, ResponseType, Severity, Signal, Urgency

_TAGS = {Language.FR: "fr-BE", Language.NL: "nl-BE", Language.DE: "de-BE", Language.EN: "en"}
_TOPIC_MAX = 100  # longer ones are a digest in identifiers


class About(StrEnum):
    """What is told: how bad the readings are, or that there are none."""

    LEVEL = "level"
    SILENCE = "silence"


class Told(Struct, frozen=True, array_like=True):
    """What is in force of a sensor: how bad it was said to be, and the message that said so."""

    severity: Severity
    identifier: str


class Station(Struct, frozen=True):
    """A sensor as it is spoken of. `reading`, `topic`, `sensor` name it in the config and at the broker."""

    reading: str
    topic: str
    sensor: str
    name: str
    where: Where


class Facts(Struct, frozen=True):
    """What was read last: a number or a word, the rate it changes by where that is known, and the marks that are on."""

    number: float | None = None
    word: str = ""
    rate: float | None = None
    marks: tuple[Mark, ...] = ()
    at: datetime | None = None


WORDS: Mapping[str, Mapping[Language, str]] = {
    "above": {
        Language.FR: "seuil {mark}",
        Language.NL: "drempel {mark}",
        Language.DE: "Schwelle {mark}",
        Language.EN: "threshold {mark}",
    },
    "rise": {
        Language.FR: "monte de {rate} en {per}",
        Language.NL: "stijgt {rate} in {per}",
        Language.DE: "steigt um {rate} in {per}",
        Language.EN: "rises {rate} in {per}",
    },
    "fall": {
        Language.FR: "baisse de {rate} en {per}",
        Language.NL: "daalt {rate} in {per}",
        Language.DE: "fällt um {rate} in {per}",
        Language.EN: "falls {rate} in {per}",
    },
    "normal": {
        Language.FR: "retour à la normale",
        Language.NL: "weer normaal",
        Language.DE: "wieder normal",
        Language.EN: "back to normal",
    },
    "silent": {
        Language.FR: "aucune mesure depuis {per}",
        Language.NL: "geen meting sinds {per}",
        Language.DE: "keine Messung seit {per}",
        Language.EN: "no reading for {per}",
    },
    "heard": {
        Language.FR: "mesures de nouveau reçues",
        Language.NL: "er zijn weer metingen",
        Language.DE: "es gibt wieder Messungen",
        Language.EN: "there are readings again",
    },
    "unwatched": {
        Language.FR: "n'est plus surveillé",
        Language.NL: "wordt niet meer gevolgd",
        Language.DE: "wird nicht mehr überwacht",
        Language.EN: "is no longer watched",
    },
    "silence": {
        Language.FR: "Capteur muet",
        Language.NL: "Sensor zwijgt",
        Language.DE: "Sensor stumm",
        Language.EN: "Silent sensor",
    },
}


def signal_of(
    about: About,
    station: Station,
    reading: Reading | None,
    severity: Severity | None,
    told: Told | None,
    facts: Facts,
    *,
    identifier: str,
    sender: str,
    now: datetime,
) -> Signal:
    """A new level of a sensor (None: normal). `told`: what was in force. `reading`: None where it is no longer one."""
    kind = MsgType.CANCEL if severity is None else MsgType.UPDATE if told else MsgType.ALERT
    return Signal(
        identifier=identifier,
        sender=sender,
        sent=now,
        msg_type=kind,
        origin=station.topic[:200],
        references=(Reference(sender, told.identifier, None),) if told else (),
        infos=tuple(_info(language, about, station, reading, severity, facts, now) for language in Language),
    )


def identifier_of(station: Station, at: datetime, count: int) -> str:
    """Without the characters that CAP forbids in identifiers (1.2, section 3.2.1). `count`: of what was told of it."""
    named = "/".join(part for part in (station.reading, station.topic, station.sensor) if part)
    if len(named) > _TOPIC_MAX or not re.fullmatch(r"[\w./:+#-]+", named, re.ASCII):
        named = f"{station.reading}/{digest(named)[:16]}"
    return f"{named}.{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.{count}"


def _info(
    language: Language,
    about: About,
    station: Station,
    reading: Reading | None,
    severity: Severity | None,
    facts: Facts,
    now: datetime,
) -> Info:
    name = reading.name[language] if reading else station.reading
    over = severity is None
    return Info(
        language=_TAGS[language],
        categories=(reading.category,) if reading else (),
        event=name if about is About.LEVEL else WORDS["silence"][language],
        hazard=reading.hazard if reading and about is About.LEVEL else None,
        response_types=(ResponseType.ALL_CLEAR,) if over else (),
        urgency=Urgency.PAST if over else Urgency.IMMEDIATE,
        severity=severity or Severity.MINOR,
        certainty=Certainty.OBSERVED,
        onset=facts.at if about is About.LEVEL and not over else None,
        headline=one_line(f"{name}, {station.name}: {_said(language, about, reading, severity, facts)}")[:300],
        parameters=_parameters(about, station, reading, facts),
        areas=_areas(station),
    )


def _said(language: Language, about: About, reading: Reading | None, severity: Severity | None, facts: Facts) -> str:
    if reading is None:
        return WORDS["unwatched"][language]
    if about is About.SILENCE:
        word = "heard" if severity is None else "silent"
        return WORDS[word][language].format(per=duration(reading.silent_after_s))
    value = facts.word if facts.number is None else measured(facts.number, reading.unit, language)
    if severity is None:
        return f"{WORDS['normal'][language]} ({value})" if value else WORDS["normal"][language]
    why = [_why(language, mark, reading, facts) for mark in facts.marks if mark.severity is severity]
    why = [text for text in why if text]
    return f"{value} ({', '.join(why)})" if why else value


def _why(language: Language, mark: Mark, reading: Reading, facts: Facts) -> str:
    """A mark that is on; nothing of a word, which says all there is."""
    if mark.measure is Measure.STATE:
        return ""
    if mark.measure in RATES:
        rate = measured(abs(facts.rate if facts.rate is not None else mark.on), reading.unit, language)
        return WORDS[mark.measure][language].format(rate=rate, per=duration(reading.rate_per_s))
    return WORDS["above"][language].format(mark=measured(mark.on, reading.unit, language))


def measured(number: float, unit: str, language: Language) -> str:
    """A number as the language writes it, with its unit: `1,85 m`."""
    # Six digits that count are more than any sensor is good for, and hide what binary fractions add.
    text = format_decimal(
        Decimal(f"{number:.6g}"), locale=_TAGS[language].replace("-", "_"), decimal_quantization=False
    )
    return f"{text} {unit}" if unit else str(text)


def duration(seconds: float) -> str:
    """`90 s`, `10 min`, `1 h`: written alike in all four languages."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _parameters(about: About, station: Station, reading: Reading | None, facts: Facts) -> tuple[Named, ...]:
    value = facts.word if facts.number is None else f"{facts.number:.6g}"
    named = {
        "about": str(about),
        "reading": station.reading,
        "sensor": station.sensor or station.topic[:400],
        "place": station.name,
        "value": value,
        "unit": reading.unit if reading and facts.number is not None else "",
        "rate": "" if facts.rate is None else f"{facts.rate:.6g}",
    }
    return tuple(Named(name, text) for name, text in named.items() if text)


def _areas(station: Station) -> tuple[Area, ...]:
    where = station.where
    if not where.somewhere:
        return ()
    circle = () if where.lat is None or where.lon is None else (Circle(where.lat, where.lon, where.radius / 1000),)
    geocodes = tuple(Geocode(system, code) for system, code in where.codes.items())
    return (Area(description=where.area or station.name, circles=circle, geocodes=geocodes),)
