"""Whether the steps of a sheet can run as written: no circle, none that never begins, no end that never comes."""

from collections.abc import Collection, Iterator

from hub.model.people import Asked
from hub.playbook.language import (
    SIGNAL,
    Admit,
    Call,
    Condition,
    DraftBroadcast,
    Notify,
    Outcome,
    Playbook,
    Step,
    Tasks,
    Wait,
    WriteReport,
)
from hub.yaml import Document, Mapping, Node

Fact = tuple[str, Outcome]


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
            place_of(document, circle[0], "after"), "cycle", f"these steps wait for one another: {path}",
            "let one of them begin without the others",
        )  # fmt: skip
        return
    _check_reached(document, steps)
    _check_access(document, playbook, steps)
    _check_stopped_at_once(document, steps)
    if playbook.incident.by_officer:
        _check_for_ever(document, steps)


def _check_ends(document: Document, playbook: Playbook, step: Step) -> None:
    if step.at_end and step.after is not None:
        document.add(
            place_of(document, step.name, "after"), "two-beginnings",
            f'step "{step.name}" begins when the incident ends, and has an "after"', "keep one of the two",
        )  # fmt: skip
    if step.at_end and step.every_s is not None:
        document.add(
            place_of(document, step.name, "every"), "never-repeats",
            f'step "{step.name}" begins when the incident ends: nothing is repeated then', 'remove "every"',
        )  # fmt: skip
    if step.at_end and isinstance(step.action, DraftBroadcast):
        document.add(
            place_of(document, step.name, "when"), "drafted-at-the-end",
            f'step "{step.name}" drafts a broadcast when the incident ends',
            'write "all clear: MESSAGE" in the step that drafts what is then over',
        )  # fmt: skip
    if step.at_end and isinstance(step.action, Admit):
        document.add(
            place_of(document, step.name, "when"), "access-at-the-end",
            f'step "{step.name}" lets people in when the incident ends, when all access is withdrawn',
            'begin it after the approval: "after: approval is accepted"',
        )  # fmt: skip
    if isinstance(step.action, Notify) and step.action.everyone_reached and not step.at_end and step.after is None:
        document.add(
            place_of(document, step.name, "notify"), "nobody-reached",
            f'step "{step.name}" begins at once, when nobody has been reached yet', 'add "after" or "when"',
        )  # fmt: skip


def _check_repetition(document: Document, step: Step) -> None:
    if step.until is not None and step.every_s is None:
        document.add(
            place_of(document, step.name, "until"), "until-without-every",
            f'step "{step.name}" has an "until" and is not repeated', 'add "every", or remove "until"',
        )  # fmt: skip
    if step.every_s is not None and step.every_s < 60:
        document.add(
            place_of(document, step.name, "every"), "too-often", f'step "{step.name}" comes more than once a minute',
            'at least "1 min"',
        )  # fmt: skip
    if step.every_s is not None and isinstance(step.action, DraftBroadcast):
        document.add(
            place_of(document, step.name, "every"), "never-repeats",
            "a broadcast is drafted once: people have to read it before it goes out", 'remove "every"',
        )  # fmt: skip
    if step.every_s is not None and isinstance(step.action, Admit):
        document.add(
            place_of(document, step.name, "every"), "never-repeats",
            "the list follows what the request says by itself", 'remove "every"',
        )  # fmt: skip
    if step.every_s is not None and isinstance(step.action, Wait):
        document.add(
            place_of(document, step.name, "every"), "never-repeats", "a wait is not repeated", 'remove "every"'
        )


def _check_condition(document: Document, steps: dict[str, Step], step: Step, key: str) -> None:
    condition: Condition | None = getattr(step, key)
    if condition is None:
        return
    place = place_of(document, step.name, key)
    rule = "never-begins" if key == "after" else "until-never"
    for after in condition.any + condition.all:
        if after.step == SIGNAL:
            continue
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
        if after.outcome is Outcome.CANCELLED and not isinstance(other.action, Call):
            # The engine cancels these with the incident, and after its end nothing begins any more.
            document.add(
                place, rule, f'"{after.step} is cancelled" can only be when the incident ends, and nothing begins then',
                'write "when: incident ends", or wait for something else',
            )  # fmt: skip


