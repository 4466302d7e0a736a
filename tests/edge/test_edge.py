"""The edge as its own process: what crosses, what a hub is told, and what becomes of it when it is killed or hangs."""

import asyncio
import math
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
import trio
from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.acts import Refused
from hub.bridge import ConnectorError, ConnectorTimeout
from hub.connector import (
    Abilities,
    Answer,
    BadItem,
    Dead,
    Environment,
    Followed,
    Intake,
    Outgoing,
    ReceiptItem,
    ReplyItem,
    Retry,
    Route,
    Sent,
    SignalItem,
    Taken,
    Unavailable,
    WebRequest,
    WebResponse,
)
from hub.edge import door, wire
from hub.edge.door import Edge
from hub.edge.setup import CannotStart, Made, Recording, Setup
from hub.intake.port import Answered, Offered
from hub.model import occurrences
from hub.model.area import Area, Circle
from hub.model.message import Outcome
from hub.model.occurrences import IncidentEvent
from hub.model.people import Language
from hub.model.recording import Mail, raw
from hub.model.records import SourceChanged
from hub.model.signal import Info, Signal, Status

TOKEN = "token-of-tests-only-0123456789"
SENT = datetime(2026, 7, 14, 20, 15, 30, 123456, timezone(timedelta(hours=2)))


class Config(Struct, frozen=True, kw_only=True):
    connections: Annotated[int, Meta(ge=1)] = 1


class Channel:
    """Does what the text of a message says."""

    Config: ClassVar[type[Struct]] = Config
    abilities: ClassVar[Abilities] = Abilities(settles=True, recalls=True)

    def __init__(self, config: Config, environment: Environment) -> None:
        self.name = environment.name
        self.recalled: list[str] = []

    async def open(self, intake: Intake) -> None:
        self.intake = intake

    async def close(self) -> None:
        pass

    async def send(self, outgoing: Outgoing) -> Answer:
        match outgoing.text.split():
            case ["raise"]:
                raise RuntimeError("a fault of the channel's")
            case ["die"]:
                os._exit(7)
            case ["wait"]:
                await asyncio.Event().wait()  # until it is cancelled or past its deadline
            case ["stubborn"]:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    return Sent(ref="sent all the same")
            case ["deaf"]:
                while True:
                    with suppress(asyncio.CancelledError):
                        await asyncio.Event().wait()
        return Sent(ref=outgoing.to, final=True)

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        return {"dead": Dead(reason="it failed", heard=True), "retry": Retry(reason="no", after_s=2.5)}.get(outgoing.to)

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        if ref != "r1":
            raise ValueError(ref)

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def reply(request: WebRequest) -> WebResponse:
            await intake.offer([ReplyItem(channel=self.name, address="+32", key="k", text=request.body.decode())])
            return WebResponse(status=204)

        return [Route(method="POST", path="/reply", handler=reply)]

    def check(self, address: str) -> str:
        return ""


class Source:
    """Offers two signals read from one original, then falls over."""

    Config: ClassVar[type[Struct]] = Config

    def __init__(self, config: Config, environment: Environment) -> None:
        self.secret = environment.secret("OF_TESTS")
        self.tape = environment.tape

    async def run(self, intake: Intake) -> None:
        self.tape.heard(Mail(**raw(b"as it came")))
        assert await intake.cursor() == "so far"
        items = [SignalItem(signal=warning(n), key=f"k{n}", original=ORIGINAL, media_type="text/plain") for n in (1, 2)]
        taken = await intake.offer([*items, BadItem(reason="broken", original=b"\xff", key="b")], cursor="next")
        assert [t.fact for t in taken] == ["0", "1", "2"]
        await intake.health("ok")
        raise OSError("the line is dead")

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def take(request: WebRequest) -> WebResponse:
            here = Circle(50.8, 4.3, math.nan if request.body == b"nan" else 1.0)
            words = "\ud800" if request.body == b"surrogate" else "W"
            read = replace(warning(0), infos=(Info(headline=words, areas=(Area(circles=(here,)),)),))
            [taken] = await intake.offer([SignalItem(signal=read, key=request.body.decode())])
            return WebResponse(status=202, body=taken.fact.encode())

        return [Route(method="POST", path="", handler=take)]


