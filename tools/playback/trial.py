"""`python -m tools.playback --recording …`: a recorded day, played to a hub of its own.

The hub has the configuration that is given, with two changes: its sources listen to the playback, and all that goes out
goes to stand-ins on this machine: no person, partner, printer or other system is reached. Everything is an exercise.
"""

import argparse
import asyncio
import logging
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from ruamel.yaml import YAML

from hub.cli.drill import present
from hub.config import load
from hub.drill.stage import perform
from hub.drill.words import DrillWords
from hub.findings import errors
from hub.logs import configure_log
from hub.view import Words
from tools.demo.folder import STOPPING_S, DemoError, Folder, Secrets, free_port, phones_of
from tools.demo.mailbox import Mailbox as SmtpSink
from tools.demo.process import HubProcess
from tools.demo.summary import summary_of, told
from tools.demo.texts import TEXTS
from tools.phones import Phones
from tools.playback.lead import PASSWORD, Broker, Mailbox
from tools.playback.pace import AT_ONCE
from tools.playback.recording import Recorded, load_recording
from tools.playback.replay import Replay
from tools.playback.virtual import play_of

EARS_S = 60.0  # how long sources that listen may take to do so
PATIENCE_S = 120.0  # how long nothing more may be asked for until it counts as over
SETTLE_S = 3.0  # for what came last
_LOOK_S = 0.25
_SECRET_KEYS = ("secrets", "authorization", "token", "password")


def trial(options: argparse.Namespace) -> int:
    """Exit status: 0, or 1 where not all was played, or the hub answered otherwise than that day."""
    recording = load_recording(options.recording).within(options.since, options.until)
    if not recording.pieces:
        raise ValueError("--since, --until: nothing was heard then")
    print("\n".join(described(recording)))
    if options.info:
        return 0
    if options.virtual:
        return _in_virtual_time(recording, options.config, options.page)
    return asyncio.run(_played(options, recording))


def _in_virtual_time(recording: Recorded, folder: Path, page: Path | None) -> int:
    """The day as the story of a drill."""
    configure_log(logging.CRITICAL)  # what the hub warns of is what the story tells
    config, findings = load(folder)
    if wrong := errors(findings):
        raise ValueError("\n".join(str(finding) for finding in wrong))
    play, left = play_of(recording, config)
    title = f"{recording.begin:%Y-%m-%d %H:%M} UTC"
    present(config, perform(config, play), title, DrillWords("en"), notes=left, page=page, as_json=False)
    return 0


def described(recording: Recorded) -> list[str]:
    """What is in it, in lines."""
    lines = [f"{recording.begin:%Y-%m-%d %H:%M:%S} to {recording.end:%Y-%m-%d %H:%M:%S} UTC"]
    kinds = Counter((piece.source, type(piece.heard).__name__.lower()) for piece in recording.pieces)
    lines += [f"  {source:24} {count:7} {kind}" for (source, kind), count in sorted(kinds.items())]
    lines += [f"  missing: {gap.lost} pieces ({gap.why})" for gap in recording.lost]
    return lines + [f"  {remark}" for remark in recording.remarks]


class TrialFolder(Folder):
    """A hub's folder. `names`: of all secrets that its sources ask for."""

    names: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        given = os.environ.get(f"VIGIE_{PASSWORD}", self.secrets.partner)
        return super().environment() | {
            f"VIGIE_{name}": given if name == PASSWORD else self.secrets.partner for name in self.names
        }

    def secret(self, name: str) -> str:
        return self.environment()[f"VIGIE_{name}"]


async def _played(options: argparse.Namespace, recording: Recorded) -> int:
    config: Path = options.config.resolve()
    sources = _read(config / "sources.yaml")
    folder = TrialFolder(options.work.resolve(), Secrets.new(), config)
    async with AsyncExitStack() as stack:
        stack.callback(folder.release)
        mailbox = SmtpSink(folder.mail)
        await mailbox.start()
        stack.push_async_callback(mailbox.stop)
        port = free_port()
        folder.override(twilio_url=f"http://127.0.0.1:{port}", smtp_port=mailbox.port)
        _hold_in(folder, config)
        replay = Replay(
            recording,
            sources,
            folder.secret,
            folder=folder.path / "files",
            speed=options.speed or AT_ONCE,
            broker=_broker(options.broker),
            mailbox=_mailbox(options.mailbox),
        )
        await stack.enter_async_context(replay)
        written = replay.led()
        folder.names = secret_names(written)
        _write(folder.config / "sources.yaml", written)
        for line in replay.unplayed():
            print(f"not played: {line}")
        checked = await asyncio.to_thread(folder.checked)
        phones = Phones(
            folder.secrets.account,
            folder.secrets.twilio,
            port=port,
            people=phones_of(checked),
            inbound=folder.inbound_url,
        )
        await stack.enter_async_context(phones)
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        await stack.enter_async_context(session)
        hub = HubProcess(folder, session)
        stack.push_async_callback(hub.stop)
        await hub.start(recording.begin, audited=False, through=replay.base)
        print(f"phones: http://127.0.0.1:{port}/   hub: {folder.hub_url}   folder: {folder.path}", flush=True)
        await _ears(replay, hub)
        await replay.play(folder.hub_url)
        await _over(replay, hub)
        await hub.stop()
    return _result(replay, folder)


