"""What all who change the directory and the rosters work with: what is in force, and how an act becomes part of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import trio
from msgspec import Struct

from hub.acts import About, Refused
from hub.config import Config
from hub.connector import ActItem, Channel, Unavailable
from hub.engine.state import State
from hub.findings import Finding, choice
from hub.install import Installation
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.journal import Journal
from hub.model.ids import Ids
from hub.people.consequences import Centre, consequences
from hub.people.directory import Directory
from hub.people.layers import Layers
from hub.rules import InForce

NAME = "operators"  # the source of these facts
IN_FORCE_S = 5.0  # how long an answer waits for its change to be decided on; it is durable by then

Doing = Callable[[About, Any], Awaitable[Any]]
"""Does one act or answers one question."""


class Bench(Struct, frozen=True, kw_only=True):
    """`decided` waits for the next decision; `channels` are as made, for their own check of an address."""

    installation: Installation
    intake: Intake
    journal: Journal
    state: Callable[[], State]
    now: Callable[[], datetime]
    decided: Callable[[], Awaitable[None]]
    channels: Mapping[str, Channel]
    ids: Ids

    @property
    def config(self) -> Config:
        return self.installation.config

    @property
    def rules(self) -> InForce:
        return self.installation.in_force

    @property
    def files(self) -> Directory:
        """The directory as the files have it."""
        return self.installation.files

    @property
    def layers(self) -> Layers:
        return self.installation.layers

    async def put(self, item: ActItem) -> str:
        """Makes a fact of an act. Returns its id. Raises Unavailable."""
        (answer,) = await self.intake.take(NAME, [Offered((item,))])
        if isinstance(answer, Unavailable):
            raise answer
        return answer.taken[0].fact

    async def until(self, true: Callable[[], bool]) -> None:
        """Until a change is in force, or `IN_FORCE_S` have passed."""
        with trio.move_on_after(IN_FORCE_S):
            while not true():
                await self.decided()

    def centre(self) -> Centre:
        return Centre(self.rules.directory, self.rules.rosters, self.rules.chains)

    async def leaves_open(self, before: Centre) -> tuple[str, ...]:
        """What is wrong now and was not before."""
        # In a thread: two months of many rosters take longer than a timer may be held up.
        return await trio.to_thread.run_sync(consequences, before, self.centre(), self.now())

    def check_people(self, field: str, people: Sequence[str]) -> None:
        """Raises Refused where one of them is nobody."""
        known = self.rules.directory.people
        for person in people:
            if person not in known:
                raise Refused(f'{field}: "{person}" is nobody: {choice(person, known, "there are")}')


def told(findings: Sequence[Finding]) -> list[str]:
    """Findings about what somebody sent, in a sentence each."""
    return [f"{f.file}: {f.message}{f': {f.remedy}' if f.remedy else ''}" for f in findings]
