"""12,000 asks open at once, answered by SMS at 500 a second: how long from a reply to its effect, and what an open ask
weighs in memory.

    python -m tools.bench.asks [--asks N] [--rate N] [--folder DIR]

120 incidents call 100 people each, all at once, through the real Twilio SDK to a sink on loopback
(tools/phones/sink.py). When every ask has gone out, each person answers, signed as Twilio signs; some decline, which
calls nobody else here. The effect of a reply is the confirmation to its sender as it arrives at the sink: by then the
answer is a durable fact, the decision on it is durable, and so is the attempt. Replies are due at a fixed rate whatever
the hub does (open loop), and each latency counts from when its reply was due.

Beside it, in the same run, the same with 100 open and 20 replies a second.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import uvloop
from twilio.request_validator import RequestValidator

from tools.bench import world
from tools.bench.fanout import ask_sink, post_alert, start_sink, until
from tools.bench.load import Load
from tools.bench.services import Hub

EACH = 100  # people whom one incident calls


class Asking(Hub):
    """A hub with a sheet, a chain and a group for each incident."""

    def prepare(self, gateway: str) -> None:
        super().prepare(gateway)
        groups, chains = [], []
        for team in range(self.audience // EACH):
            people = ", ".join(f"p{number:05d}" for number in range(team * EACH, (team + 1) * EACH))
            groups.append(f"  team-{team}: [{people}]\n")
            # All of them are needed: nobody is let off while others answer.
            tier = f"    - ask: team-{team}\n      by: sms\n      for: 60 min\n"
            chains.append(f"team-{team}:\n  need: {EACH}\n  tiers:\n{tier}")
            sheet = self.folder / "playbooks" / f"team-{team}.yaml"
            sheet.write_text(
                f"playbook: team-{team}\n{world.TITLE.format(f'Team {team}')}\nowner: bench\nreview by: 2099-12-31\n"
                f"mode: live\nwhen:\n  words: {word(team)}\nincident:\n  one per: [event]\n"
                f"steps:\n  wake:\n    call: team-{team}\n    say: bench\n"
            )
        with (self.config / "people.yaml").open("a") as file:
            file.write("".join(groups))
        with (self.config / "chains.yaml").open("a") as file:
            file.write("".join(chains))


def word(team: int) -> str:
    """One that only its sheet asks for (what holds a digit has no inflections); each of another length, of which
    `post_alert` makes its id."""
    return "k" + "9" * (team + 3)


def phone(person: int) -> str:
    return f"+32460{100000 + person:06d}"


def reply(port: int, person: int, text: str) -> bytes:
    """The whole request by which Twilio tells of an SMS received, signed with the account's token."""
    path = "/callback/sms/reply"
    fields = {
        "MessageSid": f"SM{person:032x}",
        "AccountSid": world.ACCOUNT,
        "From": phone(person),
        "To": "+32450000000",
        "Body": text,
        "NumMedia": "0",
    }
    signature = RequestValidator(world.TOKEN).compute_signature(f"http://127.0.0.1:{port}{path}", fields)
    body = urlencode(fields).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def effects(base: str, after_ns: int) -> dict[str, int]:
    """When each person's confirmation arrived at the sink: the first message to them after that instant."""
    found: dict[str, int] = {}
    for arrival in ask_sink(base, "/sink"):
        if arrival["at_ns"] > after_ns:
            found.setdefault(arrival["to"], arrival["at_ns"])
    return found


async def answer(hub: Hub, people: range, rate: float) -> list[int]:
    """Has them answer; when each reply was due, nanoseconds."""
    requests = [reply(hub.port, person, "A NEE" if person % 4 == 0 else "A") for person in people]
    load = Load(hub.port, requests)
    sent = await load.at_rate(rate, count=len(requests))
    load.close()
    if refused := sent.refused():
        sys.exit(f"the hub did not take every reply: {refused}: nothing is measured")
    return sent.due


def measure(base: str, hub: Hub, people: range, rate: float) -> list[float]:
    """Milliseconds from each reply to its effect, sorted."""
    began_ns = time.perf_counter_ns()
    before = ask_sink(base, "/sink/count")["count"]
    due = uvloop.run(answer(hub, people, rate))
    until(lambda: ask_sink(base, "/sink/count")["count"] >= before + len(people), "not every reply was confirmed")
    arrived = effects(base, began_ns)
    return sorted((arrived[phone(person)] - at) / 1e6 for person, at in zip(people, due, strict=True))


def open_asks(base: str, hub: Hub, teams: range) -> None:
    before = ask_sink(base, "/sink/count")["count"]
    for team in teams:
        post_alert(hub, word(team))
    wanted = before + len(teams) * EACH
    until(lambda: ask_sink(base, "/sink/count")["count"] >= wanted, "not every ask has gone out")


def said(name: str, ms: list[float]) -> str:
    at = [ms[min(len(ms) - 1, int(len(ms) * share))] for share in (0.5, 0.99)]
    return f"  {name:<28}p50 {at[0]:7.1f} ms   p99 {at[1]:7.1f} ms   worst {ms[-1]:7.1f} ms"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--asks", type=int, default=12_000)
    arguments.add_argument("--rate", type=float, default=500.0, help="replies a second")
    arguments.add_argument("--folder", type=Path, help="where the journal lies (the disk matters)")
    given = arguments.parse_args()
    teams = given.asks // EACH
    base, ours, process = start_sink()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        hub = Asking(Path(folder), sheets=10, twilio=base, audience=(teams + 1) * EACH)
        hub.start("http://127.0.0.1:9")
        try:
            open_asks(base, hub, range(1))
            few = measure(base, hub, range(EACH), 20.0)
            empty_mb = hub.memory_mb()
            open_asks(base, hub, range(1, teams + 1))
            full_mb = hub.memory_mb()
            many = measure(base, hub, range(EACH, (teams + 1) * EACH), given.rate)
        finally:
            hub.stop()
            ours.send("stop")
            process.join(10)
    asks = teams * EACH
    print(f"{asks} asks open at once, {given.rate:g} replies a second, {os.cpu_count()} cores")
    print(said(f"{EACH} open, 20 replies/s", few))
    print(said(f"{asks} open", many))
    print(f"  an open ask takes {(full_mb - empty_mb) * 1024 / asks:.1f} KiB ({full_mb:.0f} MB in all)")
    print(f"  mean {statistics.mean(many):.1f} ms")


if __name__ == "__main__":
    main()
