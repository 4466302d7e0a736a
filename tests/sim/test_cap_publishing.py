"""What stands on the CAP feed in the course of a night of the whole hub: released, corrected, all clear, stopped, with
the hub going down in between. Every document verifies, and our own reader knows what it says."""

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace
from trio.testing import MockClock

from connectors.cap.read import read_cap
from connectors.feed.parse import parse_feed
from hub.acts import CapShown, Refused
from hub.cap.check import problems
from hub.cap.signing import Signer
from hub.cap_link import ALERT, FEED, CapFeed
from hub.connector import SignalItem
from hub.journal import JournalUnavailable
from hub.model import records as r
from hub.model.broadcast import RegisteredIn
from hub.model.people import Address, Language, Registered
from hub.model.signal import MsgType, ResponseType, Severity, Signal, Status, Urgency
from tests.cap_feed import CLASSES, FORM, key_pair, verified
from tests.contracts.channel import Provider
from tests.promises.night import Night, night
from tests.promises.rules import chain, rules, tier
from tests.promises.test_public import WANTED, accepted, releases, smoke, waits

pytestmark = pytest.mark.trio

KEY, CERTIFICATE = key_pair()
ON = (FORM, CLASSES, Signer(KEY, CERTIFICATE))
TOWN = (Registered(id="r-0", language=Language.FR, commune="ixelles", addresses=(Address("sms", "+32450001000"),)),)
SAY = {"fr": "Fumée toxique.", "nl": "Giftige rook.", "de": "Giftiger Rauch.", "en": "Toxic smoke."}
IN_FORCE = rules(chain(tier("anna")), registered=TOWN)
CAP = {"category": ["Fire"], "severity": "Extreme", "response": ["Shelter"], "expires_s": 7200.0}


def on_feed(**more: Any) -> Any:
    return night(IN_FORCE, feed=(replace(FORM, **more), CLASSES, ON[2]))


async def feed(n: Night) -> list[Signal]:
    """What a subscriber reads, the newest first; each document verifies and is as the standard wants it."""
    assert n.publisher is not None
    found: CapFeed = await n.publisher.done[FEED]({"tag": ""}, None)
    assert (await n.publisher.done[FEED]({"tag": found.tag}, None)).body == b""
    signals = []
    for entry in parse_feed(found.body, "https://vigie.example.org/cap/feed.atom").entries:
        name = entry.cap_link.removeprefix("https://vigie.example.org/cap/").removesuffix(".xml")
        document = await n.publisher.done[ALERT]({"identifier": name}, None)
        verified(document, CERTIFICATE)
        assert problems(etree.fromstring(document)) == []
        (item,) = read_cap(document)
        assert isinstance(item, SignalItem)
        assert item.signal.identifier == name
        assert item.signal.notes == ()
        signals.append(item.signal)
    return signals


async def drafts(n: Night, **more: Any) -> str:
    fields: dict[str, Any] = {
        "by": "anna",
        "why": "fire",
        "group": "public",
        "texts": {language: {"text": text} for language, text in SAY.items()},
    }
    if "follows" not in more:
        fields |= {"registered": {"areas": ["ixelles"]}, "by_channels": ["sms"]}
    return str((await n.acts("draft", **(fields | more))).id)


async def goes_out(n: Night, **more: Any) -> str:
    id_ = await drafts(n, **more)
    await n.acts("release", {"broadcast": id_}, by="bea")
    await n.after(seconds=1)
    n.left.clear()  # what reaches whom is told elsewhere
    return id_


def kinds(signals: list[Signal]) -> list[str]:
    return [signal.msg_type.value for signal in signals]


# --- the course of things ----------------------------------------------------------------------------------