class Follower:
    """Does what the sheet of its first event says."""

    Config: ClassVar[type[Struct]] = Config

    def __init__(self, config: Any, environment: Environment) -> None:
        self.config = config
        self.hub = environment.hub
        if config.connections == 9:
            environment.secret("OF_LATER")
        self.opened = False

    async def open(self) -> None:
        self.opened = True
        if self.config.connections == 8:
            raise OSError("it cannot be opened")

    async def close(self) -> None:
        if self.config.connections == 7:
            raise OSError("it cannot be closed")

    async def follow(self, events: Sequence[IncidentEvent]) -> Followed:
        assert self.opened
        match events[0].playbook:
            case "raise":
                raise RuntimeError("a fault of the follower's")
            case "die":
                os._exit(7)
            case "wait":
                await asyncio.Event().wait()
            case "refuse":
                return Followed(taken=1, reason="enough", after_s=2.5)
        told = events[-1].what
        assert isinstance(told, occurrences.SignalJoined)
        assert told.until == SENT
        assert events[-1].words[0].headline == "Été à Forêt"
        return Followed(taken=len(events), reason=f"{self.hub} {self.config.connections}")


ORIGINAL = b"one original" * 100
LIKENESS = Environment(name="sms", secret=str)  # of a channel on the hub's side, which is never opened


def warning(n: int) -> Signal:
    return Signal(identifier=f"s{n}", sender="kmi", sent=SENT, infos=(Info(headline="Été à Forêt"),))


def outgoing(text: str = "", to: str = "+32470000000") -> Outgoing:
    return Outgoing(
        order="o", index=0, attempt="a", nth=1, repeat=False, to=to, language=Language.FR, subject="", text=text,
        voice="", status=Status.ACTUAL, since=datetime(2026, 1, 1, tzinfo=UTC), others=frozenset({"x"}),
    )  # fmt: skip


