"""The mobile network: phones, the messages and calls on them, and what their owners do."""

import re
from collections.abc import Iterable
from typing import Any

from . import twiml
from .behaviour import Behaviour, Person
from .exchange import Exchange
from .gsm import segments
from .optout import Kind, OptOuts
from .phone import Phone, PhoneError
from .resources import ApiError, Call, CallRequest, Message, error_text, new_sid
from .sms import SmsRun
from .voice import CallRun
from .webhooks import WebhookError

E164 = re.compile(r"\+[1-9]\d{6,14}")
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &_+-]{1,11}")
SHORT_CODE = re.compile(r"\d{3,6}")
BODY_MAX = 1600
SERVICE_NUMBER = "+3228080112"


class Network:
    """Everything that was sent and dialled, and the phones it reaches.

    inbound: URL to which an SMS from a phone is posted, for all the hub's numbers; inbound_by_number: for
    some of them. service_number: the sender a Messaging Service picks, and whom owners write to first.
    """

    def __init__(
        self,
        exchange: Exchange,
        people: Iterable[Person] = (),
        inbound: str | None = None,
        inbound_by_number: dict[str, str] | None = None,
        service_number: str = SERVICE_NUMBER,
    ) -> None:
        self.exchange = exchange
        self.inbound, self.inbound_by_number = inbound, dict(inbound_by_number or {})
        self.service_number = service_number
        self.messages: dict[str, Message] = {}
        self.calls: dict[str, Call] = {}
        self.runs: dict[str, CallRun] = {}
        people = list(people)
        self.phones: dict[str, Phone] = {person.number: Phone(person, known=True) for person in people}
        self.opt_outs = OptOuts(person.number for person in people if person.opted_out)

    def phone(self, number: str) -> Phone:
        """The phone of that number, made on first contact."""
        if number not in self.phones:
            self.phones[number] = Phone(Person(name="", number=number), known=False)
        return self.phones[number]

    def script(self, number: str, **changes: Any) -> None:
        """Change what a phone does by itself from now on: fields of Behaviour. Raises BehaviourError."""
        self.behave(number, self.phone(number).behaviour.changed(changes))

    def behave(self, number: str, behaviour: Behaviour) -> None:
        """Change all that a phone does by itself from now on."""
        self.phone(number).behave(behaviour)
        self.exchange.changed(number)

    # From the hub to the phones

    def send(
        self,
        *,
        to: str,
        sender: str | None,
        body: str,
        service_sid: str | None = None,
        status_callback: str | None = None,
        direction: str = "outbound-api",
    ) -> Message:
        """Accept an SMS for a phone. Raises ApiError as Twilio refuses."""
        self._check_message(to, sender, body, service_sid)
        phone = self.phone(to)
        code = phone.behaviour.sms_error
        if self.opt_outs.blocks(to, sender or self.service_number):
            code = 21610
        if code is not None and code < 30000:
            raise ApiError(400, code, f"{error_text(code)}: {to}")
        return self._accept(phone, sender, body, direction, service_sid, status_callback)

    def _accept(
        self,
        phone: Phone,
        sender: str | None,
        body: str,
        direction: str,
        service_sid: str | None = None,
        status_callback: str | None = None,
    ) -> Message:
        now = self.exchange.now()
        message = Message(
            sid=new_sid("SM"),
            to=phone.number,
            sender=sender,
            body=body,
            direction=direction,
            status="accepted" if service_sid and sender is None else "queued",
            created=now,
            updated=now,
            segments=segments(body),
            service_sid=service_sid,
            status_callback=status_callback,
        )
        message.statuses.append(message.status)
        self.messages[message.sid] = message
        self.exchange.spawn(self._carry(message, phone))
        return message

    def _check_message(self, to: str, sender: str | None, body: str, service_sid: str | None) -> None:
        if not to:
            raise ApiError(400, 21604, "A 'To' phone number is required.")
        if not E164.fullmatch(to):
            raise ApiError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender and not service_sid:
            raise ApiError(400, 21603, "A 'From' phone number is required.")
        if sender and not any(form.fullmatch(sender) for form in (E164, ALPHANUMERIC, SHORT_CODE)):
            raise ApiError(400, 21212, f"Invalid From Number (caller ID): {sender}")
        if sender == to:
            raise ApiError(400, 21266, "'To' and 'From' number cannot be the same")
        if not body:
            raise ApiError(400, 21602, "Message body is required.")
        if len(body) > BODY_MAX:
            raise ApiError(400, 21617, "The concatenated message body exceeds the 1600 character limit")

    async def _carry(self, message: Message, phone: Phone) -> None:
        """Take a message to its phone, and let the phone answer it."""
        if not await SmsRun(self.exchange, message, phone, self.service_number).run():
            return
        reply = phone.behaviour.reply_for(message.body)
        if reply is not None:
            await self.exchange.clock.sleep(phone.behaviour.reply_after_s)
            await phone.covered.wait()
            self.text(phone.number, reply, to=message.sender)

    def cancel_message(self, message: Message) -> None:
        """Withdraw a message still queued. Raises ApiError (30409)."""
        if message.status not in ("queued", "accepted"):
            raise ApiError(409, 30409, "Message is not in a state that can be canceled")
        message.status, message.updated = "canceled", self.exchange.now()
        message.statuses.append("canceled")

    def dial(self, request: CallRequest) -> Call:
        """Accept a call to a phone. Raises ApiError as Twilio refuses."""
        if not E164.fullmatch(request.to):
            raise ApiError(400, 21211, f"Invalid 'To' Phone Number: {request.to}")
        if not E164.fullmatch(request.sender):
            raise ApiError(400, 21212, f"Invalid From Number (caller ID): {request.sender}")
        if bool(request.url) == bool(request.twiml):
            raise ApiError(400, 21205, "Either 'Url' or 'Twiml' is required, and not both.")
        if request.url and not request.url.startswith(("http://", "https://")):
            raise ApiError(400, 21205, f"Url is not a valid URL: {request.url}")
        x, phone = self.exchange, self.phone(request.to)
        if phone.behaviour.sms_error == 21211:
            raise ApiError(400, 21211, f"{error_text(21211)}: {request.to}")
        now = x.now()
        call = Call(sid=new_sid("CA"), request=request, status="queued", created=now, updated=now)
        call.statuses.append("queued")
        self.calls[call.sid] = call
        phone.calls.append(call)
        behaviour = phone.behaviour
        if phone.run is not None and behaviour.coverage:
            behaviour = behaviour.changed({"call": "busy"})  # already in another call
        run = CallRun(x, call, behaviour)
        self.runs[call.sid] = run
        if phone.run is None:
            phone.run = run
        x.spawn(self._connect(run, phone))
        return call

    async def _connect(self, run: CallRun, phone: Phone) -> None:
        try:
            await run.run()
        finally:
            self.runs.pop(run.call.sid, None)
            if phone.run is run:
                phone.run = None
            self.exchange.changed(phone.number)

    # From the phones to the hub

    def answer(self, number: str) -> None:
        """The owner takes the ringing call. This and the next three raise PhoneError."""
        self._act(number, "answer", "no call is ringing on it")

    def decline(self, number: str) -> None:
        """The owner refuses the ringing call."""
        self._act(number, "decline", "no call is ringing on it")

    def hang_up(self, number: str) -> None:
        """The owner ends the call."""
        self._act(number, "hang_up", "it is in no call")

    def press(self, number: str, digits: str) -> None:
        """The owner presses keys during a call; only a Gather hears them."""
        if not re.fullmatch(r"[0-9*#]+", digits):
            raise PhoneError(f"{number}: {digits!r}: keys are 0-9, * and #")
        run = self.phone(number).run
        if run is None or not run.press(digits):
            raise PhoneError(f"{number}: pressing {digits}: nobody is listening for keys now")

    def _act(self, number: str, what: str, why_not: str) -> None:
        run = self.phone(number).run
        if run is None or not getattr(run, what)():
            raise PhoneError(f"{number}: {what.replace('_', ' ')}: {why_not}")

    def text(self, number: str, body: str, to: str | None = None) -> Message:
        """The owner sends an SMS to `to`, without it to whoever wrote last. Raises PhoneError.

        It is listed by the API whether or not the hub can be told of it; Twilio acts on STOP and its kin itself.
        """
        phone, x = self.phone(number), self.exchange
        to = to or next((m.sender for m in reversed(phone.thread) if m.direction != "inbound"), None)
        to = to or self.service_number
        if not body.strip():
            raise PhoneError(f"{number}: an SMS without text")
        if not phone.behaviour.coverage:
            raise PhoneError(f"{number}: it has no coverage: an SMS cannot be sent now")
        if not E164.fullmatch(to) and not SHORT_CODE.fullmatch(to):
            raise PhoneError(f"{number}: {to} is a name, not a number: it cannot be answered")
        now = x.now()
        message = Message(
            sid=new_sid("SM"),
            to=to,
            sender=number,
            body=body[:BODY_MAX],
            direction="inbound",
            status="received",
            created=now,
            updated=now,
            sent=now,
            segments=segments(body),
            statuses=["received"],
        )
        self.messages[message.sid] = message
        phone.thread.append(message)
        kind, answer = self.opt_outs.heard(number, to, body)
        if answer:  # Twilio's own, which no opt-out holds back
            self._accept(phone, to, answer, "outbound-reply").automatic = True
        x.changed(number)
        url = self.inbound_by_number.get(to, self.inbound)
        if url:
            x.spawn(self._hand_in(message, url, kind))
        return message

    async def _hand_in(self, message: Message, url: str, kind: Kind | None) -> None:
        """Post an incoming SMS to the hub and carry out the TwiML it answers with."""
        x = self.exchange
        sender = message.sender or ""
        form = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsMessageSid": message.sid,
            "AccountSid": x.account,
            "From": sender,
            "To": message.to,
            "Body": message.body,
            "NumMedia": "0",
            "NumSegments": str(message.segments),
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            "FromCountry": "BE" if sender.startswith("+32") else "",
            "ToCountry": "BE" if message.to.startswith("+32") else "",
        }
        if kind is not None:
            form["OptOutType"] = kind
        try:
            for _ in range(10):
                answer = await x.webhooks.send(url, form)
                if answer.content_type == "text/plain":  # Twilio sends plain text back as it is
                    text = answer.body.decode("utf-8", "replace").strip()
                    verbs: tuple[twiml.Verb, ...] = (twiml.Reply(text),) if text else ()
                else:
                    verbs = twiml.parse(answer.body)
                url = self._reply(message, verbs) or ""
                if not url:
                    return
        except (WebhookError, twiml.TwimlError, ApiError) as error:
            x.problems.append(f"{message.sid}: {error}")

    def _reply(self, message: Message, verbs: tuple[twiml.Verb, ...]) -> str | None:
        """Send what the TwiML says; the URL of a Redirect, if there is one."""
        for verb in verbs:
            match verb:
                case twiml.Reply():
                    self.send(
                        to=verb.to or message.sender or "",
                        sender=verb.sender or message.to,
                        body=verb.body,
                        status_callback=verb.status_callback,
                        direction="outbound-reply",
                    )
                case twiml.Redirect():
                    return verb.url
                case _:
                    self.exchange.problems.append(f"{message.sid}: 12200: {verb}: passed over")
        return None
