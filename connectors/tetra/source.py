"""The `tetra` source: texts and status messages that a radio terminal receives."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

from msgspec import Struct

from connectors.polling import Sleep, offer
from connectors.tetra import sds
from connectors.tetra.config import TetraSourceConfig
from connectors.tetra.gathering import WAIT_S, Gathering, Message
from connectors.tetra.pei import Reader, Received, Unread
from connectors.tetra.signals import bad_item, item_of
from connectors.tetra.terminal import attach, detach
from hub.connector import BadItem, Environment, Intake, Route, SignalItem, Tape, Unavailable
from hub.model.recording import Line, raw

LINES_MAX = 200_000  # of a file that is read whole
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class TetraSource:
    """Offers a signal for each text and status of those it knows; see connectors/tetra/README.md."""

    Config: ClassVar[type[Struct]] = TetraSourceConfig

    def __init__(self, config: TetraSourceConfig, environment: Environment, *, sleep: Sleep = asyncio.sleep) -> None:
        self._config = config
        self._anywhere = environment.allow_internal
        self._tape = environment.tape
        self._sleep = sleep

    async def run(self, intake: Intake) -> None:
        listener = _Listener(self._config, intake, self._sleep, self._tape)
        terminal = attach(self._config.address(self._anywhere), listener)
        try:
            await asyncio.get_running_loop().create_future()  # until cancelled
        finally:
            await detach(terminal, listener)

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """A file of a terminal's lines; without a config, of whatever radio. `< ` before a line (a recording's mark of
        what the radio says) is left out, what goes to the radio and remarks too."""
        made = config if isinstance(config, TetraSourceConfig) else TetraSourceConfig(terminal="/dev/null", others=True)
        reader, gathering = Reader(), Gathering()
        lines = [
            line.removeprefix("< ").strip()
            for line in data.decode("utf-8", "replace").splitlines()[:LINES_MAX]
            if not line.startswith((">", "#"))
        ]
        told = [one for line in lines if line for one in reader.feed(line)] + reader.end()
        whole = [gathering.add(one, 0.0) if isinstance(one, Received) else one for one in told]
        items: list[SignalItem | BadItem] = []
        for one in [*whole, *gathering.overdue(WAIT_S)]:
            if isinstance(one, Message):
                item = item_of(one, made, _NO_TIME)
                if item is None and isinstance(one.content, sds.Report):
                    continue  # of a text that was sent: the channel's
                items.append(item or bad_item(one, _NO_TIME))
            elif isinstance(one, Unread):
                items.append(bad_item(one, _NO_TIME))
        return items


class _Listener:
    def __init__(self, config: TetraSourceConfig, intake: Intake, sleep: Sleep, tape: Tape) -> None:
        self._config, self._intake, self._sleep, self._tape = config, intake, sleep, tape

    def heard(self, line: bytes) -> None:
        if self._tape.runs:
            self._tape.heard(Line(**raw(line)))

    async def take(self, message: Message) -> bool:
        item = item_of(message, self._config, self._intake.now())
        if item is None:
            return False
        await offer(self._intake, [item], None, self._sleep)
        return True

    async def untaken(self, message: Message | Unread) -> bool:
        await offer(self._intake, [bad_item(message, self._intake.now())], None, self._sleep)
        return True

    async def standing(self, reason: str) -> None:
        with suppress(Unavailable):
            await self._intake.health("failing" if reason else "ok", reason)
