"""`vigie drill --live`: an exercise with real people through a running hub; the phones are the simulator's."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model import events as e
from hub.model import records as r
from hub.model.signal import Status
from tests.edge.running import DIRECTOR_A, OFFICER_A, OFFICER_B, OFFICER_C, PARTNERS, ROOT, Room, Said, room
from tests.edge.running import until as wait_until

SCENARIO = f"""
title: Orage, pour voir
given:
  - signal:
      source: {PARTNERS}
      category: Met
      hazard: thunderstorm
      headline: Orage violent
      severity: Extreme
      certainty: Observed
      area: Région de Bruxelles-Capitale
      lasts: 3 h
  - after: 100 s
    done: checklist 1
  - after: 200 s
    cancels: 1
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("live"), answer_s=4.0) as made:
        for number in (OFFICER_A, OFFICER_C, DIRECTOR_A):
            made.script(number, call="no-answer")
        made.script(OFFICER_B, call="answer", digits=("1",))
        made.start()
        yield made


def words(here: Room, scenario: Path, *more: str) -> list[str]:
    folder = here.folder
    return ["drill", str(scenario), "--live", "--config", str(folder.config), "--data", str(folder.data), *more]


def written(tmp_path: Path, text: str = SCENARIO) -> Path:
    path = tmp_path / "storm.yaml"
    path.write_text(text)
    return path


def opened(here: Room) -> list[e.Opened]:
    return here.events(e.Opened)


def test_an_exercise_with_real_people_and_its_debriefing(here: Room, tmp_path: Path) -> None:
    """Something in earnest is under way meanwhile, and stays so."""
    page = tmp_path / "storm.html"
    here.alert("given-1", hazard="flood")
    here.until(lambda: opened(here), "an incident in earnest")
    here.settled()
    before = len(here.messages())
    said = here.vigie(*words(here, written(tmp_path), "--yes", "--speed", "20", "-o", str(page), "--language", "en"))
    assert said.code == 0, said
    assert "asked  Aline Inventée: SMS, call" in said.err  # whom it would call, before anybody is
    real, *exercises = opened(here)
    assert real.status is Status.ACTUAL
    assert exercises
    assert {one.status for one in exercises} == {Status.EXERCISE}
    ended = {one.incident for one in here.events(e.Ended)}
    assert {one.incident for one in exercises} <= ended
    assert real.incident not in ended
    texts = [message.body for message in here.messages()[before:]]
    assert texts
    assert all(re.match("EXERCI[SC]E|OEFENING|ÜBUNG", text) for text in texts)
    assert "Bram Verzonnen answers: yes" in said.out
    assert re.search(r"Bram Verzonnen \(wake\) +\d\d:\d\d:\d\d +call +yes +\d", said.out)
    assert re.search(r"Aline Inventée \(wake\) +\d\d:\d\d:\d\d +SMS, call +no answer", said.out)
    assert "Aline Inventée did not answer (wake)" in said.out
    assert "left to those who take part" in said.out
    made = page.read_text("utf-8")
    assert ">EXERCISE<" in made
    assert "Orage violent" in made
    here.api("POST", f"/api/incidents/{real.incident}/end", {"by": "test", "why": "over"})


