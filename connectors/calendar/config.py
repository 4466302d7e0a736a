"""How a calendar of planned events is configured: where it is, how far ahead it counts, what its events mean."""

from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import re2
from msgspec import Meta, Struct

from connectors.polling import PollConfig
from hub.model.signal import Category, Hazard, Severity

DAY_S = 86_400.0


class EventRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some events mean. Both conditions must hold; each field comes from the first rule that fits and has it, the
    severity is the gravest of all that fit."""

    categories: Annotated[
        str | tuple[str, ...], Meta(description="One of the event's CATEGORIES", examples=["Manifestation"])
    ] = ()
    text: Annotated[
        str, Meta(description="Pattern (RE2) in title, place or description", examples=["(?i)feu d.artifice"])
    ] = ""
    ignore: Annotated[bool, Meta(description="Such events are no signals")] = False
    hazard: Annotated[Hazard | None, Meta(description="What it is about, in place of planned-event")] = None
    category: Annotated[Category | None, Meta(description="CAP category")] = None
    severity: Annotated[Severity | None, Meta(description="How grave it may become")] = None
    event: Annotated[str, Meta(description="What kind of event, in the calendar's language", examples=["Concert"])] = ""
    area: Annotated[
        str, Meta(description="Where, in place of LOCATION: names as in areas.yaml", examples=["Laeken, Heysel"])
    ] = ""

    def __post_init__(self) -> None:
        _check_pattern("text", self.text)
        if not (self.categories or self.text):
            raise ValueError("a rule needs categories or text: for which events is it?")


class CalendarConfig(PollConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calendar of planned events, at an address or in a folder.

    Example: `{url: "https://agenda.example.brussels/events.ics", horizon: 1209600}`.
    """

    url: Annotated[
        str,
        Meta(
            pattern="^(https?://[^ ]+)?$",
            description="Address of an iCalendar file, http or https",
            examples=["https://agenda.example.org/events.ics"],
        ),
    ] = ""
    folder: Annotated[
        str,
        Meta(
            pattern="^(/.+)?$",
            description="In place of an address: a folder with .ics files, from the root",
            examples=["/srv/vigie/calendars"],
        ),
    ] = ""
    every: Annotated[float, Meta(ge=1, le=DAY_S, description="Seconds between two looks, e.g. 900 (15 min).")] = 900.0
    horizon: Annotated[float, Meta(ge=3600, le=400 * DAY_S, description="How long ahead an event is told, seconds")] = (
        14 * DAY_S
    )
    near: Annotated[
        float,
        Meta(ge=0, le=31 * DAY_S, description="How long ahead it is told again as Expected (0 s: never), seconds"),
    ] = 12 * 3600.0
    lasts: Annotated[
        float, Meta(gt=0, le=31 * DAY_S, description="How long an event without an end lasts, seconds")
    ] = 2 * 3600.0
    zone: Annotated[
        str, Meta(description="Time zone of whole days and of times that name none", examples=["Europe/Brussels"])
    ] = "Europe/Brussels"
    language: Annotated[
        str, Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$", description="Language of the calendar", examples=["fr-BE"])
    ] = "fr-BE"
    sender: Annotated[
        str,
        Meta(max_length=200, description="Whose events they are; empty: the host of the address", examples=["city"]),
    ] = ""
    event: Annotated[
        str, Meta(description="What is said of every event, in its language", examples=["Événement planifié"])
    ] = "planned event"
    hazard: Annotated[Hazard, Meta(description="What its events are about")] = Hazard.PLANNED_EVENT
    category: Annotated[Category, Meta(description="CAP category of its events")] = Category.OTHER
    severity: Annotated[Severity, Meta(description="How grave an event is of which nothing else says it")] = (
        Severity.UNKNOWN
    )
    radius: Annotated[
        float, Meta(ge=0, le=100_000, description="How far around its position (GEO) an event reaches, metres")
    ] = 500.0
    properties: Annotated[
        Mapping[str, str],
        Meta(description="Parameter: the iCalendar property it is in, as attendance: X-ATTENDANCE"),
    ] = msgspec.field(default_factory=dict)
    find: Annotated[
        tuple[str, ...],
        Meta(
            description="Patterns (RE2) looked for in title and description: what their groups find are parameters",
            examples=[r"(?i)(?P<attendance>\d[\d .]*) personnes"],
        ),
    ] = ()
    levels: Annotated[
        Mapping[str, float], Meta(description="Severity by the parameter attendance, from which on: {Moderate: 5000}")
    ] = msgspec.field(default_factory=dict)
    risks: Annotated[Mapping[str, Severity], Meta(description="Severity by the parameter risk: {élevé: Severe}")] = (
        msgspec.field(default_factory=dict)
    )
    rules: Annotated[tuple[EventRule, ...], Meta(description="What some of its events mean")] = ()

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.folder):
            raise ValueError("url, folder: give one of them: where is the calendar?")
        for pattern in self.find:
            _check_pattern("find", pattern)
        for name in self.levels:
            if name not in [member.value for member in Severity]:
                raise ValueError(f"levels: severity is never {name!r}: {', '.join(Severity)}")
        if self.near >= self.horizon:
            raise ValueError("near: is not nearer than horizon: give a shorter time, or 0 s")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"zone: {self.zone!r} is no time zone: write it as Europe/Brussels") from None


def _check_pattern(field: str, pattern: str) -> None:
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise ValueError(f"{field}: {pattern!r} is no pattern ({error}): see RE2's syntax") from None
