"""A folder that others put files into: what lies there, read without following a link, moved away when it is done.

Every call blocks and belongs into a thread. Files are opened relative to the folder as it is at that moment, so that no
link that takes a place in between leads elsewhere. Nothing is ever deleted, and nothing written over: the name in done/
or bad/ carries a digest of what was read.
"""

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath

from msgspec import Struct

DONE, BAD = "done", "bad"
FILES_MAX = 100_000  # looked at in one folder
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".writing", ".swp", "~")
_NAME_BYTES = 200  # of a name that is kept when it gets a digest


class Seen(Struct, frozen=True):
    """A file as it lies there: the same only while nobody writes on it."""

    name: str
    inode: int
    size: int
    changed_ns: int


class Look(Struct, frozen=True):
    """`files`, the oldest first; `problems`: what lies there and will never be read as it is."""

    files: tuple[Seen, ...]
    problems: tuple[str, ...]


class Changed(Exception):
    """Somebody wrote on the file, moved it or put another in its place meanwhile: it is looked at again."""


def look(folder: str, pattern: str) -> Look:
    """What lies in a folder. Raises OSError where it cannot be looked into."""
    files: list[Seen] = []
    problems: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in (DONE, BAD) or _unfinished(entry.name) or not _fits(entry.name, pattern):
                continue
            try:
                here = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(here.st_mode):
                continue
            if problem := _problem(here):
                problems.append(f"{shown(entry.name)} {problem}")
                continue
            files.append(_seen(entry.name, here))
            if len(files) >= FILES_MAX:
                problems.append(f"there are more than {FILES_MAX} files: the rest waits")
                break
    return Look(tuple(sorted(files, key=lambda one: (one.changed_ns, one.name))), tuple(problems))


def read(folder: str, seen: Seen, bytes_max: int) -> bytes:
    """The file as it was seen; of a larger one than `bytes_max` its first so many bytes. Raises Changed, OSError."""
    with _opened(folder) as here, _file(here, seen) as file:
        data = b""
        while len(data) < bytes_max and (piece := os.read(file, min(1 << 20, bytes_max - len(data)))):
            data += piece
        if _seen(seen.name, os.fstat(file)) != seen or len(data) != min(seen.size, bytes_max):
            raise Changed(seen.name)
        return data


def put_away(folder: str, seen: Seen, into: str, mark: str) -> str:
    """Moves a file that was read; answers its new name, "" where somebody else has moved it. `mark`: a digest of what
    was read. Raises Changed where it is no more what was read (it is then where it was), OSError."""
    target = marked(seen.name, mark)
    with _opened(folder) as here:
        with suppress(FileExistsError):
            os.mkdir(into, 0o770, dir_fd=here)
        there = _inside(here, into)
        try:
            if _now(seen.name, here) != seen:
                if _now(seen.name, here) is None:
                    return ""
                raise Changed(seen.name)
            if _now(target, there) is not None:
                target = marked(seen.name, f"{mark}-{seen.inode:x}")
            with suppress(FileNotFoundError):
                os.rename(seen.name, target, src_dir_fd=here, dst_dir_fd=there)
            if _grown(seen, target, here, there):
                raise Changed(seen.name)
        finally:
            os.close(there)
    return target


def grown(folder: str, away: Sequence[tuple[Seen, str, str]]) -> frozenset[str]:
    """Of files that were put away (where to, under which name), the names of those that somebody has gone on writing
    on; they are then back where they were. Raises OSError."""
    back = set()
    with _opened(folder) as here:
        for into in {one[1] for one in away}:
            try:
                there = _inside(here, into)
            except FileNotFoundError:
                continue  # somebody has tidied up
            try:
                back |= {seen.name for seen, to, target in away if to == into and _grown(seen, target, here, there)}
            finally:
                os.close(there)
    return frozenset(back)


def marked(name: str, mark: str) -> str:
    """`log.csv` → `log.3f2a9c1b7d10.csv`. No longer than a name may be."""
    path = PurePath(name)
    stem, ending = path.stem, path.suffix
    if len(os.fsencode(ending)) > 20:
        stem, ending = name, ""
    return os.fsdecode(os.fsencode(stem)[:_NAME_BYTES]) + f".{mark}{ending}"


def shown(name: str) -> str:
    """A name as it can be told: no control characters, no bytes that are no text."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:120]


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield here
    finally:
        os.close(here)


def _inside(here: int, name: str) -> int:
    """A folder in it, which is no link."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)


@contextmanager
def _file(here: int, seen: Seen) -> Iterator[int]:
    """Without waiting for a pipe's other end, and never through a link."""
    try:
        file = os.open(seen.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    except FileNotFoundError:
        raise Changed(seen.name) from None
    try:
        status = os.fstat(file)
        if _problem(status) or _seen(seen.name, status) != seen:
            raise Changed(seen.name)
        yield file
    finally:
        os.close(file)


def _grown(seen: Seen, target: str, here: int, there: int) -> bool:
    """One that is no more what was read goes back under its name, or beside the one that has it now."""
    now = _now(target, there)
    if now is None or (now.inode, now.size, now.changed_ns) == (seen.inode, seen.size, seen.changed_ns):
        return False
    name = seen.name if _now(seen.name, here) is None else marked(seen.name, f"more-{now.inode:x}")
    os.rename(target, name, src_dir_fd=there, dst_dir_fd=here)
    return True


def _now(name: str, folder: int) -> Seen | None:
    try:
        return _seen(name, os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _seen(name: str, status: os.stat_result) -> Seen:
    return Seen(name, status.st_ino, status.st_size, status.st_mtime_ns)


def _problem(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "is a link: put the file itself there"
    if not stat.S_ISREG(status.st_mode):
        return "is no file: take it away"
    if status.st_nlink > 1:
        return "has a second name elsewhere (a hard link): put a copy there"
    return ""


def _fits(name: str, pattern: str) -> bool:
    """Capitals do not count: Windows writes LOG.CSV."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def _unfinished(name: str) -> bool:
    """What is being written, by the usual names: read once it is called otherwise."""
    return name.startswith((".", "~")) or name.lower().endswith(_UNFINISHED)
