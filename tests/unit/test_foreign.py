"""Connectors' settings that hold structs of their own: read, explained and described as everything else in config/."""

from collections.abc import Mapping
from typing import Annotated, Any

import jsonschema
import pytest
from msgspec import Meta, Struct, field

from hub.config.foreign import bind_foreign, settings_of
from hub.config.schema import _setting
from hub.yaml import Document, read
from hub.yaml import Mapping as Node


class Gauge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One gauge."""

    topics: Annotated[tuple[str, ...], Meta(description="Where it reports")]
    dwell_s: Annotated[float, Meta(ge=0, description="How long it must be over, seconds")] = 0.0
    but_not: Annotated[tuple[str, ...], Meta(description="What is left out")] = ()
    loud: Annotated[bool, Meta(description="Whether it is told")] = False

    def __post_init__(self) -> None:
        if "nowhere" in self.topics:
            raise ValueError("topics: there is no nowhere: write a place")


class House(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    gauges: Annotated[Mapping[str, Gauge], Meta(description="Name → gauge")]
    spares: Annotated[tuple[Gauge, ...], Meta(description="More of them")] = ()
    main: Annotated[Gauge | None, Meta(description="The one that counts")] = None
    colours: Annotated[Mapping[str, str], Meta(description="Of the doors")] = field(default_factory=dict)


def bound(text: str) -> tuple[Any, list[str]]:
    document: Document = read(text, "sources.yaml")
    assert isinstance(document.root, Node)
    made = bind_foreign(document, document.root, House, "house", set())
    return made, [str(finding) for finding in document.findings]


def test_structs_within_are_written_as_everything_else() -> None:
    made, wrong = bound("""\
gauges:
  senne:
    topics: a/b
    dwell: 10 min
    but not: [x, y]
    loud: yes
spares:
  - topics: [c]
  - topics: [d]
    dwell: 90 s
main:
  topics: e
""")
    assert wrong == []
    senne = Gauge(topics=("a/b",), dwell_s=600.0, but_not=("x", "y"), loud=True)
    spares = (Gauge(topics=("c",)), Gauge(topics=("d",), dwell_s=90.0))
    assert made == House(gauges={"senne": senne}, spares=spares, main=Gauge(topics=("e",)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gauges: {a: {topics: x, dwell: 10}}", 'sources.yaml:1:32: dwell: "10" has no unit'),
        (
            "gauges:\n  a:\n    topics: x\n    dwel: 1 s",
            '4:5: "dwel" is no key of house, gauges a: it can be: topics',
        ),
        ("gauges:\n  a:\n    loud: yes", "3:5: house, gauges a lacks topics: add topics: ..."),
        ("gauges:\n  a: {topics: nowhere}", "2:15: house, gauges a: there is no nowhere: write a place"),
        ("gauges: {a: {topics: x}}\nspares: [none]", "2:10: house, spares is no mapping: write its keys below it"),
        ("gauges: none", "1:9: house, gauges is no mapping"),
        ("gauges:\n  a: none", "2:6: house, gauges a is no mapping"),
        ("gauges: {a: {topics: x}}\nmain: {topics: x, loud: perhaps}", "loud"),
    ],
)
def test_a_fault_within_is_told_at_its_place(text: str, expected: str) -> None:
    made, wrong = bound(text)
    assert made is None
    assert len(wrong) == 1
    assert expected in wrong[0]


def test_editors_know_what_stands_within() -> None:
    settings = settings_of(House)
    schemas = {key: _setting(setting) for key, setting in settings.items()}
    jsonschema.validate({"senne": {"topics": "x", "dwell": "10 min", "but not": ["y"]}}, schemas["gauges"])
    jsonschema.validate([{"topics": "x"}], schemas["spares"])
    jsonschema.validate({"topics": "x"}, schemas["main"])
    for wrong in ({"senne": {"dwell": "10 min"}}, {"senne": {"topics": "x", "dwel": "1 s"}}, {"senne": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schemas["gauges"])
    assert schemas["gauges"]["description"] == "Name → gauge"
