"""What operators ask of the running hub: acts (start a sheet, stop all, end an incident, tick a task) that become facts
like any other, and questions about the picture. What may be asked stands in hub/acts.py; the web asks from the edge.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.acts import (
    ACTS,
    CALENDAR,
    HEALTH,
    About,
    AuditorBody,
    ByBody,
    ClockBody,
    ContactsBody,
    Done,
    Duty,
    ExerciseBody,
    HandOverBody,
    Refused,
    SilenceBody,
    StartBody,
    Subscribed,
    WatchBody,
    WhyBody,
    instant_of,
)
from hub.calendar_link import PERSON, ROSTER, Links
from hub.desk import NAME, Desk, Handler
from hub.engine.steer import impossible
from hub.intake.geography import Geography
from hub.model import records as r
from hub.model.area import Area
from hub.model.ids import Ids
from hub.model.people import Chain, Steer
from hub.model.quiet import Quiet, Silence
from hub.model.signal import Category, Info, MsgType, Named, Severity, Signal, Status
from hub.people.chains import who
from hub.people.rosters import anybody
from hub.playbook.form import CHANNEL_WORDS
from hub.playbook.language import Mode, Playbook

SILENCE_MOST = timedelta(days=14)

_BODIES = {act.verb: act.body for act in ACTS}


class Operators:
    """The hub's side: answers questions from the state, makes facts of acts at its desk. `others`: what is done
    elsewhere (people and rosters: hub.editor; broadcasts: hub.broadcasts), by verb."""

    def __init__(
        self,
        *,
        desk: Desk,
        ids: Ids,
        status: Callable[[], Mapping[str, Any]],
        health: Callable[[], Mapping[str, Any]],
        step_clock: Callable[[float], Awaitable[str]] | None = None,
        sources: Collection[str] = (),
        geography: Callable[[], Geography | None] = lambda: None,
        links: Links | None = None,
        zone: str = "UTC",
        others: Mapping[str, Handler] = {},  # never changed
    ) -> None:
        self._desk = desk
        self._state, self._rules, self._now = desk.state, desk.rules, desk.now
        self._ids = ids
        self._status = status
        self._health = health
        self._step_clock = step_clock
        self._sources = sources
        self._geography = geography
        self._links = links
        self._zone = zone
        self._done: dict[str, Handler] = {
            "start": self._start,
            "exercise": self._exercise,
            "exercise-start": self._exercise_start,
            "stop-all": self._stop_all,
            "lift": self._lift,
            "end": self._end,
            "silence": self._silence,
            "lift-silence": self._lift_silence,
            "watch": self._watch,
            "contacts": self._contacts,
            "task": self._task,
            "acknowledge": self._acknowledge,
            "auditor": self._auditor,
            "clock": self._clock,
            "who": self._who,
            **{str(act): self._steering(act) for act in Steer},
            **others,
        }

    async def answer(self, verb: str, words: Sequence[Any]) -> Any:
        """One question: what it is about, and what was sent. Raises Refused and Unavailable."""
        if verb == HEALTH:
            return self._health()
        if verb == "status":
            return self._status()
        if verb == CALENDAR:
            about, _ = words
            return self._calendar(about["name"], about["token"])
        if verb not in self._done:
            raise Refused(f"{verb}: no such question")
        about, sent = words
        kind = _BODIES.get(verb)
        return await self._done[verb](about, None if kind is None else msgspec.convert(sent, kind))

    def _calendar(self, name: str, token: str) -> Subscribed:
        """What is refused is refused in the same words: nobody learns which names there are."""
        kind = self._links.opens(name, token) if self._links is not None else ""
        rules = self._rules()
        person = rules.directory.person(name) if kind == PERSON else None
        if kind == ROSTER and name in rules.rosters:
            roster = rules.rosters[name]
            known = {p: rules.directory.person(p) for p in anybody(roster)}
            names = {p: found.name for p, found in known.items() if found is not None}
            return Subscribed(now=self._now(), zone=self._zone, rosters=(roster,), names=names)
        if person is not None:
            theirs = tuple(roster for roster in rules.rosters.values() if name in anybody(roster))
            return Subscribed(now=self._now(), zone=self._zone, rosters=theirs, person=name)
        raise Refused("there is no such calendar", missing=True)

    # -- the room --

    async def _stop_all(self, about: About, sent: WhyBody) -> Done:
        return await self._desk.act(r.StopAll(by=sent.by, why=sent.why), "nothing more goes out until lifted")

    async def _lift(self, about: About, sent: WhyBody) -> Done:
        return await self._desk.act(r.StopLifted(by=sent.by, why=sent.why), "what waited goes out now")

    async def _auditor(self, about: About, sent: AuditorBody) -> Done:
        return await self._desk.act(r.AuditorFound(what=sent.what, detail=sent.detail), "the room is told")

    async def _watch(self, about: About, sent: WatchBody) -> Done:
        if self._rules().directory.person(sent.person) is None:
            raise Refused(f"person: {sent.person!r} is nobody: see config/people.yaml")
        return await self._desk.act(r.WatchTaken(person=sent.person, by=sent.by), f"{sent.person} has the watch")

    async def _acknowledge(self, about: About, sent: ByBody) -> Done:
        alarm = _known(about["alarm"], self._state().alarms, "no alarm", " stands: see `alarms` in the status")
        return await self._desk.act(r.AlarmAcknowledged(alarm=alarm, by=sent.by), "the alarm is acknowledged")

    async def _clock(self, about: About, sent: ClockBody) -> Done:
        if self._step_clock is None:
            raise Refused("this is no playback: the hub's clock is not anybody's to set")
        by_s = (sent.at - self._now()).total_seconds()
        if by_s < 0:
            raise Refused(f"hub time is {self._now():%Y-%m-%dT%H:%M:%SZ} already: it cannot go back")
        return Done(id=await self._step_clock(by_s), said=f"hub time goes on at {sent.at:%Y-%m-%d %H:%M}Z")

    # -- incidents, tasks, chains --

    async def _end(self, about: About, sent: WhyBody) -> Done:
        states = [state for state in (self._state(), self._state().shadow) if state is not None]
        known = next((state.incidents[id_] for state in states if (id_ := about["incident"]) in state.incidents), None)
        if known is None or known.ended:
            raise Refused(f"no open incident {about['incident']}: see `incidents` in the status", missing=True)
        return await self._desk.act(r.IncidentClosed(incident=known.id, by=sent.by, why=sent.why), "the incident ends")

    async def _task(self, about: About, sent: ByBody) -> Done:
        task = _known(about["task"], self._state().tasks, "no open task", ": see `tasks` in the status")
        return await self._desk.act(r.TaskTicked(task=task, by=sent.by), "the task is done")

    async def _contacts(self, about: About, sent: ContactsBody) -> Done:
        rules, now = self._rules(), self._now()
        contacts = self._desk.named("contacts", sent.contacts)
        to = self._desk.named("to", sent.to)
        status = Status.EXERCISE if sent.exercise or self._step_clock is not None else Status.ACTUAL
        channels = tuple(CHANNEL_WORDS.get(name, name) for name in sent.channels)
        for channel in channels:
            if rules.speaks(channel):
                raise Refused(f"channels: nobody is rung up to have numbers read out ({channel}): email, sms")
            if not rules.uses(channel):
                raise Refused(f"channels: nobody is reached over {channel}: see config/people.yaml")
        people = rules.people(to, now)
        reached = [p for p in people if any(rules.ways(p, channel, status) for channel in channels)]
        if not reached:
            raise Refused(f"to: nobody of them is reached over {', '.join(channels) or 'no channel'}")
        body = r.ContactsSent(contacts=contacts, to=to, channels=channels, by=sent.by, status=status)
        missed = f"; {len(people) - len(reached)} cannot be reached that way" if len(reached) < len(people) else ""
        return await self._desk.act(body, f"the contact sheet is on its way to {len(reached)}{missed}")

    def _steering(self, act: Steer) -> Callable[[About, Any], Awaitable[Done]]:
        async def steer(about: About, sent: WhyBody | HandOverBody) -> Done:
            state, rules = self._state(), self._rules()
            run = state.runs.get(about["run"])
            wrong = impossible(run, state.incidents.get(run.incident) if run else None, act)
            if run is None or wrong:
                raise Refused(f"{act} of {about['run']}: {wrong}", missing=run is None)
            to = sent.to if isinstance(sent, HandOverBody) else ""
            if act is Steer.HAND_OVER and rules.chain(to) is None and rules.directory.person(to) is None:
                raise Refused(f"to: {to!r} is neither a person nor a chain: name who takes over")
            steered = r.ChainSteered(run=run.id, act=act, by=sent.by, why=sent.why, to=to)
            return await self._desk.act(steered, _STEERED[act])

        return steer

    async def _who(self, about: About, sent: None) -> list[Duty]:
        rules = self._rules()
        chain: Chain | None = rules.chain(about["chain"])
        if chain is None:
            raise Refused(f"no chain {about['chain']}: there are {', '.join(sorted(rules.chains))}", missing=True)
        at = instant_of("at", about["at"]) if about.get("at") else self._now()
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

    # -- quiet --

    async def _silence(self, about: About, sent: SilenceBody) -> Done:
        now, rules = self._now(), self._rules()
        geography = self._geography()
        places = {} if geography is None else geography.places
        for what, names, known in (
            ("sheets", sent.sheets, {s.name for s in rules.sheets}),
            ("sources", sent.sources, self._sources),
            ("areas", sent.areas, places),
        ):
            if unknown := sorted(set(names) - set(known)):
                raise Refused(f"{what}: there is no {', '.join(unknown)}: there are {', '.join(sorted(known))}")
        start = sent.start or now
        if sent.until <= max(start, now):
            raise Refused(
                f"until: {sent.until.astimezone(UTC):%Y-%m-%d %H:%M}Z is over before it begins: give a later time"
            )
        if sent.until - start > SILENCE_MOST:
            raise Refused(f"until: a silence lasts {SILENCE_MOST.days} days at most: set it again when that is over")
        meant = Quiet(
            sheets=sent.sheets,
            hazards=sent.hazards,
            sources=sent.sources,
            areas=sent.areas,
            around=() if geography is None else geography.around(sent.areas),
            gravest=sent.gravest,
        )
        silence = Silence(what=meant, by=sent.by, why=sent.why, start=start, until=sent.until)
        said = f"nobody is woken for it until {sent.until:%Y-%m-%d %H:%M}Z"
        return await self._desk.act(r.SilenceSet(silence=silence), said)

    async def _lift_silence(self, about: About, sent: WhyBody) -> Done:
        silence = _known(
            about["silence"], self._state().silences, "no silence", " stands: see `silences` in the status"
        )
        body = r.SilenceLifted(silence=silence, by=sent.by, why=sent.why)
        return await self._desk.act(body, "the silence is over, and what it held back goes its way")

    # -- by hand --

    async def _exercise(self, about: About, sent: ExerciseBody) -> Done:
        source = sent.source or NAME
        if source != NAME and source not in self._sources:
            raise Refused(f"source: there is no {source}: there are {', '.join(sorted(self._sources))}")
        said = sent.signal
        signal = Signal(
            identifier=said.identifier,
            sender=said.sender,
            sent=said.sent.astimezone(UTC),
            msg_type=MsgType(said.msg_type),
            references=said.references,
            infos=said.infos,
        )
        return await self._desk.exercise(source, signal, "the exercise's signal is handed in")

    async def _exercise_start(self, about: About, sent: StartBody) -> Done:
        return await self._start(about, sent, Status.EXERCISE)

    async def _start(self, about: About, sent: StartBody, status: Status = Status.ACTUAL) -> Done:
        sheet = self._sheet(sent.sheet)
        if sheet.by_hand is None:
            raise Refused(f"{sheet.name} cannot be started by hand: its author would add `start by hand:`")
        if sheet.mode is Mode.DRAFT:
            raise Refused(f"{sheet.name} is a draft, which never runs: its author would write `mode: live`")
        answers = sent.answers
        known = {field.name for field in sheet.by_hand.fields}
        missing = [f.name for f in sheet.by_hand.fields if f.required and not answers.get(f.name, "").strip()]
        unknown = sorted(set(answers) - known)
        if missing:
            asked = " ".join(f"{m}=…" for m in missing)
            raise Refused(f"{sheet.name} asks for {', '.join(missing)}: answer with {asked}")
        if unknown:
            asked = ", ".join(sorted(known))
            raise Refused(f"{sheet.name} does not ask for {', '.join(unknown)}: it asks for {asked}")
        started = r.SheetStarted(playbook=sheet.name, by=sent.by)
        shadow = " in shadow: nobody is called or told" if sheet.mode is Mode.SHADOW else ""
        said = replace(self._said(sheet, sent.by, answers), status=status)
        return await self._desk.act(started, f"{sheet.name} is started{shadow}", said)

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


_STEERED = {
    Steer.HOLD: "nobody more is asked until it is resumed; answers still count",
    Steer.RESUME: "the chain goes on",
    Steer.CANCEL: "the chain is cancelled, and who was disturbed is told so",
    Steer.AGAIN: "the chain begins again",
    Steer.HAND_OVER: "the chain is handed over",
}


def _known(name: str, there: Collection[str], what: str, remedy: str) -> str:
    """The name, if it is there. Raises Refused."""
    if name not in there:
        raise Refused(f"{what} {name}{remedy}", missing=True)
    return name
