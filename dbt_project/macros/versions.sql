{# Key of a version of a dimension's member: stable for the same id and start. #}
{% macro version_key(id, valid_from) -%}
    md5(concat({{ id }}, '|', cast({{ valid_from }} as varchar)))
{%- endmacro %}

{# Start of a member's first version: before any fact. #}
{% macro first_valid_from() -%}
    timestamp '0001-01-01 00:00:00'
{%- endmacro %}

{# Key of the unknown member, which each dimension holds: a fact's key is never null. #}
{% macro unknown_key() -%}
    'unknown'
{%- endmacro %}

{#
    Versions of a dimension to join a fact's time with: the columns named, valid_from and the end,
    exclusive. An `is null or` in the join would turn it from a hash join into a comparison of every
    pair (17 seconds instead of one), so the current version ends at infinity.
#}
{% macro versions_of(dimension, columns) -%}
    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        valid_from,
        coalesce(valid_to, timestamp 'infinity') as valid_until
    from {{ dimension }}
{%- endmacro %}

{# Whether a version of the CTE `versions` was the valid one at a moment; to join on, with the id. #}
{% macro valid_at(moment, versions) -%}
    {{ moment }} >= {{ versions }}.valid_from
    and {{ moment }} < {{ versions }}.valid_until
{%- endmacro %}
