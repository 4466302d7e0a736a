"""Writes docs/configuration.md from the structs the configuration is bound to: `python -m tools.reference`.

tests/unit/test_reference.py holds the page against what this makes.
"""

import enum
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from hub.auditor.config import AuditorConfig, AuditorHeartbeat, AuditorMail, AuditorPost
from hub.binding import Day, Reads, Seconds, Texts, Word, keys_of
from hub.config import CHANNELS, FOLLOWERS, SOURCES
from hub.config.cap import CapForm, CapWordsForm
from hub.config.followers import EventId, EventName, FollowerForm
from hub.config.foreign import settings_of
from hub.config.forms import (
    AccessListForm,
    AddressForm,
    Asks,
    CallListForm,
    ChannelForm,
    HubForm,
    LimitsForm,
    OrganisationForm,
    PeopleForm,
    PersonForm,
    QueryForm,
    RoomForm,
    RosterForm,
    ShiftForm,
    SourceForm,
    Url,
    WebForm,
)  # fmt: skip
from hub.dispatch.policy import DEFAULTS, Limits
from hub.intake.gazetteer_file import GazetteerForm, PlaceForm
from hub.intake.geography import AreaForm, AreasForm
from hub.playbook.dossiers import DossierForm, RiseForm
from hub.playbook.form import ChannelText

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"

INTRODUCTION = """\
# Configuration

<!-- Made by `python -m tools.reference` from the code; change the descriptions there. -->

Everything a centre says about itself stands in one folder (`--config DIR`, [config/](../config) is a working example).
`vigie check` names what is wrong with it, with file, line and remedy; the hub does not start before it is mended.

- One file per subject. What authors write, `messages.yaml`, `chains.yaml` and the reflex sheets, has a page of its own:
  [sheet-reference.md](sheet-reference.md).
- YAML 1.2, and every value is text until its field gives it a type: `0475` stays `0475`, `no` is no only where yes or
  no is asked. An unknown key is an error.
- **A duration** is a number and a unit: `90 s`, `4 min`, `6 h`, `2 days`, `1 h 30 min`. **A name** is small letters,
  digits and hyphens. A list of one may be written without brackets. *Required* means that there is no default.
- **Secrets never stand here**, only their NAME (capitals, digits, `_`). `TWILIO_TOKEN` is `VIGIE_TWILIO_TOKEN` of the
  environment, else the file `TWILIO_TOKEN` in the folder of secrets. `API_TOKEN` is always needed.
- Editors complete, explain and underline once `vigie schema --write .` has set them up ([how](editor.md)).
"""

HUB = {
    "zone": "a time zone of the IANA list",
    "region": "two capitals",
    "journal": "a path",
    "secrets": "a path",
    "playbooks": "a path",
    "web": "see below",
    "auditor": "see below",
}

# What a way of writing is called; the rest is worked out from the type.
WRITTEN: Sequence[tuple[Any, str]] = (
    (Seconds, "a duration"),
    (Word, "a name"),
    (Day, "a day: `2027-06-30`"),
    (Texts, "a text in each language"),
    (Asks, "whom to ask"),
    (Url, "a web address"),
    (EventName, "an event's name"),
    (EventId, "an event's id"),
    (ChannelText, "a channel"),
)


def page() -> str:
    """The whole page."""
    return "\n".join(_parts()).rstrip() + "\n"


