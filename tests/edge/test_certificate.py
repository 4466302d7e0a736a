"""When a server's certificate ends, by a real handshake."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.certificate import EVERY_S, Certificate
from tests.edge.test_mail import made_certificate


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """It holds for two days."""
    return made_certificate(tmp_path_factory.mktemp("tls"))


def ask(made: tuple[str, str], *at: timedelta, anywhere: bool = True, trusted: bool = True) -> tuple[list[str], int]:
    """What is said of it at these times, and how often it was looked at."""

    async def run() -> tuple[list[str], int]:
        looked = 0

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async def lookup(host: str, port: int) -> list[str]:
            nonlocal looked
            looked += 1
            return [host]

        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(*made)
        server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=serving)
        port = server.sockets[0].getsockname()[1]
        passed = timedelta()
        certificate = Certificate(
            f"https://127.0.0.1:{port}/feed",
            anywhere=anywhere,
            context=ssl.create_default_context(cafile=made[0] if trusted else None),
            lookup=lookup,
            now=lambda: datetime.now(UTC) + passed,
            clock=lambda: passed.total_seconds(),
        )
        said = []
        for moment in at:
            passed = moment
            said.append(await certificate.expiring())
        server.close()
        await server.wait_closed()
        return said, looked

    return asyncio.run(run())


def test_one_that_ends_soon_is_told_with_the_day_and_looked_at_once_a_day(made: tuple[str, str]) -> None:
    day = datetime.now(UTC) + timedelta(days=2)
    said, looked = ask(made, timedelta(), timedelta(hours=1), timedelta(seconds=EVERY_S))
    assert set(said) == {f"the certificate of 127.0.0.1 ends on {day:%Y-%m-%d}: have its owner renew it"}
    assert looked == 2


def test_one_that_holds_for_long_is_not_told(made: tuple[str, str]) -> None:
    said, _ = ask(made, -timedelta(days=13))
    assert said == [""]


def test_one_that_cannot_be_had_is_not_told_and_an_internal_server_not_asked(made: tuple[str, str]) -> None:
    assert ask(made, timedelta(), trusted=False)[0] == [""]
    assert ask(made, timedelta(), anywhere=False)[0] == [""]


async def _unasked(host: str, port: int) -> list[str]:
    raise AssertionError("nothing is looked up")


def test_without_https_there_is_none(tmp_path: Path) -> None:
    certificate = Certificate("http://127.0.0.1/feed", lookup=_unasked)
    assert asyncio.run(certificate.expiring()) == ""
