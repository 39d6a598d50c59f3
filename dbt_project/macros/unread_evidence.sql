{#-
    Evidence that identity has not read yet. Each table by itself and by constants: only so does a condition reach the
    staging model's index. The last branch is for tables that the list does not know; of those it knows nothing is left.
-#}
{% macro unread_evidence() -%}
    {%- set evidence, read_up_to = ref("int_identity__evidence"), source("identity", "read_up_to") -%}
    {%- for table in evidence_tables() %}
        select evidence.*
        from {{ evidence }} as evidence
        where
            evidence.evidence_table = '{{ table }}'
            and evidence._sequence > coalesce(
                (select taken.sequence from {{ read_up_to }} as taken where taken.evidence_table = '{{ table }}'), 0
            )
        union all
    {%- endfor %}
    select evidence.*
    from {{ evidence }} as evidence
    left join {{ read_up_to }} as taken on evidence.evidence_table = taken.evidence_table
    where
        coalesce(evidence.evidence_table not in ({{ quoted(evidence_tables()) }}), true)
        and evidence._sequence > coalesce(taken.sequence, 0)
{%- endmacro %}
