"""`vigie dossier`: themes that are followed over months."""

from typing import Annotated
from urllib.parse import quote

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, DataOption, JsonOption, LanguageOption, WhyOption, act

app = typer.Typer(
    help="Themes that are followed over months: what is in them, and adding to them.", no_args_is_help=True
)
DossierArgument = Annotated[str, typer.Argument(metavar="NAME", help="The dossier's name, as in dossiers.yaml.")]
SignalArgument = Annotated[str, typer.Argument(metavar="SIGNAL", help="A signal's record.")]


@app.command("list")
def list_(
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """The dossiers in force: how many lately, how many are usual, and whether that is a rise."""
    from hub.cli.dossier import listed
    from hub.cli.setting import journal_of, language_asked, where

    found = where(config)
    listed(journal_of(found, data), found.hub.zone, language_asked(language), as_json)


@app.command("show")
def show(
    dossier: DossierArgument,
    since: Annotated[str, typer.Option("--since", help="From this day on: 2026-06-01; the last 12 weeks.")] = "",
    last: Annotated[int, typer.Option("--last", help="So many of the newest signals; 0: all.", min=0)] = 20,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is in a dossier: counts by day or week, places, notes, incidents, rises, and its newest signals."""
    from hub.cli.dossier import show as run_it
    from hub.cli.setting import journal_of, language_asked, where

    found = where(config)
    run_it(journal_of(found, data), dossier, found.hub.zone, since, last, language_asked(language), as_json)


@app.command("add")
def add(
    dossier: DossierArgument,
    signal: SignalArgument,
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Puts a signal into a dossier. It counts on the day on which it came in."""
    act(config, _path(dossier, "signals", signal), {"by": by, "why": why}, as_json)


@app.command("remove")
def remove(
    dossier: DossierArgument,
    signal: SignalArgument,
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Takes what a signal tells out of a dossier, with whatever else tells the same: it counts no more."""
    act(config, _path(dossier, "signals", signal), {"by": by, "why": why}, as_json, method="DELETE")


@app.command("note")
def note(
    dossier: DossierArgument,
    text: Annotated[str, typer.Argument(help="What is to be known later.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Writes a note into a dossier."""
    act(config, _path(dossier, "notes"), {"by": by, "text": text}, as_json)


@app.command("link")
def link(
    dossier: DossierArgument,
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, as `vigie status` shows it.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """An incident belongs to a dossier. Those whose signals are in it are linked by themselves."""
    act(config, _path(dossier, "incidents", incident), {"by": by, "why": why}, as_json)


def _path(dossier: str, *rest: str) -> str:
    return "/".join(("/api/dossiers", *(quote(part, safe="") for part in (dossier, *rest))))
