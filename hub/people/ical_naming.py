"""Whom an event of a calendar puts on duty: by id, by mail address, by name. Pure; nothing is guessed."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from hub.findings import choice
from hub.people.directory import Directory
from hub.people.folding import fold

_WORD = re.compile(r"[^\W_]+")
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_MAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")
_NEAR = 0.75  # how alike a name must be to be shown as one that may be meant
_SHOWN = 3
_LOOKS_MOST = 100  # texts for which near names are looked for: it takes a while in a large directory


class Unclear(Exception):
    """It cannot be told who is meant: what is wrong, and what would be right."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


class Naming:
    """Made once for a file."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._names: dict[tuple[str, ...], list[str]] = {}  # a name's words → whose it is
        self._looks = 0
        for person in directory.people.values():
            words = tuple(_words(person.name))
            if len(words) > 1:  # one word alone ("Officer") names nobody
                for said in {words, (*words[1:], words[0]), (words[-1], *words[:-1])}:  # Anna Un; Un Anna
                    self._names.setdefault(said, []).append(person.id)
        self._longest = max(map(len, self._names), default=0)

    def people(self, ids: str, attendees: Sequence[str], summary: str) -> tuple[str, ...]:
        """Who is on duty by an event: `ids` as our own export has them, else the attendees (mail addresses) and the
        summary, which must not contradict one another. Raises Unclear."""
        if ids:
            return tuple(self._id(one.strip()) for one in ids.split(",") if one.strip())
        invited = tuple(dict.fromkeys(self._attendee(address) for address in attendees))
        named = self._named(summary)
        if invited and named and set(invited) != set(named):
            raise Unclear(
                f'"{_short(summary)}" names {_and(named)}, and invited are {_and(invited)}',
                "let both say the same, or name nobody in the title",
            )
        if not invited and not named:
            raise Unclear(f'"{_short(summary)}" names nobody of the directory', self._nearest(summary))
        return invited or named

    def _id(self, person: str) -> str:
        if self._directory.person(person) is None:
            people = self._directory.people
            raise Unclear(f'"{_short(person)}" is nobody', choice(person, people))
        return person

    def _attendee(self, address: str) -> str:
        owners = self._directory.owners(address)
        if not owners:
            raise Unclear(f"nobody has the address {_short(address)}", "give it to a person of config/people.yaml")
        if len(owners) > 1:
            raise Unclear(f"{_and(owners)} have the address {_short(address)}", "give each their own")
        return owners[0]

    def _named(self, summary: str) -> tuple[str, ...]:
        """By mail address, id or whole name, in the order they stand; a longer name hides a shorter within it."""
        found: dict[str, None] = {}
        for address in _MAIL.findall(summary):
            if owners := self._directory.owners(address):
                found[self._attendee(address) if len(owners) == 1 else owners[0]] = None
        for token in _ID.findall(summary.casefold()):
            if "-" in token and self._directory.person(token) is not None:  # a bare word is no id: "test", "week"
                found[token] = None
        if not found and self._directory.person(summary.strip()) is not None:
            return (summary.strip(),)
        words, at = _words(_MAIL.sub(" ", summary)), 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 1, -1):
                whose = self._names.get(tuple(words[at : at + length]), ())
                if len(set(whose)) > 1:
                    raise Unclear(f'"{_short(summary)}" may be {" or ".join(whose)}', "write the id in its place")
                if whose:
                    found[whose[0]] = None
                    at += length - 1
                    break
            at += 1
        return tuple(found)

    def _nearest(self, summary: str) -> str:
        """The people whose name is nearly there, or has a word of it."""
        self._looks += 1
        words = _words(summary)
        near: dict[str, float] = {}
        if self._looks <= _LOOKS_MOST and words:
            for name, whose in self._names.items():
                alike = max(
                    SequenceMatcher(None, " ".join(name), " ".join(words[at : at + len(name)])).ratio()
                    for at in range(max(1, len(words) - len(name) + 1))
                )
                shares = any(word in words for word in name if len(word) > 2)
                if alike >= _NEAR or shares:
                    near[whose[0]] = max(near.get(whose[0], 0.0), alike + shares)
        best = sorted(near, key=lambda person: -near[person])[:_SHOWN]
        if not best:
            return "write first and last name, as in config/people.yaml, or the id"
        told = ", ".join(f"{person} ({self._directory.people[person].name})" for person in best)
        return f"write first and last name, or the id; near are {told}"


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _and(people: Iterable[str]) -> str:
    return " and ".join(people)


def _short(text: str) -> str:
    """What was written, fit for one line of a report."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= 60 else f"{plain[:57]}..."
