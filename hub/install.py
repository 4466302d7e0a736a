"""Putting the configuration in force: each text becomes a fact under its hash, and open incidents keep the version of
their sheet that opened them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.config import Config
from hub.config.authors import Author, author_of
from hub.dispatch.route import Routes
from hub.engine import sources
from hub.engine.channels import FAILING, FOLLOWER_BEHIND, FOLLOWER_FAILING, SILENT
from hub.engine.state import State
from hub.journal import Journal
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Edited, EditedPart, Part
from hub.model.signal import Status
from hub.people.answers import understand
from hub.people.directory import Directory
from hub.people.instead import whom
from hub.people.layers import NO_PART, NOTHING, Layers
from hub.playbook.language import Mode, Playbook
from hub.playbook.load import load
from hub.report.known import Known
from hub.rules import InForce
from hub.sourcewatch import FINDINGS

PRIVATE = frozenset({"people.yaml", "rosters.yaml"})  # files that name people; those of people/ and registered/ do too

RELOAD = "vigie reload"

_edited = msgspec.json.Decoder(Edited)
_edited_part = msgspec.json.Decoder(EditedPart)

log = structlog.get_logger(__name__)


class Understanding(Struct, frozen=True):
    """Whose an address is and what words mean (hub.intake.intake.Understanding)."""

    directory: Directory
    routes: Routes = Routes()

    def person_at(self, channel: str, address: str) -> str:
        return self.directory.find(address)

    def channel_of(self, connector: str, person: str) -> str:
        """The channel by which the person has that provider; the connector itself where they are reached by it, or
        by none of its channels."""
        for channel in (connector, *self.routes.used_by(connector)):
            if self.directory.address(person, channel):
                return channel
        return next(iter(self.routes.used_by(connector)), connector)

    def understand(self, text: str) -> r.ReplyReceived:
        words = understand(text)
        return r.ReplyReceived(
            channel="",
            person="",
            verb=words.verb,
            code=words.code,
            everything=words.everything,
            eta_min=words.eta_min,
            to=whom(self.directory, words.instead) if words.instead else "",
        )


class Coming(Struct, frozen=True):
    """A configuration that is to be in force from a fact on; its directory takes a while to make."""

    config: Config
    files: Directory


class Installation:
    """What is in force. `rules()` comes first, `install()` once the journal's follower runs. `status`: of what the hub
    does of itself; Exercise in a playback."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        now: Callable[[], datetime],
        ids: Ids,
        status: Status = Status.ACTUAL,
    ) -> None:
        self.config = config
        self._journal = journal
        self._now = now
        self._ids = ids
        self._status = status
        self.in_force: InForce
        self.files = config.directory()
        self.layers = Layers()
        self.understanding = Understanding(self.files, config.routes)
        self._coming: dict[str, Coming] = {}  # by the fact with which it is in force

    async def rules(self, state: State) -> InForce:
        """The rules in force, with what was changed while running and the earlier versions of sheets that open
        incidents still run on."""
        edited = await edited_of(self._journal, [known.change for known in state.edited.values()])
        self.layers.people = {p: (known.change, edited[known.change]) for p, known in state.edited.items()}
        parts = await _parts_of(self._journal, [known.change for known in state.parts.values()])
        for key, part_change in state.parts.items():
            part, _, name = key.partition("/")
            self.layers.parts[Part(part), name] = (part_change.change, parts[part_change.change])
        self.layers.rosters = {change: (known.roster, known.overrides) for change, known in state.rosters.items()}
        self.layers.modes = {sheet: (known.change, known.mode) for sheet, known in state.modes.items()}
        return self._lay_all(await self._earlier(state))

    def change(self, entry: r.Entry, state: State) -> InForce:
        """The rules in force once a change of people, rosters or modes counts, or a configuration that was read."""
        before = dict(self.layers.modes)
        self.layers.take(entry.record, entry.live)
        if coming := self._coming.pop(entry.record.id, None):
            self.config, self.files = coming.config, coming.files
            return self._lay_all(self._stillrun_on(state))
        if before != self.layers.modes:
            self.in_force = self.in_force.with_sheets(self._sheets(), self._stillrun_on(state))
        return self._lay()

    def _lay_all(self, earlier: Sequence[Playbook]) -> InForce:
        self.in_force = rules_of(self.config, self._status, earlier, self.files, self._sheets())
        return self._lay()

    def _lay(self) -> InForce:
        directory = self.layers.directory(self.files)
        self.in_force = self.in_force.with_people(directory, self.layers.over(self.config.rosters))
        self.understanding = Understanding(directory, self.config.routes)
        return self.in_force

    def _sheets(self) -> list[Playbook]:
        """As the files have them, in the modes that acts have given them."""
        modes = {sheet: Mode(mode) for sheet, (_, mode) in self.layers.modes.items()}
        return [replace(sheet, mode=modes.get(sheet.name, sheet.mode)) for sheet in self.config.playbooks]

    def known(self, status: Status) -> Known:
        """What documents of the directory are made of."""
        known = self.config.known(status, self.in_force.directory)
        return replace(known, rosters=self.in_force.rosters)

    def _stillrun_on(self, state: State) -> list[Playbook]:
        """The versions that open incidents run on, of those known so far."""
        known = [self.in_force.playbook(*version) for version in run_on(state)]
        return [sheet for sheet in known if sheet is not None]

    async def _earlier(self, state: State) -> list[Playbook]:
        current = {(s.name, s.version) for s in self.config.playbooks}
        found: list[Playbook] = []
        for name, version in sorted(run_on(state) - current):
            (fact,) = await self._journal.get([state.versions.get(f"{name}/{version}", "")])
            sheet = None
            if isinstance(fact, r.Fact) and isinstance(fact.body, r.Installed):
                sheet, _ = load(fact.body.text, f"{name} (version {version[:12]}, from the journal)")
            if sheet is None:
                log.error("an open incident's sheet cannot be read back", playbook=name, version=version)
            else:
                # Its hash names the text as it was put in force, whatever today's reader makes of it.
                found.append(replace(sheet, version=version))
        return found

    async def install(self, state: State, read: r.FilesRead | None = None) -> int:
        """As the hub comes up: makes facts of what is new in the configuration and of what is gone from it. `read`:
        what is to be said of its files. Returns how many."""
        facts, vault = await self._facts(self.config, self.files, state)
        facts += self._no_longer(state)
        if read is not None:
            facts.insert(0, self._fact(read))
        if facts:
            await self._journal.put_facts(facts, vault)
        return len(facts)

    async def reload(self, config: Config, state: State, read: r.FilesRead) -> tuple[str, list[r.Fact]]:
        """A configuration that was read while the hub runs is in force as soon as the engine comes to its fact. Returns
        that fact, and those of what is new. Raises JournalUnavailable."""
        files = await trio.to_thread.run_sync(config.directory)
        facts, vault = await self._facts(config, files, state, read.by)
        said = self._fact(read)
        self._coming[said.id] = Coming(config, files)
        try:
            await self._journal.put_facts([said, *facts], vault)
        except BaseException:  # it is read again
            self._coming.pop(said.id, None)
            raise
        return said.id, facts

    async def _facts(
        self, config: Config, files: Directory, state: State, by: str = ""
    ) -> tuple[list[r.Fact], list[r.VaultEntry]]:
        """What of a configuration is not in force yet, and what is and is gone from it. `by`: who asked for it."""
        known = {name: (one.version, one.mode) for name, one in state.in_force.items()}
        texts, new = await trio.to_thread.run_sync(_new_in, config, known, by)  # hashing, and asking git who wrote it
        facts: list[r.Fact] = []
        vault: list[r.VaultEntry] = []
        for text, author in new:
            fact = self._fact(text.installed(author))
            if text.private:
                fact = replace(fact, vault=fact.id)
                vault.append(r.VaultEntry(key=fact.id, payload=text.text.encode(), media_type="application/yaml"))
            facts.append(fact)
        for retired in sorted(set(known) - {f"{text.what}/{text.name}" for text in texts}):
            what, _, name = retired.partition("/")
            facts.append(self._fact(r.Retired(what=what, name=name, by=by, how=RELOAD if by else "")))
        modes = {sheet.name: str(sheet.mode) for sheet in config.playbooks}
        for change in self.layers.said_by(files, config.rosters, modes):
            facts.append(self._fact(r.ChangeReverted(change=change, by="hub", why="the files say the same")))
        return facts, vault

    def _no_longer(self, state: State) -> list[r.Fact]:
        """Troubles with what is configured no more are over."""
        facts: list[r.Fact] = []
        connectors = {**self.config.sources, **self.config.channels}
        for alarm in state.alarms.values():
            if alarm.what in (sources.FAILING, sources.EXPIRING) and alarm.about not in connectors:
                gone = r.SourceChanged(source=alarm.about, health="ok", reason="no longer configured")
                facts.append(self._fact(gone))
            if alarm.what in FINDINGS and alarm.about not in self.config.sources:
                facts.append(self._fact(r.SourceWatched(source=alarm.about, what=alarm.what, over=True)))
            if alarm.what in (FAILING, SILENT) and alarm.about not in self.config.channels:
                away = r.ChannelChanged(channel=alarm.about, health="ok", reason="no longer configured")
                facts.append(self._fact(away))
            if alarm.what in (FOLLOWER_FAILING, FOLLOWER_BEHIND) and alarm.about not in self.config.followers:
                left = r.FollowerChanged(follower=alarm.about, health="ok", reason="no longer configured")
                facts.append(self._fact(left))
        return facts

    def _fact(self, body: r.FactBody) -> r.Fact:
        at = self._now()
        return r.Fact(id=self._ids.new(at), at=at, body=body)


