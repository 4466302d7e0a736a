"""What an officer does with the running hub: through its API, so that there is one writer."""

import sys
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, JsonOption, WhyOption, act

app = typer.Typer()


@app.command()
def start(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    answers: Annotated[list[str] | None, typer.Argument(help="What it asks for: name=value ...")] = None,
    by: ByOption = "duty-officer",
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Starts a reflex sheet by hand, through the running hub. On a terminal, what is not given is asked."""
    from hub.cli.acts import answers_of, ask_for_the_rest
    from hub.cli.setting import checked

    given = answers_of(answers or [])
    if sys.stdin.isatty():
        given = ask_for_the_rest(checked(config), sheet, given)
    act(config, "/api/start", {"sheet": sheet, "by": by, "answers": given}, as_json)


@app.command("stop-all")
def stop_all(by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Nothing more goes out until it is lifted."""
    act(config, "/api/stop-all", {"by": by, "why": why}, as_json)


@app.command()
def lift(by: ByOption, why: WhyOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Lets things go out again after stop-all."""
    act(config, "/api/lift", {"by": by, "why": why}, as_json)


@app.command()
def end(
    incident: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Ends an incident: its chains stop, and who was reached hears the all-clear."""
    act(config, f"/api/incidents/{incident}/end", {"by": by, "why": why}, as_json)


@app.command()
def tick(
    task: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A task is done."""
    act(config, f"/api/tasks/{task}/done", {"by": by}, as_json)


@app.command()
def reload(by: ByOption, config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Puts in force what stands in the files now (where hub.yaml says `reload on save: no`, or not to wait)."""
    act(config, "/api/reload", {"by": by}, as_json)


@app.command()
def grade(
    signal: Annotated[str, typer.Argument(help="Its id, as `vigie journal show` and `vigie why` name it.")],
    credibility: Annotated[
        str,
        typer.Argument(
            help="1 confirmed, 2 probably true, 3 possibly true, 4 doubtful, 5 improbable, 6 cannot be judged; "
            '"rules": as the rules have it again.'
        ),
    ],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Says how far a signal is to be believed, above all rules: sheets that wait for that begin, or hear of doubt."""
    if credibility not in ("1", "2", "3", "4", "5", "6", "rules"):
        raise typer.BadParameter(f'"{credibility}" is no credibility: write 1 to 6, or "rules"')
    number = None if credibility == "rules" else int(credibility)
    act(config, f"/api/signals/{signal}/grade", {"by": by, "why": why, "credibility": number}, as_json)


@app.command()
def acknowledge(
    alarm: Annotated[str, typer.Argument(help="Its id, as the status shows it.")],
    by: ByOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Somebody has seen an alarm of the room: it no longer stands."""
    act(config, f"/api/alarms/{alarm}/acknowledge", {"by": by}, as_json)
