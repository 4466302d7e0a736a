"""Whether the chains would find anybody in the coming month: who is on duty, what they can be reached by, and by whose
lines. It needs the day and what was changed while running, so `vigie check` asks for it, not the hub's start."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.config.whole import Config
from hub.findings import Finding
from hub.model.people import Asked, Chain, Roster
from hub.people import quorum
from hub.people.chains import resolve
from hub.people.directory import Directory
from hub.people.rosters import timeline
from hub.yaml import Document, Node
from hub.yaml import Mapping as YamlMapping

MONTH = timedelta(days=31)
_ACCOUNTS = ("account", "host", "homeserver", "url")  # of a connector's settings, what says whose line it is


class Span(Struct, frozen=True):
    """From `start` to `end` the same people are on duty. `reached`: those of a chain's tiers with an address on one of
    its channels; `mute`: the tiers that ask somebody and reach nobody. `ways`: channel and address."""

    start: datetime
    end: datetime
    reached: frozenset[str]
    mute: tuple[int, ...]
    ways: frozenset[tuple[str, str]]


def coming_month(config: Config, directory: Directory, rosters: Mapping[str, Roster], now: datetime) -> list[Finding]:
    """Everything that would keep a chain from being answered, at its place in chains.yaml."""
    document = config.documents.get("chains.yaml")
    if document is None:
        return []
    before = len(document.findings)
    spans = {name: _spans(chain, directory, rosters, now) for name, chain in config.chains.items()}
    for name, chain in config.chains.items():
        _check_enough(document, chain, spans[name], directory, config.hub.zone)
        _check_mute(document, chain, spans[name])
        all_ = [spans[c] for c in _with_fall_backs(name, config.chains)]
        _check_devices(document, name, all_, config.hub.zone)
        _check_providers(document, name, config, all_)
    found = document.findings[before:]
    del document.findings[before:]
    return found


def _spans(chain: Chain, directory: Directory, rosters: Mapping[str, Roster], now: datetime) -> list[Span]:
    asked = [c.id for tier in chain.tiers for c in tier.ask if c.kind is Asked.ROSTER and c.id in rosters]
    turns = {part.start for name in asked for part in timeline(rosters[name], now, now + MONTH)}
    instants = sorted({now, now + MONTH, *turns})
    return [_span(chain, start, end, directory, rosters) for start, end in pairwise(instants)]


def _span(chain: Chain, start: datetime, end: datetime, directory: Directory, rosters: Mapping[str, Roster]) -> Span:
    reached: set[str] = set()
    ways: set[tuple[str, str]] = set()
    mute = []
    for number, tier in enumerate(chain.tiers):
        people = resolve(tier, start, directory, rosters).people
        found = {p: {(c, a) for c in tier.by for a in directory.addresses(p, c)} for p in people}
        reached |= {person for person, theirs in found.items() if theirs}
        ways |= set().union(*found.values())
        if people and not any(found.values()):
            mute.append(number)
    return Span(start, end, frozenset(reached), tuple(mute), frozenset(ways))


def _with_fall_backs(name: str, chains: Mapping[str, Chain]) -> list[str]:
    """A chain and those that go on when nobody is left."""
    found: list[str] = []
    while name in chains and name not in found:
        found.append(name)
        name = chains[name].exhausted
    return found


# --- what is told ------------------------------------------------------------------------------------------


def _check_enough(document: Document, chain: Chain, spans: Sequence[Span], directory: Directory, zone: str) -> None:
    short = [s for s in spans if not quorum.reached(chain, s.reached, lambda p, r: quorum.plays(directory, p, r))]
    if not short:
        return
    lacks = quorum.lacking(chain, short[0].reached, lambda p, r: quorum.plays(directory, p, r))
    always = len(short) == len(spans)
    who = f"reaches {', '.join(sorted(short[0].reached)) or 'nobody'} and lacks {quorum.in_words(*lacks)}"
    when = "at any time" if always else _when(_joined(short), zone)
    document.add(
        _name(document, chain.id), "nobody-would-answer", f"{chain.id} {who} {when}",
        "put somebody on duty, give them an address, or ask more people", warning=True,
    )  # fmt: skip


def _check_mute(document: Document, chain: Chain, spans: Sequence[Span]) -> None:
    for number, tier in enumerate(chain.tiers):
        if all(number in span.mute for span in spans):
            document.add(
                document.at(chain.id, "tiers", number, "by"), "nobody-by-these-channels",
                f"nobody whom this tier asks has an address on {' or '.join(tier.by)}",
                "give them one, or another channel", warning=True,
            )  # fmt: skip


def _check_devices(document: Document, name: str, all_: Sequence[Sequence[Span]], zone: str) -> None:
    """What else a chain has, others that go on included, when it has one device."""
    own, *others = all_
    elsewhere = {address for spans in others for span in spans for _, address in span.ways}
    alone = [s for s in own if len({address for _, address in s.ways} | elsewhere) == 1]
    if not alone:
        return
    whose = f"of {', '.join(sorted(alone[0].reached))}" if alone[0].reached else "of the chain that goes on"
    when = "at any time" if len(alone) == len(own) else _when(_joined(alone), zone)
    document.add(
        _name(document, name), "one-device", f"{when}, all that {name} has is one device {whose}",
        "ask somebody else too, or give them a second number", warning=True,
    )  # fmt: skip


def _check_providers(document: Document, name: str, config: Config, all_: Sequence[Sequence[Span]]) -> None:
    ways = {way for spans in all_ for span in spans for way in span.ways}
    providers = {p for channel, address in ways for p in config.routes.providers(channel, address)}
    lines = {line for p in providers if (line := _line(config, p)) is not None}
    if len(lines) == 1:
        entries = ", ".join(sorted(providers))
        document.add(
            _name(document, name), "one-provider", f"all of {name} goes by one provider ({entries})",
            "add a fall-back (docs/providers.md), or a channel of another provider", warning=True,
        )  # fmt: skip


def _name(document: Document, chain: str) -> Node | None:
    return document.root.key(chain) if isinstance(document.root, YamlMapping) else None


def _line(config: Config, entry: str) -> tuple[str, str] | None:
    """What an entry of channels.yaml is a line of: two with one account are one line."""
    channel = config.channels.get(entry)
    if channel is None:
        return None
    package = str(getattr(channel.make, "__module__", "")).rpartition(".")[0]
    account = next((str(getattr(channel.settings, a)) for a in _ACCOUNTS if hasattr(channel.settings, a)), entry)
    return package, account


def _joined(spans: Sequence[Span]) -> list[tuple[datetime, datetime]]:
    """Spans that follow one another, as one."""
    found: list[tuple[datetime, datetime]] = []
    for span in spans:
        if found and found[-1][1] == span.start:
            found[-1] = (found[-1][0], span.end)
        else:
            found.append((span.start, span.end))
    return found


def _when(spans: Sequence[tuple[datetime, datetime]], zone: str) -> str:
    start, end = spans[0]
    more = f", and {len(spans) - 1} times more within {MONTH.days} days" if len(spans) > 1 else ""
    return f"from {_local(start, zone)} to {_local(end, zone)}{more}"


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
