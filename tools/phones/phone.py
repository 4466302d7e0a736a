"""One phone and what is on it."""

import asyncio

from .behaviour import Behaviour, Person
from .resources import Call, Message
from .voice import CallRun


class Phone:
    """One phone. `known`: whether the people file named it, or a first contact made it."""

    def __init__(self, person: Person, known: bool) -> None:
        self.number, self.name, self.language = person.number, person.name, person.language
        self.known = known
        self.thread: list[Message] = []
        self.waiting: list[Message] = []
        """SMS the carrier keeps until the phone can be reached again."""
        self.calls: list[Call] = []
        self.run: CallRun | None = None
        """The call that rings or runs on it now."""
        self.covered = asyncio.Event()
        self.behave(person.behaviour)

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    def behave(self, behaviour: Behaviour) -> None:
        """What it does by itself from now on. Coverage that comes back lets in what waited."""
        self._behaviour = behaviour
        if behaviour.coverage:
            self.covered.set()
        else:
            self.covered.clear()


class PhoneError(Exception):
    """What a phone's owner tried is not possible now; the text says why."""
