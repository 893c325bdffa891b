{{ config(materialized='table', database='gold_build', schema='carried') }}

with order_days as (
    select distinct
        source_system,
        order_id,
        order_date
    from {{ touched_lines(ref('stg_silver__order_lines')) }}
    where line_class in ('sale', 'cancellation')
    {%- if goes_on() %}
    union
    select
        source_system,
        order_id,
        order_date
    from memory.touched.orders_elsewhere
    {%- endif %}
),

continued as (
    select
        source_system,
        order_id
    from order_days
    group by source_system, order_id
    having min(order_date) <> max(order_date)
),

int_orders_continued as (
    select order_days.*
    from order_days
    semi join continued
        on
            order_days.source_system = continued.source_system
            and order_days.order_id = continued.order_id
    {%- if goes_on() %}
    union all
    select
        source_system,
        order_id,
        order_date
    from {{ last_gold(this) }}
    where (source_system, order_id) not in (from memory.touched.orders)
    {%- endif %}
)

select * from int_orders_continued
order by source_system, order_id, order_date
