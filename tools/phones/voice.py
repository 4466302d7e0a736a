"""One call, from dialling to hanging up: ringing, answering, executing TwiML, taking digits.

What Twilio tells of it: CallStatus busy, no-answer (within Timeout), failed (could not be connected), canceled,
completed, which also says that a voicemail answered (twilio.com/docs/voice/api/call-resource). Who answered is told
only where MachineDetection was asked for: human, machine_start (Enable: as soon as it is known) or machine_end_beep,
_silence, _other (DetectMessageEnd: once the greeting is over), unknown; to the script's first request, or with AsyncAmd
to its own callback beside the call (twilio.com/docs/voice/answering-machine-detection; 21262 where it has none).
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urljoin

from . import twiml
from .behaviour import Behaviour
from .exchange import CallbackLine, Exchange, cancel, first, timestamp
from .resources import ApiError, Call, Caption
from .webhooks import WebhookError

CHARS_PER_SECOND = 15.0  # an unhurried voice
DIAL_S = 0.5
DETECT_HUMAN_S, DETECT_MACHINE_S, GREETING_S = 1.5, 4.0, 8.0  # answering machine detection
DOCUMENTS_MAX = 100  # Twilio too stops a call that redirects for ever

Hand = Literal["answer", "decline"]


class Jump:
    """Where the call's script goes on: a URL with its parameters, or a document given in the request."""

    def __init__(self, url: str | None, method: str, extra: dict[str, str], text: str | None = None) -> None:
        self.url, self.method, self.extra, self.text = url, method, extra, text


