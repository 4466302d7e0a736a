"""How far what an incident is about is believed: when that moves, who is told, which steps it begins."""

from msgspec.structs import replace

from hub.engine.reach import tell_reached
from hub.engine.state import Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.signal import MsgType, Signal
from hub.model.trust import Credibility, Reliability, rank
from hub.playbook.language import SIGNAL, After, Outcome


def joined(w: Work, incident: Incident, signal: Signal) -> None:
    """A signal is in force in an incident: perhaps it is confirmed as it comes."""
    if signal.credibility is Credibility.CONFIRMED:
        _confirmed(w, incident)


def heard(w: Work, signal_id: str, signal: Signal, name: str = "") -> None:
    """What a signal means to incidents in which its story is told. Who cancels their own warning withdraws it; that is
    no doubt about it. `name`: of a signal that is graded anew, which may be in force where no story of it is known, as
    it was compared with nothing when it came."""
    if signal.backing is None or signal.msg_type is MsgType.CANCEL:
        return
    for work in (w.real, w.shadow):
        told = dict.fromkeys(work.state.signals.get(name, ()), signal.backing.starts)
        told |= work.state.stories.get(signal.backing.story, {})
        for incident_id, before in told.items():
            incident = work.state.incidents[incident_id]
            if not incident.ended and incident.status == signal.status:
                _heard(work, incident, before, signal_id, signal)


def whole(signal: Signal) -> Signal:
    """The signal as if it were beyond doubt: what is believed less than it was still is what it is about."""
    return replace(signal, reliability=Reliability.A, credibility=Credibility.CONFIRMED, backing=None)


def _heard(w: Work, incident: Incident, before: Credibility, signal_id: str, signal: Signal) -> None:
    assert signal.backing is not None
    story, now = signal.backing.story, signal.credibility
    if signal_id not in incident.signals:
        w.emit(e.Attached(incident=incident.id, signal=signal_id, story=story))
    if now == before:
        return
    w.emit(
        e.TrustMoved(
            incident=incident.id,
            story=story,
            signal=signal_id,
            reliability=signal.backing.reliability,
            credibility=now,
        )
    )
    if rank(now) > rank(before) and Outcome.DOUBTED not in incident.outcomes.get(SIGNAL, ()):  # told once
        w.came_to(incident.id, SIGNAL, Outcome.DOUBTED)
        if not _waited_for(w, incident, Outcome.DOUBTED):
            tell_reached(w, incident, "hub.doubted", clears=False)
    elif now is Credibility.CONFIRMED:
        _confirmed(w, incident)


def _confirmed(w: Work, incident: Incident) -> None:
    if Outcome.CONFIRMED not in incident.outcomes.get(SIGNAL, ()):
        w.came_to(incident.id, SIGNAL, Outcome.CONFIRMED)


def _waited_for(w: Work, incident: Incident, outcome: Outcome) -> bool:
    """Whether the sheet itself says what is to be done then."""
    playbook = w.rules.playbook(incident.playbook, incident.version)
    waited = [step.after for step in playbook.steps if step.after is not None] if playbook is not None else []
    return any(After(SIGNAL, outcome) in (*condition.any, *condition.all) for condition in waited)
