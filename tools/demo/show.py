"""The demo itself: stand-ins, one hub after another, the view, and the order in which all of it starts and stops."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, TextIO

import aiohttp
from msgspec import Struct

from hub.view import Viewer, Words
from hub.view.glance import listed
from hub.view.screen import BRUSSELS, when
from tools.demo.folder import (
    PATIENCE_S,
    Folder,
    Secrets,
    free_port,
    is_free,
    on_duty_numbers,
    phones_of,
    second_officers,
)
from tools.demo.mailbox import Mailbox
from tools.demo.process import HubProcess
from tools.demo.summary import summary_of, told
from tools.demo.texts import TEXTS
from tools.phones import Phones
from tools.playback import Partner, Playback, PlaybackSet, Programme, load_day, playable, sets

PAGE_PORT = 8090
BANNER = "EXERCICE · OEFENING · ÜBUNG · EXERCISE"  # of the page, whose reader's language is not ours
LOOK_EVERY_S = 0.4
SET_MAX_S = 30.0  # a set whose files are not all fetched by then is left, and the summary names them


class Options(Struct, frozen=True, kw_only=True):
    """`seconds`: how long the written day plays, 0 until told to stop. `set_seconds`: how long each set of recorded
    files plays at least. `start`: the time of day at which the written day begins. `patience_s`: how long each officer
    has to answer. `answer`: the second officer answers by script. `port`: of the page of phones."""

    day: Path
    work: Path
    language: str
    samples: Path | None = None
    seconds: float = 0.0
    set_seconds: float = 2.0
    start: time | None = None
    patience_s: float = PATIENCE_S
    answer: bool = False
    port: int = PAGE_PORT
    lines: bool = False


class Demo:
    """Made by `open_demo`; `play` until done or cancelled, then `summary`."""

    def __init__(self, options: Options, folder: Folder, out: TextIO) -> None:
        self.options = options
        self.words = Words(options.language)
        self.folder = folder
        self.phones: Phones
        self.playback: Playback
        self.mailbox: Mailbox
        self.hub: HubProcess
        self._texts = TEXTS[options.language]
        self._title = ""
        self._picture: Mapping[str, Any] = {}
        self._played: dict[str, bool] = {}
        self._viewer = Viewer(out, self.words, lines=options.lines)

    def say(self, key: str, **fill: object) -> str:
        text = self._texts[key]
        return text.format(**fill) if fill else text

    # --- playing ---------------------------------------------------------------------------------------------

    async def play(self) -> None:
        """Plays the recorded sets, where asked for, then the written day. Raises DemoError."""
        self._viewer.hints = self._hints()
        with self._viewer:
            recorded: list[PlaybackSet] = []
            if self.options.samples:
                recorded = await asyncio.to_thread(sets, self.options.samples)
            self._played = {sample.name: False for one in recorded for sample in one.samples}
            for number, one in enumerate(recorded, 1):
                at = when(one.date, self.words, BRUSSELS)
                await self._begin(one, self.say("set", n=number, of=len(recorded) + 1, title=one.title, at=at))
                await self._watch(one)
                await self.hub.stop()
            day = load_day(self.options.day)
            await self._begin(day, self.say("day", title=day.title))
            await self._watch(None)
        await self.hub.stop()

    def now(self) -> datetime:
        """The hub's time, as it last said."""
        said = str(self._picture.get("now", ""))
        return datetime.fromisoformat(said) if said else datetime.now(UTC)

    async def _begin(self, what: Programme | PlaybackSet, title: str) -> None:
        """Sets a programme out, and starts the hub on its date."""
        self._title = f"{title} … {self.say('starting')}"
        self._viewer.hints = self._hints()
        await self._say(title)
        recorded = isinstance(what, PlaybackSet)
        programme = what.programme() if isinstance(what, PlaybackSet) else what
        start_at = None
        if self.options.start and not recorded:
            start_at = datetime.combine(programme.start.date(), self.options.start, programme.start.tzinfo)
        self.playback.load(programme, start_at=start_at)
        self.folder.listen_to(programme, self.playback.sources())
        await self._show(self._picture)  # until the hub is there
        # A recorded set is over before an auditor would have anything to say: its hub starts a second sooner alone.
        now = await self.hub.start(self.playback.begin, audited=not recorded)
        # Begins anew with the hub, whose clock started a few seconds later than the playback's.
        self.playback.load(programme, start_at=now)
        self._title = title
        self._viewer.hints = self._hints()

    async def _watch(self, one: PlaybackSet | None) -> None:
        """Shows what happens: a recorded set until all its files were taken, the written day as long as asked."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            try:
                self._picture = await self.hub.status()
            except OSError as error:  # busy, or about to end: asked again
                self._picture = {**self._picture, "lost": str(error)}
            await self._show(self._picture)
            lasted = loop.time() - began
            if one is None:
                if self.options.seconds and lasted >= self.options.seconds:
                    return
            elif (self._all_taken(one) and lasted >= self.options.set_seconds) or lasted >= SET_MAX_S:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _all_taken(self, one: PlaybackSet) -> bool:
        """Whether each file of the set was fetched and its source has said how it fares."""
        for served in self.playback.served:
            _, here, name = served.path.partition("/recorded.playback/")
            if here and served.status == 200 and name in self._played:
                self._played[name] = True
        asked = list(listed(self._picture, "sources"))
        return (
            bool(asked)
            and all(s.get("health") != "?" for s in asked)
            and all(self._played[sample.name] for sample in one.samples)
        )

    # --- showing ---------------------------------------------------------------------------------------------

    async def _show(self, picture: Any) -> None:
        # In a thread: a terminal that stands still (Ctrl-S) holds up neither the phones nor the playback.
        await asyncio.to_thread(self._viewer.show, picture)

    async def _say(self, line: str) -> None:
        await asyncio.to_thread(self._viewer.say, line)

    def _hints(self) -> list[str]:
        hints = [self._title] if self._title and self._viewer.on_screen else []
        hints += [self.say("phones", url=f"{self.phones.base_url}/"), self.say("how")]
        if self.options.answer:
            hints.append(self.say("answering"))
        return [*hints, self.say("stop", folder=self.folder.path)]

    def summary(self) -> list[str]:
        """What came of it all, once the hub has stopped."""
        lines = [self.say("summary")]
        if self._played:
            missing = sorted(name for name, played in self._played.items() if not played)
            lines.append(self.say("files", played=len(self._played) - len(missing), of=len(self._played)))
            if missing:
                lines.append("    " + self.say("not_played", names=", ".join(missing)))
            lines += self._not_playable()
        lines += told(summary_of(self.folder.journal), self.say, self.words)
        calls = self.phones.calls
        lines.append(
            self.say(
                "outside",
                sms=sum(m.direction != "inbound" and not m.automatic for m in self.phones.messages),
                calls=len(calls),
                answered=sum("in-progress" in call.statuses for call in calls),
                mails=self.mailbox.count,
            )
        )
        return lines

    def _not_playable(self) -> list[str]:
        """The recorded files that no source reads yet, by reason."""
        assert self.options.samples is not None
        reasons = Counter(sample.reason for sample in playable(self.options.samples) if sample.kind is None)
        lines = [self.say("not_playable", n=reasons.total())]
        return lines + [f"    {reason}: {n}" for reason, n in sorted(reasons.items())]


@asynccontextmanager
async def open_demo(options: Options, out: TextIO) -> AsyncIterator[Demo]:
    """Starts the stand-ins; on leaving, stops the hub first, then them. Raises DemoError."""
    secrets = Secrets.new()
    folder = Folder(options.work, secrets)
    async with AsyncExitStack() as stack:
        stack.callback(folder.release)
        demo = Demo(options, folder, out)
        demo.mailbox = Mailbox(folder.mail)
        await demo.mailbox.start()
        stack.push_async_callback(demo.mailbox.stop)

        port = options.port if options.port and is_free(options.port) else free_port()
        folder.override(
            twilio_url=f"http://127.0.0.1:{port}", smtp_port=demo.mailbox.port, patience_s=options.patience_s
        )
        demo.playback = Playback(partner=Partner(folder.partners_url, secrets.partner))
        await stack.enter_async_context(demo.playback)
        folder.listen_to(load_day(options.day), [])
        config = await asyncio.to_thread(folder.checked)
        demo.phones = Phones(
            secrets.account,
            secrets.twilio,
            port=port,
            people=phones_of(config, answering=second_officers(config) if options.answer else ()),
            inbound=folder.inbound_url,
            service_number=folder.sms_number,
            banner=BANNER,
            on_duty=lambda: on_duty_numbers(config, demo.now()),
        )
        await stack.enter_async_context(demo.phones)
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        await stack.enter_async_context(session)
        demo.hub = HubProcess(folder, session)
        stack.push_async_callback(demo.hub.stop)
        yield demo
