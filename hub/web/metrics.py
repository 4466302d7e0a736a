"""What the hub says of itself, for Prometheus (docs/monitoring.md). Pure: a picture of its health in, text out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest


def of_health(picture: Mapping[str, Any]) -> bytes:
    """`picture`: as `GET /health` has it; empty where the hub does not answer: it is not ready then, and of the rest
    nothing is known."""
    asked = CollectorRegistry()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"vigie_{name}", says, labels, registry=asked)

    gauge("ready", "Whether the hub takes what it is sent").set(bool(picture.get("ready")))
    if not picture:
        return generate_latest(asked)
    gauge("stopped", "1: an officer holds up all that goes out").set(bool(picture.get("stopped")))
    gauge("open_incidents", "Incidents that have not ended").set(picture.get("open_incidents", 0))
    gauge("open_asks", "People who are being asked").set(picture.get("open_asks", 0))
    gauge("decisions_total", "Decisions since the hub was started").set(picture.get("decisions", 0))
    gauge("in_flight", "Deliveries that are being handed over").set(picture.get("in_flight", 0))
    gauge("overdue_seconds", "How long the next deadline is overdue").set(_overdue_s(picture))
    alarms = gauge("alarms", "Alarms that stand in the room", "alarm")
    for alarm, count in dict(picture.get("alarms") or {}).items():
        alarms.labels(alarm).set(count)
    waiting = gauge("waiting", "Deliveries that wait to be handed over", "channel", "lane")
    for channel, lanes in dict(picture.get("waiting") or {}).items():
        for lane, count in lanes.items():
            waiting.labels(channel, lane).set(count)
    up = gauge("channel_up", "1: it works; 0: it fails, or says nothing", "channel")
    for channel, health in dict(picture.get("channels") or {}).items():
        up.labels(channel).set(health == "ok")
    sources = gauge("source_up", "1: it can be had; 0: it fails", "source")
    for source, health in dict(picture.get("sources") or {}).items():
        sources.labels(source).set(health != "failing")
    follows = gauge("follower_up", "1: it takes what there is; 0: it does not", "follower")
    behind = gauge("follower_behind_seconds", "How old what waits longest for it is", "follower")
    for follower, known in dict(picture.get("followers") or {}).items():
        follows.labels(follower).set(known["health"] != "failing")
        behind.labels(follower).set(known["behind_s"])
    return generate_latest(asked)


def _overdue_s(picture: Mapping[str, Any]) -> float:
    now, deadline = _instant(picture.get("now")), _instant(picture.get("deadline"))
    return max(0.0, (now - deadline).total_seconds()) if now is not None and deadline is not None else 0.0


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
