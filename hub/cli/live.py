"""`vigie drill --live`: an exercise with real people through the running hub, and its debriefing."""

import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import trio
import typer
from msgspec.structs import replace

from hub.cli import say
from hub.cli.acts import NoAnswer, ask, request
from hub.cli.drill import Found, find, names_in, present
from hub.cli.setting import checked, journal_of
from hub.config import Config
from hub.drill.past import Past
from hub.drill.play import Given
from hub.drill.rehearsal import concerned, not_live
from hub.drill.signals import CannotPlay, Sending, believed
from hub.drill.stage import AFTER_S, rules_of
from hub.drill.story import Names, story_of
from hub.drill.tell import console, lines
from hub.drill.timeline import What
from hub.drill.words import DrillWords
from hub.journal import JournalError
from hub.journal.reader import Reader, open_reader
from hub.model.signal import Reference, Signal

LOOK_EVERY_S = 0.5
STILL_S = 5.0  # nothing of the exercise is under way for so long: it is over
CLEAR_S = 60.0  # how long its all-clears may take at the end


def live(
    wanted: str,
    folder: Path,
    *,
    data: Path | None,
    test: str,
    page: Path | None,
    language: str,
    as_json: bool,
    speed: float,
    by: str,
    yes: bool,
) -> None:
    """Exits 1 where the exercise broke off, 2 where it could not begin."""
    config = checked(folder)
    found, words = find(config, wanted, test), DrillWords(language)
    if speed <= 0:
        say.could_not(f"--speed {speed:g}: is not above 0: 10 makes the pauses between what is given ten times shorter")
    if sleeping := not_live(config, found.play):
        say.could_not(f"{', '.join(sleeping)}: not live: in the running hub nothing would come of it")
    status = ask(config, "GET", "/api/status")
    if status["stopped"] is not None:
        say.could_not("everything is stopped in the running hub: nobody would be called: `vigie lift` first")
    now = msgspec.convert(status["now"], datetime)
    _agree(config, found, words, now, speed, yes)
    try:
        with open_reader(journal_of(config, data)) as reader:
            exercise = Exercise(config, found, words, reader, now, speed, by, quiet=as_json)
            trio.run(exercise.run)
    except JournalError as error:
        say.could_not(str(error))
    banner = words("exercise")
    notes = [words("real"), *exercise.notes]
    present(config, exercise.timeline, found.title, words, notes=notes, page=page, as_json=as_json, banner=banner)
    if exercise.problem:
        say.error(exercise.problem)
    say.done(bool(exercise.problem))


def _agree(config: Config, found: Found, words: DrillWords, now: datetime, speed: float, yes: bool) -> None:
    """Says who will be called, and asks whether to begin."""
    try:
        people = concerned(config, found.play, now)
    except CannotPlay as problem:
        say.could_not(str(problem))
    names = names_in(config, words.language)
    say.error(f"{found.title}: an EXERCISE with real people, through the running hub")
    for one in people:
        channels = ", ".join(words(channel) for channel in one.channels)
        say.error(f"  {'asked' if one.asked else 'told '}  {names.person(one.person)}: {channels}")
    asked = sum(one.asked for one in people)
    last = max((given.after_s for given in found.play.given), default=0.0) / speed
    say.error(f"{asked} may be asked, {len(people) - asked} told; the last thing is given after {last / 60:.0f} min.")
    say.error("As config/ has them: who was changed in the running hub since, is called as changed.")
    if yes:
        return
    if not sys.stdin.isatty():
        say.could_not("nobody can be asked here whether to begin: say --yes")
    if not typer.confirm("Begin?", err=True):
        say.could_not("not begun")


