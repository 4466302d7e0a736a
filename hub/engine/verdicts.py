"""Whether it is so, as people who were asked have found out: their word on what an incident is about.

TRUE and FALSE are an officer's word on the story (hub.grader makes it so, by the rules of trust, and what it makes of
it comes back as a fact); who cannot tell leaves it as it is, and steps may wait for that.
"""

from hub.engine import chain
from hub.engine.broadcast import tell_waiting
from hub.engine.state import Ask, Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.message import Verb
from hub.model.records import ReplyReceived, SignalGraded, VerdictFailed
from hub.playbook.language import SIGNAL, Outcome

VERDICTS = (Verb.TRUE, Verb.FALSE, Verb.UNSURE)


def judged_by(w: Work, ask: Ask) -> Incident | None:
    """The incident that an answer to an ask judges; None: there is none, or it is not clear which."""
    incidents = {w.state.runs[run].incident for run in ask.runs if run in w.state.runs}
    if len(incidents) != 1:
        return None
    incident = w.state.incidents[incidents.pop()]
    return incident if not incident.ended and _signal(w, ask, incident) else None


def given(w: Work, reply: ReplyReceived, ask: Ask, incident: Incident) -> str:
    """Somebody says whether it is so. Whoever was asked just that has answered by it; anybody else is still asked
    whether they come. Returns the message that tells them so."""
    judged = e.Judged(
        verdict=w.id(),
        incident=incident.id,
        ask=ask.id,
        person=reply.person,
        signal=_signal(w, ask, incident),
        verb=reply.verb,
    )
    w.emit(judged)
    if reply.verb is Verb.UNSURE and Outcome.UNDECIDED not in incident.outcomes.get(SIGNAL, ()):
        w.came_to(incident.id, SIGNAL, Outcome.UNDECIDED)
    if ask.outcome:
        return "hub.verdict"
    if not asks_that(w, ask):
        return "hub.verdict-and"
    chain.close(w, ask, "accepted")
    tell_waiting(w, reply.person, {incident.id})
    return "hub.verdict"


def asks_that(w: Work, ask: Ask) -> bool:
    """Whether an ask is to find out whether something is so."""
    return any(w.state.runs[run].verify for run in ask.runs if run in w.state.runs)


def graded(w: Work, body: SignalGraded) -> None:
    """A verdict has become the grade of its story."""
    if body.verdict in w.state.verdicts:
        w.emit(e.VerdictTaken(verdict=body.verdict))


def failed(w: Work, body: VerdictFailed) -> None:
    """A verdict cannot become the grade of its story: the room has to know."""
    judged = w.state.verdicts.get(body.verdict)
    if judged is None:
        return
    w.emit(e.VerdictTaken(verdict=body.verdict, problem=body.problem))
    w.alarm("verdict-not-taken", judged.incident, f"{judged.person} answered {judged.verb}: {body.problem}")


def _signal(w: Work, ask: Ask, incident: Incident) -> str:
    """What they were told, by the message that asked them."""
    orders = [w.state.orders[order].event for order in ask.orders if order in w.state.orders]
    return next((order.signal for order in orders if order.signal), incident.last)
