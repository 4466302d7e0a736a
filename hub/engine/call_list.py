"""The call list on its rhythm: when it is due, whom it goes to, and that it is put on paper."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.engine.notify import Telling, tell
from hub.engine.work import Work
from hub.model import events as e
from hub.model.enclosure import CallList, CallListRhythm
from hub.model.people import Classification
from hub.model.records import PaperMade
from hub.people.rosters import wall

DEADLINE = "call-list daily"
MESSAGE = "hub.call-list"
ABOUT = "call-list"


def keep(w: Work) -> None:
    """Sees to it that the next one is due when the configuration says. One that is overdue stays due, and is made
    once, however many were missed."""
    rhythm, standing = w.rules.call_list(), w.state.deadlines.get(DEADLINE)
    if rhythm is None:
        w.drop(DEADLINE)
    elif standing is None or (standing > w.now and standing != next_time(rhythm, w.now)):
        w.deadline_at(DEADLINE, next_time(rhythm, w.now))


def due(w: Work) -> None:
    rhythm = w.rules.call_list()
    if rhythm is None:
        return
    if rhythm.to:
        wanted = CallList(hours=rhythm.hours, sees=Classification.PUBLIC)
        telling = Telling(
            message=MESSAGE, to=rhythm.to, by=rhythm.by, about=ABOUT, status=rhythm.status, encloses=wanted
        )
        tell(w, telling)
    if rhythm.paper:
        w.emit(e.PaperDue(paper=w.id()))
    w.deadline_at(DEADLINE, next_time(rhythm, w.now))


def made(w: Work, body: PaperMade) -> None:
    """It lies in its folder and is printed; or it is not, and the room hears why."""
    if body.paper not in w.state.papers:
        return
    w.emit(e.PaperDone(paper=body.paper, problem=body.problem))
    if body.problem:
        w.alarm("paper", ABOUT, body.problem)
        return
    for alarm_id, alarm in list(w.state.alarms.items()):
        if alarm.what == "paper":
            w.emit(e.AlarmCleared(alarm=alarm_id))


def next_time(rhythm: CallListRhythm, after: datetime) -> datetime:
    """The first time of the rhythm after an instant. Of a time of day that the clocks show twice, the first; one that
    they leave out comes as much later as they are put forward."""
    today = after.astimezone(ZoneInfo(rhythm.zone)).date()
    times = (wall(today + timedelta(days=days), at, rhythm.zone) for days in range(3) for at in rhythm.at)
    return min(at for at in times if at > after)