class Hub:
    """What the edge is run for."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Offered]] = []
        self.more = trio.Event()
        self.full = False
        self.ends: list[str] = []
        self.gaps: list[str] = []
        self.edge: Edge

    async def take(self, connector: str, offers: Sequence[Offered]) -> Sequence[Answered | Unavailable]:
        self.taken += [(connector, offer) for offer in offers]
        self.more.set()
        self.more = trio.Event()
        if self.full:
            return [Unavailable("disk full")] * len(offers)
        return [
            Answered([Taken(str(n)) for n in range(len(offer.items))], "so far" if offer.asks_cursor else None)
            for offer in offers
        ]

    async def answer(self, verb: str, words: Sequence[Any]) -> Any:
        match verb:
            case "status":
                return {"verb": verb, "words": list(words)}
            case "health":
                return {"ready": not self.full}
            case "task":
                raise Refused("no such task", missing=True)
            case "lift":
                raise Unavailable("disk full")
        raise ZeroDivisionError(verb)

    async def report(self, how: str) -> None:
        self.ends.append(how)

    async def gap(self, why: str) -> None:
        self.gaps.append(why)
        self.more.set()
        self.more = trio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        with trio.fail_after(20):
            while not true():
                await self.more.wait()

    async def send(self, text: str = "", deadline_s: float | None = 5.0) -> Any:
        channel = Channel(Config(), LIKENESS)
        return await self.edge.call(channel.send, outgoing(text), connector="sms", deadline_s=deadline_s)

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Over HTTP, by hand: this side is trio."""
        async with await trio.open_tcp_stream("127.0.0.1", self.edge.port) as stream:
            head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n"
            await stream.send_all(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            data = b"".join([part async for part in stream])
        return int(data.split()[1]), data.partition(b"\r\n\r\n")[2]


@asynccontextmanager
async def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> AsyncIterator[Hub]:
    monkeypatch.setenv("VIGIE_OF_TESTS", "s")
    monkeypatch.setenv("VIGIE_API_TOKEN", TOKEN)
    setup = Setup(
        **{
            "sources": {"kmi": Made(Source, Config())},
            "channels": {"sms": Made(Channel, Config())},
            "host": "127.0.0.1",
            "port": 0,
            "public_url": "http://127.0.0.1",
            "secrets": tmp_path,
            "playback": False,
            **changed,
        }
    )
    hub = Hub()
    hub.edge = Edge(setup, now_s=lambda: 1.8e9, take=hub.take, answer=hub.answer, report=hub.report, gap=hub.gap)
    async with trio.open_nursery() as nursery:
        await nursery.start(hub.edge.run)
        yield hub
        await hub.edge.finish()
        hub.edge.close()
        with trio.fail_after(20):
            await hub.edge.ended.wait()


def play(
    story: Callable[[Hub], Awaitable[None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changed: Any
) -> None:
    async def main() -> None:
        async with edge(tmp_path, monkeypatch, **changed) as hub:
            await story(hub)

    trio.run(main)


def test_the_hub_hears_why_a_recording_lacks_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        hub.edge.listen()
        await hub.until(lambda: bool(hub.gaps))
        assert hub.gaps == ["Not a directory"]
        assert len(hub.taken) > 1, "what came in was heard all the same"

    (tmp_path / "file").write_text("no folder")
    play(story, tmp_path, monkeypatch, record=Recording(folder=tmp_path / "file" / "recordings"))


def test_what_a_source_offers_crosses_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        hub.edge.listen()
        await hub.until(lambda: any(o.health and o.health.health == "failing" for _, o in hub.taken))
        asked, offered, fine, fell = [offer for _, offer in hub.taken]
        assert asked == Offered([], asks_cursor=True)
        first, second, bad = offered.items
        assert isinstance(first, SignalItem)
        assert first.signal == warning(1)
        assert first.key == "k1"
        assert str(first.signal.sent) == "2026-07-14 20:15:30.123456+02:00"  # its offset as it was sent
        assert isinstance(second, SignalItem)
        assert first.original is second.original
        assert first.original == ORIGINAL
        assert bad == BadItem(reason="broken", original=b"\xff", key="b")
        assert offered.cursor == "next"
        assert fine.health == SourceChanged(source="kmi", health="ok")
        assert fell.health
        assert "the line is dead" in fell.health.reason

    play(story, tmp_path, monkeypatch)


def test_calls_bring_back_what_came_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        channel = Channel(Config(), LIKENESS)
        assert await hub.send() == Sent(ref="+32470000000", final=True)
        for to, expected in (
            ("dead", Dead(reason="it failed", heard=True)),
            ("retry", Retry(reason="no", after_s=2.5)),
            ("gone", None),
        ):
            assert await hub.edge.call(channel.settle, outgoing(to=to), connector="sms") == expected
        assert await hub.edge.call(channel.recall, outgoing(), "r1", connector="sms") is None
        with pytest.raises(ConnectorError, match="sms: recall: ValueError: r2"):
            await hub.edge.call(channel.recall, outgoing(), "r2", connector="sms")
        with pytest.raises(ConnectorError, match="sms: send: RuntimeError: a fault of the channel's"):
            await hub.send("raise")
        with pytest.raises(ConnectorTimeout, match=r"not done after 0\.05 s"):
            await hub.send("wait", deadline_s=0.05)

    play(story, tmp_path, monkeypatch)


def test_a_call_that_ignores_its_deadline_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CANCEL_GRACE_S", 0.1)
    monkeypatch.setattr(door, "SWEEP_EVERY_S", 0.05)

    async def story(hub: Hub) -> None:
        with pytest.raises(ConnectorTimeout, match=r"not done after 0\.05 s, and no word of it"):
            await hub.send("deaf", deadline_s=0.05)
        assert await hub.send() == Sent(ref="+32470000000", final=True)

    play(story, tmp_path, monkeypatch)


def test_a_cancelled_call_that_went_out_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        said: list[Any] = []
        for text in ("stubborn", "wait"):
            with trio.move_on_after(0.2):
                said.append(await hub.send(text, deadline_s=None))
        assert said == [Sent(ref="sent all the same")]

    play(story, tmp_path, monkeypatch)


def test_the_web_asks_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        assert await hub.request("POST", "/in/kmi", b"key") == (202, b"0")
        assert (await hub.request("POST", "/callback/sms/reply", b"oui"))[0] == 204
        assert hub.taken[1] == ("sms", Offered([ReplyItem(channel="sms", address="+32", key="k", text="oui")]))
        assert await hub.request("GET", "/health") == (200, b'{"ready":true}')
        assert await hub.request("GET", "/api/status") == (200, b'{"verb":"status","words":[{},null]}')
        assert (await hub.request("POST", "/api/tasks/t1/done", b'{"by":"me"}'))[0] == 404
        assert (await hub.request("POST", "/api/lift", b'{"by":"me","why":"w"}'))[0] == 503
        assert (await hub.request("POST", "/api/stop-all", b'{"by":"me","why":"w"}'))[0] == 503  # a fault of ours
        hub.full = True
        assert (await hub.request("POST", "/in/kmi", b"key"))[0] == 503
        assert (await hub.request("GET", "/health"))[0] == 503

    play(story, tmp_path, monkeypatch)


def test_a_killed_edge_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        with pytest.raises(ConnectorError, match="the edge ended meanwhile"):
            await hub.send("die")
        # What is to be sent meanwhile waits: it has surely not gone out.
        assert await hub.send(deadline_s=20) == Sent(ref="+32470000000", final=True)
        assert hub.ends == ["exit status 7"]
        assert await hub.request("POST", "/in/kmi", b"key") == (202, b"0")
        await hub.edge.finish()  # waits for this edge, not for the one that is gone
        with pytest.raises(OSError, match="all attempts to connect"):
            await hub.request("POST", "/in/kmi", b"key")

    play(story, tmp_path, monkeypatch)


def test_an_edge_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PING_EVERY_S", 0.5)
    monkeypatch.setattr(door, "HANGS_S", 5.0)

    async def story(hub: Hub) -> None:
        assert hub.edge._process is not None
        pid = hub.edge._process.pid
        os.kill(pid, signal.SIGSTOP)  # it does nothing at all any more
        os.waitpid(pid, os.WUNTRACED)  # noqa: ASYNC222 # returns once it stands still, which is at once
        with pytest.raises(ConnectorError, match="the edge ended meanwhile"):
            await hub.send(deadline_s=60)
        assert await hub.send(deadline_s=60) == Sent(ref="+32470000000", final=True)
        assert hub.ends == ["signal 9"]

    play(story, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sources": {"kmi": Made(Source, Config())}, "secrets": Path("/nowhere")}, "OF_TESTS"),
        ({"host": "192.0.2.1"}, "192.0.2.1:0 cannot be listened on"),
    ],
)
def test_what_cannot_be_set_up_is_said(
    changed: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with edge(tmp_path, monkeypatch, **changed):
            pass

    def without(name: str) -> None:
        if name in words:
            real = monkeypatch.setenv
            monkeypatch.setattr(monkeypatch, "setenv", lambda n, v: None if name in n else real(n, v))

    without("OF_TESTS")
    with pytest.RaisesGroup(pytest.RaisesExc(CannotStart, match=words)):
        trio.run(main)


def test_frames_come_together_however_they_are_cut() -> None:
    messages = [wire.Step(by_s=float(n)) for n in range(5)]
    data = wire.framed([*map(wire.encode, messages[:2])]) + wire.framed([*map(wire.encode, messages[2:])])
    for size in (1, 3, 7, len(data)):
        frames: wire.Frames[wire.ToEdge] = wire.Frames(wire.ToEdge)
        got = [m for at in range(0, len(data), size) for m in frames.whole(data[at : at + size])]
        assert got == messages


def test_what_cannot_be_read_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        answers: dict[bytes, int] = {}

        async def post(body: bytes) -> None:
            answers[body] = (await hub.request("POST", "/in/kmi", body))[0]

        async with trio.open_nursery() as nursery:
            for body in (b"fine", b"nan", b"surrogate", b"too"):
                nursery.start_soon(post, body)
        assert answers == {b"fine": 202, b"nan": 503, b"surrogate": 500, b"too": 202}
        with pytest.raises(UnicodeEncodeError):
            await hub.send("\ud800")
        assert await hub.send() == Sent(ref="+32470000000", final=True)

    play(story, tmp_path, monkeypatch)


def test_receipts_cross() -> None:
    offered = Offered([ReceiptItem(order="o", index=3, outcome=Outcome.DELIVERED, key="k")], cursor="c")
    crossed = msgspec.json.decode(msgspec.json.encode(wire.offer_of(1, "sms", offered)), type=wire.Offer)
    assert wire.offered_of(crossed) == offered


# --- followers -----------------------------------------------------------------------------------------------


def told(playbook: str = "storm", count: int = 3) -> Sequence[IncidentEvent]:
    joined = occurrences.SignalJoined(signal="s1", source="kmi", until=SENT)
    words = (occurrences.Words(of="signal", headline="Été à Forêt"),)
    return [
        IncidentEvent(
            id=f"d/{n}",
            at=SENT,
            incident="i",
            playbook=playbook,
            version="v",
            status=Status.TEST,
            what=joined,
            words=words,
        )
        for n in range(count)
    ]


def made(connections: int) -> Made:
    return Made(Follower, Config(connections=connections))


def test_a_follower_is_handed_events_and_says_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hub: Hub) -> None:
        follow = hub.edge.follow
        assert await follow("desk", told(), 5) == Followed(taken=3, reason="brussels 1")
        assert await follow("desk", told("refuse"), 5) == Followed(taken=1, reason="enough", after_s=2.5)
        with pytest.raises(ConnectorError, match="desk: following: RuntimeError: a fault of the follower's"):
            await follow("desk", told("raise"), 5)
        with pytest.raises(ConnectorTimeout, match=r"not done after 0\.05 s"):
            await follow("desk", told("wait"), 0.05)
        with pytest.raises(ConnectorError, match="it is not configured"):
            await follow("nobody", told(), 5)
        assert await hub.send() == Sent(ref="+32470000000", final=True)

    followers(story, tmp_path, monkeypatch, desk=made(1))


def test_followers_change_while_the_edge_runs_and_when_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(hub: Hub) -> None:
        edge = hub.edge
        await edge.plug({"desk": made(2), "bus": made(3)})
        assert (await edge.follow("desk", told(), 5)).reason == "brussels 2"
        assert (await edge.follow("bus", told(), 5)).reason == "brussels 3"
        await edge.plug({"bus": made(3)})
        with pytest.raises(ConnectorError, match="it is not configured"):
            await edge.follow("desk", told(), 5)
        with pytest.raises(ConnectorError, match="the edge ended meanwhile"):
            await edge.follow("bus", told("die"), 5)
        assert (await edge.follow("bus", told(), 30)).reason == "brussels 3"  # its next life has what was plugged in

    followers(story, tmp_path, monkeypatch, desk=made(1))


def test_a_follower_that_cannot_be_made_fails_alone_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(hub: Hub) -> None:
        edge = hub.edge
        with pytest.raises(ConnectorError, match="it cannot be made: it cannot be opened"):
            await edge.follow("broken", told(), 5)
        with pytest.raises(ConnectorError, match=r"it cannot be made: secret: .*OF_LATER"):
            await edge.follow("secret", told(), 5)
        (tmp_path / "OF_LATER").write_text("here")
        assert (await edge.follow("secret", told(), 5)).reason == "brussels 9"
        await edge.plug({"stubborn": made(1)})  # what does not close is let go
        assert (await edge.follow("stubborn", told(), 5)).reason == "brussels 1"

    followers(story, tmp_path, monkeypatch, broken=made(8), secret=made(9), stubborn=made(7))


def followers(
    story: Callable[[Hub], Awaitable[None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **named: Made
) -> None:
    async def main() -> None:
        async with edge(tmp_path, monkeypatch, followers=named, hub="brussels") as hub:
            await story(hub)

    trio.run(main)
