"""`vigie check`: everything that is wrong with a configuration and its sheets, at once."""

from pathlib import Path

from hub.cli import say
from hub.cli.changes import not_in_files
from hub.cli.setting import read, show
from hub.config import check_addresses
from hub.connector import Environment
from hub.findings import Finding, errors
from hub.playbook.load import load


def check(paths: list[Path], folder: Path, as_json: bool) -> None:
    """Without paths the whole configuration; with paths those sheets, by themselves. Exits 1 where there are errors."""
    findings = _sheets(paths) if paths else _whole(folder)
    if as_json:
        for finding in findings:
            say.json_line(finding)
    else:
        show(findings)
        wrong = len(errors(findings))
        say.line(f"{wrong} errors, {len(findings) - wrong} warnings")
    say.done(bool(errors(findings)))


def _sheets(paths: list[Path]) -> list[Finding]:
    findings: list[Finding] = []
    for path in paths:
        files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        for file in files:
            if file.name.endswith(".test.yaml"):
                continue
            try:
                findings += load(file.read_bytes(), str(file))[1]
            except OSError as error:
                say.could_not(f"{file}: {error.strerror}")
    return findings


def _whole(folder: Path) -> list[Finding]:
    config, findings = read(folder)
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
    return findings + check_addresses(config, channels) + not_in_files(config)
