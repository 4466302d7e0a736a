"""Who was reached how by a broadcast, from its records in the journal. Decides nothing, and needs no running hub."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from hub.model import events as e
from hub.model.message import NO_ADDRESS, Outcome
from hub.why import Reading, Unknown, decisions, drafted_by

_audience = msgspec.json.Decoder(list[str])
REACHED = (Outcome.SENT, Outcome.DELIVERED)


class Reached(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person by one channel: `outcome` waiting, sent, delivered, failed or withdrawn, since when (None: it waits),
    and the reason; `address`: at which of their addresses, from 0. `person` is `""` where the audience was erased."""

    person: str
    channel: str
    outcome: str
    at: datetime | None = None
    reason: str = ""
    address: int = 0


class Account(Struct, frozen=True, kw_only=True):
    """A broadcast's account. `acts`: what people did with it, in order."""

    drafted: e.BroadcastDrafted
    acts: tuple[str, ...]
    deliveries: tuple[Reached, ...]

    @property
    def people(self) -> int:
        """Who was reached by one channel at least."""
        return len({d.person for d in self.deliveries if d.outcome in REACHED})

    def counts(self) -> dict[str, Counter[str]]:
        """Channel → outcome → deliveries."""
        found: dict[str, Counter[str]] = {}
        for delivery in self.deliveries:
            found.setdefault(delivery.channel, Counter())[delivery.outcome] += 1
        return found

    def reasons(self) -> Counter[tuple[str, str]]:
        """(channel, reason) → deliveries that failed for it."""
        return Counter((d.channel, d.reason) for d in self.deliveries if d.outcome == Outcome.FAILED)


def account(reading: Reading, broadcast: str) -> Account:
    """Raises Unknown where the journal has no such broadcast."""
    drafted: e.BroadcastDrafted | None = None
    acts: list[str] = []
    orders: dict[str, e.Ordered] = {}
    last: dict[tuple[str, int], tuple[str, datetime, str]] = {}
    for decision in decisions(reading):
        for event in decision.events:
            match event:
                case e.BroadcastDrafted() if event.broadcast == broadcast:
                    drafted = event
                    acts.append(f"{_at(decision.at)} drafted by {drafted_by(event)} ({event.kind}, {event.group})")
                case e.Ordered() if event.broadcast == broadcast:
                    orders[event.order] = event
                case e.Delivered() if event.order in orders:
                    for index, outcome, reason in event.moves:
                        last[event.order, index] = (str(outcome), decision.at, reason)
                case _:
                    acts += [f"{_at(decision.at)} {said}" for said in _act(event, broadcast)]
    if drafted is None:
        raise Unknown(f"{broadcast}: this journal has no such broadcast: see `vigie status`")
    return Account(drafted=drafted, acts=tuple(acts), deliveries=tuple(_deliveries(reading, orders, last)))


def _deliveries(
    reading: Reading, orders: dict[str, e.Ordered], last: dict[tuple[str, int], tuple[str, datetime, str]]
) -> Iterator[Reached]:
    """One for each person and channel: at the last of their addresses that it went to."""
    found: dict[tuple[str, int], Reached] = {}
    first: dict[str, str] = {}  # order → the one whose failed deliveries it (or an order between) took over
    for order in orders.values():
        begun = first[order.order] = first.get(order.after, order.order)
        (entry,) = reading.vault([order.audience])
        people = [] if entry is None else _audience.decode(entry.payload)
        for index in order.only or range(order.size):
            outcome, at, reason = last.get((order.order, index), ("waiting", None, ""))
            if order.after and reason.startswith(NO_ADDRESS):
                continue  # they had no other: what became of the one before it counts
            person = people[index] if index < len(people) else ""
            found[begun, index] = Reached(
                person=person, channel=order.channel, outcome=outcome, at=at, reason=reason, address=order.address
            )
    yield from found.values()


def _act(event: e.Event, broadcast: str) -> Iterator[str]:
    match event:
        case e.BroadcastReleased(broadcast=found, by=by) if found == broadcast:
            yield f"released by {by}"
        case e.BroadcastBegan(broadcast=found) if found == broadcast:
            yield "began"
        case e.BroadcastHeld(broadcast=found, by=by, why=why) if found == broadcast:
            yield f"held by {by} ({why})"
        case e.BroadcastResumed(broadcast=found, by=by) if found == broadcast:
            yield f"resumed by {by}"
        case e.BroadcastEnded(broadcast=found, outcome=outcome, by=by, why=why) if found == broadcast:
            yield f"{outcome}{f' by {by}' if by else ''}{f' ({why})' if why else ''}"
        case _:
            return


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}"
