"""How Bluesky is listened to, as written in config/sources.yaml."""

import re
from typing import Annotated

from msgspec import Meta

from connectors.post import PostConfig

DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}")
_HANDLE = re.compile(r"@?([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*")
_TAG = re.compile(r"#?\w+")


class BlueskyConfig(PostConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is followed on Bluesky, by a Jetstream.

    Example: `{accounts: [police.example.be], hashtags: [bruxelles, brussel]}`.
    """

    accounts: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Whose posts are followed: handles or DIDs", examples=["[police.example.be]"]),
    ] = ()
    hashtags: Annotated[
        tuple[str, ...],
        Meta(max_length=200, description="Which hashtags are followed", examples=["[bruxelles, brussel]"]),
    ] = ()
    servers: Annotated[
        tuple[Annotated[str, Meta(pattern="^wss?://[^ ]+$")], ...],
        Meta(
            min_length=1,
            description="Jetstreams, one after the other where one cannot be had",
            examples=["[wss://jetstream.example/subscribe]"],
        ),
    ] = ("wss://jetstream2.us-east.bsky.network/subscribe", "wss://jetstream1.us-west.bsky.network/subscribe")
    api: Annotated[
        str,
        Meta(
            pattern="^https?://[^ /]+/?$",
            description="Where handles are looked up and authors' feeds read",
            examples=["https://public.api.bsky.app"],
        ),
    ] = "https://public.api.bsky.app"

    def __post_init__(self) -> None:
        super().__post_init__()
        for account in self.accounts:
            if not (DID.fullmatch(account) or _HANDLE.fullmatch(account)):
                raise ValueError(f"accounts: {account!r} is no account: write police.example.be, or did:plc:...")
        for tag in self.hashtags:
            if not _TAG.fullmatch(tag):
                raise ValueError(f"hashtags: {tag!r} is no hashtag: write bruxelles, one word")
        if not (self.accounts or self.hashtags or self.words):
            raise ValueError("nothing is followed: add accounts, hashtags or words")
