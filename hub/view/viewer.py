"""Showing pictures as they come: a screen on a terminal, lines elsewhere."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TextIO

import trio
from rich.console import Console
from rich.live import Live

from hub.view.glance import Picture
from hub.view.lines import changes
from hub.view.screen import screen
from hub.view.words import Words

EVERY_S = 0.5


class Viewer:
    """`show` pictures between `with` and its end. On a terminal they take the whole screen, which is given back at the
    end; elsewhere each change is a line. `hints` may be replaced at any time."""

    def __init__(self, out: TextIO, words: Words, hints: Sequence[str] = (), *, lines: bool = False) -> None:
        # Nothing from outside is ever read as markup, emoji codes or links.
        self._console = Console(file=out, markup=False, emoji=False, highlight=False, soft_wrap=True)
        self._words = words
        self.hints = list(hints)
        self.on_screen = self._console.is_terminal and not self._console.is_dumb_terminal and not lines
        self._live: Live | None = None
        self._before: Picture = {}

    def __enter__(self) -> Self:
        if self.on_screen:
            self._live = Live(
                console=self._console,
                screen=True,
                auto_refresh=False,  # no thread of rich's own: `show` draws
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._write(self.hints)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, picture: Picture) -> None:
        """Draws one picture, or writes the lines for what changed. Blocks as long as the terminal does."""
        if self._live is not None:
            width, height = self._console.size
            self._live.update(screen(picture, self._words, width=width, height=height, hints=self.hints), refresh=True)
        else:
            self._write(changes(self._before, picture, self._words))
        self._before = picture

    def say(self, line: str) -> None:
        """A line of its own between the pictures; on a screen it has no place (say it by `hints`)."""
        if self._live is None:
            self._write([line])

    def _write(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._console.file.write(line + "\n")
        self._console.file.flush()


async def watch(status: Callable[[], Picture], viewer: Viewer, every_s: float = EVERY_S) -> None:
    """Shows the hub's own picture for ever (`vigie run` on a terminal). A terminal that stands still (Ctrl-S) holds up
    its thread, never the hub."""
    while True:
        await trio.to_thread.run_sync(viewer.show, status(), abandon_on_cancel=True)
        await trio.sleep(every_s)
