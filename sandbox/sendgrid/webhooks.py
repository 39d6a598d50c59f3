"""SendGrid's event webhook: events in arrays, signed with ECDSA over the timestamp and the raw body."""

from __future__ import annotations

import base64
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.sendgrid.mail import AGENT, IP, Happening
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
# The order of the curve P-256: a private key is a number below it.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BATCH_SECONDS = 60
LARGEST_BATCH = 500
HAS_SMTP_ID = ("processed", "dropped", "delivered", "deferred", "bounce")
HAS_ADDRESS = (
    "open",
    "click",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
    "delivered",
    "bounce",
    "deferred",
)


@lru_cache(maxsize=4)
def private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    """Derive the key that signs from the sandbox's secret."""
    number = int.from_bytes(sha256(f"sendgrid/{secret}".encode()).digest(), "big") % (ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def public_key(secret: str) -> str:
    """Write the key that verifies as the vendor shows it: SPKI in base64, without a PEM frame."""
    spki = private_key(secret).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(spki).decode()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a request as the vendor does."""
    signature = private_key(secret).sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signature).decode()


def batches(happenings: Sequence[Happening], secret: str) -> Iterator[Webhook]:
    """Put what happened within a minute together, and sign it; the events must be in order of time."""
    for due, within in groupby(happenings, key=lambda one: due_at(one.at)):
        events = [describe(one) for one in within]
        for begin in range(0, len(events), LARGEST_BATCH):
            body = orjson.dumps(events[begin : begin + LARGEST_BATCH])
            headers = {
                "content-type": "application/json; charset=utf-8",
                "user-agent": "SendGrid Event API",
                SIGNATURE: sign(secret, str(due), body),
                TIMESTAMP: str(due),
            }
            yield Webhook("sendgrid", due, body, headers)


def due_at(moment: int) -> int:
    """Give the moment at which an event is sent: at the end of its minute."""
    return -(-moment // BATCH_SECONDS) * BATCH_SECONDS


def describe(happening: Happening) -> dict[str, Any]:
    """Write an event as the vendor does: the fields of its kind, and what the sender gave the mail, at the top."""
    mail = happening.mail
    body: dict[str, Any] = {
        "email": happening.email,
        "timestamp": happening.at,
        "event": happening.kind,
        "category": [mail.category],
        "sg_event_id": happening.id,
        "sg_message_id": f"{mail.id}.recvd-5c9d8b7f6-xk2pw-1-{mail.at:X}-1.0",
        **happening.details,
    }
    if happening.kind in HAS_SMTP_ID:
        body["smtp-id"] = f"<{mail.id}@geopod-ismtpd-1>"
    if happening.kind in HAS_ADDRESS:
        body["ip"] = IP
    if mail.group is not None:
        body["asm_group_id"] = mail.group
    if happening.kind == "unsubscribe":
        body["useragent"] = AGENT
    return body
