"""The simulator steered over HTTP, by its own page, by scripts and by tests in another process. Bodies are JSON.

GET   /control/phones              every phone: number, name, language, behaviour, opted_out, waiting, thread, calls
GET   /control/phones/NUMBER       one of them
PATCH /control/phones/NUMBER       fields of Behaviour: these change, the others stay
PUT   /control/phones/NUMBER       fields of Behaviour: all that are not named become as they are by default
POST  /control/faults              fields of Faults
GET   /control/problems            what the hub's webhooks did wrong, in order
GET   /control/deliveries          all messages and calls accepted, whatever the caller heard of it
"""

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from .behaviour import BehaviourError, read_behaviour
from .faults import Faults
from .phone import Phone

if TYPE_CHECKING:  # it steers the server that serves it
    from .server import Phones


class Control:
    """The routes of one simulator."""

    def __init__(self, phones: "Phones") -> None:
        self._phones, self._network = phones, phones.network

    def routes(self) -> list[web.RouteDef]:
        phone = r"/control/phones/{number:\+[1-9]\d{6,14}}"
        return [
            web.get("/control/phones", self._list),
            web.get(phone, self._show),
            web.patch(phone, self._change),
            web.put(phone, self._replace),
            web.post("/control/faults", self._faults),
            web.get("/control/problems", self._problems),
            web.get("/control/deliveries", self._deliveries),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([self._view(phone) for phone in self._network.phones.values()])

    async def _show(self, request: web.Request) -> web.Response:
        phone = self._network.phones.get(request.match_info["number"])
        if phone is None:
            return _refused(404, "no such phone: GET /control/phones lists them")
        return web.json_response(self._view(phone))

    async def _change(self, request: web.Request) -> web.Response:
        before = self._network.phone(request.match_info["number"]).behaviour
        return await self._behave(request, msgspec.to_builtins(before))

    async def _replace(self, request: web.Request) -> web.Response:
        return await self._behave(request, {})

    async def _behave(self, request: web.Request, before: dict[str, Any]) -> web.Response:
        number = request.match_info["number"]
        try:
            fields = msgspec.json.decode(await json_body(request), type=dict[str, Any])
            self._network.behave(number, read_behaviour(before | fields))
        except (msgspec.DecodeError, BehaviourError) as error:
            return _refused(400, str(error))
        return web.json_response(self._view(self._network.phone(number)))

    def _view(self, phone: Phone) -> dict[str, object]:
        return {
            "number": phone.number,
            "name": phone.name,
            "language": phone.language,
            "behaviour": msgspec.to_builtins(phone.behaviour),
            "opted_out": self._network.opt_outs.any(phone.number),
            "waiting": len(phone.waiting),
            "thread": [
                {"mine": m.direction == "inbound", "text": m.body, "at": (m.arrived or m.created).timestamp()}
                for m in phone.thread
            ],
            "calls": [{"status": c.status, "machine": c.machine, "digits": c.digits} for c in phone.calls],
        }

    async def _faults(self, request: web.Request) -> web.Response:
        """The answer: how often each fault struck until now."""
        counts = self._phones.dice.counts
        try:
            self._phones.set_faults(msgspec.json.decode(await json_body(request), type=Faults))
        except msgspec.DecodeError as error:
            return _refused(400, str(error))
        return web.json_response(counts)

    async def _problems(self, _: web.Request) -> web.Response:
        return web.json_response(self._phones.exchange.problems)

    async def _deliveries(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "messages": [
                    {"sid": m.sid, "to": m.to, "from": m.sender, "body": m.body, "statuses": m.statuses}
                    | {"direction": m.direction, "created": m.created.timestamp(), "error_code": m.error_code}
                    for m in self._phones.messages
                ],
                "calls": [
                    {"sid": c.sid, "to": c.request.to, "url": c.request.url, "twiml": c.request.twiml}
                    | {"statuses": c.statuses, "digits": c.digits, "created": c.created.timestamp()}
                    for c in self._phones.calls
                ],
            }
        )


async def json_body(request: web.Request) -> bytes:
    """The request's body, if it is declared as JSON: a form on some other site cannot send that unasked."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    return await request.read() or b"{}"


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
