"""`vigie`: its commands, put together."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.commands import (
    access,
    broadcast,
    chain,
    contacts,
    deadletter,
    dossier,
    journal,
    parts,
    people,
    playbook,
    report,
    roster,
    running,
    silence,
    starting,
    watch,
)
from hub.cli.options import (
    CONFIG,
    AtOption,
    ByOption,
    ConfigOption,
    DataOption,
    Format,
    JsonOption,
    LanguageOption,
    WhyOption,
)

app = typer.Typer(
    name="vigie",
    help="Real-time messaging and alerting hub for a situation centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(starting.app)
app.add_typer(running.app)
app.add_typer(contacts.app)
for name, group in {
    "access": access.app,
    "broadcast": broadcast.app,
    "report": report.app,
    "chain": chain.app,
    "silence": silence.app,
    "watch": watch.app,
    "roster": roster.app,
    "people": people.app,
    "playbook": playbook.app,
    "group": parts.groups,
    "organisation": parts.organisations,
    "journal": journal.app,
    "deadletter": deadletter.app,
    "dossier": dossier.app,
}.items():
    app.add_typer(group, name=name)


def _version(asked: bool) -> None:
    if asked:
        from hub.version import VERSION

        typer.echo(f"vigie {VERSION}")
        raise typer.Exit


@app.callback()
def vigie(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None: ...


@app.command()
def run(
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    at: Annotated[
        str | None, typer.Option("--at", help="A playback: the hub's clock starts there, everything is Exercise.")
    ] = None,
    through: Annotated[
        str,
        typer.Option("--through", help="With --at: the address of a playback that stands in for all web servers."),
    ] = "",
    auditor: Annotated[bool, typer.Option(help="Watch over the hub from a process of its own.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Runs the hub until it is told to stop."""
    from hub.cli.look import instant
    from hub.cli.run import run as run_it

    run_it(config, data, instant(at) if at else None, auditor, verbose, through)


@app.command()
def status(
    config: ConfigOption = CONFIG,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")] = False,
) -> None:
    """The picture of the moment from the running hub: as JSON, or with --watch as a live view."""
    from hub.cli.acts import ask, watch_status
    from hub.cli.say import json_line
    from hub.cli.setting import running

    if watch:
        watch_status(running(config))
    else:
        json_line(ask(running(config), "GET", "/api/status"))


@app.command()
def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files of it, or sheets; none: all of it.")] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
    form: Annotated[Format, typer.Option("--format", help="For whom.")] = Format.PEOPLE,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
    words: Annotated[bool, typer.Option("--words", help="What each word meets of last month's signals.")] = False,
    explain: Annotated[str, typer.Option("--explain", metavar="RULE", help="What a rule means.")] = "",
) -> None:
    """Everything that is wrong with the configuration and its sheets."""
    from hub.cli import check as checking

    if explain:
        checking.explain(explain)
    else:
        checking.check(paths or [], config, Format.JSON if as_json else form, strict, words, data)


@app.command("test")
def play_tests(
    paths: Annotated[list[Path] | None, typer.Argument(help="Tests, sheets or folders; none: all sheets.")] = None,
    config: ConfigOption = CONFIG,
    only: Annotated[str, typer.Option("--only", help="Only the tests with this in their name.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what happened in those that passed, too.")] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the results as JUnit XML into this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plays the tests beside the sheets (SHEET.test.yaml), in virtual time: nobody is called."""
    from hub.cli.test import test as run_it

    run_it(paths or [], config, only=only, verbose=verbose, as_json=as_json, junit_file=junit)


@app.command()
def drill(
    wanted: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's file, or a sheet.")],
    config: ConfigOption = CONFIG,
    test: Annotated[str, typer.Option("--test", help="Of a sheet, the test with this in its name.")] = "",
    page: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the story as a web page into this file, too.")
    ] = None,
    language: LanguageOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="With real people, through the running hub, as an exercise.")
    ] = False,
    speed: Annotated[
        float, typer.Option("--speed", help="Of --live: so many times shorter are the pauses between what is given.")
    ] = 1.0,
    by: Annotated[str, typer.Option("--by", help="Of --live: who holds the exercise.")] = "trainer",
    yes: Annotated[bool, typer.Option("--yes", help="Of --live: begin without asking.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plays a scenario, or a sheet's first test, and tells what happens: in virtual time, where nobody is called; or
    with --live as an exercise with real people."""
    from hub.cli.setting import language_asked

    told = language_asked(language)
    if live:
        from hub.cli.live import live as hold

        hold(
            wanted, config, data=data, test=test, page=page, language=told, as_json=as_json, speed=speed, by=by, yes=yes
        )
    else:
        from hub.cli.drill import drill as play

        play(wanted, config, test=test, page=page, language=told, as_json=as_json)


@app.command()
def schema(
    kind: Annotated[
        str, typer.Argument(help="playbook, a file of config/ (messages, chains, sources ...), or config for all.")
    ] = "",
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Set an editor up in this folder: all schemas, and VS Code's settings."),
    ] = None,
    config: ConfigOption = CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Write over what is there without asking.")] = False,
) -> None:
    """The JSON Schema of reflex sheets and of the configuration, for editors."""
    from hub.cli import schema as schemas

    if write is not None:
        schemas.write(write, config, yes)
    else:
        schemas.schema(kind)


