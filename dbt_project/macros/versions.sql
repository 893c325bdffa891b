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
    End of a version, exclusive, to compare a fact's time with: an `is null or` in the join would
    turn it from a hash join into a comparison of every pair (17 seconds instead of one).
#}
{% macro valid_until() -%}
    coalesce(valid_to, timestamp 'infinity')
{%- endmacro %}
