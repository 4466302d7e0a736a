"""One input after another through a source's reader, in a process of its own: what it raises, how long it takes, how
much memory it wants."""

import json
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hub.connector import BadItem, SignalItem
from tools.fuzz.mutating import damaged, swollen

LIMIT_S = 1.0  # of processor time: others may want the machine too
_GIVE_UP_S = 20.0  # in C code no alarm is heard: then the whole process ends

Read = Callable[[bytes], Sequence[SignalItem | BadItem]]


class TooSlow(BaseException):
    """No Exception, so that no reader takes it for a bad input."""


def alarm(number: int, frame: Any) -> None:
    raise TooSlow


def one(read: Read, data: bytes) -> str:
    """What is wrong with how an input is read; "" where nothing is."""
    began = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_REAL, _GIVE_UP_S)
        items = read(data)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except TooSlow:
        return f"took over {_GIVE_UP_S:g} s"
    except MemoryError:
        return "wants more memory than there is"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({where.filename.rpartition('/')[2]}:{where.lineno})"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.process_time() - began
    if took > LIMIT_S:
        return f"took {took:.1f} s for {len(data)} bytes"
    return _odd(items)


def _odd(items: Sequence[SignalItem | BadItem]) -> str:
    """What no journal could keep, or nobody could find again."""
    for item in items:
        if not isinstance(item, SignalItem | BadItem):
            return f"gives a {type(item).__name__}"
        if not item.key:
            return "gives an item without a key"
        try:
            msgspec.json.encode(item.signal if isinstance(item, SignalItem) else [item.reason, item.place])
        except (UnicodeEncodeError, msgspec.MsgspecError, ValueError, OverflowError) as error:
            return f"gives what cannot be written down: {error}"
    return ""


def peak_mb() -> float:
    """The most memory this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(read: Read, of: Sequence[bytes], seed: int, first: int, count: int, large: bool) -> dict[str, Any]:
    """Tries inputs `first` to `first + count` of a seed: each is made of its own number, so that one can be made again.
    Returns how many, what was wrong (the number of the input and why, each fault once), the slowest and the memory."""
    signal.signal(signal.SIGALRM, alarm)
    faults: dict[str, int] = {}
    slowest, before = (0.0, 0), peak_mb()
    for number in range(first, first + count):
        data = made(of, seed, number, large)
        began = time.process_time()
        wrong = one(read, data)
        slowest = max(slowest, (time.process_time() - began, number))
        if wrong:
            faults.setdefault(wrong, number)
    return {"tried": count, "faults": faults, "slowest": slowest, "grew_mb": peak_mb() - before}


def made(of: Sequence[bytes], seed: int, number: int, large: bool) -> bytes:
    """The input of a number."""
    chance = random.Random(f"{seed} {number} {large}")  # damage, no secret
    return swollen(of, chance) if large else damaged(of, chance)


def say(found: dict[str, Any]) -> None:
    """To whoever started this process."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
