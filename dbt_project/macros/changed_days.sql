{#
    Incremental models build the days of int_days_changed, each of them whole. The days are literals,
    so that files and row groups of other days are not read. True where a model is built in full.
#}
{% macro on_changed_days(column) -%}
    {%- set days = changed_days() -%}
    {%- if not is_incremental() -%}
        true
    {%- elif days -%}
        {{ since_changed_days(column) }}
        and {{ column }} in (
            {%- for day in days %}date '{{ day }}'{{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{# The same for rows of which later days belong to a changed one. #}
{% macro since_changed_days(column) -%}
    {%- set days = changed_days() -%}
    {{ column ~ " >= date '" ~ days[0] ~ "'" if days else 'false' }}
{%- endmacro %}

{% macro changed_days() %}
    {% if execute and is_incremental() %}
        {% set days = run_query('select day from ' ~ ref('int_days_changed') ~ ' order by day') %}
        {{ return(days.columns[0].values() | list) }}
    {% endif %}
    {{ return([]) }}
{% endmacro %}

{#
    The pre-hook of each incremental model: delete+insert alone would keep the rows of a day for which
    there is nothing left. It names the model of changed days, so that dbt builds that one first.
#}
{% macro delete_changed_days(column) -%}
    {%- set _ = ref('int_days_changed') -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ on_changed_days(column) }}
    {%- endif -%}
{%- endmacro %}

{#
    Rows of a silver table that came or went since the last build, by the data files that did; a row
    in both sets only moved from one file to another.
#}
{% macro changed_rows(table) -%}
    {%- set added, removed = var('silver_' ~ table ~ '_added'), var('silver_' ~ table ~ '_removed') -%}
    select *, false as is_removed from (select * from {{ added }} except select * from {{ removed }})
    union all
    select *, true as is_removed from (select * from {{ removed }} except select * from {{ added }})
{%- endmacro %}

{#
    The moment from which the versions of members with changed events differ from those of the last
    build, by what facts take from a version: its key, which its start makes, and the attributes
    named. A customer's first profile that says the country of their orders changes no day.
#}
{% macro changed_versions(changed, members, id, attributes) -%}
    {%- set columns = ([id, 'valid_from'] + attributes) | join(', ') -%}
    {%- set known = target.database ~ '.gold.dim_' ~ members -%}
    {%- set versions = ref('int_' ~ members ~ '_versioned') -%}
    select
        {{ id }},
        min(valid_from) as changed_from
    from (
        (select {{ columns }} from {{ versions }} except select {{ columns }} from {{ known }})
        union all
        (select {{ columns }} from {{ known }} except select {{ columns }} from {{ versions }})
    )
    where {{ id }} in (select {{ id }} from {{ changed }})
    group by {{ id }}
{%- endmacro %}
