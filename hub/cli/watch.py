"""`vigie watch show`: what the next officer must know, from the picture of the moment."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.cli import say
from hub.cli.acts import ask
from hub.config import Config


def show(config: Config, as_json: bool) -> None:
    picture = ask(config, "GET", "/api/status")
    if as_json:
        kept = ("now", "watch", "stopped", "alarms", "incidents", "chains", "tasks", "silences", "broadcasts")
        say.json_line({name: picture.get(name) for name in kept})
        return
    for line in handover(picture, ZoneInfo(config.hub.zone)):
        say.line(line)


def handover(picture: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """The lines, most pressing first. Times are local. What is in shadow wants nothing of anybody: it is left out."""

    def at(value: Any) -> str:
        return f"{msgspec.convert(value, datetime).astimezone(zone):%a %H:%M}" if value else "?"

    watch = picture["watch"]
    yield f"{watch['person']} has the watch since {at(watch['since'])}" if watch else "nobody has taken the watch yet"
    if stopped := picture["stopped"]:
        yield f"STOPPED by {stopped['by']} ({stopped['why']}): nothing goes out until it is lifted"
    yield from _section("alarms", [f"{a['what']} {a['about']} {a['detail']}".strip() for a in picture["alarms"]])
    incidents = [i for i in picture["incidents"] if not i["ended"] and not i["shadow"]]
    yield from _section("incidents", [_incident(i, at(i["opened_at"])) for i in incidents])
    yield from _section(
        "chains", [line for chain in picture["chains"] if not chain["shadow"] for line in _chain(chain, at)]
    )
    broadcasts = [line for b in picture["broadcasts"] if (line := _broadcast(b))]
    yield from _section("broadcasts", broadcasts)
    promised = [
        f"{i['playbook']}, step {p['step']}: {p['person']} has accepted"
        + (f", there at {at(p['at'])}" if p["at"] else "")
        for i in incidents
        for p in i["accepted"]
    ]
    yield from _section("promised", promised)
    tasks = [f"{t['who']}: {t['step']}, due {at(t['due'])}{' (late)' if t['late'] else ''}" for t in picture["tasks"]]
    yield from _section("tasks", tasks)
    silences = [
        f"{', '.join(s['what']) or 'everything'} until {at(s['until'])}, by {s['by']} ({s['why']}),"
        f" {len(s['held_back'])} held back"
        for s in picture["silences"]
    ]
    yield from _section("silences", silences)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _incident(incident: dict[str, Any], opened: str) -> str:
    about = ", ".join(incident["key"])
    more = [incident["status"]] if incident["status"] != "Actual" else []
    more += [f"held back by {incident['held_by']}"] if incident["held_back"] else []
    steps = ", ".join(f"{step} {came}" for step, came in incident["steps"].items())
    return (
        f"{incident['playbook']} ({about}) since {opened}{''.join(f', {m}' for m in more)}: {steps or 'no step begun'}"
    )


def _broadcast(broadcast: dict[str, Any]) -> str:
    """What of a broadcast is still to be done; `""` for one that is over."""
    if broadcast["outcome"]:
        return ""
    if broadcast["began_at"] is None:
        state = f"drafted by {broadcast['by']}, {broadcast['needs']} more must release it"
    else:
        state = "HELD" if broadcast["held"] else "going out"
    return f"{broadcast['kind']} {broadcast['group']} ({broadcast['id']}): {state}"


def _chain(chain: dict[str, Any], at: Callable[[Any], str]) -> Iterator[str]:
    held = ", HELD" if chain["held"] else ""
    yield (
        f"{chain['chain']}, step {chain['step']}, tier {chain['tier']} of {chain['tiers']}{held}:"
        f" {len(chain['accepted'])} of {chain['need']} accepted"
    )
    for one in chain["asking"]:
        until = f" until {at(one['until'])}" if one["until"] else ""
        yield f"  {one['person']}: {one['outcome']}{until}"
    if more := chain["more"]["open"]:
        yield f"  and {more} more are being asked"
