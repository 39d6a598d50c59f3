{#-
    The latest version of each record of a raw table, deleted ones included. An incremental run takes the records that
    have a version newer than any it has kept, and judges each over all its versions, as a full run would: landings of
    one stream follow one another, so no lower sequence can appear later.
-#}
{% macro latest_versions(raw_table) -%}
    select distinct on (versions._record_id)
        versions._record_id,
        versions._sequence,
        versions._source_updated_at,
        versions._extracted_at,
        versions._is_deleted,
        versions.payload
    from {{ raw_table }} as versions
    {% if is_incremental() -%}
        where versions._record_id in (
            select newer._record_id
            from {{ raw_table }} as newer
            where newer._sequence > (select coalesce(max(kept._sequence), 0) from {{ this }} as kept)
        )
    {% endif -%}
    order by versions._record_id asc, versions._source_updated_at desc nulls last, versions._sequence desc
{%- endmacro %}
