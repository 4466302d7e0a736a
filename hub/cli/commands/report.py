"""`vigie report`: situation reports."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.options import CONFIG, AtOption, ByOption, ConfigOption, DataOption, JsonOption, LanguageOption, act
from hub.model.people import Classification

app = typer.Typer(help="Situation reports on incidents.", no_args_is_help=True)
IncidentArgument = Annotated[str, typer.Argument(help="The incident, as `vigie status` names it.")]
NumberOption = Annotated[int | None, typer.Option("--number", help="Which report; left out, the newest.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="The version that was read: refused where there is a newer one.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Where to: FILE.pdf, .html, .xml (EDXL-SitRep) or .txt; else the terminal."),
]
SeesOption = Annotated[
    Classification, typer.Option("--for", help="For readers who may see so much of people: internal, partners, public.")
]


@app.command("sitrep")
def sitrep(
    incident: IncidentArgument,
    language: LanguageOption = None,
    sees: SeesOption = Classification.INTERNAL,
    at: AtOption = None,
    output: OutputOption = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """The state of an incident as a report, unnumbered. Read beside the hub, also while it is down."""
    from hub.cli.report import sitrep
    from hub.cli.setting import checked, journal_of
    from hub.model.people import Language

    whole = checked(config)
    sitrep(whole, journal_of(whole, data), incident, language or Language.FR, sees, at, output)


@app.command("show")
def show(
    incident: IncidentArgument,
    number: NumberOption = None,
    language: LanguageOption = None,
    sees: SeesOption = Classification.INTERNAL,
    output: OutputOption = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """A numbered report as it is kept. Read beside the hub, also while it is down."""
    from hub.cli.report import show
    from hub.cli.setting import checked, journal_of
    from hub.model.people import Language

    whole = checked(config)
    show(whole, journal_of(whole, data), incident, number, language or Language.FR, sees, output)


@app.command("list")
def listed(
    incident: IncidentArgument, config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """The reports on an incident: who drafted, edited, approved and sent them. Read beside the hub."""
    from hub.cli.report import listed
    from hub.cli.setting import journal_of, where

    whole = where(config)
    listed(journal_of(whole, data), whole.hub.zone, incident, as_json)


@app.command("draft")
def draft(
    incident: IncidentArgument,
    by: ByOption,
    approval: Annotated[bool, typer.Option("--approval", help="It is not sent before somebody approves it.")] = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Drafts the next report from the journal, through the running hub."""
    act(config, f"/api/incidents/{incident}/reports", {"by": by, "approval": approval}, as_json)


@app.command("edit")
def edit(
    incident: IncidentArgument,
    written: Annotated[
        list[str], typer.Argument(help='HEADING=TEXT, each in quotes: "outlook=Rain until six"; ="" takes it out.')
    ],
    by: ByOption,
    number: NumberOption = None,
    version: VersionOption = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes beside the facts of a report, through the running hub: a new version of it."""
    from hub.cli.report import topics

    _on_report(config, data, incident, number, "edit", {"by": by, "written": topics(written)}, version, as_json)


@app.command("approve")
def approve(
    incident: IncidentArgument,
    by: ByOption,
    number: NumberOption = None,
    version: VersionOption = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stands behind a report, through the running hub; one that a sheet wants sent goes out."""
    _on_report(config, data, incident, number, "approve", {"by": by}, version, as_json)


@app.command("send")
def send(
    incident: IncidentArgument,
    to: Annotated[list[str], typer.Argument(help="A group, `roster NAME`, `organisation NAME`, `person NAME` ...")],
    by: ByOption,
    number: NumberOption = None,
    version: VersionOption = None,
    channels: Annotated[list[str] | None, typer.Option("--channel", help="email, where nothing else is said.")] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sends a report, through the running hub: as a mail with PDF and EDXL-SitRep."""
    body = {"by": by, "to": to, "channels": channels or ["email"]}
    _on_report(config, data, incident, number, "send", body, version, as_json)


def _on_report(
    config: Path,
    data: Path | None,
    incident: str,
    number: int | None,
    verb: str,
    body: dict[str, Any],
    version: int | None,
    as_json: bool,
) -> None:
    from hub.cli.report import number_of
    from hub.cli.setting import journal_of, where

    whole = where(config)
    which = number_of(whole, journal_of(whole, data), incident, number)
    sent = body if version is None else {**body, "version": version}
    act(config, f"/api/incidents/{incident}/reports/{which}/{verb}", sent, as_json)
