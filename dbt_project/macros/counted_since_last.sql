{#
    Rows of silver counted by `keys` without reading those of before: the counts of the last gold, and
    one more or less for each row of a file that came or went. `what` is lines or events, `whole` their
    staging model, `measures` the conditions of the rows to count by the name of the count; the first
    one counts all: without a row left, a key leaves.
#}
{% macro counted_since_last(what, whole, keys, measures) -%}
    {%- set parts = [(1, whole)] -%}
    {%- if goes_on() -%}
        {%- set parts = [
            (1, 'memory.touched.added_' ~ what), (-1, 'memory.touched.removed_' ~ what)
        ] -%}
    {%- endif -%}
    select
        {{ keys | join(', ') }},
        {%- for measure in measures %}
        cast(sum({{ measure }}) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {%- if goes_on() %}
        select {{ (keys + measures | list) | join(', ') }} from {{ last_gold(this) }}
        union all
        {%- endif %}
        {%- for sign, rows in parts %}
        select
            {{ keys | join(', ') }},
            {%- for measure, condition in measures.items() %}
            case when {{ condition }} then {{ sign }} else 0 end as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ rows }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as counted
    group by {{ keys | join(', ') }}
    having sum({{ measures | first }}) <> 0
{%- endmacro %}
