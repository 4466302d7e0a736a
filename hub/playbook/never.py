"""Conditions that can never hold, and those that say nothing. Pure.

An expression whose fields have a known, short list of values (severity, hazard, source ...) is tried with all that the
other conditions of its block let through, so what is said here is certain: nothing is guessed from how it is written.
What also asks for texts or times is taken apart at `&&`, and its parts are tried.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from hub.findings import nearest
from hub.model.signal import CERTAINTIES, SEVERITIES, URGENCIES, Category, Hazard, MsgType, Scope
from hub.model.trust import Credibility, Reliability
from hub.playbook.expression import Expression
from hub.playbook.language import When
from hub.yaml import Document

TRIES_MAX = 5_000  # at about 7 µs each

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"' + r"|'((?:[^'\\]|\\.)*)'")
_OPEN, _CLOSE = "([{", ")]}"


def check_where(document: Document, when: When, index: int, expression: Expression) -> None:
    """Adds a finding where the block's expression is never true, or always."""
    values = _values(when)
    parts = [expression] if (whole := _split(expression.text)) is None else [Expression(part) for part in whole]
    tried = [part for part in parts if part.fields is not None and set(part.fields) <= set(values)]
    place = document.at("when", index, "where")
    always = len(tried) == len(parts)
    for part in tried:
        outcome = _tried([part], values)
        always = always and outcome == {True}
        if outcome == {False}:
            said = f"`{part.text.strip()}` can never be true" if len(parts) > 1 else "this can never be true"
            document.add(place, "never-holds", said + _of(part, when), _meant(part, values))
            return
    if len(tried) > 1 and _tried(tried, values) == {False}:
        document.add(place, "never-holds", "this can never be true: its parts exclude one another", "write || between")
    elif always:
        document.add(
            place, "where-says-nothing", "this is true whatever comes", "leave `where` out, or correct it", warning=True
        )


def never_both(one: When, other: When) -> bool:
    """Whether two expressions, each with the conditions of its block, exclude one another for certain."""
    values = {name: [v for v in all_ if v in _values(other)[name]] for name, all_ in _values(one).items()
              if name in _values(other)}  # fmt: skip
    parts: list[Expression] = []
    for where in (one.where, other.where):
        parts += [Expression(part) for part in (_split(where) or ([where] if where else []))]
    tried = [part for part in parts if part.fields and set(part.fields) <= set(values)]
    return bool(tried) and _tried(tried, values) == {False}


def check_category(document: Document, when: When, index: int) -> None:
    """Adds a finding for a hazard that nobody sends under any of the categories asked for."""
    for nth, hazard in enumerate(when.hazards):
        usual = _CATEGORIES.get(hazard)
        if usual is None or not when.categories or usual & set(when.categories):
            continue
        asked = ", ".join(c.value for c in when.categories)
        document.add(
            document.at("when", index, "hazard", nth), "odd-category",
            f"no signal about {hazard.value} is of category {asked}",
            f"leave category out, or write {', '.join(c.value for c in Category if c in usual)}", warning=True,
        )  # fmt: skip


# --- trying ------------------------------------------------------------------------------------------------


def _values(when: When) -> dict[str, list[Any]]:
    """All that a field can be on a signal that passed the block's other conditions. What is not here has no list."""
    trust = None if when.origins else when.trust  # else corroboration makes up for any grade
    reliabilities = [r for r in Reliability if trust is None or r <= trust.reliability]
    credibilities = [c for c in Credibility if trust is None or c <= trust.credibility]
    out: dict[str, list[Any]] = {
        "info.severity": [s.value for s in when.severity or SEVERITIES],
        "info.urgency": [u.value for u in when.urgency or URGENCIES],
        "info.certainty": [c.value for c in when.certainty or CERTAINTIES],
        "info.hazard": [h.value for h in when.hazards] or [*(h.value for h in Hazard), ""],
        "signal.status": [s.value for s in when.status],
        "signal.msg_type": [MsgType.ALERT.value, MsgType.UPDATE.value, MsgType.CANCEL.value],
        "signal.scope": [s.value for s in Scope],
        "signal.reliability": [r.value for r in reliabilities],
        "signal.credibility": [int(c) for c in credibilities],
    }
    return out | ({"signal.source": list(when.sources)} if when.sources else {})


