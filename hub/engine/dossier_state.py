"""What the state knows of dossiers: counts by day, and by which names a story is known again. Bounded; never what was
said."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from hub.model import event_dossier as d

DAYS_KEPT = 800  # enough for the longest spans there can be, and for two years to be looked at
STORIES_MOST = 1_000  # the newest by which a signal is known as one more of the same
PLACES_MOST = 200
LINKED_MOST = 200  # incidents; as many notes: all of them are in the journal


class FiledStory(Struct, kw_only=True, gc=False):
    """`day`: the ordinal of the local day that it counts on; `apart`: why it does not (hub.model.event_dossier.Filed).
    `removed`: an officer took it out."""

    day: int
    apart: str = ""
    removed: bool = False
    places: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        return not self.apart and not self.removed


class Rising(Struct, kw_only=True, gc=False):
    """A rise that was found, and is not over. `told`: its signal is recorded."""

    event: d.Rose
    at: datetime
    told: bool = False


class Dossier(Struct, kw_only=True, gc=False):
    """`since`: the first day that can be compared; `closed`: the day on which it went out of force, 0 where it is in
    force (days are ordinals, local). `rose`: the day of the newest rise."""

    version: str
    since: int
    closed: int = 0
    days: dict[int, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    stories: dict[str, FiledStory] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rising: Rising | None = None
    rose: int = 0


Dossiers = dict[str, Dossier]


def _opened(s: Dossiers, ev: d.DossierOpened, at: datetime) -> None:
    known = s.get(ev.dossier)
    if known is None:
        s[ev.dossier] = Dossier(version=ev.version, since=ev.since.toordinal())
        return
    if known.since != ev.since.toordinal():
        known.rising = None  # it was reckoned from other counts
    known.version, known.since, known.closed = ev.version, ev.since.toordinal(), 0


def _closed(s: Dossiers, ev: d.DossierClosed, at: datetime) -> None:
    s[ev.dossier].closed = ev.day.toordinal()


def _filed(s: Dossiers, ev: d.Filed, at: datetime) -> None:
    dossier = s[ev.dossier]
    known = dossier.stories.get(ev.story)
    if known is not None and ev.apart and not (known.removed and ev.by):
        return  # one more of the same
    story = FiledStory(day=ev.day.toordinal(), apart=ev.apart, places=ev.places)
    dossier.stories[ev.story] = story
    if story.counts:
        _count(dossier, story, 1)
    while len(dossier.stories) > STORIES_MOST:
        del dossier.stories[next(iter(dossier.stories))]
    oldest = at.toordinal() - DAYS_KEPT
    for day in [day for day in dossier.days if day < oldest] if len(dossier.days) > DAYS_KEPT else ():
        del dossier.days[day]


def _count(dossier: Dossier, story: FiledStory, by: int) -> None:
    _add(dossier.days, story.day, by)
    for place in story.places:
        if place in dossier.places or len(dossier.places) < PLACES_MOST:
            _add(dossier.places, place, by)


def _add(counts: dict[Any, int], key: Any, by: int) -> None:
    counts[key] = counts.get(key, 0) + by
    if counts[key] <= 0:
        del counts[key]


def _unfiled(s: Dossiers, ev: d.Unfiled, at: datetime) -> None:
    story = s[ev.dossier].stories[ev.story]
    if story.counts:
        _count(s[ev.dossier], story, -1)
    story.removed = True


def _recounted(s: Dossiers, ev: d.Recounted, at: datetime) -> None:
    story = s[ev.dossier].stories[ev.story]
    before = story.counts
    story.apart = ev.apart
    if story.counts != before:
        _count(s[ev.dossier], story, 1 if story.counts else -1)


def _cancelled(s: Dossiers, ev: d.FiledCancelled, at: datetime) -> None:
    pass  # it was told, and counts as before


def _noted(s: Dossiers, ev: d.DossierNoted, at: datetime) -> None:
    s[ev.dossier].notes = [*s[ev.dossier].notes[1 - LINKED_MOST :], ev.note]


def _linked(s: Dossiers, ev: d.DossierLinked, at: datetime) -> None:
    s[ev.dossier].incidents = [*s[ev.dossier].incidents[1 - LINKED_MOST :], ev.incident]


def _rose(s: Dossiers, ev: d.Rose, at: datetime) -> None:
    s[ev.dossier].rising = Rising(event=ev, at=at)
    s[ev.dossier].rose = ev.day.toordinal()


def _told(s: Dossiers, ev: d.RiseTold, at: datetime) -> None:
    rising = s[ev.dossier].rising
    if rising is not None:
        rising.told = True


def _fell_back(s: Dossiers, ev: d.FellBack, at: datetime) -> None:
    s[ev.dossier].rising = None


_FOLDS: dict[type, Callable[[Dossiers, Any, datetime], None]] = {
    d.DossierOpened: _opened,
    d.DossierClosed: _closed,
    d.Filed: _filed,
    d.Unfiled: _unfiled,
    d.Recounted: _recounted,
    d.FiledCancelled: _cancelled,
    d.DossierNoted: _noted,
    d.DossierLinked: _linked,
    d.Rose: _rose,
    d.RiseTold: _told,
    d.FellBack: _fell_back,
}
EVENTS = tuple(_FOLDS)


def fold_dossier(dossiers: Dossiers, event: d.DossierEvent, at: datetime) -> None:
    """Folds one event of a dossier."""
    _FOLDS[type(event)](dossiers, event, at)
