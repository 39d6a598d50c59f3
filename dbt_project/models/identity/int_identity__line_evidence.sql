{{ config(materialized="ephemeral") }}

-- What a LINE user calls themselves is no name: it would contradict the one that they give a shop.
{{ evidence(
    source="line", name="follower", model="stg_line__followers", key="line_user_id", first_seen_at="first_seen_at",
    says={"line_provider": line_provider(), "line_user_id": "line_user_id"},
) }}
union all
-- Who logged in at the shop from LINE has shown that both are theirs.
{{ evidence(
    source="line", name="account_link", model="stg_line__account_links", key="line_user_id",
    record_key="'line:follower:' || line_user_id", first_seen_at="linked_at",
    says={
        "line_provider": line_provider(),
        "line_user_id": "line_user_id",
        "login_id": shop_login("shop_customer_id"),
    },
) }}
