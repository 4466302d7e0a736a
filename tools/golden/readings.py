"""The golden files: one for each recorded file, and what stands in them."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tools.golden.readers import reader_of

ROOT = Path(__file__).resolve().parents[2]
READINGS = ROOT / "tests" / "golden" / "readings"
MOST = 12
"""Signals of a file that are written out: of more the first and the last, and how many there are."""

NOT_READ = ("README.md",)
"""About the files."""


def names_of(samples: Path) -> list[str]:
    """Every recorded file, relative to the folder."""
    names = (path.relative_to(samples).as_posix() for path in samples.rglob("*") if path.is_file())
    return sorted(name for name in names if name not in NOT_READ)


def file_of(name: str) -> Path:
    return READINGS / f"{name}.yaml"


def reading_of(samples: Path, name: str) -> str:
    """What is made of a recorded file now. Raises LookupError where no reader is for it."""
    reader = reader_of(name)
    if reader is None:
        raise LookupError(f"{name}: no reader is for it: add it to tools/golden/readers.py")
    found = reader.read(samples / name)
    held: dict[str, Any] = {"read by": reader.called, "found": len(found)}
    errors = sum("error" in one for one in found)
    if errors:
        held["errors"] = errors
    if len(found) <= MOST:
        held["signals"] = found
    else:
        odd = [one for one in found[MOST // 2 : -2] if "error" in one][:4]
        held |= {"first": found[: MOST // 2], **({"errors among them": odd} if odd else {}), "last": found[-2:]}
    return _written(held)


def _written(held: dict[str, Any]) -> str:
    yaml = YAML(typ="rt")
    yaml.width = 110
    yaml.allow_unicode = True
    out = io.StringIO()
    yaml.dump(held, out)
    return out.getvalue()
