{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_date',
    on_schema_change='fail',
    pre_hook="{{ delete_changed_days('order_date') }}",
    database='gold_build',
    schema='intermediate'
) }}

with products_sold as (
    select distinct
        order_date,
        source_system,
        order_id,
        sku
    from {{ ref('stg_silver__order_lines') }}
    where
        line_class = 'sale'
        and {{ is_product('sku') }}
        and {{ on_changed_days('order_date') }}
),

int_baskets_filled as (
    select
        order_date,
        source_system,
        order_id,
        list(sku order by sku) as skus
    from products_sold
    group by order_date, source_system, order_id
)

select * from int_baskets_filled
order by order_date, source_system, order_id
