{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}"
) }}

with lines as (
    select * from {{ ref('int_orders_grouped') }}
    where
        line_class in ('sale', 'cancellation')
        {%- if is_incremental() %}
        and (source_system, order_id) in (
            select (changed.source_system, changed.order_id)
            from {{ ref('int_orders_grouped') }} as changed
            where {{ on_changed_days('changed.order_date') }}
        )
        {%- endif %}
),

customers as (
    {{ versions_of(ref('dim_customers'), ['customer_key', 'customer_id', 'country']) }}
),

orders as (
    select
        order_id,
        source_system,
        case when count(distinct customer_id) = 1 then min(customer_id) end as customer_id,
        arg_min(country, (first_ordered_at, country)) as country,
        min(first_ordered_at) as ordered_at,
        min(order_date) as order_date,
        cast(coalesce(sum(line_count) filter (where line_class = 'sale'), 0) as bigint)
            as line_count,
        {{ item_quantity() }} as item_quantity,
        {{ gross_amount() }} as gross_amount,
        {{ cancelled_amount() }} as cancelled_amount,
        {{ net_amount() }} as net_amount
    from lines
    group by order_id, source_system
),

fct_orders as (
    select
        orders.order_id,
        orders.source_system,
        orders.customer_id,
        coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
        coalesce(customers.country, {{ unknown_country() }}) as customer_country,
        orders.country,
        orders.ordered_at,
        orders.order_date,
        orders.line_count,
        orders.item_quantity,
        orders.gross_amount,
        orders.cancelled_amount,
        orders.net_amount
    from orders
    left join customers
        on
            orders.customer_id = customers.customer_id
            and {{ valid_at('orders.ordered_at', 'customers') }}
    where {{ on_changed_days('orders.order_date') }}
)

select * from fct_orders
order by order_date, source_system, order_id
