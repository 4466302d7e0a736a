"""Forms for partners, described in YAML and served as pages: a request for the crisis centre, a drone, a camera.

What is sent is a signal, and goes its way by its sheet. A partner proves who they are with their organisation's code;
a form without partners is open to anybody, who counts as F. It is said to be received only when it is durable.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog

from connectors.form import page
from connectors.form.config import FormConfig
from connectors.form.reading import Typed, check, reference_of, signal_of
from hub.connector import BadItem, Environment, Intake, Route, SignalItem, Unavailable, WebRequest, WebResponse
from hub.model.people import Language

_log = structlog.get_logger()

BYTES_MAX = 64 << 10
TRIES, TRIES_SPAN_S = 10, 60.0  # wrong codes, of all who try: after these one has to wait, unless the code is right
CODE_LEAST = 12  # characters: what can be guessed at the rate of the tries is no code
_RETRY_AFTER_S = "10"
_ID_BYTES = 9
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class FormSource:
    """One form. Fulfils hub.connector.Source."""

    Config: ClassVar[type[FormConfig]] = FormConfig

    def __init__(self, config: FormConfig, environment: Environment) -> None:
        self._config = config
        self._name = environment.name
        self._codes = {partner: _code(environment.secret(name), name) for partner, name in config.partners.items()}
        self._wrong: list[float] = []  # when codes were wrong: real time, as for all that guards a door

    async def run(self, intake: Intake) -> None:
        """Nothing to do: the web listens."""
        await intake.health("ok")

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def show(request: WebRequest) -> WebResponse:
            return _html(200, page.asking(self._config, _language(request), secrets.token_urlsafe(_ID_BYTES)))

        async def send(request: WebRequest) -> WebResponse:
            return await self._sent(request, intake)

        return [
            Route(method="GET", path="", handler=show, summary="The form, as a page", openapi=_SHOWN),
            Route(
                method="POST",
                path="",
                handler=send,
                max_bytes=BYTES_MAX,
                summary="The form, filled in",
                openapi=_POSTED,
            ),
        ]

    @staticmethod
    def fields(config: FormConfig) -> Sequence[str]:
        """What its signals say besides: for sheets that name it (hub.config)."""
        return [name for name in config.fields if name != config.replaces]

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """What was typed, as it is kept: a JSON object, field → value."""
        key = f"form:{name}"
        if not isinstance(config, FormConfig):
            reason = "a form is read as its source is configured: name a source of sources.yaml"
            return [BadItem(reason=reason, original=data, key=key, media_type="application/json")]
        try:
            typed = check(config, msgspec.json.decode(data, type=dict[str, str]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return [
                BadItem(reason=f"{error}: write field: value", original=data, key=key, media_type="application/json")
            ]
        if typed.wrong:
            said = "; ".join(f"{field}: {page.WORDS[Language.EN][word]}" for field, word in typed.wrong.items())
            return [BadItem(reason=said, original=data, key=key, media_type="application/json")]
        return [signal_of(config, typed.values, name, "", _NO_TIME)]

    async def _sent(self, request: WebRequest, intake: Intake) -> WebResponse:
        config, language = self._config, _language(request)
        typed = _typed(request.body)
        form_id = _id_of(typed.get("id", ""))
        guessing = self._guessing()
        partner = self._partner(typed)
        if guessing and partner is None:  # whoever has the code is let in: nobody locks the partners out
            again = page.asking(config, language, form_id, typed, alert="slow")
            return _html(429, again, **{"retry-after": str(int(TRIES_SPAN_S))})
        said: Typed = check(config, typed)
        wrong = {**said.wrong, **({"code": "wrong_code"} if partner is None else {})}
        if partner is None or wrong:
            status = 403 if partner is None else 422
            return _html(status, page.asking(config, language, form_id, typed, wrong, alert="not_sent"))
        reference = reference_of(config, said.values, form_id)
        item = signal_of(config, said.values, reference, partner, intake.now())
        try:
            await intake.offer([item])
        except Unavailable as why:
            _log.error("form.not_recorded", source=self._name, why=str(why))
            again = page.asking(config, language, form_id, typed, alert="not_recorded")
            return _html(503, again, **{"retry-after": _RETRY_AFTER_S})
        return _html(200, page.received(config, language, reference))

    def _partner(self, typed: Mapping[str, str]) -> str | None:
        """Who sends it: "" for anybody, where the form is open to all; None for whoever does not prove it."""
        if not self._codes:
            return ""
        partner = typed.get("partner", "")
        held = self._codes.get(partner, b"")  # compared all the same, so that the time it takes tells nothing
        if hmac.compare_digest(held, _digest(typed.get("code", ""))):
            return partner
        if not self._guessing():
            self._wrong.append(time.monotonic())
        _log.warning("form.wrong_code", source=self._name, partner=partner[:40])
        return None

    def _guessing(self) -> bool:
        since = time.monotonic() - TRIES_SPAN_S
        self._wrong = [at for at in self._wrong if at > since]
        return len(self._wrong) >= TRIES


def _code(code: str, name: str) -> bytes:
    """A partner's code, as it is compared. Raises ValueError for one that is too short."""
    if len(code.strip()) < CODE_LEAST:
        raise ValueError(
            f"the code in secret {name} has fewer than {CODE_LEAST} characters: make it three words or more"
        )
    return _digest(code)


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).digest()


def _language(request: WebRequest) -> Language:
    """As the address says, else as the browser does, else French."""
    asked = parse_qs(urlsplit(request.url).query).get("lang", [""])[0]
    accepted = [
        part.partition(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")
    ]
    return next((Language(code) for code in (asked, *accepted) if code in set(Language)), Language.FR)


def _typed(body: bytes) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded); of several values of one, all with commas between."""
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return {}
    return {name: ", ".join(values) for name, values in fields.items()}


def _id_of(text: str) -> str:
    """The id of the page that was sent; a new one where that is none of ours."""
    known = 8 <= len(text) <= 24 and all(c.isascii() and (c.isalnum() or c in "-_") for c in text)
    return text if known else secrets.token_urlsafe(_ID_BYTES)


def _html(status: int, text: str, **headers: str) -> WebResponse:
    return WebResponse(
        status=status,
        body=text.encode(),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": page.CSP, "X-Robots-Tag": "noindex, nofollow", **headers},
    )


_PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
_SHOWN: dict[str, Any] = {"responses": {"200": {"description": "The form; nothing is recorded", **_PAGE}}}
_FIELDS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
_POSTED: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FIELDS}}},
    "responses": {
        "200": {"description": "It is recorded; the page says its reference", **_PAGE},
        "403": {"description": "The partner or their code is wrong; nothing is recorded", **_PAGE},
        "422": {"description": "Something is missing or wrong, and marked; nothing is recorded", **_PAGE},
        "429": {"description": "Too many wrong codes; nothing is recorded", **_PAGE},
        "503": {"description": "Nothing could be recorded now", **_PAGE},
    },
}
