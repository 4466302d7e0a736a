"""`vigie playbook diagram`: a reflex sheet as a picture."""

from pathlib import Path

from hub.cli import say
from hub.cli.setting import read, show
from hub.config import Config
from hub.findings import choice, errors, tally
from hub.model.people import Language
from hub.playbook.diagram import diagram as drawing
from hub.playbook.language import Playbook
from hub.playbook.load import load


def diagram(folder: Path, sheet: str, output: Path | None, language: Language) -> None:
    """Draws a sheet of the configuration by its name, or one in a file; without either all of the configuration. Its
    chains are the configuration's, where that can be read."""
    file = Path(sheet)
    given = bool(sheet) and (file.suffix == ".yaml" or file.is_file())
    config = read(folder)[0] if folder.is_dir() or not given else None
    areas = config.geography.places.values() if config is not None and config.geography is not None else ()
    names, chains = {place.id: place.names for place in areas}, config.chains if config is not None else {}
    if not sheet and config is not None:
        if output is None:
            say.could_not("all sheets are drawn into a folder: name it, -o FOLDER; or name one sheet")
        for playbook in config.playbooks:
            _write(output / f"{playbook.name}.svg", drawing(playbook, language, chains, names))
        say.line(f"{len(config.playbooks)} sheets drawn in {output}")
        return
    svg = drawing(_of_file(file) if given else _named(config, sheet), language, chains, names)
    if output is None:
        say.text(svg)
    else:
        _write(output, svg)


def _write(output: Path, svg: str) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(svg, encoding="utf-8")
    except OSError as error:
        say.could_not(f"{output}: cannot be written: {error.strerror}")


def _of_file(file: Path) -> Playbook:
    try:
        playbook, findings = load(file.read_bytes(), str(file))
    except OSError as error:
        say.could_not(f"{file}: {error.strerror}")
    if playbook is None:
        show(errors(findings))
        say.could_not(f"{file}: {tally(errors(findings))}: mend them first")
    return playbook


def _named(config: Config | None, sheet: str) -> Playbook:
    known = {playbook.name: playbook for playbook in config.playbooks} if config is not None else {}
    if sheet not in known:
        say.could_not(f"{sheet}: no such sheet, nor a file: {choice(sheet, known, 'the sheets are')}")
    return known[sheet]
