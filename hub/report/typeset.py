"""Typesetting in a process of its own, so that it holds no timer of the hub up, and can take no longer than it may.

`python -m hub.report.typeset` reads a document in JSON and writes its PDF.
"""

import os
import sys

import msgspec
import trio

from hub.report.document import Document
from hub.report.pdf import CannotTypeset, typeset

LIMIT_S = 30.0
WORDS_MAX = 300  # of what it says when it fails


async def typeset_apart(document: Document, limit_s: float = LIMIT_S) -> bytes:
    """The document as PDF. Raises CannotTypeset, also when it takes too long."""
    with trio.move_on_after(limit_s):
        done = await trio.run_process(
            [sys.executable, "-m", "hub.report.typeset"],
            stdin=msgspec.json.encode(document),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env=bare_environment(),
        )
        if done.returncode:
            raise CannotTypeset(done.stderr.decode(errors="replace")[-WORDS_MAX:].strip())
        return bytes(done.stdout)
    raise CannotTypeset(f"it took longer than {limit_s:g} s")


def bare_environment() -> dict[str, str]:
    """The environment without the hub's secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}


def main() -> None:
    try:
        sys.stdout.buffer.write(typeset(sys.stdin.buffer.read()))
    except CannotTypeset as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
