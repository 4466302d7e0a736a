"""`vigie watch`: who has the watch of the room."""

from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, JsonOption, act

app = typer.Typer(help="Who has the watch of the room, and handing it over.", no_args_is_help=True)


@app.command("show")
def show(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Who has the watch, and what a handover is about: what is open, who is being called, what was promised."""
    from hub.cli.setting import running
    from hub.cli.watch import show

    show(running(config), as_json)


@app.command("take")
def take(
    person: Annotated[str, typer.Argument(help="Who has the watch of the room from now on.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The watch is handed over; the journal knows who has it."""
    act(config, "/api/watch", {"person": person, "by": by}, as_json)
