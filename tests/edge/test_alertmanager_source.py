"""Webhooks with a password, on their way in."""

import json
from typing import Any

import pytest

from connectors.alertmanager.source import AlertmanagerConfig, AlertmanagerSource
from hub.connector import Source, WebRequest, WebResponse
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.polling import run

BODY = {"alerts": [{"status": "firing", "labels": {"alertname": "Down"}, "startsAt": "2026-07-14T01:00:00Z"}]}


def source(user: str = "am") -> AlertmanagerSource:
    config = AlertmanagerConfig(secrets=("OLD", "NEW"), user=user)
    return AlertmanagerSource(config, environment("house", OLD="old-password", NEW="new-password"))


async def send(made: AlertmanagerSource, intake: MemoryIntake, value: Any = BODY, **headers: str) -> WebResponse:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    request = WebRequest(method="POST", url="https://x/in/house", path="", headers=headers, body=body)
    return await made.receive(request, intake)


BASIC = "Basic YW06bmV3LXBhc3N3b3Jk"  # am:new-password


def test_it_is_a_source() -> None:
    assert isinstance(source(), Source)


def test_what_is_recorded_is_accepted_and_a_repetition_too() -> None:
    async def story() -> None:
        made, intake = source(), MemoryIntake()
        for _ in range(2):
            assert (await send(made, intake, authorization=BASIC)).status == 202
        assert len(intake.signals) == 1

    run(story)


@pytest.mark.parametrize("shown", ["", "Basic YW06d3Jvbmc=", "Bearer new-password", "Basic é"])
def test_without_its_password_nothing_is_taken(shown: str) -> None:
    async def story() -> None:
        intake = MemoryIntake()
        answer = await send(source(), intake, authorization=shown)
        assert answer.status == 401
        assert b"password" not in answer.body
        assert not intake.signals

    run(story)


def test_a_token_in_place_of_a_password() -> None:
    async def story() -> None:
        intake = MemoryIntake()
        assert (await send(source(user=""), intake, authorization="Bearer old-password")).status == 202

    run(story)


def test_what_cannot_be_read_is_kept_and_refused() -> None:
    async def story() -> None:
        intake = MemoryIntake()
        answer = await send(source(), intake, b"{", authorization=BASIC)
        assert answer.status == 400
        assert len(intake.bad) == 1

    run(story)


def test_what_cannot_be_recorded_is_to_be_sent_again() -> None:
    async def story() -> None:
        intake = MemoryIntake()
        intake.down = "disk full"
        answer = await send(source(), intake, authorization=BASIC)
        assert answer.status == 503
        assert answer.headers["retry-after"]

    run(story)
