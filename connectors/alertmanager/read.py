"""Webhooks of Prometheus Alertmanager (version 4) and of Grafana, as they are → signals. Pure.

Alertmanager: prometheus.io/docs/alerting/latest/configuration (webhook_config). Grafana's unified alerting sends the
same with a few fields more; its legacy alerting sends one rule with a `state`.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from connectors.text import digest, one_line, plain_text, web_address
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.area import Area
from hub.model.signal import Category, Certainty, Hazard, Info, MsgType, Named, Reference, Severity, Signal, Urgency

MEDIA_TYPE = "application/json"
ALERTS_MAX = 1_000
SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(("critical", "page", "disaster", "emergency", "fatal"), Severity.SEVERE),
    **dict.fromkeys(("error", "high", "major", "warning", "average", "medium"), Severity.MODERATE),
    **dict.fromkeys(("info", "information", "notice", "low", "minor", "none"), Severity.MINOR),
}
"""What is commonly written in the label `severity`; config may say otherwise. Nothing common is Extreme."""
_ENDED = frozenset({"resolved", "ok"})
_FIRING = frozenset({"firing", "alerting", "pending"})
_PASSED_OVER = frozenset({"no_data", "paused", "unknown", "nodata"})
_LABELS_MAX = 40


class Meaning(Struct, frozen=True, kw_only=True):
    """What the operator knows of the alerts: see AlertmanagerConfig."""

    sender: str
    language: str = "en"
    hazard: Hazard | None = None
    category: Category = Category.INFRA
    severity_label: str = "severity"
    severity: Mapping[str, Severity] = {}
    hazard_label: str = "hazard"
    area_label: str = "area"


class _Alert(Struct, frozen=True, rename="camel"):
    status: str = "firing"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fingerprint: str = ""
    generator_url: str = msgspec.field(default="", name="generatorURL")
    dashboard_url: str = msgspec.field(default="", name="dashboardURL")
    silence_url: str = msgspec.field(default="", name="silenceURL")


class _Group(Struct, frozen=True, rename="camel"):
    alerts: list[_Alert]
    group_key: str = ""
    receiver: str = ""
    external_url: str = msgspec.field(default="", name="externalURL")


class _Legacy(Struct, frozen=True, rename="camel"):
    state: str
    rule_id: int | str = ""
    rule_name: str = ""
    title: str = ""
    message: str = ""
    rule_url: str = ""
    tags: dict[str, str] = {}


def alerts_in(data: bytes, meaning: Meaning, now: datetime) -> list[SignalItem | BadItem]:
    """Every alert of a body. `now` stands in for a missing time. Raises ReadError."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ReadError(f"not well-formed JSON ({error}): send what Alertmanager or Grafana sends") from error
    if isinstance(value, dict) and isinstance(value.get("alerts"), list):
        group = _convert(value, _Group)
        return [_item(alert, n, group, meaning, now, data) for n, alert in enumerate(group.alerts[:ALERTS_MAX])]
    if isinstance(value, dict) and isinstance(value.get("state"), str):
        return _legacy(_convert(value, _Legacy), meaning, now, data)
    raise ReadError('neither "alerts" (Alertmanager, Grafana) nor "state" (legacy Grafana) is there: send a webhook')


