{#
    The KPIs of a day, in the order of the screens: name, unit (GBP, count or rate) and expression
    over the day's measures (columns of the CTE `measured` in fct_daily_kpis). A null is no row.
#}
{% macro daily_kpis() %}
    {{ return([
        {'kpi': 'gross_revenue', 'unit': 'GBP', 'expression': 'gross_amount'},
        {'kpi': 'cancelled_amount', 'unit': 'GBP', 'expression': 'cancelled_amount'},
        {'kpi': 'net_revenue', 'unit': 'GBP', 'expression': 'net_amount'},
        {'kpi': 'order_count', 'unit': 'count', 'expression': 'order_count'},
        {
            'kpi': 'average_order_value',
            'unit': 'GBP',
            'expression': money_per('gross_amount', 'order_count'),
        },
        {'kpi': 'active_customers', 'unit': 'count', 'expression': 'active_customers'},
        {'kpi': 'item_quantity', 'unit': 'count', 'expression': 'item_quantity'},
    ]) }}
{% endmacro %}

{#
    Money divided by a count in whole ten-thousandths, rounded half up (away from zero): a plain
    division would go through a float. Null when the count is zero.
#}
{% macro money_per(amount, divisor) -%}
    sign({{ amount }}) * cast(
        (2 * cast(cast(abs({{ amount }}) as decimal(28, 4)) * 10000 as hugeint) + {{ divisor }})
        // nullif(2 * {{ divisor }}, 0)
        as decimal(18, 0)
    ) * 0.0001
{%- endmacro %}

{# A share in whole ten-thousandths, rounded half up, without a float. Null when there is no base. #}
{% macro rate_of(part, whole) -%}
    (2 * 10000 * cast({{ part }} as hugeint) + {{ whole }}) // nullif(2 * {{ whole }}, 0) * 0.0001
{%- endmacro %}
