{{ config(materialized='table', database='gold_build', schema='carried') }}

with int_order_days_counted as (
    {{ counted_since_last(
        'lines', ref('stg_silver__order_lines'), ['order_date', 'country'], {'line_count': 'true'}
    ) }}
)

select * from int_order_days_counted
order by order_date, country
