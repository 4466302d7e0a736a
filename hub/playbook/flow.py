"""Whether the steps of a sheet can run as written: no circle, none that never begins, no end that never comes."""

from collections.abc import Iterator

from hub.playbook.language import (
    Call,
    Condition,
    DraftBroadcast,
    Notify,
    Outcome,
    Playbook,
    SendContacts,
    Step,
    Tasks,
    Wait,
)
from hub.yaml import Document, Mapping, Node

# Of these only one can become true of a step that runs once.
_EXCLUSIVE: dict[type, frozenset[Outcome]] = {
    Call: frozenset({Outcome.ACCEPTED, Outcome.EXHAUSTED, Outcome.CANCELLED}),
    Notify: frozenset({Outcome.SENT, Outcome.FAILED, Outcome.CANCELLED}),
    SendContacts: frozenset({Outcome.SENT, Outcome.FAILED, Outcome.CANCELLED}),
    DraftBroadcast: frozenset({Outcome.LAPSED, Outcome.WITHDRAWN, Outcome.FAILED, Outcome.CANCELLED}),
    Tasks: frozenset({Outcome.DONE, Outcome.CANCELLED}),
    Wait: frozenset({Outcome.OVER, Outcome.CANCELLED}),
}


def check_flow(document: Document, playbook: Playbook) -> None:
    """Adds a finding for every step that cannot run as written."""
    steps = {step.name: step for step in playbook.steps}
    for step in playbook.steps:
        _check_ends(document, playbook, step)
        _check_repetition(document, step)
        for key in ("after", "until"):
            _check_condition(document, steps, step, key)
    circle = _circle(steps)
    if circle:
        path = " → ".join([*circle, circle[0]])
        document.add(
            _place(document, circle[0], "after"), "cycle", f"these steps wait for one another: {path}",
            "let one of them begin without the others",
        )  # fmt: skip
        return
    _check_reached(document, steps)


def _check_ends(document: Document, playbook: Playbook, step: Step) -> None:
    if step.at_end and step.after is not None:
        document.add(
            _place(document, step.name, "after"), "two-beginnings",
            f'step "{step.name}" begins when the incident ends, and has an "after"', "keep one of the two",
        )  # fmt: skip
    if step.at_end and step.every_s is not None:
        document.add(
            _place(document, step.name, "every"), "never-repeats",
            f'step "{step.name}" begins when the incident ends: nothing is repeated then', 'remove "every"',
        )  # fmt: skip
    if step.at_end and isinstance(step.action, DraftBroadcast):
        document.add(
            _place(document, step.name, "when"), "drafted-at-the-end",
            f'step "{step.name}" drafts a broadcast when the incident ends',
            'write "all clear: MESSAGE" in the step that drafts what is then over',
        )  # fmt: skip
    if isinstance(step.action, Notify) and step.action.everyone_reached and not step.at_end and step.after is None:
        document.add(
            _place(document, step.name, "notify"), "nobody-reached",
            f'step "{step.name}" begins at once, when nobody has been reached yet', 'add "after" or "when"',
        )  # fmt: skip


def _check_repetition(document: Document, step: Step) -> None:
    if step.until is not None and step.every_s is None:
        document.add(
            _place(document, step.name, "until"), "until-without-every",
            f'step "{step.name}" has an "until" and is not repeated', 'add "every", or remove "until"',
        )  # fmt: skip
    if step.every_s is not None and step.every_s < 60:
        document.add(
            _place(document, step.name, "every"), "too-often", f'step "{step.name}" comes more than once a minute',
            'at least "1 min"',
        )  # fmt: skip
    if step.every_s is not None and isinstance(step.action, DraftBroadcast):
        document.add(
            _place(document, step.name, "every"), "never-repeats",
            "a broadcast is drafted once: people have to read it before it goes out", 'remove "every"',
        )  # fmt: skip
    if step.every_s is not None and isinstance(step.action, Wait):
        document.add(_place(document, step.name, "every"), "never-repeats", "a wait is not repeated", 'remove "every"')


def _check_condition(document: Document, steps: dict[str, Step], step: Step, key: str) -> None:
    condition: Condition | None = getattr(step, key)
    if condition is None:
        return
    place = _place(document, step.name, key)
    rule = "never-begins" if key == "after" else "until-never"
    for after in condition.any + condition.all:
        other = steps[after.step]
        if after.step == step.name and key == "until" and other.at_end:
            continue
        if other.at_end:
            document.add(
                place, rule, f'step "{step.name}" waits for "{after.step}", which begins when the incident ends',
                'write "when: incident ends" here too' if key == "after" else "wait for another step",
            )  # fmt: skip
        if after.outcome is Outcome.LATE and isinstance(other.action, Tasks) and _no_due(other.action):
            document.add(
                place, rule, f'"{after.step} is late" can never be: none of its tasks has a time', 'add "due" to a task'
            )
    by_step: dict[str, set[Outcome]] = {}
    for after in condition.all:
        by_step.setdefault(after.step, set()).add(after.outcome)
    for name, outcomes in by_step.items():
        apart = outcomes & _EXCLUSIVE[type(steps[name].action)]
        if len(apart) > 1 and steps[name].every_s is None:
            both = " and ".join(sorted(apart))
            document.add(place, rule, f'"{name}" is never both {both}', 'write "any of"')


def _no_due(tasks: Tasks) -> bool:
    return all(task.due_s is None for task in tasks.tasks)


def _waits_for(step: Step) -> Iterator[str]:
    if step.after is not None:
        for after in step.after.any + step.after.all:
            yield after.step


def _circle(steps: dict[str, Step]) -> list[str]:
    """The first circle of steps that wait for one another, or none."""
    done: set[str] = set()
    for start in steps:
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = [(start, _waits_for(steps[start]))]
        path.append(start)
        while stack:
            name, others = stack[-1]
            other = next(others, None)
            if other is None:
                stack.pop()
                path.pop()
                done.add(name)
            elif other in path:
                return path[path.index(other) :]
            elif other not in done:
                stack.append((other, _waits_for(steps[other])))
                path.append(other)
    return []


def _check_reached(document: Document, steps: dict[str, Step]) -> None:
    """Steps that only wait for what cannot begin. (What waits for a repeated step without an end is reached.)"""
    reached = {name for name, step in steps.items() if step.after is None}
    grown = True
    while grown:
        grown = False
        for name, step in steps.items():
            if name in reached or step.after is None:
                continue
            after = step.after
            if any(a.step in reached for a in after.any) or (after.all and all(a.step in reached for a in after.all)):
                reached.add(name)
                grown = True
    for name in steps:
        if name not in reached:
            document.add(_place(document, name, "after"), "never-begins", f'step "{name}" can never begin', "")


def _place(document: Document, step: str, key: str) -> Node | None:
    """The value under a key of a step; the step's own name where the key is absent."""
    node = document.at("steps", step)
    if isinstance(node, Mapping) and node.get(key) is not None:
        return node.get(key)
    above = document.at("steps")
    return above.key(step) if isinstance(above, Mapping) else above
