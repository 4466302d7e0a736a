"""`vigie playbook diff A B`: sheets from files, in force, or as they were, and what is different in words."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from hub.cli import say
from hub.cli.look import journal_of
from hub.cli.playbook import version_of
from hub.cli.setting import journal_of as journal_path
from hub.cli.setting import read
from hub.cli.standing import state_of
from hub.config import Config
from hub.config.last_good import are_messages, is_sheet
from hub.findings import errors
from hub.journal.reader import Reader
from hub.model.message import Message
from hub.model.records import Fact, Installed
from hub.playbook.diff import differences, message_differences, messages_of
from hub.playbook.language import Playbook
from hub.playbook.load import load
from hub.playbook.messages import load_messages


class Side(Struct, frozen=True):
    """A sheet, and the messages there were beside it."""

    playbook: Playbook
    messages: Mapping[str, Message]


def diff(folder: Path, data: Path | None, old: str, new: str, as_json: bool) -> None:
    """`old` and `new`: a file, SHEET (in force) or SHEET@VERSION; without `new`, a sheet is compared with its file, and
    a file with what is in force in its place."""
    config, _ = read(folder)
    journal = journal_path(config, data)
    if new:
        one, other = _side(config, journal, old), _side(config, journal, new)
    elif _is_file(old):
        other = _side(config, journal, old)
        one = _side(config, journal, other.playbook.name)
    else:
        one = _side(config, journal, old)
        other = _from_text(config, *_file_of(config, one.playbook.name))
    said = differences(one.playbook, other.playbook)
    used = {*messages_of(one.playbook), *messages_of(other.playbook)}
    said += message_differences(one.messages, other.messages, used)
    if as_json:
        say.json_line(said)
        return
    for words in said:
        say.line(words)
    if not said:
        same = one.playbook.version == other.playbook.version
        say.line("the same" if same else "the same meaning, in another text")


def _is_file(text: str) -> bool:
    return text.endswith((".yaml", ".yml")) or "/" in text


def _side(config: Config, journal: Path, named: str) -> Side:
    if _is_file(named):
        try:
            text = Path(named).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            say.could_not(f"{named}: it cannot be read: {getattr(error, 'strerror', None) or error}")
        return _from_text(config, named, text)
    name, _, version = named.partition("@")
    with journal_of(journal) as reader:
        body = version_of(reader, name, version)
        messages = _messages_then(reader, name, body.version)
    return Side(_sheet(f"{name} (version {body.version[:8]}, from the journal)", body.text), messages)


def _from_text(config: Config, file: str, text: str) -> Side:
    return Side(_sheet(file, text), config.messages)


def _sheet(file: str, text: str) -> Playbook:
    playbook, findings = load(text, file)
    if playbook is None:
        for finding in errors(findings):
            say.error(finding.render())
        say.could_not(f"{file}: it has errors: mend them first")
    return playbook


def _file_of(config: Config, name: str) -> tuple[str, str]:
    """The file in which a sheet stands, and its text."""
    sheets = {found.name: (file, text) for file, text in config.texts.items() if (found := _read(file, text))}
    if name not in sheets:
        say.could_not(
            f'no file in {config.hub.playbooks} holds a sheet "{name}" without errors: name one (`vigie check`)'
        )
    return sheets[name]


def _read(file: str, text: str) -> Playbook | None:
    return load(text, file)[0] if is_sheet(file) else None


def _messages_then(reader: Reader, name: str, version: str) -> dict[str, Message]:
    """The messages as they were last while a version was in force."""
    facts = reader.about(("installed", "retired"), f"playbook/{name}")
    since = max(i for i, f in enumerate(facts) if isinstance(f.body, Installed) and f.body.version == version)
    until = facts[since + 1].id if since + 1 < len(facts) else None
    found: dict[str, Message] = {}
    for known in state_of(reader).in_force:
        what, _, file = known.partition("/")
        if what == "config" and are_messages(file) and (text := _text_then(reader, known, until)):
            found |= load_messages(text, file)[0] or {}
    return found


def _text_then(reader: Reader, name: str, until: str | None) -> str:
    before = [f for f in reader.about(("installed", "retired"), name) if until is None or f.id < until]
    newest: Fact | None = before[-1] if before else None
    return newest.body.text if newest is not None and isinstance(newest.body, Installed) else ""
