{# A line's place among those of its customer: later ones are greater. #}
{% macro place_of_line() -%}
    {
        'ordered_at': ordered_at,
        'source_system': source_system,
        'order_id': order_id,
        'event_id': event_id
    }
{%- endmacro %}

{# What order lines say of each customer: the first day with a sale, and the last line of any class. #}
{% macro ordered_by_customer(lines) -%}
    select
        customer_id,
        arg_max(country, {{ place_of_line() }}) as country,
        min(order_date) filter (where line_class = 'sale') as first_order_date,
        arg_max(order_date, {{ place_of_line() }}) as last_line_date,
        max({{ place_of_line() }}) as last_line
    from {{ lines }}
    where customer_id is not null
    group by customer_id
{%- endmacro %}

{#
    The same of all lines, from what the last gold knew and the lines of the touched days. A customer
    whose first or last line of the last gold is gone is counted again over every day.
#}
{% macro ordered_by_customer_since(last) -%}
with ordered as (
    {{ ordered_by_customer('memory.touched.order_lines') }}
),

known as (
    select * from {{ last }}
),

bereft as (
    select known.customer_id
    from known
    left join ordered on known.customer_id = ordered.customer_id
    where
        (
            {{ on_order_days('known.first_order_date') }}
            and coalesce(ordered.first_order_date > known.first_order_date, true)
        )
        or (
            {{ on_order_days('known.last_line_date') }}
            and coalesce(ordered.last_line < known.last_line, true)
        )
),

lines_of_bereft as (
    select
        customer_id, country, line_class, order_date, ordered_at, source_system, order_id, event_id
    from last_gold.gold.fct_order_lines
    where
        not ({{ on_order_days('order_date') }})
        and customer_id in (select customer_id from bereft)
    union all
    select
        customer_id, country, line_class, order_date, ordered_at, source_system, order_id, event_id
    from memory.touched.order_lines
    where customer_id in (select customer_id from bereft)
),

recounted as (
    {{ ordered_by_customer('lines_of_bereft') }}
),

joined as (
    select
        coalesce(known.customer_id, ordered.customer_id) as customer_id,
        coalesce(ordered.last_line >= known.last_line, known.customer_id is null) as is_later,
        least(known.first_order_date, ordered.first_order_date) as first_order_date,
        case when is_later then ordered.country else known.country end as country,
        case when is_later then ordered.last_line_date else known.last_line_date end
            as last_line_date,
        case when is_later then ordered.last_line else known.last_line end as last_line
    from known
    full outer join ordered on known.customer_id = ordered.customer_id
)

select
    customer_id,
    country,
    first_order_date,
    last_line_date,
    last_line
from joined
where customer_id not in (select customer_id from bereft)
union all
select * from recounted
{%- endmacro %}