def _tried(parts: Iterable[Expression], values: Mapping[str, list[Any]]) -> set[bool]:
    """What all parts together come to over all values; both where there are too many to try."""
    parts = list(parts)
    fields = sorted({name for part in parts for name in part.fields or ()})
    lists = [values[name] for name in fields]
    count = 1
    for one in lists:
        count *= len(one)
    if count > TRIES_MAX:
        return {True, False}
    found: set[bool] = set()
    for combination in product(*lists):
        given = dict(zip(fields, combination, strict=True))
        found.add(all(part.true_of(given) for part in parts))
        if len(found) == 2:
            break
    return found or {False}


def _split(text: str) -> list[str] | None:
    """The parts between `&&` on the outermost level; None where it is no such chain, or written in a way that is not
    looked into (other kinds of strings)."""
    if re.search(r"\"\"\"|'''|\b[rRbB]{1,2}[\"']", text):
        return None
    bare = _TEXT.sub(lambda found: "_" * len(found[0]), text)
    depth, parts, start = 0, [], 0
    for at, char in enumerate(bare):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0 and (char == "?" or bare.startswith("||", at)):
            return None
        if depth == 0 and bare.startswith("&&", at):
            parts.append(text[start:at])
            start = at + 2
    return [*parts, text[start:]] if parts else None


# --- words -------------------------------------------------------------------------------------------------


def _of(part: Expression, when: When) -> str:
    asked = {"info.severity": when.severity, "info.urgency": when.urgency, "info.certainty": when.certainty,
             "info.hazard": when.hazards, "signal.source": when.sources,
             "signal.reliability": when.trust, "signal.credibility": when.trust}  # fmt: skip
    keys = [name.partition(".")[2] for name in part.fields or () if asked.get(name)]
    keys = ["trust" if key in ("reliability", "credibility") else key for key in keys]
    return f" with the {' and '.join(dict.fromkeys(keys))} asked above" if keys else ""


def _meant(part: Expression, values: Mapping[str, list[Any]]) -> str:
    for name in part.fields or ():
        known = [str(value) for value in values[name] if value != ""]
        for found in _TEXT.findall(part.text):
            written = found[0] or found[1]
            if written not in known and (near := nearest(written, known)):
                return f'{name} can be "{near}" here, not "{written}"'
        if len(known) <= 12:
            return f"{name} can be {', '.join(known)} here"
    return "correct it, or take the sheet out of force: mode: draft"


# --- what is sent as what -----------------------------------------------------------------------------------

C = Category
_ANY = {C.OTHER, C.SAFETY, C.RESCUE}  # what senders write who do not care
_WEATHER = {C.MET, C.ENV, C.GEO, C.TRANSPORT, C.HEALTH, C.INFRA} | _ANY
_GROUND = {C.GEO, C.ENV, C.INFRA} | _ANY
_HARM = {C.FIRE, C.CBRNE, C.ENV, C.HEALTH, C.INFRA, C.TRANSPORT, C.SECURITY} | _ANY
_NETS = {C.INFRA, C.SECURITY, C.TRANSPORT, C.HEALTH} | _ANY
_MOVING = {C.TRANSPORT, C.INFRA, C.SECURITY} | _ANY
_PEOPLE = {C.SECURITY, C.TRANSPORT, C.INFRA, C.HEALTH} | _ANY
H = Hazard
_CATEGORIES: dict[Hazard, set[Category]] = {
    **dict.fromkeys((H.WIND, H.SNOW_ICE, H.THUNDERSTORM, H.FOG, H.HEAT, H.COLD, H.COASTAL, H.AVALANCHE, H.RAIN,
                     H.FLOOD, H.CYCLONE, H.DROUGHT), _WEATHER),
    **dict.fromkeys((H.EARTHQUAKE, H.VOLCANO, H.TSUNAMI), _GROUND | {C.MET}),
    **dict.fromkeys((H.FOREST_FIRE, H.FIRE), _HARM | {C.MET}),
    **dict.fromkeys((H.EXPLOSION, H.GAS_LEAK, H.CHEMICAL, H.RADIATION), _HARM),
    H.AIR_QUALITY: _HARM | {C.MET},
    **dict.fromkeys((H.WATER_QUALITY, H.EPIDEMIC), {C.HEALTH, C.ENV, C.INFRA, C.CBRNE} | _ANY),
    **dict.fromkeys((H.POWER_OUTAGE, H.EMERGENCY_CALLS, H.TELECOM, H.CYBER), _NETS),
    **dict.fromkeys((H.TRAFFIC, H.PUBLIC_TRANSPORT, H.RAIL, H.AVIATION), _MOVING),
    **dict.fromkeys((H.DEMONSTRATION, H.RIOT, H.CROWD, H.VIP, H.MISSING_PERSON), _PEOPLE),
    H.TERROR: _PEOPLE | {C.CBRNE, C.FIRE},
}  # fmt: skip
