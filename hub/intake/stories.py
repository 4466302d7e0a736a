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
from hub.intake.gist import Gist, Reader, keys, usual_reader
from hub.intake.likeness import NEAR, SHARE, Likeness, alike
from hub.intake.links import canonical
from hub.model.signal import Signal

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


class _New(Struct, frozen=True, gc=False):
    """A newcomer, and by what it is found again: who said what (`messages`), what it says it belongs to (`refers`,
    `incidents`), pages, and names, figures and bands with what each is worth."""

    member: _Member
    messages: tuple[int, ...]
    refers: tuple[int, ...]
    incidents: tuple[int, ...]
    pages: tuple[int, ...]
    keys: dict[int | str, int]


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
        self._reader = Reader(names) if names else usual_reader()
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
        new = self._read(told)
        placed = self._by_message(new) or self._by_page(new) or self._by_words(new) or Placed(told.fact, "new")
        self._remember(new, placed.story)
        return placed

    def learn(self, told: Told, story: str) -> None:
        """Remembers a signal as one of a story, as it was placed before a restart. In the order they came in."""
        self._forget(told.at)
        self._remember(self._read(told), story)

    # --- how a newcomer is recognised -----------------------------------------------------------------------

    def _by_message(self, new: _New) -> Placed | None:
        for key in (*new.messages, *new.refers):
            known = self._messages.get(key)
            if known is not None:
                return Placed(known[0], "same message", known[1])
        for key in new.incidents:
            known = self._messages.get(key)
            if known is not None and not apart(new.member.frame, self._stories[known[0]].first.frame):
                return Placed(known[0], "same message", known[1])
        return None

    def _by_page(self, new: _New) -> Placed | None:
        for key in new.pages:
            page = self._pages.get(key)
            if page is None or page.strangers > STRANGERS_MOST:
                continue
            story = self._stories[page.story]
            kept_apart = any(apart(new.member.frame, end.frame) for end in (story.first, story.latest))
            found = max((_against(new.member, end) for end in (story.first, story.latest)), key=lambda f: f.likeness)
            if page.teller == new.member.frame.teller and not found.how:
                page.strangers = STRANGERS_MOST + 1  # all that this teller says leads there
            elif kept_apart or found.likeness < NEAR:
                page.strangers += 1
            if not kept_apart and page.strangers <= STRANGERS_MOST:
                return Placed(page.story, "same link", page.fact)
        return None

    def _by_words(self, new: _New) -> Placed | None:
        worth: dict[str, int] = {}
        for key, value in new.keys.items():
            found = self._found.get(key, ())
            if len(found) < PER_KEY or isinstance(key, int):
                for story in found:
                    worth[story] = worth.get(story, 0) + value
        best: Placed | None = None
        for story in nsmallest(COMPARED, worth, key=lambda s: (-worth[s], s)):
            placed = self._recognised(new.member, story)
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
            found = _against(new, end, floor=SHARE if len(ends) == 1 else NEAR)
            if found.likeness < NEAR:
                return None
            if not found.how or (found.how == "same facts" and abs(new.at - end.at) > FACTS_WINDOW):
                continue
            if best is None or found.likeness > best.likeness:
                best = Placed(name, found.how, end.fact, found.likeness)
        return best

    # --- remembering and forgetting -------------------------------------------------------------------------

    def _read(self, told: Told) -> _New:
        signal = told.signal
        texts: dict[str, list[str]] = {}
        for info in signal.infos:
            language = info.language.partition("-")[0].casefold()
            if language in texts or len(texts) < LANGUAGES_MOST:
                texts.setdefault(language, []).extend((info.headline or info.event, info.description))
        gists = tuple(self._reader.gist(*said) for said in texts.values())
        own = (signal.status.value, signal.source, signal.sender)
        return _New(
            member=_Member(told.fact, told.at, frame(signal, self._lies_in), gists),
            messages=(_digest("message", *own, signal.identifier),),
            refers=tuple(
                _digest("message", *own, reference.identifier)
                for reference in signal.references[:REFERENCES_MOST]
                if reference.sender == signal.sender
            ),
            incidents=tuple(
                _digest("incident", *own, incident)
                for incident in signal.incidents[:REFERENCES_MOST]
                if _NUMBERED(incident)  # MeteoAlarm writes "Alert" into all
            ),
            pages=tuple(_digest("page", signal.status.value, link) for link in _links(signal)),
            keys={key: worth for gist in gists for key, worth in keys(gist).items()},
        )

    def _remember(self, new: _New, name: str) -> None:
        member = new.member
        if member.fact in self._kept:  # learnt twice
            self._drop(member.fact)
        story = self._stories.get(name)
        found_by = tuple(new.keys)
        if story is None:
            story = self._stories[name] = _Story(member, member, found_by, ())
            self._index(name, found_by)
        else:
            self._unindex(name, [key for key in story.latest_keys if key not in new.keys])
            first = set(story.first_keys)
            story.latest, story.latest_keys = member, tuple(key for key in found_by if key not in first)
            self._index(name, story.latest_keys)
        story.remembered += 1
        messages = (*new.messages, *new.incidents)
        for message in messages:
            self._messages[message] = (name, member.fact)
        for key in new.pages:
            page = self._pages.get(key)
            if page is None or page.story == name:
                strangers = page.strangers if page is not None else 0
                self._pages[key] = _Page(name, member.fact, member.frame.teller, strangers)
        self._kept[member.fact] = _Kept(member.at, name, messages, new.pages)
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


def _against(new: _Member, known: _Member, floor: float = 0.0) -> Likeness:
    """The best of all pairs of languages. One teller's two messages in nearly the same words are two on purpose."""
    best = _UNLIKE
    one_teller = new.frame.teller == known.frame.teller
    area, more = together(new.frame, known.frame) if new.frame.says_more and known.frame.says_more else (0, 0)
    for one in new.gists:
        for other in known.gists:
            found = alike(one, other, one_teller=one_teller, area=area, more=more, floor=floor)
            if (bool(found.how), found.likeness) > (bool(best.how), best.likeness):
                best = found
    return best


def _links(signal: Signal) -> list[str]:
    links = (*(info.web for info in signal.infos if info.web), *signal.links)
    return list(dict.fromkeys(link for link in map(canonical, links[:LINKS_MOST]) if link))


def _digest(*parts: str) -> int:
    """A key that is the same in every process and takes little room."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=8).digest(), "big")
