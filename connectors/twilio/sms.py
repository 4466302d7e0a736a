"""SMS through Twilio: sent, their fate heard of, replies received."""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, repeat
from typing import Annotated, Any, ClassVar

import structlog
from msgspec import Meta, Struct
from msgspec.structs import replace

from connectors.number import bad_number
from connectors.twilio.account import (
    FORBIDDEN,
    NO_CONTENT,
    NOT_HAD,
    NOT_NOW,
    XML,
    Account,
    TwilioConfig,
)
from connectors.twilio.codes import meaning
from connectors.twilio.polling import PAGE, Pending, Poller, Position, Subject
from hub.connector import (
    Abilities,
    Answer,
    Dead,
    Environment,
    Intake,
    Outgoing,
    ReceiptItem,
    ReplyItem,
    Retry,
    Route,
    Sent,
    Unavailable,
    WebRequest,
    WebResponse,
)
from hub.model.message import Outcome
from hub.model.sms import fit, plain

_log = structlog.get_logger()

# Twilio's message statuses. What is not here (receiving, received, whatever comes next year) says nothing to us.
OUTCOMES = {
    "accepted": Outcome.SENT,
    "scheduled": Outcome.SENT,
    "queued": Outcome.SENT,
    "sending": Outcome.SENT,
    "sent": Outcome.SENT,
    "partially_delivered": Outcome.SENT,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.DELIVERED,
    "undelivered": Outcome.FAILED,
    "failed": Outcome.FAILED,
    "canceled": Outcome.FAILED,
}
_LONGEST = 1600  # characters: Twilio's limit for Body
_LISTED = 20  # of a number's newest messages, when settling
_MISSED_FOR = timedelta(days=1)  # replies older than this are not asked for when coming back
_MISSED_MOST = 1000
_MISSED_MARGIN = timedelta(seconds=30)  # between Twilio's clock and ours, and its dates are in whole seconds
_ASK_AGAIN_S = (0.5, 1.0, 5.0, 15.0, 60.0)  # when the list cannot be had; the last one for ever
_TOLD_FROM_S = 5.0  # pauses from here on mean that the room is told
_TELLING = 20  # characters: a shorter text could be part of another by chance