async def _ears(replay: Replay, hub: HubProcess) -> None:
    """Waits for the sources that have to listen before anything is said to them."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + EARS_S
    while missing := replay.listening() - await _well(hub):
        if loop.time() > ends:
            print(f"does not listen, and hears what is played as a backlog: {', '.join(sorted(missing))}")
            return
        await asyncio.sleep(_LOOK_S)


async def _well(hub: HubProcess) -> set[str]:
    try:
        picture: Mapping[str, Any] = await hub.status()
    except OSError:
        return set()
    return {str(source["name"]) for source in picture["sources"] if source["health"] == "ok"}


async def _over(replay: Replay, hub: HubProcess) -> None:
    """Waits until all was asked for, or nothing more is."""
    loop = asyncio.get_running_loop()
    moved, left = loop.time(), len(replay.left())
    while not replay.over and loop.time() - moved < PATIENCE_S:
        await asyncio.sleep(_LOOK_S)
        now = len(replay.left())
        if now != left or not now:
            moved, left = loop.time(), now
    await asyncio.sleep(SETTLE_S)


def _result(replay: Replay, folder: Folder) -> int:
    words = Words("en")
    print("\n".join(told(summary_of(folder.journal), lambda key, **fill: TEXTS["en"][key].format(**fill), words)))
    otherwise = [one for one in replay.answered if not one.same]
    for one in otherwise:
        print(f"answered otherwise: {one.source} {one.at:%H:%M:%S}: then {one.then}, now {one.now} {one.why}".rstrip())
    for url in replay.left():
        print(f"not asked for: {url}")
    for url, count in sorted(replay.unknown().items()):
        print(f"asked for, and not in the recording: {url} ({count} times)")
    return 1 if otherwise or replay.left() or replay.unplayed() else 0


def _hold_in(folder: Folder, config: Path) -> None:
    """Nothing goes to the world: no follower, no printed list, no auditor's word; sheets are read where they are."""
    hub = _read(config / "hub.yaml")
    playbooks = (config / str(hub.get("playbooks", "../playbooks"))).resolve()
    changed = _read(folder.config / "hub.yaml") | {"playbooks": str(playbooks)}
    for key in ("call list", "record"):
        changed.pop(key, None)
    changed["auditor"] = {"stopping": f"{STOPPING_S} s"}
    _write(folder.config / "hub.yaml", changed)
    if (folder.config / "followers.yaml").exists():
        _write(folder.config / "followers.yaml", {})


def secret_names(sources: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """All names of secrets in a sources.yaml."""
    found: list[str] = []
    for source in sources.values():
        for key in _SECRET_KEYS:
            value = source.get(key)
            found += [value] if isinstance(value, str) else [str(one) for one in value or ()]
        found += [str(one) for one in (source.get("partners") or {}).values()]
    return tuple(dict.fromkeys(found))


def _address(text: str, default: int) -> tuple[str, str, int]:
    """`user@host:port` → user, host, port. Raises ValueError."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"{text!r} is no address: write user@host:port")
    return parts.username or "", parts.hostname, parts.port or default


def _password() -> str:
    return os.environ.get(f"VIGIE_{PASSWORD}", "")


def _broker(text: str | None) -> Broker | None:
    if not text:
        return None
    user, host, port = _address(text, 1883)
    return Broker(host, port, user, _password() if user else "")


def _mailbox(text: str | None) -> Mailbox | None:
    if not text:
        return None
    user, host, port = _address(text.replace("@", "%40", text.count("@") - 1), 143)
    return Mailbox(host, port, user.replace("%40", "@"), _password())


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = 4096
    return yaml


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DemoError(f"{path}: there is no such file: --config names the folder of a hub's configuration")
    return dict(_yaml().load(path.read_text("utf-8")) or {})


def _write(path: Path, held: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        _yaml().dump(dict(held), file)
