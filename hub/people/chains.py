"""Alert chains: whom a tier asks at a given moment, and the whole plan if nobody answers (`vigie who`). Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from hub.model.people import Asked, Chain, Contact, Language, Role, Roster, Tier
from hub.people import quorum
from hub.people.ahead import Trouble, troubles
from hub.people.directory import Directory
from hub.people.rosters import on_duty

WEEK = timedelta(days=7)


class Problem(Struct, frozen=True, kw_only=True):
    """Why a contact or a person cannot be asked as the chain says; in plain words. `about`: `roster sitcen-on-call`,
    `person officer-a`."""

    about: str
    what: str


class Resolved(Struct, frozen=True, kw_only=True):
    """The people a tier asks, each once, in the chain's order, and what stands in the way. Somebody without any of
    the tier's addresses is still among `people`: an ask that cannot be sent is recorded as one."""

    people: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


def resolve(tier: Tier, at: datetime, directory: Directory, rosters: Mapping[str, Roster]) -> Resolved:
    """Whom the tier asks at the aware instant `at`. Never raises: what does not exist (any more) is a problem."""
    people: dict[str, None] = {}
    problems: list[Problem] = []
    for contact in tier.ask:
        found, problem = _contact(contact, at, directory, rosters)
        people.update(dict.fromkeys(found))
        if problem:
            problems.append(Problem(about=f"{contact.kind} {contact.id}", what=problem))
    known: list[str] = []
    for person in people:
        if directory.person(person) is None:
            problems.append(Problem(about=f"person {person}", what="is not in the directory"))
            continue
        known.append(person)
        missing = [channel for channel in tier.by if not directory.address(person, channel)]
        if len(missing) == len(tier.by):
            problems.append(Problem(about=f"person {person}", what="cannot be reached over any of the tier's channels"))
        else:
            problems.extend(Problem(about=f"person {person}", what=f"has no address for {c}") for c in missing)
    return Resolved(people=tuple(known), problems=tuple(problems))


def _contact(
    contact: Contact, at: datetime, directory: Directory, rosters: Mapping[str, Roster]
) -> tuple[tuple[str, ...], str]:
    if contact.kind is Asked.PERSON:
        return (contact.id,), ""
    if contact.kind is Asked.GROUP:
        if contact.id not in directory.groups:
            return (), "there is no such group"
        people = directory.members(contact.id)
        return people, "" if people else "nobody is in it"
    if contact.kind is Asked.COMPETENCE:
        people = directory.competent(contact.id)
        return people, "" if people else "nobody has it"
    if contact.kind is Asked.ORGANISATION:
        people = directory.working_for(contact.id)
        return people, "" if people else "nobody works for it"
    roster = rosters.get(contact.id)
    if roster is None:
        return (), "there is no such roster"
    people = on_duty(roster, at)
    return people, "" if people else "nobody is on duty"


# --- vigie who ---------------------------------------------------------------------------------------------


class PlannedWay(Struct, frozen=True, kw_only=True):
    """One channel for one person: `after_s` seconds from the tier's beginning, if not answered by then. `provider`: by
    which one, where that is not the channel's own."""

    channel: str
    address: str
    after_s: float
    provider: str = ""


class PlannedPerson(Struct, frozen=True, kw_only=True):
    """`one_device`: all ways lead to one telephone or mailbox, which may be off, empty or at home."""

    id: str
    name: str
    language: Language
    ways: tuple[PlannedWay, ...]
    one_device: bool = False


class PlannedTier(Struct, frozen=True, kw_only=True):
    """`starts_s`: seconds from the chain's beginning, if nobody answered and every attempt went out at once.
    `in_turn`: each person is asked when the one before has not answered in `answer_s`."""

    starts_s: float
    answer_s: float
    times: int
    people: tuple[PlannedPerson, ...]
    problems: tuple[Problem, ...] = ()
    in_turn: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """What a chain would do at `at`. `lasts_s`: until it is exhausted. `exhausted`: the chain that goes on then.
    `ahead`: gaps and double bookings in the rosters it asks, in the week from then on."""

    chain: str
    at: datetime
    need: int
    tiers: tuple[PlannedTier, ...]
    lasts_s: float
    exhausted: str = ""
    problems: tuple[Problem, ...] = ()
    roles: tuple[Role, ...] = ()
    ahead: tuple[Trouble, ...] = ()


Provider = Callable[[str, str], str]
"""The provider by which a channel reaches an address, while all work."""


def own(channel: str, address: str) -> str:
    """Where every channel has its own provider alone."""
    return channel


def who(
    chain: Chain, at: datetime, directory: Directory, rosters: Mapping[str, Roster], provider: Provider = own
) -> Plan:
    """Whom a chain would call from the aware instant `at` on, tier by tier, if nobody answered. Each tier is resolved
    at the moment it would begin: a roster may change hands while a chain runs."""
    from_s = 0.0
    tiers: list[PlannedTier] = []
    everybody: set[str] = set()
    for tier in chain.tiers:
        found = resolve(tier, _later(at, from_s), directory, rosters)
        everybody.update(found.people)
        tiers.append(
            PlannedTier(
                starts_s=from_s,
                answer_s=tier.answer_s,
                times=tier.times,
                people=tuple(_planned(p, tier, directory, provider) for p in found.people),
                problems=found.problems,
                in_turn=tier.in_turn,
            )
        )
        if found.people:  # a tier without people is passed over at once
            from_s += tier.answer_s * tier.times * (len(found.people) if tier.in_turn else 1)
    heads, roles = quorum.lacking(chain, everybody, lambda person, role: quorum.plays(directory, person, role))
    problems: tuple[Problem, ...] = ()
    if heads:
        short = f"needs {chain.need} to accept and reaches {len(everybody)}"
        problems = (Problem(about=f"chain {chain.id}", what=short),)
    for role in roles:
        asked = chain.roles[[str(r) for r in chain.roles].index(str(role))].count
        short = f"needs {asked} of {role} and reaches {asked - role.count}"
        problems += (Problem(about=f"chain {chain.id}", what=short),)
    return Plan(
        chain=chain.id,
        at=at,
        need=chain.need,
        roles=chain.roles,
        tiers=tuple(tiers),
        lasts_s=from_s,
        exhausted=chain.exhausted,
        problems=problems,
        ahead=_ahead(chain, at, rosters),
    )


def _ahead(chain: Chain, at: datetime, rosters: Mapping[str, Roster]) -> tuple[Trouble, ...]:
    asked = {contact.id for tier in chain.tiers for contact in tier.ask if contact.kind is Asked.ROSTER}
    return tuple(t for t in troubles(rosters, at, at + WEEK) if asked & set(t.about.split(" ")[-2:]))


def _planned(person: str, tier: Tier, directory: Directory, provider: Provider) -> PlannedPerson:
    known = directory.people[person]
    ways: list[PlannedWay] = []
    addresses = {channel: directory.addresses(person, channel) for channel in tier.by}
    for nth in range(max(map(len, addresses.values()))):
        for channel, several in addresses.items():
            if nth < len(several):
                by = provider(channel, several[nth])
                ways.append(
                    PlannedWay(
                        channel=channel,
                        address=several[nth],
                        after_s=len(ways) * tier.between_s,
                        provider=by if by != channel else "",
                    )
                )
    return PlannedPerson(
        id=person,
        name=known.name,
        language=known.language,
        ways=tuple(ways),
        one_device=len({way.address for way in ways}) == 1,
    )


def _later(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