async def test_released_corrected_and_all_clear_with_the_hub_going_down_in_between(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        draft = await drafts(n, cap=CAP)
        assert await feed(n) == [], "a draft is nobody's business"
        shown: CapShown = await n.acts("broadcast-cap", {"broadcast": draft})
        assert (shown.published, "<severity>Extreme</severity>" in shown.xml, "Signature" in shown.xml) == (
            False,
            True,
            False,
        )
        await n.acts("release", {"broadcast": draft}, by="bea")
        await n.after(seconds=1)
        n.left.clear()
        (alert,) = await feed(n)
        assert alert.identifier == draft
        assert [info.headline for info in alert.infos] == list(SAY.values())
        assert {info.severity for info in alert.infos} == {Severity.EXTREME}
        assert {info.response_types for info in alert.infos} == {(ResponseType.SHELTER,)}
        assert {code.code for info in alert.infos for area in info.areas for code in area.geocodes} == {"21009"}
        assert alert.infos[0].expires is not None
        assert (alert.infos[0].expires - alert.sent).total_seconds() == 7200
        before = n.publisher.published[draft].document if n.publisher else b""
        again: CapShown = await n.acts("broadcast-cap", {"broadcast": draft})
        assert (again.published, again.xml.encode()) == (True, before)

        await n.is_down_for(minutes=10)
        assert n.publisher is not None
        assert n.publisher.published[draft].document == before, "to the byte"

        correction = await goes_out(n, kind="correction", follows=draft)
        update, alert = await feed(n)
        assert (update.identifier, update.msg_type) == (correction, MsgType.UPDATE)
        assert [(x.sender, x.identifier, x.sent) for x in update.references] == [
            (alert.sender, alert.identifier, alert.sent)
        ]
        assert {info.severity for info in update.infos} == {Severity.EXTREME}, "as what it corrects"
        assert {info.response_types for info in update.infos} == {(ResponseType.MONITOR,)}, "but not what to do"
        assert {info.areas for info in update.infos} == {info.areas for info in alert.infos}

        clear = await goes_out(n, kind="all-clear", follows=correction)
        over, update, alert = await feed(n)
        assert (over.identifier, over.msg_type) == (clear, MsgType.UPDATE)
        assert {x.identifier for x in over.references} == {draft, correction}
        for info in over.infos:
            assert info.response_types == (ResponseType.ALL_CLEAR,)
            assert (info.urgency, info.severity) == (Urgency.PAST, Severity.MINOR)
        assert len(await facts(n)) == 3
        await n.after(seconds=5)  # who comes back listens first
        n.left.clear()


async def facts(n: Night) -> list[r.CapPublished]:
    found = await n.journal.facts_since(("cap",), n.now.replace(year=2020), 100)
    return [fact.body for fact in found if isinstance(fact.body, r.CapPublished)]


async def test_what_was_released_and_not_yet_published_is_when_the_hub_is_back(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        assert n.publisher is not None
        journal = n.journal

        async def full(*_: Any) -> Any:
            raise JournalUnavailable("disk full")

        n.publisher._journal = _Only(journal, full)
        alert = await goes_out(n)
        await n.after(minutes=5)
        assert await feed(n) == [], "nothing is served that is not durable"
        await n.is_down_for(minutes=5)
        await n.after(seconds=1)
        (found,) = await feed(n)
        assert found.identifier == alert
        assert len(await facts(n)) == 1


class _Only:
    """A journal on which no fact can be put."""

    def __init__(self, journal: Any, put: Callable[..., Any]) -> None:
        self._journal = journal
        self.put_facts = put

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


async def test_it_is_published_once_however_often_the_hub_forgets_that_it_was(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        alert = await goes_out(n)
        assert n.publisher is not None
        first = n.publisher.published[alert].document
        await n.after(minutes=3)
        n.publisher.published.clear()
        n.publisher._moved.set()
        await n.after(seconds=1)
        assert n.publisher.published[alert].document == first, "the same identifier, the same bytes"
        assert len(await facts(n)) == 1


async def under_way(n: Night, **more: Any) -> str:
    """A broadcast that is released, and nobody has got it yet."""
    n.channels["sms"].provider = Provider.BUSY
    return await goes_out(n, **more)


async def test_stopped_before_it_is_done_it_is_withdrawn(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        alert = await under_way(n)
        await n.acts("broadcast-hold", {"broadcast": alert}, why="is it?")
        assert kinds(await feed(n)) == ["Alert"], "to hold it back says nothing of whether it is true"
        await n.acts("broadcast-stop", {"broadcast": alert}, why="it is not")
        cancel, found = await feed(n)
        assert (cancel.identifier, cancel.msg_type) == (f"{alert}-cancel", MsgType.CANCEL)
        assert [x.identifier for x in cancel.references] == [found.identifier]
        assert cancel.infos[0].headline == "Alerte retirée: Fumée toxique."
        assert "it is not" not in str(cancel), "why is the room's business"
        await n.is_down_for(minutes=1)
        assert kinds(await feed(n)) == ["Cancel", "Alert"]


async def test_it_stands_while_a_correction_waits_and_is_withdrawn_when_that_is_thrown_away(
    autojump_clock: MockClock,
) -> None:
    async with on_feed() as n:
        alert = await under_way(n)
        correction = await drafts(n, kind="correction", follows=alert)
        assert n.state.broadcasts[alert].outcome == "stopped"
        await n.is_down_for(minutes=10)
        assert kinds(await feed(n)) == ["Alert"]
        await n.acts("broadcast-stop", {"broadcast": correction}, why="it was right")
        assert kinds(await feed(n)) == ["Cancel", "Alert"]
    async with on_feed() as n:
        alert = await under_way(n)
        await drafts(n, kind="correction", follows=alert)
        await n.after(hours=25)
        assert kinds(await feed(n)) == ["Cancel", "Alert"], "nobody released it in time"
    async with on_feed() as n:
        alert = await under_way(n)
        await goes_out(n, kind="correction", follows=alert)
        assert kinds(await feed(n)) == ["Update", "Alert"]


async def test_nothing_is_added_while_all_is_stopped_or_it_is_held_before_anybody_could_read_it(
    autojump_clock: MockClock,
) -> None:
    async with on_feed() as n:
        await n.acts("stop-all", why="hold on")
        alert = await goes_out(n)
        await n.after(minutes=5)
        assert await feed(n) == []
        await n.acts("broadcast-hold", {"broadcast": alert}, why="?")
        await n.acts("lift", why="go on")
        await n.after(minutes=5)
        assert await feed(n) == []
        await n.acts("broadcast-resume", {"broadcast": alert}, why="it is")
        await n.after(seconds=1)
        assert kinds(await feed(n)) == ["Alert"]
        n.left.clear()


async def test_what_is_not_for_everybody_is_not_published(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        await goes_out(n, group="partners", registered=None, to=["person police"])
        await goes_out(n, registered=None, to=["person police"])  # of a class that is, to partners only
        await goes_out(n, status="Exercise", to=["person police"])
        await n.after(minutes=1)
        assert await feed(n) == []
        id_ = await drafts(n, registered=None, to=["person police"])
        with pytest.raises(Refused, match="it does not go to the public"):
            await n.acts("broadcast-cap", {"broadcast": id_})
        with pytest.raises(Refused, match="no broadcast nobody"):
            await n.acts("broadcast-cap", {"broadcast": "nobody"})
    async with night(IN_FORCE) as n:
        await goes_out(n)
        assert await facts(n) == []


async def test_an_exercise_is_published_as_one_where_that_is_wanted(autojump_clock: MockClock) -> None:
    async with on_feed(exercises=True) as n:
        await goes_out(n, status="Exercise", to=["person police"])
        (found,) = await feed(n)
        assert found.status is Status.EXERCISE
        assert all("EXERC" in i.headline and "EXERC" in i.description and "EXERC" in i.event for i in found.infos)


async def test_what_an_author_says_is_checked_when_it_is_drafted(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        with pytest.raises(Refused, match="cap: event: nl, de, en: there are no words"):
            await drafts(n, cap={"event": {"fr": "Incendie"}})
        streets = await n.acts(
            "preview",
            why="fire",
            by="anna",
            group="public",
            texts={language: {"text": text} for language, text in SAY.items()},
            registered={"areas": ["ixelles"], "streets": ["Rue Haute"]},
            by_channels=["sms"],
        )
        assert "CAP: it is published for everybody to read, as Public warning (Severe)" in streets.warnings
        assert streets.warnings[-1].startswith("CAP: streets have no shape there: whoever goes by codes warns all")


async def test_the_sheet_of_an_incident_gives_its_signals_words_and_its_end_the_all_clear(
    autojump_clock: MockClock,
) -> None:
    async with night(smoke(), feed=ON) as n:
        await accepted(n)
        alert = await waits(n)
        await releases(n, alert, "anna", "bea")
        await n.after(seconds=5)
        n.left.clear()
        (found,) = await feed(n)
        assert [info.event for info in found.infos] == [
            "Orages violents", "Hevig onweer", "Schwere Gewitter", "Severe thunderstorms",
        ]  # fmt: skip
        assert {info.severity for info in found.infos} == {Severity.SEVERE}
        assert {info.expires for info in found.infos} == {n.now.replace(hour=12, minute=10, second=0, microsecond=0)}
        await n.all_clear()
        await n.after(seconds=5)
        n.left.clear()
        assert kinds(await feed(n)) == ["Alert"], "it stands until people have said so"
        clear = list(n.state.broadcasts)[-1]
        await releases(n, clear, "bea", "carl")
        await n.after(seconds=5)
        n.left.clear()
        over, _ = await feed(n)
        assert {info.response_types for info in over.infos} == {(ResponseType.ALL_CLEAR,)}


async def test_what_reached_nobodys_phone_may_have_been_read_and_has_its_all_clear(autojump_clock: MockClock) -> None:
    nowhere = replace(WANTED, registered=RegisteredIn(areas=("forest",)))  # where nobody has registered
    async with night(smoke(nowhere), feed=ON) as n:
        await accepted(n)
        alert = await waits(n)
        await releases(n, alert, "anna", "bea")
        assert kinds(await feed(n)) == ["Alert"]
        await n.all_clear()
        await n.person("anna").receives("weather-over")
        clear = await waits(n)
        await releases(n, clear, "bea", "carl")
        assert kinds(await feed(n)) == ["Update", "Alert"]


async def test_the_correction_of_an_all_clear_is_about_the_danger(autojump_clock: MockClock) -> None:
    async with on_feed() as n:
        alert = await goes_out(n, cap=CAP | {"expires_s": 90_000.0})
        clear = await goes_out(n, kind="all-clear", follows=alert)
        await goes_out(n, kind="correction", follows=clear)
        wrong, _, _ = await feed(n)
        for info in wrong.infos:
            assert ResponseType.ALL_CLEAR not in info.response_types
            assert (info.severity, info.urgency) == (Severity.EXTREME, Urgency.IMMEDIATE)
        assert {x.identifier for x in wrong.references} == {alert, clear}


async def test_one_hub_subscribes_to_another_and_its_incident_ends_with_the_all_clear(
    autojump_clock: MockClock,
) -> None:
    """What the one publishes opens an incident of the other, whose officer is asked; the all-clear ends it."""
    async with on_feed() as n:
        words = {"event": dict(zip(SAY, ("Orage", "Onweer", "Gewitter", "Thunderstorm"), strict=True))}
        await goes_out(n, cap=words)
        (alert,) = await feed(n)
        await n.comes_in("neighbour", SignalItem(signal=alert, key="1"))
        assert [incident.ended for incident in n.state.incidents.values()] == [False]
        await n.person("anna").is_asked()
        id_ = await goes_out(n, kind="all-clear", follows=alert.identifier)
        over, _ = await feed(n)
        assert over.identifier == id_
        await n.comes_in("neighbour", SignalItem(signal=over, key="2"))
        assert [incident.ended for incident in n.state.incidents.values()] == [True]
        await n.after(minutes=1)
        n.left.clear()


async def test_what_cannot_be_made_the_room_hears_of(autojump_clock: MockClock) -> None:
    class Broken:
        def signed(self, alert: Any) -> bytes:
            raise RuntimeError("no entropy")

    async with on_feed() as n:
        assert n.publisher is not None
        n.publisher._signer = Broken()
        alert = await goes_out(n)
        assert await feed(n) == []
        assert n.alarm("auditor").startswith(f"the alert of the broadcast {alert} is not on the CAP feed: RuntimeError")


async def test_an_alert_whose_state_was_not_yet_durable_waits_for_the_next_decision_whatever_it_is_of(
    autojump_clock: MockClock,
) -> None:
    async with on_feed() as n:
        assert n.publisher is not None
        durable = [True]
        n.publisher._settled = lambda: durable[0]
        draft = await drafts(n)
        durable[0] = False
        await n.acts("release", {"broadcast": draft}, by="bea")
        await n.after(seconds=1)
        n.left.clear()
        assert await feed(n) == []
        durable[0] = True
        await drafts(n)  # nothing that begins or ends a broadcast
        await n.after(seconds=1)
        assert kinds(await feed(n)) == ["Alert"]
