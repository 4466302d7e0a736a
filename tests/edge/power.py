# ruff: noqa: N802 # the methods have the names SQLite gives them
"""A disk whose power can be cut: a SQLite VFS in memory that remembers what was synced and what was not.

Writes are seen at once by whoever reads the file, as in a page cache; only a sync makes them durable. At a power cut,
of what was not synced each 512-byte sector is kept or lost by chance, whatever the order it was written in. A file
that was made and never synced may be gone whole.

What it takes for granted is what SQLite takes for granted on Linux: a sector is written whole or not at all, and
writing one does not damage its neighbours.
"""

import random
from dataclasses import dataclass, field

import apsw

SECTOR = 512


@dataclass
class Image:
    """One file: as seen, as durable, and what was done to it since its last sync."""

    seen: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (offset, data); None: truncated there
    entered: bool = False  # its name is durable

    def sync(self) -> None:
        for offset, data in self.pending:
            _apply(self.durable, offset, data)
        self.pending.clear()
        self.entered = True

    def after_cut(self, chance: random.Random) -> "Image | None":
        if not self.entered and chance.random() < 0.5:
            return None
        # Some cuts lose everything unsynced, some nothing, most tear.
        keep = chance.choice((0.0, 0.0, 0.2, 0.5, 0.9, 1.0))
        content = bytearray(self.durable)
        for offset, data in self.pending:
            if data is None:
                if chance.random() < keep:
                    _apply(content, offset, None)
                continue
            start = offset
            while start < offset + len(data):
                stop = min((start // SECTOR + 1) * SECTOR, offset + len(data))
                if chance.random() < keep:
                    _apply(content, start, data[start - offset : stop - offset])
                start = stop
        return Image(bytearray(content), content, [], True)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """A disk of its own name. `cut_in`: the power fails at that many operations from now; `fault_in`: one operation
    fails there and the disk goes on. Operations are writes, syncs and truncations."""

    def __init__(self, name: str, images: dict[str, Image] | None = None) -> None:
        self.name = name
        self.images = images if images is not None else {}
        self.cut_in: int | None = None
        self.fault_in: int | None = None
        self.operations = 0
        self.opened: set[str] = set()  # names; "None" for a temporary file
        self.off = False
        self.gone = False
        super().__init__(name, "")

    def cut(self, chance: random.Random) -> dict[str, Image]:
        """What is there when the power comes back. What is still open on this disk now writes to nowhere."""
        self.off = self.gone = True
        after = {name: image.after_cut(chance) for name, image in self.images.items()}
        return {name: image for name, image in after.items() if image is not None}

    def connect(self, path: str) -> apsw.Connection:
        """A connection to a file on this disk. A Python VFS has no shared memory, so the connection keeps the file
        to itself; and it checkpoints often, so that cuts fall into checkpoints too."""
        connection = apsw.Connection(path, vfs=self.name)
        connection.pragma("locking_mode", "exclusive")
        connection.wal_autocheckpoint(20)
        return connection

    def operate(self) -> None:
        """One operation is about to be done."""
        if self.gone:
            return
        if self.off:
            raise apsw.IOError("the power is off")
        self.operations += 1
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in <= 0:
                self.off = True
                raise apsw.IOError("the power is off")
        if self.fault_in is not None:
            self.fault_in -= 1
            if self.fault_in <= 0:
                self.fault_in = None
                raise apsw.IOError("the disk failed once")

    # -- what SQLite asks of a VFS --

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:
        return pathname in self.images

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.operate()
        self.images.pop(filename, None)

    # Any object with a file's methods will do; apsw's stubs ask for its own class.
    def xOpen(self, name: object, flags: list[int]) -> "File":  # type: ignore[override]
        if self.off:
            raise apsw.CantOpenError("the power is off")
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self.opened.add(path)
        if path not in self.images:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(path)
            self.images[path] = Image()
        flags[1] = flags[0]
        return File(self, self.images[path])


class File:
    """An open file."""

    def __init__(self, disk: Disk, image: Image) -> None:
        self._disk = disk
        self._image = image

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._image.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        data = bytes(data)
        try:
            self._disk.operate()
        except apsw.IOError:
            # The write under way when it fails may have got anywhere.
            half = data[: len(data) // 2]
            self._write(half, offset)
            raise
        self._write(data, offset)

    def _write(self, data: bytes, offset: int) -> None:
        _apply(self._image.seen, offset, data)
        self._image.pending.append((offset, data))

    def xTruncate(self, size: int) -> None:
        self._disk.operate()
        _apply(self._image.seen, size, None)
        self._image.pending.append((size, None))

    def xSync(self, flags: int) -> None:
        self._disk.operate()
        self._image.sync()

    def xFileSize(self) -> int:
        return len(self._image.seen)

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)

    def xClose(self) -> None: ...
