"""People and groups: from their forms to the vocabulary, and what is wrong between them."""

from collections.abc import Collection, Mapping

from msgspec import Struct

from hub.config.forms import AddressForm, PeopleForm, PersonForm
from hub.config.groups import Areas, check_groups, check_organisation, group_of
from hub.findings import choice
from hub.model.people import Address, Group, Organisation, Person
from hub.people.directory import Directory, mail_problem, normalise, phone_problem
from hub.playbook.form import CHANNEL_WORDS
from hub.yaml import Document, Node, Sequence
from hub.yaml import Mapping as YamlMapping


class Ways(Struct, frozen=True):
    """`channels`: those configured; of them `phones` need a phone number and `mails` a mail address."""

    channels: Collection[str]
    phones: Collection[str]
    mails: Collection[str]
    region: str


def people_of(
    document: Document, form: PeopleForm, ways: Ways, organisations: Mapping[str, Organisation], areas: Areas
) -> tuple[list[Person], list[Group]]:
    """`organisations`: of all files."""
    people = [_person(document, name, one, ways, organisations) for name, one in form.people.items()]
    groups = [group_of(name, members, areas) for name, members in form.groups.items()]
    return people, groups


def _person(
    document: Document, name: str, form: PersonForm, ways: Ways, organisations: Mapping[str, Organisation]
) -> Person:
    if not form.name.strip() or not form.name.isprintable():
        what = "has a character in it that no name may hold" if form.name.strip() else "is empty"
        document.add(
            document.at("people", name, "name"), "no-name", f"the name {what}", "write it as colleagues know it"
        )
    addresses: list[Address] = []
    for channel, written in form.reach.items():
        if channel not in ways.channels:
            place = address_place(document, name, channel)
            document.add(place, "unknown-channel", f'"{channel}" is no channel', choice(channel, ways.channels))
        for index, one in enumerate(written):
            more = one if isinstance(one, AddressForm) else AddressForm(address=one)
            text, seen_by = more.address, more.seen_by or form.seen_by
            _check_address(document, name, channel, index, text, ways)
            address = normalise(text, ways.region)
            if any((way.channel, way.address) == (channel, address) for way in addresses):
                place = address_place(document, name, channel, index)
                document.add(place, "address-twice", f"{name} has this address twice", "keep one", warning=True)
            if not form.seen_by.within(seen_by):
                place = address_place(document, name, channel, index)
                told = f"{name} is shown to {form.seen_by} only, so nobody else is shown this address"
                document.add(
                    place, "seen-by-fewer", told, "let more see the person, or fewer the address", warning=True
                )
                seen_by = form.seen_by
            addresses.append(Address(channel, address, more.live_only, seen_by))
    if not form.reach:
        place = document.at("people", name)
        document.add(place, "unreachable", f"{name} has no address at all", "add reach: ...", warning=True)
    theirs = organisations.get(form.organisation)
    return Person(
        id=name,
        name=form.name,
        language=form.language,
        speaks=form.speaks,
        organisation=form.organisation,
        discipline=form.discipline or (theirs.discipline if theirs is not None else None),
        competences=form.competences,
        addresses=tuple(addresses),
        exercises=form.exercises,
        desk=form.desk,
        seen_by=form.seen_by,
        sees=form.sees,
    )


def _check_address(document: Document, person: str, channel: str, index: int, text: str, ways: Ways) -> None:
    if channel in ways.phones:
        rule, problem = "not-a-number", phone_problem(text, ways.region)
    elif channel in ways.mails:
        rule, problem = "not-a-mail-address", mail_problem(text)
    else:
        return
    if problem:
        wrong, _, remedy = problem.partition(": ")
        document.add(address_place(document, person, channel, index), rule, f"{person}: {wrong}", remedy)


def address_place(document: Document, person: str, channel: str, index: int = 0) -> Node | None:
    """Where a person's address stands, whatever word was written for the channel (`call` for `voice`)."""
    words = [channel, *(word for word, name in CHANNEL_WORDS.items() if name == channel)]
    reach = document.at("people", person, "reach")
    place = next((node for w in words if (node := document.at("people", person, "reach", w)) is not reach), reach)
    if isinstance(place, Sequence) and index < len(place.items):
        place = place.items[index]
    return place.get("address") or place if isinstance(place, YamlMapping) and place is not reach else place


def check_people(document: Document, form: PeopleForm, directory: Directory, areas: Areas) -> None:
    """Members that exist; organisations that do; numbers that tell whose answer it is."""
    check_groups(document, form, directory, areas)
    shared = directory.shared()
    for name, person in form.people.items():
        check_organisation(document, name, person.organisation, directory)
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
