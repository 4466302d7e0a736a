"""`vigie call-list` and `vigie contacts`: who is on duty and how everybody is reached, on paper."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, AtOption, ByOption, ConfigOption, JsonOption, LanguageOption, act
from hub.model.people import Language

app = typer.Typer()
OutOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Where to: FILE.pdf, FILE.html or FILE.txt; left out, on the terminal."),
]


@app.command("call-list")
def call_list(
    hours: Annotated[int, typer.Option("--hours", min=1, max=24 * 14, help="How far it looks ahead.")] = 72,
    at: AtOption = None,
    language: LanguageOption = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="Marked as an exercise on every page.")] = False,
    output: OutOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Who is on duty in the next hours, every chain, and all numbers: for when everything else is down."""
    from hub.cli.contacts import call_list
    from hub.cli.look import instant
    from hub.cli.setting import checked

    call_list(checked(config), instant(at), hours, language or Language.FR, exercise, output)


@app.command("contacts")
def contacts(
    reader: Annotated[str, typer.Option("--for", help="The person or organisation it is for: they see what they may.")],
    roster: Annotated[list[str] | None, typer.Option("--roster", help="Who is on duty there.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="Its people.")] = None,
    organisation: Annotated[list[str] | None, typer.Option("--organisation", help="Its people and desks.")] = None,
    at: AtOption = None,
    language: LanguageOption = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="Marked as an exercise on every page.")] = False,
    output: OutOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Who is on duty where and how they are reached, as much of it as a partner may see. Sends nothing."""
    from hub.cli.contacts import contacts
    from hub.cli.look import instant
    from hub.cli.setting import checked

    asked = {"roster": roster or [], "group": group or [], "organisation": organisation or []}
    contacts(checked(config), asked, reader, instant(at), language, exercise, output)


@app.command("send-contacts")
def send_contacts(
    of: Annotated[list[str], typer.Argument(help='Whose: "roster NAME", a group, "organisation NAME", "person NAME".')],
    to: Annotated[list[str], typer.Option("--to", help="Who gets them, named likewise; each what they may see.")],
    by: ByOption,
    over: Annotated[list[str] | None, typer.Option("--over", help="Channels: email (as it is left out), sms.")] = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="Marked as an exercise.")] = False,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Sends the contact sheet, through the running hub: by mail with the PDF, by SMS the names and numbers."""
    body = {"contacts": of, "to": to, "by": by, "channels": over or ["email"], "exercise": exercise}
    act(config, "/api/contacts", body, as_json)
