"""The signals of a drill: short ones as written, recorded ones as their source reads them, and what follows on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from hub.config import Config
from hub.connector import BadItem, SignalItem
from hub.dossiers.rises import OWN
from hub.drill.play import Given, Play, SignalForm, each_of
from hub.intake.beliefs import UNKNOWN, Trusted
from hub.intake.geography import Place
from hub.model.area import Area
from hub.model.people import Language
from hub.model.signal import VIGIE, Certainty, Info, MsgType, Named, Reference, Severity, Signal, Status, Urgency
from hub.model.trust import Credibility, Reliability

# What somebody says themselves.
BY_HAND = Trusted(reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE, compared=False)
SOURCE = "drill"  # where a signal comes from that names no source
GRADES = {f"{r}{c}": Trusted(reliability=r, credibility=c, compared=False) for r in Reliability for c in Credibility}


def trust_of(config: Config) -> dict[str, Trusted]:
    """How far each source is believed, by its name: those of the configuration, or by a grade in its place."""
    sources = {name: source.trusted for name, source in config.sources.items()}
    return {**GRADES, **sources, SOURCE: BY_HAND, VIGIE: OWN}


class CannotPlay(Exception):
    """What is given cannot be played: says what is wrong, and what would be right."""


def read_file(config: Config, given: Given) -> Sequence[Signal]:
    """The signals of a recorded file, as its source reads them. Raises CannotPlay."""
    source = config.sources.get(given.source)
    if source is None:
        known = ", ".join(sorted(config.sources))
        raise CannotPlay(f'{given.file}: whose file is it? Add "source: NAME" of {known}')
    items: Sequence[SignalItem | BadItem] = source.make.read(given.data, given.file, source.settings)
    signals = [item.signal for item in items if isinstance(item, SignalItem)]
    if not signals:
        bad = next((item.reason for item in items if isinstance(item, BadItem)), "there is no signal in it")
        raise CannotPlay(f"{given.file}: {bad}")
    return signals


def believed(
    config: Config, signal: Signal, source: str, now: datetime, trust: Mapping[str, Trusted] | None = None
) -> Signal:
    """The signal as the hub knows it, coming from that source: where it is, and how far the source is believed.
    `trust`: `trust_of(config)`, where it is at hand."""
    located = signal
    if config.geography is not None:
        located = config.geography.locate(signal, f"{now:%Y-%m-%d}")
    trusted = (trust or trust_of(config)).get(source, UNKNOWN)
    return replace(located, source=source, reliability=trusted.reliability, credibility=trusted.credibility)


def written(form: SignalForm, at: datetime, nth: str, places: Mapping[str, Place]) -> Signal:
    """A short signal, sent at `at`. An area of the centre's own stands under its name, as a sender would write it."""
    language = form.language or Language.FR
    info = Info(
        language=f"{language}-BE",
        categories=form.category,
        event=form.event or "",
        hazard=form.hazard,
        urgency=form.urgency or Urgency.UNKNOWN,
        severity=form.severity or Severity.UNKNOWN,
        certainty=form.certainty or Certainty.UNKNOWN,
        onset=None if form.begins_after is None else at + timedelta(seconds=form.begins_after),
        expires=None if form.lasts is None else at + timedelta(seconds=form.lasts),
        headline=form.headline or form.event or "",
        description=form.description or "",
        instruction=form.instruction or "",
        parameters=tuple(Named(name, value) for name, value in form.parameters.items()),
        areas=tuple(Area(description=_called(name, language, places)) for name in form.area),
    )
    return Signal(
        identifier=form.identifier or f"given-{nth}",
        sender=form.sender or form.source or SOURCE,
        sent=at,
        status=form.status or Status.ACTUAL,
        infos=(info,),
    )


def _called(name: str, language: Language, places: Mapping[str, Place]) -> str:
    place = places.get(name)
    return place.names[language] if place is not None else name


def cancel(of: Sequence[Signal], at: datetime, nth: str) -> Signal:
    """The sender withdraws all of it."""
    first = of[0]
    return replace(
        first,
        identifier=f"given-{nth}",
        sent=at,
        msg_type=MsgType.CANCEL,
        references=tuple(Reference(s.sender, s.identifier, s.sent) for s in of),
    )


def update(old: Signal, form: SignalForm, at: datetime, nth: str, places: Mapping[str, Place]) -> Signal:
    """The sender says it anew, with what has changed."""
    changes: dict[str, Any] = {}
    fresh = written(form, at, nth, places).infos[0]
    names = {"category": "categories", "area": "areas", "begins_after": "onset", "lasts": "expires"}
    for name in form.__struct_fields__:
        if getattr(form, name) not in (None, (), {}) and hasattr(fresh, names.get(name, name)):
            changes[names.get(name, name)] = getattr(fresh, names.get(name, name))
    return replace(
        old,
        identifier=f"given-{nth}",
        sent=at,
        msg_type=MsgType.UPDATE,
        references=(Reference(old.sender, old.identifier, old.sent),),
        infos=tuple(replace(info, **changes) for info in old.infos),
    )


class Sending:
    """Makes the signals of a play as they are given, one thing after the other: a thing given may withdraw or update an
    earlier one. Raises CannotPlay where a file cannot be read."""

    def __init__(self, config: Config, play: Play) -> None:
        self._config = config
        self._play = play
        self.files: dict[int, Sequence[Signal]] = {
            i: one.read or read_file(config, one) for i, one in enumerate(play.given) if one.form.file or one.read
        }
        self._sent: dict[int, list[Signal]] = {}  # given → what was sent

    def signals(self, nth: int, now: datetime) -> tuple[str, list[Signal]]:
        """The source and the signals of the nth thing given, from 0, sent now. Raises CannotPlay."""
        given = self._play.given[nth]
        form, source = given.form, given.source or SOURCE
        places = {} if self._config.geography is None else self._config.geography.places
        of = form.cancels if form.cancels is not None else form.updates
        earlier: Sequence[Signal] = ()
        if of is not None:
            earlier = self._sent.get(of - 1, [])
            source = self._play.given[of - 1].source or source
            if not earlier:
                raise CannotPlay(f"nothing was given under {of} before: things given are counted from 1")
        if form.cancels is not None:
            signals: Sequence[Signal] = [cancel(earlier, now, f"{nth + 1}")]
        elif form.updates is not None:
            signals = [update(earlier[-1], form.signal or SignalForm(), now, f"{nth + 1}", places)]
        elif nth in self.files:
            signals = self.files[nth]
        else:
            signals = [
                written(one, now, f"{nth + 1}-{i}" if i else f"{nth + 1}", places)
                for i, one in enumerate(each_of(form.signal or SignalForm(), form.one_for_each))
            ]
        self._sent[nth] = list(signals)
        return source, self._sent[nth]
