"""Calls through Twilio: the message spoken, answered by keypad."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog
from msgspec import Meta, Struct
from msgspec.structs import replace

from connectors.number import bad_number
from connectors.twilio.account import (
    FORBIDDEN,
    NO_CONTENT,
    NOT_HAD,
    NOT_NOW,
    TRY_AGAIN,
    XML,
    Account,
    TwilioConfig,
)
from connectors.twilio.codes import meaning
from connectors.twilio.polling import PAGE, Pending, Poller, Subject
from connectors.twilio.twiml import PHRASES, Speech, again, said, script
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
    WebRequest,
    WebResponse,
)
from hub.model.message import Outcome, Verb
from hub.model.people import Language

_log = structlog.get_logger()

MACHINE = "answering machine"
_ON_ITS_WAY = frozenset({"queued", "initiated", "ringing", "in-progress"})
_NOT_REACHED = frozenset({"busy", "no-answer", "failed"})
_KEYS = {"1": Verb.ACCEPT, "2": Verb.DECLINE}
_SPOKEN = 2_000  # messages kept, so that 9 can repeat them
_LISTED = 20


class VoiceConfig(TwilioConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller. Example: `sender: +3228080112`, `ring_s: 30`."""

    ring_s: Annotated[int, Meta(ge=5, le=600, description="How long a phone rings, seconds")] = 30
    machine_detection: Annotated[bool, Meta(description="Whether to tell answering machines from people")] = True
    voices: Annotated[
        Mapping[Language, str], Meta(description="Voices in place of Twilio's own: {fr: Polly.Isabelle-Neural}")
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if wrong := bad_number(self.sender):
            raise ValueError(f"sender: {wrong}")


class VoiceChannel:
    """Phone calls that speak the message and take 1 (accept), 2 (decline) and 9 (again).

    The first words are sent with the call itself, so a callback that cannot reach us does not silence it. An answering
    machine acknowledges nothing: asked for an answer, the delivery counts as failed (the next channel is tried at
    once) although the machine records the message; a message that wants no answer counts as delivered.

    Where nobody can reach us (`public: no`) no key can be taken: the call says how to answer otherwise."""

    Config: ClassVar[type[Struct]] = VoiceConfig
    abilities: Abilities = Abilities(answers=True, voice=True, settles=True, receipts=True, recalls=True, numbers=True)

    def __init__(self, config: VoiceConfig, environment: Environment) -> None:
        self._config = config
        self._account = Account(config, environment)
        self._intake: Intake | None = None
        self._spoken: dict[tuple[str, int], str] = {}
        self.abilities = replace(type(self).abilities, answers=config.public)
        self.poller = None if config.public else Poller(self._account, self._subject())
        self._polling: asyncio.Task[None] | None = None
        self.settle_pause_s = 1.0

    async def open(self, intake: Intake) -> None:
        self._intake = intake
        await self._account.open()
        if self.poller is not None:
            self._polling = asyncio.create_task(self.poller.run(intake))

    async def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait([self._polling])
        await self._account.close()

    def check(self, address: str) -> str:
        return bad_number(address)

    async def send(self, outgoing: Outgoing) -> Answer:
        message = outgoing.voice or outgoing.text
        ask = outgoing.ask is not None
        query = f"lang={outgoing.language}&ask={int(ask)}"
        speech = self._speech(outgoing.language, ask, self._account.callback("key", outgoing, query) or "")
        if outgoing.ask is not None:
            speech = replace(speech, code=outgoing.ask.code)
        extra: dict[str, Any] = {}
        status = self._account.callback("status", outgoing, query)
        if status is not None:
            extra["status_callback"] = status
            extra["status_callback_event"] = ["initiated", "ringing", "answered", "completed"]
        if self._config.machine_detection and (status is not None or self.poller is not None):
            # Asynchronous: the voice begins at once, whoever has answered.
            extra["machine_detection"] = "Enable"
            extra["async_amd"] = "true"
            if status is not None:
                extra["async_amd_status_callback"] = self._account.callback("machine", outgoing, query)
        self._keep(outgoing, message)
        calls = self._account.client.calls
        sid, refusal = await self._account.hand_over(
            outgoing,
            lambda: calls.create_async(
                to=outgoing.to,
                from_=self._config.sender,
                twiml=script(message, speech),
                timeout=self._config.ring_s,
                **extra,
            ),
        )
        if refusal is None:
            self._watch(sid, outgoing)
        return refusal or Sent(ref=sid)

    def _watch(self, sid: str, outgoing: Outgoing) -> None:
        if self.poller is not None:
            self.poller.add(sid, outgoing)

    def _subject(self) -> Subject:
        """What is asked for where nobody calls back."""

        async def sent(since: datetime) -> Any:
            calls = self._account.client.calls
            return await calls.page_async(from_=self._config.sender, start_time_after=since, page_size=PAGE)

        return Subject(one=lambda sid: self._account.client.calls(sid).fetch_async(), sent=sent, became=_last_word)

    def _speech(self, language: Language, ask: bool, action: str) -> Speech:
        return Speech(language=language, ask=ask, action=action, voices=self._config.voices)

    def _keep(self, outgoing: Outgoing, message: str) -> None:
        self._spoken[(outgoing.order, outgoing.index)] = message
        if len(self._spoken) > _SPOKEN:
            del self._spoken[next(iter(self._spoken))]

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """Asks Twilio's list for a call to that number since the first attempt that is of no other delivery."""
        assert self._intake is not None
        if sid := self._account.sid_of(outgoing):
            return Sent(ref=sid)
        calls = self._account.client.calls
        found, could = await self._account.find(
            outgoing,
            lambda: calls.list_async(to=outgoing.to, from_=self._config.sender, limit=_LISTED),
            lambda call: True,
            self._intake.now(),
            self.settle_pause_s,
        )
        if found is not None:
            answer = _became(found.sid, found.status, found.answered_by or "", outgoing.ask is not None)
            if isinstance(answer, Sent) and not answer.final:
                self._watch(found.sid, outgoing)
            return answer
        return Retry(reason="Twilio: not in its list of calls") if could else None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """Stops a phone that still rings; whoever has answered already is not cut off in mid-sentence."""
        sid = ref or self._account.sid_of(outgoing)
        if not sid:
            return
        try:
            await self._account.client.calls(sid).update_async(status="canceled")
        except NOT_HAD as error:
            code = getattr(error, "code", None)
            _log.info("twilio.not_recalled", channel=self._account.name, call=sid, why=meaning(code) or str(code))

    def routes(self, intake: Intake) -> Sequence[Route]:
        if not self._config.public:
            return []

        async def status(request: WebRequest) -> WebResponse:
            return await self._status(request, intake)

        async def machine(request: WebRequest) -> WebResponse:
            return await self._machine(request, intake)

        async def key(request: WebRequest) -> WebResponse:
            return await self._key(request, intake)

        delivery = r"{order}/{index:\d+}"
        return [
            Route(method="POST", path=f"/status/{delivery}", handler=status, summary="Twilio: call status"),
            Route(method="POST", path=f"/machine/{delivery}", handler=machine, summary="Twilio: who answered"),
            Route(method="POST", path=f"/key/{delivery}", handler=key, summary="Twilio: a key was pressed"),
        ]

    # --- what Twilio says ----------------------------------------------------------------------------------

    async def _status(self, request: WebRequest, intake: Intake) -> WebResponse:
        form = self._account.form(request)
        if form is None:
            return FORBIDDEN
        sid, word = form.get("CallSid", ""), form.get("CallStatus", "")
        if word in _ON_ITS_WAY:
            outcome, reason = Outcome.SENT, ""
        elif word in _NOT_REACHED:
            outcome, reason = Outcome.FAILED, meaning(form.get("ErrorCode")) or word
        elif word == "canceled":
            outcome, reason = Outcome.WITHDRAWN, word
        elif word == "completed":
            outcome, reason = _answered(form.get("AnsweredBy", ""), _asked(request))
        else:
            _log.info("twilio.status_passed_over", channel=self._account.name, status=word[:40])
            return NO_CONTENT
        return await self._receipt(request, intake, sid, outcome, reason)

    async def _machine(self, request: WebRequest, intake: Intake) -> WebResponse:
        form = self._account.form(request)
        if form is None:
            return FORBIDDEN
        outcome, reason = _answered(form.get("AnsweredBy", ""), _asked(request))
        return await self._receipt(request, intake, form.get("CallSid", ""), outcome, reason)

    async def _receipt(
        self, request: WebRequest, intake: Intake, sid: str, outcome: Outcome, reason: str
    ) -> WebResponse:
        if not sid:
            return NO_CONTENT
        order, index = _delivery(request)
        self._account.remember(sid, order, index)
        receipts = _receipts(sid, order, index, outcome, reason)
        return NO_CONTENT if await self._account.record(intake.offer, receipts) else NOT_NOW

    async def _key(self, request: WebRequest, intake: Intake) -> WebResponse:
        """Records what was pressed, and only then says so."""
        form = self._account.form(request)
        if form is None:
            return FORBIDDEN
        order, index = _delivery(request)
        key, sid = form.get("Digits", ""), form.get("CallSid", "")
        speech = self._speech(_language(request), _asked(request), request.url + TRY_AGAIN)
        phrases = PHRASES[speech.language]
        verb = _KEYS.get(key) if speech.ask else None
        if verb is None:
            if key == "9":
                message = self._spoken.get((order, index))
                return _spoken(again(message, speech, before="" if message else phrases.lost))
            return _spoken(again(None, speech, before=phrases.unknown_key if key else ""))
        reply = ReplyItem(
            channel=self._account.name,
            address=form.get("To", ""),
            key=f"{sid}:{verb}",
            text=key,
            verb=verb,
            order=order,
            index=index,
        )
        # Whoever presses a key has heard it.
        receipt = ReceiptItem(
            order=order, index=index, outcome=Outcome.DELIVERED, key=f"{sid}:{Outcome.DELIVERED}", ref=sid
        )
        if not await self._account.record(intake.offer, [reply, receipt]):
            return _spoken(again(None, speech, before=phrases.not_recorded))
        return _spoken(said(phrases.accepted if verb is Verb.ACCEPT else phrases.declined, speech))


def _became(sid: str, status: str, answered_by: str, ask: bool) -> Answer:
    """What the list says of a call: a status told while nobody listened is not told again."""
    if status == "canceled":  # it was taken back and reached nobody: made again only where it is still wanted
        return Retry(reason=status, address=True)
    if status in _NOT_REACHED:
        return Dead(reason=status)
    if status != "completed":
        return Sent(ref=sid)
    outcome, reason = _answered(answered_by, ask)
    return Dead(reason=reason, heard=True) if outcome is Outcome.FAILED else Sent(ref=sid, final=True)


def _last_word(call: Any, pending: Pending) -> tuple[list[ReceiptItem], bool]:
    """What Twilio shows of a call: nothing new until it is over, or a machine has taken it."""
    by = call.answered_by or ""
    if call.status in _NOT_REACHED:
        outcome, reason = Outcome.FAILED, call.status
    elif call.status == "canceled":
        outcome, reason = Outcome.WITHDRAWN, call.status
    elif call.status == "completed" or (call.status == "in-progress" and _is_machine(by)):
        outcome, reason = _answered(by, pending.ask)
    else:
        return [], False
    return _receipts(call.sid, pending.order, pending.index, outcome, reason), True


def _receipts(sid: str, order: str, index: int, outcome: Outcome, reason: str) -> list[ReceiptItem]:
    # What was left on an answering machine may be heard: it went out before it failed.
    machine = reason == MACHINE
    outcomes, of = ((Outcome.SENT, outcome), f"{sid}:machine") if machine else ((outcome,), sid)
    return [
        ReceiptItem(order=order, index=index, outcome=one, key=f"{of}:{one}", reason=reason, ref=sid)
        for one in outcomes
    ]


def _is_machine(by: str) -> bool:
    return by.startswith("machine") or by == "fax"


def _answered(by: str, ask: bool) -> tuple[Outcome, str]:
    """A call that was answered, by whom AnsweredBy says (human, machine_start, machine_end_*, fax, unknown)."""
    if _is_machine(by):
        return (Outcome.FAILED if ask else Outcome.DELIVERED), MACHINE
    return Outcome.DELIVERED, ""


def _delivery(request: WebRequest) -> tuple[str, int]:
    return request.match["order"], int(request.match["index"])


def _query(request: WebRequest, name: str) -> str:
    return parse_qs(urlsplit(request.url).query).get(name, [""])[0]


def _asked(request: WebRequest) -> bool:
    return _query(request, "ask") == "1"


def _language(request: WebRequest) -> Language:
    try:
        return Language(_query(request, "lang"))
    except ValueError:
        return Language.FR


def _spoken(document: str) -> WebResponse:
    return WebResponse(body=document.encode(), media_type=XML)
