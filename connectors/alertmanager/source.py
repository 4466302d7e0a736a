"""The `alertmanager` source: webhooks of Prometheus Alertmanager and Grafana, as they are."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import msgspec
import structlog
from msgspec import Meta, Struct
from prometheus_client import Counter

from connectors.alertmanager.read import Meaning, read_alerts
from hub.connector import (
    BadItem,
    Environment,
    Intake,
    Route,
    SignalItem,
    Unavailable,
    WebRequest,
    WebResponse,
    WorkerLimit,
)
from hub.model.signal import Category, Hazard, Severity

_log = structlog.get_logger()
_refused = Counter("vigie_alertmanager_refused_total", "Requests that were not accepted", ["source", "why"])

_LARGE = 64 * 1024  # bytes; more is read in a worker process
_RETRY_AFTER_S = "5"


class AlertmanagerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Alertmanager or Grafana. It proves who it is with a password: neither can sign.

    Example: `secrets: [GRAFANA_PASSWORD]`, `hazard: power-outage`.
    """

    secrets: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Names of the secrets it may show; two while one is replaced",
            examples=["HOUSE_MONITORING"],
        ),
    ]
    user: Annotated[
        str,
        Meta(
            description="Its user name, where it sends a password (Basic) and no token (Bearer)",
            examples=["alertmanager"],
        ),
    ] = ""
    sender: Annotated[
        str, Meta(description="Who signals come from; the source's name when left out", examples=["house"])
    ] = ""
    language: Annotated[str, Meta(description="Language of its texts, as en or fr-BE")] = "en"
    hazard: Annotated[Hazard | None, Meta(description="What its alerts are about, where no label says it")] = None
    category: Annotated[Category, Meta(description="CAP category of its alerts")] = Category.INFRA
    hazard_label: Annotated[str, Meta(description="The label that names a hazard")] = "hazard"
    area_label: Annotated[str, Meta(description="The label that names areas, several with ; between")] = "area"
    severity_label: Annotated[str, Meta(description="The label that says how bad it is")] = "severity"
    severity: Annotated[
        Mapping[str, Severity], Meta(description="What its label means: {critical: Extreme}; common words are known")
    ] = msgspec.field(default_factory=dict)
    max_bytes: Annotated[int, Meta(ge=1024, le=10 << 20, description="Largest body, bytes")] = 1 << 20


class AlertmanagerSource:
    """Receives webhooks. There is nothing to run: the hub's web server calls its route."""

    Config: ClassVar[type[Struct]] = AlertmanagerConfig

    def __init__(self, config: AlertmanagerConfig, environment: Environment) -> None:
        self._config = config
        self._name = environment.name
        self._meaning = _meaning(config, environment.name)
        self._proofs = [_proof(environment.secret(name), config.user) for name in config.secrets]

    async def run(self, intake: Intake) -> None:
        """Alerts come by the route: here it only says that it is ready, and stays so until cancelled."""
        await intake.health("ok")
        await asyncio.Event().wait()

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def receive(request: WebRequest) -> WebResponse:
            return await self.receive(request, intake)

        return [
            Route(
                method="POST",
                path="",
                handler=receive,
                max_bytes=self._config.max_bytes,
                summary="Webhook of Alertmanager or Grafana",
                openapi=OPENAPI,
            )
        ]

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """A webhook's body in a file."""
        meaning = _meaning(config, name) if isinstance(config, AlertmanagerConfig) else Meaning(sender="alertmanager")
        return read_alerts(data, meaning, datetime(1970, 1, 1, tzinfo=UTC))

    async def receive(self, request: WebRequest, intake: Intake) -> WebResponse:
        """Checks, records and answers one request. Alertmanager tries again on 5xx only."""
        shown = request.headers.get("authorization", "").encode()
        # Each is compared, so that the time taken says nothing of which one was near.
        if not sum(hmac.compare_digest(shown, proof) for proof in self._proofs):
            return self._refuse(401, "password", "the Authorization header is missing or wrong: see the README")
        try:
            items = await self._read(request.body, intake)
            if items:
                await intake.offer(items)
        except Unavailable as why:
            _refused.labels(self._name, "unavailable").inc()
            body = f"nothing can be recorded now ({why}): send it again".encode()
            return WebResponse(status=503, body=body, headers={"retry-after": _RETRY_AFTER_S})
        bad = [item for item in items if isinstance(item, BadItem)]
        if bad and len(bad) == len(items):
            where = f"{bad[0].place}: " if bad[0].place else ""
            return self._refuse(400, "unreadable", f"{where}{bad[0].reason}")
        return WebResponse(status=202, body=b"recorded")

    async def _read(self, body: bytes, intake: Intake) -> Sequence[SignalItem | BadItem]:
        if len(body) <= _LARGE:
            return read_alerts(body, self._meaning, intake.now())
        try:
            return await intake.in_worker(read_alerts, body, self._meaning, intake.now(), label="alerts")
        except WorkerLimit as limit:
            reason = f"takes more time or memory to read than is given ({limit}): send fewer alerts at a time"
            return [BadItem(reason=reason, original=body, key=f"alertmanager:{hashlib.sha256(body).hexdigest()}:heavy")]

    def _refuse(self, status: int, why: str, detail: str) -> WebResponse:
        _refused.labels(self._name, why).inc()
        _log.warning("alertmanager.refused", source=self._name, status=status, why=why)
        headers = {"www-authenticate": 'Basic realm="vigie"'} if status == 401 else {}
        return WebResponse(status=status, body=detail.encode(), headers=headers)


def _meaning(config: AlertmanagerConfig, name: str) -> Meaning:
    return Meaning(
        sender=config.sender or name,
        language=config.language,
        hazard=config.hazard,
        category=config.category,
        severity_label=config.severity_label,
        severity=config.severity,
        hazard_label=config.hazard_label,
        area_label=config.area_label,
    )


def _proof(secret: str, user: str) -> bytes:
    """What the Authorization header has to hold (RFC 7617, RFC 6750)."""
    if user:
        return b"Basic " + base64.b64encode(f"{user}:{secret.strip()}".encode())
    return f"Bearer {secret.strip()}".encode()


def _answer(what: str) -> dict[str, object]:
    return {"description": what, "content": {"text/plain": {"schema": {"type": "string"}}}}


OPENAPI: dict[str, object] = {
    "description": "The webhook of Prometheus Alertmanager (version 4) or Grafana, with a password or a token.",
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "description": "As Alertmanager sends it"}}},
    },
    "responses": {
        "202": _answer("Recorded durably"),
        "400": _answer("It cannot be read; kept here"),
        "401": _answer("Password or token missing or wrong"),
        "413": _answer("The body is too large"),
        "503": _answer("Nothing can be recorded now: it is to be sent again"),
    },
}
