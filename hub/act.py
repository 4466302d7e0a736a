"""What one act or question is that the running hub may be asked: its path, what it is sent, what it answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Struct

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
About = Mapping[str, str]
"""What an act is about, or what a question asks for: the names in its path and its query."""


class Refused(Exception):
    """The act is not possible as asked; `reason` names what is wrong and what would be right. `missing`: what it is
    about does not exist (404 rather than 422). `conflict`: it was changed meanwhile (409)."""

    def __init__(self, reason: str, *, missing: bool = False, conflict: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.missing, self.conflict = reason, missing, conflict


def instant_of(name: str, text: str) -> datetime:
    """An instant in a query. Raises Refused."""
    try:
        # A plus sign in a query is a space unless it was escaped, which people forget.
        return msgspec.convert(text.replace(" ", "+"), Instant)
    except msgspec.ValidationError:
        raise Refused(f"{name}: {text!r} is no instant: write it as 2026-07-14T02:10:00+02:00") from None


class Done(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The act is durable. `id`: of its fact. `said`: what came of it, in a sentence."""

    id: str
    said: str = ""


class Left(Struct, frozen=True, kw_only=True):
    """Where something of an erased person may still stand, and why it was left."""

    what: str
    why: str


class Erased(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`entries`: of the vault, deleted; `texts`: of the directory or to others, rewritten. `left`: what was not."""

    id: str
    said: str
    entries: int = 0
    texts: int = 0
    left: tuple[Left, ...] = ()


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies. `by` is who acts, in their own words until there are accounts."""


class Act(Struct, frozen=True, kw_only=True):
    """`path`: with the names of what it is about in braces. `body`: None for a question, which is a GET and may have
    words in its query (name → what it is). `answer`: a type, or a JSON Schema. `method`: of an act, POST unless it says
    how something is to be (PUT) or that it is to be no more (DELETE)."""

    verb: str
    path: str
    summary: str
    body: type[Body] | None = None
    query: dict[str, str] = {}
    answer: Any = Done
    method: str = ""
