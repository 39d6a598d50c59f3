"""Signatures against vectors that others published: RFC 4231 and RFC 2202 for HMAC, SendGrid's own for ECDSA."""

from __future__ import annotations

import base64

import pytest
from starlette.datastructures import Headers

from kizuna.webhooks import signatures

SECRET = "Jefe"
SIGNED = b"what do ya want for nothing?"
SHA256 = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
SHA1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
BASE64 = base64.b64encode(SHA256).decode()
START, END = "what do ya want ", "for nothing?"

SENDGRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6w"
    "EA3F+g=="
)
SENDGRID_HEADERS = {
    "X-Twilio-Email-Event-Webhook-Signature": (
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    ),
    "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
}
SENDGRID_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":'
    b'"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":'
    b'"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":'
    b'"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)

VECTORS = {
    "line": ({"X-Line-Signature": BASE64}, SIGNED, SECRET),
    "shopify": ({"X-Shopify-Hmac-SHA256": BASE64}, SIGNED, SECRET),
    "eccube": ({"X-ECCUBE-Signature": SHA256.hex()}, SIGNED, SECRET),
    "zendesk": (
        {"X-Zendesk-Webhook-Signature": BASE64, "X-Zendesk-Webhook-Signature-Timestamp": START},
        END.encode(),
        SECRET,
    ),
    "klaviyo": ({"Klaviyo-Signature": SHA256.hex(), "Klaviyo-Timestamp": END}, START.encode(), SECRET),
    "intercom": ({"X-Hub-Signature": f"sha1={SHA1}"}, SIGNED, SECRET),
    "sendgrid": (SENDGRID_HEADERS, SENDGRID_BODY, SENDGRID_KEY),
}
CASES = pytest.mark.parametrize("vendor", sorted(VECTORS))


@CASES
def test_the_published_vector_is_accepted(vendor: str) -> None:
    headers, body, secret = VECTORS[vendor]
    assert getattr(signatures, vendor)(Headers(headers), body, secret)


@CASES
def test_another_body_is_refused(vendor: str) -> None:
    headers, body, secret = VECTORS[vendor]
    assert not getattr(signatures, vendor)(Headers(headers), body + b" ", secret)


@CASES
def test_another_secret_is_refused(vendor: str) -> None:
    headers, body, secret = VECTORS[vendor]
    other = secret.replace("83T4", "83T5") if vendor == "sendgrid" else "jefe"
    assert not getattr(signatures, vendor)(Headers(headers), body, other)


@CASES
def test_each_header_is_needed(vendor: str) -> None:
    headers, body, secret = VECTORS[vendor]
    for missing in headers:
        rest = {name: value for name, value in headers.items() if name != missing}
        assert not getattr(signatures, vendor)(Headers(rest), body, secret)


@CASES
@pytest.mark.parametrize("nonsense", ["", "x", "日本", "sha1=", "AAAA", "="])
def test_nonsense_is_refused_and_breaks_nothing(vendor: str, nonsense: str) -> None:
    headers, body, secret = VECTORS[vendor]
    for name in headers:
        raw = [(key.lower().encode(), value.encode()) for key, value in {**headers, name: nonsense}.items()]
        assert not getattr(signatures, vendor)(Headers(raw=raw), body, secret)


def test_a_signed_time_cannot_be_moved() -> None:
    for vendor, name in (
        ("sendgrid", "X-Twilio-Email-Event-Webhook-Timestamp"),
        ("zendesk", "X-Zendesk-Webhook-Signature-Timestamp"),
        ("klaviyo", "Klaviyo-Timestamp"),
    ):
        headers, body, secret = VECTORS[vendor]
        assert not getattr(signatures, vendor)(Headers({**headers, name: "1700000000"}), body, secret)


def test_a_key_that_is_none_is_named() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the library says
        signatures.sendgrid_key("c2VjcmV0")
