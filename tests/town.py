"""Nights with a broadcast to a town of seven, whose people the vault holds and the engine does not know."""

from typing import Any

import msgspec

from hub.engine.reach import REACHED
from hub.engine.state import Broadcast
from hub.model import events as e
from hub.model.broadcast import Content, Control, Kind, bits
from hub.model.message import Outcome, Text
from hub.model.people import Language
from hub.model.records import (
    BroadcastControlled,
    BroadcastDrafted,
    BroadcastReleased,
    Receipt,
    ReceiptsReceived,
    VaultEntry,
)
from hub.picture import Recent, picture
from tests.stories import Night, World

TOWN = tuple(f"r-{n}" for n in range(7))


class Town(Night):
    """A night whose dispatch leaves broadcasts alone: their receipts are told by the story."""

    def __init__(self, world: World | None = None) -> None:
        super().__init__(world)
        self.world.public.update(TOWN)
        self.vault: dict[str, list[str]] = {}

    def _settle(self, decided: Any) -> None:
        self.vault |= {entry.key: msgspec.json.decode(entry.payload) for entry in decided.vault if _of_people(entry)}
        super()._settle(decided)

    def _dispatch(self, order: e.Ordered) -> None:
        if not order.broadcast:
            super()._dispatch(order)

    def draft(self, kind: Kind = Kind.ALERT, people: int = 2, by: str = "officer-a", **more: Any) -> str:
        sizes = more.pop("sizes", (("sms", len(TOWN)),))
        body = BroadcastDrafted(kind=kind, group="public", by=by, why="smoke", people=people, sizes=sizes, **more)
        return self.fact(body)

    def release(self, broadcast: str, by: str = "officer-b", audience: Any = None, **more: Any) -> None:
        texts = {language: Text(text="Close your windows.") for language in Language}
        ways = {"sms": max([1, *self.world.several.values()])}
        content = Content(texts=texts, audience={"sms": TOWN} if audience is None else audience, ways=ways, **more)
        self.fact(BroadcastReleased(broadcast=broadcast, by=by), content)

    def control(self, broadcast: str, act: Control, by: str = "officer-a") -> None:
        self.fact(BroadcastControlled(broadcast=broadcast, act=act, by=by, why="wrong street"))

    def comes_to(self, order: str, outcome: Outcome, *indexes: int) -> None:
        receipts = tuple(Receipt(order, index, outcome) for index in indexes)
        self.fact(ReceiptsReceived(channel="sms", receipts=receipts))

    def orders(self, broadcast: str) -> list[e.Ordered]:
        return [
            event
            for decision in self.decisions
            for event in decision.events
            if isinstance(event, e.Ordered) and event.broadcast == broadcast
        ]

    def heard(self, broadcast: str) -> list[str]:
        """Whom its orders mean."""
        return [
            self.vault[order.audience][index]
            for order in self.orders(broadcast)
            for index in (order.only or range(order.size))
        ]

    def shown(self, broadcast: str) -> dict[str, dict[str, int]]:
        """How far it is, as the status shows it, without what is nought."""
        (found,) = [b for b in picture(self.state, self.now, Recent())["broadcasts"] if b["id"] == broadcast]
        return {channel: {word: n for word, n in counts.items() if n} for channel, counts in found["channels"].items()}

    def known(self, broadcast: str) -> Broadcast:
        return self.state.broadcasts[broadcast]

    def seen(self, broadcast: str) -> dict[str, bytes]:
        """As whoever makes the audience of what follows it sees it now."""
        return {o: bits([s in REACHED for s in self.state.orders[o].states]) for o in self.known(broadcast).orders}


def _of_people(entry: VaultEntry) -> bool:
    return entry.payload.startswith(b"[")
