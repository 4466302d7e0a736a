"""Before an exercise with real people: whom it would call, found by playing it in virtual time. Pure but for that."""

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from hub.config import Config
from hub.drill.behaviour import Reaction
from hub.drill.play import Given, Play
from hub.drill.stage import AFTER_S, EVERYONE, perform
from hub.drill.timeline import What
from hub.model.message import Verb
from hub.playbook.language import Mode


class Concerned(Struct, frozen=True, kw_only=True):
    """Somebody whom an exercise reaches. `asked`: an answer is wanted of them."""

    person: str
    channels: tuple[str, ...]
    asked: bool


def concerned(config: Config, play: Play, now: datetime) -> list[Concerned]:
    """Everybody whom the exercise may reach from now on, those who are asked first: as it would go where nobody
    answers, and where everybody does. Raises CannotPlay."""
    real = replace(
        play,
        at=now.astimezone(ZoneInfo(config.hub.zone)).replace(tzinfo=None),
        on_duty={},
        people={},
        steps={},
        channels={},
        hub=None,
        given=tuple(_as_real(one, next(iter(play.sheets or ()), None)) for one in play.given),
        lasts_s=max((one.after_s for one in play.given), default=0.0) + AFTER_S,
        sheets=None,
        exercise=True,
    )
    eager = replace(real, people={EVERYONE: (Reaction(verb=Verb.ACCEPT),)})
    channels: dict[str, dict[str, None]] = {}
    asked: set[str] = set()
    for one in (real, eager):
        for moment in perform(config, one).of(What.GOT):
            channels.setdefault(moment.person, {})[moment.channel] = None
            if moment.ask and not moment.own:
                asked.add(moment.person)
    found = [Concerned(person=p, channels=tuple(by), asked=p in asked) for p, by in channels.items()]
    return sorted(found, key=lambda one: not one.asked)


def _as_real(given: Given, sheet: str | None) -> Given:
    """What officers do in a scenario is left to those who take part: it never happens here, and keeps its number."""
    form = given.form
    acts = form.left or form.ends
    named = replace(form, sheet=form.sheet or sheet) if form.start is not None else form
    return replace(given, form=named, after_s=float("inf") if acts else given.after_s)


def not_live(config: Config, play: Play) -> list[str]:
    """Sheets that the play names and the running hub does not act on."""
    named = {*(play.sheets or ()), *(one.form.sheet for one in play.given if one.form.sheet)}
    return sorted(sheet.name for sheet in config.playbooks if sheet.name in named and sheet.mode is not Mode.LIVE)
