"""`python -m tools.golden`: writes tests/golden/readings anew, and shows what has changed.

python -m tools.golden --check      says what would change, and changes nothing
python -m tools.golden --show NAME  one file's reading, as it is now

Look at what changes: a golden reading is what one reads off a file by eye, not what a reader happens to make of it.
"""

import argparse
import difflib
import os
import sys
from pathlib import Path

from tools.golden.readings import READINGS, ROOT, file_of, names_of, reading_of


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.golden", description="Golden readings of recorded files.")
    default = os.environ.get("VIGIE_SAMPLES") or ROOT.parent / "shared" / "data"
    parser.add_argument("--samples", type=Path, default=Path(default), help="folder of recorded files")
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--show", metavar="NAME", help="one file's reading")
    given = parser.parse_args(argv)
    if not given.samples.is_dir():
        print(f"--samples {given.samples}: there is no such folder", file=sys.stderr)
        return 2
    if given.show:
        print(reading_of(given.samples, given.show), end="")
        return 0
    changed = 0
    names = names_of(given.samples)
    for name in names:
        changed += _renew(file_of(name), reading_of(given.samples, name), given.check)
    for path in sorted(set(READINGS.rglob("*.yaml")) - {file_of(name) for name in names}):
        print(f"{path.relative_to(ROOT)}: there is no such recorded file any more")
        changed += 1
        if not given.check:
            path.unlink()
    print(f"{len(names)} files, {changed} readings changed")
    return 1 if changed and given.check else 0


def _renew(path: Path, text: str, check: bool) -> int:
    before = path.read_text("utf-8") if path.exists() else ""
    if before == text:
        return 0
    name = str(path.relative_to(ROOT))
    sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), text.splitlines(True), name, name, n=2))
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 1


if __name__ == "__main__":
    sys.exit(main())
