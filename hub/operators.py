"""What operators ask of the running hub: acts (start a sheet, stop all, end an incident, tick a task) that become facts
like any other, and questions about the picture. The web asks for them
from the edge (hub/web/operators.py)."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.connector import ActItem, Unavailable
from hub.engine.state import State
from hub.engine.steer import impossible
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.model import records as r
from hub.model.area import Area
from hub.model.ids import Ids
from hub.model.people import Chain, Steer
from hub.model.quiet import Quiet, Silence
from hub.model.signal import Category, Info, Named, Severity, Signal
from hub.people.chains import who
from hub.playbook.language import Playbook
from hub.rules import InForce
from hub.web.api import Done, Duty, Refused, SilenceBody

NAME = "operators"  # the source of their facts
SILENCE_MOST = timedelta(days=14)


class Operators:
    """The hub's side: answers questions from the state, makes facts of acts through intake."""

    def __init__(
        self,
        *,
        intake: Intake,
        state: Callable[[], State],
        rules: Callable[[], InForce],
        now: Callable[[], datetime],
        ids: Ids,
        status: Callable[[], Mapping[str, Any]],
        health: Callable[[], Mapping[str, Any]],
        step_clock: Callable[[float], Awaitable[str]] | None = None,
        sources: Collection[str] = (),
        areas: Collection[str] = (),
    ) -> None:
        self._intake = intake
        self._state = state
        self._rules = rules
        self._now = now
        self._ids = ids
        self._status = status
        self._health = health
        self._step_clock = step_clock
        self._named = (sources, areas)

    async def answer(self, verb: str, words: Sequence[Any]) -> Any:
        """One question. Raises Refused and Unavailable."""
        match verb, tuple(words):
            case "status", _:
                return self._status()
            case "health", _:
                return self._health()
            case "who", (chain, at):
                return self._who(chain, self._now() if at is None else _instant(at))
            case "start", (sheet, by, answers):
                return await self._start(sheet, by, answers)
            case "stop", (by, why):
                return await self._act(r.StopAll(by=by, why=why), "nothing more goes out until lifted")
            case "lift", (by, why):
                return await self._act(r.StopLifted(by=by, why=why), "what waited goes out now")
            case "auditor", (what, detail):
                return await self._act(r.AuditorFound(what=what, detail=detail), "the room is told")
            case "end", (incident, by, why):
                known = self._state().incidents.get(incident)
                if known is None or known.ended:
                    raise Refused(f"no open incident {incident}: see `incidents` in the status", missing=True)
                return await self._act(r.IncidentClosed(incident=incident, by=by, why=why), "the incident ends")
            case "steer", (run, act, by, why, to):
                return await self._steer(run, Steer(act), by, why, to)
            case "silence", (wanted,):
                return await self._silence(msgspec.convert(wanted, SilenceBody))
            case "lift-silence", (silence, by, why):
                if silence not in self._state().silences:
                    raise Refused(f"no silence {silence} stands: see `silences` in the status", missing=True)
                body = r.SilenceLifted(silence=silence, by=by, why=why)
                return await self._act(body, "the silence is over, and what it held back goes its way")
            case "watch", (person, by):
                if self._rules().directory.person(person) is None:
                    raise Refused(f"person: {person!r} is nobody: see config/people.yaml")
                return await self._act(r.WatchTaken(person=person, by=by), f"{person} has the watch")
            case "task", (task, by):
                if task not in self._state().tasks:
                    raise Refused(f"no open task {task}: see `tasks` in the status", missing=True)
                return await self._act(r.TaskTicked(task=task, by=by), "the task is done")
            case "clock", (at,):
                return await self._step_to(_instant(at))
            case "acknowledge", (alarm, by):
                if alarm not in self._state().alarms:
                    raise Refused(f"no alarm {alarm} stands: see `alarms` in the status", missing=True)
                return await self._act(r.AlarmAcknowledged(alarm=alarm, by=by), "the alarm is acknowledged")
        raise Refused(f"{verb}: no such question")

    async def _steer(self, run_id: str, act: Steer, by: str, why: str, to: str) -> Done:
        state, rules = self._state(), self._rules()
        run = state.runs.get(run_id)
        wrong = impossible(run, state.incidents.get(run.incident) if run else None, act)
        if wrong:
            raise Refused(f"{act} of {run_id}: {wrong}", missing=run is None)
        if act is not Steer.HAND_OVER and to:
            raise Refused(f"to: only what is handed over goes to somebody, not what is to {act}")
        if act is Steer.HAND_OVER and rules.chain(to) is None and rules.directory.person(to) is None:
            raise Refused(f"to: {to!r} is neither a person nor a chain: name who takes over")
        return await self._act(r.ChainSteered(run=run_id, act=act, by=by, why=why, to=to), _STEERED[act])

    async def _silence(self, wanted: SilenceBody) -> Done:
        now, rules = self._now(), self._rules()
        for what, names, known in (
            ("sheets", wanted.sheets, {s.name for s in rules.sheets}),
            ("sources", wanted.sources, self._named[0]),
            ("areas", wanted.areas, self._named[1]),
        ):
            if unknown := sorted(set(names) - set(known)):
                raise Refused(f"{what}: there is no {', '.join(unknown)}: there are {', '.join(sorted(known))}")
        start = wanted.start or now
        if wanted.until <= max(start, now):
            raise Refused(
                f"until: {wanted.until.astimezone(UTC):%Y-%m-%d %H:%M}Z is over before it begins: give a later time"
            )
        if wanted.until - start > SILENCE_MOST:
            raise Refused(f"until: a silence lasts {SILENCE_MOST.days} days at most: set it again when that is over")
        what_is = Quiet(
            sheets=wanted.sheets,
            hazards=wanted.hazards,
            sources=wanted.sources,
            areas=wanted.areas,
            gravest=wanted.gravest,
        )
        silence = Silence(what=what_is, by=wanted.by, why=wanted.why, start=start, until=wanted.until)
        return await self._act(
            r.SilenceSet(silence=silence), f"nobody is woken for it until {wanted.until:%Y-%m-%d %H:%M}Z"
        )

    async def _step_to(self, at: datetime) -> Done:
        if self._step_clock is None:
            raise Refused("this is no playback: the hub's clock is not anybody's to set")
        by_s = (at - self._now()).total_seconds()
        if by_s < 0:
            raise Refused(f"hub time is {self._now():%Y-%m-%dT%H:%M:%SZ} already: it cannot go back")
        return Done(id=await self._step_clock(by_s), said=f"hub time goes on at {at:%Y-%m-%d %H:%M}Z")

    async def _act(self, body: r.FactBody, said: str, signal: Signal | None = None) -> Done:
        (answer,) = await self._intake.take(NAME, [Offered((ActItem(body=body, signal=signal),))])
        if isinstance(answer, Unavailable):
            raise answer
        return Done(id=answer.taken[0].fact, said=said)

    async def _start(self, name: str, by: str, answers: dict[str, str]) -> Done:
        sheet = self._sheet(name)
        if sheet.by_hand is None:
            raise Refused(f"{name} cannot be started by hand: its author would add `start by hand:`")
        known = {field.name for field in sheet.by_hand.fields}
        missing = [f.name for f in sheet.by_hand.fields if f.required and not answers.get(f.name, "").strip()]
        unknown = sorted(set(answers) - known)
        if missing:
            raise Refused(f"{name} asks for {', '.join(missing)}: answer with {' '.join(f'{m}=…' for m in missing)}")
        if unknown:
            raise Refused(f"{name} does not ask for {', '.join(unknown)}: it asks for {', '.join(sorted(known))}")
        return await self._act(
            r.SheetStarted(playbook=name, by=by), f"{name} is started", self._said(sheet, by, answers)
        )

    def _sheet(self, name: str) -> Playbook:
        for sheet in self._rules().sheets:
            if sheet.name == name:
                return sheet
        names = ", ".join(s.name for s in self._rules().sheets)
        raise Refused(f"no sheet {name} is in force: there are {names}", missing=True)

    def _said(self, sheet: Playbook, by: str, answers: dict[str, str]) -> Signal:
        """What the person said, in place of a signal: each answer as a parameter, in each language's block. Answers
        called headline and area stand where a signal has its own."""
        now = self._now()
        area = answers.get("area", "").strip()
        infos = tuple(
            Info(
                language=language,
                categories=(Category.OTHER,),
                event=title,
                severity=Severity.UNKNOWN,
                headline=answers.get("headline", "").strip() or title,
                areas=(Area(description=area),) if area else (),
                parameters=tuple(Named(k, v) for k, v in answers.items()),
            )
            for language, title in sheet.title.items()
        )
        return Signal(identifier=self._ids.new(now), sender=by, sent=now, source=NAME, infos=infos, origin="by hand")

    def _who(self, name: str, at: datetime) -> list[Duty]:
        rules = self._rules()
        chain: Chain | None = rules.chain(name)
        if chain is None:
            raise Refused(f"no chain {name}: there are {', '.join(sorted(rules.chains))}", missing=True)
        plan = who(chain, at, rules.directory, rules.rosters)
        return [
            Duty(
                tier=number,
                person=person.id,
                name=person.name,
                by=tuple(way.channel for way in person.ways),
                after_s=tier.starts_s,
                why="; ".join(p.what for p in tier.problems if p.about.endswith(person.id)),
            )
            for number, tier in enumerate(plan.tiers, 1)
            for person in tier.people
        ]


_STEERED = {
    Steer.HOLD: "nobody more is asked until it is resumed; answers still count",
    Steer.RESUME: "the chain goes on",
    Steer.CANCEL: "the chain is cancelled, and who was disturbed is told so",
    Steer.AGAIN: "the chain begins again",
    Steer.HAND_OVER: "the chain is handed over",
}


def _instant(text: str) -> datetime:
    return msgspec.convert(text, datetime)
