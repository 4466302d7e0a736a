"""What was typed into a form: checked, and made a signal of. Pure."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from connectors.form.config import Field, FormConfig, Kind
from hub.connector import SignalItem
from hub.model.area import Area
from hub.model.people import Language
from hub.model.signal import Info, Named, Signal
from hub.model.trust import Reliability

LONGEST = {Kind.TEXT: 4_000, Kind.PEOPLE: 10_000}
PEOPLE_MAX = 200
_LINE_MAX = 300
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{8,24}")


class Typed(Struct, frozen=True, kw_only=True):
    """`values`: as typed, without spaces around. `wrong`: field → which word of the page says what is wrong with it."""

    values: Mapping[str, str]
    wrong: Mapping[str, str]


def check(config: FormConfig, typed: Mapping[str, str]) -> Typed:
    """What was typed, and what is wrong with it."""
    values: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, field in config.fields.items():
        value = typed.get(name, "").replace("\r\n", "\n").replace("\x00", "").strip()
        values[name] = value
        if fault := _fault(field, value, config.zone):
            wrong[name] = fault
    earlier = values.get(config.replaces, "")
    if earlier and not _REFERENCE.fullmatch(earlier):
        wrong.setdefault(config.replaces, "reference")
    begins, ends = (values.get(name, "") for name in (config.begins, config.ends))
    if begins and ends and not {config.begins, config.ends} & set(wrong) and ends <= begins:
        wrong[config.ends] = "before"
    return Typed(values=values, wrong=wrong)


def signal_of(config: FormConfig, values: Mapping[str, str], form_id: str, partner: str, now: datetime) -> SignalItem:
    """The signal that says it, in each language. `form_id`: of the page that was sent; sent again with other words it
    takes the place of what it said before. `partner`: "" where nobody proved who they are."""
    infos = tuple(_info(config, values, language, partner) for language in Language)
    said = msgspec.json.encode(dict(values))
    signal = Signal(identifier=form_id, sender=partner or "anybody", sent=now, infos=infos)
    return SignalItem(
        signal=signal,
        key=f"form:{form_id}:{hashlib.sha256(said).hexdigest()[:16]}",
        original=said,
        media_type="application/json",
        reliability=None if partner else Reliability.F,
    )


def moment_of(text: str, zone: str) -> datetime:
    """A day and a time as browsers send them (HTML, 2.4.5.5: `2026-07-14T02:10`), in a zone. Raises ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _fault(field: Field, value: str, zone: str) -> str:
    if not value:
        return "missing" if field.required else ""
    if len(value) > LONGEST.get(field.kind, _LINE_MAX):
        return "too_long"
    match field.kind:
        case Kind.CHOICE:
            return "" if value in field.choices else "choose"
        case Kind.CHOICES:
            return "" if all(one in field.choices for one in _several(value)) else "choose"
        case Kind.PEOPLE:
            lines = [line for line in value.splitlines() if line.strip()]
            return "" if len(lines) <= PEOPLE_MAX and all(map(_is_person, lines)) else "people"
        case Kind.NUMBER:
            return "" if value.isascii() and value.isdecimal() else "number"
        case Kind.PHONE:
            digits = sum(c.isdecimal() for c in value)
            return "" if 6 <= digits <= 15 and set(value) <= set("+0123456789 ()/.-") else "phone"
        case Kind.EMAIL:
            name, at, host = value.rpartition("@")
            return "" if at and name and "." in host and " " not in value else "email"
        case Kind.MOMENT:
            try:
                moment_of(value, zone)
            except (ValueError, OverflowError):
                return "moment"
    return ""


def _several(value: str) -> list[str]:
    return [one.strip() for one in value.split(",")]


def _is_person(line: str) -> bool:
    """`Name, service, function`: each of the three is there."""
    separator = next((sign for sign in "\t;" if sign in line), ",")
    parts = [part.strip() for part in line.split(separator)]
    return len(parts) >= 3 and all(any(c.isalpha() for c in part) for part in parts[:3])


def reference_of(config: FormConfig, values: Mapping[str, str], form_id: str) -> str:
    """Of which form it takes the place: an earlier one that is named, or its own."""
    return values.get(config.replaces, "") or form_id


def _info(config: FormConfig, values: Mapping[str, str], language: Language, partner: str) -> Info:
    first = config.headline or next(iter(config.fields))
    shown = {name: _shown(field, values[name], language, config.zone) for name, field in config.fields.items()}
    lines = [f"{field.label.of(language)}: {shown[name]}" for name, field in config.fields.items() if values[name]]
    title = config.title.of(language)
    where = values.get(config.area, "")
    return Info(
        language=f"{language.value}-BE" if language is not Language.EN else "en-GB",
        categories=(config.category,),
        event=title,
        hazard=config.hazard,
        urgency=config.urgency,
        severity=config.severity,
        certainty=config.certainty,
        onset=_moment(values, config.begins, config.zone),
        expires=_moment(values, config.ends, config.zone),
        sender_name=partner,
        headline=" - ".join(part for part in (title, partner, shown[first]) if part),
        description="\n".join(lines),
        areas=(Area(description=where),) if where else (),
        parameters=tuple(Named(name, value) for name, value in values.items() if value and name != config.replaces),
    )


def _shown(field: Field, value: str, language: Language, zone: str) -> str:
    if field.kind is Kind.CHOICE and value in field.choices:
        return field.choices[value].of(language)
    if field.kind is Kind.CHOICES and value:
        return ", ".join(field.choices[one].of(language) if one in field.choices else one for one in _several(value))
    if field.kind is Kind.MOMENT and value:
        return moment_of(value, zone).astimezone(ZoneInfo(zone)).strftime("%d/%m/%Y %H:%M")
    return value


def _moment(values: Mapping[str, str], name: str, zone: str) -> datetime | None:
    return moment_of(values[name], zone) if name and values[name] else None
