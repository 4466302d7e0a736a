"""Whether enough have accepted, and who can still be of use. Pure.

A quorum is a number of heads and, of them, so many of a role each: "2 officers, one of them Dutch-speaking, and 1 of
discipline D3". One head may count for several roles.
"""

from collections.abc import Callable, Collection

from hub.model.people import Chain, Person, Plays, Role
from hub.people.directory import Directory

PlaysRole = Callable[[str, Role], bool]  # whether a person has a role


def plays(directory: Directory, person: str, role: Role) -> bool:
    """Whether the person has the role now; nobody who is not in the directory has one."""
    known = directory.person(person)
    return known is not None and _plays(directory, known, role)


def _plays(directory: Directory, person: Person, role: Role) -> bool:
    match role.kind:
        case Plays.DISCIPLINE:
            return person.discipline == role.id
        case Plays.SPEAKS:
            return role.id in (person.language, *person.speaks)
        case Plays.COMPETENCE:
            return role.id in person.competences
        case Plays.ORGANISATION:
            return person.organisation == role.id
        case Plays.GROUP:
            return person.id in directory.members(role.id)


def lacking(chain: Chain, accepted: Collection[str], plays_role: PlaysRole) -> tuple[int, tuple[Role, ...]]:
    """How many heads a quorum still lacks, and each role of which some are lacking, with how many."""
    short = []
    for role in chain.roles:
        there = sum(plays_role(person, role) for person in accepted)
        if there < role.count:
            short.append(Role(role.kind, role.id, role.count - there))
    return max(0, chain.need - len(accepted)), tuple(short)


def reached(chain: Chain, accepted: Collection[str], plays_role: PlaysRole) -> bool:
    return lacking(chain, accepted, plays_role) == (0, ())


def useful(chain: Chain, person: str, accepted: Collection[str], plays_role: PlaysRole) -> bool:
    """Whether this person's acceptance would bring the quorum nearer. Nobody is woken whose answer would not.

    While more heads are lacking than the lacking roles will bring, anybody is of use; the last places are kept for
    those roles: with one head and a Dutch speaker lacking, only a Dutch speaker is asked.
    """
    heads, roles = lacking(chain, accepted, plays_role)
    if any(plays_role(person, role) for role in roles):
        return True
    return heads > _fewest(roles)


def _fewest(roles: Collection[Role]) -> int:
    """The fewest people who can have all these roles: disciplines and organisations one has one of each."""
    alone = (Plays.DISCIPLINE, Plays.ORGANISATION)
    several = max((role.count for role in roles if role.kind not in alone), default=0)
    return max(several, *(sum(role.count for role in roles if role.kind is kind) for kind in alone))


def in_words(heads: int, roles: Collection[Role]) -> str:
    """What is lacking, for the room: `1 more, 1 of speaks nl`."""
    parts = [f"{heads} more"] if heads else []
    return ", ".join([*parts, *(f"{role.count} of {role}" for role in roles)])
