"""What is different between the steps of two reflex sheets, in words. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from hub.model.people import Contact
from hub.playbook.diff_words import contacts, listed, lists, quoted, rest, span, words_of
from hub.playbook.language import (
    Admit,
    After,
    Call,
    Condition,
    DraftBroadcast,
    Notify,
    SendContacts,
    Step,
    Task,
    Tasks,
    Wait,
    WriteReport,
)


def steps(old: Sequence[Step], new: Sequence[Step]) -> Iterator[str]:
    before, after = {step.name: step for step in old}, {step.name: step for step in new}
    gone, come = [s for s in old if s.name not in after], [s for s in new if s.name not in before]
    renamed = {was.name: is_.name for was in gone for is_ in come if replace(was, name=is_.name) == is_}
    for was in gone:
        yield (
            f"step {was.name} is called {renamed[was.name]} now" if was.name in renamed else f"step {was.name} is gone"
        )
    for is_ in come:
        if is_.name not in renamed.values():
            yield f"step {is_.name} is new: it {_does(is_)}{_begins(is_)}"
    for name in (name for name in before if name in after):
        yield from _step(before[name], after[name])
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        yield f"the steps stand in another order: {listed(list(after))}"


def _step(old: Step, new: Step) -> Iterator[str]:
    step = f"step {new.name}"
    if type(old.action) is not type(new.action):
        yield f"{step} now {_does(new)}; it {_does(old)} before"
    else:
        yield from _ACTIONS[type(new.action)](step, old.action, new.action)
    if old.at_end != new.at_end:
        yield f"{step} begins {'when the incident ends' if new.at_end else 'while the incident is open'} now"
    if old.after != new.after:
        yield from _condition(step, old.after, new.after)
    if old.every_s != new.every_s:
        if old.every_s is None or new.every_s is None:
            yield f"{step} is {'done once' if new.every_s is None else f'repeated every {span(new.every_s)}'} now"
        else:
            yield f"{step} is repeated every {span(new.every_s)} instead of {span(old.every_s)}"
    if old.until != new.until:
        yield f"{step} is repeated until {_when_it(new.until)} instead of {_when_it(old.until)}"
    yield from rest(step, old, new, ("name", "action", "after", "at_end", "every_s", "until"))


def _condition(step: str, old: Condition | None, new: Condition | None) -> Iterator[str]:
    was, is_ = _parts(old), _parts(new)
    if not was or not is_:
        yield (
            f"{step} begins {f'when {_when_it(new)}' if new is not None else 'at once'}"
            f" instead of {f'when {_when_it(old)}' if old is not None else 'at once'}"
        )
        return
    each = _needs_all(new) if len(is_) > 1 else _needs_all(old)
    same_kind = len(was) == 1 or len(is_) == 1 or _needs_all(old) == _needs_all(new)
    if not same_kind or not set(was) & set(is_):
        yield f"{step} begins when {_when_it(new)} instead of {_when_it(old)}"
        return
    yield from lists(
        was,
        is_,
        gone=f"{step} no longer needs that {{}}" if each else f"{step} no longer begins when {{}}",
        added=f"{step} also needs that {{}}" if each else f"{step} also begins when {{}}",
        order=f"{step} names what it waits for in another order",
    )


def _needs_all(condition: Condition | None) -> bool:
    return condition is not None and bool(condition.all)


def _parts(condition: Condition | None) -> list[str]:
    return [] if condition is None else [_after(after) for after in (*condition.any, *condition.all)]


def _after(after: After) -> str:
    return f"{after.step} is {after.outcome}"


def _when_it(condition: Condition | None) -> str:
    if condition is None:
        return "never"
    return (" and " if condition.all else " or ").join(_parts(condition)) or "nothing"


def _does(step: Step) -> str:
    match step.action:
        case Call() as call:
            asks = ", to find out whether it is true" if call.verify else ""
            return f"calls {call.chain} and says {call.say}{asks}"
        case Notify() as notify:
            whom = _whom(notify)
            return f"tells {whom} {notify.say}" + (f" by {listed(notify.by)}" if notify.by else "")
        case SendContacts() as send:
            return f"sends the contacts of {contacts(send.contacts)} to {contacts(send.to)} by {listed(send.by)}"
        case DraftBroadcast() as draft:
            public = " and the public who registered" if draft.registered is not None else ""
            return f"drafts a broadcast ({draft.group}) to {contacts(draft.to) or 'nobody of the directory'}{public}"
        case Admit() as admit:
            return f"lets in who stands under {admit.people}, into {_rooms(admit)}, for {span(admit.at_most_s)} at most"
        case WriteReport() as report:
            waits = ", once an officer has approved it" if report.approval else ""
            return f"writes a {report.report} and sends it to {contacts(report.to)} by {listed(report.by)}{waits}"
        case Wait() as wait:
            return f"waits for {span(wait.seconds)}"
        case Tasks() as tasks:
            return f"opens {len(tasks.tasks)} task{'s' if len(tasks.tasks) != 1 else ''}"


def _begins(step: Step) -> str:
    if step.at_end:
        return ", when the incident ends"
    return f", when {_when_it(step.after)}" if step.after is not None else ", at once"


# --- what each action does ---------------------------------------------------------------------------------


def _call(step: str, old: Call, new: Call) -> Iterator[str]:
    if old.chain != new.chain:
        yield f"{step} now calls {new.chain} instead of {old.chain}"
    yield from _say(step, old.say, new.say)
    yield from rest(step, old, new, ("chain", "say"))


def _notify(step: str, old: Notify, new: Notify) -> Iterator[str]:
    if old.everyone_reached != new.everyone_reached or old.the_sender != new.the_sender:
        yield f"{step} now tells {_whom(new) or 'nobody'} instead of {_whom(old) or 'nobody'}"
    else:
        yield from _contacts(step, "tells", old.to, new.to)
    yield from _by(step, old.by, new.by)
    yield from _say(step, old.say, new.say)
    yield from rest(step, old, new, ("to", "everyone_reached", "the_sender", "by", "say"))


def _whom(notify: Notify) -> str:
    if notify.everyone_reached:
        return "everyone reached"
    return ", ".join(whom for whom in ("the sender" if notify.the_sender else "", contacts(notify.to)) if whom)


def _send_contacts(step: str, old: SendContacts, new: SendContacts) -> Iterator[str]:
    yield from _contacts(step, "sends the contacts of", old.contacts, new.contacts)
    yield from _contacts(step, "sends contacts to", old.to, new.to)
    yield from _by(step, old.by, new.by)
    yield from _say(step, old.say, new.say)
    yield from rest(step, old, new, ("contacts", "to", "by", "say"))


def _draft_broadcast(step: str, old: DraftBroadcast, new: DraftBroadcast) -> Iterator[str]:
    if old.group != new.group:
        yield f"{step} drafts a broadcast of the class {new.group} instead of {old.group}"
    yield from _contacts(step, "drafts a broadcast to", old.to, new.to)
    yield from _by(step, old.by, new.by)
    yield from _say(step, old.say, new.say)
    if old.all_clear != new.all_clear:
        yield f"{step} gives the all-clear with {new.all_clear} instead of {old.all_clear}"
    yield from rest(step, old, new, ("group", "to", "by", "say", "all_clear"))


def _rooms(admit: Admit) -> str:
    asked = [f"the rooms of {admit.rooms_from}"] if admit.rooms_from else []
    return listed([*admit.rooms, *asked])


def _admit(step: str, old: Admit, new: Admit) -> Iterator[str]:
    if old.people != new.people:
        yield f"{step} lets in who stands under {new.people} instead of {old.people}"
    yield from lists(
        list(old.rooms),
        list(new.rooms),
        gone=f"{step} no longer opens {{}}",
        added=f"{step} also opens {{}}",
        order=f"{step} names its rooms in another order",
    )
    for what, was, is_ in (
        ("the rooms that are asked for", old.rooms_from, new.rooms_from),
        ("from when", old.start, new.start),
        ("until when", old.until, new.until),
    ):
        if was != is_:
            yield f"{step} takes {what} from {is_ or 'nothing'} instead of {was or 'nothing'}"
    if old.at_most_s != new.at_most_s:
        yield f"{step} lets people in for {span(new.at_most_s)} at most instead of {span(old.at_most_s)}"
    yield from rest(step, old, new, ("people", "rooms", "rooms_from", "start", "until", "at_most_s"))


def _wait(step: str, old: Wait, new: Wait) -> Iterator[str]:
    if old.seconds != new.seconds:
        yield f"{step} waits for {span(new.seconds)} instead of {span(old.seconds)}"
    yield from rest(step, old, new, ("seconds",))


def _tasks(step: str, old: Tasks, new: Tasks) -> Iterator[str]:
    left = [task for task in old.tasks if task not in new.tasks]
    come = [task for task in new.tasks if task not in old.tasks]
    for was, is_ in zip(left, come, strict=False):
        yield from _task(f"task {new.tasks.index(is_) + 1} of {step}", was, is_)
    for was in left[len(come) :]:
        yield f"{step} no longer asks {was.who} to: {quoted(_english(was))}"
    for is_ in come[len(left) :]:
        due = "" if is_.due_s is None else f", due after {span(is_.due_s)}"
        yield f"{step} also asks {is_.who} to: {quoted(_english(is_))}{due}"
    if not left and not come and old.tasks != new.tasks:
        yield f"the tasks of {step} stand in another order, or twice"
    yield from rest(step, old, new, ("tasks",))


def _task(task: str, old: Task, new: Task) -> Iterator[str]:
    yield from words_of(task, old.do, new.do)
    if old.who != new.who:
        yield f"{task} is for {new.who} instead of {old.who}"
    if old.due_s != new.due_s:
        due = ["without a time" if one is None else f"due after {span(one)}" for one in (new.due_s, old.due_s)]
        yield f"{task} is {due[0]} instead of {due[1].removeprefix('due after ') if new.due_s else due[1]}"
    yield from rest(task, old, new, ("do", "who", "due_s"))


def _english(task: Task) -> str:
    return next((text for language, text in task.do.items() if language == "en"), next(iter(task.do.values()), ""))


def _contacts(step: str, verb: str, old: Sequence[Contact], new: Sequence[Contact]) -> Iterator[str]:
    yield from lists(
        [contacts([one]) for one in old],
        [contacts([one]) for one in new],
        gone=f"{step} no longer {verb} {{}}",
        added=f"{step} also {verb} {{}}",
        order=f"{step} names whom it {verb} in another order",
    )


def _by(step: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    if list(old) != list(new):
        yield f"{step} goes by {listed(new) or 'the channel used'} instead of {listed(old) or 'the channel used'}"


def _say(step: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        yield f"{step} says {new} instead of {old}"


def _report(step: str, old: WriteReport, new: WriteReport) -> Iterator[str]:
    yield from _contacts(step, "sends its report to", old.to, new.to)
    yield from _by(step, old.by, new.by)
    if old.approval != new.approval:
        waits = "waits until an officer has approved it" if new.approval else "goes out without anybody's approval"
        yield f"the report of {step} now {waits}"
    yield from rest(step, old, new, ("to", "by", "approval"))


_ACTIONS: dict[type, Any] = {
    Call: _call,
    Notify: _notify,
    SendContacts: _send_contacts,
    DraftBroadcast: _draft_broadcast,
    Admit: _admit,
    WriteReport: _report,
    Wait: _wait,
    Tasks: _tasks,
}
