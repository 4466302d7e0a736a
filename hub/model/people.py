"""People, the ways to reach them, and the chains that find someone who answers."""

from enum import StrEnum

from msgspec import Struct


class Language(StrEnum):
    FR = "fr"
    NL = "nl"
    DE = "de"
    EN = "en"


class Discipline(StrEnum):
    """Belgian emergency planning (royal decree of 22 May 2019)."""

    D1 = "D1"  # rescue
    D2 = "D2"  # medical, sanitary and psychosocial aid
    D3 = "D3"  # police of the place
    D4 = "D4"  # logistic support
    D5 = "D5"  # information to the population


class Classification(StrEnum):
    """Who may see something. Who may see one of these may see those before it, too."""

    PUBLIC = "public"
    PARTNERS = "partners"
    INTERNAL = "internal"  # the centre's own people

    def within(self, sees: "Classification") -> bool:
        """Whether somebody who may see `sees` may see this."""
        return _CLASSES.index(self) <= _CLASSES.index(sees)


_CLASSES = tuple(Classification)


class Address(Struct, frozen=True, array_like=True, gc=False):
    """One way to reach somebody: the channel's name (`sms`, `voice`, `email`) and the address on it. `live_only`: no
    exercise and no test ever uses it. `seen_by`: on what leaves the hub as a document; never more than their name."""

    channel: str
    address: str
    live_only: bool = False
    seen_by: Classification = Classification.INTERNAL


