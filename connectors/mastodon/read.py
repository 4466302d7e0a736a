"""Mastodon's statuses (docs.joinmastodon.org/entities/Status) → posts. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Raw, Struct

from connectors.post import Media, Post, PostConfig, item_of, wanted
from connectors.text import digest, one_line, plain_text
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.signal import Named

KIND = "mastodon"
MEDIA_TYPE = "application/json"
_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_PREVIOUS = re.compile(r'<([^>]{1,2000})>\s*;\s*rel="?prev"?', re.IGNORECASE)


class Account(Struct, frozen=True):
    id: str
    acct: str
    url: str | None = None
    display_name: str = ""
    bot: bool | None = False


class _Media(Struct, frozen=True):
    type: str = ""
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class _Tag(Struct, frozen=True):
    name: str


class _Option(Struct, frozen=True):
    title: str = ""


class _Poll(Struct, frozen=True):
    options: list[_Option] = []


class _Card(Struct, frozen=True):
    url: str | None = None
    title: str | None = None


class Status(Struct, frozen=True):
    id: str
    uri: str
    created_at: datetime
    account: Account
    url: str | None = None
    content: str = ""
    edited_at: datetime | None = None
    visibility: str = ""
    language: str | None = None
    sensitive: bool | None = False
    spoiler_text: str | None = ""
    in_reply_to_account_id: str | None = None
    in_reply_to_id: str | None = None
    reblog: "Status | None" = None
    media_attachments: list[_Media] = []
    tags: list[_Tag] = []
    poll: _Poll | None = None
    card: _Card | None = None


class Seen(Struct, frozen=True):
    """A status as it stands in a timeline. `id` is its place there; `origin` the id of the status that counts, itself
    or what it passes on. `wanted`: it counts. `item`: the signal; None where it can be of no use."""

    id: str
    origin: str
    author: str
    identifier: str
    version: str
    wanted: bool
    item: SignalItem | None


class Reading(Struct, frozen=True):
    """How statuses are read. `boosts`: what is passed on counts; `followed`: whose own word it may be (user@host)."""

    config: PostConfig
    host: str
    boosts: bool = False
    followed: frozenset[str] = frozenset()


def decode(data: bytes | Raw) -> Status:
    """Raises ReadError."""
    try:
        return msgspec.json.decode(data, type=Status)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ReadError(f"no Mastodon status ({error})") from error


def seen(status: Status, reading: Reading, original: bytes) -> Seen:
    """What a status is to us. Of one that is not for everybody nothing is kept."""
    origin = status.reblog or status
    author = full_name(origin.account, reading.host)
    public = status.visibility == origin.visibility == "public"
    version = "" if origin.edited_at is None else origin.edited_at.astimezone(UTC).isoformat()
    if not _ID.fullmatch(status.id) or not _ID.fullmatch(origin.id) or not origin.uri.strip():
        raise ReadError("no Mastodon status (its id or uri is none)")
    if not public:
        return Seen(status.id, origin.id, author, origin.uri, version, False, None)
    strange = status.reblog is not None and author.casefold() not in reading.followed
    post = _post(status, origin, author, version, strange)
    counts = wanted(post, reading.config) and (status.reblog is None or reading.boosts)
    # An edit is made ready in any case: it may be of a post that was offered, and has to be taken back by it.
    item = item_of(KIND, post, reading.config, original, MEDIA_TYPE) if counts or version else None
    return Seen(status.id, origin.id, author, origin.uri, version, counts, item)


def full_name(account: Account, host: str) -> str:
    """`user@host`, also of an account of the server itself, which it names without its host."""
    if "@" in account.acct:
        return account.acct
    try:
        own = urlsplit(account.url or "").hostname
    except ValueError:
        own = None
    return f"{account.acct}@{own or host}"


def _post(status: Status, origin: Status, author: str, version: str, strange: bool) -> Post:
    options = [one_line(option.title) for option in origin.poll.options] if origin.poll else []
    text = plain_text(origin.content)
    if options:
        text = "\n".join([text, *(f"- {option}" for option in options)])
    facts = []
    if status.reblog is not None:
        facts.append(Named("passed on by", status.account.acct[:200]))
    if origin.account.bot:
        facts.append(Named("bot", "yes"))
    if origin.in_reply_to_id:
        facts.append(Named("reply to", origin.in_reply_to_id[:200]))
    if origin.card and origin.card.url:
        facts.append(Named("link", origin.card.url[:400]))
    return Post(
        identifier=origin.uri,
        author=author[:200],
        author_name=origin.account.display_name,
        sent=_aware(origin.created_at),
        version=version,
        text=text,
        warning=plain_text(origin.spoiler_text or ""),
        more="\n".join([*(one.description or "" for one in origin.media_attachments), _title(origin.card)]),
        language=origin.language if re.fullmatch(r"[A-Za-z-]{2,20}", origin.language or "") and origin.language else "",
        web=origin.url or origin.uri,
        tags=tuple(tag.name for tag in origin.tags),
        media=tuple(_media(one) for one in origin.media_attachments),
        sensitive=bool(origin.sensitive),
        strange=strange,
        reply=origin.in_reply_to_account_id not in (None, origin.account.id),
        facts=tuple(facts),
    )


def _title(card: _Card | None) -> str:
    return (card.title or "") if card else ""


def _media(one: _Media) -> Media:
    url = one.url or one.remote_url or ""
    return Media(url=url, mime=guess_type(url.partition("?")[0])[0] or "", description=one.description or "")


def _aware(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


# --- pages of a timeline -----------------------------------------------------------------------------------


def page(data: bytes, reading: Reading) -> list[Seen | BadItem]:
    """The statuses of a page, the oldest first. Raises ReadError where it is no list."""
    try:
        raws = msgspec.json.decode(data, type=list[Raw])
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ReadError(f"no list of Mastodon statuses ({error})") from error
    found: list[Seen | BadItem] = []
    for raw in raws:
        try:
            found.append(seen(decode(raw), reading, bytes(raw)))
        except ReadError as error:
            found.append(bad(error, bytes(raw)))
    return sorted(found, key=lambda one: order(one.id) if isinstance(one, Seen) else (0, ""))


def one(data: bytes, reading: Reading) -> Seen:
    """A single status. Raises ReadError."""
    return seen(decode(data), reading, data)


def newer(link: str) -> str:
    """The `min_id` of the page of what is newer, as a Link header has it; "" where there is none."""
    found = _PREVIOUS.search(link)
    if not found:
        return ""
    try:
        (after,) = parse_qs(urlsplit(found[1]).query).get("min_id", [""])[:1]
    except ValueError:
        return ""
    return after if _ID.fullmatch(after) else ""


def order(status_id: str) -> tuple[int, str]:
    """Ids in the order of their time: numbers (Mastodon), or ULIDs (others)."""
    plain = status_id.lstrip("0") if status_id.isdecimal() else status_id
    return len(plain), plain


def before(status_id: str, seconds: float) -> str:
    """An id of so much earlier, where ids tell the time (Mastodon's: milliseconds since 1970 and 16 bits); the same
    otherwise."""
    if not status_id.isdecimal() or len(status_id) < 17:
        return status_id
    return str(max(0, int(status_id) - (int(seconds * 1000) << 16)))


def bad(error: ReadError, data: bytes) -> BadItem:
    return BadItem(
        reason=error.reason,
        place=error.place,
        original=data,
        key=f"{KIND}-bad:" + digest(data),
        media_type=MEDIA_TYPE,
    )


def read_statuses(data: bytes, config: PostConfig, host: str) -> Sequence[SignalItem | BadItem]:
    """A page, or a single status, in a file. Never raises."""
    reading = Reading(config, host)
    try:
        text = data.lstrip()
        found: Sequence[Any] = page(data, reading) if text.startswith(b"[") else [one(data, reading)]
    except ReadError as error:
        return [bad(error, data)]
    except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
        return [bad(ReadError(f"cannot be read ({type(error).__name__})"), data)]
    return [item for one in found if (item := one if isinstance(one, BadItem) else one.item if one.wanted else None)]
