{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}",
    database='gold_build',
    schema='intermediate'
) }}

with lines as (
    select * from {{ ref('stg_silver__order_lines') }}
    where {{ on_changed_days('order_date') }}
),

int_orders_grouped as (
    select
        order_date,
        order_month,
        source_system,
        order_id,
        customer_id,
        country,
        line_class,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        count(*) as line_count,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(line_amount) as decimal(18, 4)) as line_amount
    from lines
    group by order_date, order_month, source_system, order_id, customer_id, country, line_class
)

select * from int_orders_grouped
order by order_date, source_system, order_id
