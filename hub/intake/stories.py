"""Which signals tell the same: the same news from ten outlets is one story. Pure: no clock, no chance.

A newcomer is recognised in four ways, the surest first: its sender says so (the same message again, an update, a
cancel); it leads to the same page; it says the same in the same words; it tells the same facts in others
(hub/intake/likeness.py). The last two never join what status, hazard, area, time or labels keep apart
(hub/intake/apart.py), and hold a newcomer against both ends of a story, the first signal that told it and the latest:
one must be like it, the other at least have to do with it, so that a story may move on but cannot wander off.

The memory is bounded in time and number, and so is the work for one signal, however many are alike.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from heapq import nsmallest

from msgspec import Struct

from hub.intake.apart import Frame, apart, frame, together
from hub.intake.gist import Gist, Reader, keys
from hub.intake.likeness import NEAR, Likeness, alike
from hub.intake.links import canonical
from hub.model.signal import Reference, Signal

FACTS_WINDOW = timedelta(hours=8)  # by its facts a story is only recognised while it is fresh
LANGUAGES_MOST = 4  # of one signal that are read
PER_KEY = 16  # stories found by one name, figure or band; a name that so many have tells nothing
COMPARED = 8  # stories that a newcomer is compared with
REFERENCES_MOST = 50
LINKS_MOST = 20
STRANGERS_MOST = 8  # signals that name a page and have nothing to do with one another: it is no news then

_NUMBERED = re.compile(r"^(?=.*\d)\S{5,}$").match
_UNLIKE = Likeness("", 0.0)


class Told(Struct, frozen=True, gc=False):
    """A signal as it came in. `fact`: the id of its fact."""

    fact: str
    at: datetime
    signal: Signal


class Placed(Struct, frozen=True, gc=False):
    """The story that a signal tells: the fact id of the first that told it. `how` it was recognised: "new", "same
    message", "same link", "same text", "same facts"; `of` which signal; `likeness` 0 to 1."""

    story: str
    how: str
    of: str = ""
    likeness: float = 1.0


class _Member(Struct, frozen=True, gc=False):
    fact: str
    at: datetime
    frame: Frame
    gists: tuple[Gist, ...]


class _Story(Struct, gc=False):
    first: _Member
    latest: _Member
    first_keys: tuple[int | str, ...]
    latest_keys: tuple[int | str, ...]
    remembered: int = 0


class _Page(Struct, gc=False):
    """A page that signals lead to. `strangers`: how many named it that have nothing to do with its story."""

    story: str
    fact: str
    teller: tuple[str, str]
    strangers: int = 0


class _Kept(Struct, frozen=True, gc=False):
    at: datetime
    story: str
    messages: tuple[int, ...]
    pages: tuple[int, ...]


