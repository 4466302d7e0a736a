"""Of all the ways to write a page's address, one; a home page is none."""

import pytest

from hub.intake.links import canonical

PAGE = "news.example.org/brussels/fire-1234"


@pytest.mark.parametrize(
    "link",
    [
        "https://www.news.example.org/brussels/fire-1234",
        "http://news.example.org:80/brussels/fire-1234/",
        "https://m.news.example.org/brussels/fire-1234?utm_source=rss&utm_medium=feed#comments",
        "https://amp.news.example.org/brussels/fire-1234?fbclid=abc",
        "https://www.news.example.org/brussels/fire-1234/amp/",
        "https://www.news.example.org/brussels/fire-1234.amp.html",
        "https://WWW.News.Example.org/brussels/fire-1234?at_medium=RSS",
        "https://news-example-org.cdn.ampproject.org/c/s/www.news.example.org/brussels/fire-1234",
        "  https://news.example.org/brussels/fire-1234 ",
    ],
)
def test_one_page_written_in_many_ways(link: str) -> None:
    assert canonical(link) == PAGE


def test_what_tells_pages_apart_is_kept() -> None:
    one, other = (canonical(f"https://rail.example.org/help?messageID={n}&tpl=map&lang=fr") for n in (1, 2))
    assert one != other
    assert one == canonical("https://rail.example.org/help?lang=fr&tpl=map&messageID=1")
    assert canonical("https://example.org:8443/a") != canonical("https://example.org/a")


@pytest.mark.parametrize(
    "link",
    [
        "https://www.example.org",
        "https://www.example.org/?utm_source=rss",
        "https://www.example.org/fr/",
        "https://www.example.org/nl/home",
        "https://www.example.org/index.html",
        "mailto:someone@example.org",
        "javascript:alert(1)",
        "ftp://example.org/a",
        "https://localhost/a",
        "https://[bad/",
        "https://example.org:99999/a",
        "example.org/a",
        "",
        "https://example.org/" + "a" * 3_000,
    ],
)
def test_what_is_no_page_of_its_own(link: str) -> None:
    assert canonical(link) == ""
