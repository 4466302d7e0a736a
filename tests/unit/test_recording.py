"""What a recording holds, and what it never does; how it is read back and paced."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from hub.connector import Route, WebRequest, WebResponse
from hub.edge.recorder import Recorder, taped
from hub.edge.setup import Recording
from hub.model.recording import (
    FORMAT,
    Begun,
    Entry,
    Exchange,
    Gap,
    Mail,
    Push,
    entry_of,
    line_of,
    raw,
    same_words,
    taken_out,
    without_secrets,
)
from tools.playback.answers import Web
from tools.playback.lead import Broker, Stands, led
from tools.playback.pace import AT_ONCE, Pace
from tools.playback.proving import CannotProve, proved
from tools.playback.recording import Piece, RecordingError, load_recording
from tools.playback.trial import secret_names

AT = datetime(2026, 7, 14, 18, tzinfo=UTC)
BEGUN = Begun(format=FORMAT, hub="h", version="1")
SECRET = "whsec_" + "dmlnaWUtdGVzdHMtc2VjcmV0LTAwMDE="


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at


def recorder(folder: Path, clock: Clock, free_least: int = 0, **more: Any) -> Recorder:
    return Recorder(Recording(folder=folder, **more), clock.now, BEGUN, free_least=free_least)


# --- the format --------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_bytes_are_kept_exactly(data: bytes) -> None:
    entry = Entry(at=AT, source="s", heard=Mail(**raw(data)))
    again = entry_of(line_of(entry))
    assert isinstance(again.heard, Mail)
    assert again.heard.raw == data
    assert line_of(entry).count(b"\n") == 1, "one line for each piece"


def test_what_is_text_can_be_read() -> None:
    line = json.loads(
        line_of(Entry(at=AT, source="kmi", heard=Exchange(url="https://x/", status=200, **raw(b"d\xc3\xa9"))))
    )
    assert line == {
        "at": "2026-07-14T18:00:00Z",
        "source": "kmi",
        "heard": {"kind": "http", "url": "https://x/", "status": 200, "text": "dé"},
    }


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://me:pw@x.example/a?b=1", "https://x.example/a?b=1"),
        ("https://x.example/a?key=1234&lang=fr", "https://x.example/a?key=-&lang=fr"),
        ("https://x.example/a?api%5Fkey=1234&access_token=5", "https://x.example/a?api%5Fkey=-&access_token=-"),
        ("https://x.example/a?geocode=BE10&monkey=x", "https://x.example/a?geocode=BE10&monkey=x"),
        ("https://x.example/a#key=1", "https://x.example/a"),
    ],
)
def test_an_address_is_kept_without_its_secrets(url: str, kept: str) -> None:
    assert without_secrets(url) == kept
    assert without_secrets(kept) == kept, "the same address gives the same"


def test_words_and_forms_are_kept_without_secrets() -> None:
    assert same_words("https://x/?token=abc&a=1 did not answer") == "https://x/?token=-&a=1 did not answer"
    assert same_words("wss://me:pw@x.example/ is gone") == "wss://x.example/ is gone"
    body, fields = taken_out(b"partner=siamu&%63ode=red+car&what=x&code=", frozenset({"code"}))
    assert (body, fields) == (b"partner=siamu&%63ode=&what=x&code=", ("code",))


# --- recording ---------------------------------------------------------------------------------------------


def test_each_day_has_a_file_that_stands_on_its_own(tmp_path: Path) -> None:
    clock = Clock()
    made = recorder(tmp_path, clock)
    tape = made.tape("kmi")
    page = Exchange(url="https://x/", status=200, **raw(b"a"))
    assert tape.lacks("https://x/")
    tape.heard(page)
    assert not tape.lacks("https://x/")
    clock.at = AT + timedelta(days=1)
    assert tape.lacks("https://x/"), "a new day begins with the whole of it"
    tape.heard(page)
    made.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-07-14.jsonl", "2026-07-15.jsonl"]
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, "nobody else may read it"
        assert [piece.heard for piece in load_recording([path]).pieces] == [page]


def test_only_the_sources_that_are_wanted_and_only_so_long(tmp_path: Path) -> None:
    (tmp_path / "2026-07-01.jsonl").write_bytes(b"old")
    (tmp_path / "notes.txt").write_bytes(b"somebody's")
    clock = Clock()
    made = recorder(tmp_path, clock, sources=frozenset({"kmi"}), keep_days=7)
    assert (made.tape("kmi").runs, made.tape("press").runs) == (True, False)
    made.tape("press").heard(Mail(**raw(b"x")))
    made.tape("kmi").heard(Mail(**raw(b"y")))
    made.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-07-14.jsonl", "notes.txt"]
    assert load_recording([tmp_path]).sources() == {"kmi": 1}


def test_a_full_disk_leaves_a_gap_and_nothing_waits(tmp_path: Path) -> None:
    clock = Clock()
    made = recorder(tmp_path, clock, free_least=1 << 62)
    for _ in range(3):
        made.tape("kmi").heard(Mail(**raw(b"x")))
    made.close()
    (path,) = tmp_path.iterdir()
    begun, gap = map(entry_of, path.read_bytes().splitlines())
    assert begun.heard == BEGUN
    assert isinstance(gap.heard, Gap)
    assert gap.heard.lost == 3
    assert "left to the journal" in gap.heard.why
    assert made.gap_why == gap.heard.why, "the room is told"


def test_a_days_file_grows_no_larger_and_says_what_is_missing(tmp_path: Path) -> None:
    clock = Clock()
    made = recorder(tmp_path, clock, bytes_max=400)
    made.tape("kmi").heard(Mail(**raw(b"a")))
    made.tape("kmi").heard(Mail(**raw(b"b" * 1000)))
    made.tape("kmi").heard(Mail(**raw(b"c")))
    made.close()
    found = load_recording([tmp_path])
    assert [piece.heard.raw for piece in found.pieces] == [b"a", b"c"]
    assert [(gap.lost, "max megabytes" in gap.why) for gap in found.lost] == [(1, True)]


def test_killed_in_the_middle_of_a_line_it_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    first = recorder(tmp_path, clock)
    first.tape("kmi").heard(Mail(**raw(b"a")))
    first.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b'{"at":"2026-07-14T18:0')
    again = recorder(tmp_path, clock)
    again.tape("kmi").heard(Mail(**raw(b"b")))
    again.close()
    found = load_recording([path])
    assert [piece.heard.raw for piece in found.pieces] == [b"a", b"b"]
    assert "cut short" in found.remarks[0]


def test_from_many_threads_each_line_is_whole(tmp_path: Path) -> None:
    made = recorder(tmp_path, Clock())
    tape = made.tape("kmi")

    def say(number: int) -> None:
        for nth in range(200):
            tape.heard(Mail(**raw(f"{number} {nth}".encode())))

    threads = [threading.Thread(target=say, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.close()
    texts = [piece.heard.raw for piece in load_recording([tmp_path]).pieces]
    assert sorted(texts) == sorted(f"{n} {m}".encode() for n in range(4) for m in range(200))


def test_a_request_is_kept_without_what_proves_it(tmp_path: Path) -> None:
    made = recorder(tmp_path, Clock())

    async def handler(request: WebRequest) -> WebResponse:
        return WebResponse(status=202)

    route = Route(method="POST", path="", handler=handler, secret_fields=frozenset({"code"}))
    asked = Route(method="GET", path="", handler=handler)
    posted, shown = taped([route, asked], "/in/siamu", made.tape("siamu"))
    assert shown is asked
    headers = {"webhook-id": "m1", "webhook-signature": "v1,secret", "authorization": "Bearer secret", "x-other": "1"}
    request = WebRequest(
        method="POST", url="https://h/in/siamu?lang=nl", path="/in/siamu", headers=headers, body=b"code=secret&a=1"
    )

    async def post() -> WebResponse:
        return await posted.handler(request)

    assert asyncio.run(post()).status == 202
    made.close()
    ((push,),) = [[piece.heard for piece in load_recording([tmp_path]).pieces]]
    assert push == Push(
        method="POST",
        path="?lang=nl",
        headers={"webhook-id": "m1"},
        withheld=("authorization", "webhook-signature", "code"),
        answered=202,
        text="code=&a=1",
    )
    assert b"secret" not in next(tmp_path.iterdir()).read_bytes()


# --- reading it back ---------------------------------------------------------------------------------------


LINE = '{"at":"2026-07-14T18:00:00Z","source":"k","heard":%s}\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing was heard"),
        ('{"a": 1}\n', ":1: is no line of a recording"),
        (LINE % '{"kind":"begun","format":9,"hub":"h","version":"7"}', "is of format 9, which Vigie 7 reads"),
        (LINE % '{"kind":"mail","text":"x"}', "does not begin as a recording"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(RecordingError, match=why):
        load_recording([path])


def test_a_part_of_a_day(tmp_path: Path) -> None:
    clock = Clock()
    made = recorder(tmp_path, clock)
    for hour in range(3):
        clock.at = AT + timedelta(hours=hour)
        made.tape("kmi").heard(Mail(**raw(str(hour).encode())))
    made.close()
    found = load_recording([tmp_path]).within(AT + timedelta(hours=1), AT + timedelta(hours=2))
    assert [piece.heard.raw for piece in found.pieces] == [b"1"]


# --- pace --------------------------------------------------------------------------------------------------


class Hand:
    def __init__(self) -> None:
        self.s = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.s += seconds


@pytest.mark.parametrize(("speed", "slept"), [(1.0, [3600.0, 3600.0]), (60.0, [120.0]), (AT_ONCE, [])])
def test_a_pace(speed: float, slept: list[float]) -> None:
    hand = Hand()
    pace = Pace(AT, speed, clock=lambda: hand.s, sleep=hand.sleep)
    assert not pace.due(AT), "not before it was started"
    pace.start()
    assert pace.due(AT)
    asyncio.run(pace.until(AT + timedelta(hours=2)))
    assert hand.slept == slept
    assert pace.due(AT + timedelta(hours=2))


def test_a_speed_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Pace(AT, 0.0)


def test_nothing_that_was_answered_is_passed_over_however_fast() -> None:
    said = [
        Exchange(url="https://x/a", status=200, headers={"etag": '"1"'}, text="one"),
        Exchange(url="https://x/a", status=304),
        Exchange(url="https://x/a", status=503, headers={"retry-after": "60"}),
        Exchange(url="https://x/a", status=200, text="two"),
    ]
    pace = Pace(AT, AT_ONCE)
    web = Web([Piece(AT + timedelta(minutes=n), "s", one) for n, one in enumerate(said)], pace)
    pace.start()
    track = web._exact["x/a"]
    assert [track.ask(pace) for _ in range(4)] == [(said[0], True), (said[2], True), (said[3], True), (said[3], False)]
    assert web.over
    assert web.left() == []


# --- proving anew ------------------------------------------------------------------------------------------


def secret(name: str) -> str:
    return {"SIAMU": SECRET, "AM": "pass word", "FORM": "red car go"}[name]


def push(body: bytes, withheld: tuple[str, ...], answered: int = 202, **headers: str) -> Push:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Push(method="POST", headers=named, withheld=withheld, answered=answered, **raw(body))


def test_a_partners_signature_is_made_anew() -> None:
    now = datetime.now(UTC)
    recorded = push(b'{"a":1}', ("webhook-signature",), webhook_id="m1", webhook_timestamp="5")
    headers, body = proved(recorded, {"type": "webhook", "secrets": "SIAMU"}, secret, now)
    assert Webhook(SECRET).verify(body, headers) == {"a": 1}
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))


def test_who_proved_nothing_proves_nothing() -> None:
    forged = push(b"x", ("webhook-signature",), 401, webhook_id="m1")
    headers, _ = proved(forged, {"type": "webhook", "secrets": "SIAMU"}, secret, datetime.now(UTC))
    assert "webhook-signature" not in headers


def test_passwords_and_codes_come_from_the_hub_that_is_played_to() -> None:
    now = datetime.now(UTC)
    monitor = push(b"{}", ("authorization",))
    basic, _ = proved(monitor, {"type": "alertmanager", "secrets": ["AM"], "user": "am"}, secret, now)
    bearer, _ = proved(monitor, {"type": "alertmanager", "secrets": ["AM"]}, secret, now)
    assert (basic["authorization"], bearer["authorization"]) == ("Basic YW06cGFzcyB3b3Jk", "Bearer pass word")
    form = push(b"partner=siamu&code=&what=x", ("code",), 200)
    _, body = proved(form, {"type": "form", "partners": {"siamu": "FORM"}}, secret, now)
    assert body == b"partner=siamu&code=red+car+go&what=x"
    with pytest.raises(CannotProve, match="no partner"):
        proved(form, {"type": "form", "partners": {}}, secret, now)
    with pytest.raises(CannotProve, match="not known"):
        proved(form, {"type": "fax"}, secret, now)


# --- leading sources to a playback -------------------------------------------------------------------------


def test_sources_stay_as_they_are_but_for_where_they_listen(tmp_path: Path) -> None:
    sources: dict[str, dict[str, Any]] = {
        "press": {"type": "feed", "url": "https://x/", "every": "10 min", "reliability": "C"},
        "pumps": {"type": "mqtt", "host": "b.example", "ca file": "x.pem", "password": "P", "readings": {}},
        "mails": {"type": "mail", "host": "m.example", "user": "u", "password": "M"},
        "pages": {"type": "pocsag", "command": ["multimon-ng"], "rics": {}},
        "radio": {"type": "tetra", "terminal": "/dev/ttyACM0"},
        "log": {"type": "crisislog", "folder": "/srv/x"},
        "siamu": {"type": "webhook", "secrets": ["A", "B"]},
    }
    stands = Stands(ports={"pages": 7, "radio": 8}, folders={"log": tmp_path}, broker=Broker("127.0.0.1", 9, "u"))
    found = led(sources, stands)
    assert "mails" not in found, "there is no mailbox for it: it would read the real one"
    assert found["press"] == sources["press"]
    assert found["pumps"] == {
        "type": "mqtt", "readings": {}, "host": "127.0.0.1", "port": 9, "tls": "no", "internal": "yes", "user": "u",
        "password": "PLAYBACK_PASSWORD",
    }  # fmt: skip
    assert found["pages"] == {"type": "pocsag", "rics": {}, "host": "127.0.0.1", "port": 7, "internal": "yes"}
    assert found["radio"]["terminal"] == "tcp://127.0.0.1:8"
    assert found["log"]["folder"] == str(tmp_path)
    assert secret_names(found) == ("PLAYBACK_PASSWORD", "A", "B")
