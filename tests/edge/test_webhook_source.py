"""A partner posts alerts to a real server: what is accepted, what is refused, and what is kept."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook

from connectors.webhook.signature import key_of, sign
from connectors.webhook.source import WebhookConfig, WebhookSource
from hub.connector import BadItem, Source
from hub.model.signal import Category, Hazard, MsgType, Severity
from hub.web.server import Mount, WebConfig, WebServer
from tests.contracts.intake import MemoryIntake, environment

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
STRANGER = "whsec_" + base64.b64encode(b"x" * 32).decode()

ALERT: dict[str, Any] = {
    "id": "siamu-2026-0714-1",
    "sent": "2026-07-14T02:10:00+02:00",
    "event": {"fr": "Fuite de gaz", "nl": "Gaslek"},
    "headline": {"fr": "Fuite de gaz, rue du Trône", "nl": "Gaslek, Troonstraat"},
    "category": "Safety",
    "hazard": "gas-leak",
    "severity": "Severe",
    "urgency": "Immediate",
    "certainty": "Observed",
    "area": {"communes": ["Ixelles"], "points": [{"lat": 50.84, "lon": 4.37, "radius_km": 0.5}]},
    "expires": "2026-07-14T08:00:00+02:00",
    "links": ["https://example.org/1"],
}


def source(**config: Any) -> WebhookSource:
    given = environment("siamu", siamu=SECRET, siamu_old=OLD)
    return WebhookSource(WebhookConfig(**{"secrets": ("siamu", "siamu_old"), "language": "fr-BE", **config}), given)


class Partner:
    """Signs and posts as a partner's own system would."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def post(
        self,
        alert: Any,
        message_id: str = "msg_1",
        *,
        secret: str = SECRET,
        at: float | None = None,
        media_type: str | None = "application/json",
        **headers: str,
    ) -> tuple[int, dict[str, Any], Any]:
        body = alert if isinstance(alert, bytes) else json.dumps(alert).encode()
        seconds = int(at if at is not None else time.time())
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": sign(key_of(secret, "s"), message_id, seconds, body),
            **({"content-type": media_type} if media_type else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with self.session.post(self.url, data=body, headers=signed) as response:
            return response.status, await response.json(content_type=None), response.headers


async def ready() -> dict[str, bool]:
    return {"ready": True}


@asynccontextmanager
async def partner(listening: WebhookSource, intake: MemoryIntake) -> Any:
    server = WebServer(
        WebConfig(port=0),
        [Mount(prefix="/in/siamu", routes=listening.routes(intake))],
        health=ready,
    )
    port = await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Partner(f"http://127.0.0.1:{port}/in/siamu", session)
    finally:
        await server.stop()


def play(story: Callable[[Partner, MemoryIntake], Awaitable[None]], **config: Any) -> MemoryIntake:
    intake = MemoryIntake()

    async def run() -> None:
        async with partner(source(**config), intake) as someone:
            await story(someone, intake)

    asyncio.run(run())
    return intake


def test_it_is_a_source() -> None:
    assert isinstance(source(), Source)


def test_an_alert_becomes_a_signal_in_each_of_its_languages() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        status, body, _ = await siamu.post(ALERT)
        assert (status, body) == (202, {"id": "FACT000000", "repeated": False})

    [item] = play(story).signals
    assert item.original == json.dumps(ALERT).encode()
    signal = item.signal
    assert (signal.identifier, signal.sender, signal.msg_type) == ("siamu-2026-0714-1", "siamu", MsgType.ALERT)
    assert signal.sent.isoformat() == "2026-07-14T00:10:00+00:00"
    assert [(info.language, info.event) for info in signal.infos] == [("fr-BE", "Fuite de gaz"), ("nl-BE", "Gaslek")]
    for info in signal.infos:
        assert (info.categories, info.hazard, info.severity) == ((Category.SAFETY,), Hazard.GAS_LEAK, Severity.SEVERE)
        [area] = info.areas
        assert [(code.system, code.code) for code in area.geocodes] == [("NIS", "21009")]
        assert area.circles[0].radius_km == 0.5


def test_nothing_is_acknowledged_before_it_is_durable() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        intake.gate = asyncio.Event()
        posted = asyncio.create_task(siamu.post(ALERT))
        done, _ = await asyncio.wait({posted}, timeout=0.2)
        assert not done
        assert intake.offers == 1
        intake.gate.set()
        assert (await posted)[0] == 202

    play(story)


def test_the_same_message_again_is_the_same_signal() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        await siamu.post(ALERT)
        status, body, _ = await siamu.post(ALERT, at=time.time() + 5)
        assert (status, body) == (202, {"id": "FACT000000", "repeated": True})

    assert len(play(story).items) == 1


def test_the_same_message_after_a_restart_is_the_same_signal() -> None:
    intake = MemoryIntake()

    async def run() -> None:
        for repeated in (False, True):
            async with partner(source(), intake) as siamu:
                assert (await siamu.post(ALERT))[1]["repeated"] is repeated

    asyncio.run(run())
    assert len(intake.items) == 1


def test_the_same_id_for_something_else_is_a_conflict_and_kept() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        await siamu.post(ALERT)
        status, body, _ = await siamu.post({**ALERT, "severity": "Extreme"})
        assert status == 409
        assert body["place"] == "webhook-id"

    intake = play(story)
    assert len(intake.signals) == 1
    assert json.loads(intake.bad[0].original)["severity"] == "Extreme"


def test_of_two_at_once_under_one_id_only_one_is_taken() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        answers = await asyncio.gather(siamu.post(ALERT), siamu.post({**ALERT, "severity": "Extreme"}))
        assert sorted(status for status, _, _ in answers) == [202, 409]

    assert len(play(story).signals) == 1


def test_an_id_refused_for_a_bad_body_may_be_used_for_the_right_one() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        assert (await siamu.post({**ALERT, "severity": "Svere"}))[0] == 400
        assert (await siamu.post(ALERT))[0] == 202

    intake = play(story)
    assert (len(intake.signals), len(intake.bad)) == (1, 1)


def test_when_nothing_is_durable_the_sender_is_told_when_to_try_again() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        intake.down = "disk full"
        status, body, headers = await siamu.post(ALERT)
        assert status == 503
        assert "disk full" in body["detail"]
        assert headers["retry-after"] == "5"
        assert (await siamu.post({**ALERT, "event": 3}, "msg_2"))[0] == 503
        intake.down = ""
        assert (await siamu.post(ALERT))[0] == 202

    play(story)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"secret": STRANGER}, "matches no secret"),
        ({"at": 1000.0}, "old"),
        ({"at": time.time() + 4000}, "ahead"),
        ({"webhook_signature": "v1,"}, "matches no secret"),
        ({"webhook_id": "other"}, "matches no secret"),
    ],
)
def test_a_bad_signature_is_refused_and_not_kept(how: dict[str, Any], word: str) -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        status, body, _ = await siamu.post(ALERT, **how)
        assert status == 401
        assert word in body["detail"]

    assert play(story).items == []


