{{ config(materialized='table', database='gold_build', schema='carried') }}

with int_customers_ordered as (
    {%- if goes_on() %}
    {{ ordered_by_customer_since(last_gold(this)) }}
    {%- else %}
    {{ ordered_by_customer(ref('stg_silver__order_lines')) }}
    {%- endif %}
)

select * from int_customers_ordered
order by customer_id
