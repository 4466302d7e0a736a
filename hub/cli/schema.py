"""`vigie schema`: the JSON Schema of what authors and operators write, and an editor set up with it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from hub.cli import say
from hub.cli.setting import playbooks_of, read
from hub.config import Config, workspace
from hub.config.schema import FILES, config_schema, file_schema
from hub.drill.play import TestsForm
from hub.playbook.schema import playbook_schema, schema_of

KINDS = ("playbook", "tests", *FILES, "config")


def schema(kind: str) -> None:
    """Prints the schema of a reflex sheet, of its tests, of one file of config/, or of the folder."""
    if kind not in KINDS:
        say.could_not(f'there is no schema of "{kind}": it is one of {", ".join(KINDS)}')
    say.line(json.dumps(made(kind), indent=2, ensure_ascii=False))


def made(kind: str) -> dict[str, Any]:
    """The schema of one of `KINDS`."""
    if kind == "playbook":
        return playbook_schema()
    if kind == "tests":
        return schema_of(TestsForm, "The tests of a reflex sheet of Vigie")
    return config_schema() if kind == "config" else file_schema(kind)


def write(folder: Path, config: Path, yes: bool) -> None:
    """Writes every schema and VS Code's settings into a folder. The schemas are ours and are renewed; settings that are
    there are kept and added to, after asking. Done again, it changes nothing."""
    if not folder.is_dir():
        say.could_not(f"{folder}: no such folder: name the one with config/ and playbooks/")
    known = read(config)[0] if config.is_dir() else None
    schemas = {kind: made(kind) for kind in KINDS if kind != "config"}
    changed = [_renew(folder / workspace.FOLDER / name, text) for name, text in workspace.files(schemas, known).items()]
    config_seen, sheets_seen = (os.path.relpath(path, folder) for path in (config, playbooks_of(config)))
    changed.append(
        _add(folder / workspace.SETTINGS, lambda before: workspace.settings(before, config_seen, sheets_seen), yes)
    )
    changed.append(_add(folder / workspace.EXTENSIONS, workspace.extensions, yes))
    say.line(f"{sum(changed)} files written, {len(changed) - sum(changed)} as they were")
    if known is None:
        say.line(f"{config}: no such folder: names that may be used are not offered (--config DIR)")


def files_for(config: Config | None, folder: Path, workspace_folder: Path) -> dict[str, str]:
    """The same for a folder in which nothing is yet: path in it → text. `folder`: with the configuration."""
    schemas = {kind: made(kind) for kind in KINDS if kind != "config"}
    seen = os.path.relpath(folder, workspace_folder)
    return {
        **{f"{workspace.FOLDER}/{name}": text for name, text in workspace.files(schemas, config).items()},
        workspace.SETTINGS: workspace.settings("", seen, "playbooks"),
        workspace.EXTENSIONS: workspace.extensions(""),
    }


def _renew(path: Path, text: str) -> bool:
    """Whether anything had to be written."""
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return True


def _add(path: Path, added: Callable[[str], str], yes: bool) -> bool:
    before = path.read_text("utf-8") if path.is_file() else ""
    try:
        text = added(before)
    except ValueError as error:
        say.could_not(
            f"{path}: cannot be added to: {error}: take comments and trailing commas out, or add by hand:\n{added('')}"
        )
    if before.strip() and json.loads(before) == json.loads(text):
        return False
    if before and not yes and not typer.confirm(f"{path} is there: add to it?"):
        say.could_not(f"{path} is left as it is (--yes adds without asking); what is needed:\n{added('')}")
    return _renew(path, text)
