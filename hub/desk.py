"""What all who do operators' acts work with: the state and the rules to look at, and how an act becomes a fact."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from hub.acts import About, Done, Refused
from hub.binding import Misfit
from hub.connector import ActItem, SignalItem, Unavailable
from hub.engine.state import State
from hub.findings import choice
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.model import records as r
from hub.model.people import Contact
from hub.model.signal import Signal, Status
from hub.playbook.form import contact_of
from hub.rules import InForce

_EXERCISE = "exercise"
NAME = "operators"  # the source of their facts

Handler = Callable[[About, Any], Awaitable[Any]]
"""Does one act or answers one question: what it is about, and what was sent."""


class Desk:
    """`state` and `rules`: as they are at that moment; `now`: hub time."""

    def __init__(
        self,
        intake: Intake,
        state: Callable[[], State],
        rules: Callable[[], InForce],
        now: Callable[[], datetime],
    ) -> None:
        self._intake = intake
        self.state = state
        self.rules = rules
        self.now = now

    async def act(self, body: r.FactBody, said: str, sealed: Any = None, key: str = "") -> Done:
        """Makes a fact of an act; `sealed` lies in the vault with it. One of a `key` that is there already is not made
        again. Raises Unavailable."""
        (answer,) = await self._intake.take(NAME, [Offered((ActItem(body=body, sealed=sealed, key=key),))])
        if isinstance(answer, Unavailable):
            raise answer
        return Done(id=answer.taken[0].fact, said=said)

    async def exercise(self, source: str, signal: Signal, said: str) -> Done:
        """Hands in a signal as that source would. Whatever it says of itself, it is an exercise; and it can neither
        update nor withdraw what is in earnest, as none of its names is one of a real message. Raises Unavailable."""
        ours = replace(
            signal,
            status=Status.EXERCISE,
            identifier=f"{_EXERCISE} {signal.identifier}",
            references=tuple(replace(r, identifier=f"{_EXERCISE} {r.identifier}") for r in signal.references),
        )
        item = SignalItem(signal=ours, key=f"{ours.sender} {ours.identifier}")
        (answer,) = await self._intake.take(source, [Offered((item,))])
        if isinstance(answer, Unavailable):
            raise answer
        return Done(id=answer.taken[0].fact, said=said)

    def named(self, key: str, written: Sequence[str]) -> tuple[Contact, ...]:
        """Contacts that there are. Raises Refused."""
        if not written:
            raise Refused(f"{key}: name at least one: a group, roster NAME, organisation NAME, person NAME")
        found = []
        for text in written:
            try:
                contact = contact_of(text)
            except Misfit as misfit:
                raise Refused(f"{key}: {misfit.message}: {misfit.remedy}") from None
            if contact.id not in (known := self.rules().known(contact.kind)):
                remedy = choice(contact.id, known, "there are")
                raise Refused(f'{key}: there is no {contact.kind} "{contact.id}": {remedy}')
            found.append(contact)
        return tuple(found)
