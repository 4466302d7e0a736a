"""What is followed on a Mastodon server, and where listening to it stands. Pure."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from connectors.live import remember
from connectors.mastodon.config import MastodonConfig
from connectors.mastodon.read import Seen, order
from connectors.post import as_edit
from hub.connector import SignalItem

KNOWN_MAX = 1_000  # posts offered lately whose edits and deletions count
OVERLAP_S = 600.0  # posts of other servers arrive late, with the id of when they were written
OVERLAP_WHOLE_S = 60.0  # in a whole timeline, which is large


class Thing(Struct, frozen=True):
    """Something that is followed. `name`: its name in the cursor, and for people. `path`, `query`: its timeline; for an
    account they are not known before it is looked up. `stream`: where it is had as it comes; "" where it is looked at
    now and then. `overlap_s`: how far back is looked after a break."""

    name: str
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    stream: str = ""
    overlap_s: float = OVERLAP_S


def things_of(config: MastodonConfig) -> list[Thing]:
    """What is followed."""
    things = []
    for tag in dict.fromkeys(tag.removeprefix("#").casefold() for tag in config.hashtags):
        stream = "/api/v1/streaming/hashtag?" + urlencode({"tag": tag})
        things.append(Thing(f"#{tag}", f"/api/v1/timelines/tag/{quote(tag, safe='')}", (), stream))
    things += [Thing(f"@{account}") for account in dict.fromkeys(a.removeprefix("@") for a in config.accounts)]
    if config.timeline == "home":
        things.append(Thing("home", "/api/v1/timelines/home", (), "/api/v1/streaming/user"))
    elif config.timeline:
        narrowed = ((config.timeline, "true"),) if config.timeline in ("local", "remote") else ()
        stream = "/api/v1/streaming/public" + (f"/{config.timeline}" if narrowed else "")
        things.append(Thing(config.timeline, "/api/v1/timelines/public", narrowed, stream, overlap_s=OVERLAP_WHOLE_S))
    return things


def host_of(server: str) -> str:
    return urlsplit(server).hostname or ""


class Known(Struct, frozen=True, array_like=True):
    """A post that was offered. `sent`: seconds since 1970."""

    author: str
    identifier: str
    version: str
    sent: int


class State(Struct, kw_only=True, omit_defaults=True):
    """Where listening stands: the last id had of each thing, the ids of accounts, and posts offered lately, by id."""

    last: dict[str, str] = msgspec.field(default_factory=dict)
    accounts: dict[str, str] = msgspec.field(default_factory=dict)
    known: dict[str, Known] = msgspec.field(default_factory=dict)

    @classmethod
    def load(cls, text: str | None) -> "State":
        """One that cannot be read is as none: what comes again is known by its key."""
        try:
            return msgspec.json.decode(text or "{}", type=cls)
        except msgspec.MsgspecError:
            return cls()

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()

    def copy(self) -> "State":
        return State(last=dict(self.last), accounts=dict(self.accounts), known=dict(self.known))

    def had(self, thing: str, status_id: str) -> None:
        """Everything of a thing up to this id was read."""
        if order(status_id) > order(self.last.get(thing, "")):
            self.last[thing] = status_id

    def offered(self, seen: Seen) -> None:
        sent = int(seen.item.signal.sent.timestamp()) if seen.item else 0
        remember(self.known, seen.origin, Known(seen.author, seen.identifier, seen.version, sent), KNOWN_MAX)

    def news(self, seen: Seen, edited: bool) -> SignalItem | None:
        """What is to be offered of a status that came; None where it is known, or not wanted. `edited`: it came as the
        edit of one."""
        known = self.known.get(seen.origin)
        if known is None:
            return (as_edit(seen.item) if edited else seen.item) if seen.item and seen.wanted else None
        return as_edit(seen.item) if seen.item and seen.version > known.version else None

    def recent(self, since: float, most: int) -> Sequence[str]:
        """The ids of what was offered lately and written since (seconds since 1970), the newest first."""
        return [status_id for status_id, known in reversed(self.known.items()) if known.sent >= since][:most]
