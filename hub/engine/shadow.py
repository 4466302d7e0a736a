"""Sheets in shadow: the same engine on a state of its own, where everything that would happen is written down and
nothing is done.

An incident of a sheet in shadow begins its steps like any other, and each of its orders is taken for sent at once and
never answered: one sees whom it would have asked, when, by what, tier by tier. What it comes to is folded into
`State.shadow`: there are no people, codes, allowances, alarms, silences or storms in it but its own. Whatever is
decided here is an `InShadow` event, of which no other part of the hub makes anything: what looks for orders finds none.
"""

from datetime import datetime

from msgspec.structs import replace

from hub.engine.fold import fold
from hub.engine.state import State
from hub.engine.work import Work
from hub.model import events as e

LANGUAGES = "languages"  # of an order's values: what its recipients would read or hear
_NOTHING = State()  # looked at while there is no incident in shadow; never changed


class ShadowWork(Work):
    """The work of sheets in shadow, beside the work in earnest. What both read (silences that hold, causes that are
    known, the rules in force) they read in earnest."""

    def __init__(self, real: Work) -> None:
        super().__init__(_NOTHING, real.rules, real.ids)
        self.real = real
        real.shadow = self

    def begin(self, now: datetime) -> None:
        """Part of the same decision."""
        self.now, self.rules = now, self.real.rules
        self.events, self.vault = self.real.events, self.real.vault

    @property
    def state(self) -> State:
        return self.real.state.shadow or _NOTHING

    def emit(self, event: e.Event) -> None:
        """The one way out of here: nothing is decided in shadow but that it would have been."""
        if isinstance(event, e.Ordered) and event.recipients:
            languages = dict.fromkeys(self.rules.language(person) for person in event.recipients)
            event = replace(event, values=(*event.values, (LANGUAGES, ",".join(languages))))
        told = e.InShadow(event=event)
        self.events.append(told)
        fold(self.real.state, told, self.now)
        if isinstance(event, e.Ordered):
            self.as_sent.append(event.order)
