"""Reading commands: the journal beside a running hub, the configuration without one."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.cli import say
from hub.cli.changes import in_force
from hub.clock import wall
from hub.config import Config, made_to_ask
from hub.config.providers import first_serving
from hub.journal import JournalError
from hub.journal.reader import Reader, open_reader
from hub.people.chains import who as plan_of
from hub.playbook.form import channel_word
from hub.why import Trail, Unknown


def journal_of(path: Path) -> Reader:
    try:
        return open_reader(path)
    except JournalError as error:
        say.could_not(str(error))


def why(journal: Path, wanted: str, as_json: bool) -> None:
    with journal_of(journal) as reading:
        try:
            lines = Trail(reading).why(wanted)
        except Unknown as error:
            say.error(str(error))
            say.done(True)
    if as_json:
        say.json_line(lines)
    else:
        for text in lines:
            say.line(text)


def instant(text: str | None) -> datetime:
    """An instant with its offset, or now. Ends the command where it is none."""
    if text is None:
        return wall()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        say.could_not(f"{text}: no instant: write it as 2026-07-14T02:10:00+02:00")
    if at.tzinfo is None:
        say.could_not(f"{text}: has no offset: write it as 2026-07-14T02:10:00+02:00")
    return at.astimezone(UTC)


def who(config: Config, chain_id: str, at: datetime, as_json: bool) -> None:
    chain = config.chains.get(chain_id)
    if chain is None:
        say.could_not(f"{chain_id}: no such chain: there are {', '.join(sorted(config.chains))}")
    made = {name: made_to_ask(c.make, c.settings, name) for name, c in config.channels.items()}
    serving = partial(first_serving, config.routes, {name: channel for name, channel in made.items() if channel})
    plan = plan_of(chain, at, *in_force(config), serving)
    if as_json:
        say.json_line(plan)
    else:
        among = ", ".join(f"{role.count} of {role}" for role in plan.roles)
        local = at.astimezone(ZoneInfo(config.hub.zone))
        say.line(f"{chain_id} at {local:%Y-%m-%d %H:%M}: {plan.need} must accept{among and f', with {among}'}")
        for number, tier in enumerate(plan.tiers, 1):
            say.line(
                f"tier {number}, after {_span(tier.starts_s)}, {_span(tier.answer_s)} to answer"
                + (" each, one after the other" if tier.in_turn else "")
                + (f", {tier.times} times" if tier.times > 1 else "")
            )
            for person in tier.people:
                ways = ", then ".join(
                    f"{channel_word(way.channel)} {way.address}"
                    + (f" by {way.provider}" if way.provider else "")
                    + (f" after {_span(way.after_s)}" if way.after_s else "")
                    for way in person.ways
                )
                alone = " (one device only)" if person.one_device else ""
                say.line(f"  {person.id} ({person.name}, {person.language}): {ways}{alone}")
            for problem in tier.problems:
                say.error(f"  {problem.about}: {problem.what}")
        for problem in plan.problems:
            say.error(f"{problem.about}: {problem.what}")
        for trouble in plan.ahead:
            say.error(f"ahead: {trouble.detail}")
        rest = f", then {plan.exhausted}" if plan.exhausted else ""
        say.line(f"exhausted after {_span(plan.lasts_s)}{rest}: the alarm is raised in the room")
    say.done(bool(plan.problems or plan.ahead) or any(tier.problems for tier in plan.tiers))


def _span(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"
