"""Incidents written into another log: files in a real folder, mails through a real server, read back as they were."""

import csv
import errno
import io
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import xmlschema
from lxml import etree

from connectors.crisislog import follower as follower_module
from connectors.crisislog import words
from connectors.crisislog.config import CrisislogConfig
from connectors.crisislog.entry import COLUMNS, entry_of, file_name
from connectors.crisislog.follower import CrisislogFollower
from connectors.crisislog.follower_config import ENTRY, CrisislogFollowerConfig
from connectors.crisislog.ours import is_ours
from connectors.crisislog.read import read_slice
from connectors.crisislog.source import CrisislogSource, Cursor
from hub.connector import Followed, Follower, SignalItem
from hub.model import occurrences as o
from hub.model.message import Verb
from hub.model.people import Language
from hub.model.signal import MsgType, Scope, Signal, Status
from tests.contracts.intake import environment
from tests.contracts.told import AT, DECISION, INCIDENT, steps, told
from tests.edge.polling import PolledIntake, Turns, run
from tests.edge.test_mail import Server

WORDS = (o.Words(of="signal", headline="Fuite de gaz", text="Rue de la Tulipe 12", language="fr-BE"),)
JOINED = o.SignalJoined(signal="01SIGNAL", source="siamu", until=AT, places=("ixelles",))
EVENTS = [
    told(0, o.Opened(signal="01SIGNAL")),
    told(1, JOINED, words=WORDS, titles={"fr": "Fuite de gaz", "nl": "Gaslek"}),
    told(2, o.StepEnded(step="wake", outcome="accepted"), Status.EXERCISE),
    told(3, o.SignalWithdrawn(signal="01SIGNAL", why="cancelled")),
    told(4, o.Ended(why="officer", by="officer-a"), words=(o.Words(of="why", text="=HYPERLINK(1)"),)),
]


def config(path: Path | None, **more: Any) -> CrisislogFollowerConfig:
    made: CrisislogFollowerConfig = msgspec.convert(
        ({"folder": str(path)} if path else {}) | more, CrisislogFollowerConfig
    )
    return made


def followed(made: CrisislogFollowerConfig, events: Sequence[o.IncidentEvent] = EVENTS, **more: Any) -> Followed:
    answer: list[Followed] = []

    async def story() -> None:
        follower = CrisislogFollower(made, environment("log", smtp="s3cret"), **more)
        assert isinstance(follower, Follower)
        await follower.open()
        try:
            answer.append(await follower.follow(events))
        finally:
            await follower.close()

    run(story)
    return answer[0]


