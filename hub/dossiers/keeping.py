"""What people do with a dossier through the running hub: a signal put in or taken out, a note, an incident linked."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from hub.act import About, Done, Refused
from hub.acts_dossier import DossierBody, NoteBody
from hub.desk import Desk, Handler
from hub.dossiers.standing import standing
from hub.engine import dossiers as filing
from hub.engine.dossier_state import Dossier
from hub.findings import choice
from hub.journal import Journal
from hub.model import events as e
from hub.model import records as r
from hub.model.dossier import DossierListed
from hub.model.signal import VIGIE, MsgType, Signal

NOTE_MOST = 20_000  # characters
_signal = msgspec.json.Decoder(Signal)

_APART = {
    filing.EXERCISE: "it is of an exercise",
    filing.TEST: "it is a test",
    filing.TRIAL: "its source is on trial",
    filing.BACKLOG: "it is of its source's backlog",
    filing.IMPROBABLE: "it is believed to be improbable",
}


class Keeping:
    """Its acts, by verb: for hub.operators."""

    def __init__(self, desk: Desk, journal: Journal) -> None:
        self._desk, self._journal = desk, journal
        self.done: Mapping[str, Handler] = {
            "dossiers": self._list,
            "dossier-add": self._add,
            "dossier-remove": self._remove,
            "dossier-note": self._note,
            "dossier-link": self._link,
        }

    async def _list(self, about: About, sent: None) -> list[DossierListed]:
        rules = self._desk.rules()
        today = self._local(self._desk.now()).date()
        return standing(self._desk.state().dossiers, rules.dossiers, today)

    async def _add(self, about: About, sent: DossierBody) -> Done:
        name, dossier = self._dossier(about)
        fact, body, signal = await self._signal(about["signal"])
        if signal is None:
            raise Refused(f"what signal {fact.id} said was erased", missing=True)
        if signal.msg_type in (MsgType.ACK, MsgType.ERROR, MsgType.CANCEL):
            raise Refused(f"{fact.id} says nothing that could be filed: it is of type {signal.msg_type.value}")
        if signal.source == VIGIE:
            raise Refused(f"{fact.id} is the hub's own word on a dossier: file what it was made of")
        stories = filing.stories_of(signal)
        if _known(dossier, stories):
            raise Refused(f"{fact.id}, or another signal that tells the same, is in {name} already")
        apart = filing.apart_of(signal, trial=body.shadow, backlog=body.baseline)
        filed = r.SignalFiled(
            dossier=name,
            signal=fact.id,
            at=fact.at,
            stories=stories,
            places=filing.places_of(signal),
            apart=apart,
            by=sent.by,
            why=sent.why,
        )
        day = f"{self._local(fact.at):%Y-%m-%d}"
        counts = f"does not count: {_APART[apart]}" if apart else f"counts on {day}, when it came in"
        return await self._desk.act(filed, f"it is in {name}, and {counts}")

    async def _remove(self, about: About, sent: DossierBody) -> Done:
        name, dossier = self._dossier(about)
        fact, _, signal = await self._signal(about["signal"])
        story = _known(dossier, (fact.id, *(filing.stories_of(signal) if signal is not None else ())))
        if not story:
            remedy = f"`vigie dossier show {name}` lists what is"
            raise Refused(f"{fact.id} is not in {name}, or so long that it stays: {remedy}", missing=True)
        body = r.SignalUnfiled(dossier=name, signal=fact.id, story=story, by=sent.by, why=sent.why)
        return await self._desk.act(body, f"it is in {name} no more, nor is what else tells the same")

    async def _note(self, about: About, sent: NoteBody) -> Done:
        name, _ = self._dossier(about)
        text = sent.text.strip()
        if not text or len(text) > NOTE_MOST:
            raise Refused(f"text: a note has from 1 to {NOTE_MOST} characters, this one has {len(text)}")
        return await self._desk.act(r.DossierNote(dossier=name, by=sent.by), f"it is noted in {name}", {"text": text})

    async def _link(self, about: About, sent: DossierBody) -> Done:
        name, dossier = self._dossier(about)
        incident = about["incident"]
        if incident in dossier.incidents:
            raise Refused(f"incident {incident} is linked to {name} already")
        if not await self._is_incident(incident):
            raise Refused(
                f"no incident {incident}: see `incidents` in the status, or `vigie activations`", missing=True
            )
        body = r.IncidentLinked(dossier=name, incident=incident, by=sent.by, why=sent.why)
        return await self._desk.act(body, f"incident {incident} is linked to {name}")

    # -- what acts are about --

    def _dossier(self, about: About) -> tuple[str, Dossier]:
        """Raises Refused."""
        name, known = about["dossier"], self._desk.state().dossiers
        dossier = known.get(name)
        if dossier is None or dossier.closed:
            there = [other for other, one in known.items() if not one.closed]
            raise Refused(f'no dossier "{name}" is in force: {choice(name, there, "there are")}', missing=True)
        return name, dossier

    async def _signal(self, id_: str) -> tuple[r.Fact, r.SignalReceived, Signal | None]:
        """What it said is None where that was erased. Raises Refused."""
        (fact,) = await self._journal.get([id_])
        if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.SignalReceived):
            raise Refused(f"no signal {id_}: `vigie journal show --kind signal` lists them", missing=True)
        (entry,) = await self._journal.vault([fact.vault])
        return fact, fact.body, None if entry is None else _signal.decode(entry.payload)

    async def _is_incident(self, id_: str) -> bool:
        """Also one of long ago, for which the journal is searched."""
        if id_ in self._desk.state().incidents:
            return True
        if len(id_) != len("01K0A1B2C3D4E5F6G7H8J9KMNP"):
            return False
        found = await self._journal.find([f'"{id_}"'.encode()])
        for record in await self._journal.get(found.records):
            if isinstance(record, r.Decision) and any(
                isinstance(event, e.Opened) and event.incident == id_ for event in record.events
            ):
                return True
        return False

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self._desk.rules().zone))


def _known(dossier: Dossier, stories: tuple[str, ...]) -> str:
    return next((s for s in stories if s in dossier.stories and not dossier.stories[s].removed), "")
