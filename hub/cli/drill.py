"""`vigie drill`: a scenario or a sheet, played by the whole hub in virtual time and told as a story."""

import logging
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.cli import say
from hub.cli.setting import checked, show
from hub.config import Config
from hub.drill.debrief import debrief
from hub.drill.page import page_of
from hub.drill.play import Play
from hub.drill.scenario import load_scenario
from hub.drill.signals import CannotPlay
from hub.drill.stage import perform
from hub.drill.story import Names, story_of
from hub.drill.suite import ENDING, load_suite
from hub.drill.tell import console, told
from hub.drill.timeline import Timeline
from hub.drill.words import DrillWords
from hub.drill.worst import worst_case
from hub.findings import errors
from hub.garbage import collect_rarely
from hub.logs import configure_log
from hub.model.people import Language
from hub.playbook.language import Playbook


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be played. `until_s`: at least so long; `worst`: a case that nobody has written."""

    title: str
    play: Play
    until_s: float = 0.0
    worst: bool = False


def drill(wanted: str, folder: Path, *, test: str, page: Path | None, language: str, as_json: bool) -> None:
    """Exits 1 where what is to be played has faults, 2 where it cannot be played."""
    configure_log(logging.CRITICAL)  # what the hub warns of is what the story tells
    config = checked(folder)
    collect_rarely()
    found = find(config, wanted, test)
    try:
        timeline = perform(config, found.play, found.until_s)
    except CannotPlay as problem:
        say.could_not(f"{wanted}: {problem}")
    words = DrillWords(language)
    notes = [words("virtual"), *([words("worst")] if found.worst else [])]
    present(config, timeline, found.title, words, notes=notes, page=page, as_json=as_json)


def present(
    config: Config,
    timeline: Timeline,
    title: str,
    words: DrillWords,
    *,
    notes: list[str],
    page: Path | None,
    as_json: bool,
    banner: str = "",
) -> None:
    """The story in the terminal, or as JSON; and as a page where one is wanted."""
    names = names_in(config, words.language)
    story, debriefing = story_of(timeline, title, words, names), debrief(timeline)
    if page is not None:
        text = page_of(story, debriefing, words, names, banner=banner or words("drill").upper(), notes=notes)
        try:
            page.write_text(text, "utf-8")
        except OSError as error:
            say.could_not(f"{page}: cannot be written: {error.strerror}")
    if as_json:
        say.json_line(
            {
                "title": title,
                "begins": story.begins,
                "lasts_s": story.lasted_s,
                "moments": [msgspec.to_builtins(moment) for moment in timeline.moments],
                "debriefing": msgspec.to_builtins(debriefing),
            }
        )
        return
    out = console()
    out.print(told(story, debriefing, words, names))
    for note in notes:
        out.print(note, style="dim", markup=False)
    if page is not None:
        out.print(str(page), markup=False)


def names_in(config: Config, language: str) -> Names:
    people = {person.id: person.name for person in config.directory().people.values()}
    wanted = Language(language)
    sheets = {sheet.name: sheet.title.get(wanted) or sheet.name for sheet in config.playbooks}
    return Names(people=people, sheets=sheets, zone=config.hub.zone)


# --- what is to be played ----------------------------------------------------------------------------------


def find(config: Config, wanted: str, test: str) -> Found:
    """A scenario's file, or a sheet: its file or its name. Ends the command where there is none."""
    path = Path(wanted)
    sheet = _sheet(config, wanted)
    if sheet is not None:
        return _of_sheet(config, sheet, test)
    if not path.is_file():
        names = ", ".join(sorted(one.name for one in config.playbooks))
        say.could_not(f"{wanted}: neither a file nor a sheet: name a scenario (drills/…), or a sheet: {names}")
    if test:
        say.could_not("--test is for sheets: a scenario has no tests")
    scenario, findings = load_scenario(
        path.read_bytes(), str(path), config, lambda name: (path.parent / name).read_bytes()
    )
    show(findings)
    if scenario is None:
        say.done(True)
    return Found(title=scenario.title, play=scenario.play)


def _sheet(config: Config, wanted: str) -> Playbook | None:
    path = Path(wanted)
    of_file = path.stem.removesuffix(".test") if path.suffix == ".yaml" else ""
    here = path.resolve().parent == config.path(config.hub.playbooks).resolve()
    return next((s for s in config.playbooks if s.name == wanted or (here and s.name == of_file)), None)


def _of_sheet(config: Config, sheet: Playbook, test: str) -> Found:
    file = config.path(config.hub.playbooks) / f"{sheet.name}{ENDING}"
    if not file.is_file():
        if test:
            say.could_not(f"{sheet.name} has no tests: there is no {file}")
        try:
            play = worst_case(config, sheet)
        except CannotPlay as problem:
            say.could_not(str(problem))
        return Found(title=play.name, play=play, worst=True)
    suite, findings = load_suite(file.read_bytes(), str(file), config, lambda name: (file.parent / name).read_bytes())
    show(findings)
    if errors(findings):
        say.done(True)
    tests = [one for one in suite.tests if test in one.name]
    if not tests:
        names = "; ".join(one.name for one in suite.tests)
        say.could_not(f'{file}: no test\'s name contains "{test}": {names}' if test else f"{file}: there are no tests")
    chosen = next((one for one in tests if one.name == test), tests[0])
    title = f"{names_in(config, 'fr').sheet(sheet.name)}: {chosen.name}"
    return Found(title=title, play=replace(chosen.play, name=title), until_s=chosen.until_s)
