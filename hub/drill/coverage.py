"""Which parts of a sheet its tests have walked: conditions, steps, what they wait for, tiers, repetitions. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from hub.drill.timeline import Timeline, What
from hub.model.people import Chain
from hub.playbook.language import Call, Condition, Outcome, Playbook, Step, Tasks


class Part(Struct, frozen=True, kw_only=True):
    """One part of a sheet. `said`: for people; `path`: where it stands in the sheet."""

    said: str
    path: tuple[str | int, ...]


class Coverage(Struct, frozen=True, kw_only=True):
    """What there is of a sheet, and what no test has walked, in the order of the sheet."""

    sheet: str
    parts: tuple[Part, ...]
    missed: tuple[Part, ...]


def coverage(sheet: Playbook, chains: Mapping[str, Chain], timelines: Iterable[Timeline]) -> Coverage:
    walked: set[str] = set()
    for timeline in timelines:
        walked |= _walked(sheet.name, timeline)
    parts = _parts(sheet, chains)
    return Coverage(sheet=sheet.name, parts=parts, missed=tuple(part for part in parts if part.said not in walked))


def _parts(sheet: Playbook, chains: Mapping[str, Chain]) -> tuple[Part, ...]:
    parts = [Part(said=_condition(n), path=("when", n)) for n in range(len(sheet.when))]
    if sheet.by_hand is not None:
        parts.append(Part(said="started by hand", path=("start by hand",)))
    for step in sheet.steps:
        parts += _of_step(step, chains)
    return tuple({part.said: part for part in reversed(parts)}.values())[::-1]  # what several wait for counts once


def _of_step(step: Step, chains: Mapping[str, Chain]) -> list[Part]:
    path = ("steps", step.name)
    parts = [Part(said=f"{step.name} begins", path=path)]
    for key, condition in (("after", step.after), ("until", step.until)):
        parts += [Part(said=said, path=(*path, key)) for said in _awaited(condition)]
    if step.every_s is not None:
        parts.append(Part(said=f"{step.name} begins again", path=(*path, "every")))
    if isinstance(step.action, Call) and step.action.chain in chains:
        tiers = chains[step.action.chain].tiers
        parts += [Part(said=f"{step.name} asks tier {n}", path=(*path, "call")) for n in range(1, len(tiers) + 1)]
    if isinstance(step.action, Tasks):
        due = [n for n, task in enumerate(step.action.tasks) if task.due_s is not None]
        parts += [Part(said=f"task {n + 1} of {step.name} is late", path=(*path, "tasks", n)) for n in due]
    return parts


def _awaited(condition: Condition | None) -> list[str]:
    if condition is None:
        return []
    awaited = (*condition.any, *condition.all)
    return [f"{a.step} is {a.outcome}" for a in awaited if a.outcome is not Outcome.BEGUN]


def _condition(n: int) -> str:
    return f"condition {n + 1} of when is met"


def _walked(sheet: str, timeline: Timeline) -> set[str]:
    walked = {_condition(n) for name, n in timeline.met if name == sheet}
    for moment in timeline.moments:
        match moment.what:
            case What.SIGNAL if moment.outcome == "start":
                walked.add("started by hand")
            case What.BEGAN if moment.sheet == sheet:
                walked.add(f"{moment.step} begins again" if moment.nth > 1 else f"{moment.step} begins")
            case What.CAME_TO if moment.sheet == sheet:
                walked.add(f"{moment.step} is {moment.outcome}")
            case What.TIER if moment.sheet == sheet:
                walked.add(f"{moment.step} asks tier {moment.nth}")
            case What.TASK_LATE if moment.sheet == sheet:
                walked.add(f"task {moment.nth} of {moment.step} is late")
            case _:
                pass
    return walked
