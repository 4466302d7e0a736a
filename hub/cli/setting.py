"""The configuration a command works with."""

import os
from collections.abc import Iterable
from pathlib import Path

from hub.cli import say
from hub.clock import wall
from hub.config import Config, load, load_hub
from hub.config.forms import HubForm
from hub.findings import Finding, errors
from hub.model.people import Language
from hub.view import language_of
from hub.yaml import Scalar
from hub.yaml import read as read_yaml


def checked(folder: Path) -> Config:
    """The configuration, or the end of the command with everything that is wrong with it."""
    config, findings = read(folder)
    if errors(findings):
        show(findings)
        say.could_not(f"{folder}: {len(errors(findings))} errors: mend them first (`vigie check` shows them again)")
    return config


def running(folder: Path) -> Config:
    """The configuration as far as it takes to ask the running hub (hub.yaml): whatever else is wrong, an officer can
    act, and need not wait until the rest is read."""
    config, findings = load_hub(_there(folder))
    if wrong := errors(findings):
        show(wrong)
        say.could_not(f"{folder}/hub.yaml: it says where the hub is: mend it first")
    return config


def where(folder: Path) -> Config:
    """The configuration as far as it takes to find the journal, whatever is wrong with it."""
    return load_hub(_there(folder))[0]


def read(folder: Path) -> tuple[Config, list[Finding]]:
    return load(_there(folder), today=f"{wall():%Y-%m-%d}")


def _there(folder: Path) -> Path:
    if not folder.is_dir():
        say.could_not(f"{folder}: no such folder: name the one with hub.yaml, --config DIR")
    return folder


def playbooks_of(folder: Path) -> Path:
    """The folder of reflex sheets, without reading all of a configuration."""
    written = HubForm().playbooks
    if (folder / "hub.yaml").is_file():
        node = read_yaml((folder / "hub.yaml").read_bytes(), "hub.yaml").at("playbooks")
        written = node.text if isinstance(node, Scalar) else written
    return (folder / written).resolve()


def show(findings: Iterable[Finding]) -> None:
    for finding in findings:
        say.error(finding.render())


def language_asked(language: Language | None) -> str:
    """The language asked for, else that of the terminal."""
    return language or language_of(os.environ)


def journal_of(config: Config, data: Path | None) -> Path:
    """The journal's file: in the folder given, else where hub.yaml says."""
    return data / "journal.db" if data is not None else config.path(config.hub.journal)
