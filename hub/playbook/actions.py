"""What the steps of a sheet do: each action from what is written, or all that is wrong with it. Pure."""

from msgspec.structs import replace

from hub.model.broadcast import RegisteredIn
from hub.model.report import ReportKind
from hub.people.zone import polygon_problem
from hub.playbook.form import EVERYONE_REACHED, THE_SENDER, AccessForm, StepForm
from hub.playbook.language import (
    Action,
    Admit,
    Call,
    DraftBroadcast,
    Notify,
    SendContacts,
    Task,
    Tasks,
    Wait,
    WriteReport,
)
from hub.yaml import Document, Mapping

ACTIONS = ("call", "notify", "send contacts", "draft broadcast", "access", "wait", "tasks", "report")


def action_of(document: Document, step: StepForm, name: str) -> Action | None:
    """The action, or None with a finding where a step has none, several, or one that does not say all it has to."""
    node = document.at("steps", name)
    given = [a for a in ACTIONS if isinstance(node, Mapping) and node.get(a) is not None]
    place = node.key(given[0]) if isinstance(node, Mapping) and given else node
    if len(given) != 1:
        found = f"does {' and '.join(given)} at once" if given else "does nothing"
        document.add(place, "one-action", f'step "{name}" {found}', f"a step is one of: {', '.join(ACTIONS)}")
        return None
    _check_misplaced(document, step, name, given[0])
    if step.send_contacts:
        return _send_contacts(document, step, name)
    if step.draft_broadcast is not None:
        return _draft_broadcast(document, step, name)
    if step.report is not None:
        return _report(document, step, name)
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
        return Call(chain=step.call, say=step.say or "", verify=step.verify)
    if step.notify:
        return _notify(document, step, name)
    if step.access is not None:
        return _access(document, step.access, name)
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
    named = tuple(contact for contact in step.notify if contact.id not in (EVERYONE_REACHED, THE_SENDER))
    return Notify(
        say=step.say or "",
        to=named,
        everyone_reached=everyone,
        the_sender=any(contact.id == THE_SENDER for contact in step.notify),
        by=tuple(step.by),
    )


def _send_contacts(document: Document, step: StepForm, name: str) -> SendContacts | None:
    for key, contacts in (("send contacts", step.send_contacts), ("to", step.to)):
        for nobody in [contact.id for contact in contacts if contact.id in (EVERYONE_REACHED, THE_SENDER)][:1]:
            place = document.at("steps", name, key)
            message = f'contacts are not of, nor for, "{nobody}"'
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


def _report(document: Document, step: StepForm, name: str) -> WriteReport | None:
    if step.report != ReportKind.SITREP:
        message = f'step "{name}" writes a report of the kind "{step.report}"'
        place, remedy = document.at("steps", name, "report"), "a sheet writes situation reports: report: sitrep"
        document.add(place, "no-such-report", message, remedy)
        return None
    if step.say is not None:
        message, remedy = "what goes with a report is the report itself", 'remove "say"'
        document.add(document.at("steps", name, "say"), "unknown-key", message, remedy)
        return None
    for nobody in [contact.id for contact in step.to if contact.id in (EVERYONE_REACHED, THE_SENDER)][:1]:
        message = f'a report is not for "{nobody}": it tells who was reached, and who was not'
        place, remedy = document.at("steps", name, "to"), "name a group, a roster, an organisation"
        document.add(place, "everyone-and-others", message, remedy)
        return None
    for given, lacks, remedy in (
        (step.to, "who gets the report", "add to: [GROUP]"),
        (step.by, "how", "add by: [email]"),
    ):
        if not given:
            document.add(document.at("steps", name), "missing-key", f'step "{name}" does not say {lacks}', remedy)
            return None
    return WriteReport(report=ReportKind.SITREP, to=step.to, by=tuple(step.by), approval=step.approval)


def _access(document: Document, form: AccessForm, name: str) -> Admit | None:
    if not form.rooms and not form.rooms_from:
        place = document.at("steps", name, "access")
        remedy = 'add "rooms:" with names, or "rooms from:" with the field that is asked for them'
        document.add(place, "missing-key", f'step "{name}" lets people in, and does not say where', remedy)
        return None
    return Admit(
        people=form.people,
        at_most_s=form.at_most,
        rooms=form.rooms,
        rooms_from=form.rooms_from or "",
        start=form.start or "",
        until=form.until or "",
    )


def _check_misplaced(document: Document, step: StepForm, name: str, action: str) -> None:
    """Keys that mean nothing beside this action."""
    for key, there, belongs in (
        ("verify", step.verify, ("call",)),
        ("to", step.to, ("send contacts", "draft broadcast", "report")),
        ("approval", step.approval, ("report",)),
        ("registered", step.registered, ("draft broadcast",)),
        ("all clear", step.all_clear, ("draft broadcast",)),
    ):
        if there and action not in belongs:
            named = " or ".join(f'"{one}"' for one in belongs)
            message = f'"{key}" belongs to {named}'
            remedy = "write it in notify" if (key, action) == ("to", "notify") else "remove it"
            document.add(document.at("steps", name, key), "unknown-key", message, remedy)


def _draft_broadcast(document: Document, step: StepForm, name: str) -> DraftBroadcast | None:
    for given, lacks, remedy in (
        (step.to or step.registered, "whom it tells", "add to: [GROUP], or registered:"),
        (step.by, "how", "add by: [sms, call]"),
        (step.say, "what", "add say: with a message's name"),
    ):
        if not given:
            document.add(document.at("steps", name), "missing-key", f'step "{name}" does not say {lacks}', remedy)
            return None
    for nobody in [contact.id for contact in step.to if contact.id in (EVERYONE_REACHED, THE_SENDER)][:1]:
        message, remedy = f'a broadcast is not for "{nobody}"', "write all clear: with a message's name"
        document.add(document.at("steps", name, "to"), "everyone-and-others", message, remedy)
        return None
    registered = step.registered.meant() if step.registered is not None else None
    if registered is not None and not _is_a_zone(document, registered, name):
        return None
    made = DraftBroadcast(
        group=step.draft_broadcast or "", say=step.say or "", by=tuple(step.by), to=step.to, registered=registered
    )
    return replace(made, all_clear=step.all_clear) if step.all_clear is not None else made


def _is_a_zone(document: Document, registered: RegisteredIn, name: str) -> bool:
    path = ("steps", name, "registered")
    if not (registered.areas or registered.streets or registered.polygon):
        message = "it does not say where those live who are told"
        document.add(document.at(*path), "missing-key", message, "add areas, streets or polygon")
        return False
    if registered.polygon and (problem := polygon_problem(registered.polygon)):
        document.add(document.at(*path, "polygon"), "not-a-polygon", problem, 'as ["50.83, 4.36", ...]')
        return False
    return True
