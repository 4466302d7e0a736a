"""How much of a feed is read, before the library sees it: so many entries, tags in a MiB, tags in tags. Pure.

feedparser takes some 15 µs for a tag, holds 150 bytes for each character of a broken one, and looks for a mail address
in an author's name in a time that grows with the square of its length. An hour's worth of any of these fits into a MiB.
What is beyond a bound is left out so that the rest is as well-formed as it was: whole entries, an author, the
attributes of a tag.
"""

import re

from msgspec import Struct

ENTRIES_MAX = 5_000
TAGS_MAX = 65_000  # in each MiB: alerts in a feed of theirs have up to 51,000
DEPTH_MAX = 200  # the XML tree is read as deep
TAG_MAX = 20_000  # characters of a tag; attributes it may have:
_ATTRIBUTES_MAX = 200
_AUTHOR_MAX = 2_000  # characters
_AUTHORS = frozenset({"author", "contributor", "creator", "managingeditor", "webmaster", "publisher", "owner"})
_ENTRIES = frozenset({"item", "entry"})
# What HTML does not close: it stands in feeds that forgot to escape it.
_OPEN = frozenset({"br", "hr", "img", "p", "li", "input", "meta", "link", "td", "tr"})
_ASIDE = (("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>"))
_TAG = re.compile(r"""<(/?)([^\s<>/"'=]*)[^<>"']*+(?:"[^"]*+"[^<>"']*+|'[^']*+'[^<>"']*+)*+>?""")
_ENTRY_END = re.compile(r"</(?:\w{1,40}:)?(?:item|entry)\s{0,20}>")


class Bounded(Struct, frozen=True):
    """`text`: what is read. `left_out`: why entries are missing, and what to do, `""` where none are; `notes`: what
    else is."""

    text: str
    left_out: str = ""
    notes: tuple[str, ...] = ()


def bounded(text: str) -> Bounded:
    """The text of a feed (see `connectors.text.decode_xml`) within the bounds."""
    scan = _Scan(text)
    scan.run()
    return scan.result()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._room = int(TAGS_MAX * max(1.0, len(text) / (1 << 20)))
        self._tags = self._entries = self._alerts = self._depth = 0
        self._entry = -1  # where the open entry begins, and in how many others it lies
        self._outside = 0
        self._author, self._author_name = -1, ""  # what the open author says begins here
        self._edits: list[tuple[int, int, str]] = []
        self._left_out, self._from = "", 0
        self._notes: dict[str, None] = {}

    def run(self) -> None:
        at = 0
        while not self._left_out and (at := self._text.find("<", at)) >= 0:
            at = self._one(at)
        if self._author >= 0:
            self._author_ends(len(self._text))

    def result(self) -> Bounded:
        text = self._text
        if self._left_out:
            ends = [found.end() for found in _ENTRY_END.finditer(text, self._from)]
            self._edits = [edit for edit in self._edits if edit[1] <= self._from]
            self._edits.append((self._from, ends[-1] if ends else len(text), ""))
        pieces, at = [], 0
        for start, end, instead in self._edits:
            pieces += [text[at:start], instead]
            at = end
        return Bounded("".join([*pieces, text[at:]]), self._left_out, tuple(self._notes))

    def _one(self, at: int) -> int:
        """What begins with a `<`; answers where it ends."""
        self._tags += 1
        if self._tags > self._room:
            self._cut(at, f"more than {TAGS_MAX} tags in a MiB")
        for begins, ends in _ASIDE:
            if self._text.startswith(begins, at):
                end = self._text.find(ends, at)
                return len(self._text) if end < 0 else end + len(ends)
        found = _TAG.match(self._text, at)
        assert found is not None  # a `<` is enough
        closes, name = found[1], found[2].rpartition(":")[2].lower()
        length = found.end() - at
        empty = found[0].endswith("/>")
        if found[2] and (length > TAG_MAX or found[0].count("=") > _ATTRIBUTES_MAX):
            self._edits.append((at, found.end(), f"<{closes}{found[2][:100]}{'/' * empty}>"))
            self._notes[f"a tag of more than {TAG_MAX} characters or {_ATTRIBUTES_MAX} attributes: without them"] = None
        if name in _ENTRIES:
            self._of_entries(at, bool(closes), empty)
        if name == "alert" and not closes:
            self._alerts += 1
            if self._alerts > ENTRIES_MAX:
                self._cut(at, f"more than {ENTRIES_MAX} alerts")
        if name in _AUTHORS and not empty:
            self._of_authors(at, found.end(), bool(closes), name)
        if name not in _OPEN and not empty:
            self._depth = max(0, self._depth + (-1 if closes else 1))
            if self._depth > DEPTH_MAX:
                self._cut(at, f"tags in more than {DEPTH_MAX} others")
        return found.end()

    def _of_entries(self, at: int, closes: bool, empty: bool) -> None:
        if closes:
            if self._entry >= 0:
                self._depth = self._outside + 1  # whatever it forgot to close
            self._entry = -1
            return
        self._entries += 1
        if self._entries > ENTRIES_MAX:
            self._entry = -1
            self._cut(at, f"more than {ENTRIES_MAX} entries")
        if self._entry < 0 and not empty:
            self._entry, self._outside = at, self._depth

    def _of_authors(self, at: int, end: int, closes: bool, name: str) -> None:
        if not closes and self._author < 0:
            self._author, self._author_name = end, name
        elif closes and name == self._author_name and self._author >= 0:
            self._author_ends(at)

    def _author_ends(self, at: int) -> None:
        if at - self._author > _AUTHOR_MAX:
            self._edits = [edit for edit in self._edits if edit[1] <= self._author]
            self._edits.append((self._author, at, ""))
            self._notes[f"an author of more than {_AUTHOR_MAX} characters is left out"] = None
        self._author = -1

    def _cut(self, at: int, what: str) -> None:
        self._from = self._entry if self._entry >= 0 else at
        self._left_out = f"it has {what}: of its entries those before are read: ask its publisher for a shorter feed"
