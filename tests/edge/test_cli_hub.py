"""The commands beside a running hub: acting through its API, reading its journal, asking why; and `vigie run` where it
cannot run. The README's commands are run as they stand there."""

import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.model import events as e
from hub.model import records as r
from tests.edge.running import OFFICER_A, PARTNERS, ROOT, Room, Said, change, configure_sources, polled, room
from tests.edge.test_cli_init import OFFICERS, WHERE


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A hub with one incident whose chain was accepted, all partners told."""
    with room(tmp_path_factory.mktemp("beside"), between_s=30, answer_s=60) as made:
        made.start()
        made.script(OFFICER_A, reply_to="répondez ([A-Z]+)", reply=r"\1 oui")
        made.alert("THUNDER-1")
        made.until(lambda: [x for x in made.events(e.StepEnded) if x.step == "partners"], "partners who were told")
        made.settled()
        yield made


def vigie(here: Room, *words: str) -> Said:
    """A command in this process, with the environment and the configuration of the room."""
    environment = {key: value for key, value in here.environment().items() if key.startswith("VIGIE_")}
    done = CliRunner().invoke(app, [*words, "--config", str(here.folder.config)], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


# --- acting --------------------------------------------------------------------------------------------------


def test_stop_all_holds_everything_back_until_it_is_lifted(here: Room) -> None:
    said = vigie(here, "stop-all", "--by", "officer-a", "--why", "wrong audience")
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(r"nothing more goes out until lifted \(record \w{26}\)\n", said.out)
    here.until(lambda: here.status()["stopped"] == {"by": "officer-a", "why": "wrong audience"}, "a hub that stands")
    before = len(here.messages())
    here.alert("WIND-1", hazard="wind")
    here.until(lambda: [x for x in here.events(e.Opened) if "wind" in x.key], "an incident")
    here.until(lambda: [x for x in here.events(e.Ordered) if x.ask == here.events(e.Asked)[-1].ask], "an order")
    assert here.health().json()["stopped"] is True
    assert len(here.messages()) == before, "decided, not sent"

    (done,) = vigie(here, "lift", "--by", "officer-b", "--why", "audience is right", "--json").json_lines()
    assert done["said"] == "what waited goes out now"
    here.until(lambda: len(here.messages()) > before, "what waited")
    here.cancel("WIND-2", of="WIND-1", hazard="wind")
    here.ended("wind")
    assert [(x.by, x.why) for x in here.facts("stop-all")] == [("officer-a", "wrong audience")]
    assert [(x.by, x.why) for x in here.facts("lift")] == [("officer-b", "audience is right")]
    shown = vigie(here, "journal", "show", "--kind", "stop-all")
    assert "by=officer-a why=wrong audience" in shown.out


def test_an_officer_holds_a_chain_and_hands_it_over_with_the_reason_kept(here: Room) -> None:
    here.script(OFFICER_A, reply=None)
    here.alert("FLOOD-1", hazard="flood")
    run = here.until(lambda: [x for x in here.events(e.RunBegan) if _open(here, x, "flood")], "a chain")[0].run
    who = ("--by", "officer-z", "--why", "she rang us herself")
    assert vigie(here, "chain", "hold", run, *who).out.startswith("nobody more is asked until it is resumed")
    (held,) = [c for c in here.status()["chains"] if c["id"] == run]
    assert held["held"] is True
    again = vigie(here, "chain", "hold", run, *who)
    assert (again.code, again.err) == (1, f"hold of {run}: it is held already\n")
    nobody = vigie(here, "chain", "hand-over", run, "--to", "officer-q", *who)
    assert (nobody.code, nobody.err) == (1, "to: 'officer-q' is neither a person nor a chain: name who takes over\n")
    assert vigie(here, "chain", "again", run, *who).err.endswith("hold it, cancel it or hand it over\n")
    done = vigie(here, "chain", "hand-over", run, "--to", "director-a", *who)
    assert (done.code, done.err) == (0, "")
    here.until(lambda: [x for x in here.events(e.RunEnded) if x.run == run], "a chain that ends")
    why = vigie(here, "why", run).out
    for words in (
        "held by officer-z (she rang us herself)",
        "director-a takes it, says officer-z (she rang us herself)",
        "ended accepted, with director-a",
    ):
        assert words in why
    here.cancel("FLOOD-2", of="FLOOD-1", hazard="flood")
    here.ended("flood")
    here.script(OFFICER_A, reply_to="répondez ([A-Z]+)", reply=r"\1 oui")


def test_who_is_asked_for_an_instant_and_only_for_one(here: Room) -> None:
    (first, *_) = here.api("GET", "/api/who/duty-officers?at=2026-07-14T02:10:00+02:00").json()
    assert (first["tier"], first["by"]) == (1, ["sms", "voice"])
    for at in ("tonight", "2026-07-14T02:10:00", "-"):
        refused = here.api("GET", f"/api/who/duty-officers?at={at}")
        assert refused.status == 422
        assert "is no instant: write it as 2026-07-14T02:10:00+02:00" in refused.json()["detail"]
    assert here.api("GET", "/api/who/nonsense").status == 404


def test_a_silence_wakes_nobody_until_it_is_lifted(here: Room) -> None:
    who = ("--by", "officer-z", "--why", "siren test")
    for words, said in (
        (("--until", "2 h", "--sheet", "nonsense"), "sheets: there is no nonsense: there are "),
        (("--until", "2 h", "--area", "nonsense"), "areas: there is no nonsense: there are "),
        (("--until", "2020-01-01T00:00:00Z"), "until: 2020-01-01 00:00Z is over before it begins"),
        (("--until", "400 h"), "until: a silence lasts 14 days at most"),
        (("--until", "2 h", "--hazard", "dragon"), "Invalid enum value 'dragon'"),
    ):
        refused = vigie(here, "silence", "set", *words, *who)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith(said), refused.err
    assert vigie(here, "silence", "set", "--until", "noon", *who).code == 2
    (done,) = vigie(here, "silence", "set", "--until", "2 h", "--hazard", "snow-ice", *who, "--json").json_lines()
    here.alert("SNOW-1", hazard="snow-ice", severity="Severe")
    (incident,) = here.until(lambda: [x for x in here.events(e.HeldBack) if x.silence == done["id"]], "an incident")
    (shown,) = here.status()["silences"]
    assert (shown["by"], shown["held_back"], shown["holds"]) == ("officer-z", [incident.incident], True)
    assert vigie(here, "silence", "lift", "nonsense", *who).code == 1
    assert vigie(here, "silence", "lift", done["id"], *who).code == 0
    here.until(lambda: [x for x in here.events(e.RunBegan) if x.incident == incident.incident], "a chain")
    assert here.status()["silences"] == []
    here.cancel("SNOW-2", of="SNOW-1", hazard="snow-ice")
    here.ended("snow-ice")


def test_the_watch_is_handed_over_with_what_is_open_and_promised(here: Room) -> None:
    assert vigie(here, "watch", "show").out.startswith("nobody has taken the watch yet\n")
    nobody = vigie(here, "watch", "take", "officer-q", "--by", "officer-a")
    assert (nobody.code, nobody.err) == (1, "person: 'officer-q' is nobody: see config/people.yaml\n")
    here.script(OFFICER_A, reply_to="répondez ([A-Z]+)", reply=r"\1 20 min")
    here.alert("HEAT-1", hazard="heat")
    here.until(lambda: [x for x in here.events(e.AskClosed) if x.eta_min == 20], "an officer on the way")
    here.script(OFFICER_A, reply_to="répondez ([A-Z]+)", reply=r"\1 oui")
    assert vigie(here, "watch", "take", "officer-b", "--by", "officer-a").out.startswith("officer-b has the watch")
    here.until(lambda: here.status()["watch"], "a watch")
    said = vigie(here, "watch", "show").out
    assert said.startswith("officer-b has the watch since ")
    for words in (
        "heat-wave (heat",
        "officer-a has accepted, there at ",
        "tasks:",
        "discipline D1: checklist, due ",
    ):
        assert words in said, said
    assert "+32" not in said
    (as_json,) = vigie(here, "watch", "show", "--json").json_lines()
    assert as_json["watch"]["person"] == "officer-b"
    here.cancel("HEAT-2", of="HEAT-1", hazard="heat")
    here.ended("heat")


def _open(here: Room, run: e.RunBegan, hazard: str) -> bool:
    return any(x.incident == run.incident and hazard in x.key for x in here.events(e.Opened))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", "no-such-sheet"), "no sheet no-such-sheet is in force: there are "),
        (("start", "provincial-phase", "headline=x"), "provincial-phase asks for area, decided-by, meeting"),
        (("start", "extreme-weather", "headline=x", "area=y", "colour=red"), "extreme-weather does not ask for colour"),
        (("stop-all", "--by", " ", "--why", "x"), "by: is empty: say who acts, and why"),
    ],
)
def test_an_act_the_hub_refuses_exits_1_with_the_remedy(here: Room, words: tuple[str, ...], said: str) -> None:
    done = vigie(here, *words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(said)
    assert len(done.err.splitlines()) == 1


def test_a_wrong_token_is_said(here: Room) -> None:
    environment = {"VIGIE_API_TOKEN": "0" * 40}
    done = CliRunner().invoke(app, ["status", "--config", str(here.folder.config)], env=environment)
    assert done.exit_code == 2
    assert "VIGIE_API_TOKEN" in done.stderr


# --- looking -------------------------------------------------------------------------------------------------


def test_status_is_the_picture_as_json(here: Room) -> None:
    (shown,) = vigie(here, "status").json_lines()
    assert shown["node"] == "sitcen-1"
    assert [s["name"] for s in shown["sources"]] == [PARTNERS]
    assert [i["playbook"] for i in shown["incidents"] if not i["ended"]] == ["extreme-weather"]
    assert "+32" not in str(shown), "no numbers, only ids"


def test_journal_show_filters_and_speaks_json(here: Room) -> None:
    kinds = ("signal", "decision", "attempt", "reply", "receipts", "installed", "started")
    lines = {kind: vigie(here, "journal", "show", "--kind", kind).out.splitlines() for kind in kinds}
    everything = vigie(here, "journal", "show")  # last: the journal grows meanwhile
    assert (everything.code, everything.err) == (0, "")
    for kind in kinds:
        assert lines[kind], kind
        assert set(lines[kind]) <= set(everything.out.splitlines())
    assert vigie(here, "journal", "show", "--json").json_lines()
    assert vigie(here, "journal", "show", "--since", "2099-01-01T00:00:00Z").out == ""
    assert vigie(here, "journal", "show", "--since", "noon").code == 2
    unknown = vigie(here, "journal", "show", "--kind", "nonsense")
    assert unknown.code == 2
    assert "nonsense: there is no such kind of record" in unknown.err


def test_why_answers_in_plain_words_for_every_sort_of_id(here: Room) -> None:
    (opened,) = [x for x in here.events(e.Opened) if "thunderstorm" in x.key]
    run = next(x for x in here.events(e.RunBegan) if x.incident == opened.incident)
    ask = next(x for x in here.events(e.Asked) if run.run in x.runs)
    order = next(x for x in here.events(e.Ordered) if x.ask == ask.ask and x.lane == "ask")
    signal = next(x for x in here.records("signal"))
    reply = next(x for x in here.records("reply"))
    decision = next(x for x in here.records("decision") if isinstance(x, r.Decision) and opened in x.events)
    attempt = next(x for x in here.records("attempt") if isinstance(x, r.Attempt) and x.order == order.order)
    expected = {
        order.order: ("officer-a was sent weather-ask over sms", "step wake of extreme-weather", "THUNDER-1"),
        ask.ask: (f"officer-a was asked (code {ask.code})", "accepted at", "calls duty-officers"),
        run.run: ("chain duty-officers was set in motion", "by step wake because"),
        opened.incident: ("incident", "of extreme-weather (thunderstorm", "signal THUNDER-1 of partners (A2)"),
        signal.id: ("signal THUNDER-1 of partners (A2)", "taken by decision", f"it joined incident {opened.incident}"),
        reply.id: ("taken by decision", f"officer-a's answer to ask {ask.ask}: accept"),
        decision.id: ("decision", "took fact"),
        attempt.id: ("attempt 1 of", "officer-a was sent weather-ask"),
    }  # fmt: skip
    for wanted, words in expected.items():
        said = vigie(here, "why", wanted)
        assert (said.code, said.err) == (0, ""), wanted
        for word in words:
            assert word in said.out, (word, said.out)
        (lines,) = vigie(here, "why", wanted, "--json").json_lines()
        assert "\n".join(lines) + "\n" == said.out
    wrong = vigie(here, "grade", signal.id, "7", "--by", "a", "--why", "b")
    assert (wrong.code, '"7" is no credibility' in wrong.err) == (2, True)
    graded = vigie(here, "grade", signal.id, "5", "--by", "officer-a", "--why", "their machine sent it by mistake")
    assert (graded.code, graded.err) == (0, "")
    assert "it is believed A5 now" in graded.out
    (word,) = here.records("graded")
    here.until(lambda: [x for x in here.events(e.TrustMoved) if x.signal == signal.id], "doubt")
    because = vigie(here, "why", word.id)
    assert f"what incident {opened.incident} is about is believed A5 now" in because.out
    assert f"officer-a has signal {signal.id} believed: 5 (their machine sent it by mistake)" in because.out
    none = vigie(here, "grade", "NOSUCHID", "5", "--by", "a", "--why", "b")
    assert (none.code, "no signal NOSUCHID" in none.err) == (1, True)
    nothing = vigie(here, "why", "NOSUCHID")
    assert (nothing.code, nothing.out) == (1, "")
    assert nothing.err.startswith("NOSUCHID: nothing in this journal has that id")


def test_verify_names_the_record_that_was_changed(here: Room, tmp_path: Path) -> None:
    whole = vigie(here, "journal", "verify")
    assert (whole.code, whole.err) == (0, "")
    assert "every record is there and as it was written" in whole.out
    (report,) = vigie(here, "journal", "verify", "--json").json_lines()
    assert report["faults"] == []

    target = next(x for x in here.records("decision") if isinstance(x, r.Decision) and x.events and x.took)
    changed = _copy(here, tmp_path / "changed")
    _rewrite(changed, target.id)
    said = vigie(here, "journal", "verify", "--data", str(changed.parent))
    assert said.code == 1
    assert f"decision {target.id}: changed" in said.out + said.err


def _copy(here: Room, folder: Path) -> Path:
    folder.mkdir()
    source = apsw.Connection(str(here.folder.data / "journal.db"), flags=apsw.SQLITE_OPEN_READONLY)
    target = apsw.Connection(str(folder / "journal.db"))
    with target.backup("main", source, "main") as backup:
        while not backup.done:
            backup.step()
    source.close()
    target.close()
    return folder / "journal.db"


def _rewrite(journal: Path, id_: str) -> None:
    """One byte of one record's body is another one."""
    connection = apsw.Connection(str(journal))
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    table = next(
        t for t in tables if {"id", "body"} <= {row[1] for row in connection.execute(f"PRAGMA table_info({t})")}
    )
    ((body,),) = connection.execute(f"SELECT body FROM {table} WHERE id = ?", (id_,))
    flipped = bytearray(body)
    at = flipped.rindex(b"Z") - 1
    flipped[at] = flipped[at] ^ 1
    connection.execute(f"UPDATE {table} SET body = ? WHERE id = ?", (bytes(flipped), id_))
    connection.close()


