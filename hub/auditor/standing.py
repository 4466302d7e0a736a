"""What stands, who has been told, and when it is time to set the hub going again. Pure: seconds of a steady clock are
arguments."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from hub.auditor.checks import Finding

OVER_AFTER_S = 10.0  # what comes and goes within this time is one finding, not many
CALM_S = 600.0  # a hub that was well for this long is met with the first patience again
PATIENCE_S_MAX = 600.0


class Kind(StrEnum):
    """Why something is told."""

    NEW = "new"
    AGAIN = "again"
    OVER = "over"


class Told(Struct, frozen=True, kw_only=True):
    """What is told. `playback`: the hub plays recorded days back; nobody needs to get up."""

    kind: Kind
    finding: Finding
    playback: bool = False


class _Standing(Struct):
    finding: Finding
    told_s: float
    seen_s: float
    hung_s: float | None  # since when it is there without a break and says that the hub hangs


class Standing:
    """Each finding is told once, again every `again_s` while it stands, and once when it is over."""

    def __init__(self, again_s: float) -> None:
        self._again_s = again_s
        self._over_after_s = min(OVER_AFTER_S, again_s)
        self._all: dict[str, _Standing] = {}

    def __len__(self) -> int:
        return len(self._all)

    def update(self, findings: Iterable[Finding], now_s: float, playback: bool = False) -> list[Told]:
        """What is to be told now that these are the findings."""
        told: list[Told] = []
        present = {finding.what: finding for finding in findings}
        for what, finding in present.items():
            known = self._all.get(what)
            if known is None:
                known = self._all[what] = _Standing(finding, now_s, now_s, None)
                told.append(Told(kind=Kind.NEW, finding=finding, playback=playback))
            elif now_s - known.told_s >= self._again_s:
                known.told_s = now_s
                told.append(Told(kind=Kind.AGAIN, finding=finding, playback=playback))
            known.finding, known.seen_s = finding, now_s
            known.hung_s = (known.hung_s if known.hung_s is not None else now_s) if finding.hung else None
        for what, known in list(self._all.items()):
            if what not in present:
                known.hung_s = None
                if now_s - known.seen_s >= self._over_after_s:
                    del self._all[what]
                    told.append(Told(kind=Kind.OVER, finding=known.finding, playback=playback))
        return told

    def hung(self, now_s: float) -> tuple[float, Finding] | None:
        """The finding that has said for the longest time that the hub hangs, and for how many seconds."""
        hanging = [(now_s - s.hung_s, s.finding) for s in self._all.values() if s.hung_s is not None]
        return max(hanging, key=lambda one: one[0], default=None)

    def forgive(self) -> None:
        """The hub has been started anew: what says that it hangs has to say so again."""
        for known in self._all.values():
            known.hung_s = None


class Patience:
    """How long a hub may hang before it is started anew. It doubles with every restart that brought no calm: a restart
    that does not help must not itself keep the hub from working."""

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self._restarts = 0
        self._last_s = 0.0

    def s(self, now_s: float) -> float:
        """The patience there is now."""
        patience_s = min(self._first_s * 2.0**self._restarts, max(PATIENCE_S_MAX, self._first_s))
        if self._restarts and now_s - self._last_s >= CALM_S + patience_s:
            self._restarts = 0
            return self._first_s
        return patience_s

    def restarted(self, now_s: float) -> None:
        self._restarts, self._last_s = min(self._restarts + 1, 20), now_s


class Deaths:
    """How long to wait before a hub that died is started again, and what is to be said of it."""

    PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
    MANY = 5
    WITHIN_S = 60.0

    def __init__(self) -> None:
        self._lately: list[tuple[float, str]] = []
        self._in_a_row = 0
        self._doomed = False  # it has died too often, and not lived since

    def died(self, now_s: float, lived_s: float, how: str) -> float:
        """It has died after `lived_s` seconds. Returns the seconds to wait."""
        if lived_s >= self.WITHIN_S:
            self._in_a_row, self._doomed = 0, False
        self._in_a_row += 1
        self._lately = [*self._young(now_s), (now_s, how)][-self.MANY :]
        self._doomed |= len(self._lately) >= self.MANY
        return self.PAUSES_S[-1] if self._doomed else self.PAUSES_S[min(self._in_a_row, len(self.PAUSES_S)) - 1]

    def finding(self, now_s: float, lived_s: float) -> Finding | None:
        """What is to be said; `lived_s`: how long the hub has been alive now, 0 if it is not."""
        if self._doomed and lived_s >= self.WITHIN_S:
            self._doomed = False
        lately = self._young(now_s)
        if self._doomed:
            how = self._lately[-1][1]
            detail = (
                f"it died {self.MANY} times within a minute, last: {how}; tried again every {self.PAUSES_S[-1]:.0f} s"
            )
            return Finding(what="hub-keeps-dying", detail=detail, since_s=now_s - self._lately[0][0])
        if lately:
            at_s, how = lately[-1]
            return Finding(what="hub-died", detail=f"{how}; started again", since_s=now_s - at_s)
        return None

    def _young(self, now_s: float) -> list[tuple[float, str]]:
        return [death for death in self._lately if now_s - death[0] < self.WITHIN_S]
