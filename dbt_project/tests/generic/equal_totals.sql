{#
    Fails for each total that differs between two models. totals: a list of {name, here, there},
    the last two aggregate expressions over the tested and the other model; a sum of nothing is 0.
#}
{% test equal_totals(model, other, totals) %}
    with
    here as (
        select
            {%- for total in totals %}
            coalesce({{ total.here }}, 0) as {{ total.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ model }}
    ),

    there as (
        select
            {%- for total in totals %}
            coalesce({{ total.there }}, 0) as {{ total.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ other }}
    )

    {% for total in totals %}
        select
            '{{ total.name }}' as total,
            cast(here.{{ total.name }} as varchar) as here,
            cast(there.{{ total.name }} as varchar) as there
        from here
        cross join there
        where here.{{ total.name }} is distinct from there.{{ total.name }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
{% endtest %}
