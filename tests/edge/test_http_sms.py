"""SMS by HTTP against a provider on loopback (invented), which reports and passes replies on to a real web server."""

import json
from typing import Any

import aiohttp
import pytest

from hub.connector import Dead, Retry, Sent
from hub.model.message import Outcome
from tests.contracts.channel import PROMISES, outgoing
from tests.edge.http_sms_room import ANNE, HOOK, HUB, KEY, LUX, OLD, ORDER, Place, play


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise: Any) -> None:
    play(promise)


# --- what goes out -------------------------------------------------------------------------------------------

NASTY = 'Fin "de" l’alerte\\ {from} {"x": 1}\r\n& text=2 + 1 %41 <b>€</b>\x00\u2028'


def test_the_message_is_posted_as_described() -> None:
    async def story(here: Place) -> None:
        answer = await here.channel.send(outgoing(ANNE, "Storm over Ixelles.", order=ORDER, index=3))
        assert answer == Sent(ref="b-1")
        [(_, headers, body)] = here.provider.requests
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["content-type"] == "application/json"
        assert json.loads(body) == {
            "messages": [
                {
                    "to": ANNE,
                    "from": HUB,
                    "body": "Storm over Ixelles.",
                    "reference": f"{ORDER}-3",
                    "encoding": "text",
                    "report": True,
                }
            ]
        }

    play(story)


FORM = {"to": "{to}", "body": "{text}", "n": "{digits}"}


@pytest.mark.parametrize(
    "how",
    [{}, {"json": "", "form": FORM}, {"json": "", "query": FORM}, {"json": "", "query": FORM, "method": "GET"}],
    ids=["json", "form", "query", "get"],
)
def test_no_text_can_end_what_it_stands_in(how: dict[str, Any]) -> None:
    async def story(here: Place) -> None:
        assert isinstance(await here.channel.send(outgoing(ANNE, NASTY)), Sent)
        [taken] = here.provider.taken
        assert taken["body"] == NASTY.replace("’", "'").replace("\r\n", "\n")
        assert taken["to"] == ANNE
        assert taken.get("n", ANNE[1:]) == ANNE[1:]
        assert set(taken) <= {"to", "from", "body", "reference", "encoding", "report", "n"}

    play(story, **how, **({"idempotent": False} if how else {}))


def test_accents_that_need_it_are_said_to_be_unicode_and_a_long_text_is_cut() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE, "België is groot. " * 100))
        [taken] = here.provider.taken
        assert taken["encoding"] == "unicode"
        assert len(taken["body"]) <= 4 * 67
        assert taken["body"].endswith("...")

    play(story)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"auth": "basic", "auth_name": "sitcen"}, "authorization", "Basic c2l0Y2VuOnMzY3JldC1rZXk="),
        ({"auth": "header", "auth_name": "X-Api-Key"}, "x-api-key", KEY),
    ],
)
def test_who_we_are_is_proved_as_the_provider_wants(auth: dict[str, str], header: str, value: str) -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        assert here.provider.requests[0][1][header] == value

    play(story, **auth)


def test_headers_may_carry_the_id() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE, order=ORDER))
        headers = here.provider.requests[0][1]
        assert (headers["idempotency-key"], headers["accept"]) == (f"{ORDER}-0", "application/json")

    play(story, headers={"Idempotency-Key": "{id}", "Accept": "application/json"})


def test_a_number_it_does_not_serve_goes_to_another_channel_at_once() -> None:
    async def story(here: Place) -> None:
        assert here.channel.check(ANNE) == ""
        assert "+32" in here.channel.check(LUX)
        refused = Dead(reason="a number this provider does not serve", elsewhere=True)
        assert await here.channel.send(outgoing(LUX)) == refused
        assert here.provider.requests == []

    play(story, prefixes=["+32"])


@pytest.mark.parametrize(
    ("status", "error", "answer"),
    [
        (200, "0", Sent(ref="b-1")),
        (200, "INVALID_NUMBER", Dead(reason="the provider answered 200: INVALID_NUMBER", bad_address=True)),
        (200, "OPTED_OUT", Dead(reason="the provider answered 200: OPTED_OUT")),
        (200, "THROTTLED", Retry(reason="the provider answered 200: THROTTLED")),
        (402, "NO_CREDIT", Dead(reason="the provider answered 402: NO_CREDIT", alarm=True)),
        (200, "no +32450000001 of Anne", Dead(reason="the provider answered 200: another code")),
        (451, "0", Dead(reason="the provider answered 451")),
        (401, "0", Dead(reason="the provider answered 401", alarm=True)),
        (422, "0", Dead(reason="the provider answered 422")),
        (503, "0", Retry(reason="the provider answered 503")),
        (500, "0", Retry(reason="the provider answered 500", doubt=True)),
        (302, "0", Dead(reason="the provider answered 302", alarm=True)),
    ],
)
def test_what_an_answer_means(status: int, error: str, answer: object) -> None:
    async def story(here: Place) -> None:
        here.provider.status, here.provider.error = status, error
        here.provider.headers = {"Location": "http://127.0.0.1:1/elsewhere"} if status == 302 else {}
        assert await here.channel.send(outgoing(ANNE)) == answer
        assert len(here.provider.requests) == 1

    play(story)


@pytest.mark.parametrize("body", [b"", b"OK b-17", b"[" * 30_000, b"\xff", b'{"messages": [' + b" " * 200_000])
def test_an_answer_that_cannot_be_read_leaves_doubt_where_an_error_could_stand_in_it(body: bytes) -> None:
    async def story(here: Place) -> None:
        here.provider.body = body
        assert await here.channel.send(outgoing(ANNE)) == Retry(
            reason="the provider answered 202, not understood", doubt=True
        )

    play(story)

    async def trusting(here: Place) -> None:
        here.provider.body = body
        assert await here.channel.send(outgoing(ANNE)) == Sent()

    play(trusting, error_at="")


