with customers as (
    {{ versions_of(ref('dim_customers'), ['customer_key', 'customer_id']) }}
),

orders as (
    select
        customer_id,
        source_system,
        order_id,
        min(first_ordered_at) as ordered_at,
        min(order_date) as order_date,
        cast(sum(line_count) as bigint) as line_count,
        {{ item_quantity() }} as item_quantity,
        {{ gross_amount() }} as gross_amount
    from {{ ref('int_orders_grouped') }}
    where line_class = 'sale' and customer_id is not null
    group by customer_id, source_system, order_id
),

numbered as (
    select
        orders.*,
        customers.customer_key,
        row_number() over customer_history as order_number,
        orders.order_date - lag(orders.order_date) over customer_history as days_since_previous,
        sum(orders.gross_amount) over customer_history as gross_amount_so_far
    from orders
    inner join customers
        on
            orders.customer_id = customers.customer_id
            and {{ valid_at('orders.ordered_at', 'customers') }}
    window customer_history as (
        partition by orders.customer_id
        order by ordered_at, source_system, order_id
        rows unbounded preceding
    )
),

fct_customer_orders as (
    select
        customer_id,
        cast(order_number as integer) as order_number,
        customer_key,
        source_system,
        order_id,
        ordered_at,
        order_date,
        order_number = 1 as is_first_order,
        cast(days_since_previous as integer) as days_since_previous,
        line_count,
        item_quantity,
        gross_amount,
        cast(gross_amount_so_far - gross_amount as decimal(18, 4)) as previous_gross_amount
    from numbered
)

select * from fct_customer_orders
order by {{ customer_order() }}, order_number
