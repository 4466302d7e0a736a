"""The words that belong to events, from the vault, for followers that are to have them; not what was erased."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import trio
from msgspec.structs import replace

from hub.followers.telling import Told
from hub.journal import Journal
from hub.model import occurrences as o
from hub.model import records as r
from hub.model.signal import Signal
from hub.playbook.language import Playbook, Tasks
from hub.playbook.load import load

TEXT_MAX = 10_000  # characters of one text: more is an article, and lies in the original
_BLOCKS_MAX = 8  # of a signal: languages, mostly
_SHEETS_MAX = 64

_signal = msgspec.json.Decoder(Signal)


class _Reply(msgspec.Struct):
    text: str = ""


_reply = msgspec.json.Decoder(_Reply)


class Words:
    """`sheet`: a version of a sheet that is at hand, by its name and version."""

    def __init__(self, journal: Journal, sheet: Callable[[str, str], Playbook | None]) -> None:
        self._journal = journal
        self._sheet = sheet
        self._read: OrderedDict[tuple[str, str], Playbook | None] = OrderedDict()

    async def __call__(self, told: Sequence[Told]) -> list[o.IncidentEvent]:
        """The events with their words. Raises JournalUnavailable."""
        ids = list(dict.fromkeys(id_ for one in told for id_ in one.facts))
        facts = [fact for fact in await self._journal.get(ids) if isinstance(fact, r.Fact)] if ids else []
        keys = [fact.vault for fact in facts if fact.vault and type(fact.body) in _SEALED]
        kept = dict(zip(keys, await self._journal.vault(keys), strict=True)) if keys else {}
        known = {fact.id: (fact, kept.get(fact.vault)) for fact in facts}
        events: list[o.IncidentEvent] = []
        for one in told:
            event = one.event
            sheet = await self._sheet_of(event)
            words = [*event.words]
            for id_ in one.facts:
                if id_ in known:
                    words += _words_of(*known[id_], event)
            words += _of_task(event, sheet)
            titles = {language.value: text for language, text in sheet.title.items()} if sheet is not None else {}
            events.append(replace(event, words=tuple(words), titles=titles))
        return events

    async def _sheet_of(self, event: o.IncidentEvent) -> Playbook | None:
        """The incident's sheet as it opened it; where that is not at hand, as it was put in force last."""
        key = (event.playbook, event.version)
        if sheet := self._sheet(*key):
            return sheet
        if key not in self._read:
            fact = await self._journal.latest("installed", f"playbook/{event.playbook}")
            text = fact.body.text if fact is not None and isinstance(fact.body, r.Installed) else ""
            version = fact.body.version if fact is not None and isinstance(fact.body, r.Installed) else ""
            # It takes a while, and nobody else is to wait for it.
            found = (await trio.to_thread.run_sync(load, text, event.playbook))[0] if text else None
            if len(self._read) >= _SHEETS_MAX:
                self._read.popitem(last=False)
            self._read[key] = None if found is None else replace(found, version=version)
        return self._read[key]


def _words_of(fact: r.Fact, sealed: r.VaultEntry | None, event: o.IncidentEvent) -> Iterator[o.Words]:
    match fact.body, event.what:
        case r.IncidentClosed(incident=event.incident, why=why), o.Ended():
            yield o.Words(of="why", text=_short(why))
        case r.SignalGraded(why=why, signal=signal), o.Graded() if signal == event.what.signal:
            yield o.Words(of="why", text=_short(why))
        case (
            (r.SignalReceived() | r.SheetStarted()),
            (o.Opened() | o.SignalJoined() | o.SignalAttached() | o.Graded()),
        ):
            if signal := _decoded(_signal, sealed):
                yield from _of_signal(signal)
        case r.ReplyReceived(), o.Answered():
            reply = _decoded(_reply, sealed)
            if reply and reply.text:
                yield o.Words(of="reply", text=_short(reply.text))


def _of_signal(signal: Signal) -> Iterator[o.Words]:
    for info in signal.infos[:_BLOCKS_MAX]:
        text = "\n\n".join(part for part in (info.description, info.instruction) if part)
        yield o.Words(
            of="signal", language=info.language, headline=_short(info.headline or info.event), text=_short(text)
        )


def _of_task(event: o.IncidentEvent, sheet: Playbook | None) -> Iterator[o.Words]:
    """What is to be done; not of another version of the sheet, whose tasks may be others."""
    what = event.what
    if (
        not isinstance(what, o.TaskOpened | o.TaskClosed | o.TaskLate)
        or sheet is None
        or sheet.version != event.version
    ):
        return
    step = next((step for step in sheet.steps if step.name == what.step), None)
    if step is not None and isinstance(step.action, Tasks) and what.index < len(step.action.tasks):
        for language, text in step.action.tasks[what.index].do.items():
            yield o.Words(of="task", language=language.value, text=_short(text))


def _decoded(decoder: msgspec.json.Decoder[Any], sealed: r.VaultEntry | None) -> Any:
    try:
        return decoder.decode(sealed.payload) if sealed is not None else None
    except msgspec.MsgspecError:
        return None


def _short(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…"


_SEALED = (r.SignalReceived, r.SheetStarted, r.ReplyReceived)
