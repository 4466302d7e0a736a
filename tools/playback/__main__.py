"""`python -m tools.playback`: plays the written day, the recorded files, or what a hub has recorded.

python -m tools.playback --day samples/day --port 8090
python -m tools.playback --samples DIR --list
python -m tools.playback --samples DIR --set 12
python -m tools.playback --recording var/recordings/2026-07-14.jsonl --info
python -m tools.playback --recording var/recordings/2026-07-14.jsonl --config config --speed 60
"""

import argparse
import asyncio
import contextlib
import os
import sys
from datetime import datetime, time
from pathlib import Path

from tools.demo.folder import DemoError
from tools.playback.samples import PlaybackSet, playable, sets
from tools.playback.schedule import ScheduleError, load
from tools.playback.server import Partner, Playback, Served
from tools.playback.trial import trial

SECRET = "VIGIE_PARTNER_SECRET"  # the variable's name


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        if options.recording:
            return trial(options)
        if options.samples and options.list:
            return _list(options.samples, options.day)
        return _play(options)
    except (ScheduleError, DemoError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.playback", description="Feeds as on a given day.")
    parser.add_argument("--day", type=Path, default=Path("samples/day"), help="folder of a written day")
    parser.add_argument("--samples", type=Path, help="folder of recorded files, played as sets by date")
    parser.add_argument("--set", type=int, help="which set of the recorded files (1 is the oldest)")
    parser.add_argument("--list", action="store_true", help="with --samples: list the sets and what is not playable")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster; 0: all of a recording at once")
    parser.add_argument("--start-at", type=time.fromisoformat, help="time of day to begin at, like 20:58")
    parser.add_argument("--webhook", help=f"where partners post; the signing secret is read from {SECRET}")
    recorded = parser.add_argument_group("what a hub has recorded (docs/playback.md)")
    recorded.add_argument("--recording", type=Path, nargs="+", help="its files, or their folder")
    recorded.add_argument("--info", action="store_true", help="say what is in it, and play nothing")
    recorded.add_argument("--config", type=Path, default=Path("config"), help="of the hub it is played to")
    recorded.add_argument("--work", type=Path, default=Path("var/playback"), help="working folder of that hub")
    recorded.add_argument("--since", type=_instant, help="play from there on, as 2026-07-14T18:00Z")
    recorded.add_argument("--until", type=_instant, help="play until there")
    recorded.add_argument("--virtual", action="store_true", help="in virtual time: what pure readers make of it")
    recorded.add_argument("--page", type=Path, help="with --virtual: the story as a page, too")
    recorded.add_argument("--broker", help="a broker to publish MQTT messages at: user@host:port")
    recorded.add_argument("--mailbox", help="a mailbox to deliver mails to: user@host:port (IMAP, in the clear)")
    return parser


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text}: say the zone: {text}Z or {text}+02:00")
    return at


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
