"""Events of what incidents are believed on: who tells the same, who denies it, what people have found out."""

from hub.model.event import EventBase
from hub.model.message import Verb
from hub.model.trust import Credibility, Reliability


class Attached(EventBase, frozen=True, tag="attached"):
    """A signal tells the same as one that is in an incident, and is in force there itself only where it has joined."""

    incident: str
    signal: str
    story: str


class TrustMoved(EventBase, frozen=True, tag="trust"):
    """What a story of an incident is believed now. `signal`: the one that told, denied or corroborated it; an officer's
    word names the signal that it is about."""

    incident: str
    story: str
    signal: str
    reliability: Reliability
    credibility: Credibility


class Judged(EventBase, frozen=True, tag="judged"):
    """Somebody who was asked says whether what a signal told is so: TRUE, FALSE or UNSURE. What TRUE and FALSE mean to
    its story is worked out beside the engine, and comes back as a fact (SignalGraded) that names this `verdict`."""

    verdict: str
    incident: str
    ask: str
    person: str
    signal: str
    verb: Verb


class VerdictTaken(EventBase, frozen=True, tag="verdict-taken"):
    """The story is graded by it, or cannot be (`problem`)."""

    verdict: str
    problem: str = ""
