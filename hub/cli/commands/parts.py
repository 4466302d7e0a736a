"""`vigie group`, `vigie organisation`: what there is in the directory besides people, in the running hub."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, JsonOption, WhyOption, act
from hub.model.people import Part

FileOption = Annotated[Path | None, typer.Option("--file", help="YAML with the whole entry, instead.")]


def app_of(part: Part, summary: str, fields: str) -> typer.Typer:
    """The commands of one kind. `fields`: what `set` is given besides a name."""
    app = typer.Typer(help=summary, no_args_is_help=True)
    a = "an" if part is Part.ORGANISATION else "a"
    name_argument = typer.Argument(help=f"The {part}'s name.")

    @app.command("list", help=f"The {part}s in force.")
    def list_(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
        from hub.cli.changing import list_parts
        from hub.cli.setting import checked

        list_parts(checked(config), part, as_json)

    @app.command("show", help=f"{a.title()} {part} as it is in force, and its people.")
    def show(name: Annotated[str, name_argument], config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
        from hub.cli.changing import show_part
        from hub.cli.setting import checked

        show_part(checked(config), part, name, as_json)

    @app.command("set", help=f"Changes {a} {part} in the running hub, from now on; a new name makes one.")
    def set_(
        name: Annotated[str, name_argument],
        by: ByOption,
        why: WhyOption,
        values: Annotated[list[str] | None, typer.Argument(help=fields)] = None,
        file: FileOption = None,
        config: ConfigOption = CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        from hub.cli.changing import set_part
        from hub.cli.setting import checked

        set_part(checked(config), part, name, values or [], file, by, why, as_json)

    add_taking_out(app, part)
    return app


def add_taking_out(app: typer.Typer, part: Part) -> None:
    """`remove` and `revert`."""
    a = "an" if part is Part.ORGANISATION else "a"
    name_argument = typer.Argument(help=f"The {part}'s name.")

    @app.command("remove", help=f"Takes {a} {part} out of the running hub that nothing names any more.")
    def remove(
        name: Annotated[str, name_argument],
        by: ByOption,
        why: WhyOption,
        config: ConfigOption = CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        from hub.cli.changing import remove_part
        from hub.cli.setting import checked

        remove_part(checked(config), part, name, by, why, as_json)

    @app.command("revert", help=f"{a.title()} {part} is as the files say again.")
    def revert(
        name: Annotated[str, name_argument],
        by: ByOption,
        why: WhyOption,
        config: ConfigOption = CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        act(config, f"/api/{part}s/{name}/revert", {"by": by, "why": why}, as_json)


groups = app_of(Part.GROUP, "Groups of people, in the running hub.", "Its people's ids.")
organisations = app_of(
    Part.ORGANISATION, "Whom people work for, in the running hub.", "FIELD=VALUE: fr, nl, de, en, kind, communes ..."
)
