"""`vigie broadcast`: one message to very many."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, DataOption, JsonOption, WhyOption, act
from hub.model.broadcast import Control

app = typer.Typer(help="One message to very many: preview, draft, show, release, stop, correct.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="What to say, to whom and how (YAML): see docs/broadcasts.md.")]
Id = Annotated[str, typer.Argument(help="Its id, as the status shows it.")]


@app.command()
def preview(
    file: File, by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False
) -> None:
    """Who would be told, in what words, how long it would take and cost. Nothing is kept."""
    from hub.cli.broadcast import preview as run_it
    from hub.cli.setting import checked

    run_it(checked(config), file, by, why, as_json)


@app.command()
def draft(file: File, by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """The same, kept: it goes out when it is released. A correction stops what is left of the wrong one at once."""
    from hub.cli.broadcast import draft as run_it
    from hub.cli.setting import checked

    run_it(checked(config), file, by, why, as_json)


@app.command()
def show(broadcast: Id, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """What it says to whom, as it is: to be read before it is released."""
    from hub.cli.broadcast import show as run_it
    from hub.cli.setting import read

    run_it(read(config)[0], broadcast, as_json)


@app.command()
def cap(broadcast: Id, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """As CAP 1.2: the signed alert, where it is published, else the one that it would be."""
    from hub.cli.broadcast import cap as run_it
    from hub.cli.setting import read

    run_it(read(config)[0], broadcast, as_json)


@app.command()
def release(broadcast: Id, by: ByOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Somebody stands behind it as it is; with the last who is needed it goes out."""
    act(config, f"/api/broadcasts/{broadcast}/release", {"by": by}, as_json)


def _controlling(control: Control, summary: str) -> None:
    def run_it(
        broadcast: Id, by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False
    ) -> None:
        act(config, f"/api/broadcasts/{broadcast}/{control}", {"by": by, "why": why}, as_json)

    app.command(str(control), help=summary)(run_it)


_controlling(Control.HOLD, "What has not gone out waits.")
_controlling(Control.RESUME, "What waited goes out.")
_controlling(Control.STOP, "What has not gone out never will; a draft is thrown away.")


@app.command()
def report(broadcast: Id, config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Who was reached how, from the journal: the counts, or with --json a line for each delivery."""
    from hub.cli.broadcast import report as run_it
    from hub.cli.setting import journal_of, where

    run_it(journal_of(where(config), data), broadcast, as_json)
