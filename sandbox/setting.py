"""What every vendor module is given: the world, the clock, the state, and the limits of the plans it plays."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.accounts import TOKEN, WEBHOOK_SECRET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import httpx

    from sandbox.clock import Clock
    from sandbox.records import World
    from sandbox.state import State


@dataclass(frozen=True, slots=True)
class Setting:
    """One sandbox. The limits are generous by default; tests set the vendors' real ones."""

    world: World
    clock: Clock
    state: State
    token: str = TOKEN
    webhook_secret: str = WEBHOOK_SECRET
    shopify_points: float = 100_000.0
    shopify_restore_rate: float = 100_000.0
    shopify_scopes: Sequence[str] = ("read_customers", "read_orders", "read_all_orders", "read_products")
    shopify_denied_fields: Sequence[str] = ()
    shopify_bulk_polls: int = 1
    shopify_failing_bulk_operations: int = 0
    shopify_bulk_address: str = ""
    line_requests_per_minute: int = 100_000
    line_requests_per_second: int = 100_000
    line_insights_per_hour: int = 100_000
    line_polls_until_ready: int = 2
    line_largest_followers_page: int = 1000
    sendgrid_requests_per_minute: int = 100_000
    sendgrid_polls_until_ready: int = 2
    sendgrid_failing_exports: int = 0
    sendgrid_contacts_per_file: int = 5_000
    klaviyo_generosity: int = 1_000
    zendesk_requests_per_minute: int = 100_000
    zendesk_exports_per_minute: int = 100_000
    intercom_requests_per_ten_seconds: int = 100_000
    eccube_refresh_seconds: int = 2**32
    writes_exports: bool = False
    webhook_transport: httpx.AsyncBaseTransport | None = None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