class SmsConfig(TwilioConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An SMS sender: `sender` or a messaging `service`."""

    service: Annotated[
        str,
        Meta(
            description="Messaging service SID (MG...), in place of or with `sender`",
            examples=["MG00000000000000000000000000000000"],
        ),
    ] = ""
    parts_max: Annotated[int, Meta(ge=1, le=10, description="Longer texts are cut to so many SMS")] = 8

    def __post_init__(self) -> None:
        if not self.sender and not self.service:
            raise ValueError("sender: is missing: give the number SMS come from, or a messaging service in `service`")
        if self.sender and not re.fullmatch(r"\+\d{5,15}|\d{3,8}|[A-Za-z0-9 ]{1,11}", self.sender):
            raise ValueError(
                f"sender: {self.sender!r} can send no SMS: a number as +32460001122, a short code, or 1 to 11"
                " letters and digits (to which nobody can reply)"
            )


class SmsChannel:
    """Text messages to mobile phones; people reply to them unless the sender is a name. Where nobody can reach us, nor
    can they reply to a messaging service: Twilio's list of messages is asked by the number they were sent to."""

    Config: ClassVar[type[Struct]] = SmsConfig
    abilities: Abilities = Abilities(
        answers=True, longest=_LONGEST, settles=True, receipts=True, numbers=True, segments=True
    )

    def __init__(self, config: SmsConfig, environment: Environment) -> None:
        self._config = config
        self._account = Account(config, environment)
        self._intake: Intake | None = None
        self._missed: asyncio.Task[None] | None = None
        answered = re.fullmatch(r"\+?\d+", config.sender) or (not config.sender and config.public)
        self.abilities = replace(type(self).abilities, answers=bool(answered))
        self.poller = None if config.public else Poller(self._account, self._subject())
        self._polling: asyncio.Task[None] | None = None
        self.settle_pause_s = 1.0
        self.missed_pause_s = 5.0

    async def open(self, intake: Intake) -> None:
        self._intake = intake
        await self._account.open()
        if self.poller is not None:
            self._polling = asyncio.create_task(self.poller.run(intake))
        elif self._config.sender.startswith("+"):
            self._missed = asyncio.create_task(self._take_missed(intake))

    async def close(self) -> None:
        for task in filter(None, (self._missed, self._polling)):
            task.cancel()
            await asyncio.wait([task])
        await self._account.close()

    async def _take_missed(self, intake: Intake) -> None:
        """Coming back: takes the replies that came while nobody listened. Those that are known already are known by
        their key; the cursor says when the hub last came up, and without one there is nothing to have been missed."""
        now = datetime.now(UTC)
        told = False
        for pause_s in chain(_ASK_AGAIN_S, repeat(_ASK_AGAIN_S[-1])):
            try:
                await self._ask_missed(intake, now)
                if told:
                    await intake.health("ok")
                return
            except Unavailable as why:
                _log.warning("twilio.missed_replies", channel=self._account.name, error=str(why))
            except NOT_HAD as error:
                _log.warning("twilio.missed_replies", channel=self._account.name, error=type(error).__name__)
                if pause_s >= _TOLD_FROM_S and not told:
                    with contextlib.suppress(Unavailable):
                        await intake.health("failing", "Twilio: replies that came meanwhile cannot be asked for")
                        told = True
            await asyncio.sleep(pause_s)

    async def _ask_missed(self, intake: Intake, now: datetime) -> None:
        """Raises Unavailable, and what the SDK does where the list cannot be had."""
        position = Position.load(await intake.cursor())
        since = now
        if position is not None:
            since = max(position.since, now - _MISSED_FOR) - _MISSED_MARGIN
            await intake.offer(await self._replies_since(since))
        else:  # at once: should the hub go down in a moment, this is where it goes on
            await intake.offer((), cursor=now.isoformat())
        # Once more, for what came before our web server listened.
        await asyncio.sleep(self.missed_pause_s)
        await intake.offer(await self._replies_since(since), cursor=now.isoformat())

    async def _replies_since(self, since: datetime) -> list[ReplyItem]:
        """Oldest first."""
        messages = self._account.client.messages
        found = await messages.list_async(to=self._config.sender, date_sent_after=since, limit=_MISSED_MOST)
        return [reply for message in reversed(found) if (reply := self._listed_reply(message)) is not None]

    def _listed_reply(self, message: Any) -> ReplyItem | None:
        if message.direction != "inbound":
            return None
        return ReplyItem(
            channel=self._account.name, address=message.from_ or "", key=message.sid, text=message.body or ""
        )

    def _subject(self) -> Subject:
        """What is asked for where nobody calls back."""
        sender = self._config.sender

        async def inbox(since: datetime) -> Any:
            messages = self._account.client.messages
            return await messages.page_async(to=sender, date_sent_after=since, page_size=PAGE)

        async def sent(since: datetime) -> Any:
            ours = {"from_": sender} if sender else {}  # a service sends from whichever of its numbers it likes
            messages = self._account.client.messages
            return await messages.page_async(date_sent_after=since, page_size=PAGE, **ours)

        return Subject(
            one=lambda sid: self._account.client.messages(sid).fetch_async(),
            sent=sent,
            became=_last_word,
            inbox=inbox if self.abilities.answers else None,
            reply=self._listed_reply,
        )

    def check(self, address: str) -> str:
        return bad_number(address)

    async def send(self, outgoing: Outgoing) -> Answer:
        extra: dict[str, Any] = {}
        if self._config.sender:
            extra["from_"] = self._config.sender
        if self._config.service:
            extra["messaging_service_sid"] = self._config.service
        callback = self._account.callback("status", outgoing)
        if callback is not None:
            extra["status_callback"] = callback
        body = self._body(outgoing)
        messages = self._account.client.messages
        sid, refusal = await self._account.hand_over(
            outgoing, lambda: messages.create_async(to=outgoing.to, body=body, **extra)
        )
        if refusal is None:
            self._watch(sid, outgoing)
        return refusal or Sent(ref=sid)

    def _watch(self, sid: str, outgoing: Outgoing) -> None:
        if self.poller is not None:
            self.poller.add(sid, outgoing)

    def _body(self, outgoing: Outgoing) -> str:
        return _cut(outgoing.text, self._config.parts_max)

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """Asks Twilio's list of messages to that number for this text since the first attempt."""
        assert self._intake is not None
        if sid := self._account.sid_of(outgoing):
            return Sent(ref=sid)
        body = self._body(outgoing)
        messages = self._account.client.messages
        found, could = await self._account.find(
            outgoing,
            lambda: messages.list_async(to=outgoing.to, limit=_LISTED),
            lambda message: _same_text(message.body or "", body),
            self._intake.now(),
            self.settle_pause_s,
        )
        if found is not None:
            answer = _became(found.sid, found.status, found.error_code)
            if isinstance(answer, Sent) and not answer.final:
                self._watch(found.sid, outgoing)
            return answer
        return Retry(reason="Twilio: not in its list of messages") if could else None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """An SMS cannot be taken back."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        if not self._config.public:
            return []

        async def status(request: WebRequest) -> WebResponse:
            return await self._status(request, intake)

        async def reply(request: WebRequest) -> WebResponse:
            return await self._reply(request, intake)

        return [
            Route(method="POST", path=r"/status/{order}/{index:\d+}", handler=status, summary="Twilio: SMS status"),
            Route(method="POST", path="/reply", handler=reply, summary="Twilio: SMS received"),
        ]

    async def _status(self, request: WebRequest, intake: Intake) -> WebResponse:
        form = self._account.form(request)
        if form is None:
            return FORBIDDEN
        sid, word = form.get("MessageSid") or form.get("SmsSid", ""), form.get("MessageStatus", "")
        outcome = OUTCOMES.get(word)
        if outcome is None or not sid:
            _log.info("twilio.status_passed_over", channel=self._account.name, status=word[:40])
            return NO_CONTENT
        order, index = request.match["order"], int(request.match["index"])
        self._account.remember(sid, order, index)
        reason = meaning(form.get("ErrorCode")) or (word if outcome is Outcome.FAILED else "")
        # Several words mean one outcome: the key makes the later ones repetitions.
        key = f"{sid}:{outcome}"
        receipt = ReceiptItem(order=order, index=index, outcome=outcome, key=key, reason=reason, ref=sid)
        return NO_CONTENT if await self._account.record(intake.offer, [receipt]) else NOT_NOW

    async def _reply(self, request: WebRequest, intake: Intake) -> WebResponse:
        form = self._account.form(request)
        if form is None:
            return FORBIDDEN
        sid, sender = form.get("MessageSid") or form.get("SmsSid", ""), form.get("From", "")
        if not sid or not sender:
            _log.warning("twilio.reply_passed_over", channel=self._account.name)
            return WebResponse(status=400, body=b"MessageSid and From are needed\n")
        reply = ReplyItem(channel=self._account.name, address=sender, key=sid, text=form.get("Body", ""))
        if not await self._account.record(intake.offer, [reply]):
            return NOT_NOW
        return WebResponse(body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', media_type=XML)


def _became(sid: str, status: str, error_code: int | str | None) -> Answer:
    """What the list says of a message: a status told while nobody listened is not told again."""
    outcome = OUTCOMES.get(status, Outcome.SENT)
    if outcome is Outcome.FAILED:
        return Dead(reason=meaning(error_code) or status)
    return Sent(ref=sid, final=outcome is Outcome.DELIVERED)


def _last_word(message: Any, pending: Pending) -> tuple[list[ReceiptItem], bool]:
    """What Twilio shows of a message: nothing new until it has arrived or failed."""
    outcome = OUTCOMES.get(message.status, Outcome.SENT)
    if outcome is Outcome.SENT:
        return [], False
    reason = (meaning(message.error_code) or message.status) if outcome is Outcome.FAILED else ""
    receipt = ReceiptItem(
        order=pending.order,
        index=pending.index,
        outcome=outcome,
        key=f"{message.sid}:{outcome}",
        reason=reason,
        ref=message.sid,
    )
    return [receipt], True


@lru_cache(256)  # a message to thousands is one text
def _cut(text: str, parts: int) -> str:
    return fit(text, parts)[:_LONGEST]


def _same_text(found: str, ours: str) -> bool:
    """Whether a message found is the one sent: the same text, or the same but for a mark of repetition around it."""
    found = plain(found).strip()
    ours = ours.strip()
    if min(len(found), len(ours)) < _TELLING:
        return found == ours
    return found in ours or ours in found
