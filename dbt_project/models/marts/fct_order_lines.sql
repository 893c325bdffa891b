{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}"
) }}

with lines as (
    select * from {{ ref('stg_silver__order_lines') }}
    where {{ on_changed_days('order_date') }}
),

products as (
    {{ versions_of(ref('dim_products'), ['product_key', 'sku', 'is_product', 'unit_price']) }}
),

customers as (
    {{ versions_of(ref('dim_customers'), ['customer_key', 'customer_id']) }}
),

fct_order_lines as (
    select
        lines.event_id,
        lines.line_number,
        lines.source_system,
        lines.order_id,
        lines.line_class,
        lines.sku,
        lines.description,
        lines.customer_id,
        lines.country,
        lines.ordered_at,
        lines.order_date,
        lines.order_month,
        lines.quantity,
        lines.unit_price,
        lines.line_amount,
        lines.currency,
        coalesce(products.is_product, false) as is_product,
        coalesce(products.product_key, {{ unknown_key() }}) as product_key,
        coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
        products.unit_price as list_price,
        lines.refined_batch,
        lines.source_topic,
        lines.source_partition,
        lines.source_offset
    from lines
    left join products
        on
            lines.sku = products.sku
            and {{ valid_at('lines.ordered_at', 'products') }}
    left join customers
        on
            lines.customer_id = customers.customer_id
            and {{ valid_at('lines.ordered_at', 'customers') }}
)

select * from fct_order_lines
order by order_date, source_system, order_id, line_number
