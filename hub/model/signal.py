"""A signal: one observation by one source, with the fields of CAP 1.2 whatever the source was.

Source: OASIS Common Alerting Protocol 1.2, section 3.2 (element names are kept, in snake case).
Times are aware UTC datetimes; the sender's own offset is not kept (the raw original is, in the vault).
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.model.area import Area
from hub.model.trust import Backing, Credibility, Reliability

VIGIE = "vigie"  # the source of what the hub itself finds out


class Status(StrEnum):
    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MsgType(StrEnum):
    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Category(StrEnum):
    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class ResponseType(StrEnum):
    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


class Urgency(StrEnum):
    """Listed from the least to the most pressing; `Unknown` is below all."""

    UNKNOWN = "Unknown"
    PAST = "Past"
    FUTURE = "Future"
    EXPECTED = "Expected"
    IMMEDIATE = "Immediate"


class Severity(StrEnum):
    """Listed from the least to the most severe; `Unknown` is below all."""

    UNKNOWN = "Unknown"
    MINOR = "Minor"
    MODERATE = "Moderate"
    SEVERE = "Severe"
    EXTREME = "Extreme"


class Certainty(StrEnum):
    """Listed from the least to the most certain; `Unknown` is below all."""

    UNKNOWN = "Unknown"
    UNLIKELY = "Unlikely"
    POSSIBLE = "Possible"
    LIKELY = "Likely"
    OBSERVED = "Observed"


class Hazard(StrEnum):
    """The normalised hazard: what `event` (free text in the sender's language) is about.

    The first thirteen are MeteoAlarm's awareness types; the rest are a situation centre's own.
    """

    WIND = "wind"
    SNOW_ICE = "snow-ice"
    THUNDERSTORM = "thunderstorm"
    FOG = "fog"
    HEAT = "heat"
    COLD = "cold"
    COASTAL = "coastal"
    FOREST_FIRE = "forest-fire"
    AVALANCHE = "avalanche"
    RAIN = "rain"
    FLOOD = "flood"
    EARTHQUAKE = "earthquake"
    VOLCANO = "volcano"
    TSUNAMI = "tsunami"
    CYCLONE = "cyclone"
    DROUGHT = "drought"
    FIRE = "fire"
    EXPLOSION = "explosion"
    GAS_LEAK = "gas-leak"
    CHEMICAL = "chemical"
    RADIATION = "radiation"
    AIR_QUALITY = "air-quality"
    WATER_QUALITY = "water-quality"
    EPIDEMIC = "epidemic"
    POWER_OUTAGE = "power-outage"
    EMERGENCY_CALLS = "emergency-calls"
    TELECOM = "telecom"
    CYBER = "cyber"
    TRAFFIC = "traffic"
    PUBLIC_TRANSPORT = "public-transport"
    RAIL = "rail"
    AVIATION = "aviation"
    DEMONSTRATION = "demonstration"
    RIOT = "riot"
    TERROR = "terror"
    CROWD = "crowd"
    VIP = "vip"
    MISSING_PERSON = "missing-person"
    PLANNED_EVENT = "planned-event"
    CRISIS_CENTRE = "crisis-centre"
    OTHER = "other"


class Named(Struct, frozen=True, array_like=True, gc=False):
    """CAP's valueName/value pair (eventCode, parameter)."""

    name: str
    value: str


class Reference(Struct, frozen=True, array_like=True, gc=False):
    """One `sender,identifier,sent` triple of CAP's references (3.2.1); `sent` may be missing or wrong."""

    sender: str
    identifier: str
    sent: datetime | None = None


class Resource(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """CAP 3.2.3. An embedded `derefUri` stays in the raw original; `embedded` says that there is one."""

    description: str
    mime_type: str = ""
    size: int | None = None
    uri: str = ""
    digest: str = ""
    embedded: bool = False


class Info(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One info block (CAP 3.2.2). Blocks in several languages describe one warning; several blocks in one
    language describe different phases or areas. All of a playbook's conditions must hold on one block."""

    language: str = "en-US"
    categories: tuple[Category, ...] = ()
    event: str = ""
    hazard: Hazard | None = None
    response_types: tuple[ResponseType, ...] = ()
    urgency: Urgency = Urgency.UNKNOWN
    severity: Severity = Severity.UNKNOWN
    certainty: Certainty = Certainty.UNKNOWN
    audience: str = ""
    event_codes: tuple[Named, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


class Signal(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One observation by one source.

    `id` is ours (a ULID, also the id of its fact); `identifier`, `sender` and `sent` are the sender's.
    `reliability` is its source's own; `credibility` that of the information when it came in, with what others had told
    by then (`backing`; None: it was compared with nothing).
    `original` is the vault key of the raw bytes it was read from, `""` where there are none.
    `notes` are the reader's remarks on what was odd in the original (never shown to the public).
    """

    id: str = ""
    source: str = ""
    identifier: str
    sender: str
    sent: datetime
    status: Status = Status.ACTUAL
    msg_type: MsgType = MsgType.ALERT
    scope: Scope = Scope.PUBLIC
    origin: str = ""  # CAP `source`: the particular device or person the sender names
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
    reliability: Reliability = Reliability.F
    credibility: Credibility = Credibility.CANNOT_BE_JUDGED
    links: tuple[str, ...] = ()
    original: str = ""
    notes: tuple[str, ...] = ()
    backing: Backing | None = None

    @property
    def graded(self) -> tuple[Reliability, Credibility, int]:
        """How far it is believed: the letter of the best who tell it, the credibility, and as how many independent
        origins those count who tell it."""
        if self.backing is None:
            return self.reliability, self.credibility, 1
        return self.backing.reliability, self.credibility, self.backing.voices


SEVERITIES = tuple(Severity)
URGENCIES = tuple(Urgency)
CERTAINTIES = tuple(Certainty)
