"""Which idempotency keys a SQLite journal holds.

Keys are digests: each new one would change a page of its own, somewhere in their table. So the newest (`KEEP` to twice
as many) are kept in memory, where a restart puts them again from the records themselves, and go into the table sorted,
a slice with each commit: keys that lie side by side then share pages (docs/decisions/journal.md).
"""

from array import array
from collections.abc import Callable, Iterable, Sequence

import apsw

from hub.journal.codec import Row
from hub.journal.insert import insert

KEEP = 32_768  # keys to a generation: those that go into the table together
_SLICE = 512  # keys a commit takes into the table, at least


class Keys:
    """Keys and the places of the facts that have them. One thread only; after a transaction that failed, another is
    made."""

    def __init__(self, journal: apsw.Connection) -> None:
        self._journal = journal
        self._new: dict[bytes, int] = {}
        self._settling: dict[bytes, int] = {}  # no more are added to these: they go into the table
        self._sorted: list[tuple[bytes, int]] = []  # the same
        self._done = 0  # how many of them are in the table
        stored = int(journal.execute("SELECT value FROM meta WHERE name = 'keyed'").get)
        recent = "SELECT key, seq FROM records WHERE seq > ? AND key IS NOT NULL ORDER BY seq"
        for key, seq in journal.execute(recent, (stored,)):
            self._add(key, seq)

    @property
    def waiting(self) -> bool:
        """Some have to go into the table."""
        return bool(self._sorted)

    def places(self, keys: Iterable[bytes]) -> tuple[dict[bytes, int], list[bytes]]:
        """Where the facts are that have these keys, as far as that is at hand; and the keys for which the table has to
        be asked."""
        places: dict[bytes, int] = {}
        unknown: list[bytes] = []
        for key in keys:
            seq = self._new.get(key) or self._settling.get(key)
            if seq is None:
                unknown.append(key)
            else:
                places[key] = seq
        return places, unknown

    def named(self, places: dict[bytes, int]) -> dict[bytes, str]:
        """The same with the ids of the facts."""
        if not places:
            return {}
        named = "SELECT r.seq, r.id FROM carray(?) a CROSS JOIN records r ON r.seq = a.value"
        ids = dict(self._journal.execute(named, (apsw.carray(array("q", places.values())),)))
        return {key: ids[seq] for key, seq in places.items()}

    def settle(self, coming: int) -> Callable[[], None]:
        """Within a transaction that brings `coming` new records: takes a slice into the table. Returns what to call
        once it is durable."""
        upto = self._done + max(_SLICE, 2 * coming)  # ready long before the next are due
        piece = self._sorted[self._done : upto]
        insert(self._journal, "keys", 2, piece, " ON CONFLICT (key) DO NOTHING")  # some may be from before a restart
        last = upto >= len(self._sorted)
        if last:
            place = max(self._settling.values())
            self._journal.execute("UPDATE meta SET value = ? WHERE name = 'keyed'", (str(place),))

        def durable() -> None:
            self._done = upto
            if last:
                self._settling, self._sorted, self._done = {}, [], 0

        return durable

    def add(self, rows: Sequence[Row]) -> None:
        """Notes the keys of records that are durable now."""
        for row in rows:
            if row.key is not None:
                self._add(row.key, row.seq)

    def _add(self, key: bytes, seq: int) -> None:
        self._new[key] = seq
        if len(self._new) >= KEEP and not self._settling:
            self._settling, self._new = self._new, {}
            self._sorted = sorted(self._settling.items())