def _parts() -> Iterator[str]:
    yield INTRODUCTION
    yield "## hub.yaml\n"
    yield from struct(HubForm, HUB)
    yield "### web\n"
    yield from struct(WebForm, {"listen": "address:port"})
    yield "### call list\n"
    yield "What it is and where it goes: [contacts.md](contacts.md).\n"
    yield from struct(CallListForm)
    yield "### cap\n"
    yield "What it is and how it is turned on: [cap-feed.md](cap-feed.md).\n"
    yield from struct(CapForm)
    yield "#### cap: of a class of broadcasts, and of a broadcast\n"
    yield from struct(CapWordsForm)
    yield "### access list\n"
    yield from struct(AccessListForm)
    yield "### auditor\n"
    yield "What the auditor is and does: [auditor.md](auditor.md).\n"
    yield from struct(AuditorConfig, {"mail": "see below", "post": "see below", "heartbeat": "see below"})
    for name, kind in (("mail", AuditorMail), ("post", AuditorPost), ("heartbeat", AuditorHeartbeat)):
        yield f"#### auditor: {name}\n"
        yield from struct(kind)
    yield "## people.yaml\n"
    yield "What it is for, with examples: [people.md](people.md).\n"
    yield from struct(
        PeopleForm,
        {
            "people": "id → person, see below",
            "groups": "name → names of people, or a query, see below",
            "organisations": "id → organisation, see below",
        },
    )
    yield "### A person\n"
    yield from struct(PersonForm, {"reach": "channel → address, or a list"})
    yield "#### An address\n"
    yield doc(AddressForm) + " Where there is nothing more to say, the address alone.\n"
    yield from fields_of(AddressForm)
    yield "### A group by query\n"
    yield from struct(QueryForm)
    yield "### An organisation\n"
    yield from struct(OrganisationForm)
    yield "## rosters.yaml\n\nName → roster. " + doc(RosterForm) + "\n"
    yield from fields_of(RosterForm, {"shifts": "a list, see below"})
    yield "### A shift\n"
    yield from struct(ShiftForm)
    yield "## chains.yaml\n\nAlert chains: their keys stand in [sheet-reference.md](sheet-reference.md).\n"
    yield "## areas.yaml\n"
    yield from struct(AreasForm, {"areas": "id → area, see below", "margin": "a distance: `600 m`, `2 km`"})
    yield "### An area\n"
    yield from struct(AreaForm, {"codes": "system → code, or a list"})
    yield "## gazetteer.yaml\n\nMay be left out: then no text is read for places.\n"
    yield from struct(GazetteerForm, {"places": "id → place, see below"})
    yield "### A place\n"
    yield from struct(PlaceForm)
    yield "## rooms.yaml\n\nMay be left out: then nobody is let in. Name → what it is called. " + doc(RoomForm) + "\n"
    yield from fields_of(RoomForm)
    yield "## sources.yaml\n\nName → source. " + doc(SourceForm) + "\n"
    yield from fields_of(SourceForm, {"type": _names(SOURCES)})
    yield from _connectors(SOURCES)
    yield "## channels.yaml\n\nName → channel. " + doc(ChannelForm) + "\n"
    yield from fields_of(
        ChannelForm,
        {
            "type": _names(CHANNELS),
            "limits": "see below",
            "fall back to": "a channel",
            "by prefix": 'prefix → channel: `"+49": sms-germany`',
        },
    )
    yield "### limits\n\nOf deliveries. Defaults depend on the channel's name; whatever sends SMS has those of `sms`.\n"
    yield from _limits()
    yield from _connectors(CHANNELS)
    yield "## followers.yaml\n\nMay be left out: then nobody follows. Name → follower. " + doc(FollowerForm) + "\n"
    yield from fields_of(FollowerForm, {"type": _names(FOLLOWERS)})
    yield from _connectors(FOLLOWERS)
    yield "## dossiers.yaml\n\nMay be left out: then no theme is followed. Name → dossier. " + doc(DossierForm) + "\n"
    yield from fields_of(DossierForm, {"when": "as in a [sheet](sheet-reference.md), or a list", "rise": "see below"})
    yield "### rise\n"
    yield from struct(RiseForm)


# --- tables ------------------------------------------------------------------------------------------------


def struct(kind: type[Struct], said: Mapping[str, str] = {}) -> Iterator[str]:
    yield doc(kind) + "\n"
    yield from fields_of(kind, said)


def fields_of(kind: type[Struct], said: Mapping[str, str] = {}) -> Iterator[str]:
    """A table of a struct of ours. `said`: how a key is written, where the type alone does not tell."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    rows = []
    for key, name in keys_of(kind).items():
        field = fields[name]
        written = said.get(key) or written_as(hints[name])
        rows.append((key, described(hints[name]), written, default_of(field, hints[name])))
    yield from table(("key", "what it is", "written as", "default"), rows)


def _connectors(group: str) -> Iterator[str]:
    kind = group.partition(".")[2][:-1]
    for point in sorted(entry_points(group=group), key=lambda p: p.name):
        readme = "/".join(point.module.split(".")[:-1]) + "/README.md"
        yield f"### {kind} `{point.name}`\n\nWhat it does and promises: [{readme}](../{readme}).\n"
        yield from _settings(point.load().Config, f"{kind} {point.name}")


def _settings(config: type[Struct], what: str) -> Iterator[str]:
    """A table of a connector's settings, and one of each struct that stands in them."""
    settings = settings_of(config).values()
    rows = []
    for setting in settings:
        written = "a duration" if setting.seconds else written_as(setting.kind)
        default = "required" if setting.required else _shown(setting.default, setting.seconds)
        description = _in_units(setting.description) if setting.seconds else setting.description
        rows.append((setting.key, description.removesuffix("."), written, default))
    yield from table(("key", "what it is", "written as", "default"), rows)
    for setting in settings:
        if setting.within:
            yield f"#### {what}: {setting.key}\n\n{doc(setting.within)}\n"
            yield from _settings(setting.within, f"{what}: {setting.key}")


