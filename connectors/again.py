"""How long to wait before a line is tried again that was lost."""

import random

STOOD_S = 60.0  # what stood for so long was no failure


class Again:
    """Doubling from a second to a minute, with up to 10 % of jitter, so that a hundred hubs do not come at once."""

    def __init__(self, chance: random.Random, first_s: float = 1.0, longest_s: float = 60.0) -> None:
        self._chance = chance
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def wait_s(self, stood_s: float) -> float:
        """After one more failure. `stood_s`: how long the line stood; one that is lost at once each time (two who claim
        one name throw each other out) is tried ever less often."""
        if stood_s >= STOOD_S:
            self._failures = 0
        wait_s = min(self._first_s * 2.0 ** min(self._failures, 20), self._longest_s)
        self._failures += 1
        return wait_s * (1.0 + 0.1 * self._chance.random())
