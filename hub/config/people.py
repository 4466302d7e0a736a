"""People and groups: from their forms to the vocabulary, and what is wrong between them."""

from collections.abc import Collection

from hub.config.forms import PeopleForm, PersonForm
from hub.findings import choice
from hub.model.people import Address, Group, Person
from hub.people.directory import Directory, normalise, phone_problem
from hub.playbook.form import CHANNEL_WORDS
from hub.yaml import Document, Node


def people_of(
    document: Document, form: PeopleForm, channels: Collection[str], phones: Collection[str], region: str
) -> tuple[list[Person], list[Group]]:
    """`channels`: those configured; `phones`: those of them that need a phone number."""
    people = [_person(document, name, one, channels, phones, region) for name, one in form.people.items()]
    groups = [Group(id=name, members=members) for name, members in form.groups.items()]
    return people, groups


def _person(
    document: Document, name: str, form: PersonForm, channels: Collection[str], phones: Collection[str], region: str
) -> Person:
    for channel, address in form.reach.items():
        if channel not in channels:
            place = address_place(document, name, channel)
            document.add(place, "unknown-channel", f'"{channel}" is no channel', choice(channel, channels))
        elif channel in phones and (problem := phone_problem(address, region)):
            wrong, _, remedy = problem.partition(": ")
            document.add(address_place(document, name, channel), "not-a-number", f"{name}: {wrong}", remedy)
    if not form.reach:
        place = document.at("people", name)
        document.add(place, "unreachable", f"{name} has no address at all", "add reach: ...", warning=True)
    return Person(
        id=name,
        name=form.name,
        language=form.language,
        speaks=form.speaks,
        organisation=form.organisation,
        discipline=form.discipline,
        competences=form.competences,
        addresses=tuple(Address(c, normalise(a, region)) for c, a in form.reach.items()),
    )


def address_place(document: Document, person: str, channel: str) -> Node | None:
    """Where a person's address stands, whatever word was written for the channel (`call` for `voice`)."""
    words = [channel, *(word for word, name in CHANNEL_WORDS.items() if name == channel)]
    reach = document.at("people", person, "reach")
    return next((node for w in words if (node := document.at("people", person, "reach", w)) is not reach), reach)


def check_people(document: Document, form: PeopleForm, directory: Directory) -> None:
    """Members that exist; numbers that tell whose answer it is."""
    for group, members in form.groups.items():
        if not members:
            document.add(document.at("groups", group), "nobody", f"group {group} has nobody in it", warning=True)
        for index, member in enumerate(members):
            if member not in directory.people:
                place = document.at("groups", group, index)
                document.add(place, "unknown-person", f'"{member}" is nobody', choice(member, directory.people))
    shared = directory.shared()
    for name in form.people:
        for way in directory.people[name].addresses if name in directory.people else ():
            others = [p for p in shared.get(way.address, ()) if p != name]
            if others:
                document.add(
                    document.at("people", name, "reach"),
                    "shared-address",
                    f"{name} and {', '.join(others)} share an address: nobody can tell whose answer comes from it",
                    "give each their own",
                    warning=True,
                )
                break
