"""The debriefing of a drill: who answered after how long, what was late, who was not reached. Pure."""

from statistics import median

from msgspec import Struct

from hub.drill.timeline import Timeline, What

MERGED = "hub.merged-ask"  # one of the hub's own words that asks something
_OVER = {"expired": "no_answer", "unreachable": "never"}


class Asking(Struct, frozen=True, kw_only=True):
    """One request to one person. `asked_s`: when it was first tried; `reached_s`: when the first message of it reached
    them, by `channels` in that order; None: never. `answered_s`, `answer`: None and "" where there was none. `outcome`:
    what became of the request."""

    person: str
    step: str
    incident: int
    asked_s: float
    reached_s: float | None
    channels: tuple[str, ...]
    answered_s: float | None = None
    answer: str = ""
    outcome: str = ""

    @property
    def took_s(self) -> float | None:
        """From the first message that reached them to the answer."""
        if self.reached_s is None or self.answered_s is None:
            return None
        return self.answered_s - self.reached_s

    @property
    def late(self) -> bool:
        """Answered when their time was up."""
        return self.answered_s is not None and self.outcome in _OVER


class OnChannel(Struct, frozen=True, kw_only=True):
    """One channel: deliveries that reached somebody, and that did not; how many people; of the requests that it was
    first to bring, how many were answered, and half of these within how many seconds."""

    channel: str
    reached: int
    missed: int
    people: int
    answered: int
    half_s: float | None


class Debriefing(Struct, frozen=True, kw_only=True):
    """`late_tasks`: (incident, step, number). `missed`: (person, channel, why), each once."""

    asks: tuple[Asking, ...]
    late_tasks: tuple[tuple[int, str, int], ...]
    missed: tuple[tuple[str, str, str], ...]
    channels: tuple[OnChannel, ...]


def debrief(timeline: Timeline) -> Debriefing:
    asks = _asks(timeline)
    missed = dict.fromkeys((m.person, m.channel, m.detail) for m in timeline.of(What.MISSED))
    return Debriefing(
        asks=asks,
        late_tasks=tuple((m.incident, m.step, m.nth) for m in timeline.of(What.TASK_LATE)),
        missed=tuple(missed),
        channels=_channels(timeline, asks),
    )


def _asks(timeline: Timeline) -> tuple[Asking, ...]:
    """In the order in which people were first tried."""
    found: dict[str, Asking] = {}
    for m in timeline.of(What.GOT, What.MISSED, What.ANSWERED, What.ASK_OVER):
        if not m.ask or (m.own and m.message != MERGED):
            continue
        known = found.get(m.ask)
        if known is None:
            known = Asking(person=m.person, step=m.step, incident=m.incident, asked_s=m.s, reached_s=None, channels=())
        fields = {name: getattr(known, name) for name in known.__struct_fields__}
        if m.what is What.GOT:
            fields["reached_s"] = m.s if known.reached_s is None else known.reached_s
            fields["channels"] = tuple(dict.fromkeys((*known.channels, m.channel)))
        elif m.what is What.ANSWERED and known.answered_s is None:
            fields |= {"answered_s": m.s, "answer": m.outcome}
        elif m.what is What.ASK_OVER:
            fields |= {"outcome": m.outcome, "step": known.step or m.step, "incident": known.incident or m.incident}
        found[m.ask] = Asking(**fields)
    return tuple(found.values())


def _channels(timeline: Timeline, asks: tuple[Asking, ...]) -> tuple[OnChannel, ...]:
    got, missed = timeline.of(What.GOT), timeline.of(What.MISSED)
    names = dict.fromkeys(m.channel for m in (*got, *missed))
    return tuple(_channel(name, timeline, asks) for name in names)


def _channel(name: str, timeline: Timeline, asks: tuple[Asking, ...]) -> OnChannel:
    got = [m for m in timeline.of(What.GOT) if m.channel == name]
    took = [ask.took_s for ask in asks if ask.channels[:1] == (name,) and ask.took_s is not None]
    return OnChannel(
        channel=name,
        reached=len(got),
        missed=sum(m.channel == name for m in timeline.of(What.MISSED)),
        people=len({m.person for m in got}),
        answered=len(took),
        half_s=median(took) if took else None,
    )