class Person(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """`id` is a word that may stand in records; name and addresses are personal and lie in the vault.

    `organisation`: an organisation's id, or a text of which the directory knows nothing more. `discipline`: theirs,
    else their organisation's. `addresses`: of one channel in the order to be tried. `exercises`: they take part.
    `desk`: it is no person but a desk with a phone of its own. `seen_by`: who may see their name and when they are on
    duty. `sees`: what they may see of others; None: what their organisation may.
    """

    id: str
    name: str
    language: Language = Language.FR
    speaks: tuple[Language, ...] = ()  # besides `language`
    organisation: str = ""
    discipline: Discipline | None = None
    competences: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    exercises: bool = True
    desk: bool = False
    seen_by: Classification = Classification.INTERNAL
    sees: Classification | None = None


class Registered(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One of the public who registered to be alerted at their address. `id` may stand in records and says nothing;
    `commune`: an id of config/areas.yaml; `number`: the house's, without letters; `at`: latitude and longitude (WGS 84,
    degrees), where known."""

    id: str
    language: Language
    commune: str
    street: str = ""
    number: int | None = None
    at: tuple[float, float] | None = None
    addresses: tuple[Address, ...] = ()


class Edited(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Somebody as changed while running, as it lies in the vault. `person`: the whole of them; None: taken out of the
    directory. `over`: which entry of the files it was made over (hub.people.layers.version_of), `""` for none."""

    person: Person | None
    over: str = ""


class Organisation(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Whom people work for. `kind`: commune, police-zone, fire ... `communes`: the communes it serves, by their ids in
    config/areas.yaml. `sees`: what its people may see of others."""

    id: str
    names: dict[Language, str]
    kind: str
    discipline: Discipline | None = None
    communes: tuple[str, ...] = ()
    sees: Classification = Classification.PUBLIC


class Query(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Who is in a group, by what they are: every field that says something must hold, by any of its values."""

    competences: tuple[str, ...] = ()
    disciplines: tuple[Discipline, ...] = ()
    organisations: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # of organisation
    languages: tuple[Language, ...] = ()  # their own or one they speak besides
    communes: tuple[str, ...] = ()  # that their organisation serves
    also: tuple[str, ...] = ()  # people who are in it whatever they are
    but_not: tuple[str, ...] = ()  # people who are not in it, whatever else is said


class Group(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A named list of people; with a query, those who meet it when one asks."""

    id: str
    members: tuple[str, ...] = ()
    query: Query | None = None


class Shift(Struct, frozen=True, array_like=True, gc=False):
    """Who is on duty from when (UTC, ISO 8601, included) to when (excluded); no bounds: always."""

    people: tuple[str, ...]
    start: str = ""
    end: str = ""


class Layer(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """People who take turns. All times are of the roster's zone.

    `turns`: who has each turn, over and over; the first one's begins on the day `first` (ISO 8601) at `at` (HH:MM), and
    each lasts `days` days. `hours`: on duty only between these times of day (HH:MM, HH:MM; past midnight where the
    second is not later); `on`: only on days of these kinds (`mon` to `sun`, `holiday`), by the day the hours begin on.
    Empty: always.
    """

    turns: tuple[tuple[str, ...], ...]
    first: str
    days: int = 7
    at: str = "08:00"
    hours: tuple[str, str] | None = None
    on: tuple[str, ...] = ()


class Override(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """From `start` to `end` (UTC, ISO 8601, the end excluded) these people are on duty, whatever the layers say, or
    besides whoever is."""

    people: tuple[str, ...]
    start: str
    end: str
    besides: bool = False


class Roster(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Who is on duty: of the layers the last one that has somebody, else the shifts; overrides go before all.
    `zone`: IANA time zone of the layers' times. `notice_s`: how long before a handover those who go and those who come
    are told of it (0: they are not). `may_be_empty`: at times nobody is on duty, on purpose."""

    id: str
    shifts: tuple[Shift, ...] = ()
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()
    zone: str = "UTC"
    notice_s: float = 0.0
    may_be_empty: bool = False


class Part(StrEnum):
    """What there is in the directory and the rosters besides people."""

    GROUP = "group"
    ORGANISATION = "organisation"
    ROSTER = "roster"


class EditedPart(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A group, an organisation or a roster (without what acts put others in place for a time) as changed while running,
    as it lies in the vault; none of them: taken out. `over`: which entry of the files it was made over
    (hub.people.layers.version_of), `""` for none."""

    group: Group | None = None
    organisation: Organisation | None = None
    roster: Roster | None = None
    over: str = ""

    @property
    def entry(self) -> "Group | Organisation | Roster | None":
        return self.group or self.organisation or self.roster


class Asked(StrEnum):
    """How a tier names its people."""

    PERSON = "person"
    GROUP = "group"
    ROSTER = "roster"
    COMPETENCE = "competence"
    ORGANISATION = "organisation"


class Contact(Struct, frozen=True, array_like=True, gc=False):
    """`roster sitcen-on-call`, `group crisis-cell`, `person officer-a`, `competence duty-officer`."""

    kind: Asked
    id: str


class Tier(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """People asked at the same time: by which channels, in order, how long apart, how long to answer, how often.

    `between_s`: seconds from an attempt on one channel to the next channel's. `answer_s`: seconds a person has
    to answer, from the first attempt that really went out. `times`: how often the whole tier is gone through.
    `in_turn`: one person after the other, in their order, instead of all at once.
    """

    ask: tuple[Contact, ...]
    by: tuple[str, ...]
    between_s: float = 90.0
    answer_s: float = 240.0
    times: int = 1
    in_turn: bool = False


class Plays(StrEnum):
    """By what a quorum tells people apart."""

    DISCIPLINE = "discipline"
    SPEAKS = "speaks"
    COMPETENCE = "competence"
    ORGANISATION = "organisation"
    GROUP = "group"


class Role(Struct, frozen=True, array_like=True, gc=False):
    """Of those who accept, at least `count` must be this: `speaks nl`, `discipline D3`, `competence duty-officer`."""

    kind: Plays
    id: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Steer(StrEnum):
    """What an officer does with a chain under way."""

    HOLD = "hold"  # nobody more is asked until it goes on; who answers meanwhile counts
    RESUME = "resume"
    CANCEL = "cancel"
    AGAIN = "again"  # one that has ended begins anew; nobody who accepted is asked again
    HAND_OVER = "hand-over"  # to a person, who has agreed, or to another chain


class Storms(Struct, frozen=True, kw_only=True):
    """What is a storm. More than `messages` to one person over one channel in `messages_s` seconds come as a digest;
    more than `incidents` opened in `incidents_s` are told to the room, and the chain `call` asks for more hands."""

    messages: int = 6
    messages_s: float = 1800.0
    incidents: int = 10
    incidents_s: float = 600.0
    call: str = ""


class Chain(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Tiers of people, gone through until enough have accepted or all are exhausted.

    Enough is `need` people, among them those of each of the `roles`; one person may count for several.
    `exhausted` names the chain to go on with then; the alarm in the room is raised in any case.
    """

    id: str
    tiers: tuple[Tier, ...]
    need: int = 1
    exhausted: str = ""
    roles: tuple[Role, ...] = ()
