"""`vigie people`: the directory."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ConfigOption, JsonOption
from hub.model.people import Language

app = typer.Typer(help="The directory: who is in it; from and to other programs.", no_args_is_help=True)


@app.command("list")
def list_(
    group: Annotated[str, typer.Option("--group", help="Who is in it.")] = "",
    competence: Annotated[list[str] | None, typer.Option("--competence", help="Who has it.")] = None,
    organisation: Annotated[list[str] | None, typer.Option("--organisation", help="Who works for it.")] = None,
    language: Annotated[list[Language] | None, typer.Option("--language", help="Who speaks it.")] = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who is in the directory; of several conditions all must hold."""
    from hub.cli.people import listed
    from hub.cli.setting import checked

    listed(checked(config), group, competence or [], organisation or [], language or [], as_json)


@app.command("show")
def show(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Everything the directory knows of somebody."""
    from hub.cli.people import show
    from hub.cli.setting import checked

    show(checked(config), person, as_json)


@app.command("export")
def export(
    kind: Annotated[str, typer.Option("--format", help="csv or vcard.")] = "csv",
    group: Annotated[str, typer.Option("--group", help="Only who is in it.")] = "",
    separator: Annotated[str, typer.Option("--separator", help="Between the cells of CSV.")] = ";",
    config: ConfigOption = CONFIG,
) -> None:
    """Prints the directory for other programs."""
    from hub.cli.people import export
    from hub.cli.setting import checked

    export(checked(config), kind, group, separator)


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
