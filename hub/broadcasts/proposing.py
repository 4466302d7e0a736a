"""Drafting what sheets propose to tell very many: the words filled in, the audience frozen. Then it waits for people.

What is wanted is decided (`BroadcastProposed`) before any of it, and stays open in the state until it is drafted, or
cannot be: a hub that goes down in between does it when it comes back. Nothing here sends anything.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from hub.acts import Refused
from hub.broadcasts.making import Maker
from hub.dispatch.render import NoText
from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.owed import Owed

Record = Callable[[r.FactBody, str, Any], Awaitable[object]]


class Proposer:
    """`record` makes a fact durable, with what lies in the vault. `follow` is called with each durable decision."""

    def __init__(self, maker: Maker, state: Callable[[], State], record: Record) -> None:
        self._maker = maker
        self._state = state
        self._record = record
        self._owed = Owed("what a sheet proposes", self._draft)

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.BroadcastProposed):
                self._owed.add(event.proposed)

    async def run(self, left: Iterable[str]) -> None:
        """Drafts what is wanted, for ever. `left`: what was wanted when the hub went down."""
        await self._owed.run(left)

    async def _draft(self, proposed: str) -> None:
        proposal = self._state().proposals.get(proposed)
        if proposal is None:
            return  # its incident is over meanwhile
        try:
            made = await self._maker.proposed(proposed, proposal)
        except (Refused, NoText) as error:
            await self._record(r.ProposalFailed(proposed=proposed, problem=str(error)), "", None)
        else:
            await self._record(made.drafted, "", made.content)
