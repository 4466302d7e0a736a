"""Broadcasts as officers ask for them (docs/broadcasts.md): the acts. What a broadcast would do: making.py. What sheets
propose: proposing.py."""

from collections.abc import Awaitable, Callable
from typing import Any

from hub.acts import About, BroadcastBody, ByBody, Done, Drafted, Preview, Refused, WhyBody
from hub.broadcasts.making import Made, Maker
from hub.connector import Unavailable
from hub.desk import Desk, Handler
from hub.engine.broadcast import impossible
from hub.journal import JournalError
from hub.model import records as r
from hub.model.broadcast import Control, Kind


class Broadcasts:
    """`done`: what does each act, by its verb."""

    def __init__(self, desk: Desk, maker: Maker) -> None:
        self._desk = desk
        self._maker = maker
        self.done: dict[str, Handler] = {
            "preview": self._preview,
            "draft": self._draft,
            "broadcast": self._show,
            "release": self._release,
            **{f"broadcast-{act}": self._controlling(act) for act in Control},
        }

    async def _preview(self, about: About, sent: BroadcastBody) -> Preview:
        return (await self._make(sent)).preview

    async def _draft(self, about: About, sent: BroadcastBody) -> Drafted:
        made = await self._make(sent)
        if not made.preview.people and not made.drafted.cap:  # on the CAP feed everybody can read it
            raise Refused("to: nobody would be told: see what the preview says of it")
        done = await self._desk.act(made.drafted, "", made.content)
        stopped = " what is left of the wrong one is stopped;" if sent.kind is Kind.CORRECTION else ""
        others = "somebody else has" if made.preview.needs == 2 else f"{made.preview.needs - 1} others have"
        who = f"{others} to release it" if made.preview.needs > 1 else "release it"
        said = f"drafted, nothing has gone out yet:{stopped} {who} within 24 h"
        return Drafted(id=done.id, said=said, preview=made.preview)

    async def _show(self, about: About, _: None) -> Preview:
        broadcast = self._desk.state().broadcasts.get(about["broadcast"])
        if broadcast is None:
            raise Refused(f"no broadcast {about['broadcast']}: see `broadcasts` in the status", missing=True)
        try:
            return await self._maker.shown(broadcast)
        except JournalError as error:
            raise Unavailable(str(error)) from error

    async def _make(self, sent: BroadcastBody) -> Made:
        try:
            return await self._maker.make(sent)
        except JournalError as error:
            raise Unavailable(str(error)) from error

    async def _release(self, about: About, sent: ByBody) -> Done:
        self._maker.person(sent.by)
        broadcast = self._desk.state().broadcasts.get(about["broadcast"])
        if broadcast is None:
            raise Refused(f"no broadcast {about['broadcast']}: see `broadcasts` in the status", missing=True)
        if broadcast.outcome or broadcast.began_at is not None:
            raise Refused(f"it is released already ({broadcast.outcome or 'it is going out'})")
        if broadcast.people > 1 and sent.by in (broadcast.by, *broadcast.released):
            raise Refused(f"by: {sent.by} stands behind it already: somebody else has to release it, too")
        try:
            content = await self._maker.content(broadcast)
        except JournalError as error:
            raise Unavailable(str(error)) from error
        if content is None:
            raise Refused("its words were erased: draft it again")
        left = broadcast.people - len({broadcast.by, *broadcast.released, sent.by} - {""})
        people = len({person for people in content.audience.values() for person in people})
        on_feed = " and on the CAP feed" if broadcast.cap else ""
        said = f"{left} more must release it" if left > 0 else f"it goes out to {people} people{on_feed}"
        return await self._desk.act(r.BroadcastReleased(broadcast=broadcast.id, by=sent.by), said, content)

    def _controlling(self, act: Control) -> Callable[[About, Any], Awaitable[Done]]:
        async def control(about: About, sent: WhyBody) -> Done:
            broadcast = self._desk.state().broadcasts.get(about["broadcast"])
            if wrong := impossible(broadcast, act):
                raise Refused(f"{act} of {about['broadcast']}: {wrong}", missing=broadcast is None)
            controlled = r.BroadcastControlled(broadcast=about["broadcast"], act=act, by=sent.by, why=sent.why)
            return await self._desk.act(controlled, _CONTROLLED[act])

        return control


_CONTROLLED = {
    Control.HOLD: "what has not gone out waits until it is resumed",
    Control.RESUME: "what waited goes out now",
    Control.STOP: "nothing more of it goes out",
}