def _check_access(document: Document, playbook: Playbook, steps: dict[str, Step]) -> None:
    """Nobody is let in without somebody having said yes, nor by what another sender says."""

    def approved(name: str) -> bool:
        condition = steps[name].after
        if condition is None:
            return False
        ways = [
            after.step != SIGNAL and (after.outcome is Outcome.ACCEPTED or approved(after.step))
            for after in condition.any or condition.all
        ]
        return all(ways) if condition.any else any(ways)

    admits = [step for step in steps.values() if isinstance(step.action, Admit)]
    for step in admits[:1]:
        if playbook.when and not {"sender", "incident"} <= set(playbook.incident.one_per):
            document.add(
                place_of(document, step.name, "access"), "access-shared",
                f'step "{step.name}" lets in whom the newest signal names, and others may join the same incident',
                'write "one per: [sender, incident]" under incident',
            )  # fmt: skip
    for step in admits:
        if not step.at_end and not approved(step.name):
            document.add(
                place_of(document, step.name, "after"), "access-unapproved",
                f'step "{step.name}" lets people in although nobody need have said yes',
                'begin it after a call that was accepted: "after: approval is accepted"',
            )  # fmt: skip


def check_calls(document: Document, playbook: Playbook, fall_backs: Collection[str]) -> None:
    """Adds a finding for a step that waits until a call was accepted and exhausted, where its chain has no other that
    goes on. `fall_backs`: the chains that have one."""
    once = [step for step in playbook.steps if step.every_s is None]
    calls = {s.name for s in once if isinstance(s.action, Call) and s.action.chain not in fall_backs}
    for step in playbook.steps:
        for key in ("after", "until"):
            condition: Condition | None = getattr(step, key)
            waited = {(after.step, after.outcome) for after in condition.all} if condition is not None else set()
            for name in sorted(calls):
                if {(name, Outcome.ACCEPTED), (name, Outcome.EXHAUSTED)} <= waited:
                    document.add(
                        place_of(document, step.name, key), "both-outcomes",
                        f'"{name}" is accepted and exhausted only where an officer calls once more',
                        'write "any of"', warning=True,
                    )  # fmt: skip


def _no_due(tasks: Tasks) -> bool:
    return all(task.due_s is None for task in tasks.tasks)


def _waits_for(step: Step) -> Iterator[str]:
    if step.after is not None:
        for after in step.after.any + step.after.all:
            if after.step != SIGNAL:
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
    reached = {name for name, step in steps.items() if step.after is None} | {SIGNAL}
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
            document.add(place_of(document, name, "after"), "never-begins", f'step "{name}" can never begin', "")


def _check_stopped_at_once(document: Document, steps: dict[str, Step]) -> None:
    """Steps whose `until` holds as soon as they begin: they run once."""
    known: dict[str, frozenset[Fact]] = {}
    for name, step in steps.items():
        if step.every_s is None or step.until is None:
            continue
        happened = _happened(steps, name, known)
        until = {(after.step, after.outcome) for after in step.until.any + step.until.all}
        if until & happened if step.until.any else until <= happened:
            document.add(
                place_of(document, name, "until"), "never-repeats",
                f'step "{name}" begins when its "until" has come true: nothing is repeated',
                "wait for something that comes later",
            )  # fmt: skip


def _happened(steps: dict[str, Step], name: str, known: dict[str, frozenset[Fact]]) -> frozenset[Fact]:
    """What has happened in any case once a step has begun; there is no circle of steps."""
    if name == SIGNAL:
        return frozenset()
    if name not in known:
        after = steps[name].after
        found: frozenset[Fact] = frozenset()
        if after is not None:
            ways = [_happened(steps, a.step, known) | {(a.step, a.outcome)} for a in after.any + after.all]
            found = frozenset.intersection(*ways) if after.any else frozenset.union(*ways)
        known[name] = found | {(name, Outcome.BEGUN)}
    return known[name]


def _check_for_ever(document: Document, steps: dict[str, Step]) -> None:
    """Repetitions that only an officer ends, and that go to others than those on duty."""
    for name, step in steps.items():
        action = step.action
        if step.every_s is None or step.until is not None or step.at_end:
            continue
        if isinstance(action, Notify) and action.to and all(contact.kind is Asked.ROSTER for contact in action.to):
            continue  # their reminder that the incident is still open
        if isinstance(action, WriteReport) and action.approval:
            continue  # each waits for an officer
        document.add(
            place_of(document, name, "every"), "repeats-for-ever",
            f'step "{name}" is repeated until an officer ends the incident, and nothing else stops it',
            'add "until", or let the incident end with the last warning', warning=True,
        )  # fmt: skip


def place_of(document: Document, step: str, key: str) -> Node | None:
    """The value under a key of a step; the step's own name where the key is absent."""
    node = document.at("steps", step)
    if isinstance(node, Mapping) and node.get(key) is not None:
        return node.get(key)
    above = document.at("steps")
    return above.key(step) if isinstance(above, Mapping) else above
