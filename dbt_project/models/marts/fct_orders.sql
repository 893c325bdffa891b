{{ config(
    materialized='incremental',
    incremental_strategy='touched',
    unique_key=['source_system', 'order_id'],
    on_schema_change='fail'
) }}

{%- set of_these_orders = '' %}
{%- if goes_on() %}
{%- set of_other_customers = touch_spans(
    'customers', ref('dim_customers'), 'customer_id', ['customer_key', 'country'],
    'orders.customer_id', 'orders.ordered_at'
) %}
{%- set elsewhere = on_days('order_date', values_of(
    'select distinct order_date from memory.touched.orders_elsewhere order by all'
)) %}
{%- set of_these_orders = only_orders_of_days(elsewhere) %}
{%- set rejoined -%}
    from last_gold.gold.fct_orders as orders
    where
        {{ within_spans(['customers'], 'orders.ordered_at') }}
        and {{ of_other_customers }}
        and (source_system, order_id) not in (from memory.touched.orders)
{%- endset %}
{%- do touch_keys(
    'select source_system, order_id from memory.touched.orders union all '
    ~ 'select source_system, order_id ' ~ rejoined
) %}
{%- endif %}

with lines as (
    select * from {{ ref('fct_order_lines') }}
    where line_class in ('sale', 'cancellation') {{ of_these_orders }}
),

customers as (
    {{ versions_of(ref('dim_customers'), ['customer_key', 'customer_id', 'country']) }}
),

orders as (
    select
        order_id,
        source_system,
        case when count(distinct customer_id) = 1 then min(customer_id) end as customer_id,
        arg_min(country, {{ place_of_line() }}) as country,
        min(ordered_at) as ordered_at,
        min(order_date) as order_date,
        {{ line_count() }} as line_count,
        {{ item_quantity() }} as item_quantity,
        {{ gross_amount() }} as gross_amount,
        {{ cancelled_amount() }} as cancelled_amount,
        {{ net_amount() }} as net_amount
    from lines
    group by order_id, source_system
    {%- if goes_on() %}
    union all
    select * exclude (customer_key, customer_country) {{ rejoined }}
    {%- endif %}
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
