"""The live view as a screen: a picture in, something rich can draw out. Pure: no clock, no terminal.

What matters most stands first and is cut last: troubles, alarms, chains with their countdown, incidents, tasks, then
deliveries and sources. Every state is a word as well as a colour. Nothing in a picture is read as markup.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from msgspec import Struct
from rich.align import Align
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hub.view.glance import Picture, countdown, instant, listed, plain, seconds_left
from hub.view.words import Words

WIDE = 110  # columns from which on two stand side by side
CELL_MAX = 40  # columns; only the flexible cell of a row is wider
BRUSSELS = ZoneInfo("Europe/Brussels")

_STYLES = {
    "ok": "green",
    "delivered": "green",
    "accepted": "bold green",
    "done": "green",
    "sent": "cyan",
    "asked": "bold yellow",
    "being sent": "yellow",
    "waiting": "yellow",
    "retry": "yellow",
    "under way": "yellow",
    "silent": "yellow",
    "expiring": "yellow",
    "behind": "yellow",
    "late": "bold red",
    "failing": "bold red",
    "failed": "bold red",
    "unreachable": "bold red",
    "exhausted": "bold red",
    "declined": "red",
    "not sent": "dim",
    "would be asked": "dim",
    "expired": "red",
}
_HEALTH_ORDER = {"failing": 0, "silent": 1, "expiring": 2, "?": 3, "ok": 4}

Cell = tuple[str, str]
"""A text and its style."""


class Section(Struct, frozen=True):
    """A part of the screen: a title and rows of cells. `newest_last`: when cut, the first rows go."""

    title: str
    rows: Sequence[Sequence[Cell]]
    flexible: int  # the column that takes what room is left, and is cut first
    newest_last: bool = False


def screen(
    picture: Picture,
    words: Words,
    *,
    width: int,
    height: int,
    hints: Sequence[str] = (),
    zone: tzinfo = BRUSSELS,
) -> RenderableType:
    """The whole view for a terminal of `width` columns and `height` lines. `hints`: what to do, at the bottom."""
    head = [*_banners(picture, words, zone)]
    foot = [Text(plain(hint), style="bold", no_wrap=True, overflow="ellipsis") for hint in hints]
    room = max(6, height - len(head) - len(foot))
    left = [_alarms(picture, words, zone), _chains(picture, words), _incidents(picture, words), _tasks(picture, words)]
    left[1:1] = [
        _channels(picture, words, zone),
        _followers(picture, words, zone),
        _silences(picture, words, zone),
        _broadcasts(picture, words),
    ]
    right = [_sources(picture, words), _deliveries(picture, words, zone)]
    optional = [words(name) for name in ("alarms", "channels", "followers", "tasks", "silences", "broadcasts")]
    left = [section for section in left if section.rows or section.title not in optional]
    if width < WIDE:
        return Group(*head, *_fitted([*left, right[1], right[0]], words, room), *foot)
    columns = Table.grid(expand=True, padding=(0, 1))
    columns.add_column(ratio=1)
    columns.add_column(ratio=1)
    columns.add_row(Group(*_fitted(left, words, room)), Group(*_fitted(right, words, room)))
    return Group(*head, columns, *foot)


# --- the banners ----------------------------------------------------------------------------------------------


def _banners(picture: Picture, words: Words, zone: tzinfo) -> list[RenderableType]:
    now = instant(picture.get("now"))
    time = f"{words('hub_time')} {when(now, words, zone)}" if now else ""
    node = plain(picture.get("node") or "Vigie")
    lines: list[RenderableType] = []
    if picture.get("playback"):
        lines.append(_banner(f"{words('exercise')}   {time}", "bold black on yellow"))
        lines.append(_banner(words("exercise_why"), "black on yellow"))
    else:
        lines.append(_banner(f"{node}   {time}", "bold"))
    if picture.get("trouble"):
        lines.append(_banner(words("trouble", why=picture["trouble"]), "bold white on red"))
    if picture.get("lost"):
        lines.append(_banner(words("lost", why=picture["lost"]), "bold white on red"))
    stopped = picture.get("stopped")
    if stopped:
        said = words("stopped", by=stopped.get("by", ""), why=stopped.get("why", ""))
        lines.append(_banner(said, "bold white on red"))
    return lines


def _banner(text: str, style: str) -> Align:
    return Align.center(Text(text, style=style, no_wrap=True, overflow="ellipsis"), style=style)


def when(at: datetime, words: Words, zone: tzinfo) -> str:
    """A date and time as people of that language write it."""
    return format_datetime(at, "EEE d MMM y, HH:mm:ss", tzinfo=zone, locale=words.language)


# --- the sections ---------------------------------------------------------------------------------------------


def _alarms(picture: Picture, words: Words, zone: tzinfo) -> Section:
    rows = [
        (
            (_clock(alarm.get("at"), zone), "red"),
            (plain(alarm.get("what", "")), "bold white on red"),
            (" ".join(plain(alarm.get(k) or "") for k in ("about", "detail")).strip(), "red"),
        )
        for alarm in listed(picture, "alarms")
    ]
    return Section(words("alarms"), rows, flexible=2)


def _channels(picture: Picture, words: Words, zone: tzinfo) -> Section:
    """Those in trouble."""
    rows: list[Sequence[Cell]] = []
    for channel in listed(picture, "channels"):
        health = str(channel.get("health", ""))
        if health == "ok":
            continue
        told = [words("from", time=_clock(channel.get("since"), zone))]
        told += [words("people", n=channel["people"])] if channel.get("people") else []
        told += [words("meanwhile", channel=channel["meanwhile"])] if channel.get("meanwhile") else []
        rows.append(
            (
                (words(health), _style(health)),
                (plain(channel.get("name", "")), "bold"),
                (" · ".join([*told, plain(channel.get("reason") or "")]).strip(" ·"), "red"),
            )
        )
    return Section(words("channels"), rows, flexible=2)


def _followers(picture: Picture, words: Words, zone: tzinfo) -> Section:
    """Those in trouble, and those who are a minute behind or more."""
    rows: list[Sequence[Cell]] = []
    for follower in listed(picture, "followers"):
        health = follower_state(follower)
        if health == "ok":
            continue
        minutes = int(float(follower.get("behind_s") or 0) // 60)
        told = [words("from", time=_clock(follower.get("since"), zone))] if follower.get("since") else []
        told += [words("behind_by", min=minutes)] if minutes else []
        rows.append(
            (
                (words(health), _style(health)),
                (plain(follower.get("name", "")), "bold"),
                (" · ".join([*told, plain(follower.get("reason") or "")]).strip(" ·"), "red"),
            )
        )
    return Section(words("followers"), rows, flexible=2)


def follower_state(follower: Picture) -> str:
    """A word of hub/view/words.py."""
    late = float(follower.get("behind_s") or 0) >= 60
    health = str(follower.get("health", ""))
    return "behind" if health == "ok" and late else health


def _silences(picture: Picture, words: Words, zone: tzinfo) -> Section:
    rows: list[Sequence[Cell]] = []
    for silence in listed(picture, "silences"):
        until = words("until", time=_moment(silence.get("until"), words, zone))
        if not silence.get("holds"):
            until = f"{words('from', time=_moment(silence.get('start'), words, zone))} {until}"
        what = ", ".join(plain(part) for part in silence.get("what") or ()) or "*"
        held = len(silence.get("held_back") or ())
        rows.append(
            (
                (what, "bold"),
                (until, "yellow"),
                (f"{plain(silence.get('by', ''))}: {plain(silence.get('why', ''))}", ""),
                (words("held_back", n=held) if held else "", "bold yellow"),
            )
        )
    return Section(words("silences"), rows, flexible=2)


def _broadcasts(picture: Picture, words: Words) -> Section:
    rows: list[Sequence[Cell]] = []
    for one in listed(picture, "broadcasts"):
        if one.get("outcome") in ("lapsed", "discarded"):
            continue
        state = broadcast_state(one)
        counts = [
            f"{plain(channel)} {', '.join(f'{n} {words(outcome)}' for outcome, n in found.items() if n)}"
            for channel, found in (one.get("channels") or {}).items()
        ]
        meant = [f"{plain(channel)} {n}" for channel, n in (one.get("people") or {}).items()]
        rows.append(
            (
                (f"{words(str(one.get('kind', '')))} {plain(one.get('group', ''))}", "bold"),
                (words(state), "green" if state == "done" else "bold yellow"),
                (" · ".join(counts or meant), ""),
                (plain(one.get("by", "")), ""),
            )
        )
    return Section(words("broadcasts"), rows, flexible=2)


def broadcast_state(one: Picture) -> str:
    """A word of hub/view/words.py."""
    if one.get("outcome"):
        return "cut short" if one["outcome"] == "stopped" else str(one["outcome"])
    if one.get("began_at") is None:
        return "waits for release"
    return "held" if one.get("held") else "going out"


def _moment(value: Any, words: Words, zone: tzinfo) -> str:
    """`Fri 27 Nov, 08:00`."""
    at = instant(value)
    return format_datetime(at, "EEE d MMM, HH:mm", tzinfo=zone, locale=words.language) if at else "?"


def _chains(picture: Picture, words: Words) -> Section:
    now = instant(picture.get("now"))
    sheets = {i.get("id"): plain(i.get("playbook", "")) for i in listed(picture, "incidents")}
    rows: list[Sequence[Cell]] = []
    for run in listed(picture, "chains"):
        place = words("tier", tier=run.get("tier", "?"), tiers=run.get("tiers", "?"))
        if int(run.get("round") or 1) > 1:
            place += f", {words('round', round=run['round'])}"
        if run.get("held"):
            place += f", {words('held')}"
        if run.get("shadow"):
            place += f", {words('shadow')}"
        need = ", ".join(plain(part) for part in (run.get("need", "?"), *(run.get("roles") or ())))
        filled = words("accepted_of", accepted=len(run.get("accepted") or ()), need=need)
        sheet = sheets.get(run.get("incident"), "")
        rows.append(((plain(run.get("chain", "")), "bold"), (place, "bold"), (filled, "bold"), (sheet, "")))
        rows += [_ask(ask, now, words) for ask in listed(run, "asking")]
        more = run.get("more") or {}
        if any(more.values()):
            rows.append(
                ((f"  {words('more_asked', open=more.get('open'), closed=more.get('closed'))}", ""), *[("", "")] * 3)
            )
    return Section(words("chains"), rows, flexible=3)


def _ask(ask: Picture, now: datetime | None, words: Words) -> Sequence[Cell]:
    outcome = str(ask.get("outcome", ""))
    ways = ", ".join(
        f"{plain(w.get('channel', ''))} {words(str(w.get('state', '')))}".strip() for w in listed(ask, "by")
    )
    left: list[str] = []
    next_s, until_s = seconds_left(ask.get("next_channel"), now), seconds_left(ask.get("until"), now)
    if next_s is not None:
        left.append(words("next_in", left=countdown(next_s)))
    if until_s is not None:
        left.append(words("left", left=countdown(until_s)))
    code = f", {words('code', code=ask['code'])}" if ask.get("code") else ""
    return (
        (f"  {plain(ask.get('person', ''))}", ""),
        (words(outcome) + code, _style(outcome)),
        (" · ".join(left), "bold yellow"),
        (ways, ""),
    )


def _incidents(picture: Picture, words: Words) -> Section:
    rows = []
    for incident in sorted(listed(picture, "incidents"), key=lambda i: bool(i.get("ended"))):
        state = words("ended" if incident.get("ended") else "under way")
        if incident.get("shadow"):
            state += f", {words('shadow')}"
        steps = [f"{plain(k)} {words(str(v))}" for k, v in dict(incident.get("steps") or {}).items()]
        told = [words.signals(int(incident.get("signals") or 0))]
        if incident.get("reached"):
            told.append(words("reached", n=incident["reached"]))
        name = " ".join([plain(incident.get("playbook", "")), *(plain(k) for k in incident.get("key") or ())])
        rows.append(
            (
                (name, "bold" if not incident.get("ended") else "dim"),
                (state, "bold yellow" if not incident.get("ended") else "dim"),
                (" · ".join([*told, *steps]), ""),
            )
        )
    return Section(words("incidents"), rows, flexible=2)


def _tasks(picture: Picture, words: Words) -> Section:
    now = instant(picture.get("now"))
    rows = []
    for task in listed(picture, "tasks"):
        left = seconds_left(task.get("due"), now)
        due = words("due_in", left=countdown(left)) if left else ""
        rows.append(
            (
                (plain(task.get("step", "")), ""),
                (plain(task.get("who", "")), ""),
                (words("late"), "bold red") if task.get("late") else (due, ""),
            )
        )
    return Section(words("tasks"), rows, flexible=1)


def _sources(picture: Picture, words: Words) -> Section:
    def order(source: Picture) -> tuple[int, float, str]:
        at = instant(source.get("at"))
        return (
            _HEALTH_ORDER.get(str(source.get("health")), 0),
            -at.timestamp() if at else 0.0,
            str(source.get("name")),
        )

    rows = [
        (
            (words(str(source.get("health", "?"))), _style(str(source.get("health", "")))),
            (plain(source.get("name", "")) + (f" ({words('shadow')})" if source.get("shadow") else ""), ""),
            (words.signals(int(source.get("signals") or 0)) if source.get("signals") else "", ""),
            (plain(source.get("reason") or ""), "red"),
        )
        for source in sorted(listed(picture, "sources"), key=order)
    ]
    return Section(words("sources"), rows, flexible=3)


def _deliveries(picture: Picture, words: Words, zone: tzinfo) -> Section:
    rows = [
        (
            (_clock(delivery.get("at"), zone), "dim"),
            (words("to", channel=delivery.get("channel", ""), to=addressee(delivery, words)), ""),
            (words(str(delivery.get("outcome", ""))), _style(str(delivery.get("outcome", "")))),
            (" ".join(plain(delivery.get(k) or "") for k in ("message", "reason")).strip(), ""),
        )
        for delivery in listed(picture, "deliveries")
    ]
    return Section(words("deliveries"), rows, flexible=3, newest_last=True)


def addressee(delivery: Picture, words: Words) -> str:
    """The person's id, or how many people; in shadow with the languages they would read."""
    to = plain(delivery.get("to", ""))
    number, _, rest = to.partition(" ")
    language = f" ({plain(delivery['language'])})" if delivery.get("language") else ""
    return (words("people", n=number) if rest == "people" and number.isdigit() else to) + language


