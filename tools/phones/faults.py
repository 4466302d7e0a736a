"""What goes wrong with the gateway, and how often: probabilities and a seeded random."""

import random

import msgspec


class Faults(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Probabilities between 0 and 1. Those of the first group exclude one another for one request."""

    refused: float = 0.0
    """The connection is cut before anything took place."""
    error_500: float = 0.0
    """HTTP 500; nothing took place."""
    too_many: float = 0.0
    """HTTP 429 with code 20429; nothing took place."""
    unavailable: float = 0.0
    """HTTP 503 with code 20503 and a Retry-After of 7 s; nothing took place."""
    garbled: float = 0.0
    """HTTP 200 with a body that is no resource (a proxy's word); nothing took place."""
    hangs: float = 0.0
    """No answer until the client gives up; nothing took place."""
    answer_lost: float = 0.0
    """The message or call was accepted, then the connection is closed without an answer."""
    answer_stalled: float = 0.0
    """The message or call was accepted, but no answer comes until the client gives up."""

    callback_lost: float = 0.0
    """A status callback is never sent."""
    callback_twice: float = 0.0
    """A status callback is sent twice."""
    callback_held: float = 0.0
    """A status callback comes after the one that follows it."""
    callback_unknown: float = 0.0
    """A status callback with a status nobody knows comes before the real one."""

    seed: int = 0

    def __post_init__(self) -> None:
        for name in REQUEST + CALLBACK:
            chance = getattr(self, name)
            if not 0 <= chance <= 1:
                raise ValueError(f"faults: {name} {chance}: must be a probability between 0 and 1")
        if sum(getattr(self, name) for name in REQUEST) > 1:
            raise ValueError(f"faults: {', '.join(REQUEST)} together: must not pass 1")


REQUEST = ("refused", "error_500", "too_many", "hangs", "answer_lost", "answer_stalled", "unavailable", "garbled")
CALLBACK = ("callback_lost", "callback_twice", "callback_held", "callback_unknown")


class Dice:
    """Throws for each request and callback which fault it meets, reproducibly; counts them."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.counts: dict[str, int] = dict.fromkeys(REQUEST + CALLBACK, 0)
        self._random = random.Random(faults.seed)

    def request(self) -> str | None:
        """The name of the fault this request meets, or None."""
        throw = self._random.random()
        for name in REQUEST:
            throw -= getattr(self.faults, name)
            if throw < 0:
                self.counts[name] += 1
                return name
        return None

    def callback(self, name: str) -> bool:
        """Whether this callback meets the fault `name`."""
        chance: float = getattr(self.faults, name)
        if chance <= 0 or self._random.random() >= chance:
            return False
        self.counts[name] += 1
        return True