def _limits() -> Iterator[str]:
    """What may be written, and what holds where nothing is."""
    hints = typing.get_type_hints(LimitsForm, include_extras=True)
    rows = []
    for key, name in keys_of(LimitsForm).items():
        defaults = [_limit(limits, name) for limits in (*DEFAULTS.values(), Limits())]
        rows.append((key, described(hints[name]), *defaults))
    yield from table(("key", "what it is", *DEFAULTS, "others"), rows)


def _limit(limits: Limits, name: str) -> str:
    """A limit in force, as it would be written."""
    if name == "per_person":
        return f"{limits.per_person} in {_duration(limits.person_s)}"
    own = {"per_second": limits.rate, "burst": limits.burst, "burst_for_asks": limits.burst_asks,
           "at_once": limits.width, "at_once_for_asks": limits.width_asks, "sms_parts": limits.parts}  # fmt: skip
    return _duration(limits.try_s) if name == "one_try" else _number(own[name])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for key, *cells in rows:
        yield "| " + " | ".join([f"`{key}`", *(" ".join(cell.split()).replace("|", "\\|") for cell in cells)]) + " |"
    yield ""


# --- words -------------------------------------------------------------------------------------------------


def doc(kind: type[Struct]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _names(group: str) -> str:
    return " or ".join(f"`{name}`" for name in sorted({point.name for point in entry_points(group=group)}))


def described(hint: Any) -> str:
    """What is said of a field; the outermost says it best. Raises ValueError where nobody does."""
    while typing.get_origin(hint) is Annotated:
        inner, *extras = typing.get_args(hint)
        for extra in reversed(extras):
            if isinstance(extra, Meta) and extra.description:
                return extra.description
        hint = inner
    raise ValueError(f"{hint}: has no description: give it one (msgspec.Meta)")


def _in_units(description: str) -> str:
    """A connector speaks of seconds; in config/ a duration carries its unit."""
    timeless = re.sub(r",? e\.g\. [\d.]+( \([^)]*\))?\.?$|, seconds$", "", description)
    return re.sub(r"\b0: ", "0 s: ", re.sub("^Seconds ", "Time ", timeless))


def written_as(hint: Any) -> str:
    """How a value of a type is written."""
    for kind, word in WRITTEN:
        if hint == kind or (typing.get_origin(hint) is Annotated and _reader(hint) and _reader(hint) is _reader(kind)):
            return word
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return "text" if _reader(hint) else written_as(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(written_as(a) for a in arguments if a is not types.NoneType)
    if origin is tuple:
        return f"a list: {written_as(arguments[0])}"
    if origin in (dict, Mapping):
        return f"{written_as(arguments[0])} → {written_as(arguments[1])}"
    if origin is typing.Literal:
        return " or ".join(f"`{a}`" for a in arguments)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        names = [f"`{member.value}`" for member in hint]
        return ", ".join(names if len(names) <= 14 else [*names[:13], "..."])
    return {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}.get(hint, "see below")


def _reader(hint: Any) -> Any:
    """What reads it, where the type alone does not say."""
    return next((extra for extra in typing.get_args(hint)[1:] if isinstance(extra, Reads)), None)


def default_of(field: msgspec.structs.FieldInfo, hint: Any) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "–"
    readers = [hint, *typing.get_args(hint)]
    return _shown(field.default, any(_reader(h) is _reader(Seconds) for h in readers))


def _shown(value: Any, seconds: bool = False) -> str:
    """A default as it would be written."""
    if value is None or value == "" or value == () or value == {} or isinstance(value, Struct):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, enum.Enum):
        return f"`{value.value}`"
    if isinstance(value, tuple) and all(isinstance(one, enum.Enum) for one in value):
        return ", ".join(f"`{one.value}`" for one in value)
    if isinstance(value, tuple):
        return f"`{':'.join(map(str, value))}`"  # an address and a port
    if isinstance(value, int | float):
        return _duration(value) if seconds else _number(value)
    return f"`{value}`"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
