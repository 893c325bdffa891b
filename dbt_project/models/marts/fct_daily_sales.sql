{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}"
) }}

with lines as (
    select * from {{ ref('fct_order_lines') }}
    where
        line_class in ('sale', 'cancellation')
        and {{ on_changed_days('order_date') }}
),

fct_daily_sales as (
    select
        order_date,
        source_system,
        country,
        {{ order_count() }} as order_count,
        {{ line_count() }} as line_count,
        {{ item_quantity() }} as item_quantity,
        {{ gross_amount() }} as gross_amount,
        {{ cancelled_amount() }} as cancelled_amount,
        {{ net_amount() }} as net_amount
    from lines
    group by order_date, source_system, country
)

select * from fct_daily_sales
order by order_date, source_system, country
