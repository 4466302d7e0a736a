"""The `page` source: watches a web page, or a part of it, and says what is new on it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import re2
from msgspec import Meta, Struct

from connectors.feed.read import host_of
from connectors.http import Fetched, Fetcher
from connectors.page.read import Said, mark, said, selector
from connectors.polling import Cursor, PollConfig, PollFailed, PollingSource, Sleep, offer, read_aside
from connectors.text import digest
from hub.connector import BadItem, Intake, ReadError, SignalItem, WorkerLimit
from hub.model.signal import Category, Certainty, Hazard, Info, Severity, Signal

NEW_MAX = 40  # lines that are told of one change


class PageConfig(PollConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page to watch.

    Example: `{url: "https://www.example.brussels/alerts", watch: "main .alert", every: 300}`.
    """

    watch: Annotated[
        str, Meta(description="CSS selector of the part that is watched", examples=["#news", "main .alert"])
    ] = "body"
    ignore: Annotated[
        tuple[str, ...], Meta(description="CSS selectors of what in it does not count", examples=[".date", "nav"])
    ] = ()
    ignore_text: Annotated[
        tuple[str, ...], Meta(description="Patterns (RE2) of what in its lines does not count", examples=[r"\d\d:\d\d"])
    ] = ()
    only: Annotated[
        str, Meta(description="Pattern (RE2): only changes count of which a new line holds it", examples=["(?i)closed"])
    ] = ""
    headline: Annotated[
        str, Meta(description="Begins each headline; the page's title where left out", examples=["Tunnels"])
    ] = ""
    language: Annotated[str, Meta(description="Language of the page", examples=["fr-BE"], pattern="^[A-Za-z-]*$")] = (
        "fr-BE"
    )
    hazard: Annotated[Hazard | None, Meta(description="What its news are about, e.g. traffic")] = None
    category: Annotated[Category, Meta(description="CAP category of its news, e.g. Transport")] = Category.OTHER
    severity: Annotated[Severity, Meta(description="How bad its news are, e.g. Moderate")] = Severity.UNKNOWN

    def __post_init__(self) -> None:
        for name, patterns in (("watch", (self.watch,)), ("ignore", self.ignore)):
            for pattern in patterns:
                try:
                    selector(pattern)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        for name, patterns in (("ignore_text", self.ignore_text), ("only", (self.only,))):
            for pattern in patterns:
                try:
                    re2.compile(pattern)
                except re2.error as error:
                    raise ValueError(f"{name}: {pattern!r} is no pattern ({error}): see RE2's syntax") from None


class PageSource(PollingSource[PageConfig]):
    """Offers a signal for each change that brings something new; see connectors/page/README.md."""

    Config: ClassVar[type[Struct]] = PageConfig

    def poll(self, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool) -> "_Poll":
        return _Poll(self._config, fetcher, intake, cursor, first, self._sleep)

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """A page in a file: one signal that says all there is on it."""
        made = config if isinstance(config, PageConfig) else PageConfig(url="https://page.invalid/")
        key = f"page:{digest(data)}"
        try:
            found = said(data, "", made.watch, made.ignore, made.ignore_text)
        except ReadError as error:
            return [BadItem(reason=error.reason, place=error.place, original=data, key=key, media_type="text/html")]
        except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
            reason = f"cannot be read ({type(error).__name__})"
            return [BadItem(reason=reason, original=data, key=key, media_type="text/html")]
        signal = _signal(made, found, found.lines, 0, datetime(1970, 1, 1, tzinfo=UTC))
        return [SignalItem(signal=signal, key=key, original=data, media_type="text/html")]


class _Poll:
    """One poll after another: fetch, compare with the lines known, say what is new, remember."""

    def __init__(
        self, config: PageConfig, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool, sleep: Sleep
    ) -> None:
        self._config = config
        self._fetcher = fetcher
        self._intake = intake
        self._cursor = cursor
        self._first = first
        self._sleep = sleep

    async def __call__(self) -> int:
        """Answers how many signals were offered: one or none. Raises FetchFailed, PollFailed."""
        cursor, config = self._cursor, self._config
        got = await self._fetcher.get(config.url, etag=cursor.etag, last_modified=cursor.last_modified)
        if got.unchanged:
            return 0
        found = await self._read(got)
        marks = {mark(line): line for line in found.lines}
        new = [line for name, line in marks.items() if name not in cursor.seen]
        gone = sum(name not in marks for name in cursor.seen)
        items: list[SignalItem] = []
        if new and not self._first and (not config.only or any(re2.search(config.only, line) for line in new)):
            signal = _signal(config, found, new, gone, self._intake.now())
            key = "page:" + digest(config.url, signal.sent.isoformat(), *new)
            items = [SignalItem(signal=signal, key=key, original=got.body, media_type=got.media_type)]
        changed = new or gone or self._first
        cursor.seen = dict.fromkeys(marks, "")
        cursor.etag, cursor.last_modified = got.etag, got.last_modified
        if changed:
            await offer(self._intake, items, cursor.dump(), self._sleep)
        self._first = False
        return len(items)

    async def _read(self, got: Fetched) -> Said:
        config = self._config
        try:
            return await read_aside(
                self._intake, said, got.body, got.charset, config.watch, config.ignore, config.ignore_text
            )
        except (ReadError, WorkerLimit) as error:
            raise PollFailed(f"{config.url}: {error}") from error


def _signal(config: PageConfig, found: Said, new: Sequence[str], gone: int, now: datetime) -> Signal:
    about = config.headline or found.title or host_of(config.url)
    more = f"\n(+{len(new) - NEW_MAX})" if len(new) > NEW_MAX else ""
    info = Info(
        language=config.language,
        categories=(config.category,),
        hazard=config.hazard,
        severity=config.severity,
        certainty=Certainty.UNKNOWN,
        headline=f"{about}: {new[0]}"[:200] if new else about,
        description="\n".join(new[:NEW_MAX]) + more,
        web=config.url,
    )
    return Signal(
        identifier=f"{host_of(config.url)} {digest(config.url, now.isoformat(), *new)[:16]}",
        sender=host_of(config.url),
        sent=now,
        infos=(info,),
        notes=(f"{len(new)} lines are new, {gone} are gone",),
    )
