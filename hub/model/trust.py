"""The Admiralty code: how far a source (A-F) and a piece of information (1-6) is to be believed.

A new channel starts at F6: nothing is known of it yet.
"""

from enum import IntEnum, StrEnum


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


def at_least(reliability: Reliability, credibility: Credibility, than_r: Reliability, than_c: Credibility) -> bool:
    """Whether a grade is at least another in both letters: B2 is at least B2, A1 too, A3 is not."""
    return reliability <= than_r and credibility <= than_c
