"""Files put in force while the hub runs: what is right replaces what was, what is wrong replaces nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model import events as e
from tests.edge.running import OFFICER_A, ROOT, Room, change, room

WEATHER, OUTAGE = "extreme-weather.yaml", "emergency-calls-outage.yaml"
WHO = ("--by", "officer-z", "--why", "wakes us for nothing")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path / "room", between_s=30, answer_s=60) as made:
        with_sheets_of_its_own(made)
        yield made


def with_sheets_of_its_own(here: Room) -> None:
    sheets(here).mkdir()
    for name in (WEATHER, OUTAGE):
        shutil.copy(ROOT / "playbooks" / name, sheets(here))
    for beside in (here.folder.config / "messages").glob("*.yaml"):
        if beside.name not in (WEATHER, OUTAGE):
            beside.unlink()
    change(here.folder.config / "hub.yaml", lambda hub: hub.update({"playbooks": "../playbooks"}))


def sheets(here: Room) -> Path:
    return here.folder.config.parent / "playbooks"


def save(path: Path, text: str) -> None:
    """As careful editors do: written beside, then renamed."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    beside.replace(path)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    save(path, text.replace(old, new, 1))


def alarms(here: Room, what: str) -> dict[str, str]:
    return {a["about"]: a["detail"] for a in here.status()["alarms"] if a["what"] == what}


def installed(here: Room, name: str) -> list[Any]:
    return [fact for fact in here.facts("installed") if fact.name == name]


def vigie(here: Room, *words: str) -> Any:
    return here.vigie(*words, "--config", str(here.folder.config))


def test_a_sheet_that_is_saved_is_in_force_and_what_is_open_keeps_its_version(here: Room) -> None:
    here.start()
    here.script(OFFICER_A, reply=None)
    (first,) = installed(here, "extreme-weather")
    assert first.file == f"playbooks/{WEATHER}"
    assert first.by
    assert first.how == "owner of the file"
    here.alert("T-1")
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    edit(sheets(here) / WEATHER, "mode: live", "mode: shadow")
    (_, second) = here.until(lambda: (x := installed(here, "extreme-weather"))[1:] and x, "a new version")
    assert (second.mode, second.version != first.version) == ("shadow", True)
    here.alert("W-1", hazard="cold")
    here.until(lambda: [i for i in here.status()["incidents"] if i["shadow"]], "an incident in shadow")
    shown = {i["key"][0]: i["shadow"] for i in here.status()["incidents"]}
    assert shown == {"thunderstorm": False, "cold": True}
    assert len(here.sms_to(OFFICER_A)) == 1
    here.cancel("T-2", of="T-1")
    here.ended("thunderstorm")
    versions = {x.key[0]: x.version for x in here.events(e.Opened)}
    assert versions == {"thunderstorm": first.version}
    told = [x.event for x in here.events(e.InShadow) if isinstance(x.event, e.Opened)]
    assert [(x.key[0], x.version) for x in told] == [("cold", second.version)]
    history = vigie(here, "playbook", "history", "extreme-weather").out.splitlines()
    assert [line.split("  ")[1].split(" by ")[0] for line in history[:2]] == [
        f"live {first.version[:8]}",
        f"shadow {second.version[:8]}",
    ]
    assert history[2] == "    it is in shadow instead of live"
    told = vigie(here, "playbook", "diff", f"extreme-weather@{first.version[:8]}", "extreme-weather")
    assert (told.out, told.err) == ("it is in shadow instead of live\n", "")
    assert vigie(here, "playbook", "diff", "extreme-weather").out == "the same\n"
    assert vigie(here, "playbook", "show", "extreme-weather").out == (sheets(here) / WEATHER).read_text()
    before = vigie(here, "playbook", "show", "extreme-weather", "--version", first.version[:8]).out
    assert before == (ROOT / "playbooks" / WEATHER).read_text()
    listed = vigie(here, "playbook", "list").out
    line = next(line for line in listed.splitlines() if line.startswith("extreme-weather"))
    assert "1 open in shadow" in line
    assert f"by {second.by} (owner of the file)" in line


