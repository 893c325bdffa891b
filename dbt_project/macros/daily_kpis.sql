{#
    What a declared KPI (variable `kpis`) is worth, over columns that bear the names of its measures:
    the measure itself, or the measure by what it is counted per. Null is no row. (The linter knows no
    variables, and reads null for a measure.)
#}
{% macro kpi_value(kpi) -%}
    cast({{ ratio(kpi.measure, kpi.per) if kpi.per else kpi.measure | default('null') }} as decimal(18, 4))
{%- endmacro %}

{# The unit of a declared KPI in gold: the code of the shop's currency where it is money. #}
{% macro kpi_unit(kpi) -%}
    {{ var('shop_currency') if kpi.unit == 'money' else kpi.unit }}
{%- endmacro %}

{#
    A quotient of money or counts in whole ten-thousandths, rounded half up (away from zero): a plain
    division would go through a float. Null when there is no base above zero.
#}
{% macro ratio(part, whole) -%}
    sign({{ part }}) * cast(
        (20000 * {{ ten_thousandths(part) }} + {{ ten_thousandths(whole) }})
        // nullif(2 * greatest(sign({{ whole }}), 0) * {{ ten_thousandths(whole) }}, 0)
        as decimal(18, 0)
    ) * 0.0001
{%- endmacro %}

{# The size of an amount or count as a whole number of ten-thousandths. #}
{% macro ten_thousandths(value) -%}
    cast(cast(abs({{ value }}) as decimal(28, 4)) * 10000 as hugeint)
{%- endmacro %}
