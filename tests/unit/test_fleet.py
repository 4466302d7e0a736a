"""What every connector promises, whoever wrote it: each one that is installed is looked at.

A promise that does not fit a connector is waived in WAIVERS, with the reason.
"""

import functools
import importlib
import inspect
import pkgutil
import random
import re
import shutil
import tempfile
import types
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.config import CHANNELS, FOLLOWERS, SOURCES, load
from hub.config.foreign import Setting, settings_of
from hub.connector import Abilities, BadItem, Channel, Environment, Follower, Route, SignalItem, Source
from hub.findings import Finding
from hub.web.openapi import Operation, document
from tests.conftest import ROOT
from tests.contracts.intake import MemoryIntake

FLEET = [point for group in (SOURCES, CHANNELS, FOLLOWERS) for point in entry_points(group=group)]
THE_SECRET = "whsec_" + "QkFEIEdVWVMgUkVBRCBMT0dTIFRPTw" + "=="
FILES = {SOURCES: "sources.yaml", CHANNELS: "channels.yaml", FOLLOWERS: "followers.yaml"}
KINDS: dict[str, Any] = {SOURCES: Source, CHANNELS: Channel, FOLLOWERS: Follower}
UNIT = re.compile(
    r"(?i)\bseconds?\b|\bbytes\b|\bat the same time\b|\bso many SMS\b|\bcharacters\b|\bmetres\b|\bdegrees\b"
)


class Promise(StrEnum):
    UNIT = "a number's description names its unit"
    OPENAPI = "a route is described for whoever calls it"
    RECEIPTS = "receipts come by a route"


WAIVERS = {
    (Promise.UNIT, "channel email", "port"): "a port number counts nothing",
    (Promise.UNIT, "channel email", "imap port"): "a port number counts nothing",
    (Promise.UNIT, "source mail", "port"): "a port number counts nothing",
    (Promise.UNIT, "follower crisislog", "mail: port"): "a port number counts nothing",
    (Promise.UNIT, "follower crisislog", "mail: imap port"): "a port number counts nothing",
    (Promise.UNIT, "source json_api", "pages"): "it counts what it is called",
    (Promise.UNIT, "source mqtt", "port"): "a port number counts nothing",
    (Promise.UNIT, "source pocsag", "port"): "a port number counts nothing",
    (Promise.UNIT, "source mqtt", "readings: hysteresis"): "it has the reading's own unit",
    (Promise.UNIT, "source mqtt", "readings: least"): "it has the reading's own unit",
    (Promise.UNIT, "source mqtt", "readings: most"): "it has the reading's own unit",
    (Promise.RECEIPTS, "channel tetra", "receipts"): "they come by the terminal's own line, on the air",
    (Promise.OPENAPI, "channel sms", "/status"): "only Twilio calls it, as Twilio's own manual says",
    (Promise.OPENAPI, "channel sms", "/reply"): "only Twilio calls it, as Twilio's own manual says",
    (Promise.OPENAPI, "channel voice", "/status"): "only Twilio calls it, as Twilio's own manual says",
    (Promise.OPENAPI, "channel voice", "/machine"): "only Twilio calls it, as Twilio's own manual says",
    (Promise.OPENAPI, "channel voice", "/key"): "only Twilio calls it, as Twilio's own manual says",
}
used: set[tuple[Promise, str, str]] = set()


def kept(promise: Promise, point: EntryPoint, what: str, holds: bool) -> None:
    """Holds, or is waived for a reason."""
    waiver = (promise, name_of(point), what)
    if not holds and waiver in WAIVERS:
        used.add(waiver)
        return
    assert holds, f"{name_of(point)}, {what}: {promise}"


def name_of(point: EntryPoint) -> str:
    return f"{point.group.partition('.')[2][:-1]} {point.name}"


def folder_of(point: EntryPoint) -> Path:
    """The connector's folder: the package its module lies in."""
    path = inspect.getsourcefile(importlib.import_module(point.module))
    assert path is not None
    return Path(path).parent


