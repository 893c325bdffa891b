with orders as (
    select * from {{ ref('fct_orders') }}
    where line_count > 0 and customer_id is not null
),

numbered as (
    select
        *,
        row_number() over customer_history as order_number,
        order_date - lag(order_date) over customer_history as days_since_previous,
        sum(gross_amount) over customer_history as gross_amount_so_far
    from orders
    window customer_history as (
        partition by customer_id
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
