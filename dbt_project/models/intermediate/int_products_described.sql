{{ config(materialized='table', database='gold_build', schema='carried') }}

with counted as (
    {%- if goes_on() %}
    select
        sku,
        description,
        line_count,
        sale_line_count
    from {{ last_gold(this) }}
    {%- for sign, lines in [(1, 'added_lines'), (-1, 'removed_lines')] %}
    union all
    select
        sku,
        description,
        {{ sign }} as line_count,
        case when line_class = 'sale' then {{ sign }} else 0 end as sale_line_count
    from memory.touched.{{ lines }}
    {%- endfor %}
    {%- else %}
    select
        sku,
        description,
        1 as line_count,
        case when line_class = 'sale' then 1 else 0 end as sale_line_count
    from {{ ref('stg_silver__order_lines') }}
    {%- endif %}
),

int_products_described as (
    select
        sku,
        description,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(sale_line_count) as bigint) as sale_line_count
    from counted
    where sku is not null
    group by sku, description
    having sum(line_count) <> 0
)

select * from int_products_described
order by sku, description
