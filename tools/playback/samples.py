"""Recorded files: which of them a source can be played, and in which sets by date.

The files lie in a folder with `cap/`, `feed/`, `json/` ... and span two decades. Each set has one instant, at which
what its files announced was in force: the hub's clock is set to it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from msgspec import Struct

from tools.playback import schedule
from tools.playback.programme import Kind, Programme, Publication, Source, is_cap_index, links, media_type

AFTER_NEWEST = timedelta(minutes=5)
"""A set's instant comes this long after its newest file was sent."""

SET_SPAN = timedelta(hours=24)
"""Files further apart than this are never one set."""

HOST = "http://recorded.playback/"
"""Where a recorded file is served, followed by its name: most were recorded without their address."""

# First match wins. A file that no source can read yet has its reason instead of a kind.
_RULES: tuple[tuple[str, Kind | None, str], ...] = (
    ("cap/*", Kind.CAP, ""),
    ("feed/*", Kind.FEED, ""),
    ("json/meteoalarm_*.json", Kind.JSON_CAP, ""),
    ("json/bbk_*.json", Kind.JSON_CAP, ""),
    ("json/twilio_*", None, "what a gateway sends to the twilio channel, not to a source"),
    ("json/stib_*", None, "travellers' information: needs a json_api source"),
    ("json/irail_*", None, "rail disturbances as JSON: needs a json_api source"),
    ("json/kmi_app_*", None, "the KMI app's own JSON: needs a json_api source"),
    ("json/*.geojson", None, "measurements and earthquakes as GeoJSON: needs a json_api source"),
    ("json/mastodon_*", None, "a social network's answer: needs a social source"),
    ("json/bluesky_*", None, "a social network's answer: needs a social source"),
    ("json/goalert_*", None, "Grafana's or Alertmanager's webhook: needs a source for that form"),
    ("json/oncall_*", None, "Grafana's or Alertmanager's webhook: needs a source for that form"),
    ("json/cap_feed_registry_*", None, "a list of addresses, not a message"),
    ("misc/emsi_*", None, "EMSI: needs a source for that form"),
    ("misc/*.eml", None, "an e-mail: needs a mail source"),
    ("misc/tetra_*", None, "radio exchanges: needs a tetra source"),
    ("misc/multimon_*", None, "pager lines: needs a paging source"),
    ("geo/*", None, "boundaries, not a message"),
    ("schema/*", None, "a schema, not a message"),
    ("README*", None, "about the files"),
)


class Sample(Struct, frozen=True, kw_only=True):
    """One recorded file. `name` is relative to the folder. `kind` is None where no source reads it yet, and `reason`
    says why. `sent`: when it was sent or last changed; `until`: when the last thing it announces expires."""

    name: str
    kind: Kind | None
    reason: str = ""
    sent: datetime | None = None
    until: datetime | None = None


class PlaybackSet(Struct, frozen=True, kw_only=True):
    """Files to be played together. `date`: what the hub's clock is to be set to. `linked`: real addresses that an
    index of the set links to and whose alert is among the recorded files. `day`: the folder of the written case."""

    title: str
    date: datetime
    folder: Path
    samples: tuple[Sample, ...] = ()
    linked: Mapping[str, str] = {}
    day: Path | None = None

    @property
    def files(self) -> list[Path]:
        """The files played, except those of the written case."""
        return [self.folder / sample.name for sample in self.samples]

    def programme(self) -> Programme:
        """What `Playback.load` takes."""
        if self.day:
            return schedule.load(self.day)
        sources = [
            Source(name=_source_name(sample.name), kind=sample.kind, url=HOST + sample.name)
            for sample in self.samples
            if sample.kind
        ]
        own = [
            _publication(self.folder, sample.name, HOST + sample.name, sample.sent or self.date)
            for sample in self.samples
        ]
        linked = [_publication(self.folder, name, url, self.date) for url, name in self.linked.items()]
        return Programme(title=self.title, start=self.date, sources=tuple(sources), publications=(*own, *linked))


def playable(folder: Path) -> list[Sample]:
    """Every file of the folder, by name: what it can be played as, or why not yet."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [_sample(folder, name) for name in names]


def sets(folder: Path, day: Path | None = None) -> list[PlaybackSet]:
    """Every playable file in exactly one set, in the order of their dates: dated sets, the files without any date,
    and, where `day` is given, one written severe case."""
    samples = [sample for sample in playable(folder) if sample.kind]
    dated = sorted((sample for sample in samples if sample.sent), key=lambda s: (_sent(s), s.name))
    alerts = {
        sample.name: _identifier((folder / sample.name).read_bytes()) for sample in dated if sample.kind is Kind.CAP
    }
    found = [
        PlaybackSet(
            title=f"recorded, {instant(group):%Y-%m-%d}",
            date=instant(group),
            folder=folder,
            samples=tuple(group),
            linked=_linked(folder, group, alerts),
        )
        for group in _grouped(dated)
    ]
    undated = tuple(sample for sample in samples if not sample.sent)
    if undated:
        after = found[-1].date + timedelta(hours=1) if found else datetime(2026, 1, 1, tzinfo=UTC)
        found.append(PlaybackSet(title="recorded, undated", date=after, folder=folder, samples=undated))
    if day:
        programme = schedule.load(day)
        found.append(PlaybackSet(title=programme.title, date=programme.start, folder=day, day=day))
    return found


def instant(samples: Iterable[Sample]) -> datetime:
    """What the clock is set to for these files: a few minutes after the newest was sent."""
    return max(_sent(sample) for sample in samples) + AFTER_NEWEST


def _grouped(dated: Sequence[Sample]) -> list[list[Sample]]:
    """Cuts the files, oldest first, where one more would let something of the set expire before the set's instant."""
    groups: list[list[Sample]] = []
    for sample in dated:
        now = _sent(sample) + AFTER_NEWEST
        if groups and all(_goes_with(former, now) for former in groups[-1]):
            groups[-1].append(sample)
        else:
            groups.append([sample])
    return groups


