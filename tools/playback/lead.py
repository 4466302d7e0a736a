"""A hub's sources.yaml, led to a playback: each source as it is, but for where it listens.

What a source asks on the web stays as it is written (the hub is run with `--through`); what comes by a broker, a
mailbox, a line or a folder is led to the stand-in for it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

PASSWORD = "PLAYBACK_PASSWORD"
"""The name of the secret with which the hub signs in at the broker and mailbox of a playback."""


class Broker(Struct, frozen=True):
    """An MQTT broker that messages are published at, and the hub listens to."""

    host: str
    port: int
    user: str = ""
    password: str = ""


class Mailbox(Struct, frozen=True):
    """An IMAP server that mails are delivered to, and the hub reads."""

    host: str
    port: int
    user: str
    password: str
    folder: str = "INBOX"


class Stands(Struct, frozen=True, kw_only=True):
    """What stands in for what. `ports`: of lines, by source; `folders`: of files, by source. `every_s`: how often is
    polled, so that none of a fast playback's answers waits; None: as written."""

    ports: Mapping[str, int] = {}
    folders: Mapping[str, Path] = {}
    broker: Broker | None = None
    mailbox: Mailbox | None = None
    every_s: float | None = None


_LINE_KEYS = ("command", "file", "host", "port", "internal")
_BROKER_KEYS = ("host", "port", "tls", "user", "password", "ca file", "certificate file", "key file", "internal")
_MAIL_KEYS = ("host", "port", "security", "user", "password", "ca file", "folder")


def led(sources: Mapping[str, Mapping[str, Any]], stands: Stands) -> dict[str, dict[str, Any]]:
    """The sources as they are to be written for the hub that is played to. A source that has no stand-in (there is no
    broker, no mailbox) is left out: it would listen to the world."""
    written: dict[str, dict[str, Any]] = {}
    for name, source in sources.items():
        found = _led(name, dict(source), stands)
        if found is not None:
            written[name] = found
    return written


def _led(name: str, source: dict[str, Any], stands: Stands) -> dict[str, Any] | None:
    kind = source.get("type")
    if kind in ("webhook", "alertmanager", "form"):
        return source
    if kind == "mqtt":
        broker = stands.broker
        if broker is None:
            return None
        led = _without(source, _BROKER_KEYS) | {
            "host": broker.host,
            "port": broker.port,
            "tls": "no",
            "internal": "yes",
        }
        return led | ({"user": broker.user, "password": PASSWORD} if broker.user else {})
    if kind == "mail":
        box = stands.mailbox
        if box is None:
            return None
        where = {"host": box.host, "port": box.port, "security": "none", "user": box.user, "folder": box.folder}
        return _sooner(_without(source, _MAIL_KEYS) | where | {"password": PASSWORD}, stands)
    if kind == "pocsag":
        return _without(source, _LINE_KEYS) | {"host": "127.0.0.1", "port": stands.ports[name], "internal": "yes"}
    if kind == "tetra":
        return source | {"terminal": f"tcp://127.0.0.1:{stands.ports[name]}", "internal": "yes"}
    if name in stands.folders:
        return _sooner(source | {"folder": str(stands.folders[name])}, stands)
    return _sooner(source, stands)


def _sooner(source: dict[str, Any], stands: Stands) -> dict[str, Any]:
    every = {} if stands.every_s is None or source.get("type") == "bluesky" else {"every": f"{stands.every_s:g} s"}
    return source | every


def _without(source: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key.replace("_", " ") not in keys}
