"""Groups, organisations and who takes turns in rosters, changed through the API and the commands of a running hub."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.running import Room, Said, change, room

WHO = {"by": "officer-z", "why": "a test"}
BY = ("--by", "officer-z", "--why", "a test")
MINISTRY = {"fr": "Ministère", "nl": "Ministerie", "de": "Ministerium", "en": "Ministry", "kind": "ministry"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("parts"), between_s=30, answer_s=60) as made:
        made.start()
        yield made


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "here" in request.fixturenames:
        assert request.getfixturevalue("here").status()["changes"] == []


def vigie(here: Room, *words: str) -> Said:
    return here.command(*words)


def shown(here: Room, path: str) -> Any:
    got = here.api("GET", f"/api/{path}")
    assert got.status == 200, got.body
    return got.json()


def put(here: Room, path: str, *, over: str | None = None, **sent: Any) -> Any:
    version = shown(here, path)["version"] if over is None else over
    answer = here.api("PUT", f"/api/{path}", WHO | sent | {"over": version})
    assert answer.status == 200, answer.body
    return answer.json()


def revert(here: Room, *paths: str) -> None:
    for path in paths:
        assert here.api("POST", f"/api/{path}/revert", WHO).status == 200


def test_a_group_is_changed_over_the_version_that_was_looked_at(here: Room) -> None:
    before = shown(here, "groups/directors")
    assert (before["entry"], before["in_files"], before["change"]) == (["director-a", "director-b"], True, None)
    changed = put(here, "groups/directors", group=["director-b", "officer-a"])
    assert changed["said"] == "group directors is changed; config/ does not say so yet"
    after = shown(here, "groups/directors")
    assert after["people"] == ["director-b", "officer-a"]
    assert (after["change"]["by"], after["version"]) == ("officer-z", changed["version"])
    assert [tier["person"] for tier in shown(here, "who/directors")] == ["director-b", "officer-a"]
    assert [(c["part"], c["name"]) for c in here.status()["changes"]] == [("group", "directors")]
    assert "director-b" not in str(here.facts("part-changed")), "who is in it lies in the vault"
    late = here.api("PUT", "/api/groups/directors", WHO | {"over": before["version"], "group": ["director-a"]})
    assert late.status == 409
    assert late.json()["detail"].startswith("group directors was changed meanwhile by officer-z at ")
    assert put(here, "groups/directors", group=["director-b", "officer-a"])["said"] == "group directors is so already"
    back = put(here, "groups/directors", group=["director-a", "director-b"])
    assert back["said"] == "group directors is as the files say again"


def test_a_group_by_what_people_are_follows_a_changed_organisation(here: Room) -> None:
    put(here, "organisations/ministry", over="", organisation=MINISTRY)
    made = put(here, "groups/authorities", over="", group={"kind of organisation": ["ministry"]})
    assert made["warnings"] == ["authorities: group authorities has nobody in it: nobody is all of this at once"]
    form = shown(here, "people/director-a")
    entry = form["person"] | {"organisation": "ministry"}
    put(here, "people/director-a", person=entry)
    assert shown(here, "groups/authorities")["people"] == ["director-a"]
    assert shown(here, "organisations/ministry")["people"] == ["director-a"]
    version = shown(here, "organisations/ministry")["version"]
    refused = here.api("DELETE", "/api/organisations/ministry", WHO | {"over": version})
    assert refused.status == 422
    assert refused.json()["detail"].startswith("organisation ministry is still named by person director-a:")
    put(here, "organisations/ministry", organisation=MINISTRY | {"kind": "fire"})
    assert shown(here, "groups/authorities")["people"] == []
    revert(here, "people/director-a", "groups/authorities", "organisations/ministry")
    assert here.api("GET", "/api/groups/authorities").status == 404


def test_what_others_name_is_not_taken_out(here: Room) -> None:
    for path, named in (
        ("groups/directors", "group directors is still named by chain directors, "),
        ("rosters/sitcen-on-call", "roster sitcen-on-call is still named by chain duty-officers, "),
    ):
        version = shown(here, path)["version"]
        refused = here.api("DELETE", f"/api/{path}", WHO | {"over": version})
        assert (refused.status, refused.json()["detail"].startswith(named)) == (422, True), refused.body


def test_who_takes_turns_is_changed_and_a_replacement_stands_over_it(here: Room) -> None:
    before = shown(here, "rosters/sitcen-on-call")
    assert before["roster"] == {"always": ["officer-a"], "handover notice": "30 min"}
    night = {"from": "2030-03-30T20:00:00+01:00", "until": "2030-03-31T08:00:00+02:00", "people": ["officer-c"]}
    replaced = here.api("POST", "/api/rosters/sitcen-on-call/overrides", WHO | night | {"over": before["version"]})
    turns = {"layers": [{"people": ["officer-b", "director-a"], "from": "2029-12-31", "every": "week", "at": "08:00"}]}
    put(here, "rosters/sitcen-on-call", roster={"always": ["officer-a"], **turns})
    query = "from=2030-03-30T12:00:00%2B01:00&until=2030-04-02T08:00:00%2B02:00"
    now = shown(here, f"rosters/sitcen-on-call?{query}")
    assert [span["people"] for span in now["spans"]] == [["officer-b"], ["officer-c"], ["officer-b"], ["director-a"]]
    assert (now["change"]["by"], now["in_files"]) == ("officer-z", True)
    assert "overrides" not in now["roster"], "replacements are no part of the turns"
    put(here, "rosters/sitcen-on-call", roster=before["roster"])
    assert here.api("DELETE", f"/api/rosters/sitcen-on-call/overrides/{replaced.json()['id']}", WHO).status == 200
    assert shown(here, "rosters/sitcen-on-call")["version"] == before["version"]


@pytest.mark.parametrize(
    ("path", "sent", "status", "said"),
    [
        ("groups/x", {"group": ["officer-q"], "over": ""}, 422, 'x: "officer-q" is nobody: did you mean'),
        ("groups/x", {"group": ["officer-a"]}, 422, "over: name the version that you looked at (GET /api/groups/x"),
        ("groups/x", {"group": ["officer-a"], "over": "abc"}, 409, "over: there is no group x (any more)"),
        ("groups/X", {"group": ["officer-a"], "over": ""}, 422, 'X: groups: "X" is no name for this'),
        ("organisations/x", {"organisation": {"fr": "A"}, "over": ""}, 422, 'x: "x" lacks nl, de, en, kind'),
        ("rosters/x", {"roster": {"always": ["officer-q"]}, "over": ""}, 422, 'always: "officer-q" is nobody'),
        ("rosters/x", {"roster": {}, "over": ""}, 422, "x: roster x has nobody on duty ever"),
        ("rosters/x", {"roster": [], "over": ""}, 422, "Expected `object`, got `array`"),
    ],
)
def test_what_is_sent_wrong_is_said(here: Room, path: str, sent: Any, status: int, said: str) -> None:
    answer = here.api("PUT", f"/api/{path}", WHO | sent)
    assert (answer.status, answer.json()["detail"][: len(said)]) == (status, said)
    name = path.partition("/")[2]
    if name == "x":
        assert here.api("GET", f"/api/{path}").status == 404
        assert here.api("POST", f"/api/{path}/revert", WHO).status == 404


def test_the_commands_change_and_the_files_are_told(here: Room, tmp_path: Path) -> None:
    made = vigie(here, "group", "set", "night-shift", "officer-a", "officer-c", *BY)
    assert (made.code, made.err) == (0, ""), made.err
    assert re.fullmatch(r"group night-shift is there; config/ does not say so yet \(record \w{26}\)\n", made.out)
    assert "night-shift  (changed while running)" in vigie(here, "group", "list").out
    assert "officer-a, officer-c" in vigie(here, "group", "show", "night-shift").out
    assert vigie(here, "organisation", "set", "stib", "communes=ixelles, uccle", *BY).code == 0
    assert "ixelles, uccle" in vigie(here, "organisation", "show", "stib").out
    turns = tmp_path / "turns.yaml"
    turns.write_text("sitcen-on-call:\n  layers:\n    - people: [officer-a, director-a]\n      from: 2026-10-05\n")
    assert vigie(here, "roster", "set", "sitcen-on-call", "--file", str(turns), *BY).code == 0

    diff = vigie(here, "people", "diff").out
    for words in (
        "# group night-shift: changed by officer-z at ",
        "(a test): add this to config/people.yaml",
        "# organisation stib: changed by officer-z",
        "put this in place of the entry in config/people.yaml",
        "# roster sitcen-on-call: changed by officer-z",
        "put this in place of the entry in config/rosters.yaml",
        "  night-shift: [officer-a, officer-c]",
        "    communes: [ixelles, uccle]",
        "    - people: [officer-a, director-a]\n      from: '2026-10-05'\n      every: week\n",
    ):
        assert words in diff, diff
    checked = vigie(here, "check")
    assert (checked.code, "group night-shift was changed while running by officer-z" in checked.err) == (0, True)
    assert "roster sitcen-on-call was changed while running" in checked.err
    assert "officer-a" in vigie(here, "people", "list", "--group", "night-shift", "--running").out
    who = vigie(here, "who", "duty-officers").err
    assert who.startswith("changed while running, and not in config/ yet: night-shift, stib, sitcen-on-call")

    assert vigie(here, "group", "set", "night-shift", *BY).code == 2
    assert vigie(here, "organisation", "set", "stib", "colour=red", *BY).code == 2
    wrong = vigie(here, "group", "set", "night-shift", "officer-q", *BY)
    assert (wrong.code, wrong.err.startswith('night-shift: "officer-q" is nobody')) == (1, True), wrong.err
    assert vigie(here, "group", "remove", "night-shift", *BY).code == 0
    assert vigie(here, "group", "remove", "night-shift", *BY).code == 1
    assert vigie(here, "organisation", "revert", "stib", *BY).code == 0
    assert vigie(here, "roster", "revert", "sitcen-on-call", *BY).code == 0
    assert vigie(here, "roster", "revert", "sitcen-on-call", *BY).code == 1
    assert vigie(here, "people", "diff").err == "config/ says all that is in force\n"


def test_a_change_is_kept_over_a_restart_until_the_files_say_the_same(tmp_path: Path) -> None:
    with room(tmp_path, between_s=30, answer_s=60) as here:
        here.start()
        put(here, "groups/directors", group=["director-b"])
        put(here, "rosters/sitcen-on-call", roster={"always": ["officer-b"]})
        here.kill()
        here.start()
        assert shown(here, "groups/directors")["people"] == ["director-b"]
        assert shown(here, "rosters/sitcen-on-call")["roster"] == {"always": ["officer-b"]}
        here.stop()  # in order: a snapshot is made
        people = here.folder.config / "people.yaml"
        change(people, lambda held: held["groups"].update(directors=["director-a"]))
        change(
            here.folder.config / "rosters.yaml", lambda held: held.update({"sitcen-on-call": {"always": "officer-b"}})
        )
        here.start()
        here.until(lambda: len(here.status()["changes"]) == 1, "a change that the files do not say")
        assert shown(here, "groups/directors")["people"] == ["director-b"], "the newer act wins"
        assert shown(here, "groups/directors")["change"]["overtaken"] is True
        assert shown(here, "rosters/sitcen-on-call")["change"] is None
