"""`vigie phones`: the phone simulator, set up from the configuration. It runs until Ctrl-C."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hub.cli import say
from hub.config import Config
from hub.secrets import secrets_from

LOCAL = ("127.0.0.1", "localhost", "::1")


def phones(config: Config) -> None:
    """Starts it where the SMS channel's `api` says, with the account, the token and the numbers that the hub uses."""
    name, settings = _channel(config)
    where = urlsplit(settings.api)
    try:
        token = secrets_from(config.path(config.hub.secrets))(settings.tokens[0])
    except KeyError as error:
        say.could_not(str(error.args[0]))
    with tempfile.TemporaryDirectory() as place:
        people = Path(place) / "people.json"
        people.write_bytes(msgspec.json.encode(_people(config)))
        words = ["--host", where.hostname or LOCAL[0], "--port", str(where.port or 80), "--account", settings.account]
        words += ["--people", str(people), "--inbound", f"{config.hub.web.public}/callback/{name}/reply"]
        words += ["--number", settings.sender] if settings.sender.startswith("+") else []
        command = [sys.executable, "-m", "tools.phones", *words]
        environment = {**os.environ, "TWILIO_AUTH_TOKEN": token}
        try:
            done = subprocess.run(command, check=False, env=environment)  # noqa: S603 # ours, but for addresses
        except KeyboardInterrupt:
            return
    if done.returncode > 0:
        say.could_not("the phones have ended: what they said stands above")


def _channel(config: Config) -> tuple[str, Any]:
    """The SMS channel that leads to this machine."""
    found = [
        (name, channel.settings)
        for name, channel in config.channels.items()
        if urlsplit(str(getattr(channel.settings, "api", ""))).hostname in LOCAL and not channel.abilities.voice
    ]
    if not found:
        say.could_not("no channel leads to phones of this machine: channels.yaml wants `api: http://127.0.0.1:8112`")
    return found[0]


def _people(config: Config) -> list[dict[str, str]]:
    """Everybody who has a phone, once for each number."""
    directory, ways = config.directory(), config.ways()
    found: dict[str, dict[str, str]] = {}
    for person in config.people:
        for channel in ways.phones:
            number = directory.address(person.id, channel)
            if number:
                found.setdefault(number, {"name": person.name, "number": number, "language": str(person.language)})
    return list(found.values())
