"""Events of the room: who has the watch, what is on paper, what is to be seen and heard, whether anything goes out."""

from hub.model.event import EventBase


class PaperDue(EventBase, frozen=True, tag="paper-due"):
    """The call list is to be put on paper: into its folder, and to the printer."""

    paper: str


class PaperDone(EventBase, frozen=True, tag="paper-done"):
    """It is; or `problem` says why it is not."""

    paper: str
    problem: str = ""


class OnWatch(EventBase, frozen=True, tag="on-watch"):
    """From here on this person has the watch of the room."""

    person: str
    by: str


class AlarmRaised(EventBase, frozen=True, tag="alarm"):
    """To be seen and heard in the room. `what` is one of hub.engine.alarms' words."""

    alarm: str
    what: str
    about: str = ""
    detail: str = ""


class AlarmCleared(EventBase, frozen=True, tag="alarm-cleared"):
    alarm: str
    by: str = ""


class Stopped(EventBase, frozen=True, tag="stopped"):
    by: str
    why: str


class Lifted(EventBase, frozen=True, tag="lifted"):
    by: str
    why: str
