"""A scenario: a day that somebody wrote, to be played with all the sheets that are live, or with some."""

from pathlib import PurePath
from typing import Annotated

from msgspec import Meta, Struct

from hub.binding import Word, bind
from hub.config import Config
from hub.drill.checking import Fetch, check_play
from hub.drill.play import Play, PlayForm, play_of
from hub.drill.suite import names_of
from hub.findings import Finding, choice, errors
from hub.playbook.language import Mode
from hub.yaml import read


class ScenarioForm(PlayForm, frozen=True, kw_only=True):
    """A scenario: drills/NAME.yaml."""

    title: Annotated[str | None, Meta(description="What stands above its story")] = None
    sheets: Annotated[tuple[Word, ...], Meta(description="The only sheets in force; else all live ones")] = ()


class Scenario(Struct, frozen=True, kw_only=True):
    """A scenario, ready to be played."""

    title: str
    play: Play


def load_scenario(text: str | bytes, file: str, config: Config, fetch: Fetch) -> tuple[Scenario | None, list[Finding]]:
    """The scenario of a file (None where it has an error), and all that is wrong with it."""
    document = read(text, file)
    form = bind(document, document.root, ScenarioForm) if document.root is not None or not document.findings else None
    scenario: Scenario | None = None
    if form is not None:
        known = {sheet.name: sheet for sheet in config.playbooks}
        for position, name in enumerate(form.sheets):
            if name not in known:
                place = document.at("sheets", position)
                document.add(place, "unknown-sheet", f'there is no sheet "{name}"', choice(name, sorted(known)))
        sheets = form.sheets or tuple(name for name, sheet in known.items() if sheet.mode is Mode.LIVE)
        files = check_play(document, (), form, names_of(config, sheets), fetch)
        for position, given in enumerate(form.given):
            if given.start is not None and given.sheet not in sheets:
                place = document.at("given", position, "sheet") or document.at("given", position)
                said = f'no sheet "{given.sheet}" is in force here' if given.sheet else "which sheet is started?"
                remedy = (
                    choice(given.sheet, sheets) if given.sheet else f"write sheet: beside start: {', '.join(sheets)}"
                )
                document.add(place, "unknown-sheet", said, remedy)
        if not errors(document.findings):
            title = form.title or PurePath(file).stem
            scenario = Scenario(title=title, play=play_of(title, form, files, form.sheets or None))
    return scenario, sorted(document.findings, key=lambda f: (f.line, f.column))
