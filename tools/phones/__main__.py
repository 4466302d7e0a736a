"""`python -m tools.phones`: run the phone simulator."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from . import Faults, PacedClock, PeopleError, Phones, Sink, load_people
from .network import SERVICE_NUMBER


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.phones", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port, which is printed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--account", required=True, help="account SID, AC and 32 hexadecimal digits")
    parser.add_argument("--token", default=os.environ.get("TWILIO_AUTH_TOKEN"), help="auth token; TWILIO_AUTH_TOKEN")
    parser.add_argument("--people", type=Path, help="YAML or JSON list of {name, number, language, behaviour}")
    parser.add_argument("--inbound", help="URL to which an SMS from a phone is posted")
    parser.add_argument("--number", default=SERVICE_NUMBER, help="the hub's, to which an SMS from a phone goes")
    parser.add_argument("--pace", type=float, default=1.0, help="real seconds per simulated second")
    parser.add_argument("--banner", default="", help="a line on top of the page, such as Exercise")
    parser.add_argument("--at", type=datetime.fromisoformat, help="the date and time it starts at (ISO 8601)")
    parser.add_argument("--faults", type=Path, help="JSON object with the fields of Faults")
    parser.add_argument("--max-rate", type=float, help="requests a second above which it answers 429")
    parser.add_argument("--sink", action="store_true", help="accept everything at once, only noting when")
    return parser


def build(options: argparse.Namespace) -> Phones | Sink:
    """The server the options ask for. Raises PeopleError or ValueError naming what is wrong."""
    if not options.token:
        raise ValueError("--token or TWILIO_AUTH_TOKEN: give one")
    if options.sink:
        return Sink(options.account, options.token, options.host, options.port)
    shift = timedelta(0)
    if options.at is not None:
        at = options.at if options.at.tzinfo else options.at.replace(tzinfo=UTC)
        shift = at - datetime.now(UTC)
    return Phones(
        options.account,
        options.token,
        host=options.host,
        port=options.port,
        people=load_people(options.people) if options.people else (),
        inbound=options.inbound,
        service_number=options.number,
        clock=PacedClock(options.pace),
        faults=msgspec.json.decode(options.faults.read_bytes(), type=Faults) if options.faults else None,
        now=lambda: datetime.now(UTC) + shift,
        banner=options.banner,
        max_rate=options.max_rate,
    )


async def serve(server: Phones | Sink) -> None:
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await server.start()
    print(f"phones: {server.base_url}", flush=True)
    await over.wait()
    await server.stop()


def main() -> None:
    options = arguments().parse_args()
    try:
        server = build(options)
    except (PeopleError, ValueError, OSError) as error:
        sys.exit(f"phones: {error}")
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(serve(server))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not everywhere; plain asyncio does, more slowly
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
