"""XML pushed by a partner (CAP, EDXL, EMSI): read in a worker, recorded, or kept with what is wrong."""

from pathlib import Path

from hub.model.signal import Signal, Status
from tests.contracts.intake import MemoryIntake
from tests.edge.test_webhook_source import ALERT, Partner, play

CAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>kmi-1</identifier><sender>kmi-irm</sender><sent>2026-07-14T02:10:00+02:00</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info><language>fr-BE</language><category>Met</category><event>Orage</event><urgency>Immediate</urgency>
  <severity>Severe</severity><certainty>Observed</certainty>
  <area><areaDesc>Brabant</areaDesc><geocode><valueName>EMMA_ID</valueName><value>BE004</value></geocode></area>
  </info>
</alert>"""
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&c;</identifier></alert>"""


def test_cap_is_read_in_a_worker_and_recorded() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        for repeated in (False, True):
            status, body, _ = await siamu.post(CAP, media_type="application/cap+xml")
            assert (status, body["repeated"]) == (202, repeated)
        assert intake.in_workers == ["CAP", "CAP"]

    [item] = play(story).signals
    signal: Signal = item.signal
    assert (signal.identifier, signal.sender) == ("kmi-1", "kmi-irm")
    assert signal.infos[0].areas[0].geocodes[0].code == "BE004"
    assert item.original == CAP


EMSI = b"""<emsi><CONTEXT><ID>m-1</ID><MODE>ACTUAL</MODE><MSGTYPE>ALERT</MSGTYPE></CONTEXT>
<EVENT><ID>e-1</ID><NAME>Fuite de gaz</NAME></EVENT></emsi>"""
ENVELOPE = (
    b'<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0">'
    b"<distributionStatus>Exercise</distributionStatus>"
    b"<contentObject><xmlContent><embeddedXMLContent>%s%s</embeddedXMLContent></xmlContent></contentObject>"
    b"</EDXLDistribution>" % (CAP.partition(b"?>")[2], EMSI)
)


def test_edxl_and_emsi_are_taken_too() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        for number, (body, media_type) in enumerate(
            [(EMSI, "application/xml"), (EMSI, "application/emsi+xml"), (ENVELOPE, "text/xml; charset=utf-8")]
        ):
            assert (await siamu.post(body, f"msg_{number}", media_type=media_type))[0] == 202
        assert (await siamu.post(EMSI.replace(b"<ID>m-1</ID>", b""), "msg_9", media_type="text/xml"))[0] == 400

    intake = play(story)
    assert [item.signal.identifier for item in intake.signals] == ["m-1", "m-1", "kmi-1", "m-1"]
    assert {item.signal.status for item in intake.signals[2:]} == {Status.EXERCISE}
    (bad,) = intake.bad
    assert bad.reason.startswith("CONTEXT/ID is missing")


def test_bad_cap_is_refused_and_kept() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        for number, bad in enumerate([b"<alert>", b"", b"\xff\xfe", BOMB, CAP.replace(b"kmi-1", b"")]):
            status, body, _ = await siamu.post(bad, f"msg_{number}", media_type="application/cap+xml")
            assert status == 400, bad
            assert body["detail"]
        assert (await siamu.post(ALERT, "msg_good"))[0] == 202

    assert len(play(story).bad) == 5


def test_recorded_alerts_are_taken(samples: Path) -> None:
    recorded = sorted((samples / "cap").glob("*.xml"))[:12]
    assert recorded

    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        for path in recorded:
            status, body, _ = await siamu.post(path.read_bytes(), path.name, media_type="application/cap+xml")
            assert status in (202, 400), path.name
            assert status == 202 or body["detail"]

    intake = play(story)
    assert len(intake.signals) >= len(recorded) // 2
