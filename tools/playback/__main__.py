"""`python -m tools.playback`: plays the written day, or the recorded files, until interrupted.

python -m tools.playback --day samples/day --port 8090
python -m tools.playback --samples DIR --list
python -m tools.playback --samples DIR --set 12
"""

import argparse
import asyncio
import contextlib
import os
import sys
from datetime import datetime, time
from pathlib import Path

from tools.playback.samples import PlaybackSet, playable, sets
from tools.playback.schedule import ScheduleError, load
from tools.playback.server import Partner, Playback, Served

SECRET = "VIGIE_PARTNER_SECRET"  # the variable's name


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        if options.samples and options.list:
            return _list(options.samples, options.day)
        return _play(options)
    except (ScheduleError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.playback", description="Feeds as on a given day.")
    parser.add_argument("--day", type=Path, default=Path("samples/day"), help="folder of a written day")
    parser.add_argument("--samples", type=Path, help="folder of recorded files, played as sets by date")
    parser.add_argument("--set", type=int, help="which set of the recorded files (1 is the oldest)")
    parser.add_argument("--list", action="store_true", help="with --samples: list the sets and what is not playable")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster than a real clock")
    parser.add_argument("--start-at", type=time.fromisoformat, help="time of day to begin at, like 20:58")
    parser.add_argument("--webhook", help=f"where partners post; the signing secret is read from {SECRET}")
    return parser


def _list(folder: Path, day: Path) -> int:
    for number, one in enumerate(sets(folder, day), 1):
        print(f"{number:3} {one.date:%Y-%m-%d %H:%M} {one.title}")
        for sample in one.samples:
            print(f"      {sample.kind:9} {sample.name}")
    print("\nnot playable yet:")
    for sample in playable(folder):
        if sample.kind is None:
            print(f"      {sample.name}: {sample.reason}")
    return 0


def _play(options: argparse.Namespace) -> int:
    partner = None
    if options.webhook:
        if not os.environ.get(SECRET):
            raise ValueError(f"--webhook needs the partners' signing secret: set {SECRET}=whsec_…")
        partner = Partner(options.webhook, os.environ[SECRET])
    programme = load(options.day)
    if options.samples:
        programme = _chosen(sets(options.samples, options.day), options.set).programme()
    start_at = None
    if options.start_at:
        start_at = datetime.combine(programme.start.date(), options.start_at, programme.start.tzinfo)
    playback = Playback(partner=partner, speed=options.speed, on_served=_show)
    playback.load(programme, start_at=start_at)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(playback, options.port))
    return 0


def _chosen(found: list[PlaybackSet], number: int | None) -> PlaybackSet:
    if number is None or not 1 <= number <= len(found):
        raise ValueError(f"--samples plays one set at a time: choose one with --set 1 to --set {len(found)} (--list)")
    return found[number - 1]


async def _serve(playback: Playback, port: int) -> None:
    await playback.start(port)
    print(f"playback of {playback.begin:%Y-%m-%d %H:%M:%S %Z} on {playback.base}")
    for source in playback.sources():
        print(f"  {source['kind']:9} {source['name']:20} {source['url']}")
    for source in playback.unheard():
        print(f"  {source['kind']:9} {source['name']:20} {source['url']} (no source reads this yet)")
    try:
        await asyncio.Event().wait()
    finally:
        await playback.close()


def _show(served: Served) -> None:
    print(f"{served.at:%H:%M:%S} {served.status} {served.path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