def test_a_file_with_a_fault_replaces_nothing_and_the_others_that_go_with_it_do(here: Room) -> None:
    here.start()
    edit(sheets(here) / WEATHER, "call: duty-officers", "call: duty-oficers")
    edit(sheets(here) / OUTAGE, "mode: live", "mode: draft")
    wrong = here.until(lambda: alarms(here, "files-wrong"), "an alarm")
    (detail,) = wrong.values()
    assert list(wrong) == [f"playbooks/{WEATHER}"]
    assert detail.startswith(f"the version before stays: playbooks/{WEATHER}:")
    assert 'there is no alert chain "duty-oficers"' in detail
    here.until(lambda: installed(here, "emergency-calls-outage")[1:], "the other file")
    assert len(installed(here, "extreme-weather")) == 1
    here.alert("T-1")
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS by the version before")
    # An officer can act whatever is wrong with the files.
    assert vigie(here, "stop-all", *WHO).code == 0
    refused = vigie(here, "check")
    assert refused.code == 1
    edit(sheets(here) / WEATHER, "call: duty-oficers", "call: duty-officers")
    here.until(lambda: not alarms(here, "files-wrong"), "no alarm any more")
    assert len(installed(here, "extreme-weather")) == 1  # the text is what was in force all along


def test_what_does_not_go_together_is_not_in_force_at_all(here: Room) -> None:
    here.start()
    edit(here.folder.config / "chains.yaml", "\nduty-officers:", "\nofficers-on-duty:")
    wrong = here.until(lambda: alarms(here, "files-wrong"), "an alarm")
    assert all(said.startswith("nothing of what was saved is in force: ") for said in wrong.values())
    assert f"playbooks/{WEATHER}" in wrong
    assert here.api("GET", "/api/who/duty-officers").status == 200
    assert len(installed(here, "chains.yaml")) == 1
    refused = vigie(here, "reload", "--by", "officer-z")
    assert refused.code == 1
    assert refused.err.startswith("nothing of what stands in the files is in force that was not: ")


def test_people_rosters_messages_and_areas_are_in_force_on_save_and_what_names_people_says_only_where(
    here: Room,
) -> None:
    here.start()
    config = here.folder.config
    assert len(installed(here, "people.yaml")) == 1
    edit(config / "people.yaml", "name: ", "name: Doctor ")
    here.until(lambda: installed(here, "people.yaml")[1:], "people")
    (changed,) = [p for p in here.api("GET", "/api/people").json() if p["name"].startswith("Doctor ")]
    save(config / "people.yaml", (config / "people.yaml").read_text().replace("+32 4", "+32x4", 1))
    wrong = here.until(lambda: alarms(here, "files-wrong"), "an alarm")
    assert list(wrong) == ["config/people.yaml"]
    assert "+32x4" not in wrong["config/people.yaml"]
    assert changed["name"] not in wrong["config/people.yaml"]
    assert wrong["config/people.yaml"].endswith("(`vigie check` says what)")


def test_what_the_hub_is_started_with_is_told_to_need_a_restart(here: Room) -> None:
    here.start()
    edit(here.folder.config / "sources.yaml", "\n", "\n# looked over\n")
    assert here.until(lambda: alarms(here, "restart-needed"), "an alarm") == {
        "sources.yaml": "what is written there counts when the hub is started again"
    }
    here.stop()
    here.start()
    here.until(lambda: not alarms(here, "restart-needed"), "no alarm any more")


def test_a_sheet_that_is_deleted_is_retired_and_its_incident_runs_on(here: Room) -> None:
    here.start()
    here.script(OFFICER_A, reply=None)
    here.alert("T-1")
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    (sheets(here) / WEATHER).unlink()
    here.until(lambda: [x for x in here.facts("retired") if x.name == "extreme-weather"], "a sheet that is retired")
    here.alert("W-1", hazard="cold")
    here.cancel("T-2", of="T-1")
    here.ended("thunderstorm")
    assert [x.key[0] for x in here.events(e.Opened)] == ["thunderstorm"]
    here.until(lambda: len(here.sms_to(OFFICER_A)) == 2, "the all-clear")


