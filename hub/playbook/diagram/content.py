"""What stands in a diagram: boxes with their lines, and what leads to what. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from hub.model.people import Asked, Chain, Contact, Language, Tier
from hub.playbook.diagram.words import WORDS
from hub.playbook.language import (
    SIGNAL,
    Admit,
    Call,
    Condition,
    DraftBroadcast,
    Joining,
    Notify,
    Playbook,
    SendContacts,
    Step,
    Tasks,
    Wait,
    When,
    WriteReport,
)
from hub.playbook.lengths import span

Names = Mapping[str, Mapping[Language, str]]


class Kind(StrEnum):
    """What a box is; it is drawn so that this shows in black and white."""

    SIGNAL = "signal"
    BY_HAND = "by hand"
    INCIDENT = "incident"
    CALL = "call"
    NOTIFY = "notify"
    CONTACTS = "contacts"
    BROADCAST = "broadcast"
    ACCESS = "access"
    REPORT = "report"
    TASKS = "tasks"
    WAIT = "wait"
    OUTCOME = "outcome"  # what a step came to
    JOIN = "join"  # one of several things, or all of them
    END = "end"


class Mark(StrEnum):
    """What stands before a line."""

    NONE = ""
    CHECK = "check"
    NUMBER = "number"
    OR = "or"  # between two alternatives


class Part(Struct, frozen=True, kw_only=True):
    """A paragraph of a box. `note`: said in smaller type, below what it belongs to. `number`: for `Mark.NUMBER`."""

    text: str
    mark: Mark = Mark.NONE
    bold: bool = False
    note: bool = False
    number: int = 0


class Box(Struct, frozen=True, kw_only=True):
    """`head`: what kind of thing it is, in words; `title`: its own name; `begins`: when it does, for who hears it."""

    id: str
    kind: Kind
    head: str = ""
    title: str = ""
    parts: tuple[Part, ...] = ()
    begins: str = ""


class Graph(Struct, frozen=True, kw_only=True):
    """`boxes` and `edges` from the signal to the last step, `end` what begins with the incident's end."""

    name: str
    title: str
    subtitle: str
    boxes: tuple[Box, ...]
    edges: tuple[tuple[str, str], ...]
    end: tuple[Box, ...]
    end_edges: tuple[tuple[str, str], ...]


def graph_of(sheet: Playbook, language: Language, chains: Mapping[str, Chain], areas: Names) -> Graph:
    return _Making(sheet, language, chains, areas).graph()