# --- replaying -----------------------------------------------------------------------------------------------


def test_the_sheets_in_force_replayed_beside_the_hub_call_the_same_people(here: Room) -> None:
    """A journal that a hub writes to; what dispatch and the phones took of time is no difference."""
    before = here.events(object)
    (found,) = vigie(here, "journal", "replay", "--playbooks", str(ROOT / "playbooks"), "--json").json_lines()
    storms = [m for m in found["matters"] if m["then"]["playbook"] == "extreme-weather"]
    assert storms
    assert found["sheets"] == {"same": len([p for p in (ROOT / "playbooks").glob("*.yaml") if ".test" not in p.name])}
    called = {p["person"]: p for m in storms for p in m["people"] if p["kind"] == "asked"}
    assert called["officer-a"]["change"] == "same"
    assert here.events(object)[: len(before)] == before, "nothing is changed"


# --- the README ----------------------------------------------------------------------------------------------


def test_the_readmes_commands_work_as_they_stand_there(here: Room) -> None:
    lines = re.findall(r"^    (vigie .+?)(?:\s+#.*)?$", (ROOT / "README.md").read_text(), re.M)
    assert len(lines) >= 12
    incident = next(x.incident for x in here.events(e.Opened) if "thunderstorm" in x.key)
    cap = str(ROOT / "samples" / "day" / "kmi" / "red-update.cap.xml")
    say = here.folder.config / "say.yaml"
    say.write_text("class: partners\nto: [police-zones]\nby: [sms]\nsay:\n  fr: a\n  nl: b\n  de: c\n  en: d\n")
    (here.folder.path / "editor").mkdir()
    stands_for = {
        r"SHEET name=value \.\.\.": "provincial-phase headline=x area=y decided-by=z meeting=w",
        r"\bSHEET\b": "extreme-weather",
        r"--why \.\.\.": "--why test",
        r"\bME\b": "officer-a",
        r"\bID\b": incident,
        r"\bINCIDENT\b": incident,
        r"\bnow\.pdf\b": str(here.folder.path / "now.pdf"),
        r"\bNAME\b": PARTNERS,
        r"backup DIR": f"backup {here.folder.path / 'backups'}",
        r"init DIR": f"init {here.folder.path / 'new-centre'}",
        r"--write \.": f"--write {here.folder.path / 'editor'}",
        r"--playbooks DIR": f"--playbooks {ROOT / 'playbooks'}",
        r"\bFILE\b(\.\.\.)?": cap,
        r"\bSAY\b": f"{say} --by officer-a --why test",
    }
    for line in lines:
        for what, right in stands_for.items():
            line = re.sub(what, right, line)
        words = shlex.split(line)[1:]
        if words[0] == "run":
            continue  # it is running
        if "--watch" in words:  # goes on for ever
            assert "--watch" in CliRunner().invoke(app, [words[0], "--help"]).output
            continue
        if words[0] == "init":  # makes a configuration, and looks at none
            words = [*words, *WHERE, *OFFICERS, "--provider", "simulator", "--warnings", "no"]
            assert CliRunner().invoke(app, words).exit_code == 0, line
            continue
        if words[0] in (
            "test",
            "drill",
        ):  # tests/sim/ plays what ships
            assert CliRunner().invoke(app, [words[0], "--help"]).exit_code == 0
            continue
        if words[0] in ("read", "schema"):  # these look at no configuration
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, line
            continue
        said = vigie(here, *words)
        assert (said.code, said.err) == (0, ""), line
    for opened in here.status()["incidents"]:
        if opened["playbook"] == "provincial-phase":
            here.api("POST", f"/api/incidents/{opened['id']}/end", {"by": "officer-a", "why": "a test"})


