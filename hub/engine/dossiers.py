"""Dossiers: which signals are filed in them, what they count, which incidents belong to them, when there is more of a
theme than usual. What several signals tell is one story and counts once.

What takes nothing back by itself: a sender's Cancel (it was told, and often is over). What does, and says so: an
officer's word that a story is improbable (it counts no more; a rise that was told stays told), and `dossier remove`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.engine import rise
from hub.engine.dossier_state import Dossier, FiledStory
from hub.engine.names import signal_name
from hub.engine.work import Work
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import made_at
from hub.model.signal import VIGIE, MsgType, Signal, Status
from hub.model.trust import Credibility
from hub.playbook.dossiers import Rise

SAME, EXERCISE, TEST, TRIAL, BACKLOG, IMPROBABLE = "same", "exercise", "test", "trial", "backlog", "improbable"
_NOT_REAL = frozenset({EXERCISE, TEST, TRIAL, BACKLOG})
DOSSIER = "dossier"  # the parameter of a rise's signal that names it


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """A signal to be filed. `stories`: by what its story may be known already, the first of them its own name for it;
    `day`: local; `apart`: why it does not count. `by`, `why`: of the officer who adds it."""

    signal: str
    stories: tuple[str, ...]
    day: date
    places: tuple[str, ...] = ()
    apart: str = ""
    by: str = ""
    why: str = ""


# --- what a signal is to a dossier -------------------------------------------------------------------------


def stories_of(signal: Signal) -> tuple[str, ...]:
    """By what the story of a signal is known again: the story it was compared into, the sender's own message, and those
    it refers to. The first is the name that it is filed under."""
    own = signal_name(signal.source, signal.sender, signal.identifier)
    before = (
        signal_name(signal.source, ref.sender, ref.identifier)
        for ref in signal.references
        if ref.sender == signal.sender
    )
    story = (signal.backing.story,) if signal.backing is not None else ()
    return tuple(dict.fromkeys((*story, own, *before)))


def places_of(signal: Signal) -> tuple[str, ...]:
    """The centre's areas that it touches, or names."""
    return tuple(dict.fromkeys(place for info in signal.infos for area in info.areas for place in area.places))


def apart_of(signal: Signal, *, trial: bool = False, backlog: bool = False) -> str:
    """Why a signal does not count; `""` where it does."""
    if signal.status is not Status.ACTUAL:
        return EXERCISE if signal.status is Status.EXERCISE else TEST
    if trial or backlog:
        return TRIAL if trial else BACKLOG
    denies = signal.backing is not None and signal.backing.denies
    return IMPROBABLE if denies or signal.credibility is Credibility.IMPROBABLE else ""


def rise_name(dossier: str, day: date) -> str:
    """The identifier of the signal that tells a rise: one for each dossier and day."""
    return f"{DOSSIER} {dossier} {day.isoformat()}"


def day_of(w: Work, at: datetime) -> date:
    """The local day of an instant."""
    return at.astimezone(ZoneInfo(w.rules.zone)).date()


# --- what is in force --------------------------------------------------------------------------------------


def look(w: Work) -> None:
    """The dossiers may be others: new ones begin to count, those that are gone are closed. What was counted by another
    `when`, or with days missing, is not compared with what comes."""
    today = day_of(w, w.now)
    for name, dossier in w.rules.dossiers.items():
        known = w.state.dossiers.get(name)
        if known is not None and known.version == dossier.version and not known.closed:
            continue
        goes_on = known is not None and known.version == dossier.version and today.toordinal() - known.closed <= 1
        since = date.fromordinal(known.since) if known is not None and goes_on else today
        w.emit(e.DossierOpened(dossier=name, version=dossier.version, since=since))
    for name, known in w.state.dossiers.items():
        if name not in w.rules.dossiers and not known.closed:
            w.emit(e.DossierClosed(dossier=name, day=today))


# --- filing ------------------------------------------------------------------------------------------------


def received(w: Work, signal_id: str, signal: Signal, body: r.SignalReceived, met: Sequence[str]) -> None:
    """A signal came in, and its incidents are known. What the hub itself says of a dossier belongs to none."""
    if signal.source == VIGIE:
        _told(w, signal_id, signal)
    elif signal.msg_type is MsgType.CANCEL:
        _cancelled(w, signal_id, signal)
    elif met:
        apart = apart_of(signal, trial=body.shadow, backlog=body.baseline)
        _file_all(w, signal_id, signal, w.now, met, apart)


def regraded(w: Work, signal: Signal, met: Sequence[str]) -> None:
    """An officer has said how far a signal is to be believed: dossiers that asked for more take it, on the day on which
    it came."""
    stories = stories_of(signal)
    new = [name for name in met if name in w.state.dossiers and not _known(w.state.dossiers[name], stories)]
    if signal.source != VIGIE and new:
        at = datetime.fromtimestamp(made_at(signal.id), UTC) if signal.id else w.now
        _file_all(w, signal.id, signal, at, new, apart_of(signal))
    for name, known in w.state.dossiers.items():
        if known.stories and _known(known, stories):
            _link(w, name, stories)


