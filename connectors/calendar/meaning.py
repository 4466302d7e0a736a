"""From an occurrence to what a signal says of it, by the configuration. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import re2
from msgspec.structs import replace

from connectors.calendar.config import CalendarConfig, EventRule
from connectors.calendar.occurrences import Occurrence
from connectors.text import one_line, plain_text, web_address
from connectors.webhook.communes import nis_of
from hub.model.area import Area, Circle, Geocode
from hub.model.signal import SEVERITIES, Certainty, Info, Named, Severity, Urgency

_POSTCODE = re.compile(r"^(?:B-)?\d{4}\s+")
_PARTS = re.compile(r"[,;/|\n()]| - ")
_VALUE_MAX = 400


def info_of(occurrence: Occurrence, config: CalendarConfig, near: bool) -> Info | None:
    """What is told of an occurrence; None where a rule says that it is no signal. `near`: it is about to begin."""
    rules = [rule for rule in config.rules if _fits(occurrence, rule)]
    if any(rule.ignore for rule in rules):
        return None
    found = parameters_of(occurrence, config)
    area = _first(rules, "area")
    return Info(
        language=config.language,
        categories=(_first(rules, "category") or config.category,),
        event=_first(rules, "event") or config.event,
        hazard=_first(rules, "hazard") or config.hazard,
        urgency=Urgency.EXPECTED if near else Urgency.FUTURE,
        severity=_severity(found, rules, config),
        certainty=Certainty.POSSIBLE if occurrence.tentative else Certainty.LIKELY,
        onset=occurrence.start,
        expires=occurrence.end,
        sender_name=one_line(occurrence.calendar),
        headline=one_line(occurrence.summary)[:200] or _first(rules, "event") or config.event,
        description=plain_text(occurrence.description),
        web=web_address(occurrence.web),
        contact=one_line(occurrence.organiser)[:200],
        parameters=tuple(Named(name, value) for name, value in found.items()),
        areas=_areas(occurrence, area, config),
    )


def told(info: Info) -> Info:
    """What counts as new in it: not that it has come near."""
    return replace(info, urgency=Urgency.UNKNOWN)


def is_near(occurrence: Occurrence, config: CalendarConfig, now: datetime) -> bool:
    return bool(config.near) and (occurrence.start - now).total_seconds() <= config.near


def _fits(occurrence: Occurrence, rule: EventRule) -> bool:
    wanted = (rule.categories,) if isinstance(rule.categories, str) else rule.categories
    has = {category.casefold() for category in occurrence.categories}
    if wanted and not has & {category.casefold() for category in wanted}:
        return False
    words = f"{occurrence.summary}\n{occurrence.location}\n{occurrence.description}"
    return not rule.text or re2.search(rule.text, words) is not None


def _first(rules: Sequence[EventRule], field: str) -> Any:
    return next((value for rule in rules if (value := getattr(rule, field))), None)


def parameters_of(occurrence: Occurrence, config: CalendarConfig) -> dict[str, str]:
    """What the calendar says besides, by name."""
    found: dict[str, str] = {}
    for name, written in config.properties.items():
        if value := occurrence.properties.get(written.upper(), ""):
            found[name] = " ".join(value.split())
    words = f"{occurrence.summary}\n{plain_text(occurrence.description)}"
    for pattern in config.find:
        match = re2.search(pattern, words)
        for name, value in (match.groupdict() if match else {}).items():
            if value and name not in found:
                found[name] = " ".join(value.split())[:_VALUE_MAX]
    if occurrence.categories:
        found["categories"] = ", ".join(occurrence.categories)[:_VALUE_MAX]
    if occurrence.all_day:
        found["all_day"] = "yes"
    if occurrence.endless:
        found["end"] = "not said"
    return found


def _severity(found: dict[str, str], rules: Sequence[EventRule], config: CalendarConfig) -> Severity:
    """The gravest that attendance, risk and rules say; the calendar's own where none of them says anything."""
    said = [rule.severity for rule in rules if rule.severity is not None]
    risks = {word.casefold(): severity for word, severity in config.risks.items()}
    if (risk := risks.get(found.get("risk", "").casefold())) is not None:
        said.append(risk)
    attendance = number_in(found.get("attendance", ""))
    if attendance is not None:
        said += [Severity(name) for name, least in config.levels.items() if attendance >= least]
    return max(said, key=SEVERITIES.index, default=config.severity)


def number_in(text: str) -> int | None:
    """A number of people as people write it: 12000, 12.000, 12 000, 12'000, "about 5 000 people"."""
    found = re.search(r"\d{1,3}(?:[ .'’\u00a0\u202f]\d{3})+(?!\d)|\d{1,9}", text)
    return int(re.sub(r"\D", "", found[0])) if found else None


def _areas(occurrence: Occurrence, named: str | None, config: CalendarConfig) -> tuple[Area, ...]:
    """Where: the rule's words or LOCATION, with the communes it names, and the position."""
    description = named or one_line(occurrence.location)[:400]
    circles: tuple[Circle, ...] = ()
    if occurrence.position is not None:
        circles = (Circle(*occurrence.position, config.radius / 1000),)
    if not (description or circles):
        return ()
    parts = [_POSTCODE.sub("", part.strip()) for part in _PARTS.split(named or occurrence.location)]
    codes = dict.fromkeys(nis_of(part) for part in parts if part and not part.isdecimal())
    return (
        Area(
            description=description,
            circles=circles,
            geocodes=tuple(Geocode("NIS", code) for code in codes if code),
        ),
    )