def _convert(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        raise ReadError(f"{reason}: send what Alertmanager or Grafana sends", path.strip("`")) from error


def _item(alert: _Alert, n: int, group: _Group, meaning: Meaning, now: datetime, data: bytes) -> SignalItem | BadItem:
    status = alert.status.casefold()
    if status not in _ENDED | _FIRING:
        reason = f"status {alert.status[:40]!r} is neither firing nor resolved"
        return _bad(ReadError(reason, f"alerts[{n}].status"), data, f":{n}")
    identifier = alert.fingerprint[:64] or digest(*(f"{k}={v}" for k, v in sorted(alert.labels.items())))
    began = _aware(alert.starts_at)
    ended = status in _ENDED
    sent = (_aware(alert.ends_at) if ended else began) or now
    title = alert.annotations.get("summary") or alert.annotations.get("title") or alert.annotations.get("message") or ""
    name = alert.labels.get("alertname", "")
    facts = Signal(
        identifier=identifier,
        sender=meaning.sender,
        sent=sent,
        infos=(
            _info(
                meaning,
                alert.labels,
                headline=one_line(title) or name or "alert",
                event=name,
                description=plain_text(alert.annotations.get("description", "")),
                instruction=plain_text(alert.annotations.get("runbook", "")),
                onset=began,
                web=alert.generator_url or alert.dashboard_url or group.external_url,
            ),
        ),
    )
    return _as_message(facts, ended, f"{identifier} {began}", data)


def _legacy(rule: _Legacy, meaning: Meaning, now: datetime, data: bytes) -> list[SignalItem | BadItem]:
    state = rule.state.casefold()
    if state in _PASSED_OVER:
        return []
    if state not in _ENDED | _FIRING:
        return [_bad(ReadError(f"state {rule.state[:40]!r} is neither alerting nor ok", "state"), data)]
    identifier = f"rule {rule.rule_id or digest(rule.rule_name)}"[:64]
    info = _info(
        meaning,
        rule.tags,
        headline=one_line(rule.title) or rule.rule_name or "alert",
        event=rule.rule_name,
        description=plain_text(rule.message),
        instruction="",
        onset=None,
        web=rule.rule_url,
    )
    facts = Signal(identifier=identifier, sender=meaning.sender, sent=now, infos=(info,))
    return [_as_message(facts, state in _ENDED, f"{identifier} {now.isoformat()}", data)]


def _as_message(facts: Signal, ended: bool, which: str, data: bytes) -> SignalItem:
    """An alert that fires, or the end of one that fired. `which`: the same for each repetition of one firing."""
    key = "alertmanager:" + digest(facts.sender, which, "resolved" if ended else "firing", _said(facts))
    if not ended:
        return SignalItem(signal=facts, key=key, original=data, media_type=MEDIA_TYPE)
    over = msgspec.structs.replace(
        facts,
        identifier=f"{facts.identifier} resolved",
        msg_type=MsgType.CANCEL,
        references=(Reference(facts.sender, facts.identifier, None),),
    )
    return SignalItem(signal=over, key=key, original=data, media_type=MEDIA_TYPE)


def _said(signal: Signal) -> str:
    return hashlib.sha256(msgspec.json.encode(signal.infos)).hexdigest()


def _info(
    meaning: Meaning,
    labels: Mapping[str, str],
    *,
    headline: str,
    event: str,
    description: str,
    instruction: str,
    onset: datetime | None,
    web: str,
) -> Info:
    areas = tuple(Area(description=one_line(part)) for part in labels.get(meaning.area_label, "").split(";") if part)
    return Info(
        language=meaning.language,
        categories=(meaning.category,),
        event=one_line(event),
        hazard=_hazard(labels.get(meaning.hazard_label, "")) or meaning.hazard,
        urgency=Urgency.IMMEDIATE,
        severity=_severity(labels.get(meaning.severity_label, ""), meaning),
        certainty=Certainty.OBSERVED,
        onset=onset,
        headline=headline,
        description=description,
        instruction=instruction,
        web=web_address(web),
        parameters=tuple(Named(name[:100], value[:400]) for name, value in list(labels.items())[:_LABELS_MAX]),
        areas=areas,
    )


def _severity(word: str, meaning: Meaning) -> Severity:
    known = {name.casefold(): level for name, level in meaning.severity.items()}
    folded = word.casefold()
    return known.get(folded) or SEVERITIES.get(folded, Severity.UNKNOWN)


def _hazard(word: str) -> Hazard | None:
    return next((hazard for hazard in Hazard if hazard.value == word.casefold()), None)


def _aware(at: datetime | None) -> datetime | None:
    """In UTC; Go's zero time (year 1) means that there is none."""
    if at is None or at.year < 1970:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _bad(error: ReadError, data: bytes, more: str = "") -> BadItem:
    key = f"alertmanager:{hashlib.sha256(data).hexdigest()}{more}:bad"
    return BadItem(reason=error.reason, place=error.place, original=data, key=key, media_type=MEDIA_TYPE)


def read_alerts(data: bytes, meaning: Meaning, now: datetime) -> list[SignalItem | BadItem]:
    """The same, with what cannot be read as a dead letter. Never raises."""
    try:
        return alerts_in(data, meaning, now)
    except ReadError as error:
        return [_bad(error, data)]
    except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
        return [_bad(ReadError(f"cannot be read ({type(error).__name__})"), data)]
