"""The line between auditor and hub: a socket pair. The hub sends a byte a second from its trio loop; an end that
closes tells the other side. Neither waits for the other."""

import os
import socket

import trio

VARIABLE = "VIGIE_AUDITOR_FD"  # names the hub's end in the child's environment
PULSE_S = 1.0


async def auditor_gone(pulse_s: float = PULSE_S) -> None:
    """The hub's side, called once: gives the pulse, and returns when the auditor is gone (the hub goes on working and
    raises an alarm). Sleeps for ever in a hub that was started without one."""
    end = _take_end()
    if end is None:
        await trio.sleep_forever()
    with end:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pulse, end, pulse_s)
            try:
                while await end.recv(64):
                    pass
            except OSError:
                pass  # closed hard: gone as well
            nursery.cancel_scope.cancel()


def _take_end() -> trio.socket.SocketType | None:
    name = os.environ.pop(VARIABLE, "")  # the hub's own children are not watched
    if not name:
        return None
    descriptor = int(name)
    os.set_inheritable(descriptor, False)
    return trio.socket.from_stdlib_socket(socket.socket(fileno=descriptor))


async def _pulse(end: trio.socket.SocketType, every_s: float) -> None:
    while True:
        try:
            await end.send(b".")
        except OSError:
            return  # recv has noticed, too
        await trio.sleep(every_s)
