"""What situation reports say in each language. `|` parts what is said of one from what is said of several. Pure."""

from babel import Locale
from babel.lists import format_list
from msgspec import Struct

from hub.model.people import Language
from hub.model.situation import What

_LOCALE = {Language.FR: "fr_BE", Language.NL: "nl_BE", Language.DE: "de_BE", Language.EN: "en_GB"}


def said(text: str, language: Language, count: int = 1, **values: object) -> str:
    """The text with its holes filled, in the singular or the plural that `count` wants in this language."""
    one, _, many = text.partition("|")
    plural = Locale.parse(_LOCALE[language]).plural_form(count) != "one"
    return (many if many and plural else one).format(count=count, **values)


def listed(names: list[str], language: Language) -> str:
    """`A, B et C`."""
    return format_list(names, style="standard", locale=_LOCALE[language])


class SitrepWords(Struct, frozen=True, kw_only=True):
    """One language's."""

    title: str
    unnumbered: str
    named: str  # title and what it is about
    new: str
    incident: str
    version: str
    going: str
    over: str
    written_by: str
    by_sheet: str
    approved: str
    not_approved: str
    previous: str
    methane: dict[str, str]
    sections: dict[str, str]
    nothing: str
    gravest: str
    in_force: str
    none_in_force: str
    erased: str
    nowhere: str
    casualties: str
    informed: str
    nobody_informed: str
    heard: str
    heard_by_hand: str
    heard_update: str
    heard_attached: str
    until: str
    cancelled: str
    expired: str
    moments: dict[What, str]
    with_eta: str
    by_officer: str
    broadcast_ends: dict[str, str]
    by_channel: dict[str, str]
    others: str
    someone: str
    reached: str
    waiting: str
    not_reached: str
    of_people: str
    nobody: str
    answers: str
    accepted: str
    declined: str
    unanswered: str
    tried: str
    who: str
    task_heads: tuple[str, str, str, str]
    task_late: str
    task_open: str
    no_tasks: str
    tasks_done: str
    tasks_late: str
    same_severity: str
    other_severity: str
    since_last: str
    signals: str
    measures: str
    outlook_until: str
    outlook_open: str
    outlook_over: str
    next_due: str
    source_heads: tuple[str, str, str]
    record_heads: tuple[str, str]
    time: str
    happened: str
    note: str
    lanes: tuple[str, str, str, str]
    alt_timeline: str
    alt_map: str
    alt_bars: str
    again: str
    truncated: str