class _Making:
    def __init__(self, sheet: Playbook, language: Language, chains: Mapping[str, Chain], areas: Names) -> None:
        self._sheet = sheet
        self._language = language
        self._w = WORDS[language]
        self._chains = chains
        self._areas = areas
        self._boxes: dict[str, Box] = {}
        self._edges: dict[tuple[str, str], None] = {}

    def graph(self) -> Graph:
        sheet, w = self._sheet, self._w
        for box in self._beginnings():
            self._boxes[box.id] = box
            self._edges[box.id, "incident"] = None
        self._boxes["incident"] = self._incident(sheet.incident)
        for step in sheet.steps:
            if not step.at_end:
                self._boxes[_id(step.name)] = self._step(step)
        for step in sheet.steps:
            if not step.at_end:
                self._lead_to(step)
        last = [step for step in sheet.steps if step.at_end]
        end = [Box(id="end", kind=Kind.END, title=w["end"]), *map(self._step, last)] if last else []
        about = [w["mode"].format(mode=sheet.mode), w["owner"].format(owner=sheet.owner)]
        about += [w["review"].format(day=sheet.review_by)] if sheet.review_by else []
        return Graph(
            name=sheet.name,
            title=sheet.title.get(self._language, sheet.name),
            subtitle=" · ".join([sheet.name, *about, w["version"].format(version=sheet.version[:8])]),
            boxes=tuple(self._boxes.values()),
            edges=tuple(self._edges),
            end=tuple(end),
            end_edges=tuple(("end", _id(step.name)) for step in last),
        )

    # --- what starts it ------------------------------------------------------------------------------------

    def _beginnings(self) -> Iterable[Box]:
        sheet, w = self._sheet, self._w
        if sheet.when:
            parts: list[Part] = []
            for number, when in enumerate(sheet.when):
                parts += [Part(text=w["or"], mark=Mark.OR)] if number else []
                parts += self._conditions(when)
            yield Box(id="signal", kind=Kind.SIGNAL, head=w["signal"], parts=tuple(parts))
        if sheet.by_hand is not None:
            parts = [Part(text=w["who"].format(who=self._who(sheet.by_hand.who)))]
            if sheet.by_hand.fields:
                fields = ", ".join(field.name for field in sheet.by_hand.fields)
                parts.append(Part(text=w["asks"].format(fields=fields)))
            yield Box(id="by-hand", kind=Kind.BY_HAND, head=w["by hand"], parts=tuple(parts))

    def _who(self, written: str) -> str:
        """`roster NAME` in the reader's language; a group or a role as it is written."""
        kind, _, name = written.partition(" ")
        return self._w[kind].format(id=name) if name and kind in list(Asked) else written

    def _conditions(self, when: When) -> Iterable[Part]:
        asked: list[tuple[str, Sequence[str]]] = [
            ("hazard", when.hazards),
            ("category", when.categories),
            ("severity", when.severity),
            ("certainty", when.certainty),
            ("urgency", when.urgency),
            ("area", [self._area(area) for area in when.areas]),
            ("source", when.sources),
            ("event", when.event),
            ("words", when.words),
        ]
        if when.status != When.__struct_defaults__[0]:
            asked.insert(0, ("status", when.status))
        for key, values in asked:
            if values:
                yield self._asked(key, ", ".join(values))
        grades: list[str] = []
        if when.trust is not None:
            grade = f"{when.trust.reliability}{when.trust.credibility.value}"
            grades.append(self._w["at least"].format(grade=grade))
        if when.origins:
            grades.append(self._w["corroborated"].format(origins=when.origins))
        if grades:
            yield self._asked("trust", f" {self._w['or']} ".join(grades))
        if when.where:
            yield self._asked("where", when.where)

    def _asked(self, key: str, values: str) -> Part:
        return Part(text=self._w["asked"].format(key=self._w[key], values=values))

    def _area(self, area: str) -> str:
        return self._areas.get(area, {}).get(self._language, area)

    def _incident(self, joining: Joining) -> Box:
        w = self._w
        keys = ", ".join(w["their incident" if key == "incident" else key] for key in joining.one_per)
        parts = [Part(text=w["one per"].format(keys=keys) if keys else w["one"])]
        parts += [Part(text=w["ends by officer" if joining.by_officer else "ends by itself"])]
        if joining.within_s:
            parts += [Part(text=w["within"].format(span=self._span(joining.within_s)))]
        for cause in self._sheet.quiet_while:
            parts.append(Part(text=w["quiet there" if cause.same_area else "quiet"].format(sheet=cause.sheet)))
        return Box(id="incident", kind=Kind.INCIDENT, head=w["incident"], parts=tuple(parts))

    # --- steps ---------------------------------------------------------------------------------------------

    def _lead_to(self, step: Step) -> None:
        here = _id(step.name)
        if step.after is None:
            self._edges["incident", here] = None
            return
        waited = step.after.any or step.after.all
        joined = here
        if len(waited) > 1:
            joined = f"join {step.name}"
            word = self._w["any" if step.after.any else "all"]
            self._boxes[joined] = Box(id=joined, kind=Kind.JOIN, title=word)
            self._edges[joined, here] = None
        for after in waited:
            outcome = f"outcome {after.step} {after.outcome}"
            self._boxes[outcome] = Box(id=outcome, kind=Kind.OUTCOME, title=self._w[after.outcome])
            self._edges["incident" if after.step == SIGNAL else _id(after.step), outcome] = None
            self._edges[outcome, joined] = None

    def _step(self, step: Step) -> Box:
        kind, parts = self._action(step)
        if step.every_s is not None:
            text = f"↻ {self._w['every'].format(span=self._span(step.every_s))}"
            if step.until is not None:
                text += f", {self._w['until'].format(condition=self._condition(step.until))}"
            parts.append(Part(text=text, bold=True))
        return Box(
            id=_id(step.name),
            kind=kind,
            head=self._w[kind],
            title=step.name,
            parts=tuple(parts),
            begins=self._begins(step),
        )

    def _begins(self, step: Step) -> str:
        if step.at_end:
            return self._w["at end"]
        if step.after is None:
            return self._w["at once"]
        return self._w["begins"].format(condition=self._condition(step.after))

    def _condition(self, condition: Condition) -> str:
        joined = f" {self._w['or' if condition.any else 'and']} "
        return joined.join(
            self._w["is"].format(
                step=self._w["the signal"] if after.step == SIGNAL else after.step, outcome=self._w[after.outcome]
            )
            for after in condition.any or condition.all
        )

    def _action(self, step: Step) -> tuple[Kind, list[Part]]:
        w, action = self._w, step.action
        match action:
            case Call():
                return Kind.CALL, self._call(action)
            case Notify():
                named = [w["the sender"]] if action.the_sender else []
                named += [self._people(action.to)] if action.to else []
                who = w["everyone"] if action.everyone_reached else ", ".join(named)
                return Kind.NOTIFY, [
                    Part(text=w["to"].format(who=who)),
                    *([Part(text=w["by"].format(channels=", ".join(action.by)))] if action.by else []),
                    self._says(action.say),
                ]
            case SendContacts():
                return Kind.CONTACTS, [
                    Part(text=w["of"].format(who=self._people(action.contacts))),
                    Part(text=w["to"].format(who=self._people(action.to))),
                    Part(text=w["by"].format(channels=", ".join(action.by))),
                    self._says(action.say),
                ]
            case DraftBroadcast():
                whom = [self._people(action.to)] if action.to else []
                whom += [w["registered"]] if action.registered is not None else []
                return Kind.BROADCAST, [
                    Part(text=w["class"].format(group=action.group)),
                    Part(text=w["to"].format(who=", ".join(whom))),
                    Part(text=w["by"].format(channels=", ".join(action.by))),
                    self._says(action.say),
                ]
            case Admit():
                rooms = [*action.rooms, *([w["asked rooms"]] if action.rooms_from else [])]
                return Kind.ACCESS, [
                    Part(text=w["people of"].format(field=action.people), bold=True),
                    Part(text=w["rooms"].format(rooms=", ".join(rooms))),
                    Part(text=w["at most"].format(span=self._span(action.at_most_s)), note=True),
                ]
            case WriteReport():
                waits = [Part(text=w["approval"], bold=True)] if action.approval else []
                return Kind.REPORT, [
                    *waits,
                    Part(text=w["to"].format(who=self._people(action.to))),
                    Part(text=w["by"].format(channels=", ".join(action.by))),
                ]
            case Tasks():
                parts: list[Part] = []
                for task in action.tasks:
                    parts.append(Part(text=task.do.get(self._language, ""), mark=Mark.CHECK))
                    due = f" · {w['due'].format(span=self._span(task.due_s))}" if task.due_s is not None else ""
                    parts.append(Part(text=f"{task.who}{due}", note=True))
                return Kind.TASKS, parts
            case Wait():
                return Kind.WAIT, [Part(text=self._span(action.seconds), bold=True)]

    def _call(self, action: Call) -> list[Part]:
        w, chain = self._w, self._chains.get(action.chain)
        parts = [Part(text=w["chain"].format(chain=action.chain), bold=True), self._says(action.say)]
        parts += [Part(text=w["verify"])] if action.verify else []
        if chain is None:
            return parts
        need = w["need one"] if chain.need == 1 else w["need"].format(n=chain.need)
        roles = ", ".join(f"{role.count} {role}" for role in chain.roles)
        parts.append(Part(text=f"{need}{', ' + w['with'].format(roles=roles) if roles else ''}"))
        for number, tier in enumerate(chain.tiers, 1):
            parts.append(Part(text=self._people(tier.ask), mark=Mark.NUMBER, number=number))
            parts.append(Part(text=self._times(tier), note=True))
        if chain.exhausted:
            parts.append(Part(text=w["fallback"].format(chain=chain.exhausted)))
        return parts

    def _times(self, tier: Tier) -> str:
        w = self._w
        first, *others = tier.by
        between = self._span(tier.between_s)
        ways = [first, *(w["then after"].format(way=way, span=between) for way in others)]
        said = [w["ways"].format(ways=", ".join(ways)), w["answer"].format(span=self._span(tier.answer_s))]
        said += [w["in turn"]] if tier.in_turn else []
        said += [w["times"].format(n=tier.times)] if tier.times > 1 else []
        return " · ".join(said)

    def _people(self, contacts: Iterable[Contact]) -> str:
        return ", ".join(self._w[contact.kind].format(id=contact.id) for contact in contacts)

    def _says(self, message: str) -> Part:
        return Part(text=self._w["says"].format(message=message))

    def _span(self, seconds: float) -> str:
        return span(seconds, self._language).replace(" ", "\u00a0")  # a number is not parted from its unit


def _id(step: str) -> str:
    return f"step {step}"
