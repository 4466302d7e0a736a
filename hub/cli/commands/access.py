"""`vigie access`: who may come in on behalf of an approved request."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, DataOption, JsonOption, LanguageOption, WhyOption, act

app = typer.Typer(help="Who may come in on behalf of an approved request.", no_args_is_help=True)
IncidentArgument = Annotated[str, typer.Argument(help="The request: its incident, as `vigie access show` names it.")]
ExerciseOption = Annotated[bool, typer.Option("--exercise", help="The list of exercises.")]


@app.command("show")
def show(
    exercise: ExerciseOption = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who may come in, where, until when, and who may not any more. Read beside the hub, also while it is down."""
    from hub.cli.access import show
    from hub.cli.setting import journal_of, where

    whole = where(config)
    show(journal_of(whole, data), whole.hub.zone, exercise, as_json)


@app.command("export")
def export(
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where to: FILE.pdf, .csv, .html or .txt; left out, on the terminal."),
    ] = None,
    language: LanguageOption = None,
    exercise: ExerciseOption = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """The list for the reception, as it gets it by mail. Read beside the hub, also while it is down."""
    from hub.cli.access import export
    from hub.cli.setting import checked, journal_of
    from hub.model.people import Language

    whole = checked(config)
    export(whole, journal_of(whole, data), language or Language.FR, exercise, output)


@app.command("add")
def add(
    incident: IncidentArgument,
    people: Annotated[list[str], typer.Argument(help='Who: "name, service, function", each in quotes.')],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Lets more people in on behalf of an approved request, through the running hub."""
    from hub.cli.access import guests_of

    act(config, f"/api/access/{incident}/people", {"people": guests_of(people), "by": by, "why": why}, as_json)


@app.command("remove")
def remove(
    who: Annotated[str, typer.Argument(help="Their name, or the id that `vigie access show` gives them.")],
    by: ByOption,
    why: WhyOption,
    incident: Annotated[str, typer.Option("--request", help="Of this request only; left out, wherever they are.")] = "",
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Somebody may not come in any more; the request's own list does not bring them back. Through the running hub."""
    act(config, "/api/access/remove", {"who": who, "incident": incident, "by": by, "why": why}, as_json)


@app.command("until")
def until(
    incident: IncidentArgument,
    until: Annotated[str, typer.Argument(help="An instant: 2026-07-14T02:10:00+02:00.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who comes in on behalf of a request may until then: longer or shorter than it says. Through the running hub."""
    from hub.cli.look import instant

    body = {"until": instant(until).isoformat(), "by": by, "why": why}
    act(config, f"/api/access/{incident}/until", body, as_json)


@app.command("rooms")
def rooms(
    incident: IncidentArgument,
    rooms: Annotated[list[str], typer.Argument(help="Rooms of config/rooms.yaml: these, and no others.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Which rooms who comes in on behalf of a request may enter, through the running hub."""
    act(config, f"/api/access/{incident}/rooms", {"rooms": rooms, "by": by, "why": why}, as_json)


@app.command("erase")
def erase(
    who: Annotated[str, typer.Argument(help="The whole name of somebody who is not on the list any more.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Erases somebody's name from the lists that are kept, through the running hub; says what is left."""
    act(config, "/api/access/erase", {"who": who, "by": by, "why": why}, as_json)
