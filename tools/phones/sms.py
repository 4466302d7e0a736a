"""One SMS on its way to a phone: its statuses, their callbacks, its arrival.

What Twilio tells of it (twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks): no callback for
the status a message is made with (`queued`, or `accepted` with a Messaging Service), one for each that follows; `sent`
is the carrier's word, `delivered` and `undelivered` come from its delivery receipt, which some carriers send late or
never; callbacks may come in another order than they were made. Error codes: twilio.com/docs/api/errors/30003 (off or
out of reach), 30005 (unknown number), 30006 (landline), 30007 (filtered), 30008.
"""

from .exchange import CallbackLine, Exchange, first
from .phone import Phone
from .resources import Message

QUEUE_S, SEND_S, DELIVER_S, UNDELIVERED_S = 0.2, 0.3, 1.5, 5.0


class SmsRun:
    """Takes a message from accepted to the last that is heard of it. `service_number`: the sender a Messaging Service
    picks."""

    def __init__(self, exchange: Exchange, message: Message, phone: Phone, service_number: str) -> None:
        self._x, self._message, self._phone, self._service_number = exchange, message, phone, service_number
        self._callbacks = CallbackLine(
            exchange,
            message.status_callback,
            "POST",
            ("MessageStatus", "SmsStatus"),
            out_of_order=phone.behaviour.out_of_order,
        )

    async def run(self) -> bool:
        """Returns once it is on the phone (True), or will not come (False)."""
        x, message = self._x, self._message
        await x.clock.sleep(QUEUE_S)
        if message.status == "canceled":
            return False
        message.sender = message.sender or self._service_number
        if message.status == "accepted":
            self._go("queued")
        await x.clock.sleep(SEND_S)
        if message.status == "canceled":
            return False
        message.sent = x.now()
        behaviour = self._phone.behaviour
        receipts = behaviour.receipt_after_s is not None
        self._go("sent", last=not receipts and behaviour.sms_error is None)
        if behaviour.sms_error is not None:
            await x.clock.sleep(UNDELIVERED_S)
            self._undelivered(behaviour.sms_error)
            return False
        if not await self._reached(behaviour.kept_s):
            if receipts:
                self._undelivered(30003)
            return False
        await x.clock.sleep(DELIVER_S)
        message.arrived = x.now()
        self._phone.thread.append(message)
        x.changed(self._phone.number)
        if receipts:
            x.spawn(self._confirm(behaviour.receipt_after_s or 0.0))
        return True

    async def _reached(self, kept_s: float) -> bool:
        """Whether the phone is, or comes, into reach while the carrier keeps the message."""
        x, phone = self._x, self._phone
        if phone.covered.is_set():
            return True
        phone.waiting.append(self._message)
        x.changed(phone.number)
        try:
            await first(phone.covered.wait(), x.clock.sleep(kept_s))
        finally:
            phone.waiting.remove(self._message)
            x.changed(phone.number)
        return phone.covered.is_set()

    async def _confirm(self, after_s: float) -> None:
        await self._x.clock.sleep(after_s)
        self._go("delivered", last=True)

    def _undelivered(self, code: int) -> None:
        self._message.error_code = code
        self._go("undelivered", last=True)

    def _go(self, status: str, last: bool = False) -> None:
        message = self._message
        message.status, message.updated = status, self._x.now()
        message.statuses.append(status)
        self._callbacks.put(self._form(), last)
        self._x.changed(message.to)

    def _form(self) -> dict[str, str]:
        message = self._message
        form = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": message.status,
            "SmsStatus": message.status,
            "AccountSid": self._x.account,
            "From": message.sender or "",
            "To": message.to,
            "ApiVersion": "2010-04-01",
        }
        if message.service_sid:
            form["MessagingServiceSid"] = message.service_sid
        if message.error_code:
            form["ErrorCode"] = str(message.error_code)
        if message.status in ("delivered", "undelivered"):
            # When the carrier says it happened, to the minute; a receipt may come long after.
            form["RawDlrDate"] = (message.arrived or message.updated).strftime("%y%m%d%H%M")
        return form
