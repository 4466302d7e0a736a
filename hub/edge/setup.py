"""What the edge is made from, and how connectors are made from their configuration, on either side."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from hub.connector import Environment
from hub.version import VERSION

LINKS = ("whole", "in", "out")  # between the hub and its edge: one for the edge as a whole, one for each loop


class CannotStart(Exception):
    """The hub cannot run as it is set up; the text says what is wrong and what would be right."""


class Made(Struct, frozen=True):
    """A connector: `make(settings, environment)` gives it."""

    make: Any
    settings: Any


class Setup(Struct, frozen=True, kw_only=True):
    """Everything the edge is told. `now_s`: hub time, in seconds since 1970. `cap`: whether our own alerts are served.
    `level`: from which log level on."""

    sources: dict[str, Made]
    channels: dict[str, Made]
    followers: dict[str, Made] = {}
    host: str
    port: int
    public_url: str
    secrets: Path
    playback: bool
    hub: str = "vigie"
    cap: bool = False
    now_s: float = 0.0
    level: int = 0


Prefix = Literal["in", "callback", "follow"]


def make(setup: Setup, name: str, made: Made, prefix: Prefix, secret: Callable[[str], str]) -> Any:
    """A connector from its configuration. `prefix`: where its web routes are. Raises CannotStart."""
    environment = Environment(
        name=name,
        secret=secret,
        public_url=f"{setup.public_url}/{prefix}/{name}",
        hub=setup.hub,
        user_agent=f"Vigie/{VERSION}",
        allow_internal=setup.playback,
    )
    try:
        return made.make(made.settings, environment)
    except (KeyError, ValueError) as error:  # a secret that is not there, or is none
        raise CannotStart(f"{name}: {error.args[0]}") from error
