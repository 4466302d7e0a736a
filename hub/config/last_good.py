"""Reading config/ for a hub that is to come up, or goes on: where a file has a fault, its last good version stands in
for it, as long as the whole goes together.

A file is put back alone, those that others build on first (people before chains, chains before sheets), and everything
is checked again with it: whatever had only followed from that fault is then right, or is let go again in the end.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from hub.config.loading import load
from hub.config.whole import Config, Lookup, installed
from hub.findings import Finding, errors

FIXED = ("hub.yaml", "channels.yaml", "sources.yaml")  # what a hub is started with

LastGood = Callable[[str], str | None]
"""For a file, by its name in `Config.texts`, the text that was in force last; None where there was none."""


class Good(Struct, frozen=True, kw_only=True):
    """`config`: None where what is there does not go together. `wrong`: the faults of the files that others stand in
    for, or that are left out; without a configuration, what is wrong with the whole. `left_out`: sheets of which there
    was no good version."""

    config: Config | None
    wrong: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()


def load_good(
    folder: Path,
    last_good: LastGood,
    replaceable: Callable[[str], bool],
    *,
    held: Mapping[str, str | None] | None = None,
    today: str = "",
    lookup: Lookup = installed,
    leave_out: bool = False,
) -> Good:
    """The configuration with what had to be put back. `replaceable`: whether a file may be; `held`: texts that are
    taken in any case; `leave_out`: a sheet, or dossiers, that do not go even as they were in force last are
    left out."""
    held = dict(held or {})
    wrong: dict[str, list[Finding]] = {}  # by the files that were put back, in that order
    while True:
        config, findings = load(folder, lookup, today, held)
        by_file: dict[str, list[Finding]] = {}
        for fault in errors(findings):
            by_file.setdefault(name_of(fault.file, config), []).append(fault)
        if not by_file:
            break
        fresh = [name for name in by_file if name not in held and replaceable(name)]
        gone = [name for name in by_file if leave_out and may_be_left_out(name) and held.get(name) is not None]
        if fresh:
            first = min(map(_rank, fresh))
            for name in [name for name in fresh if _rank(name) == first]:
                held[name], wrong[name] = last_good(name), by_file[name]
        elif gone:
            held |= dict.fromkeys(gone)
        else:
            told = [fault for faults in wrong.values() for fault in faults]
            return Good(
                config=None, wrong=(*told, *(f for faults in by_file.values() for f in faults if f not in told))
            )
    for name in list(wrong) if len(wrong) > 1 else ():
        without = {other: text for other, text in held.items() if other != name}
        again, findings = load(folder, lookup, today, without)
        if not errors(findings):  # its faults had only followed from another's
            config, held = again, without
            del wrong[name]
    left_out = [name for name in wrong if held[name] is None]
    return Good(config=config, wrong=tuple(f for faults in wrong.values() for f in faults), left_out=tuple(left_out))


def name_of(file: str, config: Config) -> str:
    """A file's name in `Config.texts`, from how a finding names it."""
    name = file.removeprefix(f"{config.folder.name}/")
    return file if file in config.texts else name


def is_sheet(name: str) -> bool:
    """Whether this is a reflex sheet."""
    return _rank(name) == len(_ORDER) and name not in FIXED


def may_be_left_out(name: str) -> bool:
    """Whether a hub comes up without this file: better that than not at all."""
    return is_sheet(name) or name == "dossiers.yaml"


def are_messages(name: str) -> bool:
    """Whether this is a file of messages."""
    return _rank(name) == _ORDER.index(("messages",))


_ORDER = (
    ("areas",),
    ("gazetteer",),
    ("people", "registered"),
    ("rosters",),
    ("chains",),
    ("messages",),
    ("followers",),
    ("dossiers",),
)


def _rank(name: str) -> int:
    """The lower, the more builds on it."""
    first = name.split("/", 1)[0].removesuffix(".yaml")
    return next((rank for rank, names in enumerate(_ORDER) if first in names), len(_ORDER))
