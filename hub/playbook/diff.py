"""What is different between two reflex sheets, in words an author reads: what happens otherwise, not which lines
changed. Pure.

Every field of the language is either told in words of its own here, or, where it has none yet, by its name with what it
is and what it was: nothing that counts is left out. Comments, spacing and the order of keys count for nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from hub.model.message import Message, Text
from hub.model.signal import CERTAINTIES, SEVERITIES, URGENCIES
from hub.playbook.diff_steps import steps
from hub.playbook.diff_words import listed, lists, quoted, rest, span, told, words_of
from hub.playbook.explain import trust_in_words
from hub.playbook.language import ByHand, Cause, Field, Joining, Playbook, When

_SCALES: dict[str, tuple[str, Sequence[Any]]] = {
    "severity": ("severity", SEVERITIES),
    "urgency": ("urgency", URGENCIES),
    "certainty": ("certainty", CERTAINTIES),
}
_ASKED = {
    "status": "status",
    "categories": "category",
    "hazards": "hazard",
    "event": "event",
    "sources": "source",
    "areas": "area",
    "words": "words",
}


def differences(old: Playbook, new: Playbook) -> list[str]:
    """One sentence each; none where both mean the same, whatever their texts."""
    return list(_playbook(old, new))


def message_differences(old: Mapping[str, Message], new: Mapping[str, Message], used: Collection[str]) -> list[str]:
    """What the messages say otherwise that a sheet uses, where both sides know them."""
    found: list[str] = []
    for name in sorted(set(used) & set(old) & set(new)):
        for language, text in new[name].texts.items():
            before = old[name].texts.get(language, Text(text=""))
            for field in Text.__struct_fields__:
                was, is_ = getattr(before, field), getattr(text, field)
                if was != is_:
                    part = "" if field == "text" else f" ({field})"
                    found.append(
                        f"the message {name} changed in {language}{part}: {quoted(is_)} instead of {quoted(was)}"
                    )
    return found


def messages_of(playbook: Playbook) -> list[str]:
    """The messages a sheet's steps say."""
    said = [getattr(step.action, key, "") for step in playbook.steps for key in ("say", "all_clear")]
    return list(dict.fromkeys(name for name in said if name))


def _playbook(old: Playbook, new: Playbook) -> Iterator[str]:
    if old.name != new.name:
        yield f"it is called {new.name} instead of {old.name}"
    yield from words_of("the title", old.title, new.title)
    if old.mode is not new.mode:
        yield f"it is {_MODES[new.mode]} instead of {_MODES[old.mode]}"
    yield from _cases(old.when, new.when)
    yield from _by_hand(old.by_hand, new.by_hand)
    yield from _joining(old.incident, new.incident)
    yield from lists(
        [_cause(cause) for cause in old.quiet_while],
        [_cause(cause) for cause in new.quiet_while],
        gone="it is no longer quiet while {} is open",
        added="it is also quiet while {} is open",
        order="the sheets that it is quiet while stand in another order",
    )
    yield from steps(old.steps, new.steps)
    handled = ("name", "title", "mode", "when", "by_hand", "incident", "quiet_while", "steps", "version")
    yield from rest("", old, new, handled)


_MODES = {"draft": "a draft", "shadow": "in shadow", "live": "live"}


# --- when --------------------------------------------------------------------------------------------------


def _cases(old: Sequence[When], new: Sequence[When]) -> Iterator[str]:
    left = [when for when in old if when not in new]
    come = [when for when in new if when not in old]
    for was, is_ in zip(left, come, strict=False):
        case = f"case {new.index(is_) + 1} of when" if max(len(old), len(new)) > 1 else "it"
        yield from _when(case, was, is_)
    for was in left[len(come) :]:
        yield f"it is no longer met by {_asked(was)}"
    for is_ in come[len(left) :]:
        yield f"it is also met by {_asked(is_)}"
    if not left and not come and list(old) != list(new):
        yield "the cases of when stand in another order, or twice"