def test_the_old_secret_still_opens_while_it_is_replaced() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        assert (await siamu.post(ALERT, secret=OLD))[0] == 202

    play(story)


def test_the_reference_library_as_a_sender() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        from datetime import UTC, datetime

        body = json.dumps(ALERT)
        now = datetime.now(UTC)
        headers = {
            "webhook-id": "msg_lib",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign("msg_lib", now, body),
            "content-type": "application/json; charset=utf-8",
        }
        async with siamu.session.post(siamu.url, data=body, headers=headers) as response:
            assert response.status == 202

    play(story)


BAD = [
    ({**ALERT, "severity": "Svere"}, "severity", "Severe"),
    ({**ALERT, "servity": "Severe"}, "servity", "is no field"),
    ({key: value for key, value in ALERT.items() if key != "event"}, "event", "is missing"),
    ({**ALERT, "sent": "2026-07-14T02:10:00"}, "sent", "offset"),
    ({**ALERT, "sent": "1970-01-01T00:00:00Z"}, "sent", "cannot be"),
    ({**ALERT, "sent": "2099-01-01T00:00:00Z"}, "sent", "cannot be"),
    ({**ALERT, "id": "two words"}, "id", "without space"),
    ({**ALERT, "id": "siamu\n"}, "id", "without space"),
    ({**ALERT, "links": ["https://x\n"]}, "links[0]", "https://"),
    ({**ALERT, "msg_type": "Cancel"}, "references", "is empty"),
    ({**ALERT, "msg_type": "Update", "references": ["siamu-2026-0714-1"]}, "references", "itself"),
    ({**ALERT, "msg_type": "Ack"}, "msg_type", "Cancel"),
    ({**ALERT, "onset": "2026-07-14T09:00:00+02:00"}, "expires", "not after onset"),
    ({**ALERT, "area": {"points": [{"lat": 4.37, "lon": 50.84}]}}, "area.points[0]", "latitude comes first"),
    ({**ALERT, "area": {"points": [{"lat": 91, "lon": 4}]}}, "area.points[0].lat", "within 90"),
    ({**ALERT, "area": [{"polygons": [[[50.8, 4.3], [50.9, 4.4], [4.4, 50.9]]]}]}, "area[0].polygons[0][2]", "first"),
    ({**ALERT, "area": {"polygons": [[[50.8, 4.3], [50.8, 4.3], [50.8, 4.3]]]}}, "area.polygons[0]", "three different"),
    ({**ALERT, "area": {"polygons": [[[50.8], [50.8, 4.3], [50.8, 4.3]]]}}, "area.polygons[0][0]", "rings of"),
    ({**ALERT, "links": ["file:///etc/passwd"]}, "links[0]", "https://"),
    ({**ALERT, "headline": {"french": "x"}}, "headline", "fr"),
    (b"", "1:1", "malformed"),
    (b"{", "1:2", "malformed"),
    (b'{"id":\n "x",}', "2:6", "malformed"),
    (b'{"id": "\xff"}', "1:9", "UTF-8"),
    (b"[]", "", "PartnerAlert"),
    (b'{"parameters": ' + b'{"a":' * 20_000, "parameters[...]", "texts"),
    (b"[" * 200_000, "", "PartnerAlert"),
    (b"\x00" * 100, "1:1", "malformed"),
    (b"\xff\xfe{\x00}\x00", "1:1", "malformed"),
    (b'{"id": NaN}', "1:8", "malformed"),
]


