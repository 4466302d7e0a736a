"""How a broadcast stands on the CAP feed: what its author said, else its incident's signal, else its class, else what
is true of most public warnings. Fixed when it is drafted: whoever releases it releases that. Pure."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from hub.config.cap import EXPIRES_S_MAX
from hub.dispatch.render import best_info
from hub.model.broadcast import Cap, Kind
from hub.model.people import Language
from hub.model.signal import Category, Certainty, ResponseType, Severity, Signal, Urgency

T = TypeVar("T")

LEAST_S = 60.0
LASTS_S = 6 * 3600.0  # where nothing else is said
ASSUMED = Cap(
    category=(Category.SAFETY,),
    event={
        Language.FR: "Alerte à la population",
        Language.NL: "Waarschuwing aan de bevolking",
        Language.DE: "Warnung der Bevölkerung",
        Language.EN: "Public warning",
    },
    response=(ResponseType.MONITOR,),
    urgency=Urgency.IMMEDIATE,
    severity=Severity.SEVERE,
    certainty=Certainty.LIKELY,
    expires_s=LASTS_S,
)


def standing(kind: Kind, says: Iterable[Cap], now: datetime) -> Cap:
    """What all of them say together, the first before the second. Of an all-clear it is the same for everybody that
    nothing is to be feared any more."""
    all_ = (*says, ASSUMED)

    def first(field: Callable[[Cap], T]) -> T:
        return next((value for cap in all_ if (value := field(cap))), field(ASSUMED))

    def lasting(cap: Cap) -> bool:
        return cap.expires is not None and cap.expires > now

    ends = next((cap for cap in all_ if cap.expires_s or lasting(cap)), ASSUMED)
    cap = Cap(
        category=first(lambda c: c.category),
        event={language: first(lambda c: c.event.get(language, "")) for language in Language},  # noqa: B023 # at once
        response=first(lambda c: c.response),
        urgency=first(lambda c: c.urgency),
        severity=first(lambda c: c.severity),
        certainty=first(lambda c: c.certainty),
        onset=next((c.onset for c in all_ if c.onset is not None and c.onset > now), None),
        expires=ends.expires if lasting(ends) else None,
        expires_s=None if lasting(ends) else ends.expires_s,
        instruction=first(lambda c: c.instruction),
        web=first(lambda c: c.web),
        contact=first(lambda c: c.contact),
    )
    if kind is not Kind.ALL_CLEAR:
        return cap
    return replace(
        cap,
        response=(ResponseType.ALL_CLEAR,),
        urgency=Urgency.PAST,
        # Whoever has missed what it ends, or knows no AllClear, must not take it for a warning.
        severity=Severity.MINOR,
        onset=None,
    )


def of_signal(signal: Signal) -> Cap:
    """What the signal of an incident says, each language's block of its own. Unknown is what it does not say."""
    events: dict[Language, str] = {}
    for language in Language:
        info = best_info(signal, language)
        if info is not None and info.language[:2].casefold() == language.value:
            events[language] = " ".join(info.event.split())
    info = best_info(signal, Language.FR)
    if info is None:
        return Cap()
    return Cap(
        category=info.categories,
        event=events,
        response=tuple(one for one in info.response_types if one is not ResponseType.ALL_CLEAR),
        urgency=None if info.urgency is Urgency.UNKNOWN else info.urgency,
        severity=None if info.severity is Severity.UNKNOWN else info.severity,
        certainty=None if info.certainty is Certainty.UNKNOWN else info.certainty,
        onset=info.onset,
        expires=info.expires,
    )


def problem(cap: Cap) -> str:
    """What is wrong with what an author says; `""` where nothing is."""
    for name, said in (("event", cap.event), ("instruction", cap.instruction)):
        if lacking := [language for language in Language if said and not said.get(language, "").strip()]:
            return f"{name}: {', '.join(lacking)}: there are no words: everybody is told in their own language"
    if cap.expires_s is not None and not LEAST_S <= cap.expires_s <= EXPIRES_S_MAX:
        return "expires_s: an alert is in force for 1 min to 7 days"
    if cap.web and not re.fullmatch(r"https?://[^\s/@]+(/\S{0,1900})?", cap.web):
        return f"web: {cap.web[:60]!r} is no web address"
    return ""
