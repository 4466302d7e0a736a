"""What tests of the CAP feed share: a key with its certificate, the feed's configuration, released broadcasts, and the
alert that they make."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import xmlschema
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from hub.cap.alert import Follows, alert_of
from hub.cap.standing import standing
from hub.config import Config
from hub.config.cap import CapForm, CapWordsForm
from hub.config.forms import BroadcastsForm, ClassForm
from hub.config.groups import Areas
from hub.engine.state import Broadcast
from hub.model.broadcast import Cap, Content, Kind, RegisteredIn
from hub.model.cap import NAMESPACE, element_of
from hub.model.message import Text
from hub.model.people import Language
from hub.model.signal import Signal, Status
from tests.conftest import samples_folder, shipped

CONFIG: Config = shipped()[0]
BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
WORDS = {
    Language.FR: Text(text="Fumée toxique. Fermez portes et fenêtres."),
    Language.NL: Text(text="Giftige rook. Sluit deuren en ramen."),
    Language.DE: Text(text="Giftiger Rauch. Türen und Fenster schließen."),
    Language.EN: Text(text="Close doors and windows.", subject="Toxic smoke"),
}
NAMES = {Language.FR: "SITCEN Bruxelles", Language.NL: "SITCEN Brussel", Language.DE: "SITCEN Brüssel",
         Language.EN: "SITCEN Brussels"}  # fmt: skip
FORM = CapForm(sender="alerts@sitcen.example", name=NAMES, certificate="certificate.pem", contact="1722")
CLASSES = BroadcastsForm(classes={"public": ClassForm(people=2, public=True, cap=CapWordsForm()),
                                  "partners": ClassForm()})  # fmt: skip


def key_pair(by: str = "ec", days: float = 365, bits: int = 2048) -> tuple[str, bytes]:
    """A private key and its certificate, as PEM."""
    key: Any = ec.generate_private_key(ec.SECP256R1()) if by == "ec" else rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SITCEN test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, made.public_bytes(Encoding.PEM)


def verified(document: bytes, certificate: bytes) -> etree._Element:
    """What of a document is signed. Raises where its signature does not hold, or not over the whole of it."""
    expects = SignatureConfiguration(require_x509=True, location="./")
    result = XMLVerifier().verify(document, x509_cert=certificate.decode(), expect_config=expects)
    assert not isinstance(result, list)
    assert isinstance(result.signed_xml, etree._Element)
    return result.signed_xml


def broadcast(**more: Any) -> Broadcast:
    fields: dict[str, Any] = {
        "id": "01JZ0000000000000000000001",
        "kind": Kind.ALERT,
        "group": "public",
        "by": "anna",
        "people": 2,
        "sizes": (),
        "texts": "t",
        "follows": "",
        "status": Status.ACTUAL,
        "at": NOW,
        "began_at": NOW,
        "cap": True,
    }
    return Broadcast(**(fields | more))


def content(words: dict[Language, Text] | None = None, kind: Kind = Kind.ALERT, **more: Any) -> Content:
    """A content on the feed; `more`: its `registered`, what its author said in CAP's terms."""
    where = more.pop("registered", RegisteredIn(areas=("ixelles",)))
    return Content(texts=words or WORDS, audience={}, registered=where, cap=standing(kind, (Cap(**more),), NOW))


def made(one: Broadcast | None = None, of: Content | None = None, **more: Any) -> Signal:
    """The alert of a broadcast."""
    fields: dict[str, Any] = {"form": FORM, "sent": NOW, "follows": Follows()} | more
    return alert_of(
        one or broadcast(),
        of or content(),
        texts=CONFIG.texts_in_force(),
        areas=Areas(CONFIG.geography),
        **fields,
    )


def xml(alert: Signal) -> etree._Element:
    return element_of(alert, BRUSSELS)


def texts_of(root: etree._Element, name: str) -> list[str]:
    return [found.text or "" for found in root.iter(f"{{{NAMESPACE}}}{name}")]


def schema() -> xmlschema.XMLSchema | None:
    """The standard's own, where it is there."""
    folder = samples_folder()
    path = None if folder is None else folder / "schema" / "cap12.xsd"
    return xmlschema.XMLSchema(str(path)) if path is not None and path.is_file() else None