@pytest.mark.parametrize(("alert", "place", "remedy"), BAD, ids=range(len(BAD)))
def test_a_bad_alert_is_told_where_and_kept(alert: Any, place: str, remedy: str) -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        status, body, headers = await siamu.post(alert)
        assert status == 400
        assert body.get("place", "") == place
        assert remedy in body["detail"]
        assert headers["content-type"].startswith("application/problem+json")
        # The next one is none the worse for it.
        assert (await siamu.post(ALERT, "msg_2"))[0] == 202

    intake = play(story)
    [kept] = intake.bad
    assert kept.original == (alert if isinstance(alert, bytes) else json.dumps(alert).encode())
    assert kept.place == place
    assert len(intake.signals) == 1


def test_an_unknown_commune_is_no_reason_to_lose_an_alert() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        assert (await siamu.post({**ALERT, "area": {"communes": ["Ixeles", "SINT GILLIS", "23027"]}}))[0] == 202

    [item] = play(story).signals
    [area] = item.signal.infos[0].areas
    codes = [(code.system, code.code) for code in area.geocodes]
    assert codes == [("commune", "Ixeles"), ("NIS", "21013"), ("NIS", "23027")]
    assert item.signal.notes == ("commune not known by name: Ixeles",)


def test_an_update_names_what_it_replaces() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        update = {**ALERT, "id": "siamu-2", "msg_type": "Update", "references": ["siamu-2026-0714-1"]}
        assert (await siamu.post(update))[0] == 202

    [item] = play(story).signals
    [reference] = item.signal.references
    assert (reference.sender, reference.identifier) == ("siamu", "siamu-2026-0714-1")


def test_a_large_body_is_read_in_a_worker_and_a_huge_one_not_at_all() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        large = {**ALERT, "description": "x" * 100_000}
        assert (await siamu.post(large))[0] == 202
        assert intake.in_workers == ["alert"]
        assert (await siamu.post({**large, "severity": 3}, "msg_2"))[1]["place"] == "severity"
        status, body, _ = await siamu.post({**ALERT, "description": "x" * 200_000}, "msg_3")
        assert (status, body["title"]) == (413, "Too large")

    intake = play(story, max_bytes=150_000)
    assert (len(intake.signals), len(intake.bad)) == (1, 1)


def test_what_takes_a_worker_too_long_is_a_dead_letter() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        intake.worker_limit = "5 s"
        status, body, _ = await siamu.post({**ALERT, "description": "x" * 100_000})
        assert status == 400
        assert "5 s" in body["detail"]

    assert len(play(story).bad) == 1


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_refused_and_kept(media_type: str) -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        status, body, _ = await siamu.post(ALERT, media_type=media_type or "x")
        assert status == 415
        assert "application/cap+xml" in body["detail"]

    assert len(play(story).bad) == 1


def test_a_compressed_body_is_refused() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        assert (await siamu.post(b"\x1f\x8b" + b"\0" * 50, content_encoding="gzip"))[0] == 415

    assert play(story).items == []


def test_an_endless_id_is_refused() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        assert (await siamu.post(ALERT, "m" * 300))[0] == 400

    assert play(story).items == []


def test_a_repetition_that_could_not_be_recorded_does_not_free_the_id() -> None:
    async def story(siamu: Partner, intake: MemoryIntake) -> None:
        assert (await siamu.post(ALERT))[0] == 202
        intake.down = "disk full"
        assert (await siamu.post(ALERT))[0] == 503
        intake.down = ""
        assert (await siamu.post({**ALERT, "severity": "Extreme"}))[0] == 409

    play(story)


def test_it_stays_ready_until_it_is_cancelled() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        running = asyncio.create_task(source().run(intake))
        done, _ = await asyncio.wait({running}, timeout=0.05)
        assert not done
        assert intake.healths == [("ok", "")]
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()

    asyncio.run(run())


def test_a_file_is_read_without_a_server() -> None:
    [item] = WebhookSource.read(json.dumps(ALERT).encode(), "siamu")
    assert not isinstance(item, BadItem)
    assert item.signal.identifier == "siamu-2026-0714-1"
    [bad] = WebhookSource.read(b'{"id": 3}', "siamu")
    assert isinstance(bad, BadItem)
    assert bad.place == "id"


def test_secrets_are_in_no_repr() -> None:
    listening = source()
    assert SECRET not in repr(listening) + repr(vars(listening)["_config"])


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(KeyError, match="absent"):
        WebhookSource(WebhookConfig(secrets=("absent",)), environment("siamu"))
