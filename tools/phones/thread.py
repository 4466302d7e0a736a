"""The simulator on a loop in a thread of its own, for tests and tools that run no asyncio loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from .server import Phones
from .sink import Sink

T = TypeVar("T")


class PhonesInThread:
    """`with PhonesInThread(lambda: Phones(...)) as phones:`; everything is done through `do` and `wait`.

    From trio, call these in `trio.to_thread.run_sync`, as they block.
    """

    def __init__(self, make: Callable[[], Phones | Sink]) -> None:
        self._make = make
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="phone simulator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._error: BaseException | None = None
        self.server: Any = None
        """The Phones or Sink inside; read its settled facts, act on it only through `do`."""

    def __enter__(self) -> "PhonesInThread":
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    @property
    def base_url(self) -> str:
        return str(self.server.base_url)

    def do(self, act: Callable[[Any], T], timeout_s: float = 30.0) -> T:
        """Run `act(server)` on the loop and return what it returns: `do(lambda p: p.network.answer(n))`."""

        async def there() -> T:
            return act(self.server)

        return self._run(there(), timeout_s)

    def wait(self, condition: Callable[[Any], bool], timeout_s: float = 30.0) -> None:
        """Return when `condition(phones)` holds. Raises TimeoutError."""
        self._run(self.server.until(lambda: condition(self.server)), timeout_s)

    def run(self, make: Callable[[Any], Coroutine[Any, Any, T]], timeout_s: float = 30.0) -> T:
        """Run a coroutine on the loop: `run(lambda p: p.down())`."""

        async def there() -> T:
            return await make(self.server)

        return self._run(there(), timeout_s)

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        assert self._loop is not None, "enter the context first"
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self.server = self._make()
        await self.server.start()
        self._ready.set()
        await self._over.wait()
        await self.server.stop()
