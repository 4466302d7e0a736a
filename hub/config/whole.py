"""Everything config/ says about a centre, as it was read."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from msgspec import Struct

from hub.config.access import reception_of
from hub.config.call_list import rhythm_of
from hub.config.forms import HubForm
from hub.config.people import Ways
from hub.connector import Abilities
from hub.dispatch.policy import Limits
from hub.dispatch.render import Texts
from hub.dispatch.route import Routes
from hub.followers.followers import FollowerConfig
from hub.intake.beliefs import Trusted
from hub.intake.geography import Geography
from hub.model.access import Reception, Room
from hub.model.enclosure import CallListRhythm
from hub.model.message import Message
from hub.model.people import Chain, Group, Language, Organisation, Person, Registered, Roster, Storms
from hub.model.signal import Status
from hub.people.directory import Directory
from hub.playbook.language import Playbook
from hub.report.figures import Ground
from hub.report.known import Known as DirectoryKnown
from hub.yaml import Document

SOURCES, CHANNELS, FOLLOWERS = "vigie.sources", "vigie.channels", "vigie.followers"

Lookup = Callable[[str], Mapping[str, Callable[[], type]]]
"""For an entry point group the connectors by name; calling one loads its class."""


class SourceConfig(Struct, frozen=True, kw_only=True):
    """`make(settings, environment)` gives the source."""

    type: str
    make: Any
    settings: Struct
    trusted: Trusted
    expect_s: float = 0.0  # it says something, or is asked and answers, within that; 0: whenever it likes


class ChannelConfig(Struct, frozen=True, kw_only=True):
    """`make(settings, environment)` gives the channel."""

    type: str
    make: Any
    settings: Struct
    abilities: Abilities
    limits: Limits
    live_only: bool = False


class Config(Struct, frozen=True, kw_only=True):
    """Everything config/ says. Where there are errors it holds whatever could be read. `texts`: the files as read, by
    name (`people.yaml`, `playbooks/extreme-weather.yaml`), to be put in force; `documents`: for findings made later."""

    folder: Path
    hub: HubForm
    people: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    registered: tuple[Registered, ...] = ()
    rosters: dict[str, Roster] = {}
    chains: dict[str, Chain] = {}
    rooms: dict[str, Room] = {}
    messages: dict[str, Message] = {}
    geography: Geography | None = None
    playbooks: tuple[Playbook, ...] = ()
    sources: dict[str, SourceConfig] = {}
    channels: dict[str, ChannelConfig] = {}
    routes: Routes = Routes()
    followers: dict[str, FollowerConfig] = {}
    texts: dict[str, str] = {}
    documents: dict[str, Document] = {}

    def path(self, text: str) -> Path:
        """A path of hub.yaml."""
        return (self.folder / text).resolve()

    def directory(self) -> Directory:
        live = [name for name, channel in self.channels.items() if channel.live_only]
        return Directory(
            self.people,
            self.groups,
            self.hub.region,
            self.organisations,
            self.registered,
            live_channels=live,
            exercise_channels=self.routes.exercises.values(),
        )

    def ways(self) -> Ways:
        """What addresses there can be."""
        return ways_of(self.channels, self.hub.region)

    def known(self, status: Status = Status.ACTUAL, directory: Directory | None = None) -> DirectoryKnown:
        """What documents of the directory are made of."""
        ways = self.ways()
        return DirectoryKnown(
            directory=directory or self.directory(),
            rosters=self.rosters,
            chains=self.chains,
            phones=frozenset(ways.phones),
            mails=frozenset(ways.mails),
            zone=self.hub.zone,
            region=self.hub.region,
            hub=self.hub.name,
            status=status,
            rooms=self.rooms,
            ground=self.ground(),
            headings=self.hub.sitrep,
        )

    def ground(self) -> dict[str, Ground]:
        """The centre's own areas with their outlines, the widest first."""
        if self.geography is None:
            return {}
        outlines = self.geography.outlines()
        return {
            place.id: Ground(
                id=place.id,
                names={language.value: name for language, name in place.names.items()},
                within=self.geography.lies_in(place.id),
                rings=outlines.get(place.id, ()),
            )
            for place in self.geography.widest_first()
        }

    def storms(self) -> Storms:
        form = self.hub.storms
        (messages, messages_s), (incidents, incidents_s) = form.messages, form.incidents
        return Storms(
            messages=messages, messages_s=messages_s, incidents=incidents, incidents_s=incidents_s, call=form.call
        )

    def titles(self) -> dict[str, Mapping[Language, str]]:
        return {sheet.name: sheet.title for sheet in self.playbooks}

    def texts_in_force(self) -> Texts:
        """The words dispatch renders with."""
        geography = self.geography
        places = {} if geography is None else geography.places
        return Texts(
            messages=self.messages,
            titles=self.titles(),
            areas={p.id: p.names for p in places.values()},
            lies_in={} if geography is None else {place: geography.lies_in(place) for place in places},
            zone=self.hub.zone,
        )

    def limits(self) -> dict[str, Limits]:
        return {name: channel.limits for name, channel in self.channels.items()}

    def carriers(self) -> frozenset[str]:
        """The channels on which files go along."""
        return frozenset(name for name, channel in self.channels.items() if channel.abilities.attachments)

    def call_list(self, status: Status) -> CallListRhythm | None:
        """When the call list is made and where it goes; `status` of all of it."""
        form = self.hub.call_list
        return None if form is None else rhythm_of(form, self.hub.zone, status)

    def reception(self) -> Reception | None:
        """Who is sent the access list."""
        form = self.hub.access_list
        return None if form is None else reception_of(form)

    def voices(self) -> frozenset[str]:
        return frozenset(name for name, channel in self.channels.items() if channel.abilities.voice)


def installed(group: str) -> Mapping[str, Callable[[], type]]:
    """The connectors that are installed, ours and others'."""
    return {point.name: point.load for point in entry_points(group=group)}


def fields_of(sources: Iterable[SourceConfig]) -> set[str]:
    """What is asked on forms: the names of what their signals say besides."""
    asked: set[str] = set()
    for source in sources:
        fields = getattr(source.make, "fields", None)  # a promise that only forms make (connectors/form)
        asked |= set(fields(source.settings)) if fields is not None else set()
    return asked


def ways_of(channels: Mapping[str, ChannelConfig], region: str) -> Ways:
    phones = [name for name, c in channels.items() if c.abilities.numbers]
    return Ways(channels, phones, [name for name, c in channels.items() if c.type == "email"], region)
