"""The free condition of a sheet (`where`): a CEL expression over `signal`, `info` and `now`, checked and compiled.

It is run in the hub's own process, for every signal its sheet's other conditions let through, so its cost is
bounded before it is accepted, not measured while it runs: length, nesting of loops and size of patterns are
limited here, the texts it sees are clipped (`TEXT_MAX`). CEL itself has no unbounded loop, and its patterns run on
a linear-time engine. A run that fails (a field that is absent, types that do not compare) means: does not match.

CEL: https://github.com/google/cel-spec. Enumerations are texts as CAP writes them (`info.severity == "Severe"`),
times are timestamps, what is absent is null.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import cel

from hub.findings import choice
from hub.model.signal import Info, Signal

LENGTH_MAX = 500
TEXT_MAX = 4_000  # characters of headline, description, instruction that an expression sees
LIST_MAX = 50
_LOOPS_MAX = 2
_REPEAT_MAX = 100

_LOOP = re.compile(r"\.(?:all|exists|exists_one|map|filter)\s*\(")
_FIELD = re.compile(r"\b(signal|info)\.([A-Za-z_]\w*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")
_MATCHES = re.compile(r"\.matches\s*\(\s*(?P<first>.)", re.DOTALL)
_REPEAT = re.compile(r"\{\s*(\d+)?\s*,?\s*(\d+)?\s*\}")

_FUNCTION_NAMES = """
size contains startsWith endsWith matches int uint double string bytes timestamp duration has all
exists exists_one map filter max min getFullYear getMonth getDate getDayOfMonth getDayOfWeek
getDayOfYear getHours getMinutes getSeconds getMilliseconds
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())

# What the library raises for what cannot be worked out (types, overflow, a key or index that is absent).
_CANNOT = (TypeError, ValueError, ArithmeticError, RuntimeError, LookupError)

_SAMPLE_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)


