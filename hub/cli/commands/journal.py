"""`vigie journal`: the journal, beside a running hub."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ConfigOption, DataOption, JsonOption
from hub.model.people import Language

app = typer.Typer(help="Look at the journal beside a running hub.", no_args_is_help=True)


@app.command("show")
def show(
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    since: Annotated[str | None, typer.Option("--since", help="From this instant on.")] = None,
    kind: Annotated[str, typer.Option("--kind", help="One sort of record: signal, reply, decision, attempt ...")] = "",
    as_json: JsonOption = False,
) -> None:
    """The records, one line each."""
    from hub.cli.journal import show
    from hub.cli.look import instant
    from hub.cli.setting import journal_of, where

    show(journal_of(where(config), data), instant(since) if since else None, kind, as_json)


@app.command("verify")
def verify(config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Whether every record is there and as it was written."""
    from hub.cli.journal import verify
    from hub.cli.setting import journal_of, where

    verify(journal_of(where(config), data), as_json)


@app.command("replay")
def replay(
    playbooks: Annotated[Path, typer.Option("--playbooks", help="Folder with the edited sheets, all of them.")],
    since: Annotated[
        str | None, typer.Option("--since", help='From then on: 2026-06-01, "30 days" (ago); else from the beginning.')
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until then; else to the end.")] = None,
    as_live: Annotated[
        bool, typer.Option("--as-live", help="As if sheets in draft and in shadow were live, too.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show what stays the same, too.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.html: the whole of it as a page.")] = None,
    language: Annotated[Language, typer.Option("--language", help="Of the page: fr, nl, de or en.")] = Language.EN,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was recorded, through edited sheets: who would have been called, and what is different. Changes nothing."""
    from hub.cli.replay import replay as run_it

    run_it(
        config,
        playbooks,
        data,
        since,
        until,
        as_live=as_live,
        everything=everything,
        output=output,
        language=language,
        as_json=as_json,
    )
