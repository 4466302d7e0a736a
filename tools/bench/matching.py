"""What matching one signal costs with 10, 1,000 and 10,000 sheets: `python -m tools.bench.matching [--seed N]`.

Sheets are drawn like those of centres over a whole country (10,000 are no single region's): most ask for hazard,
severity and area, many for words in a source's texts, some for trust, a few for a CEL expression. Signals are drawn
like what comes in: warnings in four languages, press items, disruptions. Each figure is the best of several runs over
the same signals, in microseconds per signal, read from text and located beforehand. Exits 1 where 10,000 sheets cost
more than three times what 10 do, or 200 dossiers beside 1,000 sheets more than half as much again as none.
"""

import argparse
import random
import sys
import time
from datetime import UTC, datetime, timedelta

from hub.model.area import Area
from hub.model.people import Language
from hub.model.signal import Category, Certainty, Hazard, Info, Severity, Signal, Urgency
from hub.model.trust import Credibility, Reliability
from hub.playbook.dossiers import Dossier
from hub.playbook.language import Mode, Playbook, Trust, When
from hub.playbook.match import Matcher

SIZES = (10, 1_000, 10_000)
BESIDE, DOSSIERS = 1_000, 200
NOW = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
SOURCES = tuple(f"source-{n}" for n in range(40))
PLACES = (
    *(f"region-{n}" for n in range(3)),
    *(f"province-{n}" for n in range(10)),
    *(f"commune-{n}" for n in range(581)),
)
_STEMS = """
brand incendie feu gaslek fuite inondation overstroming stroom panne electricite explosie
manifestation betoging grève staking accident ongeval tunnel métro tram bus train trein gare station
vrachtwagen camion chimie chemisch rook fumée evacuatie évacuation politie police pompiers brandweer
ziekenhuis hôpital école school crèche stade stadion marché markt feest fête concert sommet top
ambassade parlement parquet wateroverlast canal pont kanaal brug
"""
STEMS = _STEMS.split()
_FILLER = """
le la les de des du un une et en dans pour sur avec par au aux het een van op voor met bij naar ook
nog wordt zijn is worden Brussel Bruxelles région gewest matin avond aujourd'hui vandaag demain
morgen mobilité verkeer circulation travaux werken information informatie habitants bewoners commune
gemeente rue straat avenue laan selon volgens
"""
FILLER = _FILLER.split()


def made_sheet(chance: random.Random, number: int) -> Playbook:
    """A sheet like those a centre writes. No two ask for the same words: of a region's own names there are many."""
    kind = number % 10  # the same mix whatever the number of sheets
    if kind < 5:
        when = When(
            categories=(chance.choice(tuple(Category)),) if chance.random() < 0.5 else (),
            hazards=tuple(chance.sample(tuple(Hazard), chance.randint(1, 3))),
            severity=(Severity.SEVERE, Severity.EXTREME) if chance.random() < 0.8 else (Severity.EXTREME,),
            certainty=(Certainty.LIKELY, Certainty.OBSERVED) if chance.random() < 0.5 else (),
            areas=tuple(chance.sample(PLACES, chance.randint(1, 2))),
            trust=Trust(Reliability.B, Credibility.PROBABLY_TRUE) if chance.random() < 0.3 else None,
            where='info.onset - now < duration("24h")' if chance.random() < 0.1 else "",
        )
    elif kind < 9:
        when = When(
            sources=tuple(chance.sample(SOURCES, chance.randint(1, 3))),
            words=tuple(f"{chance.choice(STEMS)} {chance.choice(STEMS)}{number}" for _ in range(chance.randint(1, 4))),
        )
    else:
        when = When(words=tuple(f"{chance.choice(STEMS)}{number}{letter}" for letter in "ab"))
    title = dict.fromkeys(Language, f"sheet {number}")
    return Playbook(name=f"sheet-{number}", title=title, version="v", owner="bench", mode=Mode.LIVE, when=(when,))


def made_dossier(chance: random.Random, number: int) -> Dossier:
    """A dossier that asks for what a sheet could."""
    sheet = made_sheet(chance, 1_000_000 + number)
    return Dossier(name=f"dossier-{number}", title=sheet.title, owner="bench", version="v", when=sheet.when)


