with lines as (
    select * from {{ ref('fct_order_lines') }}
    where line_class in ('sale', 'cancellation')
),

customers as (
    {{ versions_of(ref('dim_customers'), ['customer_key', 'customer_id', 'country']) }}
),

orders as (
    select
        order_id,
        source_system,
        min(customer_id) as customer_id,
        min(country) as country,
        min(ordered_at) as ordered_at,
        min(order_date) as order_date,
        {{ line_count() }} as line_count,
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
)

select * from fct_orders
order by order_date, source_system, order_id
