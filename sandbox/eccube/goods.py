"""What Yamato Chaho sells: teas in two sizes and sweets, with the classes (規格) that EC-CUBE sells them by."""

from __future__ import annotations

from sandbox.eccube.records import Change, Record, Row

DAY = 86_400
# Name, code, and price without tax by size; one size without a name is a product without classes.
GOODS: tuple[tuple[str, str, tuple[tuple[str, int], ...]], ...] = (
    ("宇治煎茶 朝霧", "TEA-01", (("50g", 1200), ("100g", 2200))),
    ("玄米茶 里山", "TEA-02", (("100g", 900), ("200g", 1650))),
    ("ほうじ茶 焙", "TEA-03", (("100g", 850), ("200g", 1500))),
    ("抹茶 千歳", "TEA-04", (("30g", 1800), ("100g", 5400))),
    ("和紅茶 茜", "TEA-05", (("50g", 1300),)),
    ("玉露 露の音", "TEA-06", (("50g", 3200),)),
    ("抹茶カステラ", "SWT-01", (("", 1600),)),
    ("栗羊羹", "SWT-02", (("", 1900),)),
    ("琥珀糖 四季", "SWT-03", (("", 1100),)),
    ("最中 十個入", "SWT-04", (("", 2400),)),
    ("茶と菓子の詰合せ", "SET-01", (("", 4800),)),
    ("福袋", "SET-02", (("", 5000),)),
)
LIFE_IN_DAYS = 800


def invent_products(opens: int) -> list[Record]:
    """Invent the catalogue: all products are older than the shop's first order, and some change later."""
    return [invent_product(number, *goods, opens) for number, goods in enumerate(GOODS, start=1)]


def invent_product(number: int, name: str, code: str, sizes: tuple[tuple[str, int], ...], opens: int) -> Record:
    """Invent one product with its history."""
    created = opens - LIFE_IN_DAYS * DAY + number * 3600
    status = 2 if code == "SET-02" else 1
    values = {"name": name, "product_status_id": status, "description_detail": f"{name}を産地からお届けします。"}
    changes = [Change(created, values)]
    if number % 4 == 0:
        changes.append(Change(opens + number * 2 * DAY, {"name": f"{name}(新茶)"}))
    if code == "TEA-06":
        changes.append(Change(opens + 40 * DAY, {"product_status_id": 3}))
    return Record(changes, number, parts=list(classes_of(number, code, sizes, created)))


def classes_of(number: int, code: str, sizes: tuple[tuple[str, int], ...], created: int) -> list[Row]:
    """Write the classes; a product sold by size keeps a hidden class without a size."""
    has_sizes = sizes[0][0] != ""
    rows = [(f"{code}-{size}" if size else code, size, price, True) for size, price in sizes]
    if has_sizes:
        rows.insert(0, (code, "", sizes[0][1], False))
    return [
        {
            "id": number * 10 + place,
            "product_code": full_code,
            "stock": 40 + number,
            "stock_unlimited": False,
            "price02": price,
            "visible": visible,
            "class_category": size,
            "class_category_id1": number * 10 + place if size else None,
            "create_date": created,
            "update_date": created,
        }
        for place, (full_code, size, price, visible) in enumerate(rows)
    ]
