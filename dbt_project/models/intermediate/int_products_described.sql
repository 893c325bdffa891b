{{ config(materialized='table', database='gold_build', schema='carried') }}

with counted as (
    {{ counted_since_last(
        'lines', ref('stg_silver__order_lines'), ['sku', 'description'],
        {'line_count': 'true', 'sale_line_count': "line_class = 'sale'"}
    ) }}
),

int_products_described as (
    select * from counted
    where sku is not null
)

select * from int_products_described
order by sku, description
