"""The hook that a centre adds to its own repository, run by pre-commit itself. How it installs the hub is pre-commit's
own affair and takes a minute: here it finds the one that is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT

BIN = Path(sys.executable).parent
git, pre_commit = shutil.which("git"), BIN / "pre-commit"
pytestmark = pytest.mark.skipif(not git or not pre_commit.exists(), reason="git or pre-commit is not installed")


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A centre's repository, with the hook of this one."""
    yaml = YAML(typ="safe", pure=True)
    (hook,) = yaml.load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["language"] == "python"
    folder = tmp_path / "centre"
    for name in ("config", "playbooks"):
        shutil.copytree(ROOT / name, folder / name)
    with (folder / ".pre-commit-config.yaml").open("w") as file:
        yaml.dump({"repos": [{"repo": "local", "hooks": [hook | {"language": "system"}]}]}, file)
    run(folder, str(git), "init", "-q")
    run(folder, str(pre_commit), "install")
    run(folder, str(git), "add", "-A")
    return folder


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "author@example.org",
        "GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "author@example.org",
    }  # fmt: skip
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_good_sheet_is_committed_and_a_bad_one_is_not(centre: Path) -> None:
    done = run(centre, str(git), "commit", "-m", "first")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "vigie check" in done.stderr
    sheet = centre / "playbooks" / "extreme-weather.yaml"
    sheet.write_text(sheet.read_text("utf-8").replace("say: weather-ask", "say: weather-aks"), "utf-8")
    done = run(centre, str(git), "commit", "-am", "second")
    assert done.returncode == 1
    assert 'there is no message "weather-aks"' in done.stderr


def test_what_is_neither_sheet_nor_configuration_is_not_looked_at(centre: Path) -> None:
    run(centre, str(git), "commit", "-m", "first")
    (centre / "notes.md").write_text("words\n", "utf-8")
    run(centre, str(git), "add", "-A")
    done = run(centre, str(git), "commit", "-m", "notes")
    assert done.returncode == 0
    assert "no files to check" in done.stderr
