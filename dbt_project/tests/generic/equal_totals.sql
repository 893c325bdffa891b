{#
    Fails for each total that differs between two models. totals: a list of {name, here, there},
    the last two aggregate expressions over the tested and the other model; a sum of nothing is 0.
    With `per`, a list of columns, the other model is first grouped by them, with the aggregate
    expressions `facts` as its columns.
#}
{% test equal_totals(model, other, totals, per=[], facts={}) %}
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
        {%- if per %}
        from (
            select
                {{ per | join(', ') }}
                {%- for name, fact in facts.items() %},
                {{ fact }} as {{ name }}
                {%- endfor %}
            from {{ other }}
            group by {{ per | join(', ') }}
        )
        {%- else %}
        from {{ other }}
        {%- endif %}
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
