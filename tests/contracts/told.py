"""Events as followers are handed them, for the tests of those who take them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hub.model import occurrences as o
from hub.model.signal import Status

AT = datetime(2026, 7, 14, 2, 10, 5, 123456, tzinfo=UTC)
INCIDENT = "01KXH3E0G0DHW93DTR98H6BCFM"
DECISION = "01KXH3E0G0DHW93DTR98H6BCFN"


def told(index: int, what: o.Occurrence, status: Status = Status.ACTUAL, **more: object) -> o.IncidentEvent:
    return o.IncidentEvent(
        id=f"{DECISION}/{index}",
        at=AT,
        incident=INCIDENT,
        playbook="gas-leak",
        version="5f1bb3d",
        status=status,
        what=what,
        **more,  # type: ignore[arg-type] # words and titles
    )


def steps(count: int, first: int = 0, **more: Status) -> Sequence[o.IncidentEvent]:
    """So many events, told apart by their steps."""
    return [told(n, o.StepBegan(step=f"step-{n}"), **more) for n in range(first, first + count)]
