"""What a mapped file can be about: the entities of the warehouse and the type of each of their fields.

Every entity is one raw table, `raw.files__<entity>`, and one staging model, `stg_files__<entity>`. A person is named
by what the file has of them: the number the system gave (`customer_number`), and e-mail and phone as typed. A `code` is
compared across files, so that full-width digits become plain ones.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kizuna.files.values import Kind

_PERSON: dict[str, Kind] = {"customer_number": "code", "email": "text", "phone": "text"}
_PLACE: dict[str, Kind] = {"brand": "text", "channel": "text", "store_code": "code", "store_name": "text"}
_ADDRESS: dict[str, Kind] = {"postal_code": "code", "prefecture": "text", "city": "text", "address": "text"}

ENTITIES: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        "customers": {
            **_PERSON,
            **_PLACE,
            "family_name": "text",
            "given_name": "text",
            "full_name": "text",
            "family_name_kana": "text",
            "given_name_kana": "text",
            "full_name_kana": "text",
            "birth_on": "date",
            "gender": "text",
            **_ADDRESS,
            "accepts_email": "boolean",
            "accepts_mail": "boolean",
            "line_user_id": "code",
            "member_rank": "text",
            "points": "integer",
            "status": "text",
            "registered_at": "timestamp",
            "withdrawn_at": "timestamp",
        },
        "orders": {
            **_PERSON,
            **_PLACE,
            "order_number": "code",
            "ordered_at": "timestamp",
            "status": "text",
            "total_incl_tax": "decimal",
            "subtotal": "decimal",
            "discount_amount": "decimal",
            "tax_amount": "decimal",
            "shipping_amount": "decimal",
            "points_used": "decimal",
            "currency": "text",
            "payment_method": "text",
            "coupon_code": "code",
            "advertisement_code": "code",
            "contract_number": "code",
            "is_test": "boolean",
            "shipped_at": "timestamp",
            "cancelled_at": "timestamp",
        },
        "order_items": {
            "order_number": "code",
            "line_number": "integer",
            "sku": "code",
            "title": "text",
            "category": "text",
            "quantity": "integer",
            "unit_price": "decimal",
            "line_total": "decimal",
            "tax_rate": "decimal",
        },
        "subscription_contracts": {
            **_PERSON,
            **_PLACE,
            "contract_number": "code",
            "status": "text",
            "product_name": "text",
            "sku": "code",
            "quantity": "integer",
            "amount_incl_tax": "decimal",
            "interval_text": "text",
            "cycle_count": "integer",
            "started_at": "timestamp",
            "next_delivery_on": "date",
            "paused_until_on": "date",
            "cancelled_at": "timestamp",
            "cancel_reason": "text",
            "payment_method": "text",
            "advertisement_code": "code",
        },
        "subscription_cycles": {
            "contract_number": "code",
            "cycle_number": "integer",
            "customer_number": "code",
            "order_number": "code",
            "status": "text",
            "is_skipped": "boolean",
            "scheduled_on": "date",
            "shipped_on": "date",
            "amount_incl_tax": "decimal",
        },
        "pos_sales": {
            **_PERSON,
            **_PLACE,
            "receipt_number": "code",
            "line_number": "integer",
            "card_number": "code",
            "sold_at": "timestamp",
            "staff_code": "code",
            "sku": "code",
            "title": "text",
            "quantity": "integer",
            "total_incl_tax": "decimal",
            "points_earned": "integer",
            "payment_method": "text",
        },
        "store_visits": {
            **_PERSON,
            **_PLACE,
            "visit_number": "code",
            "card_number": "code",
            "visited_at": "timestamp",
            "purpose": "text",
            "staff_code": "code",
        },
        "reviews": {
            **_PERSON,
            **_PLACE,
            "review_number": "code",
            "order_number": "code",
            "sku": "code",
            "product_name": "text",
            "rating": "integer",
            "title": "text",
            "body": "text",
            "nickname": "text",
            "is_published": "boolean",
            "reviewed_at": "timestamp",
        },
        "survey_responses": {
            **_PERSON,
            **_PLACE,
            "response_number": "code",
            "survey_name": "text",
            "question": "text",
            "score": "integer",
            "comment": "text",
            "order_number": "code",
            "responded_at": "timestamp",
        },
        "sales_notes": {
            **_PERSON,
            **_PLACE,
            "note_number": "code",
            "company_name": "text",
            "staff_name": "text",
            "subject": "text",
            "body": "text",
            "stage": "text",
            "amount": "decimal",
            "met_at": "timestamp",
            "next_action_on": "date",
        },
        "deliveries": {
            **_PERSON,
            **_PLACE,
            "delivery_number": "code",
            "campaign_code": "code",
            "campaign_name": "text",
            "medium": "text",
            "order_number": "code",
            "full_name": "text",
            **_ADDRESS,
            "cost": "decimal",
            "status": "text",
            "sent_on": "date",
        },
    }
)