each = pytest.mark.parametrize("point", FLEET, ids=name_of)
each_source = pytest.mark.parametrize("point", [p for p in FLEET if p.group == SOURCES], ids=name_of)
each_with_routes = pytest.mark.parametrize("point", [p for p in FLEET if p.group != FOLLOWERS], ids=name_of)
each_channel = pytest.mark.parametrize("point", [p for p in FLEET if p.group == CHANNELS], ids=name_of)


def test_the_fleet_is_there() -> None:
    assert {name_of(p) for p in FLEET} >= {
        "source cap",
        "source feed",
        "source webhook",
        "channel sms",
        "channel email",
        "follower webhook",
    }


# --- documentation -------------------------------------------------------------------------------------------


def examples(point: EntryPoint) -> list[str]:
    """The README's blocks of the file this connector is configured in: their first line names it."""
    text = (folder_of(point) / "README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return [block for block in blocks if block.startswith(f"# config/{FILES[point.group]}\n")]


@functools.cache
def configured(point: EntryPoint) -> tuple[dict[str, Any], list[Finding]]:
    """The connector's entries in the README's blocks, each block read in place of the shipped configuration's own
    file, and what is wrong with them."""
    found: dict[str, Any] = {}
    wrong: list[Finding] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "config"
        # What no connector is made of is left out: reading that is most of the work.
        shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("messages", "registered", "gazetteer*"))
        (Path(place) / "playbooks").mkdir()
        for nth, block in enumerate(examples(point)):
            (folder / FILES[point.group]).write_text(block)
            config, findings = load(folder)
            wrong += [f for f in findings if f.file.endswith(FILES[point.group])]
            entries: dict[str, Any] = dict(getattr(config, FILES[point.group].removesuffix(".yaml")))
            again = f"-{nth}" if nth else ""  # the same name in another block is another example
            found |= {name + again: entry for name, entry in entries.items() if entry.type == point.name}
    return found, wrong


@each
def test_a_readme_shows_a_configuration_that_works(point: EntryPoint) -> None:
    found, wrong = configured(point)
    assert [str(f) for f in wrong] == []
    assert found, f"{folder_of(point)}/README.md shows no {point.name} of config/{FILES[point.group]}"


@each
def test_a_readme_names_keys_as_they_are_written(point: EntryPoint) -> None:
    """`max bytes`, not `max_bytes`: what stands in the README's tables can be copied."""
    text = (folder_of(point) / "README.md").read_text()
    known = settings_of(point.load().Config)
    for row in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE):
        wrong = [s.key for s in known.values() if row in (s.name, f"{s.key} s") and row != s.key]
        assert not wrong, f"README writes {row}, config/ wants {wrong[0]}"


# --- configuration -------------------------------------------------------------------------------------------


@each
def test_its_config_is_a_struct_that_refuses_what_it_does_not_know(point: EntryPoint) -> None:
    kind = point.load().Config
    assert issubclass(kind, msgspec.Struct)
    assert kind.__struct_config__.forbid_unknown_fields
    assert kind.__struct_config__.frozen


def all_settings(kind: type[msgspec.Struct], before: str = "") -> Iterator[tuple[str, Setting]]:
    """A struct's settings by their keys, and those of the structs that stand in them (`readings: topics`)."""
    for key, setting in settings_of(kind).items():
        yield before + key, setting
        if setting.within:
            yield from all_settings(setting.within, f"{before}{key}: ")


@each
def test_every_setting_says_what_it_is_and_in_which_unit(point: EntryPoint) -> None:
    for key, setting in all_settings(point.load().Config):
        assert setting.description, f"{name_of(point)}, {key}: give it a description (msgspec.Meta)"
        assert not re.search(r"_(s|ms|min|bytes)$", key), f"{key}: is written with its unit's name"
        if setting.kind in (int, float):
            kept(Promise.UNIT, point, key, setting.seconds or bool(UNIT.search(setting.description)))


