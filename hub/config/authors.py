"""Who stands behind a file: the author of its last commit, where it lies in git as it was committed; else, as a hint
and no proof, whom the file belongs to."""

import os
import pwd
import subprocess
from pathlib import Path

from msgspec import Struct

GIT_S = 5.0


class Author(Struct, frozen=True):
    """`how` that is known: `git 1a2b3c4`, `owner of the file`; both `""` where nothing is."""

    by: str = ""
    how: str = ""


def author_of(path: Path) -> Author:
    """Plain and synchronous, and may take a moment: for a worker thread. Also of a file that is gone, from git."""
    return _by_git(path) or _by_owner(path)


def _by_git(path: Path) -> Author | None:
    """None where the file is not in git, was changed since its last commit, or there is no git."""
    if _git(path, "status", "--porcelain", "--", path.name) != "":
        return None
    said = _git(path, "log", "-1", "--format=%an%x00%h", "--", path.name)
    name, separator, commit = (said or "").partition("\0")
    return Author(name.strip(), f"git {commit.strip()}") if separator else None


def _git(path: Path, *words: str) -> str | None:
    """What git says of the folder's repository; None where it cannot. It runs nothing that the repository names."""
    safe = ("-c", "core.fsmonitor=false", "-c", "log.showSignature=false")
    try:
        ran = subprocess.run(  # noqa: S603 # a command of ours, with a file's name
            ["git", "-C", str(path.parent), "--no-optional-locks", *safe, *words],  # noqa: S607 # whichever git the hub's user has
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_S,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.decode("utf-8", "replace") if ran.returncode == 0 else None


def _by_owner(path: Path) -> Author:
    try:
        owner = path.stat().st_uid
    except OSError:
        return Author()
    try:
        return Author(pwd.getpwuid(owner).pw_name, "owner of the file")
    except KeyError:
        return Author(str(owner), "owner of the file")
