"""Whether a request really comes from its vendor: one pure function each, over the body exactly as it arrived.

Each takes the request's headers (names in any case), the raw body and one secret. No vendor here says how old a
signature may be, and most send again hours later: a signed time is part of what is signed, and not compared with a
clock. What is sent again is stored once, so an old request gains nobody anything.
"""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping


def line(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """LINE: the base64 HMAC-SHA256 of the body with the channel secret (line-bot-sdk, webhook.py)."""
    return _equal(headers.get("x-line-signature"), _base64(_digest(secret, body)))


def shopify(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Shopify: the base64 HMAC-SHA256 of the body with the app's client secret (shopify.dev, verify deliveries)."""
    return _equal(headers.get("x-shopify-hmac-sha256"), _base64(_digest(secret, body)))


def eccube(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """EC-CUBE: the lower-case hex HMAC-SHA256 of the body (the Web API plugin's WebHookService).

    It signs only when a secret is set in the shop; what is not signed is not taken.
    """
    return _equal(headers.get("x-eccube-signature"), _digest(secret, body).hex())


def sendgrid(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """SendGrid: ECDSA (P-256, SHA-256) over timestamp and body, base64 of DER; the secret is the public key.

    As in the event webhook helper of Twilio's own library.
    """
    signature = headers.get("x-twilio-email-event-webhook-signature", "")
    timestamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
    if not signature or not timestamp:
        return False
    try:
        sendgrid_key(secret).verify(base64.b64decode(signature), timestamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def sendgrid_key(secret: str) -> EllipticCurvePublicKey:
    """Read the public key as SendGrid shows it: base64 of SPKI, without a PEM frame.

    Raises:
        ValueError: when it is no such key.
    """
    key = load_der_public_key(base64.b64decode(secret, validate=True))
    if not isinstance(key, EllipticCurvePublicKey):
        message = "the key is not of an elliptic curve"
        raise ValueError(message)  # noqa: TRY004 - its value is wrong, not our type
    return key


def zendesk(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Zendesk: the base64 HMAC-SHA256 of timestamp and body (developer.zendesk.com, verifying webhooks)."""
    timestamp = headers.get("x-zendesk-webhook-signature-timestamp", "")
    expected = _base64(_digest(secret, timestamp.encode() + body))
    return _equal(headers.get("x-zendesk-webhook-signature"), expected)


def klaviyo(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Klaviyo: the hex HMAC-SHA256 of body and timestamp, in this order (developers.klaviyo.com, system webhooks)."""
    timestamp = headers.get("klaviyo-timestamp", "")
    return _equal(headers.get("klaviyo-signature"), _digest(secret, body + timestamp.encode()).hex())


def intercom(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Intercom: `sha1=` and the hex HMAC-SHA1 of the body with the app's client secret (signed notifications)."""
    return _equal(headers.get("x-hub-signature"), f"sha1={_digest(secret, body, 'sha1').hex()}")


def _digest(secret: str, signed: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(secret.encode(), signed, algorithm)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _equal(given: str | None, expected: str) -> bool:
    """Compare in a time that tells nothing about where they differ."""
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())
