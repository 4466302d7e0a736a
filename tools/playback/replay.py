"""Plays a recording to a hub: everything outside as it was that day, at any speed.

    async with Replay(recording, sources, secret, folder=...) as replay:
        sources_yaml = replay.led()          # a hub with these, run with --at BEGIN --through BASE
        await replay.play(hub_url)           # from now on time runs; returns when all is played

Webs, lines and folders it stands in for itself; for MQTT and mail it is given a real broker and mailbox.
"""

import asyncio
import imaplib
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiomqtt
from aiohttp import ClientError, ClientSession, ClientTimeout, web
from msgspec import Struct

from hub.model.recording import File, Line, Mail, Message, Push
from tools.playback.answers import Web
from tools.playback.lead import Broker, Mailbox, Stands, led
from tools.playback.lines import Lines, Terminal
from tools.playback.pace import AT_ONCE, Pace
from tools.playback.proving import CannotProve, proved
from tools.playback.recording import Piece, Recorded

T = TypeVar("T")

RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""How long who pushes waits before each further try where nobody answers, or with 503."""

PATIENCE_S = 10.0
"""How long a file may lie in a folder before the next of the same name is put there."""

_LOOK_S = 0.05
_LISTENING = frozenset({"mqtt", "mail", "pocsag", "tetra", "crisislog"})
_TIMEOUT = ClientTimeout(total=20)


class Answered(Struct, frozen=True):
    """What a request to the hub was answered, then and now; 0: not at all. `why`: it could not be sent as it was."""

    source: str
    at: datetime
    then: int
    now: int
    why: str = ""

    @property
    def same(self) -> bool:
        return self.then // 100 == self.now // 100


class Replay:
    """One recording, played once. An async context manager. `sources`: sources.yaml of the hub that is played to;
    `secret`: its secrets; `folder`: where files are put for it."""

    def __init__(
        self,
        recording: Recorded,
        sources: Mapping[str, Mapping[str, Any]],
        secret: Callable[[str], str],
        *,
        folder: Path,
        speed: float = 1.0,
        broker: Broker | None = None,
        mailbox: Mailbox | None = None,
        port: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.pace = Pace(recording.begin, speed, sleep=sleep)
        self.answered: list[Answered] = []
        self._recording = recording
        self._sources = sources
        self._secret = secret
        self._folder = folder
        self._broker, self._mailbox = broker, mailbox
        self._sleep = sleep
        self._port = port
        pieces = [piece for piece in recording.pieces if piece.source in sources]
        self._web = Web(pieces, self.pace)
        self._of: dict[type, list[Piece]] = {kind: [] for kind in (Push, Mail, Message, Line, File)}
        for piece in pieces:
            self._of.setdefault(type(piece.heard), []).append(piece)
        self._lines: dict[str, Lines] = {
            name: (Terminal if sources[name].get("type") == "tetra" else Lines)(said, self.pace)
            for name, said in _by_source(self._of[Line]).items()
        }
        for name, source in sources.items():  # one that heard nothing that day has a line that says nothing
            if source.get("type") in ("pocsag", "tetra") and name not in self._lines:
                self._lines[name] = Terminal([], self.pace) if source["type"] == "tetra" else Lines([], self.pace)
        self._kept = _kept(self._of[Message])
        self._folders = {
            name: folder / name for name, source in sources.items() if "folder" in source and source["type"] != "mail"
        }
        self._runner: web.AppRunner | None = None

    # --- life ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> "Replay":
        for folder in self._folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        for lines in self._lines.values():
            await lines.start()
        if self._broker is not None:
            await self._publish(self._kept, self._broker)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._web.answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for lines in self._lines.values():
            await lines.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base(self) -> str:
        """What the hub is to be run with as `--through`."""
        return f"http://127.0.0.1:{self._port}/"

    def led(self) -> dict[str, dict[str, Any]]:
        """sources.yaml for the hub that is played to."""
        return led(
            self._sources,
            Stands(
                ports={name: lines.port for name, lines in self._lines.items()},
                folders=self._folders,
                broker=self._broker,
                mailbox=self._mailbox,
                every_s=None if self.pace.speed <= 1.0 else 1.0,
            ),
        )

    def unplayed(self) -> list[str]:
        """What of the recording is played to nobody, and why."""
        known = self._recording.sources()
        missing = [f"{name}: is no source here ({count} pieces)" for name, count in known.items()
                   if name not in self._sources]  # fmt: skip
        if self._of[Message] and self._broker is None:
            missing.append(f"{len(self._of[Message])} MQTT messages: there is no broker to publish them at")
        if self._of[Mail] and self._mailbox is None:
            missing.append(f"{len(self._of[Mail])} mails: there is no mailbox to deliver them to")
        return missing

    def listening(self) -> set[str]:
        """The sources that are to be well (as the hub's status shows them) before it is played: what came before one
        listens would be its backlog, and was none that day."""
        return {name for name, source in self.led().items() if source["type"] in _LISTENING}

    # --- playing ---------------------------------------------------------------------------------------------

    async def play(self, hub: str) -> None:
        """Lets time run and plays everything that is not asked for: what is pushed (to the hub at this address), mails,
        messages, files. Returns when all of it is played; what the hub asks for goes on being answered."""
        self.pace.start()
        async with asyncio.TaskGroup() as group:
            for pushed in _by_source(self._of[Push]).values():
                group.create_task(self._push_all(pushed, hub.rstrip("/")))
            for name, files in _by_source(self._of[File]).items():
                group.create_task(self._drop_all(name, files))
            if self._mailbox is not None:
                group.create_task(self._deliver_all(self._of[Mail], self._mailbox))
            if self._broker is not None:
                kept = {id(piece) for piece in self._kept}
                fresh = [piece for piece in self._of[Message] if id(piece) not in kept]
                group.create_task(self._publish(fresh, self._broker, timed=True))

    @property
    def over(self) -> bool:
        """Whether what the hub asks for, or listens to, has all been said."""
        return self._web.over and all(lines.over for lines in self._lines.values())

    def left(self) -> list[str]:
        """What is due and nobody has asked for."""
        return self._web.left() + [f"{name}: {n} pieces" for name, lines in self._lines.items() if (n := lines.left())]

    def unknown(self) -> dict[str, int]:
        """Addresses that the hub asked for and that are not in the recording, and how often."""
        return dict(self._web.unknown)

    async def _push_all(self, pieces: list[Piece], hub: str) -> None:
        async with ClientSession(timeout=_TIMEOUT) as session:
            for piece in pieces:
                await self.pace.until(piece.at)
                self.answered.append(await self._push(piece, hub, session))

    async def _push(self, piece: Piece, hub: str, session: ClientSession) -> Answered:
        push = _as(piece.heard, Push)
        url = f"{hub}/in/{piece.source}{push.path}"
        status = 0
        for wait_s in (*RETRY_S, None):
            try:
                headers, body = proved(push, self._sources[piece.source], self._secret, datetime.now(UTC))
            except CannotProve as error:
                return Answered(piece.source, piece.at, push.answered, 0, str(error))
            try:
                async with session.request(push.method, url, data=body, headers=headers) as response:
                    status = response.status
            except (ClientError, TimeoutError):
                status = 0
            if wait_s is None or status not in (0, 503) or push.answered == 503:
                break
            await self._sleep(wait_s)
        return Answered(piece.source, piece.at, push.answered, status)

    async def _drop_all(self, name: str, pieces: list[Piece]) -> None:
        """Each file whole at once under its name. The next of the same name waits until this one was taken away, or has
        lain there for a while."""
        folder, waits = self._folders[name], self._sources[name]["type"] == "crisislog"
        put: dict[str, float] = {}
        clock = asyncio.get_running_loop().time
        for piece in pieces:
            await self.pace.until(piece.at)
            file = _as(piece.heard, File)
            path = folder / (Path(file.name).name.lstrip(".") or "unnamed")  # within the folder, whatever it is called
            while path.name in put and clock() - put[path.name] < PATIENCE_S and (path.exists() or not waits):
                await self._sleep(_LOOK_S)
            if file.gone:
                path.unlink(missing_ok=True)
                continue
            beside = folder / f".{path.name}.part"
            beside.write_bytes(file.raw)
            os.replace(beside, path)
            put[path.name] = clock()

    async def _deliver_all(self, pieces: list[Piece], box: Mailbox) -> None:
        for piece in pieces:
            await self.pace.until(piece.at)
            await asyncio.to_thread(_deliver, box, piece.heard.raw)

    async def _publish(self, pieces: list[Piece], broker: Broker, *, timed: bool = False) -> None:
        """What the broker had kept from before is kept by this one too; what it said again was no news."""
        if not pieces:
            return
        said = {_as(p.heard, Message).topic: p.heard.raw for p in self._kept} if timed else {}
        async with aiomqtt.Client(
            broker.host, broker.port, username=broker.user or None, password=broker.password or None
        ) as client:
            for piece in pieces:
                if timed:
                    await self.pace.until(piece.at)
                message = _as(piece.heard, Message)
                if message.retained and said.get(message.topic) == message.raw:
                    continue
                said[message.topic] = message.raw
                await client.publish(message.topic, message.raw, qos=max(message.qos, 1), retain=message.retained)


def _by_source(pieces: list[Piece]) -> dict[str, list[Piece]]:
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.source, []).append(piece)
    return found


def _kept(pieces: list[Piece]) -> list[Piece]:
    """What brokers had kept when the recording began: of each topic the first message, where it was such a one."""
    first: dict[str, Piece] = {}
    for piece in pieces:
        first.setdefault(_as(piece.heard, Message).topic, piece)
    return [piece for piece in first.values() if _as(piece.heard, Message).retained]


def _as(heard: object, kind: type[T]) -> T:
    assert isinstance(heard, kind)
    return heard


def _deliver(box: Mailbox, mail: bytes) -> None:
    client = imaplib.IMAP4(box.host, box.port, timeout=20)
    try:
        client.login(box.user, box.password)
        status, answer = client.append(box.folder, "", "", mail)
        if status != "OK":
            raise OSError(f"{box.host}:{box.port} does not take a mail: {answer!r}")
    finally:
        client.logout()


__all__ = ["AT_ONCE", "Answered", "Replay"]
