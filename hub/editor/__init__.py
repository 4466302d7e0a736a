"""Changing the directory and the rosters while the hub runs: the hub's side of the acts on people, groups,
organisations and rosters.

One change at a time, each over the version that whoever makes it has looked at; answered once it is durable and in
force, with what it leaves open.
"""

from typing import Any

import trio

from hub.acts import About
from hub.editor.bench import Bench, Doing
from hub.editor.parts import Parts
from hub.editor.people import People
from hub.editor.rosters import Rosters


class Editor:
    """`done`: what does each act and answers each question, by its verb."""

    def __init__(self, bench: Bench) -> None:
        self._one = trio.Lock()
        self.done: dict[str, Doing] = {}
        parts = Parts(bench)
        for editor in (People(bench), parts, Rosters(bench, parts)):
            self.done |= editor.asked | {verb: self._alone(act) for verb, act in editor.done.items()}

    def _alone(self, act: Doing) -> Doing:
        async def alone(about: About, sent: Any) -> Any:
            async with self._one:  # else two could be made over the same version
                return await act(about, sent)

        return alone