def test_only_the_statuses_that_are_named_mean_taken() -> None:
    async def story(here: Place) -> None:
        here.provider.status = 200
        assert await here.channel.send(outgoing(ANNE)) == Dead(reason="the provider answered 200")

    play(story, accepted=[202])


# --- what it tells later -------------------------------------------------------------------------------------


def reports(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"reports": entries}).encode()


def test_reports_say_what_became_of_messages() -> None:
    async def story(here: Place) -> None:
        body = reports(
            {"reference": f"{ORDER}-3", "status": "DELIVERED"},
            {"reference": f"{ORDER}-4", "status": "failed", "error": "ABSENT_SUBSCRIBER"},
            {"reference": f"{ORDER}-5", "status": "expired", "error": None},
            {"reference": f"{ORDER}-6", "status": "buffered"},
        )
        assert await here.tell("/report", body) == (200, "OK")
        told = [(r.order, r.index, r.outcome, r.reason) for r in here.intake.receipts]
        assert told == [
            (ORDER, 3, Outcome.DELIVERED, ""),
            (ORDER, 4, Outcome.FAILED, "ABSENT_SUBSCRIBER"),
            (ORDER, 5, Outcome.FAILED, "not delivered"),
        ]

    play(story)


def test_a_report_may_carry_the_providers_own_id() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE, order=ORDER, index=9))
        await here.tell("/report", reports({"reference": "b-1", "status": "delivered"}))
        assert [(r.order, r.index, r.ref) for r in here.intake.receipts] == [(ORDER, 9, "b-1")]
        await here.tell("/report", reports({"reference": "b-77", "status": "failed"}))
        [letter] = here.intake.bad
        assert "no delivery of ours" in letter.reason

    play(story)


def test_a_reply_is_recorded_once_with_its_sender_in_e164() -> None:
    async def story(here: Place) -> None:
        for _ in range(2):
            body = json.dumps({"id": 4711, "from": "32450000001", "body": "AB oui, « 20 min »"}).encode()
            assert await here.tell("/reply", body) == (200, "OK")
        [reply] = here.intake.replies
        assert (reply.channel, reply.address, reply.key) == ("sms-backup", ANNE, "4711")
        assert reply.text == "AB oui, « 20 min »"

    play(story)


@pytest.mark.parametrize("path", ["/report", "/reply"])
def test_nothing_is_taken_from_who_cannot_prove_who_it_is(path: str) -> None:
    async def story(here: Place) -> None:
        body = reports({"reference": f"{ORDER}-3", "status": "delivered"})
        assert (await here.tell(path, body, secret="someone else's"))[0] == 403
        for forged in ("", "sha256=", "00" * 32, "é", "sha256=zz"):
            assert (await here.tell(path, body, **{"X-Berichtje-Signature": forged}))[0] == 403
        assert here.intake.items == []
        async with aiohttp.ClientSession() as session, session.get(here.hooks + path) as response:
            assert response.status == 405
        assert (await here.tell("/report", body, secret=OLD))[0] == 200  # the secret being replaced

    play(story)


def test_what_cannot_be_recorded_is_not_acknowledged() -> None:
    async def story(here: Place) -> None:
        here.intake.down = "disk full"
        body = json.dumps({"id": "1", "from": ANNE, "body": "oui"}).encode()
        assert (await here.tell("/reply", body))[0] == 503
        here.intake.down = ""
        assert (await here.tell("/reply", body))[0] == 200
        assert len(here.intake.replies) == 1

    play(story)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 30_000])
def test_what_cannot_be_read_is_kept_and_said_to_be(body: bytes) -> None:
    async def story(here: Place) -> None:
        status, words = await here.tell("/reply", body)
        assert (status, words.startswith("body: ")) == (400, True)
        assert [letter.original for letter in here.intake.bad] == [body]

    play(story)


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"[1]", b'"a"', b'{"id": {"x": 1}}', b'{"id": "1"}', b'{"from": "1"}']
)
def test_a_reply_that_lacks_something_is_a_dead_letter(body: bytes) -> None:
    async def story(here: Place) -> None:
        assert (await here.tell("/reply", body))[0] == 200
        assert here.intake.replies == []
        assert len(here.intake.bad) == (0 if body == b"[]" else 1)

    play(story)


def test_a_provider_that_calls_with_a_secret_in_the_address() -> None:
    async def story(here: Place) -> None:
        async with aiohttp.ClientSession() as session:
            query = {"reference": f"{ORDER}-3", "status": "delivered", "id": "1", "from": "0450000001", "body": "oui"}
            for given, status in ((HOOK, 200), ("wrong", 403), ("", 403)):
                for path in ("/report", "/reply"):
                    async with session.get(here.hooks + path, params={**query, "token": given}) as response:
                        assert response.status == status
            async with session.get(here.hooks + "/reply", params={"token": HOOK, "body": "oui"}) as response:
                assert response.status == 200
        assert len(here.intake.receipts) == len(here.intake.replies) == 1
        assert here.intake.replies[0].address == ANNE
        [letter] = here.intake.bad
        assert letter.original == b"body=oui"

    play(story, proof="query", proof_name="token", report_list_at="")


def test_a_provider_that_posts_forms_with_a_secret_in_a_header() -> None:
    async def story(here: Place) -> None:
        body = b"id=1&from=%2B32450000001&body=oui+merci"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Token": HOOK}
        assert (await here.tell("/reply", body, **headers))[0] == 200
        assert here.intake.replies[0].text == "oui merci"

    play(story, proof="header", proof_name="X-Token")
