"""`vigie init` and `vigie phones`: from an empty disk to a hub that can be tried."""

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import CONFIG, ConfigOption
from hub.model.people import Language
from hub.starter import Provider

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new folder.")],
    answers: Annotated[Path | None, typer.Option("--answers", help="YAML with the answers; see docs/init.md.")] = None,
    name: Annotated[str, typer.Option("--name", help="The centre's name.")] = "",
    language: Annotated[Language | None, typer.Option("--language", help="Its first language.")] = None,
    country: Annotated[str, typer.Option("--country", help="Two letters: BE.")] = "",
    zone: Annotated[str, typer.Option("--zone", help="Time zone: Europe/Brussels.")] = "",
    area: Annotated[str, typer.Option("--area", help="The area it watches over.")] = "",
    shape: Annotated[str, typer.Option("--shape", help="A GeoJSON file with its outline; no: none.")] = "",
    officer: Annotated[
        list[str] | None, typer.Option("--officer", help='"NAME, PHONE, MAIL, LANGUAGE", once for each.')
    ] = None,
    provider: Annotated[Provider | None, typer.Option("--provider", help="Who carries messages.")] = None,
    sender: Annotated[str, typer.Option("--sender", help="The number SMS come from.")] = "",
    account: Annotated[str, typer.Option("--account", help="Twilio's account SID.")] = "",
    url: Annotated[str, typer.Option("--url", help="Where the provider takes SMS (http-sms).")] = "",
    public: Annotated[str, typer.Option("--public", help="The hub's address as providers reach it; no: none.")] = "",
    mail_server: Annotated[str, typer.Option("--mail-server", help="SMTP host; no: none.")] = "",
    mail_from: Annotated[str, typer.Option("--mail-from", help="Whom mails come from.")] = "",
    warnings: Annotated[str, typer.Option("--warnings", help="A feed of CAP warnings; no: none.")] = "",
) -> None:
    """A new centre's folder: a configuration that checks clean, two sheets with tests. Asks what is not given."""
    from hub.cli.init import init as run_it
    from hub.starter.given import Given

    given = Given(
        name=name, language=language, country=country, zone=zone, area=area, shape=shape, provider=provider,
        sender=sender, account=account, url=url, public=public, mail_server=mail_server, mail_from=mail_from,
        warnings=warnings,
    )  # fmt: skip
    run_it(folder, given, answers, officer or [])


@app.command()
def phones(config: ConfigOption = CONFIG) -> None:
    """The phone simulator that the configuration's channels lead to, with everybody's phone on a page."""
    from hub.cli.phones import phones as run_it
    from hub.cli.setting import checked

    run_it(checked(config))
