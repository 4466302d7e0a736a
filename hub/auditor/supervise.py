"""The auditor's process: it starts the hub as its child, watches it, starts it again.

Never two hubs at once: the next is started only when the one before is gone, and the journal's writer lock stands
behind that. Should the auditor itself die, the hub goes on; the next auditor takes it over.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
import trio

from hub.auditor.audit import Audit
from hub.auditor.checks import Finding
from hub.auditor.config import AuditorConfig
from hub.auditor.process import GONE, Adopted, AuditorLock, Child, HubProcess, writer
from hub.auditor.reading import Reading, end_of
from hub.auditor.standing import Deaths
from hub.auditor.tell import Secret, Teller, ways_of

log = structlog.get_logger(__name__)

COULD_NOT_RUN = 2  # `vigie run`'s exit code for a configuration it refuses
SAID_S = 60.0  # how long it is said that the hub was set going again
END_S_MAX = 5.0  # how long it may take to find the journal's end before a start
LAST_WORDS_S = 5.0  # how long alarms under way may take when everything ends


def environment_secret(name: str) -> str:
    """A secret from the environment. Raises KeyError with the remedy."""
    try:
        return os.environ[name]
    except KeyError:
        raise KeyError(f"secret {name} is not set: put it in the environment") from None


def supervise(
    command: Sequence[str], config: AuditorConfig, journal_path: Path, secret: Secret = environment_secret
) -> int:
    """Runs the hub (`command`) under the auditor until it is told to stop (SIGTERM, SIGINT, SIGHUP), or the hub ends
    by itself with exit code 0, or cannot run (2, before it ever gave a pulse). Returns the hub's exit code
    (128 + n where signal n killed it); 2 where another auditor or another hub is at this journal, or a secret is
    missing."""
    try:
        ways = ways_of(config, journal_path, secret)
        lock = AuditorLock(journal_path)
    except (KeyError, OSError) as error:
        sys.stderr.write(f"vigie: auditor: {error.args[0] if error.args else error}\n")
        return COULD_NOT_RUN
    try:
        return trio.run(_supervise, command, config, journal_path, lock, Teller(ways))
    finally:
        lock.release()


async def _supervise(
    command: Sequence[str], config: AuditorConfig, journal: Path, lock: AuditorLock, teller: Teller
) -> int:
    keeper = Keeper(command, config, journal, lock)
    keeper.audit = Audit(config, Reading(journal), keeper, teller.tell)
    async with trio.open_nursery() as nursery:
        await nursery.start(keeper.obey)
        nursery.start_soon(teller.run)
        nursery.start_soon(keeper.audit.run)
        code = await keeper.run()
        await teller.finish(LAST_WORDS_S)
        nursery.cancel_scope.cancel()
    return code


class Keeper:
    """Starts the hub, restarts it, stops it."""

    audit: Audit

    def __init__(self, command: Sequence[str], config: AuditorConfig, journal: Path, lock: AuditorLock) -> None:
        self._command = command
        self._config = config
        self._journal = journal
        self._lock = lock
        self._deaths = Deaths()
        self._hub: HubProcess | None = None
        self._since_s = 0.0
        self._restart_why = ""
        self._restarted: tuple[float, str] | None = None
        self._restart = trio.Event()
        self._stop = trio.Event()
        self._ever_up = False

    # -- what the audit asks (hub.auditor.audit.Hub) --

    def lived_s(self) -> float:
        return trio.current_time() - self._since_s if self._hub is not None else 0.0

    def silent_s(self) -> float | None:
        if self._hub is None or self._hub.pulsed_s is None:
            return None
        return trio.current_time() - self._hub.pulsed_s

    def findings(self) -> list[Finding]:
        now_s = trio.current_time()
        found = [died] if (died := self._deaths.finding(now_s, self.lived_s())) is not None else []
        if self._restarted is not None and now_s - self._restarted[0] < SAID_S:
            found.append(Finding(what="hub-restarted", detail=self._restarted[1], since_s=now_s - self._restarted[0]))
        return found

    def restart(self, why: str) -> None:
        if self._hub is not None and not self._stop.is_set():
            log.error("the hub hangs: ending it and starting it anew", why=why, process=self._hub.pid)
            self._restart_why = why
            self._restart.set()

    # -- stopping --

    async def obey(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Forwards the signals that say stop."""
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                self._stop.set()
                if self._hub is not None:
                    self._hub.signal(signal.SIGTERM if number == signal.SIGHUP else number)

    # -- running --

    async def run(self) -> int:
        """Until the hub is to be no more. Returns the exit code."""
        hub: HubProcess | None = None
        holder = writer(self._journal)
        if holder is not None and holder == self._lock.left_behind:
            log.warning("taking over the hub that another auditor left behind", process=holder)
            self._ever_up = True
            self.audit.hub_starts(-1)
            hub = Adopted(holder, self._journal)
        elif holder is not None:
            where = f"{self._journal}: another hub writes to this journal (process {holder or 'unknown'})"
            sys.stderr.write(f"vigie: auditor: {where}: stop that one first\n")
            return COULD_NOT_RUN
        code = 0
        while not self._stop.is_set():
            hub = hub or await self._start()
            code = await self._live(hub) if hub is not None else COULD_NOT_RUN
            hub = None
            if self._stop.is_set():
                break
            if self._restart.is_set():
                self._restarted = (trio.current_time(), self._restart_why)
                self._restart = trio.Event()
                continue
            if code == 0 or (code == COULD_NOT_RUN and not self._ever_up):
                return code
            pause_s = self._deaths.died(trio.current_time(), trio.current_time() - self._since_s, _how(code))
            log.error("the hub died", how=_how(code), again_in_s=pause_s)
            with trio.move_on_after(pause_s):
                await self._stop.wait()
        return _exit_code(code)

    async def _start(self) -> Child | None:
        place = 0
        with trio.move_on_after(END_S_MAX):
            place = await trio.to_thread.run_sync(end_of, self._journal, abandon_on_cancel=True)
        self.audit.hub_starts(place)
        self._since_s = trio.current_time()
        try:
            return await Child.start(self._command)
        except OSError as error:
            log.error("the hub cannot be started", error=str(error))
            return None

    async def _live(self, hub: HubProcess) -> int:
        """From a hub's start to its end."""
        self._hub, self._since_s = hub, trio.current_time()
        self._lock.names(hub.pid)
        if self._stop.is_set():  # it came while there was no hub to forward it to
            hub.signal(signal.SIGTERM)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_when, self._stop, hub, self._config.stopping)
            nursery.start_soon(self._end_when, self._restart, hub, self._config.ending)
            code = await hub.wait()
            nursery.cancel_scope.cancel()
        self._ever_up |= hub.pulsed_s is not None
        self._hub = None
        self._lock.names(0)
        return code

    async def _end_when(self, event: trio.Event, hub: HubProcess, patience_s: float) -> None:
        """Ends the hub when asked: SIGTERM, and SIGKILL to what is still there after `patience_s`."""
        await event.wait()
        if event is self._restart:  # a stop has been forwarded as it came
            hub.signal(signal.SIGTERM)
        await trio.sleep(patience_s)
        log.error("the hub does not end: killing it", process=hub.pid)
        hub.signal(signal.SIGKILL)


def _exit_code(code: int) -> int:
    """As a shell would say it."""
    if code == GONE:
        return 0
    return code if code >= 0 else 128 - code


def _how(code: int) -> str:
    if code == GONE:
        return "it is gone"
    return f"killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"exit code {code}"
