"""The reflex sheets and their messages: read from their folders, and held against what they name and one another."""

import re
from collections.abc import Mapping

from hub.config.files import Files
from hub.findings import Finding, errors
from hub.intake.geography import Geography
from hub.model.message import Message
from hub.playbook.language import Playbook
from hub.playbook.lint import Known, check_around
from hub.playbook.load import load_document
from hub.playbook.messages import messages_of
from hub.playbook.overlap import Around, check_overlaps, check_quiet
from hub.waivers import waives
from hub.yaml import Document, Node

# What the hub says on its own account (hub/engine, hub/dispatch/render.py).
HUB_MESSAGES = (
    "hub.exercise", "hub.repeat", "hub.ask-hint", "hub.merged-ask", "hub.accepted", "hub.accepted-eta", "hub.declined",
    "hub.too-late", "hub.verify-hint", "hub.verify", "hub.verdict", "hub.verdict-and",
    "hub.opted-out", "hub.opted-in", "hub.not-read", "hub.digest", "hub.storm", "hub.broadcast-waits",
    "hub.delegated", "hub.delegate-unknown", "hub.call-list", "hub.contacts", "hub.access-list",
    "hub.report", "hub.report-waits",
    "hub.which", "hub.not-understood", "hub.nothing-open", "hub.stood-down", "hub.update", "hub.all-clear",
    "hub.doubted", "hub.duty-begins", "hub.duty-ends", "hub.duty-now",
)  # fmt: skip


def sheet_texts(files: Files, written: str) -> dict[str, bytes]:
    """The sheets of a folder, by name. `written`: as hub.yaml has it."""
    folder = (files.folder / written).resolve()
    if not folder.is_dir():
        hub = f"{files.folder.name}/hub.yaml"
        files.note(hub, "no-folder", f"there is no folder {written} with reflex sheets", "correct playbooks:")
        return {}
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.yaml")):
        if not path.name.endswith(".test.yaml"):
            text = files.text(f"{folder.name}/{path.name}", folder.parent)
            if text is not None:
                found[f"{folder.name}/{path.name}"] = text
    return found


Loaded = Mapping[str, tuple[Playbook | None, Document]]
"""The sheets of a folder, each read once: by name what they say, where that can be told at all, and where."""


def loaded(texts: Mapping[str, bytes]) -> Loaded:
    """Reading is most of what a start takes: 20 ms a sheet."""
    return {name: load_document(text, name) for name, text in texts.items()}


def _good(sheets: Loaded) -> list[Playbook]:
    return [sheet for sheet, document in sheets.values() if sheet is not None and not errors(document.findings)]


def named(sheets: Loaded) -> list[str]:
    """The names of the sheets that can be read."""
    return [sheet.name for sheet in _good(sheets)]


def messages_in(files: Files, *sheets: Loaded) -> dict[str, Message]:
    """Of messages.yaml, and of the files beside it in messages/: one for each reflex sheet, say. `sheets`: whose
    questions, to whoever starts them by hand, fill messages in."""
    asked = {f.name for some in sheets for sheet in _good(some) if sheet.by_hand for f in sheet.by_hand.fields}
    found: dict[str, Message] = {}
    unread = False
    more = sorted((files.folder / "messages").glob("*.yaml"))
    for name in ("messages.yaml", *(f"messages/{path.name}" for path in more)):
        document = files.document(name)
        if document is None:
            unread = True
            continue
        messages = messages_of(document, asked)
        unread |= messages is None or bool(errors(document.findings))
        for message_id, message in (messages or {}).items():
            if message_id in found:
                files.note(document.file, "key-twice", f"{message_id} is in another file too", "keep one")
            found[message_id] = message
    missing = [name for name in HUB_MESSAGES if name not in found]
    if missing and not unread:
        file = f"{files.folder.name}/messages.yaml"
        files.note(file, "missing-message", f"the hub's own {', '.join(missing)} are not here", "write them")
    return found


def written_messages(files: Files) -> set[str]:
    """The ids that stand in the files of messages, also where those cannot be read."""
    texts = [text for name, text in files.texts.items() if name.startswith("messages")]
    return {key for text in texts for key in re.findall(r"^([a-z0-9][a-z0-9.-]*):", text, re.MULTILINE)}


def playbooks_of(
    files: Files, sheets: Loaded, known: Known, geography: Geography | None, today: str
) -> tuple[Playbook, ...]:
    """The sheets without an error; each is held against what it names, and against the others."""
    found: dict[str, Playbook] = {}
    documents: dict[str, Document] = {}
    for name, (playbook, document) in sheets.items():
        check_around(playbook, document, known, today)
        files.documents[name] = document
        if playbook is None or errors(document.findings):
            continue
        if playbook.name in found:
            files.note(name, "sheet-twice", f'another file holds a sheet "{playbook.name}" too', "rename one")
        found[playbook.name], documents[playbook.name] = playbook, document
    playbooks = tuple(found.values())

    def waived(sheet: str, place: Node | None, other: str) -> bool:
        document = documents[sheet]
        at = Finding(
            file=document.file, line=place.line if place else 1, column=1, rule="overlap", message="", names=(other,)
        )
        return waives(files.texts[document.file], document.file, at)

    within = {} if geography is None else {p: geography.lies_in(p) for p in geography.places}
    check_overlaps(documents, playbooks, Around(within=within, grades=known.grades), waived)
    check_quiet(documents, playbooks)
    return playbooks
