"""The permanence's mailbox: every mail is read once, in order, and marked only when its signal is durable.

How far it has been read is the source's cursor, made durable with each mail's items. It also says whether the last mail
is still to be marked, so that one killed in between is marked at the next start, and read by nobody twice.
"""

import contextlib
from datetime import date, datetime, timedelta

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from prometheus_client import Counter

from connectors.mail.imap import Refused, Session, since
from connectors.mail.inbox_config import InboxConfig
from connectors.mail.inbox_reading import MEDIA_TYPE, Reading, read_mail, with_original
from connectors.polling import Sleep, offer
from connectors.text import digest
from hub.connector import NO_TAPE, BadItem, Intake, SignalItem, Tape, Unavailable, WorkerLimit
from hub.model.recording import Mail, raw

_log = structlog.get_logger()
_read = Counter("vigie_mail_read_total", "Mails that became signals or dead letters", ["source", "rule"])
_ignored = Counter("vigie_mail_ignored_total", "Mails of which no signal was made", ["source", "kind"])

AGAIN = timedelta(days=7)  # when a server numbers its mails anew, those of so many days are looked at again
CIRCLE_MOST = 20  # mails about the same from the same sender within
CIRCLE_S = 3600.0


class Place(Struct, frozen=True, omit_defaults=True):
    """How far a mailbox has been read. `upto`: while mails of before are caught up with, the last of them, and `since`
    the day from which on; `baseline`: they are a new source's backlog. `owed`: the mail at `uid` is to be marked."""

    validity: int
    uid: int
    upto: int = 0
    since: str = ""
    baseline: bool = False
    owed: bool = False

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()


class Inbox:
    """Reads one mailbox. Fulfils connectors.mail.imap.Reader."""

    def __init__(self, config: InboxConfig, name: str, sleep: Sleep, tape: Tape = NO_TAPE) -> None:
        self._tape = tape
        self._config = config
        self._name = name
        self._sleep = sleep
        self._place = Place(0, 0)
        self._circles = Circles()

    async def begin(self, session: Session, intake: Intake) -> None:
        validity, newest = await session.state()
        place = await self._cursor(intake)
        if place is None:
            place = await self._first(intake, validity, newest)
        elif place.validity != validity:
            # UIDs mean nothing any more: what is known is recognised by its key.
            day = (intake.now() - AGAIN).date()
            place = Place(validity, 0, upto=newest, since=day.isoformat())
            await offer(intake, (), place.dump(), self._sleep)
        elif place.owed:
            await self._mark(session, place.uid)
        self._place = replace(place, owed=False)
        with contextlib.suppress(Unavailable):
            await intake.health("ok")

    async def _first(self, intake: Intake, validity: int, newest: int) -> Place:
        """A new source: what lies there unread and is not too old is its backlog."""
        place = Place(validity, newest)
        if self._config.backlog_s and newest:
            day = (intake.now() - timedelta(seconds=self._config.backlog_s)).date()
            place = Place(validity, 0, upto=newest, since=day.isoformat(), baseline=True)
        await offer(intake, (), place.dump(), self._sleep)
        return place

    async def take(self, session: Session, intake: Intake) -> None:
        while True:
            place = self._place
            if place.upto:
                unread = "UNSEEN " if place.baseline and self._config.done == "seen" else ""
                day = since(date.fromisoformat(place.since) - timedelta(days=1))  # the server's day may not be ours
                uids = [uid for uid in await session.uids(place.uid, unread + day) if uid <= place.upto]
                if not uids:
                    self._place = Place(place.validity, max(place.uid, place.upto))
                    continue
            else:
                uids = await session.uids(place.uid)
                if not uids:
                    return
            for uid in uids:
                await self._one(session, intake, uid)

    async def _one(self, session: Session, intake: Intake, uid: int) -> None:
        config = self._config
        place = replace(self._place, uid=uid)
        mail = await session.fetch(uid, config.max_bytes)
        if not mail.raw:  # somebody has just deleted it
            self._place = place
            return
        if self._tape.runs:
            self._tape.heard(Mail(**raw(mail.raw)))
        where = f"{place.validity}.{uid}"
        reading = await self._reading(intake, mail.raw, mail.size, where)
        items = with_original(reading.items, mail.raw)
        if place.baseline and uid <= place.upto:
            items = [replace(item, baseline=True) if isinstance(item, SignalItem) else item for item in items]
        # What is no signal stays as it was: somebody is to look at it.
        owed = config.done != "nothing" and any(isinstance(item, SignalItem) for item in items)
        await offer(intake, items, replace(place, owed=owed).dump(), self._sleep)
        self._count(reading)
        self._place = place
        if owed:
            await self._mark(session, uid)

    async def _reading(self, intake: Intake, raw: bytes, size: int, where: str) -> Reading:
        """Always in a worker: nobody knows what a mail is before it is read."""
        now = intake.now()
        try:
            reading = await intake.in_worker(read_mail, raw, size, where, self._config, now, label="mail")
        except WorkerLimit as limit:
            return _one_letter(raw, where, f"this mail could not be read in time ({limit}): look at it")
        if not reading.about or (turn := self._circles.seen(reading.about, reading.sent)) <= CIRCLE_MOST:
            return reading
        if turn == CIRCLE_MOST + 1:
            return _one_letter(raw, where, f"more than {CIRCLE_MOST} mails about the same within an hour: taken for a "
                               "loop, no more are read for that hour: look into the mailbox")  # fmt: skip
        return Reading(ignored="circle", why="more of the same: taken for a loop")

    async def _mark(self, session: Session, uid: int) -> None:
        """A server that refuses (no such keyword, a full folder) is no reason to read no further."""
        how, _, name = self._config.done.partition(" ")
        try:
            if how == "move":
                await session.move(uid, name)
            else:
                await session.flag(uid, name if how == "keyword" else r"\Seen")
        except Refused as error:
            _log.warning("mail.not_marked", source=self._name, done=self._config.done, why=str(error))

    def _count(self, reading: Reading) -> None:
        if reading.ignored:
            kind = f"rule {reading.rule}" if reading.ignored == "rule" else reading.ignored
            _ignored.labels(self._name, kind).inc()
            _log.info("mail.ignored", source=self._name, kind=kind, why=reading.why)
        else:
            _read.labels(self._name, reading.rule or "unreadable").inc()

    async def _cursor(self, intake: Intake) -> Place | None:
        while True:
            try:
                text = await intake.cursor()
            except Unavailable:
                await self._sleep(1.0)
                continue
            try:
                return msgspec.json.decode(text, type=Place) if text else None
            except (msgspec.DecodeError, ValueError):
                return Place(0, 0)  # no mailbox has this number: all of it is looked at again


class Circles:
    """How often the same comes, so that mails which go round in a circle by ways nobody foresaw end."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, int]] = {}

    def seen(self, about: str, at: datetime) -> int:
        """How many there were within the hour, this one included. `at`: when it was sent, for what waited while the hub
        was down comes all at once."""
        since_, count = self._seen.pop(about, (at, 0))
        if not 0 <= (at - since_).total_seconds() < CIRCLE_S:
            since_, count = at, 0
        self._seen[about] = (since_, count + 1)
        while len(self._seen) > 1_000:
            del self._seen[next(iter(self._seen))]
        return count + 1


def _one_letter(raw: bytes, where: str, reason: str) -> Reading:
    letter = BadItem(reason=reason, original=b"", key=f"mail-bad:{digest(raw)}", place=where, media_type=MEDIA_TYPE)
    return Reading(items=(letter,))
