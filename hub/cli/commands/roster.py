"""`vigie roster`: who is on duty when."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.commands.parts import add_taking_out
from hub.cli.options import CONFIG, ByOption, ConfigOption, JsonOption, WhyOption
from hub.model.people import Part

app = typer.Typer(help="Who is on duty when.", no_args_is_help=True)
RosterArgument = Annotated[str, typer.Argument(help="The roster's name.")]


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The roster's name.")],
    start: Annotated[str | None, typer.Option("--from", help="An instant with its offset; now when left out.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Four weeks later when left out.")] = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who is on duty when, in local time. Exits with 1 where nobody is at some time."""
    from hub.cli.changes import in_force
    from hub.cli.look import instant
    from hub.cli.roster import show
    from hub.cli.setting import checked

    whole = checked(config)
    show(whole, in_force(whole)[1], name, instant(start), instant(until) if until else None, as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An iCalendar file (.ics): Google, Outlook, Apple, PagerDuty ...")],
    name: Annotated[str, typer.Option("--as", help="What the roster is to be called.")] = "",
    start: Annotated[str | None, typer.Option("--from", help="An instant with its offset; now when left out.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Half a year later when left out.")] = None,
    day_begins: Annotated[str, typer.Option("--day-begins", help="When events of whole days begin and end.")] = "00:00",
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Prints a calendar's shifts as YAML for config/rosters.yaml, and says what is wrong with it. Changes nothing."""
    from hub.cli.look import instant
    from hub.cli.roster import import_
    from hub.cli.setting import read

    # A file of the configuration may just be under way: `>> config/rosters.yaml`.
    import_(read(config)[0], file, name, instant(start), instant(until) if until else None, day_begins, as_json)


@app.command("link")
def link(
    roster: Annotated[str, typer.Argument(help="The roster's name.")] = "",
    person: Annotated[str, typer.Option("--person", help="All shifts of this person, in every roster.")] = "",
    config: ConfigOption = CONFIG,
) -> None:
    """The secret address under which a phone can subscribe to a roster, or to one person's shifts."""
    from hub.cli.roster import link
    from hub.cli.setting import checked

    link(checked(config), roster, person)


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(help="The roster's name.")],
    start: Annotated[str | None, typer.Option("--from", help="An instant with its offset; now when left out.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Half a year later when left out.")] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """The roster as a calendar (iCalendar), to be put into a phone."""
    from hub.cli.changes import in_force
    from hub.cli.look import instant
    from hub.cli.roster import export
    from hub.cli.setting import checked

    directory, rosters = in_force(checked(config))
    export(rosters, directory.people.values(), name, instant(start), instant(until) if until else None, instant(None))


@app.command("replace")
def replace(
    roster: RosterArgument,
    people: Annotated[list[str], typer.Option("--with", help="Who is on duty; give it again for several.")],
    until: Annotated[str, typer.Option("--until", help="2026-11-24 08:00, local time; or for how long: 8 h.")],
    by: ByOption,
    why: WhyOption,
    start: Annotated[str | None, typer.Option("--from", help="2026-11-23 20:00; now when left out.")] = None,
    besides: Annotated[bool, typer.Option("--besides", help="Besides whoever is on duty, not in their place.")] = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Somebody else is on duty for a time, in the running hub."""
    from hub.cli.changing import override
    from hub.cli.setting import checked

    override(checked(config), roster, people, start, until, besides, by, why, as_json)


@app.command("swap")
def swap(
    roster: RosterArgument,
    shifts: Annotated[list[str], typer.Argument(help='Two people: officer-a="2026-12-08 12:00", a moment of theirs.')],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Two people take each other's shift, in the running hub."""
    from hub.cli.changing import swap
    from hub.cli.setting import checked

    swap(checked(config), roster, shifts, by, why, as_json)


@app.command("lift")
def lift(
    change: Annotated[str, typer.Argument(help="The record of the replacement or swap, as the status shows it.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A replacement or a swap made while the hub runs holds no longer."""
    from hub.cli.changing import lift
    from hub.cli.setting import checked

    lift(checked(config), change, by, why, as_json)


@app.command("set")
def set_(
    roster: RosterArgument,
    file: Annotated[Path, typer.Option("--file", help="YAML with its whole entry, as in config/rosters.yaml.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Changes who takes turns, in the running hub, from now on; a new name makes a roster."""
    from hub.cli.changing import set_part
    from hub.cli.setting import checked

    set_part(checked(config), Part.ROSTER, roster, [], file, by, why, as_json)


add_taking_out(app, Part.ROSTER)
