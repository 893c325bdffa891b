{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}",
    database='gold_build',
    schema='intermediate'
) }}

with customers as (
    select * from {{ ref('int_customers_ordered') }}
),

lines as (
    select
        orders.*,
        customers.first_order_date
    from {{ ref('int_orders_grouped') }} as orders
    left join customers on orders.customer_id = customers.customer_id
    where {{ on_changed_days('orders.order_date') }}
),

int_days_measured as (
    select
        order_date,
        {{ gross_amount() }} as gross_amount,
        {{ cancelled_amount() }} as cancelled_amount,
        {{ net_amount() }} as net_amount,
        {{ order_count() }} as order_count,
        {{ item_quantity() }} as item_quantity,
        {{ active_customers() }} as active_customers,
        {{ new_customers() }} as new_customers
    from lines
    group by order_date
)

select * from int_days_measured
order by order_date