class Exercise:
    """One exercise. `problem`: why it broke off; `notes`: what of the scenario was left to people."""

    def __init__(
        self,
        config: Config,
        found: Found,
        words: DrillWords,
        reader: Reader,
        now: datetime,
        speed: float,
        by: str,
        *,
        quiet: bool,
    ) -> None:
        self.problem = ""
        self.notes: list[str] = []
        self._config, self._found, self._words = config, found, words
        self._speed, self._by = speed, by
        self._quiet = quiet
        self._start = now
        self._names: Names = names_in(config, words.language)
        self._sending = Sending(config, found.play)
        self._rules = rules_of(config, replace(found.play, sheets=None, on_duty={}, exercise=True))
        self._past = Past(reader, now, config.directory(), config.voices())
        self._told = 0
        self._stop = trio.Event()
        self._over = trio.CancelScope()
        self._given_all = False

    async def run(self) -> None:
        self._zero = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen)
            nursery.start_soon(self._follow)
            nursery.start_soon(self._give)
            nursery.start_soon(self._watch)
            await self._stop.wait()
            await self._end()
            nursery.cancel_scope.cancel()
        self._look()
        self.timeline = self._past.recorder.timeline(trio.current_time() - self._zero)

    def _now(self) -> datetime:
        return self._start + timedelta(seconds=trio.current_time() - self._zero)

    # -- what is given --

    async def _give(self) -> None:
        for nth, given in sorted(enumerate(self._found.play.given), key=lambda entry: entry[1].after_s):
            await trio.sleep_until(self._zero + given.after_s / self._speed)
            try:
                self._do(nth, given)
            except (NoAnswer, CannotPlay) as problem:
                self._break_off(f"given {nth + 1}: {problem}")
                return
        self._given_all = True

    def _do(self, nth: int, given: Given) -> None:
        form = given.form
        if form.start is not None:
            sheet = form.sheet or next(iter(self._found.play.sheets or ()), "")
            done = self._ask("/api/exercise/start", {"sheet": sheet, "by": form.by or self._by, "answers": form.start})
            self._note(done, What.SIGNAL, person=form.by or self._by, sheet=sheet, outcome="start")
        elif form.ends is not None:
            number = form.ends.rpartition(" ")[2]
            still = [incident for incident, over in self._past.incidents.items() if not over]
            at = int(number) - 1 if number.isdigit() else 0
            if at < len(still):
                self._close(still[at])
        elif form.left:
            self.notes.append(f"given {nth + 1} ({form.left}): left to those who take part")
        else:
            self._signals(nth)

    def _signals(self, nth: int) -> None:
        now = self._now()
        source, signals = self._sending.signals(nth, now)
        by_s = (now - signals[0].sent).total_seconds()
        for i, made in enumerate(signals):
            told = _moved(made, by_s, f"{self._start:%Y%m%dT%H%M%S}")
            body = {
                "by": self._by,
                "source": source if source in self._config.sources else "",
                "signal": {
                    "identifier": told.identifier,
                    "sender": told.sender,
                    "sent": told.sent,
                    "msg_type": told.msg_type.value,
                    "references": told.references,
                    "infos": told.infos,
                },
            }
            done = self._ask("/api/exercise/signals", body)
            headline = next((info.headline or info.event for info in told.infos), "")
            kind = told.msg_type.value.lower()
            self._note(done, What.SIGNAL, channel=source, outcome=kind, detail=headline, nth=nth + 1, round=i + 1)
            met = self._rules.match(believed(self._config, told, source, now), now)
            self._past.recorder.matched(now, nth + 1, i + 1, met)

    def _ask(self, path: str, body: dict[str, Any]) -> str:
        # Not in a thread: nothing else looks at the journal before it is known that this fact is the exercise's.
        done: dict[str, str] = request(self._config, "POST", path, body)
        self._past.facts.add(done["id"])
        return done["id"]

    def _note(self, fact: str, what: What, **more: object) -> None:
        self._past.recorder.note(self._now(), what, **more)

    # -- what comes of it --

    async def _follow(self) -> None:
        while True:
            self._look()
            await trio.sleep(LOOK_EVERY_S)

    def _look(self) -> None:
        self._past.follow()
        if self._quiet:
            return
        timeline = self._past.recorder.timeline(0.0)
        items = story_of(timeline, "", self._words, self._names).items
        if len(items) > self._told:
            before = items[self._told - 1] if self._told else None
            console().print(lines(items[self._told :], self._words, before))
            self._told = len(items)

    async def _watch(self) -> None:
        """Over when nothing is under way any more, at most an hour after the last thing was given."""
        last_s = max((given.after_s for given in self._found.play.given), default=0.0) / self._speed
        ends = self._zero + last_s + AFTER_S
        still = trio.current_time()
        while trio.current_time() < ends and not self._stop.is_set():
            if not self._given_all or self._past.busy:
                still = trio.current_time()
            elif trio.current_time() - still >= STILL_S:
                break
            await trio.sleep(LOOK_EVERY_S)
        self._stop.set()

    async def _listen(self) -> None:
        """Ctrl-C ends the exercise; a second one leaves it as it is."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if self._stop.is_set():
                    self.problem = "left before all its incidents had ended: see `vigie status`"
                    self._over.cancel()
                else:
                    say.error("the exercise ends: who was reached is told so (once more to leave at once)")
                    self._stop.set()

    def _break_off(self, problem: str) -> None:
        self.problem = problem
        self._stop.set()

    # -- the end --

    async def _end(self) -> None:
        """Ends its incidents, and waits until those who were reached have been told."""
        self._over.deadline = trio.current_time() + CLEAR_S
        with self._over:
            self._past.follow()
            for incident, over in list(self._past.incidents.items()):
                if not over:
                    self._close(incident)
            while self._past.busy or not all(self._past.incidents.values()):  # noqa: ASYNC110 # the journal tells nobody
                await trio.sleep(LOOK_EVERY_S)
            await trio.sleep(LOOK_EVERY_S)
        if not all(self._past.incidents.values()):
            self.problem = self.problem or "not all its incidents have ended: see `vigie status`, and `vigie end`"

    def _close(self, incident: str) -> None:
        try:
            body = {"by": self._by, "why": "the exercise is over"}
            request(self._config, "POST", f"/api/incidents/{incident}/end", body)
        except NoAnswer as problem:
            self.problem = self.problem or f"incident {incident} was not ended: {problem}"


def _moved(signal: Signal, by_s: float, run: str) -> Signal:
    """The signal as of now, by a name that no earlier exercise had."""
    by = timedelta(seconds=by_s)

    def later(at: datetime | None) -> datetime | None:
        return at + by if at is not None else None

    infos = tuple(
        replace(info, effective=later(info.effective), onset=later(info.onset), expires=later(info.expires))
        for info in signal.infos
    )
    references = tuple(Reference(r.sender, f"{run} {r.identifier}", later(r.sent)) for r in signal.references)
    return replace(
        signal, identifier=f"{run} {signal.identifier}", sent=signal.sent + by, infos=infos, references=references
    )
