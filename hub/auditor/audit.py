"""The audit: look at the journal, check, tell, set going again; and the heartbeat while all is well."""

from collections.abc import Callable
from http.client import HTTPException
from typing import Protocol

import structlog
import trio

from hub.auditor import tell
from hub.auditor.checks import Finding, check
from hub.auditor.config import AuditorConfig, AuditorHeartbeat
from hub.auditor.reading import Reading, Unreadable
from hub.auditor.standing import Patience, Standing, Told

log = structlog.get_logger(__name__)

HELD_UP_S = 5.0
REST_S_MAX = 10.0  # a journal that cannot be read is tried again after at most this


class Hub(Protocol):
    """What the audit must know of the hub as a process."""

    def lived_s(self) -> float:
        """For how long it has been running; 0 if it is not."""
        ...

    def silent_s(self) -> float | None:
        """For how long it has given no pulse; None before the first, or where it gives none."""
        ...

    def findings(self) -> list[Finding]:
        """What is to be said of how it lives and dies."""
        ...

    def restart(self, why: str) -> None:
        """Ends it and starts it anew."""
        ...


class Audit:
    """Looks every `config.every` seconds until cancelled."""

    def __init__(self, config: AuditorConfig, reading: Reading, hub: Hub, say: Callable[[Told], None]) -> None:
        self._config = config
        self._hub = hub
        self._say = say
        self._reading = reading
        self._standing = Standing(config.again)
        self._patience = Patience(config.patience)
        self._before = 0  # where the journal ended before the hub that runs now
        self._seen: list[Finding] = []  # by the last look
        self._suspected: set[str] = set()  # found by the look before
        self._whole_s: float | None = None  # when the journal was last read to its end
        self._look_s: float | None = None  # since when a look has been under way
        self._unreadable: tuple[float, str] | None = None  # since when, and why

    # -- what the keeper of the hub's process needs --

    def hub_starts(self, place: int) -> None:
        """A hub is about to be started on a journal that ends at `place`."""
        self._before = place
        self._seen, self._suspected = [], set()
        self._standing.forgive()

    @property
    def hub_is_up(self) -> bool:
        """Whether the hub that was started last has written down that it is up."""
        return self._reading.started_place > self._before

    @property
    def fine(self) -> bool:
        """Whether nothing stands, and that was seen a moment ago."""
        recent = self._whole_s is not None and trio.current_time() - self._whole_s < self._config.unreadable
        return recent and not len(self._standing) and self._hub.lived_s() > 0 and self.hub_is_up

    # -- the audit --

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look_on)
            if self._config.heartbeat is not None:
                nursery.start_soon(self._beat, self._config.heartbeat)
            while True:
                due_s = trio.current_time() + self._config.every
                await trio.sleep_until(due_s)
                # Held up ourselves (stopped, swapped out): what we would say now is of the past.
                if trio.current_time() - due_s < HELD_UP_S:
                    self.round(trio.current_time())

    def round(self, now_s: float) -> None:
        """Tells what is to be told of what was seen, and has a hub that hangs set going again."""
        try:
            findings = self._findings(now_s)
        except Exception as error:  # a fault of ours must neither end the audit nor go unnoticed
            log.exception("a fault in the auditor")
            findings = [_fault(error)]
        for told in self._standing.update(findings, now_s, self._reading.sight.playback):
            self._say(told)
        hung = self._standing.hung(now_s)
        if self._reading.unwritable:
            hung = None  # it waits for the disk: a restart would help nobody
        if hung is not None and self._config.restart and hung[0] >= self._patience.s(now_s):
            self._patience.restarted(now_s)
            self._standing.forgive()
            self._hub.restart(f"{hung[1].what}: {hung[1].detail}")

    def _findings(self, now_s: float) -> list[Finding]:
        config, lived_s = self._config, self._hub.lived_s()
        found = self._hub.findings()
        if not lived_s:
            return found
        silent_s = self._hub.silent_s()
        if silent_s is not None and silent_s > config.silent:
            detail = f"no pulse for {silent_s:.0f} s although its process lives"
            found.append(Finding(what="hub-silent", detail=detail, since_s=silent_s, hung=True))
        if self._reading.unwritable:
            found.append(Finding(what="disk-full", detail=self._reading.unwritable, since_s=0.0))
        trouble = self._journal_trouble(now_s, lived_s)
        if trouble is not None:
            found.append(trouble)
        # A hub that gives its pulse is not ended for a journal that only the auditor cannot read.
        if not self.hub_is_up and lived_s > config.starting and (trouble is None or silent_s is None):
            detail = f"its process has been running for {lived_s:.0f} s and has not written down that it is up"
            found.append(Finding(what="hub-not-up", detail=detail, since_s=lived_s, hung=True))
        return found if trouble is not None else found + self._seen

    def _journal_trouble(self, now_s: float, lived_s: float) -> Finding | None:
        if self._look_s is not None and now_s - self._look_s > self._config.unreadable:
            since_s = now_s - self._look_s
            return Finding(what="journal-unreadable", detail=f"no answer for {since_s:.0f} s", since_s=since_s)
        if self._unreadable is None:
            return None
        since_s = now_s - self._unreadable[0]
        if self._whole_s is None and lived_s < self._config.starting:
            return None  # the hub may be about to make it
        return Finding(what="journal-unreadable", detail=self._unreadable[1], since_s=since_s)

    # -- reading --

    async def _look_on(self) -> None:
        rest_s = self._config.every
        while True:
            whole = await self.look()
            if whole is None:
                rest_s = max(self._config.every, min(2 * rest_s, REST_S_MAX))
            else:
                rest_s = self._config.every if whole else 0.0
            await trio.sleep(rest_s)

    async def look(self) -> bool | None:
        """One look, in a thread: a disk that hangs holds up nothing here. What is seen is checked between two looks, so
        nothing is read and changed at once. Returns whether all was read, None if nothing could be."""
        self._look_s = trio.current_time()
        whole = None
        try:
            whole = await trio.to_thread.run_sync(self._reading.look, abandon_on_cancel=True)
            self._unreadable = None
            if whole:
                self._check(trio.current_time())
        except Unreadable as error:
            self._unreadable = (self._unreadable[0] if self._unreadable else trio.current_time(), str(error))
        except Exception as error:  # as in `round`
            log.exception("a fault in the auditor")
            self._seen = [_fault(error)]
        self._look_s = None
        return whole

    def _check(self, now_s: float) -> None:
        sight = self._reading.sight
        sight.clock.settle(now_s)
        now = sight.clock.now(now_s)
        self._whole_s, self._seen = now_s, []
        if now is not None and self.hub_is_up:
            sight.began = sight.began or now
            found = check(sight, now, self._config)
            # Seen twice: what was about to happen when the journal was read has happened by now.
            self._seen = [finding for finding in found if finding.what in self._suspected]
            self._suspected = {finding.what for finding in found}

    # -- the heartbeat --

    async def _beat(self, config: AuditorHeartbeat) -> None:
        """A sign of life to an outside address, only while all is well."""
        while True:
            if self.fine:
                try:
                    with trio.fail_after(2 * config.timeout):
                        await trio.to_thread.run_sync(tell.beat, config, abandon_on_cancel=True)
                except (OSError, ValueError, HTTPException, trio.TooSlowError) as error:
                    log.error("the heartbeat was not taken", error=str(error))
                await trio.sleep(config.every)
            else:
                await trio.sleep(min(config.every, self._config.every))


def _fault(error: Exception) -> Finding:
    return Finding(what="auditor-fault", detail=repr(error), since_s=0.0)
