"""What the web asks the hub for our own alerts, and under which paths it serves them."""

from msgspec import Struct

FEED = "cap-feed"  # about the `tag` that is known already; answered with CapFeed
ALERT = "cap-alert"  # about `identifier`; answered with the signed document, as bytes
FEED_PATH = "/cap/feed.atom"
ALERT_PATH = "/cap/{identifier}.xml"


class CapFeed(Struct, frozen=True, kw_only=True):
    """The index of the CAP feed and its validator; no `body` for who has it already. `names`: identifiers of all alerts
    that can be read."""

    tag: str
    body: bytes
    names: tuple[str, ...] = ()
