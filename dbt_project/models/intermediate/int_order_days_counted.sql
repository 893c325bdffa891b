{{ config(materialized='table', database='gold_build', schema='carried') }}

with counted as (
    {%- if goes_on() %}
    select
        order_date,
        country,
        line_count
    from {{ last_gold(this) }}
    union all
    select
        order_date,
        country,
        1 as line_count
    from memory.touched.added_lines
    union all
    select
        order_date,
        country,
        -1 as line_count
    from memory.touched.removed_lines
    {%- else %}
    select
        order_date,
        country,
        1 as line_count
    from {{ ref('stg_silver__order_lines') }}
    {%- endif %}
),

int_order_days_counted as (
    select
        order_date,
        country,
        cast(sum(line_count) as bigint) as line_count
    from counted
    group by order_date, country
    having sum(line_count) <> 0
)

select * from int_order_days_counted
order by order_date, country
