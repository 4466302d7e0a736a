"""The sentences in which a test says what it expects. Pure: texts in, structs out.

hub/drill/judge.py holds them against a timeline.

    within 5 s: officer-a gets sms gas-ask in fr
    after wake is accepted: police-zones get sms and email
    never: directors are called
"""

import re
from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from hub.binding import Misfit, duration
from hub.drill.timeline import REPORT, What
from hub.findings import choice
from hub.model.people import Language
from hub.playbook.form import CHANNEL_WORDS
from hub.playbook.language import Outcome

REACHED = "everyone reached"
NOBODY = "nobody"
PUBLIC = "the public"
AHEAD_S = 1.0  # how much earlier than said something may come that is to come at a time
JUST_S = 0.001  # just before
GRACE_S = 5.0  # how much later than said something may come that is to come at a time

_INCIDENT = {"opens": What.OPENED, "ends": What.ENDED, "re-opens": What.REOPENED, "is held back": What.HELD_BACK}
_TASK = {"open": What.TASK_OPEN, "late": What.TASK_LATE, "done": What.TASK_DONE}
_SPAN = r"\d[\d.]* ?[a-z]+(?: \d[\d.]* ?[a-z]+)*"


class Names(Struct, frozen=True, kw_only=True):
    """What sentences may name."""

    people: Collection[str] = ()
    groups: Collection[str] = ()
    rosters: Collection[str] = ()
    organisations: Collection[str] = ()
    competences: Collection[str] = ()
    sheet: str = ""  # the one that is tested
    sheets: Collection[str] = ()
    channels: Collection[str] = ()
    messages: Collection[str] = ()
    chains: Collection[str] = ()
    steps: Collection[str] = ()


class Gets(Struct, frozen=True, kw_only=True):
    """`who`: as written, several possible; each of them gets it over each of the channels (none: over any). `nth`: the
    number of a report."""

    who: tuple[str, ...]
    channels: tuple[str, ...] = ()
    message: str = ""
    language: Language | None = None
    nth: int = 0


class Happens(Struct, frozen=True, kw_only=True):
    """A moment with these properties; what is empty is not asked. `nth`: of a task; `incident`: its number."""

    what: What
    step: str = ""
    chain: str = ""
    outcome: str = ""
    person: str = ""
    nth: int = 0
    incident: int = 0


class Meets(Struct, frozen=True, kw_only=True):
    """Signals meet a sheet: the nth thing given, or each (0). `misses`: they do not."""

    sheet: str
    nth: int = 0
    misses: bool = False


class Count(Struct, frozen=True):
    """So many incidents were opened."""

    incidents: int


class NothingElse(Struct, frozen=True):
    """No message reached anybody that no other sentence names."""


class Nothing(Struct, frozen=True):
    """No incident, and nobody was told anything."""


Sentence = Gets | Happens | Meets | Count | NothingElse | Nothing


class Timing(Struct, frozen=True, kw_only=True):
    """When it has to be. Seconds count from `after` (None: from the beginning). `never`: it must not be, in that time.
    `before`: and before that happens."""

    from_s: float = 0.0
    to_s: float = float("inf")
    never: bool = False
    after: Sentence | None = None
    before: Sentence | None = None
    exact: bool = False


class Expectation(Struct, frozen=True, kw_only=True):
    """`text`: as written."""

    text: str
    sentence: Sentence
    timing: Timing = Timing()


def expectation(words: str, time: str, names: Names) -> Expectation:
    """`time`: what stands before the colon, "" where there is none. Raises Misfit."""
    text = f"{time}: {words}" if time else words
    timing = _timing(time, names)
    wanted = sentence(words, names)
    if isinstance(wanted, Gets) and wanted.who == (NOBODY,):
        if timing.never:
            raise Misfit("never-nobody", f'"{text}" says twice that it is not to be', 'leave "never" out')
        everybody = replace(wanted, who=("everyone",))
        return Expectation(text=text, sentence=everybody, timing=replace(timing, never=True))
    if isinstance(wanted, Meets | Count | Nothing | NothingElse) and time:
        raise Misfit("not-a-time", f'"{words}" is about the whole test', f'leave "{time}" out')
    return Expectation(text=text, sentence=wanted, timing=timing)


