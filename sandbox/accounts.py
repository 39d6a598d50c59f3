"""The accounts that the sandbox's vendors know, as a shop's operator would find them on each vendor's settings page.

They are no secrets: they open a server that serves invented people on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "sandbox-token"  # noqa: S105
WEBHOOK_SECRET = "sandbox-webhook-secret-of-32-bytes"  # noqa: S105

# Whatever a vendor asks for besides a token that is sent with every request.
SPECIAL: dict[str, dict[str, Any]] = {
    "line": {"extra": {"account_link_nonces": "/shop/account-link-nonces.jsonl"}},
    "eccube": {"login": "sandbox-client", "extra": {"refresh_token": "sandbox-refresh-token"}},
    "zendesk": {"login": "sandbox-client", "extra": {"auth": "client_credentials"}},
}
# What it drops as files, each into a folder of its own.
FILE_SOURCES = ("files", "ga4", "karte")
VENDORS = ("shopify", "line", "eccube", "sendgrid", "klaviyo", "zendesk", "intercom")


def folder_account(source: str, exports: Path) -> dict[str, Any]:
    """Return a file source's account: the sandbox renames files into place, so that none has to be waited for."""
    extra = {"path": str(exports / source), "quiet_seconds": "0"}
    return {"conn_type": "fs", "host": "", "extra": extra}


def account(vendor: str, sandbox_url: str) -> dict[str, Any]:
    """Return a vendor's account in the form of an Airflow connection: address, password, login, extras."""
    special = SPECIAL.get(vendor, {})
    return {
        "conn_type": "http",
        "host": f"{sandbox_url}/{vendor}",
        "password": TOKEN,
        **special,
        # Jobs of the sandbox are done as soon as they are asked for again.
        "extra": {"poll_seconds": "0.2", **special.get("extra", {})},
    }
