"""Which broadcasts stand on the CAP feed, and as what: fixed with the draft (docs/cap-feed.md). Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec.structs import replace

from hub.cap.alert import minded
from hub.cap.standing import standing
from hub.config.cap import CapForm
from hub.config.forms import BroadcastsForm
from hub.config.groups import Areas
from hub.engine.state import Broadcast
from hub.model.broadcast import Cap, Content, Kind, RegisteredIn
from hub.model.people import Language
from hub.model.signal import Status


class OnFeed:
    """`feed`: None where there is none."""

    def __init__(self, form: BroadcastsForm, feed: CapForm | None, now: Callable[[], datetime]) -> None:
        self._form = form
        self._feed = feed
        self._now = now

    def cap(self, kind: Kind, group: str, status: Status, registered: RegisteredIn | None, *says: Cap) -> Cap | None:
        """How a broadcast stands on the feed; None where it does not: there is no feed, its class is not published, it
        does not go to the public, or it is no earnest and exercises are not published."""
        known = self._form.classes.get(group)
        if self._feed is None or known is None or known.cap is None or not known.public or registered is None:
            return None
        if status is not Status.ACTUAL and not self._feed.exercises:
            return None
        usual = known.cap.meant()
        if kind is not Kind.ALERT:  # what people were to do then is not what they are to do now
            usual = replace(usual, instruction={})
        return standing(kind, (*says, usual), self._now())

    def after(
        self, followed: Broadcast, before: Content, alert: Content | None, content: Content, kind: Kind, said: Cap
    ) -> Content:
        """The content of what follows another. `before`: that one's; `alert`: of the alert it was about in the end, as
        the correction of an all-clear is about the danger again."""
        if before.cap is None:
            return content
        was = Cap() if alert is None or alert.cap is None else alert.cap
        was = replace(was, response=(), instruction={}, onset=None)
        cap = self.cap(kind, followed.group, followed.status, before.registered, said, was)
        return replace(content, registered=before.registered, cap=cap)


def told_of(content: Content, areas: Areas) -> Iterator[str]:
    """What whoever releases it should know of the feed."""
    if content.cap is None or content.registered is None:
        return
    event, severity = content.cap.event.get(Language.EN, ""), content.cap.severity
    yield f"CAP: it is published for everybody to read, as {event} ({severity})"
    yield from minded(content.registered, areas)
