"""Broadcasts on the whole hub: drafted, released by a second person, held, stopped and corrected, with SMS that arrive
on phones, and the account of who was reached."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hub.model import events as e
from tests.edge.running import OFFICER_A, OFFICER_C, ROOT, Room, Said, change, room

CROWD = 400
SAY = {
    "fr": "Fumée toxique. Fermez portes et fenêtres.",
    "nl": "Giftige rook. Sluit deuren en ramen.",
    "de": "Giftiger Rauch. Türen und Fenster schließen.",
    "en": {"text": "Toxic smoke. Close doors and windows.", "subject": "Toxic smoke", "voice": "Toxic smoke. Stay in."},
}
SMOKE: dict[str, Any] = {"class": "public", "by": ["sms"], "registered": {"areas": ["ixelles"]}, "say": SAY}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        rows = [f"c-{n:03};{('fr', 'nl')[n % 2]};Uccle;Rue;1;;;+32450{100_000 + n};;" for n in range(CROWD)]
        head = "id;language;commune;street;number;latitude;longitude;sms;call;email"
        (made.folder.config / "registered" / "crowd.csv").write_text("\n".join([head, *rows]))
        change(made.folder.config / "hub.yaml", lambda hub: hub.update({"broadcasts": {"prices": {"sms": "0.07"}}}))
        made.start()
        yield made


def vigie(here: Room, *words: str) -> Said:
    return here.command(*words)


def file(here: Room, **fields: Any) -> str:
    path = here.folder.config.parent / "say.yaml"
    with path.open("w") as out:
        YAML().dump(SMOKE | fields, out)
    return str(path)


def draft(here: Room, *, by: str = "officer-a", **fields: Any) -> str:
    said = vigie(here, "broadcast", "draft", file(here, **fields), "--by", by, "--why", "fire in a depot", "--json")
    assert (said.code, said.err) == (0, "")
    return str(said.json_lines()[0]["id"])


def follow(here: Room, followed: str, kind: str, say: dict[str, str]) -> dict[str, Any]:
    """Drafts what follows a broadcast."""
    path = here.folder.config.parent / "follow.yaml"
    path.write_text(json.dumps({"class": "public", "kind": kind, "follows": followed, "say": say}))
    said = vigie(here, "broadcast", "draft", str(path), "--by", "officer-b", "--why", "looked again", "--json")
    assert (said.code, said.err) == (0, "")
    return dict(said.json_lines()[0])


def state_of(here: Room, broadcast: str) -> dict[str, Any]:
    (found,) = [b for b in here.status()["broadcasts"] if b["id"] == broadcast]
    return dict(found)


def done(here: Room, broadcast: str) -> dict[str, Any]:
    return here.until(lambda: (s := state_of(here, broadcast))["outcome"] and s, "a broadcast that is over")


def test_a_broadcast_with_four_eyes_its_all_clear_and_its_account(here: Room) -> None:
    shown = vigie(here, "broadcast", "preview", file(here), "--by", "officer-a", "--why", "fire")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("4 people, in about 0 s, about 0.28 EUR\n")
    assert "  nl, 1 people, 1 SMS each (GSM-7):\n    Giftige rook. Sluit deuren en ramen.\n" in shown.out
    assert "mind: sms, fr: a character that old phones lack makes it 1 SMS" in shown.out
    assert here.messages() == []
    assert here.facts("broadcast") == []

    alert = draft(here)
    assert here.messages() == []
    refused = vigie(here, "broadcast", "release", alert, "--by", "officer-a")
    assert (refused.code, refused.err) == (
        1,
        "by: officer-a stands behind it already: somebody else has to release it, too\n",
    )
    said = vigie(here, "broadcast", "release", alert, "--by", "officer-b")
    assert said.out.startswith("it goes out to 4 people (record ")
    assert done(here, alert)["outcome"] == "done"
    texts = {m.to: m.body for m in here.messages()}
    assert texts["+32450001001"] == SAY["fr"]
    assert texts["+32450001002"] == SAY["nl"]
    assert texts["+32450001003"] == "Toxic smoke. Close doors and windows."
    assert texts["+32450001004"] == SAY["de"]
    assert vigie(here, "broadcast", "release", alert, "--by", "officer-c").err.startswith("it is released already")

    path = here.folder.config.parent / "lesser.yaml"
    path.write_text(json.dumps({"class": "partners", "kind": "all-clear", "follows": alert, "say": SAY}))
    lesser = vigie(here, "broadcast", "draft", str(path), "--by", "officer-a", "--why", "alone")
    assert (lesser.code, lesser.err) == (1, "group: what follows a broadcast is of its class: public\n")
    drafted = follow(here, alert, "all-clear", {"fr": "Fin.", "nl": "Einde.", "de": "Ende.", "en": "All clear."})
    clear = drafted["id"]
    assert drafted["preview"]["people"] == 4
    assert vigie(here, "broadcast", "release", clear, "--by", "officer-a").code == 0
    done(here, clear)
    assert here.sms_to("+32450001003") == ["Toxic smoke. Close doors and windows.", "All clear."]
    assert len(here.messages()) == 8

    account = vigie(here, "broadcast", "report", alert)
    assert (account.code, account.err) == (0, "")
    assert "drafted by officer-a (alert, public)" in account.out
    assert "released by officer-b" in account.out
    assert "4 people reached, 4 deliveries" in account.out
    lines = vigie(here, "broadcast", "report", alert, "--json").json_lines()
    assert [line["person"] for line in lines] == ["r-0001", "r-0002", "r-0003", "r-0004"]
    order = here.events(e.Ordered)[0].order
    assert "officer-b released it at" in vigie(here, "why", order).out
    assert "Fumée" not in json.dumps([str(x) for x in here.records()]), "words lie in the vault"


def test_held_across_a_restart_then_stopped_and_corrected(here: Room) -> None:
    change(here.folder.config / "channels.yaml", lambda c: c["sms"]["limits"].update({"per second": 40, "burst": 40}))
    here.stop()
    here.start()
    everybody = {"areas": ["uccle"]}
    wrong = draft(here, registered=everybody)
    assert vigie(here, "broadcast", "release", wrong, "--by", "officer-b").code == 0
    here.until(lambda: len(here.messages()) > 20, "the first of a crowd")
    assert vigie(here, "broadcast", "hold", wrong, "--by", "officer-a", "--why", "is it Uccle?").code == 0
    here.until(lambda: state_of(here, wrong)["held"], "a held broadcast")
    here.kill()
    here.start()
    assert state_of(here, wrong)["held"]
    here.until(lambda: here.health().json()["in_flight"] == 0, "nothing under way")
    stood = len(here.messages())
    assert stood < CROWD
    refused = vigie(here, "broadcast", "hold", wrong, "--by", "officer-a", "--why", "x")
    assert (refused.code, refused.err) == (1, f"hold of {wrong}: it is held already: resume or stop it\n")
    here.alert("FLOOD-1", hazard="flood")  # asks still go out
    here.until(lambda: here.events(e.AskSent), "an ask")

    words = {"fr": "Erreur.", "nl": "Vergissing.", "de": "Irrtum.", "en": "Mistake."}
    drafted = follow(here, wrong, "correction", words)
    assert "what is left of the wrong one is stopped" in drafted["said"]
    here.until(lambda: state_of(here, wrong)["outcome"] == "stopped", "a stopped broadcast")
    assert vigie(here, "broadcast", "release", drafted["id"], "--by", "officer-a").code == 0
    done(here, drafted["id"])
    told = [m.to for m in here.messages() if m.body in (SAY["fr"], SAY["nl"])]
    corrected = [m.to for m in here.messages() if m.body in ("Erreur.", "Vergissing.")]
    assert sorted(set(told)) == sorted(set(corrected)), "exactly those reached"
    assert len(corrected) == len(set(corrected))
    assert len(told) < CROWD


def test_who_has_a_second_number_is_told_there_and_hears_the_all_clear_there_too(tmp_path: Path) -> None:
    with room(tmp_path) as here:
        numbers = {"f-1": "+32450000101|+32450000102", "f-2": "+32450000103", "f-3": "+32450000104|+32450000105"}
        rows = [f"{id_};nl;Forest;Rue;1;;;{number};;" for id_, number in numbers.items()]
        head = "id;language;commune;street;number;latitude;longitude;sms;call;email"
        (here.folder.config / "registered" / "forest.csv").write_text("\n".join([head, *rows]))
        here.script("+32450000101", sms_error=30005)  # undelivered, some time later
        here.script("+32450000104", sms_error=21211)  # refused at once
        here.script("+32450000105", sms_error=21211)
        here.start()
        alert = draft(here, registered={"areas": ["forest"]})
        assert vigie(here, "broadcast", "release", alert, "--by", "officer-b").code == 0
        here.until(lambda: here.sms_to("+32450000102") == [SAY["nl"]], "an SMS to the second number")
        here.until(lambda: sum(state_of(here, alert)["channels"]["sms"].values()) == 3, "three people")

        def settled() -> bool:
            counts = state_of(here, alert)["channels"]["sms"]
            return bool(counts["failed"] == 1 and counts["delivered"] == 2)

        here.until(settled, "two reached, one not")
        assert done(here, alert)["outcome"] == "done"
        lines = {line["person"]: line for line in vigie(here, "broadcast", "report", alert, "--json").json_lines()}
        assert {p: (line["outcome"], line.get("address", 0)) for p, line in lines.items()} == {
            "f-1": ("delivered", 1),
            "f-2": ("delivered", 0),
            "f-3": ("failed", 1),
        }
        assert "21211" in lines["f-3"]["reason"]
        account = vigie(here, "broadcast", "report", alert).out
        assert "2 people reached, 3 deliveries" in account

        clear = follow(here, alert, "all-clear", {"fr": "Fin.", "nl": "Einde.", "de": "Ende.", "en": "All clear."})
        assert vigie(here, "broadcast", "release", clear["id"], "--by", "officer-a").code == 0
        done(here, clear["id"])
        assert sorted(m.to for m in here.messages() if m.body == "Einde.") == ["+32450000102", "+32450000103"]


def test_stop_of_the_public_holds_for_the_next_broadcast(here: Room) -> None:
    here.text("+32450001001", "STOP")
    here.until(lambda: here.events(e.OptedOut), "somebody who wants nothing more")  # the provider tells them so itself
    here.text("+32450001002", "hoe lang nog?")
    told = ["Niemand leest de antwoorden op dit nummer. Bel bij nood 112."]
    here.until(lambda: here.sms_to("+32450001002") == told, "an answer")
    alert = draft(here)
    assert vigie(here, "broadcast", "release", alert, "--by", "officer-b").out.startswith("it goes out to 3 people")
    done(here, alert)
    assert here.sms_to("+32450001001") == []
    assert not here.status()["alarms"]
    here.text("+32450001001", "START")
    here.until(lambda: here.events(e.OptedIn), "somebody who is back")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"class": "nonsense"}, "group: there is no class 'nonsense' of broadcasts: there are: public, partners"),
        ({"class": "partners"}, "registered: the class 'partners' may not go to the public: see config/hub.yaml"),
        ({"by": ["fax"]}, "by_channels: fax: name one or more of sms, voice, email"),
        ({"by": []}, "by_channels: nothing: name one or more of sms, voice, email"),
        ({"to": ["police"]}, 'to: there is no group "police": '),
        ({"to": ["pigeon sitcen"]}, 'to: "pigeon sitcen" names nobody: write a group, '),
        ({"registered": {"areas": ["atlantis"]}}, "registered: areas: there is no 'atlantis'"),
        ({"registered": {}}, "registered: says nothing of where"),
        ({"registered": {"polygon": ["50.8, 4.3", "50.9, 4.3"]}}, "registered: polygon: a polygon has three corners"),
        ({"registered": {"areas": ["forest"]}}, "to: nobody would be told"),
        ({"follows": "X"}, "follows: an alert follows nothing"),
        ({"kind": "correction", "follows": "X"}, "follows: there is no broadcast 'X'"),
        ({"say": SAY | {"fr": " "}}, "texts: fr: there are no words"),
        ({"say": SAY | {"fr": "Attention {name}"}}, "texts: fr: has a brace in it"),
        ({"say": SAY | {"fr": "ê" * 300}}, "texts: fr: takes 5 SMS (UCS-2), sms carries 4: shorten it"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(fields: dict[str, Any], said: str, gallery: Room) -> None:
    refused = vigie(gallery, "broadcast", "draft", file(gallery, **fields), "--by", "officer-a", "--why", "x")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(said), refused.err


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("gallery")) as made:
        made.start()
        yield made


def test_who_is_nobody_releases_nothing_and_a_file_that_is_none_is_told(gallery: Room) -> None:
    refused = vigie(gallery, "broadcast", "draft", file(gallery), "--by", "me", "--why", "x")
    assert (refused.code, refused.err[:20]) == (1, "by: 'me' is nobody: ")
    assert vigie(gallery, "broadcast", "release", "X", "--by", "officer-a").code == 1
    assert vigie(gallery, "broadcast", "stop", "X", "--by", "officer-a", "--why", "x").code == 1
    assert vigie(gallery, "broadcast", "preview", "/no/such/file", "--by", "officer-a", "--why", "x").code == 2
    wrong = vigie(gallery, "broadcast", "draft", file(gallery, klass="x"), "--by", "officer-a", "--why", "x")
    assert wrong.code == 1
    assert re.search(r"say\.yaml:\d+:\d+: .*klass", wrong.err)
    assert vigie(gallery, "broadcast", "report", "X").code == 2
    assert not gallery.facts("broadcast")


SHEET = """
playbook: toxic-smoke
title:
  fr: Fumée toxique
  nl: Giftige rook
  de: Giftiger Rauch
  en: Toxic smoke
