{{ config(
    materialized='incremental',
    incremental_strategy='touched',
    unique_key=['order_date', 'event_id', 'line_number'],
    on_schema_change='fail',
    meta={'touched_by': 'order_date'}
) }}

{%- if goes_on() %}
{%- set touched = touch_days('order_date', 'select order_date from memory.touched.order_days') %}
{%- set of_other_products = touch_spans(
    'products', ref('dim_products'), 'sku', ['product_key', 'is_product', 'unit_price'],
    'lines.sku', 'lines.ordered_at'
) %}
{%- set of_other_customers = touch_spans(
    'customers', ref('dim_customers'), 'customer_id', ['customer_key'],
    'lines.customer_id', 'lines.ordered_at'
) %}
{%- set rejoined -%}
    from last_gold.gold.fct_order_lines as lines
    where
        {{ within_spans(['products', 'customers'], 'lines.ordered_at') }}
        and not ({{ touched }})
        and ({{ of_other_products }} or {{ of_other_customers }})
{%- endset %}
{%- do touch_keys('select order_date, event_id, line_number ' ~ rejoined) %}
{%- endif %}

with lines as (
    select * from {{ touched_lines(ref('stg_silver__order_lines')) }}
    {%- if goes_on() %}
    union all by name
    select * exclude (is_product, product_key, customer_key, list_price) {{ rejoined }}
    {%- endif %}
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
