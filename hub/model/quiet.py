"""Quiet by intent: what is not to wake anybody for a while, and why."""

from datetime import datetime

from msgspec import Struct

from hub.model.signal import Hazard, Severity, Signal


class Quiet(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Which signals: all that is given must hold, of several any one. Nothing given: every signal of every sheet.

    `sheets`: the reflex sheets they meet; `areas`: ids of the centre's own areas that all of it lies in. `around`: what
    lies in those areas, and what they lie in. `gravest`: signals of severity Extreme too, which nothing else silences.
    """

    sheets: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    sources: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    gravest: bool = False


class Silence(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What an officer wants quiet, from when to when (a maintenance window begins later). `by` answers for it."""

    what: Quiet
    by: str
    why: str
    start: datetime
    until: datetime


class Seen(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What of a signal a silence asks for, so that it can be asked again when another silence ends. `hazards`: one for
    each of its blocks (None: not known); `areas`: the centre's own areas of each of its areas, of one that was read
    from its text none: nothing is silenced by where it may be."""

    source: str
    hazards: tuple[Hazard | None, ...] = ()
    areas: tuple[tuple[str, ...], ...] = ()
    extreme: bool = False


def seen(signal: Signal) -> Seen:
    return Seen(
        source=signal.source,
        hazards=tuple(dict.fromkeys(info.hazard for info in signal.infos)),
        areas=tuple(
            dict.fromkeys(() if area.from_text else area.places for info in signal.infos for area in info.areas)
        ),
        extreme=any(info.severity == Severity.EXTREME for info in signal.infos),
    )