class CallRun:
    """A call under way. The phone's owner and the API act on it through its methods."""

    def __init__(self, exchange: Exchange, call: Call, behaviour: Behaviour) -> None:
        self.call = call
        self._x, self._behaviour = exchange, behaviour
        request = call.request
        self._callbacks = CallbackLine(
            exchange,
            request.status_callback,
            request.status_callback_method,
            ("CallStatus",),
            out_of_order=behaviour.out_of_order,
        )
        self._sequence = 0
        loop = asyncio.get_running_loop()
        self._hand: asyncio.Future[Hand] = loop.create_future()
        self._ended: asyncio.Future[str] = loop.create_future()
        self._redirected: asyncio.Future[Jump] = loop.create_future()
        self._keys: asyncio.Queue[str] | None = None
        self._answered_at: float = 0.0
        self.finished = asyncio.Event()
        """Set once the call has its final status."""

    # What the phone's owner does

    def answer(self) -> bool:
        """Take the call; False when it does not ring there."""
        return self._act("answer")

    def decline(self) -> bool:
        """Refuse the ringing call."""
        return self._act("decline")

    def _act(self, hand: Hand) -> bool:
        if self.call.status != "ringing" or self._hand.done() or not self._behaviour.coverage:
            return False
        self._hand.set_result(hand)
        return True

    def hang_up(self) -> bool:
        """The owner ends the call; False when it is not in progress."""
        if self.call.status != "in-progress" or self._ended.done() or self.call.machine:
            return False
        self._ended.set_result("callee")
        return True

    def press(self, digits: str) -> bool:
        """Press keys. Only a Gather hears them: False when none listens."""
        if self._keys is None or self.call.machine:
            return False
        for key in digits:
            self._keys.put_nowait(key)
        return True

    # What the API does

    def stand_down(self) -> None:
        """End the call on the caller's side, ringing or answered."""
        if not self._ended.done():
            self._ended.set_result("caller")

    def redirect(self, jump: Jump) -> None:
        """Give a call in progress another script. Raises ApiError (21220)."""
        if self.call.status != "in-progress":
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        if not self._redirected.done():
            self._redirected.set_result(jump)

    # The call's life

    async def run(self) -> None:
        """From queued to its end."""
        await first(self._x.clock.sleep(DIAL_S), self._wait_end())
        if self._ended.done():
            return self._finish("canceled")
        self._go("initiated", "initiated")
        await first(self._x.clock.sleep(DIAL_S), self._wait_end())
        if self._ended.done():
            return self._finish("canceled", {"SipResponseCode": "487"})
        if (refusal := self._refusal()) is not None:
            status, code = refusal
            return self._finish(status, {"SipResponseCode": code})
        self._go("ringing", "ringing")
        outcome = await self._ring()
        if outcome != "answer":
            codes = {"busy": "486", "no-answer": "487", "canceled": "487"}
            return self._finish(outcome, {"SipResponseCode": codes[outcome]})
        return await self._talk()

    def _refusal(self) -> tuple[str, str] | None:
        """The status and SIP code with which the network turns the call away before it rings."""
        match self._behaviour.call:
            case "unknown":
                return "failed", "404"
            case "busy":
                return "busy", "486"
            case "machine":  # out of reach, the network leads the call straight to the voicemail
                return None
            case _:
                return None if self._behaviour.coverage else ("failed", "480")

    async def _ring(self) -> str:
        """Ring until someone answers ("answer") or the call ends with the status returned."""
        x, behaviour = self._x, self._behaviour
        waits: list[Coroutine[Any, Any, str]] = [self._wait_end(), self._wait_hand()]
        if behaviour.call in ("answer", "decline", "machine"):
            rings_s = behaviour.answers_after_s if behaviour.coverage else 0.0
            waits.append(self._after(rings_s, behaviour.call))
        waits.append(self._after(self.call.request.timeout_s, "no-answer"))
        came = await first(*waits)
        if self._ended.done():
            return "canceled"
        self.call.machine = came == "machine"
        x.changed(self.call.request.to)
        return {"decline": "busy", "no-answer": "no-answer"}.get(came, "answer")

    async def _talk(self) -> None:
        x, call = self._x, self.call
        self._answered_at = x.clock.now()
        call.start = x.now()
        detection = call.request.machine_detection in ("Enable", "DetectMessageEnd")
        self._go("in-progress", "answered")
        waits = [self._wait_end(), self._after(call.request.time_limit_s, "limit")]
        if self._behaviour.hangs_up_after_s is not None:
            waits.append(self._after(self._behaviour.hangs_up_after_s, "callee"))
        if detection and call.request.async_amd:
            x.spawn(self._report_detection())
            waits.append(self._script())
        elif detection:
            waits.append(self._detect_then_script())
        else:
            waits.append(self._script())
        call.ended_by = await first(*waits)
        self._finish("completed")

    async def _detect(self) -> float:
        """Find out who answered; how many seconds that took."""
        call = self.call
        end = call.request.machine_detection == "DetectMessageEnd"
        takes_s = DETECT_HUMAN_S if not call.machine else DETECT_MACHINE_S + (GREETING_S if end else 0.0)
        await self._x.clock.sleep(takes_s)
        machine = f"machine_end_{self._behaviour.greeting_ends}" if end else "machine_start"
        call.answered_by = machine if call.machine else "human"
        self._x.changed(call.request.to)
        return takes_s

    async def _detect_then_script(self) -> str:
        await self._detect()
        return await self._script()

    async def _report_detection(self) -> None:
        takes_s = await self._detect()
        request = self.call.request
        if not self.call.alive:
            return
        if request.async_amd_callback is None:  # shown in the resource once the call is over
            self._note("21262: no AMD status callback URL provided")
            return
        form = {
            "CallSid": self.call.sid,
            "AccountSid": self._x.account,
            "AnsweredBy": self.call.answered_by or "unknown",
            "MachineDetectionDuration": str(round(takes_s * 1000)),
        }
        await self._send(request.async_amd_callback, request.async_amd_callback_method, form)

    def _finish(self, status: str, extra: dict[str, str] | None = None) -> None:
        call, x = self.call, self._x
        call.end = x.now()
        call.gathering = False
        fields = dict(extra or {})
        if status == "completed":
            call.duration_s = round(x.clock.now() - self._answered_at)
            # Duration counts billed minutes begun, CallDuration seconds.
            minutes = -(-call.duration_s // 60)
            fields |= {"CallDuration": str(call.duration_s), "Duration": str(minutes), "SipResponseCode": "200"}
        else:
            fields |= {"CallDuration": "0", "Duration": "0"}
            call.ended_by = call.ended_by or status
        self._go(status, "completed", fields, last=True)
        self.finished.set()

    def _go(self, status: str, event: str, extra: dict[str, str] | None = None, last: bool = False) -> None:
        """Enter a status and report it, if its event was asked for."""
        call, x = self.call, self._x
        call.status, call.updated = status, x.now()
        call.statuses.append(status)
        if event in call.request.events:
            form = self.form() | {
                "Timestamp": timestamp(x.now()),
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(self._sequence),
            }
            self._callbacks.put(form | (extra or {}), last)
            self._sequence += 1
        x.changed(call.request.to)

    def form(self) -> dict[str, str]:
        """The parameters Twilio sends with each request about a call."""
        call = self.call
        form = {
            "CallSid": call.sid,
            "AccountSid": self._x.account,
            "From": call.request.sender,
            "To": call.request.to,
            "Caller": call.request.sender,
            "Called": call.request.to,
            "CallStatus": call.status,
            "ApiVersion": "2010-04-01",
            "Direction": "outbound-api",
        }
        if call.answered_by:
            form["AnsweredBy"] = call.answered_by
        return form

    # The script

    async def _script(self) -> str:
        """Execute documents until one ends the call."""
        request = self.call.request
        jump: Jump | None = Jump(request.url, request.method, {}, request.twiml)
        for _ in range(DOCUMENTS_MAX):
            if jump is None:
                return "script"
            here = jump
            redirected = self._redirected
            steps = asyncio.ensure_future(self._document(here))
            either: set[asyncio.Future[Any]] = {steps, redirected}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not steps.done() or redirected.done():
                    await cancel(steps)
            if redirected.done():
                self._redirected = asyncio.get_running_loop().create_future()
                jump = redirected.result()
            else:
                jump = steps.result()
        self._note("11100: too many redirects")
        return "script"

    async def _document(self, here: Jump) -> Jump | None:
        """Fetch or read one document and execute it; where to go next, None for the end."""
        try:
            verbs = await self._read(here)
        except (twiml.TwimlError, WebhookError) as error:
            self._note(str(error))
            await self._speak(twiml.Say("We are sorry. An application error has occurred. Goodbye.", "en-US"))
            return None
        for verb in verbs:
            match verb:
                case twiml.Say() | twiml.Pause() | twiml.Play():
                    await self._speak(verb)
                case twiml.Gather():
                    if (jump := await self._gather(verb, here)) is not None:
                        return jump
                case twiml.Redirect():
                    return self._jump(here, verb.url, verb.method, {})
                case twiml.Hangup() | twiml.Reject():
                    return None
                case twiml.Reply() | twiml.Unknown():
                    self._note(f"12200: {verb}: passed over")
        return None

    async def _read(self, here: Jump) -> tuple[twiml.Verb, ...]:
        if here.text is not None:
            return twiml.parse(here.text)
        if here.url is None:
            raise twiml.TwimlError("11100: no URL to go on with")
        form = self.form() | here.extra
        try:
            return twiml.parse((await self._x.webhooks.send(here.url, form, here.method)).body)
        except (WebhookError, twiml.TwimlError) as error:
            fallback = self.call.request.fallback_url
            if fallback is None:
                raise
            self._note(str(error))
            extra = {"ErrorCode": str(error).partition(":")[0], "ErrorUrl": here.url}
            answer = await self._x.webhooks.send(fallback, form | extra, self.call.request.fallback_method)
            return twiml.parse(answer.body)

    def _jump(self, here: Jump, url: str | None, method: str, extra: dict[str, str]) -> Jump:
        """A URL relative to the document it stands in; without one, that document's own."""
        target = urljoin(here.url or "", url) if url else here.url
        if target is None or not target.startswith(("http://", "https://")):
            self._note(f"11100: invalid URL {url!r} in a document without an address of its own")
            target = None
        return Jump(target, method, extra)

    async def _speak(self, verb: twiml.Say | twiml.Pause | twiml.Play) -> None:
        x, call = self._x, self.call
        match verb:
            case twiml.Pause():
                await x.clock.sleep(verb.seconds)
            case twiml.Play():
                self._note(f"Play {verb.url}: not played")
            case twiml.Say():
                for _ in range(verb.loop):
                    seconds = len(verb.text) / CHARS_PER_SECOND
                    at: datetime = x.now()
                    call.captions.append(
                        Caption(text=verb.text, language=verb.language, voice=verb.voice, seconds=seconds, at=at)
                    )
                    x.changed(call.request.to)
                    await x.clock.sleep(seconds)

    async def _gather(self, gather: twiml.Gather, here: Jump) -> Jump | None:
        """Take digits, also while the prompt is spoken, which the first key cuts short."""
        call, x = self.call, self._x
        keys = self._keys = asyncio.Queue()
        call.gathering = True
        x.changed(call.request.to)
        if len(call.digits) < len(self._behaviour.digits) and not call.machine:
            x.spawn(self._press_later(keys, self._behaviour.digits[len(call.digits)]))
        digits, finished_on = "", ""
        try:
            key = await first(keys.get(), self._silence(gather))
            while key:
                if key == gather.finish_on_key:
                    finished_on = key
                    break
                digits += key
                if len(digits) == gather.num_digits:
                    break
                key = await first(keys.get(), self._after(gather.timeout_s, ""))
        finally:
            self._keys, call.gathering = None, False
        call.digits.append(digits)
        x.changed(call.request.to)
        if not digits and not gather.action_on_empty:
            return None
        extra = {"Digits": digits, "FinishedOnKey": finished_on, "msg": "Gather End"}
        return self._jump(here, gather.action, gather.method, extra)

    async def _silence(self, gather: twiml.Gather) -> str:
        for verb in gather.prompt:
            await self._speak(verb)
        return await self._after(gather.timeout_s, "")

    async def _press_later(self, keys: asyncio.Queue[str], digits: str) -> None:
        await self._x.clock.sleep(self._behaviour.digits_after_s)
        for key in digits:
            keys.put_nowait(key)

    # Small tools

    async def _send(self, url: str, method: str, form: dict[str, str]) -> None:
        try:
            await self._x.webhooks.send(url, form, method)
        except WebhookError as error:
            self._note(str(error))

    def _note(self, text: str) -> None:
        self.call.log.append(text)
        self._x.problems.append(f"{self.call.sid}: {text}")

    async def _after(self, seconds: float, outcome: str) -> str:
        await self._x.clock.sleep(seconds)
        return outcome

    async def _wait_end(self) -> str:
        return await asyncio.shield(self._ended)

    async def _wait_hand(self) -> str:
        return await asyncio.shield(self._hand)
