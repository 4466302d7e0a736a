"""`vigie playbook list|history|show`: read from the journal, whether or not the hub is up."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from hub.cli import say
from hub.cli.look import journal_of
from hub.cli.standing import in_force, state_of
from hub.engine.state import State
from hub.findings import choice
from hub.journal.reader import Reader
from hub.model.records import ChangeReverted, Fact, Installed, ModeSet, Retired
from hub.playbook.diff import differences
from hub.playbook.language import Playbook
from hub.playbook.load import load

SHORT = 8  # digits of a version that are shown


class Sheet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sheet in force. `mode`: what counts; `file_mode`: what its file says, where an act says otherwise."""

    name: str
    mode: str
    version: str
    since: str
    by: str = ""
    how: str = ""
    file_mode: str = ""
    mode_by: str = ""
    mode_why: str = ""
    open: int = 0
    open_in_shadow: int = 0


class Happening(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was done to a sheet. `said`: why; `different`: what was from then on, in words."""

    at: str
    what: str
    version: str = ""
    by: str = ""
    said: str = ""
    different: tuple[str, ...] = ()


def listed(journal: Path, as_json: bool) -> None:
    with journal_of(journal) as reader:
        state = state_of(reader)
        sheets = [_sheet(state, name, fact) for name, fact in in_force(reader, state, "playbook").items()]
    if as_json:
        for sheet in sheets:
            say.json_line(sheet)
        return
    say.table(
        (
            sheet.name,
            sheet.mode if not sheet.file_mode else f"{sheet.mode} (file: {sheet.file_mode})",
            sheet.version[:SHORT],
            f"since {sheet.since}",
            _by(sheet.by, sheet.how),
            ", ".join(_open(sheet)),
        )
        for sheet in sorted(sheets, key=lambda sheet: sheet.name)
    )


def _sheet(state: State, name: str, fact: Fact) -> Sheet:
    body, changed = fact.body, state.modes.get(name)
    assert isinstance(body, Installed)
    shadow = state.shadow or State()
    return Sheet(
        name=name,
        mode=changed.mode if changed is not None else body.mode,
        version=body.version,
        since=_at(fact),
        by=body.by,
        how=body.how,
        file_mode=body.mode if changed is not None else "",
        mode_by=changed.by if changed is not None else "",
        mode_why=changed.why if changed is not None else "",
        open=sum(i.playbook == name and not i.ended for i in state.incidents.values()),
        open_in_shadow=sum(i.playbook == name and not i.ended for i in shadow.incidents.values()),
    )


def _open(sheet: Sheet) -> Iterator[str]:
    if sheet.open:
        yield f"{sheet.open} open"
    if sheet.open_in_shadow:
        yield f"{sheet.open_in_shadow} open in shadow"
    if sheet.file_mode:
        yield f"{sheet.mode} by {sheet.mode_by} ({sheet.mode_why})"


def history(journal: Path, name: str, as_json: bool) -> None:
    with journal_of(journal) as reader:
        happenings = list(_happenings(reader, name))
        if not happenings:
            _unknown(reader, name)
    for one in happenings:
        if as_json:
            say.json_line(one)
        else:
            said = f": {one.said}" if one.said else ""
            say.line(f"{one.at}  {one.what} {one.version[:SHORT]}".rstrip() + f" {one.by}".rstrip() + said)
            for words in one.different:
                say.line(f"    {words}")


def _happenings(reader: Reader, name: str) -> Iterator[Happening]:
    facts = reader.about(("installed", "retired"), f"playbook/{name}") + reader.about(("mode-set",), name)
    facts += [
        r for fact in facts if isinstance(fact.body, ModeSet) for r in reader.about(("change-reverted",), fact.id)
    ]
    before: Playbook | None = None
    for fact in sorted(facts, key=lambda fact: fact.id):
        match fact.body:
            case Installed() as new:
                sheet, _ = load(new.text, name)
                different = tuple(differences(before, sheet)) if before is not None and sheet is not None else ()
                by = _by(new.by, new.how)
                yield Happening(at=_at(fact), what=new.mode, version=new.version, by=by, different=different)
                before = sheet or before
            case Retired() as gone:
                yield Happening(at=_at(fact), what="taken out of force", by=_by(gone.by, gone.how))
            case ModeSet() as act:
                yield Happening(
                    at=_at(fact), what=f"{act.mode}, whatever the file says,", by=f"by {act.by}", said=act.why
                )
            case ChangeReverted() as act:
                yield Happening(at=_at(fact), what="as the file says again", by=f"by {act.by}", said=act.why)
            case _:
                pass


def show(journal: Path, name: str, version: str) -> None:
    with journal_of(journal) as reader:
        found = version_of(reader, name, version)
    say.text(found.text)


def version_of(reader: Reader, name: str, version: str) -> Installed:
    """A sheet in a version, by its beginning; in the newest where none is named. Ends the command where there is
    none."""
    facts = reader.about(("installed",), f"playbook/{name}")
    versions = [fact.body for fact in facts if isinstance(fact.body, Installed)]
    if not versions:
        _unknown(reader, name)
    meant = [body for body in versions if body.version.startswith(version)]
    if not meant:
        known = ", ".join(dict.fromkeys(body.version[:SHORT] for body in versions))
        say.could_not(f"{name} has no version {version}: there are {known} (`vigie playbook history {name}`)")
    if len({body.version for body in meant}) > 1 and version:
        say.could_not(f"{name} has several versions that begin with {version}: write more of it")
    return meant[-1]


def _unknown(reader: Reader, name: str) -> None:
    names = [known.partition("/")[2] for known in state_of(reader).in_force if known.startswith("playbook/")]
    say.could_not(f'no sheet "{name}" was ever in force: {choice(name, names, "there are")}')


def _by(by: str, how: str) -> str:
    return f"by {by} ({how})" if by and how else f"by {by}" if by else ""


def _at(fact: Fact) -> str:
    return f"{fact.at:%Y-%m-%d %H:%M}Z"
