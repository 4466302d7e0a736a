"""What the codes of an EMSI message mean here (ISO/TR 22351). Codes are hierarchical: `TRP/COL` is a `TRP`, so what is
not known at its full length is looked for by its beginning."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from hub.model.signal import Category, Certainty, Hazard, Severity, Status, Urgency

T = TypeVar("T")

MODES: dict[str, Status] = {
    "ACTUAL": Status.ACTUAL,
    "EXERCS": Status.EXERCISE,
    "SYSTEM": Status.SYSTEM,
    "TEST": Status.TEST,
}
CATEGORIES: dict[str, tuple[Category, Hazard | None]] = {
    "ASB": (Category.SECURITY, None),  # abnormal behaviour
    "ASR": (Category.RESCUE, None),  # assistance and rescue
    "EXP": (Category.FIRE, Hazard.EXPLOSION),
    "EXP/CHM": (Category.CBRNE, Hazard.EXPLOSION),
    "EXP/NUK": (Category.CBRNE, Hazard.RADIATION),
    "FIR": (Category.FIRE, Hazard.FIRE),
    "FLD": (Category.GEO, Hazard.FLOOD),
    "FLD/TID": (Category.GEO, Hazard.TSUNAMI),
    "GND": (Category.GEO, None),
    "GND/AVL": (Category.GEO, Hazard.AVALANCHE),
    "GND/EQK": (Category.GEO, Hazard.EARTHQUAKE),
    "GND/VUL": (Category.GEO, Hazard.VOLCANO),
    "HLT": (Category.HEALTH, None),
    "HLT/EPI": (Category.HEALTH, Hazard.EPIDEMIC),
    "POL": (Category.ENV, None),  # pollution
    "POL/BIO": (Category.CBRNE, None),
    "POL/CHM": (Category.CBRNE, Hazard.CHEMICAL),
    "POL/NUK": (Category.CBRNE, Hazard.RADIATION),
    "POL/RAD": (Category.CBRNE, Hazard.RADIATION),
    "PSW": (Category.SECURITY, None),  # public safety and welfare
    "PSW/DEM": (Category.SECURITY, Hazard.DEMONSTRATION),
    "PSW/MIS": (Category.RESCUE, Hazard.MISSING_PERSON),
    "PSW/RIOT": (Category.SECURITY, Hazard.RIOT),
    "TRP": (Category.TRANSPORT, Hazard.TRAFFIC),
}
URGENCIES: dict[str, Urgency] = {"URGENT": Urgency.IMMEDIATE, "NOT_URGENT": Urgency.EXPECTED}
SCALES: dict[str, Severity] = {
    "1": Severity.MINOR,
    "2": Severity.MODERATE,
    "3": Severity.SEVERE,
    "4": Severity.EXTREME,
    "5": Severity.EXTREME,
}
COMPLETE = "COM"  # EVENT STATUS: it is over
IN_PROGRESS = "IPR"
SUPERSEDES = "SPRSDS"  # LINK ROLE: takes the place of the message it names
ADDS_TO = "ADDSTO"
WGS_84 = frozenset({"", "EPSG-4326", "EPSG:4326", "EPSG4326", "WGS84", "WGS-84"})


def meaning(code: str, table: Mapping[str, T]) -> T | None:
    """Of the longest beginning of a code that the table knows."""
    return next((table[part] for part in _beginnings(code) if part in table), None)


def certainty_of(percent: int) -> Certainty:
    """EMSI's 0 to 100 in CAP's words (3.2.2: Likely is more than even, Possible is not)."""
    if percent >= 100:
        return Certainty.OBSERVED
    if percent > 50:
        return Certainty.LIKELY
    return Certainty.POSSIBLE if percent > 0 else Certainty.UNLIKELY


def code_of(hazard: Hazard | None, categories: tuple[Category, ...]) -> str:
    """The code that says a hazard, else the first of its categories; "" where none does."""
    exact = next((code for code, (_, known) in CATEGORIES.items() if hazard is not None and known is hazard), "")
    return exact or next((code for code, (known, _) in CATEGORIES.items() if known in categories), "")


def _beginnings(code: str) -> Iterator[str]:
    parts = code.strip().strip("/").upper().split("/")
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])
