"""What a Jetstream says (its v1 JSON: github.com/bluesky-social/jetstream) and authors' feeds → posts. Pure.

A post is the record `app.bsky.feed.post` (AT Protocol lexicon) of an account, the author's DID; its address is its
at-uri, its version the record's CID.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from connectors.bluesky.config import DID
from connectors.post import Media, Post, PostConfig, item_of, wanted
from connectors.text import digest, instant, one_line, plain_text
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.signal import Named

KIND = "bluesky"
MEDIA_TYPE = "application/json"
COLLECTION = "app.bsky.feed.post"
_RKEY = re.compile(r"[A-Za-z0-9._~:-]{1,512}")
_CID = re.compile(r"[A-Za-z0-9]{1,200}")
_URI = re.compile(rf"at://({DID.pattern})/{re.escape(COLLECTION)}/({_RKEY.pattern})")
_CLOCK = timedelta(minutes=5)  # an author's clock may be ahead by so much


class Commit(Struct, frozen=True):
    operation: str
    collection: str
    rkey: str
    rev: str = ""
    cid: str = ""
    record: Raw = Raw()


class Account(Struct, frozen=True):
    active: bool = True
    status: str = ""


class Identity(Struct, frozen=True):
    handle: str = ""


class Event(Struct, frozen=True):
    """`time_us`: microseconds since 1970, by which a stream is resumed."""

    did: str
    time_us: int
    kind: str
    commit: Commit | None = None
    account: Account | None = None
    identity: Identity | None = None


class _Feature(Struct, frozen=True):
    kind: str = msgspec.field(default="", name="$type")
    tag: str = ""
    uri: str = ""


class _Facet(Struct, frozen=True):
    features: list[_Feature] = []


class _Ref(Struct, frozen=True):
    uri: str = ""


class _Reply(Struct, frozen=True):
    parent: _Ref = _Ref()


class _Record(Struct, frozen=True, rename="camel"):
    text: str = ""
    created_at: str = ""
    langs: list[str] = []
    tags: list[str] = []
    facets: list[_Facet] = []
    reply: _Reply | None = None
    embed: Any = None
    labels: Any = None


class Seen(Struct, frozen=True):
    """A post in one version. `name`: its own, in the cursor; `at`: when it was first seen. `item`: the signal; None
    where it is not wanted."""

    name: str
    version: str
    at: datetime
    wanted: bool
    item: SignalItem | None


class Reading(Struct, frozen=True):
    """How posts are read. `dids`, `tags`: whose posts, and which hashtags, are followed; neither: all there are."""

    config: PostConfig
    dids: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    names: tuple[tuple[str, str], ...] = ()  # handles of those who are followed, by their DIDs


def event_of(data: bytes | str) -> Event:
    """Raises ReadError."""
    try:
        return msgspec.json.decode(data, type=Event)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ReadError(f"not what a Jetstream sends ({error})") from error


def name_of(did: str, rkey: str) -> str:
    return f"{did}/{rkey}"


def address(name: str) -> str:
    """The at-uri of a post."""
    did, _, rkey = name.partition("/")
    return f"at://{did}/{COLLECTION}/{rkey}"


def seen(
    did: str,
    rkey: str,
    cid: str,
    record: bytes | Raw,
    at: datetime,
    reading: Reading,
    original: bytes,
    anyway: bool = False,
) -> Seen:
    """A post. `at`: when it was first seen there; `anyway`: its signal is made although it is not wanted (the edit of
    one that was). Raises ReadError."""
    if not (DID.fullmatch(did) and _RKEY.fullmatch(rkey) and _CID.fullmatch(cid)):
        raise ReadError("no post of Bluesky (its did, rkey or cid is none)")
    try:
        said = msgspec.json.decode(record, type=_Record)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ReadError(f"no record {COLLECTION} ({error})") from error
    tags = _tags(said)
    followed = did in reading.dids or not reading.tags.isdisjoint(fold_tag(tag) for tag in tags)
    if not (followed or anyway or not (reading.dids or reading.tags)):
        return Seen(name_of(did, rkey), cid, at, False, None)
    post = _post(did, rkey, cid, said, tags, at, dict(reading.names).get(did, ""))
    counts = (followed or not (reading.dids or reading.tags)) and wanted(post, reading.config)
    item = item_of(KIND, post, reading.config, original, MEDIA_TYPE) if counts or anyway else None
    return Seen(name_of(did, rkey), cid, at, counts, item)


def fold_tag(tag: str) -> str:
    return tag.removeprefix("#").casefold()


def _tags(said: _Record) -> list[str]:
    features = (feature for facet in said.facets for feature in facet.features)
    return [f.tag for f in features if f.kind.endswith("facet#tag") and f.tag] + said.tags


def _post(did: str, rkey: str, cid: str, said: _Record, tags: list[str], at: datetime, handle: str) -> Post:
    notes: list[str] = []
    sent = instant(said.created_at, notes, "createdAt")
    if sent is None or sent > at + _CLOCK or sent.year < 2022:
        notes.append("its author's clock is wrong: when it was first seen is taken")
        sent = at
    features = [feature for facet in said.facets for feature in facet.features]
    media, facts, more = _embedded(did, said.embed)
    links = [f.uri for f in features if f.kind.endswith("facet#link") and f.uri]
    facts += [Named("link", link[:400]) for link in links[:3]]
    if said.reply is not None:
        facts.append(Named("reply to", said.reply.parent.uri[:400]))
    language = said.langs[0] if said.langs and re.fullmatch(r"[A-Za-z-]{2,20}", said.langs[0]) else ""
    return Post(
        identifier=address(name_of(did, rkey)),
        author=did,
        author_name=handle,
        handle=handle,
        sent=sent,
        version=cid,
        text=plain_text(said.text),
        more="\n".join([*more, *tags]),
        language=language,
        web=f"https://bsky.app/profile/{quote(handle or did, safe=':')}/post/{quote(rkey, safe=':')}",
        tags=tuple(dict.fromkeys(tags)),
        media=tuple(media),
        sensitive=bool(_values(said.labels)),
        reply=said.reply is not None and not said.reply.parent.uri.startswith(f"at://{did}/"),
        facts=tuple(facts),
        notes=tuple(notes),
    )


def _values(labels: Any) -> list[str]:
    """What an author warns of in a post of theirs (com.atproto.label.defs#selfLabels)."""
    values = labels.get("values") if isinstance(labels, dict) else None
    return [str(one.get("val")) for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _embedded(did: str, embed: Any) -> tuple[list[Media], list[Named], list[str]]:
    """Media, facts and words of what a post shows besides its text (app.bsky.embed.*)."""
    media: list[Media] = []
    facts: list[Named] = []
    more: list[str] = []
    for part in (embed, _part(embed, "media")):
        images = _part(part, "images")
        for image in images if isinstance(images, list) else []:
            blob, alt = _part(image, "image"), _text(image, "alt")
            if cid := _text(_part(blob, "ref"), "$link"):
                url = f"https://cdn.bsky.app/img/feed_fullsize/plain/{did}/{quote(cid)}@jpeg"
                media.append(Media(url=url, mime=_text(blob, "mimeType"), description=alt))
            more.append(alt)
        if cid := _text(_part(_part(part, "video"), "ref"), "$link"):
            url = f"https://video.bsky.app/watch/{quote(did)}/{quote(cid)}/playlist.m3u8"
            media.append(Media(url=url, mime="application/vnd.apple.mpegurl", description=_text(part, "alt")))
            more.append(_text(part, "alt"))
        external = _part(part, "external")
        if uri := _text(external, "uri"):
            facts.append(Named("link", uri[:400]))
            more.append(f"{_text(external, 'title')} {_text(external, 'description')}")
    quoted = _part(embed, "record")
    if uri := _text(quoted, "uri") or _text(_part(quoted, "record"), "uri"):
        facts.append(Named("quotes", uri[:400]))
    return media, facts, more


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any, name: str) -> str:
    found = _part(value, name)
    return one_line(found) if isinstance(found, str) else ""


# --- an author's feed --------------------------------------------------------------------------------------


class _View(Struct, frozen=True, rename="camel"):
    uri: str
    cid: str
    record: Raw
    indexed_at: str = ""


class _FeedPost(Struct, frozen=True):
    post: _View
    reason: Any = None  # it was passed on, or is pinned


class _Feed(Struct, frozen=True):
    feed: list[Raw]
    cursor: str = ""


class Page(Struct, frozen=True):
    """A page of an author's feed, the newest first. `cursor`: of the next one; "" where there is none."""

    posts: tuple[Seen | BadItem, ...]
    cursor: str


def page(data: bytes, reading: Reading) -> Page:
    """A page of app.bsky.feed.getAuthorFeed, without what its author only passed on. Raises ReadError."""
    try:
        feed = msgspec.json.decode(data, type=_Feed)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ReadError(f"no feed of Bluesky ({error})") from error
    found: list[Seen | BadItem] = []
    for raw in feed.feed:
        try:
            shown = _shown(raw, reading)
        except ReadError as error:
            found.append(bad(error, bytes(raw)))
        else:
            found += [shown] if shown else []
    return Page(tuple(found), feed.cursor)


def _shown(raw: Raw, reading: Reading) -> Seen | None:
    try:
        one = msgspec.json.decode(raw, type=_FeedPost)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ReadError(f"no post of a feed ({error})") from error
    if one.reason is not None:
        return None
    named = _URI.fullmatch(one.post.uri)
    if not named:
        raise ReadError(f"no address of a post ({one.post.uri[:80]!r})")
    at = instant(one.post.indexed_at, [], "indexedAt") or datetime(2090, 1, 1, tzinfo=UTC)
    return seen(named[1], named[2], one.post.cid, one.post.record, at, reading, bytes(raw))


def bad(error: ReadError, data: bytes) -> BadItem:
    return BadItem(
        reason=error.reason, place=error.place, original=data, key=f"{KIND}-bad:" + digest(data), media_type=MEDIA_TYPE
    )


def at_of(time_us: int) -> datetime:
    """Raises ReadError for what is no time of this century."""
    if not 0 < time_us < 4_000_000_000_000_000:
        raise ReadError(f"time_us {time_us} is no time: microseconds since 1970")
    return datetime.fromtimestamp(time_us / 1e6, UTC)


def read_posts(data: bytes, config: PostConfig) -> Sequence[SignalItem | BadItem]:
    """An author's feed, or events of a Jetstream (one a line), in a file. Never raises."""
    reading = Reading(config)
    try:
        if data.lstrip().startswith(b"{") and b'"feed"' in data[:200]:
            found = [one.item if isinstance(one, Seen) else one for one in page(data, reading).posts]
            return [item for item in found if item is not None]
        return [item for line in data.splitlines() if line.strip() for item in _line(line, reading)]
    except ReadError as error:
        return [bad(error, data)]
    except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
        return [bad(ReadError(f"cannot be read ({type(error).__name__})"), data)]


def _line(line: bytes, reading: Reading) -> list[SignalItem | BadItem]:
    try:
        event = event_of(line)
        commit = event.commit
        if commit is None or commit.collection != COLLECTION or commit.operation == "delete":
            return []
        item = seen(event.did, commit.rkey, commit.cid, commit.record, at_of(event.time_us), reading, line).item
        return [item] if item is not None else []
    except ReadError as error:
        return [bad(error, line)]
