"""What a warning is about: event codes and words in many languages → our normalised `Hazard`.

Sources: MeteoAlarm's awareness types (by number: their names vary), the SAME codes of the US National Weather
Service, GDACS event types, one BBK code; the words are in connectors/hazard_words.py.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from connectors.hazard_words import WORDS
from connectors.words import Finder, Word, fold, word
from hub.model.signal import Hazard, Named, Severity

H = Hazard

AWARENESS_TYPES: dict[int, Hazard] = {
    1: H.WIND,
    2: H.SNOW_ICE,
    3: H.THUNDERSTORM,
    4: H.FOG,
    5: H.HEAT,
    6: H.COLD,
    7: H.COASTAL,
    8: H.FOREST_FIRE,
    9: H.AVALANCHE,
    10: H.RAIN,
    12: H.FLOOD,
    13: H.FLOOD,  # rain-flood
}
AWARENESS_LEVELS: dict[int, Severity] = {
    1: Severity.MINOR,  # green
    2: Severity.MODERATE,  # yellow
    3: Severity.SEVERE,  # orange
    4: Severity.EXTREME,  # red
}
GDACS_LEVELS: dict[str, Severity] = {"green": Severity.MINOR, "orange": Severity.SEVERE, "red": Severity.EXTREME}
GDACS_TYPES: dict[str, Hazard] = {
    "EQ": H.EARTHQUAKE,
    "TC": H.CYCLONE,
    "FL": H.FLOOD,
    "VO": H.VOLCANO,
    "DR": H.DROUGHT,
    "WF": H.FOREST_FIRE,
    "TS": H.TSUNAMI,
}
SAME_CODES: dict[str, Hazard] = {
    **dict.fromkeys(("TOA", "TOR", "HWA", "HWW", "EWW", "SVW"), H.WIND),
    **dict.fromkeys(("SVA", "SVR", "SVS"), H.THUNDERSTORM),
    **dict.fromkeys(("FFA", "FFW", "FFS", "FLA", "FLW", "FLS", "DBW", "DBA"), H.FLOOD),
    **dict.fromkeys(("BZW", "WSA", "WSW", "SQW"), H.SNOW_ICE),
    **dict.fromkeys(("HUA", "HUW", "HLS", "TRA", "TRW", "SSA", "SSW"), H.CYCLONE),
    **dict.fromkeys(("TSA", "TSW"), H.TSUNAMI),
    **dict.fromkeys(("CFA", "CFW"), H.COASTAL),
    **dict.fromkeys(("NUW", "RHW"), H.RADIATION),
    "EQW": H.EARTHQUAKE,
    "VOW": H.VOLCANO,
    "AVA": H.AVALANCHE,
    "AVW": H.AVALANCHE,
    "FRW": H.FIRE,
    "HMW": H.CHEMICAL,
    "CAE": H.MISSING_PERSON,
    "TOE": H.EMERGENCY_CALLS,
    "POS": H.POWER_OUTAGE,
}
BBK_CODES: dict[str, Hazard] = {"BBK-EVC-063": H.POWER_OUTAGE}  # the only one seen in a recorded message


class _Said(NamedTuple):
    languages: tuple[str, ...]
    hazard: Hazard


def _words() -> tuple[list[Word], list[_Said]]:
    words: list[Word] = []
    said: list[_Said] = []
    for hazard, line in WORDS.items():
        for entry in line.split("|"):
            languages, _, pattern = entry.strip().rpartition(":")
            words.append(word(pattern))
            said.append(_Said(tuple(languages.split(",")) if languages else (), hazard))
    return words, said


_WORDS, _SAID = _words()
_FINDER = Finder(_WORDS)
_LOOKED_AT = 600  # characters: what a text is about stands at its head


def hazard_in(text: str, language: str = "") -> Hazard | None:
    """The hazard whose word appears first in a text (any of the languages), or None. `language` (BCP 47, `""` when
    unknown) keeps words of one language from being found in another: "brand" burns in Dutch, not in English."""
    spoken = language[:2].lower()
    best: tuple[int, int] | None = None
    hazard: Hazard | None = None
    for number, start, end in _FINDER.places(fold(text[:_LOOKED_AT])):
        said = _SAID[number]
        if said.languages and spoken and spoken not in said.languages:
            continue
        rank = (start, -end)
        if best is None or rank < best:
            best, hazard = rank, said.hazard
    return hazard


def number_in(value: str) -> int | None:
    """The number MeteoAlarm puts first: `2; yellow; Moderate` → 2."""
    found = re.match(r"\s*(\d{1,3})\b", value)
    return int(found.group(1)) if found else None


def hazard_of(
    event: str, event_codes: Iterable[Named], parameters: Iterable[Named], headline: str, language: str = ""
) -> Hazard | None:
    """The hazard of a CAP info block: its coded fields first, then the words of event, codes and headline."""
    codes = tuple(event_codes)
    for parameter in parameters:
        name = parameter.name.strip().casefold()
        if name == "awareness_type":
            found = AWARENESS_TYPES.get(number_in(parameter.value) or 0)
            if found:
                return found
        elif name == "eventtype" and parameter.value.strip().upper() in GDACS_TYPES:
            return GDACS_TYPES[parameter.value.strip().upper()]
    for code in codes:
        value = code.value.strip().upper()
        if code.name.strip().upper() == "SAME" and value in SAME_CODES:
            return SAME_CODES[value]
        if value in BBK_CODES:
            return BBK_CODES[value]
    # "LICENSE" and the like are event codes too in some profiles; words are looked for in the short ones only.
    coded = " | ".join(c.value for c in codes if len(c.value) <= 40)
    for text in (event, coded, headline):
        found = hazard_in(text, language)
        if found:
            return found
    return None


def severity_of(parameters: Iterable[Named]) -> Severity | None:
    """The severity that coded parameters imply (MeteoAlarm's awareness level, GDACS' alert level), or None."""
    for parameter in parameters:
        name = parameter.name.strip().casefold()
        if name == "awareness_level" and (number_in(parameter.value) or 0) in AWARENESS_LEVELS:
            return AWARENESS_LEVELS[number_in(parameter.value) or 0]
        if name == "alertlevel" and parameter.value.strip().casefold() in GDACS_LEVELS:
            return GDACS_LEVELS[parameter.value.strip().casefold()]
    return None
