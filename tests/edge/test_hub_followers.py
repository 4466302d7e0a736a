"""Another system that follows a real hub: told in order, also across kill -9, a receiver that is away, and a
followers.yaml that is changed while the hub runs."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.edge.running import OFFICER_A, Room, code_in, room


class Desk:
    """A crisis desk on loopback that verifies what it is sent. `refuses`: what it answers instead of taking it."""

    def __init__(self, secret: str) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refuses = 0
        self.paths: set[str] = set()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                Webhook(secret).verify(body, {name.lower(): value for name, value in self.headers.items()})
                if not desk.refuses:
                    desk.taken.append(json.loads(body))
                    desk.paths.add(self.path)
                self.send_response(desk.refuses or 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def names(self) -> list[str]:
        """What came, each once, in the order in which it first came."""
        first = {event["id"]: event["type"].removeprefix("org.vigie.incident.") for event in self.taken}
        return list(first.values())

    def whole(self) -> bool:
        """Whether an incident was followed to its end."""
        return "ended" in self.names()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, between_s=60.0, answer_s=90.0) as made:
        made.script(OFFICER_A, call="no-answer")
        yield made


@pytest.fixture
def desk(here: Room) -> Iterator[Desk]:
    made = Desk(here.folder.secrets.partner)
    yield made
    made.close()


def follows(here: Room, desk: Desk, more: str = "", path: str = "/vigie", secret: str = "PARTNER_SECRET") -> None:
    (here.folder.config / "followers.yaml").write_text(
        f"desk:\n  type: webhook\n  url: {desk.url}{path}\n  unencrypted: yes\n  secrets: {secret}\n{more}"
    )


def shown(here: Room) -> Any:
    (one,) = here.status()["followers"]
    return one


def test_an_incident_is_followed_from_its_opening_to_its_end_across_a_kill(here: Room, desk: Desk) -> None:
    follows(here, desk)
    here.start()
    assert here.alert("THUNDER-1").status == 202
    (asked,) = here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    here.until(lambda: "ask.sent" in desk.names(), "what happened so far")
    here.kill()
    here.start()
    here.text(OFFICER_A, f"{code_in(asked)} oui")
    here.until(lambda: "chain.ended" in desk.names(), "the end of the chain")
    assert here.cancel("THUNDER-2", of="THUNDER-1").status == 202
    here.until(desk.whole, "the end of the incident")
    names = desk.names()
    wanted = ["opened", "step.began", "chain.began", "ask.opened", "ask.sent", "answered", "chain.ended", "ended"]
    assert [names.index(name) for name in wanted] == sorted(names.index(name) for name in wanted)
    ids = {event["id"] for event in desk.taken}
    assert len({event["subject"] for event in desk.taken}) == 1
    assert {event["status"] for event in desk.taken} == {"Actual"}
    assert all("words" not in event["data"] for event in desk.taken)
    code = code_in(asked)
    assert not any(f'"{code}"' in json.dumps(event["data"]) for event in desk.taken)
    # Whatever the journal says of the incident came, and nothing else.
    with here.journal() as journal:
        held = {row.id for row in journal.rows(type_="decision")}
    assert {id_.partition("/")[0] for id_ in ids} <= held
    here.until(lambda: shown(here)["behind_s"] == 0, "nothing more to come")
    cursors = [moved for moved in here.facts("cursor") if moved.source == "follower desk"]
    assert len(cursors) < len(desk.taken), "a cursor leads to a decision, and that to no cursor"
    assert here.stop() == 0


def test_what_happens_while_the_other_side_is_away_comes_when_it_is_back(here: Room, desk: Desk) -> None:
    follows(here, desk, "  alarm after: 1 s\n")
    desk.refuses = 503
    here.start()
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS, whoever follows")
    here.until(lambda: "follower-failing" in str(here.status()["alarms"]), "an alarm in the room")
    (alarm,) = [one for one in here.status()["alarms"] if one["what"] == "follower-failing"]
    assert alarm["about"] == "desk"
    assert "the receiver answered 503" in alarm["detail"]
    assert shown(here)["health"] == "failing"
    metrics = here.request("GET", "/metrics").body.decode()
    assert 'vigie_follower_up{follower="desk"} 0.0' in metrics
    here.kill()  # nothing it was told is anywhere but in the journal
    here.start()
    desk.refuses = 0
    here.until(lambda: "ask.sent" in desk.names(), "what it missed")
    assert desk.names()[:2] == ["opened", "signal.joined"]
    here.until(lambda: "follower-failing" not in str(here.status()["alarms"]), "the end of the alarm")
    here.until(lambda: 'vigie_follower_up{follower="desk"} 1.0' in here.request("GET", "/metrics").body.decode(), "up")


def test_what_is_saved_in_followers_yaml_is_in_force_and_nothing_is_lost(here: Room, desk: Desk) -> None:
    here.start()
    assert here.status()["followers"] == []
    assert here.alert("COLD-1", hazard="cold").status == 202
    here.until(lambda: here.status()["incidents"], "an incident that was there before")
    follows(here, desk, "  from: beginning\n  events: [opened, signal]\n")
    here.until(lambda: "signal.joined" in desk.names(), "a follower that begins")
    assert desk.names() == ["opened", "signal.joined"]
    # Elsewhere, with words, while it is told:
    follows(here, desk, "  from: beginning\n  texts: yes\n", path="/elsewhere")
    here.until(lambda: [one["taken"] for one in here.status()["followers"]] == [0], "a follower that goes on elsewhere")
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: desk.names().count("opened") == 2 and "/elsewhere" in desk.paths, "another incident")
    opened = [event for event in desk.taken if event["type"] == "org.vigie.incident.opened"][-1]
    assert opened["data"]["titles"]["nl"]
    assert opened["data"]["words"][0]["headline"] == "Essai THUNDER-1"
    (here.folder.config / "followers.yaml").write_text("{}\n")
    here.until(lambda: here.status()["followers"] == [], "nobody who follows")
    assert here.stop() == 0


def test_a_secret_that_is_missing_stops_nothing_and_is_found_when_it_is_there(here: Room, desk: Desk) -> None:
    follows(here, desk, secret="DESK_SECRET")
    here.start()
    assert here.alert("THUNDER-1").status == 202
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS, whoever follows")
    here.until(lambda: "DESK_SECRET" in shown(here)["reason"], "what is missing")
    folder = here.folder.path / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / "DESK_SECRET").write_text(here.folder.secrets.partner)
    here.until(lambda: "opened" in desk.names(), "what it missed")
