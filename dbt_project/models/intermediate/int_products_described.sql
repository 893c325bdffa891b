{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}",
    database='gold_build',
    schema='intermediate'
) }}

with lines as (
    select * from {{ ref('stg_silver__order_lines') }}
    where sku is not null and {{ on_changed_days('order_date') }}
),

int_products_described as (
    select
        order_date,
        sku,
        description,
        count(*) as line_count,
        count(*) filter (where line_class = 'sale') as sale_line_count
    from lines
    group by order_date, sku, description
)

select * from int_products_described
order by order_date, sku, description
