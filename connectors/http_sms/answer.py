"""What a provider's answer means for a delivery. Pure."""

import re
from typing import Any

import msgspec

from connectors.http_sms.config import HttpSmsConfig
from connectors.http_sms.template import word_at
from hub.connector import Answer, Dead, Retry, Sent

_AGAIN = frozenset({408, 425, 429, 503})  # not taken
_OURS = frozenset({401, 402, 403, 404, 405, 415})  # wrong for everybody: credentials, credit, address, form
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}|-?\d{1,6}")


def code_of(word: str) -> str:
    """A provider's code as it may stand in a record: no number, no words of a message."""
    return word if _CODE.fullmatch(word) and not re.search(r"\d{7}", word) else "another code"


def meaning(config: HttpSmsConfig, status: int, body: bytes, after_s: float | None) -> Answer:
    """Its own error code counts first, then the HTTP status, as the configuration has them; then what HTTP says."""
    taken = status in config.accepted if config.accepted else 200 <= status < 300
    document, readable = _read(body)
    code = word_at(document, config.error_at)
    if code in config.no_error:
        code = ""
    reason = f"the provider answered {status}" + (f": {code_of(code)}" if code else "")
    for word in filter(None, (code, "" if taken else str(status))):
        if (answer := _as_configured(config, word, reason, after_s)) is not None:
            return answer
    if taken and not code:
        if config.error_at and not readable:
            return Retry(reason=f"{reason}, not understood", doubt=True)
        return Sent(ref=word_at(document, config.id_at)[:100])
    if status in _AGAIN:
        return Retry(reason=reason, after_s=after_s)
    if status >= 500:  # it may have happened before the error did
        return Retry(reason=reason, after_s=after_s, doubt=True)
    return Dead(reason=reason, alarm=status in _OURS or 300 <= status < 400)


def _as_configured(config: HttpSmsConfig, word: str, reason: str, after_s: float | None) -> Answer | None:
    if word in config.bad_number:
        return Dead(reason=reason, bad_address=True)
    if word in config.refused:
        return Dead(reason=reason)
    if word in config.again:
        return Retry(reason=reason, after_s=after_s)
    if word in config.broken:
        return Dead(reason=reason, alarm=True)
    return None


def _read(body: bytes) -> tuple[Any, bool]:
    try:
        return msgspec.json.decode(body), True
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None, False
