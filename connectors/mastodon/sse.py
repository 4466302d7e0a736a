"""Server-sent events (WHATWG HTML, 9.2): bytes as they come → events. Pure, and bounded however long a line is."""

from collections.abc import Iterator

from msgspec import Struct

_HEAD = 4096  # bytes of an event that is too large which are kept


class Event(Struct, frozen=True):
    """`data`: the event's data lines. `too_large`: it had more bytes than are read, and `data` is their beginning."""

    name: str
    data: bytes
    too_large: bool = False


class Events:
    """Reads one stream. `feed` gives the events that are complete, and an Event without a name and data for each
    comment, which is a sign of life."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._line = bytearray()
        self._cut = False  # the line is longer than is kept
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._too_large = False

    def feed(self, piece: bytes) -> Iterator[Event]:
        if self._after_cr and piece[:1] == b"\n":
            piece = piece[1:]
        if piece:
            self._after_cr = piece.endswith(b"\r")
        *complete, rest = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for part in complete:
            self._add(part)
            line, cut = bytes(self._line), self._cut
            self._line.clear()
            self._cut = False
            yield from self._take(line, cut)
        self._add(rest)

    def _add(self, part: bytes) -> None:
        room = self._bytes_max + 64 - len(self._line)  # 64: the field's name
        self._line += part[: max(room, 0)]
        self._cut = self._cut or len(part) > room

    def _take(self, line: bytes, cut: bool) -> Iterator[Event]:
        line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            yield from self._dispatch()
        elif line.startswith(b":"):
            yield Event("", b"")
        else:
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"event":
                self._name = value.decode("utf-8", "replace")[:100]
            elif name == b"data":
                self._size += len(value)
                self._too_large = self._too_large or cut or self._size > self._bytes_max
                self._data.append(value if not self._too_large else value[:_HEAD] if not self._data else b"")

    def _dispatch(self) -> Iterator[Event]:
        data = b"\n".join(filter(None, self._data)) if self._too_large else b"\n".join(self._data)
        if self._data:
            yield Event(self._name or "message", data[:_HEAD] if self._too_large else data, self._too_large)
        self._name, self._data, self._size, self._too_large = "", [], 0, False
