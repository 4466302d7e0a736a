"""How far each signal is believed as it comes in: which story it tells, who else tells that, who denies it.

What is found out here is recorded with the signal, so that what follows from it is decided on records alone. The memory
itself is a day's; after a restart it is read back from the journal (`recall`).
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import structlog
from msgspec import Struct, field
from msgspec.structs import replace

from hub.intake.geography import Geography
from hub.intake.grading import Graded, Voice, grade
from hub.intake.origins import denies, origin_of
from hub.intake.stories import Stories, Told
from hub.journal import Journal
from hub.model import records as r
from hub.model.signal import MsgType, Signal
from hub.model.trust import Backing, Credibility, Reason, Reliability, Rule

WINDOW = timedelta(hours=24)
STORIES_MAX = 20_000
RECALLED_MAX = 5_000
# A source that says more than this is no teller of news, and comparing it all would hold up what is.
FLOOD, FLOOD_SPAN = 100, timedelta(seconds=10)
_PAGE = 500

_signal = msgspec.json.Decoder(Signal)
log = structlog.get_logger(__name__)


class Trusted(Struct, frozen=True, kw_only=True):
    """How far a source is believed: its reliability, and the credibility its information starts with. A new channel
    starts at F6. `origin`: whose word it is ("": its own; EACH_SENDER: that of each who speaks by it)."""

    reliability: Reliability = Reliability.F
    credibility: Credibility = Credibility.CANNOT_BE_JUDGED
    origin: str = ""
    shadow: bool = False  # on trial: it makes nobody act, and corroborates nothing
    compared: bool = True  # no: it is believed so far, whatever others tell


UNKNOWN = Trusted()


class _Story(Struct, gc=False):
    at: datetime
    voices: dict[str, Voice] = field(default_factory=dict)
    word: Reason | None = None


class Beliefs:
    """`trust`: by source; of others nothing is known. `areas`: the centre's own, by which stories are kept apart."""

    def __init__(self, trust: Mapping[str, Trusted], areas: Geography | None = None) -> None:
        self._trust = trust
        within = {place: areas.lies_in(place) for place in areas.places} if areas is not None else {}
        names = {place.id: tuple(place.names.values()) for place in areas.places.values()} if areas is not None else {}
        self._stories = Stories(
            window=WINDOW, most=STORIES_MAX, lies_in=lambda place: within.get(place, ()), names=names
        )
        self._known: OrderedDict[str, _Story] = OrderedDict()
        self._really: dict[str, str] = {}  # story → the fact that held its first signal already
        self._lately: dict[str, tuple[datetime, int]] = {}  # source → since when, how many

    def believe(self, fact: str, at: datetime, signal: Signal) -> Signal:
        """The signal with what stands behind it. Its source's grade is on it already. `fact`: the id it will have."""
        if signal.msg_type in (MsgType.ACK, MsgType.ERROR) or self._floods(signal.source, at):
            return signal
        placed = self._stories.place(Told(fact=fact, at=at, signal=signal))
        story = self._really.get(placed.story, placed.story)
        known = self._story(story, at)
        voice = self._voice(known, signal)
        known.voices[voice.origin] = voice
        backing = Backing(story=story, how=placed.how, of=placed.of, denies=voice.denies or voice.withdrawn)
        return _backed(signal, backing, voice.origin, known)

    def repeated(self, fact: str, held: str) -> None:
        """The journal held the signal already, under another id: its story goes by that."""
        if fact in self._known:
            self._really[fact] = held
            known = self._known.pop(fact)
            self._known.setdefault(held, known)

    def regraded(self, signal: Signal, word: Reason | None) -> Signal:
        """The signal as it would be believed with an officer's word on its story (None: by the rules again)."""
        backing = signal.backing or Backing(story=signal.id, how="new")
        known = self._known.get(backing.story)
        voices = dict(known.voices) if known is not None else {}
        origin = self._origin(signal)
        if not voices:  # it was compared with nothing, or long ago
            voices[origin] = Voice(origin=origin, reliability=signal.reliability, credibility=_starts(signal))
        return _backed(signal, backing, origin, _Story(at=signal.sent, voices=voices, word=word))

    def heed(self, signal: Signal, word: Reason | None, now: datetime) -> None:
        """An officer's word is in the journal: it counts for what is told from here on."""
        self._story(signal.backing.story if signal.backing is not None else signal.id, now).word = word

    async def recall(self, journal: Journal, now: datetime) -> None:
        """Reads back what came in during the last day, so that a restart forgets no story; of very much the newest, as
        nobody is called meanwhile."""
        facts = await journal.facts_since(("signal", "graded"), now - WINDOW, RECALLED_MAX)
        for start in range(0, len(facts), _PAGE):
            part = facts[start : start + _PAGE]
            for fact, entry in zip(part, await journal.vault([f.vault for f in part]), strict=True):
                try:
                    if entry is not None:
                        self._learn(fact, _signal.decode(entry.payload))
                except msgspec.MsgspecError as error:
                    log.error("a signal of the last day cannot be read again", fact=fact.id, error=str(error))

    def _learn(self, fact: r.Fact, signal: Signal) -> None:
        backing = signal.backing
        if backing is None:
            return
        known = self._story(backing.story, fact.at)
        if isinstance(fact.body, r.SignalGraded):
            given = [reason for reason in backing.reasons if reason.rule is Rule.SET]
            known.word = given[-1] if given and fact.body.credibility is not None else None
            return
        self._stories.learn(Told(fact=fact.id, at=fact.at, signal=signal), backing.story)
        voice = self._voice(known, signal)
        known.voices[voice.origin] = voice

    def _story(self, story: str, at: datetime) -> _Story:
        known = self._known.get(story)
        if known is None:
            known = self._known[story] = _Story(at=at)
        known.at = at
        self._known.move_to_end(story)
        while len(self._known) > STORIES_MAX or next(iter(self._known.values())).at < at - WINDOW:
            gone, _ = self._known.popitem(last=False)
            self._really.pop(gone, None)
        if len(self._really) > STORIES_MAX:
            self._really.clear()
        return known

    def _origin(self, signal: Signal) -> str:
        return origin_of(signal, self._trust.get(signal.source, UNKNOWN).origin or signal.source)

    def _voice(self, known: _Story, signal: Signal) -> Voice:
        """What the signal's origin says of the story now, by the best of its outlets. Who has told it and now denies or
        cancels it takes it back."""
        origin = self._origin(signal)
        before = known.voices.get(origin)
        others = any(name != origin for name in known.voices)
        denying = (before is not None or others) and denies(signal)
        reliability, credibility = signal.reliability, _starts(signal)
        if before is not None:
            reliability = min(reliability, before.reliability)
            credibility = min(credibility, before.credibility)
        return Voice(
            origin=origin,
            reliability=reliability,
            credibility=credibility,
            denies=denying and (before is None or before.denies),
            withdrawn=signal.msg_type is MsgType.CANCEL or (denying and before is not None and not before.denies),
        )

    def _floods(self, source: str, at: datetime) -> bool:
        since, count = self._lately.get(source, (at, 0))
        if at - since > FLOOD_SPAN:
            since, count = at, 0
        self._lately[source] = (since, count + 1)
        return count >= FLOOD


def _starts(signal: Signal) -> Credibility:
    """Its credibility by itself, whatever others told."""
    return signal.credibility if signal.backing is None else signal.backing.starts


def _backed(signal: Signal, backing: Backing, origin: str, known: _Story) -> Signal:
    """The signal, graded by who stands behind it. `backing`: with how it was recognised."""
    starts = _starts(signal)
    own = None if backing.denies else Voice(origin=origin, reliability=signal.reliability, credibility=starts)
    found: Graded = grade(list(known.voices.values()), known.word, own)
    backing = replace(
        backing,
        origins=found.origins,
        voices=found.voices,
        reliability=found.reliability,
        starts=starts,
        reasons=found.reasons,
    )
    return replace(signal, credibility=found.credibility, backing=backing)
