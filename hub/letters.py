"""Dead letters once more: what could not be read is read again, as it came or mended, and handed in as its source's."""

import base64
import binascii
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from hub.acts import About, Done, Refused, RetryBody
from hub.config import SourceConfig
from hub.connector import BadItem, SignalItem, Unavailable, WorkerLimit
from hub.desk import Desk, Handler
from hub.intake.intake import Intake
from hub.intake.port import Answered, Offered
from hub.journal import Journal
from hub.model import records as r
from hub.workers import open_workers

log = structlog.get_logger(__name__)

LIMIT_S = 8.0  # whoever asks waits 10 s for an answer
SHOWN_MOST = 5  # faults named in one answer


def read_with(entry: str, data: bytes, name: str, settings: Any = None) -> Sequence[SignalItem | BadItem]:
    """What a source (`module:class`) makes of bytes. Runs in a worker process: foreign files get limits on time and
    memory."""
    module, _, attribute = entry.partition(":")
    source = getattr(importlib.import_module(module), attribute)
    found: Sequence[SignalItem | BadItem] = source.read(data, name, settings)
    return found


class Letters:
    """Its act, by verb: for hub.operators. `sources`: as they are configured now."""

    def __init__(
        self, desk: Desk, intake: Intake, journal: Journal, sources: Callable[[], Mapping[str, SourceConfig]]
    ) -> None:
        self._desk, self._intake, self._journal, self._sources = desk, intake, journal, sources
        self.done: Mapping[str, Handler] = {"retry": self._retry}

    async def _retry(self, about: About, sent: RetryBody) -> Done:
        letter, original = await self._letter(about["letter"])
        data = original if sent.mended is None else _decoded(sent.mended)
        source = self._sources().get(letter.source)
        if source is None:
            raise Refused(
                f"no source {letter.source} is configured: what a channel could not read (an answer, a receipt) is not"
                " read again, act on it by hand; what a source sent is read when it is configured again"
            )
        items = await self._read(source, data, f"{letter.source}, letter {about['letter']}")
        signals = [item for item in items if isinstance(item, SignalItem)]
        bad = [item for item in items if isinstance(item, BadItem)]
        if not signals:
            raise Refused(f"nothing can be read of it: {_told(bad) or 'there is nothing in it'}")
        (answer,) = await self._intake.take(letter.source, [Offered(signals)])
        if isinstance(answer, Unavailable):
            raise answer
        assert isinstance(answer, Answered)
        new = [taken.fact for taken in answer.taken if not taken.repeated]
        body = r.LetterRead(
            letter=about["letter"],
            source=letter.source,
            by=sent.by,
            why=sent.why,
            signals=tuple(new),
            mended=sent.mended is not None,
        )
        said = f"{len(new)} new signals of {len(signals)}" + (f"; not read: {_told(bad)}" if bad else "")
        return await self._desk.act(body, said)

    async def _letter(self, id_: str) -> tuple[r.DeadLetter, bytes]:
        """Raises Refused."""
        (fact,) = await self._journal.get([id_])
        if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.DeadLetter):
            raise Refused(f"no dead letter {id_}: `vigie deadletter list` has them", missing=True)
        (entry,) = await self._journal.vault([fact.vault])
        if entry is None:
            raise Refused(f"what dead letter {id_} held was erased", missing=True)
        return fact.body, entry.payload

    async def _read(self, source: SourceConfig, data: bytes, label: str) -> Sequence[SignalItem | BadItem]:
        entry = f"{source.make.__module__}:{source.make.__qualname__}"
        async with open_workers(count=1, preload=[source.make.__module__]) as workers:
            try:
                return await workers.run(read_with, entry, data, label, source.settings, limit_s=LIMIT_S, label=label)
            except WorkerLimit as error:
                raise Refused(f"nothing can be read of it: {error}") from error


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"mended: this is no base64 ({error})") from error


def _told(bad: Sequence[BadItem]) -> str:
    told = [f"{item.place}: {item.reason}" if item.place else item.reason for item in bad[:SHOWN_MOST]]
    more = len(bad) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")
