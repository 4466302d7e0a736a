"""Which provider a delivery goes to now: its route, and whether the providers on it work. Without I/O; time is an
argument. Nothing here is durable: what a provider is worth is found out anew, with real traffic.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.connector import Answer, Channel, Dead, Outgoing, Retry, Sent
from hub.dispatch.health import Health
from hub.dispatch.route import Entry, Routes
from hub.model.message import Outcome
from hub.model.records import ChannelChanged

AWAITED_MAX = 20_000  # deliveries of which a receipt is waited for


class Providers:
    """`failing`: those of which an alarm stands from an earlier life of the hub."""

    def __init__(self, channels: Mapping[str, Channel], routes: Routes, failing: Collection[str] = ()) -> None:
        self.routes = routes
        self._channels = channels
        self._routed = {*routes.by_prefix, *routes.fall_back}
        self._health = {name: Health(standing=name in failing) for name in channels}
        self._awaited: OrderedDict[tuple[str, int], tuple[str, float]] = OrderedDict()
        self._numbers: dict[tuple[str, str], tuple[str, ...]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._health

    def health(self, name: str) -> Health:
        return self._health[name]

    def route(self, channel: Entry, address: str) -> tuple[str, ...]:
        """The providers for an address in their order: those that serve it, or all where none says so."""
        route = tuple(name for name in self.routes.providers(channel, address) if name in self._health)
        if len(route) < 2:
            return route or (channel,)
        key = (channel, address)
        known = self._numbers.get(key)
        if known is None:
            if len(self._numbers) >= AWAITED_MAX:
                self._numbers.clear()
            known = tuple(name for name in route if not self._channels[name].check(address)) or route
            self._numbers[key] = known
        return known

    def pick(self, channel: Entry, address: str, passed: Collection[str], here: str, now_s: float) -> str:
        """The provider a delivery goes to that waits for its turn `here`: the first that works and has not just failed
        it (`passed`), else the first that works; `""` where none does. Where it is one that is out and to be probed,
        this delivery is the probe."""
        if channel == here and channel not in self._routed and not self._health[here].out:
            return here
        route = self.route(channel, address)
        for rest in ([name for name in route if name not in passed], route if passed else ()):
            for name in rest:
                if not self._health[name].out or (name == here and self._health[name].probe(now_s)):
                    return name
        return ""

    def following(self, channel: Entry, address: str, passed: Collection[str]) -> str:
        """The next provider that works, but for those in `passed`; `""` where there is none."""
        route = self.route(channel, address)
        return next((name for name in route if name not in passed and not self._health[name].out), "")

    def again_s(self, channel: Entry, address: str, now_s: float) -> float:
        """When one of its providers may be tried."""
        return min(self._health[name].again_s(now_s) for name in self.route(channel, address))

    def why_not(self, channel: Entry, address: str) -> str:
        """Why no provider can be tried now, for a receipt."""
        route = self.route(channel, address)
        return "; ".join(f"{name} is out: {self._health[name].reason}" for name in route)

    def together(self, name: str) -> tuple[str, ...]:
        """All providers of the channels that have this one among theirs."""
        channels = (name, *self.routes.used_by(name))
        every = dict.fromkeys(other for channel in channels for other in self.routes.every(channel))
        return tuple(other for other in every if other in self._health)

    # --- what they say -------------------------------------------------------------------------------------

    def said(
        self, name: str, outgoing: Outgoing, answer: Answer, now_s: float, now: datetime, began_s: float
    ) -> ChannelChanged | None:
        """A provider's answer to a delivery that it was handed at `began_s`; what the room is to be told."""
        health, abilities, to = self._health[name], self._channels[name].abilities, outgoing.to
        if isinstance(answer, Sent) and not answer.final and abilities.receipts:
            health.taken(to, now_s)
            self._awaited[outgoing.order, outgoing.index] = (name, now_s)
            if len(self._awaited) > AWAITED_MAX:
                self._awaited.popitem(last=False)
        refuses = isinstance(answer, Dead) and answer.alarm
        if not isinstance(answer, Sent) and (refuses or self._speaks_against(name, answer)):
            out = health.failed(to, answer.reason, now_s, refuses, began_s)
            return self._failing(name, now_s, now) if out else None
        return self._ok(name) if health.worked(now_s) else None

    def _speaks_against(self, name: str, answer: Dead | Retry) -> bool:
        """Whether it is the provider that fails, and not the address."""
        return isinstance(answer, Retry) and not answer.address and self._channels[name].abilities.shared

    def heard(self, order: str, moves: Iterable[tuple[int, Outcome, str]], now_s: float) -> list[ChannelChanged]:
        """What became of deliveries; what the room is to be told."""
        told: list[ChannelChanged] = []
        for index, outcome, _ in moves:
            if outcome in (Outcome.DELIVERED, Outcome.FAILED) and (order, index) in self._awaited:
                name, taken_s = self._awaited.pop((order, index))
                if self._health[name].receipt(now_s - taken_s) and (ok := self._ok(name)):
                    told.append(ok)
        return told

    def look(self, now_s: float, now: datetime) -> list[ChannelChanged]:
        """Those that have become silent."""
        return [self._silent(name, now_s, now) for name, health in self._health.items() if health.look(now_s)]

    def look_s(self) -> float:
        """When to look next; infinity for never."""
        return min((health.look_s() for health in self._health.values()), default=float("inf"))

    def _failing(self, name: str, now_s: float, now: datetime) -> ChannelChanged:
        health = self._health[name]
        return ChannelChanged(
            channel=name,
            health="failing",
            reason=health.reason,
            since=now - timedelta(seconds=now_s - health.since_s),
            people=len(health.people),
            meanwhile=self.meanwhile(name),
        )

    def _silent(self, name: str, now_s: float, now: datetime) -> ChannelChanged:
        health = self._health[name]
        return ChannelChanged(
            channel=name,
            health="silent",
            since=now - timedelta(seconds=now_s - health.unheard_s),
            people=health.unheard(),
        )

    def _ok(self, name: str) -> ChannelChanged | None:
        health = self._health[name]
        return None if health.out or health.silent else ChannelChanged(channel=name, health="ok")

    def meanwhile(self, name: str) -> str:
        """The provider that takes its deliveries over; `""` where there is none that works."""
        there = (other for other in self.routes.following(name) if other in self._health)
        return next((other for other in there if not self._health[other].out), "")

    def picture(self, now_s: float, now: datetime) -> list[dict[str, Any]]:
        """Every provider for the picture of the moment; no addresses."""
        shown = []
        for name, health in self._health.items():
            state = "failing" if health.out else "silent" if health.silent else "ok"
            since_s = {"failing": health.since_s, "silent": health.unheard_s}.get(state)
            shown.append(
                {
                    "name": name,
                    "health": state,
                    "reason": health.reason if health.out else "",
                    "since": None if since_s is None else now - timedelta(seconds=now_s - since_s),
                    "people": len(health.people) if health.out else health.unheard() if health.silent else 0,
                    "meanwhile": self.meanwhile(name) if health.out else "",
                    "provider_of": list(self.routes.used_by(name)),
                }
            )
        return shown
