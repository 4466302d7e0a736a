"""Why anybody was called: from a delivery, ask, chain run, incident or signal back to what started it, in plain words,
with the records that say so. Reads a journal; decides nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from hub.engine.shadow import LANGUAGES
from hub.model import events as e
from hub.model import records as r
from hub.model.enclosure import AccessSheet, CallList, Enclosure, Report
from hub.model.signal import Signal
from hub.model.trust import Rule
from hub.playbook.explain import explain
from hub.playbook.language import Playbook
from hub.playbook.load import load

PAGE = 2_000
_NOT_SENT = " (in shadow: nothing went out)"


class Reading(Protocol):
    """What of a journal's reader is needed (hub.journal.reader)."""

    def decisions(self, after: str, limit: int) -> Sequence[r.Decision]: ...
    def get(self, ids: Sequence[str]) -> Sequence[r.Record | None]: ...
    def vault(self, keys: Sequence[str]) -> Sequence[r.VaultEntry | None]: ...
    def attempts_of(self, orders: Sequence[str]) -> Sequence[r.Attempt]: ...


class Unknown(Exception):
    """Nothing in this journal has that id."""


class Trail:
    """All that decisions say, by the id it is about. One pass over the journal."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.orders: dict[str, tuple[e.Ordered, r.Decision]] = {}
        self.asks: dict[str, tuple[e.Asked, r.Decision]] = {}
        self.sent: dict[str, list[str]] = {}  # ask → the orders that carried it, in order
        self.closed: dict[str, tuple[e.AskClosed, datetime]] = {}
        self.runs: dict[str, tuple[e.RunBegan, r.Decision]] = {}
        self.tiers: dict[str, dict[tuple[int, int], tuple[e.TierBegan, datetime]]] = {}  # run → tier, round
        self.incidents: dict[str, tuple[e.Opened, r.Decision]] = {}
        self.joined: dict[str, list[e.Joined]] = {}
        self.versions: dict[tuple[str, str], str] = {}
        self.steered: dict[str, list[str]] = {}  # run → what officers did with it, and how it ended
        self.moves: dict[str, list[tuple[datetime, str]]] = {}
        self.held: dict[str, list[str]] = {}  # incident → what held it back, and since when it goes its way
        self.broadcasts: dict[str, list[str]] = {}  # who drafted and released it
        self.proposed_for: dict[str, str] = {}  # broadcast → the incident whose sheet wanted it
        self.shadow: set[str] = set()  # orders and asks that would have been
        for decision in decisions(reading):
            for event in decision.events:
                self._note(event, decision)

    def _note(self, event: e.Event, d: r.Decision) -> None:
        match event:
            case e.InShadow():
                self.shadow.update(
                    id_ for name in ("order", "ask") if isinstance(id_ := getattr(event.event, name, None), str)
                )
                self._note(event.event, d)
            case e.Ordered():
                self.orders[event.order] = (event, d)
                if event.ask and event.lane == "ask":
                    self.sent.setdefault(event.ask, []).append(event.order)
            case e.Asked():
                self.asks[event.ask] = (event, d)
            case e.AskClosed():
                self.closed[event.ask] = (event, d.at)
            case e.RunBegan():
                self.runs[event.run] = (event, d)
            case e.RunEnded() | e.RunHeld() | e.RunResumed() | e.RunTaken():
                self.steered.setdefault(event.run, []).append(f"{_steered(event)} at {_at(d.at)}")
            case e.TierBegan():
                # Said again where more are asked in the same round: the last names them all, the first when it began.
                rounds, place = self.tiers.setdefault(event.run, {}), (event.tier, event.round)
                rounds[place] = (event, rounds[place][1] if place in rounds else d.at)
            case e.BroadcastDrafted():
                said = f"{drafted_by(event)} drafted the broadcast ({event.kind}, {event.group}) at {_at(d.at)}"
                self.broadcasts[event.broadcast] = [said]
                self.proposed_for[event.broadcast] = event.incident
            case e.BroadcastReleased():
                self.broadcasts[event.broadcast].append(f"{event.by} released it at {_at(d.at)}")
            case e.Opened():
                self.incidents[event.incident] = (event, d)
            case e.HeldBack():
                self.held.setdefault(event.incident, []).append(f"held back by {event.silence} at {_at(d.at)}")
            case e.Released():
                self.held.setdefault(event.incident, []).append(f"held back no more at {_at(d.at)}")
            case e.Joined():
                self.joined.setdefault(event.incident, []).append(event)
            case e.Enforced(what="playbook"):
                self.versions[event.name, event.version] = event.fact
            case e.Delivered():
                said = ", ".join(f"{o}{f' ({reason})' if reason else ''}" for _, o, reason in event.moves[:3])
                self.moves.setdefault(event.order, []).append((d.at, said))
            case _:
                pass

    # -- the answers --

    def why(self, wanted: str) -> list[str]:
        """The answer, line by line. Raises Unknown."""
        if wanted in self.orders:
            return self._order(wanted)
        if wanted in self.asks:
            return self._ask(wanted)
        if wanted in self.runs:
            return self._run(wanted)
        if wanted in self.incidents:
            return self._incident(wanted)
        if wanted in self.broadcasts:
            return [line.removeprefix("  ") for line in self._broadcast(wanted)]
        (record,) = self._reading.get([wanted])
        if isinstance(record, r.Attempt):
            return [f"attempt {record.nth} of {record.order}, at {_at(record.at)}", *self._order(record.order)]
        if isinstance(record, r.Decision):
            return self._decision(record)
        if isinstance(record, r.Fact):
            return self._fact(record)
        raise Unknown(f"{wanted}: nothing in this journal has that id: see `vigie journal show`")

    def _order(self, order_id: str) -> list[str]:
        order, decision = self.orders[order_id]
        to = order.recipients[0] if len(order.recipients) == 1 else f"{order.size or len(order.recipients)} people"
        sent = "was sent"
        if order_id in self.shadow:
            sent = f"would have been sent{_NOT_SENT}, in {dict(order.values).get(LANGUAGES, 'their language')},"
        lines = [f"{to} {sent} {order.message} over {order.channel} (decided at {_at(decision.at)}) because"]
        if order.after:
            lines.append(f"  their address before this one had failed (delivery {order.after}):")
        if order.broadcast:
            lines += self._broadcast(order.broadcast)
        elif order.ask and order.lane == "ask":
            lines += self._asked_for(order.ask)
        elif order.clears:
            lines += ["  the incident was over, and they had been reached:"]
        elif order.step:
            lines += [f"  step {order.step} notifies them:"]
            if isinstance(order.enclosed, Report):
                lines += self._enclosed_because(order.enclosed, decision)
        elif order.enclosed is not None:
            lines += self._enclosed_because(order.enclosed, decision)
        else:
            lines += ["  they had sent an answer:" if order.lane == "confirm" else "  the incident was updated:"]
        for incident in order.incidents:
            lines += self._incident(incident)
        for attempt in self._reading.attempts_of([order_id]):
            repeat = ", marked as a possible repeat" if attempt.repeat else ""
            by = f" by {attempt.provider}" if attempt.provider else ""
            lines.append(f"  attempt {attempt.nth}{by} at {_at(attempt.at)}{repeat} (record {attempt.id})")
            lines += [f"    with a document, in the vault under {key}" for key in attempt.documents]
        if order_id not in self.shadow:
            lines += [f"  {_at(at)}: {said}" for at, said in self.moves.get(order_id, ())]
        lines.append(f"  decision {decision.id} of the journal")
        return lines

    def _broadcast(self, broadcast: str) -> list[str]:
        """Who drafted and released it, and for which incident."""
        lines = [f"  {said}" for said in self.broadcasts.get(broadcast, ())]
        incident = self.proposed_for.get(broadcast, "")
        return lines + (self._incident(incident) if incident in self.incidents else [])

    def _enclosed_because(self, enclosed: Enclosure, decision: r.Decision) -> list[str]:
        """Why a document was sent for its own sake; which, and as much of it as who may see."""
        shown = f"as it may be seen by {enclosed.sees}"
        if isinstance(enclosed, CallList):
            return [f"  the call list was due ({enclosed.hours} h, {shown}):"]
        if isinstance(enclosed, AccessSheet):
            return [f"  who may come in had changed, and this is the access list ({shown}):"]
        if isinstance(enclosed, Report):
            return self._report_because(enclosed, decision, shown)
        of = ", ".join(f"{contact.kind} {contact.id}" for contact in enclosed.contacts)
        bodies = [fact.body for fact in self._reading.get(decision.took) if isinstance(fact, r.Fact)]
        acts = [body for body in bodies if isinstance(body, r.ContactsSent) and body.contacts == enclosed.contacts]
        by = acts[0].by if acts else "somebody"
        return [f"  {by} sent them the contacts of {of} ({shown}):"]

    def _report_because(self, enclosed: Report, decision: r.Decision, shown: str) -> list[str]:
        """Which report, who wrote it, and who had it sent."""
        (written,) = self._reading.get([enclosed.report])
        said = f"  this is a situation report ({shown}; record {enclosed.report})"
        if isinstance(written, r.Fact) and isinstance(written.body, r.ReportWritten):
            body = written.body
            author = body.by or f"the step {body.step}"
            said = (
                f"  this is {body.report} {body.number}, version {body.version}, of {body.incident}, by {author} "
                f"({shown}; record {enclosed.report})"
            )
        lines = [said]
        for fact in self._reading.get(decision.took):
            if isinstance(fact, r.Fact) and isinstance(fact.body, r.ReportSent | r.ReportApproved):
                act = "sent" if isinstance(fact.body, r.ReportSent) else "approved"
                lines.append(f"  {fact.body.by} {act} it at {_at(fact.at)} (record {fact.id}):")
        return lines

    def _asked_for(self, ask_id: str) -> list[str]:
        ask, _ = self.asks[ask_id]
        lines = []
        for run_id in ask.runs:
            run, _ = self.runs[run_id]
            opened, _ = self.incidents[run.incident]
            lines.append(f"  step {run.step} of {opened.playbook} (version {opened.version[:8]}) calls {run.chain.id},")
            lines += self._before(run_id, ask_id)
        return lines

    def _before(self, run_id: str, ask_id: str) -> list[str]:
        """What became of those who were asked earlier."""
        lines = []
        run, _ = self.runs[run_id]
        for tier, at in self.tiers.get(run_id, {}).values():
            asked = list(tier.asks)
            here = ask_id in asked
            if here:  # at once with all of the tier, unless it asks one after the other
                asked = asked[: asked.index(ask_id)] if run.chain.tiers[tier.tier].in_turn else []
            for earlier in asked:
                who, _ = self.asks[earlier]
                closed = self.closed.get(earlier)
                came = f"{closed[0].outcome} at {_at(closed[1])}" if closed else "open"
                lines.append(f"  tier {tier.tier + 1}, round {tier.round}: {who.person}: {came}{self._fates(earlier)},")
            if here:
                lines.append(f"  tier {tier.tier + 1}, round {tier.round}, from {_at(at)},")
                break
        return lines

    def _fates(self, ask_id: str) -> str:
        """What became of each way by which somebody was asked: ` (sms: delivered; voice: failed (busy))`."""
        fates = []
        for order_id in self.sent.get(ask_id, ()):
            order, _ = self.orders[order_id]
            if order_id in self.shadow:
                fates.append(f"{order.channel} at {_at(self.orders[order_id][1].at)}")
                continue
            moves = self.moves.get(order_id)
            fates.append(f"{order.channel}: {moves[-1][1] if moves else 'nothing heard of it'}")
        return f" ({'; '.join(fates)})" if fates else ""

    def _ask(self, ask_id: str) -> list[str]:
        ask, decision = self.asks[ask_id]
        closed = self.closed.get(ask_id)
        came = f"{closed[0].outcome} at {_at(closed[1])}" if closed else "open"
        if ask_id in self.shadow:
            asked = f"would have been asked{_NOT_SENT} from {_at(decision.at)}{self._fates(ask_id)}"
        else:
            asked = f"was asked (code {ask.code}) at {_at(decision.at)}, {came}{self._fates(ask_id)}"
        lines = [f"{ask.person} {asked}, because"]
        lines += self._asked_for(ask_id)
        for incident in dict.fromkeys(self.runs[run][0].incident for run in ask.runs):
            lines += self._incident(incident)
        return lines

    def _run(self, run_id: str) -> list[str]:
        run, decision = self.runs[run_id]
        by = f"{run.officer} ({run.why}), for step {run.step}," if run.officer else f"step {run.step}"
        set_off = "would have been" if self.incidents[run.incident][0].shadow else "was"
        lines = [f"chain {run.chain.id} {set_off} set in motion at {_at(decision.at)} by {by} because"]
        return lines + self._incident(run.incident) + [f"  {line}" for line in self.steered.get(run_id, ())]

    def _incident(self, incident_id: str) -> list[str]:
        opened, decision = self.incidents[incident_id]
        about = f" ({', '.join(k for k in opened.key if k)})" if any(opened.key) else ""
        shadow = "in shadow " if opened.shadow else ""
        lines = [
            f"  incident {incident_id} of {opened.playbook}{about} was opened {shadow}at {_at(decision.at)} "
            f"({opened.status}) by {opened.by}"
        ]
        for joined in self.joined.get(incident_id, ())[:5]:
            lines += [f"    {line}" for line in self._signal(joined.signal, opened)]
        lines += [f"    {said}" for said in self.held.get(incident_id, ())]
        lines.append(f"  decision {decision.id} of the journal")
        return lines

    def _signal(self, signal_id: str, opened: e.Opened) -> list[str]:
        (fact,) = self._reading.get([signal_id])
        if not isinstance(fact, r.Fact):
            return [f"signal {signal_id}: not in this journal"]
        if isinstance(fact.body, r.SheetStarted):
            return [f"{fact.body.by} started it by hand at {_at(fact.at)} (record {fact.id})"]
        signal = self._sealed(fact)
        if signal is None:
            return [f"signal {signal_id} of {getattr(fact.body, 'source', '?')} (its words were erased)"]
        lines = [
            f"{_named(signal)}, received {_at(fact.at)} (record {fact.id}):",
        ]
        sheet = self._sheet(opened.playbook, opened.version)
        if sheet is not None and sheet.when:
            lines.append("  " + "  ".join(str(check) for check in explain(signal, fact.at, sheet).checks))
        return lines

    def _sealed(self, fact: r.Fact) -> Signal | None:
        (entry,) = self._reading.vault([fact.vault]) if fact.vault else (None,)
        if entry is None:
            return None
        try:
            return msgspec.json.decode(entry.payload, type=Signal)
        except msgspec.MsgspecError:
            return None

    def _sheet(self, name: str, version: str) -> Playbook | None:
        (fact,) = self._reading.get([self.versions.get((name, version), "")])
        if isinstance(fact, r.Fact) and isinstance(fact.body, r.Installed):
            return load(fact.body.text, f"{name} ({version[:8]})")[0]
        return None

    def _decision(self, decision: r.Decision) -> list[str]:
        lines = [f"decision {decision.id} at {_at(decision.at)}"]
        if decision.fired:
            lines.append(f"  fell due: {', '.join(decision.fired)}")
        lines += [f"  took fact {fact}" for fact in decision.took[:20]]
        if len(decision.took) > 20:
            lines.append(f"  and {len(decision.took) - 20} more facts")
        lines += [f"  {type(event).__name__}: {msgspec.json.encode(event).decode()}" for event in decision.events]
        return lines

    def _fact(self, fact: r.Fact) -> list[str]:
        kind = type(fact.body).__name__
        lines = [f"fact {fact.id} ({kind}) at {_at(fact.at)}"]
        if isinstance(fact.body, r.SignalReceived) and (signal := self._sealed(fact)) is not None:
            lines.append(f"  {_named(signal)}")
            lines += [f"  {said}" for said in _believed(signal)]
        subject = fact.id
        if isinstance(fact.body, r.SignalGraded):
            said, subject = fact.body, fact.body.signal
            figure = "by the rules again" if said.credibility is None else f"{said.credibility.value}"
            lines.append(f"  {said.by} has signal {said.signal} believed: {figure} ({said.why})")
        for decision in decisions(self._reading):
            if fact.id in decision.took:
                lines.append(f"  taken by decision {decision.id} at {_at(decision.at)}")
                about = [
                    ev
                    for ev in decision.events
                    if isinstance(ev, _OF_ITS_OWN) or subject in msgspec.json.encode(ev).decode()
                ]
                lines += [f"  {_led_to(ev)}" for ev in about]
                if not about:
                    lines.append("  and led to nothing by itself (see `vigie match` for which sheets it misses)")
                return lines
        return [*lines, "  not decided on yet"]


_OF_ITS_OWN = (e.Rose, e.DossierLinked)  # that name no fact they follow from


def _named(signal: Signal) -> str:
    """Which signal, of whom, and how far it is believed."""
    return f"signal {signal.identifier} of {signal.source} ({signal.reliability}{signal.credibility})"


def _believed(signal: Signal) -> list[str]:
    """How it comes to be believed as far as it is."""
    backing = signal.backing
    if backing is None:
        return []
    recognised = f", recognised as the {backing.how} as signal {backing.of}" if backing.of else ""
    said = f"it {'denies' if backing.denies else 'tells'} story {backing.story}{recognised}"
    steps = [
        _REASONS[reason.rule].format(by=", ".join(reason.by), to=reason.credibility.value) for reason in backing.reasons
    ]
    return [said, f"believed {backing.reliability}{signal.credibility.value}: {'; '.join(steps)}"]


_REASONS = {
    Rule.STARTS: "{by} starts with {to}",
    Rule.CORROBORATED: "told independently by {by}: {to}",
    Rule.WITHDRAWN: "{by} took it back: {to}",
    Rule.DENIED: "denied by {by}, as reliable as the best who tell it: {to}",
    Rule.DOUBTED: "denied by {by}: {to}",
    Rule.STANDS: "{by} says it all the same, and is as reliable as whoever denies it: {to}",
    Rule.SET: "{by} has set it: {to}",
}


def _led_to(event: e.Event) -> str:
    """What a fact led to, in words."""
    match event:
        case e.InShadow():
            return f"in shadow, {_led_to(event.event)}"
        case e.Opened():
            return f"it opened incident {event.incident} of {event.playbook}"
        case e.Joined():
            return f"it joined incident {event.incident}" + (" as an update" if event.update else "")
        case e.Attached():
            return f"it tells the same as a signal of incident {event.incident}"
        case e.TrustMoved():
            return (
                f"what incident {event.incident} is about is believed {event.reliability}{event.credibility.value} now"
            )
        case e.SignalWithdrawn():
            return f"in incident {event.incident} it is no longer in force: {event.why}"
        case e.Answered(ask=""):
            return f"it was an answer of {event.person or 'a stranger'} to no call that is open ({event.verb})"
        case e.Answered():
            return f"it was {event.person}'s answer to ask {event.ask}: {event.verb}"
        case e.Filed():
            counts = f" (it counts nothing: {event.apart})" if event.apart else f" and counts on {event.day}"
            return f"it was filed in the dossier {event.dossier}{counts}"
        case e.FiledCancelled():
            return f"it takes back what is filed in the dossier {event.dossier}, where it counts as before"
        case e.Recounted():
            return f"what it is about counts {'nothing' if event.apart else 'again'} in the dossier {event.dossier}"
        case e.Rose():
            return (
                f"with it, the dossier {event.dossier} rose: {event.count} in the {event.span} days up to {event.day}, "
                f"where the {event.spans} spans before had {event.usual:g} on average"
            )
        case e.RiseTold():
            return f"it tells the rise of the dossier {event.dossier}"
        case e.DossierLinked():
            return f"incident {event.incident} was linked to the dossier {event.dossier}"
        case e.Judged():
            return f"it says of signal {event.signal}, in incident {event.incident}: {event.verb}"
        case e.Ordered():
            to = event.recipients[0] if len(event.recipients) == 1 else f"{event.size or len(event.recipients)} people"
            return f"{event.message} was to go to {to} over {event.channel} (delivery {event.order})"
        case _:
            return f"it led to {type(event).__name__}: {msgspec.json.encode(event).decode()}"


def decisions(reading: Reading) -> Iterable[r.Decision]:
    after = ""
    while page := reading.decisions(after, PAGE):
        yield from page
        after = page[-1].id


def drafted_by(drafted: e.BroadcastDrafted) -> str:
    """A person, or a step of a sheet."""
    if drafted.by or not drafted.sheet:
        return drafted.by or "a sheet"
    return f"the sheet {drafted.sheet}{f' (step {drafted.step})' if drafted.step else ''}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _steered(event: e.RunEnded | e.RunHeld | e.RunResumed | e.RunTaken) -> str:
    match event:
        case e.RunHeld():
            return f"held by {event.by} ({event.why})"
        case e.RunResumed():
            return f"resumed by {event.by}"
        case e.RunTaken():
            return f"{event.person} takes it, says {event.by} ({event.why})"
        case _:
            by = f" by {event.officer} ({event.why})" if event.officer else ""
            accepted = f", with {', '.join(event.by)}" if event.by else ""
            return f"ended {event.outcome}{by}{accepted}"
