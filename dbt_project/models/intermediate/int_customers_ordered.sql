with lines as (
    select * from {{ ref('int_orders_grouped') }}
    where customer_id is not null
),

int_customers_ordered as (
    select
        customer_id,
        arg_max(country, (last_ordered_at, source_system, order_id, country)) as country,
        min(order_date) filter (where line_class = 'sale') as first_order_date
    from lines
    group by customer_id
)

select * from int_customers_ordered
