"""A worker process: reads jobs from its standard input, runs them one at a time, and answers (see hub/workers.py).

Started as a script by its path, so until the first message it knows nothing but the standard library. Standard input
is one end of a socket pair. It ends when the hub closes the other end, also by dying; while it is busy with a job it
notices nothing, so an alarm of the system's ends it at the job's limit even if no hub is left to do that.

A message is a count of parts, their sizes, and the parts. The first part is a pickle; the others are the large byte
strings it refers to, which thus need not be copied in the hub.
"""

import os
import pickle
import resource
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, BinaryIO, cast

CORES = "VIGIE_CORES"  # the cores the hub was given, where it keeps to one of them (hub/cores.py)
COUNT = struct.Struct("!I")
SIZE = struct.Struct("!Q")
OUT_OF_BAND_BYTES = 64 * 1024
ORPHAN_GRACE_S = 5.0
DAY_S = 86_400.0
NICENESS = 10  # a timer of the hub goes before anybody's large document when processors are short

# What a job came to: the first item of an answer.
DONE, RAISED, TOO_LARGE, NO_MEMORY = "done", "raised", "too large", "no memory"


def pack(message: tuple[Any, ...]) -> list[bytes | memoryview]:
    """The pieces of a message in the order they are sent. Byte strings of `OUT_OF_BAND_BYTES` and more that stand in
    `message` itself are sent as they are."""
    buffers: list[pickle.PickleBuffer] = []
    items = tuple(
        pickle.PickleBuffer(item) if isinstance(item, bytes) and len(item) >= OUT_OF_BAND_BYTES else item
        for item in message
    )
    head = pickle.dumps(items, protocol=5, buffer_callback=buffers.append)
    parts: list[bytes | memoryview] = [head, *(buffer.raw() for buffer in buffers)]
    sizes = b"".join(SIZE.pack(len(part)) for part in parts)
    return [COUNT.pack(len(parts)) + sizes, *parts]


def unpack(parts: Sequence[bytes]) -> tuple[Any, ...]:
    message: tuple[Any, ...] = pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 (both ends are ours)
    return message


def receive(stream: BinaryIO) -> list[bytes]:
    """The parts of the next message. EOFError when the other end is closed."""
    (count,) = COUNT.unpack(_exactly(stream, COUNT.size))
    sizes = [SIZE.unpack(_exactly(stream, SIZE.size))[0] for _ in range(count)]
    return [_exactly(stream, size) for size in sizes]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def serve(link: socket.socket) -> None:
    stream = cast(BinaryIO, link.makefile("rb"))
    sys.path[:], preload, memory_bytes, result_bytes_max = unpack(receive(stream))
    limit_memory(memory_bytes)
    for module in preload:
        import_module(module)
    send(link, (DONE,))
    while True:
        answer = run(receive(stream), result_bytes_max)
        # Half its memory gone for good, by leaks or fragments, would be charged to an innocent job.
        worn = data_bytes() > memory_bytes / 2
        send(link, (*answer, worn))
        del answer


def run(parts: Sequence[bytes], result_bytes_max: int) -> tuple[str, bytes]:
    """(DONE, pickled result) or what else the job came to, with what is to be said about it."""
    try:
        limit_s, fn, *args = unpack(parts)
        signal.setitimer(signal.ITIMER_REAL, min(limit_s, DAY_S) + ORPHAN_GRACE_S)
        try:
            result = pickle.dumps(fn(*args), protocol=5)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except MemoryError:
        return NO_MEMORY, b""
    except Exception as error:
        return RAISED, pickled_error(error, "In a worker process:\n" + traceback.format_exc())
    if len(result) > result_bytes_max:
        return TOO_LARGE, str(len(result)).encode()
    return DONE, result


def pickled_error(error: Exception, note: str) -> bytes:
    """The error itself where it survives the way, otherwise what it says (many of lxml's do not); and the note."""
    try:
        data = pickle.dumps((error, note), protocol=5)
        pickle.loads(data)  # noqa: S301 (just made)
    except Exception:
        return pickle.dumps((f"{type(error).__name__}: {error}", note), protocol=5)
    return data


def send(link: socket.socket, message: tuple[Any, ...]) -> None:
    for piece in pack(message):
        link.sendall(piece)


def limit_memory(limit_bytes: int) -> None:
    """Writable memory (RLIMIT_DATA), not address space: libraries map far more than they use."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def data_bytes() -> int:
    """What RLIMIT_DATA counts of this process now; 0 where the system does not tell."""
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"VmData:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def main() -> None:
    # Ctrl-C and a stop of the whole service reach every process of the group at once; the hub finishes its work
    # first, and this process ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    if cores := os.environ.get(CORES):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    with socket.socket(fileno=os.dup(0)) as link:
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)  # a library that reads standard input finds it empty
        try:
            serve(link)
        except (EOFError, ConnectionError):
            return


if __name__ == "__main__":
    main()
