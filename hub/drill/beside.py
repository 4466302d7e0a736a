"""A test that failed, told: what was expected and what happened, side by side in the order of time; JUnit XML."""

from collections.abc import Sequence

from lxml import etree
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from hub.drill.judge import Verdict, in_order, shown
from hub.drill.suite import Result
from hub.drill.timeline import Moment, Timeline, What, clock

ALIKE = 3  # of messages that are alike but for who gets them, so many are shown
_UNSAID = (What.TIER, What.TASK_OPEN, What.ASK_OVER)  # shown where something of it was expected only


class Row(Struct, frozen=True, kw_only=True):
    """`good`: None where nothing was expected."""

    s: float
    expected: str = ""
    happened: str = ""
    good: bool | None = None


def rows(result: Result) -> list[Row]:
    """What was expected beside what happened, in the order of time."""
    found: list[Row] = []
    named: set[int] = set()
    for verdict in result.verdicts:
        named |= {id(m) for m in verdict.found}
        found.append(_expected(verdict))
    if result.timeline is not None:
        found += [Row(s=s, happened=text) for s, text in _told(result.timeline, named)]
    return sorted(found, key=lambda row: row.s)


def _expected(verdict: Verdict) -> Row:
    happened = ", ".join(dict.fromkeys(clock(m.s) for m in verdict.found)) if verdict.good else verdict.said
    return Row(s=verdict.at_s, expected=verdict.expectation.text, happened=happened, good=verdict.good)


def _told(timeline: Timeline, named: set[int]) -> list[tuple[float, str]]:
    """What happened beside; messages that are alike but for who gets them, in one line."""
    told: list[tuple[float, str]] = []
    alike: dict[tuple[float, str, str], list[Moment]] = {}
    for moment in in_order(timeline.of(What.GOT)) + [m for m in timeline.moments if m.what is not What.GOT]:
        if id(moment) in named or moment.own or moment.what in _UNSAID:
            continue
        if moment.what is What.GOT:
            alike.setdefault((moment.s, moment.channel, moment.message), []).append(moment)
        else:
            told.append((moment.s, shown(moment)))
    for moments in alike.values():
        told += [(m.s, shown(m)) for m in moments[:ALIKE]]
        if len(moments) > ALIKE:
            told.append((moments[0].s, f"... and {len(moments) - ALIKE} more get {moments[0].message}"))
    return told


def table(result: Result) -> Table:
    """For a terminal."""
    shown_as = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for title in ("time", "", "expected", "what happened"):
        shown_as.add_column(title, justify="right" if title == "time" else "left", overflow="fold")
    for row in rows(result):
        sign = {None: "", True: "✓", False: "✗"}[row.good]
        style = {None: "dim", True: "green", False: "red"}[row.good]
        shown_as.add_row(
            Text(clock(row.s), style), Text(sign, style), Text(row.expected, style), Text(row.happened, style)
        )
    return shown_as


def junit(results: Sequence[Result], seconds: float) -> bytes:
    """The results as JUnit XML, as CI systems read it: a suite for each file."""
    root = etree.Element("testsuites", name="vigie", time=f"{seconds:.3f}")
    by_file: dict[str, list[Result]] = {}
    for result in results:
        by_file.setdefault(result.suite, []).append(result)
    for file, those in by_file.items():
        failed = [result for result in those if not result.good and not result.problem]
        broken = [result for result in those if result.problem]
        suite = etree.SubElement(root, "testsuite", name=file, tests=str(len(those)))
        suite.set("failures", str(len(failed)))
        suite.set("errors", str(len(broken)))
        for result in those:
            _case(suite, result)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _case(suite: etree._Element, result: Result) -> None:
    line = str(result.test.line)
    case = etree.SubElement(suite, "testcase", classname=result.sheet, name=_clean(result.test.name), line=line)
    if result.problem:
        etree.SubElement(case, "error", message=_clean(result.problem))
    elif not result.good:
        wrong = [verdict for verdict in result.verdicts if not verdict.good]
        failure = etree.SubElement(case, "failure", message=_clean(wrong[0].expectation.text))
        failure.text = _clean("\n".join(f"{v.expectation.text}: {v.said}" for v in wrong))


def _clean(text: str) -> str:
    """Without what no XML can hold."""
    return "".join(c for c in text if c in "\t\n" or ord(c) >= 0x20)