# --- run, where it cannot ------------------------------------------------------------------------------------


def complaint(said: Said) -> str:
    """The one line a command that could not run says."""
    assert said.code == 2, said
    assert "Traceback" not in said.err
    assert said.out == ""
    lines = [line for line in said.err.splitlines() if line and not line.startswith("{")]
    assert len(lines) == 1, said.err
    return lines[0]


@pytest.fixture
def another(here: Room, tmp_path: Path) -> Path:
    """A configuration like the room's with a journal of its own and a port of its own."""
    shutil.copytree(here.folder.config, tmp_path / "config")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def changed(held: object) -> None:
        held["journal"] = str(tmp_path / "data" / "journal.db")  # type: ignore[index] # a mapping
        held["web"] = {"listen": f"127.0.0.1:{port}", "public": f"http://127.0.0.1:{port}"}  # type: ignore[index]

    change(tmp_path / "config" / "hub.yaml", changed)
    return tmp_path / "config"


def test_run_without_a_secret(here: Room, another: Path) -> None:
    said = here.vigie("run", "--no-auditor", "--config", str(another), VIGIE_TWILIO_TOKEN="")
    assert "VIGIE_TWILIO_TOKEN" in complaint(said)


def test_run_with_a_secret_that_is_too_short(here: Room, another: Path) -> None:
    said = here.vigie("run", "--no-auditor", "--config", str(another), VIGIE_API_TOKEN="short")
    assert "API's token" in complaint(said)
    said = here.vigie("run", "--no-auditor", "--config", str(another), VIGIE_PARTNER_SECRET="whsec_short")
    assert "PARTNER_SECRET" in complaint(said)
    assert "whsec_short" not in said.err


