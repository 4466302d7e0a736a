"""`vigie silence`: what is to wake nobody for a while."""

from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, JsonOption, WhyOption, act

app = typer.Typer(help="What is to wake nobody for a while.", no_args_is_help=True)


@app.command("set")
def set(
    until: Annotated[str, typer.Option("--until", help="For how long (90 min, 2 h), or an instant with its offset.")],
    by: ByOption,
    why: WhyOption,
    sheet: Annotated[list[str] | None, typer.Option("--sheet", help="Of this reflex sheet.")] = None,
    hazard: Annotated[list[str] | None, typer.Option("--hazard", help="About this.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="From this source.")] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help="That lies in this area.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="A maintenance window begins later: when.")] = None,
    even_extreme: Annotated[bool, typer.Option("--even-extreme", help="Also what is of the gravest severity.")] = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Nobody is woken for what meets all of this, until then; the room sees it, and hears what was held back."""
    from hub.cli.acts import silence
    from hub.cli.setting import running

    what = {"sheets": sheet or [], "hazards": hazard or [], "sources": source or [], "areas": area or []}
    silence(running(config), {"by": by, "why": why, **what, "gravest": even_extreme}, start, until, as_json)


@app.command("lift")
def lift(
    silence: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Ends a silence: what it held back and is still open goes its way."""
    act(config, f"/api/silences/{silence}/lift", {"by": by, "why": why}, as_json)
