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
from hub.cli.setting import journal_of, read, show
from hub.cli.standing import LastGood
from hub.clock import wall
from hub.config import Config
from hub.config.last_good import Good, load_good
from hub.findings import errors
from hub.journal import JournalError
from hub.logs import configure_log
from hub.secrets import secrets_from


def run(folder: Path, data: Path | None, at: datetime | None, audited: bool, verbose: bool, through: str = "") -> None:
    if through and at is None:
        say.could_not("--through is for a playback: say --at, when it begins")
    good = to_start(folder, data)
    config = good.config
    if config is None:
        show(good.wrong)
        say.could_not(f"{folder}: {len(good.wrong)} errors: mend them first (`vigie check` shows them again)")
    journal = journal_of(config, data)
    configure_log(logging.DEBUG if verbose else logging.INFO)
    if audited:
        command = [sys.executable, "-m", "hub.cli", *_same_again(sys.argv[1:])]
        secret = secrets_from(config.path(config.hub.secrets))
        journal.parent.mkdir(parents=True, exist_ok=True)
        auditor = auditor_of(config)
        del config, good  # the auditor stays small
        sys.exit(supervise(command, auditor, journal, secret))
    run_alone(config, journal, at, good, through)


def to_start(folder: Path, data: Path | None) -> Good:
    """The configuration to start with. A hub comes up also where a sheet is wrong: with its last good version, or
    without it."""
    config, findings = read(folder)
    if not errors(findings):
        return Good(config=config)
    last = LastGood(journal_of(config, data))
    return load_good(
        folder,
        lambda name: last.text(name, config.texts.get(name, "")),
        last.replaces,
        today=f"{wall():%Y-%m-%d}",
        leave_out=True,
    )


def auditor_of(config: Config) -> AuditorConfig:
    """As hub.yaml says; where it does not say, the room is told through the hub's own API."""
    auditor = config.hub.auditor or AuditorConfig()
    if auditor.api:
        return auditor
    host, port = config.hub.web.listen
    return replace(auditor, api=f"http://{host}:{port}", api_token="API_TOKEN")  # noqa: S106 # the secret's name


def _same_again(words: Sequence[str]) -> list[str]:
    return [word for word in words if word != "--auditor"] + ["--no-auditor"]


def run_alone(config: Config, journal: Path, at: datetime | None, good: Good | None = None, through: str = "") -> None:
    from hub.app import run_hub  # only here: the auditor, which shares this module, needs none of it
    from hub.edge.setup import CannotStart
    from hub.reload import said_of

    said = None if good is None else said_of(good)
    for wrong in () if said is None else said.wrong:
        say.error(f"{wrong.file}: {wrong.what}")
    try:
        trio.run(run_hub, config, journal, at, said, through)
    except* (CannotStart, JournalError) as errors:
        say.could_not(str(_first(errors)))
    except* OSError as errors:
        say.could_not(str(_first(errors)))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
