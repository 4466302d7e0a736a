"""`python -m tools.playback --recording`: a recorded day on the shipped configuration, with nobody outside reached."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.edge.recorder import Recorder
from hub.edge.setup import Recording
from hub.journal.codec import decode
from hub.journal.reader import open_reader
from hub.model import events as e
from hub.model import records as r
from hub.model.recording import FORMAT, Begun, Exchange, Mail, Push, raw
from hub.model.signal import Status
from tests.conftest import ROOT
from tests.edge.running import alert_json, cap_xml
from tools.playback.__main__ import main

KMI = "https://feeds.meteoalarm.org/api/v1/warnings/feeds-belgium"
BRUZZ = "https://www.bruzz.be/rss.xml"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two hours on the shipped configuration."""
    now = [datetime.now(UTC)]
    recorder = Recorder(
        Recording(folder=tmp_path / "rec"), lambda: now[0], Begun(format=FORMAT, hub="h", version="1"), free_least=0
    )

    def heard(source: str, what: Any, minutes: float) -> None:
        now[0] += timedelta(minutes=minutes)
        recorder.tape(source).heard(what)

    xml = {"content-type": "application/cap+xml"}
    heard("kmi-irm", Exchange(url=KMI, status=200, headers=xml, **raw(cap_xml("W-1"))), 0)
    heard("press-bruzz", Exchange(url=BRUZZ, status=503, headers={"retry-after": "600"}), 1)
    heard("kmi-irm", Exchange(url=KMI, status=304), 1)
    heard("kmi-irm", Exchange(url=KMI, error=f"{KMI} cannot be reached"), 1)
    alert = json.dumps(alert_json("P-1", hazard="gas-leak")).encode()
    signed = {"content-type": "application/json", "webhook-id": "P-1"}
    for answered in (202, 401):
        what = Push(method="POST", headers=signed, withheld=("webhook-signature",), answered=answered, **raw(alert))
        heard("siamu", what, 60)
    heard("permanence", Mail(**raw(b"Subject: x\n\nx")), 1)
    recorder.close()
    return tmp_path / "rec"


def test_what_is_in_it(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recording", str(recorded), "--info"]) == 0
    said = capsys.readouterr().out
    for words in ("kmi-irm                        3 exchange", "siamu                          2 push"):
        assert words in said
    assert main(["--recording", str(recorded), "--since", "2019-01-01T00:00Z", "--until", "2019-01-02T00:00Z"]) == 2


def test_it_is_played_in_virtual_time(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recording", str(recorded), "--config", str(ROOT / "config"), "--virtual"]) == 0
    said = capsys.readouterr().out
    assert "Orage W-1" in said
    assert "permanence: 1 pieces need the playback in real time" in said


@pytest.mark.parametrize("speed", ["0", "1200"])
def test_it_is_played_to_a_hub_of_its_own(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    """All at once, and two hours in six seconds."""
    words = ["--config", str(ROOT / "config"), "--work", str(tmp_path / "work"), "--speed", speed]
    assert main(["--recording", str(recorded), *words]) == 1, "somebody has a source that is not here"
    said = capsys.readouterr().out
    assert "not played: permanence: is no source here (1 pieces)" in said
    assert "answered otherwise" not in said, said
    with open_reader(tmp_path / "work" / "data" / "journal.db") as reading:
        records = [decode(row.body) for row in reading.rows()]
    facts = [one.body for one in records if isinstance(one, r.Fact)]
    signals = [body for body in facts if isinstance(body, r.SignalReceived)]
    assert sorted((body.source, body.status) for body in signals) == [
        ("kmi-irm", Status.EXERCISE),
        ("siamu", Status.EXERCISE),
    ]
    opened = [x for one in records if isinstance(one, r.Decision) for x in one.events if isinstance(x, e.Opened)]
    assert opened, "sheets recognise it as they would have that day"
