"""The commands. Each is a thin line to the module that does it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="vigie",
    help="Real-time messaging and alerting hub for a situation centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[Path, typer.Option("--config", help="Folder with the configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def vigie() -> None:
    """Real-time messaging and alerting hub for a situation centre."""


@app.command()
def read(
    kind: Annotated[str, typer.Argument(help="Kind of source: cap, feed ...")],
    files: Annotated[list[Path], typer.Argument(help="Files or folders.")],
) -> None:
    """What a source makes of a file: one JSON line per signal; a bad file gives an error line, and the next is read."""
    from hub.cli.read import read as run

    run(kind, files)


def main() -> None:
    """Entry point of the `vigie` script."""
    app()


if __name__ == "__main__":
    main()
