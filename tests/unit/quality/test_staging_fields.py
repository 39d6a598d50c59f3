"""Every field that a staging model reads is declared in its raw table's suite, so that the gate misses it by name."""

from __future__ import annotations

import pytest
from staging_fields import read, read_by_staging

from kizuna import settings
from kizuna.quality.fields import KIND
from kizuna.quality.suites import load_suites

# `kizuna.files` makes these records itself and refuses a row that it cannot type: no vendor can change them.
OUR_OWN = {"files"}
# What the reading of several tables in one model, or of a field named by another field, is mistaken for.
MISREAD = {
    ("line", "webhooks"): {"customerId"},
    ("line", "followers"): {"body", "body.timestamp"},
    ("karte", "events"): {"event_name.message.campaign_id"},
}

READ = {table: models for table, models in read_by_staging().items() if table[0] not in OUR_OWN}


@pytest.mark.parametrize("table", sorted(READ), ids="__".join)
def test_every_field_that_staging_reads_is_declared(table: tuple[str, str]) -> None:
    suite = load_suites(settings.PROJECT / "expectations", "raw").get("__".join(table))
    declared = {one.arguments["path"] for one in suite.expectations if one.kind == KIND} if suite else set()
    read_fields = set(READ[table]) - MISREAD.get(table, set())
    missing = {name: sorted(READ[table][name]) for name in sorted(read_fields - declared)}
    where = f"expectations/raw/{'__'.join(table)}.yml"
    assert not missing, f"{where} has no line under fields: for these (`<path>: <JSON types>`), read by these models"


def test_the_forms_in_which_staging_reads_are_understood() -> None:
    assert {"customer.id", "totalPriceSet.shopMoney.amount", "test"} <= read("stg_shopify__orders").fields
    assert {"defaultAddress.zip", "birthDate.value"} <= read("stg_shopify__customers").fields
    assert {"lineItems.nodes[].quantity", "lineItems.nodes[].product.id"} <= read("stg_shopify__order_lines").fields
    assert "refunds[].totalRefundedSet.shopMoney.amount" in read("stg_shopify__refunds").fields
    assert "body.source.userId" in read("stg_line__events").fields
    assert "body.sg_message_id" in read("stg_sendgrid__events").fields
