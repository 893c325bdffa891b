{{ config(materialized='table', database='gold_build', schema='carried') }}

with ordered as (
    {{ ordered_by_customer(touched_lines(ref('stg_silver__order_lines'))) }}
),

{%- if goes_on() %}

known as (
    select * from {{ last_gold(this) }}
),

-- Whose first or last line of the last gold is gone: only the lines of all days can tell.
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
),
{%- endif %}

int_customers_ordered as (
    {%- if goes_on() %}
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
    {%- else %}
    select * from ordered
    {%- endif %}
)

select * from int_customers_ordered
order by customer_id
