"""Which signals tell the same. (A first cut: by message and by link.)"""

from collections import OrderedDict
from datetime import datetime, timedelta

from msgspec import Struct

from hub.model.signal import Signal


class Told(Struct, frozen=True, gc=False):
    """`fact`: the id of the signal's fact."""

    fact: str
    at: datetime
    signal: Signal


class Placed(Struct, frozen=True, gc=False):
    story: str
    how: str
    of: str = ""
    likeness: float = 1.0


class Stories:
    def __init__(self, window: timedelta = timedelta(hours=24), most: int = 20_000) -> None:
        self._most = most
        self._by: OrderedDict[tuple[str, ...], tuple[str, str]] = OrderedDict()

    def place(self, told: Told) -> Placed:
        for how, key in self._keys(told.signal):
            if key in self._by:
                story, of = self._by[key]
                self.learn(told, story)
                return Placed(story, how, of)
        self.learn(told, told.fact)
        return Placed(told.fact, "new")

    def learn(self, told: Told, story: str) -> None:
        for _, key in self._keys(told.signal):
            self._by[key] = (story, told.fact)
        while len(self._by) > self._most:
            self._by.popitem(last=False)

    @staticmethod
    def _keys(signal: Signal) -> list[tuple[str, tuple[str, ...]]]:
        named = [(signal.sender, signal.identifier), *((r.sender, r.identifier) for r in signal.references)]
        keys = [("same message", (signal.status.value, signal.source, *name)) for name in named]
        links = {info.web for info in signal.infos if info.web} | set(signal.links)
        return [*keys, *(("same link", (signal.status.value, link)) for link in sorted(links))]
