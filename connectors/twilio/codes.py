"""Twilio's error codes, and what they mean for a delivery (twilio.com/docs/api/errors)."""

from twilio.base.exceptions import TwilioRestException

from hub.connector import Answer, Dead, Retry

MEANINGS = {
    13224: "number not valid for calls",
    20003: "authentication failed",
    20404: "account or resource not found",
    20429: "too many requests",
    21210: "caller's number not verified",
    21211: "number not valid",
    21212: "sender not valid",
    21214: "number cannot be reached",
    21215: "country not enabled for calls",
    21216: "calls to this number are not allowed",
    21217: "number not valid",
    21219: "number not verified (trial account)",
    21408: "country not enabled for SMS",
    21421: "number not valid",
    21602: "message empty",
    21603: "sender missing",
    21604: "recipient missing",
    21606: "sender cannot send SMS",
    21608: "number not verified (trial account)",
    21610: "opted out (STOP)",
    21611: "sender's queue is full",
    21612: "no way from this sender to this number",
    21614: "not a mobile number",
    21617: "message too long",
    21659: "sender not ours",
    21660: "sender not of this account",
    30001: "queue overflow",
    30002: "account suspended",
    30003: "unreachable",
    30004: "blocked",
    30005: "unknown number",
    30006: "landline or carrier cannot be reached",
    30007: "filtered by the carrier",
    30008: "unknown error of the carrier",
    30022: "rate limit of the carrier",
    30034: "sender not registered",
}

_AGAIN = frozenset({20429, 21611, 30001, 30022})  # nothing wrong with the number: slow down
_BAD_ADDRESS = frozenset({13224, 21211, 21217, 21421, 21614, 30005, 30006})
_BROKEN = frozenset({20003, 20404, 21210, 21212, 21603, 21606, 21659, 21660, 30002, 30034})  # ours to put right
_ELSEWHERE = frozenset({21215, 21216, 21219, 21408, 21608, 21612})  # this account may not, or cannot, reach it


def meaning(code: int | str | None) -> str:
    """`30003 unreachable`: the code and what it means, without personal data; `""` where there is no code."""
    text = str(code or "")
    if not text.isdigit() or text == "0":
        return ""
    return f"{text} {MEANINGS.get(int(text), 'see twilio.com/docs/api/errors')}"


def refused(error: TwilioRestException, nth: int) -> Answer:
    """What a request Twilio answered with an error means: `nth` counts attempts from 1."""
    code, status = error.code or 0, error.status
    reason = f"Twilio: {meaning(code) or f'HTTP {status}'}"
    if code in _AGAIN:
        return Retry(reason=reason)
    if code == 30003:  # switched off or out of reach: once more, then by voice
        return Retry(reason=reason, after_s=30.0, address=True) if nth == 1 else Dead(reason=reason)
    if code == 30008:
        return Retry(reason=reason, address=True) if nth == 1 else Dead(reason=reason)
    if code in _BROKEN or status in (401, 403):
        return Dead(reason=reason, alarm=True)
    if status in (408, 425):
        return Retry(reason=reason)
    if status >= 500:  # it may have happened before the error did
        return Retry(reason=reason, doubt=True)
    if 200 <= status < 400:
        return Retry(reason=reason, doubt=status < 300)
    return Dead(reason=reason, bad_address=code in _BAD_ADDRESS, elsewhere=code in _ELSEWHERE)
