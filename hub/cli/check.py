"""`vigie check`: everything that is wrong with a configuration and its sheets, at once."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hub.cli import formats, say
from hub.cli.changes import Changes, not_in_files
from hub.cli.options import Format
from hub.cli.setting import journal_of, playbooks_of, read, show
from hub.clock import wall
from hub.config import Config, check_addresses
from hub.config.month import coming_month
from hub.config.recorded import (
    LOOKED_AT,
    SIGNALS_MAX,
    SIGNALS_MIN,
    Met,
    Recorded,
    askers,
    check_incidents,
    check_words,
    opened,
    words_met,
)
from hub.connector import Environment
from hub.findings import Finding, choice, errors, tally
from hub.journal import JournalError
from hub.journal.reader import open_reader
from hub.playbook.load import load
from hub.rulebook import JOURNAL, ROOM, RULES
from hub.waivers import settle


def check(
    paths: list[Path], folder: Path, form: Format, strict: bool = False, words: bool = False, data: Path | None = None
) -> None:
    """Without paths the whole configuration; with paths what is wrong with those files of it, or, where they are none
    of it, with those sheets by themselves. Exits 1 where there are errors; `strict`: also for warnings."""
    for path in paths:
        if not path.exists():
            say.could_not(f"{path}: there is no such file or folder")
    within = _Within(folder)
    inside = [path for path in paths if within.has(path)]
    findings = [finding for path in paths if path not in inside for finding in _alone(path)]
    met: list[Met] = []
    if inside or not paths:
        whole, met = _whole(folder, data)
        wanted = {path.resolve() for path in inside}
        findings += [f for f in whole if not paths or _is_in(within.path(f.file).resolve(), wanted)]
    match form:
        case Format.JSON:
            for finding in findings:
                say.json_line(finding)
        case Format.GITHUB:
            for annotation in formats.github(findings, within.path):
                say.line(annotation)
        case Format.SARIF:
            say.text(formats.sarif(findings, within.path) + "\n")
        case Format.PEOPLE:
            show(findings)
            _tell_words(met, words)
            say.line(tally(findings))
    say.done(bool(findings if strict else errors(findings)))


def explain(rule: str) -> None:
    """What a rule means, and whether it can be waived."""
    known = RULES.get(rule)
    if known is None:
        say.could_not(f'there is no rule "{rule}": {choice(rule, RULES, "a rule can be")}')
    say.line(f"{rule} ({known.subject})")
    say.line(f"  {known.meaning}")
    if known.warns:
        say.line(f"  Where it is a warning and meant: # vigie: allow {rule}, because ...")
        if rule in ("overlap", "quiet-circle"):
            say.line(f"  with the other's name: # vigie: allow {rule} with SHEET, because ...")
    else:
        say.line("  It cannot be waived.")


def _is_in(path: Path, wanted: set[Path]) -> bool:
    return path in wanted or any(folder in path.parents for folder in wanted)


class _Within:
    """Where the files of a configuration lie."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder, playbooks_of(folder))

    def has(self, path: Path) -> bool:
        return any(_is_in(path.resolve(), {folder.resolve()}) for folder in self._folders)

    def path(self, file: str) -> Path:
        """Of the file of a finding, seen from the working directory."""
        first, _, rest = file.partition("/")
        for folder in self._folders:
            if rest and first == folder.resolve().name:
                return Path(os.path.relpath(folder / rest))
        return Path(file)


def _alone(path: Path) -> Iterator[Finding]:
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    for file in files:
        if file.name.endswith(".test.yaml"):
            continue
        try:
            text = file.read_bytes()
        except OSError as error:
            say.could_not(f"{file}: {error.strerror}")
        found = load(text, str(file))[1]
        yield from settle(found, {str(file): text.decode("utf-8", "replace")}, lambda rule: False)


def _whole(folder: Path, data: Path | None) -> tuple[list[Finding], list[Met]]:
    """Everything, and what the words in sheets and dossiers meet of what was recorded."""
    config, findings = read(folder)
    more, judged = _broken_channels(config, folder), set[str]()
    met: list[Met] = []
    if not errors(findings):
        now = wall()
        more += _month(config, data, now)
        judged |= {rule for rule in RULES if RULES[rule].asks == ROOM}
        recorded = _recorded(config, data, now)
        if recorded is not None:
            more += not_in_files(config, data)
            met = words_met(askers(config), recorded)
            more += check_words(config, met) + check_incidents(config, opened(config, recorded))
            enough = len(recorded) >= SIGNALS_MIN
            judged |= {rule for rule in RULES if RULES[rule].asks == JOURNAL and enough}
    texts = {document.file: config.texts[name] for name, document in config.documents.items()}
    settled = settle(more, texts, judged.__contains__)
    found = findings + [f for f in settled if f not in findings]
    return sorted(found, key=lambda f: (f.file, f.line, f.column)), met


def _month(config: Config, data: Path | None, now: datetime) -> list[Finding]:
    """With what was changed while running, where that can be read."""
    try:
        layers = Changes(config, data).layers
    except JournalError:
        return coming_month(config, config.directory(), config.rosters, now)
    return coming_month(config, layers.directory(config.directory()), layers.over(config.rosters), now)


def _recorded(config: Config, data: Path | None, now: datetime) -> Recorded | None:
    """The signals of the last month, read beside a running hub; None where there is no journal to be read."""
    journal = journal_of(config, data)
    if not journal.exists():
        return None
    try:
        with open_reader(journal) as reader:
            return reader.signals_since(now - LOOKED_AT, SIGNALS_MAX)
    except JournalError as error:
        say.error(f"{error} (what was recorded is not looked at)")
        return None


def _tell_words(met: list[Met], each: bool) -> None:
    """What each list of words meets; `each`: and each word of it, where one asks for it."""
    if not met:
        if each:
            say.line("nothing asks for words, or nothing was recorded in the last month")
        return
    if not each:
        say.line(f"words were held against {met[0].of} recorded signals (--words shows what each meets)")
        return
    say.line(f"of {met[0].of} signals recorded in the last {LOOKED_AT.days} days:")
    for one in met:
        say.line(f"  {one.share:6.1%}  {one.sheet}, {one.key} of its condition {one.block + 1}")
        for phrase, count in sorted(one.phrases, key=lambda p: -p[1]):
            say.line(f"  {count / one.of:6.1%}    {phrase}")


def _broken_channels(config: Config, folder: Path) -> list[Finding]:
    """Channels that cannot be made, and addresses that the others refuse."""
    findings: list[Finding] = []
    channels = {}
    for name, chosen in config.channels.items():
        try:
            channels[name] = chosen.make(chosen.settings, Environment(name=name, secret=lambda _: "0" * 32))
        except Exception as error:  # a connector that cannot be made says so when it is run; here only addresses count
            findings.append(
                Finding(
                    file=f"{folder.name}/channels.yaml",
                    line=1,
                    column=1,
                    rule="broken-connector",
                    message=f"channel {name} cannot be made: {error}",
                    remedy="see its README",
                )
            )
    return findings + check_addresses(config, channels)
