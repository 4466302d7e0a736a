"""Broadcasts that sheets want: proposed by a step with the incident's words, drafted by the hub (hub/broadcasts), and
sent by nobody but the people their class asks for. With the incident ends what of them is still to go out, and an
all-clear to those they reached is proposed, which waits for the same people.
"""

from hub.engine import broadcast as broadcasts
from hub.engine.reach import REACHED
from hub.engine.state import Broadcast, Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.broadcast import Kind, Proposal
from hub.model.message import OUTCOME_RANK, Outcome
from hub.model.records import ProposalFailed
from hub.playbook.language import ALL_CLEAR, DraftBroadcast
from hub.playbook.language import Outcome as StepOutcome

_PERHAPS = (0, OUTCOME_RANK[Outcome.RETRY], *REACHED)  # ranks of deliveries that may have reached somebody


def propose(w: Work, incident: Incident, step: str, action: DraftBroadcast) -> None:
    proposal = Proposal(
        incident=incident.id,
        sheet=incident.playbook,
        step=step,
        group=action.group,
        message=action.say,
        signal=incident.last,
        status=incident.status,
        to=action.to,
        registered=action.registered,
        by=action.by,
    )
    w.emit(e.BroadcastProposed(proposed=w.id(), proposal=proposal))


def failed(w: Work, body: ProposalFailed) -> None:
    """It could not be drafted: the room has to know."""
    proposal = w.state.proposals.get(body.proposed)
    if proposal is None:
        return
    w.emit(e.ProposalDropped(proposed=body.proposed, problem=body.problem))
    w.alarm("broadcast-not-drafted", f"{proposal.incident} {proposal.step}".strip(), body.problem)
    if proposal.step and proposal.incident in w.state.incidents:
        w.came_to(proposal.incident, proposal.step, StepOutcome.FAILED)


def incident_over(w: Work, incident: Incident) -> None:
    """What waits or is going out is of no use any more; whom it reached is to hear so, if people say so, too."""
    _drop(w, incident, tuple(Kind))
    for broadcast in _of(w, incident):
        broadcasts.stop(w, broadcast, "", "the incident is over", StepOutcome.CANCELLED)
        if broadcast.kind is Kind.ALERT and _may_have_reached(w, broadcast) and not _followed(w, broadcast):
            clear = Proposal(
                incident=incident.id,
                sheet=incident.playbook,
                step="",
                group=broadcast.group,
                message=_all_clear(w, incident, broadcast.step),
                signal=incident.last,
                status=broadcast.status,
                kind=Kind.ALL_CLEAR,
                follows=broadcast.id,
            )
            w.emit(e.BroadcastProposed(proposed=w.id(), proposal=clear))


def opened_again(w: Work, incident: Incident) -> None:
    """The all-clear of an incident that is open again is wrong."""
    _drop(w, incident, (Kind.ALL_CLEAR,))
    for broadcast in _of(w, incident):
        if broadcast.kind is Kind.ALL_CLEAR:
            broadcasts.stop(w, broadcast, "", "the incident is open again")


def _drop(w: Work, incident: Incident, kinds: tuple[Kind, ...]) -> None:
    for proposed, proposal in list(w.state.proposals.items()):
        if proposal.incident == incident.id and proposal.kind in kinds:
            w.emit(e.ProposalDropped(proposed=proposed))
            if proposal.step:
                w.came_to(incident.id, proposal.step, StepOutcome.CANCELLED)


def _of(w: Work, incident: Incident) -> list[Broadcast]:
    return [broadcast for broadcast in w.state.broadcasts.values() if broadcast.incident == incident.id]


def _may_have_reached(w: Work, broadcast: Broadcast) -> bool:
    """Also where nothing has been heard of it yet: it may be on its way. What stands on the CAP feed anybody may have
    read."""
    if broadcast.cap and broadcast.began_at is not None:
        return True
    orders = [w.state.orders[order] for order in broadcast.orders if order in w.state.orders]
    return any(order.states[index] in _PERHAPS for order in orders for index in order.meant())


def _followed(w: Work, broadcast: Broadcast) -> bool:
    return any(
        other.follows == broadcast.id and other.outcome not in ("lapsed", "discarded", "stopped")
        for other in w.state.broadcasts.values()
    )


def _all_clear(w: Work, incident: Incident, step: str) -> str:
    """The message with which the sheet wants it done."""
    playbook = w.rules.playbook(incident.playbook, incident.version)
    action = playbook.step(step).action if playbook is not None else None
    return action.all_clear if isinstance(action, DraftBroadcast) else ALL_CLEAR
