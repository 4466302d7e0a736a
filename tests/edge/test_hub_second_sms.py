"""Several providers of SMS, with a real hub, the real Twilio SDK and providers on loopback: what the first does not
take goes by the second within seconds, its reports and replies are bound, and the room hears of the outage and its end.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub.model import events as e
from hub.model import records as r
from hub.model.message import Outcome
from tests.edge.running import OFFICER_A, READY_S, Answer, Room, change, code_in, room
from tools.phones import Faults

HOOK = "a-secret-of-the-test"
SECOND = {
    "type": "http-sms",
    "unencrypted": "yes",
    "sender": "+32450000090",
    "json": '{"to": "{to}", "text": "{text}", "ref": "{id}"}',
    "id at": "id",
    "proof": "hmac",
    "proof name": "X-Signature",
    "proof secrets": "SECOND_HOOK",
    "report id at": "ref",
    "report status at": "status",
    "delivered": "DELIVRD",
    "reply id at": "id",
    "reply from at": "from",
    "reply text at": "text",
}


class Second(ThreadingHTTPServer):
    """A provider that takes everything, unless told what to answer."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 202
        super().__init__(("127.0.0.1", 0), _Taking)

    def texts_to(self, number: str) -> list[str]:
        return [taken["text"] for taken in list(self.taken) if taken["to"] == number]


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # http.server's
        assert isinstance(self.server, Second)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 202:
            self.server.taken.append(asked)
        body = json.dumps({"id": f"s-{len(self.server.taken)}"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def second() -> Iterator[Second]:
    with Second() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def here(tmp_path: Path, second: Second) -> Iterator[Room]:
    """Long before a call would be due."""
    with room(tmp_path, between_s=60.0, answer_s=200.0) as made:
        config = made.folder.config
        secrets = config.parent / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "SECOND_HOOK").write_text(HOOK)
        entry = {**SECOND, "url": f"http://127.0.0.1:{second.server_port}/send"}
        change(config / "channels.yaml", lambda held: held.update({"sms-second": entry}))
        yield made


def falls_back(here: Room) -> None:
    change(here.folder.config / "channels.yaml", lambda held: held["sms"].update({"fall back to": "sms-second"}))


def asks(here: Room, *contacts: str) -> None:
    """The first tier asks these, by SMS and then by call."""
    tiers = "duty-officers"
    change(
        here.folder.config / "chains.yaml",
        lambda held: held[tiers]["tiers"][0].update({"ask": list(contacts), "by": ["sms", "call"]}),
    )


def tells(here: Room, what: str, **said: str) -> Answer:
    """The second provider calls back, signed."""
    body = json.dumps(said).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Signature": hmac.new(HOOK.encode(), body, hashlib.sha256).hexdigest(),
    }
    return here.request("POST", f"/callback/sms-second/{what}", body, headers)


def faults(**given: float) -> Callable[[Room], None]:
    return lambda here: here.outside.do(lambda phones: phones.set_faults(Faults(**given)))


def refuses_its_sender(here: Room) -> None:
    here.script(OFFICER_A, sms_error=21606)


def unreachable(here: Room) -> None:
    here.outside.run(lambda phones: phones.down())


def alarms(here: Room) -> dict[str, str]:
    return {alarm["what"]: alarm["detail"] for alarm in here.status()["alarms"]}


def channel(here: Room, name: str) -> Any:
    return next(one for one in here.status()["channels"] if one["name"] == name)


# --- one ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "within_s", "repeat"),
    [
        pytest.param(faults(error_500=1.0), 6, True, id="500"),
        pytest.param(faults(unavailable=1.0), 3, False, id="503"),
        pytest.param(faults(too_many=1.0), 3, False, id="throttled"),
        pytest.param(faults(hangs=1.0), 13, True, id="hangs"),
        pytest.param(unreachable, 3, False, id="unreachable"),
        pytest.param(refuses_its_sender, 3, False, id="refuses"),
    ],
)
def test_what_the_first_provider_does_not_take_goes_by_the_second_and_is_answered_there(
    here: Room, second: Second, fault: Callable[[Room], None], within_s: float, repeat: bool
) -> None:
    falls_back(here)
    fault(here)
    here.start()
    assert here.alert("THUNDER-1").status == 202
    (text,) = here.until(lambda: second.texts_to(OFFICER_A), "an SMS by the second provider", within_s)
    assert "THUNDER-1" in text
    assert ("(répétition possible)" in text) is repeat
    assert here.sms_to(OFFICER_A) == []
    assert here.calls_to(OFFICER_A) == []
    (asked,) = [o for o in here.events(e.Ordered) if o.ask and o.lane == "ask"]
    first, other = [a for a in here.records("attempt") if isinstance(a, r.Attempt) and a.order == asked.order]
    assert (first.provider, other.provider) == ("", "sms-second")

    # What the second provider says of it later, and what the officer answers there, are bound.
    ref = next(taken["ref"] for taken in second.taken if taken["to"] == OFFICER_A)
    assert tells(here, "report", ref=ref, status="DELIVRD").status == 200
    assert tells(here, "reply", id="r-1", **{"from": OFFICER_A}, text=f"{code_in(text)} oui").status == 200
    here.until(lambda: [x for x in here.events(e.RunEnded) if x.outcome == "accepted"], "a chain that is filled")
    moves = [m for x in here.events(e.Delivered) if x.order == asked.order for m in x.moves]
    # The provider's own word may overtake its answer to the request.
    assert [outcome for _, outcome, _ in moves if outcome is not Outcome.SENT] == [Outcome.DELIVERED]
    (reply,) = here.facts("reply")
    assert (reply.channel, reply.person) == ("sms", "officer-a")
    here.until(lambda: len(second.texts_to(OFFICER_A)) > 1, "the confirmation, by the provider that works")
    assert here.stop() == 0


