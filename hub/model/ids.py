"""ULIDs: 48 bits of milliseconds and 80 of chance, as 26 Crockford base32 characters that sort by time.

Ids are an argument: whoever makes records holds an `Ids`, seeded in tests and simulation, from the system's
entropy in the hub. Within one millisecond the random part counts up, so one maker's ids always sort.
"""

import random
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_RANDOM_BITS = 80
_MASK = (1 << _RANDOM_BITS) - 1


class Ids:
    """Makes ULIDs for a given instant. Not thread-safe: each writer has its own."""

    def __init__(self, chance: random.Random | random.SystemRandom) -> None:
        self._chance = chance
        self._at: datetime | None = None  # the instant of the last id
        self._ms = -1
        self._low = 0
        self._head = ""
        self._high = -1  # what `_prefix` is of: all but the last ten bits of `_low`
        self._prefix = ""

    def new(self, at: datetime) -> str:
        """A new id for the aware instant `at`; sorts after all this maker gave before, even if time went back."""
        ms = self._ms
        if at is not self._at:  # the records of one burst share their instant
            self._at = at
            ms = int(at.timestamp() * 1000)
        if ms > self._ms:
            self._ms = ms
            # The top bit stays free, so that counting up within the millisecond cannot overflow.
            self._low = self._chance.getrandbits(_RANDOM_BITS - 1)
            self._head = _head(ms)
            self._high = -1
        else:
            self._low = (self._low + 1) & _MASK
        n = self._low
        if n >> 10 != self._high:
            p, self._high = _PAIRS, n >> 10
            self._prefix = (
                f"{self._head}{p[n >> 70]}{p[n >> 60 & 1023]}{p[n >> 50 & 1023]}{p[n >> 40 & 1023]}"
                f"{p[n >> 30 & 1023]}{p[n >> 20 & 1023]}{p[n >> 10 & 1023]}"
            )
        return self._prefix + _PAIRS[n & 1023]


def made_at(id_: str) -> float:
    """When an id was made, in seconds since 1970."""
    ms = 0
    for sign in id_[:10]:
        ms = ms * len(_ALPHABET) + _ALPHABET.index(sign)
    return ms / 1000


def _head(ms: int) -> str:
    p = _PAIRS
    return f"{p[ms >> 40]}{p[ms >> 30 & 1023]}{p[ms >> 20 & 1023]}{p[ms >> 10 & 1023]}{p[ms & 1023]}"
