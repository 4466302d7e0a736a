"""Our own alerts on the running hub: an officer's broadcast, released by a second person, is read by a subscriber over
HTTP, verified with a library, read by our own source of feeds, and withdrawn."""

import asyncio
import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from yarl import URL

from connectors.cap.read import read_cap
from connectors.feed.parse import parse_feed
from hub.connector import SignalItem
from hub.model import records as r
from hub.model.signal import MsgType, ResponseType
from tests.cap_feed import NAMES, schema, verified
from tests.edge.running import Room, change, polled, room
from tests.edge.test_hub_broadcast import SMOKE, draft, follow, vigie

OPENSSL = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "20"),
    *("-subj", "/CN=SITCEN test"),
)
CAP = {"category": "Fire", "severity": "Extreme", "response": "Shelter", "expires": "2 h"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        turn_on(made)
        made.start()
        yield made


def turn_on(here: Room) -> None:
    """As docs/cap-feed.md says it is done."""
    config = here.folder.config
    (config / "cap").mkdir()
    (config.parent / "secrets").mkdir(exist_ok=True)
    made = ("-keyout", str(config.parent / "secrets" / "CAP_KEY"), "-out", str(config / "cap" / "certificate.pem"))
    subprocess.run([*OPENSSL, *made], check=True, capture_output=True)
    feed = {
        "sender": "alerts@sitcen.example",
        "name": {language.value: name for language, name in NAMES.items()},
        "certificate": "cap/certificate.pem",
    }
    classes = {"public": {"people": 2, "public": "yes", "cap": {"category": "Safety"}}, "partners": {"people": 1}}
    change(config / "hub.yaml", lambda hub: hub.update({"cap": feed, "broadcasts": {"classes": classes}}))


def certificate(here: Room) -> bytes:
    return (here.folder.config / "cap" / "certificate.pem").read_bytes()


class Got(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def tag(self) -> str:
        return self.headers["Etag"]


def get(here: Room, path: str, method: str = "GET", **headers: str) -> Got:
    """As a subscriber asks, without what a client does by itself."""

    async def asked() -> Got:
        base = f"http://127.0.0.1:{here.folder.port}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as session,
            session.request(method, URL(base + path, encoded=True), headers=sent) as answer,
        ):
            return Got(answer.status, dict(answer.headers), await answer.read())

    return asyncio.run(asked())


def listed(here: Room) -> list[str]:
    """The identifiers in the index, the newest first."""
    return [entry.flat.first("identifier") for entry in parse_feed(get(here, "/cap/feed.atom").body).entries]


def test_a_broadcast_is_published_read_by_our_own_source_and_withdrawn(here: Room) -> None:
    empty = get(here, "/cap/feed.atom")
    assert (empty.status, empty.headers["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
    assert listed(here) == []
    alert = draft(here, cap=CAP)
    said = vigie(here, "broadcast", "cap", alert)
    assert (said.code, said.err) == (0, "")
    assert "<severity>Extreme</severity>" in said.out
    assert "Signature" not in said.out
    assert listed(here) == []
    out = vigie(here, "broadcast", "release", alert, "--by", "officer-b").out
    assert out.startswith("it goes out to 4 people and on the CAP feed")
    here.until(lambda: listed(here) == [alert], "the alert in the feed")

    document = get(here, f"/cap/{alert}.xml")
    assert document.headers["Content-Type"] == "application/cap+xml; charset=utf-8"
    verified(document.body, certificate(here))
    (item,) = read_cap(document.body)
    assert isinstance(item, SignalItem)
    assert [info.description for info in item.signal.infos] == [
        "Fumée toxique. Fermez portes et fenêtres.",
        "Giftige rook. Sluit deuren en ramen.",
        "Giftiger Rauch. Türen und Fenster schließen.",
        "Toxic smoke. Close doors and windows.",
    ]
    assert {info.response_types for info in item.signal.infos} == {(ResponseType.SHELTER,)}
    if (published := schema()) is not None:
        published.validate(document.body.decode())
    assert vigie(here, "broadcast", "cap", alert).out.encode() == document.body

    here.kill()
    here.start()
    assert get(here, f"/cap/{alert}.xml").body == document.body, "to the byte"
    clear = follow(here, alert, "all-clear", {"fr": "Fin.", "nl": "Einde.", "de": "Ende.", "en": "All clear."})["id"]
    assert vigie(here, "broadcast", "release", clear, "--by", "officer-a").code == 0
    here.until(lambda: listed(here) == [clear, alert], "the all-clear in the feed")
    (over,) = read_cap(get(here, f"/cap/{clear}.xml").body)
    assert isinstance(over, SignalItem)
    assert over.signal.msg_type is MsgType.UPDATE
    assert [reference.identifier for reference in over.signal.references] == [alert]
    assert "Fumée" not in str(here.records("cap")), "words lie in the vault"
    assert [fact.identifier for fact in here.facts("cap")] == [alert, clear]


def test_a_subscriber_gets_no_more_than_has_changed_and_no_stranger_gets_anything_else(here: Room) -> None:
    plain = get(here, "/cap/feed.atom")
    packed = get(here, "/cap/feed.atom", Accept_Encoding="br, gzip;q=0.8")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.tag != packed.tag
    assert "Content-Encoding" not in get(here, "/cap/feed.atom", Accept_Encoding="gzip;q=0").headers
    for tag in (plain.tag, packed.tag, f'"other", {plain.tag}', "*"):
        unchanged = get(here, "/cap/feed.atom", If_None_Match=tag)
        assert (unchanged.status, unchanged.body) == (304, b"")
    since = plain.headers["Last-Modified"]
    assert get(here, "/cap/feed.atom", If_Modified_Since=since).status == 304
    assert get(here, "/cap/feed.atom", If_Modified_Since="Thu, 01 Jan 2026 00:00:00 GMT").status == 200
    assert get(here, "/cap/feed.atom", If_None_Match='"other"', If_Modified_Since=since).status == 200
    head = get(here, "/cap/feed.atom", "HEAD")
    assert (head.status, head.body, head.tag) == (200, b"", plain.tag)
    assert get(here, "/cap/feed.atom", "POST").status == 405

    alert = draft(here)
    vigie(here, "broadcast", "release", alert, "--by", "officer-b")
    here.until(lambda: listed(here) == [alert], "the alert in the feed")
    assert get(here, "/cap/feed.atom", If_None_Match=plain.tag).status == 200
    assert get(here, f"/cap/{alert}.xml", If_None_Match=get(here, f"/cap/{alert}.xml").tag).status == 304
    for path in (
        "/cap/",
        "/cap/nobody.xml",
        f"/cap/{alert.lower()}.xml",
        f"/cap/{alert}",
        f"/cap/{alert}.xml.xml",
        "/cap/..%2f..%2fetc%2fpasswd.xml",
        "/cap/%2e%2e/secrets/CAP_KEY",
        "/cap/../secrets/CAP_KEY.xml",
        "/cap/%00.xml",
        "/cap/%ff%fe.xml",
        "/cap/" + "a" * 5000 + ".xml",
        f"/cap/{alert}%0d%0aX-Evil:%201.xml",
        "/cap/certificate.pem",
    ):
        got = get(here, path)
        assert got.status == 404, path
        assert b"BEGIN" not in got.body
        assert b"Traceback" not in got.body
        assert "X-Evil" not in got.headers
    assert get(here, "/api/broadcasts/x/cap").status == 401, "a draft is nobody's business"


def test_one_hub_subscribes_to_another(here: Room, tmp_path: Path) -> None:
    """The second hub's source of feeds polls the first one's index and follows it to the signed document."""
    (tmp_path / "second").mkdir()
    feed = polled(f"http://127.0.0.1:{here.folder.port}/cap/feed.atom", "feed") | {"sender": "neighbour"}
    with room(tmp_path / "second", sources={"neighbour": feed}) as second:
        change(here.folder.config / "hub.yaml", lambda hub: hub["web"].update({"public": base(here)}))
        here.stop()
        here.start()
        second.start()
        second.until(lambda: second.facts("cursor"), "a first poll")
        alert = draft(here, cap=CAP)
        vigie(here, "broadcast", "release", alert, "--by", "officer-b")
        second.until(lambda: second.facts("signal"), "the alert as a signal")
        (fact,) = second.records("signal")
        assert isinstance(fact, r.Fact)
        signal: Any = msgspec.json.decode(second.original(fact))
        assert (signal["identifier"], signal["sender"]) == (alert, "alerts@sitcen.example")
        assert [info["headline"] for info in signal["infos"]][:2] == [SMOKE["say"]["fr"], SMOKE["say"]["nl"]]
        assert "ixelles" in signal["infos"][0]["areas"][0]["places"], "found by its code"
        assert second.facts("dead-letter") == []


def base(here: Room) -> str:
    return f"http://127.0.0.1:{here.folder.port}"


def test_the_room_hears_that_the_certificate_expires(here: Room) -> None:
    here.until(lambda: [a for a in here.status()["alarms"] if a["what"] == "certificate-expires"], "an alarm")
    (alarm,) = [a for a in here.status()["alarms"] if a["what"] == "certificate-expires"]
    assert alarm["detail"].startswith("the certificate of the CAP feed expires in 19 days")
    here.stop()
    here.start()
    assert len(here.facts("source-watched")) == 1, "told once"


def test_without_it_there_is_no_feed_and_without_its_key_no_hub(tmp_path: Path) -> None:
    with room(tmp_path) as here:
        here.start()
        assert get(here, "/cap/feed.atom").status == 404
        assert "/cap/feed.atom" not in get(here, "/openapi.json").body.decode()
        alert = draft(here)
        refused = vigie(here, "broadcast", "cap", alert)
        assert (refused.code, refused.err) == (
            1,
            "there is no CAP feed here: docs/cap-feed.md says how it is turned on\n",
        )
        here.stop()
        turn_on(here)
        (here.folder.config.parent / "secrets" / "CAP_KEY").unlink()
        said = here.vigie("run", "--config", str(here.folder.config))
        assert said.code == 2
        assert "cap: secret CAP_KEY is not there: set VIGIE_CAP_KEY" in said.err
