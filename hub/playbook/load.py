"""From the text of a reflex sheet to its structs, or to everything that is wrong with it. Pure: no files.

`load` checks what the sheet says by itself; what it says about chains, groups, messages and areas is checked against
them in hub/playbook/lint.py.
"""

import hashlib

from hub.binding import bind
from hub.findings import Finding, choice, errors
from hub.model.people import Language
from hub.playbook.expression import BadExpression, Expression
from hub.playbook.flow import check_flow
from hub.playbook.form import EVERYONE_REACHED, ByHandForm, ConditionForm, Ends, SheetForm, StepForm, WhenForm
from hub.playbook.language import (
    OUTCOMES,
    Action,
    After,
    ByHand,
    Call,
    Condition,
    Field,
    Joining,
    Notify,
    Outcome,
    Playbook,
    Step,
    Task,
    Tasks,
    Wait,
    When,
)
from hub.yaml import Document, Mapping, read

ACTIONS = ("call", "notify", "wait", "tasks", "report")


def load(text: str | bytes, file: str) -> tuple[Playbook | None, list[Finding]]:
    """The sheet, or None where it has an error; and all findings, also mere warnings, in the order of the text."""
    playbook, document = load_document(text, file)
    return playbook, sorted(document.findings, key=lambda f: (f.line, f.column))


def load_document(text: str | bytes, file: str) -> tuple[Playbook | None, Document]:
    """The same, with the document, for further checks that need places."""
    document = read(text, file)
    form = None
    if document.root is not None or not document.findings:
        form = bind(document, document.root, SheetForm)
    if form is None:
        return None, document
    raw = text.encode() if isinstance(text, str) else text
    playbook = _playbook(document, form, hashlib.sha256(raw).hexdigest())
    if playbook is not None and not errors(document.findings):
        check_flow(document, playbook)
    return (None if errors(document.findings) else playbook), document


def _playbook(document: Document, form: SheetForm, version: str) -> Playbook | None:
    when = tuple(_when(document, w, i) for i, w in enumerate(form.when))
    if not form.when and form.start_by_hand is None:
        document.add(document.root, "never-starts", "nothing starts this sheet", 'add "when:" or "start by hand:"')
    if not form.steps:
        document.add(document.at("steps"), "no-steps", "the sheet does nothing", "add a step")
    steps = tuple(_step(document, form, name) for name in form.steps)
    if any(step is None for step in steps):
        return None
    return Playbook(
        name=form.playbook,
        title=form.title,
        version=version,
        owner=form.owner,
        review_by=form.review_by.isoformat() if form.review_by is not None else "",
        mode=form.mode,
        when=when,
        by_hand=_by_hand(form.start_by_hand),
        incident=Joining(
            one_per=tuple(j.value for j in form.incident.one_per),
            within_s=form.incident.within,
            by_officer=form.incident.ends is Ends.OFFICER,
        ),
        steps=tuple(step for step in steps if step is not None),
    )


def _when(document: Document, form: WhenForm, index: int) -> When:
    when = When(
        status=form.status,
        categories=form.category,
        hazards=form.hazard,
        event=form.event,
        urgency=form.urgency,
        severity=form.severity,
        certainty=form.certainty,
        sources=form.source,
        areas=form.area,
        words=form.words,
        trust=form.trust,
        where=form.where,
    )
    place = document.at("when", index)
    if when == When(status=form.status):
        document.add(place, "asks-nothing", "this meets every signal there is", "add a condition: hazard, area ...")
    for key in ("words", "event"):
        for phrase in getattr(form, key):
            if not any(c.isalnum() for c in phrase):
                document.add(place, "no-word", f'{key}: "{phrase}" holds no word', "write a word or a phrase")
    if form.where:
        try:
            Expression(form.where)
        except BadExpression as bad:
            document.add(document.at("when", index, "where"), bad.rule, bad.message, bad.remedy)
    return when


def _by_hand(form: str | ByHandForm | None) -> ByHand | None:
    if form is None:
        return None
    if isinstance(form, str):
        return ByHand(who=form)
    fields = tuple(
        Field(
            name=name,
            ask={Language.FR: ask.fr, Language.NL: ask.nl, Language.DE: ask.de, Language.EN: ask.en},
            required=ask.required,
        )
        for name, ask in form.asks.items()
    )
    return ByHand(who=form.who, fields=fields)


# --- steps -------------------------------------------------------------------------------------------------


def _step(document: Document, form: SheetForm, name: str) -> Step | None:
    step = form.steps[name]
    action = _action(document, step, name)
    after = _condition(document, form, name, "after", step.after)
    until = _condition(document, form, name, "until", step.until)
    if action is None:
        return None
    return Step(name=name, action=action, after=after, at_end=step.when is not None, every_s=step.every, until=until)