owner: sitcen
review by: 2099-06-30
mode: live
when:
  hazard: chemical
steps:
  wake:
    call: duty-officers
    say: smoke-ask
  public:
    after: wake is accepted
    draft broadcast: public
    registered:
      areas: [ixelles]
    by: [sms]
    say: smoke-public
    all clear: smoke-public-over
  told:
    after: public is sent
    notify: person officer-c
    by: sms
    say: smoke-told
"""


def _sheet_of_the_public(here: Room) -> None:
    """One sheet more, and its messages beside the others."""
    folder = here.folder.config.parent / "playbooks"
    shutil.copytree(ROOT / "playbooks", folder)
    (folder / "toxic-smoke.yaml").write_text(SHEET)
    change(here.folder.config / "hub.yaml", lambda hub: hub.update({"playbooks": str(folder)}))
    said = {
        "smoke-ask": "{headline}?",
        "smoke-public": "{headline}. 18:00",
        "smoke-public-over": "{headline}: 0",
        "smoke-told": "{sheet}",
    }
    words = {message: dict.fromkeys(("fr", "nl", "de", "en"), text) for message, text in said.items()}
    (here.folder.config / "messages").mkdir(exist_ok=True)
    with (here.folder.config / "messages" / "smoke.yaml").open("w") as out:
        YAML().dump(words, out)


def test_a_sheet_drafts_two_people_release_and_its_all_clear_waits_for_them_too(tmp_path: Path) -> None:
    with room(tmp_path, answer_s=60) as here:
        _sheet_of_the_public(here)
        here.start()
        headlines = {"fr": "Fumée {rouge}", "nl": "Rode rook", "de": "Roter Rauch", "en": "Red smoke"}
        here.alert("SMOKE-1", hazard="chemical", headline=headlines)
        here.until(lambda: here.sms_to(OFFICER_A), "an ask")
        here.text(OFFICER_A, "oui")
        waiting = "Fumée toxique: une diffusion attend votre feu vert. Accords requis: 2. Voyez avec le SITCEN."
        here.until(lambda: waiting in here.sms_to(OFFICER_A), "word of a draft")
        (draft,) = here.status()["broadcasts"]
        assert (draft["by"], draft["needs"], draft["outcome"]) == ("sheet toxic-smoke", 2, "")
        (alarm,) = here.status()["alarms"]
        assert alarm["detail"] == "drafted by the sheet toxic-smoke (alert): 2 people have to release it"

        here.kill()
        here.start()
        shown = vigie(here, "broadcast", "show", draft["id"])
        assert (shown.code, shown.err) == (0, "")
        assert shown.out.startswith("4 people, in about 0 s")
        assert "    Fumée (rouge). 18:00\n" in shown.out
        public = {"+32450001001": "Fumée (rouge)", "+32450001002": "Rode rook", "+32450001003": "Red smoke"}
        public["+32450001004"] = "Roter Rauch"
        assert [here.sms_to(number) for number in public] == [[], [], [], []]
        assert vigie(here, "broadcast", "release", draft["id"], "--by", "officer-a").out.startswith("1 more must")
        assert vigie(here, "broadcast", "release", draft["id"], "--by", "officer-a").code == 1
        assert [here.sms_to(number) for number in public] == [[], [], [], []]
        assert vigie(here, "broadcast", "release", draft["id"], "--by", "officer-b").code == 0
        done(here, draft["id"])
        for number, headline in public.items():
            assert here.sms_to(number) == [f"{headline}. 18:00"]
        here.until(lambda: "Giftiger Rauch" in here.sms_to(OFFICER_C), "the step after it was sent")

        here.cancel("SMOKE-2", of="SMOKE-1", hazard="chemical")
        here.until(lambda: len(here.status()["broadcasts"]) == 2, "an all-clear that waits")
        clear = here.status()["broadcasts"][1]
        assert (clear["kind"], clear["follows"], clear["needs"]) == ("all-clear", draft["id"], 2)
        for officer in ("officer-b", "officer-c"):
            assert [len(here.sms_to(number)) for number in public] == [1, 1, 1, 1]
            assert vigie(here, "broadcast", "release", clear["id"], "--by", officer).code == 0
        done(here, clear["id"])
        assert here.sms_to("+32450001002") == ["Rode rook. 18:00", "Rode rook: 0"]
        account = vigie(here, "broadcast", "report", draft["id"])
        assert "drafted by the sheet toxic-smoke (step public) (alert, public)" in account.out
        order = next(o for o in here.events(e.Ordered) if o.broadcast)
        why = vigie(here, "why", order.order).out
        assert "the sheet toxic-smoke (step public) drafted the broadcast" in why
        assert "officer-a released it at" in why
        assert "of toxic-smoke" in why
        assert "SMOKE-1" in why


def test_an_exercise_is_previewed_as_it_will_read(gallery: Room) -> None:
    path = gallery.folder.config.parent / "drill.yaml"
    say = dict.fromkeys(("fr", "nl", "de", "en"), "x" * 140)
    drill = {"class": "partners", "to": ["police-zones"], "by": ["sms"], "status": "Exercise", "say": say}
    path.write_text(json.dumps(drill))
    said = vigie(gallery, "broadcast", "preview", str(path), "--by", "officer-a", "--why", "drill", "--json")
    (reach,) = said.json_lines()[0]["reach"]
    assert reach["people"] == 6
    banners = {"fr": "EXERCICE - ", "nl": "OEFENING - ", "de": "ÜBUNG - ", "en": "EXERCISE - "}
    for language, wording in reach["wordings"].items():
        assert wording["text"] == banners[language] + "x" * 140
        assert wording["parts"] == 1