# --- what it is made of --------------------------------------------------------------------------------------


def made(point: EntryPoint) -> Iterator[tuple[Any, Any]]:
    """Instances made from the README's examples, with their settings."""
    for name, entry in configured(point)[0].items():
        environment = Environment(name=name, secret=lambda _: THE_SECRET, public_url=f"https://vigie.example/{name}")
        yield entry.make(entry.settings, environment), entry.settings


@each
def test_it_is_what_the_hub_expects(point: EntryPoint) -> None:
    for instance, _ in made(point):
        assert isinstance(instance, KINDS[point.group])
        assert inspect.getdoc(type(instance)), f"{name_of(point)}: say what it does in its docstring"


@each
def test_it_shows_no_secret(point: EntryPoint) -> None:
    secret = THE_SECRET.removeprefix("whsec_")
    for instance, config in made(point):
        for shown in (repr(instance), str(instance), repr(config), msgspec.json.encode(config).decode()):
            assert secret not in shown
        for value in vars(instance).values():
            if not isinstance(value, str | bytes | list | tuple):  # what it holds in itself is not shown by its repr
                assert secret not in repr(value), f"{name_of(point)}: {type(value).__name__} shows a secret"


@each
def test_a_secret_that_is_not_there_is_named(point: EntryPoint) -> None:
    """At the latest when it is opened or run; a channel and a signed source as soon as they are made."""

    def missing(name: str) -> str:
        raise KeyError(f"secret {name} is not there: set VIGIE_{name}")

    for name, entry in configured(point)[0].items():
        named = [s for s in settings_of(type(entry.settings)).values() if "secret" in s.description]
        if any(s.required or getattr(entry.settings, s.name) != s.default for s in named):
            with pytest.raises(KeyError, match=r"secret [A-Z_]+ is not there: set VIGIE_"):
                entry.make(entry.settings, Environment(name=name, secret=missing))


@each_channel
def test_its_abilities_are_declared_and_agree(point: EntryPoint) -> None:
    for channel, config in made(point):
        abilities = channel.abilities
        assert isinstance(abilities, Abilities)
        assert abilities.longest is None or abilities.longest > 0
        asks = not getattr(config, "public", True)  # its provider is asked: nobody can reach the hub
        assert not (asks and channel.routes(MemoryIntake())), f"{name_of(point)}: who is to call, if nobody can?"
        if abilities.receipts and not asks:
            kept(Promise.RECEIPTS, point, "receipts", bool(channel.routes(MemoryIntake())))


@each_channel
def test_a_wrong_address_is_explained_and_never_raises(point: EntryPoint) -> None:
    for channel, _ in made(point):
        for address in ("", " ", "no address at all", "\x00", "@", "+", "http://[", "ü" * 500, "sms:0"):
            problem = channel.check(address)
            assert problem, f"{name_of(point)} would send to {address!r}"
            assert ": " in problem, f"{problem}: say what would be right"


@each_with_routes
def test_its_routes_are_described(point: EntryPoint) -> None:
    for connector, _ in made(point):
        routes: Sequence[Route] = connector.routes(MemoryIntake())
        for route in routes:
            assert route.summary, f"{route.method} {route.path}: say in `summary` what it is for"
            assert 0 < route.max_bytes <= 64 << 20
            described = {"requestBody", "responses"} <= set(route.openapi) or route.method in ("GET", "HEAD")
            kept(Promise.OPENAPI, point, route.path.partition("/{")[0], described)
        operations = [
            Operation(method=r.method, path=f"/x{r.path}", summary=r.summary, openapi=r.openapi) for r in routes
        ]
        whole = document(operations, "fleet", "0")
        assert THE_SECRET.encode() not in msgspec.json.encode(whole)
        assert sum(len(methods) for methods in whole["paths"].values()) == len(routes)


