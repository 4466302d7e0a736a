"""Dossiers of a real hub: what is filed, by rule and by hand, what `vigie dossier` shows and refuses, a dossiers.yaml
that is saved while the hub runs, and kill -9."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.model import events as e
from hub.model import records as r
from tests.edge.running import OFFICER_A, Room, Said, room

DOSSIERS = """
storms:
  title:
    fr: Orages violents
    nl: Hevig onweer
    de: Schwere Gewitter
    en: Severe storms
  owner: sitcen
  review by: 2027-06-30
  when:
    hazard: thunderstorm
  rise:
    over: 7 days
"""
WHO = ("--by", "officer-a", "--why", "the same cell")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("dossiers"), between_s=30, answer_s=60) as made:
        (made.folder.config / "dossiers.yaml").write_text(DOSSIERS)
        made.script(OFFICER_A, reply_to="répondez ([A-Z]+)", reply=r"\1 oui")
        made.start()
        made.alert("STORM-1")
        made.until(lambda: made.events(e.DossierLinked), "an incident that is linked")
        yield made


def vigie(here: Room, *words: str) -> Said:
    environment = {key: value for key, value in here.environment().items() if key.startswith("VIGIE_")} | {"LANG": "C"}
    done = CliRunner().invoke(app, ["dossier", *words, "--config", str(here.folder.config)], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def shown(here: Room, *words: str) -> dict[str, Any]:
    said = vigie(here, "show", "storms", "--json", *words)
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def signal_of(here: Room, nth: int = 0) -> str:
    return str(here.events(e.Filed)[nth].signal)


def test_what_is_filed_is_listed_and_shown_with_its_incident(here: Room) -> None:
    today = f"{datetime.now(UTC).astimezone(ZoneInfo('Europe/Brussels')):%Y-%m-%d}"
    said = vigie(here, "list")
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(r"storms  Severe storms +1 in 7 days +not known yet what is usual\n", said.out), said.out
    assert "Orages violents" in vigie(here, "list", "--language", "fr").out
    (listed,) = vigie(here, "list", "--json").json_lines()
    assert (listed["count"], listed["usual"], listed["rising"]) == (1, None, None)
    assert listed == here.api("GET", "/api/dossiers").json()[0], "the journal says what the hub does"

    page = vigie(here, "show", "storms").out
    for words in (
        "storms: Severe storms (sitcen, to be looked over by 2027-06-30)",
        f"{today}  {'█' * 40} 1",
        "places: anderlecht 1, auderghem 1, ",
        "ixelles 1, jette 1, koekelberg 1 and 14 more",
        f"of {today}",
        "signals: 1",
        "Trial STORM-1",
        f"(record {signal_of(here)})",
    ):
        assert words in page, page
    found = shown(here)
    assert found["history"]["days"] == {today: 1}
    (incident,) = found["history"]["incidents"]
    assert (incident["sheet"], incident["by"]) == ("extreme-weather", "")


def test_an_officer_adds_takes_out_notes_and_links_with_the_reason_kept(here: Room) -> None:
    here.alert("HEAT-1", hazard="heat", severity="Minor")
    heat = here.until(lambda: [f for f in records(here) if "heat" in f.body.hazards], "a signal")[0].id
    done = vigie(here, "add", "storms", heat, *WHO)
    assert (done.code, done.err) == (0, "")
    assert re.match(r"it is in storms, and counts on \d{4}-\d\d-\d\d, when it came in \(record \w{26}\)", done.out)
    here.until(lambda: len(shown(here)["history"]["signals"]) == 2, "a signal that is filed")
    again = vigie(here, "add", "storms", heat, *WHO)
    assert (again.code, again.out) == (1, "")
    assert again.err.endswith("is in storms already\n")

    evil = "Mrs \x1b[31mPeeters\x1b[0m\nwas called; " + "é" * 20
    assert vigie(here, "note", "storms", evil, "--by", "officer-a").code == 0
    here.until(lambda: shown(here)["history"]["notes"], "a note")
    page = vigie(here, "show", "storms").out
    assert "\x1b" not in page
    assert "added by officer-a: the same cell" in page
    assert [note["text"] for note in shown(here)["history"]["notes"]] == [evil]
    assert not any("Peeters" in str(fact) for fact in here.facts("dossier-note")), "it lies in the vault"

    assert vigie(here, "remove", "storms", heat, *WHO).code == 0
    here.until(lambda: "taken out by officer-a: the same cell" in vigie(here, "show", "storms").out, "one taken out")
    assert sum(shown(here)["history"]["days"].values()) == 1
    assert vigie(here, "remove", "storms", heat, *WHO).err.startswith(f"{heat} is not in storms")


def test_what_becomes_of_a_filed_signal_is_shown(here: Room) -> None:
    first = signal_of(here)
    counted = sum(shown(here)["history"]["days"].values())
    said = {"by": "officer-a", "why": "nobody saw it", "credibility": 5}
    assert here.api("POST", f"/api/signals/{first}/grade", said).status == 200
    here.until(lambda: "[counts nothing: improbable]" in vigie(here, "show", "storms").out, "one that counts no more")
    assert sum(shown(here)["history"]["days"].values()) == counted - 1
    assert shown(here)["history"]["signals"][0]["grade"] == "A5"
    assert here.api("POST", f"/api/signals/{first}/grade", said | {"credibility": None}).status == 200
    here.until(lambda: sum(shown(here)["history"]["days"].values()) == counted, "one that counts again")
    assert shown(here)["history"]["signals"][0]["grade"] == "A2"
    here.cancel("STORM-OVER", of="STORM-1")
    here.until(lambda: "[cancelled by its sender]" in vigie(here, "show", "storms").out, "a cancel that is seen")
    assert sum(shown(here)["history"]["days"].values()) == counted, "it takes nothing back"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "storm", "01X", *WHO), 1, 'no dossier "storm" is in force: there are: storms. Did you mean "storms"?'),
        (("add", "storms", "01X", *WHO), 1, "no signal 01X: `vigie journal show --kind signal` lists them"),
        (("add", "storms", "../../stop-all", *WHO), 1, "no signal ../../stop-all"),
        (("add", "storms", "a b?c=d#e", *WHO), 1, "no signal a b?c=d#e"),
        (("link", "storms", "01K0A1B2C3D4E5F6G7H8J9KMNP", *WHO), 1, "no incident 01K0A1B2C3D4E5F6G7H8J9KMNP"),
        (("note", "storms", "  ", "--by", "a"), 1, "text: a note has from 1 to 20000 characters, this one has 0"),
        (("note", "storms", "x", "--by", ""), 1, "by: is empty: say who acts, and why"),
        (("show", "storm"), 1, 'no dossier "storm" was ever in force: there are: storms'),
        (("show", "storms", "--since", "yesterday"), 2, "yesterday: no day: write it as 2026-06-01"),
        (("show", "storms", "--last", "-1"), 2, ""),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(here: Room, words: tuple[str, ...], code: int, said: str) -> None:
    found = vigie(here, *words)
    assert (found.code, found.err[: len(said)]) == (code, said)


def test_what_is_saved_is_in_force_and_outlives_a_kill(here: Room) -> None:
    before = shown(here)["history"]
    path: Path = here.folder.config / "dossiers.yaml"
    good = path.read_text()
    path.write_text(good.replace("thunderstorm", "thunderstrom"))
    here.until(lambda: any(a["what"] == "files-wrong" for a in here.status()["alarms"]), "an alarm")
    here.alert("STORM-2", event={"fr": "Orage à Uccle"} | dict.fromkeys(("nl", "de", "en"), "Uccle"))
    here.until(lambda: len(shown(here)["history"]["signals"]) > len(before["signals"]), "the version before stays")
    path.write_text(good + DOSSIERS.replace("storms:", "floods:").replace("thunderstorm", "flood"))
    here.until(lambda: "floods" in vigie(here, "list").out, "a second dossier")
    here.kill()
    assert "floods" in vigie(here, "list").out, "the journal is read without a hub"
    assert vigie(here, "note", "storms", "x", "--by", "a").code == 2, "acting needs one"
    here.start()
    path.write_text("{}\n")
    here.until(lambda: vigie(here, "list").out.startswith("no dossier is in force"), "none")
    assert "storms: not in force any more" in vigie(here, "show", "storms").out
    assert vigie(here, "note", "storms", "x", "--by", "a").err == 'no dossier "storms" is in force: there are none\n'


def records(here: Room) -> list[Any]:
    """The facts of signals."""
    return [fact for fact in here.records() if isinstance(fact, r.Fact) and isinstance(fact.body, r.SignalReceived)]