def _when(case: str, old: When, new: When) -> Iterator[str]:
    for field, (name, scale) in _SCALES.items():
        was, is_ = getattr(old, field), getattr(new, field)
        if was != is_:
            before, now = _level(was, scale, name), _level(is_, scale, name)
            before = before.removeprefix("from ") if now.startswith("from ") else before
            yield f"{case} is met {now} instead of {before}" + ("" if field == "severity" else f" ({name})")
    for field, name in _ASKED.items():
        was, is_ = getattr(old, field), getattr(new, field)
        if was != is_ and not (was and is_):
            yield f"{case} asks for {name} {listed(is_)}" if is_ else f"{case} no longer asks for {name} {listed(was)}"
        else:
            yield from lists(
                [told(one) for one in was],
                [told(one) for one in is_],
                gone=f"{case} is no longer met by {name} {{}}",
                added=f"{case} is also met by {name} {{}}",
                order=f"{case} names its {name} in another order",
            )
    if (old.trust, old.origins) != (new.trust, new.origins):
        yield f"{case} asks for {_trust(new)} instead of {_trust(old)}"
    if old.where != new.where:
        yield f"{case} asks where {new.where or 'nothing'} instead of {old.where or 'nothing'}"
    yield from rest(case, old, new, (*_SCALES, *_ASKED, "trust", "origins", "where"))


def _level(levels: Sequence[Any], scale: Sequence[Any], name: str) -> str:
    if not levels:
        return f"at any {name}"
    if list(levels) == list(scale)[len(scale) - len(levels) :]:
        return f"from {levels[0]}"
    return f"at {listed(levels)} only"


def _trust(when: When) -> str:
    return f"trust {trust_in_words(when)}" if when.trust is not None or when.origins else "any trust"


def _asked(when: When) -> str:
    parts = [_level(getattr(when, f), scale, name) for f, (name, scale) in _SCALES.items() if getattr(when, f)]
    parts = [f"{name} {listed(getattr(when, field))}" for field, name in _ASKED.items() if getattr(when, field)] + parts
    parts += [_trust(when)] if when.trust is not None or when.origins else []
    parts += [f"where {when.where}"] if when.where else []
    return "; ".join(parts)


# --- what else begins and holds it -------------------------------------------------------------------------


def _by_hand(old: ByHand | None, new: ByHand | None) -> Iterator[str]:
    if old is None or new is None:
        if new is not None:
            asked = f", who is asked for {listed([field.name for field in new.fields])}" if new.fields else ""
            yield f"it can be started by hand by {new.who}{asked}"
        elif old is not None:
            yield f"it can no longer be started by hand ({old.who} could)"
        return
    if old.who != new.who:
        yield f"it is started by hand by {new.who} instead of {old.who}"
    before, after = {f.name: f for f in old.fields}, {f.name: f for f in new.fields}
    yield from lists(
        [field.name for field in old.fields],
        [field.name for field in new.fields],
        gone="who starts it is no longer asked for {}",
        added="who starts it is asked for {} too",
        order="who starts it is asked in another order",
    )
    for name in (name for name in before if name in after):
        yield from _field(before[name], after[name])
    yield from rest("started by hand", old, new, ("who", "fields"))


def _field(old: Field, new: Field) -> Iterator[str]:
    yield from words_of(f"the question for {new.name}", old.ask, new.ask)
    if old.required != new.required:
        yield f"{new.name} {'has to' if new.required else 'need not'} be answered by who starts it"
    yield from rest(f"the question for {new.name}", old, new, ("name", "ask", "required"))


def _joining(old: Joining, new: Joining) -> Iterator[str]:
    if old.one_per != new.one_per:
        yield f"one incident {_per(new.one_per)} instead of {_per(old.one_per)}"
    if old.within_s != new.within_s:
        yield f"a signal re-opens an incident within {span(new.within_s)} of its end instead of {span(old.within_s)}"
    if old.by_officer != new.by_officer:
        ends = "when an officer ends it", "when no warning is in force any more"
        yield f"an incident ends {ends[not new.by_officer]} instead of {ends[new.by_officer]}"
    yield from rest("incident", old, new, ("one_per", "within_s", "by_officer"))


def _per(what: Sequence[str]) -> str:
    return f"per {' and '.join(what)}" if what else "at a time"


def _cause(cause: Cause) -> str:
    return f"{cause.sheet} in the same area" if cause.same_area else cause.sheet
