"""How people and channels behave in virtual time, as an author writes it. Pure: texts in, structs out.

officer-a: does not answer
officer-b: accepts after 40 s
officer-c: [does not answer, declines after 1 min]     # one for each time they are asked; the last stays
sms: is down from 5 min to 20 min
"""

import re
from typing import Any

from msgspec import Struct

from hub.binding import Misfit, duration
from hub.model.message import Verb
from hub.playbook.form import CHANNEL_WORDS

ANSWER_S = 20.0  # how long somebody takes who was given no time
EVERY = "every channel"

_TIME = r"(?P<time>\d[\d. a-z]*)"
_REACTIONS = (
    'write "does not answer", "accepts after 40 s", "declines after 1 min", \'answers "1 20" after 30 s\', "is busy", '
    '"has an answering machine", "is unreachable", "gets no sms"'
)


class Reaction(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What somebody does on being asked. `verb` or `words`: the answer, `after_s` from the first message of the ask
    that reaches them (`by`: the first on that channel); neither: none. `deaf`: channels on which nothing reaches them.
    `busy`, `machine`: what a call meets."""

    verb: Verb | None = None
    words: str = ""
    after_s: float = ANSWER_S
    by: str = ""
    deaf: tuple[str, ...] = ()
    busy: bool = False
    machine: bool = False

    def misses(self, channel: str) -> bool:
        """Whether nothing on that channel reaches them."""
        return channel in self.deaf or EVERY in self.deaf


SILENT = Reaction()


class Outage(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something is down from one time to another, in seconds from the beginning."""

    from_s: float = 0.0
    to_s: float = float("inf")

    def holds(self, at_s: float) -> bool:
        return self.from_s <= at_s < self.to_s


def reaction(text: str) -> Reaction:
    """One way to behave. Raises Misfit."""
    if text in ("does not answer", "says nothing"):
        return SILENT
    if text == "is busy":
        return Reaction(busy=True)
    if text == "has an answering machine":
        return Reaction(machine=True)
    if text in ("is unreachable", "cannot be reached"):
        return Reaction(deaf=(EVERY,))
    if found := re.fullmatch(r"gets no (?P<channels>[a-z0-9-]+(?:,? (?:and|or) [a-z0-9-]+)*)", text):
        names = re.split(r",? (?:and|or) ", found["channels"])
        return Reaction(deaf=tuple(CHANNEL_WORDS.get(name, name) for name in names))
    by = r"(?: by (?P<by>[a-z0-9-]+))?"
    if found := re.fullmatch(rf"(?P<verb>accepts|declines){by}(?: after {_TIME})?", text):
        verb = Verb.ACCEPT if found["verb"] == "accepts" else Verb.DECLINE
        return Reaction(verb=verb, **_when(found))
    if found := re.fullmatch(rf'(?:answers|says) "(?P<words>[^"]+)"{by}(?: after {_TIME})?', text):
        return Reaction(words=found["words"], **_when(found))
    raise Misfit("not-a-behaviour", f'"{text}" is nothing that somebody can do here', _REACTIONS)


def _when(found: re.Match[str]) -> dict[str, Any]:
    by = found["by"] or ""
    after_s = duration(found["time"]) if found["time"] else ANSWER_S
    return {"by": CHANNEL_WORDS.get(by, by), "after_s": after_s}


def outage(text: str) -> Outage:
    """`is down`, `is down from 5 min`, `is down from 5 min to 20 min`. Raises Misfit."""
    found = re.fullmatch(r"is down(?: from (?P<from>\d[\d. a-z]*?))?(?: to (?P<to>\d[\d. a-z]*))?", text)
    if found is None:
        raise Misfit("not-an-outage", f'"{text}" is no outage', 'write "is down", or "is down from 5 min to 20 min"')
    from_s = duration(found["from"]) if found["from"] else 0.0
    to_s = duration(found["to"]) if found["to"] else float("inf")
    if to_s <= from_s:
        raise Misfit("not-an-outage", f'"{text}" is over before it begins', "give the later time second")
    return Outage(from_s=from_s, to_s=to_s)


class Manners(Struct, frozen=True, kw_only=True):
    """How everybody behaves: by person and by step of a sheet, one reaction for each time they are asked, of which the
    last stays. A step's goes before a person's; who is not named does not answer."""

    people: dict[str, tuple[Reaction, ...]] = {}
    steps: dict[str, tuple[Reaction, ...]] = {}

    def of(self, person: str, step: str, nth: int) -> Reaction:
        """What `person` does, asked by `step` for the `nth` time (from 0)."""
        reactions = self.steps.get(step) or self.people.get(person) or (SILENT,)
        return reactions[min(nth, len(reactions) - 1)]

    def reaches(self, person: str, channel: str) -> bool:
        """Whether anything on that channel reaches them."""
        return not any(reaction.misses(channel) for reaction in self.people.get(person, ()))