def run_on(state: State) -> set[tuple[str, str]]:
    """The versions of sheets that incidents run on, also in shadow."""
    states = [state] if state.shadow is None else [state, state.shadow]
    return {(i.playbook, i.version) for one in states for i in one.incidents.values()}


def _new_in(
    config: Config, known: Mapping[str, tuple[str, str]], by: str
) -> tuple[list["Text"], list[tuple["Text", Author]]]:
    """All texts, and those that are not known, with who stands behind each."""
    texts = texts_of(config)
    new = [text for text in texts if known.get(f"{text.what}/{text.name}") != (text.version, text.mode)]
    return texts, [(text, Author(by, RELOAD) if by else author_of(path_of(config, text.file))) for text in new]


def path_of(config: Config, name: str) -> Path:
    """Where a file of the configuration lies, by its name in `Config.texts`."""
    sheets = config.path(config.hub.playbooks)
    first, _, rest = name.partition("/")
    return sheets / rest if rest and first == sheets.name else config.folder / name


def rules_of(
    config: Config,
    status: Status,
    earlier: Sequence[Playbook] = (),
    files: Directory | None = None,
    sheets: Sequence[Playbook] | None = None,
) -> InForce:
    """The rules that a configuration makes. `files`: its directory, where that is at hand; `sheets`: in place of its
    own."""
    return InForce(
        sheets=config.playbooks if sheets is None else sheets,
        earlier=earlier,
        chains=config.chains,
        directory=files or config.directory(),
        rosters=config.rosters,
        voices=config.voices(),
        status=status,
        carriers=config.carriers(),
        call_list=config.call_list(status),
        storms=config.storms(),
        dossiers=config.dossiers,
        zone=config.hub.zone,
        reception=config.reception(),
    )