def _timing(text: str, names: Names) -> Timing:
    """`within 5 s`, `at 90 s`, `between 4 min and 5 min`, `never before 4 min`, `within 30 s after SENTENCE`."""
    if not text:
        return Timing()
    never = text == "never" or text.startswith("never ")
    rest = text.removeprefix("never").strip()
    found = re.fullmatch(
        rf"(?:(?P<kind>within|at|before|after) (?P<time>{_SPAN})|between (?P<from>{_SPAN}) and (?P<to>{_SPAN}))?"
        r"(?: ?(?P<relation>after|before) (?P<other>[^\d].*|\d+ pe(?:ople|rson) .*))?",
        rest,
    )
    if found is None:
        remedy = 'write "within 5 s", "at 90 s", "between 4 min and 5 min", "after wake is accepted", "never"'
        raise Misfit("not-a-time", f'"{text}" is no time', remedy)
    from_s, to_s, exact = 0.0, float("inf"), False
    if found["kind"]:
        span = duration(found["time"])
        exact = found["kind"] == "at"
        if found["kind"] == "within":
            to_s = span
        elif exact:
            from_s, to_s = max(span - AHEAD_S, 0.0), span + GRACE_S
        elif found["kind"] == "before":
            to_s = span - JUST_S
        else:
            from_s = span
    elif found["from"]:
        from_s, to_s = duration(found["from"]), duration(found["to"])
    other = sentence(found["other"], names) if found["other"] else None
    if isinstance(other, Meets | Count | Nothing | NothingElse):
        raise Misfit("not-a-moment", f'"{found["other"]}" is no moment', "name something that happens")
    after = other if found["relation"] == "after" else None
    before = other if found["relation"] == "before" else None
    return Timing(from_s=from_s, to_s=to_s, never=never, after=after, before=before, exact=exact)


def sentence(text: str, names: Names) -> Sentence:
    """One sentence without its time. Raises Misfit."""
    for read in (_whole, _meets, _task, _incident, _alarm, _access, _report, _gets, _step, _chain):
        found = read(text, names)
        if found is not None:
            return found
    remedy = (
        'write "officer-a gets sms gas-ask in fr", "wake is accepted by officer-a", "checklist begins", '
        '"directors is called", "task 2 of checklist is late", "incident ends", "1 incident", "nothing else"'
    )
    raise Misfit("not-a-sentence", f'"{text}" is nothing that can be expected', remedy)


def _whole(text: str, names: Names) -> Sentence | None:
    if text == "nothing":
        return Nothing()
    if text == "nothing else":
        return NothingElse()
    found = re.fullmatch(r"(\d+|no) incidents?", text)
    return Count(0 if found[1] == "no" else int(found[1])) if found else None


def _meets(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"(each signal|signal (\d+)) (meets|misses) (\S+)", text)
    if found is None:
        return None
    sheet = names.sheet if found[4] == "it" else found[4]
    _known("sheet", sheet, names.sheets)
    return Meets(sheet=sheet, nth=int(found[2] or 0), misses=found[3] == "misses")


def _task(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"task (\d+) of (\S+) is (open|late|done)", text)
    if found is None:
        return None
    _known("step", found[2], names.steps)
    return Happens(what=_TASK[found[3]], step=found[2], nth=int(found[1]))


def _incident(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"(?:the )?incident(?: (\d+))? (opens|ends|re-opens|is held back)", text)
    return Happens(what=_INCIDENT[found[2]], incident=int(found[1] or 0)) if found else None


def _alarm(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"alarm ([a-z-]+)", text)
    return Happens(what=What.ALARM, outcome=found[1]) if found else None