def _clock(value: Any, zone: tzinfo) -> str:
    at = instant(value)
    return f"{at.astimezone(zone):%H:%M:%S}" if at else ""


def _style(state: str) -> str:
    return _STYLES.get(state, "")


# --- fitting it in --------------------------------------------------------------------------------------------


def _fitted(sections: Sequence[Section], words: Words, room: int) -> list[RenderableType]:
    """The sections in `room` lines: each gets its title and what it needs, the earlier ones first, none nothing."""
    left = room - len(sections)  # a title each
    rows = [0] * len(sections)
    for share in (2, room):
        for index, section in enumerate(sections):
            more = max(0, min(len(section.rows) - rows[index], share, left))
            rows[index] += more
            left -= more
    drawn: list[RenderableType] = []
    for section, lines in zip(sections, rows, strict=True):
        drawn += _drawn(section, words, lines)
    return drawn


def _drawn(section: Section, words: Words, lines: int) -> list[RenderableType]:
    title = Text(section.title, style="bold underline", no_wrap=True, overflow="ellipsis")
    if not section.rows:
        title.append(f"  {words('none')}", style="not bold not underline dim")
        return [title]
    shown = section.rows
    if len(shown) > lines:
        title.append(f"  … {words('more', n=len(shown) - lines)}", style="not bold not underline dim")
        shown = shown[len(shown) - lines :] if section.newest_last else shown[:lines]
    if not shown:
        return [title]
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    for index in range(len(shown[0])):
        flexible = index == section.flexible
        table.add_column(
            no_wrap=True, overflow="ellipsis", ratio=1 if flexible else None, max_width=None if flexible else CELL_MAX
        )
    for row in shown:
        table.add_row(*(Text(text, style=style) for text, style in row))
    return [title, table]
