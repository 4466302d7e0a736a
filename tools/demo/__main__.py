"""`python -m tools.demo` (`make run`): the demo, until Ctrl-C.

python -m tools.demo                        the written evening
python -m tools.demo --samples DIR          recorded files first, set by set, each on its own date
python -m tools.demo --answer --lang nl     the second officer answers by script; in Dutch
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from datetime import time
from pathlib import Path

from hub.view import LANGUAGES, language_of
from tools.demo.folder import PATIENCE_S, ROOT, DemoError
from tools.demo.show import PAGE_PORT, Options, open_demo
from tools.playback import ScheduleError

# What a run of recorded files adds where nobody watches: long enough for the severe case to ring its way up.
UNWATCHED_DAY_S = 150.0


def main(argv: list[str] | None = None) -> int:
    given = _parser().parse_args(argv)
    seconds = given.seconds
    if seconds is None:
        seconds = UNWATCHED_DAY_S if given.samples and not sys.stdout.isatty() else 0.0
    options = Options(
        day=given.day,
        work=given.work.resolve(),
        language=given.lang,
        samples=given.samples,
        seconds=seconds,
        set_seconds=given.set_seconds,
        start=given.start_at,
        patience_s=given.patience,
        answer=given.answer,
        port=given.port,
        lines=given.lines,
    )
    if options.samples and not options.samples.is_dir():
        print(f"--samples {options.samples}: there is no such folder", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_run(options))
    except BrokenPipeError:
        # Whoever read us has gone; everything was stopped. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (DemoError, ScheduleError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


async def _run(options: Options) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with open_demo(options, sys.stdout) as demo:
        playing = asyncio.create_task(demo.play())
        told = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((playing, told), return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing
        if stop.is_set():
            print(demo.say("stopping"), flush=True)
        await demo.hub.stop()
        print("\n".join(demo.summary()), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description="The hub with everything around it.")
    parser.add_argument("--samples", type=Path, help="folder of recorded files: played first, as sets by date")
    parser.add_argument("--seconds", type=float, help="end after so many seconds of the written day (0: when told to)")
    parser.add_argument("--set-seconds", type=float, default=2.0, help="how long each recorded set plays at least")
    parser.add_argument(
        "--start-at", type=time.fromisoformat, help="time of the written day to begin at, like 21:00:15"
    )
    parser.add_argument("--patience", type=float, default=PATIENCE_S, help="seconds each officer has to answer")
    parser.add_argument("--answer", action="store_true", help="the second officer answers by script")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(os.environ), help="language of what is shown")
    parser.add_argument("--lines", action="store_true", help="lines instead of a screen, on a terminal too")
    parser.add_argument("--port", type=int, default=PAGE_PORT, help="of the page of phones; another if it is taken")
    parser.add_argument("--day", type=Path, default=ROOT / "samples" / "day", help="folder of the written day")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "demo", help="working folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
