"""A second provider of SMS as fall-back, with a real hub: what the first refuses goes out by the second at once."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.edge.running import OFFICER_A, Room, change, code_in, room

BACKUP = {
    "type": "http-sms",
    "unencrypted": "yes",
    "sender": "+32450000090",
    "json": '{"to": "{to}", "text": "{text}", "ref": "{id}"}',
}


class Second(ThreadingHTTPServer):
    """A provider that takes everything."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Taking)


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # http.server's
        assert isinstance(self.server, Second)
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

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


def test_what_the_first_provider_refuses_goes_out_by_the_second_at_once(tmp_path: Path, second: Second) -> None:
    with room(tmp_path, between_s=60.0, answer_s=200.0) as here:
        url = f"http://127.0.0.1:{second.server_port}/send"
        config = here.folder.config
        change(config / "channels.yaml", lambda held: held.update({"sms-backup": {**BACKUP, "url": url}}))
        change(config / "people.yaml", lambda held: held["people"]["officer-a"]["reach"].update(_reach()))
        change(config / "chains.yaml", lambda held: held["duty-officers"]["tiers"][0].update({"by": _by()}))
        here.script(OFFICER_A, sms_error=21610)
        said = here.vigie("check", "--config", str(config))
        assert "nobody can answer on sms-backup" in said.out + said.err, "it takes no replies as it is described"
        _answered(here)
        here.start()
        assert here.alert("THUNDER-1").status == 202
        (taken,) = here.until(lambda: second.taken, "an SMS by the second provider")
        assert taken["to"] == OFFICER_A
        assert "Essai THUNDER-1" in taken["text"]
        assert code_in(taken["text"])
        assert here.calls_to(OFFICER_A) == [], "long before the call is due"
        assert here.stop() == 0


def _reach() -> dict[str, str]:
    return {"sms-backup": OFFICER_A}


def _by() -> list[str]:
    return ["sms", "sms-backup", "call"]


def _answered(here: Room) -> None:
    """Replies come by a webhook from now on."""
    hook = {
        "proof": "hmac",
        "proof name": "X-Signature",
        "proof secrets": "BACKUP_HOOK",
        "reply id at": "id",
        "reply from at": "from",
        "reply text at": "text",
    }
    change(here.folder.config / "channels.yaml", lambda held: held["sms-backup"].update(hook))
    (here.folder.config.parent / "secrets").mkdir(exist_ok=True)
    (here.folder.config.parent / "secrets" / "BACKUP_HOOK").write_text("a-secret-of-the-test")
