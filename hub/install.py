"""Putting the configuration in force: each text becomes a fact under its hash, and open incidents keep the version of
their sheet that opened them."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import structlog
from msgspec import Struct

from hub.config import Config
from hub.dispatch.route import Routes
from hub.engine.channels import FAILING, SILENT
from hub.engine.state import State
from hub.journal import Journal
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Edited
from hub.model.signal import Status
from hub.people.answers import understand
from hub.people.directory import Directory
from hub.people.instead import whom
from hub.people.layers import NOTHING, Layers
from hub.playbook.language import Playbook
from hub.playbook.load import load
from hub.report.known import Known
from hub.rules import InForce

PRIVATE = frozenset({"people.yaml", "rosters.yaml"})  # files that name people; those of people/ and registered/ do too

_edited = msgspec.json.Decoder(Edited)

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
        self._config = config
        self._journal = journal
        self._now = now
        self._ids = ids
        self._status = status
        self.in_force: InForce
        self.files = config.directory()
        self.layers = Layers()
        self.understanding = Understanding(self.files, config.routes)

    async def rules(self, state: State) -> InForce:
        """The rules in force, with what was changed while running and the earlier versions of sheets that open
        incidents still run on."""
        config = self._config
        self.in_force = InForce(
            sheets=config.playbooks,
            earlier=await self._earlier(state),
            chains=config.chains,
            directory=self.files,
            rosters=config.rosters,
            voices=config.voices(),
            status=self._status,
            carriers=config.carriers(),
            call_list=config.call_list(self._status),
            storms=config.storms(),
        )
        edited = await edited_of(self._journal, [known.change for known in state.edited.values()])
        self.layers.people = {p: (known.change, edited[known.change]) for p, known in state.edited.items()}
        self.layers.rosters = {change: (known.roster, known.overrides) for change, known in state.rosters.items()}
        return self._lay()

    def change(self, entry: r.Entry) -> InForce:
        """The rules in force once a change of people or rosters counts."""
        self.layers.take(entry.record, entry.live)
        return self._lay()

    def _lay(self) -> InForce:
        directory = self.layers.directory(self.files)
        self.in_force = self.in_force.with_people(directory, self.layers.over(self._config.rosters))
        self.understanding = Understanding(directory, self._config.routes)
        return self.in_force

    def known(self, status: Status) -> Known:
        """What documents of the directory are made of."""
        known = self._config.known(status, self.in_force.directory)
        return msgspec.structs.replace(known, rosters=self.in_force.rosters)

    async def _earlier(self, state: State) -> list[Playbook]:
        current = {(s.name, s.version) for s in self._config.playbooks}
        wanted = {(i.playbook, i.version) for i in state.incidents.values()} - current
        found: list[Playbook] = []
        for name, version in sorted(wanted):
            (fact,) = await self._journal.get([state.versions.get(f"{name}/{version}", "")])
            sheet = None
            if isinstance(fact, r.Fact) and isinstance(fact.body, r.Installed):
                sheet, _ = load(fact.body.text, f"{name} (version {version[:12]}, from the journal)")
            if sheet is None:
                log.error("an open incident's sheet cannot be read back", playbook=name, version=version)
            else:
                # Its hash names the text as it was put in force, whatever today's reader makes of it.
                found.append(msgspec.structs.replace(sheet, version=version))
        return found

    async def install(self, state: State) -> int:
        """Makes facts of what is new in the configuration and of what is gone from it. Returns how many."""
        at = self._now()
        facts: list[r.Fact] = []
        vault: list[r.VaultEntry] = []
        wanted: set[str] = set()
        for text in texts_of(self._config):
            wanted.add(f"{text.what}/{text.name}")
            known = state.in_force.get(f"{text.what}/{text.name}")
            if known is not None and (known.version, known.mode) == (text.version, text.mode):
                continue
            fact_id = self._ids.new(at)
            body = r.Installed(
                what=text.what,
                name=text.name,
                version=text.version,
                mode=text.mode,
                text="" if text.private else text.text,
            )
            facts.append(r.Fact(id=fact_id, at=at, body=body, vault=fact_id if text.private else ""))
            if text.private:
                vault.append(r.VaultEntry(key=fact_id, payload=text.text.encode(), media_type="application/yaml"))
        for retired in sorted(set(state.in_force) - wanted):
            what, _, name = retired.partition("/")
            facts.append(r.Fact(id=self._ids.new(at), at=at, body=r.Retired(what=what, name=name)))
        for alarm in state.alarms.values():
            if alarm.what == "source-failing" and alarm.about not in {**self._config.sources, **self._config.channels}:
                gone = r.SourceChanged(source=alarm.about, health="ok", reason="no longer configured")
                facts.append(r.Fact(id=self._ids.new(at), at=at, body=gone))
            if alarm.what in (FAILING, SILENT) and alarm.about not in self._config.channels:
                away = r.ChannelChanged(channel=alarm.about, health="ok", reason="no longer configured")
                facts.append(r.Fact(id=self._ids.new(at), at=at, body=away))
        for change in self.layers.said_by(self.files, self._config.rosters):
            same = r.ChangeReverted(change=change, by="hub", why="the files say the same")
            facts.append(r.Fact(id=self._ids.new(at), at=at, body=same))
        if facts:
            await self._journal.put_facts(facts, vault)
        return len(facts)


async def edited_of(journal: Journal, changes: Sequence[str]) -> dict[str, Edited]:
    """How people were changed, by the change: nobody where that was erased, or cannot be read."""
    found = dict.fromkeys(changes, NOTHING)
    for change, entry in zip(changes, await journal.vault(changes), strict=True):
        try:
            found[change] = _edited.decode(entry.payload) if entry is not None else NOTHING
        except msgspec.MsgspecError as error:
            log.error("a change of a person cannot be read back", change=change, error=str(error))
    return found


class Text(Struct, frozen=True):
    """A text to be put in force. `private`: it names people, so it lies in the vault."""

    what: str
    name: str
    version: str
    mode: str
    text: str
    private: bool


def texts_of(config: Config) -> list[Text]:
    """Every sheet, and every file of the configuration."""
    sheets = {sheet.version: sheet for sheet in config.playbooks}
    found: list[Text] = []
    for file, text in config.texts.items():
        version = hashlib.sha256(text.encode()).hexdigest()
        sheet = sheets.get(version)
        if sheet is not None:
            found.append(Text("playbook", sheet.name, version, sheet.mode, text, False))
        elif not file.startswith("playbooks/"):
            private = file in PRIVATE or file.startswith(("people/", "registered/"))
            found.append(Text("config", file, version, "live", text, private))
    return found
