"""Signing alerts: an enveloped XML signature over the whole document (W3C XML-DSig; CAP 1.2, section 3.3.4.1), with
exclusive canonicalization and SHA-256. No clock."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from hub.config.cap import CapForm
from hub.model.cap import xml_of

RSA_BITS_MIN = 2048


class CannotSign(Exception):
    """The key or the certificate is not what it has to be; the text says what would be right."""


class Signer:
    """`certificates`: the one that belongs to the key first, then those above it. Raises CannotSign."""

    def __init__(self, key: str, certificates: bytes) -> None:
        try:
            self._chain = x509.load_pem_x509_certificates(certificates)
        except ValueError:
            raise CannotSign("the certificate: it holds no certificate in PEM") from None
        try:
            loaded = load_pem_private_key(key.encode(), password=None)
        except (ValueError, TypeError):
            raise CannotSign("the key: it is no private key in PEM without a passphrase") from None
        if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise CannotSign("the key: neither RSA nor an elliptic curve")
        if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size < RSA_BITS_MIN:
            raise CannotSign(f"the key: {loaded.key_size} bits of RSA are too few: {RSA_BITS_MIN} at least")
        self._key = loaded
        by_rsa = isinstance(loaded, rsa.RSAPrivateKey)
        self._method = SignatureMethod.RSA_SHA256 if by_rsa else SignatureMethod.ECDSA_SHA256
        if self._key.public_key() != self._chain[0].public_key():
            raise CannotSign("the certificate: its first one is not that of the key")

    @property
    def not_after(self) -> datetime:
        """From when on the certificate is of no use."""
        return min(one.not_valid_after_utc for one in self._chain)

    def signed(self, alert: etree._Element) -> bytes:
        """The document with its signature, to be kept as it is: written anew it would not verify."""
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=self._method,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        return xml_of(signer.sign(alert, key=self._key, cert=self._chain))


def signer_of(form: CapForm, folder: Path, secret: Callable[[str], str]) -> Signer:
    """The signer as hub.yaml has it. Raises CannotSign."""
    path = folder / form.certificate
    try:
        return Signer(secret(form.key), path.read_bytes())
    except KeyError as error:
        raise CannotSign(f"cap: {error.args[0]}") from None
    except OSError as error:
        raise CannotSign(f"cap: certificate: {path} cannot be read: {error.strerror}") from None
    except CannotSign as error:
        raise CannotSign(f"cap: {error}: docs/cap-feed.md says how both are made") from None
