"""Groups, organisations and who takes turns in rosters: looked at, changed, put in and taken out while the hub runs."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from hub.acts import About, Change, Changed, PartListed, PartShown, Refused, VersionBody, WhyBody
from hub.config.editing import read_part
from hub.config.writing import form_of_part
from hub.connector import ActItem
from hub.editor.bench import Bench, Doing, told
from hub.engine.state import part_key
from hub.findings import choice
from hub.model import records as r
from hub.model.people import Asked, Contact, EditedPart, Group, Organisation, Part, Plays, Roster
from hub.people.layers import part_of, version_of
from hub.playbook.language import DraftBroadcast, Notify, SendContacts, Step, WriteReport

Entry = Group | Organisation | Roster


class Parts:
    """`asked` answers questions, `done` does acts, by verb."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.asked: dict[str, Doing] = {
            "group": self._of(Part.GROUP, self._show),
            "organisation": self._of(Part.ORGANISATION, self._show),
            **{f"{part}s": self._of(part, self._list) for part in Part},
        }
        self.done: dict[str, Doing] = {
            f"{verb}-{part}": self._of(part, act)
            for part in Part
            for verb, act in {"set": self._set, "remove": self._remove, "revert": self._revert}.items()
        }

    def _of(self, part: Part, act: Callable[[Part, About, Any], Awaitable[Any]]) -> Doing:
        async def doing(about: About, sent: Any) -> Any:
            return await act(part, about, sent)

        return doing

    # -- looking --

    async def _list(self, part: Part, about: About, sent: None) -> list[PartListed]:
        return [PartListed(id=name, changed=(part, name) in self._bench.layers.parts) for name in self._all(part)]

    async def _show(self, part: Part, about: About, sent: None) -> PartShown:
        name, directory = about[part], self._bench.rules.directory
        entry = self._entry(part, name)
        if entry is None and (part, name) not in self._bench.layers.parts:
            raise self._unknown(part, name)
        people = directory.members(name) if part is Part.GROUP else directory.working_for(name)
        return PartShown(
            id=name,
            version=self._version(part, name),
            entry=None if entry is None else form_of_part(entry, self._bench.config.hub.zone),
            people=tuple(people) if entry is not None else (),
            in_files=self._in_files(part, name) is not None,
            change=self.change_of(part, name),
        )

    def change_of(self, part: Part, name: str) -> Change | None:
        """What makes it other than the files say."""
        known, layer = self._bench.state().parts.get(part_key(part, name)), self._bench.layers.parts.get((part, name))
        if known is None or layer is None:
            return None
        overtaken = layer[1].over != version_of(self._in_files(part, name))
        return Change(
            id=known.change, by=known.by, why=known.why, at=known.at, removed=known.removed, overtaken=overtaken
        )

    def _all(self, part: Part) -> list[str]:
        rules = self._bench.rules
        among: dict[Part, Any] = {
            Part.GROUP: rules.directory.groups,
            Part.ORGANISATION: rules.directory.organisations,
            Part.ROSTER: rules.rosters,
        }
        return list(among[part])

    def _entry(self, part: Part, name: str) -> Entry | None:
        """As it is in force; of a roster what acts put in place for a time is no part of it."""
        turns = self._bench.layers.turns(self._bench.config.rosters)
        return part_of(self._bench.rules.directory, turns, part, name)

    def _in_files(self, part: Part, name: str) -> Entry | None:
        return part_of(self._bench.files, self._bench.config.rosters, part, name)

    def _version(self, part: Part, name: str) -> str:
        """Of a roster with what acts put in place for a time: GET /api/rosters/NAME gives it."""
        return version_of(part_of(self._bench.rules.directory, self._bench.rules.rosters, part, name))

    def _unknown(self, part: Part, name: str) -> Refused:
        return Refused(f'{part}: there is no "{name}": {choice(name, self._all(part), "there are")}', missing=True)

    # -- changing --

    async def _set(self, part: Part, about: About, sent: Any) -> Changed:
        name = about[part]
        self._check(part, name, sent.over)
        directory = self._bench.rules.directory
        entry, findings = read_part(self._bench.config, directory, part, name, getattr(sent, part))
        if entry is None:
            raise Refused("; ".join(told([f for f in findings if not f.warning])))
        warnings, current = tuple(told(findings)), self._entry(part, name)
        if entry == current:
            return Changed(
                id="", said=f"{part} {name} is so already", version=self._version(part, name), warnings=warnings
            )
        if entry == self._in_files(part, name):
            return await self._back(part, name, sent.by, sent.why, warnings)
        said = f"{part} {name} is {'changed' if current is not None else 'there'}; config/ does not say so yet"
        return await self._edit(part, name, entry, sent, said, warnings)

    async def _remove(self, part: Part, about: About, sent: VersionBody) -> Changed:
        name = about[part]
        if self._entry(part, name) is None:
            raise self._unknown(part, name)
        self._check(part, name, sent.over)
        if users := list(self._used_by(part, name)):
            raise Refused(f"{part} {name} is still named by {', '.join(users)}: take it out there first, in config/")
        if self._in_files(part, name) is None:
            return await self._back(part, name, sent.by, sent.why, (), f"{part} {name} is there no more")
        said = f"{part} {name} is there no more; config/ does not say so yet"
        return await self._edit(part, name, None, sent, said, ())

    async def _revert(self, part: Part, about: About, sent: WhyBody) -> Changed:
        name = about[part]
        if (part, name) not in self._bench.layers.parts:
            if self._entry(part, name) is None:
                raise self._unknown(part, name)
            raise Refused(f"{part} {name} is as the files say: there is nothing to take back", missing=True)
        if self._in_files(part, name) is None and (users := list(self._used_by(part, name))):
            raise Refused(f"{part} {name} is not in the files, and still named by {', '.join(users)}")
        return await self._back(part, name, sent.by, sent.why, ())

    async def _edit(
        self, part: Part, name: str, entry: Entry | None, sent: VersionBody, said: str, warnings: tuple[str, ...]
    ) -> Changed:
        before, over = self._bench.centre(), version_of(self._in_files(part, name))
        body = r.PartChanged(part=part, name=name, by=sent.by, why=sent.why, removed=entry is None)
        fact = await self._bench.put(ActItem(body=body, sealed=_sealed(entry, over)))
        await self._bench.until(lambda: self._in_force(part, name) == fact)
        return await self._changed(fact, part, name, said, (*warnings, *await self._bench.leaves_open(before)))

    async def _back(
        self, part: Part, name: str, by: str, why: str, warnings: tuple[str, ...], said: str = ""
    ) -> Changed:
        before, (change, _) = self._bench.centre(), self._bench.layers.parts[part, name]
        fact = await self._bench.put(ActItem(body=r.ChangeReverted(change=change, by=by, why=why)))
        await self._bench.until(lambda: self._in_force(part, name) != change)
        said = said or f"{part} {name} is as the files say again"
        return await self._changed(fact, part, name, said, (*warnings, *await self._bench.leaves_open(before)))

    async def _changed(self, fact: str, part: Part, name: str, said: str, warnings: tuple[str, ...]) -> Changed:
        return Changed(id=fact, said=said, version=self._version(part, name), warnings=warnings)

    def _in_force(self, part: Part, name: str) -> str:
        known = self._bench.state().parts.get(part_key(part, name))
        return "" if known is None else known.change

    def _check(self, part: Part, name: str, over: str | None) -> None:
        """Raises Refused where somebody else has changed it since."""
        current = self._version(part, name)
        if over is None:
            raise Refused(
                f"over: name the version that you looked at (GET /api/{part}s/{name} gives it), empty for a new one"
            )
        if over == current:
            return
        if not current:
            raise Refused(f"over: there is no {part} {name} (any more): leave it empty to make one", conflict=True)
        known = self._bench.state().parts.get(part_key(part, name))
        by = f" by {known.by} at {known.at:%Y-%m-%d %H:%M}Z ({known.why})" if known is not None else ""
        raise Refused(
            f"{part} {name} was changed meanwhile{by}: look again, and make your change over version {current}",
            conflict=True,
        )

    # -- what names it --

    def _used_by(self, part: Part, name: str) -> Iterator[str]:
        rules, asked = self._bench.rules, Contact(Asked(part.value), name)
        for chain in rules.chains.values():
            roles = [(role.kind.value, role.id) for role in chain.roles]
            if any(asked in tier.ask for tier in chain.tiers) or (Plays.__members__.get(part.name), name) in roles:
                yield f"chain {chain.id}"
        for sheet in rules.sheets:
            if any(asked in _named(step) for step in sheet.steps):
                yield f"sheet {sheet.name}"
        rhythm = rules.call_list()
        if rhythm is not None and asked in rhythm.to:
            yield "the call list"
        if part is Part.ORGANISATION:
            yield from (f"person {one}" for one in rules.directory.working_for(name))
            for group in rules.directory.groups.values():
                if group.query is not None and name in group.query.organisations:
                    yield f"group {group.id}"


def _named(step: Step) -> tuple[Contact, ...]:
    """Whom a step names."""
    match step.action:
        case Notify(to=to) | DraftBroadcast(to=to) | WriteReport(to=to):
            return to
        case SendContacts(to=to, contacts=contacts):
            return (*to, *contacts)
        case _:
            return ()


def _sealed(entry: Entry | None, over: str) -> EditedPart:
    match entry:
        case Group():
            return EditedPart(group=entry, over=over)
        case Organisation():
            return EditedPart(organisation=entry, over=over)
        case Roster():
            return EditedPart(roster=entry, over=over)
        case _:
            return EditedPart(over=over)
