"""The whole way over Matrix, with a real hub in a process of its own and a real homeserver: an officer is asked in a
direct chat, the hub is killed, they put a thumb under the question, and the chain has found them when it comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hub.model import events as e
from tests.edge.running import OFFICER_A, Room, change, room
from tests.edge.synapse import Account, Synapse

API = "/_matrix/client/v3"
QUESTION = "Pouvez-vous"  # the officer reads French


class Client:
    """An officer's client."""

    def __init__(self, homeserver: Synapse) -> None:
        self._homeserver = homeserver
        self.account: Account = homeserver.account("aline")
        self._since = ""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._homeserver.ask(method, API + path, body, self.account)

    def invited(self) -> str:
        """The room they were invited to since they were asked last."""
        news = self.ask("GET", "/sync" + (f"?timeout=0&since={self._since}" if self._since else ""))
        self._since = news["next_batch"]
        return next(iter(news.get("rooms", {}).get("invite", {})), "")

    def texts(self, chat: str) -> list[Any]:
        found = self.ask("GET", f"/rooms/{quote(chat)}/messages?dir=f&limit=1000")["chunk"]
        return [event for event in found if event["type"] == "m.room.message"]


@pytest.fixture
def officer(homeserver: Synapse) -> Client:
    return Client(homeserver)


@pytest.fixture
def hub(homeserver: Synapse, officer: Client, tmp_path: Path) -> Iterator[Room]:
    """A hub whose officer on call is asked over Matrix first. There is a minute until the next channel."""
    with room(tmp_path, between_s=60, answer_s=120) as here:
        bot = homeserver.account("vigie")
        secrets = here.folder.path / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "MATRIX_TOKEN").write_text(bot.token)
        settings = {"homeserver": homeserver.url, "token": "MATRIX_TOKEN", "unencrypted": "yes"}
        change(here.folder.config / "channels.yaml", lambda held: held.update({"matrix": settings}))
        people, chains = here.folder.config / "people.yaml", here.folder.config / "chains.yaml"
        reach = {"matrix": officer.account.user_id}
        change(people, lambda held: held["people"]["officer-a"]["reach"].update(reach))
        change(chains, lambda held: held["duty-officers"]["tiers"][0].update({"by": ["matrix", "sms", "call"]}))
        here.start()
        yield here
        here.kill()


def test_a_thumb_given_while_the_hub_was_down_ends_the_chain(hub: Room, officer: Client) -> None:
    hub.alert("THUNDER-1")
    chat = hub.until(officer.invited, "an invitation to the direct chat")
    officer.ask("POST", f"/join/{quote(chat)}", {})
    (asked,) = hub.until(lambda: officer.texts(chat), "the question in the chat")
    body = asked["content"]["body"]
    assert "THUNDER-1" in body
    assert QUESTION in body
    assert body.endswith("Ou réagissez à ce message: 👍 ou ✅ pour oui, 👎 ou ❌ pour non.")
    hub.until(lambda: hub.events(e.AskSent), "the journal knows that it went out")

    hub.kill()
    thumb = {"m.relates_to": {"rel_type": "m.annotation", "event_id": asked["event_id"], "key": "👍"}}
    officer.ask("PUT", f"/rooms/{quote(chat)}/send/m.reaction/thumb", thumb)
    hub.start()
    hub.until(lambda: [x for x in hub.events(e.RunEnded) if x.outcome == "accepted"], "an accepted chain")

    confirmed = hub.until(lambda: officer.texts(chat)[1:], "the confirmation in the chat")
    assert "nous comptons sur vous" in confirmed[0]["content"]["body"]
    hub.settled()
    assert [x.person for x in hub.events(e.Answered)] == ["officer-a"]
    assert len(officer.texts(chat)) == 2, "asked once, confirmed once"
    assert [m.to for m in hub.messages() if QUESTION in m.body] == [], "nobody was asked by the next channel"
    assert hub.calls_to(OFFICER_A) == []
