"""`vigie playbook`: what is in force of the reflex sheets, since when and by whom, and changing a sheet's mode."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, DataOption, JsonOption, WhyOption, act
from hub.model.people import Language

app = typer.Typer(help="Reflex sheets: what is in force, since when, by whom.", no_args_is_help=True)
SheetArgument = Annotated[str, typer.Argument(help="The sheet's name.")]


@app.command("list")
def list_(config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False) -> None:
    """The sheets in force: mode, version, since when, by whom, and how many of their incidents are open."""
    from hub.cli.playbook import listed
    from hub.cli.setting import journal_of, where

    listed(journal_of(where(config), data), as_json)


@app.command("history")
def history(
    sheet: SheetArgument, config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Who put which version of a sheet in force when, and what was different, in words."""
    from hub.cli.playbook import history
    from hub.cli.setting import journal_of, where

    history(journal_of(where(config), data), sheet, as_json)


@app.command("show")
def show(
    sheet: SheetArgument,
    version: Annotated[str, typer.Option("--version", help="The beginning of a version; the one in force.")] = "",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """A sheet's text as it was put in force."""
    from hub.cli.playbook import show
    from hub.cli.setting import journal_of, where

    show(journal_of(where(config), data), sheet, version)


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="A file, SHEET (in force), or SHEET@VERSION.")],
    new: Annotated[
        str, typer.Argument(help="The same; left out: the sheet's file, or what is in force of a file.")
    ] = "",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is different between two sheets, in words."""
    from hub.cli.playbook_diff import diff

    diff(config, data, old, new, as_json)


@app.command("diagram")
def diagram(
    sheet: Annotated[str, typer.Argument(help="The sheet's name, or a file; left out, all of them.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="FILE.svg (left out, on the terminal); of all a folder.")
    ] = None,
    language: Annotated[Language, typer.Option("--language", help="fr, nl, de or en.")] = Language.EN,
    config: ConfigOption = CONFIG,
) -> None:
    """A sheet as a picture (SVG): what starts it, its steps, who is called when, what follows on what."""
    from hub.cli.playbook_diagram import diagram as run_it

    run_it(config, sheet, output, language)


def _mode(mode: str, summary: str) -> None:
    """`vigie playbook live SHEET`: the act that sets a mode."""

    def set_mode(
        sheet: SheetArgument, by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False
    ) -> None:
        act(config, f"/api/playbooks/{sheet}/mode", {"mode": mode, "by": by, "why": why}, as_json)

    app.command(mode, help=summary)(set_mode)


_mode("live", "The sheet calls people from the next signal on, whatever its file says.")
_mode("shadow", "The sheet runs and sends nothing from the next signal on, whatever its file says.")
_mode("draft", "The sheet does not run any more; what is open goes on.")
