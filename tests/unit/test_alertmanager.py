"""What is made of the webhooks of Alertmanager and Grafana."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.alertmanager.read import Meaning, read_alerts
from hub.connector import BadItem, SignalItem
from hub.model.signal import Category, Hazard, MsgType, Severity

NOW = datetime(2026, 7, 14, tzinfo=UTC)
HOUSE = Meaning(sender="house", hazard=Hazard.TELECOM)


def read(value: Any, meaning: Meaning = HOUSE) -> list[SignalItem | BadItem]:
    return read_alerts(json.dumps(value).encode(), meaning, NOW)


def alert(**more: Any) -> dict[str, Any]:
    plain = {
        "status": "firing",
        "labels": {"alertname": "Down"},
        "fingerprint": "f1",
        "startsAt": "2026-07-14T01:00:00Z",
    }
    return plain | more


def one(value: Any, meaning: Meaning = HOUSE) -> SignalItem:
    (item,) = read(value, meaning)
    assert isinstance(item, SignalItem)
    return item


def test_a_group_of_grafana_s_alerting(samples: Path) -> None:
    data = (samples / "json" / "oncall_grafana_alerting_webhook.json").read_bytes()
    items = [item for item in read_alerts(data, HOUSE, NOW) if isinstance(item, SignalItem)]
    assert [item.signal.identifier for item in items] == ["f404ecabc8dd5cd7", "f8f08d4e32c61a9d", "39f38c0611ee7abd"]
    signal = items[0].signal
    assert signal.sent == datetime(2023, 6, 12, 8, 24, 38, 326000, tzinfo=UTC)
    (info,) = signal.infos
    assert info.headline == "Instance localhost:8081 down"
    assert info.description == "localhost:8081 of job node has been down for more than 1 minute."
    assert (info.event, info.severity, info.hazard, info.categories) == (
        "InstanceDown",
        Severity.SEVERE,
        Hazard.TELECOM,
        (Category.INFRA,),
    )
    assert ("group", "production") in [(p.name, p.value) for p in info.parameters]


@pytest.mark.parametrize(
    "name", ["goalert_prometheusalertmanager_0", "oncall_grafana_webhook", "oncall_legacy_alertmanager_webhook"]
)
def test_recorded_webhooks_without_a_fingerprint(samples: Path, name: str) -> None:
    (item,) = read_alerts((samples / "json" / f"{name}.json").read_bytes(), HOUSE, NOW)
    assert isinstance(item, SignalItem)
    assert len(item.signal.identifier) == 32
    assert item.signal.infos[0].event == "TestAlert"
    assert item.signal.infos[0].headline


def test_legacy_grafana(samples: Path) -> None:
    (item,) = read_alerts((samples / "json" / "goalert_grafana_0.json").read_bytes(), HOUSE, NOW)
    assert isinstance(item, SignalItem)
    assert (item.signal.identifier, item.signal.infos[0].headline, item.signal.sent) == ("rule 1", "woot", NOW)
    assert read({"state": "no_data", "ruleId": 1}) == []
    assert one({"state": "ok", "ruleId": 1}).signal.msg_type is MsgType.CANCEL


def test_what_is_resolved_withdraws_what_fired() -> None:
    fired = one({"alerts": [alert()]})
    over = one({"alerts": [alert(status="resolved", endsAt="2026-07-14T02:00:00Z")]})
    assert over.signal.msg_type is MsgType.CANCEL
    assert over.signal.references[0].identifier == fired.signal.identifier
    assert over.signal.sent == datetime(2026, 7, 14, 2, tzinfo=UTC)


def test_repetitions_of_one_firing_are_one_and_the_next_firing_is_another() -> None:
    keys = [one({"alerts": [a]}).key for a in (alert(), alert(), alert(startsAt="2026-07-15T01:00:00Z"))]
    assert keys[0] == keys[1] != keys[2]
    assert one({"alerts": [alert(annotations={"summary": "worse"})]}).key != keys[0]


def test_labels_say_how_bad_what_and_where() -> None:
    labels = {"alertname": "Flood", "severity": "P1", "hazard": "flood", "area": "Ixelles;Uccle"}
    meaning = Meaning(sender="house", severity={"p1": Severity.EXTREME})
    (info,) = one({"alerts": [alert(labels=labels)]}, meaning).signal.infos
    assert (info.severity, info.hazard) == (Severity.EXTREME, Hazard.FLOOD)
    assert [area.description for area in info.areas] == ["Ixelles", "Uccle"]


def test_one_that_cannot_be_read_spoils_none_of_the_others() -> None:
    items = read({"alerts": [alert(), alert(status="maybe"), alert(fingerprint="f2")]})
    assert [isinstance(item, BadItem) for item in items] == [False, True, False]
    bad = items[1]
    assert isinstance(bad, BadItem)
    assert (bad.place, bad.reason) == ("alerts[1].status", "status 'maybe' is neither firing nor resolved")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "not well-formed JSON"),
        (b"[]", "neither"),
        (b'{"alerts": [3]}', "Expected `object`"),
        (b"[" * 99999, "JSON"),
    ],
)
def test_what_is_no_webhook_is_kept_with_its_reason(data: bytes, reason: str) -> None:
    (bad,) = read_alerts(data, HOUSE, NOW)
    assert isinstance(bad, BadItem)
    assert reason in bad.reason


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["alerts", "status", "labels", "annotations", "startsAt", "state"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_no_body_makes_reading_fail(value: Any) -> None:
    for item in read(value):
        assert item.key
