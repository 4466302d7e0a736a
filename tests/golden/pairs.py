"""The labelled pairs of story_pairs.yaml and press_stories.yaml, as signals: see what stands on top of those files."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from msgspec.structs import replace

from connectors.cap.source import CapSource
from connectors.feed.read import read_feed
from hub.connector import SignalItem
from hub.model.area import Area, Circle
from hub.model.signal import Info, Signal

HERE = Path(__file__).parent
WHEN = datetime(2026, 7, 14, 9, tzinfo=UTC)


class Pair(NamedTuple):
    first: Signal
    second: Signal
    same: bool
    judging: bool
    name: str
    why: str


def judging(name: str) -> bool:
    """Which half an item or a story belongs to."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def recorded_pairs(samples: Path, *, strangers: bool) -> Iterator[Pair]:
    """The pairs of recorded signals. `strangers`: each told by a source and a sender of its own, without link and
    reference, so that nothing but what they say can join them."""
    listed = yaml.safe_load((HERE / "story_pairs.yaml").read_text())
    for line in listed["pairs"]:
        one, other, label, why = line.split()
        first, second = (_item(samples, listed["files"], name) for name in (one, other))
        if strangers:
            first, second = _strange(first, "one"), _strange(second, "other")
        elif one.split("/")[:2] == other.split("/")[:2]:  # one message in two languages, as two feeds would bring it
            second = replace(second, source=second.source + " too", identifier=second.identifier + " too")
        if first.sent > second.sent:  # in the order they were told
            first, second = second, first
        yield Pair(first, second, label == "same", judging("/".join(one.split("/")[:2])), f"{one} {other}", why)


def press_pairs() -> Iterator[Pair]:
    """All pairs of the invented news, each telling by an outlet of its own."""
    stories: dict[str, list[dict[str, str]]] = yaml.safe_load((HERE / "press_stories.yaml").read_text())["stories"]
    told = [(name, nth, _press(name, nth, telling)) for name, ts in stories.items() for nth, telling in enumerate(ts)]
    for (name, nth, first), (other, mth, second) in combinations(told, 2):
        yield Pair(
            first,
            second,
            name == other,
            judging(min(name, other)),
            f"{name}/{nth} {other}/{mth}",
            "near" if {stories[name][0].get("near"), stories[other][0].get("near")} & {name, other} else "",
        )


def press_signals() -> list[tuple[str, Signal]]:
    """Each telling with the name of its story, in the order of the file."""
    stories: dict[str, list[dict[str, str]]] = yaml.safe_load((HERE / "press_stories.yaml").read_text())["stories"]
    return [(name, _press(name, nth, told)) for name, tellings in stories.items() for nth, told in enumerate(tellings)]


def _press(story: str, nth: int, told: dict[str, str]) -> Signal:
    info = Info(language=told["lang"], headline=told["headline"], description=told["text"])
    return _signal(f"outlet {nth} {told['lang']} of {story}", story + str(nth), info)


def _signal(source: str, identifier: str, info: Info) -> Signal:
    return Signal(source=source, sender=source, identifier=identifier, sent=WHEN, infos=(info,))


def _strange(signal: Signal, who: str) -> Signal:
    infos = tuple(replace(info, web="") for info in signal.infos)
    return replace(
        signal, source=who, sender=who, identifier=who, infos=infos, references=(), incidents=(), links=(), id=who
    )


def _item(samples: Path, files: dict[str, str], name: str) -> Signal:
    file, number, *part = name.split("/")
    items = _items(samples / files[file], part[0] if part and _split_early(files[file]) else "")
    signal = items[int(number)]
    if part and not _split_early(files[file]):
        infos = tuple(i for i in signal.infos if i.language.partition("-")[0] == part[0])
        assert infos, f"{name}: no such language"
        signal = replace(signal, infos=infos)
    return signal


def _split_early(file: str) -> bool:
    return file.startswith(("json/stib", "json/kmi_app", "json/mastodon"))


@cache
def _items(path: Path, part: str) -> Sequence[Signal]:
    """The signals of a file, in order; `part`: a language, or which text of a post."""
    data = path.read_bytes()
    found = (_feed(path) if path.parent.name == "feed" else _json(path, part)) or [
        item.signal if isinstance(item, SignalItem) else Signal(identifier="", sender="", sent=WHEN)
        for item in CapSource.read(data, path.name)
    ]
    return [replace(signal, source=path.name) for signal in found]


def _feed(path: Path) -> list[Signal]:
    return [item.signal for item in read_feed(path.read_bytes(), path.name) if isinstance(item, SignalItem)]


def _json(path: Path, part: str) -> list[Signal]:
    if path.name.startswith("stib"):
        return [_stib(path.name, row, nth, part) for nth, row in enumerate(json.loads(path.read_bytes()))]
    if path.name.startswith("kmi_app_getW"):
        rows = json.loads(path.read_bytes())
        return [
            _signal("kmi", f"{nth}", Info(language=part, headline=r["warningType"]["name"][part], description=t))
            for nth, r in enumerate(rows)
            if (t := r["text"].get(part))
        ]
    if path.name.startswith("kmi_app_for"):
        days = json.loads(path.read_bytes())["for"]["daily"]
        return [_signal("kmi", f"{n}", Info(language=part, description=d["text"][part])) for n, d in enumerate(days)]
    if path.name.startswith("irail"):
        rows = json.loads(path.read_bytes())["disturbance"]
        return [_signal("irail", r["link"], Info(headline=r["title"], description=r["description"])) for r in rows]
    if path.name.startswith("mastodon"):
        return [_post(post, part) for post in json.loads(path.read_bytes())]
    if path.name.startswith("usgs"):
        return [_quake(feature) for feature in json.loads(path.read_bytes())["features"]]
    return []


def _stib(source: str, row: dict[str, str], nth: int, language: str) -> Signal:
    parts = [text[language] for block in json.loads(row["content"]) for text in block["text"] if language in text]
    return _signal(source, f"{source} {nth} {language}", Info(language=language, headline=" ".join(parts)))


def _post(post: dict[str, Any], part: str) -> Signal:
    card = post["card"]
    if part == "card":
        return _signal("press", card["url"], Info(headline=card["title"], description=card["description"]))
    text = post["content"].partition("<a")[0].replace("<p>", "").replace("</p>", "").replace("&quot;", '"')
    return _signal("mastodon", post["uri"], Info(description=text, web=card["url"]))


def _quake(feature: dict[str, Any]) -> Signal:
    lon, lat, _ = feature["geometry"]["coordinates"]
    info = Info(headline=feature["properties"]["title"], areas=(Area(circles=(Circle(lat, lon, 0.0),)),))
    return _signal("usgs", feature["id"], info)
