"""The live view without a terminal: what changed from one picture to the next, a line each. Pure."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from hub.view.glance import Picture, instant, listed, plain
from hub.view.screen import BRUSSELS, addressee, broadcast_state, follower_state, when
from hub.view.words import Words


def changes(before: Picture, after: Picture, words: Words, zone: tzinfo = BRUSSELS) -> list[str]:
    """One line for each happening, each with the hub's time; `before` is `{}` the first time."""
    now = instant(after.get("now"))
    time = f"{now.astimezone(zone):%H:%M:%S}  " if now else ""
    lines = []
    if not before and now:
        banner = f"{words('exercise')} ({words('exercise_why')}), " if after.get("playback") else ""
        lines.append(f"{banner}{words('hub_time')} {when(now, words, zone)}")
    for happening in (_room, _channels, _followers, _sources, _incidents, _chains, _broadcasts, _tasks, _deliveries):
        lines += [time + line for line in happening(before, after, words)]
    return lines


def _pairs(before: Picture, after: Picture, name: str, key: str) -> Iterator[tuple[Picture | None, Picture]]:
    """Each entry of a list with what it was before."""
    former = {entry.get(key): entry for entry in listed(before, name)}
    for entry in listed(after, name):
        yield former.get(entry.get(key)), entry


def _gone(before: Picture, after: Picture, name: str, key: str) -> list[Picture]:
    left = {entry.get(key) for entry in listed(after, name)}
    return [entry for entry in listed(before, name) if entry.get(key) not in left]


def _room(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    trouble = after.get("trouble")
    if trouble != before.get("trouble"):
        yield words("trouble", why=trouble) if trouble else words("no_trouble")
    if after.get("lost") and not before.get("lost"):
        yield words("lost", why=after["lost"])
    stopped = after.get("stopped")
    if stopped != before.get("stopped"):
        if stopped:
            yield words("stopped", by=stopped.get("by", ""), why=stopped.get("why", ""))
        else:
            yield words("lifted")
    for former, alarm in _pairs(before, after, "alarms", "id"):
        if former is None:
            yield _joined(words("alarm"), *(plain(alarm.get(k) or "") for k in ("what", "about", "detail")))
    for alarm in _gone(before, after, "alarms", "id"):
        yield _joined(words("alarm_over"), plain(alarm.get("what", "")), plain(alarm.get("about") or ""))


def _channels(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, channel in _pairs(before, after, "channels", "name"):
        if channel.get("health") != (former or {"health": "ok"}).get("health"):
            name = f"{words('channel')} {plain(channel.get('name', ''))}:"
            meanwhile = words("meanwhile", channel=channel["meanwhile"]) if channel.get("meanwhile") else ""
            yield _joined(name, words(str(channel.get("health"))), plain(channel.get("reason") or ""), meanwhile)


def _followers(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, follower in _pairs(before, after, "followers", "name"):
        state = follower_state(follower)
        if state != (follower_state(former) if former is not None else "ok"):
            name = f"{words('follower')} {plain(follower.get('name', ''))}:"
            yield _joined(name, words(state), plain(follower.get("reason") or ""))


def _sources(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, source in _pairs(before, after, "sources", "name"):
        name = f"{words('source')} {plain(source.get('name', ''))}:"
        was = former or {"health": "?", "signals": 0, "reason": ""}
        if (source.get("health"), source.get("reason")) != (was.get("health"), was.get("reason")):
            yield _joined(name, words(str(source.get("health"))), plain(source.get("reason") or ""))
        more = int(source.get("signals") or 0) - int(was.get("signals") or 0)
        if more > 0:
            yield _joined(name, words.signals(more))


def _incidents(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, incident in _pairs(before, after, "incidents", "id"):
        keys = (plain(k) for k in incident.get("key") or ())
        name = _joined(words("incident"), plain(incident.get("playbook", "")), *keys) + ":"
        status = incident.get("status")
        if former is None:
            shadow = f"({words('shadow')})" if incident.get("shadow") else ""
            yield _joined(name, words("opened"), plain(status) if status else "", shadow)
        was: Mapping[str, Any] = (former or {}).get("steps") or {}
        for step, outcome in dict(incident.get("steps") or {}).items():
            if was.get(step) != outcome:
                yield _joined(name, plain(step), words(str(outcome)))
        if incident.get("ended") and not (former or {}).get("ended"):
            yield _joined(name, words("ended"))


def _chains(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, run in _pairs(before, after, "chains", "id"):
        shadow = f" ({words('shadow')})" if run.get("shadow") else ""
        name = f"{words('chain')} {plain(run.get('chain', ''))}{shadow}:"
        if former is None:
            yield _joined(name, words("began"))
        if former is None or (former.get("tier"), former.get("round")) != (run.get("tier"), run.get("round")):
            yield _joined(name, words("tier", tier=run.get("tier", "?"), tiers=run.get("tiers", "?")))
        # The same person may be asked again in a later round, with another code.
        was = {(a.get("person"), a.get("code")): a.get("outcome") for a in listed(former or {}, "asking")}
        for ask in listed(run, "asking"):
            outcome = str(ask.get("outcome", ""))
            if was.get((ask.get("person"), ask.get("code"))) != outcome:
                code = words("code", code=ask["code"]) if ask.get("code") and outcome == "asked" else ""
                yield _joined(name, plain(ask.get("person", "")), words(outcome), code)
    for run in _gone(before, after, "chains", "id"):
        shadow = f" ({words('shadow')})" if run.get("shadow") else ""
        yield _joined(f"{words('chain')} {plain(run.get('chain', ''))}{shadow}:", words("over"))


def _broadcasts(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, one in _pairs(before, after, "broadcasts", "id"):
        state = broadcast_state(one)
        if former is None or broadcast_state(former) != state:
            name = f"{words('broadcast')} {plain(one.get('group', ''))} ({words(str(one.get('kind', '')))}):"
            yield _joined(name, words(state), plain(one.get("by", "")))


def _tasks(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, task in _pairs(before, after, "tasks", "id"):
        name = _joined(words("task"), plain(task.get("step", ""))) + ":"
        if former is None:
            yield _joined(name, plain(task.get("who", "")))
        if task.get("late") and not (former or {}).get("late"):
            yield _joined(name, plain(task.get("who", "")), words("late"))


def _deliveries(before: Picture, after: Picture, words: Words) -> Iterator[str]:
    for former, delivery in _pairs(before, after, "deliveries", "order"):
        outcome = str(delivery.get("outcome", ""))
        # That it waits is told only when it comes to wait again: first, everything waits for a moment.
        if outcome == ((former or {}).get("outcome") or "waiting"):
            continue
        to = words("to", channel=delivery.get("channel", ""), to=addressee(delivery, words))
        yield _joined(to, words(outcome), *(plain(delivery.get(k) or "") for k in ("message", "reason")))


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)
