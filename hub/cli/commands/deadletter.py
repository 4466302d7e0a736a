"""`vigie deadletter`: what could not be read."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, DataOption, JsonOption, WhyOption

app = typer.Typer(help="What could not be read, and reading it once more.", no_args_is_help=True)
LetterArgument = Annotated[str, typer.Argument(help="Its id, as `vigie deadletter list` shows it.")]


@app.command("list")
def list_(
    source: Annotated[str, typer.Option("--source", help="Only of this source.")] = "",
    since: Annotated[str | None, typer.Option("--since", help="From this instant on.")] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What could not be read: when, of whom, why, and whether somebody has had it read again."""
    from hub.cli.letters import show_all
    from hub.cli.look import instant
    from hub.cli.setting import journal_of, where

    show_all(journal_of(where(config), data), source, instant(since) if since else None, as_json)


@app.command("show")
def show(
    letter: LetterArgument,
    out: Annotated[Path | None, typer.Option("--out", help="Write what came, byte for byte, to this file.")] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """One of them: why it could not be read, and what came."""
    from hub.cli.letters import show_one
    from hub.cli.setting import journal_of, where

    show_one(journal_of(where(config), data), letter, out)


@app.command("retry")
def retry(
    letter: LetterArgument,
    by: ByOption,
    why: WhyOption,
    file: Annotated[Path | None, typer.Option("--file", help="The mended file, in place of what came.")] = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Has it read again by its source, as it came or mended: its signals go their way as if they had come now."""
    from hub.cli.letters import retry
    from hub.cli.setting import running

    retry(running(config), letter, file, by, why, as_json)
