"""EC-CUBE's rows as its Web API writes them, so that staging knows one shape; only its times have another zone: UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
Names = Mapping[int, str]
Record = dict[str, Any]
Parts = Mapping[str, Sequence[Row]]

PERSON = ("name01", "name02", "kana01", "kana02", "company_name", "postal_code", "addr01", "addr02", "phone_number")


def written(stream: str, row: Row, parts: Parts, names: Mapping[str, Names]) -> Record:
    """Write one record of a stream."""
    return _WRITERS[stream](row, parts, names)


def _customer(row: Row, _parts: Parts, names: Mapping[str, Names]) -> Record:
    plain = (*PERSON, "email", "birth", "first_buy_date", "last_buy_date", "buy_times", "buy_total", "point")
    return {
        **_base(row, *plain),
        "Status": _named(row["customer_status_id"], names["customer_status"]),
        "Sex": _named(row["sex_id"], names["sex"]),
        "Pref": _named(row["pref_id"], names["pref"]),
    }


def _order(row: Row, parts: Parts, names: Mapping[str, Names]) -> Record:
    amounts = ("subtotal", "discount", "delivery_fee_total", "charge", "tax", "total", "payment_total")
    plain = ("order_no", "pre_order_id", "email", "birth", "add_point", "use_point", "currency_code", "payment_method")
    return {
        **_base(row, *PERSON, *amounts, *plain, "order_date", "payment_date"),
        "Customer": _reference(row["customer_id"]),
        "OrderStatus": _named(row["order_status_id"], names["order_status"]),
        "Sex": _named(row["sex_id"], names["sex"]),
        "Pref": _named(row["pref_id"], names["pref"]),
        "DeviceType": _named(row["device_type_id"], names["device_type"]),
        "Payment": _named(row["payment_id"], names["payment"], "method"),
        "OrderItems": [_order_item(item, names) for item in parts.get("dtb_order_item", ())],
        "Shippings": [_shipping(shipping, names) for shipping in parts.get("dtb_shipping", ())],
    }


def _order_item(row: Row, names: Mapping[str, Names]) -> Record:
    plain = ("product_name", "product_code", "class_name1", "class_category_name1", "class_name2")
    amounts = ("class_category_name2", "price", "quantity", "tax", "tax_rate", "currency_code")
    return {
        "id": str(row["id"]),
        **{name: _value(row[name]) for name in (*plain, *amounts)},
        "Product": _reference(row["product_id"]),
        "ProductClass": _reference(row["product_class_id"]),
        "OrderItemType": _named(row["order_item_type_id"], names["order_item_type"]),
        "TaxDisplayType": _named(row["tax_display_type_id"], names["tax_display_type"]),
    }


def _shipping(row: Row, names: Mapping[str, Names]) -> Record:
    return {
        **_base(row, *PERSON, "shipping_date", "tracking_number"),
        "shipping_delivery_name": row["delivery_name"],
        "shipping_delivery_time": row["delivery_time"],
        "shipping_delivery_date": _value(row["delivery_date"]),
        "Pref": _named(row["pref_id"], names["pref"]),
    }


def _product(row: Row, parts: Parts, names: Mapping[str, Names]) -> Record:
    classes = [_product_class(part, names["class_category"]) for part in parts.get("dtb_product_class", ())]
    status = _named(row["product_status_id"], names["product_status"])
    return {**_base(row, "name"), "Status": status, "ProductClasses": classes}


def _product_class(row: Row, categories: Names) -> Record:
    return {
        **_base(row, "stock", "price01", "price02", "currency_code"),
        "code": row["product_code"],
        "stock_unlimited": bool(row["stock_unlimited"]),
        "visible": bool(row["visible"]),
        "ClassCategory1": _named(row["class_category_id1"], categories),
        "ClassCategory2": _named(row["class_category_id2"], categories),
    }


def _cart(row: Row, parts: Parts, _names: Mapping[str, Names]) -> Record:
    """Write a cart by the names that the allow list gives its fields; its key opens the cart and stays away."""
    items = [
        {
            "id": str(item["id"]),
            "price": _value(item["price"]),
            "quantity": _value(item["quantity"]),
            "ProductClass": _reference(item["product_class_id"]),
        }
        for item in parts.get("dtb_cart_item", ())
    ]
    customer = _reference(row["customer_id"])
    return {**_base(row, "total_price", "delivery_fee_total"), "Customer": customer, "CartItems": items}


_WRITERS = {"customers": _customer, "orders": _order, "products": _product, "carts": _cart}


def _base(row: Row, *names: str) -> Record:
    """Write the id, the times, and the columns that the API calls by their own names."""
    return {"id": str(row["id"]), **{name: _value(row[name]) for name in ("create_date", "update_date", *names)}}


def _value(value: object) -> object:
    """Write a value as the API does: times with an offset, whole amounts without a fraction."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _reference(number: int | None) -> Record | None:
    return None if number is None else {"id": str(number)}


def _named(number: int | None, names: Names, called: str = "name") -> Record | None:
    """Write a row of a table of names; a code without a row there has no name."""
    return None if number is None else {"id": str(number), called: names.get(number)}
