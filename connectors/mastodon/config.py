"""How a Mastodon server is listened to, as written in config/sources.yaml."""

import re
from typing import Annotated, Literal

from msgspec import Meta

from connectors.post import PostConfig

_ACCOUNT = re.compile(r"@?[\w.-]+(@[\w.-]+\.[\w-]+(:\d+)?|@localhost(:\d+)?)?")
_TAG = re.compile(r"#?\w+")


class MastodonConfig(PostConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server to listen to, and what is followed there.

    Example: `{server: "https://mastodon.example", token: MASTODON_TOKEN, hashtags: [bruxelles, brussel]}`.
    """

    server: Annotated[
        str,
        Meta(
            pattern="^https?://[^ /]+/?$",
            description="The server whose API is used",
            examples=["https://mastodon.example"],
        ),
    ]
    token: Annotated[
        str,
        Meta(
            description="Name of the secret with an access token (read); without one only what is open to all",
            examples=["MASTODON_TOKEN"],
        ),
    ] = ""
    accounts: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Whose posts are followed", examples=["[police@social.example, siamu]"]),
    ] = ()
    hashtags: Annotated[
        tuple[str, ...],
        Meta(max_length=20, description="Which hashtags are followed", examples=["[bruxelles, brussel]"]),
    ] = ()
    timeline: Annotated[
        Literal["", "home", "local", "remote", "public"],
        Meta(description="A whole timeline: what the token's account follows, all posts of the server, of others, all"),
    ] = ""
    boosts: Annotated[bool, Meta(description="Whether what followed accounts pass on counts, as its author's")] = False
    every: Annotated[
        float, Meta(ge=1, le=86_400, description="Seconds between looks at each of the accounts, e.g. 60 (1 min).")
    ] = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.accounts or self.hashtags or self.timeline):
            raise ValueError("nothing is followed: add accounts, hashtags or timeline")
        for account in self.accounts:
            if not _ACCOUNT.fullmatch(account):
                raise ValueError(f"accounts: {account!r} is no account: write police@social.example")
        for tag in self.hashtags:
            if not _TAG.fullmatch(tag) or tag.strip("#").isdecimal():
                raise ValueError(f"hashtags: {tag!r} is no hashtag: write bruxelles, one word")
        if self.timeline == "home" and not self.token:
            raise ValueError("timeline: home is an account's own: add token, the name of the secret with its token")
        if self.timeline in ("remote", "public") and not self.words:
            raise ValueError("timeline: all posts there are would be signals: add words, or follow less")
