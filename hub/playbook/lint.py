"""Checking a reflex sheet against what is around it: chains, groups, messages, areas ... and the day. Pure.

`lint` gives everything: what loading finds (hub/playbook/load.py), and what the sheet names that there is not.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from hub.findings import Finding, choice, errors
from hub.model.broadcast import WHERE_IT_IS
from hub.model.people import Asked, Contact
from hub.playbook.flow import check_calls
from hub.playbook.language import (
    ALL_CLEAR,
    Admit,
    Call,
    DraftBroadcast,
    Mode,
    Notify,
    Playbook,
    SendContacts,
    Step,
    Trust,
    When,
    WriteReport,
)
from hub.playbook.load import load_document
from hub.playbook.messages import ENCLOSED, PLACEHOLDERS
from hub.playbook.reach import check_areas, check_trust
from hub.yaml import Document

OWN = ("sheet", "sheets", "code", "codes", "eta")  # filled in by the hub itself, whatever started the sheet


class Known(Struct, frozen=True, kw_only=True):
    """What sheets may name. `messages`: id → what has to be filled in (hub/playbook/messages.py, `placeholders_of`).
    `grades`: source → how far it is trusted. `days`: area → its first and last day (ISO), `""` where there is none.
    `fall_backs`: of the chains, those on which another goes on."""

    sheets: Collection[str] = ()
    chains: Collection[str] = ()
    groups: Collection[str] = ()
    people: Collection[str] = ()
    rosters: Collection[str] = ()
    competences: Collection[str] = ()
    organisations: Collection[str] = ()
    messages: Mapping[str, frozenset[str]] = {}
    areas: Collection[str] = ()
    sources: Collection[str] = ()
    channels: Collection[str] = ()
    voices: Collection[str] = ()  # of the channels, those that call
    carriers: Collection[str] | None = None  # and those that carry files; None: not known here
    classes: Mapping[str, bool] = {}  # of broadcasts: whether they may go to the public
    grades: Mapping[str, Trust] = {}
    days: Mapping[str, tuple[str, str]] = {}
    fall_backs: Collection[str] = ()
    rooms: Collection[str] = ()
    fields: Collection[str] = ()  # of forms
    reception: bool = True  # whether anybody is sent the access list


def lint(text: str | bytes, file: str, known: Known, today: str = "") -> tuple[Playbook | None, list[Finding]]:
    """The sheet, or None where it has an error, and all findings in the order of the text. `today`: an ISO day, to
    see which reviews are overdue."""
    playbook, document = lint_document(text, file, known, today)
    findings = sorted(document.findings, key=lambda f: (f.line, f.column))
    return (None if errors(findings) else playbook), findings


def lint_document(text: str | bytes, file: str, known: Known, today: str = "") -> tuple[Playbook | None, Document]:
    """The same, with the document, for further checks that need places; the sheet may have errors."""
    playbook, document = load_document(text, file)
    check_around(playbook, document, known, today)
    return playbook, document


def check_around(playbook: Playbook | None, document: Document, known: Known, today: str = "") -> None:
    """Adds what is wrong with a sheet that was loaded, beside what is around it."""
    if playbook is not None:
        check_names(document, playbook, known)
        check_calls(document, playbook, known.fall_backs)
        for index, when in enumerate(playbook.when):
            _check_reach(document, when, index, known, today)
        _check_review(document, playbook, today)


def check_when(document: Document, when: When, index: int, known: Known, today: str = "") -> None:
    """Adds what is wrong with one block of a `when`, beside what is around it."""
    _check_when(document, when, index, known)
    _check_reach(document, when, index, known, today)


def _check_reach(document: Document, when: When, index: int, known: Known, today: str) -> None:
    check_trust(document, when, index, known.grades)
    if today:
        check_areas(document, when, index, known.days, today)


def _check_review(document: Document, playbook: Playbook, today: str) -> None:
    if today and playbook.review_by and playbook.review_by < today:
        document.add(
            document.at("review by"), "review-overdue", f"the review was due on {playbook.review_by}",
            "look the sheet over, then give the next date", warning=True,
        )  # fmt: skip
    if not playbook.review_by and playbook.mode is Mode.LIVE:
        document.add(
            document.at("playbook"), "no-review", "a live sheet without a date to look it over",
            'add "review by: 2027-06-30"', warning=True,
        )  # fmt: skip


def check_names(document: Document, playbook: Playbook, known: Known) -> None:
    """Adds a finding for every name the sheet uses that is not known."""
    for index, when in enumerate(playbook.when):
        _check_when(document, when, index, known)
    for index, cause in enumerate(playbook.quiet_while):
        _name(document, ("quiet while", index), "sheet", cause.sheet, known.sheets)
    for step in playbook.steps:
        path = ("steps", step.name)
        if isinstance(step.action, Call):
            _name(document, (*path, "call"), "alert chain", step.action.chain, known.chains)
            _check_say(document, playbook, step, step.action.say, known)
        elif isinstance(step.action, Notify):
            for i, contact in enumerate(step.action.to):
                _check_contact(document, (*path, "notify", i), contact, known)
            for i, channel in enumerate(step.action.by):
                _name(document, (*path, "by", i), "channel", channel, known.channels)
            _check_say(document, playbook, step, step.action.say, known)
        elif isinstance(step.action, SendContacts):
            _check_send_contacts(document, playbook, step, step.action, known)
        elif isinstance(step.action, DraftBroadcast):
            _check_broadcast(document, playbook, step, step.action, known)
        elif isinstance(step.action, Admit):
            _check_access(document, playbook, step, step.action, known)
        elif isinstance(step.action, WriteReport):
            _check_report(document, step, step.action, known)


def _check_report(document: Document, step: Step, action: WriteReport, known: Known) -> None:
    path = ("steps", step.name)
    for i, contact in enumerate(action.to):
        _check_contact(document, (*path, "to", i), contact, known)
    for i, channel in enumerate(action.by):
        there = _name(document, (*path, "by", i), "channel", channel, known.channels)
        if there and known.carriers is not None and channel not in known.carriers:
            place, message = document.at(*path, "by", i), f"{channel} carries no files, and a report is one"
            document.add(place, "carries-no-file", message, choice("", sorted(known.carriers), "these do"))


def _check_access(document: Document, playbook: Playbook, step: Step, action: Admit, known: Known) -> None:
    path = ("steps", step.name, "access")
    for i, room in enumerate(action.rooms):
        _name(document, (*path, "rooms", i), "room", room, known.rooms)
    asked = {one.name for one in playbook.by_hand.fields} if playbook.by_hand is not None else set()
    for key, field in action.fields().items():
        _name(document, (*path, key), "field", field, {*asked, *known.fields})
    if not known.reception:
        document.add(
            document.at(*path), "tells-no-reception", f'nobody at the door hears whom step "{step.name}" lets in',
            'add "access list:" to config/hub.yaml, or have the list exported by hand', warning=True,
        )  # fmt: skip


def _check_broadcast(document: Document, playbook: Playbook, step: Step, action: DraftBroadcast, known: Known) -> None:
    path = ("steps", step.name)
    there = _name(document, (*path, "draft broadcast"), "broadcast class", action.group, known.classes)
    if there and action.registered is not None and not known.classes[action.group]:
        allowed = [name for name, public in known.classes.items() if public]
        message = f"the class {action.group} may not go to the public who registered"
        remedy = choice("", allowed, "these may") if allowed else "see broadcasts: in config/hub.yaml"
        document.add(document.at(*path, "draft broadcast"), "not-public", message, remedy)
    for i, contact in enumerate(action.to):
        _check_contact(document, (*path, "to", i), contact, known)
    for i, area in enumerate(action.registered.areas if action.registered is not None else ()):
        if area != WHERE_IT_IS:
            _name(document, (*path, "registered", "areas", i), "area", area, known.areas)
    for i, channel in enumerate(action.by):
        _name(document, (*path, "by", i), "channel", channel, known.channels)
    _check_say(document, playbook, step, action.say, known)
    if action.all_clear != ALL_CLEAR:
        _check_say(document, playbook, step, action.all_clear, known, key="all clear")


def _check_send_contacts(
    document: Document, playbook: Playbook, step: Step, action: SendContacts, known: Known
) -> None:
    path = ("steps", step.name)
    for key, contacts in (("send contacts", action.contacts), ("to", action.to)):
        for i, contact in enumerate(contacts):
            _check_contact(document, (*path, key, i), contact, known)
    for i, channel in enumerate(action.by):
        _name(document, (*path, "by", i), "channel", channel, known.channels)
        if channel in known.voices:
            place = document.at(*path, "by", i)
            document.add(place, "read-out", f"nobody is rung up to have numbers read out ({channel})", "email, sms")
    said = _check_say(document, playbook, step, action.say, known, ENCLOSED)
    if said and "contacts" not in known.messages[action.say]:
        place = document.at(*path, "say")
        document.add(place, "no-contacts", f"{action.say} does not hold the contacts", 'write "{contacts}" in it')


def _check_when(document: Document, when: When, index: int, known: Known) -> None:
    for i, area in enumerate(when.areas):
        _name(document, ("when", index, "area", i), "area", area, known.areas)
    for i, source in enumerate(when.sources):
        _name(document, ("when", index, "source", i), "source", source, known.sources)


def _check_contact(document: Document, path: tuple[str | int, ...], contact: Contact, known: Known) -> None:
    among = {Asked.GROUP: known.groups, Asked.ROSTER: known.rosters, Asked.PERSON: known.people}
    among[Asked.COMPETENCE] = known.competences
    among[Asked.ORGANISATION] = known.organisations
    _name(document, path, contact.kind.value, contact.id, among[contact.kind])
    for kind, names in among.items():
        if kind is not contact.kind and contact.id in names and contact.id not in among[contact.kind]:
            last = document.findings.pop()
            document.add(
                document.at(*path), last.rule, last.message, f'it is a {kind.value}: write "{kind.value} {contact.id}"'
            )


def _check_say(
    document: Document,
    playbook: Playbook,
    step: Step,
    say: str,
    known: Known,
    more: tuple[str, ...] = (),
    key: str = "say",
) -> bool:
    """Whether there is such a message. `more`: what else is filled in."""
    path = ("steps", step.name, key)
    if not _name(document, path, "message", say, known.messages):
        return False
    asked = {field.name for field in playbook.by_hand.fields} if playbook.by_hand is not None else set()
    fillable = (
        asked
        | set(OWN)
        | set(more)
        | (set(PLACEHOLDERS) if playbook.when or not asked else {"headline", "sender", "sent"})
    )
    for name in sorted(known.messages[say] - fillable):
        document.add(
            document.at(*path), "unfilled-placeholder", f'nothing this sheet knows fills in "{{{name}}}" of {say}',
            choice(name, sorted(fillable), "it knows"),
        )  # fmt: skip
    return True


def _name(document: Document, path: tuple[str | int, ...], kind: str, name: str, known: Iterable[str]) -> bool:
    known = sorted(known)
    if name in known:
        return True
    a = "an" if kind[0] in "aeiou" else "a"
    document.add(document.at(*path), f"unknown-{kind.replace(' ', '-')}", f'there is no {kind} "{name}"',
                 choice(name, known, f"{a} {kind} can be"))  # fmt: skip
    return False