class BadExpression(Exception):
    """An expression that cannot be used: what is wrong, what would be right."""

    def __init__(self, rule: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.remedy = remedy


class Expression:
    """A compiled expression. Raises BadExpression."""

    def __init__(self, text: str) -> None:
        self.text = text
        _bounded(text)
        try:
            self._program = cel.compile(text)
        except (ValueError, RuntimeError) as error:
            raise BadExpression(
                "not-cel", f"`where` is not CEL: {_syntax(error)}", "docs/playbooks.md shows it"
            ) from None
        _known_names(text, self._program)
        self._signal_fields = _asked(text, "signal")
        self._info_fields = _asked(text, "info")
        try:
            value = self._program.execute(self._values(_SAMPLE_SIGNAL, _SAMPLE_INFO, _SAMPLE_TIME))
        except (KeyError, IndexError):
            return  # a parameter or code the sample lacks: what it would give is not known here
        except _CANNOT as error:
            raise BadExpression("cel-type", f"`where` cannot be worked out: {_first(error)}") from None
        if not isinstance(value, bool):
            raise BadExpression("cel-not-yes-or-no", f"`where` gives {value!r}, neither true nor false", "compare it")

    @property
    def fields(self) -> tuple[str, ...] | None:
        """What it asks for, as `info.severity`; None where it also asks for the time, or for a whole in another way."""
        named = [*(f"signal.{n}" for n, _ in self._signal_fields), *(f"info.{n}" for n, _ in self._info_fields)]
        bare = _STRING.sub('""', self.text)
        asked = {f"{owner}.{name}" for owner, name in _FIELD.findall(bare)}
        return tuple(named) if set(named) == asked and "now" not in self._program.variables() else None

    def true_of(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true when its fields (as `info.severity`) have these values."""
        given: dict[str, Any] = {"signal": {}, "info": {}, "now": _SAMPLE_TIME}
        for name, value in values.items():
            owner, _, field = name.partition(".")
            given[owner][field] = value
        try:
            return self._program.execute(given) is True
        except _CANNOT:
            return False

    def holds(self, signal: Signal, info: Info, now: datetime) -> bool:
        """Whether it is true of an info block; what cannot be worked out is not."""
        try:
            return self._program.execute(self._values(signal, info, now)) is True
        except _CANNOT:
            return False

    def why(self, signal: Signal, info: Info, now: datetime) -> str:
        """The value it has, or why it has none, for a person."""
        try:
            return str(self._program.execute(self._values(signal, info, now))).lower()
        except _CANNOT as error:
            return f"cannot be worked out: {_first(error)}"

    def _values(self, signal: Signal, info: Info, now: datetime) -> dict[str, Any]:
        return {
            "signal": {name: shown(signal) for name, shown in self._signal_fields},
            "info": {name: shown(info) for name, shown in self._info_fields},
            "now": now,
        }


# How each field is shown. Only those an expression names are worked out.
_SIGNAL: dict[str, Callable[[Signal], Any]] = {
    "source": lambda s: s.source,
    "identifier": lambda s: s.identifier,
    "sender": lambda s: s.sender,
    "sent": lambda s: s.sent,
    "status": lambda s: s.status.value,
    "msg_type": lambda s: s.msg_type.value,
    "scope": lambda s: s.scope.value,
    "origin": lambda s: s.origin[:TEXT_MAX],
    "codes": lambda s: list(s.codes[:LIST_MAX]),
    "note": lambda s: s.note[:TEXT_MAX],
    "incidents": lambda s: list(s.incidents[:LIST_MAX]),
    "reliability": lambda s: s.graded[0].value,
    "credibility": lambda s: int(s.credibility),
}
_INFO: dict[str, Callable[[Info], Any]] = {
    "language": lambda i: i.language,
    "categories": lambda i: [c.value for c in i.categories],
    "event": lambda i: i.event[:TEXT_MAX],
    "hazard": lambda i: i.hazard.value if i.hazard is not None else "",
    "response_types": lambda i: [r.value for r in i.response_types],
    "urgency": lambda i: i.urgency.value,
    "severity": lambda i: i.severity.value,
    "certainty": lambda i: i.certainty.value,
    "audience": lambda i: i.audience[:TEXT_MAX],
    "event_codes": lambda i: {n.name: n.value for n in i.event_codes[:LIST_MAX]},
    "effective": lambda i: i.effective,
    "onset": lambda i: i.onset,
    "expires": lambda i: i.expires,
    "sender_name": lambda i: i.sender_name[:TEXT_MAX],
    "headline": lambda i: i.headline[:TEXT_MAX],
    "description": lambda i: i.description[:TEXT_MAX],
    "instruction": lambda i: i.instruction[:TEXT_MAX],
    "web": lambda i: i.web[:TEXT_MAX],
    "contact": lambda i: i.contact[:TEXT_MAX],
    "parameters": lambda i: {n.name: n.value for n in i.parameters[:LIST_MAX]},
    "areas": lambda i: [a.description[:TEXT_MAX] for a in i.areas[:LIST_MAX]],
    "areas_from_text": lambda i: [a.description[:TEXT_MAX] for a in i.areas[:LIST_MAX] if a.from_text],
    "places": lambda i: sorted({p for a in i.areas for p in a.places})[:LIST_MAX],
}
_FIELDS: dict[str, dict[str, Any]] = {"signal": dict(_SIGNAL), "info": dict(_INFO)}
NAMES = ("signal", "info", "now")
FIELDS = {owner: tuple(fields) for owner, fields in _FIELDS.items()}
"""What an expression may ask for."""


_SAMPLE_SIGNAL = Signal(identifier="x", sender="x", sent=_SAMPLE_TIME)
_SAMPLE_INFO = Info(effective=_SAMPLE_TIME, onset=_SAMPLE_TIME, expires=_SAMPLE_TIME)


def _bounded(text: str) -> None:
    if len(text) > LENGTH_MAX:
        raise BadExpression("cel-too-long", f"`where` has {len(text)} characters", f"at most {LENGTH_MAX}")
    bare = _STRING.sub('""', text)
    if len(_LOOP.findall(bare)) > _LOOPS_MAX:
        raise BadExpression(
            "cel-too-costly", "`where` loops too often", f"at most {_LOOPS_MAX} of all, exists, map ..."
        )
    for found in _MATCHES.finditer(text):
        if found["first"] not in "\"'":
            raise BadExpression(
                "cel-too-costly", "matches() with a pattern that is no plain text", "write it in quotes"
            )
    for lower, upper in _REPEAT.findall("".join(_STRING.findall(text))):
        if max(int(lower or 0), int(upper or 0)) > _REPEAT_MAX:
            raise BadExpression("cel-too-costly", "a pattern repeats too often", f"at most {{{_REPEAT_MAX}}}")


def _asked(text: str, owner: str) -> list[tuple[str, Callable[[Any], Any]]]:
    """The fields of `signal` or `info` an expression names; all of them where it uses the whole in another way."""
    bare = _STRING.sub('""', text)
    names = {name for of, name in _FIELD.findall(bare) if of == owner}
    whole = len(re.findall(rf"\b{owner}\b", bare)) > len([1 for of, _ in _FIELD.findall(bare) if of == owner])
    return [(name, shown) for name, shown in _FIELDS[owner].items() if whole or name in names]


def _known_names(text: str, program: Any) -> None:
    bare = _STRING.sub('""', text)
    for owner, name in _FIELD.findall(bare):
        if name not in _FIELDS[owner]:
            other = "info" if owner == "signal" else "signal"
            remedy = (
                f'did you mean "{other}.{name}"?'
                if name in _FIELDS[other]
                else choice(f"{owner}.{name}", [f"{owner}.{n}" for n in _FIELDS[owner]])
            )
            raise BadExpression("cel-unknown-field", f'"{owner}.{name}" does not exist', remedy)
    loops = re.findall(r"\(\s*([A-Za-z_]\w*)\s*,", bare)
    for name in program.variables():
        if name not in NAMES and name not in loops:
            owners = [f"{o}.{name}" for o in ("info", "signal") if name in _FIELDS[o]]
            remedy = f'did you mean "{owners[0]}"?' if owners else choice(name, NAMES, "there are")
            raise BadExpression("cel-unknown-name", f'`where` speaks of "{name}", which does not exist', remedy)

    for name in program.functions():
        if name[0].isalpha() and name not in _FUNCTIONS:
            raise BadExpression("cel-unknown-name", f"`where` calls {name}(), which does not exist",
                                choice(name, sorted(_FUNCTIONS), "there are"))  # fmt: skip


def _syntax(error: Exception) -> str:
    found = re.search(r":\d+:(\d+): (?:Syntax error: )?(.*)", str(error))
    return f"at character {found[1]}, {found[2].partition(' expecting')[0][:80]}" if found else _first(error)


def _first(error: Exception) -> str:
    return str(error).splitlines()[0].split(". ")[0][:160]