def _action(document: Document, step: StepForm, name: str) -> Action | None:
    node = document.at("steps", name)
    given = [a for a in ACTIONS if isinstance(node, Mapping) and node.get(a) is not None]
    place = node.key(given[0]) if isinstance(node, Mapping) and given else node
    if step.report is not None:
        document.add(place, "not-yet", f'step "{name}" writes a report', "reports come in a later version: remove it")
        return None
    if len(given) != 1:
        found = f"does {' and '.join(given)} at once" if given else "does nothing"
        document.add(place, "one-action", f'step "{name}" {found}', "a step is one of: call, notify, wait, tasks")
        return None
    if step.to:
        document.add(document.at("steps", name, "to"), "unknown-key", '"to" belongs to a report', "write it in notify")
    if step.call is not None or step.notify:
        if step.say is None:
            document.add(node, "missing-key", f'step "{name}" says nothing', "add say: with a message's name")
            return None
    elif step.say is not None or step.by:
        key = "say" if step.say is not None else "by"
        document.add(
            document.at("steps", name, key), "unknown-key", f'"{key}" belongs to a call or a notify', "remove it"
        )
    if step.call is not None:
        if step.by:
            document.add(
                document.at("steps", name, "by"), "unknown-key", "a call's channels are its chain's", 'remove "by"'
            )
        return Call(chain=step.call, say=step.say or "")
    if step.notify:
        return _notify(document, step, name)
    if step.wait is not None:
        return Wait(seconds=step.wait)
    return Tasks(tasks=tuple(Task(do=t.do, who=t.who, due_s=t.due) for t in step.tasks))


def _notify(document: Document, step: StepForm, name: str) -> Notify | None:
    everyone = any(contact.id == EVERYONE_REACHED for contact in step.notify)
    if everyone and len(step.notify) > 1:
        document.add(
            document.at("steps", name, "notify"), "everyone-and-others", f'"{EVERYONE_REACHED}" stands with others',
            "make two steps of it",
        )  # fmt: skip
        return None
    if not everyone and not step.by:
        document.add(
            document.at("steps", name), "missing-key", f'step "{name}" does not say how', "add by: [sms, email]"
        )
        return None
    return Notify(say=step.say or "", to=() if everyone else step.notify, everyone_reached=everyone, by=tuple(step.by))


def _condition(
    document: Document, form: SheetForm, name: str, key: str, written: str | ConditionForm | None
) -> Condition | None:
    """`wake is accepted`, or any of / all of several. Findings where a step or an outcome cannot be."""
    if written is None:
        return None
    if isinstance(written, str):
        one = _after(document, form, name, written, (key,))
        return Condition(all=(one,)) if one is not None else None
    place = document.at("steps", name, key)
    if bool(written.any_of) == bool(written.all_of):
        document.add(place, "any-or-all", f'{key} of step "{name}" needs one of "any of" and "all of"', "write one")
        return None
    word, texts = ("any of", written.any_of) if written.any_of else ("all of", written.all_of)
    parts = [_after(document, form, name, text, (key, word, i)) for i, text in enumerate(texts)]
    known = tuple(part for part in parts if part is not None)
    if not known:
        return None
    return Condition(any=known) if written.any_of else Condition(all=known)


def _after(document: Document, form: SheetForm, name: str, text: str, path: tuple[str | int, ...]) -> After | None:
    place = document.at("steps", name, *path)
    other, _, outcome = text.partition(" is ")
    if not outcome:
        remedy = 'write "STEP is OUTCOME", as "wake is accepted"'
        document.add(
            place, "not-a-condition", f'step "{name}" waits for "{text}", which is no outcome of a step', remedy
        )
        return None
    if other not in form.steps:
        document.add(
            place, "unknown-step", f'step "{name}" waits for step "{other}", which there is not',
            choice(other, form.steps, "the steps are"),
        )  # fmt: skip
        return None
    target = form.steps[other]
    kind = next((k for k in ACTIONS if getattr(target, k) not in (None, ())), "")
    possible = [o.value for o in OUTCOMES.get(kind, ())]
    if outcome not in possible:
        if possible:
            near = choice(f"{other} is {outcome}", [f"{other} is {o}" for o in possible])
            asked = near.rpartition("Did you mean ")[2] if "Did you mean" in near else ""
            remedy = f"a {kind} can be: {', '.join(possible)}" + (f". Did you mean {asked}" if asked else "")
            document.add(
                place, "unknown-outcome", f'step "{name}" waits for "{text}", which can never be', remedy
            )  # fmt: skip
        return None
    return After(other, Outcome(outcome))
