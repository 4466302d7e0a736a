"""Drawings: well-formed, with every text escaped and nothing loaded from anywhere; what they show is what there is."""

import re
from datetime import UTC, datetime, timedelta

from lxml import etree
from msgspec.structs import replace

from hub.model.people import Language
from hub.report.document import Document, Figure, Paragraph, Row, Section, Table
from hub.report.figures import Ground, Lane, Mark, Part, area_map, bars, timeline
from hub.report.references import RECORDS_MOST, marks, referenced, runs
from tests.conftest import shipped

AT = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # the night in which the clocks go back
HOSTILE = "<script>&\"'"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(figure: Figure | None) -> etree._Element:
    assert figure is not None
    root = etree.fromstring(figure.svg)
    assert root.findtext(f"{SVG}title") == figure.alt
    allowed = {"svg", "title", "text", "line", "rect", "circle", "path"}
    assert {etree.QName(node).localname for node in root.iter()} <= allowed
    assert not [name for node in root.iter() for name in node.attrib if "href" in name or name.startswith("on")]
    return root


def texts(root: etree._Element) -> list[str]:
    return [str(node.text) for node in root.iter(f"{SVG}text")]


def test_a_timeline_has_a_mark_for_each_moment_within_its_axis() -> None:
    marks_ = tuple(Mark(at=AT + timedelta(minutes=n * 30)) for n in range(6))
    lanes = (Lane(name=HOSTILE, marks=marks_, shape="square"), Lane(name="late", marks=(Mark(at=AT - timedelta(1)),)))
    root = drawn(timeline(lanes, AT, AT + timedelta(hours=3), "Europe/Brussels", HOSTILE, ["a", "a", "b"]))
    assert f"{HOSTILE} (6)" in texts(root)
    squares = root.findall(f"{SVG}rect")
    assert len(squares) == 6
    assert [float(square.get("x", "0")) for square in squares] == sorted(float(s.get("x", "0")) for s in squares)
    (early,) = root.findall(f"{SVG}circle")
    assert float(early.get("cx", "0")) == 190.0, "what was before it begins stands at its beginning"
    assert texts(root).count("02:00") + texts(root).count("25/10 02:00") == 2, "the hour that the clocks show twice"


def test_a_moment_and_a_month_have_an_axis_too() -> None:
    for span in (timedelta(0), timedelta(seconds=1), timedelta(days=40), timedelta(days=400)):
        root = drawn(timeline((), AT, AT + span, "Europe/Brussels", "x"))
        assert len(root.findall(f"{SVG}line")) <= 15


def test_bars_share_out_the_whole_and_nothing_is_drawn_of_none() -> None:
    three, none, one = (Part(name=f"{n} of them", count=n, shade=0.5) for n in (3, 0, 1))
    parts = (three, none, one)
    root = drawn(bars(parts, "alt"))
    wide = [float(r.get("width", "0")) for r in root.findall(f"{SVG}rect") if r.get("height") == "30"]
    assert len(wide) == 2
    assert wide[0] == 3 * wide[1]
    assert "0 of them: 0" in texts(root)
    drawn(bars((Part(name="x", count=0, shade=0),), "alt"))


def test_a_map_shades_and_names_what_is_concerned_and_nothing_else() -> None:
    ground = shipped()[0].known().ground
    communes = [one for one in ground.values() if one.rings]
    assert len(communes) == 19
    root = drawn(area_map(ground, ["ixelles", "brussels-capital-region"], "nl", "alt"))
    shaded = [path for path in root.findall(f"{SVG}path") if path.get("fill") != "#fff"]
    assert len(root.findall(f"{SVG}path")) == 19
    assert len(shaded) == 1
    assert set(texts(root)) == {"Elsene"}
    points = [float(p) for path in root.findall(f"{SVG}path") for p in re.findall(r"[\d.-]+", path.get("d", ""))]
    assert min(points) >= 0
    assert max(points) <= 720
    everywhere = drawn(area_map(ground, [one.id for one in communes], "fr", "alt"))
    assert not texts(everywhere), "nineteen names would hide the map"
    assert area_map({"x": Ground(id="x", names={})}, ["x"], "fr", "alt") is None


def test_references_are_counted_as_they_come_and_each_record_once() -> None:
    assert runs([3, 1, 2, 7, 9, 8, 12]) == ((1, 3), (7, 9), (12, 12))
    assert marks(((1, 3), (7, 8), (12, 12))) == ["1–3", "7, 8", "12"]
    many = tuple(f"r{n}" for n in range(200))
    blocks = (
        Paragraph(text="a", records=("x", "y", "x")),
        Table(heads=("h",), rows=(Row(cells=("b",), records=("y",)), Row(cells=("c",))), widths=(1,)),
        Paragraph(text="d", records=many),
    )
    bare = Document(title="t", language=Language.EN, head=(), short="", classification="", sections=())
    whole = replace(bare, sections=(Section(title="", blocks=blocks),))
    made = referenced(whole, "Records", ("record",), lambda record: (record.upper(),))
    first, table, last = made.sections[0].blocks
    assert isinstance(first, Paragraph)
    assert isinstance(table, Table)
    assert isinstance(last, Paragraph)
    assert first.refs == ((1, 2),)
    assert table.rows[0].refs == ((2, 2),)
    assert table.rows[1].refs == ()
    assert last.refs == ((3, 2 + RECORDS_MOST),)
    listed = made.sections[-1].blocks[0]
    assert isinstance(listed, Table)
    assert [row.cells for row in listed.rows[:3]] == [("1", "X"), ("2", "Y"), ("3", "R0")]
    assert [row.anchor for row in listed.rows] == list(range(1, RECORDS_MOST + 3))
    assert referenced(bare, "Records", ("record",), lambda record: (record,)).sections == ()
