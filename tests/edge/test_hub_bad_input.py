"""Everything that can be wrong with what comes in, into a running hub: each has a clear answer, what came from outside
is kept as a dead letter with its original, and the hub goes on: a good alert right after is taken."""

import contextlib
import json
import re
import resource
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.cap.source import CapSource
from connectors.feed.source import FeedSource
from connectors.webhook.source import read_xml
from hub.connector import BadItem, ReadError, SignalItem
from hub.model import records as r
from tests.conftest import NO_SAMPLES, samples_folder
from tests.edge.running import PARTNERS, Answer, Room, Said, alert_json, cap_xml, configure_sources, polled, room

CAP = "application/cap+xml"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]><alert>&m;</alert>"
).encode()
QUADRATIC = b'<!DOCTYPE a [<!ENTITY a "' + b"x" * 50_000 + b'">]><alert>' + b"&a;" * 20_000 + b"</alert>"
FILE_ENTITY = (
    b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&e;</identifier></alert>'
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One hub for the whole gallery, with a source for every recorded file that is broken (and some made here)."""
    with room(tmp_path_factory.mktemp("bad"), between_s=30, answer_s=60) as made:
        sources = {}
        for name, (kind, body) in fed().items():
            url = made.publish(f"bad.example/{name}", body, "application/xml")
            sources[name] = polled(url, kind)
        sources["good"] = polled(made.publish("good.example/cap", cap_xml("GOOD-0")))
        configure_sources(made, sources)
        made.start()
        # Nothing here is to ring.
        made.api("POST", "/api/stop-all", {"by": "test", "why": "only what comes in is looked at"})
        yield made
        assert made.stop() == 0
        made.gone()
        assert "Traceback" not in made.log()


def fed() -> dict[str, tuple[str, bytes]]:
    """What broken sources answer: name → kind of source and body."""
    found = {
        "xml-bomb": ("cap", BOMB),
        "quadratic-bomb": ("cap", QUADRATIC),
        "file-entity": ("cap", FILE_ENTITY),
        "feed-bomb": ("feed", BOMB.replace(b"alert", b"rss")),
        "nothing": ("cap", b""),
        "invalid-utf-8": ("cap", b'<?xml version="1.0" encoding="UTF-8"?><alert>\xff\xfe\x80</alert>'),
        "deep-json": ("cap", b'{"warnings":' + b"[" * 100_000),
        "deep-xml": ("cap", b"<alert>" + b"<a>" * 50_000),
        "web-page": ("feed", b"<!doctype html><html><body>Please enable JavaScript</body></html>"),
    }
    folder = samples_folder()
    for kind, path in recorded(folder) if folder else ():
        found[re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")] = (kind, path.read_bytes())
    return found


def recorded(folder: Path) -> list[tuple[str, Path]]:
    """The recorded files of which a source can make nothing at all, with the kind of source that polls them."""
    broken: list[tuple[str, Path]] = []
    for kind, source in (("cap", CapSource), ("feed", FeedSource)):
        for path in sorted((folder / kind).iterdir()):
            try:
                items = source.read(path.read_bytes(), path.name)
            except ReadError:
                items = []
            if not any(isinstance(item, SignalItem) for item in items):
                broken.append((kind, path))
    return broken


def dead_letters(here: Room) -> list[r.Fact]:
    return [x for x in here.records("dead-letter") if isinstance(x, r.Fact)]


def of_partners(here: Room) -> list[r.Fact]:
    return [x for x in dead_letters(here) if isinstance(x.body, r.DeadLetter) and x.body.source == PARTNERS]


def kept(here: Room, original: bytes) -> r.Fact | None:
    """The partners' dead letter of which this is the original, byte for byte."""
    return next((x for x in reversed(of_partners(here)) if here.original(x) == original), None)


def goes_on(here: Room, name: str) -> None:
    """The hub is ready, and takes a good alert."""
    health = here.health()
    assert (health.status, health.json()["ready"]) == (200, True)
    assert here.alert(f"{name}-good", severity="Minor").status == 202


def refused(answer: Answer, status: int) -> Any:
    """The answer's problem (RFC 9457), which says what is wrong and what would be right."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert "Traceback" not in problem["detail"]
    return problem


# --- polled --------------------------------------------------------------------------------------------------


def test_every_broken_page_of_a_polled_source_is_kept_and_the_source_shown_as_failing(here: Room) -> None:
    wanted = {name: body for name, (_, body) in fed().items()}

    def asked() -> bool:
        shown = {s["name"]: s for s in here.status()["sources"]}
        return all(shown[name]["health"] != "?" for name in wanted)

    here.until(asked, "a poll of every source")
    shown = {s["name"]: s for s in here.status()["sources"]}
    letters = {x.body.source: x for x in dead_letters(here) if isinstance(x.body, r.DeadLetter)}
    for name, body in wanted.items():
        if shown[name]["health"] == "ok":
            continue  # a feed that is whole and says nothing
        assert shown[name]["health"] == "failing", name
        assert shown[name]["reason"], name
        if body:
            assert name in letters, f"{name}: {shown[name]}"
            assert here.original(letters[name]) == body, name
    assert {"xml-bomb", "quadratic-bomb", "file-entity", "feed-bomb", "deep-json"} <= {
        name for name in wanted if shown[name]["health"] == "failing"
    }
    assert shown["good"]["signals"] == 1, "a good source beside them is read"
    assert "root:" not in here.log(), "no file of this machine was read"
    goes_on(here, "polled")


def test_dead_letters_can_be_looked_at(here: Room) -> None:
    said = here.vigie("journal", "show", "--kind", "dead-letter", "--config", str(here.folder.config))
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert len(lines) == len(dead_letters(here)) > 5
    assert all(" dead-letter " in line and "source=" in line and "reason=" in line for line in lines)


# --- pushed --------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_looked_at_mended_and_read_once_more(here: Room, tmp_path: Path) -> None:
    def vigie(*words: str) -> Said:
        return here.vigie("deadletter", *words, "--config", str(here.folder.config))

    letter = next(x for x in dead_letters(here) if isinstance(x.body, r.DeadLetter) and x.body.source == "deep-xml")
    (told,) = vigie("list", "--source", "deep-xml", "--json").json_lines()
    assert (told["id"], told["read_again"]) == (letter.id, None)

    broken = tmp_path / "broken.xml"
    shown = vigie("show", letter.id, "--out", str(broken))
    assert (shown.code, f"dead letter {letter.id} of deep-xml" in shown.out) == (0, True)
    assert broken.read_bytes() == here.original(letter)

    why = ("--by", "officer-a", "--why", "their tool forgot to close")
    same = vigie("retry", letter.id, *why)
    assert (same.code, same.err.startswith("nothing can be read of it: ")) == (1, True), same
    mended = tmp_path / "mended.xml"
    mended.write_bytes(cap_xml("MENDED-1"))
    done = vigie("retry", letter.id, "--file", str(mended), *why)
    assert (done.code, done.err) == (0, "")
    assert "1 new signals of 1" in done.out
    (read,) = here.facts("letter-read")
    assert (read.letter, read.by, read.mended, len(read.signals)) == (letter.id, "officer-a", True, 1)
    here.until(
        lambda: "MENDED-1" in here.vigie("why", read.signals[0], "--config", str(here.folder.config)).out, "a signal"
    )
    again = vigie("retry", letter.id, "--file", str(mended), *why)
    assert "0 new signals of 1" in again.out, "the journal knows it already"
    assert "(read again by officer-a: their tool forgot to close)" in vigie("list", "--source", "deep-xml").out
    assert "read again by officer-a" in vigie("show", letter.id).out

    nothing = vigie("show", "NOSUCHID")
    assert (nothing.code, nothing.err.startswith("NOSUCHID: no such dead letter")) == (1, True)
    none = here.api("POST", "/api/deadletters/NOSUCHID/retry", {"by": "officer-a", "why": "a typing error"})
    assert (none.status, "no dead letter NOSUCHID" in none.json()["detail"]) == (404, True)
    alarms = [x for x in here.api("GET", "/api/status").json()["alarms"] if x["what"] == "dead-letter"]
    assert len(alarms) == len({x["about"] for x in alarms}) > 5, "one for each source, however many letters"


def test_every_recorded_cap_file_that_is_broken_is_kept_and_what_is_good_in_it_is_taken(here: Room) -> None:
    folder = samples_folder()
    if folder is None:
        pytest.skip(NO_SAMPLES)
    broken = 0
    for path in sorted((folder / "cap").iterdir()):
        body = path.read_bytes()
        items = read_xml(body)
        bad = [item for item in items if isinstance(item, BadItem)]
        if bad:
            broken += 1
            answer = here.post(body, f"recorded-{path.name}", media_type=CAP)
            assert answer.status == (400 if len(bad) == len(items) else 202), path.name
            assert kept(here, body), path.name
    assert broken
    goes_on(here, "recorded")


@pytest.mark.parametrize(
    ("name", "body", "media_type", "words"),
    [
        ("xml-bomb", BOMB, CAP, "entit|DOCTYPE|DTD"),
        ("quadratic", QUADRATIC, CAP, "entit|DOCTYPE|DTD|larger"),
        ("file-entity", FILE_ENTITY, CAP, "entit|DOCTYPE|DTD|identifier"),
        ("no-xml", b"this is no XML", CAP, "XML|alert"),
        ("cut-xml", cap_xml("CUT-1")[:-20], CAP, "XML|ends|end|closed|Premature"),
        ("no-alert", b"<feed/>", CAP, "alert"),
        ("not-json", b"{", "application/json", "malformed"),
        ("list", b"[]", "application/json", "object"),
        ("deep-json", b'{"id":' + b"[" * 100_000, "application/json", "nested|malformed|expected"),
        ("invalid-utf-8", b'{"id": "\xff\xfe"}', "application/json", "UTF-8"),
        ("nan", b'{"id": NaN}', "application/json", "malformed"),
        ("huge-number", b'{"id": 1e999999999}', "application/json", "."),
    ],
)
def test_what_cannot_be_read_is_told_and_kept(here: Room, name: str, body: bytes, media_type: str, words: str) -> None:
    problem = refused(here.post(body, f"bad-{name}", media_type=media_type), 400)
    assert re.search(words, problem["detail"] + problem.get("place", "")), problem
    assert kept(here, body)
    goes_on(here, name)


@pytest.mark.parametrize(
    ("name", "fields", "place", "words"),
    [
        ("year-1970", {"sent": "1970-01-01T00:00:00Z"}, "sent", "clock"),
        ("year-2099", {"sent": "2099-01-01T00:00:00Z"}, "sent", "clock"),
        ("no-offset", {"sent": "2026-10-13T21:00:00"}, "sent", "offset"),
        ("no-date", {"sent": "2026-02-30T21:00:00Z"}, "sent", "RFC 3339"),
        ("swapped", {"area": {"points": [{"lat": 4.35, "lon": 50.85}]}}, "area.points", "latitude comes first"),
        ("swapped-ring", {"area": {"polygons": [[[4.3, 50.8], [4.4, 50.8], [4.4, 50.9]]]}}, "area", "latitude comes"),
        ("off-the-globe", {"area": {"points": [{"lat": 950.85, "lon": 4.35}]}}, "area.points", "within 90"),
        ("severity", {"severity": "Apocalyptic"}, "severity", "one of Unknown, Minor"),
        ("hazard", {"hazard": "dragons"}, "hazard", "one of"),
        ("unknown-key", {"colour": "red"}, "colour", "no field of an alert"),
        ("id-with-space", {"id": "a b"}, "id", "without space"),
        ("cancel-of-nothing", {"msg_type": "Cancel"}, "references", "."),
        ("ends-before-it-begins", {"expires": "2020-01-01T00:00:00Z"}, "expires", "."),
    ],
)  # fmt: skip
def test_an_alert_that_says_nonsense_is_told_where(
    here: Room, name: str, fields: dict[str, Any], place: str, words: str
) -> None:
    body = json.dumps(alert_json(f"bad-{name}", **fields)).encode()
    problem = refused(here.post(body, f"bad-{name}"), 400)
    assert problem["place"].startswith(place), problem
    assert re.search(words, problem["detail"]), problem
    assert kept(here, body)
    goes_on(here, name)


def test_an_alert_without_its_id_is_told_which_field(here: Room) -> None:
    fields = alert_json("x")
    del fields["id"]
    problem = refused(here.post(json.dumps(fields).encode(), "no-id"), 400)
    assert problem["place"] == "id"


def test_who_is_not_a_partner_is_turned_away_and_leaves_no_trace(here: Room) -> None:
    before = len(of_partners(here))
    body = json.dumps(alert_json("FORGED")).encode()
    wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    now = datetime.now(UTC)
    for answer in (
        here.post(body, "forged", webhook_signature=wrong),
        here.post(body, "forged", webhook_signature="nonsense"),
        here.post(body, "forged", webhook_timestamp="yesterday"),
        here.post(body, "stale", at=now - timedelta(minutes=10)),
        here.post(body, "future", at=now + timedelta(minutes=10)),
        here.request("POST", f"/in/{PARTNERS}", body, {"content-type": "application/json"}),
    ):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert refused(answer, 401)["title"] == "Not signed by you"
    assert len(of_partners(here)) == before, "strangers cannot fill the journal"
    assert not [x for x in here.records("signal") if b"FORGED" in here.original(x)]  # type: ignore[arg-type] # facts
    goes_on(here, "forged")


def test_a_repetition_is_known_as_one_and_other_content_under_its_id_is_refused(here: Room) -> None:
    body = json.dumps(alert_json("REPEATED", severity="Minor")).encode()
    first = here.post(body, "repeated")
    again = here.post(body, "repeated")
    assert (first.status, again.status) == (202, 202)
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert first.json()["id"] == again.json()["id"]
    other = json.dumps(alert_json("OTHER", severity="Minor")).encode()
    refused(here.post(other, "repeated"), 409)
    assert kept(here, other)


def test_a_type_nobody_reads_is_told_and_kept(here: Room) -> None:
    body = b"id,headline\n1,storm\n"
    problem = refused(here.post(body, "csv", media_type="text/csv"), 415)
    assert "application/json" in problem["detail"]
    assert kept(here, body)


def test_a_hundred_megabytes_are_refused_before_they_are_read(here: Room) -> None:
    problem = refused(here.post(b"", "large-announced", content_length=str(100 << 20)), 413)
    assert "larger than 1048576 bytes" in problem["detail"]
    # And without saying so in advance: streamed, chunk after chunk. What comes after the refusal is thrown away.
    before = memory_bytes(here)
    sent = 0
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", here.folder.port), timeout=20) as stream:
        stream.sendall(
            f"POST /in/{PARTNERS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            "transfer-encoding: chunked\r\n\r\n".encode()
        )
        with contextlib.suppress(ConnectionError):
            while sent < 100 << 20:
                stream.sendall(chunk)
                sent += 0x10000
        with contextlib.suppress(ConnectionError):  # closed while we still sent: the refusal may be lost to us
            assert stream.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
    assert memory_bytes(here) - before < 16 << 20
    goes_on(here, "large")


def memory_bytes(here: Room) -> int:
    """What the hub holds in memory (proc(5), statm: resident pages)."""
    assert here.process is not None
    pages = int(Path(f"/proc/{here.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_nonsense_on_the_line_and_at_every_door(here: Room) -> None:
    for noise in (
        b"\x00\xff" * 500 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", here.folder.port), timeout=10) as stream:
            stream.sendall(noise)
            assert stream.recv(100).startswith(b"HTTP/1.")
    assert here.request("GET", "/in/nobody").status == 404
    assert here.request("GET", f"/in/{PARTNERS}").status == 405
    assert here.request("POST", "/callback/sms/reply", b"Body=A&From=%2B32450000001").status in (401, 403)
    assert here.request("GET", "/api/status").status == 401
    for body in (b"", b"{", b"[]", b'{"by": 1, "why": []}', b'{"by": "x"}', b'{"by": "x", "why": "y", "z": 1}'):
        headers = {"Authorization": f"Bearer {here.folder.secrets.api}"}
        refused(here.request("POST", "/api/stop-all", body, headers), 422)
    assert here.facts("reply") == [], "an unsigned reply is nobody's"
    goes_on(here, "noise")
