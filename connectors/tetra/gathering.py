"""What was received, put together: the parts of a long text are one message. Pure; time is an argument (seconds)."""

from msgspec import Struct
from msgspec.structs import replace

from connectors.tetra import sds
from connectors.tetra.pei import STATUS, TYPE4, Received, Unread, identity
from hub.connector import ReadError

WAIT_S = 60.0  # for the parts that are missing
GAP = " [...] "  # where they would have been
HELD_MAX = 200  # long texts that wait for parts


class Message(Struct, frozen=True):
    """A text, a report or a status. `received`: what it came in. `caller`, `called`: short identities, "" unknown."""

    caller: str
    called: str
    content: sds.Text | sds.Report | sds.Ack | int
    received: tuple[Received, ...]

    @property
    def original(self) -> bytes:
        return original(tuple(line for one in self.received for line in one.lines))


def original(lines: tuple[str, ...]) -> bytes:
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


class _Held(Struct):
    since_s: float
    parts: dict[int, Message]


class Gathering:
    """Long texts of which parts are missing wait here."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, int, int], _Held] = {}

    def add(self, got: Received, now_s: float) -> Message | Unread | None:
        """What it completes; None for a part of what is not whole yet."""
        caller, called = identity(got.caller), identity(got.called)
        if got.service == STATUS:
            short = sds.short_report(got.status)
            content = sds.Report(sds.TL_TEXT, short[1], short[0]) if short else got.status
            return Message(caller, called, content, (got,))
        if got.service != TYPE4:
            return Unread(f"service {got.service} is neither a status (13) nor SDS type 4 (12)", got.lines)
        try:
            text = sds.read(got.data)
        except ReadError as error:
            return Unread(str(error), got.lines)
        message = Message(caller, called, text, (got,))
        if not isinstance(text, sds.Text) or text.part is None:
            return message
        part = text.part
        held = self._held.setdefault((caller, called, part.ref, part.total), _Held(now_s, {}))
        held.parts[part.index] = message
        if len(held.parts) < part.total:
            return None
        del self._held[caller, called, part.ref, part.total]
        return _joined(held, part.total)

    def overdue(self, now_s: float) -> list[Message]:
        """What is not waited for any longer: a text with gaps tells more than none."""
        old = [key for key, held in self._held.items() if now_s - held.since_s >= WAIT_S]
        old += list(self._held)[: max(0, len(self._held) - HELD_MAX)]
        return [_joined(self._held.pop(key), key[3]) for key in dict.fromkeys(old)]


def _joined(held: _Held, total: int) -> Message:
    texts = []
    for index in range(1, total + 1):
        part = held.parts.get(index)
        if part is not None and isinstance(part.content, sds.Text):
            texts.append(part.content.text)
        elif not texts or texts[-1] != GAP:
            texts.append(GAP)
    parts = [held.parts[index] for index in sorted(held.parts)]
    first = parts[0]
    assert isinstance(first.content, sds.Text)
    content = replace(first.content, text="".join(texts), part=None)
    return replace(first, content=content, received=tuple(one for part in parts for one in part.received))
