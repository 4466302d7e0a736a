"""What decisions leave to do: all of it, in order, again until it is done."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from hub.connector import Unavailable
from hub.journal import JournalUnavailable
from hub.owed import RETRY_S, Owed


@pytest.mark.trio
async def test_what_was_left_is_done_first_and_all_in_the_order_in_which_it_was_decided(
    nursery: trio.Nursery,
) -> None:
    done = list[str]()

    async def do(one: str) -> None:
        done.append(one)

    owed = Owed("a thing", do)
    owed.add("decided before it runs")
    nursery.start_soon(owed.run, ["left", "left too"])
    await wait_all_tasks_blocked()
    owed.add("decided later")
    await wait_all_tasks_blocked()
    assert done == ["left", "left too", "decided before it runs", "decided later"]


@pytest.mark.trio
@pytest.mark.parametrize("trouble", [JournalUnavailable("the disk is full"), Unavailable("the hub shuts down")])
async def test_what_cannot_be_made_durable_is_done_again_before_the_next(
    trouble: Exception, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    tried = list[tuple[float, str]]()
    start = trio.current_time()

    async def do(one: str) -> None:
        tried.append((trio.current_time() - start, one))
        if len(tried) <= 2:
            raise trouble

    owed = Owed("a thing", do)
    owed.add("second")
    nursery.start_soon(owed.run, ["first"])
    await trio.sleep(10 * RETRY_S)
    assert [one for _, one in tried] == ["first", "first", "first", "second"]
    assert [at for at, _ in tried] == pytest.approx([0, RETRY_S, 2 * RETRY_S, 2 * RETRY_S])


@pytest.mark.trio
async def test_any_other_error_stops_the_hub() -> None:
    """A fault of ours is not hidden by trying again for ever."""

    async def do(one: str) -> None:
        raise ValueError(one)

    with pytest.raises(ValueError, match="first"):
        await Owed("a thing", do).run(["first"])
