"""Shopify Admin GraphQL 2026-10: customers, orders, products.

Surprises of this vendor:
- A retired version is answered by the oldest living one, without an error: `X-Shopify-API-Version` tells.
- Throttling comes with status 200, and reserves what a query could cost: page sizes keep a page within 1,000 points.
- The search index is late: windows overlap by 10 minutes and end 2 minutes before now.
- Deleted records are simply not there any more; no query shows them.
- Orders older than 60 days need the scope `read_all_orders`; a guest's order has no customer.
"""

from kizuna.graphql import Nested
from kizuna.shopify_admin import ShopifySource, ShopifyStream

MONEY = "{ shopMoney { amount currencyCode } }"

CUSTOMER = """
    id createdAt updatedAt firstName lastName locale state tags numberOfOrders
    amountSpent { amount currencyCode }
    defaultEmailAddress { emailAddress marketingState }
    defaultPhoneNumber { phoneNumber }
    defaultAddress { firstName lastName zip provinceCode province city address1 address2 phone countryCodeV2 }
    familyNameKana: metafield(namespace: "kizuna", key: "family_name_kana") { value }
    givenNameKana: metafield(namespace: "kizuna", key: "given_name_kana") { value }
    birthDate: metafield(namespace: "facts", key: "birth_date") { value }
"""

ORDER = f"""
    id name createdAt processedAt updatedAt cancelledAt cancelReason test sourceName email phone tags
    currencyCode displayFinancialStatus
    totalPriceSet {MONEY} totalDiscountsSet {MONEY} totalTaxSet {MONEY}
    totalShippingPriceSet {MONEY} totalRefundedSet {MONEY} currentTotalPriceSet {MONEY}
    customer {{ id }} customAttributes {{ key value }} discountCodes
    refunds {{ id createdAt totalRefundedSet {MONEY} }}
"""

ORDER_LINE = f"""
    id sku title quantity originalUnitPriceSet {MONEY} discountedTotalSet {MONEY} product {{ id productType }}
"""

PRODUCT = "id title productType vendor status createdAt updatedAt tags"

SOURCE = ShopifySource(
    name="shopify",
    version="2026-10",
    streams=(
        ShopifyStream("customers", node="customer", page_size=120, selection=CUSTOMER),
        ShopifyStream(
            "orders", node="order", page_size=12, selection=ORDER, nested=(Nested("lineItems", ORDER_LINE, first=10),)
        ),
        ShopifyStream("products", node="product", page_size=250, selection=PRODUCT),
    ),
)
