"""What the engine asks about what is in force. Pure; made by hub/app from the texts in force, faked in tests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from hub.model.access import Reception
from hub.model.enclosure import CallListRhythm
from hub.model.people import Chain, Classification, Contact, Role, Roster, Storms
from hub.model.signal import Signal, Status
from hub.playbook.dossiers import Dossier
from hub.playbook.language import Playbook
from hub.playbook.match import Match, Met


class Rules(Protocol):
    def meet(self, signal: Signal, now: datetime) -> Met:
        """The sheets (live or shadow) and the dossiers in force that the signal meets."""
        ...

    @property
    def dossiers(self) -> Mapping[str, Dossier]: ...

    @property
    def zone(self) -> str:
        """Whose days are counted: a time zone of the IANA list."""
        ...

    def playbook(self, name: str, version: str) -> Playbook | None:
        """A sheet in the version an incident runs on, also where a newer one is in force."""
        ...

    def meets(self, name: str, version: str, signal: Signal, now: datetime) -> Match | None:
        """How the signal meets a sheet in the version an incident runs on, whatever has become of it since."""
        ...

    def chain(self, chain: str) -> Chain | None: ...

    @property
    def rosters(self) -> Mapping[str, Roster]: ...

    @property
    def status(self) -> Status:
        """Of what the hub says on its own account: Exercise in a playback."""
        ...

    def channels(self, person: str) -> Sequence[str]:
        """Those on which the person has an address, in the directory's order."""
        ...

    def people(self, contacts: Sequence[Contact], at: datetime) -> Sequence[str]:
        """Who that is at that time, in order, each once."""
        ...

    def knows(self, person: str) -> bool:
        """Whether somebody is in the directory."""
        ...

    def language(self, person: str) -> str:
        """What somebody is written to and called in; `""` for nobody."""
        ...

    def plays(self, person: str, role: Role) -> bool:
        """Whether a person has a role that a quorum asks for."""
        ...

    def ways(self, person: str, channel: str, status: Status) -> int:
        """How many addresses the person has on the channel for what is of that status; none for an exercise that they
        are left out of, or where all are kept for what is Actual."""
        ...

    def carries(self, channel: str) -> bool:
        """Whether files can go along on the channel."""
        ...

    def sees(self, person: str) -> Classification:
        """What the person may see of others."""
        ...

    def call_list(self) -> CallListRhythm | None:
        """When the call list is made and where it goes; None: never."""
        ...

    def reception(self) -> Reception | None:
        """Who is sent the access list; None: nobody."""
        ...

    def speaks(self, channel: str) -> bool:
        """Whether the channel is a voice call."""
        ...

    def storms(self) -> Storms:
        """What is a storm, and who is asked for help in one."""
        ...

    def causes(self, sheet: str) -> bool:
        """Whether some sheet in force is quiet while this one has an incident."""
        ...

    def registered(self, person: str) -> bool:
        """Whether this is one of the public who registered for alerts, and nobody of the directory."""
        ...