def rows(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for file in sorted(path.iterdir()):
        found += csv.DictReader(io.StringIO(file.read_text(encoding), newline=""), delimiter=";")
    return found


def read(path: Path) -> list[Signal]:
    """What our own source makes of the folder's files."""
    found = []
    for file in sorted(path.iterdir()):
        for item in read_slice(file.read_bytes(), CrisislogConfig(folder="/x"), "log", AT).items:
            assert isinstance(item, SignalItem), item.reason
            found.append(item.signal)
    return found


# --- a folder ------------------------------------------------------------------------------------------------


def test_each_event_is_a_file_with_its_record_and_a_repeat_is_the_same_file(tmp_path: Path) -> None:
    assert followed(config(tmp_path)) == Followed(taken=5)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [f"vigie-{DECISION}-{n:04}.csv" for n in range(5)]
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert followed(config(tmp_path)) == Followed(taken=5)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    found = rows(tmp_path)
    assert {row["record"] for row in found} == {DECISION}
    assert [row["identifier"] for row in found] == [event.id for event in EVENTS]
    assert found[0]["sent"] == "2026-07-14T04:10:05+02:00"
    assert found[1]["headline"] == "Fuite de gaz: Signal de siamu"
    assert found[1]["description"] == "Fuite de gaz\n\nRue de la Tulipe 12"
    assert found[2]["status"] == "Exercise"
    assert json.loads(found[2]["data"]) == {"step": "wake", "outcome": "accepted"}
    assert found[4]["description"] == "'=HYPERLINK(1)", "nothing that a spreadsheet works out"


def test_columns_words_and_times_are_those_of_the_other_log(tmp_path: Path) -> None:
    made = config(
        tmp_path,
        columns={
            "Nr": "id",
            "Tijd": "at",
            "Soort": "event",
            "Tekst": "join(' - ', [title, headline])",
            "Bron": "'VIGIE'",
        },
        words={"Soort": {"opened": "nieuw"}},
        time="%d/%m/%Y %H:%M",
        language="nl",
        encoding="windows-1252",
    )
    assert followed(made, EVENTS[:2]).taken == 2
    first, second = rows(tmp_path, "windows-1252")
    assert list(first) == ["Nr", "Tijd", "Soort", "Tekst", "Bron"]
    assert (first["Tijd"], first["Soort"], first["Bron"]) == ("14/07/2026 04:10", "nieuw", "VIGIE")
    assert second["Tekst"] == "Gaslek - Gaslek: Signaal van siamu"


def test_json_is_an_object_a_line(tmp_path: Path) -> None:
    followed(config(tmp_path, format="json"))
    lines = [json.loads(p.read_text()) for p in sorted(tmp_path.iterdir())]
    assert all(p.suffix == ".jsonl" for p in tmp_path.iterdir())
    assert [one["event"] for one in lines] == [event.name for event in EVENTS]
    assert lines[1]["data"]["places"] == ["ixelles"]


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_our_own_reader_reads_what_is_written(tmp_path: Path, format_: str) -> None:
    followed(config(tmp_path, format=format_, delimiter=";"))
    found = read(tmp_path)
    assert [signal.identifier for signal in found] == [event.id for event in EVENTS]
    assert [signal.status for signal in found] == [event.status for event in EVENTS]
    assert {signal.sent for signal in found} == {AT.replace(microsecond=0)}
    assert {p.value for s in found for p in s.infos[0].parameters if p.name == "record"} == {DECISION}
    assert all(is_ours(signal) for signal in found)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_edxl_carries_a_report_of_each_and_an_alert_of_signals(tmp_path: Path, version: str, samples: Path) -> None:
    followed(config(tmp_path, format="edxl", edxl=version, sender="sitcen"))
    if version == "1.0":
        schema = xmlschema.XMLSchema(str(samples / "schema" / "edxlde-1_0.xsd"))
        alerts = xmlschema.XMLSchema(str(samples / "schema" / "cap12.xsd"))
        for file in tmp_path.iterdir():
            document = etree.fromstring(file.read_bytes())
            for alert in document.iter("{urn:oasis:names:tc:emergency:cap:1.2}alert"):
                alerts.validate(etree.tostring(alert).decode())
            for report in document.iter("{urn:oasis:names:tc:emergency:EDXL:SitRep:1.0}report"):
                report.attrib.clear()  # its own schema was not to be had
            schema.validate(document)
    found = read(tmp_path)
    assert [signal.identifier for signal in found] == [
        EVENTS[0].id,
        "01SIGNAL",
        EVENTS[1].id,
        EVENTS[2].id,
        "01SIGNAL-withdrawn",
        EVENTS[3].id,
        EVENTS[4].id,
    ]
    assert {signal.sender for signal in found} == {"sitcen"}
    assert found[3].status is Status.EXERCISE
    joined, cancel = found[1], found[4]
    assert (joined.infos[0].headline, joined.infos[0].areas[0].description) == ("Fuite de gaz", "ixelles")
    assert {signal.scope for signal in found} == {Scope.RESTRICTED}
    assert cancel.msg_type is MsgType.CANCEL
    assert [(r.sender, r.identifier) for r in cancel.references] == [("sitcen", "01SIGNAL")]
    assert all(is_ours(signal) for signal in found)


def test_emsi_says_what_goes_on_where_and_for_whom(tmp_path: Path) -> None:
    made = config(tmp_path, format="emsi", sender="be.brussels.sitcen", codes={"gas-leak": "EXP/GAS"}, level="OPR")
    followed(made)
    found = read(tmp_path)
    assert [signal.identifier for signal in found] == [event.id for event in EVENTS]
    assert [signal.msg_type for signal in found] == [MsgType.ALERT, *[MsgType.UPDATE] * 4]
    assert found[2].status is Status.EXERCISE
    assert {signal.incidents for signal in found} == {(INCIDENT,)}
    assert found[1].infos[0].areas[0].description == "ixelles"
    assert {code.value for signal in found for code in signal.infos[0].event_codes} == {"EXP/GAS"}
    statuses = [{p.name: p.value for p in signal.infos[0].parameters}.get("event_status") for signal in found]
    assert statuses == ["IPR", None, None, None, "COM"]
    first = etree.fromstring(sorted(tmp_path.iterdir())[0].read_bytes())
    assert [etree.QName(child).localname for child in first] == ["CONTEXT", "EVENT"]
    order = ["ID", "MODE", "MSGTYPE", "CREATION", "LEVEL", "SECLASS", "FREETEXT", "ORIGIN"]
    assert [etree.QName(child).localname for child in first[0]] == order


def test_a_folder_that_is_full_or_gone_is_told_and_half_a_file_is_never_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    assert followed(config(gone)) == Followed(taken=0, reason=f"the folder {gone}: No such file or directory")
    real, calls = os.fsync, 0

    def full(file: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", full)
    answer = followed(config(tmp_path))
    assert answer == Followed(taken=2, reason=f"the folder {tmp_path}: No space left on device")
    assert len(list(tmp_path.iterdir())) == 2, "nothing half, nothing left over"


def test_what_a_killed_hub_left_over_is_no_hindrance_and_links_are_not_written_through(tmp_path: Path) -> None:
    place, outside = tmp_path / "out", tmp_path / "outside"
    place.mkdir()
    outside.write_text("theirs")
    name = file_name(EVENTS[0], config(place))
    (place / f".{name}.tmp").symlink_to(outside)
    (place / name).symlink_to(outside)
    assert followed(config(place), EVENTS[:1]).taken == 1
    assert outside.read_text() == "theirs"
    assert not (place / name).is_symlink()
    assert [p.name for p in place.iterdir()] == [name]


def test_a_folder_that_hangs_is_told_and_waited_for_by_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, threads = threading.Event(), 0
    real = follower_module.write

    def hangs(folder: str, files: Sequence[tuple[str, bytes]]) -> tuple[int, str]:
        nonlocal threads
        threads += 1
        assert go.wait(20)
        return real(folder, files)

    monkeypatch.setattr(follower_module, "write", hangs)

    async def story() -> None:
        follower = CrisislogFollower(config(tmp_path), environment("log"), hangs_s=0.01)
        await follower.open()
        for _ in range(3):
            assert (await follower.follow(EVENTS)).reason == f"the folder {tmp_path}: does not answer"
        assert threads == 1
        go.set()
        follower._hangs_s = 20
        assert await follower.follow(EVENTS) == Followed(taken=5)

    run(story)


def test_entries_of_ours_that_come_back_are_no_news(tmp_path: Path) -> None:
    """The other log exports what was put into it: nothing answers itself for ever."""
    followed(config(tmp_path, columns={"identifier": "id", "headline": "headline", "text": "text"}))
    theirs = tmp_path / "theirs.csv"
    theirs.write_text(f"identifier,headline,note\n7,Gas leak,see {EVENTS[0].id}\n8,Copy,{EVENTS[0].id}\n")

    def signals(**more: Any) -> list[str]:
        intake = PolledIntake(kept=Cursor().dump())

        async def story() -> None:
            turns = Turns()
            made: CrisislogConfig = msgspec.convert({"folder": str(tmp_path)} | more, CrisislogConfig)
            async with turns.run(CrisislogSource(made, environment("log"), sleep=turns), intake):
                for _ in range(2):
                    await turns.polled()

        run(story)
        assert intake.bad == []
        return [item.signal.identifier for item in intake.signals]

    assert signals() == ["7"]
    for file in (tmp_path / "done").iterdir():
        file.rename(tmp_path / file.name)
    assert len(signals(ours=True)) == 7


# --- mail ----------------------------------------------------------------------------------------------------


def by_mail(server: Server) -> CrisislogFollower:
    settings = {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "vigie@example.brussels"}
    made = config(None, to=["log@nccn.example", "copy@nccn.example"], mail=settings)
    return CrisislogFollower(made, environment("log"))


def test_who_has_taken_an_entry_does_not_get_it_again_while_another_refuses_it() -> None:
    async def story() -> None:
        server = Server()
        await server.start()
        follower = by_mail(server)
        await follower.open()
        try:
            server.answers["copy@nccn.example"] = "550 5.1.1 no such user"
            for _ in range(3):
                assert (await follower.follow(EVENTS[:2])).taken == 0
            assert server.recipients == ["log@nccn.example"]
            del server.answers["copy@nccn.example"]
            assert await follower.follow(EVENTS[:2]) == Followed(taken=2)
            assert server.recipients[1:] == ["copy@nccn.example", "log@nccn.example", "copy@nccn.example"]
        finally:
            await follower.close()
            await server.stop()

    run(story)


def test_each_event_is_a_mail_that_says_it_and_carries_the_file() -> None:
    async def story() -> None:
        server = Server()
        await server.start()
        made = config(
            None,
            to=["log@nccn.example", "copy@nccn.example"],
            mail={
                "host": "127.0.0.1",
                "port": server.port,
                "security": "none",
                "sender": "Vigie <vigie@example.brussels>",
            },
            language="de",
        )
        follower = CrisislogFollower(made, environment("log"))
        await follower.open()
        try:
            for _ in range(2):
                assert await follower.follow(EVENTS[1:3]) == Followed(taken=2)
            server.answers["RCPT"] = "450 4.2.1 try later"
            refused = await follower.follow(EVENTS[:1])
            assert (refused.taken, refused.reason) == (0, "mail server: 450 4.2.1")
        finally:
            await follower.close()
            await server.stop()
        assert len(server.mails) == 8
        first, _, exercise = server.mails[0], server.mails[1], server.mails[2]
        assert {mail["Message-ID"] for mail in server.mails} == {
            f"<log.{DECISION}.{n}@example.brussels>" for n in (1, 2)
        }
        assert first["Subject"] == "gas-leak: Signal von siamu"
        assert str(exercise["Subject"]).startswith("[ÜBUNG] ")
        assert (first["X-Loop"], first["Auto-Submitted"]) == ("vigie", "auto-generated")
        body = first.get_body(("plain",))
        assert body is not None
        assert "Rue de la Tulipe 12" in body.get_content()
        assert EVENTS[1].id in body.get_content()
        (file,) = first.iter_attachments()
        assert file.get_filename() == file_name(EVENTS[1], made)
        assert file.get_content_type() == "text/csv"

    run(story)


# --- words ---------------------------------------------------------------------------------------------------


def test_every_event_has_a_sentence_in_four_languages() -> None:
    assert set(o.NAMES) == words.NAMES
    for kind in o.KINDS:
        data = {field: f"<{field}>" for field in kind.__struct_fields__}
        said = {language: words.sentence(o.name_of(kind), data, language) for language in Language}
        assert all(said.values())
        assert len(set(said.values())) == 4
        used = {language: {field for field in data if f"<{field}>" in text} for language, text in said.items()}
        assert len({frozenset(fields) for fields in used.values()}) == 1, o.name_of(kind)
        for text in said.values():
            assert "{" not in text


def test_values_are_said_in_the_language() -> None:
    ended = o.ChainEnded(run="r", chain="duty", step="s", outcome="exhausted")
    data = msgspec.to_builtins(ended)
    assert words.sentence("chain.ended", data, Language.NL) == "Alarmketen duty: niemand heeft aanvaard"
    delivered = {"message": "m", "channel": "sms", "outcomes": {"failed": 2, "sent": 1}}
    assert words.sentence("message.delivery", delivered, Language.FR) == "Message m par sms : échec 2, envoyé 1"
    assert words.sentence("held-back", {}, Language.EN) == "Nobody is alerted for now"
    assert words.sentence("from.tomorrow", {}, Language.EN) == "from.tomorrow"


def test_what_a_reply_may_mean_is_said_in_words() -> None:
    for verb in Verb:
        said = words.sentence("answered", {"person": "p", "verb": verb.value}, Language.FR)
        assert verb is Verb.DONE or not said.endswith(verb.value), said


def test_an_entry_has_what_columns_may_name() -> None:
    entry = msgspec.to_builtins(entry_of(EVENTS[0], config(Path("/x"))))
    assert set(entry) == set(ENTRY)
    assert set(COLUMNS.values()) <= set(ENTRY)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "folder, to: give one of them"),
        ({"folder": "/x", "to": ["a@b.example"]}, "folder, to: give one of them"),
        ({"to": ["a@b.example"]}, "mail: is for `to`"),
        ({"folder": "/x", "mail": {"host": "h", "sender": "a@b.example"}}, "mail: is for `to`"),
        (
            {"to": ["a@b.example"], "mail": {"host": "h", "sender": "a@b.example", "link_secret": ["X"]}},
            "mail: nobody answers an entry",
        ),
        ({"to": ["a b"], "mail": {"host": "h", "sender": "a@b.example"}}, "to: 'a b' "),
        ({"folder": "/x", "columns": {"Nr": "number"}}, "columns: an entry has no 'number'"),
        ({"folder": "/x", "columns": {"Nr": "join(' '"}}, "is no JMESPath expression"),
        ({"folder": "/x", "columns": {"Nr": "id"}, "words": {"No": {}}}, "words: there is no column 'No'"),
        ({"folder": "/x", "encoding": "klingon"}, "encoding: 'klingon'"),
        ({"folder": "/x", "delimiter": "a"}, "delimiter: "),
        ({"folder": "/x", "zone": "Brussels"}, "zone: "),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        config(None, **more)
    assert reason in str(refused.value)


def test_names_of_files_keep_the_order_of_events() -> None:
    events = [*steps(12), told(12, o.Reopened())]
    names = [file_name(event, config(Path("/x"))) for event in events]
    assert names == sorted(names)
