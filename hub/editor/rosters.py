"""Rosters: who is on duty when, and who is in whose place for a time. Who takes turns: parts.py."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import trio

from hub.acts import (
    About,
    Change,
    Changed,
    OverrideBody,
    Refused,
    RosterShown,
    Span,
    SwapBody,
    VersionBody,
    WhyBody,
    instant_of,
)
from hub.config.writing import form_of_part
from hub.connector import ActItem
from hub.editor.bench import Bench, Doing
from hub.editor.parts import Parts
from hub.findings import choice
from hub.model import records as r
from hub.model.people import Override, Part, Roster
from hub.people.layers import version_of
from hub.people.rosters import NotOnDuty, taken_over, timeline

SHOWN = timedelta(days=28)
SHOWN_MOST = timedelta(days=400)


class Rosters:
    """`asked` answers questions, `done` does acts, by verb. `parts`: who knows of changed turns."""

    def __init__(self, bench: Bench, parts: Parts) -> None:
        self._bench = bench
        self._parts = parts
        self.asked: dict[str, Doing] = {"roster": self._roster}
        self.done: dict[str, Doing] = {
            "override": self._override,
            "swap": self._swap,
            "lift-override": self._lift_override,
        }

    async def _roster(self, about: About, sent: None) -> RosterShown:
        roster = self._known_roster(about["roster"])
        start = instant_of("from", about["from"]) if about.get("from") else self._bench.now()
        end = instant_of("until", about["until"]) if about.get("until") else start + SHOWN
        if not start < end <= start + SHOWN_MOST:
            raise Refused(f"until: give a time after `from`, and at most {SHOWN_MOST.days} days later")
        spans = await trio.to_thread.run_sync(timeline, roster, start, end)
        return RosterShown(
            id=roster.id,
            version=version_of(roster),
            spans=tuple(Span(people=s.people, start=s.start, end=s.end) for s in spans),
            changes=tuple(
                Change(id=id_, by=c.by, why=c.why, at=c.at, overrides=c.overrides)
                for id_, c in self._bench.state().rosters.items()
                if c.roster == roster.id
            ),
            roster=form_of_part(self._bench.layers.turns(self._bench.config.rosters)[roster.id], roster.zone),
            in_files=roster.id in self._bench.config.rosters,
            change=self._parts.change_of(Part.ROSTER, roster.id),
        )

    async def _override(self, about: About, sent: OverrideBody) -> Changed:
        roster = self._known_roster(about["roster"])
        self._check_roster(roster, sent.over)
        if not sent.people:
            raise Refused("people: nobody is named: say who is on duty then")
        self._bench.check_people("people", sent.people)
        if sent.until <= sent.start:
            raise Refused("until: it ends before it begins: give a time after `from`")
        if sent.until <= self._bench.now():
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
        self._bench.check_people("swap", tuple(sent.swap))
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
        if first.end <= self._bench.now().isoformat():
            raise Refused(f"swap: the shift until {_local(datetime.fromisoformat(first.end), roster)} is over already")
        return await self._change_roster(roster, tuple(made), sent, f"{one} and {other} take each other's shift")

    async def _change_roster(
        self, roster: Roster, overrides: tuple[Override, ...], sent: VersionBody, said: str
    ) -> Changed:
        before = self._bench.centre()
        body = r.RosterChanged(roster=roster.id, overrides=overrides, by=sent.by, why=sent.why)
        fact = await self._bench.put(ActItem(body=body))
        await self._bench.until(lambda: fact in self._bench.state().rosters)
        return self._roster_changed(
            fact, roster.id, f"{said}; config/ does not say so yet", await self._bench.leaves_open(before)
        )

    async def _lift_override(self, about: About, sent: WhyBody) -> Changed:
        roster, change = self._known_roster(about["roster"]), about["change"]
        known = self._bench.state().rosters.get(change)
        if known is None or known.roster != roster.id:
            there = [id_ for id_, c in self._bench.state().rosters.items() if c.roster == roster.id]
            raise Refused(
                f"{roster.id} has no change {change}: {choice(change, there, 'there are')} (what the files say is "
                "changed there)",
                missing=True,
            )
        before = self._bench.centre()
        fact = await self._bench.put(ActItem(body=r.ChangeReverted(change=change, by=sent.by, why=sent.why)))
        await self._bench.until(lambda: change not in self._bench.state().rosters)
        return self._roster_changed(
            fact, roster.id, "the change holds no longer", await self._bench.leaves_open(before)
        )

    def _roster_changed(self, fact: str, roster: str, said: str, warnings: tuple[str, ...]) -> Changed:
        version = version_of(self._bench.rules.rosters[roster])
        return Changed(id=fact, said=said, version=version, warnings=warnings)

    def _known_roster(self, name: str) -> Roster:
        rosters = self._bench.rules.rosters
        if name not in rosters:
            raise Refused(f'roster: there is no "{name}": {choice(name, rosters, "there are")}', missing=True)
        return rosters[name]

    def _check_roster(self, roster: Roster, over: str | None) -> None:
        current = version_of(roster)
        if over is None:
            raise Refused(f"over: name the version that you looked at: GET /api/rosters/{roster.id} gives it")
        if over == current:
            return
        newest = [c for c in self._bench.state().rosters.values() if c.roster == roster.id][-1:]
        by = "".join(f", last by {c.by} at {c.at:%Y-%m-%d %H:%M}Z ({c.why})" for c in newest)
        raise Refused(
            f"{roster.id} was changed meanwhile{by}: look again, and make your change over version {current}",
            conflict=True,
        )


def _local(at: datetime, roster: Roster) -> str:
    return f"{at.astimezone(ZoneInfo(roster.zone)):%Y-%m-%d %H:%M}"
