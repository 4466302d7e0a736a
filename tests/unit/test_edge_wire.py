"""Frames between the hub and its edge: whatever they are cut into on the way, the same messages come out."""

import socket
from collections.abc import Sequence
from typing import Any

import msgspec
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from hub.connector import BadItem, ReplyItem
from hub.edge import wire
from hub.intake.port import Offered

LARGE = b"\x00\xff" * 10_000
COUNT = 50_000

small = st.binary(min_size=1, max_size=40).map(lambda data: BadItem(reason="r", original=data, key="k"))
large = st.sampled_from([LARGE, LARGE[1:]]).map(lambda data: BadItem(reason="r", original=data, key="l"))
none = st.just(ReplyItem(channel="sms", address="+32450000001", key="r"))
offers = st.lists(st.one_of(small, large, none), min_size=1, max_size=4).map(lambda items: Offered(items, cursor="c"))


def sent(offered: Sequence[Offered]) -> bytes:
    """As `LoopLink.post` puts it."""
    data = b""
    for n, one in enumerate(offered):
        offer = wire.offer_of(n, "feed", one)
        if offer.originals:
            data += b"".join(wire.framed_raw(offer))
        else:
            data += wire.framed([wire.encode(offer), wire.encode(wire.Pong())])
    return data


def received(data: bytes, piece: int) -> list[Any]:
    frames: wire.Frames[Any] = wire.Frames(wire.ToHub)
    found: list[Any] = []
    for at in range(0, len(data), piece):
        found += frames.whole(data[at : at + piece])
    return found


@given(st.lists(offers, max_size=5), st.integers(min_value=1, max_value=70_000))
def test_offers_come_out_as_they_went_in(offered: list[Offered], piece: int) -> None:
    data = sent(offered)
    if len(data) > 2_000:
        piece += 500  # else it takes long
    found = [wire.offered_of(message) for message in received(data, piece) if isinstance(message, wire.Offer)]
    assert found == offered


def test_a_large_original_crosses_once_and_as_it_is() -> None:
    items = [BadItem(reason="r", original=LARGE, key=str(n)) for n in range(3)]
    data = sent([Offered(items)])
    assert data.count(LARGE) == 1
    assert len(data) < len(LARGE) + 1_000
    [offer] = received(data, 1 << 16)
    first, second, third = wire.offered_of(offer).items
    assert isinstance(first, BadItem)
    assert isinstance(second, BadItem)
    assert isinstance(third, BadItem)
    assert first.original is second.original is third.original


def test_an_offer_that_cannot_be_read_takes_its_originals_with_it() -> None:
    bad = wire.framed_raw(wire.offer_of(7, "feed", Offered([BadItem(reason="r", original=LARGE, key="k")])))
    head = msgspec.json.decode(bad[0][8:])
    head[0]["cursor"] = 12
    array = msgspec.json.encode(head)
    spoilt = [len(array).to_bytes(4, "big"), bad[0][4:8], array, LARGE]
    good = Offered([BadItem(reason="r", original=LARGE, key="g")])
    unread, offer = received(b"".join(spoilt) + sent([good]), 1 << 16)
    assert isinstance(unread, wire.Unread)
    assert (unread.type, unread.n) == ("Offer", 7)
    assert wire.offered_of(offer) == good


def test_what_a_full_socket_would_not_take_follows_in_order_when_there_is_room() -> None:
    async def main() -> list[Any]:
        ours, theirs = socket.socketpair()
        link: wire.Link[Any] = wire.Link(ours, wire.ToHub)
        other: wire.Link[Any] = wire.Link(theirs, wire.ToEdge)
        found: list[Any] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.send)
            for n in range(COUNT):  # far more than a socket holds, and nobody reads yet
                link.post(wire.Cancel(n))
            await trio.testing.wait_all_tasks_blocked()
            link.post(wire.Cancel(COUNT))  # behind what is waiting
            async for messages in other.received():
                found += messages
                if len(found) > COUNT:
                    link.close()  # the end of what is received
            nursery.cancel_scope.cancel()
        other.close()
        return found

    assert trio.run(main) == [wire.Cancel(n) for n in range(COUNT + 1)]
