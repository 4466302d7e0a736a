"""The page an ask is answered on: what opening it shows, what pressing a button records.

Opening it (GET, HEAD) does nothing: mail scanners and previews open every link. Only the form's POST answers, and its
page says so only once the fact is durable. No cookie and no sign-in is involved, so another site has nothing to borrow
(CSRF): whoever can post here holds the token, which is in nobody's hands but the recipient's.

A link answers once. The journal sees to that, by the key of the reply; what this process remembers only lets the page
say what was answered. Tokens end in real time.
"""

import time
from collections.abc import Callable, Sequence
from textwrap import shorten
from typing import Any
from urllib.parse import parse_qs

import structlog

from connectors.mail import page
from connectors.mail.link import Invitation, Seal
from hub.connector import Intake, Outgoing, ReceiptItem, ReplyItem, Route, Taken, Unavailable, WebRequest, WebResponse
from hub.model.message import Outcome, Verb

_log = structlog.get_logger()

BYTES_MAX = 1_024  # a form with one field
_REMEMBERED = 5_000  # answers, so that a link opened again can say what was recorded
_SUBJECT_MAX = 120  # characters: enough to know the mail again, and the link stays short enough for every program
_TRY_AGAIN_S = "5"


class AnswerPage:
    """The page of one mail channel, below `public_url`. Its routes run on one loop, `link` may be called on another.
    `now`: real time, seconds since 1970."""

    def __init__(
        self, channel: str, seal: Seal, public_url: str, lasts_s: float, now: Callable[[], float] = time.time
    ) -> None:
        self._channel = channel
        self._seal = seal
        self._public_url = public_url.rstrip("/")
        self._lasts_s = lasts_s
        self._now = now
        self._answered: dict[tuple[str, int], str] = {}

    def link(self, outgoing: Outgoing) -> str:
        """The address of the page for an ask."""
        assert outgoing.ask is not None
        invitation = Invitation(
            order=outgoing.order,
            index=outgoing.index,
            address=outgoing.to,
            language=outgoing.language,
            status=outgoing.status,
            code=outgoing.ask.code,
            subject=shorten(outgoing.subject, _SUBJECT_MAX, placeholder="...") or "-",
            until_s=int(self._now() + self._lasts_s),
        )
        return f"{self._public_url}/answer/{self._seal.seal(invitation)}"

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def show(request: WebRequest) -> WebResponse:
            return self._show(request)

        async def answer(request: WebRequest) -> WebResponse:
            return await self._answer(request, intake)

        path = "/answer/{token}"
        return [
            Route(method="GET", path=path, handler=show, summary="The page an ask is answered on", openapi=_SHOWN),
            Route(method="HEAD", path=path, handler=show, summary="As GET, without the page", openapi=_SHOWN),
            Route(
                method="POST",
                path=path,
                handler=answer,
                max_bytes=BYTES_MAX,
                summary="A button of the page was pressed",
                openapi=_POSTED,
            ),
        ]

    def _show(self, request: WebRequest) -> WebResponse:
        opened = self._opened(request)
        return _html(200, page.asking(opened)) if isinstance(opened, Invitation) else opened

    async def _answer(self, request: WebRequest, intake: Intake) -> WebResponse:
        opened = self._opened(request)
        if not isinstance(opened, Invitation):
            return opened
        answer = _pressed(request.body)
        if answer not in page.CHOICES:
            return _html(400, page.asking(opened, page.WORDS[opened.language].unclear))
        try:
            taken = await intake.offer(self._items(opened, answer))
        except Unavailable as why:
            _log.error("mail.not_recorded", channel=self._channel, why=str(why))
            again = page.asking(opened, page.WORDS[opened.language].not_recorded)
            return _html(503, again, **{"retry-after": _TRY_AGAIN_S})
        return self._said(opened, answer, taken[0])

    def _said(self, opened: Invitation, answer: str, taken: Taken) -> WebResponse:
        if not taken.repeated:
            self._remember(opened, answer)
            return _html(200, page.recorded(opened, answer))
        known = self._answered.get((opened.order, opened.index), "")
        if known == answer:  # pressed twice, or sent again by a browser that missed our answer
            return _html(200, page.recorded(opened, answer))
        return _html(409, page.used(opened, known))

    def _opened(self, request: WebRequest) -> Invitation | WebResponse:
        """What the link is about, or the page that says why it cannot be used."""
        invitation = self._seal.open(request.match["token"])
        if invitation is None:
            return _html(404, page.wrong())
        if known := self._answered.get((invitation.order, invitation.index), ""):
            return _html(200, page.used(invitation, known)) if request.method != "POST" else invitation
        if invitation.until_s < self._now():
            return _html(410, page.expired(invitation))
        return invitation

    def _items(self, opened: Invitation, answer: str) -> Sequence[ReplyItem | ReceiptItem]:
        order, index = opened.order, opened.index
        key = f"link:{order}:{index}"  # without the answer: a link serves once
        reply = ReplyItem(
            channel=self._channel,
            address=opened.address,
            key=key,
            text=f"{answer} min" if answer.isdecimal() else "",
            verb=Verb.DECLINE if answer == page.DECLINE else Verb.ACCEPT,
            order=order,
            index=index,
        )
        # Whoever presses a button has read the mail.
        receipt = ReceiptItem(order=order, index=index, outcome=Outcome.DELIVERED, key=f"{key}:{Outcome.DELIVERED}")
        return [reply, receipt]

    def _remember(self, opened: Invitation, answer: str) -> None:
        if len(self._answered) >= _REMEMBERED:
            del self._answered[next(iter(self._answered))]
        self._answered[(opened.order, opened.index)] = answer


def _pressed(body: bytes) -> str:
    """The button of a form (application/x-www-form-urlencoded); `""` where there is not exactly one."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=4)
    except ValueError:
        return ""
    pressed = fields.get("answer", [])
    return pressed[0] if len(pressed) == 1 else ""


def _html(status: int, text: str, **headers: str) -> WebResponse:
    return WebResponse(
        status=status,
        body=text.encode(),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": page.CSP, "X-Robots-Tag": "noindex, nofollow", **headers},
    )


_PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
_REFUSED: dict[str, Any] = {
    "404": {"description": "The link is none of ours", **_PAGE},
    "410": {"description": "The link has expired", **_PAGE},
}
_SHOWN: dict[str, Any] = {
    "responses": {"200": {"description": "The page; nothing is recorded", **_PAGE}, **_REFUSED},
}
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["answer"],
    "properties": {"answer": {"type": "string", "enum": sorted(page.CHOICES)}},
}
_POSTED: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _FORM}}},
    "responses": {
        "200": {"description": "The answer is recorded", **_PAGE},
        "400": {"description": "There is no such answer", **_PAGE},
        "409": {"description": "The link has served already; nothing was recorded", **_PAGE},
        "503": {"description": "Nothing could be recorded now", **_PAGE},
        **_REFUSED,
    },
}
