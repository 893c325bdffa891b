{# Fails for each row whose kpi and unit are not those of a KPI of the variable `kpis`. #}
{% test is_declared(model) %}
    select *
    from {{ model }}
    where
        (kpi, unit) not in (
            {%- for each in var('kpis') %}
            ('{{ each.name }}', '{{ kpi_unit(each) }}'){{ ',' if not loop.last }}
            {%- endfor %}
        )
{% endtest %}
