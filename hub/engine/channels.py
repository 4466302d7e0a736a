"""What the room hears of channels: one that fails, one that says nothing any more, and that they work again."""

from hub.engine.work import Work
from hub.model.records import ChannelChanged

FAILING = "channel-failing"
SILENT = "channel-silent"


def changed(w: Work, body: ChannelChanged) -> None:
    """Dispatch has seen a provider fail or work, across recipients."""
    if body.health == "failing":
        w.alarm(FAILING, body.channel, _failing(body))
    elif body.health == "silent":
        w.alarm(SILENT, body.channel, _silent(body))
    else:
        w.clear(FAILING, body.channel)
        w.clear(SILENT, body.channel)


def _failing(body: ChannelChanged) -> str:
    if body.meanwhile:
        meanwhile = f"meanwhile its messages go by {body.meanwhile}"
    else:
        meanwhile = "nothing stands in for it: who is asked is asked by their next channel at once, all else waits"
    return f"{body.reason}; {_since(body)}; {meanwhile}; it is tried with one message at a time"


def _silent(body: ChannelChanged) -> str:
    return (
        f"it takes messages and no longer says what becomes of them: {_since(body)}; whether they arrive is not known: "
        "ask the provider, and see whether it can reach the hub's callbacks"
    )


def _since(body: ChannelChanged) -> str:
    people = f"{body.people} {'person' if body.people == 1 else 'people'} concerned"
    return f"since {body.since:%H:%M}Z, {people} so far" if body.since is not None else people
