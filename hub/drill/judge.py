"""Holding what was expected against what happened. Pure."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from hub.drill.sentences import (
    AHEAD_S,
    PUBLIC,
    REACHED,
    Count,
    Expectation,
    Gets,
    Happens,
    Meets,
    Nothing,
    NothingElse,
    Sentence,
    Timing,
)
from hub.drill.timeline import REPORT, Moment, Timeline, What, clock
from hub.playbook.form import channel_word

Resolve = Callable[[str], Sequence[str]]
"""Who is meant by a person, a group, `roster NAME`, `everyone`: people."""

Reaches = Callable[[str, str], bool]
"""Whether a person has an address on a channel."""


class Verdict(Struct, frozen=True, kw_only=True):
    """`at_s`: where it belongs in the order of time. `found`: the moments that it names; `said`: what is wrong."""

    expectation: Expectation
    good: bool
    at_s: float = 0.0
    found: tuple[Moment, ...] = ()
    said: str = ""


class Judge:
    """Judges the expectations of one test."""

    def __init__(self, timeline: Timeline, resolve: Resolve, reaches: Reaches) -> None:
        self._timeline = timeline
        self._resolve = resolve
        self._reaches = reaches

    def judge(self, expectations: Sequence[Expectation]) -> list[Verdict]:
        verdicts = [self._one(expectation) for expectation in expectations]
        named = {id(moment) for verdict in verdicts for moment in verdict.found}
        return [
            self._nothing_else(v.expectation, named) if isinstance(v.expectation.sentence, NothingElse) else v
            for v in verdicts
        ]

    def _one(self, expectation: Expectation) -> Verdict:
        sentence = expectation.sentence
        if isinstance(sentence, NothingElse):
            return Verdict(expectation=expectation, good=True)
        if isinstance(sentence, Count):
            opened = len(self._timeline.of(What.OPENED))
            said = "" if opened == sentence.incidents else f"{opened} were opened"
            return Verdict(expectation=expectation, good=not said, said=said)
        if isinstance(sentence, Nothing):
            return self._nothing(expectation)
        if isinstance(sentence, Meets):
            return self._meets(expectation, sentence)
        return self._timed(expectation, sentence, expectation.timing)

    def _timed(self, expectation: Expectation, sentence: Gets | Happens, timing: Timing) -> Verdict:
        zero, limit = 0.0, float("inf")
        for other, after in ((timing.after, True), (timing.before, False)):
            if other is not None:
                reached = self._reached_at(other)
                if reached is None:
                    what = "what it counts from" if after else "what it is to come before"
                    return Verdict(expectation=expectation, good=False, said=f"{what} never happened")
                zero, limit = (reached, limit) if after else (zero, reached)
        from_s, to_s = zero + timing.from_s, min(zero + timing.to_s, limit)
        parts = self._parts(sentence)
        in_time = [[m for m in part.moments if from_s <= m.s <= to_s] for part in parts]
        at_s = _place(timing, from_s, in_time)
        if timing.never:
            wrong = [moment for part in in_time for moment in part]
            said = f"but it was so at {clock(wrong[0].s)}: {shown(wrong[0])}" if wrong else ""
            return Verdict(expectation=expectation, good=not wrong, at_s=at_s, said=said)
        found = tuple(moment for part in in_time for moment in part)
        missing = [part for part, those in zip(parts, in_time, strict=True) if not those]
        if not parts:
            return Verdict(expectation=expectation, good=False, at_s=at_s, said="nobody is meant by that")
        if missing:
            said = "; ".join(self._missed(part, from_s, to_s) for part in missing[:3])
            more = f" (and {len(missing) - 3} more)" if len(missing) > 3 else ""
            return Verdict(expectation=expectation, good=False, at_s=at_s, found=found, said=said + more)
        said = self._too_many(sentence)
        return Verdict(expectation=expectation, good=not said, at_s=at_s, found=found, said=said)

    def _missed(self, part: "_Part", from_s: float, to_s: float) -> str:
        if part.moments:
            times = ", ".join(clock(m.s) for m in part.moments[:3])
            return f"{part.said} at {times}, not {_between(from_s, to_s)}"
        return f"not so: {part.said}" + (f"; but {part.instead}" if part.instead else "")

    def _reached_at(self, sentence: Sentence) -> float | None:
        """When all of a sentence has come true for the first time."""
        assert isinstance(sentence, Gets | Happens)
        parts = self._parts(sentence)
        if not parts or any(not part.moments for part in parts):
            return None
        return max(part.moments[0].s for part in parts)

    # -- what a sentence is made of --

    def _parts(self, sentence: Gets | Happens) -> list["_Part"]:
        """All that has to be so, each with the moments at which it is."""
        if isinstance(sentence, Happens):
            return [self._happens(sentence)]
        people = self._reached(sentence) if sentence.who == (REACHED,) else self._people(sentence.who)
        parts = []
        if PUBLIC in sentence.who:  # some of them: who of them lives there is not what a test is about
            parts += [self._gets(sentence, PUBLIC, channel) for channel in sentence.channels or [""]]
        for person in people:
            channels = [c for c in sentence.channels if self._reaches(person, c)]
            if sentence.channels and not channels:
                if len(people) == 1:
                    parts.append(
                        _Part(said=f"{person} has no address for {' or '.join(map(channel_word, sentence.channels))}")
                    )
                continue
            parts += [self._gets(sentence, person, channel) for channel in channels or [""]]
        return parts

    def _happens(self, wanted: Happens) -> "_Part":
        alike = [
            m
            for m in self._timeline.of(wanted.what)
            if (not wanted.step or m.step == wanted.step)
            and (not wanted.chain or m.chain == wanted.chain)
            and (not wanted.nth or m.nth == wanted.nth)
            and (not wanted.incident or m.incident == wanted.incident)
        ]
        moments = [
            m
            for m in alike
            if (not wanted.outcome or m.outcome == wanted.outcome) and (not wanted.person or wanted.person in m.people)
        ]
        words = [wanted.step or wanted.chain, wanted.what.value, wanted.outcome]
        said = " ".join(word for word in words if word) + (f" by {wanted.person}" if wanted.person else "")
        others = [m for m in alike if m not in moments]
        return _Part(said=said, moments=moments, instead=shown(others[0]) if others else "")

    def _gets(self, wanted: Gets, person: str, channel: str) -> "_Part":
        them = set(self._resolve(PUBLIC)) if person == PUBLIC else {person}
        theirs = [m for m in self._timeline.of(What.GOT) if m.person in them]
        moments = [
            m
            for m in theirs
            if (not channel or m.channel == channel)
            and (m.message == wanted.message if wanted.message else not m.own)
            and (wanted.language is None or m.language == wanted.language)
            and (not wanted.nth or m.nth == wanted.nth)
        ]
        number = str(wanted.nth or "")
        said = " ".join(w for w in (person, "gets", channel_word(channel), wanted.message, number) if w)
        said += f" in {wanted.language}" if wanted.language else ""
        others = [m for m in theirs if m not in moments and not m.own]
        return _Part(said=said, moments=moments, instead=shown(others[0]) if others else "")

    def _people(self, who: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(person for one in who if one != PUBLIC for person in self._resolve(one)))

    def _reached(self, wanted: Gets) -> list[str]:
        """Everybody who had got something before the first got this. Not the public: it has an all-clear of its own."""
        public = set(self._resolve(PUBLIC))
        got = [m for m in self._timeline.of(What.GOT) if m.person not in public and m.message != REPORT]
        first = next((m.s for m in got if m.message == wanted.message), float("inf"))
        return list(dict.fromkeys(m.person for m in got if m.s <= first and m.message != wanted.message and not m.own))

    def _too_many(self, sentence: Gets | Happens) -> str:
        """`everyone reached` means nobody else."""
        if not isinstance(sentence, Gets) or sentence.who != (REACHED,) or not sentence.message:
            return ""
        reached = self._reached(sentence)
        got = self._timeline.of(What.GOT)
        others = [m.person for m in got if m.message == sentence.message and m.person not in reached]
        return f"{', '.join(dict.fromkeys(others))} got it too, and had been told nothing" if others else ""

    # -- about the whole --

    def _meets(self, expectation: Expectation, wanted: Meets) -> Verdict:
        sent = [m for m in self._timeline.of(What.SIGNAL) if m.nth == wanted.nth or (not wanted.nth and m.round)]
        met = {(m.nth, m.round) for m in self._timeline.of(What.MET) if m.sheet == wanted.sheet}
        wrong = [m for m in sent if ((m.nth, m.round) in met) == wanted.misses]
        if not sent:
            return Verdict(expectation=expectation, good=False, said="no such signal was given")
        verb = "meets" if wanted.misses else "misses"
        said = "; ".join(f'signal {m.nth} {verb} {wanted.sheet}: "{m.detail}"' for m in wrong[:3])
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        return Verdict(expectation=expectation, good=not wrong, said=said + more)

    def _nothing(self, expectation: Expectation) -> Verdict:
        happened = [m for m in self._timeline.of(What.OPENED, What.GOT) if not m.own]
        said = f"but at {clock(happened[0].s)}: {shown(happened[0])}" if happened else ""
        return Verdict(expectation=expectation, good=not happened, found=tuple(happened), said=said)

    def _nothing_else(self, expectation: Expectation, named: set[int]) -> Verdict:
        others = in_order(m for m in self._timeline.of(What.GOT) if not m.own and id(m) not in named)
        told = "; ".join(f"at {clock(m.s)} {shown(m)}" for m in others[:3])
        more = f" (and {len(others) - 3} more)" if len(others) > 3 else ""
        at_s = others[0].s if others else 0.0
        return Verdict(expectation=expectation, good=not others, at_s=at_s, said=told + more)


class _Part(Struct, frozen=True, kw_only=True):
    """One thing that has to be so. `instead`: what was so in its place."""

    said: str
    moments: list[Moment] = []
    instead: str = ""


def _place(timing: Timing, from_s: float, in_time: Sequence[Sequence[Moment]]) -> float:
    """Where it belongs among what happened: where it came true, or else where it was to."""
    came = [moments[0].s for moments in in_time if moments]
    if came and not timing.never:
        return min(came)
    return from_s + AHEAD_S if timing.exact and timing.from_s else from_s


def _between(from_s: float, to_s: float) -> str:
    if to_s == float("inf"):
        return f"after {clock(from_s)}"
    return f"between {clock(from_s)} and {clock(to_s)}" if from_s else f"by {clock(to_s)}"


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """Those of the same instant, whose order is chance, by channel and person."""
    return sorted(moments, key=lambda m: (m.s, m.channel, m.person))


def shown(moment: Moment) -> str:
    """A moment in a line, for people: `officer-a gets sms gas-ask in fr`."""
    channel = channel_word(moment.channel)
    match moment.what:
        case What.GOT:
            return f"{moment.person} gets {channel} {moment.message} in {moment.language}"
        case What.MISSED:
            return f"{moment.person} is not reached by {channel} ({moment.detail})"
        case What.BEGAN:
            again = f" again ({moment.nth})" if moment.nth > 1 else ""
            return f"{moment.step} begins{again}"
        case What.CAME_TO:
            by = f" by {', '.join(moment.people)}" if moment.people else ""
            return f"{moment.step} is {moment.outcome}{by}"
        case What.CALLED:
            return f"{moment.chain} is called"
        case What.TIER:
            times = f", time {moment.round}" if moment.round > 1 else ""
            return f"{moment.chain}, tier {moment.nth}{times}: {', '.join(moment.people) or 'nobody'}"
        case What.TASK_OPEN | What.TASK_LATE | What.TASK_DONE:
            return f"task {moment.nth} of {moment.step} is {moment.what.value.rpartition(' ')[2]}"
        case What.ANSWERED:
            return f"{moment.person} answers: {moment.outcome}"
        case What.OPENED | What.ENDED | What.REOPENED | What.HELD_BACK:
            why = f" ({moment.outcome})" if moment.outcome else ""
            return f"incident {moment.incident} {moment.what.value}{why}"
        case What.SIGNAL if moment.channel:
            return f"signal {moment.nth} of {moment.channel}: {moment.detail or moment.outcome}"
        case What.SIGNAL:
            return f"{moment.person} {moment.detail}"
        case What.MET:
            return f"signal {moment.nth} meets {moment.sheet}"
        case What.ACCESS:
            return f"{moment.outcome} may come in"
        case What.ALARM:
            return f"alarm {moment.outcome}"
        case _:
            return moment.detail or moment.what.value
