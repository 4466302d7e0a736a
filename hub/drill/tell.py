"""The story of a drill in a terminal: readable at 80 columns, and without colours."""

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from hub.drill.debrief import Debriefing
from hub.drill.lanes import BREAK_S
from hub.drill.page import late_lines
from hub.drill.story import SIGNS, Item, Mark, Names, Story
from hub.drill.words import DrillWords, span

_STYLES = {Mark.YES: "green", Mark.NO: "yellow", Mark.MISSED: "bold red", Mark.CALL: "bold", Mark.OTHER: "cyan"}


def told(story: Story, debriefing: Debriefing, words: DrillWords, names: Names) -> RenderableType:
    """The whole."""
    parts: list[RenderableType] = [
        Text(story.title, "bold"),
        Text(f"{words('begins')} {story.begins:%Y-%m-%d %H:%M}, {words('lasts')} {span(story.lasted_s)}", "dim"),
        Text(),
        lines(story.items, words),
    ]
    if debriefing.asks:
        parts += [Text(), Text(words("debrief"), "bold"), _asks(story, debriefing, words, names)]
    late = late_lines(debriefing, words, names)
    parts += [Text(), Text(words("was_late") if late else words("nothing_late"), "bold")]
    parts += [Text(f"! {line}", "red") for line in late]
    return Group(*parts)


def lines(items: "tuple[Item, ...]", words: DrillWords, before: Item | None = None) -> Table:
    """Each item in its line, and each silence. `before`: what was told last."""
    table = Table(box=None, pad_edge=False, show_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for item in items:
        if before is not None and item.s - before.s >= BREAK_S:
            table.add_row("", Text("⋯", "dim"), Text(words("quiet", span=span(item.s - before.s)), "dim italic"))
        if before is None or before.at.date() != item.at.date():
            table.add_row(Text(f"{item.at:%d.%m.}", "dim"), "", "")
        style = _STYLES.get(item.mark, "")
        table.add_row(Text(f"{item.at:%H:%M:%S}", "dim"), Text(SIGNS[item.mark], style), Text(item.text, style))
        before = item
    return table


def _asks(story: Story, debriefing: Debriefing, words: DrillWords, names: Names) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for key in ("who", "asked_at", "by", "answer", "took"):
        table.add_column(words(key), overflow="fold")
    for ask in debriefing.asks:
        at = next((item.at for item in story.items if item.s >= ask.asked_s), None)
        answer = words(ask.answer) if ask.answer else words(ask.outcome) if ask.outcome else words("unanswered")
        table.add_row(
            Text(f"{names.person(ask.person)} ({ask.step})"),
            f"{at:%H:%M:%S}" if at is not None else "–",
            ", ".join(words(channel) for channel in ask.channels) or "–",
            answer,
            span(ask.took_s) if ask.took_s is not None else "–",
        )
    return table


def console() -> Console:
    return Console(highlight=False, soft_wrap=False)
