"""A sheet without a test: a signal made of its own conditions that just meets them, and nobody answers."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from hub.config import Config, SourceConfig
from hub.config.whole import fields_of
from hub.drill.play import Given, GivenForm, Play, SignalForm
from hub.drill.signals import SOURCE, CannotPlay, believed, written
from hub.model.people import Language
from hub.model.signal import CERTAINTIES, SEVERITIES, URGENCIES, Status
from hub.model.trust import at_least
from hub.playbook.language import Mode, Playbook, When
from hub.playbook.match import Matcher

T = TypeVar("T")

BEGIN = datetime(2026, 1, 14, 9, 0, tzinfo=UTC)  # an ordinary Wednesday
LASTS_S = 6 * 3600.0  # the signal is in force so long


def worst_case(config: Config, sheet: Playbook) -> Play:
    """Raises CannotPlay where no such signal can be made up and the sheet is not started by hand."""
    for when in sheet.when:
        form = _just_meets(config, sheet, when)
        if form is not None and _meets(config, sheet, form):
            return _play(sheet, GivenForm(signal=form))
    if sheet.by_hand is not None:
        answers = {field.name: _title(sheet) for field in sheet.by_hand.fields}
        return _play(sheet, GivenForm(start=answers, sheet=sheet.name))
    raise CannotPlay(
        f"{sheet.name}: no signal that meets it can be made up of its conditions (`where` cannot be guessed): "
        f"write one in {sheet.name}.test.yaml"
    )


def _play(sheet: Playbook, given: GivenForm) -> Play:
    source = given.signal.source or "" if given.signal is not None else ""
    lasts_s = LASTS_S + 3600.0
    return Play(
        name=_title(sheet),
        given=(Given(after_s=0.0, form=given, source=source),),
        lasts_s=lasts_s,
        sheets=(sheet.name,),
    )


def _title(sheet: Playbook) -> str:
    return sheet.title.get(Language.FR) or next(iter(sheet.title.values()), sheet.name)


def _just_meets(config: Config, sheet: Playbook, when: When) -> SignalForm | None:
    """None where no source is believed far enough."""
    source = _source(config, when)
    if source is None:
        return None
    return SignalForm(
        source=source or None,
        status=None if Status.ACTUAL in when.status else next(iter(when.status), None),
        category=when.categories[:1],
        hazard=next(iter(when.hazards), None),
        event=next(iter(when.event), None),
        headline=" ".join((_title(sheet), *when.words[:1])),
        urgency=_least(when.urgency, URGENCIES),
        severity=_least(when.severity, SEVERITIES),
        certainty=_least(when.certainty, CERTAINTIES),
        area=when.areas[:1],
        lasts=LASTS_S,
    )


def _meets(config: Config, sheet: Playbook, form: SignalForm) -> bool:
    places = {} if config.geography is None else config.geography.places
    signal = written(form, BEGIN, "1", places)
    matcher = Matcher([replace(sheet, mode=Mode.LIVE)])
    return bool(matcher.match(believed(config, signal, form.source or SOURCE, BEGIN), BEGIN))


def _least(asked: Iterable[T], order: tuple[T, ...]) -> T | None:
    return min(asked, key=order.index, default=None)


def _source(config: Config, when: When) -> str | None:
    """Of the sources that may say so the one that is believed least and still far enough. "": who types it in."""
    named = [name for name in when.sources or config.sources if name in config.sources]
    named = [name for name in named if _may_say(config.sources[name], when)]
    trusted = {name: config.sources[name].trusted for name in named}
    asked = when.trust
    enough = [
        name
        for name, one in trusted.items()
        if asked is None or at_least(one.reliability, one.credibility, asked.reliability, asked.credibility)
    ]
    if enough:
        return max(enough, key=lambda name: (trusted[name].reliability, trusted[name].credibility))
    return None if when.sources else ""


def _may_say(source: SourceConfig, when: When) -> bool:
    """A form is about one hazard and no other, and so is an API that always says the same; whatever else is listened to
    may say anything."""
    settings: Any = source.settings
    only = settings.hazard if fields_of([source]) else getattr(settings, "always", {}).get("hazard")
    return only is None or not when.hazards or only in when.hazards
