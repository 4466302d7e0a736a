"""What several commands have, written once: options, and acting through the running hub."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.model.people import Language

ConfigOption = Annotated[Path, typer.Option("--config", help="Folder with the configuration.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder of the journal, where not as hub.yaml says.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
ByOption = Annotated[str, typer.Option("--by", help="Who acts.")]
WhyOption = Annotated[str, typer.Option("--why", help="For what reason; it is kept.")]
AtOption = Annotated[str | None, typer.Option("--at", help="An instant: 2026-07-14T02:10:00+02:00.")]

LanguageOption = Annotated[Language | None, typer.Option("--language", help="fr, nl, de or en.")]

CONFIG = Path("config")


class Format(StrEnum):
    """For whom findings are written."""

    PEOPLE = "people"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


DirectoryOption = Annotated[
    bool, typer.Option("--running", help="As it is in force: with what was changed while the hub runs.")
]


def act(config: Path, path: str, body: dict[str, Any], as_json: bool, method: str = "POST") -> None:
    """An act through the running hub's API."""
    from hub.cli.acts import act as do
    from hub.cli.setting import running

    do(running(config), path, body, as_json, method)