def modules_of(point: EntryPoint) -> list[types.ModuleType]:
    folder = folder_of(point)
    package = importlib.import_module(point.module.rpartition(".")[0])
    names = [m.name for m in pkgutil.iter_modules([str(folder)])]
    return [package, *(importlib.import_module(f"{package.__name__}.{name}") for name in names)]


@each
def test_its_errors_say_when_they_are_raised(point: EntryPoint) -> None:
    for module in modules_of(point):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__module__ == module.__name__:
                assert (kind.__doc__ or "").strip(), f"{module.__name__}.{name}: its docstring is its meaning"
                assert issubclass(kind, Exception), f"{module.__name__}.{name} would not be caught as an error"


# --- reading what is foreign ---------------------------------------------------------------------------------

GARBAGE = [
    b"", b" ", b"\n" * 1000, b"\x00", b"\xff\xfe", b"\xff\xfe<\x00", b"\xef\xbb\xbf", b"\xc3\x28" * 40,
    b"<", b"<a", b"<a>", b"<a></b>", b"<?xml version='1.0'?>", b"<?xml version='1.0' encoding='none'?><a/>",
    b"<" * 5000, b"<a>" * 5000, b"<a " + b"b='c' " * 2000 + b"/>",
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    b"<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;&b;&b;'>]><a>&c;&c;&c;&c;&c;</a>",
    b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'/>", b"<rss/>", b"<feed xmlns='http://www.w3.org/2005/Atom'/>",
    b"{", b"{}", b"[]", b"null", b"0", b'"a"', b"[" * 5000, b'{"a":' * 5000, b"1e999", b"NaN", b'{"id": 1}',
    b'{"id": "\\ud800", "sent": "now", "event": {"fr": "\\u0000"}}', b'[{"alert": null}]', b'{"warnings": [0, null]}',
    b"GIF89a", b"PK\x03\x04", b"\x1f\x8b\x08", b"%PDF-1.7", b"<html><body>502 Bad Gateway</body></html>",
]  # fmt: skip


def read_any(read: Callable[[bytes, str], Sequence[SignalItem | BadItem]], data: bytes) -> None:
    """Reads it; whatever it is, there are only signals and dead letters, each whole."""
    for item in read(data, "foreign"):
        assert isinstance(item, SignalItem | BadItem)
        assert item.key
        if isinstance(item, BadItem):
            assert item.reason.strip()
        msgspec.json.encode(item)  # it can be recorded


@each_source
@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:24]))
def test_reading_garbage_raises_nothing(point: EntryPoint, data: bytes) -> None:
    read_any(point.load().read, data)


@each_source
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_reading_chance_raises_nothing(point: EntryPoint, data: bytes) -> None:
    read_any(point.load().read, data)


@each_source
def test_reading_what_is_nearly_right_raises_nothing(point: EntryPoint) -> None:
    """Every file of the written day, cut and spoilt at places that a seed chooses."""
    chance = random.Random(20260714)
    files = sorted(p for p in (ROOT / "samples" / "day").rglob("*") if p.suffix in {".xml", ".json", ".html"})
    assert len(files) > 20
    for file in files:
        data = file.read_bytes()
        read_any(point.load().read, data)
        for _ in range(4):
            at = chance.randrange(len(data))
            read_any(point.load().read, data[:at])
            spoilt = bytearray(data)
            for _ in range(5):
                spoilt[chance.randrange(len(data))] = chance.randrange(256)
            read_any(point.load().read, bytes(spoilt))


# --- the waivers ---------------------------------------------------------------------------------------------


def test_each_waiver_is_needed_and_has_a_reason() -> None:
    used.clear()
    for point in FLEET:
        test_every_setting_says_what_it_is_and_in_which_unit(point)
        if point.group != FOLLOWERS:
            test_its_routes_are_described(point)
        if point.group == CHANNELS:
            test_its_abilities_are_declared_and_agree(point)
    assert {waiver: WAIVERS[waiver] for waiver in WAIVERS if waiver not in used} == {}
    assert all(len(reason.split()) > 3 for reason in WAIVERS.values())
