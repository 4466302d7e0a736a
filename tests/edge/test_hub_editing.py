"""People and rosters changed through the API and the commands of a running hub: what is in force, what is refused, what
is kept over a restart, and what is left of somebody who is erased."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model import events as e
from hub.model import records as r
from tests.edge.running import OFFICER_B, Room, Said, change, room

WHO = {"by": "officer-z", "why": "a test"}
BY = ("--by", "officer-z", "--why", "a test")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("editing"), between_s=30, answer_s=60) as made:
        made.start()
        yield made


def vigie(here: Room, *words: str) -> Said:
    return here.command(*words)


def person(here: Room, id_: str) -> Any:
    got = here.api("GET", f"/api/people/{id_}")
    assert got.status == 200, got.body
    return got.json()


def version_of(here: Room, roster: str = "sitcen-on-call") -> str:
    return str(here.api("GET", f"/api/rosters/{roster}").json()["version"])


def on_duty(here: Room, query: str, roster: str = "sitcen-on-call") -> list[list[str]]:
    return [span["people"] for span in here.api("GET", f"/api/rosters/{roster}?{query}").json()["spans"]]


def revert(here: Room, *people: str) -> None:
    for one in people:
        assert here.api("POST", f"/api/people/{one}/revert", WHO).status == 200


# --- people --------------------------------------------------------------------------------------------------


def test_somebody_is_changed_over_the_version_that_was_looked_at(here: Room) -> None:
    before = person(here, "officer-b")
    assert (before["in_files"], before["change"]) == (True, None)
    form = before["person"] | {"reach": {"sms": ["0450/00.00.92", {"address": "+32450000093", "live only": True}]}}
    answer = here.api("PUT", "/api/people/officer-b", WHO | {"over": before["version"], "person": form})
    assert answer.status == 200, answer.body
    changed = answer.json()
    assert changed["said"] == "officer-b is changed; config/ does not say so yet"
    assert answer.headers["Etag"] == f'"{changed["version"]}"'
    after = person(here, "officer-b")
    assert after["version"] == changed["id"]
    assert after["person"]["reach"]["sms"] == [
        "+32 450 00 00 92",
        {"address": "+32 450 00 00 93", "live only": "yes"},
    ]
    assert (after["change"]["by"], after["change"]["why"]) == ("officer-z", "a test")
    assert [c["person"] for c in here.status()["changes"]] == ["officer-b"]
    assert "0450" not in str(here.facts("person-changed")), "numbers lie in the vault"

    late = here.api("PUT", "/api/people/officer-b", WHO | {"over": before["version"], "person": form})
    assert late.status == 409
    assert re.fullmatch(
        r"officer-b was changed meanwhile by officer-z at .*Z \(a test\): reach: look again, and make your change over "
        rf"version {changed['id']}",
        late.json()["detail"],
    )
    again = here.api("PUT", "/api/people/officer-b", WHO | {"over": changed["id"], "person": form})
    assert (again.status, again.json()["said"]) == (200, "officer-b is so already")
    # Back to what the files say is no change any more.
    back = here.api("PUT", "/api/people/officer-b", WHO | {"over": changed["id"], "person": before["person"]})
    assert back.json()["said"] == "officer-b is as the files say again"
    assert person(here, "officer-b")["version"] == before["version"]
    assert here.status()["changes"] == []


def test_the_version_may_stand_in_the_header(here: Room) -> None:
    before = person(here, "officer-c")
    headers = {"Authorization": f"Bearer {here.folder.secrets.api}", "If-Match": '"0000"'}
    body = b'{"by": "officer-z", "why": "a test"}'
    assert here.request("DELETE", "/api/people/officer-c", body, headers).status == 409
    headers["If-Match"] = f'"{before["version"]}"'
    gone = here.request("DELETE", "/api/people/officer-c", body, headers)
    assert gone.status == 200, gone.body
    assert person(here, "officer-c")["person"] is None
    assert "officer-c" not in [one["id"] for one in here.api("GET", "/api/people").json()]
    revert(here, "officer-c")
    assert here.api("POST", "/api/people/officer-c/revert", WHO).status == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "A", "reach": {"sms": "123"}}, "reach.sms: officer-y: this number has too few digits: write"),
        ({"name": "A", "reach": {"fax": "1"}}, 'reach.fax: "fax" is no channel: it can be: sms, voice, email'),
        ({"name": "A", "reach": {"email": "a b"}}, "reach.email: officer-y: this is no mail address: write it as"),
        ({"nam": "A"}, 'nam: "nam" is no key of "officer-y": it can be: name, language,'),
        ({"name": " "}, "name: the name is empty: write it as colleagues know it"),
        ({"name": "A\u0000"}, "name: the name has a character in it that no name may hold"),
        ({"name": "A", "language": "it"}, 'language: language: "it" is not known here: it can be: fr, nl, de, en'),
    ],
)  # fmt: skip
def test_who_cannot_be_reached_as_written_is_refused_with_field_and_remedy(here: Room, form: Any, said: str) -> None:
    answer = here.api("PUT", "/api/people/officer-y", WHO | {"over": "", "person": form})
    assert answer.status == 422
    assert answer.json()["detail"].startswith(said), answer.json()
    assert here.api("GET", "/api/people/officer-y").status == 404


def test_what_is_sent_wrong_is_said(here: Room) -> None:
    form = person(here, "officer-a")["person"]
    for path, body, status, said in (
        (
            "officer-a",
            WHO | {"person": form},
            422,
            "over: name the version that you looked at (GET /api/people/officer-a",
        ),
        ("officer-a", WHO | {"person": form, "over": ""}, 409, "officer-a was changed meanwhile to the files' entry"),
        ("officer-q", WHO | {"person": form, "over": "abc"}, 409, 'over: "officer-q" is nobody (any more)'),
        ("Officer-A", WHO | {"person": form, "over": ""}, 422, 'Officer-A: people: "Officer-A" is no name for this'),
        ("officer-a", {"by": " ", "why": "x", "person": form, "over": ""}, 422, "by: is empty"),
        ("officer-a", {"person": []}, 422, "Expected `object`, got `array`"),
    ):
        answer = here.api("PUT", f"/api/people/{path}", body)
        assert answer.status == status, answer.body
        assert answer.json()["detail"].startswith(said), answer.json()
    nobody = here.api("DELETE", "/api/people/officer-q", WHO | {"over": ""})
    assert nobody.status == 404
    assert nobody.json()["detail"].startswith('person: "officer-q" is nobody: did you mean "officer-')


def test_who_is_missed_is_warned_of_and_not_refused(here: Room) -> None:
    gone = here.api("DELETE", "/api/people/officer-a", WHO | {"over": person(here, "officer-a")["version"]}).json()
    gap, *tiers = gone["warnings"]
    assert re.fullmatch(r"nobody is on duty in sitcen-on-call from \d{4}-\d\d-\d\d \d\d:\d\d on", gap)
    assert "tier 1 of chain duty-officers asks nobody" in tiers
    assert here.api("GET", "/api/who/duty-officers").json()[0]["person"] == "officer-b"
    revert(here, "officer-a")
    assert here.api("GET", "/api/who/duty-officers").json()[0]["person"] == "officer-a"
    numbers = {"name": "B", "reach": {"sms": "+32 450 00 00 01"}}
    shared = here.api("PUT", "/api/people/officer-y", WHO | {"over": "", "person": numbers}).json()
    (told,) = shared["warnings"]
    assert told.startswith("reach: officer-y and officer-a share an address: nobody can tell whose answer comes from")
    version = person(here, "officer-y")["version"]
    assert here.api("DELETE", "/api/people/officer-y", WHO | {"over": version}).status == 200
    assert here.api("GET", "/api/people/officer-y").status == 404
    assert here.status()["changes"] == [], "who was never in the files leaves nothing behind"


def test_somebody_who_is_being_asked_is_let_go_and_the_next_is_asked(here: Room) -> None:
    here.alert("THUNDER-9")
    asked = here.until(lambda: here.events(e.Asked), "an ask")[-1]
    assert asked.person == "officer-a"
    gone = here.api("DELETE", "/api/people/officer-a", WHO | {"over": person(here, "officer-a")["version"]}).json()
    assert gone["said"].startswith(
        "officer-a is in the directory no more; 1 that asked them goes on to whoever is next"
    )
    here.until(lambda: [x for x in here.events(e.AskClosed) if x.ask == asked.ask], "a closed ask")
    here.until(lambda: here.messages() and here.sms_to(OFFICER_B), "the next officer's SMS")
    revert(here, "officer-a")
    here.cancel("THUNDER-10", of="THUNDER-9")
    here.ended("thunderstorm")


# --- rosters -------------------------------------------------------------------------------------------------

NIGHT = {"from": "2030-03-30T20:00:00+01:00", "until": "2030-03-31T08:00:00+02:00"}
QUERY = "from=2030-03-30T20:00:00%2B01:00&until=2030-03-31T08:00:00%2B02:00"


def test_tonights_officer_is_replaced_and_the_change_lifted(here: Room) -> None:
    version = version_of(here)
    wanted = WHO | NIGHT | {"people": ["officer-b"], "over": version}
    done = here.api("POST", "/api/rosters/sitcen-on-call/overrides", wanted)
    assert done.status == 200, done.body
    assert done.json()["said"].startswith(
        "officer-b is on duty in sitcen-on-call from 2030-03-30 20:00 to 2030-03-31 08:00"
    )
    assert on_duty(here, QUERY) == [["officer-b"]]
    shown = here.api("GET", f"/api/rosters/sitcen-on-call?{QUERY}").json()
    assert [c["overrides"][0]["people"] for c in shown["changes"]] == [["officer-b"]]
    late = here.api("POST", "/api/rosters/sitcen-on-call/overrides", wanted)
    assert late.status == 409
    assert "changed meanwhile, last by officer-z" in late.json()["detail"]
    change_id = done.json()["id"]
    assert here.api("DELETE", f"/api/rosters/sitcen-backup/overrides/{change_id}", WHO).status == 404
    assert here.api("DELETE", f"/api/rosters/sitcen-on-call/overrides/{change_id}", WHO).status == 200
    assert on_duty(here, QUERY) == [["officer-a"]]
    assert version_of(here) == version


@pytest.mark.parametrize(
    ("path", "wrong", "said"),
    [
        ("sitcen-on-call/overrides", {"people": []}, "people: nobody is named: say who is on duty then"),
        ("sitcen-on-call/overrides", {"people": ["officer-q"]}, 'people: "officer-q" is nobody: did you mean'),
        ("sitcen-on-call/overrides", {"until": NIGHT["from"]}, "until: it ends before it begins"),
        (
            "sitcen-on-call/overrides",
            {"from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"},
            "until: 2020-01-02 01:00 is over already",
        ),
        ("sitcen-on-call/overrides", {"from": "2030-03-30T20:00:00"}, "Expected `datetime` with a timezone component"),
        ("sitcen-on-call/overrides", {"over": None}, "over: name the version that you looked at: GET /api/rosters/"),
    ],
)
def test_an_override_that_cannot_be_is_refused(here: Room, path: str, wrong: Any, said: str) -> None:
    right = WHO | NIGHT | {"people": ["officer-b"], "over": version_of(here)}
    answer = here.api("POST", f"/api/rosters/{path}", right | wrong)
    assert answer.status == 422
    assert answer.json()["detail"].startswith(said), answer.json()


def test_a_swap_is_between_two_who_have_shifts(here: Room) -> None:
    at = "2030-06-01T12:00:00Z"
    for swap, said in (
        ({"officer-a": at}, "swap: it is between two people, here are 1"),
        (
            {"officer-a": at, "officer-b": at},
            "swap.officer-b: officer-b is not on duty then: officer-a is: name a moment",
        ),
        ({"officer-a": at, "officer-q": at}, 'swap: "officer-q" is nobody'),
    ):
        answer = here.api("POST", "/api/rosters/sitcen-on-call/swaps", WHO | {"over": version_of(here), "swap": swap})
        assert answer.status == 422
        assert answer.json()["detail"].startswith(said), answer.json()
    assert here.api("GET", "/api/rosters/nonsense").status == 404
    assert here.api("GET", "/api/rosters/sitcen-on-call?from=noon").status == 422
    assert here.api("GET", "/api/rosters/sitcen-on-call?until=2020-01-01T00:00:00Z").status == 422


# --- commands ------------------------------------------------------------------------------------------------


def test_the_commands_change_and_the_files_are_told(here: Room, tmp_path: Path) -> None:
    new = vigie(here, "people", "set", "officer-b", "sms=+32 450 00 00 92, 0450000093 (live only)", "speaks=fr,de", *BY)
    assert (new.code, new.err) == (0, ""), new.err
    assert re.fullmatch(r"officer-b is changed; config/ does not say so yet \(record \w{26}\)\n", new.out)
    shown = vigie(here, "people", "show", "officer-b", "--running").out
    assert "+32 450 00 00 93, never in exercises" in shown
    assert "+32 450 00 00 92" not in vigie(here, "people", "show", "officer-b").out
    assert "450000092" in vigie(here, "people", "export", "--running").out.replace(" ", "")

    gone = vigie(here, "people", "remove", "cell-d5", *BY)
    assert gone.code == 0, gone.err
    tonight = vigie(here, "roster", "replace", "sitcen-on-call", "--with", "officer-c", "--until", "8 h", *BY)
    assert (tonight.code, tonight.out.startswith("officer-c is on duty in sitcen-on-call from 20")) == (0, True)
    assert re.match(r"warning: officer-c is on duty in (sitcen-\S+) and (sitcen-\S+) from ", tonight.err), tonight.err

    diff = vigie(here, "people", "diff")
    assert diff.code == 0
    for words in (
        "# officer-b: changed by officer-z at ",
        "put this in place of the entry in config/people.yaml",
        "# cell-d5: taken out by officer-z",
        "delete the entry in config/people.yaml",
        "# sitcen-on-call: changed by officer-z",
        "      - address: +32 450 00 00 93\n          live only: yes",
        "people: [officer-c]",
    ):
        assert words in diff.out, diff.out
    checked = vigie(here, "check")
    assert checked.code == 0
    assert "officer-b was changed while running by officer-z" in checked.err
    assert "cell-d5 was taken out while running" in checked.err
    assert "sitcen-on-call was changed while running" in checked.err
    who = vigie(here, "who", "duty-officers")
    assert "officer-c (Carla Erfunden, de)" in who.out.partition("tier 2")[0]
    assert who.err.startswith("changed while running, and not in config/ yet: officer-b, cell-d5, sitcen-on-call")
    assert "officer-c" in vigie(here, "roster", "show", "sitcen-on-call").out

    wrong = vigie(here, "people", "set", "officer-b", "sms=12", *BY)
    assert (wrong.code, wrong.err) == (
        1,
        "reach.sms: officer-b: this number has too few digits: write it as +32 450 00 00 01\n",
    )
    assert vigie(here, "people", "set", "officer-b", "fax=12", *BY).code == 2
    assert vigie(here, "people", "set", "officer-b", *BY).code == 2
    entry = tmp_path / "entry.yaml"
    entry.write_text("people:\n  officer-y:\n    name: Yves Inexistant\n    reach:\n      sms: +32 450 00 00 94\n")
    assert vigie(here, "people", "set", "officer-y", "--file", str(entry), *BY).code == 0
    assert person(here, "officer-y")["in_files"] is False
    assert vigie(here, "people", "set", "officer-x", "--file", str(entry), *BY).code == 2
    assert "add this to config/people.yaml" in vigie(here, "people", "diff").out
    (change_id,) = [c["id"] for c in here.status()["changes"] if "roster" in c]
    assert vigie(here, "roster", "lift", "nonsense", *BY).code == 1
    assert vigie(here, "roster", "lift", change_id, *BY).code == 0
    assert vigie(here, "people", "revert", "officer-b", *BY).code == 0
    assert vigie(here, "people", "revert", "cell-d5", *BY).code == 0
    assert vigie(here, "people", "revert", "cell-d5", *BY).code == 1
    assert vigie(here, "people", "remove", "officer-y", *BY).code == 0
    assert vigie(here, "people", "diff").err == "config/ says all that is in force\n"


# --- restarts, and what the files say later ------------------------------------------------------------------


def test_a_change_is_kept_over_a_restart_until_the_files_say_the_same(tmp_path: Path) -> None:
    with room(tmp_path, between_s=30, answer_s=60) as here:
        here.start()
        form = person(here, "officer-b")["person"] | {"reach": {"sms": "+32 450 00 00 92"}}
        version = person(here, "officer-b")["version"]
        assert here.api("PUT", "/api/people/officer-b", WHO | {"over": version, "person": form}).status == 200
        wanted = WHO | NIGHT | {"people": ["officer-b"], "over": version_of(here)}
        assert here.api("POST", "/api/rosters/sitcen-on-call/overrides", wanted).status == 200
        here.kill()
        here.start()
        assert person(here, "officer-b")["person"]["reach"] == {"sms": "+32 450 00 00 92"}
        assert on_duty(here, QUERY) == [["officer-b"]]
        here.stop()  # in order: a snapshot is made

        people = here.folder.config / "people.yaml"
        change(people, lambda held: held["people"]["officer-b"].update(name="Bram V."))
        here.start()
        assert person(here, "officer-b")["person"]["name"] == "Bram Verzonnen", "the newer act wins"
        assert person(here, "officer-b")["change"]["overtaken"] is True
        here.stop()

        change(people, lambda held: held["people"].update({"officer-b": form}))
        override = {"people": "officer-b", "from": "2030-03-30 20:00", "until": "2030-03-31 08:00:00+02:00"}
        change(here.folder.config / "rosters.yaml", lambda held: held["sitcen-on-call"].update(overrides=[override]))
        here.start()
        here.until(lambda: len(here.facts("change-reverted")) == 2, "two changes that the files say")
        here.until(lambda: here.status()["changes"] == [], "nothing that the files do not say")
        assert {x.by for x in here.facts("change-reverted")} == {"hub"}
        assert on_duty(here, QUERY) == [["officer-b"]]


# --- erasing -------------------------------------------------------------------------------------------------


def test_nothing_is_left_of_somebody_who_is_erased(tmp_path: Path) -> None:
    secret_name, number = "Zacharias Onbestaande", "0450 00 00 99"
    entry = {"name": secret_name, "language": "nl", "reach": {"sms": number, "call": number}}
    with room(tmp_path, between_s=1, answer_s=60) as here:
        change(here.folder.config / "people.yaml", lambda held: held["people"].update({"officer-z": entry}))
        change(here.folder.config / "rosters.yaml", lambda held: held["sitcen-on-call"].update(always="officer-z"))
        here.start()
        here.script("+32450000099", reply_to="antwoord ([A-Z]+)", reply=r"\1 ja 37 min")
        here.alert("THUNDER-1")
        here.until(lambda: [x for x in here.events(e.AskClosed) if x.outcome == "accepted"], "an officer who accepts")
        here.cancel("THUNDER-2", of="THUNDER-1")
        here.ended("thunderstorm")
        form = entry | {"reach": {"sms": "+32 450 00 00 98"}}
        version = person(here, "officer-z")["version"]
        assert here.api("PUT", "/api/people/officer-z", WHO | {"over": version, "person": form}).status == 200
        refused = here.api("POST", "/api/people/officer-z/erase", WHO)
        assert refused.status == 422
        assert "take the entry out of config/people.yaml" in refused.json()["detail"]
        here.settled()
        here.stop()
        assert _bytes_with(here, secret_name, "50000099", "ja 37 min"), "what is to be erased was there"

        change(here.folder.config / "people.yaml", lambda held: held["people"].pop("officer-z"))
        change(here.folder.config / "rosters.yaml", lambda held: held["sitcen-on-call"].update(always="officer-a"))
        here.start()
        here.until(lambda: "hub.duty-now" in {x.message for x in here.events(e.Ordered)}, "a successor who is told")
        here.settled()
        still = vigie(here, "people", "erase", "officer-z", *BY)
        assert (still.code, "vigie people remove officer-z" in still.err) == (1, True)
        assert vigie(here, "people", "remove", "officer-z", *BY).code == 0
        erased = vigie(here, "people", "erase", "officer-z", *BY)
        assert (erased.code, erased.err) == (0, "")
        assert erased.out.startswith("what the vault held about officer-z is gone (record ")
        assert "left: the id officer-z: records say what was asked of it" in erased.out
        assert "left: copies of the journal" in erased.out
        (fact,) = here.facts("person-erased")
        assert fact.entries >= 4, "two changes, an answer, texts that went to them alone"
        rewritten = [x for x in here.records("rewritten") if isinstance(x, r.Fact)]
        assert fact.texts == len(rewritten) == 2, "a text of the directory, and what the successor was told"
        again = vigie(here, "people", "erase", "officer-z", *BY)
        assert again.code == 0, "asking again does no harm"
        mistyped = vigie(here, "people", "erase", "officer-zz", *BY)
        assert (mistyped.code, mistyped.err.startswith('the journal holds nothing about "officer-zz"')) == (1, True)
        verified = vigie(here, "journal", "verify")
        assert (verified.code, verified.err) == (0, ""), verified
        assert not _bytes_with(here, secret_name, "50000099", "50000098", "ja 37 min"), "while it runs"
        here.stop()
        assert not _bytes_with(here, secret_name, "Zacharias", "50000099", "50 00 00 99", "50000098", "ja 37 min")
        here.start()
        assert here.api("GET", "/api/people/officer-z").status == 404


def _bytes_with(here: Room, *words: str) -> list[tuple[str, str]]:
    """Files of the journal (its log and snapshots too) and the words that stand in them."""
    files = [path for path in here.folder.data.iterdir() if "journal" in path.name]
    assert files
    return [(path.name, word) for path in files for word in words if word.encode() in path.read_bytes()]
