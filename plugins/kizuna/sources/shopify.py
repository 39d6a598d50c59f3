"""Shopify Admin GraphQL 2026-10: customers, orders, products, abandoned checkouts, subscription contracts.

Surprises of this vendor:
- A retired version is answered by the oldest living one, without an error: `X-Shopify-API-Version` tells.
- Throttling comes with status 200, and reserves what a query could cost: page sizes keep a page within 1,000 points.
- The search index is late: windows overlap by 10 minutes and end 2 minutes before now.
- Deleted records are simply not there any more; no query shows them, only webhooks do. A merged customer's id vanishes.
- Orders older than 60 days need the scope `read_all_orders`; a guest's order has no customer.
- Abandoned checkouts are sorted by their creation at best, but searched by `updated_at` all the same, so that one which
  is completed weeks later comes again.
- Subscription contracts are shown to the app that made them, and have no count: their windows are read twice.
- A bulk operation refuses a connection within a list: the lines of refunds are asked for on their own.
"""

from kizuna.graphql import Nested
from kizuna.inbox import InboxStream
from kizuna.shopify_admin import ShopifySource
from kizuna.shopify_admin.streams import Listed, ShopifyStream

MONEY = "{ shopMoney { amount currencyCode } }"
AMOUNT = "{ amount currencyCode }"

CUSTOMER = f"""
    id createdAt updatedAt firstName lastName locale state tags numberOfOrders
    amountSpent {AMOUNT}
    defaultEmailAddress {{ emailAddress marketingState }}
    defaultPhoneNumber {{ phoneNumber }}
    defaultAddress {{ firstName lastName zip provinceCode province city address1 address2 phone countryCodeV2 }}
    familyNameKana: metafield(namespace: "kizuna", key: "family_name_kana") {{ value }}
    givenNameKana: metafield(namespace: "kizuna", key: "given_name_kana") {{ value }}
    birthDate: metafield(namespace: "facts", key: "birth_date") {{ value }}
"""

VISIT = """
    occurredAt landingPage referrerUrl source sourceType utmParameters { campaign content medium source term }
"""

ORDER = f"""
    id name createdAt processedAt updatedAt cancelledAt cancelReason test sourceName email phone tags
    currencyCode displayFinancialStatus
    totalPriceSet {MONEY} totalDiscountsSet {MONEY} totalTaxSet {MONEY}
    totalShippingPriceSet {MONEY} totalRefundedSet {MONEY} currentTotalPriceSet {MONEY}
    customer {{ id }} customAttributes {{ key value }} discountCodes
    customerJourneySummary {{
      ready customerOrderIndex daysToConversion firstVisit {{ {VISIT} }} lastVisit {{ {VISIT} }}
    }}
    transactions {{ id kind status gateway test createdAt processedAt amountSet {MONEY} parentTransaction {{ id }} }}
    refunds {{ id createdAt totalRefundedSet {MONEY} }}
"""

ORDER_LINE = f"""
    id sku title quantity originalUnitPriceSet {MONEY} discountedTotalSet {MONEY}
    product {{ id productType }} variant {{ id }}
    discountAllocations {{ allocatedAmountSet {MONEY} discountApplication {{ index }} }}
"""

SHIPPING_LINE = f"id title code isRemoved originalPriceSet {MONEY} discountedPriceSet {MONEY}"

DISCOUNT = """
    index allocationMethod targetSelection targetType
    value { __typename ... on MoneyV2 { amount currencyCode } ... on PricingPercentageValue { percentage } }
    ... on DiscountCodeApplication { code }
    ... on ManualDiscountApplication { title }
    ... on AutomaticDiscountApplication { title }
    ... on ScriptDiscountApplication { title }
"""

REFUND_LINE = f"id quantity restockType lineItem {{ id }} subtotalSet {MONEY}"

PRODUCT = "id title productType vendor status createdAt updatedAt tags"

VARIANT = """
    id sku title barcode price compareAtPrice position createdAt updatedAt selectedOptions { name value }
"""

CHECKOUT = f"""
    id name createdAt updatedAt completedAt discountCodes customer {{ id }} customAttributes {{ key value }}
    subtotalPriceSet {MONEY} totalDiscountSet {MONEY} totalTaxSet {MONEY} totalPriceSet {MONEY}
"""

CHECKOUT_LINE = f"""
    id sku title quantity product {{ id }} variant {{ id }}
    originalTotalPriceSet {MONEY} discountedTotalPriceSet {MONEY}
"""

CONTRACT = f"""
    id createdAt updatedAt status currencyCode nextBillingDate lastPaymentStatus revisionId
    customer {{ id }} originOrder {{ id }} deliveryPrice {AMOUNT}
    billingPolicy {{ interval intervalCount minCycles maxCycles }} deliveryPolicy {{ interval intervalCount }}
"""

CONTRACT_LINE = f"""
    id sku title quantity productId variantId sellingPlanName currentPrice {AMOUNT} lineDiscountedPrice {AMOUNT}
"""

BILLING_ATTEMPT = """
    id createdAt completedAt originTime
    state {
      __typename
      ... on SubscriptionBillingAttemptSuccessState { order { id } }
      ... on SubscriptionBillingAttemptFailedState {
        error { __typename ... on SubscriptionBillingAttemptPaymentError { code } }
      }
    }
"""

DISCOUNT_KINDS = (
    "DiscountCodeApplication",
    "ManualDiscountApplication",
    "AutomaticDiscountApplication",
    "ScriptDiscountApplication",
)

SOURCE = ShopifySource(
    name="shopify",
    version="2026-10",
    streams=(
        ShopifyStream(
            name="customers", root="customers", kind="Customer", page_size=120, selection=CUSTOMER, can_be_swept=True
        ),
        ShopifyStream(
            name="orders",
            root="orders",
            kind="Order",
            page_size=10,
            selection=ORDER,
            can_be_swept=True,
            sweep_scope="read_all_orders",
            nested=(
                Nested("lineItems", ORDER_LINE, first=5, rest=90, order="id", kinds=("LineItem",)),
                Nested("shippingLines", SHIPPING_LINE, first=1, order="id", kinds=("ShippingLine",)),
                Nested("discountApplications", DISCOUNT, first=3, order="index", kinds=DISCOUNT_KINDS),
            ),
            listed=(Listed("refunds", "Refund", Nested("refundLineItems", REFUND_LINE, first=10, order="id"), ids=24),),
        ),
        ShopifyStream(
            name="products",
            root="products",
            kind="Product",
            page_size=90,
            selection=PRODUCT,
            can_be_swept=True,
            nested=(Nested("variants", VARIANT, first=5, order="position", kinds=("ProductVariant",)),),
        ),
        ShopifyStream(
            name="abandoned_checkouts",
            root="abandonedCheckouts",
            kind="AbandonedCheckout",
            page_size=18,
            selection=CHECKOUT,
            nested=(Nested("lineItems", CHECKOUT_LINE, first=6, order="id", kinds=("AbandonedCheckoutLineItem",)),),
            sort="CREATED_AT",
        ),
        ShopifyStream(
            name="subscription_contracts",
            root="subscriptionContracts",
            kind="SubscriptionContract",
            page_size=14,
            selection=CONTRACT,
            nested=(
                Nested("lines", CONTRACT_LINE, first=5, order="id", kinds=("SubscriptionLine",)),
                Nested("billingAttempts", BILLING_ATTEMPT, first=12, order="id", kinds=("SubscriptionBillingAttempt",)),
            ),
            has_count=False,
        ),
        InboxStream(),
    ),
)
