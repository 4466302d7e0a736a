"""From the text of a reflex sheet to its structs, or to everything that is wrong with it. Pure: no files.

`load` checks what the sheet says by itself; what it says about chains, groups, messages and areas is checked against
them in hub/playbook/lint.py.
"""

import hashlib

from msgspec.structs import replace

from hub.binding import bind
from hub.findings import Finding, choice, errors, nearest
from hub.model.people import Language
from hub.playbook.expression import BadExpression, Expression
from hub.playbook.flow import check_flow
from hub.playbook.form import EVERYONE_REACHED, ByHandForm, Ends, SheetForm, StepForm, WhenForm
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
    SendContacts,
    Step,
    Task,
    Tasks,
    Wait,
    When,
)
from hub.playbook.never import check_category, check_where
from hub.yaml import Document, Mapping, Node, Scalar, Sequence, read

Conditions = dict[tuple[str, str], Condition]  # (step, "after" or "until") → condition
ACTIONS = ("call", "notify", "send contacts", "wait", "tasks", "report")


def load(text: str | bytes, file: str) -> tuple[Playbook | None, list[Finding]]:
    """The sheet, or None where it has an error; and all findings, also mere warnings, in the order of the text."""
    playbook, document = load_document(text, file)
    findings = sorted(document.findings, key=lambda f: (f.line, f.column))
    return (None if errors(findings) else playbook), findings


def load_document(text: str | bytes, file: str) -> tuple[Playbook | None, Document]:
    """The same, with the document, for further checks that need places; the sheet may have errors (see
    `document.findings`)."""
    document = read(text, file)
    form = None
    if document.root is not None or not document.findings:
        form = bind(document, document.root, SheetForm)
    conditions = _conditions(document)
    if form is None:
        return None, document
    raw = text.encode() if isinstance(text, str) else text
    playbook = _playbook(document, form, conditions, hashlib.sha256(raw).hexdigest())
    if playbook is not None and not errors(document.findings):
        check_flow(document, playbook)
    return playbook, document


def _playbook(document: Document, form: SheetForm, conditions: Conditions, version: str) -> Playbook | None:
    when = tuple(_when(document, w, i) for i, w in enumerate(form.when))
    if not form.when and form.start_by_hand is None:
        document.add(document.root, "never-starts", "nothing starts this sheet", 'add "when:" or "start by hand:"')
    for index, cause in enumerate(form.quiet_while):
        if cause.sheet == form.playbook:
            place = document.at("quiet while", index)
            document.add(place, "own-cause", "a sheet is not its own cause", "name the sheet of the cause")
    if not form.steps:
        document.add(document.at("steps"), "no-steps", "the sheet does nothing", "add a step")
    steps = tuple(_step(document, form, conditions, name) for name in form.steps)
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
        quiet_while=form.quiet_while,
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
                document.add(
                    document.at("when", index, key),
                    "no-word",
                    f'{key}: "{phrase}" holds no word',
                    "write a word or a phrase",
                )
    if form.where:
        try:
            check_where(document, when, index, Expression(form.where))
        except BadExpression as bad:
            document.add(document.at("when", index, "where"), bad.rule, bad.message, bad.remedy)
    check_category(document, when, index)
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


def _step(document: Document, form: SheetForm, conditions: Conditions, name: str) -> Step | None:
    step = form.steps[name]
    action = _action(document, step, name)
    if action is None:
        return None
    return Step(
        name=name,
        action=action,
        after=conditions.get((name, "after")),
        at_end=step.when is not None,
        every_s=step.every,
        until=conditions.get((name, "until")),
    )


def _action(document: Document, step: StepForm, name: str) -> Action | None:
    node = document.at("steps", name)
    given = [a for a in ACTIONS if isinstance(node, Mapping) and node.get(a) is not None]
    place = node.key(given[0]) if isinstance(node, Mapping) and given else node
    if step.report is not None:
        document.add(place, "not-yet", f'step "{name}" writes a report', "reports come in a later version: remove it")
        return None
    if len(given) != 1:
        found = f"does {' and '.join(given)} at once" if given else "does nothing"
        document.add(
            place, "one-action", f'step "{name}" {found}', "a step is one of: call, notify, send contacts, wait, tasks"
        )
        return None
    if step.send_contacts:
        return _send_contacts(document, step, name)
    if step.to:
        message = '"to" belongs to "send contacts"'
        document.add(document.at("steps", name, "to"), "unknown-key", message, "write it in notify")
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


