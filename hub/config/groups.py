"""Organisations and groups: from their forms to the vocabulary, and what is wrong with what they name."""

from collections.abc import Collection

from hub.config.forms import OrganisationForm, PeopleForm, QueryForm
from hub.findings import choice
from hub.intake.geography import Geography
from hub.model.people import Group, Language, Organisation, Query
from hub.people.directory import Directory
from hub.yaml import Document


class Areas:
    """The communes as they may be written: by id, NIS code, or name in any language. A larger area stands for all the
    communes in it. Without config/areas.yaml any text is taken as it stands."""

    def __init__(self, geography: Geography | None) -> None:
        self.known = geography is not None
        self._written: dict[str, tuple[str, ...]] = {}
        places = geography.places if geography is not None else {}
        within: dict[str, set[str]] = {place: set() for place in places}
        for place in places.values():
            for above in place.within:
                within.setdefault(above, set()).add(place.id)
        smallest: dict[str, tuple[str, ...]] = {}
        for area in places:
            there = _below(area, within)
            smallest[area] = tuple(p for p in places if p in there and not within[p])
        for place in places.values():
            codes = [code for system, code in place.codes if system == "NIS"]
            for word in (*place.names.values(), *place.also_named, *codes):
                self._written.setdefault(word.casefold(), smallest[place.id])
        self._written |= smallest  # an id is never taken for another area's name
        self._places = places

    def communes(self, text: str) -> tuple[str, ...]:
        """Ids of the communes that are meant; none where nothing is known by this word."""
        found = self._written.get(" ".join(text.split()).casefold(), ())
        return found if self.known else (text,)

    def codes(self, text: str, system: str) -> tuple[str, ...]:
        """The codes of the communes that are meant, in a system (NIS, POSTAL ...)."""
        there = [self._places[commune] for commune in self.communes(text) if commune in self._places]
        return tuple(code for place in there for known, code in place.codes if known == system)

    def name(self, text: str, language: Language) -> str:
        """What an area is called; what stands there where nothing is known by it."""
        communes = self.communes(text)
        place = self._places.get(text) or self._places.get(communes[0] if len(communes) == 1 else "")
        return text if place is None else place.names[language]

    def meant(self, text: str) -> str:
        """What would be right instead of a word by which nothing is known."""
        if text.isdigit():
            return "look its NIS code up in areas.yaml, or write its name"
        return choice(text, [word for word in self._written if not word.isdigit()])


def _below(place: str, within: dict[str, set[str]]) -> set[str]:
    """The area and all that lie in it."""
    found: set[str] = set()
    todo = [place]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += within[one]
    return found


# --- organisations -----------------------------------------------------------------------------------------


def organisations_of(document: Document, form: PeopleForm, areas: Areas) -> list[Organisation]:
    return [_organisation(document, name, one, areas) for name, one in form.organisations.items()]


def _organisation(document: Document, name: str, form: OrganisationForm, areas: Areas) -> Organisation:
    _check_communes(document, ("organisations", name, "communes"), form.communes, areas)
    return Organisation(
        id=name,
        names={Language.FR: form.fr, Language.NL: form.nl, Language.DE: form.de, Language.EN: form.en},
        kind=form.kind,
        discipline=form.discipline,
        communes=_communes(form.communes, areas),
        sees=form.sees,
    )


def _communes(written: Collection[str], areas: Areas) -> tuple[str, ...]:
    return tuple(dict.fromkeys(commune for text in written for commune in areas.communes(text)))


def _check_communes(document: Document, path: tuple[str | int, ...], written: Collection[str], areas: Areas) -> None:
    for index, text in enumerate(written):
        if not areas.communes(text):
            place = document.at(*path, index)
            document.add(place, "unknown-commune", f'"{text}" is no area of areas.yaml', areas.meant(text))


def check_organisation(document: Document, person: str, written: str, directory: Directory) -> None:
    """A text that names no organisation is kept as it stands: but a slip of the pen should be seen."""
    if not written or not directory.organisations or written in directory.organisations:
        return
    named = directory.organisation_named(written)
    remedy = f'did you mean "{named}"?' if named else choice(written, directory.organisations, "there are")
    place = document.at("people", person, "organisation")
    document.add(place, "unknown-organisation", f'"{written}" is no organisation here', remedy, warning=True)


# --- groups ------------------------------------------------------------------------------------------------


def group_of(name: str, form: tuple[str, ...] | QueryForm, areas: Areas) -> Group:
    if not isinstance(form, QueryForm):
        return Group(id=name, members=form)
    return Group(
        id=name,
        query=Query(
            competences=form.competence,
            disciplines=form.discipline,
            organisations=form.organisation,
            kinds=form.kind_of_organisation,
            languages=form.language,
            communes=_communes(form.commune, areas),
            also=form.also,
            but_not=form.but_not,
        ),
    )


def check_groups(document: Document, form: PeopleForm, directory: Directory, areas: Areas) -> None:
    """Members that exist, words of queries that mean something, and somebody in every group."""
    for group, members in form.groups.items():
        before = len(document.findings)
        if isinstance(members, QueryForm):
            _check_query(document, group, members, directory, areas)
        else:
            _check_members(document, ("groups", group), members, directory)
        if len(document.findings) == before and not directory.members(group):
            message = f"group {group} has nobody in it"
            remedy = "nobody is all of this at once" if isinstance(members, QueryForm) else ""
            document.add(document.at("groups", group), "nobody", message, remedy, warning=True)


def _check_members(
    document: Document, path: tuple[str | int, ...], members: Collection[str], directory: Directory
) -> None:
    for index, member in enumerate(members):
        if member not in directory.people:
            place = document.at(*path, index)
            document.add(place, "unknown-person", f'"{member}" is nobody', choice(member, directory.people))


def _check_query(document: Document, group: str, form: QueryForm, directory: Directory, areas: Areas) -> None:
    known: tuple[tuple[str, str, Collection[str], Collection[str]], ...] = (
        ("competence", "nobody has the competence", form.competence, directory.competences()),
        ("organisation", "there is no organisation", form.organisation, _organisations(directory)),
        ("kind of organisation", "no organisation is of the kind", form.kind_of_organisation, _kinds(directory)),
    )
    for key, wrong, written, words in known:
        for index, text in enumerate(written):
            if text not in words:
                place = document.at("groups", group, key, index)
                remedy = choice(text, words, "there are")
                document.add(place, f"unknown-{key.replace(' ', '-')}", f'{wrong} "{text}"', remedy)
    _check_communes(document, ("groups", group, "commune"), form.commune, areas)
    _check_members(document, ("groups", group, "also"), form.also, directory)
    _check_members(document, ("groups", group, "but not"), form.but_not, directory)
    said = (*(written for _, _, written, _ in known), form.discipline, form.language, form.commune)
    if not any(said):
        document.add(
            document.at("groups", group),
            "no-condition",
            f"group {group} does not say what its people are",
            "add competence, discipline, organisation, kind of organisation, language or commune",
        )


def _organisations(directory: Directory) -> Collection[str]:
    """Those described, and what people's entries say besides."""
    return dict.fromkeys(
        [*directory.organisations, *(p.organisation for p in directory.people.values() if p.organisation)]
    )


def _kinds(directory: Directory) -> Collection[str]:
    return dict.fromkeys(o.kind for o in directory.organisations.values())
