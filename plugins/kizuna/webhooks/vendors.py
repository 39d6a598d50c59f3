"""The vendors that send webhooks: how each signs, what it sends, and which secrets we know of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kizuna import settings
from kizuna.webhooks import events, signatures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAMES = ("line", "shopify", "eccube", "sendgrid", "zendesk", "klaviyo", "intercom")


@dataclass(frozen=True)
class Vendor:
    """One vendor's requests; during a rotation several `secrets` are good at once."""

    name: str
    secrets: tuple[str, ...] = field(repr=False)
    is_signed: Callable[[Mapping[str, str], bytes, str], bool]
    split: events.Split

    def sent(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the vendor sent this."""
        return any(self.is_signed(headers, body, secret) for secret in self.secrets)


def known_vendors() -> dict[str, Vendor]:
    """Return the vendors whose connection has a `webhook_secret`: one, or several with spaces between them.

    Raises:
        kizuna.settings.SettingsError: when a connection or a key cannot be read.
    """
    found = {name: secrets for name in NAMES if (secrets := _secrets(name))}
    return {
        name: Vendor(name, secrets, getattr(signatures, name), getattr(events, name)) for name, secrets in found.items()
    }


def _secrets(name: str) -> tuple[str, ...]:
    if not os.environ.get(f"AIRFLOW_CONN_{name.upper()}"):
        return ()
    secrets = tuple(settings.connection(name).extra.get("webhook_secret", "").split())
    if name == "sendgrid":
        _check_keys(secrets)
    return secrets


def _check_keys(secrets: tuple[str, ...]) -> None:
    """Refuse a wrong key at the start: later it would look like a vendor that signs wrongly."""
    for number, secret in enumerate(secrets, start=1):
        try:
            signatures.sendgrid_key(secret)
        except ValueError:
            message = (
                f"webhook_secret {number} of AIRFLOW_CONN_SENDGRID is no public key: expected the verification key of "
                "SendGrid's event webhook (base64, one line)"
            )
            raise settings.SettingsError(message) from None
