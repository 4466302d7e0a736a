"""An officer's word on how far a signal is to be believed: above the rules, with a reason, until another is given."""

from collections.abc import Mapping

import msgspec

from hub.acts import About, Done, GradeBody, Refused
from hub.desk import Desk, Handler
from hub.intake.beliefs import Beliefs
from hub.journal import Journal
from hub.model import records as r
from hub.model.signal import MsgType, Signal
from hub.model.trust import Credibility, Reason, Rule

_signal = msgspec.json.Decoder(Signal)


class Grader:
    """Its act, by verb: for hub.operators."""

    def __init__(self, desk: Desk, journal: Journal, beliefs: Beliefs) -> None:
        self._desk, self._journal, self._beliefs = desk, journal, beliefs
        self.done: Mapping[str, Handler] = {"grade": self._grade}

    async def _grade(self, about: About, sent: GradeBody) -> Done:
        signal = await self._signal(about["signal"])
        credibility = None if sent.credibility is None else Credibility(sent.credibility)
        word = None if credibility is None else Reason(Rule.SET, (sent.by,), credibility)
        graded = self._beliefs.regraded(signal, word)
        assert graded.backing is not None
        story = graded.backing.story
        body = r.SignalGraded(signal=signal.id, story=story, credibility=credibility, by=sent.by, why=sent.why)
        said = f"it is believed {graded.backing.reliability}{graded.credibility.value} now"
        done = await self._desk.act(body, said, graded)
        self._beliefs.heed(signal, word, self._desk.now())
        return done

    async def _signal(self, id_: str) -> Signal:
        """Raises Refused."""
        (fact,) = await self._journal.get([id_])
        if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.SignalReceived):
            raise Refused(f"no signal {id_}: `vigie journal show --kind signal` lists them", missing=True)
        if fact.body.msg_type in (MsgType.ACK, MsgType.ERROR, MsgType.CANCEL):
            raise Refused(f"{id_} says nothing that could be believed: it is of type {fact.body.msg_type.value}")
        if fact.body.shadow:
            raise Refused(f"{fact.body.source}, which sent {id_}, is on trial: start a sheet by hand if it is true")
        (entry,) = await self._journal.vault([fact.vault])
        if entry is None:
            raise Refused(f"what signal {id_} said was erased", missing=True)
        return _signal.decode(entry.payload)
