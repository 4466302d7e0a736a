"""Putting in force while the hub runs: files on save, or when an officer says so; a sheet's mode by an act.

What was saved is read and checked as a whole in a thread, and swapped between two decisions (hub/install.py). A file
with a fault replaces nothing: its version in force stays, and the room hears what is wrong and where.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

import structlog
import trio
from msgspec.structs import replace

from hub.acts import About, ByBody, Changed, Done, ModeBody, Refused
from hub.config import Config
from hub.config.last_good import FIXED, Good, load_good
from hub.config.stamps import folders_of, need_restart, stamps
from hub.connector import Unavailable
from hub.desk import Desk, Handler
from hub.findings import Finding, choice
from hub.install import Installation, is_private, path_of
from hub.journal import JournalUnavailable
from hub.model import records as r

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
SETTLE_S = 0.5  # nothing is written for so long: whoever saves several files has saved them
IN_FORCE_S = 5.0  # how long an answer waits for what is durable to be in force
FAULTS_MAX = 3  # of one file that an alarm tells

A = TypeVar("A")


class Aside(Protocol):
    """Calls something that takes a while in a thread."""

    async def __call__(self, work: Callable[[], A], /) -> A: ...


class Reloader:
    """`decided` waits for the next decision; `today`: an ISO day, hub time; `said`: what was said of the files as the
    hub came up."""

    def __init__(
        self,
        *,
        installation: Installation,
        desk: Desk,
        record: Callable[[r.FactBody], Awaitable[str]],
        decided: Callable[[], Awaitable[None]],
        today: Callable[[], str],
        said: r.FilesRead,
        aside: Aside = trio.to_thread.run_sync,
    ) -> None:
        self._installation = installation
        self._desk = desk
        self._record = record
        self._decided = decided
        self._today = today
        self._said = said
        self._aside = aside
        self._one = trio.Lock()
        self.done: dict[str, Handler] = {"reload": self._reload, "set-mode": self._set_mode}

    # -- on save --

    async def watch(self) -> None:
        """Reads what is saved, for ever."""
        seen = await self._look()
        if await self._aside(lambda: _differs(self._installation.config)) and not await self._try():
            seen = {}
        while True:
            await trio.sleep(LOOK_EVERY_S)
            now = await self._look()
            if now == seen:
                continue
            while True:
                await trio.sleep(SETTLE_S)
                before, now = now, await self._look()
                if now == before:
                    break
            if await self._try():
                seen = now

    async def _look(self) -> dict[str, tuple[int, int, int]]:
        folders = folders_of(self._installation.config)
        return await self._aside(lambda: stamps(folders))

    async def _try(self) -> bool:
        try:
            await self.read()
        except (JournalUnavailable, Unavailable) as error:
            log.error("what was saved waits for the journal", error=str(error))
            return False
        return True

    # -- reading --

    async def read(self, by: str = "") -> tuple[r.FilesRead, list[r.Fact], str]:
        """Puts in force what stands in the files. `by`: who asks for it. Returns what is wrong with them, what is new,
        and the record that says so (`""` where there was nothing to be said). Raises JournalUnavailable."""
        async with self._one:
            before = self._installation.config
            day = self._today()
            good, restart = await self._aside(lambda: (_load(before, day), need_restart(before)))
            said = r.FilesRead(wrong=_wrong(good, before), restart=restart, refused=good.config is None, by=by)
            facts: list[r.Fact] = []
            id_ = ""
            if good.config is not None and good.config.texts != before.texts:
                id_, facts = await self._installation.reload(good.config, self._desk.state(), said)
                await self._until(lambda: self._installation.config is good.config)
            elif by or replace(said, by="") != self._said:
                id_ = await self._record(said)
            self._said = replace(said, by="")
            if id_:
                new = [_told(fact) for fact in facts]
                log.info("the files were read", new=new, wrong=[w.file for w in said.wrong], refused=said.refused)
            return said, facts, id_

    async def _until(self, true: Callable[[], bool]) -> None:
        with trio.move_on_after(IN_FORCE_S):
            while not true():
                await self._decided()

    # -- acts --

    async def _reload(self, about: About, sent: ByBody) -> Changed:
        try:
            said, facts, id_ = await self.read(sent.by)
        except JournalUnavailable as error:
            raise Unavailable(str(error)) from error
        wrong = [f"{wrong.file}: {wrong.what}" for wrong in said.wrong]
        if said.refused:
            raise Refused(f"nothing of what stands in the files is in force that was not: {'; '.join(wrong)}")
        new = ", ".join(filter(None, map(_told, facts)))
        restart = [f"{name}: what is written there counts when the hub is started again" for name in said.restart]
        return Changed(id=id_, said=f"in force: {new}" if new else "nothing is new", warnings=(*wrong, *restart))

    async def _set_mode(self, about: About, sent: ModeBody) -> Done:
        async with self._one:
            name = about["sheet"]
            written = {sheet.name: str(sheet.mode) for sheet in self._installation.config.playbooks}
            if name not in written:
                raise Refused(f'no sheet "{name}" is in force: {choice(name, written, "there are")}', missing=True)
            known = self._installation.layers.modes.get(name)
            is_so = known[1] if known is not None else written[name]
            if is_so == sent.mode:
                return Done(id="", said=f"{name} is {_MODES[sent.mode]} already")
            body: r.FactBody = r.ModeSet(sheet=name, mode=sent.mode, by=sent.by, why=sent.why)
            if known is not None and written[name] == sent.mode:
                body = r.ChangeReverted(change=known[0], by=sent.by, why=sent.why)
            done = await self._desk.act(body, self._consequences(name, sent.mode, written[name]))
            layers = self._installation.layers
            await self._until(lambda: layers.modes.get(name, ("", written[name]))[1] == sent.mode)
            return done

    def _consequences(self, name: str, mode: str, written: str) -> str:
        state = self._desk.state()
        said = f"{name} is {_MODES[mode]} from the next signal on"
        running = sum(i.playbook == name and not i.ended for i in state.incidents.values())
        if running and mode != "live":
            said += f"; {running} of its incidents {'is' if running == 1 else 'are'} open in earnest, to the end"
        return said if mode == written else f"{said}; its file still says {written}"


_MODES = {"live": "live", "shadow": "in shadow", "draft": "a draft"}


def _load(before: Config, today: str) -> Good:
    """The files as they are, over what the hub was started with. Whatever is in them, this comes to an end."""
    fixed: dict[str, str | None] = {name: before.texts.get(name) for name in FIXED}
    try:
        good = load_good(before.folder, before.texts.get, lambda name: name not in FIXED, held=fixed, today=today)
    except Exception as error:
        log.exception("the configuration cannot be read")
        return Good(config=None, wrong=(_fault(f"{before.folder.name}/", f"it cannot be read: {error}"),))
    if good.config is not None and before.playbooks and not good.config.playbooks:
        gone = _fault(before.hub.playbooks, "all sheets are gone: is the disk there? To have none, start the hub again")
        return Good(config=None, wrong=(gone,))
    return good


def _fault(file: str, message: str) -> Finding:
    return Finding(file=file, line=1, column=1, rule="unreadable", message=message)


def _differs(config: Config) -> bool:
    """Whether the files say something else than what is in force, as far as their texts go."""
    known = {str(path_of(config, name)): text for name, text in config.texts.items()}
    found = {str(Path(path).resolve()) for path in stamps(folders_of(config))}
    if found != {str(Path(path).resolve()) for path in known}:
        return True
    return any(_read(Path(path)) != text for path, text in known.items())


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def said_of(good: Good) -> r.FilesRead:
    """What is said of a configuration with which a hub comes up."""
    return r.FilesRead(wrong=_wrong(good, good.config), refused=good.config is None)


def _wrong(good: Good, config: Config | None) -> tuple[r.Wrong, ...]:
    """By file what is wrong, in words that may stand in a record."""
    by_file: dict[str, list[Finding]] = {}
    for finding in good.wrong:
        by_file.setdefault(finding.file, []).append(finding)
    told: list[r.Wrong] = []
    for file, findings in by_file.items():
        private = is_private(file.partition("/")[2])
        said = [_place(finding) if private else str(finding) for finding in findings[:FAULTS_MAX]]
        if len(findings) > FAULTS_MAX:
            said.append(f"and {len(findings) - FAULTS_MAX} more: `vigie check`")
        left_out = any(file.endswith(name) for name in good.left_out)
        stands = "" if good.config is None else "left out: " if left_out else "the version before stays: "
        told.append(r.Wrong(file, stands + "; ".join(said)))
    return tuple(told)


def _place(finding: Finding) -> str:
    """A finding's words may name people: they stand where it is looked at."""
    return f"{finding.file}:{finding.line}:{finding.column}: [{finding.rule}] (`vigie check` says what)"


def _told(fact: r.Fact) -> str:
    """What is in force by a fact, in a few words."""
    match fact.body:
        case r.Installed(what="playbook") as new:
            return f"{new.name} ({new.mode}, version {new.version[:8]})"
        case r.Installed() as new:
            return new.name
        case r.Retired() as gone:
            return f"{gone.name} no more"
        case _:
            return ""