class Stories:
    """The stories of the last `window`, at most of the last `most` signals. `lies_in`: which of the centre's areas one
    of them lies in; `names`: what the centre's areas are called in each language."""

    def __init__(
        self,
        window: timedelta = timedelta(hours=24),
        most: int = 20_000,
        *,
        lies_in: Callable[[str], Iterable[str]] = lambda place: (),
        names: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._window = window
        self._most = most
        self._lies_in = lies_in
        self._reader = Reader(names)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._stories: dict[str, _Story] = {}
        self._messages: dict[int, tuple[str, str]] = {}  # who said what → its story, the fact
        self._pages: dict[int, _Page] = {}
        self._found: dict[int | str, tuple[str, ...]] = {}  # name, figure or band → stories, the newest last
        self._newest: datetime | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def place(self, told: Told) -> Placed:
        """Which story a signal tells; it is remembered as one of it."""
        self._forget(told.at)
        new = self._member(told)
        at = {key: worth for gist in new.gists for key, worth in keys(gist).items()}
        placed = (
            self._by_message(told.signal, new)
            or self._by_page(told.signal, new)
            or self._by_words(new, at)
            or Placed(told.fact, "new", "", 1.0)
        )
        self._remember(told, new, placed.story, at)
        return placed

    def learn(self, told: Told, story: str) -> None:
        """Remembers a signal as one of a story, as it was placed before a restart. In the order they came in."""
        self._forget(told.at)
        new = self._member(told)
        self._remember(told, new, story, {key: 0.0 for gist in new.gists for key in keys(gist)})

    # --- how a newcomer is recognised -----------------------------------------------------------------------

    def _by_message(self, signal: Signal, new: _Member) -> Placed | None:
        own = (signal.status.value, signal.source, signal.sender)
        for name in (signal.identifier, *(r.identifier for r in _references(signal))):
            known = self._messages.get(_digest("message", *own, name))
            if known is not None:
                return Placed(known[0], "same message", known[1], 1.0)
        for key in _incidents(signal):
            known = self._messages.get(key)
            if known is not None and not apart(new.frame, self._stories[known[0]].first.frame):
                return Placed(known[0], "same message", known[1], 1.0)
        return None

    def _by_page(self, signal: Signal, new: _Member) -> Placed | None:
        for link in _links(signal):
            page = self._pages.get(_digest("page", signal.status.value, link))
            if page is None or page.strangers > STRANGERS_MOST:
                continue
            story = self._stories[page.story]
            kept_apart = any(apart(new.frame, end.frame) for end in (story.first, story.latest))
            found = max((_against(new, end) for end in (story.first, story.latest)), key=lambda f: f.likeness)
            if page.teller == new.frame.teller and not found.how:
                page.strangers = STRANGERS_MOST + 1  # all that this teller says leads there
            elif kept_apart or found.likeness < NEAR:
                page.strangers += 1
            if kept_apart or page.strangers > STRANGERS_MOST:
                continue
            return Placed(page.story, "same link", page.fact, 1.0)
        return None

    def _by_words(self, new: _Member, at: Mapping[int | str, float]) -> Placed | None:
        worth: dict[str, float] = {}
        for key, value in at.items():
            found = self._found.get(key, ())
            if len(found) < PER_KEY or isinstance(key, int):
                for story in found:
                    worth[story] = worth.get(story, 0.0) + value
        best: Placed | None = None
        for story in nsmallest(COMPARED, worth, key=lambda s: (-worth[s], s)):
            placed = self._recognised(new, story)
            if placed is not None and (best is None or placed.likeness > best.likeness):
                best = placed
        return best

    def _recognised(self, new: _Member, name: str) -> Placed | None:
        story = self._stories[name]
        ends = (story.latest,) if story.first is story.latest else (story.latest, story.first)
        if abs(new.at - story.first.at) > self._window or any(apart(new.frame, end.frame) for end in ends):
            return None
        best: Placed | None = None
        for end in ends:
            found = _against(new, end)
            if found.likeness < NEAR:
                return None
            if not found.how or (found.how == "same facts" and abs(new.at - end.at) > FACTS_WINDOW):
                continue
            if best is None or found.likeness > best.likeness:
                best = Placed(name, found.how, end.fact, found.likeness)
        return best

    # --- remembering and forgetting -------------------------------------------------------------------------

    def _member(self, told: Told) -> _Member:
        gists: dict[str, list[str]] = {}
        for info in told.signal.infos:
            language = info.language.partition("-")[0].casefold()
            if language in gists or len(gists) < LANGUAGES_MOST:
                gists.setdefault(language, []).extend((info.headline or info.event, info.description))
        return _Member(
            fact=told.fact,
            at=told.at,
            frame=frame(told.signal, self._lies_in),
            gists=tuple(self._reader.gist(*texts) for texts in gists.values()),
        )

    def _remember(self, told: Told, new: _Member, name: str, at: Mapping[int | str, float]) -> None:
        if told.fact in self._kept:  # learnt twice
            self._drop(told.fact)
        story = self._stories.get(name)
        found_by = tuple(at)
        if story is None:
            story = self._stories[name] = _Story(new, new, found_by, ())
            self._index(name, found_by)
        else:
            kept = set(found_by)
            self._unindex(name, [key for key in story.latest_keys if key not in kept])
            first = set(story.first_keys)
            story.latest, story.latest_keys = new, tuple(key for key in found_by if key not in first)
            self._index(name, story.latest_keys)
        story.remembered += 1
        signal = told.signal
        own = (signal.status.value, signal.source, signal.sender)
        messages = (_digest("message", *own, signal.identifier), *_incidents(signal))
        pages = tuple(_digest("page", signal.status.value, link) for link in _links(signal))
        for key in messages:
            self._messages[key] = (name, told.fact)
        for key in pages:
            page = self._pages.get(key)
            if page is None or page.story == name:
                strangers = page.strangers if page is not None else 0
                self._pages[key] = _Page(name, told.fact, new.frame.teller, strangers)
        self._kept[told.fact] = _Kept(told.at, name, messages, pages)
        while len(self._kept) > self._most:
            self._drop(next(iter(self._kept)))

    def _forget(self, at: datetime) -> None:
        self._newest = at if self._newest is None else max(at, self._newest)
        oldest = self._newest - self._window
        while self._kept:
            fact = next(iter(self._kept))
            if self._kept[fact].at >= oldest:
                break
            self._drop(fact)

    def _drop(self, fact: str) -> None:
        kept = self._kept.pop(fact)
        for key in kept.messages:
            if self._messages.get(key, ("", ""))[1] == fact:
                del self._messages[key]
        story = self._stories[kept.story]
        story.remembered -= 1
        if not story.remembered:
            self._unindex(kept.story, (*story.first_keys, *story.latest_keys))
            del self._stories[kept.story]
        for key in kept.pages:
            page = self._pages.get(key)
            if page is not None and (page.fact == fact or page.story not in self._stories):
                del self._pages[key]

    def _index(self, name: str, found_by: Iterable[int | str]) -> None:
        for key in found_by:
            known = self._found.get(key, ())
            if name not in known:
                self._found[key] = (*known[-(PER_KEY - 1) :], name)

    def _unindex(self, name: str, found_by: Iterable[int | str]) -> None:
        for key in found_by:
            known = self._found.get(key, ())
            if name in known:
                if len(known) == 1:
                    del self._found[key]
                else:
                    self._found[key] = tuple(story for story in known if story != name)


def _against(new: _Member, known: _Member) -> Likeness:
    """The best of all pairs of languages. One teller's two messages in nearly the same words are two on purpose."""
    best = _UNLIKE
    one_teller = new.frame.teller == known.frame.teller
    area, more = together(new.frame, known.frame)
    for one in new.gists:
        for other in known.gists:
            found = alike(one, other, one_teller=one_teller, area=area, more=more)
            if (bool(found.how), found.likeness) > (bool(best.how), best.likeness):
                best = found
    return best


def _references(signal: Signal) -> list[Reference]:
    return [r for r in signal.references[:REFERENCES_MOST] if r.sender == signal.sender]


def _incidents(signal: Signal) -> list[int]:
    """What its sender says it belongs to, where that looks like a name (MeteoAlarm writes "Alert" into all)."""
    own = (signal.status.value, signal.source, signal.sender)
    return [
        _digest("incident", *own, incident) for incident in signal.incidents[:REFERENCES_MOST] if _NUMBERED(incident)
    ]


def _links(signal: Signal) -> list[str]:
    links = (*(info.web for info in signal.infos if info.web), *signal.links)
    return list(dict.fromkeys(link for link in map(canonical, links[:LINKS_MOST]) if link))


def _digest(*parts: str) -> int:
    """A key that is the same in every process and takes little room."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest(), "big")
