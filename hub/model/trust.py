"""The Admiralty code: how far a source (A-F) and a piece of information (1-6) is to be believed.

A new channel starts at F6: nothing is known of it yet.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct


class Reliability(StrEnum):
    A = "A"  # reliable
    B = "B"  # usually reliable
    C = "C"  # fairly reliable
    D = "D"  # not usually reliable
    E = "E"  # unreliable
    F = "F"  # cannot be judged


class Credibility(IntEnum):
    CONFIRMED = 1
    PROBABLY_TRUE = 2
    POSSIBLY_TRUE = 3
    DOUBTFUL = 4
    IMPROBABLE = 5
    CANNOT_BE_JUDGED = 6


class Rule(StrEnum):
    """Why a piece of information has the credibility it has."""

    STARTS = "starts"  # with what its source's information starts with
    CORROBORATED = "corroborated"  # further independent origins tell it, too
    WITHDRAWN = "withdrawn"  # who told it has taken it back
    DENIED = "denied"  # an origin that is as reliable as the best of those who tell it says that it is not so
    DOUBTED = "doubted"  # a less reliable one does
    STANDS = "stands"  # whose word it is, is as reliable as whoever denies it, and says it all the same
    SET = "set"  # an officer's word


class Reason(Struct, frozen=True, array_like=True, gc=False):
    """One step on the way to a grade: the rule, the origins (or the officer) by which it came about, and the
    credibility after it."""

    rule: Rule
    by: tuple[str, ...]
    credibility: Credibility


class Backing(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What stands behind a signal beside its own source, when it came in. `story`: the id of the first signal that told
    the same; `how` it was recognised, by which signal (`of`). `origins`: those who tell it, independent of one another;
    `voices`: as how many whole ones they count; `reliability`: the best of theirs. `starts`: the credibility of the
    signal by itself. `denies`: it says that the story is not so."""

    story: str
    how: str
    of: str = ""
    origins: tuple[str, ...] = ()
    voices: int = 0
    reliability: Reliability = Reliability.F
    starts: Credibility = Credibility.CANNOT_BE_JUDGED
    denies: bool = False
    reasons: tuple[Reason, ...] = ()


def rank(credibility: Credibility) -> int:
    """0 for what is believed most. What cannot be judged is less than what is possibly true, and more than what is
    doubtful."""
    return _RANKS[credibility]


_RANKS = {Credibility(figure): place for place, figure in enumerate((1, 2, 3, 6, 4, 5))}


def at_least(reliability: Reliability, credibility: Credibility, than_r: Reliability, than_c: Credibility) -> bool:
    """Whether a grade is at least another in both letters: B2 is at least B2, A1 too, A3 is not."""
    return reliability <= than_r and credibility <= than_c