def _access(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"(?:(\d+) people|(nobody)|1 person) may come in", text)
    if found is None:
        return None
    return Happens(what=What.ACCESS, outcome="0" if found[2] else found[1] or "1")


def _step(text: str, names: Names) -> Sentence | None:
    if (found := re.fullmatch(r"(\S+) begins", text)) is not None:
        _known("step", found[1], names.steps)
        return Happens(what=What.BEGAN, step=found[1])
    found = re.fullmatch(r"(\S+) (?:is|are) ([a-z]+)(?: by (\S+))?", text)
    if found is None or found[2] == "called":
        return None
    _known("step", found[1], names.steps)
    outcomes = [outcome.value for outcome in Outcome if outcome is not Outcome.BEGUN]
    if found[2] not in outcomes:
        raise Misfit("unknown-outcome", f'a step is never "{found[2]}"', choice(found[2], outcomes))
    if found[3]:
        _known("person", found[3], names.people)
    return Happens(what=What.CAME_TO, step=found[1], outcome=found[2], person=found[3] or "")


def _chain(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"(\S+) (?:is|are) called", text)
    if found is None:
        return None
    _known("alert chain", found[1], names.chains)
    return Happens(what=What.CALLED, chain=found[1])


def _report(text: str, names: Names) -> Sentence | None:
    """`sitrep 1 is sent to haut-fonctionnaire by email`."""
    found = re.fullmatch(r"sitrep(?: (\d+))? is sent to (.+?)(?: by (\S+(?:(?:,? and |, )\S+)*))?", text)
    if found is None:
        return None
    who = tuple(re.split(r",? and |, ", found[2]))
    for one in who:
        _who(one, names)
    channels, _ = _what(found[3] or "", names)
    return Gets(who=who, channels=channels, message=REPORT, nth=int(found[1] or 0))


def _gets(text: str, names: Names) -> Sentence | None:
    found = re.fullmatch(r"(?P<who>.+?) (?:gets?|(?:is|are) (?:asked|told))(?P<rest>(?: .+)?)", text)
    if found is None:
        return None
    who = tuple(re.split(r",? and |, ", found["who"]))
    for one in who:
        _who(one, names)
    rest = found["rest"].strip()
    language = None
    if spoken := re.search(r"(?:^| )in ([a-z]{2})$", rest):
        if spoken[1] not in list(Language):
            raise Misfit("unknown-language", f'"{spoken[1]}" is no language here', choice(spoken[1], list(Language)))
        language, rest = Language(spoken[1]), rest[: spoken.start()].strip()
    channels, message = _what(rest, names)
    return Gets(who=who, channels=channels, message=message, language=language)


def _what(rest: str, names: Names) -> tuple[tuple[str, ...], str]:
    """`sms and email gas-partners`: channels, and a message."""
    words = [word for word in re.split(r",? and |, | ", rest) if word]
    channels: list[str] = []
    message = ""
    for position, word in enumerate(words):
        channel = CHANNEL_WORDS.get(word, word)
        if channel in names.channels and not message:
            channels.append(channel)
        elif word in names.messages and position == len(words) - 1:
            message = word
        else:
            known = sorted({*names.channels, *names.messages})
            raise Misfit("unknown-message", f'"{word}" is neither a channel nor a message', choice(word, known))
    return tuple(channels), message


def _who(text: str, names: Names) -> None:
    if text in (REACHED, NOBODY, PUBLIC, "everyone"):
        return
    kind, _, name = text.rpartition(" ")
    among = {
        "roster": names.rosters,
        "organisation": names.organisations,
        "competence": names.competences,
        "group": names.groups,
        "person": names.people,
        "": (*names.people, *names.groups),
    }
    if kind not in among:
        raise Misfit("not-a-contact", f'"{text}" names nobody', 'write a person, a group, or "roster NAME"')
    _known(kind or "person or group", name, among[kind])


def _known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise Misfit(f"unknown-{kind.replace(' ', '-')}", f'there is no {kind} "{name}"', choice(name, sorted(known)))
