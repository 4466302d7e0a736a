"""What a hub has recorded (`record:` in hub.yaml, docs/playback.md), read back."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.model.recording import FORMAT, Begun, Entry, Gap, Heard, entry_of

ENDING = ".jsonl"


class RecordingError(ValueError):
    """It is no recording, or one of another format; the text names the file and line."""


class Piece(Struct, frozen=True):
    """One thing that a source heard."""

    at: datetime
    source: str
    heard: Heard


class Recorded(Struct, frozen=True, kw_only=True):
    """A recording, in the order of its lines. `lost`: pieces that it lacks, with why; `remarks`: what else is odd."""

    pieces: tuple[Piece, ...]
    lost: tuple[Gap, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def begin(self) -> datetime:
        return self.pieces[0].at

    @property
    def end(self) -> datetime:
        return max(piece.at for piece in self.pieces)

    def sources(self) -> dict[str, int]:
        """How many pieces of each there are."""
        counts: dict[str, int] = {}
        for piece in self.pieces:
            counts[piece.source] = counts.get(piece.source, 0) + 1
        return counts

    def within(self, since: datetime | None, until: datetime | None) -> "Recorded":
        """A part of it. What an address had answered before is not in it, so that it may begin with less."""
        chosen = (p for p in self.pieces if (since is None or p.at >= since) and (until is None or p.at < until))
        return Recorded(pieces=tuple(chosen), lost=self.lost, remarks=self.remarks)


def load_recording(paths: Sequence[Path]) -> Recorded:
    """Files, or folders of them, one after the other. Raises RecordingError, OSError."""
    files = [one for path in paths for one in (sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path])]
    if not files:
        raise RecordingError(f"{', '.join(map(str, paths))}: there is no recording: its files end in {ENDING}")
    pieces: list[Piece] = []
    lost: list[Gap] = []
    remarks: list[str] = []
    for file in files:
        lines = file.read_bytes().splitlines()
        for number, line in enumerate(lines, 1):
            try:
                entry = entry_of(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                if number > 1 and (number == len(lines) or _begins(lines[number])):
                    remarks.append(f"{file}:{number}: was cut short when the hub was killed: left out")
                    continue
                raise RecordingError(f"{file}:{number}: is no line of a recording: {error}") from error
            _check(entry, file, number)
            if isinstance(entry.heard, Gap):
                lost.append(entry.heard)
            elif not isinstance(entry.heard, Begun):
                pieces.append(Piece(entry.at, entry.source, entry.heard))
    if not pieces:
        raise RecordingError(f"{', '.join(map(str, files))}: nothing was heard in it")
    return Recorded(pieces=tuple(pieces), lost=tuple(lost), remarks=tuple(remarks))


def _begins(line: bytes) -> bool:
    return b'"kind":"begun"' in line[:200]


def _check(entry: Entry, file: Path, number: int) -> None:
    begun = entry.heard if isinstance(entry.heard, Begun) else None
    if number == 1 and begun is None:
        raise RecordingError(f"{file}:1: does not begin as a recording does")
    if begun is not None and begun.format != FORMAT:
        raise RecordingError(
            f"{file}:{number}: is of format {begun.format}, which Vigie {begun.version} reads; here {FORMAT} is read"
        )
