"""What `make test` runs: style, types, the house's import rules, then the tests; each stage's name and time, and at the
end the tests that were skipped, counted and named with their reasons.

    python -m tools.check            all stages
    python -m tools.check types      one of them: style, types, imports, nights, tests
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

STAGES: dict[str, list[list[str]]] = {
    "style": [["ruff", "check", "."], ["ruff", "format", "--check", "--quiet", "."]],
    "types": [["mypy", "--no-error-summary"]],
    "imports": [["lint-imports", "--no-cache"]],
    "nights": [["python", "-m", "tools.simulate", "--nights", "250"]],
    "tests": [["pytest", "-q", "-n", str(min(6, 2 * (os.cpu_count() or 1))), "--dist", "worksteal"]],
}


def main() -> int:
    wanted = sys.argv[1:] or list(STAGES)
    unknown = [name for name in wanted if name not in STAGES]
    if unknown:
        print(f"no such stage: {', '.join(unknown)}: there are {', '.join(STAGES)}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted:
        began = time.monotonic()
        print(f"== {name}", flush=True)
        for command in STAGES[name]:
            done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False)
            if done.returncode:
                failed.append(name)
                break
        print(f"== {name}: {'failed' if name in failed else 'fine'} after {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
