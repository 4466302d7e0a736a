"""Mass notification: one message, in each language, to very many, at a person's word."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.model.message import Text
from hub.model.people import Contact, Language
from hub.model.signal import Category, Certainty, ResponseType, Severity, Status, Urgency


class Kind(StrEnum):
    ALERT = "alert"
    ALL_CLEAR = "all-clear"  # goes to exactly those whom another broadcast reached
    CORRECTION = "correction"  # the same; what was left of the wrong one is stopped first


class Control(StrEnum):
    """What an officer does with a broadcast."""

    HOLD = "hold"  # what has not gone out waits
    RESUME = "resume"
    STOP = "stop"  # what has not gone out never will; a draft is thrown away


WHERE_IT_IS = "where it is"
"""In a sheet, in place of an area: the communes of the incident when its broadcast is drafted."""


class RegisteredIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Those of the public who registered, where: all that is given must hold, of several any one. `areas`: ids of
    config/areas.yaml; `streets`: `Rue Haute`, or houses of it, `Rue Haute 1-99`; `polygon`: latitude and longitude of
    each corner."""

    areas: tuple[str, ...] = ()
    streets: tuple[str, ...] = ()
    polygon: tuple[tuple[float, float], ...] = ()


class Cap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a broadcast says on the CAP feed besides its words (docs/cap-feed.md), in the terms of CAP 1.2, section
    3.2.2. `expires_s`: seconds from when it is published; `expires` goes before it."""

    category: tuple[Category, ...] = ()
    event: dict[Language, str] = {}
    response: tuple[ResponseType, ...] = ()
    urgency: Urgency | None = None
    severity: Severity | None = None
    certainty: Certainty | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    expires_s: float | None = None
    instruction: dict[Language, str] = {}
    web: str = ""
    contact: str = ""


class Proposal(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A broadcast that a step of a sheet wants drafted: `message` with the words of `signal` filled in. People of its
    class (`group`) have to release it, all of them: a sheet stands behind nothing. An all-clear names the broadcast it
    `follows`, whose reached it goes to, instead of `to`, `registered` and `by`."""

    incident: str
    sheet: str
    step: str
    group: str
    message: str
    signal: str
    status: Status = Status.ACTUAL
    kind: Kind = Kind.ALERT
    to: tuple[Contact, ...] = ()
    registered: RegisteredIn | None = None
    by: tuple[str, ...] = ()
    follows: str = ""


class Content(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What of a broadcast lies in the vault, with the fact that drafts or releases it. `audience`: channel → people, in
    order. `ways`: channel → how many addresses anybody has on it. Of a broadcast that follows another: `at`: channel →
    person → which of their addresses had reached them (from 0), where not the first; `seen`: which deliveries of the
    other's orders had reached somebody when the audience was made (a bit for each, the lowest of a byte first).
    `registered`: where those of the public live whom it tells; `cap`: how it stands on the CAP feed, None where it does
    not; of what follows another, both as of that one where it says nothing else."""

    texts: dict[Language, Text]
    audience: dict[str, tuple[str, ...]]
    seen: dict[str, bytes] = {}
    at: dict[str, dict[str, int]] = {}
    ways: dict[str, int] = {}
    registered: RegisteredIn | None = None
    cap: Cap | None = None


def bits(reached: list[bool]) -> bytes:
    """As `Content.seen` has it."""
    out = bytearray((len(reached) + 7) // 8)
    for index, one in enumerate(reached):
        out[index // 8] |= one << index % 8
    return bytes(out)


def bit(seen: bytes, index: int) -> bool:
    return index // 8 < len(seen) and bool(seen[index // 8] >> index % 8 & 1)
