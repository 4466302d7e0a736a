"""Reading the files of config/, one by one, and checking them as a whole."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from hub.binding import Word, bind, keys_of
from hub.config.access import check_access_list, rooms_of
from hub.config.addresses import made_to_ask
from hub.config.call_list import check_call_list
from hub.config.cap import check_cap
from hub.config.chains import chains_of
from hub.config.files import Files
from hub.config.followers import FollowerForm, check_playbooks, follower_of
from hub.config.foreign import bind_foreign
from hub.config.forms import ChainForm, ChannelForm, HubForm, PeopleForm, RoomForm, RosterForm, SourceForm, SourceMode
from hub.config.groups import Areas, organisations_of
from hub.config.lengths import check_lengths
from hub.config.people import Ways, check_people, people_of
from hub.config.providers import check_prefixes, routes_of
from hub.config.registered import registered_of
from hub.config.rosters import rosters_of
from hub.config.sheets import loaded, messages_in, named, playbooks_of, sheet_texts, written_messages
from hub.config.whole import (
    CHANNELS,
    FOLLOWERS,
    SOURCES,
    ChannelConfig,
    Config,
    Lookup,
    SourceConfig,
    fields_of,
    installed,
    ways_of,
)
from hub.connector import Abilities
from hub.dispatch.policy import limits_of
from hub.dispatch.route import Routes
from hub.findings import Finding, choice, errors
from hub.followers.followers import FollowerConfig
from hub.intake.beliefs import Trusted
from hub.intake.gazetteer_file import load_gazetteer
from hub.intake.geography import Geography, load_areas, shape_files
from hub.model.access import Room
from hub.model.people import Chain, Group, Organisation, Person, Registered, Roster
from hub.model.signal import VIGIE
from hub.people.directory import Directory
from hub.playbook.dossiers import Dossier, DossierForm, dossiers_of
from hub.playbook.language import Trust
from hub.playbook.lint import Known
from hub.playbook.messages import placeholders_of
from hub.rulebook import DAY, RULES
from hub.waivers import settle
from hub.yaml import Document
from hub.yaml import Mapping as MappingNode


def load(
    folder: Path,
    lookup: Lookup = installed,
    today: str = "",
    held: Mapping[str, str | None] | None = None,
    playbooks: Path | None = None,
) -> tuple[Config, list[Finding]]:
    """Reads a configuration and everything wrong with it. `today`: an ISO day, to see which reviews are overdue.
    `held`: texts to be taken in place of what stands in these files (None: as if the file were not there), by their
    names in `Config.texts`. `playbooks`: a folder of sheets in place of the one that hub.yaml names."""
    return _Loading(folder, lookup, today, held or {}, playbooks).load()


def load_hub(folder: Path) -> tuple[Config, list[Finding]]:
    """hub.yaml alone: where the hub is, and its journal."""
    files = Files(folder, {})
    hub = files.bound("hub.yaml", HubForm) or HubForm()
    return Config(folder=folder, hub=hub), files.found()


def _abilities(kind: Any, settings: Struct, name: str, public_url: str) -> Abilities:
    """What a channel can do as it is configured; what its kind can, where it cannot be made without its secrets."""
    made = made_to_ask(kind, settings, name, public_url)
    abilities: Abilities = kind.abilities if made is None else made.abilities
    return abilities


class _Loading:
    """One reading of a folder."""

    def __init__(
        self, folder: Path, lookup: Lookup, today: str, held: Mapping[str, str | None], playbooks: Path | None
    ) -> None:
        self._files = Files(folder, held)
        self._instead = playbooks
        self._folder = folder
        self._lookup = lookup
        self._today = today
        self._documents = self._files.documents
        self._unread: set[str] = set()  # channels, sources and messages that are there, but could not be read

    def load(self) -> tuple[Config, list[Finding]]:
        hub = self._files.bound("hub.yaml", HubForm) or HubForm()
        channels, routes = self._channels(hub.web.public)
        ways = ways_of(channels, hub.region)
        answering = [name for name, c in channels.items() if c.abilities.answers]
        geography = self._areas()
        directory = self._people(ways, Areas(geography))
        if "channels.yaml" in self._documents:
            check_prefixes(self._documents["channels.yaml"], routes, directory)
        rosters = self._rosters(directory, hub.zone)
        self._check_links(hub, [*rosters, *directory.people])
        if "hub.yaml" in self._documents:
            published = {name: one.public for name, one in hub.broadcasts.classes.items() if one.cap is not None}
            check_cap(self._documents["hub.yaml"], hub.cap, published, self._folder)
        if hub.call_list is not None:
            abilities = {name: channel.abilities for name, channel in channels.items()}
            check_call_list(self._documents["hub.yaml"], hub.call_list, directory, rosters, abilities)
        if hub.access_list is not None:
            abilities = {name: channel.abilities for name, channel in channels.items()}
            check_access_list(self._documents["hub.yaml"], hub.access_list, directory, rosters, abilities)
        rooms = self._rooms()
        chains = self._chains(directory, rosters, channels, answering)
        if hub.storms.call and hub.storms.call not in chains and "hub.yaml" in self._documents:
            document = self._documents["hub.yaml"]
            place = document.at("storms", "call")
            document.add(place, "unknown-chain", f'"{hub.storms.call}" is no chain', choice(hub.storms.call, chains))
        sources = self._sources()
        self._check_record(hub, sources)
        own = sheets = loaded(sheet_texts(self._files, hub.playbooks))
        if self._instead is not None:
            sheets = loaded(sheet_texts(self._files, str(self._instead.resolve())))
        messages = messages_in(self._files, own, sheets)
        self._unread |= written_messages(self._files) - messages.keys()
        known = Known(
            sheets=named(sheets),
            chains=chains,
            groups=directory.groups,
            people=directory.people,
            rosters=rosters,
            competences=directory.competences(),
            organisations=directory.organisations,
            messages=placeholders_of(messages),
            areas=() if geography is None else geography.places,
            sources=(*sources, VIGIE),
            channels=channels,
            voices=[name for name, channel in channels.items() if channel.abilities.voice],
            carriers=[name for name, channel in channels.items() if channel.abilities.attachments],
            classes={name: form.public for name, form in hub.broadcasts.classes.items()},
            grades={name: Trust(s.trusted.reliability, s.trusted.credibility) for name, s in sources.items()},
            days={} if geography is None else {p.id: (p.first_day, p.last_day) for p in geography.places.values()},
            rooms=rooms,
            fields=fields_of(sources.values()),
            reception=hub.access_list is not None,
            fall_backs=[chain.id for chain in chains.values() if chain.exhausted],
        )
        playbooks = playbooks_of(self._files, sheets, known, geography, self._today)
        config = Config(
            folder=self._folder,
            hub=hub,
            people=tuple(directory.people.values()),
            groups=tuple(directory.groups.values()),
            organisations=tuple(directory.organisations.values()),
            registered=self._registered(directory, ways, Areas(geography)),
            rosters=rosters,
            chains=chains,
            rooms=rooms,
            messages=messages,
            geography=geography,
            playbooks=playbooks,
            sources=sources,
            channels=channels,
            routes=routes,
            followers=self._followers(known.sheets),
            dossiers=self._dossiers(known),
            texts=self._files.texts,
            documents=self._documents,
        )
        check_lengths(config)
        findings = [f for f in self._files.found() if not self._follows(f)]
        wrong = bool(errors(findings))
        return config, settle(findings, self._files.by_file(), lambda rule: not wrong and self._judged(rule))

    def _judged(self, rule: str) -> bool:
        """Whether all there can be of a rule has been found: the rest needs more than the files (and where there is an
        error, what depends on that file was not looked for)."""
        return RULES[rule].asks == "" or (RULES[rule].asks == DAY and bool(self._today))

    def _follows(self, finding: Finding) -> bool:
        """Whether it only says that what could not be read is not there: one mistake gives one finding."""
        named = any(f'"{name}"' in finding.message for name in self._unread)
        return named and finding.rule in ("unknown-channel", "unknown-source", "unknown-message")

    # --- connectors ----------------------------------------------------------------------------------------

    def _channels(self, public: str) -> tuple[dict[str, ChannelConfig], Routes]:
        found: dict[str, ChannelConfig] = {}
        forms: dict[str, ChannelForm] = {}
        for name, node, document in self._entries("channels.yaml"):
            self._unread.add(name)
            form = self._own(document, node, ChannelForm, f"channel {name}")
            if form is None:
                continue
            made = self._connector(document, node, CHANNELS, form.type or name, ChannelForm, f"channel {name}")
            if made is not None:
                kind, settings = made
                abilities = _abilities(kind, settings, name, f"{public}/callback/{name}")
                limits = form.limits.over(limits_of("sms" if abilities.segments else name))
                if limits.width_asks >= limits.width or limits.burst_asks >= limits.burst:
                    document.add(
                        node.key("limits"),
                        "nothing-left",
                        f"channel {name} keeps everything for asks",
                        "raise at once or burst, or keep less for asks",
                    )
                self._unread.discard(name)
                forms[name] = form
                found[name] = ChannelConfig(
                    type=form.type or name,
                    make=kind,
                    settings=settings,
                    abilities=abilities,
                    limits=limits,
                    live_only=form.live_only,
                )
        abilities_of = {name: channel.abilities for name, channel in found.items()}
        routes = routes_of(self._documents["channels.yaml"], forms, abilities_of) if found else Routes()
        return found, routes

    def _sources(self) -> dict[str, SourceConfig]:
        found: dict[str, SourceConfig] = {}
        for name, node, document in self._entries("sources.yaml"):
            self._unread.add(name)
            if name == VIGIE:
                message = f"{VIGIE} is the source of what the hub itself finds out"
                document.add(node, "reserved-name", message, "call this source something else")
                continue
            form = self._own(document, node, SourceForm, f"source {name}")
            if form is None:
                continue
            made = self._connector(document, node, SOURCES, form.type, SourceForm, f"source {name}")
            if made is not None:
                self._unread.discard(name)
                trusted = Trusted(
                    reliability=form.reliability,
                    credibility=form.credibility,
                    origin=form.origin,
                    shadow=form.mode is SourceMode.SHADOW,
                )
                found[name] = SourceConfig(
                    type=form.type, make=made[0], settings=made[1], trusted=trusted, expect_s=form.expect
                )
        return found

    def _dossiers(self, known: Known) -> dict[str, Dossier]:
        """Who has no dossiers.yaml follows no theme."""
        forms = None
        if self._files.has("dossiers.yaml"):
            forms = self._files.bound("dossiers.yaml", dict[Word, DossierForm])
        if forms is None:
            return {}
        return dossiers_of(self._documents["dossiers.yaml"], forms, known, self._today)

    def _followers(self, sheets: Collection[str]) -> dict[str, FollowerConfig]:
        """Who has no followers.yaml is followed by nobody."""
        found: dict[str, FollowerConfig] = {}
        for name, node, document in self._entries("followers.yaml") if self._files.has("followers.yaml") else ():
            form = self._own(document, node, FollowerForm, f"follower {name}")
            if form is None:
                continue
            check_playbooks(document, node, form, sheets)
            made = self._connector(document, node, FOLLOWERS, form.type, FollowerForm, f"follower {name}")
            if made is not None:
                found[name] = follower_of(form, *made)
        return found

    def _entries(self, name: str) -> list[tuple[str, MappingNode, Document]]:
        """The named entries of a file of connectors."""
        document = self._files.document(name)
        if document is None or (document.root is None and document.findings):
            return []
        if not isinstance(document.root, MappingNode):
            document.add(
                document.root, "wrong-shape", "this file is no mapping", 'write "name:", and below it its keys'
            )
            return []
        entries: list[tuple[str, MappingNode, Document]] = []
        for key, node in document.root.entries:
            if isinstance(node, MappingNode):
                entries.append((key.text, node, document))
            else:
                document.add(key, "wrong-shape", f"{key.text} is no mapping", "write its keys below it, indented")
        return entries

    def _own(self, document: Document, node: MappingNode, kind: type[Any], what: str) -> Any:
        """The keys the hub itself reads."""
        own = set(keys_of(kind))
        foreign = {key.text for key, _ in node.entries} - own
        return bind(document, node, kind, what, besides=foreign)

    def _connector(
        self, document: Document, node: MappingNode, group: str, kind: str, form: type[Struct], what: str
    ) -> tuple[Any, Struct] | None:
        known = self._lookup(group)
        place = node.get("type") or node
        if kind not in known:
            document.add(place, "unknown-type", f'there is no connector "{kind}"', choice(kind, known))
            return None
        try:
            made: Any = known[kind]()
        except Exception as error:  # somebody else's package may raise anything while it is imported
            document.add(place, "broken-connector", f'connector "{kind}" cannot be loaded: {error}', "install it again")
            return None
        own = set(keys_of(form))
        settings = bind_foreign(document, node, made.Config, what, own)
        return None if settings is None else (made, settings)

    # --- people --------------------------------------------------------------------------------------------

    def _people(self, ways: Ways, areas: Areas) -> Directory:
        """people.yaml, and for those who have thousands any number of people/*.yaml in the same form."""
        more = sorted(f"people/{path.name}" for path in (self._folder / "people").glob("*.yaml"))
        forms = {
            name: form for name in ("people.yaml", *more) if (form := self._files.bound(name, PeopleForm)) is not None
        }
        organisations: dict[str, Organisation] = {}
        people: dict[str, Person] = {}
        groups: dict[str, Group] = {}
        for name, form in forms.items():
            document = self._documents[name]
            organised = organisations_of(document, form, areas)
            _say_twice(document, "organisations", [o.id for o in organised if o.id in organisations])
            organisations.update({o.id: o for o in organised})
        for name, form in forms.items():
            document = self._documents[name]
            found, grouped = people_of(document, form, ways, organisations, areas)
            _say_twice(document, "people", [p.id for p in found if p.id in people])
            _say_twice(document, "groups", [g.id for g in grouped if g.id in groups])
            people.update({p.id: p for p in found})
            groups.update({g.id: g for g in grouped})
        directory = Directory(people.values(), groups.values(), ways.region, organisations.values())
        for name, form in forms.items():
            check_people(self._documents[name], form, directory, areas)
        return directory

    def _registered(self, directory: Directory, ways: Ways, areas: Areas) -> tuple[Registered, ...]:
        """Those of the public who registered, of all files; nobody has the id of somebody of the directory."""
        found: dict[str, Registered] = {}
        for path in sorted((self._folder / "registered").glob("*.csv")):
            name = f"registered/{path.name}"
            text = self._files.text(name)
            if text is None:
                continue
            file = f"{self._folder.name}/{name}"
            registered, findings = registered_of(self._files.texts[name], file, ways, areas)
            self._files.findings += findings
            for one in registered:
                if one.id in found or one.id in directory.people:
                    self._files.note(file, "id-twice", f"{one.id} is somebody else's id, too", "give each their own")
                found[one.id] = one
        return tuple(found.values())

    def _rosters(self, directory: Directory, zone: str) -> dict[str, Roster]:
        forms = self._files.bound("rosters.yaml", dict[str, RosterForm])
        if forms is None:
            return {}
        return rosters_of(self._documents["rosters.yaml"], forms, directory.people, zone, self._today)

    def _rooms(self) -> dict[str, Room]:
        """Who has no rooms.yaml lets nobody in."""
        forms = self._files.bound("rooms.yaml", dict[Word, RoomForm]) if self._files.has("rooms.yaml") else None
        return {} if forms is None else rooms_of(self._documents["rooms.yaml"], forms)

    def _check_record(self, hub: HubForm, sources: Collection[str]) -> None:
        for index, name in enumerate(hub.record.sources if hub.record is not None else ()):
            if name not in sources and name not in self._unread:
                document = self._documents["hub.yaml"]
                place = document.at("record", "sources", index)
                document.add(place, "unknown-source", f'"{name}" is no source', choice(name, sources))

    def _check_links(self, hub: HubForm, names: Collection[str]) -> None:
        for name in hub.calendar_links:
            if name not in names:
                document = self._documents["hub.yaml"]
                place = document.at("calendar links", name)
                message = f'"{name}" is neither a roster nor a person'
                document.add(place, "unknown-name", message, choice(name, names))

    def _chains(
        self,
        directory: Directory,
        rosters: Mapping[str, Roster],
        channels: Mapping[str, ChannelConfig],
        answering: Collection[str],
    ) -> dict[str, Chain]:
        forms = self._files.bound("chains.yaml", dict[str, ChainForm])
        if forms is None:
            return {}
        voices = [name for name, channel in channels.items() if channel.abilities.voice]
        return chains_of(self._documents["chains.yaml"], forms, directory, rosters, channels, answering, voices)

    # --- what is read by its own room ----------------------------------------------------------------------

    def _areas(self) -> Geography | None:
        text = self._files.text("areas.yaml")
        if text is None:
            return None
        shapes: dict[str, str] = {}
        for name in shape_files(text, "areas.yaml"):
            shape = self._files.text(name)
            if shape is not None:
                shapes[name] = shape.decode("utf-8", "replace")
        geography, findings = load_areas(text, f"{self._folder.name}/areas.yaml", shapes)
        self._files.findings += findings
        return geography if geography is None else self._with_gazetteer(geography)

    def _with_gazetteer(self, geography: Geography) -> Geography:
        """Who has no gazetteer.yaml reads no text for places."""
        text = self._files.text("gazetteer.yaml") if self._files.has("gazetteer.yaml") else None
        if text is None:
            return geography
        file = f"{self._folder.name}/gazetteer.yaml"
        gazetteer, findings = load_gazetteer(text, file, geography.places, geography.lies_in)
        self._files.findings += findings
        return geography if gazetteer is None else geography.reading(gazetteer)


def _say_twice(document: Document, part: str, ids: Collection[str]) -> None:
    for twice in ids:
        document.add(document.at(part, twice), "key-twice", f"{twice} is in another file too", "keep one")
