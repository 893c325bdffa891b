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
    CTEs from change events to versions: of changes of one moment the last by event_id counts, equal
    successive states are one version, the first is valid from the beginning, each ends where the
    next begins. Only what the events say decides, so a rebuild in any order gives the same rows.
#}
{% macro versions_from(changes, id, attributes) -%}
settled as (
    select * from {{ changes }}
    qualify row_number() over (partition by {{ id }}, changed_at order by event_id desc) = 1
),

compared as (
    select
        *,
        row_number() over (partition by {{ id }} order by changed_at) = 1 as is_first,
        ({{ attributes | join(', ') }}) as state,
        lag(({{ attributes | join(', ') }})) over (
            partition by {{ id }} order by changed_at
        ) as state_before
    from settled
),

versions as (
    select
        {{ id }},
        {%- for attribute in attributes %}
        {{ attribute }},
        {%- endfor %}
        case when is_first then {{ first_valid_from() }} else changed_at end as valid_from,
        lead(changed_at) over (partition by {{ id }} order by changed_at) as valid_to
    from compared
    where is_first or state is distinct from state_before
),
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