def test_a_mode_is_set_by_an_act_until_the_file_says_so(here: Room) -> None:
    here.start()
    said = vigie(here, "playbook", "shadow", "extreme-weather", *WHO)
    assert said.out.startswith(
        "extreme-weather is in shadow from the next signal on; its file still says live (record "
    )
    assert vigie(here, "playbook", "shadow", "extreme-weather", *WHO).out == "extreme-weather is in shadow already\n"
    here.alert("T-1")
    (opened,) = here.until(lambda: here.status()["incidents"], "an incident")
    assert opened["shadow"]
    assert next(c for c in here.status()["changes"] if c.get("sheet"))["mode"] == "shadow"
    here.kill()
    here.start()
    here.alert("F-1", hazard="cold")
    here.until(lambda: len(here.status()["incidents"]) == 2, "another")
    assert all(i["shadow"] for i in here.status()["incidents"])
    listed = vigie(here, "playbook", "list").out
    assert "shadow (file: live)" in listed
    assert "2 open in shadow, shadow by officer-z (wakes us for nothing)" in listed
    edit(sheets(here) / WEATHER, "mode: live", "mode: shadow")
    here.until(lambda: not [c for c in here.status()["changes"] if c.get("sheet")], "a file that says so")
    edit(sheets(here) / WEATHER, "mode: shadow", "mode: live")
    here.until(lambda: len(installed(here, "extreme-weather")) == 3, "a live sheet")
    here.alert("T-2")
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    nobody = vigie(here, "playbook", "live", "extreme-wether", *WHO)
    assert (nobody.code, nobody.err.partition(":")[0]) == (1, 'no sheet "extreme-wether" is in force')


def test_whoever_prefers_to_say_when(here: Room) -> None:
    change(here.folder.config / "hub.yaml", lambda hub: hub.update({"reload on save": "no"}))
    here.start()
    edit(sheets(here) / WEATHER, "mode: live", "mode: draft")
    said = vigie(here, "reload", "--by", "officer-z")
    assert said.out.startswith("in force: extreme-weather (draft, version ")
    (_, new) = installed(here, "extreme-weather")
    assert (new.by, new.how) == ("officer-z", "vigie reload")
    assert vigie(here, "reload", "--by", "officer-z").out.startswith("nothing is new")


def test_a_hub_comes_up_with_the_last_good_version_of_a_sheet_or_without_it(here: Room) -> None:
    here.start()
    (good,) = installed(here, "extreme-weather")
    here.until(lambda: [x for x in here.events(e.Enforced) if x.name == "extreme-weather"], "a sheet in force")
    here.kill()
    edit(sheets(here) / WEATHER, "call: duty-officers", "call duty-officers")
    save(sheets(here) / "new.yaml", "playbook: new\n")
    here.start()
    wrong = here.until(lambda: alarms(here, "files-wrong"), "an alarm")
    assert wrong[f"playbooks/{WEATHER}"].startswith(f"the version before stays: playbooks/{WEATHER}:")
    assert wrong["playbooks/new.yaml"].startswith("left out: playbooks/new.yaml:1:1: ")
    assert f"playbooks/{WEATHER}: the version before stays" in here.log()
    here.alert("T-1")
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    assert {x.version for x in here.events(e.Opened)} == {good.version}
    here.stop()
    edit(here.folder.config / "chains.yaml", "\nduty-officers:", "\nduty-officers: [")
    refused = vigie(here, "run")
    assert refused.code == 2
    assert "mend them first" in refused.err


def test_what_would_be_different_is_told_before_it_is_in_force(here: Room) -> None:
    change(here.folder.config / "hub.yaml", lambda hub: hub.update({"reload on save": "no"}))
    here.start()
    edit(sheets(here) / WEATHER, "call: duty-officers", "call: directors")
    edit(here.folder.config / "messages" / WEATHER, "Pouvez-vous", "Pourriez-vous")
    told = vigie(here, "playbook", "diff", "extreme-weather")
    step, message = told.out.splitlines()
    assert step == "step wake now calls directors instead of duty-officers"
    assert message.startswith('the message weather-ask changed in fr: "Alerte météo à suivre: {headline}.')
    assert "Pourriez-vous" in message.partition(" instead of ")[0]
    by_file = vigie(here, "playbook", "diff", str(sheets(here) / WEATHER))
    assert by_file.out == told.out
    save(sheets(here) / WEATHER, "# looked over\n" + (ROOT / "playbooks" / WEATHER).read_text())
    assert "step wake" not in vigie(here, "playbook", "diff", "extreme-weather").out
    never = vigie(here, "playbook", "diff", "extreme-weather@ffffffff", "extreme-weather")
    assert (never.code, "has no version ffffffff" in never.err) == (2, True)
    nobody = vigie(here, "playbook", "diff", "extreme-wether")
    assert nobody.code == 2
    assert 'Did you mean "extreme-weather"?' in nobody.err
