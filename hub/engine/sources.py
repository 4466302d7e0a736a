"""What the room hears of sources: one that cannot be had, whose certificate ends, that the watch has found strange."""

from hub.engine.work import Work
from hub.model.records import SourceChanged, SourceWatched

FAILING = "source-failing"
EXPIRING = "source-expiring"


def changed(w: Work, body: SourceChanged) -> None:
    """A source says of itself how it is."""
    if body.health == "failing":
        w.alarm(FAILING, body.source, body.reason)
        return
    w.clear(FAILING, body.source)
    if body.health == "expiring":
        w.alarm(EXPIRING, body.source, body.reason)
    elif body.health == "ok":
        w.clear(EXPIRING, body.source)


def watched(w: Work, body: SourceWatched) -> None:
    """What hub.sourcewatch has found, or that it is over."""
    if body.over:
        w.clear(body.what, body.source)
    else:
        w.alarm(body.what, body.source, body.reason)
