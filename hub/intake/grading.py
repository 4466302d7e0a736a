"""How far a piece of information is believed, given who tells it and who denies it: by stated rules. Pure.

An origin is heard once, however many of its outlets or messages tell the same. The rules, in order:

1. *starts*: with the best credibility that any origin's information starts with (`credibility` in sources.yaml).
2. *corroborated*: origins A to C count whole, D and F half (a crowd of strangers is one voice more), E not at all. From
   two whole voices on it is one step better (what could not be judged becomes possibly true), from three on one more;
   never better than probably true, unless two of them are A or B: that is confirmed.
3. *denied*: where one as reliable as the best of those who tell it denies it, it is improbable; where only a less
   reliable one does, it is *doubted*: doubtful, or improbable where it was doubtful already. Who counts half or not at
   all in telling does in denying, too: one stranger denies nothing.
4. *withdrawn*: who takes their word back no longer tells it; where nobody is left who does, it is improbable.
5. *stands*: a denial lowers the story, and whatever less reliable ones say of it; a signal of an origin at least as
   reliable as all who deny it is believed as by itself. A fire service is not silenced by a newspaper.
6. *set*: an officer's grade stands above all of these, until the officer sets another.

Source: the Admiralty code itself (1 is "confirmed by other independent sources", 6 "truth cannot be judged"); the
steps are ours, and every grade carries its reasons.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from hub.model.trust import Credibility, Reason, Reliability, Rule, rank

_WHOLE = (Reliability.A, Reliability.B, Reliability.C)
_HALF = (Reliability.D, Reliability.F)
_SURE = (Reliability.A, Reliability.B)


class Voice(Struct, frozen=True, kw_only=True, gc=False):
    """What one origin last said of a story. `credibility`: what its information starts with."""

    origin: str
    reliability: Reliability
    credibility: Credibility
    denies: bool = False
    withdrawn: bool = False


class Graded(Struct, frozen=True, kw_only=True, gc=False):
    """`origins`: who tells it, in the order they did; `voices`: as how many whole ones they count. `reliability`: the
    best of theirs."""

    origins: tuple[str, ...]
    voices: int
    reliability: Reliability
    credibility: Credibility
    reasons: tuple[Reason, ...]


def grade(voices: Sequence[Voice], word: Reason | None = None, own: Voice | None = None) -> Graded:
    """The grade of what these tell. `own`: whose word the signal in hand is, where it tells the story, with its own
    source's grade; None: the story as such. `word`: an officer's (rule SET)."""
    tell = [v for v in voices if not v.denies and not v.withdrawn]
    told = [v for v in voices if not v.denies] or list(voices)
    best = min((v.reliability for v in tell or told), default=Reliability.F)
    reasons = [_start(tell or told)]
    deniers = _counted(v for v in voices if v.denies)
    for step in (_corroborated(tell, reasons[-1].credibility), _against(voices, tell, deniers, best)):
        if step is not None:
            rule, by, fall = step
            now = reasons[-1].credibility
            after = fall if rule is not Rule.DOUBTED else _doubted(now)
            if after != now:
                reasons.append(Reason(rule, by, after))
    if own is not None and _stands(own, deniers, reasons[-1].credibility):
        reasons.append(Reason(Rule.STANDS, (own.origin,), own.credibility))
    if word is not None:
        reasons.append(word)
    return Graded(
        origins=tuple(v.origin for v in tell),
        voices=_count(tell),
        reliability=best,
        credibility=reasons[-1].credibility,
        reasons=tuple(reasons),
    )


_Step = tuple[Rule, tuple[str, ...], Credibility]


def _start(voices: Iterable[Voice]) -> Reason:
    first = min(voices, key=lambda v: rank(v.credibility), default=None)
    if first is None:
        return Reason(Rule.STARTS, (), Credibility.CANNOT_BE_JUDGED)
    return Reason(Rule.STARTS, (first.origin,), first.credibility)


def _count(voices: Iterable[Voice]) -> int:
    """As how many whole voices some count."""
    whole = half = 0
    for voice in voices:
        whole += voice.reliability in _WHOLE
        half += voice.reliability in _HALF
    return whole + half // 2


def _counted(voices: Iterable[Voice]) -> list[Voice]:
    """Those that count, where they are enough together to count at all."""
    there = [v for v in voices if v.reliability is not Reliability.E]
    return there if _count(there) else []


def _corroborated(tell: Sequence[Voice], start: Credibility) -> _Step | None:
    strength = _count(tell)
    if strength < 2:
        return None
    known = Credibility.DOUBTFUL if start > Credibility.DOUBTFUL else start
    steps = 1 if strength == 2 else 2
    risen = Credibility(max(Credibility.PROBABLY_TRUE, known - steps))
    if sum(v.reliability in _SURE for v in tell) >= 2:
        risen = Credibility.CONFIRMED
    return Rule.CORROBORATED, tuple(v.origin for v in tell), min(risen, start)


def _against(
    voices: Sequence[Voice], tell: Sequence[Voice], deniers: Sequence[Voice], best: Reliability
) -> _Step | None:
    if not tell and any(v.withdrawn for v in voices):
        return Rule.WITHDRAWN, tuple(v.origin for v in voices if v.withdrawn), Credibility.IMPROBABLE
    strong = tuple(v.origin for v in deniers if v.reliability <= best)
    if strong:
        return Rule.DENIED, strong, Credibility.IMPROBABLE
    if deniers:
        return Rule.DOUBTED, tuple(v.origin for v in deniers), Credibility.DOUBTFUL
    return None


def _stands(own: Voice, deniers: Sequence[Voice], now: Credibility) -> bool:
    """Whether a signal is believed as by itself although it is denied."""
    return bool(deniers) and now > own.credibility and all(own.reliability <= v.reliability for v in deniers)


def _doubted(now: Credibility) -> Credibility:
    doubtful = (Credibility.DOUBTFUL, Credibility.IMPROBABLE)
    return Credibility.IMPROBABLE if now in doubtful else Credibility.DOUBTFUL
