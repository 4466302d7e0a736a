"""From the text of a reflex sheet to its structs, or to everything that is wrong with it. Pure: no files.

`load` checks what the sheet says by itself; what it says about chains, groups, messages and areas is checked against
them in hub/playbook/lint.py.
"""

import hashlib

from hub.binding import bind
from hub.findings import Finding, choice, errors, nearest
from hub.model.people import Language
from hub.playbook.actions import ACTIONS, action_of
from hub.playbook.expression import BadExpression, Expression
from hub.playbook.flow import check_flow
from hub.playbook.form import ByHandForm, Ends, SheetForm, WhenForm
from hub.playbook.language import (
    OUTCOMES,
    SIGNAL,
    After,
    ByHand,
    Condition,
    Corroborated,
    Field,
    Joining,
    Outcome,
    Playbook,
    Step,
    Trust,
    When,
)
from hub.playbook.never import check_category, check_where
from hub.yaml import Document, Mapping, Node, Scalar, Sequence, read

Conditions = dict[tuple[str, str], Condition]  # (step, "after" or "until") → condition


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
    when = tuple(when_of(document, w, i) for i, w in enumerate(form.when))
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


def when_of(document: Document, form: WhenForm, index: int) -> When:
    """The `index`-th block under the document's `when`, with a finding for what is wrong with it by itself."""
    grades = [asked for asked in form.trust if isinstance(asked, Trust)]
    origins = [asked.origins for asked in form.trust if isinstance(asked, Corroborated)]
    if len(grades) > 1 or len(origins) > 1:
        place = document.at("when", index, "trust")
        document.add(place, "trust-twice", "two grades of trust, or two numbers of origins", "keep the lower one")
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
        trust=grades[0] if grades else None,
        origins=origins[0] if origins else 0,
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
    action = action_of(document, step, name)
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
    if other not in actions and other != SIGNAL:
        message = f'step "{name}" waits for step "{other}", which there is not'
        document.add(node, "unknown-step", message, choice(other, actions, "the steps are"))
        return None
    kind = actions.get(other, SIGNAL)
    possible = OUTCOMES.get(kind, ())
    if outcome not in possible:
        if possible:  # else the other step has no action, which is told of where it stands
            near = nearest(outcome, possible)
            meant = f'. Did you mean "{other} is {near}"?' if near else ""
            message = f'step "{name}" waits for "{text}", which can never be'
            document.add(
                node, "unknown-outcome", message, f"a {kind} can be: {', '.join(possible)}{meant}"
            )  # fmt: skip
        return None
    return After(other, Outcome(outcome))
