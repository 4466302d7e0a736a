"""`vigie chain`: an officer steers a chain under way."""

from typing import Annotated

import typer

from hub.cli.options import CONFIG, ByOption, ConfigOption, JsonOption, WhyOption, act

app = typer.Typer(help="Steer a chain of the running hub.", no_args_is_help=True)


def _steering(word: str, summary: str) -> None:
    """A command of `vigie chain` for an act that takes nothing but who and why."""

    def steer(
        run: Annotated[str, typer.Argument(help="The chain's id, as the status shows it.")],
        by: ByOption,
        why: WhyOption,
        config: ConfigOption = CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        act(config, f"/api/chains/{run}/{word}", {"by": by, "why": why}, as_json)

    app.command(word, help=summary)(steer)


_steering("hold", "Nobody more is asked until it is resumed; who answers meanwhile counts.")
_steering("resume", "A held chain goes on.")
_steering("cancel", "The chain stops; who was disturbed is told so.")
_steering("again", "A chain that has ended begins again; nobody who accepted is asked again.")


@app.command("hand-over")
def hand_over(
    run: Annotated[str, typer.Argument(help="The chain's id, as the status shows it.")],
    to: Annotated[str, typer.Option("--to", help="A person who has agreed to take over, or another chain.")],
    by: ByOption,
    why: WhyOption,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """A person who has agreed takes over, or another chain goes on."""
    act(config, f"/api/chains/{run}/hand-over", {"by": by, "why": why, "to": to}, as_json)
