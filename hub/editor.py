"""Changing the directory and the rosters while the hub runs: the hub's side of the acts on people and rosters.

One change at a time, each over the version that whoever makes it has looked at; answered once it is durable and in
force, with what it leaves open.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import trio

from hub.acts import (
    About,
    Change,
    Changed,
    Erased,
    Listed,
    OverrideBody,
    PersonBody,
    PersonShown,
    Refused,
    RosterShown,
    Span,
    SwapBody,
    VersionBody,
    WhyBody,
    instant_of,
)
from hub.config.editing import read_person
from hub.config.writing import form_of
from hub.connector import ActItem, Channel, Unavailable
from hub.engine.state import State
from hub.erasing import Nothing, erase
from hub.findings import choice
from hub.install import Installation, edited_of
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.journal import Journal, JournalUnavailable
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Edited, Override, Person, Roster
from hub.people.consequences import Centre, consequences
from hub.people.layers import version_of
from hub.people.rosters import NotOnDuty, taken_over, timeline

NAME = "operators"  # the source of these facts
IN_FORCE_S = 5.0  # how long an answer waits for its change to be decided on; it is durable by then
SHOWN = timedelta(days=28)
SHOWN_MOST = timedelta(days=400)


class Editor:
    """`decided` waits for the next decision; `channels` are as made, for their own check of an address."""

    def __init__(
        self,
        *,
        installation: Installation,
        intake: Intake,
        journal: Journal,
        state: Callable[[], State],
        now: Callable[[], datetime],
        decided: Callable[[], Awaitable[None]],
        channels: Mapping[str, Channel],
        ids: Ids,
    ) -> None:
        self._installation = installation
        self._intake = intake
        self._journal = journal
        self._state = state
        self._now = now
        self._decided = decided
        self._channels = channels
        self._ids = ids
        self._one = trio.Lock()
        self.done: dict[str, Callable[[About, Any], Awaitable[Any]]] = {
            "people": self._people,
            "person": self._person,
            "set-person": self._alone(self._set_person),
            "remove-person": self._alone(self._remove_person),
            "revert-person": self._alone(self._revert_person),
            "erase-person": self._alone(self._erase_person),
            "roster": self._roster,
            "override": self._alone(self._override),
            "swap": self._alone(self._swap),
            "lift-override": self._alone(self._lift_override),
        }

    def _alone(self, act: Callable[[About, Any], Awaitable[Any]]) -> Callable[[About, Any], Awaitable[Any]]:
        async def alone(about: About, sent: Any) -> Any:
            async with self._one:  # else two could be made over the same version
                return await act(about, sent)

        return alone

    # -- people: looking --

    async def _people(self, about: About, sent: None) -> list[Listed]:
        changed = self._installation.layers.people
        return [
            Listed(id=p.id, name=p.name, language=p.language, organisation=p.organisation, changed=p.id in changed)
            for p in self._installation.in_force.directory.people.values()
        ]

    async def _person(self, about: About, sent: None) -> PersonShown:
        id_ = about["person"]
        version = self._version(id_)
        if not version:
            raise self._nobody(id_)
        directory, known = self._installation.in_force.directory, self._installation.in_force.directory.person(id_)
        return PersonShown(
            id=id_,
            version=version,
            person=None if known is None else self._form(known),
            groups=tuple(group for group in directory.groups if id_ in directory.members(group)),
            in_files=id_ in self._installation.files.people,
            change=self._change_of(id_),
        )

    def _form(self, person: Person) -> dict[str, Any]:
        return form_of(person, self._installation.files.organisations.get(person.organisation))

    def _version(self, id_: str) -> str:
        """The change that somebody is in force by, else a digest of the files' entry; `""`: nobody has the id."""
        layer = self._installation.layers.people.get(id_)
        return layer[0] if layer is not None else version_of(self._installation.files.person(id_))

    def _change_of(self, id_: str) -> Change | None:
        known, layer = self._state().edited.get(id_), self._installation.layers.people.get(id_)
        if known is None or layer is None:
            return None
        overtaken = layer[1].over != version_of(self._installation.files.person(id_))
        return Change(
            id=known.change, by=known.by, why=known.why, at=known.at, removed=known.removed, overtaken=overtaken
        )

    def _nobody(self, id_: str) -> Refused:
        people = self._installation.in_force.directory.people
        return Refused(f'person: "{id_}" is nobody: {choice(id_, people, "there are")}', missing=True)

    # -- people: changing --

    async def _set_person(self, about: About, sent: PersonBody) -> Changed:
        id_, files = about["person"], self._installation.files
        await self._check_person(id_, sent.over)
        directory = self._installation.in_force.directory
        person, findings = read_person(self._installation.config, directory, self._channels, id_, sent.person)
        if person is None:
            wrong = [f for f in findings if not f.warning]
            raise Refused("; ".join(f"{f.file}: {f.message}{f': {f.remedy}' if f.remedy else ''}" for f in wrong))
        told = [f"{f.file}: {f.message}{f': {f.remedy}' if f.remedy else ''}" for f in findings]
        if person == directory.person(id_):
            return Changed(id="", said=f"{id_} is so already", version=self._version(id_), warnings=tuple(told))
        if person == files.person(id_) and id_ in self._installation.layers.people:
            return await self._back(id_, sent.by, sent.why, told)
        said = f"{id_} is changed" if id_ in directory.people else f"{id_} is in the directory"
        body = r.PersonChanged(person=id_, by=sent.by, why=sent.why)
        return await self._edit(id_, body, person, f"{said}; config/ does not say so yet", told)

    async def _remove_person(self, about: About, sent: VersionBody) -> Changed:
        id_ = about["person"]
        if self._installation.in_force.directory.person(id_) is None:
            raise self._nobody(id_)
        await self._check_person(id_, sent.over)
        asked = sum(ask.person == id_ and not ask.outcome for ask in self._state().asks.values())
        stood_down = (
            f"; {asked} that asked them {'goes' if asked == 1 else 'go'} on to whoever is next" if asked else ""
        )
        if id_ not in self._installation.files.people:
            return await self._back(id_, sent.by, sent.why, [], f"{id_} is in the directory no more{stood_down}")
        body = r.PersonChanged(person=id_, by=sent.by, why=sent.why, removed=True)
        said = f"{id_} is in the directory no more{stood_down}; config/ does not say so yet"
        return await self._edit(id_, body, None, said, [])

    async def _revert_person(self, about: About, sent: WhyBody) -> Changed:
        id_ = about["person"]
        if id_ not in self._installation.layers.people:
            if not self._version(id_):
                raise self._nobody(id_)
            raise Refused(f"{id_} is as the files say: there is nothing to take back", missing=True)
        return await self._back(id_, sent.by, sent.why, [])

    async def _edit(
        self, id_: str, body: r.PersonChanged, person: Person | None, said: str, told: Sequence[str]
    ) -> Changed:
        before = self._centre()
        edited = Edited(person=person, over=version_of(self._installation.files.person(id_)))
        fact = await self._put(ActItem(body=body, sealed=edited, about=id_))
        await self._until(lambda: self._in_force(id_) == fact)
        return Changed(id=fact, said=said, version=fact, warnings=(*told, *await self._leaves_open(before)))

    async def _back(self, id_: str, by: str, why: str, told: Sequence[str], said: str = "") -> Changed:
        before, change = self._centre(), self._version(id_)
        fact = await self._put(ActItem(body=r.ChangeReverted(change=change, by=by, why=why)))
        await self._until(lambda: self._in_force(id_) != change)
        said = said or f"{id_} is as the files say again"
        return Changed(
            id=fact, said=said, version=self._version(id_), warnings=(*told, *await self._leaves_open(before))
        )

    def _in_force(self, id_: str) -> str:
        known = self._state().edited.get(id_)
        return "" if known is None else known.change

    async def _check_person(self, id_: str, over: str | None) -> None:
        """Raises Refused where somebody else has changed them since."""
        current = self._version(id_)
        if over is None:
            raise Refused(
                f"over: name the version that you looked at (GET /api/people/{id_} gives it), empty for somebody new"
            )
        if over == current:
            return
        if not current:
            raise Refused(f'over: "{id_}" is nobody (any more): leave it empty to put them in', conflict=True)
        known = self._state().edited.get(id_)
        by = (
            f" by {known.by} at {known.at:%Y-%m-%d %H:%M}Z ({known.why})"
            if known is not None
            else " to the files' entry"
        )
        fields = await self._fields_since(id_, over)
        raise Refused(
            f"{id_} was changed meanwhile{by}{fields}: look again, and make your change over version {current}",
            conflict=True,
        )

    async def _fields_since(self, id_: str, over: str) -> str:
        """Which fields are other than in the version somebody looked at; `""` where that is not known."""
        then = self._installation.files.person(id_)
        if over != version_of(then):
            (fact,) = await self._journal.get([over])
            if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.PersonChanged) or fact.body.person != id_:
                return ""
            then = (await edited_of(self._journal, [over]))[over].person
        current = self._installation.in_force.directory.person(id_)
        if then is None or current is None:
            return ", who is in the directory no more" if current is None else ""
        one, other = self._form(then), self._form(current)
        changed = [key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]
        return f": {', '.join(changed)}" if changed else ""

    async def _erase_person(self, about: About, sent: WhyBody) -> Erased:
        id_ = about["person"]
        if id_ in self._installation.files.people:
            raise Refused(
                f"{id_} still stands in the files as the hub has read them: take the entry out of config/people.yaml "
                "(or people/), see that it is in force, then erase"
            )
        if self._installation.in_force.directory.person(id_) is not None:
            raise Refused(f"{id_} is still in the directory: take them out first (`vigie people remove {id_}`)")
        others = self._installation.in_force.directory
        try:
            return await erase(self._journal, others, id_, sent.by, sent.why, self._now(), self._ids)
        except Nothing as error:
            raise Refused(str(error), missing=True) from None
        except JournalUnavailable as error:
            raise Unavailable(str(error)) from error

    # -- rosters --

    async def _roster(self, about: About, sent: None) -> RosterShown:
        roster = self._known_roster(about["roster"])
        start = instant_of("from", about["from"]) if about.get("from") else self._now()
        end = instant_of("until", about["until"]) if about.get("until") else start + SHOWN
        if not start < end <= start + SHOWN_MOST:
            raise Refused(f"until: give a time after `from`, and at most {SHOWN_MOST.days} days later")
        spans = await trio.to_thread.run_sync(timeline, roster, start, end)
        return RosterShown(
            id=roster.id,
            version=_roster_version(roster),
            spans=tuple(Span(people=s.people, start=s.start, end=s.end) for s in spans),
            changes=tuple(
                Change(id=id_, by=c.by, why=c.why, at=c.at, overrides=c.overrides)
                for id_, c in self._state().rosters.items()
                if c.roster == roster.id
            ),
        )

    async def _override(self, about: About, sent: OverrideBody) -> Changed:
        roster = self._known_roster(about["roster"])
        self._check_roster(roster, sent.over)
        if not sent.people:
            raise Refused("people: nobody is named: say who is on duty then")
        self._check_people("people", sent.people)
        if sent.until <= sent.start:
            raise Refused("until: it ends before it begins: give a time after `from`")
        if sent.until <= self._now():
            raise Refused(f"until: {_local(sent.until, roster)} is over already: what was cannot be changed")
        override = Override(
            people=tuple(dict.fromkeys(sent.people)),
            start=sent.start.astimezone(UTC).isoformat(),
            end=sent.until.astimezone(UTC).isoformat(),
            besides=sent.besides,
        )
        who = f"{' and '.join(override.people)} {'are' if len(override.people) > 1 else 'is'} on duty"
        besides = " besides the others" if sent.besides else ""
        said = f"{who} in {roster.id}{besides} from {_local(sent.start, roster)} to {_local(sent.until, roster)}"
        return await self._change_roster(roster, (override,), sent, said)

    async def _swap(self, about: About, sent: SwapBody) -> Changed:
        roster = self._known_roster(about["roster"])
        self._check_roster(roster, sent.over)
        if len(sent.swap) != 2:
            raise Refused(
                f"swap: it is between two people, here are {len(sent.swap)}: give each a moment of their shift"
            )
        self._check_people("swap", tuple(sent.swap))
        (one, when), (other, then) = sent.swap.items()
        made: list[Override] = []
        for giver, at, taker in ((one, when, other), (other, then, one)):
            try:
                made.append(taken_over(roster, giver, at, taker))
            except NotOnDuty as error:
                raise Refused(f"swap.{giver}: {error}: name a moment of their shift") from None
        first, second = sorted(made, key=lambda override: override.start)
        if second.start < first.end:
            raise Refused(f"swap: {one} and {other} are on duty together then: name two shifts")
        if first.end <= self._now().isoformat():
            raise Refused(f"swap: the shift until {_local(datetime.fromisoformat(first.end), roster)} is over already")
        return await self._change_roster(roster, tuple(made), sent, f"{one} and {other} take each other's shift")

    async def _change_roster(
        self, roster: Roster, overrides: tuple[Override, ...], sent: VersionBody, said: str
    ) -> Changed:
        before = self._centre()
        body = r.RosterChanged(roster=roster.id, overrides=overrides, by=sent.by, why=sent.why)
        fact = await self._put(ActItem(body=body))
        await self._until(lambda: fact in self._state().rosters)
        return self._roster_changed(
            fact, roster.id, f"{said}; config/ does not say so yet", await self._leaves_open(before)
        )

    async def _lift_override(self, about: About, sent: WhyBody) -> Changed:
        roster, change = self._known_roster(about["roster"]), about["change"]
        known = self._state().rosters.get(change)
        if known is None or known.roster != roster.id:
            there = [id_ for id_, c in self._state().rosters.items() if c.roster == roster.id]
            raise Refused(
                f"{roster.id} has no change {change}: {choice(change, there, 'there are')} (what the files say is "
                "changed there)",
                missing=True,
            )
        before = self._centre()
        fact = await self._put(ActItem(body=r.ChangeReverted(change=change, by=sent.by, why=sent.why)))
        await self._until(lambda: change not in self._state().rosters)
        return self._roster_changed(fact, roster.id, "the change holds no longer", await self._leaves_open(before))

    def _roster_changed(self, fact: str, roster: str, said: str, warnings: tuple[str, ...]) -> Changed:
        version = _roster_version(self._installation.in_force.rosters[roster])
        return Changed(id=fact, said=said, version=version, warnings=warnings)

    def _known_roster(self, name: str) -> Roster:
        rosters = self._installation.in_force.rosters
        if name not in rosters:
            raise Refused(f'roster: there is no "{name}": {choice(name, rosters, "there are")}', missing=True)
        return rosters[name]

    def _check_roster(self, roster: Roster, over: str | None) -> None:
        current = _roster_version(roster)
        if over is None:
            raise Refused(f"over: name the version that you looked at: GET /api/rosters/{roster.id} gives it")
        if over == current:
            return
        newest = [c for c in self._state().rosters.values() if c.roster == roster.id][-1:]
        by = "".join(f", last by {c.by} at {c.at:%Y-%m-%d %H:%M}Z ({c.why})" for c in newest)
        raise Refused(
            f"{roster.id} was changed meanwhile{by}: look again, and make your change over version {current}",
            conflict=True,
        )

    def _check_people(self, field: str, people: Sequence[str]) -> None:
        known = self._installation.in_force.directory.people
        for person in people:
            if person not in known:
                raise Refused(f'{field}: "{person}" is nobody: {choice(person, known, "there are")}')

    # -- both --

    async def _put(self, item: ActItem) -> str:
        (answer,) = await self._intake.take(NAME, [Offered((item,))])
        if isinstance(answer, Unavailable):
            raise answer
        return answer.taken[0].fact

    async def _until(self, true: Callable[[], bool]) -> None:
        with trio.move_on_after(IN_FORCE_S):
            while not true():
                await self._decided()

    def _centre(self) -> Centre:
        rules = self._installation.in_force
        return Centre(rules.directory, rules.rosters, rules.chains)

    async def _leaves_open(self, before: Centre) -> tuple[str, ...]:
        # In a thread: two months of many rosters take longer than a timer may be held up.
        return await trio.to_thread.run_sync(consequences, before, self._centre(), self._now())


def _roster_version(roster: Roster) -> str:
    return hashlib.sha256(msgspec.json.encode(roster)).hexdigest()[:16]


def _local(at: datetime, roster: Roster) -> str:
    return f"{at.astimezone(ZoneInfo(roster.zone)):%Y-%m-%d %H:%M}"