@app.command()
def read(
    kind: Annotated[str, typer.Argument(help="Kind of source: cap, feed ...")],
    files: Annotated[list[Path], typer.Argument(help="Files or folders.")],
    source: Annotated[str, typer.Option("--source", help="Read as this source of the configuration reads.")] = "",
    config: ConfigOption = CONFIG,
) -> None:
    """What a source makes of a file: one JSON line per signal; a bad file gives an error line, and the next is read."""
    from hub.cli.read import read as run_it
    from hub.cli.read import settings_in
    from hub.cli.setting import checked

    run_it(kind, files, settings_in(checked(config), source, kind) if source else None)


@app.command()
def match(
    files: Annotated[list[Path], typer.Argument(help="Files of signals, or what `vigie read` printed; folders.")],
    source: Annotated[str, typer.Option("--source", help="Read as coming from this source of the configuration.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", help="Kind of source that reads them; else the source's own, or cap.")
    ] = "",
    sheet: Annotated[
        list[str] | None, typer.Option("--sheet", help="Only this one; exits with 1 where a signal misses it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every condition, not only the first that fails.")] = False,
    at: AtOption = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Which sheets a signal meets, and for those it misses, why not."""
    from hub.cli.look import instant
    from hub.cli.match import match as run_it
    from hub.cli.setting import checked

    when = instant(at) if at else None
    run_it(checked(config), files, kind, source, sheet or [], when, everything=everything, as_json=as_json)


@app.command()
def who(
    chain: Annotated[str, typer.Argument(help="The chain's name.")],
    at: AtOption = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Whom a chain would call, in which order, by what, and when."""
    from hub.cli.look import instant
    from hub.cli.look import who as run_it
    from hub.cli.setting import checked

    run_it(checked(config), chain, instant(at), as_json)


@app.command()
def why(
    wanted: Annotated[str, typer.Argument(help="Id of a delivery, ask, chain run, incident, signal or record.")],
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why anybody was called, with the records that say so."""
    from hub.cli.look import why as run_it
    from hub.cli.setting import journal_of, where

    run_it(journal_of(where(config), data), wanted, as_json)


@app.command("activations")
def activations_of(
    year: Annotated[str, typer.Argument(help="2026.")],
    by_answer: Annotated[
        str, typer.Option("--by-answer", help="Tell them apart by the answer to this question of the sheet: kind.")
    ] = "",
    since: Annotated[str, typer.Option("--since", help="Only from this day on: 2026-06-01.")] = "",
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """How often each sheet was activated in a year, by hand or by a signal, as an annual report counts it."""
    from zoneinfo import ZoneInfo

    from hub.cli.activations import count
    from hub.cli.setting import journal_of, where

    found = where(config)
    count(journal_of(found, data), ZoneInfo(found.hub.zone), year, by_answer, since, as_json)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups lie: each is a folder of its own in it.")],
    keep: Annotated[int, typer.Option("--keep", min=0, help="Delete the oldest beyond so many; 0: none.")] = 0,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """The journal with its vault and the files it runs on, copied and looked at beside a running hub."""
    from hub.cli.backup import backup as run_it
    from hub.cli.setting import journal_of, where

    found = where(config)
    run_it(found, journal_of(found, data), folder, keep, as_json)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="The folder of one backup: vigie-20261128T010000Z.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """A journal from a backup, where there is none. Nothing goes out until somebody lifts that."""
    from hub.cli.backup import restore as run_it
    from hub.cli.setting import journal_of, where

    run_it(backup, journal_of(where(config), data), by, why, as_json)


def main() -> None:
    """Entry point of the `vigie` script."""
    app()
