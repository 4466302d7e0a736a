"""Which reader each recorded file is for. Configured sources are those of tests/golden/sources.yaml."""

import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from msgspec import Struct

from connectors.alertmanager.source import AlertmanagerSource
from connectors.bluesky.source import BlueskySource
from connectors.cap.source import CapSource
from connectors.feed.source import FeedSource
from connectors.mail.source import MailSource
from connectors.mastodon.source import MastodonSource
from connectors.pocsag.source import PocsagSource
from connectors.tetra.source import TetraSource
from connectors.webhook.source import WebhookSource
from hub.config import load
from hub.connector import BadItem, SignalItem
from hub.intake.geography import load_areas
from tools.golden.gateway import callback, signatures
from tools.golden.summary import Plain, box, summary

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "golden" / "sources.yaml"
WHEN = datetime(2026, 7, 14, 9, tzinfo=UTC)

Items = Sequence[SignalItem | BadItem]


class Reader(Struct, frozen=True):
    """`called`: what reads it; `read`: its summary."""

    called: str
    read: Callable[[Path], list[Plain]]


def reader_of(name: str) -> Reader | None:
    """For a file's name, relative to the samples; None where there is no reader for it."""
    return next((reader for pattern, reader in _table() if fnmatch(name, pattern)), None)


def _items(called: str, read: Callable[[bytes, str], Items]) -> Reader:
    return Reader(called, lambda path: [summary(item) for item in read(path.read_bytes(), path.name)])


def _source(name: str) -> Reader:
    """By a source that is configured."""

    def read(data: bytes, file: str) -> Items:
        source = _configured()[name]
        found: Items = source.make.read(data, file, source.settings)
        return found

    return _items(f"source {name}", read)


@cache
def _table() -> tuple[tuple[str, Reader], ...]:
    """The first that fits counts."""
    return (
        ("cap/*", _items("cap", CapSource.read)),
        ("feed/*", _items("feed", FeedSource.read)),
        ("json/meteoalarm_*", _items("cap", CapSource.read)),
        ("json/bbk_*", _items("cap", CapSource.read)),
        ("json/bluesky_*", _items("bluesky", BlueskySource.read)),
        ("json/mastodon_*", _items("mastodon", MastodonSource.read)),
        ("json/emsc_*", _source("emsc")),
        ("json/usgs_*", _source("usgs")),
        ("json/irceline_*", _source("irceline")),
        ("json/irail_*", _source("irail")),
        ("json/stib_*", _source("stib")),
        ("json/kmi_app_getWarnings_*", _source("kmi-app")),
        ("json/kmi_app_forecast_*", _source("kmi-app-forecast")),
        ("json/goalert_*", _items("alertmanager", AlertmanagerSource.read)),
        ("json/oncall_*", _items("alertmanager", AlertmanagerSource.read)),
        ("json/cap_feed_registry_*", Reader("a list of addresses, for whoever sets sources up", _registry)),
        ("json/twilio_*.form", Reader("channel sms", callback)),
        ("json/twilio_signature_*", Reader("channel sms", signatures)),
        ("misc/emsi_*", _items("webhook", WebhookSource.read)),
        ("misc/*.eml", _items("mail", MailSource.read)),
        ("misc/tetra_*", _items("tetra", TetraSource.read)),
        ("misc/multimon_*", _items("pocsag", PocsagSource.read)),
        ("geo/*", Reader("areas", _areas)),
        ("schema/*", Reader("schema", _schema)),
    )


@cache
def _configured() -> dict[str, Any]:
    """The sources of tests/golden/sources.yaml. Raises ValueError with what is wrong with them."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("hub.yaml", "messages.yaml", "areas.yaml"):
            (Path(folder) / name).write_text((ROOT / "config" / name).read_text("utf-8"), "utf-8")
        (Path(folder) / "sources.yaml").write_text(SOURCES.read_text("utf-8"), "utf-8")
        config, findings = load(Path(folder))
    if wrong := [str(finding) for finding in findings if finding.file.endswith("sources.yaml")]:
        raise ValueError("\n".join(wrong))
    return dict(config.sources)


# --- what is no source's ------------------------------------------------------------------------------------


def _registry(path: Path) -> list[Plain]:
    feeds = json.loads(path.read_bytes())
    feeds = feeds if isinstance(feeds, list) else next(iter(feeds.values()))
    keys = sorted({key for feed in feeds for key in feed})
    return [{"entries": len(feeds), "keys": ", ".join(keys)}]


def _areas(path: Path) -> list[Plain]:
    """As areas.yaml names it: every feature of it an area."""
    held = json.loads(path.read_bytes())
    features = held["features"] if held["type"] == "FeatureCollection" else [held]
    named = [{**feature, "id": _id(feature, nth)} for nth, feature in enumerate(features)]
    areas = "".join(f"  {one['id']}: {{kind: area, fr: A, nl: A, de: A, en: A}}\n" for one in named)
    collection = json.dumps({"type": "FeatureCollection", "features": named})
    geography, findings = load_areas(f"shapes: [{path.name}]\nareas:\n{areas}", "areas.yaml", {path.name: collection})
    found: list[Plain] = [{"error": str(finding)} for finding in findings]
    for feature in named if geography is not None else ():
        points = [tuple(point[1::-1]) for point in _points(feature["geometry"]["coordinates"])]
        properties = feature.get("properties") or {}
        names = [str(properties[key]) for key in sorted(properties) if "name" in key.lower()]
        found.append(
            {"area": feature["id"], "names": " | ".join(names)[:60], "points": len(points), "box": box(points)}
        )
    return found


def _id(feature: dict[str, Any], nth: int) -> str:
    properties = feature.get("properties") or {}
    known = (properties.get(key) for key in ("nis", "NIS", "nis_code", "zone", "police_zone", "code", "EMMA_ID", "id"))
    return next((f"a{one}".lower() for one in known if one), f"area-{nth}")


def _points(coordinates: Any) -> list[Any]:
    if coordinates and isinstance(coordinates[0], int | float):
        return [coordinates]
    return [point for part in coordinates for point in _points(part)]


def _schema(path: Path) -> list[Plain]:
    document = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True))
    root = document.getroot()
    top = [str(child.get("name")) for child in root if isinstance(child.tag, str) and child.get("name")]
    return [{"schema": str(root.get("targetNamespace")), "elements": ", ".join(sorted(top))}]
