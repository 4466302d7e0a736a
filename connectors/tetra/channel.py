"""The `tetra` channel: texts to radios and talk groups, and their answers."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from connectors.polling import Sleep, offer
from connectors.tetra import sds
from connectors.tetra.config import TetraChannelConfig, bad_ssi
from connectors.tetra.gathering import Message
from connectors.tetra.pei import STATUS, Unread
from connectors.tetra.terminal import NotNow, Refusal, Terminal, Unsure, attach, detach
from connectors.text import digest
from hub.connector import (
    Abilities,
    Answer,
    Dead,
    Environment,
    Intake,
    Item,
    Outgoing,
    ReceiptItem,
    ReplyItem,
    Retry,
    Route,
    Sent,
    Unavailable,
)
from hub.model.message import Outcome

_log = structlog.get_logger(__name__)

_KNOWN = 20_000  # messages remembered, for the reports on them


class _Delivery(Struct):
    order: str
    index: int
    attempt: str
    missing: set[int]


class TetraChannel:
    """Texts by SDS; delivery reports, answers by text or status. See connectors/tetra/README.md."""

    Config: ClassVar[type[Struct]] = TetraChannelConfig
    abilities: Abilities = Abilities(answers=True, receipts=True)

    def __init__(self, config: TetraChannelConfig, environment: Environment, *, sleep: Sleep = asyncio.sleep) -> None:
        self._config = config
        self._name = environment.name
        self._anywhere = environment.allow_internal
        self._sleep = sleep
        self._terminal: Terminal | None = None
        self._intake: Intake | None = None
        self._known: dict[tuple[str, int], _Delivery] = {}
        self.abilities = replace(type(self).abilities, longest=config.longest)

    async def open(self, intake: Intake) -> None:
        self._intake = intake
        self._terminal = attach(self._config.address(self._anywhere), self)

    async def close(self) -> None:
        if self._terminal is not None:
            terminal, self._terminal = self._terminal, None
            await detach(terminal, self)

    def check(self, address: str) -> str:
        return bad_ssi(address)

    async def send(self, outgoing: Outgoing) -> Answer:
        assert self._terminal is not None, "open() comes before everything else"
        if bad_ssi(outgoing.to):
            return Dead(reason="no number of a radio or talk group", bad_address=True)
        text = outgoing.text[: self._config.longest]
        count = len(sds.transfers(text, 1, 1, self._config.part))
        ref = await self._terminal.refs(count)
        messages = sds.transfers(text, ref, 3 if self._config.consumed else 1, self._config.part)
        refs = [sds.next_ref(ref, n) for n in range(count)]
        # Known before it is sent: its report may come before the terminal's own answer is looked at.
        delivery = _Delivery(outgoing.order, outgoing.index, outgoing.attempt, set(refs))
        for one in refs:
            self._known.pop((outgoing.to, one), None)
            self._known[outgoing.to, one] = delivery
        while len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        if outgoing.ask is not None and self._config.calls:
            await self._call(self._terminal, outgoing.to)
        try:
            await self._terminal.send(outgoing.to, messages)
        except NotNow as error:
            return Retry(reason=str(error))
        except Unsure as error:
            return Retry(reason=str(error), doubt=True)
        except Refusal as error:
            return _refused(error)
        return Sent(ref=str(ref))

    async def _call(self, terminal: Terminal, to: str) -> None:
        """Has the radio sound an alarm. Whatever becomes of that, the text is what counts."""
        status = int(self._config.calls).to_bytes(2, "big")
        try:
            await terminal.send(to, [status], STATUS)
        except (NotNow, Refusal, Unsure) as error:
            _log.warning("tetra.no_status", status=self._config.calls, reason=str(error))

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """A radio cannot be asked what it has received."""
        return None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """A text on the air cannot be taken back."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    # --- what the terminal tells ------------------------------------------------------------------------------

    async def take(self, message: Message) -> bool:
        item = self._item_of(message)
        if item is None:
            return False
        if self._intake is not None and not isinstance(item, bool):
            await offer(self._intake, [item], None, self._sleep)
        return True

    async def untaken(self, message: Message | Unread) -> bool:
        """The source keeps it, where there is one."""
        return False

    async def standing(self, reason: str) -> None:
        if self._intake is not None:
            with suppress(Unavailable):
                await self._intake.health("failing" if reason else "ok", reason)

    def _item_of(self, message: Message) -> Item | bool | None:
        """True: it was for us, and says nothing new."""
        assert self._intake is not None
        content, now = message.content, self._intake.now().isoformat()
        if isinstance(content, sds.Report):
            return self._receipt(message.caller, content)
        if isinstance(content, sds.Ack):
            return True
        if not message.caller:
            return None
        key = f"tetra:{digest(self._name, message.original, now)}"
        if isinstance(content, int):
            verb = self._config.answers.get(str(content))
            return ReplyItem(channel=self._name, address=message.caller, key=key, verb=verb) if verb else None
        text = content.text.strip("\0").strip()
        return ReplyItem(channel=self._name, address=message.caller, key=key, text=text)

    def _receipt(self, caller: str, report: sds.Report) -> Item | bool:
        """A long text has arrived when all its parts have."""
        delivery = self._known.get((caller, report.ref))
        arrived, reason = sds.outcome(report.status)
        if delivery is None or arrived is None:
            return True
        delivery.missing.discard(report.ref)
        if arrived and delivery.missing:
            return True
        outcome = Outcome.DELIVERED if arrived else Outcome.FAILED
        key = f"tetra:{delivery.attempt}:{outcome}"
        return ReceiptItem(order=delivery.order, index=delivery.index, outcome=outcome, key=key, reason=reason)


def _refused(error: Refusal) -> Answer:
    """What is wrong with the message will be so again; what is wrong with the terminal may pass."""
    words = str(error)
    if any(f"error {number})" in words for number in (33, 34, 35)):
        return Dead(reason=words)
    return Retry(reason=words)
