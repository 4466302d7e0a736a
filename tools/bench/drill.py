"""A crisis of 72 hours in virtual time, against the wall clock: 2,000 signals, and the people of config/ who are asked,
answer or do not.

    python -m tools.bench.drill [--signals N] [--hours H] [--runs N]

The stage (hub/drill/stage.py) plays it: the whole hub (intake, engine, journal, dispatch) with config/ and the sheets
that are live in it; only the outside is played. Most signals are what a day brings and meet no sheet; every twentieth
is a warning that opens an incident, joins one, or is brought up to date or withdrawn a while later.

To reach (issue 4): under 2 s of wall clock.
"""

import argparse
import logging
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hub.config import Config, load
from hub.drill.behaviour import reaction
from hub.drill.play import Given, GivenForm, Play, SignalForm
from hub.drill.stage import perform
from hub.drill.timeline import Timeline, What
from hub.garbage import collect_rarely
from hub.logs import configure_log
from hub.model.signal import Category, Certainty, Hazard, Severity
from tools.bench.figures import machine, say, verdict

ROOT = Path(__file__).resolve().parents[2]
TO_REACH_S = 2.0
WARNS = 20  # one in so many signals is a warning that may meet a sheet
_HAZARDS = (Hazard.WIND, Hazard.THUNDERSTORM, Hazard.RAIN, Hazard.FLOOD, Hazard.SNOW_ICE, Hazard.HEAT)
_NEWS = ("Travaux à Schaerbeek", "Kermis in Jette", "Grève des bus", "Stroompanne in Evere", "Accident rue Haute")
_CALLS = "emergency-calls-outage"
_PHASE = {"headline": "Tempête", "area": "Bruxelles", "decided-by": "haut fonctionnaire", "meeting": "SITCEN, 8 h"}
_AREAS = ("ixelles", "jette", "schaerbeek", "evere", "uccle", "Namur", "Brabant")


def crisis(signals: int = 2000, hours: float = 72.0, seed: int = 7) -> Play:
    """`signals` things given, evenly over the hours."""
    chance = random.Random(seed)
    given: list[GivenForm] = []
    for n in range(signals):
        after_s = n * hours * 3600 / signals
        earlier = n - WARNS * chance.randint(2, 6)
        follows = n % WARNS == 0 and earlier >= 0 and given[earlier].signal is not None
        if follows and chance.random() < 0.25:
            given.append(GivenForm(after=after_s, cancels=earlier + 1))
        elif follows and chance.random() < 0.25:
            change = SignalForm(severity=chance.choice((Severity.SEVERE, Severity.EXTREME)))
            given.append(GivenForm(after=after_s, updates=earlier + 1, signal=change))
        else:
            given.append(GivenForm(after=after_s, signal=_news(chance) if n % WARNS else _warning(chance)))
    given += [
        GivenForm(after=12 * 3600.0, start={"headline": "Pannes", "area": "ixelles"}, sheet=_CALLS, by="officer-a"),
        GivenForm(after=20 * 3600.0, start=_PHASE, sheet="provincial-phase", by="officer-b"),
        GivenForm(after=60 * 3600.0, ends="the incident", by="officer-b"),
    ]
    people = {
        "everyone": (reaction("does not answer"),),
        "officer-a": (reaction("does not answer"), reaction("accepts after 50 s"), reaction("is busy")),
        "officer-b": (reaction("accepts after 40 s"), reaction("declines after 1 min")),
        "directors": (reaction("accepts after 2 min"),),
        "crisis-cell": (reaction("accepts after 3 min"),),
    }
    ready = [Given(after_s=one.after, form=one, source=one.signal.source or "" if one.signal else "") for one in given]
    return Play(name="crisis", given=tuple(ready), people=people, lasts_s=hours * 3600)


def _warning(chance: random.Random) -> SignalForm:
    return SignalForm(
        source="kmi-irm",
        category=(Category.MET,),
        hazard=chance.choice(_HAZARDS),
        headline="Orage violent",
        severity=chance.choice((Severity.MODERATE, Severity.SEVERE, Severity.EXTREME)),
        certainty=Certainty.LIKELY,
        area=("Brabant",),
        lasts=chance.choice((3, 6, 12)) * 3600.0,
    )


def _news(chance: random.Random) -> SignalForm:
    return SignalForm(
        source=chance.choice(("press-bruzz", "press-bx1", "siamu")),
        headline=chance.choice(_NEWS),
        description=f"{chance.choice(_NEWS)} {chance.randint(1, 99)}",
        severity=chance.choice((Severity.UNKNOWN, Severity.MINOR)),
        area=(chance.choice(_AREAS),),
        lasts=6 * 3600.0,
    )


class Run(NamedTuple):
    """`took_s`: of wall clock; `busy_s`: of this process's processor, which other work on the machine leaves alone."""

    took_s: float
    busy_s: float
    timeline: Timeline


def measured(config: Config, play: Play) -> Run:
    wall, busy = time.perf_counter(), time.process_time()
    timeline = perform(config, play)
    return Run(time.perf_counter() - wall, time.process_time() - busy, timeline)


def told(runs: Sequence[Run]) -> str:
    """What was played, and how long it took: medians, and between which."""
    timeline = runs[0].timeline
    people = {m.person for m in timeline.of(What.GOT)}
    counted = {what: len(timeline.of(what)) for what in (What.SIGNAL, What.OPENED, What.GOT, What.ANSWERED)}
    took = [run.took_s for run in runs]
    return (
        f"{timeline.lasted_s / 3600:g} h, {counted[What.SIGNAL]} signals, {counted[What.OPENED]} incidents, "
        f"{counted[What.GOT]} messages to {len(people)} people, {counted[What.ANSWERED]} answers: "
        f"{statistics.median(took):.2f} s of wall clock ({min(took):.2f} to {max(took):.2f}), "
        f"{statistics.median(run.busy_s for run in runs):.2f} s of processor, "
        f"{timeline.lasted_s / statistics.median(took):,.0f} times as fast as it happens"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.drill")
    parser.add_argument("--signals", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=72.0)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    say(machine())
    configure_log(logging.CRITICAL)
    config, _ = load(ROOT / "config")
    collect_rarely()  # as the hub and `vigie drill` do
    play = crisis(given.signals, given.hours)
    runs = [measured(config, play) for _ in range(given.runs)]
    say(told(runs))
    fine = statistics.median(run.took_s for run in runs) < TO_REACH_S
    say(f"under {TO_REACH_S:g} s: {verdict(fine)}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
