"""The call list's rhythm: from its form to the vocabulary, and what is wrong with it."""

from collections.abc import Mapping, Sequence

from hub.config.chains import check_contact
from hub.config.forms import CallListForm
from hub.connector import Abilities
from hub.findings import choice
from hub.model.enclosure import CallListRhythm
from hub.model.people import Roster
from hub.model.signal import Status
from hub.people.directory import Directory
from hub.yaml import Document

_HERE = "call list"


def rhythm_of(form: CallListForm, zone: str, status: Status) -> CallListRhythm:
    return CallListRhythm(
        at=form.at,
        zone=zone,
        hours=form.hours,
        languages=form.languages,
        to=form.mail_to,
        by=form.by,
        paper=bool(form.write_to or form.print),
        status=status,
    )


def check_call_list(
    document: Document,
    form: CallListForm,
    directory: Directory,
    rosters: Mapping[str, Roster],
    channels: Mapping[str, Abilities],
) -> None:
    """Adds a finding for everything that it names and there is not."""
    for index, contact in enumerate(form.mail_to):
        check_contact(document, (_HERE, "mail to", index), contact, directory, rosters)
    check_carriers(document, _HERE, form.by if form.mail_to else (), channels)
    if not form.at:
        document.add(document.at(_HERE, "at"), "never", "the call list is never made", 'add at: ["06:00"]')
    if not (form.mail_to or form.write_to or form.print):
        document.add(
            document.at(_HERE), "goes-nowhere", "the call list goes nowhere", "add mail to:, write to: or print:"
        )


def check_carriers(document: Document, here: str, by: Sequence[str], channels: Mapping[str, Abilities]) -> None:
    """Adds a finding for each channel (under `by` of what stands at `here`) that carries no file."""
    carriers = [name for name, abilities in channels.items() if abilities.attachments]
    for index, channel in enumerate(by):
        place = document.at(here, "by", index)
        if channel not in channels:
            document.add(place, "unknown-channel", f'"{channel}" is no channel', choice(channel, carriers))
        elif channel not in carriers:
            told = f"no file can go along on {channel}"
            document.add(place, "no-attachments", told, choice("", carriers, "they can on"))
