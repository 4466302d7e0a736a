"""`vigie deadletter`: what could not be read, and reading it once more."""

import base64
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from hub.cli import say
from hub.cli.acts import act
from hub.config import Config
from hub.journal.codec import decode
from hub.journal.reader import Reader
from hub.model import records as r

_SHOWN = 4_000  # bytes of a letter on the terminal


def show_all(journal: Path, source: str, since: datetime | None, as_json: bool) -> None:
    """All dead letters, one line each; those that were read again say by whom."""
    with Reader(journal) as reader:
        again = _again(reader)
        for fact, letter in _letters(reader, since):
            if source and letter.source != source:
                continue
            read = again.get(fact.id)
            if as_json:
                say.json_line(
                    {"id": fact.id, "at": fact.at, "source": letter.source, "reason": letter.reason,
                     "place": letter.place, "read_again": read.by if read is not None else None}
                )  # fmt: skip
                continue
            done = f"  (read again by {read.by}: {read.why})" if read is not None else ""
            where = f"{letter.place}: " if letter.place else ""
            say.line(f"{fact.id}  {fact.at:%Y-%m-%d %H:%M}Z  {letter.source}  {where}{letter.reason}{done}")


def show_one(journal: Path, id_: str, out: Path | None) -> None:
    """One dead letter as it came: on the terminal where it is text, whole in a file."""
    with Reader(journal) as reader:
        (fact,) = reader.get([id_])
        if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.DeadLetter):
            say.error(f"{id_}: no such dead letter: `vigie deadletter list` has them")
            say.done(True)
        (entry,) = reader.vault([fact.vault])
        read = _again(reader).get(id_)
    letter = fact.body
    say.line(f"dead letter {id_} of {letter.source} at {fact.at:%Y-%m-%d %H:%M:%S}Z")
    say.line(f"  {f'{letter.place}: ' if letter.place else ''}{letter.reason}")
    if read is not None:
        say.line(f"  read again by {read.by} ({read.why}): {len(read.signals)} new signals")
    if entry is None:
        say.line("  what it held was erased")
    elif out is not None:
        out.write_bytes(entry.payload)
        say.line(
            f"  {len(entry.payload)} bytes are in {out}: mend them, and `vigie deadletter retry {id_} --file {out}`"
        )
    else:
        say.line(f"  {len(entry.payload)} bytes{f' of {letter.media_type}' if letter.media_type else ''}:")
        say.line("")
        say.line(entry.payload[:_SHOWN].decode("utf-8", "backslashreplace"))
        if len(entry.payload) > _SHOWN:
            say.line(f"... and {len(entry.payload) - _SHOWN} bytes more: --out FILE has all of it")


def retry(config: Config, id_: str, file: Path | None, by: str, why: str, as_json: bool) -> None:
    """Has it read again by the running hub."""
    mended = None
    if file is not None:
        try:
            mended = base64.b64encode(file.read_bytes()).decode()
        except OSError as error:
            sys.stdout.flush()
            say.could_not(f"{file}: {error.strerror}")
    act(config, f"/api/deadletters/{id_}/retry", {"by": by, "why": why, "mended": mended}, as_json)


def _letters(reader: Reader, since: datetime | None) -> Iterable[tuple[r.Fact, r.DeadLetter]]:
    for row in reader.rows(type_="dead-letter", since=since.timestamp() if since is not None else None):
        fact = decode(row.body)
        if isinstance(fact, r.Fact) and isinstance(fact.body, r.DeadLetter):
            yield fact, fact.body


def _again(reader: Reader) -> dict[str, r.LetterRead]:
    """Letter → the last time that it was read again."""
    found = {}
    for row in reader.rows(type_="letter-read"):
        fact = decode(row.body)
        if isinstance(fact, r.Fact) and isinstance(fact.body, r.LetterRead):
            found[fact.body.letter] = fact.body
    return found