def graded(w: Work, body: r.SignalGraded, signal: Signal) -> None:
    """What an officer says is improbable counts no more; said otherwise, it counts again."""
    stories = (*stories_of(signal), body.signal)
    improbable = signal.credibility is Credibility.IMPROBABLE
    for name, dossier in w.state.dossiers.items():
        story = _known(dossier, stories) if dossier.stories else ""
        if not story:
            continue
        apart = dossier.stories[story].apart
        if (improbable and not apart) or (apart == IMPROBABLE and not improbable):
            now = IMPROBABLE if improbable else ""
            w.emit(e.Recounted(dossier=name, story=story, signal=body.signal, apart=now, by=body.by))


def _file_all(w: Work, signal_id: str, signal: Signal, at: datetime, met: Sequence[str], apart: str) -> None:
    item = Item(signal=signal_id, stories=stories_of(signal), day=day_of(w, at), places=places_of(signal), apart=apart)
    for name in met:
        known = w.state.dossiers.get(name)
        if known is not None and not known.closed:
            _file(w, name, known, item)


def _file(w: Work, name: str, dossier: Dossier, item: Item) -> None:
    known = _known(dossier, item.stories)
    before = dossier.stories.get(known) if known else None
    if before is not None and before.removed and not item.by:
        return  # an officer took it out
    again = before is not None and (before.counts or bool(item.apart))
    last = max(dossier.days, default=dossier.since)
    w.emit(
        e.Filed(
            dossier=name,
            signal=item.signal,
            story=known or item.stories[0],
            day=item.day,
            apart=SAME if again and not item.apart else item.apart,
            places=item.places,
            by=item.by,
            why=item.why,
        )
    )
    if item.apart not in _NOT_REAL:
        _link(w, name, item.stories)
    if not again and not item.apart:
        _look_for_rise(w, name, dossier, last)


def _known(dossier: Dossier, stories: Iterable[str]) -> str:
    return next((story for story in stories if story in dossier.stories), "")


def _link(w: Work, name: str, stories: Iterable[str]) -> None:
    """The incidents in earnest that a story is in."""
    dossier = w.state.dossiers[name]
    for story in stories:
        for incident in (*w.state.signals.get(story, ()), *w.state.stories.get(story, ())):
            if incident not in dossier.incidents and w.state.incidents[incident].status is Status.ACTUAL:
                w.emit(e.DossierLinked(dossier=name, incident=incident))


def _cancelled(w: Work, signal_id: str, signal: Signal) -> None:
    stories = stories_of(signal)
    for name, dossier in w.state.dossiers.items():
        story = _known(dossier, stories) if dossier.stories else ""
        if story:
            w.emit(e.FiledCancelled(dossier=name, story=story, signal=signal_id))


# --- rises -------------------------------------------------------------------------------------------------


def fell_back(dossier: Dossier, asked: Rise, last: int, today: int) -> int:
    """The first day from `last` to today on which a rise was no more; 0 while it goes on."""
    for day in range(last, today + 1):
        now = rise.level(dossier.days, dossier.since, day, asked)
        if now is None or now.fell_back:
            return day
    return 0


def _look_for_rise(w: Work, name: str, dossier: Dossier, last: int) -> None:
    """`last`: the newest day that anything was counted on before: since then there was less each day, so that it is
    among the days from then on that a rise was over."""
    asked = w.rules.dossiers[name].rise if name in w.rules.dossiers else None
    if asked is None:
        return
    today = day_of(w, w.now)
    if dossier.rising is not None:
        over = fell_back(dossier, asked, last, today.toordinal())
        if not over:
            return
        w.emit(e.FellBack(dossier=name, day=date.fromordinal(over)))
    now = rise.level(dossier.days, dossier.since, today.toordinal(), asked)
    if now is None or not now.rises or dossier.rose == today.toordinal():
        return
    w.emit(
        e.Rose(dossier=name, day=today, span=asked.days, count=now.count, usual=round(now.usual, 2), spans=now.spans)
    )


def _told(w: Work, signal_id: str, signal: Signal) -> None:
    for name, dossier in w.state.dossiers.items():
        rising = dossier.rising
        if rising is not None and not rising.told and signal.identifier == rise_name(name, rising.event.day):
            w.emit(e.RiseTold(dossier=name, signal=signal_id))


# --- acts --------------------------------------------------------------------------------------------------


def added(w: Work, body: r.SignalFiled) -> None:
    dossier = w.state.dossiers.get(body.dossier)
    if dossier is None or dossier.closed:
        return
    item = Item(
        signal=body.signal,
        stories=body.stories,
        day=day_of(w, body.at),
        places=body.places,
        apart=body.apart,
        by=body.by,
        why=body.why,
    )
    _file(w, body.dossier, dossier, item)


def removed(w: Work, body: r.SignalUnfiled) -> None:
    dossier = w.state.dossiers.get(body.dossier)
    story: FiledStory | None = dossier.stories.get(body.story) if dossier is not None else None
    if story is None or story.removed:
        return
    w.emit(e.Unfiled(dossier=body.dossier, story=body.story, signal=body.signal, by=body.by, why=body.why))


def noted(w: Work, fact: r.Fact, body: r.DossierNote) -> None:
    if body.dossier in w.state.dossiers:
        w.emit(e.DossierNoted(dossier=body.dossier, note=fact.id))


def linked(w: Work, body: r.IncidentLinked) -> None:
    dossier = w.state.dossiers.get(body.dossier)
    if dossier is not None and body.incident not in dossier.incidents:
        w.emit(e.DossierLinked(dossier=body.dossier, incident=body.incident, by=body.by, why=body.why))
