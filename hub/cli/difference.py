"""A replay's difference to what happened, in lines for a terminal."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from hub.cli.say import columns
from hub.drill.difference import Change, Difference, Load, Matter, Run, Side, Someone, groups
from hub.drill.difference_words import WORDS, left_over
from hub.model.events import BY_HAND
from hub.model.people import Language
from hub.playbook.lengths import span
from hub.view.glance import plain

_CHANGES = {
    Change.SAME: "the same",
    Change.OTHERWISE: "otherwise",
    Change.ONLY_NOW: "only now",
    Change.NO_LONGER: "no longer",
}
_WORDS = WORDS[Language.EN]
NAMED_MAX = 3  # people named of those to whom the same happened


def lines_of(found: Difference, zone: str, everything: bool) -> Iterator[str]:
    """What changed; with `everything` also what stays the same."""
    local = ZoneInfo(zone)
    start, end = (f"{at.astimezone(local):%Y-%m-%d %H:%M}" for at in (found.since, found.until))
    yield f"{start} to {end} ({zone}): {found.counts.signals} signals, {found.counts.facts} facts"
    yield "sheets: " + _sheets(found)
    told = ", ".join(f"{found.count(change)} {words}" for change, words in _CHANGES.items())
    yield f"incidents: {told}"
    yield from _loads("person", [load for load in found.by_person if everything or not load.same])
    yield from _loads("sheet", [load for load in found.by_sheet if everything or not load.same])
    for matter in found.matters:
        if everything or matter.change is not Change.SAME:
            yield ""
            yield from _matter(matter, local, everything)
    yield ""
    yield "Assumed:"
    for assumed in found.assumed:
        yield f"  {_WORDS[assumed]}"
    yield from left_over(found.counts, Language.EN)


def _sheets(found: Difference) -> str:
    sheets = found.sheets
    parts = [f"{len(names)} {what} ({', '.join(names[:6])}{' ...' if len(names) > 6 else ''})" for what, names in
             (("changed", sheets.changed), ("new", sheets.new), ("gone", sheets.gone)) if names]  # fmt: skip
    return ", ".join([*parts, f"{sheets.same} the same"])


def _loads(what: str, loads: list[Load]) -> Iterator[str]:
    if not loads:
        return
    yield ""
    incidents = what == "sheet"
    kinds = ("incidents", "asked", "told") if incidents else ("asked", "told")
    head = (what, *(f"{kind}, {side}" for kind in kinds for side in ("then", "now")))
    rows = [
        (
            load.name,
            *((f"{load.incidents_then}", f"{load.incidents_now}") if incidents else ()),
            f"{load.asked_then}",
            f"{load.asked_now}",
            f"{load.told_then}",
            f"{load.told_now}",
        )
        for load in loads
    ]
    yield from columns([head, *rows])


def _matter(matter: Matter, zone: ZoneInfo, everything: bool) -> Iterator[str]:
    key = ", ".join(plain(part, 60) for part in matter.key if part and part != BY_HAND)
    status = "" if matter.status == "Actual" else f"  {matter.status}"
    yield (
        f"{matter.at.astimezone(zone):%Y-%m-%d %H:%M}  {matter.playbook}"
        f"{f'  {key}' if key else ''}{status}  {_CHANGES[matter.change].upper()}"
    )
    yield from (f"  {line}" for line in _runs(matter, zone))
    people = [p for p in matter.people if everything or p.change is not Change.SAME]
    yield from (f"  {line}" for line in columns(_rows(people, zone)))
    if len(people) < len(matter.people) and matter.change is Change.OTHERWISE:
        yield f"  and {len(matter.people) - len(people)} the same"


def _runs(matter: Matter, zone: ZoneInfo) -> Iterator[str]:
    then, now = matter.then, matter.now
    if then is not None and now is not None and then.playbook != now.playbook:
        yield f"{now.playbook} in place of {then.playbook}"
    for side, run in (("then", then), ("now", now)):
        if run is not None and (said := _said(run)):
            yield f"{side}: {said}"


def _said(run: Run) -> str:
    parts = [f"opened by {run.signals} signal{'s' if run.signals != 1 else ''}"] if run.signals else []
    parts += ["in shadow: nothing is sent"] if run.shadow else []
    parts += ["held back"] if run.held else []
    parts += [f"accepted by {', '.join(run.accepted)}"] if run.accepted else []
    parts += [f"{', '.join(dict.fromkeys(run.exhausted))} exhausted"] if run.exhausted else []
    return ", ".join(parts)


def _rows(people: Iterable[Someone], zone: ZoneInfo) -> list[tuple[str, ...]]:
    return [
        (
            _change(group.like),
            _WORDS[group.like.kind],
            _named(group.people),
            " → ".join(
                _side(side, spoken, zone)
                for side, spoken in ((group.like.then, group.spoken_then), (group.like.now, group.spoken_now))
                if side is not None
            ),
        )
        for group in groups(people)
    ]


def _named(people: tuple[str, ...]) -> str:
    shown = ", ".join(person or "a large audience" for person in people[:NAMED_MAX])
    return f"{shown} and {len(people) - NAMED_MAX} more" if len(people) > NAMED_MAX else shown


def _change(someone: Someone) -> str:
    if someone.change is not Change.OTHERWISE:
        return _CHANGES[someone.change]
    return ", ".join(_WORDS[what].format(span=span(someone.shift_s or 0.0, Language.EN)) for what in someone.differs)


def _side(side: Side, spoken: tuple[str, ...], zone: ZoneInfo) -> str:
    times = f" {side.times}×" if side.times > len(side.channels) else ""
    people = f" {side.people} people" if side.people > 1 else ""
    languages = f" ({', '.join(spoken)})" if spoken else ""
    messages = ", ".join(side.messages)
    return f"{side.at.astimezone(zone):%H:%M:%S} {messages} by {', '.join(side.channels)}{times}{people}{languages}"
