"""The commands. Each is a thin line to the module that does it, loaded when it is called: `vigie read` need not wait
for what only `vigie run` needs."""

from pathlib import Path
from typing import Annotated

import typer

from hub.model.people import Language

app = typer.Typer(
    name="vigie",
    help="Real-time messaging and alerting hub for a situation centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
journal_app = typer.Typer(help="Look at the journal beside a running hub.", no_args_is_help=True)
app.add_typer(journal_app, name="journal")
roster_app = typer.Typer(help="Who is on duty when.", no_args_is_help=True)
app.add_typer(roster_app, name="roster")
watch_app = typer.Typer(help="Who has the watch of the room, and handing it over.", no_args_is_help=True)
app.add_typer(watch_app, name="watch")
silence_app = typer.Typer(help="What is to wake nobody for a while.", no_args_is_help=True)
app.add_typer(silence_app, name="silence")
chain_app = typer.Typer(help="Steer a chain of the running hub.", no_args_is_help=True)
app.add_typer(chain_app, name="chain")
people_app = typer.Typer(help="The directory: who is in it; from and to other programs.", no_args_is_help=True)
app.add_typer(people_app, name="people")

ConfigOption = Annotated[Path, typer.Option("--config", help="Folder with the configuration.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder of the journal, where not as hub.yaml says.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
ByOption = Annotated[str, typer.Option("--by", help="Who acts.")]
WhyOption = Annotated[str, typer.Option("--why", help="For what reason; it is kept.")]
AtOption = Annotated[str | None, typer.Option("--at", help="An instant: 2026-07-14T02:10:00+02:00.")]

CONFIG = Path("config")


@app.command()
def run(
    config: ConfigOption = CONFIG,
    data: DataOption = None,
    at: Annotated[
        str | None, typer.Option("--at", help="A playback: the hub's clock starts there, everything is Exercise.")
    ] = None,
    auditor: Annotated[bool, typer.Option(help="Watch over the hub from a process of its own.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Runs the hub until it is told to stop."""
    from hub.cli.look import instant
    from hub.cli.run import run as run_it

    run_it(config, data, instant(at) if at else None, auditor, verbose)


@app.command()
def start(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    answers: Annotated[list[str] | None, typer.Argument(help="What it asks for: name=value ...")] = None,
    by: ByOption = "duty-officer",
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Starts a reflex sheet by hand, through the running hub."""
    from hub.cli.acts import act, answers_of
    from hub.cli.setting import checked

    body = {"sheet": sheet, "by": by, "answers": answers_of(answers or [])}
    act(checked(config), "/api/start", body, as_json)


@app.command("stop-all")
def stop_all(by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Nothing more goes out until it is lifted."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), "/api/stop-all", {"by": by, "why": why}, as_json)


@app.command()
def lift(by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Lets things go out again after stop-all."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), "/api/lift", {"by": by, "why": why}, as_json)


@app.command()
def end(
    incident: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Ends an incident: its chains stop, and who was reached hears the all-clear."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), f"/api/incidents/{incident}/end", {"by": by, "why": why}, as_json)


def _steering(act: str, summary: str) -> None:
    """A command of `vigie chain` for an act that takes nothing but who and why."""

    def steer(
        run: Annotated[str, typer.Argument(help="The chain's id, as the status shows it.")],
        by: ByOption,
        why: WhyOption,
        config: ConfigOption = CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        from hub.cli.acts import act as run_it
        from hub.cli.setting import checked

        run_it(checked(config), f"/api/chains/{run}/{act}", {"by": by, "why": why}, as_json)

    chain_app.command(act, help=summary)(steer)


_steering("hold", "Nobody more is asked until it is resumed; who answers meanwhile counts.")
_steering("resume", "A held chain goes on.")
_steering("cancel", "The chain stops; who was disturbed is told so.")
_steering("again", "A chain that has ended begins again; nobody who accepted is asked again.")


@chain_app.command("hand-over")
def chain_hand_over(
    run: Annotated[str, typer.Argument(help="The chain's id, as the status shows it.")],
    to: Annotated[str, typer.Option("--to", help="A person who has agreed to take over, or another chain.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A person who has agreed takes over, or another chain goes on."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), f"/api/chains/{run}/hand-over", {"by": by, "why": why, "to": to}, as_json)


@silence_app.command("set")
def silence_set(
    until: Annotated[str, typer.Option("--until", help="For how long (90 min, 2 h), or an instant with its offset.")],
    by: ByOption,
    why: WhyOption,
    sheet: Annotated[list[str] | None, typer.Option("--sheet", help="Of this reflex sheet.")] = None,
    hazard: Annotated[list[str] | None, typer.Option("--hazard", help="About this.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="From this source.")] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help="That touches this area only.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="A maintenance window begins later: when.")] = None,
    even_extreme: Annotated[bool, typer.Option("--even-extreme", help="Also what is of the gravest severity.")] = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Nobody is woken for what meets all of this, until then; the room sees it, and hears what was held back."""
    from hub.cli.acts import silence
    from hub.cli.setting import checked

    what = {"sheets": sheet or [], "hazards": hazard or [], "sources": source or [], "areas": area or []}
    silence(checked(config), {"by": by, "why": why, **what, "gravest": even_extreme}, start, until, as_json)


@silence_app.command("lift")
def silence_lift(
    silence: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Ends a silence: what it held back and is still open goes its way."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), f"/api/silences/{silence}/lift", {"by": by, "why": why}, as_json)


@watch_app.command("show")
def watch_show(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Who has the watch, and what a handover is about: what is open, who is being called, what was promised."""
    from hub.cli.setting import checked
    from hub.cli.watch import show

    show(checked(config), as_json)


@watch_app.command("take")
def watch_take(
    person: Annotated[str, typer.Argument(help="Who has the watch of the room from now on.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The watch is handed over; the journal knows who has it."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), "/api/watch", {"person": person, "by": by}, as_json)


@roster_app.command("show")
def roster_show(
    name: Annotated[str, typer.Argument(help="The roster's name.")],
    start: Annotated[str | None, typer.Option("--from", help="An instant with its offset; now when left out.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Four weeks later when left out.")] = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who is on duty when, in local time. Exits with 1 where nobody is at some time."""
    from hub.cli.look import instant
    from hub.cli.roster import show
    from hub.cli.setting import checked

    show(checked(config), name, instant(start), instant(until) if until else None, as_json)


@roster_app.command("export")
def roster_export(
    name: Annotated[str, typer.Argument(help="The roster's name.")],
    start: Annotated[str | None, typer.Option("--from", help="An instant with its offset; now when left out.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Half a year later when left out.")] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """The roster as a calendar (iCalendar), to be put into a phone."""
    from hub.cli.look import instant
    from hub.cli.roster import export
    from hub.cli.setting import checked

    export(checked(config), name, instant(start), instant(until) if until else None, instant(None))


@app.command()
def tick(
    task: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A task is done."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), f"/api/tasks/{task}/done", {"by": by}, as_json)


@app.command()
def acknowledge(
    alarm: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Somebody has seen an alarm of the room: it no longer stands."""
    from hub.cli.acts import act
    from hub.cli.setting import checked

    act(checked(config), f"/api/alarms/{alarm}/acknowledge", {"by": by}, as_json)


@app.command()
def status(
    config: ConfigOption = CONFIG,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing it, until Ctrl-C.")] = False,
) -> None:
    """The picture of the moment from the running hub: as JSON, or with --watch as a live view."""
    from hub.cli.acts import ask, watch_status
    from hub.cli.say import json_line
    from hub.cli.setting import checked

    if watch:
        watch_status(checked(config))
    else:
        json_line(ask(checked(config), "GET", "/api/status"))


@app.command()
def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Sheets; none: the whole configuration.")] = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Everything that is wrong with the configuration and its sheets."""
    from hub.cli.check import check as run_it

    run_it(paths or [], config, as_json)


@app.command()
def schema(
    kind: Annotated[
        str, typer.Argument(help="playbook, a file of config/ (messages, chains, sources ...), or config for all.")
    ],
) -> None:
    """The JSON Schema of reflex sheets and of the configuration, for editors."""
    from hub.cli.schema import schema as run_it

    run_it(kind)


@app.command()
def read(
    kind: Annotated[str, typer.Argument(help="Kind of source: cap, feed ...")],
    files: Annotated[list[Path], typer.Argument(help="Files or folders.")],
) -> None:
    """What a source makes of a file: one JSON line per signal; a bad file gives an error line, and the next is read."""
    from hub.cli.read import read as run_it

    run_it(kind, files)


@app.command()
def match(
    files: Annotated[list[Path], typer.Argument(help="Files of signals: CAP, feeds, or what `vigie read` printed.")],
    kind: Annotated[str, typer.Option("--kind", help="Kind of source that reads them.")] = "cap",
    source: Annotated[str, typer.Option("--source", help="Read as coming from this source of the configuration.")] = "",
    at: AtOption = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Which sheets a signal meets, and for those it misses, why not."""
    from hub.cli.look import instant, match_files
    from hub.cli.setting import checked

    match_files(checked(config), kind, source, files, instant(at) if at else None, as_json)


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
    from hub.cli.setting import journal_of, read

    run_it(journal_of(read(config)[0], data), wanted, as_json)


@people_app.command("list")
def people_list(
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


@people_app.command("show")
def people_show(
    person: Annotated[str, typer.Argument(help="The person's id.")],
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Everything the directory knows of somebody."""
    from hub.cli.people import show
    from hub.cli.setting import checked

    show(checked(config), person, as_json)


@people_app.command("export")
def people_export(
    kind: Annotated[str, typer.Option("--format", help="csv or vcard.")] = "csv",
    group: Annotated[str, typer.Option("--group", help="Only who is in it.")] = "",
    separator: Annotated[str, typer.Option("--separator", help="Between the cells of CSV.")] = ";",
    config: ConfigOption = CONFIG,
) -> None:
    """Prints the directory for other programs."""
    from hub.cli.people import export
    from hub.cli.setting import checked

    export(checked(config), kind, group, separator)


@people_app.command("import")
def people_import(
    file: Annotated[Path, typer.Argument(help="A CSV or vCard file.")],
    kind: Annotated[str, typer.Option("--format", help="csv or vcard, where the file does not show it.")] = "",
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Prints a file's people as YAML for config/people/, and says what is wrong with it. Changes nothing."""
    from hub.cli.people import import_
    from hub.cli.setting import read

    import_(
        read(config)[0], file, kind, as_json
    )  # a file of the configuration may just be under way: `> people/x.yaml`


@journal_app.command("show")
def journal_show(
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


@journal_app.command("verify")
def journal_verify(config: ConfigOption = CONFIG, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Whether every record is there and as it was written."""
    from hub.cli.journal import verify
    from hub.cli.setting import journal_of, read

    verify(journal_of(read(config)[0], data), as_json)


def main() -> None:
    """Entry point of the `vigie` script."""
    app()