def test_wrong_credentials_are_told_the_room_at_once(here: Room, second: Second) -> None:
    falls_back(here)
    here.begin(VIGIE_TWILIO_TOKEN="0" * 32)
    here.until(lambda: here.health().status == 200, "a hub that is ready", READY_S)
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: second.texts_to(OFFICER_A), "an SMS by the second provider", 3)
    told = here.until(lambda: alarms(here).get("channel-failing"), "an alarm")
    assert told.startswith("Twilio: 20003 authentication failed; since ")
    assert "meanwhile its messages go by sms-second" in told
    assert here.stop() == 0


# --- across people -----------------------------------------------------------------------------------------


def test_an_outage_is_told_and_its_end_too(here: Room, second: Second) -> None:
    falls_back(here)
    asks(here, "group crisis-cell", "group directors")
    faults(unavailable=1.0)(here)
    here.start()
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: len(second.taken) >= 7, "all asked by the second provider", 5)
    told = here.until(lambda: alarms(here).get("channel-failing"), "an alarm")
    assert told.startswith("Twilio: HTTP 503; since ")
    assert "people concerned so far; meanwhile its messages go by sms-second; it is tried" in told
    shown = channel(here, "sms")
    assert (shown["health"], shown["meanwhile"]) == ("failing", "sms-second")
    assert shown["people"] >= 3
    assert b'vigie_channel_up{channel="sms"} 0.0' in here.request("GET", "/metrics").body
    assert here.health().json()["channels"]["sms"] == "failing"
    # A hub that comes back knows that the alarm stands, and the first message that goes through ends it.
    faults()(here)
    here.kill()
    here.start()
    assert "channel-failing" in alarms(here)
    assert here.alert("FLOOD-1", hazard="flood").status == 202
    here.until(lambda: "channel-failing" not in alarms(here), "the end of the alarm")
    assert channel(here, "sms")["health"] == "ok"
    assert here.messages()
    assert here.stop() == 0


def test_without_a_fall_back_people_are_called_at_once(here: Room) -> None:
    asks(here, "group crisis-cell", "group directors")
    change(here.folder.config / "channels.yaml", lambda held: held["sms"].update({"api": "http://127.0.0.1:9"}))
    here.start()
    assert here.alert("THUNDER-1").status == 202
    here.until(
        lambda: here.outside.do(lambda phones: len(phones.calls)) == 7, "everybody called, long before it is due", 25
    )
    told = here.until(lambda: alarms(here).get("channel-failing"), "an alarm")
    assert "nothing stands in for it" in told
    assert here.stop() == 0


def test_out_of_credit_is_told_and_the_channels_own_provider_takes_over(here: Room, second: Second) -> None:
    prefixes = {"by prefix": {"+3245": "sms-second"}}
    change(here.folder.config / "channels.yaml", lambda held: held["sms"].update(prefixes))
    second.status = 402
    here.start()
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS by the channel's own provider", 3)
    told = here.until(lambda: alarms(here).get("channel-failing"), "an alarm")
    assert told.startswith("the provider answered 402; since ")
    assert "meanwhile its messages go by sms;" in told
    assert here.stop() == 0


# --- by prefix ---------------------------------------------------------------------------------------------


def test_a_prefix_names_the_provider(here: Room, second: Second) -> None:
    prefixes = {"by prefix": {"+32450000001": "sms-second"}}
    change(here.folder.config / "channels.yaml", lambda held: held["sms"].update(prefixes))
    who = here.vigie("who", "duty-officers", "--config", str(here.folder.config))
    assert f"sms {OFFICER_A} by sms-second" in who.out
    here.start()
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: second.texts_to(OFFICER_A), "an SMS by the provider of that prefix")
    assert here.sms_to(OFFICER_A) == []
    assert here.stop() == 0
