with lines as (
    select * from {{ ref('stg_silver__order_lines') }}
),

names as (
    select
        sku,
        description,
        count(*) as line_count
    from lines
    where line_class = 'sale' and sku is not null and description is not null
    group by sku, description
),

int_products_named as (
    select
        sku,
        description
    from names
    qualify row_number() over (partition by sku order by line_count desc, description asc) = 1
)

select * from int_products_named