async def edited_of(journal: Journal, changes: Sequence[str]) -> dict[str, Edited]:
    """How people were changed, by the change: nobody where that was erased, or cannot be read."""
    found = dict.fromkeys(changes, NOTHING)
    for change, entry in zip(changes, await journal.vault(changes), strict=True):
        try:
            found[change] = _edited.decode(entry.payload) if entry is not None else NOTHING
        except msgspec.MsgspecError as error:
            log.error("a change of a person cannot be read back", change=change, error=str(error))
    return found


async def _parts_of(journal: Journal, changes: Sequence[str]) -> dict[str, EditedPart]:
    """How groups, organisations and rosters were changed, by the change."""
    found = dict.fromkeys(changes, NO_PART)
    for change, entry in zip(changes, await journal.vault(changes), strict=True):
        try:
            found[change] = _edited_part.decode(entry.payload) if entry is not None else NO_PART
        except msgspec.MsgspecError as error:
            log.error("a change of a group or a roster cannot be read back", change=change, error=str(error))
    return found


class Text(Struct, frozen=True):
    """A text to be put in force. `private`: it names people, so it lies in the vault."""

    what: str
    name: str
    version: str
    mode: str
    text: str
    private: bool
    file: str

    def installed(self, author: Author) -> r.Installed:
        """What the journal is told of it."""
        return r.Installed(
            what=self.what,
            name=self.name,
            version=self.version,
            mode=self.mode,
            text="" if self.private else self.text,
            file=self.file if self.what == "playbook" else "",
            by=author.by,
            how=author.how,
        )


def is_private(file: str) -> bool:
    """Whether a file of the configuration names people."""
    return file in PRIVATE or file.startswith(("people/", "registered/"))


def texts_of(config: Config) -> list[Text]:
    """Every sheet, and every file of the configuration."""
    sheets = {sheet.version: sheet for sheet in config.playbooks}
    found: list[Text] = []
    for file, text in config.texts.items():
        version = hashlib.sha256(text.encode()).hexdigest()
        sheet = sheets.get(version)
        if sheet is not None:
            found.append(Text("playbook", sheet.name, version, sheet.mode, text, False, file))
        elif not file.startswith("playbooks/"):
            private = is_private(file)
            found.append(Text("config", file, version, "live", text, private, file))
    return found