def test_run_on_a_port_that_is_taken(here: Room, another: Path) -> None:
    port = here.folder.port
    change(another / "hub.yaml", lambda held: held["web"].update({"listen": f"127.0.0.1:{port}"}))
    said = here.vigie("run", "--no-auditor", "--config", str(another))
    assert f"127.0.0.1:{port}" in complaint(said)


def test_run_where_nothing_can_be_written(here: Room, another: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    change(another / "hub.yaml", lambda held: held.update({"journal": str(tmp_path / "file" / "journal.db")}))
    said = here.vigie("run", "--no-auditor", "--config", str(another))
    assert str(tmp_path / "file") in complaint(said)


def test_run_in_a_folder_that_is_read_only(here: Room, another: Path) -> None:
    # /proc takes no folders, from root neither.
    change(another / "hub.yaml", lambda held: held.update({"journal": "/proc/vigie/journal.db"}))
    said = here.vigie("run", "--no-auditor", "--config", str(another))
    assert "/proc/vigie" in complaint(said)


def test_run_with_a_configuration_that_is_wrong(here: Room, another: Path) -> None:
    change(another / "sources.yaml", lambda held: held[PARTNERS].update({"sekrets": "X"}))
    said = here.vigie("run", "--no-auditor", "--config", str(another))
    assert said.code == 2
    assert re.search(r"^config/sources.yaml:\d+:\d+: .*sekrets", said.err, re.M)
    assert "Traceback" not in said.err


@pytest.mark.parametrize("words", [("--nonsense",), ("--at", "noon"), ("--config", "no-such-folder")])
def test_run_with_words_it_does_not_know(here: Room, words: tuple[str, ...]) -> None:
    said = here.vigie("run", "--no-auditor", *words)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err


def test_without_a_network_the_hub_says_so_and_goes_on(tmp_path: Path) -> None:
    with room(tmp_path) as alone:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{probe.getsockname()[1]}/feed"
            sources = {"kmi-irm": polled(nobody), "nowhere": polled("http://no-such-host.invalid/rss", "feed")}
            configure_sources(alone, sources)
            alone.start()

            def failing() -> dict[str, str]:
                shown = alone.status()["sources"]
                return {s["name"]: s["reason"] for s in shown if s["health"] == "failing"}

            reasons = alone.until(lambda: failing() if len(failing()) == 2 else {}, "two sources that fail")
        assert nobody in reasons["kmi-irm"]
        assert "no-such-host.invalid" in reasons["nowhere"]
        assert alone.health().json()["ready"] is True
        assert alone.alert("A-1").status == 202
        assert {a["about"] for a in alone.status()["alarms"] if a["what"] == "source-failing"} == set(sources)
