"""What a playback plays: which address answers what from when on, and what partners post.

Two makers: `schedule.load` (the written day) and `samples.sets` (recorded files). Addresses are the real servers' own;
on serving, `https://host/path` becomes `http://127.0.0.1:PORT/host/path`.
"""

import re
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath

from msgspec import Struct


class Kind(StrEnum):
    """What a source has to read."""

    FEED = "feed"  # RSS or Atom, an index of CAP alerts too
    CAP = "cap"  # CAP XML
    JSON_CAP = "json-cap"  # CAP as JSON
    STIB = "stib"  # travellers' information: served, but no source reads it yet


HEARD = (Kind.FEED, Kind.CAP, Kind.JSON_CAP)
"""The kinds that a source of the hub reads today."""


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address the hub should listen to."""

    name: str
    kind: Kind
    url: str


class Publication(Struct, frozen=True, kw_only=True):
    """From `at` on, `url` answers this, until the next publication at the same `url`.

    `delay_s` is real time whatever the speed. `index`: a list of links to alerts, so its links lead to the playback.
    """

    at: datetime
    url: str
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = {}
    delay_s: float = 0.0
    index: bool = False


class PartnerPost(Struct, frozen=True, kw_only=True):
    """What a partner sends to the hub's webhook at `at`. The same `id` again is the same message again."""

    at: datetime
    id: str
    body: bytes
    media_type: str


class Programme(Struct, frozen=True, kw_only=True):
    """Everything there is to play, and the instant the hub's clock is to be set to."""

    title: str
    start: datetime
    sources: tuple[Source, ...] = ()
    publications: tuple[Publication, ...] = ()
    posts: tuple[PartnerPost, ...] = ()


_TYPES = (
    (".cap.xml", "application/cap+xml"),
    (".atom.xml", "application/atom+xml"),
    (".xml", "application/rss+xml"),
    (".json", "application/json"),
    (".html", "text/html; charset=utf-8"),
)


def media_type(name: str) -> str:
    """The media type a server with sound settings would send for a file of this name."""
    lower = PurePath(name).name.lower()
    return next((kind for suffix, kind in _TYPES if lower.endswith(suffix)), "application/octet-stream")


# What a reader may follow: href, url and xml:base attributes; the text of <link> and of GDACS's <gdacs:cap>.
# <id>, <guid> and namespaces are names, not addresses: they stay, or one alert would have two names.
_LINK = re.compile(
    rb"""((?:\b(?:href|url|xml:base)\s*=\s*["']|<(?:link|gdacs:cap)>\s*(?:<!\[CDATA\[)?\s*))"""
    rb"""https?://([^\s"'<>\]]+)"""
)


def links(body: bytes) -> list[bytes]:
    """The addresses in an index that a reader may follow, without their `http://` or `https://`."""
    return [found.group(2) for found in _LINK.finditer(body)]


def is_cap_index(body: bytes) -> bool:
    """Whether a feed is a list of CAP alerts: it uses CAP's namespace, or a link of it names CAP."""
    return b"urn:oasis:names:tc:emergency:cap:" in body or any(b"cap" in link.lower() for link in links(body))


def rewrite_links(body: bytes, base: bytes) -> tuple[bytes, int]:
    """Leads every link of an index to `base` (`http://127.0.0.1:PORT/`), byte by byte: nothing else changes, broken
    markup stays as broken as it was. Returns the new body and how many links were changed."""

    def lead(found: re.Match[bytes]) -> bytes:
        return found.group(1) + base + found.group(2)

    return _LINK.subn(lead, body)
