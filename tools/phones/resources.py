"""Twilio's resources as its REST API shows them: messages, calls, pages of them, errors.

The field names, the forms of SIDs and dates and the error codes are Twilio's (API version 2010-04-01).
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

API = "/2010-04-01/Accounts"
ALIVE_CALL = frozenset({"queued", "initiated", "ringing", "in-progress"})
DEFAULT_PAGE, LARGEST_PAGE = 50, 1000


class ApiError(Exception):
    """A refusal as Twilio words it: an HTTP status and a code of its own."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message

    def form(self) -> dict[str, object]:
        """The JSON body of the answer."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


class Message(msgspec.Struct, kw_only=True):
    """One SMS, outgoing (to a phone) or incoming (from one)."""

    sid: str
    to: str
    sender: str | None
    body: str
    direction: str
    status: str
    created: datetime
    updated: datetime
    sent: datetime | None = None
    arrived: datetime | None = None
    """When it came to the phone."""
    segments: int = 1
    service_sid: str | None = None
    error_code: int | None = None
    status_callback: str | None = None
    automatic: bool = False
    """Whether it is Twilio's own answer to STOP and its kin, not the hub's."""
    statuses: list[str] = []
    """Every status it went through, in order."""


class CallRequest(msgspec.Struct, kw_only=True, frozen=True):
    """What the caller asked for: the form of POST Calls.json."""

    to: str
    sender: str
    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
    machine_detection: str | None = None
    async_amd: bool = False
    async_amd_callback: str | None = None
    async_amd_callback_method: str = "POST"
    timeout_s: float = 60.0
    time_limit_s: float = 14400.0


class Caption(msgspec.Struct, kw_only=True, frozen=True):
    """One text spoken in a call."""

    text: str
    language: str
    voice: str
    seconds: float
    at: datetime


class Call(msgspec.Struct, kw_only=True):
    """One call to a phone."""

    sid: str
    request: CallRequest
    status: str
    created: datetime
    updated: datetime
    start: datetime | None = None
    end: datetime | None = None
    duration_s: int | None = None
    answered_by: str | None = None
    """What detection found (AnsweredBy); None where nobody asked for it, or not yet."""
    machine: bool = False
    """Whether it was an answering machine that took the call."""
    statuses: list[str] = []
    captions: list[Caption] = []
    digits: list[str] = []
    """What each Gather took in, in order."""
    log: list[str] = []
    """What went wrong or was passed over, with Twilio's code where it has one."""
    gathering: bool = False
    ended_by: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it still rings or runs."""
        return self.status in ALIVE_CALL


def new_sid(prefix: str) -> str:
    """A SID of Twilio's form: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def rfc2822(moment: datetime | None) -> str | None:
    """The form of Twilio's dates: `Wed, 14 Feb 2024 09:30:00 +0000`."""
    return format_datetime(moment.astimezone(UTC)) if moment else None


def message_json(message: Message, account: str) -> dict[str, object]:
    """The Message resource."""
    uri = f"{API}/{account}/Messages/{message.sid}.json"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": rfc2822(message.created),
        "date_sent": rfc2822(message.sent),
        "date_updated": rfc2822(message.updated),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": error_text(message.error_code) if message.error_code else None,
        "from": message.sender,
        "messaging_service_sid": message.service_sid,
        "num_media": "0",
        # With a Messaging Service no sender is assigned yet at first, so nothing is counted.
        "num_segments": "0" if message.status == "accepted" else str(message.segments),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
        "to": message.to,
        "uri": uri,
    }


