"""Dead letters of what comes without end: one a day for each thing that is wrong, the rest is counted. Pure."""

from datetime import date, datetime

from msgspec import Struct

WRONG_MAX = 200  # things that are wrong on one day; beyond, one letter says that there are more


class Letter(Struct, frozen=True):
    """One that is to be written. `key`: the same all day, so that a restart writes none twice. `before`: how often the
    same came the day before. `more`: it stands for all that is wrong besides, and is the day's last."""

    key: str
    before: int = 0
    more: bool = False


class Letters:
    """What has been told today of what cannot be read."""

    def __init__(self, most: int = WRONG_MAX) -> None:
        self._most = most
        self._day: date | None = None
        self._seen: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def first(self, wrong: str, now: datetime) -> Letter | None:
        """The letter to be written, or None: counted only. `wrong` names what is wrong with whom, not the content."""
        if now.date() != self._day:
            self._day, self._seen, self._before = now.date(), {}, self._seen
        more = wrong not in self._seen and len(self._seen) >= self._most
        wrong = "" if more else wrong
        self._seen[wrong] = self._seen.get(wrong, 0) + 1
        return Letter(f"{now.date()} {wrong}", self._before.get(wrong, 0), more) if self._seen[wrong] == 1 else None
