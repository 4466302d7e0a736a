"""Telling a rise: a signal of the source `vigie`, with the dossier's name in it, so that a sheet can ask for it.

A rise is decided (`Rose`) before it is told, and stays open in the state until its signal is recorded: a hub that goes
down in between tells it when it comes back. The signal's name is made of the dossier and the day, so that telling it
twice records it once.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from hub.connector import SignalItem, Unavailable
from hub.dossiers.words import said
from hub.engine.dossier_state import Rising
from hub.engine.dossiers import DOSSIER, rise_name
from hub.engine.state import State
from hub.intake.beliefs import Trusted
from hub.intake.port import Answered, Offered
from hub.model import events as e
from hub.model import records as r
from hub.model.people import Language
from hub.model.signal import VIGIE, Category, Certainty, Info, Named, Signal, Urgency
from hub.model.trust import Credibility, Reliability
from hub.owed import Owed
from hub.playbook.dossiers import Dossier

RISES = Named(VIGIE, "dossier-rises")  # its event code
# What the hub has counted itself; what was counted may be less certain.
OWN = Trusted(reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE, compared=False)

Take = Callable[[str, Sequence[Offered]], Awaitable[Sequence[Answered | Unavailable]]]


class RiseTeller:
    """`take`: the intake's; `dossiers`: in force; `sender`: what the hub is called. `follow` is called with each
    durable decision."""

    def __init__(
        self, take: Take, state: Callable[[], State], dossiers: Callable[[], Mapping[str, Dossier]], sender: str
    ) -> None:
        self._take, self._state, self._dossiers, self._sender = take, state, dossiers, sender
        self._owed = Owed("a rise", self._tell)

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.Rose):
                self._owed.add(event.dossier)

    async def run(self, left: Iterable[str]) -> None:
        """Tells what rises, for ever. `left`: what was not told when the hub went down (`untold`)."""
        await self._owed.run(left)

    async def _tell(self, dossier: str) -> None:
        known = self._state().dossiers.get(dossier)
        if known is None or known.rising is None or known.rising.told:
            return  # told already, or over
        signal = signal_of(dossier, known.rising, self._dossiers().get(dossier), self._sender)
        item = SignalItem(signal=signal, key=signal.identifier)
        (answer,) = await self._take(VIGIE, [Offered((item,))])
        if isinstance(answer, Unavailable):
            raise answer


def untold(state: State) -> list[str]:
    """The dossiers whose rise is not told yet."""
    return [name for name, known in state.dossiers.items() if known.rising is not None and not known.rising.told]


def signal_of(name: str, rising: Rising, dossier: Dossier | None, sender: str) -> Signal:
    """The signal that tells a rise. It holds for as long as its days are counted together."""
    rose = rising.event
    titles = dossier.title if dossier is not None else dict.fromkeys(Language, name)
    figures = {DOSSIER: name, "count": f"{rose.count}", "usual": f"{rose.usual:g}", "days": f"{rose.span}"}
    infos = tuple(
        Info(
            language=words.language,
            categories=(Category.OTHER,),
            event=words.event,
            urgency=Urgency.EXPECTED,
            certainty=Certainty.OBSERVED,
            event_codes=(RISES,),
            expires=rising.at + timedelta(days=rose.span),
            headline=words.headline,
            description=words.description,
            parameters=tuple(Named(key, value) for key, value in figures.items()),
        )
        for words in said(rose, titles)
    )
    return Signal(identifier=rise_name(name, rose.day), sender=sender, sent=rising.at, infos=infos)
