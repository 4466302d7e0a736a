"""What is in force in a story: a few sheets on the texts of `config/`, people who speak four languages, chains and
rosters as the story wants them."""

from collections.abc import Iterable, Mapping

from hub.model.people import (
    Address,
    Asked,
    Chain,
    Contact,
    Discipline,
    Group,
    Language,
    Person,
    Registered,
    Role,
    Roster,
    Tier,
)
from hub.model.signal import Hazard, Severity
from hub.people.directory import Directory
from hub.playbook.dossiers import Dossier
from hub.playbook.language import After, Call, Condition, Joining, Mode, Notify, Outcome, Playbook, Step, When
from hub.rules import InForce


def person(name: str, nth: int, language: Language, **more: object) -> Person:
    """Somebody with a telephone, for texts and calls, and a mailbox."""
    ways = (
        Address("sms", f"+3247000000{nth}"),
        Address("voice", f"+3247000000{nth}"),
        Address("email", f"{name}@centre.example"),
    )
    known: dict[str, object] = {"addresses": ways, "competences": ("officer",)} | more
    return Person(id=name, name=f"{name.title()} Example", language=language, **known)  # type: ignore[arg-type]


PEOPLE = {
    "anna": person("anna", 1, Language.FR, discipline=Discipline.D1),
    "bea": person("bea", 2, Language.NL, discipline=Discipline.D2),
    "carl": person("carl", 3, Language.DE, discipline=Discipline.D3),
    "dirk": person("dirk", 4, Language.EN, speaks=(Language.NL,), discipline=Discipline.D3),
    "emma": person("emma", 5, Language.FR),
    "director": person("director", 6, Language.FR, competences=("director",)),
    "police": person("police", 7, Language.NL, competences=()),
}


def tier(
    *ask: str,
    by: tuple[str, ...] = ("sms", "voice"),
    between_s: float = 90,
    minutes: float = 4,
    times: int = 1,
    in_turn: bool = False,
) -> Tier:
    """`ask`: `anna` (a person), `roster duty`, `group cell`, `competence officer`."""
    contacts = tuple(_contact(text) for text in ask)
    return Tier(ask=contacts, by=by, between_s=between_s, answer_s=minutes * 60, times=times, in_turn=in_turn)


def _contact(text: str) -> Contact:
    kind, _, name = text.rpartition(" ")
    return Contact(Asked(kind or "person"), name)


def chain(*tiers: Tier, id: str = "duty", need: int = 1, roles: tuple[Role, ...] = (), exhausted: str = "") -> Chain:
    return Chain(id=id, tiers=tiers, need=need, roles=roles, exhausted=exhausted)


DIRECTORS = chain(tier("director"), id="directors")


def sheet(
    name: str = "extreme-weather",
    hazard: str = "thunderstorm",
    *,
    ask: str = "weather-ask",
    over: str = "weather-over",
    call: str = "duty",
    partners: str = "",
) -> Playbook:
    """A sheet that calls a chain, tells the police once somebody has accepted (where `partners` is a message), and
    gives the all-clear."""
    steps = [Step(name="wake", action=Call(chain=call, say=ask))]
    if partners:
        told = Notify(say=partners, to=(Contact(Asked.PERSON, "police"),), by=("sms",))
        accepted = Condition(any=(After("wake", Outcome.ACCEPTED),))
        steps.append(Step(name="partners", action=told, after=accepted))
    steps.append(Step(name="over", action=Notify(say=over, everyone_reached=True), at_end=True))
    return Playbook(
        name=name,
        title={},
        version=f"{name}-1",
        owner="stories",
        mode=Mode.LIVE,
        when=(When(hazards=(Hazard(hazard),), severity=(Severity.SEVERE, Severity.EXTREME)),),
        incident=Joining(one_per=("hazard",)),
        steps=tuple(steps),
    )


WEATHER = sheet()
OUTAGE = sheet("emergency-calls-outage", "flood", ask="calls-ask", over="calls-over")


def rules(
    *chains: Chain,
    sheets: Iterable[Playbook] = (WEATHER,),
    rosters: Iterable[Roster] = (),
    groups: Mapping[str, tuple[str, ...]] | None = None,
    people: Iterable[Person] = (),
    registered: Iterable[Registered] = (),
    dossiers: Iterable[Dossier] = (),
) -> InForce:
    """`people`: in place of those of PEOPLE who have the same id; `registered`: of the public."""
    everybody = PEOPLE | {p.id: p for p in people}
    lists = [Group(id=name, members=members) for name, members in (groups or {}).items()]
    return InForce(
        sheets=sheets,
        chains={c.id: c for c in (*chains, DIRECTORS)},
        directory=Directory(everybody.values(), lists, registered=registered),
        rosters={roster.id: roster for roster in rosters},
        voices=frozenset({"voice"}),
        dossiers={dossier.name: dossier for dossier in dossiers},
        zone="Europe/Brussels",
    )


def asking(*people: str, **more: object) -> InForce:
    """One tier that asks these people, all at once."""
    return rules(chain(tier(*people, **more)))  # type: ignore[arg-type]
