"""People: looked at, changed, put in, taken out and erased while the hub runs."""

from collections.abc import Sequence
from typing import Any

from hub.acts import About, Change, Changed, Erased, Listed, PersonBody, PersonShown, Refused, VersionBody, WhyBody
from hub.config.editing import read_person
from hub.config.writing import form_of
from hub.connector import ActItem, Unavailable
from hub.editor.bench import Bench, Doing, told
from hub.erasing import Nothing, erase
from hub.findings import choice
from hub.install import edited_of
from hub.journal import JournalUnavailable
from hub.model import records as r
from hub.model.people import Edited, Person
from hub.people.directory import Directory
from hub.people.layers import version_of


class People:
    """`asked` answers questions, `done` does acts, by verb."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.asked: dict[str, Doing] = {"people": self._people, "person": self._person}
        self.done: dict[str, Doing] = {
            "set-person": self._set_person,
            "remove-person": self._remove_person,
            "revert-person": self._revert_person,
            "erase-person": self._erase_person,
        }

    @property
    def _directory(self) -> Directory:
        return self._bench.rules.directory

    # -- looking --

    async def _people(self, about: About, sent: None) -> list[Listed]:
        changed = self._bench.layers.people
        return [
            Listed(id=p.id, name=p.name, language=p.language, organisation=p.organisation, changed=p.id in changed)
            for p in self._directory.people.values()
        ]

    async def _person(self, about: About, sent: None) -> PersonShown:
        id_ = about["person"]
        version = self._version(id_)
        if not version:
            raise self._nobody(id_)
        directory, known = (
            self._directory,
            self._directory.person(id_),
        )
        return PersonShown(
            id=id_,
            version=version,
            person=None if known is None else self._form(known),
            groups=tuple(group for group in directory.groups if id_ in directory.members(group)),
            in_files=id_ in self._bench.files.people,
            change=self._change_of(id_),
        )

    def _form(self, person: Person) -> dict[str, Any]:
        return form_of(person, self._directory.organisations.get(person.organisation))

    def _version(self, id_: str) -> str:
        """The change that somebody is in force by, else a digest of the files' entry; `""`: nobody has the id."""
        layer = self._bench.layers.people.get(id_)
        return layer[0] if layer is not None else version_of(self._bench.files.person(id_))

    def _change_of(self, id_: str) -> Change | None:
        known, layer = self._bench.state().edited.get(id_), self._bench.layers.people.get(id_)
        if known is None or layer is None:
            return None
        overtaken = layer[1].over != version_of(self._bench.files.person(id_))
        return Change(
            id=known.change, by=known.by, why=known.why, at=known.at, removed=known.removed, overtaken=overtaken
        )

    def _nobody(self, id_: str) -> Refused:
        people = self._directory.people
        return Refused(f'person: "{id_}" is nobody: {choice(id_, people, "there are")}', missing=True)

    # -- changing --

    async def _set_person(self, about: About, sent: PersonBody) -> Changed:
        id_, files = about["person"], self._bench.files
        await self._check_person(id_, sent.over)
        directory = self._directory
        person, findings = read_person(self._bench.config, directory, self._bench.channels, id_, sent.person)
        if person is None:
            raise Refused("; ".join(told([f for f in findings if not f.warning])))
        warnings = told(findings)
        if person == directory.person(id_):
            return Changed(id="", said=f"{id_} is so already", version=self._version(id_), warnings=tuple(warnings))
        if person == files.person(id_) and id_ in self._bench.layers.people:
            return await self._back(id_, sent.by, sent.why, warnings)
        said = f"{id_} is changed" if id_ in directory.people else f"{id_} is in the directory"
        body = r.PersonChanged(person=id_, by=sent.by, why=sent.why)
        return await self._edit(id_, body, person, f"{said}; config/ does not say so yet", warnings)

    async def _remove_person(self, about: About, sent: VersionBody) -> Changed:
        id_ = about["person"]
        if self._directory.person(id_) is None:
            raise self._nobody(id_)
        await self._check_person(id_, sent.over)
        asked = sum(ask.person == id_ and not ask.outcome for ask in self._bench.state().asks.values())
        stood_down = (
            f"; {asked} that asked them {'goes' if asked == 1 else 'go'} on to whoever is next" if asked else ""
        )
        if id_ not in self._bench.files.people:
            return await self._back(id_, sent.by, sent.why, [], f"{id_} is in the directory no more{stood_down}")
        body = r.PersonChanged(person=id_, by=sent.by, why=sent.why, removed=True)
        said = f"{id_} is in the directory no more{stood_down}; config/ does not say so yet"
        return await self._edit(id_, body, None, said, [])

    async def _revert_person(self, about: About, sent: WhyBody) -> Changed:
        id_ = about["person"]
        if id_ not in self._bench.layers.people:
            if not self._version(id_):
                raise self._nobody(id_)
            raise Refused(f"{id_} is as the files say: there is nothing to take back", missing=True)
        return await self._back(id_, sent.by, sent.why, [])

    async def _edit(
        self, id_: str, body: r.PersonChanged, person: Person | None, said: str, warnings: Sequence[str]
    ) -> Changed:
        before = self._bench.centre()
        edited = Edited(person=person, over=version_of(self._bench.files.person(id_)))
        fact = await self._bench.put(ActItem(body=body, sealed=edited, about=id_))
        await self._bench.until(lambda: self._in_force(id_) == fact)
        return Changed(id=fact, said=said, version=fact, warnings=(*warnings, *await self._bench.leaves_open(before)))

    async def _back(self, id_: str, by: str, why: str, warnings: Sequence[str], said: str = "") -> Changed:
        before, change = self._bench.centre(), self._version(id_)
        fact = await self._bench.put(ActItem(body=r.ChangeReverted(change=change, by=by, why=why)))
        await self._bench.until(lambda: self._in_force(id_) != change)
        said = said or f"{id_} is as the files say again"
        return Changed(
            id=fact, said=said, version=self._version(id_), warnings=(*warnings, *await self._bench.leaves_open(before))
        )

    def _in_force(self, id_: str) -> str:
        known = self._bench.state().edited.get(id_)
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
        known = self._bench.state().edited.get(id_)
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
        then = self._bench.files.person(id_)
        if over != version_of(then):
            (fact,) = await self._bench.journal.get([over])
            if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.PersonChanged) or fact.body.person != id_:
                return ""
            then = (await edited_of(self._bench.journal, [over]))[over].person
        current = self._directory.person(id_)
        if then is None or current is None:
            return ", who is in the directory no more" if current is None else ""
        one, other = self._form(then), self._form(current)
        changed = [key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]
        return f": {', '.join(changed)}" if changed else ""

    async def _erase_person(self, about: About, sent: WhyBody) -> Erased:
        id_ = about["person"]
        if id_ in self._bench.files.people:
            raise Refused(
                f"{id_} still stands in the files as the hub has read them: take the entry out of "
                "config/people.yaml (or people/), see that it is in force, then erase"
            )
        if self._directory.person(id_) is not None:
            raise Refused(f"{id_} is still in the directory: take them out first (`vigie people remove {id_}`)")
        others = self._directory
        try:
            return await erase(self._bench.journal, others, id_, sent.by, sent.why, self._bench.now(), self._bench.ids)
        except Nothing as error:
            raise Refused(str(error), missing=True) from None
        except JournalUnavailable as error:
            raise Unavailable(str(error)) from error