def _goes_with(former: Sample, now: datetime) -> bool:
    if now - _sent(former) > SET_SPAN:
        return False
    # What had expired when it was sent (an all-clear) cannot be kept in force by an earlier instant.
    return former.until is None or former.until <= instant([former]) or former.until > now


def _sent(sample: Sample) -> datetime:
    assert sample.sent is not None
    return sample.sent


# --- one file ----------------------------------------------------------------------------------------------------

_SENT = re.compile(rb"<(?:\w+:)?sent>\s*([^<]+)|\"sent\"\s*:\s*\"([^\"]+)")
_EXPIRES = re.compile(rb"<(?:\w+:)?expires>\s*([^<]+)|\"expires\"\s*:\s*\"([^\"]+)")
_CHANGED = re.compile(
    rb"<(?:\w+:)?(?:sent|pubDate|lastBuildDate|datemodified|published|updated|modified|issued|date)>"
    rb"\s*(?:<!\[CDATA\[)?\s*([^<\]]+)|<time\s+datetime=\"([^\"]+)"
)
_IN_NAME = re.compile(r"\d{4}-\d\d-\d\d")
_IDENTIFIER = re.compile(rb"<(?:\w+:)?identifier>\s*([^<\s]+)")
_HEADER = re.compile(rb"^\s*Header:\s*([\w-]+):\s*(\S.*?)\s*$", re.MULTILINE)


def _sample(folder: Path, name: str) -> Sample:
    kind, reason = next(
        ((kind, reason) for pattern, kind, reason in _RULES if fnmatch(name, pattern)),
        (None, "no rule says what this is: add one to tools/playback/samples.py"),
    )
    if kind is None:
        return Sample(name=name, kind=None, reason=reason)
    body = (folder / name).read_bytes()
    dates = _dates(_CHANGED if kind is Kind.FEED else _SENT, body)
    if not dates and (in_name := _IN_NAME.search(name)):
        dates = _times([in_name.group()])
    return Sample(name=name, kind=kind, sent=max(dates, default=None), until=max(_dates(_EXPIRES, body), default=None))


def _dates(pattern: re.Pattern[bytes], body: bytes) -> list[datetime]:
    texts = {next(part for part in found.groups() if part is not None) for found in pattern.finditer(body)}
    return _times(text.decode("ascii", "ignore") for text in texts)


def _times(texts: Iterable[str]) -> list[datetime]:
    """What of the texts is a time (ISO 8601, RFC 3339 or RFC 5322), in UTC; a missing offset is taken as UTC."""
    times = []
    for text in texts:
        try:
            time = datetime.fromisoformat(text.strip())
        except ValueError:
            try:
                time = parsedate_to_datetime(text.strip())
            except ValueError:
                continue
        times.append((time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC))
    return times


def _identifier(body: bytes) -> str:
    found = _IDENTIFIER.search(body)
    return found.group(1).decode("utf-8", "replace") if found else ""


def _publication(folder: Path, name: str, url: str, at: datetime) -> Publication:
    body = (folder / name).read_bytes()
    feed = name.startswith("feed/")
    kind = _feed_type(body) if feed else "application/cap+xml" if name.startswith("cap/") else media_type(name)
    return Publication(
        at=at,
        url=url,
        body=body,
        headers={"Content-Type": kind} | (_named_headers(body) if feed else {}),
        index=feed and is_cap_index(body),
    )


def _feed_type(body: bytes) -> str:
    head = body[:4000]
    if b"<rdf:RDF" in head:
        return "application/rdf+xml"
    return "application/atom+xml" if b"<feed" in head else "application/rss+xml"


def _named_headers(body: bytes) -> dict[str, str]:
    """The headers that feedparser's own test files ask for in the comment at their top."""
    return {name.decode().title(): value.decode() for name, value in _HEADER.findall(body[:1000])}


def _source_name(name: str) -> str:
    """`cap/dwd_1.xml` as `cap-dwd-1`."""
    return re.sub(r"[^a-z0-9]+", "-", PurePosixPath(name).with_suffix("").as_posix().lower()).strip("-")


def _linked(folder: Path, group: Sequence[Sample], alerts: Mapping[str, str]) -> dict[str, str]:
    """The links of the set's CAP indexes that name a recorded alert: its address, and the file it is."""
    found: dict[str, str] = {}
    for sample in group:
        body = (folder / sample.name).read_bytes()
        if sample.kind is not Kind.FEED or not is_cap_index(body):
            continue
        for link in links(body):
            address = link.decode("utf-8", "replace").replace("&amp;", "&")
            name = next((name for name, alert in alerts.items() if _names(address, alert)), None)
            if name and "cap" in address.lower():  # else it is the page about the alert, not the alert
                found[f"http://{address}"] = name
    return found


def _names(address: str, alert: str) -> bool:
    """Whether an address names an alert: it contains its identifier, or an event number of it (of at least seven
    letters and digits, so that no ordinary word counts)."""
    if len(alert) >= 5 and alert in address:
        return True
    words = re.findall(r"[A-Za-z0-9]*\d[A-Za-z0-9]*", address)
    return any(len(word) >= 7 and word in re.split(r"[^A-Za-z0-9]", alert) for word in words)