def test_it_can_be_stopped_and_who_was_reached_is_told(here: Room, tmp_path: Path) -> None:
    scenario = written(tmp_path, SCENARIO.replace("after: 200 s", "after: 2 h").replace("thunderstorm", "snow-ice"))
    known = {one.incident for one in opened(here)}
    command = [sys.executable, "-m", "hub.cli", *words(here, scenario, "--yes", "--json")]
    process = subprocess.Popen(
        command, cwd=ROOT, env=here.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    here.until(lambda: [x for x in opened(here) if x.incident not in known], "the exercise's incident", 40)
    here.until(lambda: any(x.incident not in known for x in here.events(e.RunBegan)), "its chain")
    (mine,) = [x.incident for x in opened(here) if x.incident not in known]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert mine in {one.incident for one in here.events(e.Ended)}
    told = json.loads(out)
    assert told["title"] == "Orage, pour voir"
    assert {m["what"] for m in told["moments"]} >= {"signal", "opens", "ends", "gets"}
    wait_until(lambda: not [x for x in here.status()["incidents"] if x["id"] == mine and not x["ended"]], "its end")


def test_what_comes_in_by_this_act_cannot_be_in_earnest(here: Room) -> None:
    body: dict[str, Any] = {
        "by": "trainer",
        "source": PARTNERS,
        "signal": {"identifier": "x-1", "sender": "x", "sent": "2026-10-13T21:00:00+02:00", "infos": []},
    }
    actual = body | {"signal": body["signal"] | {"status": "Actual"}}
    assert here.api("POST", "/api/exercise/signals", actual).status == 422
    assert here.api("POST", "/api/exercise/signals", body | {"source": "nowhere"}).status == 422
    assert here.request("POST", "/api/exercise/signals", json.dumps(body).encode()).status == 401
    assert here.api("POST", "/api/exercise/signals", body).status == 200
    (mine,) = [fact for fact in here.facts("signal") if fact.status is Status.EXERCISE][-1:]
    assert mine.source == PARTNERS


def test_an_exercise_withdraws_nothing_in_earnest(here: Room) -> None:
    known = {one.incident for one in opened(here)}
    here.alert("real-1", hazard="wind")
    here.until(lambda: [x for x in opened(here) if x.incident not in known], "an incident in earnest")
    (real,) = [x for x in opened(here) if x.incident not in known]
    fact = next(record for record in here.records("signal") if isinstance(record, r.Fact) and record.id == real.by)
    with here.journal() as reading:
        (sealed,) = reading.vault([fact.vault])
    assert sealed is not None
    sender = json.loads(sealed.payload)["sender"]
    withdrawn = {
        "identifier": "c-1",
        "sender": sender,
        "sent": "2026-10-13T21:00:00+02:00",
        "msg_type": "Cancel",
        "references": [[sender, "real-1", None]],
    }
    body = {"by": "trainer", "source": PARTNERS, "signal": withdrawn}
    taken = here.api("POST", "/api/exercise/signals", body).json()["id"]

    def decided() -> bool:
        return any(taken in d.took for d in here.records("decision") if isinstance(d, r.Decision))

    here.until(decided, "a decision on it")
    assert real.incident not in {one.incident for one in here.events(e.Ended)}
    here.cancel("real-2", "real-1", hazard="wind")  # and the sender itself does
    here.until(lambda: real.incident in {one.incident for one in here.events(e.Ended)}, "the end")


def test_it_does_not_begin_unasked(here: Room, tmp_path: Path) -> None:
    before = len(opened(here))
    said = here.vigie(*words(here, written(tmp_path)))
    assert said.code == 2
    assert "say --yes" in said.err
    assert len(opened(here)) == before
    assert refused(here, tmp_path, "--speed", "0") == "--speed 0: is not above 0"


def refused(here: Room, tmp_path: Path, *more: str) -> str:
    said: Said = here.vigie(*words(here, written(tmp_path), "--yes", *more))
    assert said.code == 2
    return said.err.splitlines()[-1][:25]


def test_the_same_exercise_once_more_opens_its_incident_again(here: Room, tmp_path: Path) -> None:
    scenario = written(tmp_path, SCENARIO.replace("thunderstorm", "heat"))
    first = here.vigie(*words(here, scenario, "--yes", "--speed", "20", "--language", "en"))
    again = here.vigie(*words(here, scenario, "--yes", "--speed", "20", "--language", "en"))
    assert (first.code, again.code) == (0, 0), again
    assert "incident 1 opens: Heat wave" in first.out
    assert "incident 1 opens again: Heat wave" in again.out
    assert "Bram Verzonnen answers: yes" in again.out