def _send_contacts(document: Document, step: StepForm, name: str) -> SendContacts | None:
    for key, contacts in (("send contacts", step.send_contacts), ("to", step.to)):
        if any(contact.id == EVERYONE_REACHED for contact in contacts):
            place = document.at("steps", name, key)
            message = f'contacts are not of, nor for, "{EVERYONE_REACHED}"'
            document.add(place, "everyone-and-others", message, "name a group, a roster, an organisation")
            return None
    for given, lacks, remedy in (
        (step.to, "who gets the contacts", "add to: [GROUP]"),
        (step.by, "how", "add by: [email, sms]"),
    ):
        if not given:
            document.add(document.at("steps", name), "missing-key", f'step "{name}" does not say {lacks}', remedy)
            return None
    made = SendContacts(contacts=step.send_contacts, to=step.to, by=tuple(step.by))
    return replace(made, say=step.say) if step.say is not None else made


# --- conditions --------------------------------------------------------------------------------------------


def _conditions(document: Document) -> Conditions:
    """Every `after` and `until`, read from the nodes, so that what is wrong with one is said whatever else is wrong
    with the sheet. Those with a fault are left out."""
    steps = document.root.get("steps") if isinstance(document.root, Mapping) else None
    if not isinstance(steps, Mapping):
        return {}
    actions = {
        name.text: next((a for a in ACTIONS if isinstance(step, Mapping) and step.get(a) is not None), "")
        for name, step in steps.entries
    }
    conditions: Conditions = {}
    for name, step in steps.entries:
        for key in ("after", "until"):
            node = step.get(key) if isinstance(step, Mapping) else None
            if node is not None:
                condition = _condition(document, actions, name.text, key, node)
                if condition is not None:
                    conditions[name.text, key] = condition
    return conditions


def _condition(document: Document, actions: dict[str, str], name: str, key: str, node: Node) -> Condition | None:
    """`wake is accepted`, or any of / all of several. Other shapes are told of by the binding."""
    if isinstance(node, Scalar):
        one = _after(document, actions, name, node)
        return Condition(all=(one,)) if one is not None else None
    if not isinstance(node, Mapping):
        return None
    words = [word for word in ("any of", "all of") if node.get(word) is not None]
    if len(words) != 1:
        document.add(node, "any-or-all", f'{key} of step "{name}" needs one of "any of" and "all of"', "write one")
        return None
    listed = node.get(words[0])
    items = listed.items if isinstance(listed, Sequence) else (listed,)
    parts = [_after(document, actions, name, item) for item in items if isinstance(item, Scalar)]
    known = tuple(part for part in parts if part is not None)
    if not known or len(known) < len(items):
        return None
    return Condition(any=known) if words[0] == "any of" else Condition(all=known)


def _after(document: Document, actions: dict[str, str], name: str, node: Scalar) -> After | None:
    text = node.text
    other, _, outcome = text.partition(" is ")
    if not outcome:
        message = f'step "{name}" waits for "{text}", which is no outcome of a step'
        document.add(node, "not-a-condition", message, 'write "STEP is OUTCOME", as "wake is accepted"')
        return None
    if other not in actions:
        message = f'step "{name}" waits for step "{other}", which there is not'
        document.add(node, "unknown-step", message, choice(other, actions, "the steps are"))
        return None
    possible = OUTCOMES.get(actions[other], ())
    if outcome not in possible:
        if possible:  # else the other step has no action, which is told of where it stands
            near = nearest(outcome, possible)
            meant = f'. Did you mean "{other} is {near}"?' if near else ""
            message = f'step "{name}" waits for "{text}", which can never be'
            document.add(
                node, "unknown-outcome", message, f"a {actions[other]} can be: {', '.join(possible)}{meant}"
            )  # fmt: skip
        return None
    return After(other, Outcome(outcome))
