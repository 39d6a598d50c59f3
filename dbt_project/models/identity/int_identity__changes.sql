{% set row = ["evidence_key", "evidence_table", "_sequence", "record_key", "source", "brand", "first_seen_at"] %}

with news as materialized (
    {{ unread_evidence() }}
),

-- What staging has lost, nobody says any more.
gone as (
    {{ gone_evidence("news") }}
),

-- Each step is materialized: a value is normalized once, not again for everything made of it.
unread as materialized (
    select
        *,
        {{ name_part("family", "family_name", "full_name") }} as typed_family_name,
        {{ name_part("given", "given_name", "full_name") }} as typed_given_name,
        {{ name_part("family", "family_name_kana", "full_name_kana") }} as typed_family_kana,
        {{ name_part("given", "given_name_kana", "full_name_kana") }} as typed_given_kana
    from news
),

normalized as materialized (
    select
        {{ row | join(", ") }},
        line_provider,
        {{ normalize_email("email") }} as email,
        {{ normalize_email("other_email") }} as other_email,
        {{ normalize_phone("phone") }} as phone,
        {{ normalize_phone("other_phone") }} as other_phone,
        {{ normalize_login("login_id") }} as login,
        {{ normalize_line_user_id("line_user_id") }} as line_user_id,
        {{ normalize_birth_date("birth") }} as typed_birth,
        {{ normalize_postal_code("postal_code") }} as postal_code,
        {{ normalize_address("address") }} as address,
        {{ normalize_name("typed_family_name") }} as family_name,
        {{ normalize_name("typed_given_name") }} as given_name,
        {{ normalize_name("full_name") }} as typed_full_name,
        typed_family_kana,
        typed_given_kana,
        full_name_kana as typed_full_kana,
        btrim(full_name, ' 　') as typed_whole_name
    from unread
),

-- A whole name is family and given name in this order; one typed in kana is its own reading.
whole as materialized (
    select
        *,
        coalesce(typed_full_name, family_name || given_name) as full_name,
        coalesce(typed_family_kana, {{ kana_only("family_name") }}) as spoken_family_name,
        coalesce(typed_given_kana, {{ kana_only("given_name") }}) as spoken_given_name,
        coalesce(typed_full_kana, {{ kana_only("typed_full_name") }}) as spoken_full_name,
        case when not {{ is_placeholder("'name_birth'", "'|' || typed_birth") }} then typed_birth end as birth
    from normalized
),

spoken as materialized (
    select
        *,
        {{ normalize_reading("spoken_family_name") }} as family_kana,
        {{ normalize_reading("spoken_given_name") }} as given_kana,
        {{ normalize_reading("spoken_full_name") }} as spoken_kana,
        coalesce(
            given_name is not null
            or (length(full_name) >= 4 and full_name ~ '[^ァ-ヺーa-z]' collate "C")
            or typed_whole_name ~ '[^\s]\s+[^\s]',
            false
        ) as is_whole
    from whole
),

-- Family and given name, in parts or in a word long enough for both, tell persons apart; one word alone may be a given
-- name, and finds those of whom the given name is known.
telling as materialized (
    select
        *,
        case when is_whole then full_name end as whole_name,
        case when is_whole or typed_full_kana is not null then coalesce(spoken_kana, family_kana || given_kana) end
            as whole_kana,
        case when given_name is not null then given_name when not is_whole then full_name end as one_given_name,
        case
            when given_kana is not null then {{ name_skeleton("given_kana") }}
            when not is_whole then {{ name_skeleton("coalesce(spoken_kana, full_name)") }}
        end as given_skeleton
    from spoken
)

select
    {{ row | join(", ") }},
    array(
        select distinct identifiers.kind || ':' || identifiers.value as identifier
        from (
            values
            {% for kind, value in identifier_kinds() %}
                ('{{ kind }}', {{ value }}){{ "," if not loop.last }}
            {% endfor %}
        ) as identifiers (kind, value)
        where identifiers.value is not null and not {{ is_placeholder("identifiers.kind", "identifiers.value") }}
        order by identifier
    ) as identifiers,
    nullif(
        jsonb_strip_nulls(
            jsonb_build_object(
                'family', family_name, 'given', given_name, 'full', full_name, 'family_kana', family_kana,
                'given_kana', given_kana, 'full_kana', coalesce(spoken_kana, family_kana || given_kana), 'birth', birth
            )
        ),
        '{}'
    ) as profile,
    false as is_gone
from telling
union all
select
    evidence_key,
    {% for column in row[1:] + ["identifiers", "profile"] %}
        null as {{ column }},
    {% endfor %}
    true as is_gone
from gone
