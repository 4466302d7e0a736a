"""Where listening to Bluesky stands. Pure."""

import msgspec
from msgspec import Struct

from connectors.bluesky.read import Seen
from connectors.live import remember
from connectors.post import as_edit
from connectors.text import digest
from hub.connector import SignalItem

KNOWN_MAX = 1_000  # posts offered lately whose edits and deletions count


class State(Struct, kw_only=True, omit_defaults=True):
    """`at`: microseconds since 1970 up to which the stream was read. `dids`: of handles. `known`: the posts offered
    lately, each with its version's digest."""

    at: int = 0
    dids: dict[str, str] = msgspec.field(default_factory=dict)
    known: dict[str, str] = msgspec.field(default_factory=dict)

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
        return State(at=self.at, dids=dict(self.dids), known=dict(self.known))

    def read_to(self, time_us: int) -> None:
        self.at = max(self.at, time_us)

    def offered(self, seen: Seen) -> None:
        remember(self.known, seen.name, _short(seen.version), KNOWN_MAX)

    def news(self, seen: Seen, edited: bool) -> SignalItem | None:
        """What is to be offered of a post that came; None where it is known, or not wanted. `edited`: it came as the
        edit of one."""
        known = self.known.get(seen.name)
        if seen.item is None or known == _short(seen.version) or (known is None and not seen.wanted):
            return None
        return as_edit(seen.item) if edited or known is not None else seen.item

    def of(self, did: str) -> list[str]:
        """The posts of an account that were offered lately."""
        return [name for name in self.known if name.startswith(f"{did}/")]


def _short(version: str) -> str:
    return digest(version)[:8]
