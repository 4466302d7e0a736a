"""A timeline as a story: numbered items in the order of time, each a sentence in the reader's language. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.drill.timeline import Moment, Timeline, What
from hub.drill.words import DrillWords

SHOWN = 3  # so many names stand in a sentence
_UNTOLD = (What.MET, What.CALLED, What.TASK_OPEN)
_SAID_BY_TASK = "task-late"  # an alarm that says what the late task says


class Part(StrEnum):
    """The swim lanes belong to one of these, in this order."""

    SOURCES = "sources"
    INCIDENTS = "incidents"
    STEPS = "steps"
    PEOPLE = "people"
    ROOM = "room"


class Mark(StrEnum):
    """How an item looks in the picture, and which sign it has in a terminal."""

    MESSAGE = "message"
    CALL = "call"
    YES = "yes"
    NO = "no"
    MISSED = "missed"
    OTHER = "other"


SIGNS: Mapping[Mark, str] = {
    Mark.MESSAGE: "→",
    Mark.CALL: "☎",
    Mark.YES: "✓",
    Mark.NO: "✗",
    Mark.MISSED: "!",
    Mark.OTHER: "·",
}


class Item(Struct, frozen=True, kw_only=True):
    """Something that happened. `n`: its number in the story; `at`: local time; `lanes`: where it stands in the picture,
    by name, with `people` the ids. `words`: what was read or heard, by language."""

    n: int
    s: float
    at: datetime
    part: Part
    lanes: tuple[str, ...]
    mark: Mark
    text: str
    words: tuple[tuple[str, str], ...] = ()


class Bar(Struct, frozen=True, kw_only=True):
    """Something that lasts, in a lane: from the item `start` to the item `end` (0: to the end)."""

    part: Part
    lane: str
    start: int
    end: int = 0
    outage: bool = False


class Story(Struct, frozen=True, kw_only=True):
    """`zone`: of the times."""

    title: str
    begins: datetime
    lasted_s: float
    items: tuple[Item, ...]
    bars: tuple[Bar, ...]


class Names(Struct, frozen=True, kw_only=True):
    """What people and sheets are called; who is not in it has their id."""

    people: Mapping[str, str] = {}
    sheets: Mapping[str, str] = {}
    zone: str = "UTC"

    def person(self, person: str) -> str:
        return self.people.get(person, person)

    def sheet(self, sheet: str) -> str:
        return self.sheets.get(sheet, sheet)


def story_of(timeline: Timeline, title: str, words: DrillWords, names: Names) -> Story:
    return _Teller(timeline, title, words, names).story()


def listed(people: Sequence[str], words: DrillWords) -> str:
    """Some names, and how many more."""
    if not people:
        return words("nobody")
    if len(people) <= SHOWN:
        return ", ".join(people)
    return words("same", first=", ".join(people[: SHOWN - 1]), n=len(people) - SHOWN + 1)


class _Teller:
    def __init__(self, timeline: Timeline, title: str, words: DrillWords, names: Names) -> None:
        self._timeline = timeline
        self._title = title
        self._words = words
        self._names = names
        self._zone = ZoneInfo(names.zone)
        self._items: list[Item] = []
        self._bars: list[Bar] = []
        self._open: dict[tuple[Part, str], int] = {}  # bars under way → where in the list they stand
        self._met: dict[tuple[int, int], list[str]] = {}
        for moment in timeline.of(What.MET):
            self._met.setdefault((moment.nth, moment.round), []).append(names.sheet(moment.sheet))

    def story(self) -> Story:
        groups = _together(self._timeline.moments, lambda m: (m.nth, m.round) in self._met)
        for group in groups:
            tell = _TOLD[group[0].what]
            tell(self, group)
        begins = self._timeline.start.astimezone(self._zone)
        return Story(
            title=self._title,
            begins=begins,
            lasted_s=self._timeline.lasted_s,
            items=tuple(self._items),
            bars=tuple(self._bars),
        )

    # -- making items --

    def _add(
        self,
        moment: Moment,
        part: Part,
        lanes: Sequence[str],
        text: str,
        mark: Mark = Mark.OTHER,
        words: Sequence[tuple[str, str]] = (),
    ) -> int:
        n = len(self._items) + 1
        at = (self._timeline.start + timedelta(seconds=moment.s)).astimezone(self._zone)
        item = Item(n=n, s=moment.s, at=at, part=part, lanes=tuple(lanes), mark=mark, text=text, words=tuple(words))
        self._items.append(item)
        return n

    def _begin(self, part: Part, lane: str, n: int, outage: bool = False) -> None:
        self._open[part, lane] = len(self._bars)
        self._bars.append(Bar(part=part, lane=lane, start=n, outage=outage))

    def _end(self, part: Part, lane: str, n: int) -> None:
        if (place := self._open.pop((part, lane), None)) is not None:
            bar = self._bars[place]
            self._bars[place] = Bar(part=part, lane=lane, start=bar.start, end=n, outage=bar.outage)

    # -- what there is to tell --

    def _signal(self, group: Sequence[Moment]) -> None:
        w, moment = self._words, group[-1]
        if moment.outcome == "start":
            who = self._names.person(moment.person)
            text = w("started", who=who, sheet=self._names.sheet(moment.sheet))
            self._add(moment, Part.SOURCES, [who], text)
            return
        if len(group) > 1:
            text = w("noise", n=len(group), source=moment.channel, headline=moment.detail)
            self._add(moment, Part.SOURCES, list(dict.fromkeys(m.channel for m in group)), text)
            return
        key = moment.outcome if moment.outcome in ("update", "cancel") else "signal"
        text = w(key, source=moment.channel, headline=moment.detail)
        met = self._met.get((moment.nth, moment.round), [])
        if moment.outcome != "cancel":
            text += f" → {w('meets', sheets=', '.join(met)) if met else w('meets_none')}"
        self._add(moment, Part.SOURCES, [moment.channel], text)

    def _act(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        who = self._names.person(moment.person)
        self._add(moment, Part.ROOM, [self._words("room")], self._words(f"act_{moment.outcome}", who=who))

    def _outage(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        what = self._words("hub") if moment.channel == "hub" else self._channel(moment.channel)
        down = moment.outcome == "down"
        key, mark = ("down", Mark.MISSED) if down else ("back", Mark.OTHER)
        n = self._add(moment, Part.SOURCES, [what], self._words(key, what=what), mark)
        if down:
            self._begin(Part.SOURCES, what, n, outage=True)
        else:
            self._end(Part.SOURCES, what, n)

    def _incident(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        w, sheet = self._words, self._names.sheet(moment.sheet)
        lane = f"{moment.incident} {sheet}"
        key = {What.OPENED: "opens", What.REOPENED: "reopens", What.HELD_BACK: "held", What.ENDED: "ends"}[moment.what]
        text = w(key, n=moment.incident, sheet=sheet)
        if moment.what is What.ENDED and moment.outcome:
            text += f" ({w(moment.outcome)})"
        n = self._add(moment, Part.INCIDENTS, [lane], text)
        if moment.what is What.ENDED:
            self._end(Part.INCIDENTS, lane, n)
        elif moment.what is not What.HELD_BACK:
            self._begin(Part.INCIDENTS, lane, n)

    def _step(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        w, lane = self._words, f"{moment.incident} {moment.step}"
        if moment.what is What.BEGAN:
            again = moment.nth > 1
            n = self._add(
                moment, Part.STEPS, [lane], w("step_again" if again else "step", step=moment.step, n=moment.nth)
            )
            if not again:
                self._begin(Part.STEPS, lane, n)
            return
        people = [self._names.person(person) for person in moment.people]
        text = w("came", step=moment.step, outcome=w(moment.outcome)) + (f" ({', '.join(people)})" if people else "")
        mark = {"accepted": Mark.YES, "done": Mark.YES}.get(moment.outcome, Mark.OTHER)
        mark = Mark.MISSED if moment.outcome in ("exhausted", "failed") else mark
        n = self._add(moment, Part.STEPS, [lane], text, mark)
        self._end(Part.STEPS, lane, n)

    def _tier(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        people = listed([self._names.person(person) for person in moment.people], self._words)
        key = "tier_again" if moment.round > 1 else "tier_asks"
        text = self._words(key, chain=moment.chain, n=moment.nth, round=moment.round, people=people)
        self._add(moment, Part.STEPS, [f"{moment.incident} {moment.step}"], text)

    def _task(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        late = moment.what is What.TASK_LATE
        text = self._words("task_late" if late else "task_done", n=moment.nth, step=moment.step)
        lane = f"{moment.incident} {moment.step}"
        self._add(moment, Part.STEPS, [lane], text, Mark.MISSED if late else Mark.YES)

    def _got(self, group: Sequence[Moment]) -> None:
        people = sorted(self._names.person(m.person) for m in group)
        first = group[0]
        text = self._words(
            "got",
            people=listed(people, self._words),
            channel=self._channel(first.channel),
            message=first.message,
        )
        words = dict.fromkeys((str(m.language or ""), m.detail) for m in group if m.detail)
        mark = Mark.CALL if first.channel == "voice" else Mark.MESSAGE
        self._add(first, Part.PEOPLE, people, text, mark, list(words))

    def _missed(self, group: Sequence[Moment]) -> None:
        people, first = sorted(self._names.person(m.person) for m in group), group[0]
        why, channel = self._words(first.detail), self._channel(first.channel)
        text = self._words("missed", people=listed(people, self._words), channel=channel, why=why)
        self._add(first, Part.PEOPLE, people, text, Mark.MISSED)

    def _answered(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        person = self._names.person(moment.person)
        mark = {"accept": Mark.YES, "done": Mark.YES, "decline": Mark.NO}.get(moment.outcome, Mark.OTHER)
        text = self._words("answers", person=person, answer=self._words(moment.outcome))
        self._add(moment, Part.PEOPLE, [person], text, mark)

    def _ask_over(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        key = {"expired": "no_answer", "unreachable": "never"}.get(moment.outcome)
        if key is not None:
            person = self._names.person(moment.person)
            self._add(moment, Part.PEOPLE, [person], self._words(key, person=person), Mark.MISSED)

    def _access(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        self._add(moment, Part.ROOM, [self._words("room")], self._words("may_come_in", n=moment.outcome))

    def _alarm(self, group: Sequence[Moment]) -> None:
        (moment,) = group
        what = f"{moment.outcome} ({moment.detail})" if moment.detail else moment.outcome
        self._add(moment, Part.ROOM, [self._words("room")], self._words("alarmed", what=what), Mark.MISSED)

    def _channel(self, channel: str) -> str:
        return self._words(channel)


def _together(moments: Sequence[Moment], met: Callable[[Moment], bool]) -> list[list[Moment]]:
    """Moments that make one item: one message that several got at once; signals, one after the other, of which nothing
    comes."""
    groups: list[list[Moment]] = []
    alike: dict[tuple[object, ...], list[Moment]] = {}
    full = {_tier(m) for m in moments if m.what is What.TIER and m.people}
    for moment in moments:
        if moment.what in _UNTOLD or _twice(moment, full):
            continue
        if moment.what in (What.GOT, What.MISSED):
            why = moment.detail if moment.what is What.MISSED else moment.outcome
            key = (moment.what, round(moment.s), moment.channel, moment.message, moment.incident, why)
            if key in alike:
                alike[key].append(moment)
                continue
            alike[key] = [moment]
            groups.append(alike[key])
        elif groups and _noise(moment, met) and _noise(groups[-1][-1], met):
            groups[-1].append(moment)
        else:
            groups.append([moment])
    return groups


def _tier(moment: Moment) -> tuple[object, ...]:
    return moment.s, moment.incident, moment.step, moment.chain, moment.nth, moment.round


def _twice(moment: Moment, full: Collection[tuple[object, ...]]) -> bool:
    """Whether another moment says it as well: a tier that is still empty, and has its people in the same second; what
    follows from a task that is late."""
    if moment.what is What.TIER:
        return not moment.people and _tier(moment) in full
    late_step = moment.what is What.CAME_TO and moment.outcome == "late"
    return late_step or (moment.what is What.ALARM and moment.outcome == _SAID_BY_TASK)


def _noise(moment: Moment, met: Callable[[Moment], bool]) -> bool:
    return moment.what is What.SIGNAL and moment.outcome == "alert" and not met(moment)


_TOLD: Mapping[What, Callable[[_Teller, Sequence[Moment]], None]] = {
    What.SIGNAL: _Teller._signal,
    What.ACT: _Teller._act,
    What.OUTAGE: _Teller._outage,
    What.OPENED: _Teller._incident,
    What.REOPENED: _Teller._incident,
    What.HELD_BACK: _Teller._incident,
    What.ENDED: _Teller._incident,
    What.BEGAN: _Teller._step,
    What.CAME_TO: _Teller._step,
    What.TIER: _Teller._tier,
    What.GOT: _Teller._got,
    What.MISSED: _Teller._missed,
    What.ANSWERED: _Teller._answered,
    What.ASK_OVER: _Teller._ask_over,
    What.TASK_LATE: _Teller._task,
    What.TASK_DONE: _Teller._task,
    What.ACCESS: _Teller._access,
    What.ALARM: _Teller._alarm,
}
