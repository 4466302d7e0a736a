"""What recognising stories costs: `python -m tools.bench.stories [--seed N] [--memory]`.

Press items of seventy words, in part invented so that each is news, from forty outlets, until 20,000 are remembered;
the same told again by others in other words; a monitoring system's flood of 100,000 alerts that differ in a figure, and
of alerts that differ in a label only. Microseconds of processor time per signal. `--memory`: bytes per signal that is a
story of its own. Exits 1 where a press item costs more than 300 microseconds at 20,000 remembered, or the end of a
flood more than twice its beginning.
"""

import argparse
import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from hub.intake.stories import Stories, Told
from hub.model.signal import Info, Named, Signal
from tools.bench.figures import quantile, say

NOW = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
MOST, FLOOD, STEP = 20_000, 100_000, 20_000
LIMIT_US = 300
_MADE_OF = "ba ke ri mo lu tan ver den sol pa gri fo chi nel wa dro st"
SYLLABLES = _MADE_OF.split()
_USUAL = """
de la le les en à des het van een in op der die und the of to police pompiers brandweer incendie brand accident blessé
Bruxelles Brussel Anderlecht Schaerbeek gare station rue straat mardi dinsdag matin heures uur personnes mensen
"""
_COMMON = _USUAL.split()


class Newsroom:
    """Draws signals by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.words = ["".join(self.chance.choices(SYLLABLES, k=self.chance.randint(2, 4))) for _ in range(20_000)]
        self.names = [word.capitalize() for word in self.chance.sample(self.words, 4_000)]

    def press(self, n: int) -> Signal:
        words = [self.chance.choice(_COMMON if self.chance.random() < 0.5 else self.words) for _ in range(70)]
        for drawn in (*self.chance.sample(self.names, 6), *(str(self.chance.randint(2, 900)) for _ in range(3))):
            words[self.chance.randrange(70)] = drawn
        outlet = f"outlet-{n % 40}"
        web = f"https://{outlet}.example.org/news/{n}"
        info = Info(language="fr", headline=" ".join(words[:10]), description=" ".join(words[10:]) + ".", web=web)
        return Signal(source=outlet, sender=outlet, identifier=web, sent=NOW, infos=(info,))

    def again(self, signal: Signal, n: int) -> Signal:
        words = signal.infos[0].description.split()
        for _ in range(8):
            words[self.chance.randrange(len(words))] = self.chance.choice(self.words)
        info = replace(signal.infos[0], description=" ".join(words), web="")
        return replace(signal, source="others", sender=f"other-{n}", identifier=f"again-{n}", infos=(info,))

    def disk(self, n: int) -> Signal:
        text = f"Filesystem /var of host{n}.example.org has less than {self.chance.randint(1, 20)} % left."
        return self._alert(n, Info(headline=f"Disk 91 % full on host {n}", description=text))

    def label(self, n: int) -> Signal:
        return self._alert(n, Info(headline="Disk almost full on this host", parameters=(Named("host", f"host-{n}"),)))

    def _alert(self, n: int, info: Info) -> Signal:
        return Signal(source="alerts", sender="monitor", identifier=f"alert-{n}", sent=NOW, infos=(info,))


class Run:
    """One memory, a signal every 200 ms."""

    def __init__(self) -> None:
        self.stories = Stories(most=MOST)
        self.count = 0
        self.how: dict[str, int] = {}

    def hears(self, signals: list[Signal]) -> tuple[float, float]:
        """Microseconds per signal: mean and p99."""
        costs = []
        for signal in signals:
            self.count += 1
            told = Told(f"{self.count:08}", NOW + timedelta(milliseconds=200 * self.count), signal)
            begin = time.thread_time()
            placed = self.stories.place(told)
            costs.append((time.thread_time() - begin) * 1e6)
            self.how[placed.how] = self.how.get(placed.how, 0) + 1
        return sum(costs) / len(costs), quantile(sorted(costs), 0.99)


def press(room: Newsroom) -> float:
    run = Run()
    filling, _ = run.hears([room.press(n) for n in range(MOST)])
    say(f"press: {filling:.0f} us/signal while the memory fills to {len(run.stories)}")
    more = [room.press(n) for n in range(MOST, MOST + 2_000)]
    run.how.clear()
    full, worst = run.hears(more)
    say(f"press: {full:.0f} us/signal at {len(run.stories)} remembered, p99 {worst:.0f}: {run.how}")
    run.how.clear()
    again, worst = run.hears([room.again(signal, n) for n, signal in enumerate(more)])
    say(f"told again by others: {again:.0f} us/signal, p99 {worst:.0f}: {run.how}")
    return max(full, again)


def flood(label: str, made: Callable[[int], Signal]) -> float:
    run = Run()
    costs = []
    for start in range(0, FLOOD, STEP):
        mean, worst = run.hears([made(n) for n in range(start, start + STEP)])
        costs.append(mean)
        say(f"{label}: {mean:.0f} us/signal up to {start + STEP}, p99 {worst:.0f}, {len(run.stories)} remembered")
    return costs[-1] / costs[0]


def memory(room: Newsroom) -> None:
    signals = [room.press(n) for n in range(MOST)]
    Run().hears(signals[:2_000])
    gc.collect()
    tracemalloc.start()
    run = Run()
    run.hears(signals)
    gc.collect()
    say(f"memory: {tracemalloc.get_traced_memory()[0] / MOST:.0f} bytes per signal that is a story of its own")
    tracemalloc.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    say(f"seed {given.seed}")
    room = Newsroom(given.seed)
    if given.memory:
        memory(room)
        return 0
    fine = press(room) <= LIMIT_US
    return 0 if all([fine, flood("disks", room.disk) <= 2, flood("labels", room.label) <= 2]) else 1


if __name__ == "__main__":
    sys.exit(main())
