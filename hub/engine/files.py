"""The files of the configuration as they were read: what is wrong with them, and what of them needs a restart, stands
as alarms in the room until it is right again."""

from collections.abc import Mapping

from hub.engine.work import Work
from hub.model import events as e
from hub.model.records import FilesRead

WRONG, RESTART = "files-wrong", "restart-needed"
_REFUSED = "nothing of what was saved is in force: "


def read(w: Work, body: FilesRead) -> None:
    said = _REFUSED if body.refused else ""
    _stand(w, WRONG, {wrong.file: f"{said}{wrong.what}" for wrong in body.wrong})
    _stand(w, RESTART, dict.fromkeys(body.restart, "what is written there counts when the hub is started again"))


def _stand(w: Work, what: str, wanted: Mapping[str, str]) -> None:
    """Exactly these alarms stand: about what → in which words."""
    left = dict(wanted)
    for alarm_id, alarm in list(w.state.alarms.items()):
        if alarm.what != what:
            continue
        detail = left.pop(alarm.about, None)
        if detail is None:
            w.emit(e.AlarmCleared(alarm=alarm_id))
        elif detail != alarm.detail:
            w.emit(e.AlarmRaised(alarm=alarm_id, what=what, about=alarm.about, detail=detail))
    for about, detail in left.items():
        w.alarm(what, about, detail)
