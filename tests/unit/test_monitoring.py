"""What is ready to watch the hub with asks for figures that there are; the page names all of them."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.web.metrics import of_health
from hub.yaml import read
from tests.conftest import ROOT

NOW = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
PICTURE: dict[str, Any] = {
    "ready": True,
    "stopped": False,
    "now": NOW.isoformat(),
    "deadline": (NOW - timedelta(seconds=7)).isoformat(),
    "open_incidents": 2,
    "open_asks": 3,
    "decisions": 40,
    "in_flight": 1,
    "alarms": {"task-late": 2, "source-failing": 1},
    "waiting": {"sms": {"ask": 0, "mass": 900}},
    "channels": {"sms": "ok", "voice": "failing", "email": "silent"},
    "sources": {"kmi-irm": "ok", "press-bx1": "failing", "siamu": ""},
    "followers": {"desk": {"health": "ok", "behind_s": 1.5}},
}


def figures(picture: dict[str, Any]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(of_health(picture).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})["/".join(sample.labels.values())] = sample.value
    return found


def test_the_figures_are_those_of_the_picture() -> None:
    assert figures(PICTURE) == {
        "vigie_ready": {"": 1},
        "vigie_stopped": {"": 0},
        "vigie_open_incidents": {"": 2},
        "vigie_open_asks": {"": 3},
        "vigie_decisions_total": {"": 40},
        "vigie_in_flight": {"": 1},
        "vigie_overdue_seconds": {"": 7},
        "vigie_alarms": {"task-late": 2, "source-failing": 1},
        "vigie_waiting": {"sms/ask": 0, "sms/mass": 900},
        "vigie_channel_up": {"sms": 1, "voice": 0, "email": 0},
        "vigie_source_up": {"kmi-irm": 1, "press-bx1": 0, "siamu": 1},
        "vigie_follower_up": {"desk": 1},
        "vigie_follower_behind_seconds": {"desk": 1.5},
    }


def test_a_hub_that_does_not_answer_is_not_ready_and_nothing_else_is_known() -> None:
    assert figures({}) == {"vigie_ready": {"": 0}}


@pytest.mark.parametrize("deadline", [None, (NOW + timedelta(minutes=4)).isoformat()])
def test_nothing_is_overdue_that_is_not_due(deadline: str | None) -> None:
    assert figures(PICTURE | {"deadline": deadline})["vigie_overdue_seconds"] == {"": 0}


def asked_for(text: str) -> set[str]:
    return set(re.findall(r"\bvigie_[a-z_]+\b", text))


def test_dashboard_rules_and_page_ask_for_figures_that_there_are() -> None:
    there = set(figures(PICTURE))
    dashboard = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
    wanted = {target["expr"] for panel in dashboard["panels"] for target in panel["targets"]}
    assert asked_for(" ".join(wanted)) <= there
    rules = read((ROOT / "deploy" / "prometheus-rules.yaml").read_bytes(), "rules")
    assert rules.findings == []
    assert asked_for((ROOT / "deploy" / "prometheus-rules.yaml").read_text()) <= there
    page = (ROOT / "docs" / "monitoring.md").read_text().partition("## Figures")[2].partition("Connectors add")[0]
    assert asked_for(page) == there


def test_the_dashboard_shows_every_panel_once_and_none_over_another() -> None:
    panels = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
