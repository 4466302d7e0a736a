"""An officer's word on how far a signal is to be believed: above the rules, with a reason, until another is given.

It is given as an act (`vigie grade`), or in answer to an ask ("B TRUE"). The answer is decided first (`Judged`) and
stays open in the state until the story is graded by it: a hub that goes down in between does it when it comes back.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from hub.acts import About, Done, GradeBody, Refused
from hub.desk import Desk, Handler
from hub.engine.state import State
from hub.intake.beliefs import Beliefs
from hub.journal import Journal
from hub.model import events as e
from hub.model import records as r
from hub.model.message import Verb
from hub.model.signal import MsgType, Signal
from hub.model.trust import Credibility, Reason, Rule
from hub.owed import Owed

_signal = msgspec.json.Decoder(Signal)

_VERDICTS = {Verb.TRUE: Credibility.CONFIRMED, Verb.FALSE: Credibility.IMPROBABLE}


class Grader:
    """`done`: its act, by verb, for hub.operators. `follow` is called with each durable decision."""

    def __init__(self, desk: Desk, journal: Journal, beliefs: Beliefs, state: Callable[[], State]) -> None:
        self._desk, self._journal, self._beliefs, self._state = desk, journal, beliefs, state
        self._owed = Owed("a verdict", self._judge)
        self.done: Mapping[str, Handler] = {"grade": self._grade}

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.Judged) and event.verb in _VERDICTS:
                self._owed.add(event)

    async def run(self, left: Iterable[e.Judged]) -> None:
        """Makes grades of what people answer, for ever. `left`: what waited when the hub went down."""
        await self._owed.run(left)

    async def _judge(self, judged: e.Judged) -> None:
        if judged.verdict not in self._state().verdicts:
            return  # it is the grade already
        why = f"answered {judged.verb}, ask {judged.ask}"
        try:
            await self._set(judged.signal, _VERDICTS[judged.verb], judged.person, why, judged.verdict)
        except Refused as refused:
            await self._desk.act(r.VerdictFailed(verdict=judged.verdict, problem=str(refused)), "")

    async def _grade(self, about: About, sent: GradeBody) -> Done:
        credibility = None if sent.credibility is None else Credibility(sent.credibility)
        return await self._set(about["signal"], credibility, sent.by, sent.why)

    async def _set(self, id_: str, credibility: Credibility | None, by: str, why: str, verdict: str = "") -> Done:
        """Raises Refused, Unavailable."""
        signal = await self._signal(id_)
        word = None if credibility is None else Reason(Rule.SET, (by,), credibility)
        graded = self._beliefs.regraded(signal, word)
        assert graded.backing is not None
        story = graded.backing.story
        body = r.SignalGraded(signal=signal.id, story=story, credibility=credibility, by=by, why=why, verdict=verdict)
        said = f"it is believed {graded.backing.reliability}{graded.credibility.value} now"
        done = await self._desk.act(body, said, graded)
        self._beliefs.heed(signal, word, self._desk.now())
        return done

    async def _signal(self, id_: str) -> Signal:
        """Raises Refused."""
        (fact,) = await self._journal.get([id_])
        if isinstance(fact, r.Fact) and isinstance(fact.body, r.SheetStarted):
            raise Refused("it was started by hand, on no signal: end the incident if it is not so")
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
