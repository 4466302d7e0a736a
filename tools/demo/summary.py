"""What the journal says at the end: counted from its records, not from what the view happened to show."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from hub.journal import JournalError
from hub.journal.codec import decode
from hub.journal.reader import open_reader
from hub.model import events as e
from hub.model import records as r
from hub.view.glance import plain

DEAD_SHOWN = 60


class Summary(Struct, kw_only=True):
    """Counts over a whole journal. `dead`: (source, reason) → how often; `failed`: source → its last reason;
    `deliveries`: (channel, last outcome) → how many; `incidents`: (sheet, status) → how many."""

    signals: int = 0
    baseline: int = 0
    replies: int = 0
    dead: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    incidents: Counter[tuple[str, str]] = field(default_factory=Counter)
    deliveries: Counter[tuple[str, str]] = field(default_factory=Counter)


def summary_of(journal: Path) -> Summary | None:
    """Reads a journal from its beginning; None where there is none."""
    summary = Summary()
    last: dict[tuple[str, int], tuple[str, str]] = {}
    channels: dict[str, str] = {}
    try:
        with open_reader(journal) as reader:
            for row in reader.rows():
                record = decode(row.body)
                if isinstance(record, r.Fact):
                    _fact(summary, record.body)
                elif isinstance(record, r.Decision):
                    for event in record.events:
                        _event(summary, event, channels, last)
    except JournalError:
        return None
    summary.deliveries.update(last.values())
    return summary


def _fact(summary: Summary, body: r.FactBody) -> None:
    match body:
        case r.SignalReceived():
            summary.signals += 1
            summary.baseline += body.baseline
        case r.DeadLetter():
            place = f"{body.place}: " if body.place else ""
            summary.dead[body.source, place + body.reason] += 1
        case r.SourceChanged(health="failing"):
            summary.failed[body.source] = body.reason
        case r.ReplyReceived():
            summary.replies += 1
        case _:
            pass


def _event(
    summary: Summary, event: e.Event, channels: dict[str, str], last: dict[tuple[str, int], tuple[str, str]]
) -> None:
    match event:
        case e.Opened():
            summary.incidents[event.playbook, str(event.status)] += 1
        case e.Ordered():
            channels[event.order] = event.channel
            for index in range(event.size or len(event.recipients)):
                last[event.order, index] = (event.channel, "waiting")
        case e.OrderWithdrawn():
            for place, (channel, outcome) in last.items():
                if place[0] == event.order and outcome == "waiting":
                    last[place] = (channel, "withdrawn")
        case e.Delivered():
            for index, outcome, _ in event.moves:
                last[event.order, index] = (channels.get(event.order, "?"), str(outcome))
        case _:
            pass


def told(summary: Summary | None, say: Callable[..., str], word: Callable[[str], str]) -> list[str]:
    """The summary as lines. `say` fills one of the demo's texts, `word` translates a state."""
    if summary is None:
        return [say("nothing")]
    lines = [say("signals", n=summary.signals, baseline=summary.baseline)]
    lines.append(say("dead", n=summary.dead.total()))
    dead = summary.dead.most_common(DEAD_SHOWN)
    lines += [f"    {plain(source)}: {plain(why)}{f'  ×{n}' if n > 1 else ''}" for (source, why), n in dead]
    if len(summary.dead) > DEAD_SHOWN:
        lines.append(f"    … {len(summary.dead) - DEAD_SHOWN}")
    lines.append(say("failed", n=len(summary.failed)))
    lines += [f"    {plain(source)}: {plain(why)}" for source, why in sorted(summary.failed.items())]
    lines.append(say("incidents", n=summary.incidents.total()))
    lines += [f"    {plain(sheet)} ({plain(status)}): {n}" for (sheet, status), n in sorted(summary.incidents.items())]
    lines.append(say("deliveries", n=summary.deliveries.total()))
    lines += _by_channel(summary.deliveries, word)
    lines.append(say("replies", n=summary.replies))
    return lines


def _by_channel(deliveries: Mapping[tuple[str, str], int], word: Callable[[str], str]) -> list[str]:
    channels: dict[str, list[str]] = {}
    for (channel, outcome), n in sorted(deliveries.items()):
        channels.setdefault(channel, []).append(f"{word(outcome)} {n}")
    return [f"    {plain(channel)}: {', '.join(outcomes)}" for channel, outcomes in channels.items()]
