{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}"
) }}

with customers as (
    select
        customer_id,
        first_order_date
    from {{ ref('dim_customers') }}
    where is_current
),

sales as (
    select
        order_lines.*,
        case
            when order_lines.customer_id is null then 'unknown'
            when order_lines.order_date = customers.first_order_date then 'new'
            else 'returning'
        end as customer_kind
    from {{ ref('fct_order_lines') }} as order_lines
    left join customers on order_lines.customer_id = customers.customer_id
    where
        order_lines.line_class = 'sale'
        and {{ on_changed_days('order_lines.order_date') }}
),

fct_daily_customers as (
    select
        order_date,
        customer_kind,
        {{ active_customers() }} as customer_count,
        {{ order_count() }} as order_count,
        {{ item_quantity() }} as item_quantity,
        {{ gross_amount() }} as gross_amount
    from sales
    group by order_date, customer_kind
)

select * from fct_daily_customers
order by order_date, customer_kind