def made_signal(chance: random.Random, number: int, *, meets_nothing: bool) -> Signal:
    """A warning in four languages, a press item or a disruption."""
    press = chance.random() < 0.5
    source = chance.choice(SOURCES)
    infos = []
    for language in ("fr-BE",) if press else ("nl-BE", "fr-BE", "en-GB", "de-DE"):
        words = [chance.choice(FILLER) for _ in range(60 if press else 25)]
        words[chance.randrange(len(words))] = chance.choice(STEMS)
        infos.append(
            Info(
                language=language,
                categories=(Category.OTHER if press else Category.MET,),
                event=" ".join(words[:3]),
                hazard=None if press else Hazard.FOG if meets_nothing else chance.choice(tuple(Hazard)),
                urgency=Urgency.UNKNOWN if press else Urgency.IMMEDIATE,
                severity=Severity.UNKNOWN if press else Severity.MODERATE if meets_nothing else Severity.SEVERE,
                certainty=Certainty.UNKNOWN if press else Certainty.LIKELY,
                onset=NOW + timedelta(hours=2),
                headline=" ".join(words[3:12]),
                description=" ".join(words[12:]),
                areas=(Area(description="", places=(PLACES[0], *chance.sample(PLACES[3:], 2))),) if not press else (),
            )
        )
    return Signal(
        source=source,
        identifier=str(number),
        sender=source,
        sent=NOW,
        infos=tuple(infos),
        reliability=Reliability.B,
        credibility=Credibility.PROBABLY_TRUE,
    )


def costs_us(matchers: list[Matcher], signals: list[Signal], repeats: int = 9) -> list[float]:
    """Microseconds per signal for each matcher: the best of several rounds that go through all of them in turn, so
    that whatever else the machine does falls on each alike."""
    rounds = [[_timed(matcher, signals) for matcher in matchers] for _ in range(repeats)]
    return [min(column) / len(signals) * 1e6 for column in zip(*rounds, strict=True)]


def _timed(matcher: Matcher, signals: list[Signal]) -> float:
    begin = time.perf_counter()
    for signal in signals:
        matcher.match(signal, NOW)
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signals", type=int, default=2_000)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.signals} signals, sheets: {', '.join(map(str, SIZES))}")
    matchers = []
    for size in SIZES:
        chance = random.Random(given.seed)
        sheets = [made_sheet(chance, n) for n in range(size)]
        begin = time.perf_counter()
        matchers.append(Matcher(sheets))
        print(f"  {size:>6} sheets: made ready in {(time.perf_counter() - begin) * 1e3:.0f} ms")
    worst = 0.0
    for label, nothing in (("signals that meet nothing", True), ("signals as they come", False)):
        chance = random.Random(given.seed)
        signals = [made_signal(chance, n, meets_nothing=nothing) for n in range(given.signals)]
        met = [sum(len(m.match(s, NOW)) for s in signals) / len(signals) for m in matchers]
        costs = costs_us(matchers, signals)
        for size, cost, found in zip(SIZES, costs, met, strict=True):
            print(f"  {label}: {size:>6} sheets: {cost:6.2f} us/signal, {found:6.3f} sheets met per signal")
        ratio = costs[-1] / costs[0]
        worst = max(worst, ratio)
        print(f"  {label}: {SIZES[-1]} sheets cost {ratio:.2f} times what {SIZES[0]} do")
    return 0 if worst <= 3.0 and beside(given.seed, given.signals) <= 1.5 else 1


def beside(seed: int, number: int) -> float:
    """What dossiers add to the cost of a signal, as a ratio."""
    chance = random.Random(seed)
    sheets = [made_sheet(chance, n) for n in range(BESIDE)]
    dossiers = [made_dossier(chance, n) for n in range(DOSSIERS)]
    matchers = [Matcher(sheets), Matcher(sheets, dossiers)]
    signals = [made_signal(chance, n, meets_nothing=False) for n in range(number)]
    met = sum(len(matchers[1].meet(signal, NOW).dossiers) for signal in signals) / number
    costs = costs_us(matchers, signals)
    for count, cost in zip((0, DOSSIERS), costs, strict=True):
        print(f"  {BESIDE} sheets and {count:>3} dossiers: {cost:6.2f} us/signal")
    print(f"  {met:.3f} dossiers met per signal; they cost {costs[1] / costs[0]:.2f} times what none do")
    return costs[1] / costs[0]


if __name__ == "__main__":
    sys.exit(main())
