"""What the room hears of sources."""

from hub.model import records as r
from tests.stories import Night


def test_a_source_that_cannot_be_had_is_told_until_it_can_also_where_it_has_no_news_then() -> None:
    night = Night()
    night.fact(r.SourceChanged(source="press", health="failing", reason="503"))
    assert night.alarms() == ["source-failing"]
    night.fact(r.SourceChanged(source="press", health="silent", reason="nothing new for 3600 s"))
    assert night.alarms() == []


def test_a_certificate_that_ends_soon_is_told_until_it_is_renewed() -> None:
    night = Night()
    night.fact(r.SourceChanged(source="press", health="expiring", reason="ends on 2026-12-03"))
    night.fact(r.SourceChanged(source="press", health="failing", reason="503"))
    night.fact(r.SourceChanged(source="press", health="silent", reason="nothing new"))
    assert night.alarms() == ["source-expiring"]
    night.fact(r.SourceChanged(source="press", health="ok"))
    assert night.alarms() == []


def test_what_the_watch_finds_stands_until_it_is_over() -> None:
    night = Night()
    night.fact(r.SourceWatched(source="press", what="source-late", reason="40 min"))
    night.fact(r.SourceWatched(source="press", what="source-late", over=True))
    assert night.alarms() == []
