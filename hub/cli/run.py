"""`vigie run`: the auditor as the parent, the hub as its child; or the hub alone."""

import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import trio
from msgspec.structs import replace

from hub.auditor.config import AuditorConfig
from hub.auditor.supervise import supervise
from hub.cli import say
from hub.cli.setting import checked, journal_of
from hub.config import Config
from hub.journal import JournalError
from hub.logs import configure_log
from hub.secrets import secrets_from


def run(folder: Path, data: Path | None, at: datetime | None, audited: bool, verbose: bool) -> None:
    config = checked(folder)
    journal = journal_of(config, data)
    configure_log(logging.DEBUG if verbose else logging.INFO)
    if audited:
        command = [sys.executable, "-m", "hub.cli", *_same_again(sys.argv[1:])]
        secret = secrets_from(config.path(config.hub.secrets))
        journal.parent.mkdir(parents=True, exist_ok=True)
        auditor = auditor_of(config)
        del config  # the auditor stays small
        sys.exit(supervise(command, auditor, journal, secret))
    run_alone(config, journal, at)


def auditor_of(config: Config) -> AuditorConfig:
    """As hub.yaml says; where it does not say, the room is told through the hub's own API."""
    auditor = config.hub.auditor or AuditorConfig()
    if auditor.api:
        return auditor
    host, port = config.hub.web.listen
    return replace(auditor, api=f"http://{host}:{port}", api_token="API_TOKEN")  # noqa: S106 # the secret's name


def _same_again(words: Sequence[str]) -> list[str]:
    return [word for word in words if word != "--auditor"] + ["--no-auditor"]


def run_alone(config: Config, journal: Path, at: datetime | None) -> None:
    from hub.app import run_hub  # only here: the auditor, which shares this module, needs none of it
    from hub.edge.setup import CannotStart

    try:
        trio.run(run_hub, config, journal, at)
    except* (CannotStart, JournalError) as errors:
        say.could_not(str(_first(errors)))
    except* OSError as errors:
        say.could_not(str(_first(errors)))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
