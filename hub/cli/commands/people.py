"""`vigie people`: the directory."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, DataOption, DirectoryOption, JsonOption, WhyOption, act
from hub.model.people import Language

app = typer.Typer(help="The directory: who is in it; from and to other programs.", no_args_is_help=True)


@app.command("list")
def list_(
    group: Annotated[str, typer.Option("--group", help="Who is in it.")] = "",
    competence: Annotated[list[str] | None, typer.Option("--competence", help="Who has it.")] = None,
    organisation: Annotated[list[str] | None, typer.Option("--organisation", help="Who works for it.")] = None,
    language: Annotated[list[Language] | None, typer.Option("--language", help="Who speaks it.")] = None,
    running: DirectoryOption = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who is in the directory; of several conditions all must hold."""
    from hub.cli.changes import directory
    from hub.cli.people import listed

    listed(directory(config, running), group, competence or [], organisation or [], language or [], as_json)


@app.command("show")
def show(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    running: DirectoryOption = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Everything the directory knows of somebody."""
    from hub.cli.changes import directory
    from hub.cli.people import show

    show(directory(config, running), person, as_json)


@app.command("export")
def export(
    kind: Annotated[str, typer.Option("--format", help="csv or vcard.")] = "csv",
    group: Annotated[str, typer.Option("--group", help="Only who is in it.")] = "",
    separator: Annotated[str, typer.Option("--separator", help="Between the cells of CSV.")] = ";",
    running: DirectoryOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Prints the directory for other programs."""
    from hub.cli.changes import directory
    from hub.cli.people import export

    export(directory(config, running), kind, group, separator)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV or vCard file.")],
    kind: Annotated[str, typer.Option("--format", help="csv or vcard, where the file does not show it.")] = "",
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Prints a file's people as YAML for config/people/, and says what is wrong with it. Changes nothing."""
    from hub.cli.people import import_
    from hub.cli.setting import read

    # Not `checked`: a file of the configuration may just be under way (`> people/x.yaml`).
    import_(read(config)[0], file, kind, as_json)


@app.command("set")
def set_(
    person: Annotated[str, typer.Argument(help="The person's id; a new one puts somebody in.")],
    by: ByOption,
    why: WhyOption,
    fields: Annotated[
        list[str] | None, typer.Argument(help="FIELD=VALUE: name, language, speaks, sms, call, email ...")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="YAML with their whole entry, instead of fields.")] = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Changes somebody in the running hub, from now on."""
    from hub.cli.changing import set_person
    from hub.cli.setting import checked

    set_person(checked(config), person, fields or [], file, by, why, as_json)


@app.command("remove")
def remove(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Takes somebody out of the running hub's directory: nobody asks them anything any more."""
    from hub.cli.changing import remove_person
    from hub.cli.setting import checked

    remove_person(checked(config), person, by, why, as_json)


@app.command("revert")
def revert(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Somebody is as the files say again."""
    act(config, f"/api/people/{person}/revert", {"by": by, "why": why}, as_json)


@app.command("erase")
def erase(
    person: Annotated[str, typer.Argument(help="The id of somebody who is in the directory no more.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Erases what the journal's vault holds about somebody, for ever, and says what is left."""
    act(config, f"/api/people/{person}/erase", {"by": by, "why": why}, as_json)


@app.command("diff")
def diff(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """What was changed while the hub runs and is not in the files, as YAML to be put there."""
    from hub.cli.changes import diff
    from hub.cli.setting import checked

    diff(checked(config), data)
