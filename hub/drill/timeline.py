"""What happened in a drill, as a list of moments: hub/drill/recorder.py makes it, others judge, count and draw it."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.model.people import Language

REPORT = "hub.report"  # the message that a situation report goes out with


class What(StrEnum):
    """What a moment is of."""

    SIGNAL = "signal"  # something came in, or was started by hand
    MET = "meets it"  # a signal, a sheet
    ACT = "act"  # somebody in the room did something
    OUTAGE = "outage"  # something went down, or came back
    OPENED = "opens"
    REOPENED = "re-opens"
    HELD_BACK = "is held back"
    ENDED = "ends"
    BEGAN = "begins"  # a step
    CAME_TO = "is"  # a step came to its outcome
    CALLED = "is called"  # a chain
    TIER = "tier"  # the next people of a chain are asked
    GOT = "gets"  # a message reached somebody
    MISSED = "is not reached"  # and this one did not
    ANSWERED = "answers"
    ASK_OVER = "ask is"  # somebody who was asked need answer no more
    TASK_OPEN = "task is open"
    TASK_LATE = "task is late"
    TASK_DONE = "task is done"
    ACCESS = "may come in"  # so many are on the access list now
    ALARM = "alarm"


class Moment(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`s`: seconds from the beginning. `incident`: its number in the drill, from 1 (0: none). What else there is
    depends on `what`; `detail` is for reading only."""

    s: float
    what: What
    incident: int = 0
    sheet: str = ""
    step: str = ""
    nth: int = 0  # from 1: of a task, of a tier, of a repeated step; of what was given
    round: int = 0  # of a tier; of several signals given at once
    chain: str = ""
    person: str = ""
    people: tuple[str, ...] = ()
    channel: str = ""
    message: str = ""
    language: Language | None = None
    outcome: str = ""
    order: str = ""
    ask: str = ""
    detail: str = ""

    @property
    def own(self) -> bool:
        """Whether it is one of the hub's own messages: confirmations, stand-downs, handovers. A report is none."""
        return self.message.startswith("hub.") and self.message != REPORT


class Timeline(Struct, frozen=True, kw_only=True):
    """`start`: UTC; `met`: the (sheet, number of its `when`) that signals met, from 0."""

    start: datetime
    lasted_s: float
    moments: tuple[Moment, ...]
    met: frozenset[tuple[str, int]] = frozenset()

    def of(self, *what: What) -> list[Moment]:
        return [moment for moment in self.moments if moment.what in what]


def clock(seconds: float) -> str:
    """`4:00`, `1:02:30`: time since the beginning."""
    whole = round(seconds)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"
