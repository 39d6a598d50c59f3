{#-
    The keys of evidence that was taken and is in staging no more. What was taken or is unread is in staging unless
    something is gone: all keys are compared only for the tables whose counts differ.
-#}
{% macro gone_evidence(unread) -%}
    {%- set evidence, taken_evidence = ref("int_identity__evidence"), source("identity", "evidence") -%}
    with counts as (
        select
            evidence_table,
            count(*) as known_count,
            0 as staged_count
        from {{ taken_evidence }}
        group by evidence_table
        union all
        select
            unread.evidence_table,
            count(*) as known_count,
            0 as staged_count
        from {{ unread }} as unread
        where not exists (select 1 from {{ taken_evidence }} as taken where taken.evidence_key = unread.evidence_key)
        group by unread.evidence_table
        union all
        select
            evidence_table,
            0 as known_count,
            count(*) as staged_count
        from {{ evidence }}
        group by evidence_table
    ),

    lossy as materialized (
        select evidence_table
        from counts
        group by evidence_table
        having sum(known_count) > sum(staged_count)
    )

    select taken.evidence_key
    from {{ taken_evidence }} as taken
    where
        exists (select 1 from lossy)
        and taken.evidence_table in (select lossy.evidence_table from lossy)
        and not exists (
            select 1 from {{ evidence }} as evidence
            where evidence.evidence_key = taken.evidence_key and evidence.evidence_table = taken.evidence_table
        )
{%- endmacro %}
