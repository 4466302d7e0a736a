"""`vigie run`: the auditor as the parent, the hub as its child; or the hub alone."""

import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog
import trio
from msgspec.structs import replace

from hub.auditor.config import AuditorConfig
from hub.auditor.supervise import supervise
from hub.cli import say
from hub.cli.setting import checked, journal_of
from hub.config import Config
from hub.config.secrets import secrets_from
from hub.journal import JournalError


def run(folder: Path, data: Path | None, at: datetime | None, audited: bool, verbose: bool) -> None:
    config = checked(folder)
    journal = journal_of(config, data)
    configure_log(verbose)
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
    from hub.app import CannotStart, run_hub  # only here: the auditor, which shares this module, needs none of it

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


def configure_log(verbose: bool) -> None:
    """One line an event, on standard error; JSON where nobody looks on."""
    renderer = (
        structlog.dev.ConsoleRenderer(colors=True) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
