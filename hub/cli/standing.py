"""What a journal says is in force, read beside the hub or before it comes up."""

import re
from pathlib import Path

import msgspec

from hub.config.last_good import are_messages, is_sheet, may_be_left_out
from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.journal import JournalError
from hub.journal.reader import Reader, open_reader
from hub.model.records import Fact, Installed

PAGE = 2_000  # decisions read at a time

_decode_state = msgspec.msgpack.Decoder(State).decode
_NAME = re.compile(r"^playbook:\s*[\"']?([a-z0-9-]+)", re.MULTILINE)


def state_of(reader: Reader) -> State:
    """The state as the journal has it: its newest snapshot that can be read, and the decisions since."""
    state = State()
    snapshot = reader.load_snapshot()
    if snapshot is not None:
        try:
            state = _decode_state(snapshot.state)
        except msgspec.MsgspecError:
            state = State()  # of another version: everything is folded
    while decisions := reader.decisions(state.decision, PAGE):
        for decision in decisions:
            fold_decision(state, decision)
    return state


def in_force(reader: Reader, state: State, what: str) -> dict[str, Fact]:
    """What is in force of a kind (`playbook`, `config`), by name, with the fact that brought it."""
    names = [name.partition("/")[2] for name in state.in_force if name.startswith(f"{what}/")]
    facts = reader.get([state.in_force[f"{what}/{name}"].fact for name in names])
    return {name: fact for name, fact in zip(names, facts, strict=True) if isinstance(fact, Fact)}


class LastGood:
    """The texts of sheets, messages and dossiers that were in force last. Nothing where there is no journal, or none
    that can be read: whoever opens it says why."""

    def __init__(self, journal: Path) -> None:
        self._sheets: list[Installed] = []
        self._texts: dict[str, str] = {}
        try:
            with open_reader(journal) as reader:
                state = state_of(reader)
                sheets, files = in_force(reader, state, "playbook"), in_force(reader, state, "config")
        except JournalError:
            return
        self._sheets = [fact.body for fact in sheets.values() if isinstance(fact.body, Installed)]
        self._texts = {
            name: fact.body.text
            for name, fact in files.items()
            if (are_messages(name) or may_be_left_out(name)) and isinstance(fact.body, Installed)
        }

    def text(self, name: str, now: str) -> str | None:
        """Of a file, by its name in `Config.texts`; a sheet also by what it calls itself in its text of `now`, or by
        the file's name, as journals of before do not name files."""
        if not is_sheet(name):
            return self._texts.get(name)
        called = _NAME.search(now)
        names = [called[1] if called else "", Path(name).stem]
        by_file = [sheet for sheet in self._sheets if sheet.file == name]
        by_name = [sheet for wanted in names for sheet in self._sheets if not sheet.file and sheet.name == wanted]
        return next((sheet.text for sheet in (*by_file, *by_name)), None)

    def replaces(self, name: str) -> bool:
        """Whether the hub comes up without this file as it is. Without messages.yaml there are no words of its own."""
        return may_be_left_out(name) or (are_messages(name) and (name != "messages.yaml" or name in self._texts))
