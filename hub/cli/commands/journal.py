"""`vigie journal`: the journal, beside a running hub."""

from typing import Annotated

import typer

from hub.cli.options import CONFIG, ConfigOption, DataOption, JsonOption

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
    from hub.cli.setting import journal_of, read

    show(journal_of(read(config)[0], data), instant(since) if since else None, kind, as_json)


@app.command("verify")
def verify(config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Whether every record is there and as it was written."""
    from hub.cli.journal import verify
    from hub.cli.setting import journal_of, read

    verify(journal_of(read(config)[0], data), as_json)