def call_json(call: Call, account: str) -> dict[str, object]:
    """The Call resource."""
    uri = f"{API}/{account}/Calls/{call.sid}.json"
    base = uri.removesuffix(".json")
    return {
        "account_sid": account,
        "annotation": None,
        "answered_by": None if _still_detecting(call) else call.answered_by,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.updated),
        "direction": "outbound-api",
        "duration": None if call.duration_s is None else str(call.duration_s),
        "end_time": rfc2822(call.end),
        "forwarded_from": None,
        "from": call.request.sender,
        "from_formatted": call.request.sender,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": rfc2822(call.start),
        # "initiated" is a callback's word; the resource says "queued" until the phone rings.
        "status": "queued" if call.status == "initiated" else call.status,
        "subresource_uris": {
            name: f"{base}/{file}.json"
            for name, file in (
                ("events", "Events"),
                ("notifications", "Notifications"),
                ("recordings", "Recordings"),
            )
        },
        "to": call.request.to,
        "to_formatted": call.request.to,
        "trunk_sid": None,
        "uri": uri,
    }


def _still_detecting(call: Call) -> bool:
    """Without a callback for it, who answered is told once the call is over (Twilio's warning 21262)."""
    return call.alive and call.request.async_amd and call.request.async_amd_callback is None


SMS_ERRORS = {
    21211: "Invalid 'To' Phone Number",
    21606: "The 'From' phone number is not a valid, SMS-capable phone number",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}
"""What may be wrong with sending SMS to a phone, in Twilio's words (twilio.com/docs/api/errors): those from 30000 on
are told by a status callback, the others refuse the request."""


def error_text(code: int) -> str:
    """A short wording of one of Twilio's codes."""
    return SMS_ERRORS.get(code, f"Error {code}")


def page_json(
    items: Sequence[Any],
    show: Callable[[Any], dict[str, object]],
    key: str,
    path: str,
    query: Mapping[str, str],
) -> dict[str, object]:
    """One page of a list, newest first, as Twilio pages.

    items: everything that matches, newest first; query: the request's own parameters. The next page is
    named by a token holding the last SID shown, so that what arrives meanwhile shifts nothing.
    """
    size = _count(query.get("PageSize"), DEFAULT_PAGE, least=1, most=LARGEST_PAGE)
    number = _count(query.get("Page"), 0, least=0, most=10**9)
    token = query.get("PageToken", "")
    start = number * size
    if token.startswith("PA"):
        places = {item.sid: place for place, item in enumerate(items)}
        start = places.get(token[2:], -1) + 1
    shown = items[start : start + size]
    filters = {name: text for name, text in query.items() if name not in {"Page", "PageToken", "PageSize"}}

    def uri(page: int, after: str | None) -> str:
        fields = {**filters, "PageSize": str(size), "Page": str(page)}
        if after:
            fields["PageToken"] = "PA" + after
        return f"{path}?{urlencode(fields, quote_via=quote)}"

    more = start + size < len(items)
    return {
        key: [show(item) for item in shown],
        "end": start + len(shown) - 1 if shown else 0,
        "first_page_uri": uri(0, None),
        "next_page_uri": uri(number + 1, shown[-1].sid) if more else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1, None) if number > 0 else None,
        "start": start,
        "uri": f"{path}?{urlencode(dict(query), quote_via=quote)}" if query else path,
    }


def _count(text: str | None, default: int, least: int, most: int) -> int:
    if text is None or not re.fullmatch(r"\d{1,9}", text):
        return default
    return min(max(int(text), least), most)


def in_period(moment: datetime | None, name: str, query: Mapping[str, str]) -> bool:
    """Whether `moment` is in the period that the parameters `name`, `name<` and `name>` ask for.

    A bare date means that UTC day; `<` and `>` include the moment they name, as Twilio's do. Something
    that has no such moment yet (a message still queued has no DateSent) is in no period.
    """
    for suffix in ("", "<", ">"):
        text = query.get(name + suffix)
        if text is None:
            continue
        if moment is None:
            return False
        first, last = _bounds(text, name + suffix)
        seconds = moment.replace(microsecond=0)
        if (
            (suffix == "" and not first <= seconds <= last)
            or (suffix == "<" and seconds > first)
            or (suffix == ">" and seconds < first)
        ):
            return False
    return True


def _bounds(text: str, name: str) -> tuple[datetime, datetime]:
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            first = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return first, first + timedelta(days=1, seconds=-1)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 20001, f"Invalid {name}: {text}") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment, moment
